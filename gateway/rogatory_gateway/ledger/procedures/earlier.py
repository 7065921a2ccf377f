"""Earlier messages, as the ledger had them when a later one came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, true

from rogatory.audit.v1 import entry_pb2
from rogatory.exchange.v1 import decision_pb2, envelope_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.identity import identity_key
from rogatory_gateway.ledger.procedures.relations import Relation

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from rogatory.records.v1 import common_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A message that was entered before.

    Attributes:
        index: Of its entry.
        entry_time: When it was entered, nanoseconds since the Unix epoch.
        header: What its sender signed.
    """

    index: int
    entry_time: int
    header: envelope_pb2.Header


class EarlierMessages:
    """Finds messages by what refers to them. A refused message, towards whom it was, is none."""

    def __init__(
        self,
        connection: Connection,
        *,
        related: Connection | None = None,
        before: int | None = None,
    ) -> None:
        """Look in a ledger.

        Args:
            connection: On its entries and outcomes.
            related: Where the table of relations is; None: there too.
            before: As it was before that index.
        """
        self._connection = connection
        self._related = connection if related is None else related
        self._before = before

    def find(self, reference: common_pb2.MessageReference, *, exercise: bool) -> Earlier | None:
        """Return the message that a reference names; training refers to training only."""
        entries = tables.entries.c
        row = self._connection.execute(
            select(entries.idx, entries.entry_time, entries.entry).where(
                entries.identity == identity_key(reference.sender, reference.message_id),
                entries.header_digest == reference.header_digest,
                entries.exercise == exercise,
                self._limit(entries.idx),
            )
        ).first()
        return None if row is None else _earlier(row.idx, row.entry_time, row.entry)

    def at(self, index: int) -> Earlier:
        """Return the message at an index."""
        entries = tables.entries.c
        row = self._connection.execute(
            select(entries.entry_time, entries.entry).where(entries.idx == index)
        ).one()
        return _earlier(index, row.entry_time, row.entry)

    def received(self, index: int, agency: str) -> decision_pb2.Outcome | None:
        """Return the outcome by which an agency received a message; None: it did not."""
        outcomes = tables.outcomes.c
        data = self._connection.execute(
            select(outcomes.outcome).where(
                outcomes.idx == index,
                outcomes.recipient == agency,
                outcomes.disposition != decision_pb2.DISPOSITION_REFUSED,
            )
        ).scalar()
        return None if data is None else decision_pb2.Outcome.FromString(data)

    def recipients(self, index: int) -> list[str]:
        """Return those who received a message, in the header's order."""
        outcomes = tables.outcomes.c
        return list(
            self._connection.execute(
                select(outcomes.recipient)
                .where(
                    outcomes.idx == index,
                    outcomes.disposition != decision_pb2.DISPOSITION_REFUSED,
                )
                .order_by(outcomes.position)
            ).scalars()
        )

    def later(self, subject: int, relation: Relation) -> list[int]:
        """Return the indices of the messages that stand in a relation to an earlier one."""
        relations = tables.relations.c
        return list(
            self._related.execute(
                select(relations.idx)
                .where(
                    relations.subject == subject,
                    relations.relation == relation,
                    self._limit(relations.idx),
                )
                .order_by(relations.idx)
            ).scalars()
        )

    def holders(self, index: int) -> dict[str, int]:
        """Return whoever received a message or a copy passed on, with the index it came by."""
        found = dict.fromkeys(self.recipients(index), index)
        for copy in self.later(index, Relation.FORWARD):
            for agency in self.recipients(copy):
                found.setdefault(agency, copy)
        return found

    def _limit(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        return true() if self._before is None else column < self._before


def _earlier(index: int, entry_time: int, entry: bytes) -> Earlier:
    logged = entry_pb2.AuditEntry.FromString(entry).message
    return Earlier(
        index=index,
        entry_time=entry_time,
        header=envelope_pb2.Header.FromString(logged.header),
    )
