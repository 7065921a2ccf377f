"""The operator's commands: what they print, where, and with which exit code they end."""

from __future__ import annotations

import io
import json
import stat
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from rogatory import cli as agency_cli
from rogatory import statements
from rogatory.checkpoints import open_checkpoint
from rogatory.cli.exits import ExitCode
from rogatory.enrolment import (
    make_csr,
    public_key_of,
    read_answer,
    read_request,
    write_request,
)
from rogatory.exchange.v1 import codes_pb2
from rogatory.keys import phrase
from rogatory.notes import VerifierKey
from rogatory_gateway import cli, pki
from rogatory_gateway.config import Settings, load
from rogatory_gateway.ledger.database import DATABASE_FILE, open_engine
from rogatory_gateway.ledger.ledger import Ledger
from tests.support.history import AGREEMENT, NL, RO, SG
from tests.support.requests import agreement_file, request_file
from tests.support.world import DAY, HOUR, Agency

Run = Callable[..., "Result"]


class Result:
    """What a command did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON can say
        """Standard output as the one JSON value it must be."""
        return json.loads(self.out)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command as the shell would, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["rogatory-gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Result(ended.value.code or 0, captured.out, captured.err)  # type: ignore[arg-type]  # always a number

    return invoke


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Path:
    """A gateway's folder, made by `init`."""
    assert 0 == run("init", "gateway", "--origin", "gateway.example/exchange").code
    return tmp_path / "gateway"


@pytest.fixture
def nl() -> Agency:
    """An agency with an officer."""
    return Agency(agency_id=NL, officers={"jansen": ()})


@pytest.fixture
def serving(home: Path) -> Iterator[Ledger]:
    """Another process's ledger, which has the same database open all along."""
    engine = open_engine(load(home).gateway.data)
    ledger = Ledger(engine, now=time.time_ns)
    yield ledger
    ledger.close()
    engine.dispose()


def test_init_makes_a_folder_that_works(run: Run, tmp_path: Path) -> None:
    """Settings, keys for the owner only, an empty sound ledger; the verifier key is data."""
    made = run("init", "gateway", "--name", "gateway.example", "--port", 8443, "--json")

    folder = tmp_path / "gateway"
    assert 0 == made.code
    assert "gateway.example/exchange" == made.json["origin"]
    assert "gateway.example:8443" == made.json["address"]
    assert made.json["verifier_key"] == (folder / "log.vkey").read_text().strip()
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    for name in ("log-key.pem", "tls/gateway-key.pem", "tls/ca-key.pem"):
        assert 0o600 == stat.S_IMODE((folder / name).stat().st_mode), name
    assert 0 == run("fsck", "--dir", folder).code


def test_init_never_touches_what_is_there(run: Run, home: Path) -> None:
    """A second `init` in the same folder changes nothing."""
    before = (home / "log-key.pem").read_bytes()

    again = run("init", home)

    assert 1 == again.code
    assert "is not an empty folder" in again.err
    assert before == (home / "log-key.pem").read_bytes()


def test_init_that_fails_leaves_nothing(run: Run, tmp_path: Path) -> None:
    """No half-made folder for the next attempt to stumble over."""
    failed = run("init", "gateway", "--origin", "two words")

    assert 1 == failed.code
    assert failed.err.startswith("error: --origin 'two words' can't name a log: ")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["bad name!!", "-a.example", "a..example", "x" * 64])
def test_init_names_the_option_at_fault(run: Run, tmp_path: Path, name: str) -> None:
    """Not a file that is gone again when the error is read."""
    failed = run("init", "gateway", "--name=gateway.example", f"--name={name}")

    assert 1 == failed.code
    assert failed.err.startswith(f"error: --name {name!r} is neither")
    assert [] == list(tmp_path.iterdir())


def test_init_with_an_authority_of_ones_own(run: Run, tmp_path: Path) -> None:
    """Its files stay where they are, and there is no sandbox authority."""
    own_files(tmp_path)

    made = run(
        "init",
        "gateway",
        *("--ca-certificate", "ca.pem"),
        *("--certificate", "server.pem"),
        *("--key", "server-key.pem"),
    )

    tls = load(tmp_path / "gateway").tls
    assert 0 == made.code, made.err
    assert tmp_path / "server.pem" == tls.certificate
    assert tls.client_ca_key is None
    assert [] == list((tmp_path / "gateway/tls").iterdir())


