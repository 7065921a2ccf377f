"""Copies of messages in messages that pass them on, beside what the ledger holds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rogatory.exchange.v1 import codes_pb2, envelope_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rogatory_gateway.ledger.procedures.earlier import EarlierMessages


def altered_copy(
    earlier: EarlierMessages, header: envelope_pb2.Header, parts: Sequence[envelope_pb2.Part]
) -> int | None:
    """Return the position of a part whose message has other signatures than the one received.

    Header and content can't be altered: the reference binds the header, and that its parts. Sealed
    parts are the recipient's to look at.

    Args:
        header: Of a message that may pass others on, all of which were entered before.
        parts: As received, one for each descriptor of the header.

    Returns:
        None: all are as they were received.
    """
    if not header.forwards:
        return None
    originals = (earlier.find(reference, exercise=header.exercise) for reference in header.forwards)
    signed = {
        reference.header_digest: original.signatures
        for reference, original in zip(header.forwards, originals, strict=True)
        if original is not None
    }
    for position, (part, descriptor) in enumerate(zip(parts, header.parts, strict=True)):
        if descriptor.category == codes_pb2.PART_CATEGORY_FORWARDED and part.HasField("clear"):
            copy = envelope_pb2.Envelope.FromString(part.clear.content)
            original = signed.get(hashlib.sha256(copy.header).digest(), ())
            if list(copy.signatures) != list(original):
                return position
    return None
