"""Opening a gateway's ledger from the command line, beside a gateway that may be running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from rogatory.errors import ConfigurationError
from rogatory_gateway.config import Settings
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.database import DATABASE_FILE, migrate, open_engine
from rogatory_gateway.ledger.ledger import Ledger
from rogatory_gateway.ledger.registry import Registry


@contextmanager
def open_ledger(settings: Settings, *, now: Callable[[], int] = time.time_ns) -> Iterator[Ledger]:
    """Open the ledger for writing.

    A gateway that is running keeps running: each group takes the database's write lock, and both
    sides load afresh what the other has entered.

    Raises:
        ConfigurationError: there is no ledger, or it can't be written.
    """
    engine = _engine(settings, read_only=False)
    try:
        migrate(engine)
        with _explained(settings):
            ledger = Ledger(engine, now=now)
            try:
                yield ledger
            finally:
                ledger.close()
    finally:
        engine.dispose()


@contextmanager
def open_snapshot(settings: Settings) -> Iterator[Connection]:
    """Open the ledger for reading, as it is at this moment: one transaction that never writes.

    Raises:
        ConfigurationError: there is no ledger, or it can't be read.
    """
    engine = _engine(settings, read_only=True)
    try:
        with _explained(settings), engine.connect() as connection:
            # The first read begins the transaction and fixes what it sees; closing rolls it back.
            connection.execute(select(tables.head.c.size)).first()
            yield connection
    finally:
        engine.dispose()


def load_registry(connection: Connection) -> Registry:
    """Rebuild agencies and agreements from the governance entries.

    Raises:
        RogatoryError: one of them does not hold; `fsck` says which.
    """
    table = tables.governance.c
    rows = connection.execute(select(table.document, table.entry_time).order_by(table.idx))
    return Registry.replay((document, entry_time) for document, entry_time in rows)


def _engine(settings: Settings, *, read_only: bool) -> Engine:
    folder = settings.gateway.data
    if not (folder / DATABASE_FILE).is_file():
        raise ConfigurationError(
            f"there is no ledger in {folder}",
            hint="Check [gateway] data in gateway.toml, or restore the folder from a backup.",
        )
    return open_engine(folder, read_only=read_only)


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise ConfigurationError(
            f"the ledger in {settings.gateway.data} can't be used: {cause}",
            hint="Check disk space and rights; if the file is damaged, restore a backup.",
        ) from error
