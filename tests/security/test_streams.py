"""Subscriptions that go wrong: an agency revoked in mid-stream, one that never reads, too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from rogatory.exchange.v1 import exchange_service_pb2
from tests.support import records
from tests.support.house import ALPHA, BETA, GAMMA, GONE, House, still_serves
from tests.support.wire import fault_in, rows_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

xs = exchange_service_pb2
PATIENCE = 0.5
STREAMS = 4
CONFIG = f"""
[limits]
patience_seconds = {PATIENCE}
keep_alive_seconds = 0.2
subscriber_buffer = 4
subscriptions_per_agency = {STREAMS}
"""
MEBIBYTE = 1 << 20
SMALL_WINDOW = (("grpc.http2.bdp_probe", 0),)
"""Keeps HTTP/2's flow-control window at 64 KiB; else a fast loopback grows it to many mebibytes."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway with little patience."""
    made = House(tmp_path_factory.mktemp("gateway") / "gateway", extra_config=CONFIG)
    made.enrol_usual()
    made.world.enrol(GONE)
    async with made.serving():
        yield made


async def test_revoked_in_mid_stream(house: House) -> None:
    """The open stream of a revoked agency ends, and no call of it is let in any more."""
    async with house.wire(GONE) as gone, house.wire(ALPHA) as alpha:
        call = gone.exchange.Subscribe(xs.SubscribeRequest())
        stream = aiter(call)
        first = await anext(stream)
        house.world.revoke(GONE)
        ended = await fault_in(_drain(stream))
        rows = rows_of(house.folder)
        later = await fault_in(gone.submit(house.good()))
        reading = await fault_in(gone.exchange.ListMessages(xs.ListMessagesRequest()))
        now = rows_of(house.folder)
        await still_serves(house, alpha)

    assert first.HasField("keep_alive")
    for fault in (ended, later, reading):
        assert ("PERMISSION_DENIED", "AGENCY_REVOKED", 1) == (fault.code, fault.reason, fault.infos)
        assert fault.metadata["next_step"]
    assert rows == now


async def _drain(stream: AsyncIterator[object]) -> None:
    async for _ in stream:
        pass


async def test_never_reads(house: House) -> None:
    """Who does not read is cut off after the gateway's patience, holds little, and can resume."""
    assert house.gateway is not None
    total = 12
    async with (
        house.wire(ALPHA) as alpha,
        house.wire(BETA, options=SMALL_WINDOW) as slow,
        house.wire(BETA) as quick,
    ):
        for _ in range(total):
            await alpha.submit(house.good(records.bulk(MEBIBYTE - 100_000)))
        call = slow.exchange.Subscribe(xs.SubscribeRequest(start_cursor=1))
        first = await _read(call)
        # The stalled stream is the only listener; the gateway gives up on it by itself.
        async with asyncio.timeout(20 * PATIENCE):
            while house.gateway.hub.listeners:
                served = await quick.inbox(total, start=1)
                assert total == len(served)
                await still_serves(house, alpha)
        read = [first, *await _rest(call)]
        resumed = await quick.inbox(1, start=read[-1].cursor)

    assert [*range(1, len(read) + 1)] == [item.delivery.inbox_position for item in read]
    assert len(read) <= 3
    assert grpc.StatusCode.RESOURCE_EXHAUSTED == await call.code()
    fault = await fault_in(_read(call))
    assert ("SUBSCRIBER_TOO_SLOW", 1) == (fault.reason, fault.infos)
    assert fault.metadata["next_step"]
    assert fault.retry_after is None
    assert read[-1].cursor == resumed[0].delivery.inbox_position


async def _read(call: Any) -> Any:  # noqa: ANN401 - gRPC's stubs say too little
    return await call.read()


async def _rest(call: Any) -> list[xs.SubscribeResponse]:  # noqa: ANN401 - a streaming call
    """Return what is still to come before the stream ends."""
    items = []
    try:
        while (item := await call.read()) is not grpc.aio.EOF:
            items.append(item)
    except grpc.aio.AioRpcError:
        pass
    return items


async def test_too_many_streams(house: House) -> None:
    """An agency has so many streams and no more; one that ends makes room for another."""
    async with house.wire(GAMMA) as gamma, house.wire(BETA) as beta:
        open_streams = [gamma.exchange.Subscribe(xs.SubscribeRequest()) for _ in range(STREAMS)]
        for call in open_streams:
            await call.read()
        fault = await fault_in(_first(gamma.exchange.Subscribe(xs.SubscribeRequest())))
        other = await _read(beta.exchange.Subscribe(xs.SubscribeRequest()))
        open_streams.pop().cancel()
        async with asyncio.timeout(5):
            while True:
                again = gamma.exchange.Subscribe(xs.SubscribeRequest())
                item = await _read(again)
                if item is not grpc.aio.EOF:
                    break

    assert ("RESOURCE_EXHAUSTED", "TOO_MANY_IN_FLIGHT") == (fault.code, fault.reason)
    assert fault.retry_after
    assert other.cursor
    assert item.HasField("keep_alive")


async def _first(call: object) -> object:
    async for item in call:  # type: ignore[attr-defined]  # a streaming call
        return item
    return None
