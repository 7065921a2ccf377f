"""Further key statements by command: officers added, keys renewed and revoked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rogatory import keys, statements
from rogatory.cli import history
from rogatory.cli.exits import ExitCode
from rogatory.enrolment import EnrolmentRequest, read_request
from rogatory.exchange.v1 import key_statement_pb2
from rogatory.home import Home
from rogatory.keyfiles import read_key_file
from tests.unit.rogatory.cli.conftest import Run
from tests.unit.rogatory.cli.test_joining import answer_to

Stated = tuple[key_statement_pb2.KeyStatement, dict[str, Any]]
State = Callable[..., Stated]


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Home:
    """An agency that has joined, with an officer who signs and approves."""
    made = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--officer", "a.meyer:sign,approve", "--home", made.path)
    run("agency", "request", "--name", "fr=P", "--kind", "police", "--home", made.path)
    accept(run, made, read_request(made.request_file.read_bytes()))
    return made


@pytest.fixture
def state(run: Run, home: Home) -> State:
    """Make a statement into a file; return it, and what the command printed."""

    def make(*arguments: object) -> Stated:
        result = run("agency", "statement", *arguments, "--home", home.path, "--json")
        assert 0 == result.code, result.err
        told = json.loads(result.out)
        request = read_request(Path(told["file"]).read_bytes())
        return key_statement_pb2.KeyStatement.FromString(request.statement.statement), told

    return make


def accept(run: Run, home: Home, request: EnrolmentRequest) -> dict[str, Any]:
    """Answer a request, and install the answer; return what the command printed."""
    answer = home.path.with_name("answer.txt")
    answer.write_bytes(answer_to(request))
    result = run("agency", "accept", answer, "--home", home.path, "--json")
    assert 0 == result.code, result.err
    told: dict[str, Any] = json.loads(result.out)
    return told


def fingerprint(path: Path) -> str:
    """Return the fingerprint of a key file."""
    return read_key_file(path).public_key.fingerprint.hex()


def test_statement_follows_on_the_last_one_kept(home: Home, state: State) -> None:
    """Numbered on, with the digest of the one before, and otherwise as that one."""
    first, second, third = history.kept(home)[0], state()[0], state()[0]

    kept = history.kept(home)
    assert (first, 3) == (kept[0], len(kept))
    assert (2, 3) == (second.sequence, third.sequence)
    assert statements.digest(first) == second.previous_digest
    assert statements.digest(kept[1]) == third.previous_digest
    assert "P" == third.agency.names[0].name


def test_first_statement_is_taken_from_the_request_of_older_folders(
    home: Home, state: State
) -> None:
    """They kept the request alone."""
    (home.statements / "0001.statement").unlink()

    second, _ = state()

    assert 2 == second.sequence


def test_officer_is_added_with_the_rights_that_keygen_noted(
    run: Run, home: Home, state: State
) -> None:
    """Or with those that are given with the statement."""
    run("keygen", "fr.police", "--officer", "b.lang:draft", "--officer", "c", "--home", home.path)

    made, told = state("--officer", "b.lang", "--officer", "c:approve,sign")

    assert [("b.lang", ["draft"]), ("c", ["approve", "sign"])] == [
        (item["officer"], item["rights"]) for item in told["added"]
    ]
    assert fingerprint(home.key("officer-b.lang")) == told["added"][0]["fingerprint"]
    assert 2 == len(made.keys)


def test_keygen_makes_no_second_root_for_whoever_is_enrolled(run: Run, home: Home) -> None:
    """The root that is kept elsewhere is the agency's; another would be nobody's."""
    home.key("root").rename(home.path.with_name("root.pem"))

    result = run("keygen", "fr.police", "--officer", "b.lang", "--home", home.path)

    assert "next: rogatory agency statement --officer b.lang" in result.err
    assert not home.key("root").exists()


def test_root_may_lie_elsewhere(home: Home, state: State) -> None:
    """It is kept off line, and named where it is at hand."""
    elsewhere = home.path.with_name("root.pem")
    home.key("root").rename(elsewhere)

    made, _ = state("--root-key", elsewhere)

    assert 2 == made.sequence


def test_renewed_key_waits_until_its_statement_is_in_force(home: Home, state: State) -> None:
    """Until then the old one goes on; the same new one is stated if it is made again."""
    before = fingerprint(home.key("signing"))

    _, told = state("--renew", "signing", "--revoke", "signing=superseded")

    assert [fingerprint(home.key("next/signing"))] == [i["fingerprint"] for i in told["added"]]
    assert [(before, "superseded")] == [(i["fingerprint"], i["reason"]) for i in told["revoked"]]
    assert before == fingerprint(home.key("signing"))


def test_answer_puts_a_new_tls_key_to_work_with_its_statement(
    run: Run, home: Home, state: State
) -> None:
    """The operator answers once the statement is in the log, so its other keys count too."""
    old = {name: home.key(name).read_bytes() for name in ("tls", "signing")}
    _, told = state("--renew", "tls", "--renew", "signing")
    new = {name: home.key(f"next/{name}").read_bytes() for name in ("tls", "signing")}

    done = accept(run, home, read_request(Path(told["file"]).read_bytes()))

    assert ["tls", "signing"] == done["activated"]
    assert new == {name: home.key(name).read_bytes() for name in ("tls", "signing")}
    assert old == {name: home.key(f"retired/{name}-1").read_bytes() for name in ("tls", "signing")}
    assert [] == list(home.key("next/x").parent.iterdir())


def test_renewed_officer_keeps_the_rights(state: State) -> None:
    """Unless others are given."""
    _, kept = state("--renew", "a.meyer")
    (item,) = kept["added"]

    assert ("a.meyer", ["sign", "approve"]) == (item["officer"], item["rights"])


def test_officer_gets_other_rights_with_another_key(state: State) -> None:
    """Rights belong to a key: one statement renews it and revokes the old one."""
    _, told = state(
        "--renew", "a.meyer", "--officer", "a.meyer:draft", "--revoke", "a.meyer=superseded"
    )

    (added,), (revoked,) = told["added"], told["revoked"]
    assert ["draft"] == added["rights"]
    assert added["fingerprint"] != revoked["fingerprint"]


def test_key_is_revoked_by_its_fingerprint(home: Home, state: State) -> None:
    """As many digits do as errors and receipts show."""
    whole = fingerprint(home.key("officer-a.meyer"))

    made, told = state("--revoke", f"{whole[:16]}=key-compromise")

    (revocation,) = made.revocations
    assert (whole, key_statement_pb2.REVOCATION_REASON_KEY_COMPROMISE) == (
        revocation.key.hex(),
        revocation.reason,
    )
    assert "a.meyer" == told["revoked"][0]["officer"]


def test_what_replaced_a_key_is_spared_when_the_old_one_is_superseded(
    run: Run, home: Home, state: State
) -> None:
    """Else ending the old TLS key would shut the agency out."""
    _, renewal = state("--renew", "tls")
    accept(run, home, read_request(Path(renewal["file"]).read_bytes()))

    _, told = state("--revoke", "tls=superseded")

    (revoked,) = told["revoked"]
    assert renewal["added"][0]["fingerprint"] != revoked["fingerprint"]


def test_agency_presents_itself_anew(state: State) -> None:
    """Name, contact, languages, time zone and holidays; what is not given stays."""
    made, _ = state(
        *("--name", "en=Police", "--duty-contact", "+33 1", "--language", "en"),
        *("--time-zone", "Europe/Paris"),
        *("--holiday", "2026-12-25", "--holiday", "2026-05-01", "--holiday", "2026-12-25"),
    )

    again, _ = state()
    assert made.agency == again.agency
    assert ("en", "+33 1", ["en"], "Europe/Paris") == (
        again.agency.names[0].language,
        again.agency.duty_contact,
        list(again.agency.languages),
        again.agency.time_zone,
    )
    assert ["2026-05-01", "2026-12-25"] == again.agency.holidays


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--officer", "a.meyer"), "--renew a.meyer --officer a.meyer:RIGHTS"),
        (("--officer", "nobody"), "rogatory keygen fr.police --officer nobody"),
        (("--officer", "a.meyer:rule"), "'rule' is not known"),
        (("--renew", "nobody"), "No statement names a key of the officer nobody"),
        (("--revoke", "nobody=superseded"), "rogatory agency keys"),
        (("--revoke", "signing"), "is not KEY=REASON"),
        (("--revoke", "signing=gone"), "'gone' is not known"),
        (("--revoke", "signing=superseded"), "rogatory agency keys"),
        (("--time-zone", "Nowhere"), "is not a time zone"),
        (("--holiday", "2026-02-29"), "is not a day of the calendar"),
        (("--holiday", "2026-12-25", "--holiday", "tomorrow"), "'tomorrow' is not a day"),
    ],
)
def test_what_cannot_be_stated_is_said(
    run: Run, home: Home, arguments: tuple[str, ...], words: str
) -> None:
    """Nothing is signed or kept then."""
    result = run("agency", "statement", *arguments, "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert words in result.err
    assert 1 == len(history.kept(home))


def test_stated_key_that_waits_is_not_stated_twice(run: Run, home: Home, state: State) -> None:
    """The next step is to put it to work."""
    state("--renew", "signing")

    result = run("agency", "statement", "--renew", "signing", "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert "rogatory agency activate" in result.err


def test_foreign_root_signs_nothing(run: Run, home: Home, tmp_path: Path) -> None:
    """It is named before the gateway would."""
    run("keygen", "de.police", "--home", tmp_path / "de")

    result = run(
        *("agency", "statement", "--home", home.path),
        *("--root-key", tmp_path / "de" / "keys" / "root.pem"),
    )

    assert ExitCode.USAGE == result.code
    assert "another root key" in result.err


def test_second_request_is_refused_once_enrolled(run: Run, home: Home) -> None:
    """It would be another first statement, on which nothing could follow."""
    result = run("agency", "request", "--name", "fr=P", "--kind", "police", "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert "rogatory agency statement" in result.err


def test_keys_are_listed_with_their_state(run: Run, home: Home, state: State) -> None:
    """Role, officer, rights, validity and fingerprint of each, revoked ones too."""
    state("--revoke", "a.meyer=affiliation-changed")

    listed = json.loads(run("agency", "keys", "--home", home.path, "--json").out)
    shown = run("agency", "keys", "--home", home.path).out

    assert [("tls", "valid"), ("signing", "valid"), ("officer", "revoked")] == [
        (item["role"], item["state"]) for item in listed
    ]
    assert fingerprint(home.key("signing")) == listed[1]["fingerprint"]
    assert "sign,approve" in shown


def test_damaged_statement_is_named(run: Run, home: Home) -> None:
    """And can be fetched again."""
    (home.statements / "0001.statement").write_bytes(b"\xff")

    result = run("agency", "statement", "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert "0001.statement" in result.err
    assert "--from-directory" in result.err


def test_new_keys_have_the_passphrase_of_the_root(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever encrypts keys wants the next ones encrypted too."""
    monkeypatch.setenv("ROGATORY_PASSPHRASE", "open sesame")
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--passphrase", "--home", home.path)
    run("agency", "request", "--name", "fr=P", "--kind", "police", "--home", home.path)

    made = run("agency", "statement", "--renew", "signing", "--renew", "tls", "--home", home.path)

    assert 0 == made.code, made.err
    for name in ("signing", "tls"):
        assert b"ENCRYPTED" in home.key(f"next/{name}").read_bytes()
    assert (
        keys.ED25519
        == read_key_file(home.key("next/signing"), passphrase=b"open sesame").public_key.algorithm
    )


def test_more_holidays_than_a_statement_holds(run: Run, home: Home) -> None:
    """The error says how many it holds; nothing is signed."""
    first = date(2026, 1, 1)
    days = [(first + timedelta(days=number)).isoformat() for number in range(401)]
    options = [word for day in days for word in ("--holiday", day)]

    result = run("agency", "statement", *options, "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert "401 holidays are more than a key statement holds" in result.err
    assert 1 == len(history.kept(home))
