"""`rogatory operation`: joint operations, from founding to the board of their results."""

from __future__ import annotations

import typer

from rogatory.cli.operation.board import board
from rogatory.cli.operation.report import report
from rogatory.cli.operation.show import list_operations, show
from rogatory.cli.operation.steps import close, found, invite, join, leave

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Lead joint operations or take part in them; add up results.",
)

app.command(short_help="Found an operation and invite its members.")(found)
app.command("list", short_help="List the operations you are part of.")(list_operations)
app.command(short_help="Show an operation, its members and what each may do.")(show)
app.command(short_help="Invite further members.")(invite)
app.command(short_help="Join, as you were invited to.")(join)
app.command(short_help="Leave.")(leave)
app.command(short_help="Close an operation that you lead.")(close)
app.command(short_help="Report results, or take reported ones back.")(report)
app.command(short_help="Add up all members' signed reports.")(board)
