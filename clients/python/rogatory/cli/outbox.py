"""The outbox: messages wait there until the gateway has answered, to be sent again if need be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rogatory import envelopes
from rogatory.cli.output import note
from rogatory.client import Client, Submitted
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import (
    CallError,
    ConfigurationError,
    Conflict,
    FailedPrecondition,
    InvalidMessage,
)
from rogatory.home import Home, write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that was decided.

    Attributes:
        message: What was sent; ``message.reference`` is how another one refers to it.
        submitted: What became of it.
        receipt: The file of its receipt.
    """

    message: OpenedEnvelope
    submitted: Submitted
    receipt: Path


def put(place: Home, data: bytes) -> Path:
    """Write an envelope into the outbox; return the file.

    Raises:
        EnvelopeError: It is not one that a gateway would take; nothing was written.
        ConfigurationError: It cannot be written.
    """
    # First of all: records in clear must not stay behind for a message that can never be sent.
    message_id = envelopes.open_envelope(data).header.message_id
    waiting = file_in(place, message_id)
    _folder(waiting.parent)
    write_atomically(waiting, data)
    return waiting


def file_in(place: Home, message_id: str) -> Path:
    """Return where a message of the outbox is, or would be."""
    return place.path / "outbox" / f"{message_id}.envelope"


def receipt_in(place: Home, message_id: str) -> Path:
    """Return where a message's receipt is, or would be."""
    return place.receipts / f"{message_id}.tlog-proof"


def submit(place: Home, client: Client, waiting: Path, *, again: str = "") -> Sent:
    """Submit a message of the outbox, keep its receipt; return what became of it.

    It stays in the outbox where the gateway may not have got it.

    Args:
        place: The agency's folder.
        client: Submits.
        waiting: The message's file.
        again: The command that sends it again, where that is another than ``send --again``.

    Raises:
        ConfigurationError: There is no such message, or no place for its receipt.
        EnvelopeError: It is not a message.
        CallError: The gateway did not decide, or did not answer.
    """
    try:
        data = waiting.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The message {waiting} cannot be read: {error.strerror}", hint="Check its name."
        ) from error
    message = envelopes.open_envelope(data)
    _folder(place.receipts)
    receipt = receipt_in(place, message.header.message_id)
    try:
        submitted = client.submit(data)
    except (InvalidMessage, Conflict, FailedPrecondition):
        # Nothing was decided, and the same bytes would fare no better.
        waiting.unlink()
        raise
    except CallError:
        command = again or f"rogatory send --again {waiting}"
        note(f"the message is kept; send it again with: {command}")
        raise
    write_atomically(receipt, submitted.receipt.to_bytes())
    waiting.unlink()
    return Sent(message=message, submitted=submitted, receipt=receipt)


def _folder(path: Path) -> Path:
    """Return a folder of the agency's; make it where it is missing."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {path} cannot be made: {error.strerror}",
            hint="Move away what is there, and check that you may write to the agency's folder.",
        ) from error
    return path
