"""What an agency's folder holds: messages received, verified again, and headers of those sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from rogatory.cli import received
from rogatory.cli.output import note
from rogatory.cli.session import connect
from rogatory.cli.store import InboxStore, read_delivery
from rogatory.cli.trust import Trust
from rogatory.client import Client, Submitted
from rogatory.entries import open_entry
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import ConfigurationError, DeliveryError, RogatoryError
from rogatory.exchange.v1 import decision_pb2, envelope_pb2, exchange_service_pb2
from rogatory.home import Home
from rogatory.receipts import Receipt
from rogatory.records.v1 import common_pb2
from rogatory.verification import VerifiedDelivery

Wanted = Callable[[envelope_pb2.Header], bool]
"""Says of a header whether its message is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that was sent, by its receipt; its records are not kept here.

    Attributes:
        opened: Its header, with no parts.
        entry_time: When it was entered in the log, nanoseconds since the Unix epoch.
        index: Its position in the log.
        submitted: What became of it.
    """

    opened: OpenedEnvelope
    entry_time: int
    index: int
    submitted: Submitted

    @property
    def header(self) -> envelope_pb2.Header:
        """What was signed."""
        return self.opened.header

    @property
    def reached(self) -> tuple[str, ...]:
        """Agencies that got anything of it."""
        return tuple(
            outcome.recipient
            for outcome in self.submitted.outcomes
            if outcome.decision.disposition != decision_pb2.DISPOSITION_REFUSED
        )


class Folder:
    """The messages of an agency's folder, live or of training."""

    def __init__(
        self,
        place: Home,
        *,
        exercise: bool,
        trust: Trust,
        client: Client | None = None,
        store: InboxStore | None = None,
    ) -> None:
        """Look in a folder.

        Args:
            place: The agency's folder.
            exercise: In training traffic.
            trust: Verifies what was received.
            client: Asked for keys and agreements that are not known yet; None: nobody is asked.
            store: Where the messages received are, if not in the folder's own inbox.
        """
        self.store = store or InboxStore(place.inbox, exercise=exercise)
        self._place = place
        self._exercise = exercise
        self._trust = trust
        self._client = client
        self._agency = place.settings().agency

    def received(self, wanted: Wanted) -> Iterator[VerifiedDelivery]:
        """Yield the messages of the inbox that are wanted, in order.

        Whatever does not verify is left out, and said.
        """
        for path in self.store.files():
            found = self._read(path, wanted)
            if found is not None:
                yield found

    def at(self, positions: Iterable[int]) -> Iterator[VerifiedDelivery]:
        """Yield the messages at some positions of the inbox; likewise."""
        for position in positions:
            found = self._read(self.store.file(position), lambda _: True)
            if found is not None:
                yield found

    def _read(self, path: Path, wanted: Wanted) -> VerifiedDelivery | None:
        delivery = read_delivery(path)
        header = header_of(delivery)
        if header is None or not wanted(header):
            return None
        try:
            return received.verify(delivery, self._place, self._trust, self._client)
        except DeliveryError as error:
            note(f"left out, not verified: {path}: {error.message}")
            return None

    def sent(self, wanted: Wanted) -> list[SentMessage]:
        """Return the messages that were sent and are wanted, in order of entry."""
        found = []
        for path in sorted(self._place.receipts.glob("*.tlog-proof")):
            try:
                receipt = Receipt.parse(path.read_bytes())
                entry = open_entry(receipt.entry)
            except (OSError, RogatoryError) as error:
                note(f"left out, cannot be read: {path}: {error}")
                continue
            opened = entry.message
            if (
                opened is not None
                and opened.header.sender == self._agency
                and opened.header.exercise == self._exercise
                and wanted(opened.header)
            ):
                found.append(
                    SentMessage(
                        opened=opened,
                        entry_time=entry.entry_time,
                        index=receipt.index,
                        submitted=Submitted(
                            message_id=opened.header.message_id, receipt=receipt, repeated=True
                        ),
                    )
                )
        return sorted(found, key=lambda sent: sent.index)


@contextmanager
def open_folder(place: Home, *, exercise: bool, offline: bool) -> Iterator[Folder]:
    """Yield an agency's folder, to be looked through.

    Args:
        place: The agency's folder.
        exercise: Training traffic.
        offline: No gateway is asked for keys that the policy file does not have.

    Raises:
        ConfigurationError: The agency is not enrolled, or a file is missing.
    """
    trust = Trust(place)
    if offline:
        yield Folder(place, exercise=exercise, trust=trust)
        return
    with connect(place) as client:
        yield Folder(place, exercise=exercise, trust=trust, client=client)


def header_of(delivery: exchange_service_pb2.Delivery) -> envelope_pb2.Header | None:
    """Return the header of a message that was kept as it came; None where it is none."""
    try:
        envelope = envelope_pb2.Envelope.FromString(delivery.envelope)
        return envelope_pb2.Header.FromString(envelope.header)
    except DecodeError:
        return None


def name_of(reference: common_pb2.MessageReference) -> str:
    """Return a message as command lines name it: SENDER/MESSAGE_ID."""
    return f"{reference.sender}/{reference.message_id}"


def split_name(word: str, option: str) -> tuple[str, str]:
    """Return sender and id of SENDER/MESSAGE_ID.

    Raises:
        ConfigurationError: It is not written so.
    """
    sender, slash, message_id = word.partition("/")
    if not (sender and slash and message_id):
        raise ConfigurationError(
            f"{word!r} is not SENDER/MESSAGE_ID", hint=f"Write {option} so; the lists print it."
        )
    return sender, message_id
