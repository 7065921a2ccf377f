"""`rogatory consent`: further use of what somebody else sent, asked for, allowed and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from google.protobuf.message import Message

from rogatory.assistance.v1 import consent_pb2, request_form_pb2
from rogatory.cli import options
from rogatory.cli.bases import Bases, Basis
from rogatory.cli.compose import recipient_of
from rogatory.cli.consent.listing import list_consents
from rogatory.cli.desk import Desk, Label, Reasons, Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import Folder, SentMessage, name_of
from rogatory.cli.instants import UNTIL_HELP, until
from rogatory.cli.kinds import settle
from rogatory.cli.trust import Trust
from rogatory.client import Draft
from rogatory.envelopes import OpenedEnvelope, check_parts
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2, offence_pb2

_SCOPES = {
    "onward": "onward-transfer",
    "evidential": "evidential-use",
    "other-offence": "other-offence",
}
"""Short words beside the enum's own."""

ScopeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="onward (passing it on), evidential (use in court) or other-offence. Repeatable.",
    ),
]
AgencyOption = Annotated[
    list[str] | None,
    typer.Option("--agency", metavar="AGENCY", help="Onward transfer: to whom. Repeatable."),
]
OffenceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--for-offence", metavar="CODE", help="Other offences: which, ICCS code. Repeatable."
    ),
]
ProceedingsOption = Annotated[
    str,
    typer.Option(
        "--proceedings", metavar="TEXT", help="Use as evidence: in which proceedings and court."
    ),
]
UnderOption = Annotated[
    str,
    typer.Option(
        "--under",
        metavar="AGREEMENT:ARTICLE",
        help="Legal basis, as mekong:'Art. 11'.",
    ),
]

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Ask for consent to further use of a record; give and withdraw it.",
)
app.command("list", short_help="List consents asked for, given and received.")(list_consents)


