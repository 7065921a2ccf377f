"""Many envelopes opened and checked at once: the rules of `envelopes`, in fewer calls.

Whatever is at fault, the answer is only that something is; who wants to know what it is takes the
messages one by one. So nothing passes here that would not pass there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Column:
    """The parts of one type in all messages, to be decoded in one call.

    Attributes:
        places: For each part, where its content goes; None where nobody asks for it again.
    """

    encoded: list[bytes] = field(default_factory=list)
    stated: list[envelope_pb2.PartFacts] = field(default_factory=list)
    places: list[tuple[list[Message | None], int] | None] = field(default_factory=list)


def parts_hold(opened: Sequence[OpenedEnvelope]) -> bool:
    """Check all parts as `envelopes.check_parts` would with ``allow_absent=False``.

    Returns:
        False where one is at fault, or not clear, or a message is passed on.
    """
    columns: dict[type[Message], _Column] = {}
    due: list[tuple[envelope_pb2.Header, list[Message | None]]] = []
    for envelope in opened:
        header = envelope.header
        contents: list[Message | None] | None = None
        if particulars.needs_check(header):
            if header.forwards:
                return False
            contents = [None] * len(header.parts)
            due.append((header, contents))
        for position, (part, descriptor) in enumerate(
            zip(envelope.parts, header.parts, strict=True)
        ):
            if (
                part.WhichOneof("form") != "clear"
                or descriptor.sealed
                or not envelopes.matches(part.clear, descriptor)
            ):
                return False
            message_type = schemas.by_name(descriptor.schema).message_type
            column = columns.get(message_type)
            if column is None:
                column = columns[message_type] = _Column()
            column.encoded.append(part.clear.content)
            column.stated.append(descriptor.facts)
            column.places.append(None if contents is None else (contents, position))
    try:
        return all(_holds(kind, column) for kind, column in columns.items()) and _agree(due)
    except EnvelopeError:
        return False


def _holds(message_type: type[Message], column: _Column) -> bool:
    """Check the contents of one type and their facts, and put those asked for in their places."""
    messages = wire.decode_all(message_type, column.encoded, rules=True)
    if messages is None:
        return False
    for message, told, place in zip(messages, column.stated, column.places, strict=True):
        if told != facts.of_message(message):
            return False
        if place is not None:
            contents, position = place
            contents[position] = message
    return True


def _agree(due: Sequence[tuple[envelope_pb2.Header, list[Message | None]]]) -> bool:
    for header, contents in due:
        particulars.check(header, contents)
    return True
