"""Consents in the folder: asked for, given, withdrawn, and which of them serve now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rogatory import clock
from rogatory.cli.folder import Folder
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures.forwards import consent_standing
from rogatory.records.v1 import common_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A CONSENT message that was received or sent.

    Attributes:
        message: Reference to it.
        header: What it says.
        entry_time: When it was entered in the log, nanoseconds since the Unix epoch.
        index: Its position in the log.
        received: It was received; else this agency sent it.
        others: Whom it came from, or to whom it went.
    """

    message: common_pb2.MessageReference
    header: envelope_pb2.Header
    entry_time: int
    index: int
    received: bool
    others: tuple[str, ...]

    @property
    def subject(self) -> common_pb2.MessageReference:
        """The message whose records it is about."""
        return self.header.subject.message


def in_folder(folder: Folder) -> list[Said]:
    """Return the CONSENT messages that a folder knows of, in order of entry.

    Those sent that nobody got are left out.
    """
    found = [
        Said(
            message=one.envelope.reference,
            header=one.header,
            entry_time=one.entry_time,
            index=one.index,
            received=True,
            others=(one.header.sender,),
        )
        for one in folder.received(_is_consent)
    ]
    for sent in folder.sent(_is_consent):
        reached = sent.reached
        if reached:
            found.append(
                Said(
                    message=sent.opened.reference,
                    header=sent.header,
                    entry_time=sent.entry_time,
                    index=sent.index,
                    received=False,
                    others=reached,
                )
            )
    return sorted(found, key=lambda one: one.index)


def withdrawn_by(given: Said, all_: Iterable[Said]) -> Said | None:
    """Return what took a consent back: a later withdrawal of the same scope for the same record.

    Towards whom it was given, or by whom, is the same too.
    """
    said = given.header.subject
    for one in all_:
        if (
            one.index > given.index
            and one.received == given.received
            and one.header.sender == given.header.sender
            and one.header.subject.withdrawal
            and one.subject == given.subject
            and one.header.subject.consent_scope == said.consent_scope
            and set(one.others) & set(given.others)
        ):
            return one
    return None


def state(given: Said, all_: Sequence[Said], *, now: int) -> str:
    """Return how a CONSENT message stands, in words.

    Args:
        given: The message.
        all_: All that the folder knows of.
        now: Nanoseconds since the Unix epoch.
    """
    said = given.header.subject
    if said.consent_request:
        answered = any(
            one.index > given.index
            and one.received != given.received
            and one.subject == given.subject
            and not one.header.subject.consent_request
            for one in all_
        )
        return "answered" if answered else "asked"
    if said.withdrawal:
        return "withdrawal"
    if withdrawn_by(given, all_) is not None:
        return "withdrawn"
    ended = said.HasField("valid_until_time") and (
        clock.to_nanoseconds(said.valid_until_time) <= now
    )
    return "ended" if ended else "valid"


def serving(
    original: common_pb2.MessageReference, all_: Sequence[Said], *, now: int
) -> list[procedure_pb2.ConsentStanding]:
    """Return the consents that the originator of a message gave this agency and that hold now.

    Args:
        original: The message.
        all_: All that the folder knows of.
        now: Nanoseconds since the Unix epoch.
    """
    found = []
    for one in all_:
        if not one.received or one.header.sender != original.sender or one.subject != original:
            continue
        standing = consent_standing(one.header, one.message)
        if standing is not None and state(one, all_, now=now) == "valid":
            found.append(standing)
    return found


def _is_consent(header: envelope_pb2.Header) -> bool:
    return header.kind == codes_pb2.KIND_CONSENT