@app.command(short_help="Ask the originator of a message.")
@flat
def ask(
    message: Annotated[
        str,
        typer.Argument(metavar="SENDER/MESSAGE_ID", help="The message with the records."),
    ],
    *,
    scope: ScopeOption = None,
    agency: AgencyOption = None,
    for_offence: OffenceOption = None,
    proceedings: ProceedingsOption = "",
    record: Annotated[
        list[str] | None,
        typer.Option("--record", metavar="ID", help="Records concerned; else all. Repeatable."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    answer_by: Annotated[str, typer.Option("--answer-by", metavar="TIME", help=UNTIL_HELP)] = "",
    under: UnderOption,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Ask the agency that sent a message for consent to its further use.

    Example: rogatory consent ask th.rtp/0199... --scope onward --agency nl.politie --reason
    'Victims live there.' --under mekong:'Art. 11'
    """
    scopes = _scopes(scope)
    with at_desk(way, exercise=label.exercise) as desk:
        original = desk.named(message, "SENDER/MESSAGE_ID")
        if original.header.sender == desk.agency:
            raise ConfigurationError(
                f"{message} is your own: nobody's consent is needed",
                hint="Send it: rogatory send. To allow it to others: rogatory consent give.",
            )
        content = consent_pb2.ConsentRequest(
            subject=original.reference,
            scopes=scopes,
            record_ids=record,
            agencies=agency,
            offences=_offences(for_offence),
            proceedings=proceedings,
            reason=reason,
        )
        if answer_by:
            content.answer_by_time.CopyFrom(until(answer_by, "--answer-by"))
        draft = replace(
            _about(label.draft("consent", offences=original.header.offences), original),
            recipients=Bases(desk.client, under=[under]).reach([original.header.sender]).need(),
        )
        _hand_in(desk, draft, content, reasons, original.reference)


@app.command(short_help="Consent, to who asked or of your own accord.")
@flat
def give(
    message: Annotated[
        str,
        typer.Argument(
            metavar="SENDER/MESSAGE_ID",
            help="What asked for it, or your own message with the records.",
        ),
    ],
    *,
    scope: ScopeOption = None,
    agency: AgencyOption = None,
    for_offence: OffenceOption = None,
    proceedings: ProceedingsOption = "",
    valid_until: Annotated[
        str, typer.Option("--until", metavar="TIME", help=f"Until when. {UNTIL_HELP}")
    ] = "",
    part: Annotated[
        list[int] | None,
        typer.Option("--part", min=0, max=63, help="Only for this part, from 0. Repeatable."),
    ] = None,
    conditions: Annotated[
        str, typer.Option("--conditions", metavar="TEXT", help="Further conditions, in words.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    authority: Annotated[
        str, typer.Option("--authority", metavar="NAME", help="Who decided; else your agency.")
    ] = "",
    to: options.ToOption = None,
    under: Annotated[
        str,
        typer.Option(
            "--under",
            metavar="AGREEMENT:ARTICLE",
            help="Legal basis towards who asked; else the one on which it was asked.",
        ),
    ] = "",
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Consent to further use of what you sent, as it was asked for, or limited.

    Whatever you state replaces what was asked for. Of your own accord name your message and --to.

    Example: rogatory consent give vn.police/0199... --agency nl.politie --until 90d --officer 'Col.
    Prasert'
    """
    with at_desk(way, exercise=label.exercise) as desk:
        named = desk.named(message, "SENDER/MESSAGE_ID")
        request = _request(desk, named)
        original = named if request is None else _original(desk, request.subject)
        if original.header.sender != desk.agency:
            raise ConfigurationError(
                f"{name_of(original.reference)} is not yours: only its originator consents",
                hint="Ask it: rogatory consent ask.",
            )
        asked = consent_pb2.ConsentRequest() if request is None else request
        scopes = _scopes(scope) if scope else list(asked.scopes)
        if len(scopes) != 1:
            raise typer.BadParameter(
                "a consent is to one kind of use: give one, then the next"
                if scopes
                else "say what you consent to",
                param_hint="--scope",
            )
        content = consent_pb2.Consent(
            subject=original.reference,
            scope=scopes[0],
            record_ids=asked.record_ids,
            agencies=agency or asked.agencies,
            offences=_offences(for_offence) or asked.offences,
            proceedings=proceedings or asked.proceedings,
            conditions=conditions,
            asked_by=None if request is None else named.reference,
            authority=_authority(desk, authority, reasons.officer),
            reason=reason,
        )
        if valid_until:
            content.valid_until_time.CopyFrom(until(valid_until, "--until"))
        draft = _about(label.draft("consent", offences=original.header.offences), original)
        if request is not None:
            asker, basis = _asked_on(desk, named)
            bases = Bases(desk.client, under=[under] if under else [], usual=[basis])
            draft = replace(
                draft, in_reply_to=named.reference, recipients=bases.reach([asker]).need()
            )
        else:
            if not to:
                raise typer.BadParameter("name who gets the consent", param_hint="--to")
            draft = replace(draft, recipients=[recipient_of(item) for item in to])
        draft = replace(
            draft,
            particulars=envelope_pb2.SubjectParticulars(
                message=original.reference, parts=sorted(set(part or ()))
            ),
        )
        _hand_in(desk, draft, content, reasons, original.reference)


@app.command(short_help="Take a consent back.")
@flat
def withdraw(
    consent: Annotated[
        str,
        typer.Argument(metavar="MESSAGE_ID", help="Your CONSENT message; see consent list."),
    ],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    authority: Annotated[
        str, typer.Option("--authority", metavar="NAME", help="Who decided; else your agency.")
    ] = "",
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Take back what you consented to, towards everyone who got the consent.

    What was done until then stays lawful.

    Example: rogatory consent withdraw 0199... --reason 'The proceedings were closed.'
    """
    with at_desk(way, exercise=label.exercise) as desk:
        given = _given(desk, consent.rpartition("/")[2], exercise=label.exercise)
        said = given.header.subject
        content = consent_pb2.Consent(
            subject=said.message,
            scope=said.consent_scope,
            agencies=said.agencies,
            offences=_offences(said.offences),
            withdrawal=True,
            withdrawn=given.opened.reference,
            authority=_authority(desk, authority, reasons.officer),
            reason=reason,
        )
        draft = replace(
            label.draft("consent", offences=given.header.offences),
            recipients=[item for item in given.header.recipients if item.agency in given.reached],
            thread=given.header.thread or said.message.message_id,
            particulars=envelope_pb2.SubjectParticulars(message=said.message),
            exercise=given.header.exercise,
        )
        _hand_in(desk, draft, content, reasons, said.message)


def _hand_in(
    desk: Desk,
    draft: Draft,
    content: Message,
    reasons: Reasons,
    subject: common_pb2.MessageReference,
) -> None:
    contents = [content, *desk.context(reasons)]
    desk.hand_in(settle(draft, contents), contents)
    said: dict[str, Any] = {"about": name_of(subject)}
    desk.tell(said, [f"about {name_of(subject)}"])


def _about(draft: Draft, original: OpenedEnvelope) -> Draft:
    return replace(
        draft,
        thread=original.header.thread or original.header.message_id,
        exercise=original.header.exercise,
        particulars=envelope_pb2.SubjectParticulars(message=original.reference),
    )


def _scopes(words: Sequence[str] | None) -> list[consent_pb2.ConsentScope.ValueType]:
    if not words:
        raise typer.BadParameter(
            "say what for: onward, evidential or other-offence", param_hint="--scope"
        )
    return [
        consent_pb2.ConsentScope.ValueType(
            options.choice(consent_pb2.ConsentScope, _SCOPES.get(word, word), "--scope")
        )
        for word in dict.fromkeys(words)
    ]


def _offences(codes: Sequence[str] | None) -> list[offence_pb2.Offence]:
    return [offence_pb2.Offence(iccs_code=code) for code in codes or ()]


def _authority(desk: Desk, name: str, officer: str) -> request_form_pb2.Authority:
    settings = desk.place.settings()
    own = next(iter(settings.names.values()), desk.agency)
    made = request_form_pb2.Authority(name=name or own)
    if not name:
        made.agency = desk.agency
    if officer:
        made.official.CopyFrom(common_pb2.Official(name=officer, agency=desk.agency))
    return made


def _request(desk: Desk, opened: OpenedEnvelope) -> consent_pb2.ConsentRequest | None:
    """Return what a message asks consent for; None where it is no such request."""
    if opened.header.kind != codes_pb2.KIND_CONSENT:
        return None
    for content in check_parts(opened, allow_absent=True) if opened.parts else ():
        if isinstance(content, consent_pb2.ConsentRequest):
            return content
    raise ConfigurationError(
        f"{name_of(opened.reference)} asks for no consent",
        hint=f"Name what {desk.agency} was asked, or your own message: rogatory consent list.",
    )


def _original(desk: Desk, reference: common_pb2.MessageReference) -> OpenedEnvelope:
    found = desk.named(name_of(reference), "SENDER/MESSAGE_ID")
    if found.reference != reference:
        raise ConfigurationError(
            f"What was asked is about another message than {name_of(reference)}",
            hint="Do not answer it; ask the agency which message it means.",
        )
    return found


def _asked_on(desk: Desk, request: OpenedEnvelope) -> tuple[str, Basis]:
    """Return who asked, and on which basis."""
    item = next(one for one in request.header.recipients if one.agency == desk.agency)
    return request.header.sender, Basis.of(item)


def _given(desk: Desk, message_id: str, *, exercise: bool) -> SentMessage:
    folder = Folder(desk.place, exercise=exercise, trust=Trust(desk.place), client=desk.client)
    found = folder.sent(
        lambda header: header.kind == codes_pb2.KIND_CONSENT and header.message_id == message_id
    )
    for sent in found:
        said = sent.header.subject
        if sent.reached and not (said.withdrawal or said.consent_request):
            return sent
    raise ConfigurationError(
        f"{desk.agency} gave no consent {message_id} that the folder knows of",
        hint="See those given: rogatory consent list. A receipt: rogatory receipt get.",
    )
