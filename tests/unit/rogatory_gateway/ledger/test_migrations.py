"""Migrations: they make exactly the tables that the code works with."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine

from rogatory.errors import ConfigurationError
from rogatory_gateway.ledger.database import DATABASE_FILE, migrate, open_engine
from rogatory_gateway.ledger.tables import metadata


def schema(engine: Engine) -> dict[str, str]:
    """Return the SQL of every table and index but Alembic's own, without layout."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
        )
        return {name: " ".join(sql.split()) for name, sql in rows}


def test_migrations_and_metadata_agree(tmp_path: Path) -> None:
    """Alembic finds nothing to do after the last migration."""
    engine = open_engine(tmp_path)
    migrate(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert [] == differences


def test_migrations_and_metadata_make_the_same_sqlite(tmp_path: Path) -> None:
    """To the word: also what Alembic does not compare, such as WITHOUT ROWID."""
    migrated = open_engine(tmp_path)
    migrate(migrated)
    direct = create_engine("sqlite://")
    metadata.create_all(direct)

    found = schema(migrated), schema(direct)
    migrated.dispose()
    direct.dispose()

    assert found[1] == found[0]


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    """Every start migrates; all but the first find the schema as it must be."""
    engine = open_engine(tmp_path)
    migrate(engine)
    first = schema(engine)

    migrate(engine)

    assert first == schema(engine)
    engine.dispose()


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Writing to a schema that one does not know would damage it."""
    engine = open_engine(tmp_path)
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num='9999'")

    with pytest.raises(ConfigurationError, match="schema revision 9999"):
        migrate(engine)
    engine.dispose()


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """Named, with what to check."""
    (tmp_path / DATABASE_FILE).write_bytes(b"not a database" * 100)
    engine = open_engine(tmp_path)

    with pytest.raises(ConfigurationError, match="can't be opened"):
        migrate(engine)
    engine.dispose()
