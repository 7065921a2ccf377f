"""What becomes of jobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rogatory.connect.disk import Disk
from rogatory.errors import ConfigurationError
from rogatory.receipts import Receipt
from tests.unit.rogatory.client.world import World
from tests.unit.rogatory.connect.desk import SECOND, Desk, error

DAY = 86_400 * SECOND


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder."""
    return Desk(World(), tmp_path)


def test_sent_job_has_answer_and_receipt(desk: Desk) -> None:
    """The sidecar names the message, what became of it, and the receipt beside the job."""
    desk.put("a")

    done = desk.outgoing().work()

    said = desk.status("a")
    assert {"sent": 1} == done.answered
    assert ("sent", "done/a.json") == (said["state"], said["file"])
    assert desk.sent == [said["message"]["message_id"]]
    assert "Permitted for de.police under Art. 2." == said["outcomes"][0]["summary"]
    receipt = Receipt.parse((desk.out / said["receipt"]).read_bytes())
    assert said["index"] == receipt.index
    assert (
        receipt.to_bytes() == (desk.folder / "receipts" / f"{desk.sent[0]}.tlog-proof").read_bytes()
    )
    assert [f"job-{desk.sent[0]}-sent"] == list(desk.notices)
    assert {"job": "a", "state": "sent", "sender": "fr.police", "message_id": desk.sent[0]} == (
        desk.told[0].data
    )


def test_refused_job_says_the_next_step(desk: Desk) -> None:
    """A refusal is an answer: the job is done, and the sidecar says what is against it."""
    desk.put("a", officer="persons")

    done = desk.outgoing().work()

    said = desk.status("a")
    assert {"refused": 1} == done.answered
    assert "done/a.json" == said["file"]
    assert "Refused for de.police" in said["outcomes"][0]["summary"]
    assert said["outcomes"][0]["next_step"]


def test_faulty_job_is_put_aside(desk: Desk) -> None:
    """It is kept, with what is wrong and where; mended and put there again it is sent."""
    desk.put("a", kindd="x")
    desk.outgoing().work()
    said = desk.status("a")
    desk.put("a")

    done = desk.outgoing().work()

    assert ("failed", "RECORD_FILE_ERROR") == (said["state"], said["error"]["reason"])
    assert [("a.json", "kindd", 1)] == [
        (item["file"], item["path"], item["line"]) for item in said["error"]["issues"]
    ]
    assert (desk.out / "failed" / "a.json").exists()
    assert {"sent": 1} == done.answered
    assert "sent" == desk.status("a")["state"]


def test_same_job_again_is_not_sent_again(desk: Desk) -> None:
    """A case system that does not know whether it put a job there puts it there again."""
    desk.put("a")
    outgoing = desk.outgoing()
    outgoing.work()
    first = desk.status("a")
    (desk.out / "a.status.json").unlink()
    desk.put("a")

    outgoing.work()

    assert first == desk.status("a")
    assert 1 == len(desk.sent)
    assert ["a-2.json", "a.json", "a.tlog-proof"] == sorted(
        path.name for path in (desk.out / "done").iterdir()
    )


def test_another_job_under_the_name_is_not_sent(desk: Desk) -> None:
    """A name is for one job; the answer to the first one stays."""
    desk.put("a")
    desk.outgoing().work()
    first = desk.status("a")
    desk.put("a", purpose="prosecution")

    done = desk.outgoing().work()

    (other,) = desk.out.glob("a-*.status.json")
    assert {"failed": 1} == done.answered
    assert first == desk.status("a")
    assert "another one" in json.loads(other.read_text())["error"]["message"]
    assert 1 == len(desk.sent)


def test_job_changed_after_it_was_taken_is_another(desk: Desk) -> None:
    """What is put there while a message is under way is not filed away as if it had been sent."""
    desk.put("a")
    desk.faults = [error("UNAVAILABLE")]
    outgoing = desk.outgoing()
    outgoing.work()
    desk.put("a", purpose="prosecution")

    outgoing.work()
    outgoing.work()

    assert 1 == len(desk.sent)
    assert [] == list((desk.out / "done").glob("*.json"))
    assert "prosecution" in (desk.out / "failed" / "a.json").read_text()


def test_unreachable_gateway_stops_the_pass(desk: Desk) -> None:
    """No job is lost or made twice; those behind it say that they wait."""
    for name in "abc":
        desk.put(name)
    desk.faults = [error("UNAVAILABLE"), error("UNAVAILABLE")]
    outgoing = desk.outgoing()

    first, second, third = outgoing.work(), outgoing.work(), outgoing.work()

    assert first.unreachable is not None
    assert second.unreachable is not None
    assert {"sent": 3} == third.answered
    assert 3 == desk.composed == len(desk.sent)


def test_waiting_jobs_say_so(desk: Desk) -> None:
    """The one that was tried says what is in the way and how often it was tried."""
    desk.put("a")
    desk.put("b")
    desk.faults = [error("UNAVAILABLE")]

    desk.outgoing().work()

    assert ("queued", 1) == (desk.status("a")["state"], desk.status("a")["tries"])
    assert "It failed" == desk.status("a")["error"]["message"]
    assert "queued" == desk.status("b")["state"]


