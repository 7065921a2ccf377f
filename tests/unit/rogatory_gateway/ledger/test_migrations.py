"""Migrations: they make exactly the tables that the code works with."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine

from rogatory.errors import ConfigurationError
from rogatory.notes import NoteSigner
from rogatory_gateway.ledger import database
from rogatory_gateway.ledger.database import (
    DATABASE_FILE,
    check_revision,
    create,
    migrate,
    open_engine,
)
from rogatory_gateway.ledger.tables import metadata
from tests.support.revisions import BACK_TO_FIRST
from tests.support.world import ORIGIN, signer

LOG = NoteSigner(name=ORIGIN, signer=signer("log")).key
OTHER = NoteSigner(name=ORIGIN, signer=signer("other")).key


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new ledger."""
    create(tmp_path, log=LOG)
    made = open_engine(tmp_path)
    yield made
    made.dispose()


def schema(engine: Engine) -> dict[str, str]:
    """Return the SQL of every table and index but Alembic's own, without layout."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
        )
        return {name: " ".join(sql.split()) for name, sql in rows}


def recorded(engine: Engine) -> list[str]:
    """Return whose log the ledger says it is."""
    with engine.connect() as connection:
        return [text for (text,) in connection.exec_driver_sql("SELECT verifier_key FROM log")]


def make_old(folder: Path) -> None:
    """Take a ledger back to the first revision, which did not record whose log it is."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE_FILE)) as connection:
        connection.executescript("; ".join((*BACK_TO_FIRST, "VACUUM")))


def test_migrations_and_metadata_agree(engine: Engine) -> None:
    """Alembic finds nothing to do after the last migration."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert [] == differences


def test_migrations_and_metadata_make_the_same_sqlite(engine: Engine) -> None:
    """To the word: also what Alembic does not compare, such as WITHOUT ROWID."""
    direct = create_engine("sqlite://")
    metadata.create_all(direct)

    found = schema(engine), schema(direct)
    direct.dispose()

    assert found[1] == found[0]


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    """Every start migrates; all but the first find the schema as it must be."""
    first = schema(engine)

    migrate(engine, log=OTHER)

    assert first == schema(engine)
    assert [LOG.text] == recorded(engine)


def test_a_ledger_of_the_first_version_is_brought_up(engine: Engine, tmp_path: Path) -> None:
    """It gets the table, and in it whose log it is from now on."""
    first = schema(engine)
    make_old(tmp_path)

    migrate(engine, log=LOG)

    assert first == schema(engine)
    assert [LOG.text] == recorded(engine)


def test_an_upgrade_that_was_interrupted_is_made_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables and what the entries make of them come in one transaction, or not at all."""
    first = schema(engine)
    make_old(tmp_path)
    before = schema(engine)
    followed: list[object] = []

    def stop(_connection: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "rebuild", stop)
    with pytest.raises(KeyboardInterrupt):
        migrate(engine, log=LOG)
    assert before == schema(engine)
    monkeypatch.setattr(database, "rebuild", followed.append)
    migrate(engine, log=LOG)

    assert first == schema(engine)
    assert 1 == len(followed)


def test_a_ledger_of_a_newer_version_is_refused(engine: Engine) -> None:
    """Writing to a schema that one does not know would damage it."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num='9999'")

    with pytest.raises(ConfigurationError, match="schema revision 9999"):
        migrate(engine, log=LOG)


def test_a_database_without_tables_is_refused(tmp_path: Path) -> None:
    """It is not made a ledger: that would be a second log."""
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE_FILE)) as connection:
        connection.execute("VACUUM")
    engine = open_engine(tmp_path)

    with engine.connect() as connection, pytest.raises(ConfigurationError, match="holds no ledger"):
        check_revision(connection)
    engine.dispose()


def test_a_ledger_is_never_made_twice(engine: Engine, tmp_path: Path) -> None:
    """What is there stays as it is."""
    with pytest.raises(ConfigurationError, match="already"):
        create(tmp_path, log=OTHER)

    assert [LOG.text] == recorded(engine)
