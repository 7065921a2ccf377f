"""Writing a group's rows: in bulk, and without loss to what is there already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from rogatory.notes import NoteSigner
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.database import create, open_engine
from rogatory_gateway.ledger.prepared import Statements
from rogatory_gateway.ledger.writing import Rows
from tests.support.world import ORIGIN, signer

RO, SG = ("ro.police", False), ("sg.police", False)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """An empty ledger, in a transaction."""
    create(tmp_path, log=NoteSigner(name=ORIGIN, signer=signer("log")).key)
    engine = open_engine(tmp_path)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def rows(connection: Connection) -> Rows:
    """What a group gathers."""
    return Rows(Statements(connection.dialect))


def inboxes(connection: Connection) -> set[tuple[object, ...]]:
    """Return every inbox with its last position and cursor."""
    return {tuple(row) for row in connection.execute(select(tables.inboxes))}


def test_an_inbox_that_grows_keeps_its_cursor(connection: Connection, rows: Rows) -> None:
    """Also where another inbox of the same group is new."""
    rows.write(connection, inboxes={RO: 3}, tiles=[])
    connection.execute(tables.inboxes.update().values(cursor=2))

    rows.write(connection, inboxes={RO: 5, SG: 1}, tiles=[])

    assert {(*RO, 5, 2), (*SG, 1, 0)} == inboxes(connection)


def test_the_last_tile_grows_in_place(connection: Connection, rows: Rows) -> None:
    """One row a tile, however often it grew."""
    rows.write(connection, inboxes={}, tiles=[(0, 0, b"a" * 32)])

    rows.write(connection, inboxes={}, tiles=[(0, 0, b"a" * 32 + b"b" * 32), (0, 1, b"c" * 32)])

    found = connection.execute(select(tables.tiles).order_by(tables.tiles.c.number)).all()
    assert [(0, 0, b"a" * 32 + b"b" * 32), (0, 1, b"c" * 32)] == [tuple(row) for row in found]


def test_rows_are_written_once(connection: Connection, rows: Rows) -> None:
    """What was flushed for a later message of the group to see is not written again at its end."""
    rows.add_opening(7, b"s" * 32)
    rows.add_governance(8, b"document", 1)

    rows.flush(connection)
    rows.add_opening(9, b"t" * 32)
    rows.write(connection, inboxes={}, tiles=[])

    openings = connection.execute(select(tables.openings)).all()
    documents = connection.execute(select(tables.governance)).all()
    assert [(7, b"s" * 32), (9, b"t" * 32)] == [tuple(row) for row in openings]
    assert [(8, b"document", 1)] == [tuple(row) for row in documents]
