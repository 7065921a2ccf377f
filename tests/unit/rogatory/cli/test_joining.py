"""Keys, enrolment and agreements by command, from an empty folder on."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rogatory.cli.exits import MEANINGS, ExitCode
from rogatory.enrolment import EnrolmentAnswer, EnrolmentRequest, read_request, write_answer
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import Home
from rogatory.policy import Policy
from tests.unit.rogatory.cli.conftest import Run
from tests.unit.rogatory.client.world import AGREEMENT_TEXT, ORIGIN, World

ALL_COMMANDS = [
    [],
    ["keygen"],
    ["agency"],
    ["agency", "request"],
    ["agency", "accept"],
    ["agency", "statement"],
    ["agency", "activate"],
    ["agency", "keys"],
    ["send"],
    ["inbox"],
    ["ack"],
    ["message"],
    ["message", "show"],
    ["receipt"],
    ["receipt", "get"],
    ["receipt", "verify"],
    ["receipt", "policy"],
    ["agreement"],
    ["agreement", "check"],
    ["agreement", "sign"],
    ["agreement", "show"],
    ["agreement", "evaluate"],
    ["agreement", "submit"],
    ["agreement", "suspend"],
    ["agreement", "resume"],
    ["directory"],
    ["directory", "list"],
]


def answer_to(request: EnrolmentRequest) -> bytes:
    """Issue a certificate for a request, as an operator does."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    now = datetime.now(UTC)

    def issue(name: x509.Name, key: object) -> bytes:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(ca_name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=1))
            .sign(ca_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    csr = x509.load_pem_x509_csr(request.csr)
    return write_answer(
        EnrolmentAnswer(
            agency=request.agency.agency_id,
            gateway="localhost:8443",
            origin=ORIGIN,
            log_key=World().log_signer.key,
            certificate=issue(csr.subject, csr.public_key()),
            ca=issue(ca_name, ca_key.public_key()),
        )
    )


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    """--help works everywhere and says what the command does."""
    result = run(*command, "--help")

    assert 0 == result.code
    assert result.out.startswith(f"Usage: {' '.join(['rogatory', *command])}")


def test_help_lists_every_exit_code(run: Run) -> None:
    """A script's author finds the codes where they look first."""
    result = run("--help")

    assert [] == [
        code for code, text in MEANINGS.items() if f"{code.value:>3}  {text}" not in result.out
    ]
    assert set(ExitCode) == set(MEANINGS)


def test_unknown_command_is_wrong_usage(run: Run) -> None:
    """A misspelt command exits with the code for usage."""
    assert ExitCode.USAGE == run("sned").code


def test_keys_are_for_their_owner_and_are_kept(run: Run, tmp_path: Path) -> None:
    """A second call adds an officer and leaves what is there."""
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--home", home.path)
    before = home.key("root").read_bytes()

    again = run("keygen", "fr.police", "--officer", "a.meyer", "--home", home.path, "--json")

    assert ["officer-a.meyer"] == list(json.loads(again.out)["made"])
    assert before == home.key("root").read_bytes()
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in (home.path / "keys").iterdir()}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["Police"], "country and a name"),
        (["fr.police", "--officer", "A Meyer"], "no pseudonym"),
    ],
)
def test_wrong_names_are_not_given_keys(
    run: Run, tmp_path: Path, arguments: list[str], text: str
) -> None:
    """A name that the exchange would refuse is refused before keys are made."""
    result = run("keygen", *arguments, "--home", tmp_path / "h")

    assert ExitCode.USAGE == result.code
    assert text in result.err
    assert not (tmp_path / "h").exists()


def test_folder_belongs_to_one_agency(run: Run, tmp_path: Path) -> None:
    """Keys of two agencies never mix."""
    run("keygen", "fr.police", "--home", tmp_path)

    result = run("keygen", "de.police", "--home", tmp_path)

    assert (ExitCode.USAGE, True) == (result.code, "is the folder of fr.police" in result.err)


