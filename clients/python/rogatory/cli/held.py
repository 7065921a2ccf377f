"""A message that this agency received or sent, as it is held here: for whoever reads or answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from google.protobuf.message import Message

from rogatory import envelopes
from rogatory.cli import received
from rogatory.cli.output import note
from rogatory.cli.session import connect
from rogatory.cli.store import SUFFIX, InboxStore, read_delivery
from rogatory.cli.trust import Trust
from rogatory.entries import open_entry
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import ConfigurationError, NotFoundOrDenied, RogatoryError
from rogatory.exchange.v1 import envelope_pb2, exchange_service_pb2
from rogatory.home import Home
from rogatory.receipts import Receipt

ENVELOPE_SUFFIX = ".envelope"
"""Of a message that was made here."""

_SENT = ("outbox", "sent")
"""Folders with messages that were made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message and what is known of it.

    Attributes:
        opened: The message; of one that only a receipt tells of, the header alone.
        contents: Contents of its parts that can be read here.
        verified: Signatures, and for a message received its place in the log, were verified.
        entry_time: When it was entered in the log, nanoseconds since the Unix epoch; None: unknown.
        index: Its position in the log; likewise.
        inbox_position: Its position in the inbox; None: it was not received.
        receipt: The file of its receipt; None: there is none.
    """

    opened: OpenedEnvelope
    contents: Sequence[Message] = ()
    verified: bool = False
    entry_time: int | None = None
    index: int | None = None
    inbox_position: int | None = None
    receipt: Path | None = None

    def absent(self) -> Iterator[tuple[str, envelope_pb2.AbsentPart]]:
        """Yield the schema of each part that is not here, and why it is not."""
        for descriptor, part in zip(self.opened.header.parts, self.opened.parts, strict=False):
            if part.WhichOneof("form") == "absent":
                yield descriptor.schema, part.absent


def find(place: Home, word: str, *, exercise: bool, offline: bool) -> Held:
    """Return the message that a word names: a file, an inbox position, or SENDER/MESSAGE_ID.

    Args:
        place: The agency's folder.
        word: The word.
        exercise: In the inbox of training messages.
        offline: Ask no gateway for what is not there.

    Raises:
        ConfigurationError: There is no such message.
        EnvelopeError: It is not one.
        CallError: The gateway did not answer.
    """
    if word.endswith(ENVELOPE_SUFFIX):
        return _made(place, _read(Path(word)))
    sender, slash, message_id = word.partition("/")
    if slash and not word.endswith(SUFFIX):
        found = _named(place, sender, message_id, exercise=exercise, offline=offline)
        if not offline and (found is None or not found.contents):
            # A receipt tells of a message and has no records: those are at the gateway.
            found = _fetched(place, sender, message_id) or found
        if found is None:
            raise ConfigurationError(
                f"There is no message {word} in {place.path}"
                + ("" if offline else " or at the gateway"),
                hint="Check sender and message id; rogatory inbox lists what arrived.",
            )
        return found
    delivery = received.find(place, None, word, exercise=exercise)
    return _received(place, delivery, offline=offline)


def _named(
    place: Home, sender: str, message_id: str, *, exercise: bool, offline: bool
) -> Held | None:
    store = InboxStore(place.inbox, exercise=exercise)
    for path in store.files():
        delivery = read_delivery(path)
        header = envelopes.open_envelope(delivery.envelope).header
        if (header.sender, header.message_id) == (sender, message_id):
            return _received(place, delivery, offline=offline)
    for folder in _SENT:
        path = place.path / folder / f"{message_id}{ENVELOPE_SUFFIX}"
        if path.is_file():
            return _made(place, _read(path))
    return _from_receipt(place, sender, message_id)


def _fetched(place: Home, sender: str, message_id: str) -> Held | None:
    """Return what the gateway has; of a message that was sent, a receipt may be held too."""
    with connect(place) as client:
        try:
            delivery = client.get_message(sender, message_id)
        except NotFoundOrDenied:
            return None
    found = _received(place, delivery, offline=False)
    if (found.opened.header.sender, found.opened.header.message_id) != (sender, message_id):
        raise ConfigurationError(
            f"The gateway gave another message than {sender}/{message_id}",
            hint="Do not use it; tell the gateway's operator.",
        )
    return found


def _received(place: Home, delivery: exchange_service_pb2.Delivery, *, offline: bool) -> Held:
    opened = envelopes.open_envelope(delivery.envelope)
    known = Held(
        opened=opened,
        contents=_contents(opened),
        entry_time=open_entry(delivery.entry).entry_time,
        index=delivery.index,
        inbox_position=delivery.inbox_position or None,
        receipt=_receipt(place, opened),
    )
    own = _from_receipt(place, opened.header.sender, opened.header.message_id)
    if own is not None and not delivery.HasField("outcome"):
        # The agency's own message, as it signed it: its receipt has the very same header.
        return replace(known, verified=own.opened.header_digest == opened.header_digest)
    try:
        _verify(place, delivery, offline=offline)
    except RogatoryError as error:
        note(f"not verified: {error}")
        return known
    return replace(known, verified=True)


def _verify(place: Home, delivery: exchange_service_pb2.Delivery, *, offline: bool) -> None:
    """Verify by what the folder has; where that does not do, by what the gateway says of keys.

    Raises:
        RogatoryError: It does not verify.
    """
    trust = Trust(place)
    try:
        received.verify(delivery, place, trust, None)
    except RogatoryError:
        if offline:
            raise
        with connect(place) as client:
            received.verify(delivery, place, trust, client)


def _made(place: Home, data: bytes) -> Held:
    opened = envelopes.open_envelope(data)
    known = Held(opened=opened, contents=_contents(opened))
    of_receipt = _from_receipt(place, opened.header.sender, opened.header.message_id)
    if of_receipt is None or of_receipt.opened.header_digest != opened.header_digest:
        return known
    return replace(
        known,
        entry_time=of_receipt.entry_time,
        index=of_receipt.index,
        receipt=of_receipt.receipt,
    )


def _from_receipt(place: Home, sender: str, message_id: str) -> Held | None:
    path = place.receipts / f"{message_id}.tlog-proof"
    if not path.is_file():
        return None
    receipt = Receipt.parse(_read(path))
    entry = open_entry(receipt.entry)
    if entry.message is None or entry.message.header.sender != sender:
        return None
    return Held(
        opened=entry.message, entry_time=entry.entry_time, index=receipt.index, receipt=path
    )


def _receipt(place: Home, opened: OpenedEnvelope) -> Path | None:
    path = place.receipts / f"{opened.header.message_id}.tlog-proof"
    return path if path.is_file() else None


def _contents(opened: OpenedEnvelope) -> list[Message]:
    parts = envelopes.check_parts(opened, allow_absent=True)
    return [content for content in parts if content is not None]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The message {path} cannot be read: {error.strerror}", hint="Check its name."
        ) from error
