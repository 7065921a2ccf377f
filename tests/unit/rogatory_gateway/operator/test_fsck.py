"""`fsck`: a sound ledger is clean, and each single change to it is found and named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from rogatory import clock, merkle
from rogatory.audit.v1 import entry_pb2
from rogatory.envelopes import outcome_commitment
from rogatory.exchange.v1 import decision_pb2, envelope_pb2
from rogatory.notes import NoteSigner
from rogatory_gateway.config import load
from rogatory_gateway.ledger.database import DATABASE_FILE
from rogatory_gateway.operator.fsck import Fault, Report, check_ledger, check_set_up
from rogatory_gateway.operator.fsck.findings import MAX_LISTED
from rogatory_gateway.operator.opening import open_snapshot
from tests.support.history import NL, fill
from tests.support.world import ORIGIN, signer

Tampering = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gateway whose ledger nobody touched."""
    return fill(tmp_path_factory.mktemp("fsck") / "gateway").folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy to tamper with."""
    return shutil.copytree(sound, tmp_path / "gateway")


def check(folder: Path) -> Report:
    """Verify the ledger in a gateway's folder."""
    with open_snapshot(load(folder)) as connection:
        return check_ledger(
            connection, report=Report(origin=ORIGIN), progress=lambda _done, _size: None
        )


def tamper(folder: Path, change: Tampering) -> None:
    """Change the database behind the gateway's back."""
    with sqlite3.connect(folder / "data" / DATABASE_FILE) as connection:
        change(connection)
    connection.close()


def sql(statement: str, *values: object) -> Tampering:
    """A change in one statement, which must hit something."""

    def change(connection: sqlite3.Connection) -> None:
        assert connection.execute(statement, values).rowcount > 0

    return change


def entry(index: int, edit: Callable[[entry_pb2.AuditEntry], object]) -> Tampering:
    """Rewrite an entry, and only it."""

    def change(connection: sqlite3.Connection) -> None:
        (data,) = connection.execute("SELECT entry FROM entries WHERE idx=?", (index,)).fetchone()
        made = entry_pb2.AuditEntry.FromString(data)
        edit(made)
        connection.execute(
            "UPDATE entries SET entry=? WHERE idx=?",
            (made.SerializeToString(deterministic=True), index),
        )

    return change


def outcome(index: int, edit: Callable[[decision_pb2.Outcome], object]) -> Tampering:
    """Rewrite the first outcome of an entry, and only it."""

    def change(connection: sqlite3.Connection) -> None:
        (data,) = connection.execute(
            "SELECT outcome FROM outcomes WHERE idx=? AND position=0", (index,)
        ).fetchone()
        made = decision_pb2.Outcome.FromString(data)
        edit(made)
        connection.execute(
            "UPDATE outcomes SET outcome=? WHERE idx=? AND position=0",
            (made.SerializeToString(deterministic=True), index),
        )

    return change


def part(index: int, edit: Callable[[envelope_pb2.Part], object]) -> Tampering:
    """Rewrite the first part of an entry."""

    def change(connection: sqlite3.Connection) -> None:
        (data,) = connection.execute(
            "SELECT part FROM parts WHERE idx=? AND position=0", (index,)
        ).fetchone()
        made = envelope_pb2.Part.FromString(data)
        edit(made)
        connection.execute(
            "UPDATE parts SET part=? WHERE idx=? AND position=0",
            (made.SerializeToString(), index),
        )

    return change


