"""Kinds of message that `send` makes, and what each adds to the header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import typer
from google.protobuf.message import Message

from rogatory import wire
from rogatory.cli.earlier import Earlier
from rogatory.cli.following import follow
from rogatory.client import Draft
from rogatory.client.drafts import Particulars
from rogatory.envelopes import OpenedEnvelope
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.messagefiles import Complete, read_message
from rogatory.records.v1 import common_pb2
from rogatory.references import completer

KINDS: Mapping[int, type[Particulars] | None] = MappingProxyType(
    {
        codes_pb2.KIND_TRANSFER: None,
        codes_pb2.KIND_REQUEST: envelope_pb2.RequestParticulars,
        codes_pb2.KIND_UPDATE: envelope_pb2.UpdateParticulars,
        codes_pb2.KIND_CUSTODY: envelope_pb2.CustodyParticulars,
        codes_pb2.KIND_RECALL: envelope_pb2.SubjectParticulars,
        codes_pb2.KIND_CORRECTION: envelope_pb2.SubjectParticulars,
        codes_pb2.KIND_CONSENT: envelope_pb2.SubjectParticulars,
        codes_pb2.KIND_OPERATION: envelope_pb2.OperationParticulars,
        codes_pb2.KIND_ALERT: envelope_pb2.AlertParticulars,
    }
)
"""The particulars of each kind that is sent so. RECEIPT and GOVERNANCE have their own commands."""

_ABOUT: Mapping[type[Particulars], str] = MappingProxyType(
    {
        envelope_pb2.RequestParticulars: "related_request",
        envelope_pb2.UpdateParticulars: "request",
        envelope_pb2.SubjectParticulars: "message",
        envelope_pb2.AlertParticulars: "hit_of",
    }
)
"""Where particulars name the message that another is about; for the others see `_about`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What a message refers to, as it is typed; see `rogatory.cli.options`."""

    about: str
    reply_to: str
    particulars: Path | None


def refer(draft: Draft, words: References, earlier: Earlier) -> tuple[Draft, Complete]:
    """Return a draft with what its kind adds, and what completes the references in its records.

    What is lacking may follow from the records: see `settle`.

    Raises:
        typer.BadParameter: The kind wants something else.
        RecordFileError: The file of particulars holds faults.
        ConfigurationError: There is no such earlier message.
        RogatoryError: It does not verify, or the gateway did not answer.
    """
    about = earlier.named(words.about, "--about")
    complete = completer(earlier.reference, about=None if about is None else about.reference)
    answered = earlier.named(words.reply_to, "--reply-to")
    if answered is not None:
        thread = answered.header.thread or answered.header.message_id
        draft = replace(draft, in_reply_to=answered.reference, thread=thread)
    return _particulars(draft, words, about, complete), complete


def _particulars(
    draft: Draft, words: References, about: OpenedEnvelope | None, complete: Complete
) -> Draft:
    message_type = KINDS[draft.kind]
    kind = codes_pb2.Kind.Name(draft.kind).removeprefix("KIND_").lower()
    if message_type is None:
        if words.particulars is not None:
            raise typer.BadParameter(f"a {kind} has none", param_hint="--particulars")
        if about is not None:
            raise typer.BadParameter(
                f"a {kind} is about no other message; --reply-to names one that it answers",
                param_hint="--about",
            )
        return draft
    if words.particulars is not None:
        particulars = read_message(words.particulars, message_type, complete=complete)
    else:
        particulars = message_type()
    if about is not None:
        draft = _about(draft, particulars, about.reference)
    return replace(draft, particulars=particulars)


def settle(draft: Draft, contents: Sequence[Message]) -> Draft:
    """Return a draft whose header says what follows from its records.

    Raises:
        typer.BadParameter: Something is still lacking that its kind must state.
    """
    draft = follow(draft, contents)
    particulars = draft.particulars
    if particulars is None:
        return draft
    lacking = wire.violations(particulars)
    if lacking:
        kind = codes_pb2.Kind.Name(draft.kind).removeprefix("KIND_").lower()
        fields = ", ".join(item.path for item in lacking)
        raise typer.BadParameter(
            f"{fields} must be stated for kind {kind}: give --about SENDER/MESSAGE_ID for the"
            f" message it is about, or --particulars FILE with the fields of"
            f" {particulars.DESCRIPTOR.full_name}",
            param_hint="--kind",
        )
    return draft


def _about(draft: Draft, particulars: Particulars, reference: common_pb2.MessageReference) -> Draft:
    """State the message that another is about, where its kind has a place for it."""
    if isinstance(particulars, envelope_pb2.OperationParticulars):
        return replace(draft, operation=reference)
    if isinstance(particulars, envelope_pb2.CustodyParticulars):
        stated = particulars.previous_digest
        particulars.previous_digest = reference.header_digest
    else:
        place: common_pb2.MessageReference = getattr(particulars, _ABOUT[type(particulars)])
        stated = place.header_digest
        place.CopyFrom(reference)
    if stated not in (b"", reference.header_digest):
        raise typer.BadParameter(
            "the file of --particulars names another message", param_hint="--about"
        )
    return draft
