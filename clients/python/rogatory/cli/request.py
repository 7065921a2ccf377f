"""`rogatory request`: requests for assistance."""

from __future__ import annotations

import typer

from rogatory.cli.request_answer import answer
from rogatory.cli.request_new import new
from rogatory.cli.request_render import render

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Ask for assistance, and answer.",
)

app.command(short_help="Write the template of a request.")(new)
app.command(short_help="Write the template of an answer.")(answer)
app.command(short_help="Print a request or answer as a page to sign.")(render)
