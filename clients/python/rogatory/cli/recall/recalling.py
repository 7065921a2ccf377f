"""What is said to everyone who holds a record: who they are, and how they are reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import typer
from google.protobuf.message import Message

from rogatory.agreements import BASE_AGREEMENT_ID
from rogatory.cli.bases import MAX_RECIPIENTS
from rogatory.cli.desk import Desk
from rogatory.cli.folder import name_of
from rogatory.cli.output import note
from rogatory.client import Draft, recipient
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import ConfigurationError, NotFoundOrDenied
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Holder

RECALL_ARTICLE, RECALL_CONFIRMED = "Base Art. 3(1)", "Base Art. 3(2)"
CORRECTION_ARTICLE, CORRECTION_CONFIRMED = "Base Art. 4(1)", "Base Art. 4(2)"
"""Articles of the base agreement, under which these work whatever else is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An own message that something is said of, and who holds its records."""

    message: OpenedEnvelope
    holders: tuple[Holder, ...]

    @property
    def name(self) -> str:
        """SENDER/MESSAGE_ID."""
        return name_of(self.message.reference)


def subject(desk: Desk, word: str) -> Subject:
    """Return an own message, by its id or SENDER/MESSAGE_ID, with those who hold its records.

    Raises:
        ConfigurationError: It is somebody else's, or there is no such message.
        CallError: The gateway did not answer.
    """
    sender, _, message_id = word.rpartition("/")
    if sender not in ("", desk.agency):
        raise ConfigurationError(
            f"{word} is not yours", hint="Only its author recalls or corrects a message."
        )
    found = desk.named(message_id, "MESSAGE_ID")
    try:
        holders = desk.client.holders(message_id)
    except NotFoundOrDenied as error:
        raise ConfigurationError(
            f"{desk.agency} sent no message {message_id}", hint="Check the id; receipts/ has them."
        ) from error
    return Subject(message=found, holders=holders)


def chosen(
    about: Subject,
    only: Sequence[str],
    *,
    kind: codes_pb2.Kind.ValueType,
    again: bool,
) -> list[Holder]:
    """Return the holders that are to be told.

    Args:
        about: The message.
        only: Agencies to tell; empty: all.
        kind: Of what is said; who was told already is left out, and named.
        again: They are told again.

    Raises:
        typer.BadParameter: One of ``only`` does not hold it.
        ConfigurationError: There is nobody to tell.
    """
    agencies = {holder.agency for holder in about.holders}
    for agency in only:
        if agency not in agencies:
            listed = ", ".join(sorted(agencies)) or "nobody"
            raise typer.BadParameter(
                f"{agency} does not hold it; {listed} does", param_hint="--only"
            )
    wanted = [one for one in about.holders if not only or one.agency in only]
    told = {one.agency for one in wanted if any(notice.kind == kind for notice in one.notices)}
    if told and not again:
        note(f"told already: {', '.join(sorted(told))}; --again tells them once more")
        wanted = [one for one in wanted if one.agency not in told]
    if not wanted:
        raise ConfigurationError(
            f"There is nobody to tell about {about.name}",
            hint=f"See who holds it and what was said: rogatory holders {about.name}",
        )
    return wanted


def tell_holders(
    desk: Desk,
    draft: Draft,
    contents: Sequence[Message],
    about: Subject,
    holders: Sequence[Holder],
    *,
    basis: Callable[[Holder], envelope_pb2.Recipient],
) -> None:
    """Hand in as many messages as it takes to reach the holders.

    Args:
        desk: The agency's.
        draft: Without recipients.
        contents: Of its parts.
        about: The message.
        holders: Whom to reach.
        basis: How one of them is written to.
    """
    recipients = [basis(holder) for holder in holders]
    for some in _batches(recipients):
        desk.hand_in(
            replace(
                draft,
                recipients=some,
                thread=about.message.header.thread or about.message.header.message_id,
                exercise=about.message.header.exercise,
            ),
            contents,
        )


def under_base(article: str) -> Callable[[Holder], envelope_pb2.Recipient]:
    """Return what writes to a holder under an article of the base agreement."""
    return lambda holder: recipient(holder.agency, BASE_AGREEMENT_ID, article)


def _batches(
    recipients: Sequence[envelope_pb2.Recipient],
) -> Iterator[Sequence[envelope_pb2.Recipient]]:
    for start in range(0, len(recipients), MAX_RECIPIENTS):
        yield recipients[start : start + MAX_RECIPIENTS]
