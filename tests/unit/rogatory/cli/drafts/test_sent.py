"""`rogatory send` of a draft: what leaves the queue, and what stays in it."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import grpc
import pytest

from rogatory.cli.exits import ExitCode
from rogatory.envelopes import open_envelope
from rogatory.home import Home
from tests.unit.rogatory.cli.conftest import PERSON
from tests.unit.rogatory.cli.drafts.conftest import Drafted, data, reason
from tests.unit.rogatory.client.loopback import Fault, Loopback

DOWN = Fault(grpc.StatusCode.UNAVAILABLE, "the ledger is down", "LEDGER_UNAVAILABLE", "Come back.")
REVOKED = Fault(
    grpc.StatusCode.PERMISSION_DENIED, "the key is revoked", "KEY_REVOKED", "Sign anew."
)


def signed(drafted: Drafted, in_folder: Drafted, **members: object) -> str:
    """Return the id of a draft that both officers have signed."""
    message_id: str = data(drafted("--sign", **members))["message_id"]
    in_folder("approve", message_id, "--officer", "b.lang")
    return message_id


def test_sent_draft_leaves_the_queue(
    home: Home, drafted: Drafted, in_folder: Drafted, gateway: Loopback
) -> None:
    """With the agency's own signature added; the receipt is kept."""
    message_id = signed(drafted, in_folder)

    result = in_folder("send", message_id)

    opened = open_envelope(gateway.received[0])
    assert 0 == result.code, result.err
    assert (message_id, 3) == (opened.header.message_id, len(opened.signatures))
    assert [] == list(home.drafts.iterdir()) == list((home.path / "outbox").iterdir())
    assert Path(data(result)["receipt"]).exists()


def test_refused_draft_leaves_the_queue_too(
    home: Home, drafted: Drafted, in_folder: Drafted
) -> None:
    """A refusal is decided and in the log: the same message can never be permitted."""
    result = in_folder("send", signed(drafted, in_folder, persons=[PERSON]))

    assert ExitCode.REFUSED == result.code
    assert [] == list(home.drafts.iterdir())


def test_unanswered_draft_stays(
    home: Home,
    drafted: Drafted,
    in_folder: Drafted,
    gateway: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sending it again sends the very same bytes; the list says that it may be there already."""
    monkeypatch.setattr("rogatory.client.retry.RetryPolicy.wait", lambda *_: 0.0)
    message_id = signed(drafted, in_folder)
    gateway.faults["Submit"] = deque([DOWN] * 6)

    failed = in_folder("send", message_id)
    (row,) = data(in_folder("draft", "list"))
    again = in_folder("send", message_id)

    assert (ExitCode.UNAVAILABLE, 0) == (failed.code, again.code)
    assert f"send it again with: rogatory send {message_id}" in failed.err
    assert "may have been sent: rogatory send tells" == row["state"]
    assert 1 == len(set(gateway.received))
    assert [] == list(home.drafts.iterdir())


def test_discarded_draft_tells_of_the_outbox(
    home: Home,
    drafted: Drafted,
    in_folder: Drafted,
    gateway: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What may have been sent can't be made unsent by throwing the draft away."""
    monkeypatch.setattr("rogatory.client.retry.RetryPolicy.wait", lambda *_: 0.0)
    message_id = signed(drafted, in_folder)
    gateway.faults["Submit"] = deque([DOWN] * 6)
    in_folder("send", message_id)

    result = in_folder("draft", "discard", message_id)

    assert 0 == result.code
    assert "rogatory send --again" in result.err
    assert [] == list(home.drafts.iterdir())


def test_denied_draft_is_kept_and_no_copy_of_it(
    home: Home, drafted: Drafted, in_folder: Drafted, gateway: Loopback
) -> None:
    """Where the gateway knows more of an officer than the folder, nothing is left to resend."""
    message_id = signed(drafted, in_folder)
    gateway.faults["Submit"] = deque([REVOKED])

    result = in_folder("send", message_id)

    assert (ExitCode.DENIED, "KEY_REVOKED") == (result.code, reason(result))
    assert (home.drafts / f"{message_id}.draft").exists()
    assert [] == list((home.path / "outbox").iterdir())


def test_dry_run_needs_no_signature(
    drafted: Drafted, in_folder: Drafted, gateway: Loopback
) -> None:
    """The gateway says what it would decide on the header."""
    result = in_folder("send", data(drafted())["message_id"], "--dry-run")

    assert 0 == result.code, result.err
    assert data(result)["dry_run"]
    assert [] == gateway.received


@pytest.mark.parametrize("more", [["--to", "th.police:x:Art. 2"], ["--tlp", "green"]])
def test_draft_is_sent_as_it_was_signed(
    drafted: Drafted, in_folder: Drafted, more: list[str]
) -> None:
    """An option that would change it is refused, even one that repeats a default."""
    result = in_folder("send", signed(drafted, in_folder), *more)

    assert ExitCode.USAGE == result.code
    assert "sent as it was signed" in result.err
