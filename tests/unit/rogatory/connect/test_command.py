"""`rogatory connect` against a gateway on loopback."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from rogatory import clock
from rogatory.cli.exits import ExitCode
from rogatory.connect.service import locked, state_folder
from rogatory.connect.webhooks import WebhookKeys
from rogatory.envelopes import open_envelope
from rogatory.exchange.v1 import codes_pb2, procedure_pb2, procedure_service_pb2
from rogatory.home import Home
from rogatory.procedures.contributions import EVERY_KIND
from rogatory.receipts import Receipt
from rogatory.recordfiles import read_records
from rogatory.records.v1 import common_pb2
from tests.unit.rogatory.cli.conftest import INDICATOR, PERSON, Enrolled, Result, Run
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.world import World, message_id

TO = ["de.police:x:Art. 2"]


class Folder:
    """A drop folder of an agency, and the command that serves it."""

    def __init__(self, home: Home, folder: Path, run: Run) -> None:
        self.home = home
        self.out, self.into = folder / "out", folder / "in"
        self.out.mkdir(exist_ok=True)
        self._run = run

    def once(self, *more: object) -> Result:
        """Serve it once."""
        return self._run(
            *("connect", "--home", self.home.path, "--out", self.out, "--in", self.into),
            *("--once", "--json", *more),
        )

    def put(self, name: str, text: str = "", **members: object) -> None:
        """Put a job there."""
        (self.out / f"{name}.json").write_text(text or json.dumps({"to": TO, **members}), "utf-8")

    def status(self, name: str) -> dict[str, Any]:
        """Return a job's sidecar."""
        found: dict[str, Any] = json.loads((self.out / f"{name}.status.json").read_text("utf-8"))
        return found

    def fault(self, name: str) -> tuple[str, int, int, str]:
        """Return where a job is at fault, and why."""
        (issue,) = self.status(name)["error"]["issues"]
        return issue["path"], issue["line"], issue["column"], issue["message"]


@pytest.fixture
def folder(enrolled: Enrolled, tmp_path: Path, run: Run) -> Folder:
    """A folder of fr.police."""
    return Folder(enrolled("fr.police"), tmp_path, run)


def test_jobs_go_out_with_their_words(folder: Folder, gateway: Loopback) -> None:
    """Header, records and context are what the job says."""
    folder.put(
        "a",
        records={"indicators": [INDICATOR]},
        offences=["0701"],
        urgency="urgent",
        handling={"tlp": "red", "siena": ["h1"], "retention_days": 30},
        officer="A. Meyer",
        case_references=["2026/17"],
    )

    result = folder.once()

    header = open_envelope(gateway.received[0]).header
    assert {"sent": 1, "waiting": 0} == json.loads(result.out)["jobs"], result
    assert (["0701"], codes_pb2.URGENCY_URGENT) == ([*header.offences], header.urgency)
    assert [codes_pb2.PART_CATEGORY_INDICATOR, codes_pb2.PART_CATEGORY_CONTEXT] == [
        part.category for part in header.parts
    ]
    assert header.message_id == folder.status("a")["message"]["message_id"]


def test_folder_with_files_goes_out(folder: Folder, gateway: Loopback) -> None:
    """Records stand in files beside job.json; inline ones may come with them."""
    job = folder.out / "case"
    job.mkdir()
    (job / "job.json").write_text(
        json.dumps({"to": TO, "files": ["r.json"], "records": {"indicators": [INDICATOR]}})
    )
    (job / "r.json").write_text(json.dumps({"indicators": [INDICATOR]}))

    folder.once()

    assert 2 == len(open_envelope(gateway.received[0]).header.parts)
    assert (folder.out / "done" / "case" / "r.json").exists()


def test_job_about_another_message_refers_to_it(folder: Folder, gateway: Loopback) -> None:
    """A recall names what it recalls as on the command line; the reference is completed."""
    folder.put("a", records={"indicators": [INDICATOR]})
    folder.once()
    sent = folder.status("a")["message"]
    folder.put(
        "b",
        kind="recall",
        to=["de.police:base:Base Art. 3(1)"],
        about=f"fr.police/{sent['message_id']}",
    )

    folder.once()

    subject = open_envelope(gateway.received[1]).header.subject.message
    assert sent["message_id"] == subject.message_id
    assert "sent" == folder.status("b")["state"]


def test_request_has_its_words(folder: Folder, gateway: Loopback) -> None:
    """When to answer, what was asked before, and for which offence alone it may be used."""
    folder.put(
        "a",
        kind="request",
        particulars={"assistance_kind": "ASSISTANCE_KIND_INFORMATION"},
        respond_by="12h",
        oral="2026-03-01T09:30+01:00",
        directly_available=True,
        handling={"speciality": ["0903"]},
    )

    folder.once()

    header = open_envelope(gateway.received[0]).header
    assert clock.to_nanoseconds(header.request.respond_by_time) > time.time_ns()
    assert "2026-03-01T08:30:00Z" == header.request.oral_request_time.ToJsonString()
    assert header.request.directly_available
    assert ["0903"] == [*header.handling.speciality_offences]


