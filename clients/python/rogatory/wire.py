"""Reading protobuf from the wire: strict decoding and the schema's own rules.

A lenient parser is a covert channel. It keeps unknown fields, lets a later copy of a field hide an
earlier one and accepts many encodings of one message; each of these carries what a rule withholds.
So a message is accepted only in its canonical encoding: known fields alone, in the order of their
numbers, each in its shortest form, singular fields once. That is what protobuf libraries write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.errors import EnvelopeError, Violation

# Ours registers buf/validate/validate.proto; protovalidate finds it there (loaded twice it fails).
from rogatory._vendor.buf.validate import validate_pb2 as _validate_pb2  # isort: skip
import protovalidate  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor import Descriptor

M = TypeVar("M", bound=Message)

MAX_VIOLATIONS = 100
"""Violations reported of one message: enough to mend it, bounded because senders are strangers."""

FIRST_SECOND = -62_135_596_800
LAST_SECOND = 253_402_300_799
"""Years 1 to 9999: what google.protobuf.Timestamp may hold. The parser takes any number, and
whoever prints such an instant or reckons with it fails."""
SECOND = 1_000_000_000

MESSAGE, HEADER = "message", "header"
"""What `field_violations` calls a message that is sent, or tried out: only that has an id."""
_MEND_MESSAGE = "Mend every field listed and send it again under a new message id."
_MEND_REQUEST = "Mend every field listed and try it again."

_ITEM = b"\x0a"
"""Tag of field 1, length-delimited."""
_LOW_BITS = 0x7F

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


def decode_all(message_type: type[M], data: Sequence[bytes], *, rules: bool) -> list[M] | None:
    """Parse several messages at once, as `decode` and with ``rules`` `violations` would each.

    They are put behind one another as the items of one message, so that parsing, comparing and
    checking are calls for all of them. Encodings have a length in front: all are canonical when the
    whole is.

    Returns:
        The messages; None where one is at fault: then take them one by one, to hear which and why.
    """
    container = _container(message_type)
    whole = b"".join([piece for one in data for piece in (_ITEM, varint(len(one)), one)])
    try:
        message: Any = container.FromString(whole)
    except DecodeError:
        return None
    message.DiscardUnknownFields()
    if message.SerializeToString(deterministic=True) != whole:
        return None
    items: list[M] = list(message.items)
    if rules and (
        _validator.collect_violations(message, fail_fast=True)
        or any(_instant_violations(item, "") for item in items)
    ):
        return None
    return items


_containers: dict[str, type[Message]] = {}


def _container(message_type: type[Message]) -> type[Message]:
    """Return a class of messages with nothing but ``repeated <message_type> items = 1``."""
    descriptor = message_type.DESCRIPTOR
    known = _containers.get(descriptor.full_name)
    if known is not None:
        return known
    file = descriptor_pb2.FileDescriptorProto(
        name=f"rogatory/all/{descriptor.full_name}.proto",
        package=f"rogatory.all.{descriptor.full_name}",
        syntax="proto3",
        dependency=[descriptor.file.name],
    )
    file.message_type.add(name="All").field.add(
        name="items",
        number=1,
        label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
        type_name=f".{descriptor.full_name}",
    )
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.All"))
    _containers[descriptor.full_name] = made
    return made


@lru_cache(1 << 12)
def varint(value: int) -> bytes:
    """Return a length as protobuf writes it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > _LOW_BITS:
        encoded.append(value & _LOW_BITS | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def violations(message: Message, *, prefix: str = "") -> list[Violation]:
    """Return every rule of the schema that ``message`` breaks, with paths below ``prefix``."""
    found = []
    for violation in _validator.collect_violations(message)[:MAX_VIOLATIONS]:
        path = _path(violation.proto)
        joined = f"{prefix}.{path}" if prefix and path else prefix or path
        found.append(
            Violation(path=joined, rule=violation.proto.rule_id, message=violation.proto.message)
        )
    if len(found) < MAX_VIOLATIONS:
        found += _instant_violations(message, prefix)
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
    found = found[:MAX_VIOLATIONS]
    return EnvelopeError(
        f"the {what} breaks its schema at {found[0]}{more}",
        hint=_MEND_MESSAGE if what in {MESSAGE, HEADER} else _MEND_REQUEST,
        reason="FIELD_VIOLATIONS",
        violations=found,
    )


@dataclass(slots=True)
class _Plan:
    """Where instants are in one message type, so that only those fields are looked at.

    Attributes:
        fields: (name, whether it is repeated, plan of what lies below; None for an instant itself).
    """

    fields: list[tuple[str, bool, _Plan | None]] = field(default_factory=list)


_plans: dict[str, _Plan] = {}


def _plan(descriptor: Descriptor) -> _Plan:
    """Make the plan of a message type once; types refer to each other, also in circles."""
    plan = _plans[descriptor.full_name] = _Plan()
    for member in descriptor.fields:
        kind = member.message_type
        if kind is None or kind.GetOptions().map_entry:
            continue
        if kind.full_name == Timestamp.DESCRIPTOR.full_name:
            plan.fields.append((member.name, member.is_repeated, None))
            continue
        below = _plans.get(kind.full_name) or _plan(kind)
        if below.fields:
            plan.fields.append((member.name, member.is_repeated, below))
    return plan


def _instant_violations(message: Message, prefix: str) -> list[Violation]:
    descriptor = message.DESCRIPTOR
    plan = _plans.get(descriptor.full_name) or _plan(cast("Descriptor", descriptor))
    if not plan.fields:
        return []
    return [
        Violation(
            path=f"{prefix}.{path}" if prefix else path,
            rule="timestamp.range",
            message="must be an instant of the years 1 to 9999, with nanoseconds below a second",
        )
        for path in _bad_instants(message, plan)
    ]


def _bad_instants(message: Message, plan: _Plan) -> list[str]:
    """Return the paths of instants out of range; made for the case that there are none."""
    found: list[str] = []
    for name, repeated, below in plan.fields:
        if repeated:
            items: Iterable[Any] = getattr(message, name)
        elif message.HasField(name):
            items = (getattr(message, name),)
        else:
            continue
        for position, item in enumerate(items):
            if below is None:
                if FIRST_SECOND <= item.seconds <= LAST_SECOND and 0 <= item.nanos < SECOND:
                    continue
                inner = [""]
            else:
                inner = [f".{path}" for path in _bad_instants(item, below)]
            path = f"{name}[{position}]" if repeated else name
            found += [f"{path}{rest}" for rest in inner]
    return found


def _path(violation: object) -> str:
    field = getattr(violation, "field", None)
    text = ""
    for element in field.elements if field is not None else ():
        text += f".{element.field_name}" if text else element.field_name
        subscript = element.subscript
        if subscript is not None:
            text += f"[{getattr(subscript, 'value', subscript)}]"
    return text
