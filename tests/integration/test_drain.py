"""A gateway asked to stop under load: it takes nothing new, ends what it has, and loses nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rogatory.exchange.v1 import exchange_service_pb2
from tests.support.house import ALPHA, BETA, House
from tests.support.load import Load
from tests.support.process import GatewayProcess, fsck
from tests.support.wire import Wire, fault_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

xs = exchange_service_pb2


async def test_terminated_under_load(tmp_path: Path) -> None:
    """SIGTERM ends it with status 0; clients hear UNAVAILABLE; what was acknowledged is there."""
    house = House(tmp_path / "gateway")
    house.enrol_usual()
    load = Load(house=house, key=house.log_key)

    async with GatewayProcess(house.folder) as gateway:
        alpha = [Wire(house.agency(ALPHA), gateway.port) for _ in range(3)]
        beta = Wire(house.agency(BETA), gateway.port)
        subscribed = asyncio.create_task(fault_in(_read(beta)))
        await load.run(alpha, until=150, then=gateway.terminate)
        ended = await subscribed
        status = await gateway.wait()
        for wire in (*alpha, beta):
            await wire.channel.close()
    checked, report = await fsck(house.folder)
    async with (
        GatewayProcess(house.folder) as gateway,
        Wire(house.agency(ALPHA), gateway.port) as again,
    ):
        for message_id, before in load.acknowledged.items():
            held = await again.message(ALPHA, message_id)
            assert load.attempted[message_id] == held.envelope
            assert (before.receipt.index, before.receipt.entry) == (held.index, held.entry)

    assert 0 == status
    assert (0, {}) == (checked, report["faults"])
    assert {"UNAVAILABLE"} == load.codes
    assert ("UNAVAILABLE", "SHUTTING_DOWN", 1) == (ended.code, ended.reason, ended.infos)
    assert ended.retry_after
    assert not [line for line in gateway.log if "Traceback" in line]


async def _read(wire: Wire) -> None:
    async for _ in wire.exchange.Subscribe(xs.SubscribeRequest()):
        pass