def test_init_wants_all_three_files(run: Run, tmp_path: Path) -> None:
    """Half an authority of one's own is a mistake."""
    failed = run("init", "gateway", "--ca-certificate", "ca.pem")

    assert 1 == failed.code
    assert "--certificate and --key" in failed.err


def test_agency_add_shows_what_to_compare_and_writes_the_answer(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """Id, root and phrase for the telephone; the answer holds all that the agency needs."""
    request = request_file(tmp_path, nl)

    added = run("agency", "add", request, "--dir", home, "--yes")

    answer = read_answer((tmp_path / f"{NL}.answer").read_bytes())
    certificate = x509.load_pem_x509_certificate(answer.certificate)
    assert (0, "") == (added.code, added.out)
    assert NL in added.err
    assert nl.root.public_key.fingerprint.hex() in added.err
    assert phrase(nl.root.public_key.fingerprint) in added.err
    assert "gateway.example/exchange" == answer.origin
    assert "localhost:7443" == answer.gateway
    assert (home / "log.vkey").read_text().strip() == answer.log_key.text
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(answer.ca))


def test_agency_add_asks(run: Run, home: Path, tmp_path: Path, nl: Agency) -> None:
    """Without a terminal to ask on and without --yes nothing is entered."""
    request = request_file(tmp_path, nl)

    refused = run("agency", "add", request, "--dir", home)

    assert 1 == refused.code
    assert "--yes" in refused.err
    assert [] == run("agency", "list", "--dir", home, "--json").json["agencies"]
    assert not (tmp_path / f"{NL}.answer").exists()