def test_message_goes_to_the_members_of_an_operation(folder: Folder, gateway: Loopback) -> None:
    """To all that an agreement reaches; the sidecar lists the others with the reason."""
    founding = common_pb2.MessageReference(
        sender="fr.police", message_id=message_id(7), header_digest=bytes(32)
    )
    gateway.procedures.operations = [
        procedure_service_pb2.Operation(
            founding=founding,
            members=[
                procedure_pb2.MemberStanding(agency=agency, state=state, receives=EVERY_KIND)
                for agency, state in (
                    ("fr.police", procedure_pb2.MEMBER_STATE_LEAD),
                    ("de.police", procedure_pb2.MEMBER_STATE_MEMBER),
                    ("th.police", procedure_pb2.MEMBER_STATE_MEMBER),
                )
            ],
        )
    ]
    folder.put(
        "a",
        json.dumps(
            {
                "to_operation": f"fr.police/{message_id(7)}",
                "under": ["x:Art. 2"],
                "records": {"indicators": [INDICATOR]},
            }
        ),
    )

    folder.once()

    header = open_envelope(gateway.received[0]).header
    said = folder.status("a")
    assert ["de.police"] == [item.agency for item in header.recipients]
    assert founding == header.operation
    assert "sent" == said["state"]
    assert ["th.police"] == [item["agency"] for item in said["unreachable"]]
    assert "no agreement" in said["unreachable"][0]["reason"]


