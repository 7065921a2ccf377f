"""`rogatory forward`: a record passed on, in its original envelope, as its originator allows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from google.protobuf.message import Message

from rogatory import clock, facts, schemas
from rogatory.cli import options
from rogatory.cli.compose import recipient_of
from rogatory.cli.consent import consents
from rogatory.cli.consent.originals import Original, find_original
from rogatory.cli.desk import Desk, Reasons, Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.options import choice
from rogatory.cli.trust import Trust
from rogatory.client import Draft
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import forwards, wording
from rogatory.records.v1 import common_pb2

app = typer.Typer(add_completion=False, rich_markup_mode=None)

MAX_CONSENTS = 16
"""That a header names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stricter:
    """Options of the header whose defaults are the original's."""

    purpose: Annotated[
        str, typer.Option(metavar="PURPOSE", help="Why; else as the original says.")
    ] = ""
    offence: options.OffenceOption = None
    urgency: options.UrgencyOption = "routine"
    tlp: Annotated[str, typer.Option(metavar="LABEL", help="TLP; else the original's.")] = ""
    siena: options.SienaOption = None
    onward: Annotated[
        str, typer.Option(metavar="WORD", help="Onward transfer; else as you received it.")
    ] = ""
    evidential: Annotated[
        str, typer.Option(metavar="WORD", help="Use as evidence; else as you received it.")
    ] = ""
    speciality: options.SpecialityOption = None
    retention_days: options.RetentionOption = None
    exercise: options.ExerciseOption = False


@app.command(short_help="Pass a received message on, with its original envelope.")
@flat
def forward(
    message: Annotated[
        str, typer.Argument(metavar="SENDER/MESSAGE_ID", help="The message, by who wrote it.")
    ],
    *,
    to: options.ToOption = None,
    consent: Annotated[
        list[str] | None,
        typer.Option(
            "--consent",
            metavar="SENDER/MESSAGE_ID",
            help="Consent to rely on; those in the folder that fit are found by themselves."
            " Repeatable.",
        ),
    ] = None,
    without_part: Annotated[
        list[int] | None,
        typer.Option(
            "--without-part", min=0, max=63, help="Leave this part out, from 0. Repeatable."
        ),
    ] = None,
    stricter: Stricter,
    reasons: Reasons,
    way: Way,
) -> None:
    """Pass a message on that you received: its envelope as it came, so that its author stays known.

    Handling is the original's, as strict as you are bound yourself. Consents of its originator that
    the folder holds are named in the header; where one is lacking nothing is sent, and you are told
    which to ask for.

    Example: rogatory forward th.rtp/0199... --to nl.politie:eu-coop:'Art. 4' --without-part 2
    """
    recipients = [recipient_of(item) for item in to or ()]
    if not recipients:
        raise typer.BadParameter(
            "name who gets it, as nl.politie:eu-coop:'Art. 4'", param_hint="--to"
        )
    with at_desk(way, exercise=stricter.exercise) as desk:
        folder = Folder(
            desk.place, exercise=stricter.exercise, trust=Trust(desk.place), client=desk.client
        )
        original = find_original(desk, folder, message)
        kept = _without(original, without_part or ())
        standing = _standing(desk, folder, original, consent or ())
        draft = _draft(original, standing, stricter, recipients)
        contents = [kept, *desk.context(reasons)]
        draft = _with_consents(desk, draft, contents, standing)
        desk.hand_in(draft, contents)
        relied = [name_of(one) for one in draft.consents]
        desk.tell(
            {"forwards": message, "consents": relied},
            [f"passes on {message}", *(f"relies on the consent {one}" for one in relied)],
        )


def _without(original: Original, positions: Sequence[int]) -> envelope_pb2.Envelope:
    """Return the original's envelope without some parts; it still verifies."""
    kept = envelope_pb2.Envelope.FromString(original.envelope)
    for position in positions:
        if position >= len(kept.parts):
            raise typer.BadParameter(
                f"the message has {len(kept.parts)} parts, from 0", param_hint="--without-part"
            )
        if kept.parts[position].WhichOneof("form") != "absent":
            kept.parts[position].absent.CopyFrom(
                envelope_pb2.AbsentPart(reason=envelope_pb2.ABSENCE_REASON_REDACTED)
            )
    if all(part.WhichOneof("form") == "absent" for part in kept.parts):
        raise ConfigurationError(
            f"Nothing of {name_of(original.opened.reference)} is left to pass on",
            hint="Leave fewer parts out; what was recalled or erased cannot be passed on.",
        )
    return kept


