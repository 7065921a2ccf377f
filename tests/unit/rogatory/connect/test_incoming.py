"""What appears in IN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2
from rogatory.client.faults import stream_ended
from rogatory.connect.incoming import safe_name
from rogatory.envelopes import open_envelope
from rogatory.errors import CallError, ConfigurationError
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory.recordfiles import read_records
from rogatory.records.v1 import common_pb2
from tests.unit.rogatory.client.world import NOW, World, indicators, persons
from tests.unit.rogatory.connect.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder."""
    return Desk(World(), tmp_path)


def read(path: Path) -> dict[str, Any]:
    """Return the JSON of a file."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_message_is_readable(desk: Desk) -> None:
    """Its header, outcome and records are JSON; the rest is there to prove it."""
    data = desk.world.envelope(contents=[indicators("a.example"), persons()])
    desk.world.submit(data)
    (delivery,) = desk.world.inboxes["de.police"]
    header = open_envelope(data).header

    desk.incoming().take(delivery)

    folder = desk.into / f"0000000001-fr.police-{header.message_id}"
    said = read(folder / "message.json")
    assert ("fr.police", "transfer", True) == (said["sender"], said["kind"], said["verified"])
    assert [("part-0-indicators.json", None), (None, "ABSENCE_REASON_WITHHELD")] == [
        (part.get("file"), part.get("absent")) for part in said["parts"]
    ]
    assert [indicators("a.example")] == [*read_records(folder / "part-0-indicators.json").contents]
    assert header.message_id == read(folder / "header.json")["message_id"]
    assert "de.police" == read(folder / "outcome.json")["recipient"]
    assert delivery == exchange_service_pb2.Delivery.FromString(
        (folder / "message.delivery").read_bytes()
    )
    assert b"a receipt" == (folder / "receipt.tlog-proof").read_bytes()
    assert not (folder / "hits.json").exists()


def test_notice_says_no_more_than_where_to_look(desk: Desk) -> None:
    """Ids, kind, sender, position and path, and no record."""
    (delivery,) = desk.arrive(1)

    desk.incoming().take(delivery)

    (notice,) = desk.told
    assert "message.arrived" == notice.type
    assert {
        "agency": "de.police",
        "sender": "fr.police",
        "message_id": desk.sent[0],
        "kind": "transfer",
        "position": 1,
        "index": delivery.index,
        "path": f"0000000001-fr.police-{desk.sent[0]}",
    } == notice.data


def test_position_that_is_held_is_not_written_again(desk: Desk) -> None:
    """Delivery is at least once, writing is once: also when the case system took it away."""
    first, second = desk.arrive(2)
    incoming = desk.incoming()
    incoming.take(first)
    (folder,) = desk.into.glob("0*")
    folder.rename(desk.folder / "taken")

    incoming.take(first)
    desk.incoming().take(first)
    incoming.take(second)

    assert ["0000000002"] == [path.name[:10] for path in desk.into.glob("0*")]
    assert 2 == incoming.position


def test_what_does_not_verify_is_put_in_quarantine(desk: Desk) -> None:
    """It is kept as it came, with the reason; what is behind it arrives."""
    bad, good = desk.arrive(2)
    bad.index += 0
    bad.entry = good.entry

    incoming = desk.incoming()
    incoming.take(bad)
    incoming.take(good)

    (suspect,) = (desk.into / "quarantine").iterdir()
    assert (
        "The log entry is not about this message"
        == (read(suspect / "reason.json")["error"]["message"])
    )
    assert bad == exchange_service_pb2.Delivery.FromString(
        (suspect / "message.delivery").read_bytes()
    )
    assert ["message.quarantined", "message.arrived"] == [notice.type for notice in desk.told]
    assert ["0000000002"] == [path.name[:10] for path in desk.into.glob("0*")]


@pytest.mark.parametrize("envelope", [b"", b"\xff", b"\n\x00"])
def test_bytes_of_any_kind_can_be_kept(desk: Desk, envelope: bytes) -> None:
    """Whatever a gateway sends, it is put aside and reception goes on."""
    (delivery,) = desk.arrive(1)
    delivery.envelope = envelope

    desk.incoming().take(delivery)

    assert ["0000000001"] == [path.name for path in (desk.into / "quarantine").iterdir()]


def test_nothing_is_written_while_keys_cannot_be_fetched(desk: Desk) -> None:
    """Not to know is not to disbelieve: the message is asked for again."""
    (delivery,) = desk.arrive(1)
    incoming = desk.incoming()

    def fail(_: object) -> None:
        raise stream_ended()

    incoming._verify = fail  # type: ignore[assignment]
    with pytest.raises(CallError):
        incoming.take(delivery)

    assert 0 == incoming.position
    assert [] == list(desk.into.glob("0*"))


def test_hit_is_written_and_told(desk: Desk) -> None:
    """What a message hits of that which is watched for is beside it."""
    (delivery,) = desk.arrive(1)

    desk.incoming(hits=[{"alert": "x"}]).take(delivery)

    (folder,) = desk.into.glob("0*")
    assert [{"alert": "x"}] == json.loads((folder / "hits.json").read_text())
    assert ["message.arrived", "alert.hit"] == [notice.type for notice in desk.told]


def test_deadline_is_told_once_for_each_state(desk: Desk) -> None:
    """It comes with each subscription; a file and a notice are made when its state changes."""
    deadline = exchange_service_pb2.DeadlineNotice(
        request=common_pb2.MessageReference(
            sender="fr.police",
            message_id="01a20232-142b-76cd-8a39-1a0990e0954a",
            header_digest=bytes(32),
        ),
        asking_agency="fr.police",
        asked_agency="de.police",
        due_date=deadline_pb2.DueDate(
            kind=deadline_pb2.DEADLINE_KIND_POSTPONEMENT_END, due_time=clock.to_timestamp(NOW)
        ),
        state=deadline_pb2.DUE_STATE_DUE_SOON,
    )
    desk.incoming().remind(deadline)
    desk.incoming().remind(deadline)
    deadline.state = deadline_pb2.DUE_STATE_OVERDUE

    desk.incoming().remind(deadline)

    assert ["deadline.due_soon", "deadline.overdue"] == [notice.type for notice in desk.told]
    assert 2 == len({notice.id for notice in desk.told})
    for notice in desk.told:
        assert "fr.police" == read(desk.into / str(notice.data["path"]))["asking_agency"]


def test_message_in_the_making_is_made_anew_in_another_folder(desk: Desk, tmp_path: Path) -> None:
    """Where the folder was changed after a crash, nothing is missing in the new one."""
    (delivery,) = desk.arrive(1)
    incoming = desk.incoming()
    state = desk.folder / "state" / "inbox.json"
    state.write_text(
        json.dumps(
            {
                "position": 0,
                "appearing": {"position": 1, "folder": "/elsewhere/0000000001", "notices": []},
            }
        )
    )

    incoming = desk.incoming()
    incoming.take(delivery)

    assert 1 == len(list(desk.into.glob("0*")))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"position": "x"}', '{"position": 1, "appearing": {}}']
)
def test_damaged_state_is_named(desk: Desk, text: str) -> None:
    """How far the inbox is held is not guessed."""
    (desk.folder / "state" / "inbox.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"inbox\.json cannot be read"):
        desk.incoming()


def test_folder_must_not_be_a_link(desk: Desk) -> None:
    """Nothing is written where a link leads."""
    (desk.into / "quarantine").symlink_to(desk.folder)

    with pytest.raises(ConfigurationError, match="not a folder"):
        desk.incoming()


@pytest.mark.parametrize(
    ("text", "name"),
    [("../a", "_a"), ("a/b\n", "a_b_"), ("", "_"), ("...", "_"), ("x" * 300, "x" * 200)],
)
def test_names_are_made_safe(text: str, name: str) -> None:
    """No name leads out of the folder or is hidden."""
    assert name == safe_name(text)
