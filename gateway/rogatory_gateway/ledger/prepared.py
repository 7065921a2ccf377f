"""Statements compiled once, for the path that every group takes.

Building a statement costs SQLAlchemy more than SQLite needs to run it. What a group runs is always
the same, so that it is compiled once for the dialect and then handed to the driver as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from rogatory_gateway.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Dialect, Table
    from sqlalchemy.engine import CursorResult
    from sqlalchemy.sql.dml import Insert
    from sqlalchemy.sql.elements import CompilerElement

_PROBE_SIZES = (1, 8, 64, 512)
"""Identities looked up with one statement: few sizes, so that few statements are compiled."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it.

    Attributes:
        sql: The text.
        names: Its parameters in the order in which callers give them.
        order: For positional drivers, where each of the text's parameters stands in ``names``.
    """

    sql: str
    names: tuple[str, ...]
    order: tuple[int, ...] | None

    @classmethod
    def compile(
        cls, statement: CompilerElement, names: Iterable[str], dialect: Dialect
    ) -> Prepared:
        """Compile a statement whose parameters are ``names``."""
        names = tuple(names)
        compiled = statement.compile(dialect=dialect)
        positions = getattr(compiled, "positiontup", None)
        order = None if positions is None else tuple(names.index(name) for name in positions)
        return cls(str(compiled), names, order)

    def run(self, connection: Connection, values: Sequence[Any] = ()) -> CursorResult[Any]:
        """Run it once."""
        if self.order is None:
            return connection.exec_driver_sql(self.sql, dict(zip(self.names, values, strict=True)))
        return connection.exec_driver_sql(self.sql, tuple(values[at] for at in self.order))

    def run_many(self, connection: Connection, rows: list[tuple[Any, ...]]) -> CursorResult[Any]:
        """Run it for every row."""
        order = self.order
        if order is None:
            named = [dict(zip(self.names, row, strict=True)) for row in rows]
            return connection.exec_driver_sql(self.sql, named)
        if order != tuple(range(len(order))):
            rows = [tuple(row[at] for at in order) for row in rows]
        return connection.exec_driver_sql(self.sql, rows)


class Statements:
    """The statements of a group, for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        def prepare(statement: CompilerElement, *names: str) -> Prepared:
            return Prepared.compile(statement, names, dialect)

        def prepare_insert(table: Table) -> Prepared:
            return prepare(insert(table), *(column.name for column in table.columns))

        head, inboxes = tables.head.c, tables.inboxes.c
        self.read_head = prepare(select(head.size, head.governance))
        self.write_head = prepare(
            update(tables.head).values(
                size=bindparam("to_size"),
                entry_time=bindparam("to_entry_time"),
                frontier=bindparam("to_frontier"),
                governance=bindparam("to_governance"),
            ),
            "to_size",
            "to_entry_time",
            "to_frontier",
            "to_governance",
        )
        self.add_entries = prepare_insert(tables.entries)
        self.add_outcomes = prepare_insert(tables.outcomes)
        self.add_parts = prepare_insert(tables.parts)
        self.add_governance = prepare_insert(tables.governance)
        self.add_openings = prepare_insert(tables.openings)
        self.grow_inboxes = prepare(
            update(tables.inboxes)
            .where(
                inboxes.agency == bindparam("of_agency"),
                inboxes.exercise == bindparam("of_exercise"),
            )
            .values(last_position=bindparam("to_position")),
            "to_position",
            "of_agency",
            "of_exercise",
        )
        self.open_inboxes = self._upsert(tables.inboxes, dialect, keep={"cursor"})
        self.grow_tiles = self._upsert(tables.tiles, dialect)
        self.count = self._upsert(tables.quota_counts, dialect, added={"count"})
        entries = tables.entries.c
        self._probes = [
            prepare(
                select(entries.identity, entries.idx, entries.header_digest).where(
                    entries.identity.in_([bindparam(f"identity_{at}") for at in range(size)])
                ),
                *(f"identity_{at}" for at in range(size)),
            )
            for size in _PROBE_SIZES
        ]

    def find_identities(
        self, connection: Connection, wanted: list[bytes]
    ) -> dict[bytes, tuple[int, bytes]]:
        """Return index and header digest of each wanted identity that is there."""
        found = {}
        most = _PROBE_SIZES[-1]
        for start in range(0, len(wanted), most):
            chunk = wanted[start : start + most]
            probe = next(probe for probe in self._probes if len(probe.names) >= len(chunk))
            padded = chunk + chunk[-1:] * (len(probe.names) - len(chunk))
            for row in probe.run(connection, padded):
                found[bytes(row.identity)] = (row.idx, bytes(row.header_digest))
        return found

    @staticmethod
    def _upsert(
        table: Table,
        dialect: Dialect,
        *,
        keep: set[str] | frozenset[str] = frozenset(),
        added: set[str] | frozenset[str] = frozenset(),
    ) -> Prepared:
        """Insert rows, or where the key exists update the other columns.

        Args:
            keep: Columns that an existing row keeps.
            added: Columns to which an existing row adds the new value.
        """
        keys = [column.name for column in table.primary_key]
        statement = _dialect_insert(dialect, table)
        changes = {
            column.name: (
                column + statement.excluded[column.name]
                if column.name in added
                else statement.excluded[column.name]
            )
            for column in table.columns
            if column.name not in keys and column.name not in keep
        }
        return Prepared.compile(
            statement.on_conflict_do_update(index_elements=keys, set_=changes),
            (column.name for column in table.columns),
            dialect,
        )


def _dialect_insert(dialect: Dialect, table: Table) -> Any:  # noqa: ANN401 - per dialect
    """Return the dialect's own insert, the one that knows ON CONFLICT."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # noqa: PLC0415

        return postgresql_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert  # noqa: PLC0415

    result: Insert = sqlite_insert(table)
    return result
