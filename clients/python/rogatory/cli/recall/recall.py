"""`rogatory recall`: a message taken back from everyone who holds it."""

from __future__ import annotations

from typing import Annotated

import typer

from rogatory.cli import compose, options
from rogatory.cli.desk import Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.recall import recalling
from rogatory.client import Draft
from rogatory.exchange.v1 import codes_pb2, envelope_pb2

MessageArgument = Annotated[
    str, typer.Argument(metavar="MESSAGE_ID", help="Your message, by its id or SENDER/MESSAGE_ID.")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="AGENCY", help="Only this holder. Repeatable."),
]
AgainOption = Annotated[bool, typer.Option("--again", help="Also tell those who were told before.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Take a message back from everyone who holds it.")
@flat
def recall(
    message: MessageArgument,
    *,
    only: OnlyOption = None,
    again: AgainOption = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; needs --officer.")
    ] = "",
    officer: options.OfficerOption = "",
    exercise: options.ExerciseOption = False,
    way: Way,
) -> None:
    """Take a message back from everyone who received it or a copy that was passed on.

    The gateway tells who holds it, and delivers it no more. It goes under the base agreement, so it
    works whatever else is in force. Each holder erases it and confirms that with its signature: see
    rogatory holders.

    Example: rogatory recall 0199... --reason 'Sent to the wrong case.' --officer 'Insp. Somchai'
    """
    with at_desk(way, exercise=exercise) as desk:
        about = recalling.subject(desk, message)
        holders = recalling.chosen(about, only or (), kind=codes_pb2.KIND_RECALL, again=again)
        contents = compose.contents(
            [],
            schema="",
            complete=lambda _: (),
            agency=desk.agency,
            officer=officer or (way.author if reason else ""),
            case_references=(),
            justification=reason,
        )
        draft = Draft(
            kind=codes_pb2.KIND_RECALL,
            purpose=codes_pb2.PURPOSE_ADMINISTRATION,
            recipients=(),
            particulars=envelope_pb2.SubjectParticulars(message=about.message.reference),
        )
        recalling.tell_holders(
            desk,
            draft,
            contents,
            about,
            holders,
            basis=recalling.under_base(recalling.RECALL_ARTICLE),
        )
        desk.tell(
            {"recalls": about.name, "holders": [one.agency for one in holders]},
            [f"recalls {about.name} from {', '.join(one.agency for one in holders)}"],
            many=True,
        )
