"""Opening a ledger: only the log that was made is opened, and whatever else lies there is named."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rogatory.errors import ConfigurationError, KeyFileError
from rogatory.keyfiles import write_key_file
from rogatory.notes import NoteSigner
from rogatory_gateway.config import FILE_NAME, load
from rogatory_gateway.ledger import starting
from rogatory_gateway.ledger.database import DATABASE_FILE
from rogatory_gateway.ledger.starting import OpenedLog, open_ledger_file, open_log
from tests.support.history import fill
from tests.support.revisions import BACK_TO_FIRST
from tests.support.world import ORIGIN, private_key, signer

Change = Callable[[Path], object]

LOG = NoteSigner(name=ORIGIN, signer=signer("log")).key
OTHER_ORIGIN = "gateway.example/second"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gateway whose ledger nobody touched."""
    return fill(tmp_path_factory.mktemp("starting") / "gateway", messages=40).folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(sound, tmp_path / "gateway")


@contextlib.contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the database behind the gateway's back."""
    with contextlib.closing(sqlite3.connect(folder / "data" / DATABASE_FILE)) as connection:
        yield connection
        connection.commit()


def opened(folder: Path) -> OpenedLog:
    """Open the ledger of a folder and close it again."""
    found = open_log(load(folder))
    found.engine.dispose()
    return found


def refusal(folder: Path) -> str:
    """Return what is said of a folder that is refused."""
    with pytest.raises((ConfigurationError, KeyFileError)) as refused:
        opened(folder)
    return str(refused.value)


def sql(*statements: str) -> Change:
    """Change the database."""

    def change(folder: Path) -> None:
        with database(folder) as connection:
            connection.executescript(";".join(statements))

    return change


def lost(folder: Path) -> None:
    """Remove the ledger, as `rm data/*` does."""
    for file in (folder / "data").iterdir():
        file.unlink()


def emptied(folder: Path) -> None:
    """Leave the ledger's file, with nothing in it."""
    (folder / "data" / DATABASE_FILE).write_bytes(b"")


def overwritten(folder: Path) -> None:
    """Write rubbish over some of its pages."""
    with (folder / "data" / DATABASE_FILE).open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xaa" * 8 * 4096)


def replaced(folder: Path) -> None:
    """Put something else in its place."""
    (folder / "data" / DATABASE_FILE).write_bytes(b"not a database" * 1000)


def without_tables(folder: Path) -> None:
    """Put an empty database in its place."""
    lost(folder)
    sql("VACUUM")(folder)


def other_origin(folder: Path) -> None:
    """Change the log's name in the settings."""
    file = folder / FILE_NAME
    file.write_text(file.read_text().replace(ORIGIN, OTHER_ORIGIN))


def other_key(folder: Path) -> None:
    """Put another key in the place of the log's."""
    (folder / "log-key.pem").unlink()
    write_key_file(folder / "log-key.pem", private_key("another log"))


def own_verifier_key(folder: Path) -> None:
    """Write the verifier key that belongs to key and origin as they are now."""
    settings = load(folder)
    settings.log.verifier_key.write_text(starting.log_signer(settings).key.text)


def no_verifier_key(folder: Path) -> None:
    """Remove the verifier key's file."""
    (folder / "log.vkey").unlink()


def test_a_sound_ledger_is_opened(folder: Path) -> None:
    """Checked to its end, and signed for under the log's name and key."""
    found = opened(folder)

    assert (True, LOG) == (found.checked, found.signer.key)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lost, f"there is no ledger in .*: {DATABASE_FILE} is missing"),
        (emptied, f"the ledger .*{DATABASE_FILE} is an empty file"),
        (without_tables, f"{DATABASE_FILE} holds no ledger: its tables are not there"),
        (replaced, f"{DATABASE_FILE} can't be used: file is not a database. The file is damaged"),
        (overwritten, f"{DATABASE_FILE} (is damaged: |can't be used: .*malformed)"),
        (sql("DELETE FROM head"), "damaged: its head says nothing, and there are 55 entries"),
        (sql("UPDATE head SET size=3"), "damaged: its head says 3, and there are 55 entries"),
        (sql("DELETE FROM log"), "is damaged: it no longer says whose log it is"),
    ],
)
def test_what_is_not_the_whole_ledger_is_refused(folder: Path, change: Change, text: str) -> None:
    """Named, with the advice to restore it; nothing is made in its place."""
    change(folder)
    before = (folder / "data" / DATABASE_FILE).exists()

    said = refusal(folder)

    assert re.search(text, said), said
    assert "restore the backup made since the gateway last stopped" in said
    assert before == (folder / "data" / DATABASE_FILE).exists()


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ([other_origin], ["[gateway] origin is 'gateway.example/second'", "log.vkey", ORIGIN]),
        ([other_origin, own_verifier_key], ["[gateway] origin", "the ledger is of", ORIGIN]),
        ([other_key], ["[log] key", "log-key.pem", "log.vkey", LOG.key_id.hex()]),
        ([other_key, own_verifier_key], ["[log] key", "the ledger is of", LOG.key_id.hex()]),
        (
            [no_verifier_key],
            ["[log] verifier_key", "log.vkey", f"Write into it this line: {LOG.text}"],
        ),
    ],
)
def test_another_log_than_the_settings_name_is_refused(
    folder: Path, changes: list[Change], texts: list[str]
) -> None:
    """Whether one file was swapped or both: the ledger records whose log it is."""
    for change in changes:
        change(folder)

    said = refusal(folder)

    assert [] == [text for text in texts if text not in said], said


def test_a_key_that_cannot_be_read_is_named_by_its_setting(folder: Path) -> None:
    """A path alone would leave the operator to guess which setting it came from."""
    (folder / "log-key.pem").chmod(0o644)

    said = refusal(folder)

    assert said.startswith("[log] key: The file ")
    assert "chmod 600" in said


def test_a_ledger_of_the_first_version_records_whose_log_it_is(folder: Path) -> None:
    """Once `log.vkey` agrees; from then on swapping both files shows there too."""
    sql(*BACK_TO_FIRST)(folder)

    opened(folder)

    with database(folder) as connection:
        recorded = connection.execute("SELECT verifier_key FROM log").fetchall()
    assert [(LOG.text,)] == recorded


def test_a_ledger_of_the_first_version_is_not_adopted_by_another_key(folder: Path) -> None:
    """Its tables stay as they were."""
    sql(*BACK_TO_FIRST)(folder)
    other_key(folder)

    said = refusal(folder)

    with database(folder) as connection:
        revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert "[log] key" in said
    assert [("0001",)] == revisions


def test_a_check_that_would_take_too_long_is_cut_short(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start does not wait for gigabytes to be read; it says that it did not see all."""
    monkeypatch.setattr(starting, "CHECK_SECONDS", -1.0)
    monkeypatch.setattr(starting, "_PROGRESS_STEPS", 1)

    found = opened(folder)

    assert not found.checked


def test_a_folder_may_have_any_name(folder: Path) -> None:
    """Characters that mean something in SQLite's addresses are no part of one."""
    renamed = folder.rename(folder.with_name("50% #1?mode=memory"))

    found = opened(renamed)

    engine = open_ledger_file(load(renamed), read_only=True)
    with engine.connect() as connection:
        (size,) = connection.exec_driver_sql("SELECT size FROM head").one()
    engine.dispose()
    assert (LOG, 55) == (found.signer.key, size)