def _standing(
    desk: Desk, folder: Folder, original: Original, named: Sequence[str]
) -> procedure_pb2.ForwardStanding:
    """Return how the original may be used, with every consent that the agency can rely on."""
    reference = original.opened.reference
    standing = forwards.effective(original.opened.header, original.obligations, message=reference)
    standing.held = True
    standing.recalled = original.recalled
    found = consents.serving(reference, consents.in_folder(folder), now=time.time_ns())
    known = {name_of(one.message) for one in found}
    for word in named:
        if word in known:
            continue
        said = desk.named(word, "--consent")
        made = forwards.consent_standing(said.header, said.reference)
        if made is None or said.header.subject.message != reference:
            raise ConfigurationError(
                f"{word} is no consent to the use of {name_of(reference)}",
                hint="See those you received: rogatory consent list.",
            )
        found.append(made)
    standing.consents.extend(found)
    return standing


def _draft(
    original: Original,
    standing: procedure_pb2.ForwardStanding,
    stricter: Stricter,
    recipients: Sequence[envelope_pb2.Recipient],
) -> Draft:
    header = original.opened.header
    handling = envelope_pb2.Handling()
    handling.CopyFrom(header.handling)
    handling.onward_transfer = standing.onward_transfer
    handling.evidential_use = standing.evidential_use
    if stricter.tlp:
        handling.tlp = common_pb2.Tlp.ValueType(choice(common_pb2.Tlp, stricter.tlp, "--tlp"))
    if stricter.onward:
        word = choice(codes_pb2.OnwardTransfer, stricter.onward, "--onward")
        handling.onward_transfer = codes_pb2.OnwardTransfer.ValueType(word)
    if stricter.evidential:
        word = choice(codes_pb2.EvidentialUse, stricter.evidential, "--evidential")
        handling.evidential_use = codes_pb2.EvidentialUse.ValueType(word)
    codes = [choice(codes_pb2.SienaCode, word, "--siena") for word in stricter.siena or ()]
    handling.siena_codes.extend(
        codes_pb2.SienaCode.ValueType(code) for code in codes if code not in handling.siena_codes
    )
    if stricter.speciality:
        del handling.speciality_offences[:]
        handling.speciality_offences.extend(stricter.speciality)
    if stricter.retention_days:
        end = time.time_ns() + stricter.retention_days * clock.NANOSECONDS_PER_DAY
        handling.retention_end_time.CopyFrom(clock.to_timestamp(end))
    purpose = header.purpose
    if stricter.purpose:
        purpose = codes_pb2.Purpose.ValueType(
            choice(codes_pb2.Purpose, stricter.purpose, "--purpose")
        )
    return Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=purpose,
        recipients=recipients,
        handling=handling,
        offences=stricter.offence or list(header.offences),
        urgency=codes_pb2.Urgency.ValueType(
            choice(codes_pb2.Urgency, stricter.urgency, "--urgency")
        ),
        forwards=[original.opened.reference],
        exercise=header.exercise,
    )


def _with_consents(
    desk: Desk,
    draft: Draft,
    contents: Sequence[Message],
    standing: procedure_pb2.ForwardStanding,
) -> Draft:
    """Return the draft with the consents that it relies on.

    Raises:
        ConfigurationError: Something stands in the way that the folder knows of.
    """
    header = draft.header(sender=desk.agency, audience="", message_id="", now=time.time_ns())
    for content in contents:
        category = schemas.of_message(content).category
        header.parts.add(category=category, facts=facts.of_message(content))
    lacking = _obstacles(header, standing)
    if lacking:
        told = dict.fromkeys(wording.describe(one) for one in lacking)
        steps = dict.fromkeys(wording.advice(one) for one in lacking)
        raise ConfigurationError(
            f"It may not be passed on so: {' '.join(told)}", hint=" ".join(steps)
        )
    needed: list[procedure_pb2.ConsentStanding] = list(standing.consents)
    for one in standing.consents:
        fewer = [kept for kept in needed if kept is not one]
        if not _obstacles(header, _relying_on(standing, fewer)):
            needed = fewer
    return replace(draft, consents=[one.message for one in needed[:MAX_CONSENTS]])


def _obstacles(
    header: envelope_pb2.Header, standing: procedure_pb2.ForwardStanding
) -> list[procedure_pb2.Obstacle]:
    return [
        obstacle
        for item in header.recipients
        for obstacle in forwards.obstacles(
            [standing], header, recipient=item.agency, entry_time=time.time_ns()
        )
    ]


def _relying_on(
    standing: procedure_pb2.ForwardStanding, some: Iterable[procedure_pb2.ConsentStanding]
) -> procedure_pb2.ForwardStanding:
    made = procedure_pb2.ForwardStanding()
    made.CopyFrom(standing)
    del made.consents[:]
    made.consents.extend(some)
    return made
