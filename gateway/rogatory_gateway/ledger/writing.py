"""Rows of a group, gathered and written in bulk: one statement a table, not one a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from rogatory.exchange.v1 import envelope_pb2
    from rogatory_gateway.ledger.deciding import Decided
    from rogatory_gateway.ledger.items import Item, OutcomeRow
    from rogatory_gateway.ledger.prepared import Statements

Row = tuple[Any, ...]


class Rows:
    """What a group will write. Rows are tuples in the order of the table's columns."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._entries: list[Row] = []
        self._outcomes: list[Row] = []
        self._parts: list[Row] = []
        self._governance: list[Row] = []
        self._openings: list[Row] = []

    def add_entry(
        self,
        item: Item,
        *,
        tag: str,
        entry_time: int,
        columns: tuple[int, bool, bytes | None, bytes | None, str | None],
    ) -> None:
        """Add an entry; ``columns`` are kind, exercise, identity, header digest and thread."""
        self._entries.append((item.index, entry_time, tag, item.actor, *columns, item.entry))

    def add_outcomes(
        self,
        index: int,
        rows: Sequence[OutcomeRow],
        decided: Sequence[Decided],
        *,
        exercise: bool,
    ) -> None:
        """Add the outcomes of the message at ``index``."""
        self._outcomes.extend(
            (
                index,
                row.position,
                row.recipient,
                exercise,
                row.inbox_position or None,
                row.disposition,
                outcome.agreement_id,
                outcome.agreement_digest,
                row.salt,
                row.outcome,
            )
            for row, outcome in zip(rows, decided, strict=True)
        )

    def add_parts(self, index: int, parts: Sequence[envelope_pb2.Part]) -> None:
        """Add the parts of the message at ``index``, as received."""
        self._parts.extend(
            (index, position, part.SerializeToString()) for position, part in enumerate(parts)
        )

    def add_governance(self, index: int, document: bytes, entry_time: int) -> None:
        """Add a governance document."""
        self._governance.append((index, document, entry_time))

    def count(self, connection: Connection, outcome: Decided, *, sender: str, day: int) -> None:
        """Add to what the quotas of an outcome's agreement have counted on a UTC day."""
        self._statements.count.run_many(
            connection,
            [
                (outcome.agreement_id, clause_id, sender, outcome.recipient, day, count)
                for clause_id, count in outcome.counts
            ],
        )

    def add_opening(self, index: int, salt: bytes) -> None:
        """Add the salt that opens the commitment of the rejection or read at ``index``."""
        self._openings.append((index, salt))

    def flush(self, connection: Connection) -> None:
        """Write what is gathered so far: a later message of the group refers to it."""
        statements = self._statements
        for statement, rows in (
            (statements.add_entries, self._entries),
            (statements.add_outcomes, self._outcomes),
            (statements.add_parts, self._parts),
            (statements.add_governance, self._governance),
            (statements.add_openings, self._openings),
        ):
            if rows:
                statement.run_many(connection, rows)
                rows.clear()

    def write(
        self,
        connection: Connection,
        *,
        inboxes: Mapping[tuple[str, bool], int],
        tiles: Sequence[tuple[int, int, bytes]],
    ) -> None:
        """Write everything: one bulk statement a table."""
        statements = self._statements
        self.flush(connection)
        if inboxes:
            grown = [(position, *key) for key, position in inboxes.items()]
            if statements.grow_inboxes.run_many(connection, grown) != len(grown):
                # Some inbox is new: its first message opens it.
                statements.open_inboxes.run_many(
                    connection, [(*key, position, 0) for key, position in inboxes.items()]
                )
        if tiles:
            statements.grow_tiles.run_many(connection, list(tiles))
