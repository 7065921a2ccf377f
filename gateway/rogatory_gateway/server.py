"""The running gateway: its parts put together, served over mTLS, drained on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Self, cast

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from sqlalchemy.exc import SQLAlchemyError

from rogatory.audit.v1 import audit_service_pb2, audit_service_pb2_grpc
from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.exchange.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    directory_service_pb2,
    directory_service_pb2_grpc,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
    procedure_service_pb2,
    procedure_service_pb2_grpc,
)
from rogatory_gateway import telemetry
from rogatory_gateway.admission.admission import Admission
from rogatory_gateway.admission.committer import Committer
from rogatory_gateway.admission.identify import Identifier
from rogatory_gateway.admission.verifying import GroupVerifier
from rogatory_gateway.config import join_address
from rogatory_gateway.delivery.deadlines import DeadlineWatcher
from rogatory_gateway.delivery.hub import Hub
from rogatory_gateway.delivery.publishing import Publisher
from rogatory_gateway.delivery.reader import Reader
from rogatory_gateway.ledger.ledger import Appended, Ledger
from rogatory_gateway.ledger.starting import CHECK_SECONDS, explained, open_log
from rogatory_gateway.services.agreement import AgreementService
from rogatory_gateway.services.audit import AuditService
from rogatory_gateway.services.context import Context
from rogatory_gateway.services.directory import DirectoryService
from rogatory_gateway.services.exchange import ExchangeService
from rogatory_gateway.services.frames import Registrar
from rogatory_gateway.services.listening import cannot_listen, check_free, credentials
from rogatory_gateway.services.procedures import ProcedureService

if TYPE_CHECKING:
    from collections.abc import Callable

    from rogatory_gateway.config import Settings

REFRESH_SECONDS = 0.25
"""How soon a running gateway notices what the operator's command line entered in the log."""

LAST_ANSWERS_SECONDS = 1.0
"""For answers that were given and are still on their way out when the gateway stops."""

MAX_REQUEST_BYTES = 6 << 20
"""Longest gRPC message: a full batch with room for its frame. Larger ones gRPC itself refuses."""

SERVICES = (
    exchange_service_pb2.DESCRIPTOR.services_by_name["ExchangeService"].full_name,
    directory_service_pb2.DESCRIPTOR.services_by_name["DirectoryService"].full_name,
    agreement_service_pb2.DESCRIPTOR.services_by_name["AgreementService"].full_name,
    audit_service_pb2.DESCRIPTOR.services_by_name["AuditService"].full_name,
    procedure_service_pb2.DESCRIPTOR.services_by_name["ProcedureService"].full_name,
)

log = structlog.get_logger()


