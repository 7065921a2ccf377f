"""`rogatory confirm`: an officer's signed word that a recall or correction was carried out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from rogatory import clock
from rogatory.agreements import BASE_AGREEMENT_ID
from rogatory.cli import options, received
from rogatory.cli.desk import Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.kinds import settle
from rogatory.cli.output import note
from rogatory.cli.recall import erasing, recalling
from rogatory.cli.trust import Trust
from rogatory.client import Draft, recipient
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2, correction_pb2
from rogatory.verification import VerifiedDelivery

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Confirm that a recall or correction was carried out.")
@flat
def confirm(
    message: Annotated[
        str,
        typer.Argument(
            metavar="MESSAGE",
            help="The RECALL or CORRECTION: inbox position, SENDER/MESSAGE_ID, or a file.",
        ),
    ],
    *,
    officer: Annotated[
        str, typer.Option("--officer", metavar="NAME", help="Officer who answers for it.")
    ],
    erase: Annotated[
        bool,
        typer.Option("--erase", help="Erase the records from the inbox folder first."),
    ] = False,
    kept: Annotated[
        str,
        typer.Option("--kept", metavar="TEXT", help="What is kept, and on which ground in law."),
    ] = "",
    informed: Annotated[
        list[str] | None,
        typer.Option(
            "--informed",
            metavar="AGENCY",
            help="You had passed it on to this agency, and told it. Repeatable; those that the"
            " recall itself reaches are named by themselves.",
        ),
    ] = None,
    exercise: options.ExerciseOption = False,
    way: Way,
) -> None:
    """Confirm to its sender that what a recall or correction asks for was done.

    --erase replaces the records in the inbox folder by a note that they were recalled; header and
    signatures stay, and still verify. Of a correction the parts go that hold nothing but corrected
    records. Copies in your case system are yours to erase first.

    Example: rogatory confirm th.rtp/0199... --erase --officer 'Lt. Nguyen' --officer-key nguyen
    """
    with at_desk(way, exercise=exercise) as desk:
        trust = Trust(desk.place)
        delivery = received.find(desk.place, desk.client, message, exercise=exercise)
        asked = received.verify(delivery, desk.place, trust, desk.client)
        _check(asked)
        folder = Folder(desk.place, exercise=asked.header.exercise, trust=trust, client=desk.client)
        wanted = erasing.Wanted.of(asked)
        held = erasing.find(folder, wanted)
        _check_gone(held, asked, erase=erase, kept=kept)
        recalled = asked.header.kind == codes_pb2.KIND_RECALL
        files = []
        if erase and not way.dry_run:
            files = erasing.erase(
                folder,
                held,
                reason=envelope_pb2.ABSENCE_REASON_RECALLED
                if recalled
                else envelope_pb2.ABSENCE_REASON_ERASED,
                place=desk.place,
                trust=trust,
                client=desk.client,
            )
        content = correction_pb2.ErasureConfirmation(
            message=wanted.message,
            asked_by=asked.envelope.reference,
            record_ids=sorted(wanted.record_ids or ()),
            erasure_time=clock.to_timestamp(time.time_ns()),
            kept=kept,
            informed_agencies=_informed(folder, asked, wanted.message, informed or ()),
            official=common_pb2.Official(name=officer, agency=desk.agency),
        )
        desk.hand_in(settle(_draft(asked), [content]), [content])
        name = name_of(asked.envelope.reference)
        desk.tell(
            {"confirms": name, "erased": [str(file) for file in files]},
            [f"confirms {name}", *(f"erased from {file}" for file in files)],
        )


def _check(asked: VerifiedDelivery) -> None:
    header = asked.header
    kinds = (codes_pb2.KIND_RECALL, codes_pb2.KIND_CORRECTION)
    if header.kind not in kinds or header.subject.confirmation:
        raise ConfigurationError(
            f"{name_of(asked.envelope.reference)} is no recall or correction",
            hint="Name the message that asks for it; rogatory inbox lists what arrived.",
        )
    if header.subject.message.sender != header.sender:
        raise ConfigurationError(
            f"{name_of(asked.envelope.reference)} is about a message of"
            f" {header.subject.message.sender}, who alone takes it back or corrects it",
            hint="Erase nothing; ask that agency whether it wants it erased.",
        )


def _check_gone(
    held: Sequence[erasing.Held], asked: VerifiedDelivery, *, erase: bool, kept: str
) -> None:
    """Refuse to confirm what is not so."""
    recalled = asked.header.kind == codes_pb2.KIND_RECALL
    if recalled and held and not (erase or kept):
        places = ", ".join(str(position) for position in sorted({one.position for one in held}))
        raise ConfigurationError(
            f"The inbox folder still holds what was recalled, at position {places}",
            hint="Give --erase; or say with --kept what is kept, and on which ground.",
        )
    for one in held:
        if not one.whole:
            note(
                f"part {one.part} of the message at position {one.position} also holds records that"
                " were not corrected: it is kept, and the correction stands beside it"
            )


def _informed(
    folder: Folder,
    asked: VerifiedDelivery,
    original: common_pb2.MessageReference,
    named: Sequence[str],
) -> list[str]:
    """Return the agencies to which the record was passed on and that know of it."""
    passed_on = {
        agency
        for sent in folder.sent(lambda header: original in header.forwards)
        for agency in sent.reached
        if agency != original.sender
    }
    told = {item.agency for item in asked.header.recipients} | set(named)
    untold = sorted(passed_on - told)
    if untold:
        note(
            f"you passed it on to {', '.join(untold)}, whom this does not reach: tell them, and"
            " name them with --informed"
        )
    return sorted((passed_on & told) | set(named))


def _draft(asked: VerifiedDelivery) -> Draft:
    reference = asked.envelope.reference
    recalled = asked.header.kind == codes_pb2.KIND_RECALL
    article = recalling.RECALL_CONFIRMED if recalled else recalling.CORRECTION_CONFIRMED
    return Draft(
        kind=asked.header.kind,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        recipients=[recipient(reference.sender, BASE_AGREEMENT_ID, article)],
        in_reply_to=reference,
        thread=asked.header.thread or reference.message_id,
        particulars=envelope_pb2.SubjectParticulars(message=reference),
        exercise=asked.header.exercise,
    )
