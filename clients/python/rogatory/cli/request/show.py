"""`rogatory request show`: one request, from its entry to what can be done next."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rogatory.cli import options
from rogatory.cli.output import emit
from rogatory.cli.request import words as requestwords
from rogatory.cli.session import connect
from rogatory.home import Home


def show(
    request: Annotated[
        str, typer.Argument(metavar="SENDER/MESSAGE_ID", help="The request, by who made it.")
    ],
    *,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show a request: its state, deadlines and steps, what remains, and what you may do next.

    One that was made to several agencies is shown towards each, to who made it.
    """
    sender, slash, message_id = request.partition("/")
    if not (sender and slash and message_id):
        raise typer.BadParameter("write it as SENDER/MESSAGE_ID", param_hint="SENDER/MESSAGE_ID")
    place = Home.find(home)
    agency = place.settings().agency
    with connect(place) as client:
        statuses = client.request_status(sender, message_id)
    now = time.time_ns()
    lines: list[str] = []
    for status in statuses:
        lines += [""] if lines else []
        lines += requestwords.story(status, agency=agency, now=now)
    emit([requestwords.data(status, agency=agency) for status in statuses], lines, as_json=as_json)
