"""A disk that takes no more: nothing is decided or lost, and it goes on when there is room."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from rogatory.exchange.v1 import decision_pb2
from rogatory_gateway.ledger.database import DATABASE_FILE
from tests.support.house import ALPHA, BETA, House
from tests.support.wire import check_receipt, dispositions, fault_in, rows_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERMITTED = [decision_pb2.DISPOSITION_PERMITTED]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway with a disk that can be filled."""
    made = House(tmp_path_factory.mktemp("gateway") / "gateway")
    made.enrol_usual()
    async with made.serving():
        yield made


@contextlib.contextmanager
def no_more_pages(house: House) -> Iterator[None]:
    """Let the database have no page more: SQLite says that the disk is full, before the commit."""
    assert house.gateway is not None
    connection = house.gateway.ledger._connection
    most = connection.exec_driver_sql("PRAGMA max_page_count").scalar()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    connection.rollback()
    yield
    connection.exec_driver_sql(f"PRAGMA max_page_count={most}")
    connection.rollback()


@contextlib.contextmanager
def no_longer_file(house: House) -> Iterator[None]:
    """Let no file grow: the write-ahead log cannot be written, in the midst of the commit."""
    log = house.folder / "data" / f"{DATABASE_FILE}-wal"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("fault", [no_more_pages, no_longer_file])
async def test_disk_full(house: House, fault: object) -> None:
    """UNAVAILABLE with a delay; reads go on; with room again the same bytes are admitted once."""
    before, message, in_batch = house.good(), house.good(count=200), house.good(count=200)
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        first = (await alpha.submit(before)).submission
        rows = rows_of(house.folder)

        with fault(house):  # type: ignore[operator]  # a context manager
            faults = [await fault_in(alpha.submit(message)) for _ in range(2)]
            faults.append(await fault_in(alpha.submit_batch(in_batch, in_batch)))
            held = await beta.message(ALPHA, first.message_id)
            meanwhile = rows_of(house.folder)
        again = await alpha.submit(message)
        batch = await alpha.submit_batch(in_batch, message)
        now = rows_of(house.folder)

    for item in faults:
        assert ("UNAVAILABLE", "LEDGER_UNAVAILABLE", 1) == (item.code, item.reason, item.infos)
        assert item.metadata["next_step"]
        assert item.retry_after
    assert before == held.envelope
    assert rows == meanwhile
    assert PERMITTED == dispositions(again.submission)
    assert not again.submission.repeated_submission
    assert first.receipt.index + 1 == again.submission.receipt.index
    check_receipt(again.submission.receipt, again.checkpoint, house.log_key)
    assert [False, True] == [item.submission.repeated_submission for item in batch.results]
    assert again.submission.outcomes == batch.results[1].submission.outcomes
    assert rows.entries + 2 == now.entries
    assert rows.positions + 2 == now.positions


async def test_too_much_in_hand(tmp_path_factory: pytest.TempPathFactory) -> None:
    """More than the gateway takes at once is sent away with a delay, and let in afterwards."""
    house = House(
        tmp_path_factory.mktemp("small") / "gateway", extra_config="\n[limits]\nin_flight = 2\n"
    )
    house.enrol_usual()
    batch = [house.good() for _ in range(3)]

    async with house.serving(), house.wire(ALPHA) as alpha:
        rows = rows_of(house.folder)
        fault = await fault_in(alpha.submit_batch(*batch))
        now = rows_of(house.folder)
        taken = await alpha.submit_batch(*batch[:2])

    assert ("RESOURCE_EXHAUSTED", "TOO_MANY_IN_FLIGHT") == (fault.code, fault.reason)
    assert (1, True) == (fault.infos, bool(fault.retry_after))
    assert rows == now
    assert [PERMITTED, PERMITTED] == [dispositions(item.submission) for item in taken.results]
