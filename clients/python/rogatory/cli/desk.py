"""Where a command's messages are made, and how they go: sent, put into the queue, or only tried."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer
from google.protobuf.message import Message

from rogatory.cli import compose, options, outbox, telling
from rogatory.cli.agreement import inforce
from rogatory.cli.drafts import newdraft, queue
from rogatory.cli.earlier import Earlier
from rogatory.cli.exits import ExitCode
from rogatory.cli.output import emit
from rogatory.cli.session import connect, message_signers
from rogatory.client import Client, Draft
from rogatory.envelopes import OpenedEnvelope
from rogatory.exchange.v1 import decision_pb2
from rogatory.home import Home

_REFUSED = decision_pb2.DISPOSITION_REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Options that say how a message goes: see `rogatory.cli.flat`."""

    officer_key: options.OfficerKeyOption = None
    draft: options.DraftOption = False
    author: options.AuthorOption = ""
    approver: options.ApproverOption = None
    dry_run: options.DryRunOption = False
    home: options.HomeOption = None
    as_json: options.JsonOption = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Options that say on which legal basis agencies are written to, or to whom and on which."""

    under: options.UnderOption = None
    to: options.ToOption = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Options that make the CONTEXT part: who answers for it, and why."""

    officer: options.OfficerOption = ""
    case_reference: options.CaseOption = None
    justification: options.JustificationOption = ""

    @property
    def stated(self) -> bool:
        """Whether they say anything, so that somebody must answer for it."""
        return bool(self.case_reference or self.justification)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Options of the header: why the data is processed, and how it is to be handled."""

    purpose: options.PurposeOption = "investigation"
    offence: options.OffenceOption = None
    urgency: options.UrgencyOption = "routine"
    tlp: options.TlpOption = "amber"
    siena: options.SienaOption = None
    onward: options.OnwardOption = "with-consent"
    evidential: options.EvidentialOption = "with-consent"
    speciality: options.SpecialityOption = None
    retention_days: options.RetentionOption = None
    exercise: options.ExerciseOption = False

    def draft(
        self,
        kind: str,
        *,
        to: Sequence[str] = (),
        offences: Sequence[str] = (),
        later: bool = True,
    ) -> Draft:
        """Return the draft of a message.

        Args:
            kind: What it does, as a word.
            to: Recipients, AGENCY:AGREEMENT:ARTICLE.
            offences: Stated where the options state none.
            later: Recipients, or some of them, are found later.

        Raises:
            typer.BadParameter: A word is not known, or there is no recipient.
        """
        return compose.Words(
            to=to,
            kind=kind,
            purpose=self.purpose,
            offences=self.offence or list(offences),
            urgency=self.urgency,
            tlp=self.tlp,
            siena=self.siena or (),
            onward=self.onward,
            evidential=self.evidential,
            speciality=self.speciality or (),
            retention_days=self.retention_days,
            exercise=self.exercise,
        ).draft(later=later)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What became of a message.

    Attributes:
        data: For JSON.
        lines: For people.
        reached: Agencies that it reached, or will once it is sent.
        refused: Those for which it was refused.
        message_id: Its id; empty where it was only tried.
    """

    data: Mapping[str, Any]
    lines: Sequence[str]
    reached: Sequence[str]
    refused: Sequence[str] = ()
    message_id: str = ""


