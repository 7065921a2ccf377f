"""Opening a gateway's ledger from the command line, beside a gateway that may be running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from rogatory_gateway.config import Settings
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.database import check_revision
from rogatory_gateway.ledger.ledger import Ledger
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.ledger.starting import explained, open_ledger_file, open_log


@contextmanager
def open_ledger(settings: Settings, *, now: Callable[[], int] = time.time_ns) -> Iterator[Ledger]:
    """Open the ledger for writing.

    A gateway that is running keeps running: each group takes the database's write lock, and both
    sides load afresh what the other has entered.

    Raises:
        RogatoryError: it is not there, not sound, not the log of these settings, or can't be
            written.
    """
    engine = open_log(settings).engine
    try:
        with explained(settings):
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
    engine = open_ledger_file(settings, read_only=True)
    try:
        with explained(settings), engine.connect() as connection:
            # The first read begins the transaction and fixes what it sees; closing rolls it back.
            check_revision(connection)
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
