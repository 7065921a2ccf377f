"""A received message: fetched, verified, and laid out for people and programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rogatory import clock, envelopes
from rogatory.cli.output import plain
from rogatory.cli.store import InboxStore, read_delivery
from rogatory.cli.trust import Trust
from rogatory.client import Client
from rogatory.decisions import summarise
from rogatory.errors import ConfigurationError, DeliveryError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, exchange_service_pb2
from rogatory.home import Home
from rogatory.verification import VerifiedDelivery, verify_delivery

_GONE: Mapping[int, str] = MappingProxyType(
    {
        envelope_pb2.ABSENCE_REASON_WITHHELD: "withheld",
        envelope_pb2.ABSENCE_REASON_ERASED: "erased",
        envelope_pb2.ABSENCE_REASON_RECALLED: "recalled by its sender",
    }
)
_REFERENCE = re.compile(r"(?P<sender>[a-z0-9.-]+)/(?P<id>[0-9a-f-]{36})")


def find(
    place: Home, client: Client | None, message: str, *, exercise: bool
) -> exchange_service_pb2.Delivery:
    """Return the delivery that a word names: a file, a position, or SENDER/MESSAGE_ID.

    Args:
        place: The agency's folder.
        client: Asked for what is not in the folder; None: nobody is asked.
        message: The word.
        exercise: In the inbox of training messages.

    Raises:
        ConfigurationError: There is no such message here, and nobody to ask.
        CallError: The gateway does not have it, or did not answer.
    """
    store = InboxStore(place.inbox, exercise=exercise)
    if message.isdecimal():
        return read_delivery(store.file(int(message)))
    reference = _REFERENCE.fullmatch(message)
    if reference is None:
        return read_delivery(Path(message))
    for path in store.files():
        delivery = read_delivery(path)
        header = envelopes.open_envelope(delivery.envelope).header
        if (header.sender, header.message_id) == (reference["sender"], reference["id"]):
            return delivery
    if client is None:
        raise ConfigurationError(
            f"The message {message} is not in the inbox {store.folder}",
            hint="Fetch it with rogatory inbox.",
        )
    return client.get_message(reference["sender"], reference["id"])


def verify(
    delivery: exchange_service_pb2.Delivery, place: Home, trust: Trust, client: Client | None
) -> VerifiedDelivery:
    """Verify a delivery; where keys or the agreement are not known yet, after fetching them.

    Raises:
        DeliveryError: It does not verify.
    """
    settings = place.enrolled()

    def check() -> VerifiedDelivery:
        return verify_delivery(
            delivery,
            recipient=settings.agency,
            ring=trust.policy.ring,
            agreements=trust.policy.agreements,
            audience=settings.origin,
        )

    if client is None:
        return check()
    try:
        found = check()
    except DeliveryError:
        trust.refresh(client)
        return check()
    if not found.rechecked:
        trust.refresh(client)
        found = check()
    return found


def report(verified: VerifiedDelivery) -> dict[str, Any]:
    """Return everything that a verified message says, for JSON."""
    header = verified.header
    absent = {item.position: item for item in verified.absent}
    parts = []
    for position, descriptor in enumerate(header.parts):
        content = verified.contents[position]
        part: dict[str, Any] = {
            "category": codes_pb2.PartCategory.Name(descriptor.category),
            "schema": descriptor.schema,
        }
        if position in absent:
            reason = envelope_pb2.AbsenceReason.ValueType(absent[position].reason)
            part["absent"] = envelope_pb2.AbsenceReason.Name(reason)
            part["article"] = absent[position].article
        elif content is not None:
            part["content"] = plain(content)
        else:
            part["sealed"] = True
        parts.append(part)
    return {
        "inbox_position": verified.inbox_position,
        "index": verified.index,
        "entry_time": clock.to_text(verified.entry_time),
        "verified": True,
        "decision_rechecked": verified.rechecked,
        "signed_by": [
            {"key": key.fingerprint.hex(), "officer": key.officer} for key in verified.signers
        ],
        "reference": plain(verified.envelope.reference),
        "header": plain(header),
        "outcome": {
            **plain(verified.outcome),
            "summary": summarise(verified.outcome.decision),
        },
        "parts": parts,
    }


def unverified_report(
    delivery: exchange_service_pb2.Delivery, error: DeliveryError
) -> dict[str, Any]:
    """Return what there is to say of a message that does not verify: where it came, and why not."""
    return {
        "inbox_position": delivery.inbox_position,
        "index": delivery.index,
        "verified": False,
        "fault": str(error),
    }


def line(verified: VerifiedDelivery) -> str:
    """Return a message in one line."""
    header = verified.header
    kind = codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower()
    what = ", ".join(
        f"{part.facts.record_count} "
        + codes_pb2.PartCategory.Name(part.category).removeprefix("PART_CATEGORY_").lower()
        for part in header.parts
        if part.category != codes_pb2.PART_CATEGORY_CONTEXT
    )
    gone = [_GONE.get(item.reason, "absent") for item in verified.absent]
    absent = "".join(f", {number} {why}" for why, number in Counter(gone).items())
    return (
        f"{verified.inbox_position}  {clock.to_text(verified.entry_time)}  {header.sender}"
        f"  {kind}{_about(header)}  {what or 'no records'}{absent}  {header.message_id}"
    )


def _about(header: envelope_pb2.Header) -> str:
    """Return what a message takes back, corrects or consents to, in a line."""
    if header.WhichOneof("particulars") != "subject":
        return ""
    subject = header.subject
    done = " done," if subject.confirmation else ""
    return f"{done} of {subject.message.sender}/{subject.message.message_id}"
