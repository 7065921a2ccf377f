"""Reading protobuf from the wire: strict decoding and the schema's own rules.

A lenient parser is a covert channel. It keeps unknown fields, lets a later copy of a field hide an
earlier one and accepts many encodings of one message; each of these carries what a rule withholds.
So a message is accepted only in its canonical encoding: known fields alone, in the order of their
numbers, each in its shortest form, singular fields once. That is what protobuf libraries write.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from rogatory.errors import EnvelopeError, Violation

# Ours registers buf/validate/validate.proto; protovalidate finds it there (loaded twice it fails).
from rogatory._vendor.buf.validate import validate_pb2 as _validate_pb2  # isort: skip
import protovalidate  # isort: skip

M = TypeVar("M", bound=Message)

MAX_VIOLATIONS = 100
"""Violations reported of one message: enough to mend it, bounded because senders are strangers."""

_RULES_FILE = _validate_pb2.DESCRIPTOR.name
_validator = protovalidate.Validator()


def decode(message_type: type[M], data: bytes, *, what: str) -> M:
    """Parse ``data`` strictly: the canonical encoding of ``message_type``, nothing else.

    Args:
        message_type: The generated class.
        data: Serialised bytes.
        what: What they are, for the error text, for example ``header``.

    Raises:
        EnvelopeError: reason MALFORMED (not protobuf) or UNKNOWN_FIELDS (not canonical).
    """
    try:
        message = message_type.FromString(data)
    except DecodeError as error:
        raise EnvelopeError(
            f"the {what} is not a {message_type.DESCRIPTOR.full_name} message",
            hint="Serialise it with stubs generated from the published protos.",
            reason="MALFORMED",
        ) from error
    message.DiscardUnknownFields()
    if message.SerializeToString(deterministic=True) != data:
        raise EnvelopeError(
            f"the {what} carries unknown or repeated fields, or is not in canonical encoding",
            hint="Send only the fields of the published protos, each once and in number order.",
            reason="UNKNOWN_FIELDS",
        )
    return message


def violations(message: Message, *, prefix: str = "") -> list[Violation]:
    """Return every rule of the schema that ``message`` breaks, with paths below ``prefix``."""
    found = []
    for violation in _validator.collect_violations(message)[:MAX_VIOLATIONS]:
        path = _path(violation.proto)
        joined = f"{prefix}.{path}" if prefix and path else prefix or path
        found.append(
            Violation(path=joined, rule=violation.proto.rule_id, message=violation.proto.message)
        )
    return found


def validate(message: Message, *, what: str, prefix: str = "") -> None:
    """Check ``message`` against its schema's rules (buf.validate).

    Raises:
        EnvelopeError: reason FIELD_VIOLATIONS, with all of them.
    """
    found = violations(message, prefix=prefix)
    if found:
        raise field_violations(found, what=what)


def field_violations(found: list[Violation], *, what: str) -> EnvelopeError:
    """Return the error that reports ``found``."""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return EnvelopeError(
        f"the {what} breaks its schema at {found[0]}{more}",
        hint="Mend every field listed and send it again under a new message id.",
        reason="FIELD_VIOLATIONS",
        violations=found,
    )


def _path(violation: object) -> str:
    field = getattr(violation, "field", None)
    text = ""
    for element in field.elements if field is not None else ():
        text += f".{element.field_name}" if text else element.field_name
        subscript = element.subscript
        if subscript is not None:
            text += f"[{getattr(subscript, 'value', subscript)}]"
    return text
