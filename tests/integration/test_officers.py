"""Four eyes over the wire: officers with keys of their own, drafts handed from one to the other."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rogatory.cli import history
from rogatory.cli.exits import ExitCode
from rogatory.cli.trust import write_policy
from rogatory.envelopes import open_envelope, verify_signatures
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from tests.support.house import ALPHA, APPROVE, BETA, DRAFT, LOG_KEY, SIGN, House
from tests.support.verifying import policy_of
from tests.support.wire import Wire, rows_of
from tests.support.world import ORIGIN, Agency, envelope, header, private_key

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUTHOR, APPROVER, LEAVER, CLERK = "a.meyer", "b.lang", "d.weiss", "c.kraus"
AGREEMENT = """\
agreement_id: eyes
version: 1
title: Agreement for tests
parties: [{agency: de.bka}, {agency: fr.pj}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: refuse_message
clauses:
  - clause_id: persons
    article: Art. 4(2)
    effect: permit
    scope: {kinds: [transfer], categories: [person]}
    conditions: {four_eyes: true}
"""
SUSPECT = {
    "persons": [
        {
            "category": "DATA_SUBJECT_CATEGORY_SUSPECT",
            "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "Jan Novák"}]}],
        }
    ]
}
TO_BETA = ("--to", f"{BETA}:eyes:Art. 4(2)")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:  # noqa: ANN401 - JSON
        """What it printed for programs."""
        return json.loads(self.out)


@dataclass(kw_only=True)
class Office:
    """An agency's folder, and the command line in it.

    Attributes:
        house: The gateway.
        home: The folder.
        suspect: A file of records.
    """

    house: House
    home: Home
    suspect: Path

    async def run(self, *arguments: object) -> Ended:
        """Run a command in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from rogatory.cli import main; main()",
            *map(str, arguments),
            "--home",
            str(self.home.path),
            "--json",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), timeout=60)
        assert process.returncode is not None
        return Ended(code=process.returncode, out=out.decode(), err=err.decode())

    async def draft(self, *more: object, approver: str = APPROVER) -> str:
        """Draft a message that an author and an approver sign; return its id."""
        ended = await self.run(
            *("draft", self.suspect, *TO_BETA, "--author", AUTHOR, "--approver", approver, *more)
        )
        assert 0 == ended.code, ended.err
        message_id: str = ended.data["message_id"]
        return message_id

    async def signed_draft(self, *, approver: str = APPROVER) -> str:
        """Return the id of a draft that both officers have signed."""
        message_id = await self.draft("--sign", approver=approver)
        ended = await self.run("approve", message_id, "--officer", approver)
        assert 0 == ended.code, ended.err
        return message_id

    def file(self, message_id: str) -> Path:
        """Return where a draft lies in the queue."""
        return self.home.drafts / f"{message_id}.draft"

    def receipt(self, message_id: str) -> Receipt:
        """Return the receipt of what was sent."""
        return Receipt.parse((self.home.receipts / f"{message_id}.tlog-proof").read_bytes())


def folder_of(house: House, agency: Agency, path: Path, *, officers: tuple[str, ...]) -> Home:
    """Return a folder of an agency with these officers' keys, as it knows its statements now."""
    home = Home(path)
    home.create()
    write_key_file(home.key("signing"), private_key(f"{agency.agency_id} signing"))
    for name in officers:
        write_key_file(
            home.key(f"officer-{name}"), private_key(f"{agency.agency_id} officer {name}")
        )
    write_private_file(home.key("tls"), agency.tls_key)
    home.client_certificate.write_bytes(agency.tls_certificate)
    home.ca_certificate.write_bytes(agency.ca)
    home.write_settings(
        AgencySettings(
            agency=agency.agency_id,
            gateway=f"localhost:{house.port}",
            origin=ORIGIN,
            log=LOG_KEY.text,
        )
    )
    policy = Policy(log_keys=[LOG_KEY], roots={agency.agency_id: agency.root.public_key})
    write_policy(policy, [], home.path)
    history.keep(home, agency.latest)
    return home


@pytest_asyncio.fixture(loop_scope="session")
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A gateway whose agreement wants four eyes, and the folder of an agency with officers."""
    house = House(tmp_path / "gateway")
    with house.world.together():
        alpha = house.world.enrol(
            ALPHA,
            officers={
                AUTHOR: [SIGN],
                APPROVER: [APPROVE],
                LEAVER: [SIGN, APPROVE],
                CLERK: [DRAFT],
            },
        )
        house.world.enrol(BETA)
        house.world.agree(AGREEMENT)
    suspect = tmp_path / "suspect.json"
    suspect.write_text(json.dumps(SUSPECT), "utf-8")
    async with house.serving():
        home = folder_of(house, alpha, tmp_path / "de", officers=(AUTHOR, APPROVER, LEAVER))
        yield Office(house=house, home=home, suspect=suspect)


async def revoke(office: Office, officer: str, wire: Wire) -> None:
    """Let the gateway enter a statement that ends an officer's key; the folder is not told."""
    alpha = office.house.agency(ALPHA)
    key = alpha.officer_signers[officer].public_key.fingerprint
    statement = alpha.next_statement(now=time.time_ns(), revoked=[key])
    head = header(ALPHA, (BETA, "base", "Base Art. 1"), kind=codes_pb2.KIND_GOVERNANCE, offences=())
    await wire.submit(envelope(alpha, head, statement))


