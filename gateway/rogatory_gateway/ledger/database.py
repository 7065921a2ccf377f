"""The database under the ledger: engine, pragmas, making it, schema migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, insert, inspect
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from rogatory import merkle
from rogatory.errors import ConfigurationError
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.rebuilding import rebuild

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from rogatory.notes import VerifierKey

MIGRATIONS = Path(__file__).with_name("migrations")
DATABASE_FILE = "ledger.sqlite3"

RESTORE = (
    "Keep a copy of the folder as it is, and restore the backup made since the gateway last "
    "stopped: an older one, or an empty ledger, contradicts the receipts given since."
)
"""What to do about a ledger that is lost or damaged."""

READER_CONNECTIONS = 8
"""Connections kept for reads; one more is the writer's own."""

WAL_PAGES = 4096
"""Pages of the write-ahead log after which SQLite copies it back: 16 MiB."""


def open_engine(folder: Path, *, read_only: bool = False) -> Engine:
    """Return an engine on the ledger in ``folder``, which is never made by opening it.

    Connections begin transactions only when told to, so that the writer can take the lock at once
    (BEGIN IMMEDIATE) and readers never block it.
    """
    return _engine(folder, mode="ro" if read_only else "rw")


def _engine(folder: Path, *, mode: str) -> Engine:
    """Return an engine in a mode of SQLite's: ``ro``, ``rw``, or ``rwc``, which makes the file."""
    database = (folder / DATABASE_FILE).absolute().as_uri()
    engine = create_engine(
        URL.create("sqlite", database=database, query={"uri": "true", "mode": mode}),
        poolclass=QueuePool,
        pool_size=READER_CONNECTIONS,
        connect_args={"check_same_thread": False, "timeout": 5.0},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        cursor = connection.cursor()
        if mode != "ro":
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


def create(folder: Path, *, log: VerifierKey) -> None:
    """Make the empty ledger of a new log. Nothing else ever makes one.

    Args:
        folder: Where it is to be; it has none yet.
        log: Origin and public key of the log, recorded in the ledger for good.

    Raises:
        ConfigurationError: there is a ledger already.
        sqlalchemy.exc.SQLAlchemyError: it can't be written.
    """
    if (folder / DATABASE_FILE).exists():
        raise ConfigurationError(
            f"there is a ledger in {folder} already",
            hint="Choose another folder: a ledger is never overwritten.",
        )
    engine = _engine(folder, mode="rwc")
    try:
        with engine.connect() as connection:
            _upgrade(connection, log=log)
            connection.execute(
                insert(tables.head).values(
                    id=1,
                    size=0,
                    entry_time=0,
                    frontier=merkle.Frontier().to_bytes(),
                    governance=0,
                )
            )
            connection.commit()
    finally:
        engine.dispose()


def file_of(engine: Engine) -> str:
    """Return the path of an engine's database."""
    return unquote(urlsplit(engine.url.database or "").path)


def check_revision(connection: Connection) -> None:
    """Check that a database holds a ledger's tables, of a revision that this version knows.

    Raises:
        ConfigurationError: it holds none, or those of a newer version.
    """
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        raise ConfigurationError(
            f"{file_of(connection.engine)} holds no ledger: its tables are not there", hint=RESTORE
        )
    scripts = ScriptDirectory.from_config(_alembic_config()).walk_revisions()
    if current not in {script.revision for script in scripts}:
        raise ConfigurationError(
            f"the ledger has schema revision {current}, which this version does not know",
            hint="Run the newer rogatory-gateway that wrote it, or restore a backup.",
        )


def migrate(engine: Engine, *, log: VerifierKey) -> None:
    """Bring the tables of a ledger to this version's revision.

    Args:
        log: Recorded in a ledger that does not say yet whose log it is.

    Raises:
        ConfigurationError: there are no tables, or those of a newer version.
        sqlalchemy.exc.SQLAlchemyError: the database can't be written.
    """
    with engine.connect() as connection:
        check_revision(connection)
        known = inspect(connection).has_table(tables.relations.name)
        _upgrade(connection, log=log)
        if not known:
            rebuild(connection)
        connection.commit()


def _upgrade(connection: Connection, *, log: VerifierKey) -> None:
    config = _alembic_config()
    config.attributes |= {"connection": connection, "verifier_key": log.text}
    command.upgrade(config, "head")


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
