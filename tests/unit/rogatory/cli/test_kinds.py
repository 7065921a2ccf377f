"""Kinds beside TRANSFER: what they are about, what they answer, what they add to the header."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rogatory.agreements.base import base_text
from rogatory.cli.exits import ExitCode
from rogatory.envelopes import OpenedEnvelope, open_envelope
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import Home
from rogatory.records.v1 import correction_pb2
from tests.unit.rogatory.cli.conftest import INDICATOR, Enrolled, Run, send_to_de
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.world import AGREEMENT_TEXT, World, message_id

Records = Callable[..., Path]

RECORD = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-7000-8000-00000000000f"
CORRECTION = {
    "record": {"message": {}, "record_id": RECORD},
    "reason": "CORRECTION_REASON_OUTDATED",
    "explanation": "The domain was taken down.",
}


def sent_before(run: Run, home: Home, records: Records, gateway: Loopback) -> OpenedEnvelope:
    """Send indicators with the command; return what it sent."""
    run(*send_to_de(home, records("before.json", indicators=[INDICATOR])))
    return open_envelope(gateway.received[-1])


def name_of(message: OpenedEnvelope) -> str:
    """Return how a command line names a message."""
    return f"{message.header.sender}/{message.header.message_id}"


def under_base(home: Home, article: str, *more: object, to: str = "de.police") -> list[object]:
    """Return the command line that sends under the base agreement."""
    return ["send", *more, "--to", f"{to}:base:{article}", "--home", home.path]


def test_recall_needs_nothing_but_what_it_is_about(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """The message recalled is found by its receipt, and its digest is filled in."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)
    calls = gateway.calls.total()

    result = run(
        *under_base(home, "Base Art. 3(1)", "--kind", "recall", "--about", name_of(before))
    )

    header = open_envelope(gateway.received[-1]).header
    assert (0, codes_pb2.KIND_RECALL, []) == (result.code, header.kind, list(header.parts))
    assert envelope_pb2.SubjectParticulars(message=before.reference) == header.subject
    assert calls + 1 == gateway.calls.total()


