"""References to earlier messages, completed: nobody types the digest of a header.

A reference names a message by sender, message_id and the SHA-256 of its header. In what a person
writes

1. a reference without ``header_digest`` gets that of the message it names;
2. an empty one, or one that the schema requires and the file leaves out, stands for the message
   that the new one is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rogatory._vendor.buf.validate import validate_pb2
from rogatory.errors import Violation
from rogatory.jsonrecords import descriptor_of
from rogatory.messagefiles import Complete
from rogatory.records.v1 import common_pb2

Lookup = Callable[[str, str], common_pb2.MessageReference | None]
"""Returns the whole reference to a message, by sender and message_id; None: there is none."""

_REFERENCE = common_pb2.MessageReference.DESCRIPTOR.full_name


def completer(lookup: Lookup, *, about: common_pb2.MessageReference | None = None) -> Complete:
    """Return what completes the references in a message, for `rogatory.recordfiles.read_records`.

    Args:
        lookup: Asked for each message that is named without a digest.
        about: The message that the new one is about; None: there is none.
    """

    def complete(message: Message) -> Iterator[Violation]:
        for path, reference in _references(message, ""):
            if reference.header_digest:
                continue
            named = f"{reference.sender}/{reference.message_id}"
            whole = about if named == "/" else lookup(reference.sender, reference.message_id)
            if whole is not None:
                reference.CopyFrom(whole)
            elif named == "/":
                wanted = "names no message; state sender and message_id, or give --about"
                yield Violation(path=path, rule="reference.about", message=wanted)
            else:
                wanted = f"is not stated, and {named} is found neither here nor at the gateway"
                yield Violation(
                    path=f"{path}.header_digest", rule="reference.unknown", message=wanted
                )

    return complete


def _references(message: Message, path: str) -> Iterator[tuple[str, common_pb2.MessageReference]]:
    """Yield the references in a message with their paths, those that are required and missing too.

    What is written to one of these is in the message from then on.
    """
    for field in descriptor_of(type(message)).fields:
        kind = field.message_type
        if kind is None or not _leads_to_reference(kind):
            continue
        value = getattr(message, field.name)
        below = f"{path}.{field.name}" if path else field.name
        if field.is_repeated:
            items = [(f"{below}[{position}]", item) for position, item in enumerate(value)]
        elif message.HasField(field.name) or (kind.full_name == _REFERENCE and _required(field)):
            items = [(below, value)]
        else:
            continue
        for where, item in items:
            if isinstance(item, common_pb2.MessageReference):
                yield where, item
            else:
                yield from _references(item, where)


@cache
def _leads_to_reference(descriptor: Descriptor) -> bool:
    seen: set[str] = set()
    waiting = [descriptor]
    while waiting:
        kind = waiting.pop()
        if kind.full_name == _REFERENCE:
            return True
        if kind.full_name not in seen:
            seen.add(kind.full_name)
            waiting += [field.message_type for field in kind.fields if field.message_type]
    return False


def _required(field: FieldDescriptor) -> bool:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules.required
