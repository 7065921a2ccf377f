"""`rogatory correct`: a message put right towards everyone who holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from rogatory import schemas
from rogatory.cli import compose, options
from rogatory.cli.bases import Basis
from rogatory.cli.desk import Desk, Label, Reasons, Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.kinds import settle
from rogatory.cli.recall import recalling
from rogatory.cli.recall.recall import AgainOption, MessageArgument, OnlyOption
from rogatory.client import Draft, recipient
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Holder
from rogatory.references import completer

_UNDER_BASE = frozenset({codes_pb2.PART_CATEGORY_CORRECTION, codes_pb2.PART_CATEGORY_CONTEXT})
"""What the base agreement lets through; the right records need an agreement of their own."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Correct a message towards everyone who holds it.")
@flat
def correct(
    message: MessageArgument,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="The corrections, and the right records beside them: JSON, YAML or text-proto.",
        ),
    ],
    *,
    only: OnlyOption = None,
    again: AgainOption = False,
    under: Annotated[
        str,
        typer.Option(
            "--under",
            metavar="AGREEMENT:ARTICLE",
            help="Legal basis; else the base agreement, and with records beside the corrections"
            " the basis on which the message was sent.",
        ),
    ] = "",
    schema: options.SchemaOption = "",
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Correct a message towards everyone who received it or a copy that was passed on.

    In the file a record of the message is referred to as {"message": {}, "record_id": "..."}. Each
    holder confirms the correction with its signature: see rogatory holders.

    Example: rogatory correct 0199... corrections.yaml --officer 'Insp. Somchai'
    """
    with at_desk(way, exercise=label.exercise) as desk:
        about = recalling.subject(desk, message)
        holders = recalling.chosen(about, only or (), kind=codes_pb2.KIND_CORRECTION, again=again)
        contents = compose.contents(
            files,
            schema=schema,
            complete=completer(desk.earlier.reference, about=about.message.reference),
            agency=desk.agency,
            officer="",
            case_references=(),
            justification="",
        )
        contents += desk.context(reasons)
        records = {schemas.of_message(content).category for content in contents} - _UNDER_BASE
        draft = settle(_draft(label, about), contents)
        recalling.tell_holders(
            desk,
            draft,
            contents,
            about,
            holders,
            basis=_basis(desk, about, under, records=bool(records)),
        )
        desk.tell(
            {"corrects": about.name, "holders": [one.agency for one in holders]},
            [f"corrects {about.name} towards {', '.join(one.agency for one in holders)}"],
            many=True,
        )


def _draft(label: Label, about: recalling.Subject) -> Draft:
    said = label.draft("correction", offences=about.message.header.offences)
    return replace(
        said,
        particulars=envelope_pb2.SubjectParticulars(message=about.message.reference),
    )


def _basis(
    desk: Desk, about: recalling.Subject, under: str, *, records: bool
) -> Callable[[Holder], envelope_pb2.Recipient]:
    if under:
        basis = Basis.parse(under)
        return lambda holder: recipient(holder.agency, basis.agreement_id, basis.article)
    if not records:
        return recalling.under_base(recalling.CORRECTION_ARTICLE)
    sent = {item.agency: item for item in about.message.header.recipients}

    def as_sent(holder: Holder) -> envelope_pb2.Recipient:
        if holder.agency not in sent:
            raise ConfigurationError(
                f"{holder.agency} holds a copy that {holder.received_by.sender} passed on, and"
                f" {desk.agency} sent it nothing: records need a legal basis",
                hint="Give --under, or correct it towards the others with --only; the corrections"
                " alone go under the base agreement.",
            )
        return sent[holder.agency]

    return as_sent
