"""Group commit: messages that arrive together share one transaction, one disk flush, one signature.

The transaction is built on the event loop and only its commit, which waits for the disk, runs in a
thread: one hop for each group and none for each message. While a group is being committed the next
one gathers and is verified.

How long to linger adapts to load: an idle gateway commits at once; a busy one gathers for as long
as messages keep coming without a pause, up to a limit, since a group costs the same for one message
and for many, and the event loop has work to do in the meantime.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from rogatory_gateway import errors, telemetry
from rogatory_gateway.ledger.items import MessageItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rogatory.errors import EnvelopeError
    from rogatory_gateway.admission.admission import Candidate
    from rogatory_gateway.admission.verifying import GroupVerifier
    from rogatory_gateway.ledger.items import Item
    from rogatory_gateway.ledger.ledger import Appended, Group, Ledger

GROUP_BYTES = 16 << 20
"""Most message bytes in a group: bounds memory and the write-ahead log's growth."""

ENOUGH_COMPANY = 64
"""Items from which on a group waits for no more: what it costs by itself is spread thin enough."""

LOCK_PATIENCE_SECONDS = 5.0
"""How long to wait for another process (the operator's command line) to release the ledger."""

_LOCK_POLL_SECONDS = 0.005
_PAUSE_SECONDS = 0.002

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A caller's items after the commit of their group.

    Attributes:
        items: What was handed in, in order; candidates have become messages or rejections.
        appended: What the ledger did.
        checkpoint: The signed note for the tree after it.
    """

    items: Sequence[Item]
    appended: Appended
    checkpoint: str


@dataclass(slots=True)
class _Waiting:
    items: Sequence[Item | Candidate]
    size: int
    future: asyncio.Future[Entered]


_Parts = list[tuple[list[_Waiting], list["Item"]]]


class Committer:
    """Collects items into groups and commits them, one group at a time.

    Attributes:
        broken: Set when a defect has ended a stage: nothing can be entered any more, and whoever
            waited has been told. The process should end and be started again.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        verifier: GroupVerifier,
        sign: Callable[[Appended], str],
        announce: Callable[[Appended], None],
        linger_seconds: float,
        capacity: int,
        group_items: int,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            verifier: Turns candidates into messages or rejections.
            sign: Makes the checkpoint of a committed group.
            announce: Told of each committed group, after it was signed.
            linger_seconds: Longest wait for company.
            capacity: Items that may wait; more are turned away.
            group_items: Most entries in a group, but for a batch, which stays together.
        """
        self._ledger = ledger
        self._verifier = verifier
        self._sign = sign
        self._announce = announce
        self._linger = linger_seconds
        self._capacity = capacity
        self._group_items = group_items
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-commit")
        self._tasks: list[asyncio.Task[None]] = []
        self._verified: asyncio.Queue[asyncio.Task[_Parts]] = asyncio.Queue(1)
        self._in_hand = 0
        self._last = 1
        self._unanswered: set[asyncio.Future[Entered]] = set()
        self.broken = asyncio.Event()

    def start(self) -> None:
        """Begin committing. From here on the event loop writes; it waits for no lock in SQLite."""
        self._ledger.never_wait()
        self._tasks = [
            asyncio.create_task(self._verify_groups(), name="verify-groups"),
            asyncio.create_task(self._commit_groups(), name="commit-groups"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._stage_ended)

    async def stop(self) -> None:
        """Commit what waits, then stop."""
        while (self._waiting or self._in_hand) and not self.broken.is_set():  # noqa: ASYNC110 - once
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._thread.shutdown()

    async def enter(self, items: Sequence[Item | Candidate], *, size: int = 0) -> Entered:
        """Have items entered together, in order, and wait until they are durable.

        Raises:
            EnvelopeError: TOO_MANY_IN_FLIGHT or LEDGER_UNAVAILABLE; nothing was decided.
        """
        if self.broken.is_set():
            raise errors.ledger_unavailable()
        if self._count + len(items) > self._capacity:
            raise errors.too_many_in_flight()
        future: asyncio.Future[Entered] = asyncio.get_running_loop().create_future()
        self._unanswered.add(future)
        future.add_done_callback(self._unanswered.discard)
        self._waiting.append(_Waiting(items, size, future))
        self._count += len(items)
        self._arrived.set()
        return await future

    async def _verify_groups(self) -> None:
        """First of two stages: while one group is committed, the next are verified."""
        while True:
            await self._arrived.wait()
            if self._last > 1:
                await self._gather()
            group = self._take()
            self._in_hand += 1
            verifying = asyncio.create_task(self._verify(group), name="verify-group")
            if self._last < ENOUGH_COMPANY:
                # Small groups wait for each other, so that the next one finds more company.
                await asyncio.wait([verifying])
            await self._verified.put(verifying)

    async def _verify(self, group: list[_Waiting]) -> _Parts:
        """Return the group with its items verified; in parts where one meets a defect."""
        try:
            items = await self._verifier.verify(
                [item for waiting in group for item in waiting.items],
                governance=self._ledger.head.governance,
            )
        except Exception:
            log.exception("group not verified", members=len(group))
            if len(group) == 1:
                self._fail(group, errors.internal())
                return []
            # One member that meets a defect must not take the others with it.
            return [part for waiting in group for part in await self._verify([waiting])]
        return [(group, items)]

    async def _commit_groups(self) -> None:
        """Second stage: one group at a time, in the order in which they were taken."""
        while True:
            for group, items in await (await self._verified.get()):
                await self._commit(group, items)
            self._in_hand -= 1

    async def _gather(self) -> None:
        """Wait while more arrives: until a pause, enough company, or the longest linger."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._linger
        before = 0
        while before < self._count < ENOUGH_COMPANY and clock() < end:
            before = self._count
            await asyncio.sleep(_PAUSE_SECONDS)

    def _take(self) -> list[_Waiting]:
        taken, items, size = 0, 0, 0
        for waiting in self._waiting:
            if taken and (
                items + len(waiting.items) > self._group_items or size + waiting.size > GROUP_BYTES
            ):
                break
            taken, items, size = taken + 1, items + len(waiting.items), size + waiting.size
        group = self._waiting[:taken]
        del self._waiting[:taken]
        self._count -= items
        if not self._waiting:
            self._arrived.clear()
        if items:
            self._last = items
        return group

    async def _commit(self, group: list[_Waiting], items: list[Item]) -> None:
        try:
            open_group = await self._begin(items)
        except SQLAlchemyError as error:
            self._not_committed(group, error)
            return
        except Exception:
            log.exception("group not decided", members=len(group))
            if len(group) == 1:
                self._fail(group, errors.internal())
                return
            # One member that meets a defect must not take the others with it.
            for waiting, own in _shares(group, items):
                await self._commit([waiting], own)
            return
        try:
            with telemetry.COMMIT_SECONDS.time():
                await asyncio.get_running_loop().run_in_executor(self._thread, open_group.commit)
            appended = open_group.finish()
            checkpoint = self._sign(appended)
        except Exception as error:  # noqa: BLE001 - from here on it may have been committed
            self._not_committed(group, error)
            return
        for waiting, own in _shares(group, items):
            # A caller who went away has cancelled its future; its message is entered all the same.
            if not waiting.future.done():
                waiting.future.set_result(
                    Entered(items=own, appended=appended, checkpoint=checkpoint)
                )
        try:
            self._announce(appended)
        except Exception:
            log.exception("group not announced", size=appended.size)

    def _not_committed(self, group: list[_Waiting], error: Exception) -> None:
        """Tell callers to retry: they find the outcome if the commit took, which is not known."""
        self._ledger.forget()
        # No traceback: SQLAlchemy's holds the statement's parameters, which are records.
        detail = _detail(error) if isinstance(error, SQLAlchemyError) else ""
        log.error("group not committed", error=type(error).__name__, detail=detail)
        self._fail(group, errors.ledger_unavailable())

    def _stage_ended(self, task: asyncio.Task[None]) -> None:
        """Let nobody wait for a stage that is no more."""
        if task.cancelled():
            return
        self.broken.set()
        for future in list(self._unanswered):
            if not future.done():
                future.set_exception(errors.ledger_unavailable())
        error = task.exception()
        log.critical("stage ended", stage=task.get_name(), error=type(error).__name__)

    async def _begin(self, items: Sequence[Item]) -> Group:
        deadline = asyncio.get_running_loop().time() + LOCK_PATIENCE_SECONDS
        while True:
            for item in items:
                item.index = -1
                if isinstance(item, MessageItem):
                    item.outcomes.clear()
                    item.error = None
            try:
                return self._ledger.begin(items)
            except OperationalError as error:
                if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(_LOCK_POLL_SECONDS)

    @staticmethod
    def _fail(group: list[_Waiting], error: EnvelopeError) -> None:
        telemetry.FAILED_GROUPS.inc()
        for waiting in group:
            if not waiting.future.done():
                waiting.future.set_exception(error)


def _detail(error: SQLAlchemyError) -> str:
    """Return the driver's own words, without the statement and its parameters: they hold data."""
    return str(getattr(error, "orig", error))[:200]


def _shares(
    group: Sequence[_Waiting], items: Sequence[Item]
) -> Iterator[tuple[_Waiting, list[Item]]]:
    """Return each member of a group with its own items."""
    start = 0
    for waiting in group:
        end = start + len(waiting.items)
        yield waiting, list(items[start:end])
        start = end
