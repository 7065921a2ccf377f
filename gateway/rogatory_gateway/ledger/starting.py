"""Before a ledger is used: it is there, it is sound, and it is the log that the settings name.

A log goes on for ever under one origin and one key. Begun anew, or gone on with under others, it
would contradict every receipt given before. So nothing but `database.create` makes a ledger, and
whatever opens one refuses what is not plainly the log that was made.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, inspect, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.notes import NoteSigner, VerifierKey
from rogatory.signers import FileSigner
from rogatory_gateway.config import naming
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.database import (
    DATABASE_FILE,
    RESTORE,
    check_revision,
    file_of,
    migrate,
    open_engine,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from rogatory_gateway.config import Settings

CHECK_SECONDS = 2.0
"""Longest check of the file at the start. SQLite reads some 1.5 GiB a second from memory, less from
a disk; what it does not get to is for `fsck`."""

_PROGRESS_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock."""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_ROOM = frozenset({sqlite3.SQLITE_FULL})
_HELD = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLog:
    """A ledger that may be written to.

    Attributes:
        engine: On its database; whoever opened it disposes of it.
        signer: Signs its checkpoints.
        checked: Whether `CHECK_SECONDS` were enough for the whole file.
    """

    engine: Engine
    signer: NoteSigner
    checked: bool


def open_log(settings: Settings) -> OpenedLog:
    """Open a gateway's ledger for writing.

    1. The file is there, not empty, and holds a ledger's tables.
    2. SQLite finds it sound, as far as it gets in `CHECK_SECONDS`.
    3. Origin and key are those in `log.vkey`, and those that the ledger records.
    4. The tables are brought to this version's revision.
    5. The head is where the entries end.

    Raises:
        ConfigurationError: one of them is not so; the text names setting, file and remedy.
        KeyFileError: the log's key can't be read.
    """
    engine = open_ledger_file(settings, read_only=False)
    try:
        with explained(settings):
            with engine.connect() as connection:
                check_revision(connection)  # (1)
                checked = _check_file(connection)  # (2)
                recorded = recorded_key(connection)
            signer = log_signer(settings)
            check_same_log(settings, signer.key, recorded)  # (3)
            migrate(engine, log=signer.key)  # (4)
            with engine.connect() as connection:
                _check_head(connection)  # (5)
    except BaseException:
        engine.dispose()
        raise
    return OpenedLog(engine=engine, signer=signer, checked=checked)


def open_ledger_file(settings: Settings, *, read_only: bool) -> Engine:
    """Return an engine on the ledger's file, after a look at whether there is one.

    Raises:
        ConfigurationError: it is missing or empty.
    """
    folder = settings.gateway.data
    file = folder / DATABASE_FILE
    if not file.is_file():
        raise ConfigurationError(
            f"[gateway] data: there is no ledger in {folder}: {DATABASE_FILE} is missing",
            hint=f"Check the setting; if it is right, the file is lost. {RESTORE}",
        )
    if not file.stat().st_size:
        raise ConfigurationError(f"the ledger {file} is an empty file", hint=RESTORE)
    return open_engine(folder, read_only=read_only)


def log_signer(settings: Settings) -> NoteSigner:
    """Return what signs checkpoints, under the log's origin.

    Raises:
        KeyFileError: the key file is missing, open to others, or holds no such key.
    """
    with naming("[log] key"):
        return NoteSigner(name=settings.gateway.origin, signer=FileSigner(settings.log.key))


def recorded_key(connection: Connection) -> VerifierKey | None:
    """Return whose log the ledger says it is; None for one of a version that did not say it.

    Raises:
        ConfigurationError: it must say it, and does not.
    """
    if not inspect(connection).has_table(tables.log.name):
        return None
    rows = connection.execute(select(tables.log.c.verifier_key)).all()
    try:
        ((text,),) = rows
        return VerifierKey.parse(text)
    except (ValueError, RogatoryError) as error:
        raise _damaged(connection, "it no longer says whose log it is") from error


