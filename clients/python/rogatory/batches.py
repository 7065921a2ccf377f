"""Many envelopes opened and checked at once: the rules of `envelopes`, in fewer calls.

Whatever is at fault, the answer is only that something is; who wants to know what it is takes the
messages one by one. So nothing passes here that would not pass there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory import envelopes, facts, particulars, schemas, wire
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import envelope_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message


def open_envelopes(data: Sequence[bytes]) -> list[OpenedEnvelope] | None:
    """Open envelopes as `envelopes.open_envelope` would each.

    Returns:
        None where one is at fault, or not of the usual make.
    """
    if any(len(one) > envelopes.MAX_ENVELOPE_BYTES for one in data):
        return None
    found = wire.decode_all(envelope_pb2.Envelope, data, rules=False)
    if found is None or not all(envelopes.is_plain(envelope) for envelope in found):
        return None
    headers = wire.decode_all(
        envelope_pb2.Header, [envelope.header for envelope in found], rules=True
    )
    if headers is None:
        return None
    try:
        for header in headers:
            envelopes.check_header(header)
    except EnvelopeError:
        return None
    opened = [
        OpenedEnvelope.of(envelope, header)
        for envelope, header in zip(found, headers, strict=True)
        if len(envelope.parts) == len(header.parts)
    ]
    return opened if len(opened) == len(found) else None


def parts_hold(opened: Sequence[OpenedEnvelope]) -> bool:
    """Check all parts as `envelopes.check_parts` would with ``allow_absent=False``.

    Returns:
        False where one is at fault, or not clear, or a message is passed on.
    """
    contents: dict[type[Message], list[bytes]] = {}
    stated: dict[type[Message], list[envelope_pb2.PartFacts]] = {}
    for envelope in opened:
        for part, descriptor in zip(envelope.parts, envelope.header.parts, strict=True):
            if (
                part.WhichOneof("form") != "clear"
                or descriptor.sealed
                or not envelopes.matches(part.clear, descriptor)
            ):
                return False
            message_type = schemas.by_name(descriptor.schema).message_type
            contents.setdefault(message_type, []).append(part.clear.content)
            stated.setdefault(message_type, []).append(descriptor.facts)
    if envelope_pb2.Envelope in contents:
        return False
    for message_type, encoded in contents.items():
        messages = wire.decode_all(message_type, encoded, rules=True)
        if messages is None:
            return False
        for message, told in zip(messages, stated[message_type], strict=True):
            if told != facts.of_message(message):
                return False
    return all(_agrees(envelope) for envelope in opened if particulars.needs_check(envelope.header))


def _agrees(envelope: OpenedEnvelope) -> bool:
    """Say whether the particulars are what the parts say, which are known to be in order."""
    # Few messages come here: decoding those again is less than keeping all contents in place.
    contents = [
        schemas.by_name(descriptor.schema).message_type.FromString(part.clear.content)
        for part, descriptor in zip(envelope.parts, envelope.header.parts, strict=True)
    ]
    try:
        particulars.check(envelope.header, contents)
    except EnvelopeError:
        return False
    return True
