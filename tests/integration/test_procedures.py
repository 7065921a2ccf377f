"""Requests, holders and operations over the wire; deadlines that turn while a stream is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from google.protobuf.message import Message
from prometheus_client import REGISTRY

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.exchange.v1 import (
    codes_pb2,
    decision_pb2,
    envelope_pb2,
    exchange_service_pb2,
    procedure_service_pb2,
)
from tests.support import records
from tests.support.case import Fill
from tests.support.house import ALPHA, BETA, GAMMA, House
from tests.support.wire import Wire, dispositions, fault_in, header_of
from tests.support.world import DAY, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

xs, ps = exchange_service_pb2, procedure_service_pb2
SOON, OVERDUE = deadline_pb2.DUE_STATE_DUE_SOON, deadline_pb2.DUE_STATE_OVERDUE
SECOND = clock.NANOSECONDS_PER_SECOND
SHORTLY = 2.0
"""Seconds until something is due: time enough to enter it on a busy machine."""

# So seldom alive that only a deadline's turn wakes a quiet stream in time.
CONFIG = """
[limits]
keep_alive_seconds = 300
deadline_check_seconds = 0.05
"""
PACT = """\
agreement_id: pact
version: 1
title: Everything, without deadlines of its own
parties: [{agency: de.bka}, {agency: fr.pj}, {agency: nl.politie}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: all
    article: Art. 1
    effect: permit
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway whose agencies may send each other everything."""
    made = House(tmp_path_factory.mktemp("gateway") / "gateway", extra_config=CONFIG)
    made.enrol_usual()
    made.world.agree(PACT)
    async with made.serving():
        yield made


async def send(
    wire: Wire,
    *to: str,
    kind: codes_pb2.Kind.ValueType,
    fill: Fill,
    contents: tuple[Message, ...] = (),
    basis: tuple[str, str] = ("pact", "Art. 1"),
) -> bytes:
    """Submit a message, which must be permitted; return its envelope."""
    head = header(wire.agency.agency_id, *((agency, *basis) for agency in to), kind=kind)
    fill(head)
    data = envelope(wire.agency, head, *contents)
    answer = await wire.submit(data)
    assert {decision_pb2.DISPOSITION_PERMITTED} == {*dispositions(answer.submission)}
    return data


async def ask(wire: Wire, *to: str, seconds: float | None = None, exercise: bool = False) -> str:
    """Submit a request, to be answered in so many seconds; return its message id."""

    def fill(head: envelope_pb2.Header) -> None:
        head.exercise = exercise
        head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION
        if seconds is not None:
            wanted = time.time_ns() + round(seconds * SECOND)
            head.request.respond_by_time.CopyFrom(clock.to_timestamp(wanted))

    return header_of(await send(wire, *to, kind=codes_pb2.KIND_REQUEST, fill=fill)).message_id


async def notices(
    wire: Wire, message_id: str, *, until: int
) -> list[exchange_service_pb2.SubscribeResponse]:
    """Subscribe until a request's deadline was told of in a state; return all items."""
    items = []
    call = wire.exchange.Subscribe(xs.SubscribeRequest(deadlines=True))
    async with asyncio.timeout(30):
        async for item in call:
            items.append(item)
            if _of(item, message_id) and item.deadline.state == until:
                break
    call.cancel()
    return items


def _of(item: exchange_service_pb2.SubscribeResponse, message_id: str) -> bool:
    return item.deadline.request.message_id == message_id


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def overdue(house: House) -> str:
    """The id of a request from `ALPHA` to `BETA` that was to be answered by now."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        message_id = await ask(alpha, BETA, seconds=SHORTLY)
        await notices(beta, message_id, until=OVERDUE)
    return message_id


async def test_deadline_turns_while_both_sides_wait(house: House) -> None:
    """Both are told when it is due soon and when it is overdue; the inbox goes on as it was."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        message_id = await ask(alpha, BETA, seconds=SHORTLY)
        told = await asyncio.gather(
            *(notices(wire, message_id, until=OVERDUE) for wire in (alpha, beta))
        )

    for items in told:
        turns = [item for item in items if _of(item, message_id)]
        assert [SOON, OVERDUE] == [item.deadline.state for item in turns]
        notice = turns[0].deadline
        assert (ALPHA, BETA) == (notice.asking_agency, notice.asked_agency)
        assert (deadline_pb2.DEADLINE_KIND_ANSWER, BETA) == (
            notice.due_date.kind,
            notice.due_date.agency,
        )
        alive = [item.cursor for item in items if item.HasField("keep_alive")]
        assert alive[-1:] * 2 == [item.cursor for item in turns]


async def test_what_is_overdue_is_told_at_once(house: House, overdue: str) -> None:
    """A new stream begins with what needs attention, before the first message."""
    async with house.wire(BETA) as beta:
        items = await notices(beta, overdue, until=OVERDUE)

    assert {"deadline"} == {item.WhichOneof("item") for item in items}
    assert {1} == {item.cursor for item in items}


async def test_no_deadlines_unless_wanted(house: House, overdue: str) -> None:
    """A stream without them is as ever: messages and signs of life."""
    kinds = []
    async with house.wire(BETA) as beta:
        call = beta.exchange.Subscribe(xs.SubscribeRequest())
        async for item in call:
            kinds.append(item.WhichOneof("item"))
            if kinds[-1] == "keep_alive":
                break
        call.cancel()

    assert overdue
    assert {"delivery", "keep_alive"} == {*kinds}


async def test_gauge_of_overdue_deadlines(house: House, overdue: str) -> None:
    """What is overdue shows in the metrics without anybody asking for it."""
    async with house.wire(BETA) as beta:
        request = ps.ListRequestsRequest(due_state=OVERDUE)
        listed = await beta.procedures.ListRequests(request)
        async with asyncio.timeout(10):
            while len(listed.requests) != REGISTRY.get_sample_value(
                "rogatory_deadlines", {"state": "overdue"}
            ):
                listed = await beta.procedures.ListRequests(request)

    assert overdue in {one.request.message_id for one in listed.requests}


async def test_requests_page_by_page(house: House) -> None:
    """Pages hold every request once, what is due first in front; a token is for its own filter."""
    async with house.wire(BETA) as beta:
        ids = [await ask(beta, GAMMA, seconds=seconds) for seconds in (3000, 1000, 2000)]
        never = await ask(beta, GAMMA)
        found, tokens = [], [""]
        while tokens[-1] or len(tokens) == 1:
            page = await beta.procedures.ListRequests(
                ps.ListRequestsRequest(
                    page_size=1,
                    page_token=tokens[-1],
                    side=ps.REQUEST_SIDE_ASKING,
                    counterpart=GAMMA,
                )
            )
            found += [one.request.message_id for one in page.requests]
            tokens.append(page.next_page_token)
        fault = await fault_in(
            beta.procedures.ListRequests(ps.ListRequestsRequest(page_token=tokens[1]))
        )

    assert [ids[1], ids[2], ids[0], never] == found
    assert 4 == len(tokens) - 1
    assert "TOKEN_INVALID" == fault.reason


async def test_request_for_its_parties_only(house: House) -> None:
    """Each asked agency sees its own part of it; whoever is no party is told there is none."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta, house.wire(GAMMA) as gamma:
        to_both, to_one = await ask(alpha, BETA, GAMMA), await ask(alpha, BETA)

        async def got(wire: Wire, message_id: str) -> list[str]:
            answer = await wire.procedures.GetRequest(
                ps.GetRequestRequest(sender=ALPHA, message_id=message_id)
            )
            return [one.standing.asked_agency for one in answer.requests]

        shown = [await got(wire, to_both) for wire in (alpha, beta, gamma)]
        fault = await fault_in(got(gamma, to_one))
        answer = await beta.procedures.GetRequest(
            ps.GetRequestRequest(sender=ALPHA, message_id=to_one)
        )

    assert [[BETA, GAMMA], [BETA], [GAMMA]] == shown
    assert "DENIED_OR_ABSENT" == fault.reason
    assert ALPHA == answer.requests[0].duty_contact.agency
    assert "UTC" == answer.requests[0].duty_contact.time_zone


async def test_holders_for_the_sender_only(house: House) -> None:
    """Who sent a message sees who holds it, and how far their inbox is acknowledged."""
    async with house.wire(ALPHA) as alpha, house.wire(GAMMA) as gamma:
        data = await send(
            alpha,
            GAMMA,
            kind=codes_pb2.KIND_TRANSFER,
            fill=lambda _: None,
            contents=(records.indicators(1),),
        )
        message_id = header_of(data).message_id
        request = ps.ListHoldersRequest(message_id=message_id)
        before = await alpha.procedures.ListHolders(request)
        position = (await gamma.message(ALPHA, message_id)).inbox_position
        await gamma.exchange.AdvanceCursor(xs.AdvanceCursorRequest(inbox_position=position))
        after = await alpha.procedures.ListHolders(request)
        fault = await fault_in(gamma.procedures.ListHolders(request))

    assert [(GAMMA, False)] == [(one.agency, one.delivered) for one in before.holders]
    assert [(GAMMA, True)] == [(one.agency, one.delivered) for one in after.holders]
    assert message_id == after.holders[0].received_by.message_id
    assert "DENIED_OR_ABSENT" == fault.reason


async def test_operations_for_whom_they_concern(house: House) -> None:
    """An operation is listed and fetched by its lead and who is invited, and by nobody else.

    The list comes in pages, whose tokens hold for the same filter only.
    """

    def found(head: envelope_pb2.Header) -> None:
        step = head.operation_step
        step.step = envelope_pb2.OPERATION_STEP_FOUND
        step.members.append(BETA)
        step.terms.add(agency=BETA)
        step.valid_until_time.CopyFrom(clock.to_timestamp(time.time_ns() + DAY))

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta, house.wire(GAMMA) as gamma:
        data = await send(alpha, BETA, kind=codes_pb2.KIND_OPERATION, fill=found)
        await send(alpha, BETA, kind=codes_pb2.KIND_OPERATION, fill=found)
        request = ps.GetOperationRequest(sender=ALPHA, message_id=header_of(data).message_id)
        got = [await wire.procedures.GetOperation(request) for wire in (alpha, beta)]
        fault = await fault_in(gamma.procedures.GetOperation(request))
        listed = [
            await wire.procedures.ListOperations(ps.ListOperationsRequest(page_size=1))
            for wire in (alpha, beta, gamma)
        ]
        token = listed[0].next_page_token
        rest = await alpha.procedures.ListOperations(ps.ListOperationsRequest(page_token=token))
        other = await fault_in(
            alpha.procedures.ListOperations(ps.ListOperationsRequest(page_token=token, ended=True))
        )

    assert got[0] == got[1]
    assert [ALPHA, BETA] == [member.agency for member in got[0].operation.members]
    assert "DENIED_OR_ABSENT" == fault.reason
    assert [[got[0].operation], [got[0].operation], []] == [
        list(answer.operations) for answer in listed
    ]
    assert (1, "") == (len(rest.operations), rest.next_page_token)
    assert [bool(answer.next_page_token) for answer in listed] == [True, True, False]
    assert "TOKEN_INVALID" == other.reason
