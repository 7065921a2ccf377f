"""The database under the ledger: engine, pragmas, schema migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from rogatory.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).with_name("migrations")
DATABASE_FILE = "ledger.sqlite3"

READER_CONNECTIONS = 8
"""Connections kept for reads; one more is the writer's own."""

WAL_PAGES = 4096
"""Pages of the write-ahead log after which SQLite copies it back: 16 MiB."""


def open_engine(folder: Path, *, read_only: bool = False) -> Engine:
    """Return an engine on the ledger in ``folder``.

    Connections begin transactions only when told to, so that the writer can take the lock at once
    (BEGIN IMMEDIATE) and readers never block it.
    """
    database = folder / DATABASE_FILE
    query = {"uri": "true", "mode": "ro"} if read_only else {}
    name = f"file:{database}" if read_only else str(database)
    engine = create_engine(
        URL.create("sqlite", database=name, query=query),
        poolclass=QueuePool,
        pool_size=READER_CONNECTIONS,
        connect_args={"check_same_thread": False, "timeout": 5.0},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        cursor = connection.cursor()
        if not read_only:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        cursor.execute("PRAGMA cache_size=-8192")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema to this version's revision.

    Raises:
        ConfigurationError: the database can't be written, or is of a newer version.
    """
    config = _alembic_config()
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            known = {
                script.revision for script in ScriptDirectory.from_config(config).walk_revisions()
            }
            if current is not None and current not in known:
                raise ConfigurationError(
                    f"the ledger has schema revision {current}, which this version does not know",
                    hint="Run the newer rogatory-gateway that wrote it, or restore a backup.",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"the ledger at {engine.url.database} can't be opened: {error.__class__.__name__}",
            hint="Check that the data folder exists, is writable and has room.",
        ) from error


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