def test_lost_answer_is_found(desk: Desk) -> None:
    """The message was entered and the answer lost: the same bytes get it."""
    desk.put("a")
    desk.faults, desk.lost = [error("DEADLINE_EXCEEDED")], True
    outgoing = desk.outgoing()
    outgoing.work()

    done = outgoing.work()

    assert {"sent": 1} == done.answered
    assert 1 == len(desk.sent) == desk.composed


def test_error_for_good_after_a_lost_answer_is_no_failure(desk: Desk) -> None:
    """Before a job fails, the gateway is asked whether it has the message all the same."""
    desk.put("a")
    desk.faults, desk.lost = [error("PERMISSION_DENIED", "KEY_REVOKED")], True

    done = desk.outgoing().work()

    assert {"sent": 1} == done.answered
    assert 1 == len(desk.sent)


def test_error_for_good_fails_the_job(desk: Desk) -> None:
    """Nothing was decided, and the same bytes would fare no better: the name is free again."""
    desk.put("a")
    desk.faults = [error("INVALID_ARGUMENT", "FIELD_VIOLATIONS")]
    outgoing = desk.outgoing()

    done = outgoing.work()
    said = desk.status("a")
    desk.put("a")
    again = outgoing.work()

    assert {"failed": 1} == done.answered
    assert ("failed", "FIELD_VIOLATIONS") == (said["state"], said["error"]["reason"])
    assert {"sent": 1} == again.answered


def test_trouble_of_one_job_does_not_hold_up_others(desk: Desk) -> None:
    """It waits longer and longer, and the others go on."""
    desk.put("a")
    desk.put("b")
    desk.faults = [error("INTERNAL", "INTERNAL"), None, error("INTERNAL", "INTERNAL")]
    outgoing = desk.outgoing()

    first = outgoing.work()
    too_soon = outgoing.work()
    desk.time += SECOND
    second = outgoing.work()
    desk.time += SECOND
    still_too_soon = outgoing.work()
    desk.time += SECOND
    last = outgoing.work()

    assert ({"sent": 1}, 1) == (first.answered, first.waiting)
    assert [1, 1, 1] == [item.waiting for item in (too_soon, second, still_too_soon)]
    assert {"sent": 1} == last.answered


@pytest.mark.parametrize(("waited", "state"), [(2 * DAY, "sent"), (SECOND, "failed")])
def test_message_that_expired_while_waiting_is_made_again(
    desk: Desk, waited: int, state: str
) -> None:
    """Once the gateway says that it never saw it; a clock that is wrong makes no endless loop."""
    desk.put("a")
    desk.faults = [error("UNAVAILABLE"), error("FAILED_PRECONDITION", "EXPIRED")]
    outgoing = desk.outgoing()
    outgoing.work()
    desk.time += waited

    outgoing.work()
    outgoing.work()

    assert state == desk.status("a")["state"]
    assert (2 if state == "sent" else 1) == desk.composed
    assert (1 if state == "sent" else 0) == len(desk.sent)


def test_envelope_is_sent_as_it_is(desk: Desk) -> None:
    """A message that was signed elsewhere goes out to the byte."""
    data = desk.world.envelope(number=7)
    (desk.out / "a.envelope").write_bytes(data)

    done = desk.outgoing().work()

    assert {"sent": 1} == done.answered
    assert (desk.out / "done" / "a.envelope").read_bytes() == data


@pytest.mark.parametrize("data", [b"", b"no envelope", "of another"])
def test_what_is_no_envelope_of_ours_fails(desk: Desk, data: bytes | str) -> None:
    """Bytes of any kind, and messages of others, are put aside."""
    envelope = desk.world.envelope(sender="th.police") if isinstance(data, str) else data
    (desk.out / "a.envelope").write_bytes(envelope)

    done = desk.outgoing().work()

    assert {"failed": 1} == done.answered
    assert [] == desk.sent


def test_job_that_cannot_be_moved_is_sent_once(desk: Desk) -> None:
    """Where the folder does not let us move a job it stays, and is not sent again."""

    class Stubborn(Disk):
        def move(self, source: Path, target: Path) -> None:
            if source.parent == desk.out:
                raise PermissionError(13, "Permission denied")
            Disk.move(self, source, target)

    desk.put("a")
    outgoing = desk.outgoing(Stubborn())
    outgoing.work()
    again = outgoing.work()

    restarted = desk.outgoing(Stubborn()).work()

    assert (desk.out / "a.json").exists()
    assert 1 == len(desk.sent)
    assert {} == again.answered == restarted.answered
    assert "sent" == desk.status("a")["state"]


def test_damaged_record_is_named(desk: Desk) -> None:
    """Whether its message was sent is not guessed."""
    outgoing = desk.outgoing()
    (desk.folder / "state" / "open" / "x.json").write_text("{}")

    with pytest.raises(ConfigurationError, match=r"x\.json cannot be read"):
        outgoing.work()


def test_files_are_for_owner_and_the_folders_group(desk: Desk) -> None:
    """Nobody else may read them, whatever the umask; the group as far as it may the folder."""
    desk.out.chmod(0o770)
    desk.put("a")

    desk.outgoing().work()

    assert 0o660 == (desk.out / "a.status.json").stat().st_mode & 0o777
    assert 0o770 == (desk.out / "done").stat().st_mode & 0o777
