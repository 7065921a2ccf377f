"""The ledger: one transaction a group, in which messages are decided and entered in the log.

Order that survives a crash: commit entries and head, then sign, then answer. Everything kept in
memory (`memory`) follows from the database and is thrown away when another process has moved the
head, or when it is not known whether a commit took.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory_gateway.ledger.deciding import Decider
from rogatory_gateway.ledger.entering import Entering
from rogatory_gateway.ledger.memory import Head, Memory
from rogatory_gateway.ledger.prepared import Statements

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

    from rogatory import merkle
    from rogatory_gateway.ledger.items import Item
    from rogatory_gateway.ledger.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What a committed group did.

    Attributes:
        size, root: The tree after it.
        proofs: Inclusion proof of each new entry against that tree, by index.
        first: Index of the first new entry.
        woken: (agency, exercise) of every inbox that grew.
        governed: Whether agencies or agreements changed.
        tags: How many entries were made with each tag.
    """

    size: int
    root: bytes
    first: int
    proofs: Sequence[Sequence[bytes]]
    woken: frozenset[tuple[str, bool]]
    governed: bool
    tags: Counter[str]


class Group:
    """An open transaction with a group's entries in it; `commit` makes it durable."""

    def __init__(
        self,
        *,
        connection: Connection,
        memory: Memory,
        entering: Entering,
        growth: merkle.Growth,
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._entering = entering
        self._growth = growth

    def commit(self) -> None:
        """Make it durable. The one call of a group that waits for the disk."""
        self._connection.commit()

    def finish(self) -> Appended:
        """Take the new head over into memory, after `commit`."""
        entering, growth, memory = self._entering, self._growth, self._memory
        if entering.leaves:
            memory.registry = entering.registry
            memory.head = Head(
                size=growth.size,
                entry_time=entering.entry_time,
                frontier=growth.frontier,
                governance=memory.head.governance + entering.governed,
            )
        return Appended(
            size=growth.size,
            root=growth.root,
            first=growth.old_size,
            proofs=growth.inclusion_proofs(),
            woken=frozenset(entering.woken),
            governed=bool(entering.governed),
            tags=entering.tags,
        )


class Ledger:
    """The writer's side of the ledger. One instance a process; its methods are not concurrent."""

    def __init__(
        self,
        engine: Engine,
        *,
        now: Callable[[], int],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._connection = engine.connect().execution_options(immediate=True)
        self._now = now
        self._random = random
        self._decider = Decider()
        self._statements = Statements(engine.dialect)
        self._memory = Memory(self._connection, self._statements)
        with self._connection.begin():
            self._memory.synchronise()

    @property
    def head(self) -> Head:
        """The head as this process last saw it."""
        return self._memory.head

    @property
    def registry(self) -> Registry:
        """Who is enrolled and which agreements hold, as this process last saw it."""
        return self._memory.registry

    def never_wait(self) -> None:
        """Fail at once where another process holds the ledger: for a caller that must not block."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql("PRAGMA busy_timeout=0")
            self._connection.rollback()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def refresh(self) -> None:
        """Load what another process may have changed."""
        with self._connection.begin():
            self._memory.synchronise()

    def append(self, items: Sequence[Item]) -> Appended:
        """Enter a group and wait for the disk; the command line's way in."""
        group = self.begin(items)
        try:
            group.commit()
        except BaseException:
            self.forget()
            raise
        return group.finish()

    def begin(self, items: Sequence[Item]) -> Group:
        """Open the transaction, decide the items in order and write them, without committing.

        On any error the transaction is rolled back, nothing was decided, and the in-memory state is
        loaded afresh before the next group.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database can't be written.
        """
        transaction = self._connection.begin()
        try:
            self._memory.synchronise()
            entering = Entering(
                connection=self._connection,
                statements=self._statements,
                memory=self._memory,
                decider=self._decider,
                entry_time=max(self._memory.head.entry_time, self._now()),
                random=self._random,
            )
            growth = entering.enter(items)
        except BaseException:
            transaction.rollback()
            self.forget()
            raise
        return Group(
            connection=self._connection, memory=self._memory, entering=entering, growth=growth
        )

    def forget(self) -> None:
        """Mark the memory as unsure: the next group loads the head from the database."""
        self._memory.forget()
        self._decider.forget()
        try:
            # Not only when `in_transaction`: one whose commit failed is over and still in the way.
            self._connection.rollback()
            # SQLAlchemy holds a transaction whose commit failed for over; the database may not.
            self._connection.connection.rollback()
        except Exception:  # noqa: BLE001 - whatever it was, a fresh connection takes its place
            self._connection.invalidate()
