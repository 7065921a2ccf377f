"""`rogatory agreement evaluate`: what an agreement would decide, with no gateway."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.message import Message

from rogatory import clock, envelopes
from rogatory.cli import compose, kinds, options
from rogatory.cli.agreement.signedfile import compiled_file
from rogatory.cli.earlier import Earlier
from rogatory.cli.exits import ExitCode
from rogatory.cli.output import emit
from rogatory.cli.session import message_signers
from rogatory.client import Draft
from rogatory.client.settings import SignerInRole
from rogatory.decisions import decide
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.home import Home


def evaluate(
    agreement: Annotated[
        Path, typer.Argument(metavar="AGREEMENT", help="Text form, or file of a signed agreement.")
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RECORDS...", help="Files of records.", show_default=False),
    ] = None,
    *,
    to: options.ToOption = None,
    kind: options.KindOption = "transfer",
    about: options.AboutOption = "",
    reply_to: options.ReplyOption = "",
    particulars: options.ParticularsOption = None,
    purpose: options.PurposeOption = "investigation",
    offence: options.OffenceOption = None,
    urgency: options.UrgencyOption = "routine",
    tlp: options.TlpOption = "amber",
    siena: options.SienaOption = None,
    onward: options.OnwardOption = "with-consent",
    evidential: options.EvidentialOption = "with-consent",
    retention_days: options.RetentionOption = None,
    case_reference: options.CaseOption = None,
    officer: options.OfficerOption = "",
    justification: options.JustificationOption = "",
    officer_key: options.OfficerKeyOption = None,
    schema: options.SchemaOption = "",
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say what an agreement, a draft too, would decide on a message. Nothing leaves this machine.

    Every recipient named with --to is judged by this agreement, whatever id it names. For what the
    gateway would decide now, use rogatory send --dry-run.
    """
    place = Home.find(home)
    compiled = compiled_file(agreement)
    draft = compose.Words(
        to=to or (),
        kind=kind,
        purpose=purpose,
        offences=offence or (),
        urgency=urgency,
        tlp=tlp,
        siena=siena or (),
        onward=onward,
        evidential=evidential,
        retention_days=retention_days,
        exercise=False,
    ).draft()
    named = compose.need_files(draft, files)
    references = kinds.References(about=about, reply_to=reply_to, particulars=particulars)
    earlier = Earlier(place, client=None, exercise=False)
    draft, complete = kinds.refer(draft, references, earlier)
    contents = compose.contents(
        named,
        schema=schema,
        complete=complete,
        agency=place.settings().agency,
        officer=officer,
        case_references=case_reference or (),
        justification=justification,
    )
    draft = kinds.settle(draft, contents)
    now = time.time_ns()
    signers = message_signers(place, officer_key or ())
    header = _header(place, draft, contents, signers=signers, now=now)
    contexts = [
        decision_pb2.DecisionContext(
            entry_time=clock.to_timestamp(now),
            agreement_digest=compiled.digest,
            signers=_standing(signers, ["", *(officer_key or ())]),
            recipient_enrolled=True,
            reference=reference_standing(header, item.agency, earlier),
        )
        for item in header.recipients
    ]
    outcomes = [
        decision_pb2.Outcome(
            recipient=item.agency,
            agreement_id=compiled.agreement_id,
            agreement_version=compiled.version,
            decision=decide(
                agreement=compiled, header=header, recipient_index=position, context=context
            ),
            context=context,
        )
        for position, (item, context) in enumerate(zip(header.recipients, contexts, strict=True))
    ]
    emit(
        {
            "agreement_id": compiled.agreement_id,
            "outcomes": compose.outcome_data(
                outcomes, offences=header.offences, agreement=str(agreement)
            ),
        },
        compose.outcome_lines(outcomes, offences=header.offences, agreement=str(agreement)),
        as_json=as_json,
    )
    if not compose.is_permitted(outcomes):
        raise typer.Exit(ExitCode.REFUSED)


def _header(
    place: Home,
    draft: Draft,
    contents: Sequence[Message],
    *,
    signers: Sequence[SignerInRole],
    now: int,
) -> envelope_pb2.Header:
    settings = place.settings()
    header = draft.header(
        sender=settings.agency,
        audience=settings.origin or "draft",
        message_id=envelopes.new_message_id(now // 1_000_000, bytes(10)),
        now=now,
    )
    data = envelopes.build(header=header, contents=contents, signers=signers)
    return envelopes.open_envelope(data).header


def _standing(
    signers: Sequence[SignerInRole], pseudonyms: Sequence[str]
) -> list[decision_pb2.SignerStanding]:
    """Return the signers as if they were enrolled, the officers with every right."""
    return [
        decision_pb2.SignerStanding(
            key=signer.public_key.fingerprint,
            role=role,
            officer=pseudonym,
            rights=[codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE]
            if pseudonym
            else [],
        )
        for (signer, role), pseudonym in zip(signers, pseudonyms, strict=True)
    ]


def reference_standing(
    header: envelope_pb2.Header, recipient: str, earlier: Earlier
) -> decision_pb2.ReferenceStanding.ValueType:
    """Return how the message that another is about stands to the two, as far as is known here."""
    named = header.subject.message
    subject = earlier.find(named.sender, named.message_id) if named.sender else None
    if subject is None:
        return decision_pb2.REFERENCE_STANDING_UNSPECIFIED
    if subject.header.sender == recipient:
        return decision_pb2.REFERENCE_STANDING_RECEIVED_FROM_RECIPIENT
    if recipient in (item.agency for item in subject.header.recipients):
        return decision_pb2.REFERENCE_STANDING_SENT_TO_RECIPIENT
    return decision_pb2.REFERENCE_STANDING_UNSPECIFIED
