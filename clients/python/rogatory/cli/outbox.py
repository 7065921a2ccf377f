"""The outbox: messages wait there until the gateway has answered, to be sent again if need be."""

from __future__ import annotations

from pathlib import Path

from rogatory import envelopes
from rogatory.cli.output import note
from rogatory.client import Client, Submitted
from rogatory.errors import (
    CallError,
    ConfigurationError,
    Conflict,
    FailedPrecondition,
    InvalidMessage,
)
from rogatory.home import Home, write_atomically


def put(place: Home, data: bytes) -> Path:
    """Write an envelope into the outbox; return the file."""
    outbox = place.path / "outbox"
    outbox.mkdir(mode=0o700, exist_ok=True)
    message_id = envelopes.open_envelope(data).header.message_id
    waiting = outbox / f"{message_id}.envelope"
    write_atomically(waiting, data)
    return waiting


def submit(place: Home, client: Client, waiting: Path) -> tuple[Submitted, Path]:
    """Submit a message of the outbox, keep its receipt; return what became of it and the receipt.

    It stays in the outbox where the gateway may not have got it.

    Raises:
        ConfigurationError: There is no such message.
        EnvelopeError: It is not a message.
        CallError: The gateway did not decide, or did not answer.
    """
    try:
        data = waiting.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The message {waiting} cannot be read: {error.strerror}", hint="Check its name."
        ) from error
    message_id = envelopes.open_envelope(data).header.message_id
    try:
        submitted = client.submit(data)
    except (InvalidMessage, Conflict, FailedPrecondition):
        # Nothing was decided, and the same bytes would fare no better.
        waiting.unlink()
        raise
    except CallError:
        note(f"the message is kept; send it again with: rogatory send --again {waiting}")
        raise
    place.receipts.mkdir(mode=0o700, exist_ok=True)
    receipt = place.receipts / f"{message_id}.tlog-proof"
    write_atomically(receipt, submitted.receipt.to_bytes())
    waiting.unlink()
    return submitted, receipt
