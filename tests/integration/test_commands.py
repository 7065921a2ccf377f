"""The commands for people against a gateway: operations, consent, passing on, recall, alerts."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf import json_format

from rogatory.cli import main
from rogatory.cli.trust import write_policy
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.keys import PrivateKey
from rogatory.policy import Policy
from tests.support import records
from tests.support.house import APPROVE, SIGN, House
from tests.support.world import ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEAD, MEMBER, THIRD, PARTNER, STRANGER = (
    "th.rtp",
    "vn.police",
    "nl.politie",
    "sg.hostco",
    "kh.police",
)
EVERYBODY = (LEAD, MEMBER, THIRD, PARTNER, STRANGER)
FIRST, SECOND = "author-1", "approver-2"

EVERYTHING = """\
agreement_id: {id}
version: 1
title: Agreement for tests
parties: [{parties}]
valid_from_time: 2026-01-01
unpermitted_parts: withhold
clauses:
  - clause_id: all
    article: Art. 1
    effect: permit
    scope: {{kinds: [transfer, request, update, operation, consent, alert, recall, correction]}}
"""
STRICT = """\
agreement_id: strict
version: 1
title: Agreement for tests
parties: [{agency: th.rtp}, {agency: vn.police}]
valid_from_time: 2026-01-01
unpermitted_parts: withhold
clauses:
  - clause_id: four-eyes
    article: Art. 9
    effect: permit
    scope: {kinds: [operation]}
    conditions: {four_eyes: true}
"""
FOUNDING = """\
names:
  - {text: Operation Garden}
members:
  - {agency: vn.police, contributes: [CONTRIBUTION_KIND_PERSONS, CONTRIBUTION_KIND_INDICATORS],
     receives: [CONTRIBUTION_KIND_PERSONS, CONTRIBUTION_KIND_INDICATORS]}
  - {agency: nl.politie, contributes: [CONTRIBUTION_KIND_INDICATORS],
     receives: [CONTRIBUTION_KIND_INDICATORS]}
  - {agency: kh.police}
offences:
  - {iccs_code: '0701'}
objective: Take the scam centres down.
valid_until_time: 2099-01-01T00:00:00Z
instruments:
  - {name: UNTOC, article: Art. 19}
