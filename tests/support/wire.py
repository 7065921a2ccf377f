"""The wire as a test sees it: channels and stubs of an agency, faults taken apart, rows counted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from google.rpc import error_details_pb2, status_pb2

from rogatory import receipts
from rogatory.audit.v1 import audit_service_pb2_grpc, entry_pb2
from rogatory.checkpoints import SignedCheckpoint, open_checkpoint
from rogatory.exchange.v1 import (
    agreement_service_pb2_grpc,
    decision_pb2,
    directory_service_pb2_grpc,
    envelope_pb2,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
    procedure_service_pb2_grpc,
)
from rogatory.merkle import leaf_hash, verify_inclusion
from rogatory.notes import VerifierKey
from rogatory_gateway.ledger.database import DATABASE_FILE
from tests.support.world import Agency

LOCALHOST = "localhost"
MAX_BYTES = 64 << 20


class Wire:
    """One agency's connection to a gateway, with a stub for each service."""

    def __init__(
        self,
        agency: Agency,
        port: int,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        options: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.agency = agency
        self.channel = grpc.aio.secure_channel(
            f"{LOCALHOST}:{port}",
            credentials or agency.credentials,
            options=tuple(
                {
                    "grpc.max_receive_message_length": MAX_BYTES,
                    "grpc.max_send_message_length": MAX_BYTES,
                    # Channels of one process would share a connection, and tests its fate.
                    "grpc.use_local_subchannel_pool": 1,
                    **dict(options),
                }.items()
            ),
        )
        self.exchange = exchange_service_pb2_grpc.ExchangeServiceStub(self.channel)
        self.agreements = agreement_service_pb2_grpc.AgreementServiceStub(self.channel)
        self.directory = directory_service_pb2_grpc.DirectoryServiceStub(self.channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(self.channel)
        self.procedures = procedure_service_pb2_grpc.ProcedureServiceStub(self.channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.channel.close()

    async def submit(self, envelope: bytes) -> exchange_service_pb2.SubmitResponse:
        """Submit one message."""
        return await self.exchange.Submit(exchange_service_pb2.SubmitRequest(envelope=envelope))

    async def submit_batch(self, *envelopes: bytes) -> exchange_service_pb2.SubmitBatchResponse:
        """Submit several."""
        return await self.exchange.SubmitBatch(
            exchange_service_pb2.SubmitBatchRequest(envelopes=envelopes)
        )

    async def inbox(
        self, count: int, *, start: int = 0, exercise: bool = False
    ) -> list[exchange_service_pb2.SubscribeResponse]:
        """Return the next so many deliveries of the inbox."""
        call = self.exchange.Subscribe(
            exchange_service_pb2.SubscribeRequest(start_cursor=start, exercise=exercise)
        )
        items = []
        async for item in call:
            if item.HasField("delivery"):
                items.append(item)
            if len(items) == count:
                break
        call.cancel()
        return items

    async def message(self, sender: str, message_id: str) -> exchange_service_pb2.Delivery:
        """Fetch one message."""
        response = await self.exchange.GetMessage(
            exchange_service_pb2.GetMessageRequest(sender=sender, message_id=message_id)
        )
        return response.message


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A status, taken apart.

    Attributes:
        infos: How many ErrorInfo it carries.
        retry_after: Seconds; None where there is no RetryInfo.
        violations: (field, rule) of each BadRequest violation.
    """

    code: str
    text: str
    infos: int
    reason: str
    domain: str
    metadata: dict[str, str]
    retry_after: float | None
    violations: tuple[tuple[str, str], ...]


def fault_of(status: status_pb2.Status) -> Fault:
    """Take a google.rpc.Status apart."""
    info = error_details_pb2.ErrorInfo()
    infos = 0
    retry: float | None = None
    violations: list[tuple[str, str]] = []
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            infos += 1
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry_info = error_details_pb2.RetryInfo()
            detail.Unpack(retry_info)
            retry = retry_info.retry_delay.ToTimedelta().total_seconds()
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            violations += [(item.field, item.reason) for item in bad.field_violations]
    code = next(code.name for code in grpc.StatusCode if code.value[0] == status.code)
    return Fault(
        code=code,
        text=status.message,
        infos=infos,
        reason=info.reason,
        domain=info.domain,
        metadata=dict(info.metadata),
        retry_after=retry,
        violations=tuple(violations),
    )


def fault_of_call(error: grpc.aio.AioRpcError) -> Fault:
    """Take a failed call's status apart; a call that carries no details has no ErrorInfo."""
    data = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status = status_pb2.Status.FromString(data)
    if not data:
        status = status_pb2.Status(code=error.code().value[0], message=error.details() or "")
    found = fault_of(status)
    assert error.code().name == found.code
    assert (error.details() or "") == found.text
    return found


async def fault_in(call: Awaitable[object]) -> Fault:
    """Await a call that must fail, and return what it failed with."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return fault_of_call(error)
    raise AssertionError(f"the call was answered: {answer}")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many rows the ledger has, table by table; ``positions`` adds up what inboxes hold."""

    entries: int
    outcomes: int
    parts: int
    governance: int
    positions: int
    cursors: int
    quotas: int

    def after(self, *, entries: int = 0) -> Rows:
        """Return the rows with so many log entries more and nothing else."""
        return Rows(**{**vars(self), "entries": self.entries + entries})


@contextlib.contextmanager
def _database(folder: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a connection
    connection = sqlite3.connect(f"file:{folder / 'data' / DATABASE_FILE}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def rows_of(folder: Path) -> Rows:
    """Count the rows of the ledger in a gateway's folder."""
    queries = {
        "entries": "SELECT count(*) FROM entries",
        "outcomes": "SELECT count(*) FROM outcomes",
        "parts": "SELECT count(*) FROM parts",
        "governance": "SELECT count(*) FROM governance",
        "positions": "SELECT coalesce(sum(last_position), 0) FROM inboxes",
        "cursors": 'SELECT coalesce(sum("cursor"), 0) FROM inboxes',
        "quotas": "SELECT coalesce(sum(count), 0) FROM quota_counts",
    }
    with _database(folder) as connection:
        return Rows(
            **{name: connection.execute(query).fetchone()[0] for name, query in queries.items()}
        )


def last_entry(folder: Path) -> entry_pb2.AuditEntry:
    """Return the last entry of the log."""
    with _database(folder) as connection:
        row = connection.execute("SELECT entry FROM entries ORDER BY idx DESC LIMIT 1").fetchone()
    return entry_pb2.AuditEntry.FromString(row[0])


def outcomes(submission: exchange_service_pb2.Submission) -> list[decision_pb2.Outcome]:
    """Return the outcomes of a submission, opened."""
    return [decision_pb2.Outcome.FromString(item.outcome) for item in submission.outcomes]


def dispositions(submission: exchange_service_pb2.Submission) -> list[int]:
    """Return the disposition for each recipient."""
    return [outcome.decision.disposition for outcome in outcomes(submission)]


def header_of(envelope: bytes) -> envelope_pb2.Header:
    """Return an envelope's header."""
    return envelope_pb2.Header.FromString(envelope_pb2.Envelope.FromString(envelope).header)


def check_receipt(
    receipt: exchange_service_pb2.Receipt, checkpoint: str, key: VerifierKey
) -> SignedCheckpoint:
    """Verify a receipt's proof with the library alone; return the checkpoint it leads to."""
    signed = open_checkpoint(checkpoint.encode(), log_keys=[key])
    verify_inclusion(
        leaf=leaf_hash(receipt.entry),
        index=receipt.index,
        size=signed.checkpoint.size,
        proof=list(receipt.proof),
        root=signed.checkpoint.root,
    )
    return signed


def receipt_file(submission: exchange_service_pb2.Submission, checkpoint: str) -> receipts.Receipt:
    """Return a submission's receipt as the library reads it."""
    return receipts.Receipt.from_submission(submission, checkpoint)


async def collect(
    call: AsyncIterator[exchange_service_pb2.SubscribeResponse], count: int
) -> list[exchange_service_pb2.SubscribeResponse]:
    """Return the next so many items of a stream, keep-alives included."""
    items = []
    async for item in call:
        items.append(item)
        if len(items) == count:
            break
    return items