def test_correction_refers_to_the_record_as_it_was_sent(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """In a file of records {} stands for the message that is corrected: no digest is typed."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)
    file = records(corrections=[CORRECTION])

    result = run(
        *under_base(
            home, "Base Art. 4(1)", file, "--kind", "correction", "--about", name_of(before)
        ),
        "--json",
    )

    sent = open_envelope(gateway.received[-1])
    content = correction_pb2.Corrections.FromString(sent.parts[0].clear.content)
    assert 0 == result.code
    assert before.reference == content.corrections[0].record.message == sent.header.subject.message
    reference = json.loads(result.out)["reference"]
    assert sent.header.message_id == reference["message_id"]


def test_correction_is_confirmed_by_its_recipient(
    *,
    run: Run,
    enrolled: Enrolled,
    records: Records,
    gateway: Loopback,
    world: World,
    tmp_path: Path,
) -> None:
    """Particulars from a file and from --about come together; what answers is in the thread."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    run("inbox", "--home", home.path)
    name = f"fr.police/{message_id(1)}"
    particulars = tmp_path / "confirmed.json"
    particulars.write_text('{"confirmation": true}')
    confirmation = {
        "erasure_time": "2026-11-22T08:00:00Z",
        "official": {"name": "B. Schmidt", "agency": "de.police"},
    }

    result = run(
        *under_base(
            home, "Base Art. 4(2)", records(erasure_confirmation=confirmation), to="fr.police"
        ),
        *("--kind", "correction", "--about", name, "--reply-to", name),
        *("--particulars", particulars),
    )

    header = open_envelope(gateway.received[-1]).header
    original = open_envelope(world.inboxes["de.police"][0].envelope)
    assert 0 == result.code
    assert original.reference == header.subject.message == header.in_reply_to
    assert header.subject.confirmation
    assert message_id(1) == header.thread


def test_message_that_is_not_here_is_fetched_and_verified(
    run: Run, enrolled: Enrolled, gateway: Loopback, world: World
) -> None:
    """What the gateway says of a message is believed only with its sender's signature."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    world.submit(world.envelope(number=2))
    line = under_base(home, "Base Art. 3(2)", "--kind", "recall", to="fr.police")
    forged = world.inboxes["de.police"][1]
    forged.envelope = forged.envelope.replace(b"Art. 2", b"Art. 3")

    good = run(*line, "--about", f"fr.police/{message_id(1)}")
    bad = run(*line, "--about", f"fr.police/{message_id(2)}")

    assert (0, ExitCode.NOT_VERIFIED) == (good.code, bad.code)
    assert 1 == len(gateway.received)


def test_own_message_is_fetched_where_its_receipt_is_gone(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """Without a receipt the gateway is asked, and the agency's own signature is checked."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)
    for receipt in home.receipts.iterdir():
        receipt.unlink()

    result = run(
        *under_base(home, "Base Art. 3(1)", "--kind", "recall", "--about", name_of(before))
    )

    assert 0 == result.code
    header = open_envelope(gateway.received[-1]).header
    assert before.reference == header.subject.message


def test_draft_of_another_kind_is_evaluated(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """A dry run takes the same options, and sends nothing."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)

    result = run(
        *under_base(home, "Base Art. 3(1)", "--kind", "recall", "--about", name_of(before)),
        "--dry-run",
    )

    assert "Permitted for de.police under Base Art. 3(1)." in result.out
    assert 1 == len(gateway.received)


@pytest.mark.parametrize(
    ("to", "code", "text"),
    [
        ("de.police", 0, "Permitted for de.police under Base Art. 3(1)."),
        ("th.police", ExitCode.REFUSED, "Refer to a message that you sent to the recipient"),
    ],
)
def test_reference_is_judged_with_no_gateway(
    *,
    run: Run,
    enrolled: Enrolled,
    records: Records,
    gateway: Loopback,
    tmp_path: Path,
    to: str,
    code: int,
    text: str,
) -> None:
    """Evaluating looks at what is in the folder: to whom the message in question was sent."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)
    calls = gateway.calls.total()
    agreement = tmp_path / "base.yaml"
    # The base agreement names no parties; a text of one's own has to.
    parties = "parties: [{agency: fr.police}, {agency: de.police}, {agency: th.police}]\n"
    agreement.write_text(
        base_text().replace("agreement_id: base", f"agreement_id: own\n{parties}", 1)
    )

    result = run(
        *("agreement", "evaluate", agreement, "--kind", "recall", "--about", name_of(before)),
        *("--to", f"{to}:own:Base Art. 3(1)", "--home", home.path),
    )

    assert (code, True) == (result.code, text in result.out), result
    assert calls == gateway.calls.total()


@pytest.mark.parametrize("command", [["send"], ["agreement", "evaluate", "x.yaml"]])
def test_transfer_needs_records(
    run: Run, enrolled: Enrolled, world: World, tmp_path: Path, command: list[str]
) -> None:
    """A TRANSFER without a file of records says so; the other kinds may do without."""
    home = enrolled("fr.police")
    agreement = tmp_path / "x.yaml"
    agreement.write_text(AGREEMENT_TEXT)

    words = [str(agreement) if word == "x.yaml" else word for word in command]
    result = run(*words, "--to", "de.police:x:Art. 2", "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert "name at least one file of records" in result.err


@pytest.mark.parametrize(
    ("kind", "particulars", "check"),
    [
        ("request", {"assistance_kind": "ASSISTANCE_KIND_TAKEDOWN"}, "request.related_request"),
        ("update", {"step": "REQUEST_STEP_ACKNOWLEDGE"}, "update.request"),
        ("consent", {"consent_scope": "CONSENT_SCOPE_ONWARD_TRANSFER"}, "subject.message"),
        ("operation", {"step": "OPERATION_STEP_REPORT"}, "operation"),
        ("alert", {}, "alert.hit_of"),
    ],
)
def test_each_kind_says_what_it_is_about(
    *,
    run: Run,
    enrolled: Enrolled,
    records: Records,
    gateway: Loopback,
    tmp_path: Path,
    kind: str,
    particulars: dict[str, object],
    check: str,
) -> None:
    """Whatever the kind, --about goes where the header has its place for it."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)
    file = tmp_path / "particulars.json"
    file.write_text(json.dumps(particulars))

    run(
        *send_to_de(home, "--kind", kind, "--particulars", file, "--about", name_of(before)),
    )

    found: object = open_envelope(gateway.received[-1]).header
    for name in check.split("."):
        found = getattr(found, name)
    assert before.reference == found


def test_custody_event_is_chained_to_the_one_before(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback, tmp_path: Path
) -> None:
    """The digest of the event before stands in the header and in the record."""
    home = enrolled("fr.police")
    before = sent_before(run, home, records, gateway)
    file = tmp_path / "particulars.txtpb"
    file.write_text(f'item_id: "{RECORD}" action: 3 holder: "de.police"')
    event = {
        "item": {"message": {}, "record_id": RECORD},
        "action": "CUSTODY_ACTION_TRANSFERRED",
        "event_time": "2026-11-22T08:00:00Z",
        "previous_event": {},
    }

    result = run(
        *under_base(home, "Base Art. 5", records(custody_event=event), "--kind", "custody"),
        *("--about", name_of(before), "--particulars", file),
    )

    header = open_envelope(gateway.received[-1]).header
    assert 0 == result.code
    assert before.header_digest == header.custody.previous_digest


def test_alert_without_particulars_is_one(run: Run, enrolled: Enrolled, gateway: Loopback) -> None:
    """Particulars of which nothing is stated are there all the same."""
    home = enrolled("fr.police")

    run(*send_to_de(home, "--kind", "alert"))

    header = open_envelope(gateway.received[-1]).header
    assert "alert" == header.WhichOneof("particulars")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--kind", "recall"], "message must be stated for kind recall: give --about"),
        (["--kind", "request"], "assistance_kind must be stated for kind request"),
        (["--kind", "receipt"], "rogatory ack acknowledges a message"),
        (["--kind", "governance"], "rogatory agreement submit sends agreements"),
        (["--kind", "recal"], "did you mean recall?"),
        (["--kind", "recall", "--about", "x"], "write it as SENDER/MESSAGE_ID"),
        (["--kind", "recall", "--about", f"de.police/{OTHER}"], "or at the gateway"),
        (["--about", f"fr.police/{message_id(1)}"], "is about no other message"),
        (["--particulars", "x.json"], "a transfer has none"),
        (["--kind", "recall", "--particulars", "none.json"], "none.json cannot be read"),
    ],
)
def test_what_is_lacking_is_explained(
    *,
    run: Run,
    enrolled: Enrolled,
    world: World,
    records: Records,
    gateway: Loopback,
    arguments: list[str],
    text: str,
) -> None:
    """Nothing is sent, and the error says what to state and how."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    file = records(indicators=[INDICATOR])

    result = run("send", file, *arguments, "--to", "fr.police:x:Art. 2", "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert text in " ".join(result.err.split())
    assert [] == gateway.received


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("p.json", '{\n "mesage": {}}', "line 2, column 2"),
        ("p.txtpb", 'message {\n  sender: "fr.police" message_id: "1" }', "line 2, column 35"),
        ("p.json", '{\n "consent_scope": 9}', "line 2, column 19: consent_scope"),
    ],
)
def test_faults_in_particulars_have_their_places(
    *, run: Run, enrolled: Enrolled, tmp_path: Path, name: str, text: str, place: str
) -> None:
    """A file of particulars is read as a file of records is."""
    home = enrolled("fr.police")
    file = tmp_path / name
    file.write_text(text)

    result = run(*send_to_de(home, "--kind", "consent", "--particulars", file))

    assert ExitCode.USAGE == result.code
    assert f"{file}: {place}" in result.err


def test_unknown_message_in_a_record_has_its_place(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback
) -> None:
    """A record that names a message that nobody has points at it."""
    home = enrolled("fr.police")
    unknown = {
        **CORRECTION,
        "record": {"message": {"sender": "de.police", "message_id": OTHER}, "record_id": RECORD},
    }
    before = sent_before(run, home, records, gateway)

    result = run(
        *under_base(home, "Base Art. 4(1)", records(corrections=[unknown])),
        *("--kind", "correction", "--about", name_of(before)),
    )

    assert ExitCode.USAGE == result.code
    assert "corrections[0].record.message.header_digest: is not stated, and" in result.err


def test_about_and_particulars_must_agree(
    run: Run, enrolled: Enrolled, records: Records, gateway: Loopback, tmp_path: Path
) -> None:
    """Neither of two different messages is taken."""
    home = enrolled("fr.police")
    first, second = (sent_before(run, home, records, gateway) for _ in range(2))
    file = tmp_path / "particulars.json"
    sender, _, first_id = name_of(first).partition("/")
    file.write_text(json.dumps({"message": {"sender": sender, "message_id": first_id}}))

    result = run(
        *under_base(home, "Base Art. 3(1)", "--kind", "recall", "--particulars", file),
        *("--about", name_of(second)),
    )

    assert ExitCode.USAGE == result.code
    assert "names another message" in result.err


def test_reference_is_shown(run: Run, enrolled: Enrolled, world: World) -> None:
    """Whoever wants the digest finds it with the message, as records state it."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))

    listed = json.loads(run("inbox", "--home", home.path, "--json").out)
    shown = run("message", "show", "1", "--home", home.path)

    reference = listed["reference"]
    assert ("fr.police", message_id(1)) == (reference["sender"], reference["message_id"])
    assert f"reference {json.dumps(reference)}" in shown.out
