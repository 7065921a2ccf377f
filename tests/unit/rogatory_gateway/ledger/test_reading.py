"""Reading the ledger: what each side may see of a message, and how it stands to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from rogatory import merkle
from rogatory.audit.v1 import entry_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory_gateway.ledger import reading
from rogatory_gateway.ledger.database import open_engine
from rogatory_gateway.ledger.items import MessageItem
from tests.support.history import NL, RO, SG, History
from tests.support.world import World

SENT = decision_pb2.REFERENCE_STANDING_SENT_TO_RECIPIENT
RECEIVED = decision_pb2.REFERENCE_STANDING_RECEIVED_FROM_RECIPIENT
NONE = decision_pb2.REFERENCE_STANDING_UNSPECIFIED


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """A ledger with three agencies and their pact: entries 0 to 3."""
    made = History(World(tmp_path / "gateway"))
    yield made
    made.close()


@pytest.fixture
def connection(history: History) -> Iterator[Connection]:
    """A reader's connection."""
    engine = open_engine(history.world.folder / "data", read_only=True)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def found(connection: Connection, item: MessageItem) -> reading.Found:
    """Return a message as the ledger finds it."""
    header = item.opened.header
    message = reading.find_message(connection, sender=header.sender, message_id=header.message_id)
    assert message is not None
    return message


def forms(envelope: bytes) -> list[tuple[str | None, str]]:
    """Return of each part of an envelope how it is there, and the article that withholds it."""
    parts = envelope_pb2.Envelope.FromString(envelope).parts
    return [(part.WhichOneof("form"), part.absent.article) for part in parts]


def test_a_recipient_gets_what_it_may_have_and_the_sender_all(
    history: History, connection: Connection
) -> None:
    """A withheld part is absent to the recipient; header and signatures are those received."""
    item = history.transfer(RO, person=True)
    history.append(item)
    message = found(connection, item)
    (outcome,) = reading.outcomes_of(connection, message.index)

    to_sender = reading.assemble(connection, message, None, recalled=None)
    to_recipient = reading.assemble(connection, message, outcome, recalled=None)

    assert [("clear", ""), ("clear", "")] == forms(to_sender)
    assert [("clear", ""), ("absent", "Art. 1")] == forms(to_recipient)
    for data in (to_sender, to_recipient):
        envelope = envelope_pb2.Envelope.FromString(data)
        assert item.opened.header_bytes == envelope.header
        assert list(item.opened.signatures) == list(envelope.signatures)


def test_the_parts_of_a_refused_message_are_gone_for_its_sender_too(
    history: History, connection: Connection
) -> None:
    """They were never stored; what is left says so and is no hole."""
    item = history.transfer(RO, purpose=codes_pb2.PURPOSE_PREVENTION)
    history.append(item)

    data = reading.assemble(connection, found(connection, item), None, recalled=None)

    assert [("absent", "")] == forms(data)


def test_a_page_of_an_inbox_begins_where_it_is_told(
    history: History, connection: Connection
) -> None:
    """In order of position, at most as many as asked for, training apart."""
    live = [history.transfer(RO) for _ in range(4)]
    history.append(*live, history.transfer(RO, exercise=True), history.transfer(SG))

    page = reading.inbox_page(connection, agency=RO, exercise=False, start=2, limit=2)
    training = reading.inbox_page(connection, agency=RO, exercise=True, start=1, limit=9)

    assert [(2, live[1].index), (3, live[2].index)] == [
        (row.outcome.inbox_position, row.found.index) for row in page
    ]
    assert [1] == [row.outcome.inbox_position for row in training]
    assert [(4, 0), (1, 0), (0, 0)] == [
        reading.inbox_state(connection, agency=agency, exercise=exercise)
        for agency, exercise in ((RO, False), (RO, True), (NL, False))
    ]


def test_how_a_message_stands_to_two(history: History, connection: Connection) -> None:
    """Only between those whom it went between; never before it was there, nor across training."""
    item, refused = history.transfer(RO), history.transfer(SG, purpose=codes_pb2.PURPOSE_PREVENTION)
    history.append(item, refused)

    def standing(
        message: MessageItem,
        sender: str,
        recipient: str,
        *,
        exercise: bool = False,
        before: int | None = None,
    ) -> int:
        header = message.opened.header
        reference = (header.sender, header.message_id, message.opened.header_digest)
        return reading.standing(
            connection,
            reference,
            sender=sender,
            recipient=recipient,
            exercise=exercise,
            before=before,
        )[0]

    assert (SENT, RECEIVED) == (standing(item, NL, RO), standing(item, RO, NL))
    assert (NONE, NONE) == (standing(item, NL, SG), standing(item, SG, RO))
    assert NONE == standing(item, NL, RO, exercise=True)
    assert (NONE, SENT) == (
        standing(item, NL, RO, before=item.index),
        standing(item, NL, RO, before=item.index + 1),
    )
    assert NONE == standing(refused, NL, SG)


def test_a_quota_counts_the_days_asked_for(history: History, connection: Connection) -> None:
    """From a day on; of another recipient nothing."""
    history.append(history.transfer(RO, count=3), history.transfer(RO, count=4))
    entry, _ = reading.load_outcomes(connection, 4)
    today = entry_pb2.AuditEntry.FromString(entry).entry_time.seconds // 86_400

    counts = [
        reading.quota_count(
            connection,
            agreement_id="pact",
            clause_id="indicators",
            sender=NL,
            recipient=recipient,
            from_day=day,
        )
        for recipient, day in ((RO, today), (RO, today + 1), (SG, today))
    ]

    assert [7, 0, 0] == counts


def test_a_tile_is_read_as_wide_as_it_was(history: History, connection: Connection) -> None:
    """A smaller checkpoint is proved from the same tile; one that is not there yet is none."""
    history.append(history.transfer(RO), history.transfer(RO))
    entries = [reading.load_outcomes(connection, index)[0] for index in range(6)]

    widths = {
        width: reading.read_tile(connection, level=0, number=0, width=width) for width in (2, 6, 7)
    }

    hashes = b"".join(merkle.leaf_hash(entry) for entry in entries)
    assert {2: hashes[:64], 6: hashes, 7: None} == widths
