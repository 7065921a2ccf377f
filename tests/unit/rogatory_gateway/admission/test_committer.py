"""Group commit: company, capacity, and what one member's fault means to the others."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from rogatory.errors import EnvelopeError
from rogatory_gateway.admission import committer as module
from rogatory_gateway.admission.committer import Committer
from rogatory_gateway.ledger.database import DATABASE_FILE
from rogatory_gateway.ledger.deciding import Decider
from rogatory_gateway.ledger.items import AccessItem, Item, MessageItem
from rogatory_gateway.ledger.ledger import Appended
from tests.support.history import RO, History
from tests.support.world import World


class NoVerifier:
    """Takes items that were verified before."""

    async def verify(self, items: Sequence[Item], *, governance: int) -> list[Item]:
        """Return them as they are."""
        return list(items)


class Bench:
    """A committer on a real ledger, and what it announced."""

    def __init__(self, history: History, *, capacity: int = 100, group_items: int = 50) -> None:
        self.history = history
        self.announced: list[Appended] = []
        self.committer = Committer(
            history.ledger,
            verifier=NoVerifier(),  # type: ignore[arg-type]  # the one method that is called
            sign=lambda appended: f"checkpoint {appended.size}",
            announce=self.announced.append,
            linger_seconds=0.004,
            capacity=capacity,
            group_items=group_items,
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A committer that runs."""
    history = History(World(tmp_path / "gateway"))
    made = Bench(history)
    made.committer.start()
    yield made
    await made.committer.stop()
    history.close()


async def test_company_shares_a_commit(bench: Bench) -> None:
    """Messages that wait together are one group, each with its own items and one checkpoint."""
    items = [bench.history.transfer(RO) for _ in range(10)]

    entered = await asyncio.gather(*(bench.committer.enter([item]) for item in items))

    assert 1 == len(bench.announced)
    assert {"checkpoint 14"} == {one.checkpoint for one in entered}
    assert [[item] for item in items] == [list(one.items) for one in entered]
    assert frozenset({(RO, False)}) == bench.announced[0].woken


async def test_groups_have_a_size(bench: Bench) -> None:
    """More than a group holds is spread over several; a batch stays in one piece."""
    batch = [bench.history.transfer(RO) for _ in range(60)]
    single = [bench.history.transfer(RO) for _ in range(30)]

    await asyncio.gather(
        *(bench.committer.enter([item]) for item in single[:20]),
        bench.committer.enter(batch),
        *(bench.committer.enter([item]) for item in single[20:]),
    )

    indexes = [item.index for item in batch]
    assert [*range(indexes[0], indexes[0] + 60)] == indexes
    assert 3 == len(bench.announced)


async def test_capacity(bench: Bench) -> None:
    """Beyond what may wait, callers are turned away at once; the others are served."""
    items = [bench.history.transfer(RO) for _ in range(101)]
    waiting = [asyncio.create_task(bench.committer.enter([item])) for item in items[:100]]
    await asyncio.sleep(0)

    with pytest.raises(EnvelopeError) as failed:
        await bench.committer.enter([items[100]])

    assert "TOO_MANY_IN_FLIGHT" == failed.value.reason
    assert 100 == len(await asyncio.gather(*waiting))
    await bench.committer.enter([items[100]])


