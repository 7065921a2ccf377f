"""The commands against a gateway on loopback: send, receive, acknowledge, prove."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from rogatory.cli.exits import ExitCode
from rogatory.envelopes import open_envelope
from rogatory.exchange.v1 import codes_pb2
from tests.unit.rogatory.cli.conftest import INDICATOR, PERSON, Enrolled, Result, Run, send_to_de
from tests.unit.rogatory.client.loopback import Fault, Loopback
from tests.unit.rogatory.client.world import World, indicators, message_id, persons

DOWN = Fault(grpc.StatusCode.UNAVAILABLE, "the ledger is down", "LEDGER_UNAVAILABLE", "Come back.")


def test_sent_message_has_a_receipt_that_verifies_offline(
    run: Run, enrolled: Enrolled, records: Callable[..., Path], gateway: Loopback
) -> None:
    """What was sent is proved with no gateway, once the policy was fetched."""
    home = enrolled("fr.police")
    sent = run(*send_to_de(home, records(indicators=[INDICATOR]), "--json"))
    run("receipt", "policy", "--home", home.path)
    calls = gateway.calls.total()

    proof = run("receipt", "verify", json.loads(sent.out)["receipt"], "--home", home.path, "--json")

    found = json.loads(proof.out)
    assert (0, 0, True, False) == (sent.code, proof.code, found["verified"], found["witnessed"])
    assert ["de.police"] == found["decisions_rechecked"]
    assert calls == gateway.calls.total()


def test_refused_message_exits_1_and_says_the_remedy(
    run: Run, enrolled: Enrolled, records: Callable[..., Path]
) -> None:
    """A refusal says the article, and the receipt of it is kept."""
    home = enrolled("fr.police")

    result = run(*send_to_de(home, records(persons=[PERSON])))

    assert ExitCode.REFUSED == result.code
    assert "Refused for de.police" in result.out
    assert 1 == len(list(home.receipts.iterdir()))


def test_dry_run_sends_nothing(
    run: Run, enrolled: Enrolled, records: Callable[..., Path], gateway: Loopback
) -> None:
    """A dry run asks for the decision on the header alone."""
    home = enrolled("fr.police")

    result = run(*send_to_de(home, records(indicators=[INDICATOR]), "--dry-run"))

    assert 0 == result.code
    assert "dry run, nothing was sent\nPermitted for de.police under Art. 2.\n" == result.out
    assert [] == gateway.received


def test_context_travels_as_a_part_of_its_own(
    run: Run, enrolled: Enrolled, records: Callable[..., Path], gateway: Loopback
) -> None:
    """Officer, case and justification are never in the header."""
    home = enrolled("fr.police")

    run(
        *send_to_de(home, records(indicators=[INDICATOR])),
        "--officer",
        "A. Meyer",
        "--case-reference",
        "2026/17",
    )

    header = open_envelope(gateway.received[0]).header
    assert [codes_pb2.PART_CATEGORY_INDICATOR, codes_pb2.PART_CATEGORY_CONTEXT] == [
        part.category for part in header.parts
    ]
    assert b"Meyer" not in header.SerializeToString()


def test_unreachable_gateway_keeps_the_message_for_sending_again(
    run: Run,
    enrolled: Enrolled,
    records: Callable[..., Path],
    gateway: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sending again sends the same bytes, so that nothing is there twice."""
    monkeypatch.setattr("rogatory.client.retry.RetryPolicy.wait", lambda *_: 0.0)
    home = enrolled("fr.police")
    gateway.faults["Submit"] = deque([DOWN] * 6)

    failed = run(*send_to_de(home, records(indicators=[INDICATOR])))
    (waiting,) = (home.path / "outbox").iterdir()
    again = run("send", "--again", waiting, "--home", home.path)

    assert (ExitCode.UNAVAILABLE, 0) == (failed.code, again.code)
    assert "error: the ledger is down. Come back.\n" in failed.err
    assert f"rogatory send --again {waiting}" in failed.err
    assert 1 == len(set(gateway.received))
    assert not waiting.exists()


def test_faulty_records_are_not_sent(
    run: Run, enrolled: Enrolled, tmp_path: Path, gateway: Loopback
) -> None:
    """Each fault is shown with file, line and column."""
    home = enrolled("fr.police")
    path = tmp_path / "bad.json"
    path.write_text('{"indicators": [\n  {"tpe": "INDICATOR_TYPE_DOMAIN"}\n]}', "utf-8")

    result = run(*send_to_de(home, path))

    assert ExitCode.USAGE == result.code
    assert "did you mean 'type'?" in result.err
    assert f"{path}: line 2, column 4" in result.err
    assert [] == gateway.received


