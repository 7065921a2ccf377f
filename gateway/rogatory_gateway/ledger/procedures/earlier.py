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
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from rogatory.records.v1 import common_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A message that was entered before.

    Attributes:
        index: Of its entry.
        entry_time: When it was entered, nanoseconds since the Unix epoch.
        header: What its sender signed.
        signatures: Its sender's, as received.
    """

    index: int
    entry_time: int
    header: envelope_pb2.Header
    signatures: Sequence[envelope_pb2.Signature]


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
            related: Where the tables of relations and copies are; None: there too.
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

    def has_later(self, subject: int, relation: Relation) -> bool:
        """Say whether a message stands in a relation to an earlier one."""
        relations = tables.relations.c
        found = self._related.execute(
            select(relations.idx)
            .where(
                relations.subject == subject,
                relations.relation == relation,
                self._limit(relations.idx),
            )
            .limit(1)
        ).first()
        return found is not None

    def first_copy(self, index: int, agency: str) -> int | None:
        """Return the index of the first copy of a message that an agency received; None: none."""
        copies = tables.copies.c
        return self._related.execute(
            select(copies.idx)
            .where(
                copies.subject == index,
                copies.agency == agency,
                copies.received,
                self._limit(copies.idx),
            )
            .order_by(copies.idx)
            .limit(1)
        ).scalar()

    def holds(self, index: int, agency: str) -> bool:
        """Say whether an agency received a message, or a copy passed on."""
        return (
            self.received(index, agency) is not None or self.first_copy(index, agency) is not None
        )

    def _limit(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        return true() if self._before is None else column < self._before


def _earlier(index: int, entry_time: int, entry: bytes) -> Earlier:
    logged = entry_pb2.AuditEntry.FromString(entry).message
    return Earlier(
        index=index,
        entry_time=entry_time,
        header=envelope_pb2.Header.FromString(logged.header),
        signatures=logged.signatures,
    )
