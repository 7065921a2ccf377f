"""What both clients tell of procedures, over real gRPC on loopback."""

from __future__ import annotations

from collections import deque

import pytest

from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.errors import NotFoundOrDenied
from rogatory.exchange.v1 import exchange_service_pb2, procedure_service_pb2
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.procedures import ASKED, ASKING, message_id, status
from tests.unit.rogatory.client.test_clients import Runner, draft, runner
from tests.unit.rogatory.client.world import World, indicators

__all__ = ["runner"]

SOON, OVERDUE = deadline_pb2.DUE_STATE_DUE_SOON, deadline_pb2.DUE_STATE_OVERDUE


def notice(
    number: int, state: deadline_pb2.DueState.ValueType
) -> exchange_service_pb2.DeadlineNotice:
    """Return what is told of the deadline of a request."""
    return exchange_service_pb2.DeadlineNotice(
        request=status(number).request,
        asking_agency=ASKING,
        asked_agency=ASKED,
        due_date=deadline_pb2.DueDate(kind=deadline_pb2.DEADLINE_KIND_ANSWER),
        state=state,
    )


async def test_requests_page_by_themselves(runner: Runner, gateway: Loopback) -> None:
    """Every page is asked for with the whole filter."""
    gateway.procedures.statuses = [status(number) for number in range(5)]
    wanted = {
        "side": procedure_service_pb2.REQUEST_SIDE_ASKED,
        "state": request_pb2.REQUEST_STATE_ACCEPTED,
        "kind": request_pb2.ASSISTANCE_KIND_STORED_DATA,
        "counterpart": ASKED,
        "ended": True,
        "due_state": OVERDUE,
        "exercise": True,
        "page_size": 2,
    }

    found = await runner.items(lambda client: client.list_requests(**wanted))

    assert gateway.procedures.statuses == found
    assert [
        procedure_service_pb2.ListRequestsRequest(**wanted, page_token=token)  # type: ignore[arg-type]
        for token in ("", "2", "4")
    ] == gateway.procedures.questions


async def test_request_towards_each_agency(runner: Runner, gateway: Loopback) -> None:
    """A request is fetched by its name; one that is not there is not found."""
    both = [status(1), status(1, asked="se.police")]
    gateway.procedures.statuses = [*both, status(2)]

    found = await runner.call(lambda client: client.request_status(ASKING, message_id(1)))

    assert tuple(both) == found
    with pytest.raises(NotFoundOrDenied):
        await runner.call(lambda client: client.request_status(ASKING, message_id(3)))


async def test_holders_and_operations(runner: Runner, gateway: Loopback) -> None:
    """The other calls return what the gateway says; operations page by themselves."""
    there = gateway.procedures
    there.holders = [procedure_service_pb2.Holder(agency=ASKED)]
    there.operations = [procedure_service_pb2.Operation(lead=lead) for lead in (ASKING, "b", "c")]

    holders = await runner.call(lambda client: client.holders(message_id(1)))
    operations = await runner.items(
        lambda client: client.operations(ended=True, exercise=True, page_size=2)
    )
    operation = await runner.call(lambda client: client.operation(ASKING, message_id(2)))

    assert (tuple(there.holders), there.operations) == (holders, operations)
    assert there.operations[0] == operation
    assert [
        procedure_service_pb2.ListHoldersRequest(message_id=message_id(1)),
        *(
            procedure_service_pb2.ListOperationsRequest(
                ended=True, exercise=True, page_size=2, page_token=token
            )
            for token in ("", "2")
        ),
        procedure_service_pb2.GetOperationRequest(sender=ASKING, message_id=message_id(2)),
    ] == there.questions


async def test_events_are_messages_and_deadlines(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """Deadlines come beside the inbox, each once in each state though the connection breaks."""
    for number in range(1, 4):
        world.submit(world.envelope(number=number))
    gateway.procedures.notices = [notice(1, SOON), notice(1, OVERDUE), notice(2, OVERDUE)]
    gateway.break_after = deque([1, 1])

    got = await runner.items(lambda client: client.events(start_cursor=1, follow=False))

    assert gateway.procedures.notices == got[:3]
    assert [1, 2, 3] == [item.inbox_position for item in got[3:]]
    assert 3 == gateway.calls["Subscribe"]


async def test_subscription_yields_no_deadlines(
    runner: Runner, gateway: Loopback, world: World
) -> None:
    """Who subscribes to messages gets messages."""
    world.submit(world.envelope())
    gateway.procedures.notices = [notice(1, OVERDUE)]

    got = await runner.items(lambda client: client.subscribe(follow=False))

    assert [1] == [item.inbox_position for item in got]


async def test_duty_contacts_of_an_urgent_request(runner: Runner, gateway: Loopback) -> None:
    """Where the recipients are reached at any hour stands in the result."""
    gateway.duty_contacts = [exchange_service_pb2.DutyContact(agency=ASKED, duty_contact="+49 1")]

    sent = await runner.call(
        lambda client: client.send(draft(), contents=[indicators("c2.example")])
    )

    assert tuple(gateway.duty_contacts) == sent.duty_contacts