def test_inbox_keeps_verifies_and_goes_on(run: Run, enrolled: Enrolled, world: World) -> None:
    """Each message is kept once; the next call begins after the last one kept."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    world.submit(world.envelope(number=2))

    first = run("inbox", "--home", home.path, "--json")
    world.submit(world.envelope(number=3))
    second = run("inbox", "--home", home.path, "--json")
    third = run("inbox", "--home", home.path)

    items = [json.loads(line) for line in (first.out + second.out).splitlines()]
    assert [(1, True, True), (2, True, True), (3, True, True)] == [
        (item["inbox_position"], item["verified"], item["decision_rechecked"]) for item in items
    ]
    assert (0, "", "nothing new\n") == (third.code, third.out, third.err)
    assert 3 == world.cursors["de.police"]
    assert all(Path(item["file"]).with_suffix(".json").exists() for item in items)


def test_message_is_on_disk_before_the_gateway_is_told(
    run: Run, enrolled: Enrolled, world: World, gateway: Loopback
) -> None:
    """When the advance fails the message is kept, and the next call goes on after it."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    gateway.faults["AdvanceCursor"] = deque(
        [Fault(grpc.StatusCode.INTERNAL, "broken", "INTERNAL", "Tell the operator.")]
    )

    failed = run("inbox", "--home", home.path)
    again = run("inbox", "--home", home.path)

    assert (ExitCode.FAILED, 0) == (failed.code, again.code)
    assert (home.inbox / "live" / "0000000001.delivery").exists()
    assert "nothing new" in again.err


def test_forged_message_is_kept_and_reported(run: Run, enrolled: Enrolled, world: World) -> None:
    """A part that was exchanged does not pass; the exit code says so, and the rest goes on."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    world.submit(world.envelope(number=2))
    forged = world.inboxes["de.police"][0]
    forged.envelope = forged.envelope.replace(b"a.example", b"b.example")

    result = run("inbox", "--home", home.path)

    assert ExitCode.NOT_VERIFIED == result.code
    first, second = result.out.splitlines()
    assert first.startswith("1  NOT VERIFIED: In the parts: part 0 does not match its commitment")
    assert "fr.police  transfer  1 indicator" in second
    assert 2 == world.cursors["de.police"]


def test_gap_in_the_inbox_is_an_error(
    run: Run, enrolled: Enrolled, world: World, gateway: Loopback
) -> None:
    """A message kept back stops the command; what came before is kept."""
    home = enrolled("de.police")
    for number in range(1, 4):
        world.submit(world.envelope(number=number))
    gateway.skip = {2}

    result = run("inbox", "--home", home.path)

    assert ExitCode.NOT_VERIFIED == result.code
    assert "position 2 is due" in result.err
    assert 1 == world.cursors["de.police"]


def test_acknowledgement_reaches_the_sender(
    run: Run, enrolled: Enrolled, world: World, gateway: Loopback
) -> None:
    """An acknowledgement is a signed message under the base agreement, and is logged."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    run("inbox", "--home", home.path)

    result = run("ack", "1", "--officer", "B. Schmidt", "--home", home.path, "--json")

    header = open_envelope(gateway.received[-1]).header
    assert (0, codes_pb2.KIND_RECEIPT, message_id(1)) == (
        result.code,
        header.kind,
        header.subject.message.message_id,
    )
    assert 1 == len(world.inboxes["fr.police"])


