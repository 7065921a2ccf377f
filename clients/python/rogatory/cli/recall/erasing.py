"""Records erased from the inbox folder: their parts go, header and signatures stay and verify."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import Message

from rogatory import facts
from rogatory.cli import received
from rogatory.cli.consent.originals import holds
from rogatory.cli.folder import Folder
from rogatory.cli.store import read_delivery
from rogatory.cli.trust import Trust
from rogatory.client import Client
from rogatory.envelopes import check_parts, open_envelope
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import Home
from rogatory.jsonrecords import descriptor_of
from rogatory.records.v1 import common_pb2, correction_pb2
from rogatory.verification import VerifiedDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A part of a kept message that holds records which are to go.

    Attributes:
        position: Of the message in the inbox.
        part: Index of the part.
        whole: Nothing else is in it; else it stays, because a part goes as a whole.
    """

    position: int
    part: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to go: a message, or records of it.

    Attributes:
        message: The message.
        record_ids: Its records concerned; None: all of it.
    """

    message: common_pb2.MessageReference
    record_ids: frozenset[str] | None = None

    @classmethod
    def of(cls, asked: VerifiedDelivery) -> Wanted:
        """Return what a RECALL or CORRECTION asks to be gone, or to be replaced."""
        subject = asked.header.subject.message
        if asked.header.kind == codes_pb2.KIND_RECALL:
            return cls(message=subject)
        found = set()
        for content in asked.contents:
            if isinstance(content, correction_pb2.Corrections):
                found |= {
                    one.record.record_id
                    for one in content.corrections
                    if one.record.message == subject
                }
        return cls(message=subject, record_ids=frozenset(found))


def find(folder: Folder, wanted: Wanted) -> list[Held]:
    """Return the parts of the folder that hold what is to go."""
    found: list[Held] = []
    for message in folder.received(
        lambda header: (
            (header.sender, header.message_id) == (wanted.message.sender, wanted.message.message_id)
            or wanted.message in header.forwards
        )
    ):
        if holds(message, wanted.message):
            found += _parts(message, wanted)
    return found


def erase(
    folder: Folder,
    held: Iterable[Held],
    *,
    reason: envelope_pb2.AbsenceReason.ValueType,
    place: Home,
    trust: Trust,
    client: Client,
) -> list[Path]:
    """Erase parts from the folder; return the files that were written anew.

    Args:
        folder: The agency's.
        held: As `find` returns it; parts that hold something else too are left.
        reason: Said in the place of each part.
        place: The agency's folder.
        trust: Verifies what is left.
        client: Asked for keys that are not known yet.

    Raises:
        ConfigurationError: A file cannot be written.
        DeliveryError: What is left does not verify.
    """
    gone: dict[int, list[int]] = {}
    for one in held:
        if one.whole:
            gone.setdefault(one.position, []).append(one.part)
    files = []
    for position, parts in gone.items():
        delivery = read_delivery(folder.store.file(position))
        envelope = envelope_pb2.Envelope.FromString(delivery.envelope)
        for part in parts:
            envelope.parts[part].absent.CopyFrom(envelope_pb2.AbsentPart(reason=reason))
        delivery.envelope = envelope.SerializeToString(deterministic=True)
        verified = received.verify(delivery, place, trust, client)
        files.append(folder.store.keep(delivery, received.report(verified)))
    return files


def _parts(message: VerifiedDelivery, wanted: Wanted) -> Iterable[Held]:
    own = message.envelope.reference == wanted.message
    for part, content in enumerate(message.contents):
        if content is None:
            continue
        if not own:
            if not isinstance(content, envelope_pb2.Envelope):
                continue
            original = open_envelope(content.SerializeToString(deterministic=True))
            if original.reference != wanted.message:
                continue
            inside = [one for one in check_parts(original, allow_absent=True) if one is not None]
        else:
            inside = [content]
        concerned, whole = _concerned(inside, wanted.record_ids)
        if concerned:
            yield Held(position=message.inbox_position, part=part, whole=whole)


def _concerned(
    contents: Iterable[Message], record_ids: Collection[str] | None
) -> tuple[bool, bool]:
    """Return whether contents hold records that are to go, and whether they hold nothing else."""
    if record_ids is None:
        return True, True
    held = {one for content in contents for one in _record_ids(content)}
    return bool(held & set(record_ids)), held <= set(record_ids)


def _record_ids(content: Message) -> set[str]:
    container = facts.records_field(descriptor_of(type(content)))
    records = getattr(content, container.name) if container is not None else [content]
    return {getattr(record, "record_id", "") for record in records} - {""}
