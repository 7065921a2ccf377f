"""Rows of a group, gathered and written in bulk: one statement a table, not one a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, update

from rogatory_gateway.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table
    from sqlalchemy.sql.dml import Insert

    from rogatory.exchange.v1 import envelope_pb2
    from rogatory_gateway.ledger.deciding import Decided
    from rogatory_gateway.ledger.items import Item, OutcomeRow


class Rows:
    """What a group will write."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._outcomes: list[dict[str, Any]] = []
        self._parts: list[dict[str, Any]] = []
        self._governance: list[dict[str, Any]] = []

    def add_entry(
        self,
        item: Item,
        *,
        tag: str,
        entry_time: int,
        columns: tuple[int, bool, bytes | None, bytes | None, str | None],
    ) -> None:
        """Add an entry; ``columns`` are kind, exercise, identity, header digest and thread."""
        kind, exercise, identity, header_digest, thread = columns
        self._entries.append(
            {
                "idx": item.index,
                "entry_time": entry_time,
                "tag": tag,
                "actor": item.actor,
                "kind": kind,
                "exercise": exercise,
                "identity": identity,
                "header_digest": header_digest,
                "thread": thread,
                "entry": item.entry,
            }
        )

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
            {
                "idx": index,
                "position": row.position,
                "recipient": row.recipient,
                "exercise": exercise,
                "inbox_position": row.inbox_position or None,
                "disposition": row.disposition,
                "agreement_id": outcome.agreement_id,
                "agreement_digest": outcome.agreement_digest,
                "salt": row.salt,
                "outcome": row.outcome,
            }
            for row, outcome in zip(rows, decided, strict=True)
        )

    def add_parts(self, index: int, parts: Sequence[envelope_pb2.Part]) -> None:
        """Add the parts of the message at ``index``, as received."""
        self._parts.extend(
            {"idx": index, "position": position, "part": part.SerializeToString()}
            for position, part in enumerate(parts)
        )

    def add_governance(self, index: int, document: bytes, entry_time: int) -> None:
        """Add a governance document."""
        self._governance.append({"idx": index, "document": document, "entry_time": entry_time})

    def count(
        self, connection: Connection, outcome: Decided, *, sender: str, day: int
    ) -> None:
        """Add to what the quotas of an outcome's agreement have counted on a UTC day."""
        table = tables.quota_counts
        for clause_id, count in outcome.counts:
            values = {
                "agreement_id": outcome.agreement_id,
                "clause_id": clause_id,
                "sender": sender,
                "recipient": outcome.recipient,
                "day": day,
            }
            upsert(
                connection,
                table,
                [values | {"count": count}],
                added={"count"},
            )

    def write(
        self,
        connection: Connection,
        *,
        inboxes: Mapping[tuple[str, bool], int],
        tiles: Sequence[tuple[int, int, bytes]],
    ) -> None:
        """Write everything: one bulk statement a table."""
        for table, rows in (
            (tables.entries, self._entries),
            (tables.outcomes, self._outcomes),
            (tables.parts, self._parts),
            (tables.governance, self._governance),
        ):
            if rows:
                connection.execute(insert(table), rows)
        if inboxes:
            _write_inboxes(connection, inboxes)
        if tiles:
            upsert(
                connection,
                tables.tiles,
                [
                    {"level": level, "number": number, "hashes": hashes}
                    for level, number, hashes in tiles
                ],
            )


def _write_inboxes(connection: Connection, inboxes: Mapping[tuple[str, bool], int]) -> None:
    table = tables.inboxes
    changed = connection.execute(
        update(table)
        .where(
            table.c.agency == bindparam("of_agency"), table.c.exercise == bindparam("of_exercise")
        )
        .values(last_position=bindparam("to_position")),
        [
            {"of_agency": agency, "of_exercise": exercise, "to_position": position}
            for (agency, exercise), position in inboxes.items()
        ],
    )
    if changed.rowcount != len(inboxes):
        upsert(
            connection,
            table,
            [
                {
                    "agency": agency,
                    "exercise": exercise,
                    "last_position": position,
                    "cursor": 0,
                }
                for (agency, exercise), position in inboxes.items()
            ],
            keep={"cursor"},
        )


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    keep: frozenset[str] | set[str] = frozenset(),
    added: frozenset[str] | set[str] = frozenset(),
) -> None:
    """Insert rows, or where the key exists update the other columns.

    Args:
        keep: Columns that an existing row keeps.
        added: Columns to which an existing row adds the new value.
    """
    keys = [column.name for column in table.primary_key]
    statement = dialect_insert(connection, table)
    changes = {
        column.name: (
            column + statement.excluded[column.name]
            if column.name in added
            else statement.excluded[column.name]
        )
        for column in table.columns
        if column.name not in keys and column.name not in keep
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changes), list(rows)
    )


def dialect_insert(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - per dialect
    """Return the dialect's own insert, the one that knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as dialect  # noqa: PLC0415

        return dialect(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert  # noqa: PLC0415

    result: Insert = sqlite_insert(table)
    return result