def test_passphrase_protects_the_keys(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys made with a passphrase open with it, and with no other."""
    monkeypatch.setattr("rogatory.cli.passphrases.typer.prompt", lambda *_, **__: "open sesame")
    run("keygen", "fr.police", "--passphrase", "--home", tmp_path)
    ask = ["agency", "request", "--name", "fr=Police", "--kind", "police", "--home", tmp_path]

    monkeypatch.setenv("ROGATORY_PASSPHRASE", "wrong")
    wrong = run(*ask)
    monkeypatch.setenv("ROGATORY_PASSPHRASE", "open sesame")
    right = run(*ask)

    assert (ExitCode.USAGE, 0) == (wrong.code, right.code)
    assert "does not open with this passphrase" in wrong.err


def test_agency_joins_by_request_and_answer(run: Run, tmp_path: Path) -> None:
    """Request, answer, accept: then the folder holds all that a client needs."""
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--officer", "a.meyer", "--home", home.path)
    asked = run(
        "agency",
        "request",
        "--name",
        "fr=Police nationale",
        "--kind",
        "police",
        "--officer",
        "a.meyer:sign,approve",
        "--home",
        home.path,
    )
    request = read_request(home.request_file.read_bytes())
    answer = tmp_path / "answer.txt"
    answer.write_bytes(answer_to(request))

    accepted = run("agency", "accept", answer, "--home", home.path)

    policy = Policy.load(home.policy_file)
    assert (0, 0) == (asked.code, accepted.code)
    assert {"fr.police": request.root} == policy.roots
    assert ("localhost:8443", ORIGIN) == (home.enrolled().gateway, home.enrolled().origin)
    statement = key_statement_pb2.KeyStatement.FromString(request.statement.statement)
    officers = [key for key in statement.keys if key.officer]
    assert [("a.meyer", [codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE])] == [
        (key.officer, list(key.rights)) for key in officers
    ]


def test_answer_for_another_agency_is_not_accepted(run: Run, tmp_path: Path) -> None:
    """An answer is installed only where its request came from."""
    for agency in ("fr.police", "de.police"):
        run("keygen", agency, "--home", tmp_path / agency)
        run(
            *("agency", "request", "--name", "en=P", "--kind", "police"),
            *("--home", tmp_path / agency),
        )
    request = read_request((tmp_path / "de.police" / "statement.rogatory").read_bytes())
    answer = tmp_path / "answer.txt"
    answer.write_bytes(answer_to(request))

    result = run("agency", "accept", answer, "--home", tmp_path / "fr.police")

    assert ExitCode.USAGE == result.code
    assert "for de.police" in result.err


def test_unknown_officer_gets_no_rights(run: Run, tmp_path: Path) -> None:
    """Rights are given to keys that exist."""
    run("keygen", "fr.police", "--home", tmp_path)

    result = run(
        *("agency", "request", "--name", "fr=P", "--kind", "police"),
        *("--officer", "b:sign", "--home", tmp_path),
    )

    assert ExitCode.USAGE == result.code
    assert "rogatory keygen fr.police --officer b" in result.err


def test_command_before_enrolment_says_what_to_do(run: Run, tmp_path: Path) -> None:
    """Without keys, and without a gateway, the next step is named."""
    nothing = run("directory", "list", "--home", tmp_path / "none")
    run("keygen", "fr.police", "--home", tmp_path / "fr")
    keys_only = run("inbox", "--home", tmp_path / "fr")

    assert (ExitCode.USAGE, ExitCode.USAGE) == (nothing.code, keys_only.code)
    assert "rogatory keygen AGENCY" in nothing.err
    assert "rogatory agency request" in keys_only.err


def test_agreement_is_signed_by_one_party_after_the_other(run: Run, tmp_path: Path) -> None:
    """The second party signs the file of the first; then nobody is missing."""
    text = tmp_path / "x.yaml"
    text.write_text(AGREEMENT_TEXT, "utf-8")
    roots = []
    for agency in ("fr.police", "de.police"):
        run("keygen", agency, "--home", tmp_path / agency)
        root = run(
            "agency",
            "request",
            "--name",
            "en=P",
            "--kind",
            "police",
            "--json",
            "--home",
            tmp_path / agency,
        )
        roots += ["--root", f"{agency}={json.loads(root.out)['root']}"]
    first, second = tmp_path / "1.txt", tmp_path / "2.txt"

    one = run(
        "agreement",
        "sign",
        text,
        *roots,
        "--out",
        first,
        "--json",
        "--home",
        tmp_path / "fr.police",
    )
    two = run(
        "agreement", "sign", first, "--out", second, "--json", "--home", tmp_path / "de.police"
    )

    signed = [json.loads(item.out) for item in (one, two)]
    assert [["de.police"], []] == [item["missing"] for item in signed]
    assert signed[0]["digest"] == signed[1]["digest"]
    assert "pins de.police: Ed25519:" in one.err


def test_faulty_agreement_is_checked_with_its_line(run: Run, tmp_path: Path) -> None:
    """Each fault of the text has its line and reason."""
    text = tmp_path / "x.yaml"
    text.write_text(AGREEMENT_TEXT.replace("kinds: [transfer]", "kinds: [tranfer]"), "utf-8")

    result = run("agreement", "check", text)

    assert ExitCode.USAGE == result.code
    assert "line 15, column 15" in result.err


@pytest.mark.parametrize(
    ("content", "code"), [("indicators", ExitCode.OK), ("persons", ExitCode.REFUSED)]
)
def test_draft_agreement_is_tried_without_a_gateway(
    run: Run, tmp_path: Path, content: str, code: ExitCode
) -> None:
    """What a draft would decide is known before anybody signs it."""
    run("keygen", "fr.police", "--home", tmp_path / "fr")
    text = tmp_path / "x.yaml"
    text.write_text(AGREEMENT_TEXT, "utf-8")
    records = tmp_path / "records.json"
    record: dict[str, object] = {
        "indicators": {
            "type": "INDICATOR_TYPE_DOMAIN",
            "value": "a.example",
            "status": "INDICATOR_STATUS_REPORTED",
        },
        "persons": {
            "category": "DATA_SUBJECT_CATEGORY_SUSPECT",
            "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "A"}]}],
        },
    }
    records.write_text(json.dumps({content: [record[content]]}), "utf-8")

    result = run(
        *("agreement", "evaluate", text, records, "--to", "de.police:x:Art. 2"),
        *("--home", tmp_path / "fr"),
    )

    assert code == result.code
    assert "for de.police" in result.out


@pytest.mark.parametrize(
    ("officers", "code"),
    [
        ([], ExitCode.REFUSED),
        (["a.meyer"], ExitCode.REFUSED),
        (["a.meyer", "b.lang"], ExitCode.OK),
    ],
)
def test_four_eyes_are_those_of_two_officers(
    run: Run, tmp_path: Path, officers: list[str], code: ExitCode
) -> None:
    """One officer beside the agency's own key does not do: an author and an approver sign."""
    home = tmp_path / "fr"
    run("keygen", "fr.police", "--officer", "a.meyer", "--officer", "b.lang", "--home", home)
    text, records = tmp_path / "x.yaml", tmp_path / "records.json"
    text.write_text(f"{AGREEMENT_TEXT}    conditions: {{four_eyes: true}}\n", "utf-8")
    records.write_text(
        '{"indicators": [{"type": "INDICATOR_TYPE_DOMAIN", "value": "a.example",'
        ' "status": "INDICATOR_STATUS_REPORTED"}]}',
        "utf-8",
    )

    result = run(
        *("agreement", "evaluate", text, records, "--to", "de.police:x:Art. 2", "--home", home),
        *(item for officer in officers for item in ("--officer-key", officer)),
    )

    assert code == result.code
    assert ("two officers' signatures" in result.out) == (code == ExitCode.REFUSED)
