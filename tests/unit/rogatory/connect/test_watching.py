"""`rogatory connect` with alerts: what hits one is said beside it, and reported once."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from rogatory import clock
from rogatory.client import Client, Submitted
from rogatory.envelopes import open_envelope
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import Home
from rogatory.records.v1 import alert_pb2
from tests.unit.rogatory.cli.conftest import Enrolled, Result, Run
from tests.unit.rogatory.client.loopback import Fault, Loopback
from tests.unit.rogatory.client.world import World, indicators, message_id
from tests.unit.rogatory.connect.fragile import Crash, Steps

WATCHED, OTHER = "c2.example", "harmless.example"
DOWN = Fault(grpc.StatusCode.UNAVAILABLE, "the ledger is down", "LEDGER_UNAVAILABLE", "Come back.")
EXPIRED = Fault(grpc.StatusCode.FAILED_PRECONDITION, "too late", "EXPIRED", "Send it anew.")
AGREEMENT = """
agreement_id: x
version: 1
title: Agreement of the tests
valid_from_time: 2026-01-01
unpermitted_parts: withhold
parties: [{agency: fr.police}, {agency: de.police}, {agency: th.police}]
clauses:
  - clause_id: records
    article: Art. 2
    effect: permit
    scope: {kinds: [transfer, alert]}