def test_agency_add_again_writes_the_answer_again(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """A lost answer is made again; the log stays as it is."""
    request = request_file(tmp_path, nl)
    run("agency", "add", request, "--dir", home, "--yes")
    (tmp_path / f"{NL}.answer").unlink()

    again = run("agency", "add", request, "--dir", home, "--json")

    assert (0, None) == (again.code, again.json["index"])
    assert (tmp_path / f"{NL}.answer").exists()
    assert 1 == run("status", "--dir", home, "--json").json["log"]["size"]


def test_agency_add_while_the_gateway_serves(
    run: Run, home: Path, tmp_path: Path, nl: Agency, serving: Ledger
) -> None:
    """The running gateway notices, and both go on from the same head."""
    assert not serving.registry.is_enrolled(NL)

    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")

    serving.refresh()
    assert serving.registry.is_enrolled(NL)
    assert 1 == serving.head.size


def test_agency_add_of_something_else_is_an_error(run: Run, home: Path, tmp_path: Path) -> None:
    """No traceback for a file of another kind, or for none."""
    (tmp_path / "letter.txt").write_text("Dear operator")

    results = [
        run("agency", "add", name, "--dir", home, "--yes") for name in ("letter.txt", "nothing")
    ]

    assert [1, 1] == [result.code for result in results]
    assert results[0].err.startswith("error: This is not an enrolment request")
    assert "can't be read" in results[1].err


def test_agency_add_with_another_root_is_refused(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """Whoever claims an id that is taken is told so, and the log keeps the first root."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")
    impostor = Agency(agency_id=NL)
    impostor.root, impostor.signing = (Agency(agency_id="xx.other").root, impostor.root)

    refused = run("agency", "add", request_file(tmp_path, impostor), "--dir", home, "--yes")

    assert 1 == refused.code
    assert "another root" in refused.err


def test_own_authority_issues_the_certificate(run: Run, tmp_path: Path, nl: Agency) -> None:
    """The request goes out, the certificate comes in, and its key must be the enrolled one."""
    authority = own_files(tmp_path)
    run(
        "init",
        "gateway",
        *("--ca-certificate", "ca.pem"),
        *("--certificate", "server.pem"),
        *("--key", "server-key.pem"),
    )
    key = pki.make_key()
    request = request_file(tmp_path, nl, key=key)
    common = ("agency", "add", request, "--dir", "gateway", "--yes")

    without = run(*common)
    out = run(*common, "--request-out", "nl.csr", "--json")
    csr = x509.load_pem_x509_csr((tmp_path / "nl.csr").read_bytes())
    issued(authority, csr, tmp_path / "nl.pem")
    issued(authority, None, tmp_path / "other.pem")
    other = run(*common, "--certificate", "other.pem")
    right = run(*common, "--certificate", "nl.pem")

    assert [1, 0, 1, 0] == [result.code for result in (without, out, other, right)]
    assert {"agency_id": NL, "request": "nl.csr"} == out.json
    assert "--request-out" in without.err
    assert "another key than the one" in other.err
    answer = read_answer((tmp_path / f"{NL}.answer").read_bytes())
    assert (tmp_path / "nl.pem").read_bytes() == answer.certificate
    assert (tmp_path / "ca.pem").read_bytes() == answer.ca


def test_agency_list_and_revoke(run: Run, home: Path, tmp_path: Path, nl: Agency) -> None:
    """Revoked agencies stay in the list; revoking twice or a stranger is an error."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")
    revoke = ("agency", "revoke", NL, "--reason", "left the exchange", "--dir", home, "--yes")

    before = run("agency", "list", "--dir", home)
    first, second = run(*revoke), run(*revoke)
    stranger = run("agency", "revoke", "xx.police", "--reason", "x", "--dir", home, "--yes")
    (after,) = run("agency", "list", "--dir", home, "--json").json["agencies"]

    assert "admitted" in before.out.splitlines()[1]
    assert [0, 1, 1] == [result.code for result in (first, second, stranger)]
    assert "revoked already" in second.err
    assert "there is no agency xx.police" in stranger.err
    assert ("revoked", NL, 3) == (after["state"], after["agency_id"], after["valid_keys"])


def test_revoked_agency_is_not_admitted_by_its_old_request(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """The same file does not undo a revocation."""
    request = request_file(tmp_path, nl)
    run("agency", "add", request, "--dir", home, "--yes")
    run("agency", "revoke", NL, "--reason", "left", "--dir", home, "--yes")

    again = run("agency", "add", request, "--dir", home, "--yes")

    assert 1 == again.code
    assert "was revoked" in again.err


def rogatory(*arguments: str) -> None:
    """Run a command of the agency's side, which must succeed."""
    with pytest.raises(SystemExit) as ended:
        agency_cli.main(arguments)
    assert not ended.value.code


def further_file(folder: Path, agency: Agency, *, new_key: bool = False) -> Path:
    """Write an agency's next key statement, which revokes its signing key; return the path."""
    csr, enrolled = b"", []
    if new_key:
        tls = pki.make_key()
        csr = make_csr(agency.agency_id, tls)
        enrolled = [
            statements.enrol(
                algorithm=statements.TLS_ALGORITHM,
                public_key=pki.public_bytes(tls.public_key()),
                role=codes_pb2.KEY_ROLE_TLS,
                valid_from=time.time_ns() - HOUR,
                valid_until=time.time_ns() + DAY,
            )
        ]
    statement = agency.next_statement(
        now=time.time_ns(), keys=enrolled, revoked=[agency.signing.public_key.fingerprint]
    )
    path = folder / f"{agency.agency_id}.{agency.latest.signature.value[:4].hex()}"
    path.write_bytes(write_request(csr=csr, statement=statement))
    return path


def test_agency_add_takes_a_further_statement(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """Keys are revoked by it and nothing is certified; it lets a revoked agency in again."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")
    run("agency", "revoke", NL, "--reason", "left", "--dir", home, "--yes")
    (tmp_path / f"{NL}.answer").unlink()
    further = further_file(tmp_path, nl)

    taken, again = (run("agency", "add", further, "--dir", home, "--json", "--yes") for _ in "ab")
    needless = run("agency", "add", further, "--dir", home, "--yes", "--request-out", "csr.pem")

    (listed,) = run("agency", "list", "--dir", home, "--json").json["agencies"]
    assert (0, 2, 2, None) == (
        taken.code,
        taken.json["index"],
        taken.json["statement"],
        taken.json["answer"],
    )
    assert [nl.signing.public_key.fingerprint.hex()] == taken.json["revoked_keys"]
    assert (0, None) == (again.code, again.json["index"])
    assert (1, True) == (needless.code, "nothing to certify" in needless.err)
    assert ("admitted", 2, 2) == (listed["state"], listed["statements"], listed["valid_keys"])
    assert not (tmp_path / f"{NL}.answer").exists()
    assert 0 == run("fsck", "--dir", home).code


def test_agency_add_certifies_a_new_connection_key(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """A further statement with a certificate request is answered as the first one was."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")
    further = further_file(tmp_path, nl, new_key=True)

    taken = run("agency", "add", further, "--dir", home, "--yes")

    certificate = read_answer((tmp_path / f"{NL}.answer").read_bytes()).certificate
    assert 0 == taken.code, taken.err
    assert read_request(further.read_bytes()).tls_key == public_key_of(certificate)


def test_agency_add_refuses_a_statement_out_of_order(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """A further statement follows on the last one, and never comes first; it is said at once."""
    request = request_file(tmp_path, nl)
    skipped, last = further_file(tmp_path, nl), further_file(tmp_path, nl)
    first = run("agency", "add", last, "--dir", home)
    run("agency", "add", request, "--dir", home, "--yes")

    gap = run("agency", "add", last, "--dir", home)
    followed = run("agency", "add", skipped, "--dir", home, "--yes").code

    assert [1, 1] == [first.code, gap.code]
    assert "does not follow statement 0" in first.err
    assert "does not follow statement 1" in gap.err
    assert 0 == followed


def test_both_sides_read_the_same_phrase(
    run: Run, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the agency is told to read out is what the operator is asked about."""
    client = ("--home", str(tmp_path / "nl"))
    rogatory("keygen", NL, *client)
    capsys.readouterr()
    asked = ("agency", "request", "--name", "nl=Politie", "--kind", "police", *client)
    rogatory(*asked, "--json")
    told = json.loads(capsys.readouterr().out)
    rogatory(*asked)
    shown = capsys.readouterr().out

    added = run("agency", "add", told["file"], "--dir", home, "--json", "--yes")

    spoken = added.json["phrase"]
    assert [spoken] * 2 == [told["phrase"], phrase(bytes.fromhex(told["root_fingerprint"]))]
    assert f"phrase: {spoken}" in shown
    assert spoken in added.err


def test_agreement_add_and_list(run: Run, home: Path, tmp_path: Path, serving: Ledger) -> None:
    """Entered with all signatures, listed with its state; parties not yet admitted are named."""
    parties = [Agency(agency_id=agency_id) for agency_id in (NL, RO, SG)]
    run("agency", "add", request_file(tmp_path, parties[0]), "--dir", home, "--yes")

    added = run(
        "agreement", "add", agreement_file(tmp_path, AGREEMENT, *parties), "--dir", home, "--json"
    )

    assert 0 == added.code, added.err
    assert ("pact", 1, [RO, SG]) == tuple(
        added.json[key] for key in ("agreement_id", "version", "not_enrolled")
    )
    serving.refresh()
    assert serving.registry.in_force("pact", entry_time=time.time_ns()) is not None
    (listed,) = run("agreement", "list", "--dir", home, "--json").json["agreements"]
    assert ("pact", "in_force", added.json["digest"]) == tuple(
        listed[key] for key in ("agreement_id", "state", "digest")
    )
    assert "in_force" in run("agreement", "list", "--dir", home).out


def test_agreement_add_refuses_what_is_not_signed_by_all(
    run: Run, home: Path, tmp_path: Path
) -> None:
    """Who has not signed is named; twice the same, and a file of another kind, are refused too."""
    parties = [Agency(agency_id=agency_id) for agency_id in (NL, RO, SG)]
    partial = agreement_file(tmp_path, AGREEMENT, *parties, signed_by=tuple(parties[:2]))
    half = run("agreement", "add", partial, "--dir", home)
    whole = agreement_file(tmp_path, AGREEMENT, *parties)
    first, second = (run("agreement", "add", whole, "--dir", home) for _ in range(2))
    (tmp_path / "letter.txt").write_text("Article 1: é")
    letter = run("agreement", "add", "letter.txt", "--dir", home)
    missing = run("agreement", "add", "nothing", "--dir", home)

    assert [1, 0, 1, 1, 1] == [r.code for r in (half, first, second, letter, missing)]
    assert f"is not signed by {SG}" in half.err
    assert "in the log already" in second.err
    assert "not the file of a signed agreement" in letter.err
    assert "can't be read" in missing.err


def test_status_shows_log_agencies_and_inboxes(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """The checkpoint in it verifies by the log's verifier key."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")

    found = run("status", "--dir", home, "--json").json
    text = run("status", "--dir", home)

    key = VerifierKey.parse((home / "log.vkey").read_text().strip())
    signed = open_checkpoint(found["log"]["checkpoint"].encode(), log_keys=[key])
    assert (1, found["log"]["size"]) == (signed.checkpoint.size, 1)
    assert [{"last": 0, "cursor": 0, "waiting": 0}] == [
        agency["inbox"] for agency in found["agencies"]
    ]
    assert "log size    1" in text.out
    assert NL in text.out


def test_fsck_names_damage_and_exits_with_3(
    run: Run, home: Path, tmp_path: Path, nl: Agency
) -> None:
    """Findings are data; the advice goes to standard error."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")
    engine = open_engine(home / "data")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entries SET actor='nl.police'")
    engine.dispose()

    found = run("fsck", "--dir", home)
    as_json = run("fsck", "--dir", home, "--json")

    assert (3, 3) == (found.code, as_json.code)
    assert found.out.startswith("entry-columns: entry 0: column actor differs from the entry")
    assert "restore a backup" in found.err
    assert "entries/s" in found.err
    assert {"entry-columns": 1} == as_json.json["faults"]
    assert as_json.json["clean"] is False


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda home: (home / "log-key.pem").chmod(0o644), "chmod 600"),
        (lambda home: (home / "log.vkey").unlink(), "Write into it this line: gateway.example/"),
        (lambda home: (home / "log.vkey").write_text("x"), "Write into it this line: gateway."),
    ],
)
def test_fsck_tells_a_fault_of_the_set_up_from_damage(
    run: Run, home: Path, change: Callable[[Path], object], advice: str
) -> None:
    """Exit code 1, not 3, and what mends it instead of the advice to restore a backup."""
    change(home)

    found = run("fsck", "--dir", home)
    as_json = run("fsck", "--dir", home, "--json")

    assert (1, 1) == (found.code, as_json.code)
    assert found.out.startswith("set-up: ")
    assert "the ledger is clean" in found.out
    assert advice in found.err
    assert "backup" not in found.err
    assert (False, False, {"set-up": 1}) == tuple(
        as_json.json[key] for key in ("clean", "damaged", "faults")
    )
    assert advice in as_json.json["findings"][0]["hint"]


@pytest.mark.parametrize(
    "command", [("status",), ("fsck",), ("agency", "list"), ("agreement", "list"), ("serve",)]
)
def test_every_command_says_where_it_looked(run: Run, command: tuple[str, ...]) -> None:
    """In the wrong folder: one line, what to do next, exit code 1, no traceback."""
    result = run(*command, "--dir", "elsewhere")

    assert (1, "") == (result.code, result.out)
    assert result.err.startswith("error: there is no gateway in elsewhere")
    assert "rogatory-gateway init" in result.err


EVERY_USE = [
    ("status",),
    ("fsck",),
    ("agency", "list"),
    ("agency", "revoke", NL, "--reason", "x", "--yes"),
    ("agreement", "list"),
    ("serve",),
]


@pytest.mark.parametrize("command", EVERY_USE)
def test_a_lost_ledger_is_named(run: Run, home: Path, command: tuple[str, ...]) -> None:
    """Not silently made anew."""
    (home / "data" / DATABASE_FILE).unlink()

    result = run(*command, "--dir", home)

    assert 1 == result.code
    assert "[gateway] data: there is no ledger in" in result.err
    assert not (home / "data" / DATABASE_FILE).exists()


@pytest.mark.parametrize("command", EVERY_USE)
def test_a_damaged_ledger_is_named_in_one_way(
    run: Run, home: Path, command: tuple[str, ...]
) -> None:
    """Every command says SQLite's own words, and what to do."""
    (home / "data" / DATABASE_FILE).write_bytes(b"no database" * 1000)

    result = run(*command, "--dir", home)

    assert 1 == result.code
    assert (
        f"error: the ledger {home}/data/{DATABASE_FILE} can't be used: file is not a database. "
        "The file is damaged. Keep a copy of the folder as it is, and restore the backup"
    ) in result.err


@pytest.mark.parametrize(
    ("section", "key"),
    [("log", "key"), ("tls", "key"), ("tls", "certificate"), ("tls", "client_ca")],
)
def test_a_file_that_is_not_there_is_named_by_its_setting(
    run: Run, home: Path, section: str, key: str
) -> None:
    """A path alone would leave the operator to guess which setting it came from."""
    settings = load(home)
    path = getattr(getattr(settings, section), key)
    path.unlink()

    result = run("serve", "--dir", home)

    assert 1 == result.code
    assert f"error: [{section}] {key}: " in result.err
    assert str(path) in result.err


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_revocation_wants_a_reason(
    run: Run, home: Path, tmp_path: Path, nl: Agency, reason: str
) -> None:
    """It stands in the log for ever; nothing is entered without."""
    run("agency", "add", request_file(tmp_path, nl), "--dir", home, "--yes")

    refused = run("agency", "revoke", NL, "--reason", reason, "--dir", home, "--yes")

    assert 1 == refused.code
    assert "--reason is empty" in refused.err
    assert 1 == run("status", "--dir", home, "--json").json["log"]["size"]


def test_the_folder_can_come_from_the_environment(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ROGATORY_GATEWAY_DIR stands for --dir."""
    monkeypatch.setenv("ROGATORY_GATEWAY_DIR", str(home))

    assert 0 == run("status").code


@pytest.mark.parametrize(
    "arguments", [("status", "--colour"), ("agency", "revoke", "x"), ("nonsense",)]
)
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    """As the help says."""
    assert 2 == run(*arguments).code


def test_a_defect_is_one_line_too(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw says how to report it."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("rogatory_gateway.cli.checking.collect", broken)

    result = run("status", "--dir", home)

    assert ExitCode.DEFECT == result.code
    assert "unexpected ZeroDivisionError" in result.err
    assert "ROGATORY_TRACEBACK=1" in result.err


def test_failure_is_an_object_with_json(run: Run) -> None:
    """What is wrong and what to do next, for programs; a question without an answer is one too."""
    failed = run("status", "--dir", "elsewhere", "--json")

    error = failed.json["error"]
    assert 1 == failed.code == error["exit_code"]
    assert error["message"].startswith("there is no gateway in elsewhere")
    assert "rogatory-gateway init" in error["hint"]


def test_version_is_shown(run: Run) -> None:
    """One line, as of `rogatory --version`."""
    shown = run("--version")

    assert (0, f"{version('rogatory')}\n") == (shown.code, shown.out)


def test_serve_announces_itself_to_programs(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json standard output holds the address, once, as soon as calls are taken."""

    async def announced(settings: Settings, *, announce: Callable[[str], None]) -> None:
        announce(f"{settings.listen.host}:7443")

    monkeypatch.setattr("rogatory_gateway.server.serve", announced)

    quiet, told = run("serve", "--dir", home), run("serve", "--dir", home, "--json")

    assert (0, "") == (quiet.code, quiet.out)
    assert {"listening": "127.0.0.1:7443"} == told.json


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tls/gateway.pem", "holds no PEM certificate"),
        ("tls/gateway-key.pem", "is not a PEM private key"),
        ("tls/ca.pem", "holds no PEM certificate"),
    ],
)
def test_serve_names_a_damaged_tls_file(run: Run, home: Path, name: str, words: str) -> None:
    """Not "can't listen", which is all that gRPC would say."""
    (home / name).write_text("damaged")

    result = run("serve", "--dir", home)

    assert 1 == result.code
    assert name in result.err
    assert words in result.err


def own_files(folder: Path) -> pki.Authority:
    """Write an operator's own authority and server certificate."""
    now = datetime.now(UTC)
    authority = pki.make_authority(origin="Ministry", now=now)
    key = pki.make_key()
    server = authority.issue_server(public_key=key.public_key(), names=["localhost"], now=now)
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "server.pem").write_bytes(pki.to_pem(server))
    pki.write_key(folder / "server-key.pem", key)
    return authority


def issued(
    authority: pki.Authority, csr: x509.CertificateSigningRequest | None, path: Path
) -> None:
    """Issue a client certificate for a request, or for a key of nobody."""
    key = pki.make_key().public_key() if csr is None else csr.public_key()
    now = datetime.now(UTC)
    certificate = authority.issue_client(
        agency_id=NL, spki=pki.public_bytes(key), until=now + timedelta(days=9), now=now
    )
    path.write_bytes(pki.to_pem(certificate))


class Terminal(io.StringIO):
    """Someone who answers."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True


@pytest.mark.parametrize(("reply", "code", "size"), [("y\n", 0, 1), ("n\n", 1, 0)])
def test_the_operator_decides(
    *,
    run: Run,
    home: Path,
    tmp_path: Path,
    nl: Agency,
    monkeypatch: pytest.MonkeyPatch,
    reply: str,
    code: int,
    size: int,
) -> None:
    """The question comes after the fingerprint, and no means that nothing is entered."""
    request = request_file(tmp_path, nl)
    monkeypatch.setattr(sys, "stdin", Terminal(reply))

    asked = run("agency", "add", request, "--dir", home)

    assert code == asked.code
    assert asked.err.index("phrase") < asked.err.index("do you admit it?")
    assert size == run("status", "--dir", home, "--json").json["log"]["size"]
