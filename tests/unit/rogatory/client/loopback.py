"""A gateway for tests: real gRPC over mutual TLS on loopback, in front of a World."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from rogatory import envelopes
from rogatory.audit.v1 import audit_service_pb2, audit_service_pb2_grpc
from rogatory.client import TlsCredentials
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    decision_pb2,
    directory_service_pb2,
    directory_service_pb2_grpc,
    envelope_pb2,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
    procedure_service_pb2_grpc,
)
from tests.unit.rogatory.client.procedures import Procedures
from tests.unit.rogatory.client.world import World

PATIENCE = 30.0
"""Seconds after which a test that went wrong ends."""

PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Certificates:
    """An authority of the test's own, and what it issued."""

    server: bytes
    server_key: bytes
    tls: TlsCredentials


def make_certificates() -> Certificates:
    """Issue a server certificate for loopback and a client certificate, by one authority."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA of the tests")])
    ca = _issue(ca_name, ca_key, ca_name, ca_key, authority=True)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _issue(_name("localhost"), server_key, ca_name, ca_key, authority=False)
    client_key = ec.generate_private_key(ec.SECP256R1())
    client = _issue(_name("fr.police"), client_key, ca_name, ca_key, authority=False)
    return Certificates(
        server=server,
        server_key=_pem_key(server_key),
        tls=TlsCredentials(certificate=client, key=_pem_key(client_key), ca=ca),
    )


def _issue(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> bytes:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        ).add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@dataclass(frozen=True)
class Fault:
    """An error that a call is answered with, as a gateway writes it."""

    code: grpc.StatusCode
    text: str = "no"
    reason: str = ""
    next_step: str = ""
    retry_after: float | None = None
    violations: tuple[tuple[str, str, str], ...] = ()

    def status(self) -> status_pb2.Status:
        """Return it with its details."""
        details: list[Any] = []
        if self.reason:
            details.append(
                error_details_pb2.ErrorInfo(
                    reason=self.reason,
                    domain="rogatory",
                    metadata={"reason_number": "1", "next_step": self.next_step},
                )
            )
        if self.retry_after is not None:
            delay = Duration()
            delay.FromNanoseconds(int(self.retry_after * 1e9))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        if self.violations:
            request = error_details_pb2.BadRequest()
            for path, rule, text in self.violations:
                request.field_violations.add(field=path, reason=rule, description=text)
            details.append(request)
        status = status_pb2.Status(code=self.code.value[0], message=self.text)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return status


@dataclass
class Loopback(
    exchange_service_pb2_grpc.ExchangeServiceServicer,
    directory_service_pb2_grpc.DirectoryServiceServicer,
    agreement_service_pb2_grpc.AgreementServiceServicer,
    audit_service_pb2_grpc.AuditServiceServicer,
):
    """The services over a world, as one agency sees them.

    Attributes:
        world: The state.
        agency: Whom the caller is taken for.
        faults: Errors for the next calls of a method, by its name.
        lost: Errors in place of the next answers to a method, by its name: what it asked is done.
        break_after: For the next subscriptions: messages after which the stream breaks.
        received: Bytes of every envelope that Submit and SubmitBatch saw.
        calls: Calls by method.
        skip: Inbox positions that subscriptions keep back.
        shorter: Results that SubmitBatch leaves out at the end.
        padding: Bytes by which it makes the salt of each outcome longer.
        arrived: Released by each call that comes in.
        gate: While it is clear, Submit admits and does not answer.
        duty_contacts: What Submit says of recipients.
        procedures: The service that tells of procedures.
    """

    world: World
    agency: str = "de.police"
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    lost: dict[str, deque[Fault]] = field(default_factory=dict)
    break_after: deque[int] = field(default_factory=deque)
    received: list[bytes] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    skip: set[int] = field(default_factory=set)
    shorter: int = 0
    padding: int = 0
    page: int = 2
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Event = field(default_factory=threading.Event)
    duty_contacts: list[exchange_service_pb2.DutyContact] = field(default_factory=list)
    procedures: Procedures = field(default_factory=Procedures)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.gate.set()

    def _enter(self, method: str, context: grpc.ServicerContext) -> None:
        self.calls[method] += 1
        self.arrived.release()
        _abort_with_next(context, self.faults.get(method))

    def _leave(self, method: str, context: grpc.ServicerContext) -> None:
        _abort_with_next(context, self.lost.get(method))

    def Submit(
        self, request: exchange_service_pb2.SubmitRequest, context: grpc.ServicerContext
    ) -> exchange_service_pb2.SubmitResponse:
        """Admit a message."""
        self.received.append(request.envelope)
        self._enter("Submit", context)
        with self.changed:
            submission, checkpoint = self.world.submit(request.envelope)
            self.changed.notify_all()
        self.gate.wait(PATIENCE)
        self._leave("Submit", context)
        response = exchange_service_pb2.SubmitResponse(submission=submission, checkpoint=checkpoint)
        response.submission.duty_contacts.extend(self.duty_contacts)
        return response

    def SubmitBatch(
        self, request: exchange_service_pb2.SubmitBatchRequest, context: grpc.ServicerContext
    ) -> exchange_service_pb2.SubmitBatchResponse:
        """Admit several; what does not open has its error in its place."""
        self.received += request.envelopes
        self._enter("SubmitBatch", context)
        results = []
        for data in request.envelopes:
            try:
                submission, _ = self.world.submit(data)
                result = exchange_service_pb2.SubmitBatchResult(submission=submission)
                for outcome in result.submission.outcomes:
                    outcome.salt += bytes(self.padding)
            except EnvelopeError as error:
                fault = Fault(
                    grpc.StatusCode.INVALID_ARGUMENT, error.message, error.reason, error.hint
                )
                result = exchange_service_pb2.SubmitBatchResult(error=fault.status())
            results.append(result)
        self._leave("SubmitBatch", context)
        return exchange_service_pb2.SubmitBatchResponse(
            results=results[: len(results) - self.shorter], checkpoint=self.world.checkpoint()
        )

    def Subscribe(
        self, request: exchange_service_pb2.SubscribeRequest, context: grpc.ServicerContext
    ) -> Iterator[exchange_service_pb2.SubscribeResponse]:
        """Stream the inbox, say when it is read, and wait for more."""
        self._enter("Subscribe", context)
        inbox = self.world.inboxes[self.agency]
        position = request.start_cursor or self.world.cursors.get(self.agency, 0) + 1
        left = self.break_after.popleft() if self.break_after else None
        context.add_callback(self._wake)
        if request.deadlines:
            for notice in self.procedures.notices:
                yield exchange_service_pb2.SubscribeResponse(cursor=position, deadline=notice)
        while context.is_active():
            while position <= len(inbox):
                if left == 0:
                    _abort(context, Fault(grpc.StatusCode.UNAVAILABLE, "cable cut"))
                if position not in self.skip:
                    left = None if left is None else left - 1
                    yield exchange_service_pb2.SubscribeResponse(
                        cursor=position + 1, delivery=inbox[position - 1]
                    )
                position += 1
            yield exchange_service_pb2.SubscribeResponse(
                cursor=position,
                keep_alive=exchange_service_pb2.KeepAlive(checkpoint=self.world.checkpoint()),
            )
            with self.changed:
                if position > len(inbox) and context.is_active():
                    self.changed.wait()

    def _wake(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def AdvanceCursor(
        self, request: exchange_service_pb2.AdvanceCursorRequest, context: grpc.ServicerContext
    ) -> exchange_service_pb2.AdvanceCursorResponse:
        """Record a position."""
        self._enter("AdvanceCursor", context)
        recorded = max(self.world.cursors.get(self.agency, 0), request.inbox_position)
        self.world.cursors[self.agency] = recorded
        return exchange_service_pb2.AdvanceCursorResponse(inbox_position=recorded)

    def GetMessage(
        self, request: exchange_service_pb2.GetMessageRequest, context: grpc.ServicerContext
    ) -> exchange_service_pb2.GetMessageResponse:
        """Return a message of the inbox."""
        self._enter("GetMessage", context)
        for delivery in self.world.inboxes[self.agency]:
            header = envelopes.open_envelope(delivery.envelope).header
            if (header.sender, header.message_id) == (request.sender, request.message_id):
                return exchange_service_pb2.GetMessageResponse(message=delivery)
        return _abort(context, ABSENT)

    def ListMessages(
        self, request: exchange_service_pb2.ListMessagesRequest, context: grpc.ServicerContext
    ) -> exchange_service_pb2.ListMessagesResponse:
        """Return the inbox, `page` messages at a time."""
        self._enter("ListMessages", context)
        start = int(request.page_token or "0")
        inbox = self.world.inboxes[self.agency]
        summaries = []
        for delivery in inbox[start : start + self.page]:
            header = envelopes.open_envelope(delivery.envelope).header
            summaries.append(
                exchange_service_pb2.MessageSummary(
                    sender=header.sender,
                    message_id=header.message_id,
                    kind=header.kind,
                    index=delivery.index,
                    inbox_position=delivery.inbox_position,
                )
            )
        more = start + self.page < len(inbox)
        return exchange_service_pb2.ListMessagesResponse(
            messages=summaries, next_page_token=str(start + self.page) if more else ""
        )

    def GetReceipt(
        self, request: exchange_service_pb2.GetReceiptRequest, context: grpc.ServicerContext
    ) -> exchange_service_pb2.GetReceiptResponse:
        """Return a receipt against the log as it stands."""
        self._enter("GetReceipt", context)
        submission = self.world.submitted.get((request.sender, request.message_id))
        if submission is None:
            _abort(context, ABSENT)
        return exchange_service_pb2.GetReceiptResponse(
            receipt=self.world.receipt(submission.receipt.index),
            outcomes=submission.outcomes,
            checkpoint=self.world.checkpoint(),
        )

    def GetAgency(
        self, request: directory_service_pb2.GetAgencyRequest, context: grpc.ServicerContext
    ) -> directory_service_pb2.GetAgencyResponse:
        """Return a directory entry."""
        self._enter("GetAgency", context)
        entry = self.world.directory.get(request.agency_id)
        if entry is None:
            _abort(context, ABSENT)
        return directory_service_pb2.GetAgencyResponse(agency=entry)

    def ListAgencies(
        self, request: directory_service_pb2.ListAgenciesRequest, context: grpc.ServicerContext
    ) -> directory_service_pb2.ListAgenciesResponse:
        """Return the directory, `page` agencies at a time."""
        self._enter("ListAgencies", context)
        start = int(request.page_token or "0")
        names = sorted(self.world.directory)
        more = start + self.page < len(names)
        return directory_service_pb2.ListAgenciesResponse(
            agencies=[self.world.directory[name] for name in names[start : start + self.page]],
            next_page_token=str(start + self.page) if more else "",
        )

    def _record(self) -> agreement_service_pb2.AgreementRecord:
        return agreement_service_pb2.AgreementRecord(
            agreement=self.world.signed_agreement,
            digest=self.world.agreement.digest,
            state=agreement_service_pb2.AGREEMENT_STATE_IN_FORCE,
        )

    def ListAgreements(
        self,
        request: agreement_service_pb2.ListAgreementsRequest,
        context: grpc.ServicerContext,
    ) -> agreement_service_pb2.ListAgreementsResponse:
        """Return the one agreement."""
        self._enter("ListAgreements", context)
        return agreement_service_pb2.ListAgreementsResponse(agreements=[self._record()])

    def GetAgreement(
        self, request: agreement_service_pb2.GetAgreementRequest, context: grpc.ServicerContext
    ) -> agreement_service_pb2.GetAgreementResponse:
        """Return the one agreement by its id."""
        self._enter("GetAgreement", context)
        if request.agreement_id != "x":
            _abort(context, ABSENT)
        return agreement_service_pb2.GetAgreementResponse(agreement=self._record())

    def EvaluateExchange(
        self,
        request: agreement_service_pb2.EvaluateExchangeRequest,
        context: grpc.ServicerContext,
    ) -> agreement_service_pb2.EvaluateExchangeResponse:
        """Decide without storing."""
        self._enter("EvaluateExchange", context)
        header = envelope_pb2.Header.FromString(request.header)
        outcomes: list[decision_pb2.Outcome] = []
        for position in range(len(header.recipients)):
            outcome = self.world._decide(header, position, header.signed_by[0].key)
            outcome.inbox_position = 0
            outcomes.append(outcome)
        return agreement_service_pb2.EvaluateExchangeResponse(outcomes=outcomes)

    def ListEntries(
        self, request: audit_service_pb2.ListEntriesRequest, context: grpc.ServicerContext
    ) -> audit_service_pb2.ListEntriesResponse:
        """Return the log, `page` entries at a time."""
        self._enter("ListEntries", context)
        start = int(request.page_token or "0")
        entries = self.world.entries
        more = start + self.page < len(entries)
        return audit_service_pb2.ListEntriesResponse(
            entries=[
                audit_service_pb2.ListedEntry(index=i, entry=item.data, outcomes=item.outcomes)
                for i, item in enumerate(entries)
                if start <= i < start + self.page
            ],
            next_page_token=str(start + self.page) if more else "",
        )

    def GetCheckpoint(
        self, request: audit_service_pb2.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> audit_service_pb2.GetCheckpointResponse:
        """Return the checkpoint with a consistency proof."""
        self._enter("GetCheckpoint", context)
        return audit_service_pb2.GetCheckpointResponse(
            checkpoint=self.world.checkpoint(),
            consistency_proof=self.world.consistency(request.consistent_from),
            verifier_key=self.world.log_signer.key.text,
        )

    def GetTile(
        self, request: audit_service_pb2.GetTileRequest, context: grpc.ServicerContext
    ) -> audit_service_pb2.GetTileResponse:
        """Return so many bytes as the tile would have."""
        self._enter("GetTile", context)
        return audit_service_pb2.GetTileResponse(hashes=bytes(32 * request.width))


ABSENT = Fault(
    grpc.StatusCode.NOT_FOUND,
    "denied or absent",
    "DENIED_OR_ABSENT",
    "Check the sender and the message id.",
)


def _abort_with_next(context: grpc.ServicerContext, queue: deque[Fault] | None) -> None:
    if queue:
        _abort(context, queue.popleft())


def _abort(context: grpc.ServicerContext, fault: Fault) -> NoReturn:
    context.abort_with_status(rpc_status.to_status(fault.status()))
    raise AssertionError


@contextmanager
def serving(gateway: Loopback, certificates: Certificates, *, port: int = 0) -> Iterator[str]:
    """Serve on loopback; give the address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0)])
    exchange_service_pb2_grpc.add_ExchangeServiceServicer_to_server(gateway, server)
    directory_service_pb2_grpc.add_DirectoryServiceServicer_to_server(gateway, server)
    agreement_service_pb2_grpc.add_AgreementServiceServicer_to_server(gateway, server)
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(gateway, server)
    procedure_service_pb2_grpc.add_ProcedureServiceServicer_to_server(gateway.procedures, server)
    credentials = grpc.ssl_server_credentials(
        [(certificates.server_key, certificates.server)],
        root_certificates=certificates.tls.ca,
        require_client_auth=True,
    )
    bound = server.add_secure_port(f"localhost:{port}", credentials)
    server.start()
    try:
        yield f"localhost:{bound}"
    finally:
        server.stop(grace=None).wait()