class Gateway:
    """A gateway in this process. Use as an asynchronous context manager; then it serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.port = 0
        self._stack = contextlib.AsyncExitStack()
        self._seen_registry: object = None

    async def __aenter__(self) -> Self:
        """Open the ledger, publish its checkpoint, listen.

        Raises:
            ConfigurationError: a file is missing or the port is taken.
        """
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        settings = self.settings
        limits = settings.limits
        opened = open_log(settings)
        engine = opened.engine
        self._stack.callback(engine.dispose)
        if not opened.checked:
            log.info("ledger file checked in part; fsck checks all", seconds=CHECK_SECONDS)
        with explained(settings):
            self.ledger = Ledger(engine, now=time.time_ns)
        self._stack.callback(self.ledger.close)
        head = self.ledger.head
        self.publisher = Publisher(signer=opened.signer, size=head.size, root=head.frontier.root)
        self.hub = Hub()
        self.reader = Reader(engine)
        self._stack.callback(self.reader.close)
        admission = Admission(
            origin=settings.gateway.origin,
            registry=lambda: self.ledger.registry,
            now=time.time_ns,
            message_bytes=limits.message_bytes,
        )
        verifier = GroupVerifier(
            admission,
            registry=lambda: self.ledger.registry,
            folder=settings.gateway.data,
            origin=settings.gateway.origin,
            message_bytes=limits.message_bytes,
            enabled=settings.commit.helper,
        )
        await verifier.start()
        self._stack.push_async_callback(verifier.stop)
        self.committer = Committer(
            self.ledger,
            verifier=verifier,
            sign=self.publisher.sign,
            announce=self._announce,
            linger_seconds=settings.commit.linger_ms_max / 1000,
            capacity=limits.in_flight,
            group_items=limits.group_messages,
        )
        self.committer.start()
        self._stack.push_async_callback(self.committer.stop)
        self.context = Context(
            origin=settings.gateway.origin,
            registry=lambda: self.ledger.registry,
            now=time.time_ns,
            identifier=Identifier(lambda: self.ledger.registry, time.time_ns),
            committer=self.committer,
            reader=self.reader,
            hub=self.hub,
            publisher=self.publisher,
            limits=limits,
        )
        await self._listen()
        self._offer_metrics()
        refreshing = asyncio.create_task(self._refresh(), name="refresh")
        self._stack.push_async_callback(_cancel, refreshing)
        watching = asyncio.create_task(self._watch_deadlines(), name="deadlines")
        self._stack.push_async_callback(_cancel, watching)

    async def __aexit__(self, *_: object) -> None:
        """Drain: take no new call, let those under way end, then close the ledger."""
        await self._health.enter_graceful_shutdown()
        # First turn calls away by name, then stop: gRPC's own stop would cancel those that come in
        # at that moment, and a caller cannot tell what became of a cancelled call.
        await self.context.drain(self.settings.limits.drain_seconds)
        await self._server.stop(LAST_ANSWERS_SECONDS)
        await self._stack.aclose()

    def _announce(self, appended: Appended) -> None:
        for tag, count in appended.tags.items():
            telemetry.ENTRIES.labels(tag).inc(count)
        if appended.tags:
            telemetry.GROUP_ENTRIES.observe(len(appended.proofs))
        telemetry.LOG_SIZE.set(appended.size)
        telemetry.SUBSCRIPTIONS.set(self.hub.listeners)
        self.hub.wake(appended.woken)
        if appended.governed or self.ledger.registry is not self._seen_registry:
            self._seen_registry = self.ledger.registry
            self.hub.wake_all()

    async def _refresh(self) -> None:
        """Notice what another process has entered: an empty group loads the head afresh."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            with contextlib.suppress(RogatoryError):
                await self.committer.enter([])

    async def _watch_deadlines(self) -> None:
        """Notice what becomes due as time passes, though nothing comes in."""
        watcher = DeadlineWatcher(reader=self.reader, hub=self.hub, now=time.time_ns)
        while True:
            try:
                counts = await watcher.look()
            except SQLAlchemyError as error:
                # The next look sees what this one missed; whoever calls meanwhile is told.
                log.warning("deadlines were not looked at", error=type(error).__name__)
            else:
                telemetry.DEADLINES.labels("open").set(counts.open)
                telemetry.DEADLINES.labels("due_soon").set(counts.due_soon)
                telemetry.DEADLINES.labels("overdue").set(counts.overdue)
            await asyncio.sleep(self.settings.limits.deadline_check_seconds)

    def _offer_metrics(self) -> None:
        place = self.settings.telemetry
        if place.metrics_port is not None:
            try:
                telemetry.serve_metrics(place.metrics_host, place.metrics_port)
            except OSError as error:
                raise ConfigurationError(
                    f"metrics can't be offered on port {place.metrics_port}: {error.strerror}",
                    hint="Set another [telemetry] metrics_port, or leave it out.",
                ) from error

    async def _listen(self) -> None:
        settings = self.settings
        self._server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            ),
            maximum_concurrent_rpcs=None,
        )
        registrar = cast("grpc.aio.Server", Registrar(self._server))
        exchange_service_pb2_grpc.add_ExchangeServiceServicer_to_server(
            ExchangeService(self.context), registrar
        )
        directory_service_pb2_grpc.add_DirectoryServiceServicer_to_server(
            DirectoryService(self.context), registrar
        )
        agreement_service_pb2_grpc.add_AgreementServiceServicer_to_server(
            AgreementService(self.context), registrar
        )
        audit_service_pb2_grpc.add_AuditServiceServicer_to_server(
            AuditService(self.context), registrar
        )
        procedure_service_pb2_grpc.add_ProcedureServiceServicer_to_server(
            ProcedureService(self.context), registrar
        )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.telemetry.reflection:
            reflection.enable_server_reflection(
                (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
            )
        address = join_address(settings.listen.host, settings.listen.port)
        offered = credentials(settings.tls)
        check_free(settings.listen)
        try:
            self.port = self._server.add_secure_port(address, offered)
        except RuntimeError as error:
            raise cannot_listen(settings.listen, "gRPC could not") from error
        await self._server.start()
        for service in ("", *SERVICES):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def serve(
    settings: Settings, *, announce: Callable[[str], None] = lambda _address: None
) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Prints ``listening HOST:PORT`` on standard error once calls are taken, for whoever started it,
    and calls ``announce`` with ``HOST:PORT``.

    Raises:
        ConfigurationError: a file is missing or the port is taken.
        RogatoryError: a defect ended the ledger's work.
    """
    telemetry.configure(settings.telemetry.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Gateway(settings) as gateway:
        address = join_address(settings.listen.host, gateway.port)
        log.info("serving", address=address, origin=settings.gateway.origin)
        print(f"listening {address}", file=sys.stderr, flush=True)  # noqa: T201 - the contract
        announce(address)
        await _first(stop, gateway.committer.broken)
        log.info("draining", seconds=settings.limits.drain_seconds)
    log.info("stopped")
    if gateway.committer.broken.is_set():
        raise RogatoryError(
            "a defect has ended the gateway; nothing that was acknowledged is lost",
            hint="Start it again, and report what its log says.",
        )


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        await _cancel(task)
