"""What a page is made from: a form, what travelled with it, and the message it came in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from rogatory.assistance.v1 import answer_pb2, request_form_pb2
from rogatory.exchange.v1 import envelope_pb2
from rogatory.records.v1 import common_pb2, contact_pb2, person_pb2

Form = request_form_pb2.AssistanceRequest | answer_pb2.Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The message that a form travelled in, as far as it is known.

    Attributes:
        header: The signed header.
        header_digest: SHA-256 of its bytes.
        verified: Its signatures, and its place in the log, were verified.
        entry_time: When it was entered in the log, nanoseconds since the Unix epoch; None: it is
            not known here.
        index: Its position in the log; likewise.
        origin: The log's origin; likewise empty.
        inbox_position: Its position in the inbox; None: it was not received.
        receipt: Name of the file with its receipt; empty: there is none.
    """

    header: envelope_pb2.Header
    header_digest: bytes
    verified: bool = False
    entry_time: int | None = None
    index: int | None = None
    origin: str = ""
    inbox_position: int | None = None
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a page shows.

    Attributes:
        form: The request or answer.
        beside: Contents of the other parts of the message.
        absent: Parts that are not here, as their header describes them, and why.
        provenance: The message; None: it is a draft, read from a file.
    """

    form: Form
    beside: Sequence[Message] = ()
    absent: Sequence[tuple[str, envelope_pb2.AbsentPart]] = ()
    provenance: Provenance | None = None


def names_of(parts: Iterable[Message]) -> dict[str, str]:
    """Return what the records in parts are called, by record id."""
    found: dict[str, str] = {}
    for part in parts:
        for person in persons_in(part):
            found[person.record_id] = _first_name(person)
        for entry in part.DESCRIPTOR.fields:
            if not (entry.is_repeated and entry.message_type is not None):
                continue
            for item in getattr(part, entry.name):
                identity = getattr(item, "record_id", "") or getattr(item, "reference", "")
                if isinstance(identity, str) and identity:
                    found.setdefault(identity, _called(item))
    return {identity: name for identity, name in found.items() if name}


def _called(item: Any) -> str:  # noqa: ANN401 - any kind of record
    """Return what a record other than a person is called; empty where nothing names it."""
    for name in ("value", "iban", "item_number", "description"):
        value = getattr(item, name, "")
        if isinstance(value, str) and value:
            return value
    for entry in getattr(item, "names", ()):
        texts = getattr(entry, "texts", None)
        named = next(iter(texts), None) if texts is not None else entry
        if named is not None:
            return str(named.text)
    number = getattr(item, "number", None)
    if isinstance(number, contact_pb2.AccountNumber) and number.number:
        return number.number
    address = getattr(item, "address", None)
    if isinstance(address, common_pb2.Address):
        return ", ".join([*address.lines, address.locality, address.country]).strip(", ")
    return ""


def persons_in(part: Message) -> Sequence[person_pb2.Person]:
    """Return the persons in a part; none where it holds others."""
    return list(part.persons) if isinstance(part, person_pb2.Persons) else []


def _first_name(person: person_pb2.Person) -> str:
    return next((text.text for name in person.names for text in name.texts), "")
