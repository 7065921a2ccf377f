"""Every crash there is: between any two steps, with and without a loss of power."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.rogatory.client.world import World
from tests.unit.rogatory.connect.desk import Desk
from tests.unit.rogatory.connect.fragile import Crash, FragileDisk, Steps

POWER = pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is durable is the fragile disk's to say: thousands of real flushes would add nothing."""
    monkeypatch.setattr("os.fsync", lambda _: None)


def crashes(
    folder: Path, *, power: bool, act: Callable[[Desk, FragileDisk, Steps], None]
) -> Iterator[Desk]:
    """Act once for each step there is, and crash at it; yield the desk as the crash left it."""
    fatal = 0
    while True:
        place = folder / str(fatal)
        desk = Desk(World(), place)
        steps = Steps(fatal=fatal)
        disk = FragileDisk(steps, place / "stash")
        try:
            act(desk, disk, steps)
        except Crash:
            if power:
                disk.lose_power()
            yield desk
            shutil.rmtree(place)
            fatal += 1
            continue
        assert fatal > 20, "there are steps to crash at"
        return


@POWER
def test_every_job_is_sent_once(tmp_path: Path, *, power: bool) -> None:
    """Whatever the crash: each message is in the log once, each job answered and put away."""

    def act(desk: Desk, disk: FragileDisk, steps: Steps) -> None:
        desk.put("a-permitted")
        folder = desk.out / "b-folder"
        folder.mkdir()
        (folder / "job.json").write_text('{"to": ["x"], "files": ["r.json"]}')
        (folder / "r.json").write_text("{}")
        desk.put("c-refused", officer="persons")
        desk.put("d-faulty", officer="faulty")
        (desk.out / "e-drafted.draft").write_bytes(desk.world.envelope(number=90))
        desk.outgoing(disk, around=steps.take).work()

    for desk in crashes(tmp_path, power=power, act=act):
        desk.outgoing().work()
        desk.outgoing().work()

        states = {
            path.name.removesuffix(".status.json"): json.loads(path.read_text())
            for path in desk.out.glob("*.status.json")
        }
        assert {
            "a-permitted": "sent",
            "b-folder": "sent",
            "c-refused": "refused",
            "d-faulty": "failed",
            "e-drafted": "sent",
        } == {name: said["state"] for name, said in states.items()}
        assert 4 == len(desk.sent)
        assert desk.settled == {*desk.sent}
        assert sorted(desk.sent) == sorted(
            said["message"]["message_id"] for said in states.values() if "message" in said
        )
        assert {"done", "failed"} == {
            path.name for path in desk.out.iterdir() if not path.name.endswith(".status.json")
        }
        for said in states.values():
            assert (desk.out / said["file"]).exists()
            assert "receipt" not in said or (desk.out / said["receipt"]).read_bytes()
        assert 5 == len(desk.notices)
        assert [] == list((desk.folder / "state" / "open").glob("[!.]*"))


@pytest.mark.parametrize("consumes", [False, True])
@POWER
def test_every_message_is_written_once(tmp_path: Path, *, power: bool, consumes: bool) -> None:
    """Whatever the crash, and also where the case system takes a message away at once."""
    taken: Counter[str] = Counter()

    def consume(desk: Desk) -> None:
        for pattern in ("0*", "quarantine/0*"):
            for path in desk.into.glob(pattern):
                if not consumes and path.name in taken:
                    continue
                assert (path / "message.delivery").read_bytes()
                assert (path / "message.json").exists() or (path / "reason.json").exists()
                taken[path.name] += 1
                if consumes:
                    shutil.rmtree(path)

    def act(desk: Desk, disk: FragileDisk, steps: Steps) -> None:
        inbox = desk.arrive(3)
        inbox[1].envelope = inbox[1].envelope[:-1] + bytes([inbox[1].envelope[-1] ^ 1])
        incoming = desk.incoming(disk, around=steps.take)
        for delivery in inbox:
            incoming.take(delivery)

    for desk in crashes(tmp_path, power=power, act=act):
        taken.clear()
        consume(desk)
        incoming = desk.incoming()
        consume(desk)
        for delivery in desk.world.inboxes["de.police"]:
            incoming.take(delivery)
        consume(desk)

        assert [1, 1, 1] == list(taken.values())
        assert ["0000000001", "0000000002", "0000000003"] == sorted(name[:10] for name in taken)
        assert "0000000002" in taken
        assert 3 == incoming.position == desk.incoming().position
        assert 3 == len(desk.notices)
        assert [] == list((desk.into / ".arriving").iterdir())