@dataclass(slots=True, kw_only=True)
class Desk:
    """An agency at work on messages.

    Attributes:
        place: Its folder.
        agency: Its id.
        client: Its connection, with the keys that sign.
        earlier: Earlier messages.
        way: How messages go.
    """

    place: Home
    agency: str
    client: Client
    earlier: Earlier
    way: Way
    _handed: list[Handed] = field(default_factory=list)

    @classmethod
    def of(cls, place: Home, client: Client, earlier: Earlier) -> Desk:
        """Return the desk of a command that sends in its own way."""
        agency = place.enrolled().agency
        return cls(place=place, agency=agency, client=client, earlier=earlier, way=Way())

    def named(self, word: str, option: str) -> OpenedEnvelope:
        """Return an earlier message by SENDER/MESSAGE_ID; an id alone is one of the agency's own.

        Raises:
            typer.BadParameter: The word is empty.
            ConfigurationError: There is no such message.
            RogatoryError: It does not verify, or the gateway did not answer.
        """
        found = self.earlier.named(word if "/" in word else f"{self.agency}/{word}", option)
        assert found is not None
        return found

    def context(self, reasons: Reasons) -> list[Message]:
        """Return the CONTEXT part that the options make; none where they say nothing.

        Raises:
            typer.BadParameter: A case or justification is given, and no officer.
        """
        return compose.contents(
            [],
            schema="",
            complete=lambda _: (),
            agency=self.agency,
            officer=reasons.officer or (self.way.author if reasons.stated else ""),
            case_references=reasons.case_reference or (),
            justification=reasons.justification,
        )

    def hand_in(self, draft: Draft, contents: Sequence[Message], *, message_id: str = "") -> Handed:
        """Send a message, or put it into the queue, or only try it, as the options say.

        Args:
            draft: What its header says.
            contents: Of its parts.
            message_id: Its id, where it is sent; by default a new one.

        Raises:
            DraftError: An officer has no such key or right.
            EnvelopeError: Header or a part breaks its schema's rules.
            CallError: The gateway did not decide, or did not answer.
        """
        if self.way.dry_run:
            outcomes = self.client.evaluate_draft(draft, contents=contents)
            data, lines = telling.would_be_report(self.client, outcomes, draft.offences)
            handed = _handed(outcomes, data, lines)
        elif self.way.draft:
            handed = self._queue(draft, contents)
        else:
            made = self.client.build(draft, contents=contents, message_id=message_id)
            sent = outbox.submit(self.place, self.client, outbox.put(self.place, made))
            outcomes = sent.submitted.outcomes
            further = inforce.suggestions(self.client, outcomes)
            data, lines = telling.sent_report(sent, further)
            handed = _handed(outcomes, data, lines, message_id=sent.submitted.message_id)
        self._handed.append(handed)
        return handed

    def _queue(self, draft: Draft, contents: Sequence[Message]) -> Handed:
        now = time.time_ns()
        ring = queue.own_ring(self.place)
        keys = newdraft.signed_by(
            self.place,
            ring,
            author=self.way.author,
            approvers=self.way.approver or (),
            agency=True,
            drafter="",
            now=now,
        )
        made = newdraft.make(self.place, draft, contents, keys=keys, now=now)
        path = queue.put(self.place, made)
        data, lines = newdraft.report(made, path, None, ring=ring, now=now)
        return Handed(
            data={"draft": True, **data},
            lines=[*lines, f"see what it says: rogatory review {made.message_id}"],
            reached=[item.agency for item in draft.recipients],
            message_id=made.message_id,
        )

    def tell(
        self,
        data: Mapping[str, Any] | None = None,
        lines: Sequence[str] = (),
        *,
        many: bool = False,
    ) -> None:
        """Print what became of the messages that were handed in.

        Args:
            data: What else JSON says.
            lines: What people read first.
            many: There can be several messages, so that JSON lists them under ``messages``.

        Raises:
            typer.Exit: No recipient of any was reached, and one was refused.
        """
        more = dict(data or {})
        if many:
            said = {**more, "messages": [handed.data for handed in self._handed]}
        else:
            (handed,) = self._handed
            said = {**handed.data, **more}
        emit(
            said,
            [*lines, *(line for handed in self._handed for line in handed.lines)],
            as_json=self.way.as_json,
        )
        reached = any(handed.reached for handed in self._handed)
        if not reached and any(handed.refused for handed in self._handed):
            raise typer.Exit(ExitCode.REFUSED)


@contextmanager
def at_desk(way: Way, *, exercise: bool, sign: bool = True) -> Iterator[Desk]:
    """Yield the agency's desk; it is connected while the context is open.

    Args:
        way: The options.
        exercise: Earlier messages are looked for in training traffic.
        sign: Messages are made; False: nothing but looked at.

    Raises:
        typer.BadParameter: Options contradict each other.
        ConfigurationError: The agency is not enrolled, or a file is missing.
        KeyFileError: A key cannot be used.
    """
    officers = bool(way.author or way.approver)
    if officers and not way.draft:
        raise typer.BadParameter(
            "officers sign what waits in the queue: give --draft, or --officer-key to sign now",
            param_hint="--author" if way.author else "--approver",
        )
    if way.draft and not officers:
        raise typer.BadParameter(
            "name who signs it: --author, and --approver for four eyes", param_hint="--draft"
        )
    if way.draft and way.officer_key:
        raise typer.BadParameter(
            "a draft is signed later: rogatory approve", param_hint="--officer-key"
        )
    place = Home.find(way.home)
    agency = place.enrolled().agency
    # What waits in the queue is signed there; a trial needs the keys that would sign.
    if way.draft and not way.dry_run:
        sign = False
    signers = message_signers(place, way.officer_key or ()) if sign else ()
    with connect(place, signers=signers) as client:
        yield Desk(
            place=place,
            agency=agency,
            client=client,
            earlier=Earlier(place, client=client, exercise=exercise),
            way=way,
        )


def _handed(
    outcomes: Sequence[decision_pb2.Outcome],
    data: Mapping[str, Any],
    lines: Sequence[str],
    *,
    message_id: str = "",
) -> Handed:
    return Handed(
        data=data,
        lines=lines,
        reached=[one.recipient for one in outcomes if one.decision.disposition != _REFUSED],
        refused=[one.recipient for one in outcomes if one.decision.disposition == _REFUSED],
        message_id=message_id,
    )
