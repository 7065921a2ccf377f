"""A case between agencies in a ledger whose clock the test sets: requests, recalls, operations."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from google.protobuf.message import Message
from sqlalchemy import Connection

from rogatory.envelopes import open_envelope, verify_signatures
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.ledger.database import open_engine
from rogatory_gateway.ledger.items import MessageItem
from rogatory_gateway.ledger.ledger import Ledger
from tests.support.world import DAY, HOUR, World, envelope, header

ASKING, ASKED, OTHER, FOURTH = "de.bka", "fr.pj", "nl.politie", "ro.police"
AUTHOR, APPROVER = "author", "approver"

EVERYTHING = """\
agreement_id: pact
version: 1
title: Everything, for tests of what stands beside the clauses
parties: [{agency: de.bka}, {agency: fr.pj}, {agency: nl.politie}, {agency: ro.police}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: all
    article: Art. 1
    effect: permit
    conditions:
      deadlines:
        - {urgency: urgent, directly_available: true, within: 8 hours}
        - {urgency: urgent, within: 3 days}
        - {urgency: routine, within: 7 days}
    obligations: {confirm_in_writing_within_hours: 24}
"""

Fill = Callable[[envelope_pb2.Header], None]


class Case:
    """Agencies under one agreement that permits everything.

    Attributes:
        now: Entry time of what is entered next, nanoseconds since the Unix epoch.
    """

    def __init__(self, folder: Path, *, agreement: str = EVERYTHING) -> None:
        rights = {
            AUTHOR: [codes_pb2.OFFICER_RIGHT_SIGN],
            APPROVER: [codes_pb2.OFFICER_RIGHT_APPROVE],
        }
        self.world = World(folder)
        with self.world.together():
            for agency in (ASKING, ASKED, OTHER, FOURTH):
                self.world.enrol(agency, officers=rights)
            self.world.agree(agreement)
        self.engine = open_engine(folder / "data")
        self.now = time.time_ns()
        self.ledger = Ledger(self.engine, now=lambda: self.now)

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()
        self.engine.dispose()

    def connect(self) -> Connection:
        """Return a connection that reads; close it."""
        return self.engine.connect()

    def after(self, *, hours: float = 0, days: float = 0) -> None:
        """Let time pass."""
        self.now += round(hours * HOUR + days * DAY)

    def item(
        self,
        sender: str,
        *recipients: str,
        kind: codes_pb2.Kind.ValueType,
        contents: Sequence[Message] = (),
        fill: Fill = lambda _: None,
        officers: Sequence[str] = (),
        basis: tuple[str, str] = ("pact", "Art. 1"),
    ) -> MessageItem:
        """Return a message as admission would hand it to the ledger."""
        head = header(sender, *((to, *basis) for to in recipients), kind=kind, now=self.now)
        fill(head)
        data = envelope(self.world.agencies[sender], head, *contents, officers=officers)
        opened = open_envelope(data)
        signers = verify_signatures(opened, self.ledger.registry.ring, entry_time=self.now)
        return MessageItem(actor=sender, certificate=bytes(32), opened=opened, signers=signers)

    def enter(
        self,
        sender: str,
        *recipients: str,
        kind: codes_pb2.Kind.ValueType,
        contents: Sequence[Message] = (),
        fill: Fill = lambda _: None,
        officers: Sequence[str] = (),
        basis: tuple[str, str] = ("pact", "Art. 1"),
    ) -> MessageItem:
        """Enter a message by itself; its outcomes are filled in."""
        item = self.item(
            sender,
            *recipients,
            kind=kind,
            contents=contents,
            fill=fill,
            officers=officers,
            basis=basis,
        )
        self.ledger.append([item])
        assert item.error is None, item.error
        return item


def reference(item: MessageItem) -> common_pb2.MessageReference:
    """Return how an answer refers to a message."""
    return item.opened.reference


def outcome(item: MessageItem, recipient: str = "") -> decision_pb2.Outcome:
    """Return the outcome for a recipient, or the only one."""
    found = [decision_pb2.Outcome.FromString(row.outcome) for row in item.outcomes]
    (one,) = [one for one in found if recipient in ("", one.recipient)]
    return one


def obstacles(item: MessageItem, recipient: str = "") -> list[int]:
    """Return the kinds of what stood in a message's way; empty: it was not refused."""
    decision = outcome(item, recipient).decision
    refused = decision.disposition == decision_pb2.DISPOSITION_REFUSED
    assert refused == bool(decision.obstacles), decision
    return [one.kind for one in decision.obstacles]