def test_acknowledgement_whose_answer_was_lost_is_sent_again(
    run: Run,
    enrolled: Enrolled,
    world: World,
    gateway: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An acknowledgement waits in the outbox as well, and is never there twice."""
    monkeypatch.setattr("rogatory.client.retry.RetryPolicy.wait", lambda *_: 0.0)
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    run("inbox", "--home", home.path)
    gateway.lost["Submit"] = deque([DOWN] * 6)

    failed = run("ack", "1", "--officer", "B. Schmidt", "--home", home.path)
    (waiting,) = (home.path / "outbox").iterdir()
    again = run("send", "--again", waiting, "--home", home.path, "--json")

    assert (ExitCode.UNAVAILABLE, 0) == (failed.code, again.code)
    assert f"rogatory send --again {waiting}" in failed.err
    assert json.loads(again.out)["repeated"]
    assert 1 == len(world.inboxes["fr.police"])
    assert not waiting.exists()


def test_message_is_shown_with_its_records(run: Run, enrolled: Enrolled, world: World) -> None:
    """A message is found by position, by name at the gateway, and offline."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1, contents=(indicators("c2.example"), persons())))

    by_name = run("message", "show", f"fr.police/{message_id(1)}", "--home", home.path, "--json")
    run("inbox", "--home", home.path)
    run("receipt", "policy", "--home", home.path)
    by_position = run("message", "show", "1", "--offline", "--home", home.path, "--json")

    found = json.loads(by_name.out)
    assert found == json.loads(by_position.out)
    assert ["c2.example", "ABSENCE_REASON_WITHHELD"] == [
        found["parts"][0]["content"]["indicators"][0]["value"],
        found["parts"][1]["absent"],
    ]


def test_absent_message_is_denied(run: Run, enrolled: Enrolled) -> None:
    """Denied and absent have one exit code and one text."""
    home = enrolled("de.police")

    result = run("message", "show", f"fr.police/{message_id(9)}", "--home", home.path)

    assert (ExitCode.DENIED, "error: denied or absent. Check the sender and the message id.\n") == (
        result.code,
        result.err,
    )


def test_receipt_of_a_received_message(run: Run, enrolled: Enrolled, world: World) -> None:
    """A recipient fetches a receipt with all it needs, and one byte of it changed is noticed."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    got = run("receipt", "get", f"fr.police/{message_id(1)}", "--home", home.path)
    path = Path(got.out.strip())

    good = run("receipt", "verify", path, "--home", home.path)
    path.write_bytes(path.read_bytes().replace(b"index 4", b"index 3"))
    bad = run("receipt", "verify", path, "--home", home.path)

    assert (0, ExitCode.NOT_VERIFIED) == (good.code, bad.code)
    assert "fr.police sent TRANSFER" in good.out
    assert "not yet witnessed" in good.out
    assert "inclusion in the log" in bad.out


def test_every_receipt_named_is_verified(
    run: Run, enrolled: Enrolled, world: World, tmp_path: Path
) -> None:
    """Each file is reported in its order, the exit code says whether all of them verified."""
    home = enrolled("de.police")
    for number in (1, 2):
        world.submit(world.envelope(number=number))
        run("receipt", "get", f"fr.police/{message_id(number)}", "--home", home.path)
    first, second = sorted(home.receipts.iterdir())
    altered, missing = tmp_path / "altered.tlog-proof", tmp_path / "missing.tlog-proof"
    altered.write_bytes(first.read_bytes().replace(b"index 4", b"index 3"))

    def verify(*files: Path) -> Result:
        return run("receipt", "verify", *files, "--home", home.path)

    good, unreadable, bad = (
        verify(first, second),
        verify(first, missing),
        verify(missing, altered, second),
    )
    lines = run("receipt", "verify", altered, second, "--home", home.path, "--json").out
    found = [json.loads(line) for line in lines.splitlines()]

    assert (0, ExitCode.USAGE, ExitCode.NOT_VERIFIED) == (good.code, unreadable.code, bad.code)
    assert [f"verified: {first}", f"verified: {second}"] == [
        text.splitlines()[0] for text in good.out.split("\n\n")
    ]
    assert [f"NOT VERIFIED: {missing}", f"NOT VERIFIED: {altered}", f"verified: {second}"] == [
        text.splitlines()[0] for text in bad.out.split("\n\n")
    ]
    assert "2 of 3 receipts did not verify\n" == bad.err
    assert [(str(altered), False), (str(second), True)] == [
        (item["file"], item["verified"]) for item in found
    ]
    assert "inclusion in the log" in found[0]["fault"]


def test_witness_can_be_required(run: Run, enrolled: Enrolled, world: World) -> None:
    """A receipt that nobody witnessed fails where that is demanded."""
    home = enrolled("de.police")
    world.submit(world.envelope(number=1))
    got = run("receipt", "get", f"fr.police/{message_id(1)}", "--home", home.path)

    result = run("receipt", "verify", got.out.strip(), "--require-witnessed", "--home", home.path)

    assert ExitCode.NOT_VERIFIED == result.code


def test_directory_says_whose_roots_are_pinned(run: Run, enrolled: Enrolled) -> None:
    """An agency with which no agreement exists is listed, and marked."""
    home = enrolled("de.police")

    result = run("directory", "list", "--home", home.path)

    states = {line.split()[0]: "not pinned" in line for line in result.out.splitlines()[1:]}
    assert {"de.police": False, "fr.police": False, "th.police": True} == states


def test_agreement_is_shown_from_the_gateway(run: Run, enrolled: Enrolled, tmp_path: Path) -> None:
    """An agreement in force is read, and kept as a file that checks."""
    home = enrolled("de.police")
    path = tmp_path / "x.txt"

    shown = run("agreement", "show", "x", "--out", path, "--home", home.path)
    checked = run("agreement", "check", path)

    assert (0, 0) == (shown.code, checked.code)
    assert "Art. 2 (indicators) permits" in shown.out
    assert "signed by all parties" in checked.out