"""
PERSONS = json.dumps(
    {
        "persons": [
            {
                "record_id": records.record_id("Jan"),
                "category": "DATA_SUBJECT_CATEGORY_SUSPECT",
                "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "Jan Novák"}]}],
                "documents": [
                    {
                        "kind": "DOCUMENT_KIND_PASSPORT",
                        "number": "X 123-456",
                        "issuing_country": "CZ",
                    }
                ],
            }
        ]
    }
)


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:  # noqa: ANN401 - JSON
        """What it printed, as JSON."""
        assert 0 == self.code, self
        return json.loads(self.out)


class Agencies:
    """Agencies' folders at one gateway, and a way to run commands in them."""

    def __init__(self, house: House, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._house = house
        self._folder = folder
        self._capsys = capsys
        self._made: dict[str, Home] = {}

    def home(self, agency_id: str) -> Home:
        """Return an agency's folder; made when it is first asked for."""
        if agency_id not in self._made:
            self._made[agency_id] = self._make(agency_id)
        return self._made[agency_id]

    def _make(self, agency_id: str) -> Home:
        agency = self._house.agency(agency_id)
        home = Home(self._folder / agency_id)
        home.create()
        for name in ("signing", *(f"officer {one}" for one in agency.officers)):
            seed = hashlib.sha256(f"{agency_id} {name}".encode()).digest()
            write_key_file(home.key(name.replace(" ", "-")), PrivateKey.from_seed(seed))
        write_private_file(home.key("tls"), agency.tls_key)
        home.client_certificate.write_bytes(agency.tls_certificate)
        home.ca_certificate.write_bytes(agency.ca)
        policy = Policy(log_keys=[self._house.log_key], roots={agency_id: agency.root.public_key})
        write_policy(policy, [], home.path)
        home.write_settings(
            AgencySettings(
                agency=agency_id,
                gateway=f"localhost:{self._house.port}",
                origin=ORIGIN,
                log=self._house.log_key.text,
            )
        )
        return home

    async def run(self, agency_id: str, *arguments: object) -> Result:
        """Run a command in an agency's folder."""
        home = self.home(agency_id)
        words = [str(item) for item in arguments] + ["--home", str(home.path)]
        code = await asyncio.to_thread(_main, words)
        captured = self._capsys.readouterr()
        return Result(code, captured.out, captured.err)

    async def json(self, agency_id: str, *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Run a command that must succeed; return what it prints as JSON."""
        return (await self.run(agency_id, *arguments, "--json")).data

    async def fetch(self, *agencies: str) -> str:
        """Fetch the inboxes of agencies; return what was printed."""
        said = ""
        for agency_id in agencies:
            result = await self.run(agency_id, "inbox")
            assert 0 == result.code, result
            said += result.out + result.err
        return said

    def file(self, name: str, text: str) -> Path:
        """Write a file."""
        path = self._folder / name
        path.write_text(text, "utf-8")
        return path

    async def found(self) -> str:
        """Found the operation, with two members that joined; return its name."""
        file = self.file("garden.yaml", FOUNDING)
        made = await self.json(LEAD, "operation", "found", file, "--under", "garden:Art. 1")
        name: str = made["operation"]
        for agency_id in (MEMBER, THIRD):
            await self.fetch(agency_id)
            await self.json(agency_id, "operation", "join", name)
        return name

    async def claim(self, sender: str, to: str, reference: str) -> str:
        """Have an agency recall a message, whosever it is; return the recall's name."""
        head = header(sender, (to, "garden", "Art. 1"), kind=codes_pb2.KIND_RECALL)
        json_format.Parse(reference, head.subject.message)
        async with self._house.wire(sender) as wire:
            await wire.submit(envelope(self._house.agency(sender), head))
        return f"{sender}/{head.message_id}"

    async def send_persons(self, *more: object, sender: str = LEAD, to: str = MEMBER) -> str:
        """Send a person; return the message's name."""
        file = self.file("persons.json", PERSONS)
        made = await self.json(
            sender, "send", file, "--to", f"{to}:garden:Art. 1", "--offence", "0701", *more
        )
        return f"{sender}/{made['message_id']}"


def _main(words: list[str]) -> int:
    try:
        main(words)
    except SystemExit as stopped:
        return int(stopped.code or 0)


@pytest_asyncio.fixture(loop_scope="session")
async def agencies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Agencies]:
    """A gateway with five agencies; three are party to one agreement, a partner to another."""
    house = House(tmp_path / "gateway", extra_config="[limits]\nkeep_alive_seconds = 0.1\n")
    with house.world.together():
        for agency_id in EVERYBODY:
            house.world.enrol(agency_id, officers={FIRST: [SIGN, APPROVE], SECOND: [SIGN, APPROVE]})
        for name, parties in (
            ("garden", (LEAD, MEMBER, THIRD)),
            ("takedown", (LEAD, PARTNER)),
        ):
            listed = ", ".join(f"{{agency: {one}}}" for one in parties)
            house.world.agree(EVERYTHING.format(id=name, parties=listed))
        house.world.agree(STRICT)
    (tmp_path / "homes").mkdir()
    async with house.serving():
        yield Agencies(house, tmp_path / "homes", capsys)


async def test_operation_is_founded_joined_and_shown(agencies: Agencies) -> None:
    """Its members join on the terms of the founding document; who is not reached is told."""
    file = agencies.file("garden.yaml", FOUNDING)

    founded = await agencies.json(LEAD, "operation", "found", file, "--under", "garden:Art. 1")
    name = founded["operation"]
    await agencies.fetch(MEMBER)
    joined = await agencies.json(
        MEMBER, "operation", "join", name, "--receives", "indicators", "--officer", "Lt. Nguyen"
    )
    shown = await agencies.run(MEMBER, "operation", "show", name)
    listed = await agencies.json(LEAD, "operation", "list")

    assert [STRANGER] == [item["agency"] for item in founded["unreachable"]]
    assert [LEAD] == [item["recipient"] for item in joined["outcomes"]]
    assert "named Operation Garden" in shown.out
    rows = {line.split()[0]: line for line in shown.out.splitlines() if line}
    assert "lead" in rows[LEAD]
    assert rows[MEMBER].rstrip().endswith("persons, indicators  indicators")
    assert "invited" in rows[THIRD]
    assert [name] == [item["name"] for item in listed]


async def test_operation_is_invited_to_left_and_closed(agencies: Agencies) -> None:
    """The lead invites a partner under another agreement; who left and what is closed shows."""
    name = await agencies.found()

    await agencies.json(
        LEAD,
        *("operation", "invite", name, PARTNER, "--contributes", "none"),
        *("--receives", "takedowns,indicators", "--under", "takedown:Art. 1"),
    )
    await agencies.fetch(PARTNER)
    joined = await agencies.json(PARTNER, "operation", "join", name)
    left = await agencies.json(THIRD, "operation", "leave", name, "--reason", "Done here.")
    closed = await agencies.json(
        LEAD,
        *("operation", "close", name, "--under", "garden:Art. 1", "--under", "takedown:Art. 1"),
    )
    shown = await agencies.json(PARTNER, "operation", "show", name)
    again = await agencies.run(
        MEMBER, "operation", "report", name, "--arrest", records.record_id("Jan")
    )

    assert [LEAD] == [item["recipient"] for item in joined["outcomes"]]
    assert [LEAD, MEMBER] == [item["recipient"] for item in left["outcomes"]]
    assert [PARTNER] == [item["agency"] for item in left["unreachable"]]
    assert [LEAD, MEMBER, PARTNER] == shown["members_now"]
    assert {MEMBER, PARTNER} == {item["recipient"] for item in closed["outcomes"]}
    assert "closed" == shown["state"]
    assert 1 == again.code
    assert "was closed" in again.out


async def test_board_adds_up_all_reports(agencies: Agencies, tmp_path: Path) -> None:
    """What two members report counts once; anyone recomputes it from the messages, offline."""
    name = await agencies.found()
    jan, eva = records.record_id("Jan"), records.record_id("Eva")
    ids = agencies.file(
        "ids.txt", f"{records.record_id('c2 0')}\n{records.record_id('c2 1')} # x\n"
    )

    await agencies.json(MEMBER, "operation", "report", name, "--arrest", f"{jan},{eva}")
    await agencies.json(
        LEAD,
        *("operation", "report", name, "--arrest", jan, "--data-secured", f"{eva}=1024"),
        *("--file", ids, "--kind", "indicator-taken-down", "--country", "TH"),
        *("--under", "garden:Art. 1"),
    )
    await agencies.json(MEMBER, "operation", "report", name, "--arrest", eva, "--retract")
    await agencies.fetch(LEAD)
    board = await agencies.run(
        LEAD, "operation", "board", name, "--out", tmp_path / "reports", "--days"
    )
    elsewhere = await agencies.json(THIRD, "operation", "board", name)
    await agencies.run(THIRD, "receipt", "policy")
    alone = await agencies.json(THIRD, "operation", "board", name, "--from", tmp_path / "reports")

    assert 0 == board.code, board
    assert "3 of 3 reports" in board.out
    assert ["arrests", "1", "1", "1"] == next(
        line.split() for line in board.out.splitlines() if line.startswith("arrests")
    )
    totals = {item["label"]: item["total"] for item in alone["results"]}
    assert {"arrests": 1, "data secured": 1, "indicators taken down": 2} == totals
    assert 1024 == alone["data_bytes"]["total"]
    assert 3 == alone["reports"] == elsewhere["reports_named"]
    assert elsewhere["results"] == alone["results"]


async def test_board_leaves_out_what_does_not_verify(agencies: Agencies, tmp_path: Path) -> None:
    """A report that was altered does not count, and the exit code says so."""
    name = await agencies.found()
    jan = records.record_id("Jan")
    await agencies.json(MEMBER, "operation", "report", name, "--arrest", jan)
    await agencies.run(LEAD, "operation", "board", name, "--out", tmp_path / "reports")
    (path,) = (tmp_path / "reports").iterdir()
    path.write_bytes(path.read_bytes().replace(jan.encode(), records.record_id("Eva").encode()))
    await agencies.run(LEAD, "receipt", "policy")

    result = await agencies.run(
        LEAD, "operation", "board", name, "--from", tmp_path / "reports", "--json"
    )

    said = json.loads(result.out)
    assert 3 == result.code
    assert 0 == said["reports"]
    assert [str(path)] == [item["message"] for item in said["not_verified"]]


async def test_records_go_to_the_members_that_may_receive_them(agencies: Agencies) -> None:
    """Addressing an operation means its members now, each under an agreement; the rest is told."""
    name = await agencies.found()
    file = agencies.file("persons.json", PERSONS)

    sent = await agencies.json(
        LEAD,
        *("send", file, "--to-operation", name, "--under", "garden:Art. 1", "--offence", "0701"),
    )
    lost = await agencies.run(LEAD, "send", file, "--to-operation", name)
    within = await agencies.run(
        THIRD,
        *("send", file, "--to", f"{LEAD}:garden:Art. 1", "--operation", name),
    )

    assert [MEMBER] == [item["recipient"] for item in sent["outcomes"]]
    assert [{"agency": THIRD, "reason": "within the operation it may not receive persons"}] == sent[
        "unreachable"
    ]
    assert 2 == lost.code
    assert "give --under AGREEMENT:ARTICLE for one of: garden" in lost.err
    assert 1 == within.code
    assert "may not contribute persons" in within.out


async def test_steps_wait_for_four_eyes(agencies: Agencies) -> None:
    """A step handed into the officers' queue is sent once both have signed."""
    file = agencies.file("garden.yaml", FOUNDING)
    await agencies.run(LEAD, "receipt", "policy")

    drafted = await agencies.json(
        LEAD,
        *("operation", "found", file, "--to", f"{MEMBER}:strict:Art. 9"),
        *("--under", "garden:Art. 1", "--draft", "--author", FIRST, "--approver", SECOND),
    )
    draft = drafted["message_id"]
    for officer in (FIRST, SECOND):
        approved = await agencies.run(LEAD, "approve", draft, "--officer", officer)
        assert 0 == approved.code, approved
    sent = await agencies.json(LEAD, "send", draft)
    shown = await agencies.json(LEAD, "operation", "show", drafted["operation"])

    assert [FIRST, SECOND] == drafted["waiting_for"][1:]
    assert {MEMBER, THIRD} == {item["recipient"] for item in sent["outcomes"]}
    assert f"{LEAD}/{draft}" == shown["name"] == drafted["operation"]


async def test_consent_is_asked_given_used_and_withdrawn(agencies: Agencies) -> None:
    """What a handling asks for is asked of the originator; the forward finds the consent itself."""
    name = await agencies.send_persons()
    await agencies.fetch(MEMBER)
    forward = ("forward", name, "--to", f"{THIRD}:garden:Art. 1")

    lacking = await agencies.run(MEMBER, *forward)
    asked = await agencies.json(
        MEMBER,
        *("consent", "ask", name, "--scope", "onward", "--agency", THIRD),
        *("--reason", "Victims live there.", "--under", "garden:Art. 1"),
    )
    await agencies.fetch(LEAD)
    given = await agencies.json(
        LEAD,
        *("consent", "give", f"{MEMBER}/{asked['message_id']}", "--until", "30d"),
        *("--officer", "Col. Prasert"),
    )
    await agencies.fetch(MEMBER)
    forwarded = await agencies.json(MEMBER, *forward)
    await agencies.json(
        LEAD, "consent", "withdraw", given["message_id"], "--reason", "The case is closed."
    )
    await agencies.fetch(MEMBER, THIRD)
    withdrawn = await agencies.run(MEMBER, *forward)
    listed = await agencies.json(MEMBER, "consent", "list")
    own = await agencies.run(LEAD, "consent", "list")

    assert 2 == lacking.code
    assert f"rogatory consent ask {name}" in lacking.err
    assert [f"{LEAD}/{given['message_id']}"] == forwarded["consents"]
    assert [("DISPOSITION_PERMITTED")] == [
        item["decision"]["disposition"] for item in forwarded["outcomes"]
    ]
    assert 2 == withdrawn.code
    assert [
        ("you asked", "answered"),
        ("received", "withdrawn"),
        ("received", "withdrawal"),
    ] == [(item["way"], item["state"]) for item in listed]
    assert f"to {THIRD}; until" in own.out


async def test_recall_reaches_whoever_holds_a_copy(agencies: Agencies) -> None:
    """It is listed who holds it, who has confirmed, who has not; what was recalled says so."""
    name = await agencies.send_persons("--onward", "allowed")
    message_id = name.partition("/")[2]
    await agencies.fetch(MEMBER)
    await agencies.json(MEMBER, "forward", name, "--to", f"{THIRD}:garden:Art. 1")
    await agencies.fetch(THIRD)

    recalled = await agencies.json(
        LEAD, "recall", message_id, "--reason", "Wrong case.", "--officer", "Insp. Somchai"
    )
    arrived = await agencies.fetch(MEMBER, THIRD)
    recall = f"{LEAD}/{recalled['messages'][0]['message_id']}"
    shown = await agencies.run(MEMBER, "message", "show", name)
    early = await agencies.run(MEMBER, "confirm", recall, "--officer", "Lt. Nguyen")
    confirmed = await agencies.json(
        MEMBER, "confirm", recall, "--erase", "--officer", "Lt. Nguyen", "--officer-key", FIRST
    )
    after = await agencies.run(MEMBER, "message", "show", name)
    holders = await agencies.run(LEAD, "holders", name)
    waiting = await agencies.json(LEAD, "holders", message_id, "--waiting")
    again = await agencies.run(LEAD, "recall", message_id)
    passed_on = await agencies.run(MEMBER, "forward", name, "--to", f"{THIRD}:garden:Art. 1")

    assert [MEMBER, THIRD] == recalled["holders"]
    assert arrived.count(f"recall of {name}") == 2
    assert "recalled by its sender on 2" in shown.out
    assert 2 == early.code
    assert "still holds what was recalled, at position 1" in early.err
    assert 1 == len(confirmed["erased"])
    assert "Jan" not in (_everything(agencies.home(MEMBER).inbox))
    assert 0 == after.code
    assert "Persons: recalled by its sender" in after.out
    rows = {line.split()[0]: line for line in holders.out.splitlines()}
    assert "confirmed 20" in rows[MEMBER]
    assert "not confirmed for 0 days" in rows[THIRD]
    assert [THIRD] == waiting["waiting"] == [item["agency"] for item in waiting["holders"]]
    assert 2 == again.code
    assert 2 == passed_on.code


async def test_recall_by_another_than_the_author_takes_nothing_back(agencies: Agencies) -> None:
    """An agreement may let it through; nothing is erased, and nobody is warned of a record."""
    name = await agencies.send_persons("--onward", "allowed")
    await agencies.fetch(MEMBER)
    shown = await agencies.json(MEMBER, "message", "show", name)
    recall = await agencies.claim(THIRD, MEMBER, json.dumps(shown["reference"]))
    await agencies.fetch(MEMBER)

    confirmed = await agencies.run(MEMBER, "confirm", recall, "--erase", "--officer", "Lt. Nguyen")
    after = await agencies.run(MEMBER, "message", "show", name)
    passed_on = await agencies.run(MEMBER, "forward", name, "--to", f"{THIRD}:garden:Art. 1")

    assert 2 == confirmed.code
    assert f"is about a message of {LEAD}" in confirmed.err
    assert "recalled" not in after.out
    assert "Jan" in after.out
    assert 0 == passed_on.code, passed_on


async def test_copy_that_was_passed_on_is_erased(agencies: Agencies) -> None:
    """A holder of a copy erases the copy; who passed it on names whom the recall told."""
    name = await agencies.send_persons("--onward", "allowed")
    await agencies.fetch(MEMBER)
    await agencies.json(MEMBER, "forward", name, "--to", f"{THIRD}:garden:Art. 1")
    await agencies.fetch(THIRD)
    before = await agencies.run(THIRD, "message", "show", "1")
    recalled = await agencies.json(LEAD, "recall", name)
    await agencies.fetch(MEMBER, THIRD)
    recall = f"{LEAD}/{recalled['messages'][0]['message_id']}"

    for agency_id in (MEMBER, THIRD):
        await agencies.json(agency_id, "confirm", recall, "--erase", "--officer", "Officer")
    await agencies.fetch(LEAD)
    said = await agencies.json(LEAD, "message", "show", "1")
    waiting = await agencies.json(LEAD, "holders", name, "--waiting")
    after = await agencies.run(THIRD, "message", "show", "1")

    assert f"passes on {name}, signed by {LEAD}\nPersons:" in before.out
    assert "Jan Novák" in before.out
    assert "erased here; confirm that, where you have not" in after.out
    assert "Jan" not in (_everything(agencies.home(THIRD).inbox))
    assert [THIRD] == said["parts"][0]["content"]["informed_agencies"]
    assert [] == waiting["waiting"]


async def test_correction_reaches_the_holders_and_is_confirmed(agencies: Agencies) -> None:
    """Corrections alone go under the base agreement; with the right record as it was sent."""
    name = await agencies.send_persons()
    await agencies.fetch(MEMBER)
    record_id = records.record_id("Jan")
    correction = {
        "record": {"message": {}, "record_id": record_id},
        "reason": "CORRECTION_REASON_INACCURATE",
        "explanation": "Misspelt.",
    }
    alone = agencies.file("alone.json", json.dumps({"corrections": [correction]}))
    both = agencies.file(
        "both.json",
        json.dumps({"corrections": [correction], **json.loads(PERSONS.replace("Jan", "Ján"))}),
    )

    first = await agencies.json(LEAD, "correct", name, alone)
    told = await agencies.run(LEAD, "correct", name, both)
    second = await agencies.json(LEAD, "correct", name, both, "--again")
    await agencies.fetch(MEMBER)
    correction_name = f"{LEAD}/{second['messages'][0]['message_id']}"
    await agencies.json(MEMBER, "confirm", correction_name, "--erase", "--officer", "Lt. Nguyen")
    await agencies.fetch(LEAD)
    confirmation = await agencies.json(LEAD, "message", "show", "1")
    holders = await agencies.json(LEAD, "holders", name)

    (basis,) = (item["agreement_id"] for item in first["messages"][0]["outcomes"])
    (other,) = (item["agreement_id"] for item in second["messages"][0]["outcomes"])
    assert ("base", "garden") == (basis, other)
    assert 2 == told.code
    assert f"told already: {MEMBER}" in told.err
    assert [record_id] == confirmation["parts"][0]["content"]["record_ids"]
    assert [False, True] == [one["confirmed"] for one in holders["holders"][0]["notices"]]
    assert "Misspelt" in (_everything(agencies.home(MEMBER).inbox))


async def test_part_with_other_records_outlives_a_correction(agencies: Agencies) -> None:
    """A part goes as a whole, so one that also holds what was not corrected is kept, and said."""
    two = json.loads(PERSONS)
    two["persons"].append({**two["persons"][0], "record_id": records.record_id("Eva")})
    file = agencies.file("two.json", json.dumps(two))
    sent = await agencies.json(LEAD, "send", file, "--to", f"{MEMBER}:garden:Art. 1")
    correction = {
        "record": {"message": {}, "record_id": records.record_id("Eva")},
        "reason": "CORRECTION_REASON_OUTDATED",
    }
    corrections = agencies.file("corrections.json", json.dumps({"corrections": [correction]}))
    corrected = await agencies.json(LEAD, "correct", sent["message_id"], corrections)
    await agencies.fetch(MEMBER)
    name = f"{LEAD}/{corrected['messages'][0]['message_id']}"

    result = await agencies.run(MEMBER, "confirm", name, "--erase", "--officer", "Lt. Nguyen")

    assert 0 == result.code, result
    assert "also holds records that were not corrected" in result.err
    assert "Novák" in _everything(agencies.home(MEMBER).inbox)


async def test_alert_hits_are_told_to_its_issuer_once(agencies: Agencies) -> None:
    """What arrives and matches an alert is said; the hit goes to who issued it, never twice."""
    issued = await agencies.json(LEAD, *_alert(agencies))
    await agencies.send_persons(sender=THIRD)

    arrived = await agencies.fetch(MEMBER)
    matched = await agencies.run(MEMBER, "alert", "hits")
    sent = await agencies.json(MEMBER, "alert", "hits", "--send", "--officer", "Lt. Nguyen")
    again = await agencies.run(MEMBER, "alert", "hits", "--send")
    everything = await agencies.json(MEMBER, "alert", "hits", "--all")
    await agencies.fetch(LEAD)
    hit = await agencies.json(LEAD, "message", "show", "1")
    listed = await agencies.json(LEAD, "alert", "list")
    held = await agencies.run(MEMBER, "alert", "list")
    withdrawn = await agencies.json(LEAD, "alert", "withdraw", issued["message_id"])
    await agencies.send_persons(sender=THIRD)
    later = await agencies.fetch(MEMBER)
    ended = await agencies.run(MEMBER, "alert", "list")

    name = f"{LEAD}/{issued['message_id']}"
    assert f"HIT: record {records.record_id('Jan')} of {THIRD}/" in arrived
    assert "the same identifier" in matched.out
    assert [LEAD] == [item["recipient"] for item in sent["messages"][0]["outcomes"]]
    assert "nothing new to report\n" == again.out
    assert ["reported"] == [item["state"] for item in everything]
    said = hit["parts"][0]["content"]["hits"][0]
    assert issued["message_id"] == said["alert"]["message"]["message_id"]
    assert (name, 1, True) == tuple(
        listed[0][key] for key in ("alert", "hit_messages", "issued_by_you")
    )
    assert name in held.out
    assert [MEMBER] == [item["recipient"] for item in withdrawn["outcomes"]]
    assert "HIT" not in later
    assert "no alerts\n" == ended.out


async def test_alert_hits_of_a_drop_folder_are_told_once(
    agencies: Agencies, tmp_path: Path
) -> None:
    """A gateway takes the report; whoever looks for what is to be reported finds it was."""
    issued = await agencies.json(LEAD, *_alert(agencies))
    await agencies.send_persons(sender=THIRD)
    serve = ("connect", "--out", tmp_path / "out", "--in", tmp_path / "in", "--once")

    served = [await agencies.run(MEMBER, *serve, "--report-hits") for _ in range(2)]

    await agencies.fetch(LEAD)
    await agencies.fetch(MEMBER)
    hit = await agencies.json(LEAD, "message", "show", "1")
    unreported = await agencies.run(MEMBER, "alert", "hits")
    (written,) = (tmp_path / "in").glob("0*2-*/hits.json")
    (found,) = json.loads(written.read_text())
    assert [0, 0] == [result.code for result in served]
    assert f"{LEAD}/{issued['message_id']}" == found["alert"]
    said = hit["parts"][0]["content"]["hits"][0]
    assert issued["message_id"] == said["alert"]["message"]["message_id"]
    assert "no hits\n" == unreported.out


def _alert(agencies: Agencies) -> tuple[object, ...]:
    """Return the command that issues an alert on the passport that persons sent here have."""
    alert = {
        "document": {
            "kind": "DOCUMENT_KIND_PASSPORT",
            "number": "x123456",
            "issuing_country": "CZ",
        },
        "occasions": ["ALERT_OCCASION_EXCHANGED_RECORD"],
        "actions": ["ALERT_ACTION_REPORT"],
    }
    file = agencies.file("alert.json", json.dumps(alert))
    return ("alert", "issue", file, "--until", "30d", "--to", f"{MEMBER}:garden:Art. 1")


def _everything(folder: Path) -> str:
    """Return the text of all that a folder holds."""
    return "".join(
        path.read_bytes().decode("utf-8", "replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