async def test_drafted_approved_sent(office: Office) -> None:
    """Two officers' signatures and the agency's arrive, and the partner verifies all three.

    1. A clerk drafts it, with no network and nobody's key.
    2. The author signs, and it is not sent before the approver has too.
    3. It is sent; the queue is empty, and the receipt is kept.
    4. The partner has it under Art. 4(2), which wants four eyes.
    """
    message_id = await office.draft("--drafter", CLERK, "--case-reference", "2026/17")  # (1)
    await office.run("approve", message_id, "--officer", AUTHOR)  # (2)
    early = await office.run("send", message_id)
    dry = await office.run("send", message_id, "--dry-run")
    await office.run("approve", message_id, "--officer", APPROVER)
    listed = await office.run("draft", "list")
    sent = await office.run("send", message_id)  # (3)
    left = await office.run("draft", "list")
    async with office.house.wire(BETA) as beta, office.house.wire(ALPHA) as alpha:
        (item,) = await beta.inbox(1)  # (4)
        policy = await policy_of(office.house, alpha)

    opened = open_envelope(item.delivery.envelope)
    signers = verify_signatures(opened, policy.ring, entry_time=time.time_ns())
    assert (ExitCode.USAGE, "DRAFT_INCOMPLETE") == (early.code, early.data["error"]["reason"])
    assert f"{APPROVER}" in early.data["error"]["message"]
    assert 0 == dry.code
    assert (["the agency's signing key"], "ready to send") == (
        listed.data[0]["waiting_for"],
        listed.data[0]["state"],
    )
    assert (0, False) == (sent.code, sent.data["repeated"]), sent.err
    assert [] == left.data
    assert message_id == opened.header.message_id
    assert ["", AUTHOR, APPROVER] == [key.officer for key in signers]
    assert message_id == office.receipt(message_id).verify(policy).header.message_id


async def test_departed_officer_is_refused_at_once(office: Office) -> None:
    """Revoked between approving and sending: refused; what was sent before verifies as ever.

    1. One message is sent with the officer's approval.
    2. A second is approved, and then the officer's key is revoked.
    3. The second is refused with KEY_REVOKED: the log has that it was tried, and no outcome; the
       draft is still there.
    4. Receipt and delivery of the first verify, with the revocation known.
    """
    before = await office.signed_draft(approver=LEAVER)
    await office.run("send", before)  # (1)
    after = await office.signed_draft(approver=LEAVER)  # (2)
    async with office.house.wire(ALPHA) as alpha, office.house.wire(BETA) as beta:
        await revoke(office, LEAVER, alpha)
        rows = rows_of(office.house.folder)
        refused = await office.run("send", after)  # (3)
        policy = await policy_of(office.house, alpha)  # (4)
        again = await alpha.message(ALPHA, before)
        (item, *_) = await beta.inbox(1)

    leaver = office.house.agency(ALPHA).officer_signers[LEAVER].public_key.fingerprint
    known = policy.ring.get(leaver)
    receipt = office.receipt(before).verify(policy)
    assert (ExitCode.DENIED, "KEY_REVOKED") == (refused.code, refused.data["error"]["reason"])
    assert rows.after(entries=1) == rows_of(office.house.folder)
    assert office.file(after).exists()
    assert [] == list((office.home.path / "outbox").iterdir())
    assert known is not None
    assert "KEY_REVOKED" == known.fault_at(time.time_ns())
    delivered = open_envelope(item.delivery.envelope)
    assert (before, before) == (delivered.header.message_id, receipt.header.message_id)
    assert verify_signatures(delivered, policy.ring, entry_time=receipt.entry_time)
    assert again.envelope == item.delivery.envelope


async def test_statements_of_the_folder_refuse_a_departed_officer(office: Office) -> None:
    """Once the folder knows, nothing is asked of the gateway: not to approve, not to send."""
    signed = await office.signed_draft(approver=LEAVER)
    unsigned = await office.draft(approver=LEAVER)
    async with office.house.wire(ALPHA) as alpha:
        await revoke(office, LEAVER, alpha)
    history.keep(office.home, office.house.agency(ALPHA).latest)

    sent = await office.run("send", signed)
    approved = await office.run("approve", unsigned, "--officer", LEAVER)
    drafted = await office.run(
        *("draft", office.suspect, *TO_BETA, "--author", AUTHOR, "--approver", LEAVER)
    )
    listed = await office.run("draft", "list")

    assert [(ExitCode.USAGE, "KEY_REVOKED")] * 2 == [
        (ended.code, ended.data["error"]["reason"]) for ended in (sent, approved)
    ]
    assert ExitCode.USAGE == drafted.code
    assert "what there is is revoked" in drafted.err
    assert [f"KEY REVOKED: {LEAVER}"] * 2 == [row["state"] for row in listed.data]


