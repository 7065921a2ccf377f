"""Calls that are wrong in themselves: sizes, tokens, cursors, frames, and who may make none."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.audit.v1 import audit_service_pb2
from rogatory.exchange.v1 import (
    agreement_service_pb2,
    codes_pb2,
    directory_service_pb2,
    errors_pb2,
    exchange_service_pb2,
    procedure_service_pb2,
)
from rogatory_gateway.services.calls import place_token
from tests.support.forge import varint
from tests.support.house import ALPHA, BETA, House, still_serves
from tests.support.wire import Fault, Wire, fault_in, rows_of
from tests.support.world import header

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST = (1 << 64) - 1
UUID = "01920000-0000-7000-8000-000000000000"
SUBMIT = "/rogatory.exchange.v1.ExchangeService/Submit"
SUBSCRIBE = "/rogatory.exchange.v1.ExchangeService/Subscribe"

xs, au, ps = exchange_service_pb2, audit_service_pb2, procedure_service_pb2


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bad call.

    Attributes:
        logged: Entries that the log has more afterwards.
    """

    name: str
    call: Callable[[Wire, House], Awaitable[Any]]
    code: str
    reason: str
    fields: tuple[str, ...] = ()


def _raw(wire: Wire, method: str, frame: bytes) -> Awaitable[bytes]:
    """Call a method with bytes that are no request."""
    channel: Any = wire.channel
    call: Awaitable[bytes] = channel.unary_unary(method)(frame)
    return call


async def _first_of(wire: Wire, request: exchange_service_pb2.SubscribeRequest) -> Any:  # noqa: ANN401
    async for item in wire.exchange.Subscribe(request):
        return item
    return None


async def _raw_stream(wire: Wire, frame: bytes) -> Any:  # noqa: ANN401
    channel: Any = wire.channel
    async for item in channel.unary_stream(SUBSCRIBE)(frame):
        return item
    return None


def _evaluate(wire: Wire, data: bytes) -> Awaitable[Any]:
    call: Awaitable[Any] = wire.agreements.EvaluateExchange(
        agreement_service_pb2.EvaluateExchangeRequest(header=data)
    )
    return call


def _others_header() -> bytes:
    head = header(BETA, (ALPHA, "alpha-beta", "Art. 4"))
    head.signed_by.add(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)
    return head.SerializeToString()


