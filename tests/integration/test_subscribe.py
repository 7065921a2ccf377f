"""Subscriptions: resuming, keeping alive, acknowledging what is held."""

from __future__ import annotations

import asyncio

import pytest

from rogatory.checkpoints import open_checkpoint
from rogatory.exchange.v1 import exchange_service_pb2
from tests.support.house import ALPHA, BETA, GAMMA, House
from tests.support.verifying import Watcher
from tests.support.wire import collect, fault_in, header_of, last_entry, rows_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

xs = exchange_service_pb2


async def test_what_arrives_is_pushed(house: House) -> None:
    """An open stream gets a message as it is admitted, with the cursor to resume after it."""
    async with house.wire(ALPHA) as alpha, house.wire(GAMMA) as gamma:
        call = gamma.exchange.Subscribe(xs.SubscribeRequest())
        (alive,) = await collect(aiter(call), 1)
        sent = house.good(to=GAMMA)
        await alpha.submit(sent)
        async with asyncio.timeout(5):
            async for item in call:
                if item.HasField("delivery"):
                    break
        call.cancel()

    assert alive.cursor == item.delivery.inbox_position
    assert sent == item.delivery.envelope
    assert item.delivery.inbox_position + 1 == item.cursor


async def test_keep_alive_carries_the_checkpoint(house: House) -> None:
    """A quiet stream says now and then how far the log is, signed."""
    async with house.wire(BETA) as beta:
        call = beta.exchange.Subscribe(xs.SubscribeRequest())
        items = [item for item in await collect(aiter(call), 3) if item.HasField("keep_alive")]
        call.cancel()
        latest = await Watcher(beta, house.log_key).look()

    assert items
    for item in items:
        seen = open_checkpoint(item.keep_alive.checkpoint.encode(), log_keys=[house.log_key])
        assert seen.checkpoint == latest.checkpoint


async def test_resumes_at_the_cursor(house: House) -> None:
    """A broken stream goes on where it stopped, or without a cursor where it acknowledged."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        sent = [house.good() for _ in range(6)]
        for message in sent:
            await alpha.submit(message)
        start = (await beta.message(ALPHA, header_of(sent[0]).message_id)).inbox_position
        first = await beta.inbox(2, start=start)
        rest = await beta.inbox(4, start=first[-1].cursor)
        await beta.exchange.AdvanceCursor(xs.AdvanceCursorRequest(inbox_position=start + 2))
        recorded = await beta.inbox(1)
        again = await beta.inbox(6, start=start)

    assert sent == [item.delivery.envelope for item in (*first, *rest)]
    assert sent == [item.delivery.envelope for item in again]
    assert start + 3 == recorded[0].delivery.inbox_position


async def test_advance_is_logged_once(house: House) -> None:
    """An advance enters the delivery of what lies between; going nowhere or back enters nothing."""
    async with house.wire(ALPHA) as alpha, house.wire(GAMMA) as gamma:
        for _ in range(3):
            await alpha.submit(house.good(to=GAMMA))
        (item,) = await gamma.inbox(1)
        position = item.delivery.inbox_position + 1
        rows = rows_of(house.folder)

        async def advance(to: int) -> int:
            answer = await gamma.exchange.AdvanceCursor(xs.AdvanceCursorRequest(inbox_position=to))
            return answer.inbox_position

        at_once = await asyncio.gather(*(advance(position) for _ in range(5)))
        entry = last_entry(house.folder)
        back = [await advance(position), await advance(position - 1), await advance(0)]
        beyond = await fault_in(advance(position + 1000))
        now = rows_of(house.folder)

    assert {position} == {*at_once, *back}
    assert "TOKEN_INVALID" == beyond.reason
    assert rows.entries + 1 == now.entries
    assert ("exchange:inbox:delivered", GAMMA) == (entry.tag, entry.actor)
    assert (item.delivery.inbox_position - 1, position) == (
        entry.delivery.from_position,
        entry.delivery.to_position,
    )


async def test_every_subscriber_gets_everything(house: House) -> None:
    """Two streams of one agency are sent the same messages in the same order."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as one, house.wire(BETA) as two:
        listed = await one.exchange.ListMessages(xs.ListMessagesRequest(box=xs.MESSAGE_BOX_INBOX))
        start = len(listed.messages) + 1
        reading = [asyncio.create_task(wire.inbox(10, start=start)) for wire in (one, two)]
        await asyncio.gather(*(alpha.submit(house.good()) for _ in range(10)))
        first, second = await asyncio.gather(*reading)

    assert [item.delivery for item in first] == [item.delivery for item in second]
    assert [*range(start, start + 10)] == [item.delivery.inbox_position for item in first]
