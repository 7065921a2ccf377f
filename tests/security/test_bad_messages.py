"""Every bad message over the wire: what its sender is told, and that it left no trace but one."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rogatory.exchange.v1 import decision_pb2, errors_pb2
from tests.security import bad_messages, bad_particulars
from tests.security.bad_messages import Case
from tests.support.house import ALPHA, House
from tests.support.wire import (
    Fault,
    Wire,
    dispositions,
    fault_in,
    fault_of,
    header_of,
    last_entry,
    rows_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

CASES = (*bad_messages.CASES, *bad_particulars.CASES)
PERMITTED = [decision_pb2.DISPOSITION_PERMITTED]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wires(house: House) -> AsyncIterator[dict[str, Wire]]:
    """A connection of each agency."""
    made = {agency: house.wire(agency) for agency in house.world.agencies}
    yield made
    for wire in made.values():
        await wire.channel.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def before(house: House, wires: dict[str, Wire]) -> bytes:
    """A good message that was taken before all bad ones."""
    envelope = house.good()
    response = await wires[ALPHA].submit(envelope)
    house.first_id = response.submission.message_id
    return envelope


def check_fault(case: Case, fault: Fault) -> None:
    """Check what the sender is told."""
    number = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{case.reason}")

    assert (case.code, case.reason) == (fault.code, fault.reason)
    assert (1, "rogatory") == (fault.infos, fault.domain)
    assert str(number) == fault.metadata["reason_number"]
    assert fault.text
    assert fault.metadata["next_step"]
    assert fault.retry_after is None
    named = {field for field, _ in fault.violations}
    assert set(case.fields) == named
    assert all(rule for _, rule in fault.violations)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
async def test_is_turned_away(
    case: Case, house: House, wires: dict[str, Wire], before: bytes
) -> None:
    """It gets one reason and a next step; the log has it, and nothing else is stored or lost."""
    data = case.make(house)
    rows = rows_of(house.folder)

    fault = await fault_in(wires[case.sender].submit(data))

    check_fault(case, fault)
    assert rows.after(entries=1) == rows_of(house.folder)
    entry = last_entry(house.folder)
    assert ("exchange:message:rejected", case.sender) == (entry.tag, entry.actor)
    assert case.reason == entry.rejection.reason
    assert case.header_logged == bool(entry.rejection.header)
    assert case.header_logged != bool(entry.rejection.commitment)
    held = await wires[ALPHA].message(ALPHA, house.first_id)
    assert before == held.envelope
    after = await wires[ALPHA].submit(house.good())
    assert PERMITTED == dispositions(after.submission)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
async def test_hides_behind_no_good_ones(
    case: Case, house: House, wires: dict[str, Wire], before: bytes
) -> None:
    """Messages of a batch are checked together; a bad one among them is told the same."""
    sender = wires[case.sender]
    good = house.good() if case.sender == ALPHA else before
    response = await sender.submit_batch(good, case.make(house), good)

    check_fault(case, fault_of(response.results[1].error))
    if case.sender == ALPHA:
        for position in (0, 2):
            assert PERMITTED == dispositions(response.results[position].submission)


async def test_one_bad_message_stops_no_other(
    house: House, wires: dict[str, Wire], before: bytes
) -> None:
    """In a batch each bad message gets in its place what Submit would have said; good ones pass."""
    cases = [case for case in CASES if case.sender == ALPHA and case.reason != "TOO_LARGE"]
    goods = [house.good() for _ in cases]
    bads = [case.make(house) for case in cases]
    rows = rows_of(house.folder)

    response = await wires[ALPHA].submit_batch(
        *itertools.chain.from_iterable(zip(goods, bads, strict=True))
    )

    assert 2 * len(cases) == len(response.results)
    for position, case in enumerate(cases):
        good, bad = response.results[2 * position : 2 * position + 2]
        assert PERMITTED == dispositions(good.submission)
        assert header_of(goods[position]).message_id == good.submission.message_id
        check_fault(case, fault_of(bad.error))
    now = rows_of(house.folder)
    assert rows.entries + 2 * len(cases) == now.entries
    assert rows.outcomes + len(cases) == now.outcomes
    assert rows.parts + len(cases) == now.parts
    assert rows.positions + len(cases) == now.positions