def test_operation_that_is_not_there_is_a_fault(folder: Folder) -> None:
    """Of the member that names it, with what to do."""
    job = {"to_operation": "fr.police", "under": ["x:Art. 2"]}
    folder.put("a", json.dumps(job | {"records": {"indicators": [INDICATOR]}}))

    folder.once()

    path, line, column, message = folder.fault("a")
    assert ("to_operation", 1, 18) == (path, line, column)
    assert "'fr.police' is not SENDER/MESSAGE_ID" in message


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '{"to": ["de.police"]}',
            (
                "to",
                1,
                8,
                "'de.police' is not AGENCY:AGREEMENT:ARTICLE, as de.bka:eu-fraud:'Art. 4'",
            ),
        ),
        (
            '{"to": ["de.police:x:Art. 2"],\n "urgency": "urgnt"}',
            ("urgency", 2, 13, "'urgnt' is not known; did you mean urgent?"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"],\n "handling":\n  {"tlp": "purple"}}',
            ("handling.tlp", 3, 11, "'purple' is not known"),
        ),
        ('{"to": ["de.police:x:Art. 2"]}', ("records", 1, 1, "name at least one file of records")),
        (
            '{"to": ["de.police:x:Art. 2"],\n "records": {"indicators": [\n  {"tpe": 1}]}}',
            ("records.indicators[0]", 3, 4, "Indicator has no field 'tpe'; did you mean 'type'?"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"],\n "under": ["x:Art. 2"], "records": {}}',
            ("under", 2, 11, "it goes with to_operation"),
        ),
        (
            '{"to_operation": "a/b", "operation": "a/b", "under": ["x:Art. 2"], "records": {}}',
            ("operation", 1, 38, "to_operation names the operation already"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"], "records": {},\n "oral": "2026-03-01"}',
            ("oral", 2, 10, "it is for kind request"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"], "kind": "recall"}',
            ("kind", 1, 40, "message must be stated for kind recall: give about"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"], "exercise": true}',
            ("exercise", 1, 44, "what is put here is sent as live records"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"], "records": {}, "reply_to": "x"}',
            ("reply_to", 1, 59, "write it as SENDER/MESSAGE_ID"),
        ),
        (
            '{"to": ["de.police:x:Art. 2"], "kind": "recall",\n "particulars": {"mesage": {}}}',
            ("particulars", 2, 18, "SubjectParticulars has no field 'mesage'"),
        ),
    ],
)
def test_fault_in_a_job_has_its_place(
    folder: Folder, gateway: Loopback, text: str, fault: tuple[str, int, int, str]
) -> None:
    """Line and column are those of the job, wherever the words are looked at."""
    folder.put("a", text)

    result = folder.once()

    path, line, column, message = folder.fault("a")
    assert (0, {"failed": 1, "waiting": 0}) == (result.code, json.loads(result.out)["jobs"])
    assert fault[:3] == (path, line, column)
    assert fault[3] in message
    assert "--" not in message
    assert [] == gateway.received


def test_fault_in_a_file_beside_it_names_the_file(folder: Folder) -> None:
    """The file is named as the case system knows it, not where we copied it to."""
    job = folder.out / "case"
    job.mkdir()
    (job / "job.json").write_text(json.dumps({"to": TO, "files": ["r.json"]}))
    (job / "r.json").write_text('{"indicators": [\n{"type": "x"}]}')

    folder.once()

    error = folder.status("case")["error"]
    assert "case/r.json" == error["issues"][0]["file"]
    assert 2 == error["issues"][0]["line"]
    assert "scratch" not in json.dumps(error)


def test_nothing_of_a_job_stays_in_the_agencys_folder(folder: Folder) -> None:
    """Records are in the job, in done, and nowhere else once answered, after a crash too."""
    left = state_folder(folder.home.path, exercise=False) / "scratch"
    left.mkdir()
    (left / ".records.json").write_text("Novák")
    folder.put("a", records={"persons": [PERSON]})

    folder.once()

    held = [path.read_bytes() for path in folder.home.path.rglob("*") if path.is_file()]
    assert not any("Novák".encode() in data for data in held)


def test_messages_arrive(enrolled: Enrolled, world: World, run: Run, tmp_path: Path) -> None:
    """Verified and readable, with a receipt that is proof; the gateway is told what is held."""
    world.submit(world.envelope(number=1))
    world.submit(world.envelope(number=2))
    theirs = _of(enrolled, tmp_path, run)

    first, again = theirs.once(), theirs.once()

    names = sorted(path.name for path in theirs.into.glob("0*"))
    assert [f"{number:010d}-fr.police-{message_id(number)}" for number in (1, 2)] == names
    assert (2, 0) == (json.loads(first.out)["received"], json.loads(again.out)["received"])
    assert 2 == world.cursors["de.police"]
    message = theirs.into / names[0]
    assert 1 == len(read_records(message / "part-0-indicators.json").contents)
    verified = Receipt.parse((message / "receipt.tlog-proof").read_bytes()).verify(world.policy())
    assert message_id(1) == verified.header.message_id


def _of(enrolled: Enrolled, tmp_path: Path, run: Run) -> Folder:
    place = tmp_path / "theirs"
    place.mkdir()
    return Folder(enrolled("de.police"), place, run)


def test_message_can_be_acknowledged_from_its_folder(
    enrolled: Enrolled, world: World, run: Run, tmp_path: Path
) -> None:
    """`rogatory ack` takes the delivery as it lies there."""
    world.submit(world.envelope(number=1))
    theirs = _of(enrolled, tmp_path, run)
    theirs.once()
    (message,) = theirs.into.glob("0*")

    result = run(
        *("ack", message / "message.delivery", "--officer", "A. Meyer"),
        *("--home", theirs.home.path),
    )

    assert 0 == result.code, result.err


def test_gap_is_told_and_not_passed_over(
    enrolled: Enrolled, world: World, gateway: Loopback, run: Run, tmp_path: Path
) -> None:
    """What is behind a position that is kept back is not taken; the exit code says so."""
    for number in (1, 2, 3):
        world.submit(world.envelope(number=number))
    gateway.skip = {2}
    theirs = _of(enrolled, tmp_path, run)

    result = theirs.once()

    report = json.loads((theirs.into / "inbox.status.json").read_text())
    assert ExitCode.NOT_VERIFIED == result.code
    assert ("gap", 1) == (report["state"], report["position"])
    assert 1 == len(list(theirs.into.glob("0*")))
    assert 1 == world.cursors["de.police"]


def test_second_process_is_turned_away(folder: Folder) -> None:
    """Whether it shares the agency's folder or one of the two others."""
    state = state_folder(folder.home.path, exercise=False)
    folder.into.mkdir()
    for held in (state, folder.out, folder.into):
        with locked(held):
            result = folder.once()

        assert ExitCode.USAGE == result.code
        assert f"Another process uses {held}" in result.err
    assert 0 == folder.once().code


@pytest.mark.parametrize(("out", "into"), [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_folders_are_apart(run: Run, folder: Folder, tmp_path: Path, out: str, into: str) -> None:
    """What arrives must not be sent."""
    result = run(
        *("connect", "--home", folder.home.path, "--out", tmp_path / out, "--in", tmp_path / into),
        "--once",
    )

    assert ExitCode.USAGE == result.code
    assert "lie in each other" in result.err


def test_keys_of_a_receiver_are_shown(run: Run, folder: Folder) -> None:
    """They are the same each time, made at the first, and for the owner alone."""
    url = "https://cases.example/hook"
    first = run("connect", "secret", url, "--home", folder.home.path, "--json")
    again = run("connect", "secret", url, "--home", folder.home.path)

    found = json.loads(first.out)
    path = folder.home.path / "connect" / "webhook.secret"
    keys = WebhookKeys.derive(bytes.fromhex(path.read_text()), url)
    assert (keys.secret_text, keys.public_text) == (found["secret"], found["public_key"])
    assert found["secret"] in again.out
    assert 0o600 == path.stat().st_mode & 0o777


def test_folders_have_to_be_named(run: Run, folder: Folder) -> None:
    """Both of them."""
    result = run("connect", "--home", folder.home.path, "--out", folder.out)

    assert ExitCode.USAGE == result.code
    assert "--in" in result.err
