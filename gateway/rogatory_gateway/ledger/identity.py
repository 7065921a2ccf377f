"""The identity of a message as the ledger finds it again."""

from __future__ import annotations


def identity_key(sender: str, message_id: str) -> bytes:
    """Return the 16 bytes of the UUID, then the sender.

    ``message_id`` is a UUID in its canonical form, as schemas demand.

    The UUIDv7's time comes first, so that new keys land at the end of the index.
    """
    return bytes.fromhex(message_id.replace("-", "")) + sender.encode()
