"""A ledger with a little of everything in it, for what reads or checks a ledger at rest."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

from rogatory.envelopes import OpenedEnvelope, open_envelope, verify_signatures
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.ledger.database import DATABASE_FILE, open_engine
from rogatory_gateway.ledger.items import AccessItem, AdvanceItem, Item, MessageItem, RejectionItem
from rogatory_gateway.ledger.ledger import Ledger
from tests.support import records
from tests.support.world import World, envelope, header

NL, RO, SG = "nl.police", "ro.police", "sg.police"

AGREEMENT = """\
agreement_id: pact
version: 1
title: A pact for tests
parties: [{agency: nl.police}, {agency: ro.police}, {agency: sg.police}]
valid_from_time: 2026-01-01
unpermitted_parts: withhold
clauses:
  - clause_id: indicators
    article: Art. 1
    text: Indicators may be sent, ten thousand a day.
    effect: permit
    scope: {kinds: [transfer], categories: [indicator]}
    conditions:
      quota: {unit: records, limit: 10000, period_days: 1}
  - clause_id: no-prevention
    article: Art. 2
    text: Nothing for prevention.
    effect: refuse
    scope: {purposes: [prevention]}
"""


class History:
    """Fills a world's ledger; each method commits one group."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.enrol(NL)
        world.enrol(RO)
        world.enrol(SG)
        world.agree(AGREEMENT)
        self._engine = open_engine(world.folder / "data")
        self.ledger = Ledger(self._engine, now=time.time_ns)

    def close(self) -> None:
        """Close the ledger, so that its file can be copied."""
        self.ledger.close()
        self._engine.dispose()
        path = self.world.folder / "data" / DATABASE_FILE
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def append(self, *items: Item) -> None:
        """Commit one group."""
        self.ledger.append(items)

    def item(self, data: bytes) -> MessageItem:
        """Return a serialised envelope as admission would hand it to the ledger."""
        opened = open_envelope(data)
        signers = verify_signatures(opened, self.ledger.registry.ring, entry_time=time.time_ns())
        return MessageItem(
            actor=opened.header.sender, certificate=bytes(32), opened=opened, signers=signers
        )

    def transfer(
        self,
        *recipients: str,
        sender: str = NL,
        count: int = 1,
        purpose: codes_pb2.Purpose.ValueType = codes_pb2.PURPOSE_INVESTIGATION,
        person: bool = False,
        exercise: bool = False,
        agreement_id: str = "pact",
    ) -> MessageItem:
        """Return a message of indicators, and a person that the pact withholds."""
        made = header(sender, *((to, agreement_id, "Art. 1") for to in recipients), purpose=purpose)
        made.exercise = exercise
        contents = [records.indicators(count), *([records.persons()] if person else [])]
        return self.item(envelope(self.world.agencies[sender], made, *contents))

    def receipt(self, message: OpenedEnvelope, *, sender: str = RO) -> MessageItem:
        """Return an acknowledgement of a message."""
        made = header(
            sender,
            (message.header.sender, "base", "Base Art. 2"),
            kind=codes_pb2.KIND_RECEIPT,
            purpose=codes_pb2.PURPOSE_ADMINISTRATION,
            offences=(),
        )
        made.subject.message.CopyFrom(
            common_pb2.MessageReference(
                sender=message.header.sender,
                message_id=message.header.message_id,
                header_digest=message.header_digest,
            )
        )
        return self.item(
            envelope(self.world.agencies[sender], made, records.acknowledgement(message.reference))
        )


def fill(folder: Path, *, messages: int = 300) -> World:
    """Make a world whose log has every kind of entry; return it, its ledger closed.

    Entries 0 to 3 are governance; 4 is a message to two recipients, 5 has a part withheld, 6 was
    refused, 7 acknowledges 4, 8 is exercise; then a rejection with and one without a header, an
    advance, a read, and ``messages`` more; at the end SG is revoked.
    """
    world = World(folder)
    history = History(world)
    first = history.transfer(RO, SG, count=3)
    history.append(
        first,
        history.transfer(RO, person=True),
        history.transfer(RO, purpose=codes_pb2.PURPOSE_PREVENTION),
    )
    history.append(history.receipt(first.opened), history.transfer(RO, exercise=True))
    fault = EnvelopeError("too long", hint="Shorten it.", reason="TOO_LARGE")
    history.append(
        RejectionItem(
            actor=NL,
            certificate=bytes(32),
            error=fault,
            received=b"",
            header=first.opened.header_bytes,
            signatures=first.opened.signatures,
        ),
        RejectionItem(actor=NL, certificate=bytes(32), error=fault, received=b"nonsense"),
        AdvanceItem(actor=RO, certificate=bytes(32), position=2, exercise=False),
        AccessItem(actor=RO, certificate=bytes(32), call="ListEntries", request=b"", items=1),
    )
    for start in range(0, messages, 100):
        history.append(
            *(history.transfer(RO if n % 2 else SG) for n in range(min(100, messages - start)))
        )
    history.append(AdvanceItem(actor=RO, certificate=bytes(32), position=20, exercise=False))
    history.close()
    world.revoke(SG)
    return world
