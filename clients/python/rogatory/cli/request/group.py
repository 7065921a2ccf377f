"""`rogatory request`: requests for assistance."""

from __future__ import annotations

import typer

from rogatory.cli.request.answer import answer
from rogatory.cli.request.listing import list_requests
from rogatory.cli.request.new import new
from rogatory.cli.request.render import render
from rogatory.cli.request.show import show

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Ask for assistance, and answer.",
)

app.command("list", short_help="List requests, what is due first in front.")(list_requests)
app.command(short_help="Show a request and what can be done next.")(show)
app.command(short_help="Write the template of a request.")(new)
app.command(short_help="Write the template of an answer.")(answer)
app.command(short_help="Print a request or answer as a page to sign.")(render)
