"""`rogatory connect` with drafts: what all have signed is sent, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rogatory.envelopes import open_envelope
from rogatory.home import Home
from tests.unit.rogatory.cli.conftest import Run
from tests.unit.rogatory.cli.drafts.conftest import Drafted, data
from tests.unit.rogatory.client.loopback import Loopback


class Dropped:
    """A drop folder whose one job is a draft."""

    def __init__(self, run: Run, home: Home, folder: Path) -> None:
        self._run = run
        self.home, self.out, self.into = home, folder / "out", folder / "in"
        self.file = self.out / "a.draft"
        self.out.mkdir()

    def once(self) -> dict[str, Any]:
        """Serve the folder once; return the draft's sidecar."""
        folders = ("--out", self.out, "--in", self.into)
        self._run("connect", "--home", self.home.path, *folders, "--once")
        said: dict[str, Any] = json.loads((self.out / "a.status.json").read_text())
        return said

    def again_from(self, folder: str) -> dict[str, Any]:
        """Put the draft there again from where it was put away, and serve the folder."""
        (self.out / folder / "a.draft").rename(self.file)
        return self.once()


@pytest.fixture
def dropped(run: Run, home: Home, tmp_path: Path) -> Dropped:
    """A drop folder."""
    return Dropped(run, home, tmp_path)


def test_draft_that_all_have_signed_is_sent_once(
    drafted: Drafted, in_folder: Drafted, gateway: Loopback, dropped: Dropped
) -> None:
    """With the agency's own signature added; it leaves the queue, and its file goes to done."""
    message_id = data(drafted("--sign"))["message_id"]
    in_folder("approve", message_id, "--officer", "b.lang", "--out", dropped.file)

    said = dropped.once()
    again = dropped.again_from("done")

    (sent,) = gateway.received
    assert ("sent", message_id) == (said["state"], said["message"]["message_id"])
    assert 3 == len(open_envelope(sent).signatures)
    assert said == again
    assert (dropped.out / "done" / "a.draft").exists()
    assert [] == list(dropped.home.drafts.iterdir())


def test_draft_that_lacks_a_signature_says_whose(
    drafted: Drafted, in_folder: Drafted, gateway: Loopback, dropped: Dropped
) -> None:
    """It fails and stays in the queue; once all have signed it is sent under the same name."""
    message_id = data(drafted("--sign", "--out", dropped.file))["message_id"]
    said = dropped.once()
    queued = sorted(path.name for path in dropped.home.drafts.iterdir())
    in_folder("approve", message_id, "--officer", "b.lang")

    again = dropped.again_from("failed")

    assert ("failed", "DRAFT_INCOMPLETE") == (said["state"], said["error"]["reason"])
    assert "has still to be signed by the agency's signing key, b.lang" in said["error"]["message"]
    assert said["error"]["hint"].endswith("then put it there again.")
    assert [f"{message_id}.draft"] == queued
    assert "sent" == again["state"]
    assert 1 == len(gateway.received)


def test_rejected_draft_is_not_sent(
    drafted: Drafted, in_folder: Drafted, gateway: Loopback, dropped: Dropped
) -> None:
    """A reviewer's no in the queue holds for the file too."""
    message_id = data(drafted("--sign"))["message_id"]
    in_folder("approve", message_id, "--officer", "b.lang", "--out", dropped.file)
    in_folder("review", message_id, "--reject", "--reason", "Wrong case", "--officer", "b.lang")

    said = dropped.once()

    assert ("failed", "DRAFT_REJECTED") == (said["state"], said["error"]["reason"])
    assert [] == gateway.received


@pytest.mark.parametrize("text", ["", "-----BEGIN ROGATORY DRAFT-----\n", "{}"])
def test_what_is_no_draft_fails(gateway: Loopback, dropped: Dropped, text: str) -> None:
    """Bytes of any kind are put aside."""
    dropped.file.write_text(text)

    said = dropped.once()

    assert ("failed", "DRAFT_ALTERED") == (said["state"], said["error"]["reason"])
    assert [] == gateway.received