async def test_a_defect_hits_its_own_message_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that the gateway cannot digest fails alone; its company is entered."""
    items = [bench.history.transfer(RO) for _ in range(5)]
    poison = items[2].opened.header.message_id
    decide = Decider.decide

    def choking(self: Decider, header: object, **kwargs: object) -> object:
        if header.message_id == poison:  # type: ignore[attr-defined]
            message = "indigestible"
            raise ZeroDivisionError(message)
        return decide(self, header, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Decider, "decide", choking)
    results = await asyncio.gather(
        *(bench.committer.enter([item]) for item in items), return_exceptions=True
    )

    failed = results.pop(2)
    assert isinstance(failed, EnvelopeError)
    assert "INTERNAL" == failed.reason
    assert not [result for result in results if isinstance(result, BaseException)]
    assert [4, 5, 6, 7] == [item.index for item in (*items[:2], *items[3:])]


@contextlib.contextmanager
def locked(history: History) -> Iterator[Callable[[], None]]:
    """Hold the ledger's write lock, as the operator's command line does for a moment."""
    path = history.world.folder / "data" / DATABASE_FILE
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection.rollback
    finally:
        connection.rollback()
        connection.close()


async def test_waiting_for_the_lock_stops_nobody(bench: Bench) -> None:
    """While another process holds the ledger the event loop goes on; then it is entered."""
    item = bench.history.transfer(RO)
    with locked(bench.history) as release:
        entering = asyncio.create_task(bench.committer.enter([item]))
        turns = 0
        async with asyncio.timeout(4):
            while turns < 50:
                await asyncio.sleep(0.001)
                turns += 1
        assert not entering.done()
        release()
        await entering

    assert 4 == item.index


async def test_lock_that_is_never_released(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its patience the gateway says that it can't write, and can again afterwards."""
    monkeypatch.setattr(module, "LOCK_PATIENCE_SECONDS", 0.05)
    item = bench.history.transfer(RO)
    with locked(bench.history), pytest.raises(EnvelopeError) as failed:
        await bench.committer.enter([item])

    assert "LEDGER_UNAVAILABLE" == failed.value.reason
    await bench.committer.enter([item])
    assert 4 == item.index


async def test_what_was_committed_is_never_said_to_be_undecided(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that fails after the commit says: retry; and the retry finds the outcome."""
    item, retry = bench.history.transfer(RO), bench.history.transfer(RO)
    retry.opened = item.opened
    sign = bench.committer._sign
    monkeypatch.setattr(bench.committer, "_sign", lambda _: 1 / 0)

    with pytest.raises(EnvelopeError) as failed:
        await bench.committer.enter([item])
    monkeypatch.setattr(bench.committer, "_sign", sign)
    await bench.committer.enter([retry])

    assert "LEDGER_UNAVAILABLE" == failed.value.reason
    assert (4, True) == (retry.index, retry.repeated)


async def test_an_announcement_that_fails_stops_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is durable and answered; the next one is entered as well."""
    monkeypatch.setattr(bench.committer, "_announce", lambda _: 1 / 0)
    items = [bench.history.transfer(RO) for _ in range(2)]

    for item in items:
        await bench.committer.enter([item])

    assert [4, 5] == [item.index for item in items]


@pytest.mark.parametrize("stage", ["_verify", "_commit"])
async def test_a_stage_that_ends_leaves_nobody_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """A defect that ends the work is told to all who wait, to all who come, and to the process."""

    async def defect(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.committer, stage, defect)

    for _ in range(2):
        with pytest.raises(EnvelopeError) as failed:
            await bench.committer.enter([bench.history.transfer(RO)])
        assert "LEDGER_UNAVAILABLE" == failed.value.reason

    assert bench.committer.broken.is_set()


async def test_caller_that_left(bench: Bench) -> None:
    """A message whose caller hung up is entered all the same, and does not disturb the rest."""
    gone, stays = bench.history.transfer(RO), bench.history.transfer(RO)
    leaving = asyncio.create_task(bench.committer.enter([gone]))
    staying = asyncio.create_task(bench.committer.enter([stays]))
    await asyncio.sleep(0)
    leaving.cancel()

    await staying

    assert leaving.cancelled() or leaving.cancelling()
    assert {4, 5} == {gone.index, stays.index}


async def test_empty_group_refreshes(bench: Bench) -> None:
    """Nothing to enter still looks what other processes have entered."""
    bench.history.world.enrol("be.police")

    entered = await bench.committer.enter([])

    assert [] == list(entered.items)
    assert 5 == entered.appended.size
    assert bench.history.ledger.registry.is_enrolled("be.police")


async def test_stop_commits_what_waits(tmp_path: Path) -> None:
    """Stopping ends with an empty queue: who was taken in is answered."""
    history = History(World(tmp_path / "gateway"))
    bench = Bench(history)
    bench.committer.start()
    items: list[Item] = [history.transfer(RO) for _ in range(20)]
    items.append(AccessItem(actor=RO, call="test", request=b"", items=0))
    waiting = [asyncio.create_task(bench.committer.enter([item])) for item in items]
    await asyncio.sleep(0)

    await bench.committer.stop()

    assert all(task.done() and not task.exception() for task in waiting)
    assert all(item.index >= 0 for item in items)
    assert isinstance(items[0], MessageItem)
    history.close()