"""


def exchange() -> World:
    """Return an exchange whose agreement permits alerts, between three agencies."""
    return World(agreement_text=AGREEMENT, parties=("fr.police", "de.police", "th.police"))


@pytest.fixture
def world() -> World:
    """An exchange."""
    return exchange()


def alert(world: World, number: int = 1) -> None:
    """Let fr.police issue an alert."""

    def fill(header: envelope_pb2.Header) -> None:
        header.kind = codes_pb2.KIND_ALERT
        header.offences.append("0903")
        header.alert.valid_until_time.CopyFrom(until)

    until = clock.to_timestamp(time.time_ns() + clock.NANOSECONDS_PER_DAY)
    (watched,) = indicators(WATCHED).indicators
    content = alert_pb2.Alerts(
        alerts=[
            alert_pb2.Alert(
                record_id="00000000-0000-4000-8000-00000000000a",
                indicator=watched,
                occasions=[alert_pb2.ALERT_OCCASION_EXCHANGED_RECORD],
                actions=[alert_pb2.ALERT_ACTION_REPORT],
                valid_until_time=until,
            )
        ]
    )
    world.submit(world.envelope(number=number, contents=[content], fill=fill))


def withdraw(world: World, number: int) -> None:
    """Let fr.police take its alert back."""
    issued = open_envelope(_sent(world, "fr.police")[0]).reference

    def fill(header: envelope_pb2.Header) -> None:
        header.kind = codes_pb2.KIND_ALERT
        header.alert.hit_of.CopyFrom(issued)
        header.alert.withdrawal = True

    world.submit(world.envelope(number=number, contents=[indicators(OTHER)], fill=fill))


def arrive(world: World, value: str, number: int) -> None:
    """Let records of th.police arrive."""
    data = world.envelope(number=number, sender="th.police", contents=[indicators(value)])
    world.submit(data)


def _sent(world: World, sender: str) -> list[bytes]:
    return [
        delivery.envelope
        for inbox in world.inboxes.values()
        for delivery in inbox
        if open_envelope(delivery.envelope).header.sender == sender
    ]


class Watcher:
    """The folder of de.police, which holds an alert."""

    def __init__(self, home: Home, folder: Path, run: Run) -> None:
        self.home = home
        self.into = folder / "in"
        self._out = folder / "out"
        self._run = run

    def once(self, *more: object) -> Result:
        """Serve it once."""
        folders = ("--out", self._out, "--in", self.into)
        return self._run("connect", "--home", self.home.path, *folders, "--once", "--json", *more)

    def hits(self) -> dict[int, list[dict[str, Any]]]:
        """Return what is written of hits, by position."""
        return {
            int(path.parent.name[:10]): json.loads(path.read_text())
            for path in self.into.glob("0*/hits.json")
        }

    def left(self) -> list[Path]:
        """Return what is still to be reported, or may not have got out."""
        waiting = (self.home.path / "connect" / "live" / "hits", self.home.path / "outbox")
        return [path for folder in waiting if folder.exists() for path in folder.iterdir()]


@pytest.fixture
def watcher(enrolled: Enrolled, tmp_path: Path, run: Run) -> Watcher:
    """The folder."""
    return Watcher(enrolled("de.police"), tmp_path, run)


def reports(world: World) -> list[tuple[envelope_pb2.Header, alert_pb2.AlertHits]]:
    """Return what reached fr.police of hits."""
    found = []
    for data in _sent(world, "de.police"):
        opened = open_envelope(data)
        content = opened.parts[0].clear.content
        found.append((opened.header, alert_pb2.AlertHits.FromString(content)))
    return found


def test_hit_is_written_beside_its_message(watcher: Watcher, world: World) -> None:
    """With the alert, the record and what is asked for; nothing is sent unless wanted."""
    alert(world)
    arrive(world, WATCHED, 2)
    arrive(world, OTHER, 3)

    result = watcher.once()

    ((position, (hit,)),) = watcher.hits().items()
    assert 2 == position
    assert (f"fr.police/{message_id(1)}", f"th.police/{message_id(2)}") == (
        hit["alert"],
        hit["matched"],
    )
    assert "MATCH_BASIS_IDENTIFIER" == hit["basis"]
    assert ["ALERT_ACTION_REPORT"] == hit["actions"]
    assert "2: HIT: record" in result.err
    assert ([], []) == (reports(world), watcher.left())


def test_hit_is_reported_once(watcher: Watcher, world: World) -> None:
    """To the issuer, on the basis on which the alert came, as an answer to it."""
    alert(world)
    arrive(world, WATCHED, 2)

    result = watcher.once("--report-hits")
    watcher.once("--report-hits")

    ((header, content),) = reports(world)
    assert 0 == result.code, result
    assert codes_pb2.KIND_ALERT == header.kind
    assert [("fr.police", "x", "Art. 2")] == [
        (item.agency, item.agreement_id, item.article) for item in header.recipients
    ]
    assert message_id(1) == header.alert.hit_of.message_id == header.in_reply_to.message_id
    assert ["0903"] == [*header.offences]
    assert [message_id(2)] == [hit.matched.message.message_id for hit in content.hits]
    assert [] == watcher.left()


def test_alert_is_watched_for_after_its_message_was_taken(watcher: Watcher, world: World) -> None:
    """Another process, and nothing of the alert left in IN."""
    alert(world)
    watcher.once()
    for path in watcher.into.glob("0*"):
        shutil.rmtree(path)
    arrive(world, WATCHED, 2)

    watcher.once("--report-hits")

    assert [2] == [*watcher.hits()]
    assert 1 == len(reports(world))


def test_withdrawn_alert_is_hit_by_nothing(watcher: Watcher, world: World) -> None:
    """Once its issuer has taken it back."""
    alert(world)
    watcher.once()
    withdraw(world, 2)
    arrive(world, WATCHED, 3)

    watcher.once("--report-hits")

    assert {} == watcher.hits()
    assert [] == reports(world)


def test_hit_on_an_alert_that_has_ended_since_is_not_reported(
    watcher: Watcher, world: World
) -> None:
    """What hit it before is written down; its issuer wants to hear of it no longer."""
    alert(world)
    arrive(world, WATCHED, 2)
    withdraw(world, 3)

    result = watcher.once("--report-hits")

    assert [2] == [*watcher.hits()]
    assert ([], []) == (reports(world), watcher.left())
    assert "not reported, the alert is withdrawn" in result.err


@pytest.mark.parametrize("lost", [False, True])
def test_report_that_got_no_answer_is_sent_again(
    watcher: Watcher,
    world: World,
    gateway: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lost: bool,
) -> None:
    """The same bytes, whether the gateway has seen them or not."""
    monkeypatch.setattr("rogatory.client.retry.RetryPolicy.wait", lambda *_: 0.0)
    (gateway.lost if lost else gateway.faults)["Submit"] = deque([DOWN] * 6)
    alert(world)
    arrive(world, WATCHED, 2)

    first = watcher.once("--report-hits")
    again = watcher.once("--report-hits")

    assert (4, 0) == (first.code, again.code)
    assert "report of a hit waits" in first.err
    assert 1 == len(set(gateway.received)) == len(reports(world))
    assert [] == watcher.left()


def test_report_that_expired_is_made_anew(
    watcher: Watcher, world: World, gateway: Loopback
) -> None:
    """Nobody has seen it, and its issuer is still to be told."""
    gateway.faults["Submit"] = deque([EXPIRED])
    alert(world)
    arrive(world, WATCHED, 2)
    watcher.once("--report-hits")

    watcher.once("--report-hits")

    assert 2 == len({open_envelope(data).header.message_id for data in gateway.received})
    assert 1 == len(reports(world))
    assert [] == watcher.left()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    """Count each durable write of a process, and each message that it submits."""
    counted = Steps()
    submit = Client.submit

    def submitted(client: Client, data: bytes) -> Submitted:
        return counted.take(lambda: submit(client, data))

    monkeypatch.setattr(os, "fsync", lambda _: counted.take(lambda: None))
    monkeypatch.setattr(Client, "submit", submitted)
    yield counted
    monkeypatch.undo()


def test_every_hit_is_reported_once_whatever_the_crash(
    enrolled: Enrolled, tmp_path: Path, gateway: Loopback, run: Run, steps: Steps
) -> None:
    """Killed before any durable write or submission, it goes on from there."""
    fatal, crashed = 0, True
    while crashed:
        world = gateway.world = exchange()
        alert(world)
        arrive(world, WATCHED, 2)
        place = tmp_path / str(fatal)
        place.mkdir()
        watcher = Watcher(enrolled("de.police"), place, run)
        steps.fatal, steps.taken = fatal, 0
        try:
            watcher.once("--report-hits")
            crashed = False
        except Crash:
            # What was missing is done at the next start, and not a second time at the one after.
            steps.fatal = -1
            watcher.once("--report-hits")
        steps.fatal = -1
        watcher.once("--report-hits")

        assert 1 == len(reports(world))
        assert [2] == [*watcher.hits()]
        assert [] == watcher.left()
        shutil.rmtree(watcher.home.path)
        fatal += 1
    assert fatal > 30, "there are steps to crash at"
