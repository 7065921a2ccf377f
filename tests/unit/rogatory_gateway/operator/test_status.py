"""The state at a glance: what waits in inboxes, which agreements hold, and a checkpoint for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rogatory.assistance.v1 import request_pb2
from rogatory.checkpoints import open_checkpoint
from rogatory.errors import ConfigurationError
from rogatory.keyfiles import write_key_file
from rogatory.notes import VerifierKey
from rogatory_gateway.config import load
from rogatory_gateway.operator.opening import open_snapshot
from rogatory_gateway.operator.status import collect
from tests.support.asking import IN_HOURS, URGENT, ask, step
from tests.support.case import Case
from tests.support.history import NL, RO, SG, fill
from tests.support.world import DAY, private_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gateway that exchanged a few messages, and shut one agency out."""
    return fill(tmp_path_factory.mktemp("status") / "gateway", messages=30).folder


def test_what_waits_is_what_was_not_taken_up(folder: Path) -> None:
    """By agency, training apart; an agency that was shut out is shown with what is left for it."""
    settings = load(folder)

    with open_snapshot(settings) as connection:
        found = collect(connection, settings, now=time.time_ns())

    inboxes = {
        agency["agency_id"]: (agency["state"], agency["inbox"], agency["exercise_inbox"])
        for agency in found["agencies"]
    }
    empty = {"last": 0, "cursor": 0, "waiting": 0}
    assert {
        NL: ("admitted", {"last": 1, "cursor": 0, "waiting": 1}, empty),
        RO: (
            "admitted",
            {"last": 17, "cursor": 17, "waiting": 0},
            {"last": 1, "cursor": 0, "waiting": 1},
        ),
        SG: ("revoked", {"last": 16, "cursor": 0, "waiting": 16}, empty),
    } == inboxes


def test_the_checkpoint_is_the_logs_and_of_what_is_shown(folder: Path) -> None:
    """Whoever is sent it can verify it."""
    settings = load(folder)
    key = VerifierKey.parse(settings.log.verifier_key.read_text(encoding="utf-8").strip())

    with open_snapshot(settings) as connection:
        log = collect(connection, settings, now=time.time_ns())["log"]

    opened = open_checkpoint(log["checkpoint"].encode(), log_keys=[key]).checkpoint
    assert (log["size"], key.text) == (opened.size, log["verifier_key"])


def test_agreements_stand_where_they_are_at_that_time(folder: Path) -> None:
    """Pending before they begin, in force after."""
    settings = load(folder)
    begin = 1_767_225_600_000_000_000

    with open_snapshot(settings) as connection:
        before, after = (
            collect(connection, settings, now=now) for now in (begin - DAY, begin + DAY)
        )

    states = [
        [
            [item["agreement_id"] for item in found[f"agreements_{state}"]]
            for found in (before, after)
        ]
        for state in ("pending", "in_force")
    ]
    assert [[["pact"], []], [[], ["pact"]]] == states


def test_no_checkpoint_is_signed_with_another_key(folder: Path) -> None:
    """A status that others take for the log's would be a second log."""
    settings = load(folder)
    other = folder / "other-key.pem"
    write_key_file(other, private_key("another log"))
    wrong = settings.model_copy(update={"log": settings.log.model_copy(update={"key": other})})

    with open_snapshot(wrong) as connection, pytest.raises(ConfigurationError, match="other-key"):
        collect(connection, wrong, now=time.time_ns())


def test_requests_and_what_is_due_of_them(tmp_path: Path) -> None:
    """Live requests that have not ended, and which of their deadlines need attention."""
    case = Case(tmp_path / "gateway", agreement=IN_HOURS)
    ask(case, urgency=URGENT)
    ask(case)
    ask(case, urgency=URGENT, exercise=True)
    step(case, ask(case, urgency=URGENT), request_pb2.REQUEST_STEP_REFUSE)
    case.after(hours=35)

    with case.connect() as connection:
        found = collect(connection, case.world.settings, now=case.now)
    case.close()

    assert {"open": 2, "deadlines_due_soon": 1, "deadlines_overdue": 1} == found["requests"]
