"""Statements compiled once, for the path that every group takes.

Building a statement, and wrapping its result, cost SQLAlchemy more than SQLite needs to run it.
What a group runs is always the same: compiled once for the dialect, it is handed to the driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import OperationalError

from rogatory_gateway.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Dialect, Table
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
        in_order: Whether that is the callers' own order.
    """

    sql: str
    names: tuple[str, ...]
    order: tuple[int, ...] | None
    in_order: bool

    @classmethod
    def compile(
        cls, statement: CompilerElement, names: Iterable[str], dialect: Dialect
    ) -> Prepared:
        """Compile a statement whose parameters are ``names``."""
        names = tuple(names)
        compiled = statement.compile(dialect=dialect)
        positions = getattr(compiled, "positiontup", None)
        order = None if positions is None else tuple(names.index(name) for name in positions)
        return cls(str(compiled), names, order, order == tuple(range(len(names))))

    def run(self, connection: Connection, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run it once and return its rows, if it has any.

        Raises:
            sqlalchemy.exc.OperationalError: the driver could not.
        """
        cursor = self._cursor(connection)
        try:
            cursor.execute(self.sql, self._arguments(values))
            return cursor.fetchall() if cursor.description else []
        except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]  # a module
            raise OperationalError(self.sql, None, error) from error
        finally:
            cursor.close()

    def run_many(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> int:
        """Run it for every row; return how many rows of the table it touched.

        Raises:
            sqlalchemy.exc.OperationalError: the driver could not.
        """
        cursor = self._cursor(connection)
        try:
            cursor.executemany(self.sql, [self._arguments(row) for row in rows])
            return int(cursor.rowcount)
        except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]  # a module
            raise OperationalError(self.sql, None, error) from error
        finally:
            cursor.close()

    def _arguments(self, values: Sequence[Any]) -> Any:  # noqa: ANN401 - as the driver takes them
        if self.order is None:
            return dict(zip(self.names, values, strict=True))
        if self.in_order:
            return values
        return tuple(values[at] for at in self.order)

    @staticmethod
    def _cursor(connection: Connection) -> Any:  # noqa: ANN401 - a DBAPI cursor
        """Return a cursor of the driver, in the connection's transaction."""
        return connection.connection.cursor()


class Statements:
    """The statements of a group, for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        def prepare(statement: CompilerElement, *names: str) -> Prepared:
            return Prepared.compile(statement, names, dialect)

        def prepare_insert(table: Table) -> Prepared:
            return prepare(insert(table), *(column.name for column in table.columns))

        head, inboxes = tables.head.c, tables.inboxes.c
        self.read_head = prepare(select(head.size))
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
            for identity, index, digest in probe.run(connection, padded):
                found[bytes(identity)] = (index, bytes(digest))
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
