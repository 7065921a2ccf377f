"""A gateway killed under load: what it acknowledged is there, and nothing is there twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rogatory.audit.v1 import audit_service_pb2
from rogatory.checkpoints import open_checkpoint
from rogatory.merkle import verify_consistency
from tests.support.house import ALPHA, BETA, SUPERVISOR, House
from tests.support.load import Load
from tests.support.process import GatewayProcess, fsck
from tests.support.verifying import replay_log
from tests.support.wire import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 3
CLIENTS = 3
SEED = 20_261_122
RESENT_AT_ONCE = 128


async def test_killed_under_load(tmp_path: Path) -> None:
    """Three times SIGKILL at a chance moment: every acknowledged message and receipt is there.

    1. Clients submit, one by one and in batches, until the gateway is killed under them.
    2. fsck finds the ledger clean as the crash left it.
    3. Restarted, its checkpoint extends every checkpoint that anyone ever saw.
    4. What was sent is sent again: what was acknowledged has the index and entry it had.
    5. At the end everything is sent once more, and nothing is entered twice.
    6. The recipient's inbox holds every message once, byte for byte, numbered without gaps.
    7. The whole log is replayed with the library alone.
    """
    house = House(tmp_path / "gateway")
    house.enrol_usual()
    chance = random.Random(SEED)
    load = Load(house=house, key=house.log_key)

    checked: set[int] = set()
    sent: set[str] = set()
    for _ in range(ROUNDS):
        async with GatewayProcess(house.folder) as gateway:
            wires = [Wire(house.agency(ALPHA), gateway.port) for _ in range(CLIENTS)]
            await _check_restarted(wires[0], load, checked, sent)  # (3) (4)
            await load.run(wires, until=chance.randrange(1, 300), then=gateway.kill)  # (1)
            for wire in wires:
                await wire.channel.close()
            assert await gateway.wait() == -9
        status, report = await fsck(house.folder)  # (2)
        assert (0, {}) == (status, report["faults"])
    async with (
        GatewayProcess(house.folder) as gateway,
        Wire(house.agency(ALPHA), gateway.port) as alpha,
        Wire(house.agency(BETA), gateway.port) as beta,
        Wire(house.agency(SUPERVISOR), gateway.port) as supervisor,
    ):
        await _check_restarted(alpha, load, checked, sent)
        await _resend(alpha, load, {*load.attempted})  # (5)
        items = await beta.inbox(len(load.attempted), start=1)  # (6)
        replay = await replay_log(supervisor, house.log_key)  # (7)

    assert [*range(1, len(items) + 1)] == [item.delivery.inbox_position for item in items]
    assert sorted(load.attempted.values()) == sorted(item.delivery.envelope for item in items)
    assert len(load.attempted) == replay.counts.messages == replay.counts.decisions
    assert {"UNAVAILABLE"} == load.codes


async def _check_restarted(wire: Wire, load: Load, checked: set[int], sent: set[str]) -> None:
    """Check what was seen and sent since the last restart, which was checked then."""
    new = {*load.roots} - checked
    await _check_consistency(wire, load, new)
    await _resend(wire, load, {*load.attempted} - sent)
    checked |= new
    sent |= {*load.attempted}


async def _check_consistency(wire: Wire, load: Load, sizes: set[int]) -> None:
    for size in sizes:
        answer = await wire.audit.GetCheckpoint(
            audit_service_pb2.GetCheckpointRequest(consistent_from=size)
        )
        load.see(answer.checkpoint)
        now = open_checkpoint(answer.checkpoint.encode(), log_keys=[load.key]).checkpoint
        verify_consistency(
            old_size=size,
            new_size=now.size,
            proof=list(answer.consistency_proof),
            old_root=load.roots[size],
            new_root=now.root,
        )


async def _resend(wire: Wire, load: Load, ids: set[str]) -> None:
    ordered = sorted(ids)
    for start in range(0, len(ordered), RESENT_AT_ONCE):
        chunk = ordered[start : start + RESENT_AT_ONCE]
        answer = await wire.submit_batch(*(load.attempted[message_id] for message_id in chunk))
        load.see(answer.checkpoint)
        for message_id, item in zip(chunk, answer.results, strict=True):
            submission = item.submission
            assert message_id == submission.message_id
            before = load.acknowledged.setdefault(message_id, submission)
            assert before.receipt.index == submission.receipt.index
            assert before.receipt.entry == submission.receipt.entry
            assert before.outcomes == submission.outcomes
            assert submission.repeated_submission or before is submission
