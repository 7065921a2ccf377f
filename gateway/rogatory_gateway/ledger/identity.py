"""The identity of a message as the ledger finds it again."""

from __future__ import annotations

import uuid


def identity_key(sender: str, message_id: str) -> bytes:
    """Return the 16 bytes of the UUID, then the sender.

    The UUIDv7's time comes first, so that new keys land at the end of the index.
    """
    return uuid.UUID(message_id).bytes + sender.encode()
