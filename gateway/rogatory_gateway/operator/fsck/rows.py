"""The ledger's rows in order, read once and side by side, a few hundred in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from rogatory_gateway.ledger import tables

ROWS_HELD = 256
"""Rows of each table fetched at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An entry with the rows that belong to it."""

    entry: Row[Any]
    outcomes: list[Row[Any]]
    parts: list[Row[Any]]
    governance: list[Row[Any]]
    openings: list[Row[Any]]


class AlienValue(Exception):
    """A column holds a value of a type that the ledger never writes; SQLite lets it."""


def stream(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    """Yield a table's rows in the order of its primary key.

    Raises:
        AlienValue: a row can't be read as what its table holds.
    """
    statement = select(table).order_by(*table.primary_key.columns)
    rows = connection.execute(statement, execution_options={"yield_per": ROWS_HELD})
    types = [(column.name, column.type.python_type, column.nullable) for column in table.columns]
    while True:
        try:
            row = next(rows, None)
        except (TypeError, ValueError) as error:
            raise AlienValue(f"a row of {table.name} can't be read: {error}") from error
        if row is None:
            return
        for (name, wanted, nullable), value in zip(types, row, strict=True):
            if not (isinstance(value, wanted) or (value is None and nullable)):
                raise AlienValue(
                    f"column {name} of {table.name} holds a {type(value).__name__} in the row "
                    f"of {row[0]}"
                )
        yield row


def records(
    connection: Connection, *, unowned: Callable[[Table, Row[Any]], None]
) -> Iterator[Record]:
    """Yield every entry in order with its rows; hand over rows that belong to no entry."""
    beside = [
        _Beside(connection, table, unowned)
        for table in (tables.outcomes, tables.parts, tables.governance, tables.openings)
    ]
    for entry in stream(connection, tables.entries):
        outcomes, parts, governance, openings = (rows.of(entry.idx) for rows in beside)
        yield Record(
            entry=entry,
            outcomes=outcomes,
            parts=parts,
            governance=governance,
            openings=openings,
        )
    for rows in beside:
        rows.rest()


def count(connection: Connection, table: Table) -> int:
    """Return the number of rows of a table."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


class _Beside:
    """Rows of a table that are looked at beside the entries."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        unowned: Callable[[Table, Row[Any]], None],
    ) -> None:
        self._rows = stream(connection, table)
        self._table = table
        self._unowned = unowned
        self._next = next(self._rows, None)

    def of(self, index: int) -> list[Row[Any]]:
        """Return the rows of an entry; those before it have none."""
        found = []
        while self._next is not None and self._next.idx <= index:
            if self._next.idx == index:
                found.append(self._next)
            else:
                self._unowned(self._table, self._next)
            self._next = next(self._rows, None)
        return found

    def rest(self) -> None:
        """Hand over what comes after the last entry."""
        while self._next is not None:
            self._unowned(self._table, self._next)
            self._next = next(self._rows, None)