def everywhere(index: int, edit: Callable[[entry_pb2.AuditEntry, bytes], object]) -> Tampering:
    """Rewrite an entry and make tree, tiles and head anew: what only a forger at home can do.

    ``edit`` gets the entry and, for a message, its first outcome.
    """

    def change(connection: sqlite3.Connection) -> None:
        row = connection.execute(
            "SELECT outcome FROM outcomes WHERE idx=? AND position=0", (index,)
        ).fetchone()
        entry(index, lambda made: edit(made, row[0] if row else b""))(connection)
        leaves = [
            merkle.leaf_hash(data)
            for (data,) in connection.execute("SELECT entry FROM entries ORDER BY idx")
        ]
        growth = merkle.Frontier().extend(leaves)
        connection.execute("UPDATE head SET frontier=?", (growth.frontier.to_bytes(),))
        for level in range((growth.levels + 7) // 8):
            hashes = b"".join(growth.new_nodes(8 * level)[1])
            for number, at in enumerate(range(0, len(hashes), 8192)):
                connection.execute(
                    "UPDATE tiles SET hashes=? WHERE level=? AND number=?",
                    (hashes[at : at + 8192], level, number),
                )

    return change


def flip(data: bytes) -> bytes:
    """Change one bit."""
    return bytes([data[0] ^ 1, *data[1:]])


def forge_signature(made: entry_pb2.AuditEntry, _outcome: bytes) -> None:
    """Change a signature in an entry."""
    made.message.signatures[0].value = flip(made.message.signatures[0].value)


def forge_header(made: entry_pb2.AuditEntry, _outcome: bytes) -> None:
    """Address a message to another gateway, without its sender's signature."""
    header = envelope_pb2.Header.FromString(made.message.header)
    header.audience = "elsewhere.example/exchange"
    made.message.header = header.SerializeToString(deterministic=True)


def backdate(made: entry_pb2.AuditEntry) -> None:
    """Put an entry a second back."""
    instant = clock.to_nanoseconds(made.entry_time) - clock.NANOSECONDS_PER_SECOND
    made.entry_time.CopyFrom(clock.to_timestamp(instant))


def at_the_same_time(connection: sqlite3.Connection) -> None:
    """Let the last entry, which governs, be no later than the one before it."""
    (last, before) = (
        instant
        for (instant,) in connection.execute(
            "SELECT entry_time FROM entries ORDER BY idx DESC LIMIT 2"
        )
    )
    entry(314, lambda made: made.entry_time.CopyFrom(clock.to_timestamp(before)))(connection)
    assert last > before


TREE = {Fault.TREE, Fault.TILE}
CASES: dict[str, tuple[Tampering, set[Fault], str]] = {
    "an entry deleted": (
        sql("DELETE FROM entries WHERE idx=20"),
        # What is left of it belongs to nothing; inbox and quota lack it.
        {Fault.ENTRY_MISSING, Fault.TREE, Fault.OUTCOME_UNOWNED, Fault.PART_UNOWNED}
        | {Fault.INBOX_NUMBER, Fault.CONTEXT, Fault.QUOTA},
        "entry 20",
    ),
    "the last entry deleted": (
        sql("DELETE FROM entries WHERE idx=(SELECT max(idx) FROM entries)"),
        {Fault.ENTRY_MISSING, Fault.TREE, Fault.HEAD, Fault.GOVERNANCE_TABLE},
        "entry 314",
    ),
    "an entry beyond the head": (
        sql(
            "INSERT INTO entries SELECT 900, entry_time, tag, actor, kind, exercise, NULL, NULL,"
            " NULL, entry FROM entries WHERE idx=12"
        ),
        {Fault.ENTRY_BEYOND_HEAD},
        "entry 900",
    ),
    "an entry cut short": (
        sql("UPDATE entries SET entry=substr(entry, 1, 20) WHERE idx=12"),
        {Fault.ENTRY_MALFORMED, *TREE},
        "entry 12",
    ),
    "an entry emptied": (
        everywhere(12, lambda made, _: made.ClearField("access")),
        {Fault.ENTRY_MALFORMED, Fault.OPENING},
        "entry 12",
    ),
    "an unknown field in an entry": (
        sql("UPDATE entries SET entry=CAST(entry || x'f23f00' AS BLOB) WHERE idx=12"),
        {Fault.ENTRY_MALFORMED, *TREE},
        "entry 12",
    ),
    "an entry's actor changed": (
        entry(12, lambda made: setattr(made, "actor", NL)),
        {Fault.ENTRY_COLUMNS, *TREE},
        "entry 12",
    ),
    "an entry's tag changed": (
        entry(6, lambda made: setattr(made, "tag", "exchange:transfer:admitted")),
        {Fault.ENTRY_TAG, Fault.ENTRY_COLUMNS, *TREE},
        "entry 6",
    ),
    "an entry back-dated": (
        entry(12, backdate),
        {Fault.ENTRY_TIME, Fault.ENTRY_COLUMNS, *TREE},
        "entry 12",
    ),
    "a read hidden as a smaller one": (
        everywhere(12, lambda made, _: setattr(made.access, "items", 2)),
        set(),  # nothing at rest contradicts it: only those who hold a checkpoint can tell
        "",
    ),
    "a signature changed, tree and all": (
        everywhere(4, forge_signature),
        # Without its signers the decision would have been another.
        {Fault.SIGNATURE, Fault.OUTCOME_MALFORMED, Fault.INBOX_NUMBER},
        "entry 4",
    ),
    "a header changed, tree and all": (
        everywhere(4, forge_header),
        {Fault.SIGNATURE, Fault.AUDIENCE, Fault.ENTRY_COLUMNS, Fault.OUTCOME_MALFORMED}
        | {Fault.INBOX_NUMBER},
        "entry 4",
    ),
    "a rejected header's signature changed": (
        everywhere(
            9,
            lambda made, _: setattr(
                made.rejection.signatures[0], "value", flip(made.rejection.signatures[0].value)
            ),
        ),
        {Fault.SIGNATURE},
        "entry 9",
    ),
    "the salt of a read deleted": (
        sql("DELETE FROM openings WHERE idx=12"),
        {Fault.OPENING},
        "entry 12",
    ),
    "the salt of a rejection cut short": (
        sql("UPDATE openings SET salt=zeroblob(31) WHERE idx=10"),
        {Fault.OPENING},
        "entry 10",
    ),
    "a salt for what holds a header": (
        sql("INSERT INTO openings VALUES (9, zeroblob(32))"),
        {Fault.OPENING},
        "openings row of entry 9",
    ),
    "a salt of no entry": (
        sql("INSERT INTO openings VALUES (900, zeroblob(32))"),
        {Fault.OPENING},
        "openings row of entry 900",
    ),
    "governance at the time of the entry before it": (
        at_the_same_time,
        {Fault.ENTRY_TIME, Fault.ENTRY_COLUMNS, Fault.GOVERNANCE_TABLE, Fault.HEAD, *TREE},
        "entry 314",
    ),
    "a rejection without reason": (
        everywhere(10, lambda made, _: setattr(made.rejection, "reason", "MOOD")),
        {Fault.REJECTION},
        "entry 10",
    ),
    "a column beside an entry": (
        sql("UPDATE entries SET actor='sg.police' WHERE idx=4"),
        {Fault.ENTRY_COLUMNS},
        "entry 4",
    ),
    "an identity, so that a message could be sent twice": (
        sql("UPDATE entries SET identity=x'00' WHERE idx=4"),
        # Entry 7 acknowledges it, and would not find it any more.
        {Fault.ENTRY_COLUMNS, Fault.CONTEXT},
        "entry 4",
    ),
    "a tile's hash": (
        sql("UPDATE tiles SET hashes=CAST(x'00' || substr(hashes, 2) AS BLOB) WHERE number=0"),
        {Fault.TILE},
        "tile/0/000",
    ),
    "two tiles swapped": (
        sql("UPDATE tiles SET number=CASE number WHEN 0 THEN -1 ELSE 0 END WHERE level=0"),
        {Fault.TILE},
        "tile/0/000",
    ),
    "a tile deleted": (
        sql("DELETE FROM tiles WHERE level=1"),
        {Fault.TILE},
        "tile/1/000.p/1",
    ),
    "a tile cut short": (
        sql("UPDATE tiles SET hashes=substr(hashes, 1, 64) WHERE number=1"),
        {Fault.TILE},
        "tile/0/001.p/59",
    ),
    "a tile beyond the tree": (
        sql("INSERT INTO tiles VALUES (0, 7, zeroblob(32))"),
        {Fault.TILE_BEYOND_HEAD},
        "tile level 0 number 7",
    ),
    "the head's tree": (
        sql("UPDATE head SET frontier=?", (315).to_bytes(8, "big") + bytes(32 * 6)),
        {Fault.TREE},
        "log",
    ),
    "the head's tree unreadable": (
        sql("UPDATE head SET frontier=x'00'"),
        {Fault.HEAD},
        "head",
    ),
    "a value of another type": (
        sql("UPDATE outcomes SET salt='text' WHERE idx=6"),
        {Fault.DATABASE},
        "ledger",
    ),
    "a text where a number belongs": (
        sql("UPDATE inboxes SET last_position='many'"),
        {Fault.DATABASE},
        "ledger",
    ),
    "the head's time": (sql("UPDATE head SET entry_time=1"), {Fault.HEAD}, "head"),
    "the head's governance count": (sql("UPDATE head SET governance=1"), {Fault.HEAD}, "head"),
    "the head deleted": (sql("DELETE FROM head"), {Fault.HEAD}, "head"),
    "the head put back": (
        sql("UPDATE head SET size=size - 1"),
        {Fault.ENTRY_BEYOND_HEAD, Fault.TREE, Fault.TILE, Fault.HEAD},
        "entry 314",
    ),
    "an agreement changed": (
        sql("UPDATE governance SET document=CAST(document || x'00' AS BLOB) WHERE idx=3"),
        {Fault.GOVERNANCE_TABLE},
        "entry 3",
    ),
    "an agreement taken out of force": (
        sql("DELETE FROM governance WHERE idx=3"),
        {Fault.GOVERNANCE_TABLE},
        "entry 3",
    ),
    "an agreement added that nobody signed": (
        sql("INSERT INTO governance SELECT 12, document, entry_time FROM governance WHERE idx=3"),
        {Fault.GOVERNANCE_TABLE},
        "governance row of entry 12",
    ),
    "a root's signature under an agreement": (
        everywhere(
            3,
            lambda made, _: setattr(
                made.governance.agreement.signatures[0],
                "value",
                flip(made.governance.agreement.signatures[0].value),
            ),
        ),
        # With the agreement gone, all that rested on it falls.
        {Fault.GOVERNANCE, Fault.GOVERNANCE_TABLE, Fault.CONTEXT, Fault.DECISION, Fault.QUOTA},
        "entry 3",
    ),
    "an outcome deleted": (
        sql("DELETE FROM outcomes WHERE idx=4 AND position=1"),
        {Fault.OUTCOME_MISSING, Fault.INBOX_NUMBER},
        "entry 4, outcome 1",
    ),
    "an outcome added": (
        sql(
            "INSERT INTO outcomes SELECT idx, 5, 'nl.police', exercise, 77, disposition,"
            " agreement_id, agreement_digest, salt, outcome FROM outcomes"
            " WHERE idx=4 AND position=0"
        ),
        {Fault.OUTCOME_UNOWNED},
        "entry 4, outcome 5",
    ),
    "an outcome of no message": (
        sql("UPDATE outcomes SET idx=12 WHERE idx=4 AND position=1"),
        {Fault.OUTCOME_MISSING, Fault.OUTCOME_UNOWNED, Fault.INBOX_NUMBER},
        "outcomes row of entry 12",
    ),
    "a salt replaced": (
        sql("UPDATE outcomes SET salt=zeroblob(32) WHERE idx=6"),
        {Fault.OUTCOME_COMMITMENT},
        "entry 6, outcome 0",
    ),
    "a decision changed": (
        outcome(6, lambda made: setattr(made.decision, "article", "Art. 9")),
        {Fault.OUTCOME_COMMITMENT},
        "entry 6, outcome 0",
    ),
    "a disposition in its column": (
        sql("UPDATE outcomes SET disposition=1 WHERE idx=6"),
        {Fault.OUTCOME_COLUMNS},
        "entry 6, outcome 0",
    ),
    "an inbox renumbered": (
        sql("UPDATE outcomes SET inbox_position=9000 WHERE idx=5"),
        {Fault.OUTCOME_COLUMNS},
        "entry 5, outcome 0",
    ),
    "a delivery hidden from a recipient": (
        sql("UPDATE outcomes SET inbox_position=NULL WHERE idx=5"),
        {Fault.OUTCOME_COLUMNS},
        "entry 5, outcome 0",
    ),
    "a part deleted": (
        sql("DELETE FROM parts WHERE idx=5 AND position=1"),
        {Fault.PART_MISSING},
        "entry 5, part 1",
    ),
    "a part of a refused message": (
        sql("INSERT INTO parts SELECT 6, position, part FROM parts WHERE idx=5"),
        {Fault.PART_UNOWNED},
        "entry 6, part 0",
    ),
    "a part's content changed": (
        part(4, lambda made: setattr(made.clear, "content", flip(made.clear.content))),
        {Fault.PART_COMMITMENT},
        "entry 4, part 0",
    ),
    "a part's salt changed": (
        part(4, lambda made: setattr(made.clear, "salt", flip(made.clear.salt))),
        {Fault.PART_COMMITMENT},
        "entry 4, part 0",
    ),
    "parts swapped": (
        sql("UPDATE parts SET position=5 - position WHERE idx=5 AND position < 2"),
        {Fault.PART_MISSING, Fault.PART_UNOWNED},
        "entry 5, part 0",
    ),
    "a part withheld at rest": (
        part(
            4,
            lambda made: made.absent.CopyFrom(
                envelope_pb2.AbsentPart(reason=envelope_pb2.ABSENCE_REASON_WITHHELD)
            ),
        ),
        {Fault.PART_COMMITMENT},
        "entry 4, part 0",
    ),
    "a part erased without a word in the log": (
        part(
            4,
            lambda made: made.absent.CopyFrom(
                envelope_pb2.AbsentPart(reason=envelope_pb2.ABSENCE_REASON_ERASED)
            ),
        ),
        {Fault.PART_ABSENT},
        "log",
    ),
    "a cursor put back": (
        sql("UPDATE inboxes SET cursor=1 WHERE agency='ro.police' AND exercise=0"),
        {Fault.INBOX_TABLE},
        "inbox ro.police",
    ),
    "an inbox's last position": (
        sql("UPDATE inboxes SET last_position=last_position + 1 WHERE agency='sg.police'"),
        {Fault.INBOX_TABLE},
        "inbox sg.police",
    ),
    "an inbox deleted": (
        sql("DELETE FROM inboxes WHERE exercise=1"),
        {Fault.INBOX_TABLE},
        "inbox ro.police (exercise)",
    ),
    "an advance that skips": (
        everywhere(11, lambda made, _: setattr(made.delivery, "to_position", 3)),
        # The next advance does not follow on it either.
        {Fault.DELIVERY},
        "entry 11",
    ),
    "a quota set back": (
        sql("UPDATE quota_counts SET count=0 WHERE recipient='ro.police'"),
        {Fault.QUOTA},
        "quota pact indicators",
    ),
    "a quota's row deleted": (
        sql("DELETE FROM quota_counts WHERE recipient='sg.police'"),
        {Fault.QUOTA},
        "quota pact indicators",
    ),
}


def test_a_sound_ledger_is_clean(sound: Path) -> None:
    """Everything is counted as verified, and nothing is found."""
    report = check(sound)

    assert [] == report.findings
    assert 315 == report.size == report.counts["entries"]
    assert report.counts["outcomes"] == report.counts["decisions"] == 306
    assert {"messages": 305, "governance": 5, "deliveries": 2, "tiles": 3} == {
        name: report.counts[name] for name in ("messages", "governance", "deliveries", "tiles")
    }


@pytest.mark.parametrize("name", CASES)
def test_one_change_is_found_and_named(folder: Path, name: str) -> None:
    """Of each change, every kind of damage that follows from it is named, and no other."""
    change, faults, where = CASES[name]
    tamper(folder, change)

    report = check(folder)

    assert faults == set(report.faults)
    assert not where or where in {finding.where for finding in report.findings}


def test_a_decision_changed_with_its_commitment_is_decided_otherwise(folder: Path) -> None:
    """Whoever forges outcome, commitment and tree is caught by the agreement."""

    def permit(made: entry_pb2.AuditEntry, data: bytes) -> None:
        forged = decision_pb2.Outcome.FromString(data)
        forged.decision.article = "Art. 9"
        made.outcome_commitments[0] = commit(forged)
        forged_outcomes.append(forged.SerializeToString(deterministic=True))

    forged_outcomes: list[bytes] = []
    tamper(folder, everywhere(6, permit))
    tamper(
        folder,
        sql("UPDATE outcomes SET outcome=?, salt=zeroblob(32) WHERE idx=6", forged_outcomes[0]),
    )

    report = check(folder)

    assert {Fault.DECISION: 1} == report.faults


def test_a_context_changed_with_its_commitment_contradicts_the_log(folder: Path) -> None:
    """A decision that is right for what it says it rested on is wrong if the log said otherwise."""

    def invent(made: entry_pb2.AuditEntry, data: bytes) -> None:
        forged = decision_pb2.Outcome.FromString(data)
        forged.context.quotas[0].count += 1
        made.outcome_commitments[0] = commit(forged)
        forged_outcomes.append(forged.SerializeToString(deterministic=True))

    forged_outcomes: list[bytes] = []
    tamper(folder, everywhere(4, invent))
    tamper(
        folder,
        sql(
            "UPDATE outcomes SET outcome=?, salt=zeroblob(32) WHERE idx=4 AND position=0",
            forged_outcomes[0],
        ),
    )

    report = check(folder)

    assert {Fault.CONTEXT: 1} == report.faults
    assert "quotas" in report.findings[0].text


def commit(forged: decision_pb2.Outcome) -> bytes:
    """Commit to an outcome under a salt of zeros."""
    return outcome_commitment(bytes(32), forged.SerializeToString(deterministic=True))


def test_a_damaged_file_ends_in_a_finding(folder: Path) -> None:
    """Pages overwritten with rubbish give findings, never a traceback."""
    path = folder / "data" / DATABASE_FILE
    data = bytearray(path.read_bytes())
    data[40 * 4096 : 44 * 4096] = b"\xaa" * (4 * 4096)
    path.write_bytes(data)

    report = check(folder)

    assert report.faults[Fault.DATABASE]


def check_with_settings(folder: Path) -> Report:
    """Verify the ledger in a gateway's folder, and what the settings make of it."""
    settings = load(folder)
    report = Report(origin=settings.gateway.origin)
    with open_snapshot(settings) as connection:
        check_set_up(connection, settings, report)
        return check_ledger(connection, report=report, progress=lambda _done, _size: None)


def test_the_verifier_key_handed_out_is_the_log_keys(folder: Path) -> None:
    """A `log.vkey` of another key would make partners trust another log."""
    other = NoteSigner(name=ORIGIN, signer=signer("other")).key
    (folder / "log.vkey").write_text(other.text)

    report = check_with_settings(folder)

    assert ({Fault.SET_UP: 1}, False) == (report.faults, report.damaged)


def test_settings_of_another_log_are_no_damage(folder: Path) -> None:
    """Messages were for the log that the ledger records, and that is what they are judged by."""
    file = folder / "gateway.toml"
    file.write_text(file.read_text().replace(ORIGIN, "gateway.example/second"))

    report = check_with_settings(folder)

    assert (ORIGIN, {Fault.SET_UP: 2}) == (report.origin, report.faults)
    assert all("[gateway] origin" in finding.text for finding in report.findings)


@pytest.mark.parametrize("statement", ["DELETE FROM log", "UPDATE log SET verifier_key='x'"])
def test_a_ledger_that_does_not_say_whose_log_it_is(folder: Path, statement: str) -> None:
    """That is damage: without the record, two swapped files would show nowhere."""
    tamper(folder, sql(statement))

    report = check_with_settings(folder)

    assert ({Fault.RECORDED_KEY: 1}, True) == (report.faults, report.damaged)


def test_findings_are_counted_beyond_those_listed() -> None:
    """A log that is wrong everywhere does not fill memory."""
    report = Report(origin=ORIGIN)

    for number in range(MAX_LISTED + 5):
        report.add(Fault.QUOTA, f"quota {number}", "off")

    assert MAX_LISTED == len(report.findings)
    assert 5 == report.to_json()["findings_omitted"]