CASES = (
    Case(
        name="a batch of none",
        call=lambda wire, _: wire.submit_batch(),
        code="INVALID_ARGUMENT",
        reason="BATCH_SIZE",
    ),
    Case(
        name="a batch of 257",
        call=lambda wire, house: wire.submit_batch(*[house.good()] * 257),
        code="INVALID_ARGUMENT",
        reason="BATCH_SIZE",
    ),
    Case(
        name="a batch over four mebibytes",
        call=lambda wire, _: wire.submit_batch(*[os.urandom(900_000)] * 5),
        code="INVALID_ARGUMENT",
        reason="TOO_LARGE",
    ),
    Case(
        name="an empty envelope",
        call=lambda wire, _: wire.submit(b""),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("envelope",),
    ),
    Case(
        name="a request that is not protobuf",
        call=lambda wire, _: _raw(wire, SUBMIT, b"\xff\xff\xff"),
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="a request with a length prefix of four gigabytes",
        call=lambda wire, _: _raw(wire, SUBMIT, b"\x0a" + varint((1 << 32) - 1)),
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="a subscription that is not protobuf",
        call=lambda wire, _: _raw_stream(wire, b"\xff"),
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="a subscription beyond the inbox",
        call=lambda wire, _: _first_of(wire, xs.SubscribeRequest(start_cursor=MOST)),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="an advance beyond the inbox",
        call=lambda wire, _: wire.exchange.AdvanceCursor(
            xs.AdvanceCursorRequest(inbox_position=MOST)
        ),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="a message that is not there",
        call=lambda wire, _: wire.message(BETA, UUID),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="a message by an id that is none",
        call=lambda wire, _: wire.message(BETA, "1"),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("message_id",),
    ),
    Case(
        name="a receipt that is not there",
        call=lambda wire, _: wire.exchange.GetReceipt(
            xs.GetReceiptRequest(sender=BETA, message_id=UUID)
        ),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="a page token that nobody gave",
        call=lambda wire, _: wire.exchange.ListMessages(xs.ListMessagesRequest(page_token="AAAA")),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="a page token that is no token",
        call=lambda wire, _: wire.exchange.ListMessages(
            xs.ListMessagesRequest(page_token="ünkenrufe")
        ),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="entries by an id that is none",
        call=lambda wire, _: wire.audit.ListEntries(au.ListEntriesRequest(message_id="1")),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("message_id",),
    ),
    Case(
        name="entries of a kind that does not exist",
        call=lambda wire, _: wire.audit.ListEntries(
            au.ListEntriesRequest(kind=99)  # type: ignore[arg-type]  # the fault
        ),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("kind",),
    ),
    Case(
        name="entries from before there were calendars",
        call=lambda wire, _: wire.audit.ListEntries(
            au.ListEntriesRequest(from_time=Timestamp(seconds=-(1 << 62)))
        ),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("from_time",),
    ),
    Case(
        name="a checkpoint from beyond the log",
        call=lambda wire, _: wire.audit.GetCheckpoint(
            au.GetCheckpointRequest(consistent_from=MOST)
        ),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="a tile that is not there yet",
        call=lambda wire, _: wire.audit.GetTile(au.GetTileRequest(number=MOST, width=1)),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="a tile of a level that there is not",
        call=lambda wire, _: wire.audit.GetTile(au.GetTileRequest(level=8, width=1)),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("level",),
    ),
    Case(
        name="an agency that is not there",
        call=lambda wire, _: wire.directory.GetAgency(
            directory_service_pb2.GetAgencyRequest(agency_id="xx.none")
        ),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="an agreement that is not there",
        call=lambda wire, _: wire.agreements.GetAgreement(
            agreement_service_pb2.GetAgreementRequest(agreement_id="none")
        ),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="an agreement of a version that is not there",
        call=lambda wire, _: wire.agreements.GetAgreement(
            agreement_service_pb2.GetAgreementRequest(agreement_id="alpha-beta", version=9)
        ),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="requests by a page token that nobody gave",
        call=lambda wire, _: wire.procedures.ListRequests(
            ps.ListRequestsRequest(page_token="AAAA")
        ),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="requests by a page token that names no place",
        call=lambda wire, _: wire.procedures.ListRequests(
            ps.ListRequestsRequest(page_token=place_token(ps.ListRequestsRequest(), b"x"))
        ),
        code="INVALID_ARGUMENT",
        reason="TOKEN_INVALID",
    ),
    Case(
        name="requests in a state that does not exist",
        call=lambda wire, _: wire.procedures.ListRequests(
            ps.ListRequestsRequest(state=99)  # type: ignore[arg-type]  # the fault
        ),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("state",),
    ),
    Case(
        name="a request that is not there",
        call=lambda wire, _: wire.procedures.GetRequest(
            ps.GetRequestRequest(sender=ALPHA, message_id=UUID)
        ),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="holders of a message that is not there",
        call=lambda wire, _: wire.procedures.ListHolders(ps.ListHoldersRequest(message_id=UUID)),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="an operation that is not there",
        call=lambda wire, _: wire.procedures.GetOperation(
            ps.GetOperationRequest(sender=ALPHA, message_id=UUID)
        ),
        code="NOT_FOUND",
        reason="DENIED_OR_ABSENT",
    ),
    Case(
        name="an evaluation of what is no header",
        call=lambda wire, _: _evaluate(wire, b"\xff"),
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="an evaluation of another's header",
        call=lambda wire, _: _evaluate(wire, _others_header()),
        code="PERMISSION_DENIED",
        reason="SENDER_MISMATCH",
    ),
)


