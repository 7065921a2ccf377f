"""Earlier messages by name, as a new one refers to them: found here, or at the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import typer
from google.protobuf.message import DecodeError

from rogatory import envelopes
from rogatory.cli import received
from rogatory.cli.store import InboxStore, read_delivery
from rogatory.cli.trust import Trust
from rogatory.client import Client
from rogatory.entries import open_entry
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import (
    ConfigurationError,
    DeliveryError,
    NotFoundOrDenied,
    RogatoryError,
)
from rogatory.exchange.v1 import envelope_pb2, exchange_service_pb2
from rogatory.home import Home
from rogatory.receipts import Receipt
from rogatory.records.v1 import common_pb2


class Earlier:
    """What an agency received and sent: its inbox, receipts and outbox, then the gateway.

    What others are said to have sent is verified before it is referred to, for a reference is
    signed with the message that holds it.
    """

    def __init__(self, place: Home, *, client: Client | None, exercise: bool) -> None:
        """Look in a folder.

        Args:
            place: The agency's folder.
            client: Asked for what is not there; None: nobody is asked, and nothing is verified.
            exercise: In the inbox of training messages.
        """
        self._place = place
        self._client = client
        self._exercise = exercise
        self._agency = place.settings().agency
        self._known: dict[tuple[str, str], OpenedEnvelope | None] = {}

    def named(self, word: str, option: str) -> OpenedEnvelope | None:
        """Return the message that an option names as SENDER/MESSAGE_ID; None where it is empty.

        Raises:
            typer.BadParameter: It is not written so.
            ConfigurationError: There is no such message.
            RogatoryError: It does not verify, or the gateway did not answer.
        """
        if not word:
            return None
        sender, slash, message_id = word.partition("/")
        if not (sender and slash and message_id):
            raise typer.BadParameter("write it as SENDER/MESSAGE_ID", param_hint=option)
        found = self.find(sender, message_id)
        if found is None:
            where = "" if self._client is None else " or at the gateway"
            raise ConfigurationError(
                f"There is no message {word} in {self._place.path}{where}",
                hint="Check sender and message id; rogatory inbox lists what arrived.",
            )
        return found

    def reference(self, sender: str, message_id: str) -> common_pb2.MessageReference | None:
        """Return the whole reference to a message; None: there is no such message.

        Raises:
            RogatoryError: It does not verify, or the gateway did not answer.
        """
        found = self.find(sender, message_id)
        return None if found is None else found.reference

    def find(self, sender: str, message_id: str) -> OpenedEnvelope | None:
        """Return a message, its header at least; None: there is no such message.

        Raises:
            RogatoryError: It does not verify, or the gateway did not answer.
        """
        name = (sender, message_id)
        if name not in self._known:
            own = sender == self._agency
            found = self._own(message_id) if own else self._received(name)
            self._known[name] = found or self._fetched(name)
        return self._known[name]

    def _own(self, message_id: str) -> OpenedEnvelope | None:
        """Return what the agency sent: of a receipt the header alone, it has no more."""
        for path, read in (
            (self._place.receipts / f"{message_id}.tlog-proof", _of_receipt),
            (self._place.path / "outbox" / f"{message_id}.envelope", envelopes.open_envelope),
        ):
            try:
                found = read(path.read_bytes())
            except (OSError, RogatoryError):
                # Not there, or none: then the gateway is asked.
                continue
            if found is not None and _name(found) == (self._agency, message_id):
                return found
        return None

    @cached_property
    def _inbox(self) -> dict[tuple[str, str], Path]:
        store = InboxStore(self._place.inbox, exercise=self._exercise)
        return {name: path for path in store.files() for name in _names_in(path)}

    def _received(self, name: tuple[str, str]) -> OpenedEnvelope | None:
        path = self._inbox.get(name)
        return None if path is None else self._verified(read_delivery(path))

    def _fetched(self, name: tuple[str, str]) -> OpenedEnvelope | None:
        if self._client is None:
            return None
        try:
            delivery = self._client.get_message(*name)
        except NotFoundOrDenied:
            return None
        found = self._verified(delivery)
        if _name(found) != name:
            raise DeliveryError(
                f"The gateway gave another message than {name[0]}/{name[1]}",
                hint="Do not use it; tell the gateway's operator.",
            )
        return found

    @cached_property
    def _trust(self) -> Trust:
        return Trust(self._place)

    def _verified(self, delivery: exchange_service_pb2.Delivery) -> OpenedEnvelope:
        opened = envelopes.open_envelope(delivery.envelope)
        if self._client is None:
            return opened
        if opened.header.sender != self._agency:
            return received.verify(delivery, self._place, self._trust, self._client).envelope
        ring = self._trust.refresh(self._client).ring
        entry_time = open_entry(delivery.entry).entry_time
        envelopes.verify_signatures(opened, ring, entry_time=entry_time)
        return opened


def _of_receipt(data: bytes) -> OpenedEnvelope | None:
    return open_entry(Receipt.parse(data).entry).message


def _name(found: OpenedEnvelope) -> tuple[str, str]:
    return found.header.sender, found.header.message_id


def _names_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of a kept message; nothing where it is none: it was kept as it came."""
    try:
        envelope = envelope_pb2.Envelope.FromString(read_delivery(path).envelope)
        header = envelope_pb2.Header.FromString(envelope.header)
    except (DecodeError, ConfigurationError):
        return
    yield header.sender, header.message_id