def check_same_log(settings: Settings, key: VerifierKey, recorded: VerifierKey | None) -> None:
    """Check that origin and key are those of the log.

    Raises:
        ConfigurationError: the first of the `mismatches`.
    """
    for fault in mismatches(settings, key, recorded):
        raise fault


def mismatches(
    settings: Settings, key: VerifierKey, recorded: VerifierKey | None
) -> Iterator[ConfigurationError]:
    """Yield every way in which origin and key are not those of the log.

    Args:
        key: The log's key and origin, as key file and settings have them.
        recorded: As the ledger records them.
    """
    file = settings.log.verifier_key
    try:
        published = VerifierKey.parse(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError, RogatoryError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not a verifier key"
        line = "the line that partners have in their policy files"
        if recorded is not None:
            line = f"this line: {recorded.text}"
        yield ConfigurationError(
            f"[log] verifier_key: {file} can't be read: {what}", hint=f"Write into it {line}"
        )
    else:
        yield from _differences(settings, key, published, where=str(file))
    if recorded is not None:
        yield from _differences(settings, key, recorded, where="the ledger")


def _differences(
    settings: Settings, key: VerifierKey, known: VerifierKey, *, where: str
) -> Iterator[ConfigurationError]:
    if key.name != known.name:
        yield ConfigurationError(
            f"[gateway] origin is {key.name!r}, and {where} is of the log {known.name!r}",
            hint="Set it back: a log never changes its name. Another log is another gateway, made "
            "with `rogatory-gateway init`.",
        )
    elif key.public_key != known.public_key:
        yield ConfigurationError(
            f"[log] key: {settings.log.key} is the key {key.key_id.hex()}, and {where} is of the "
            f"log with the key {known.key_id.hex()}",
            hint="Put the log's own key, or its own verifier key, back: checkpoints of another key "
            "are refused by everyone who pinned the first.",
        )


@contextlib.contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Say of a database error which file it is about, what SQLite says, and what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        # The low byte is the kind; the others say more about it.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            hint = f"The file is damaged. {RESTORE}"
        elif code in _ROOM:
            hint = "Make room on its disk."
        elif code in _HELD:
            hint = "Another process holds it; try again in a moment."
        else:
            hint = "Check that you may read and write it; `rogatory-gateway fsck` checks the rest."
        raise ConfigurationError(
            f"the ledger {settings.gateway.data / DATABASE_FILE} can't be used: {cause}", hint=hint
        ) from error


def _check_file(connection: Connection) -> bool:
    """Have SQLite check its file; return whether it came to the end in time.

    Raises:
        ConfigurationError: it is damaged.
    """
    if connection.dialect.name != "sqlite":
        return True
    driver = connection.connection.driver_connection
    assert driver is not None
    end = time.monotonic() + CHECK_SECONDS
    driver.set_progress_handler(lambda: time.monotonic() > end, _PROGRESS_STEPS)
    try:
        (found,) = connection.exec_driver_sql("PRAGMA quick_check(1)").one()
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
            raise
        return False
    finally:
        driver.set_progress_handler(None, 0)
    if found != "ok":
        raise _damaged(connection, " ".join(found.split()))
    return True


def _check_head(connection: Connection) -> None:
    """Check that there is one head, where the entries end.

    Raises:
        ConfigurationError: it is not so.
    """
    sizes = connection.execute(select(tables.head.c.size)).scalars().all()
    last = connection.execute(select(func.max(tables.entries.c.idx))).scalar()
    size = 0 if last is None else last + 1
    if list(sizes) != [size]:
        said = ", ".join(map(str, sizes)) or "nothing"
        raise _damaged(connection, f"its head says {said}, and there are {size} entries")


def _damaged(connection: Connection, how: str) -> ConfigurationError:
    return ConfigurationError(
        f"the ledger {file_of(connection.engine)} is damaged: {how}", hint=RESTORE
    )