def check_fault(fault: Fault, *, code: str, reason: str) -> None:
    """Check what the caller is told."""
    number = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")

    assert (code, reason) == (fault.code, fault.reason)
    assert (1, "rogatory") == (fault.infos, fault.domain)
    assert str(number) == fault.metadata["reason_number"]
    assert fault.text
    assert fault.metadata["next_step"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
async def test_bad_call(case: Case, house: House) -> None:
    """It ends with one reason and a next step, leaves nothing behind, and the gateway serves on."""
    async with house.wire(ALPHA) as alpha:
        rows = rows_of(house.folder)
        fault = await fault_in(case.call(alpha, house))
        now = rows_of(house.folder)
        await still_serves(house, alpha)

    check_fault(fault, code=case.code, reason=case.reason)
    assert set(case.fields) == {field for field, _ in fault.violations}
    assert rows == now


@pytest.mark.parametrize(
    ("mebibytes", "code", "details"),
    [
        (5, grpc.StatusCode.INVALID_ARGUMENT, True),
        (7, grpc.StatusCode.RESOURCE_EXHAUSTED, False),
    ],
    ids=["5 MiB", "7 MiB"],
)
async def test_request_beyond_what_grpc_takes(
    house: House, mebibytes: int, code: grpc.StatusCode, *, details: bool
) -> None:
    """Up to 6 MiB the gateway says what is too large; beyond, gRPC refuses with no details."""
    data = bytes(mebibytes << 20)

    async with house.wire(ALPHA, options=(("grpc.max_send_message_length", -1),)) as alpha:
        rows = rows_of(house.folder)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await alpha.submit_batch(data)
        now = rows_of(house.folder)
        await still_serves(house, alpha)

    assert (code, details) == (
        failed.value.code(),
        "grpc-status-details-bin" in dict(failed.value.trailing_metadata()),
    )
    assert rows == now


async def test_many_violations_fit_in_a_trailer(house: House) -> None:
    """A message with a hundred faults gets as many as a trailer holds, and their number."""
    head = header(ALPHA, *[(f"UPPER CASE {n}", "A B C", "") for n in range(64)])
    head.signed_by.add(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)

    async with house.wire(ALPHA) as alpha:
        fault = await fault_in(_evaluate(alpha, head.SerializeToString()))

    check_fault(fault, code="INVALID_ARGUMENT", reason="FIELD_VIOLATIONS")
    assert 20 < len(fault.violations) < 100
    assert ("header.recipients[0].agency", "string.pattern") == fault.violations[0]
    assert "and 99 more" in fault.text


async def test_no_client_certificate(house: House) -> None:
    """The TLS handshake fails: no call is made, and the log does not know of it."""
    rows = rows_of(house.folder)
    credentials = grpc.ssl_channel_credentials(house.world.authority.pem)

    async with house.wire(ALPHA, credentials=credentials) as nobody:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await nobody.submit(house.good())
        now = rows_of(house.folder)
    async with house.wire(ALPHA) as alpha:
        await still_serves(house, alpha)

    assert grpc.StatusCode.UNAVAILABLE == failed.value.code()
    assert rows == now


async def test_certificate_of_another_authority(house: House, tmp_path_factory: Any) -> None:  # noqa: ANN401
    """A certificate that another gateway's authority issued does not pass the handshake either."""
    other = House(tmp_path_factory.mktemp("other") / "gateway")
    key, certificate, _ = other.world.client_identity(ALPHA)
    credentials = grpc.ssl_channel_credentials(house.world.authority.pem, key, certificate)
    rows = rows_of(house.folder)

    async with house.wire(ALPHA, credentials=credentials) as nobody:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await nobody.submit(house.good())

    assert grpc.StatusCode.UNAVAILABLE == failed.value.code()
    assert rows == rows_of(house.folder)


async def test_certificate_of_nobody(house: House) -> None:
    """A certificate that is genuine and nobody's gets no call through, on any service."""
    rows = rows_of(house.folder)

    async with house.wire(ALPHA, credentials=house.stranger()) as nobody:
        faults = [
            await fault_in(call)
            for call in (
                nobody.submit(house.good()),
                nobody.submit_batch(house.good()),
                nobody.message(ALPHA, UUID),
                nobody.exchange.ListMessages(xs.ListMessagesRequest()),
                _first_of(nobody, xs.SubscribeRequest()),
                nobody.exchange.AdvanceCursor(xs.AdvanceCursorRequest(inbox_position=1)),
                nobody.exchange.GetReceipt(xs.GetReceiptRequest(sender=ALPHA, message_id=UUID)),
                nobody.directory.ListAgencies(directory_service_pb2.ListAgenciesRequest()),
                nobody.agreements.ListAgreements(agreement_service_pb2.ListAgreementsRequest()),
                nobody.audit.ListEntries(au.ListEntriesRequest()),
                nobody.audit.GetCheckpoint(au.GetCheckpointRequest()),
                nobody.audit.GetTile(au.GetTileRequest(width=1)),
            )
        ]
        now = rows_of(house.folder)
    async with house.wire(ALPHA) as alpha:
        await still_serves(house, alpha)

    for fault in faults:
        check_fault(fault, code="UNAUTHENTICATED", reason="CERTIFICATE_UNKNOWN")
    assert rows == now
