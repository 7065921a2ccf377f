"""What an agency holds of what it received: totals count this, never what was sent."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from rogatory.envelopes import OpenedEnvelope, check_parts
from rogatory.exchange.v1 import codes_pb2
from rogatory.records.v1 import (
    account_pb2,
    common_pb2,
    correction_pb2,
    evidence_pb2,
    indicator_pb2,
    link_pb2,
    organisation_pb2,
    person_pb2,
    place_pb2,
    victim_notice_pb2,
)
from rogatory.verification import VerifiedDelivery
from rogatory_gateway.demo import cast
from rogatory_gateway.demo.casework import Casework, Seen
from rogatory_gateway.demo.hosts import Host

DIGEST_BYTES = 8
"""Of a value, enough to count distinct ones among millions."""


@dataclass(slots=True, kw_only=True)
class Received:
    """An indicator as received.

    Attributes:
        record_id: Its id.
        host: What it is.
        keeper: Private partner that can take it down; empty: the country's own agency.
        country: Where it is hosted.
        agreement: Agreement under which it came.
    """

    record_id: str
    host: Host
    keeper: str
    country: str
    agreement: str


@dataclass(slots=True)
class Memory:
    """Everything received that counts.

    Attributes:
        agency: Who received it.
        hosts: Indicators reported to this agency, by record id.
        analysed: Those that came for analysis.
        down, confirmed: Record ids that others report as taken down, as confirmed C2 servers.
        requests: Takedown requests received, with what they list.
        material: The first message that brought material for analysis.
        structures: Record ids of organisations, places, accounts and links, by what they are.
        corrected: By record id, what a correction said of it.
        confirmations: Who confirmed a correction of this agency's.
        copies: Indicators disseminated to it under the operation's agreement.
        reported: Record ids of the indicators that it brought to the operation itself.
        took_down: Record ids of the hosts that it took down.
        held: Messages with suspects, by sender and message_id, for as long as they may be held.
        casework: Requests, the operation, hand-overs, consents and alerts.
    """

    agency: str
    hosts: dict[str, Received] = field(default_factory=dict)
    analysed: dict[str, Received] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[common_pb2.MessageReference, list[Received]]] = field(default_factory=list)
    material: common_pb2.MessageReference | None = None
    suspects: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, tuple[int, int]] = field(default_factory=dict)
    structures: dict[str, set[str]] = field(default_factory=dict)
    corrected: dict[str, str] = field(default_factory=dict)
    confirmations: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    identities: list[bytes] = field(default_factory=list)
    withheld: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    reported: list[str] = field(default_factory=list)
    took_down: list[str] = field(default_factory=list)
    held: dict[tuple[str, str], OpenedEnvelope] = field(default_factory=dict)
    casework: Casework = field(init=False)

    def __post_init__(self) -> None:
        self.casework = Casework(self.agency)

    def take(self, message: VerifiedDelivery) -> int:
        """Take in a message; return how many records it brought."""
        header = message.header
        self.casework.received(
            Seen(
                envelope=message.envelope,
                contents=message.contents,
                outcomes={self.agency: message.outcome},
                index=message.index,
                entry_time=message.entry_time,
                officers=frozenset(key.officer for key in message.signers if key.officer),
            )
        )
        self.kinds[codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower()] += 1
        self.identities.append(digest(f"{header.sender}/{header.message_id}"))
        if header.kind == codes_pb2.KIND_CORRECTION and header.subject.confirmation:
            self.confirmations.add(header.sender)
        for part in message.absent:
            self.withheld[part.article] += 1
        if header.kind == codes_pb2.KIND_TRANSFER and any(
            isinstance(part, person_pb2.Persons) for part in message.contents
        ):
            self.held[header.sender, header.message_id] = message.envelope
        return sum(self._part(part, message) for part in message.contents if part is not None)

    def take_original(self, original: OpenedEnvelope, contents: Sequence[Message | None]) -> None:
        """Take in a message that another agency passed on, verified as its author signed it."""
        self.held[original.header.sender, original.header.message_id] = original
        for part in contents:
            if isinstance(part, person_pb2.Persons):
                for person in part.persons:
                    self._person(person, original.header.sender)

    def erase(self, message: common_pb2.MessageReference) -> None:
        """Forget a message that was recalled, and the suspects it told of."""
        original = self.held.pop((message.sender, message.message_id))
        for part in check_parts(original, allow_absent=True):
            if isinstance(part, person_pb2.Persons):
                for person in part.persons:
                    del self.suspects[person.record_id]

    def _part(self, part: Message, message: VerifiedDelivery) -> int:
        match part:
            case indicator_pb2.Indicators():
                self._indicators(part, message)
            case victim_notice_pb2.VictimNotices():
                self.references.update(notice.reference for notice in part.notices)
            case person_pb2.Persons():
                for person in part.persons:
                    self._person(person, message.header.sender)
            case evidence_pb2.EvidenceItems():
                for item in part.items:
                    self.items[item.record_id] = (item.kind, max(1, item.quantity))
            case correction_pb2.Corrections():
                for correction in part.corrections:
                    self.corrected[correction.record.record_id] = correction.explanation
            case (
                organisation_pb2.Organisations()
                | place_pb2.Places()
                | account_pb2.Accounts()
                | link_pb2.Links()
            ):
                known = self.structures.setdefault(part.DESCRIPTOR.name.lower(), set())
                known.update(record.record_id for record in _records(part))
            case _:
                return 0
        return len(_records(part))

    def _indicators(self, part: indicator_pb2.Indicators, message: VerifiedDelivery) -> None:
        sender, agreement = message.header.sender, message.outcome.agreement_id
        request = message.header.kind == codes_pb2.KIND_REQUEST
        listed = []
        for item in part.indicators:
            if item.status == indicator_pb2.INDICATOR_STATUS_TAKEN_DOWN:
                self.down[item.record_id] = sender
                continue
            if item.status == indicator_pb2.INDICATOR_STATUS_CONFIRMED:
                self.confirmed[item.record_id] = sender
                continue
            received = Received(
                record_id=item.record_id,
                host=Host(item.type, item.value, item.malware_family),
                keeper=item.provider,
                country=item.country,
                agreement=agreement,
            )
            listed.append(received)
        if agreement == cast.JOINT:
            self.copies += len(listed)
        if request:
            self.requests.append((message.envelope.reference, listed))
        elif agreement == cast.ANALYSIS:
            self.material = self.material or message.envelope.reference
            self.analysed |= {item.record_id: item for item in listed}
        self.hosts |= {item.record_id: item for item in listed}

    def _person(self, person: person_pb2.Person, sender: str) -> None:
        if person.category == common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT:
            self.suspects[person.record_id] = {
                "by": sender,
                "names": [(text.script, text.text) for name in person.names for text in name.texts],
            }

    def progress(self) -> dict[str, int]:
        """Return what to draw progress from."""
        return {
            "hosts": self.copies,
            "notices": len(self.references),
            "receipts": self.kinds["receipt"],
            "reports": len(self.down),
        }

    def totals(self) -> dict[str, Any]:
        """Return everything counted, sets as packed digests so that they can be united."""
        return {
            "messages": pack(self.identities),
            "kinds": dict(self.kinds),
            "hosts": pack(digest(item.host.value) for item in self.hosts.values()),
            "copies": self.copies,
            "notices": pack(digest(reference) for reference in self.references),
            "suspects": self.suspects,
            "items": self.items,
            "structures": {what: len(found) for what, found in self.structures.items()},
            "corrected": sorted(self.corrected),
            "confirmations": sorted(self.confirmations),
            "down": self.down,
            "confirmed": sorted(self.confirmed),
            "analysed": len(self.analysed),
            "withheld": dict(self.withheld),
        }


def _records(part: Message) -> Sequence[Any]:
    """Return the records of a part that holds a list of them."""
    (field,) = part.DESCRIPTOR.fields
    found: Sequence[Any] = getattr(part, field.name)
    return found


def digest(text: str) -> bytes:
    """Return the start of a text's SHA-256."""
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]


def pack(digests: Any) -> str:  # noqa: ANN401 - any iterable of digests
    """Return digests as base64 text."""
    return base64.b64encode(b"".join(digests)).decode()


def unpack(text: str) -> set[bytes]:
    """Return the distinct digests of a packed text."""
    data = base64.b64decode(text)
    return {data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES)}
