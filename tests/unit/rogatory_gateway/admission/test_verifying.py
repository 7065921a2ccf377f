"""Verifying groups with a helper process: the same verdicts, and none lost when it dies."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rogatory.exchange.v1 import codes_pb2
from rogatory.records.v1 import context_pb2
from rogatory_gateway.admission.admission import Admission, Candidate
from rogatory_gateway.admission.identify import Caller
from rogatory_gateway.admission.verifying import WORTH_THE_WAY, GroupVerifier
from rogatory_gateway.ledger.database import open_engine
from rogatory_gateway.ledger.items import Item, MessageItem, RejectionItem
from rogatory_gateway.ledger.ledger import Ledger
from tests.support.world import ORIGIN, World, envelope, header

SENDER = "xa.police"
CALLER = Caller(
    agency=SENDER,
    kind=codes_pb2.AGENCY_KIND_POLICE,
    key_digest=bytes(32),
    certificate=bytes(range(32)),
)
MESSAGE_BYTES = 1 << 20


class Bench:
    """A ledger with one agency, its messages, and a verifier with a helper."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.agency = self.world.enrol(SENDER)
        self.engine = open_engine(folder / "data")
        self.ledger = Ledger(self.engine, now=time.time_ns)
        self.admission = Admission(
            origin=ORIGIN,
            registry=lambda: self.ledger.registry,
            now=time.time_ns,
            message_bytes=MESSAGE_BYTES,
        )
        self.verifier = GroupVerifier(
            self.admission,
            registry=lambda: self.ledger.registry,
            folder=folder / "data",
            origin=ORIGIN,
            message_bytes=MESSAGE_BYTES,
            enabled=True,
        )

    def candidates(self, count: int) -> list[Candidate]:
        """Return so many messages, every third with a bit of its signature flipped."""
        made = []
        for number in range(count):
            context = context_pb2.Context(case_references=[f"case {number}"])
            context.officer.name = "Officer A"
            data = envelope(self.agency, header(SENDER, ("xb.police", "pact", "Art. 1")), context)
            if number % 3 == 2:
                data = spoilt(data)
            made.append(Candidate(data=data, caller=CALLER))
        return made

    async def verify(self, candidates: list[Candidate]) -> list[Item]:
        """Verify a group."""
        return await self.verifier.verify(candidates, governance=self.ledger.head.governance)


def spoilt(data: bytes) -> bytes:
    """Flip a bit in the only signature: its 64 bytes come after the tag 12 40."""
    at = data.rindex(b"\x12\x40") + 10
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def told(item: Item) -> tuple[object, ...]:
    """Return what an item says, so that two can be compared."""
    if isinstance(item, RejectionItem):
        return (item.error.reason, item.error.message, item.error.hint, item.header, item.received)
    assert isinstance(item, MessageItem)
    return (item.opened.header_digest, item.signers, item.certificate, item.actor)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A verifier with its helper."""
    made = Bench(tmp_path / "gateway")
    await made.verifier.start()
    yield made
    await made.verifier.stop()
    made.ledger.close()
    made.engine.dispose()


async def test_helper_says_what_the_gateway_would(bench: Bench) -> None:
    """Shared or not, each message gets the same verdict, in the order in which it came."""
    candidates = bench.candidates(WORTH_THE_WAY * 6)
    expected = [told(bench.admission.admit([candidate])[0]) for candidate in candidates]

    verified = await bench.verify(candidates)

    assert expected == [told(item) for item in verified]
    assert WORTH_THE_WAY * 6 // 3 == sum(isinstance(item, RejectionItem) for item in verified)


async def test_dead_helper_is_replaced(bench: Bench) -> None:
    """When the helper dies its share is done here, and the next group has a helper again."""
    candidates = bench.candidates(WORTH_THE_WAY)
    expected = [told(bench.admission.admit([candidate])[0]) for candidate in candidates]
    first = bench.verifier._helper
    assert first is not None
    first._process.kill()

    verified = await bench.verify(candidates)
    again = await bench.verify(candidates)

    assert expected == [told(item) for item in verified]
    assert expected == [told(item) for item in again]
    assert bench.verifier._helper not in {None, first}


async def test_helper_follows_governance(bench: Bench) -> None:
    """An agency enrolled while the helper runs is known to it with the next group."""
    await bench.verify(bench.candidates(WORTH_THE_WAY))
    newcomer = bench.world.enrol("xc.police")
    bench.ledger.refresh()
    caller = Caller(
        agency="xc.police",
        kind=codes_pb2.AGENCY_KIND_POLICE,
        key_digest=bytes(32),
        certificate=bytes(32),
    )
    candidates = [
        Candidate(
            data=envelope(newcomer, header("xc.police", (SENDER, "pact", "Art. 1"))),
            caller=caller,
        )
        for _ in range(WORTH_THE_WAY)
    ]

    verified = await bench.verify(candidates)

    assert all(isinstance(item, MessageItem) for item in verified)
