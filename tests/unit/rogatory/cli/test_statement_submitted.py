"""Further key statements submitted to a gateway: what is in force, kept, and put to work."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

import grpc
import pytest

from rogatory.cli import history
from rogatory.cli.exits import ExitCode
from rogatory.envelopes import open_envelope
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import Home
from tests.unit.rogatory.cli.conftest import Run
from tests.unit.rogatory.client.loopback import Fault, Loopback
from tests.unit.rogatory.client.world import World

DOWN = Fault(grpc.StatusCode.UNAVAILABLE, "the ledger is down", "LEDGER_UNAVAILABLE", "Come back.")
GAP = Fault(grpc.StatusCode.INVALID_ARGUMENT, "it does not follow", "GOVERNANCE_INVALID", "Fetch.")

RENEW = ("agency", "statement", "--renew", "signing", "--submit")


@pytest.fixture
def home(enrolled: Callable[[str], Home]) -> Home:
    """An agency with a partner, whose folder keeps no statements."""
    return enrolled("fr.police")


def test_submitted_statement_goes_to_partners_and_its_keys_work(
    run: Run, home: Home, gateway: Loopback
) -> None:
    """It follows on what the directory has, as a message of governance signed by the old key."""
    old = home.key("signing").read_bytes()

    result = run(*RENEW, "--home", home.path, "--json")

    opened = open_envelope(gateway.received[0])
    document = key_statement_pb2.SignedKeyStatement.FromString(opened.parts[0].clear.content)
    told = json.loads(result.out)
    assert 0 == result.code, result.err
    assert (codes_pb2.KIND_GOVERNANCE, ["de.police"]) == (
        opened.header.kind,
        [item.agency for item in opened.header.recipients],
    )
    assert document == history.kept(home)[1]
    assert (2, ["signing"], None) == (told["sequence"], told["activated"], told["file"])
    assert old == home.key("retired/signing-1").read_bytes()


def test_lost_answer_leaves_all_to_go_on_with(
    run: Run, home: Home, gateway: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message waits, the statement is kept, and the new key waits for both."""
    monkeypatch.setattr("rogatory.client.retry.RetryPolicy.wait", lambda *_: 0.0)
    gateway.faults["Submit"] = deque([DOWN] * 20)
    down = run(*RENEW, "--home", home.path)
    gateway.faults.clear()
    (message,) = (home.path / "outbox").iterdir()

    again = run("send", "--again", message, "--home", home.path)

    assert (ExitCode.UNAVAILABLE, 0) == (down.code, again.code)
    assert "rogatory agency activate" in down.err
    assert 2 == len(history.kept(home))
    assert home.key("next/signing").exists()


def test_statement_that_is_not_taken_is_forgotten(run: Run, home: Home, gateway: Loopback) -> None:
    """The next one follows on what is in force; the key that was made is used by it."""
    gateway.faults["Submit"] = deque([GAP])
    refused = run(*RENEW, "--home", home.path)
    waiting = home.key("next/signing").read_bytes()
    kept = len(history.kept(home))

    again = run(*RENEW, "--home", home.path)

    assert (ExitCode.USAGE, 0) == (refused.code, again.code)
    assert 1 == kept
    assert waiting == home.key("signing").read_bytes()


def test_keys_are_put_to_work_once_the_operator_has_entered_them(
    run: Run, home: Home, world: World
) -> None:
    """Not before: the directory is asked, and what it says is verified."""
    run("agency", "statement", "--renew", "signing", "--home", home.path)
    made = history.kept(home)[1]
    early = run("agency", "activate", "--home", home.path, "--json")
    entry = world.directory["fr.police"]
    entry.statements.append(made)
    entry.entry_times.append(entry.entry_times[0])

    late = run("agency", "activate", "--home", home.path, "--json")

    assert {"activated": [], "waiting": ["signing"]} == json.loads(early.out)
    assert {"activated": ["signing"], "waiting": []} == json.loads(late.out)


def test_whoever_has_no_partner_gives_it_to_the_operator(
    run: Run, enrolled: Callable[[str], Home]
) -> None:
    """Nobody else would believe its keys; nothing is sent or kept."""
    alone = enrolled("th.police")

    result = run(*RENEW, "--home", alone.path)

    assert ExitCode.USAGE == result.code
    assert "give the file to the gateway's operator" in result.err
    assert 1 == len(history.kept(alone))


def test_directory_is_verified(run: Run, home: Home, world: World) -> None:
    """A gateway that names statements of another root is not followed."""
    entry = world.directory["fr.police"]
    del entry.statements[:]
    entry.statements.extend(world.directory["de.police"].statements)

    result = run(*RENEW, "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert "another root key" in result.err