async def test_two_officers_sign_at_the_same_moment(office: Office) -> None:
    """Two processes on one file: neither signature is lost, whoever comes first."""
    drafts = [await office.draft() for _ in range(3)]

    ended = await asyncio.gather(
        *(
            office.run("approve", message_id, "--officer", officer)
            for message_id in drafts
            for officer in (AUTHOR, APPROVER)
        )
    )
    sent = [await office.run("send", message_id) for message_id in drafts]

    assert [0] * 6 == [item.code for item in ended], [item.err for item in ended]
    assert [0] * 3 == [item.code for item in sent], [item.err for item in sent]


async def test_draft_is_handed_over_between_two_folders(office: Office, tmp_path: Path) -> None:
    """The approver works on another machine, with no connection and no key but the own one.

    1. The author drafts and signs, and hands the file on.
    2. The approver reviews it, and signs what was reviewed; the file comes back.
    3. It is sent with both signatures, though the queue's own copy lacks one.
    """
    alpha = office.house.agency(ALPHA)
    home = folder_of(office.house, alpha, tmp_path / "de-2", officers=(APPROVER,))
    home.key("tls").unlink()
    home.key("signing").unlink()
    away = Office(house=office.house, home=home, suspect=office.suspect)
    stick, back = tmp_path / "stick.draft", tmp_path / "back.draft"
    message_id = await office.draft("--sign", "--out", stick)  # (1)

    shown = await away.run("review", stick)  # (2)
    approved = await away.run(
        *("approve", stick, "--officer", APPROVER, "--out", back),
        *("--digest", shown.data["header_digest"]),
    )
    twice = await away.run("approve", back, "--officer", APPROVER)
    stranger = await away.run("approve", back, "--officer", AUTHOR)
    sent = await office.run("send", back)  # (3)

    assert ["Jan Novák"] == [
        text["text"]
        for name in shown.data["parts"][0]["content"]["persons"][0]["names"]
        for text in name["texts"]
    ]
    assert shown.data["four_eyes"]
    assert 0 == approved.code, approved.err
    assert [ExitCode.USAGE] * 2 == [twice.code, stranger.code]
    assert "DRAFT_SIGNED" == twice.data["error"]["reason"]
    assert 0 == sent.code, sent.err
    assert not office.file(message_id).exists()
    assert "still holds the records" in sent.err
    assert 0o600 == stick.stat().st_mode & 0o777 == back.stat().st_mode & 0o777


async def test_copies_signed_apart_are_merged(office: Office, tmp_path: Path) -> None:
    """Author and approver each signed a copy of their own: sending both sends one message."""
    first, second = tmp_path / "1.draft", tmp_path / "2.draft"
    message_id = await office.draft("--out", first)
    shutil.copy(first, second)
    office.file(message_id).unlink()
    await office.run("approve", first, "--officer", AUTHOR)
    await office.run("approve", second, "--officer", APPROVER)

    alone = await office.run("send", first)
    sent = await office.run("send", first, second)

    assert (ExitCode.USAGE, 0) == (alone.code, sent.code), sent.err


async def test_stopped_sender_sends_the_same_bytes(office: Office) -> None:
    """Stopped before or after the gateway had it, the message is entered once and its outcome told.

    1. The message was submitted, and the sender stopped before it had kept the receipt.
    2. Sent again, even after an approver's key was revoked, it gets the first answer.
    3. Stopped once more, between receipt and queue, the answer is told from the receipt.
    """
    message_id = await office.signed_draft(approver=LEAVER)
    copy = office.file(message_id).read_bytes()
    first = await office.run("send", message_id)
    office.file(message_id).write_bytes(copy)
    async with office.house.wire(ALPHA) as alpha:
        delivery = await alpha.message(ALPHA, message_id)
        (office.home.path / "outbox" / f"{message_id}.envelope").write_bytes(delivery.envelope)
        (office.home.receipts / f"{message_id}.tlog-proof").unlink()  # (1)
        await revoke(office, LEAVER, alpha)
    rows = rows_of(office.house.folder)

    second = await office.run("send", message_id)  # (2)
    office.file(message_id).write_bytes(copy)
    third = await office.run("send", message_id)  # (3)

    assert [0, 0, 0] == [item.code for item in (first, second, third)], second.err + third.err
    assert [False, True, True] == [item.data["repeated"] for item in (first, second, third)]
    assert 1 == len({item.data["index"] for item in (first, second, third)})
    assert rows.after() == rows_of(office.house.folder)
    assert not office.file(message_id).exists()
    assert envelope_pb2.Envelope.FromString(delivery.envelope).signatures[0].value
