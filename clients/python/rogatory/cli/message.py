"""`rogatory message`: one received message."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from rogatory.cli import options, received
from rogatory.cli.output import emit
from rogatory.cli.session import connect
from rogatory.cli.trust import Trust
from rogatory.home import Home

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Read received messages.",
)


@app.callback()
def group() -> None:
    """Read received messages."""


@app.command(short_help="Verify a message again and show it.")
def show(
    message: Annotated[
        str,
        typer.Argument(metavar="MESSAGE", help="Inbox position, SENDER/MESSAGE_ID, or a file."),
    ],
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no gateway: use what the folder has.")
    ] = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Verify a message again and show it: header, decision, records."""
    place = Home.find(home)
    trust = Trust(place)
    if offline:
        delivery = received.find(place, None, message, exercise=exercise)
        verified = received.verify(delivery, place, trust, None)
    else:
        with connect(place) as client:
            delivery = received.find(place, client, message, exercise=exercise)
            verified = received.verify(delivery, place, trust, client)
    data = received.report(verified)
    lines = [
        received.line(verified),
        data["outcome"]["summary"],
        f"signed by {', '.join(key.officer or key.agency for key in verified.signers)}",
        f"reference {json.dumps(data['reference'])}",
        f"decision {'re-run: the same' if verified.rechecked else 'not re-run: agreement unknown'}",
    ]
    for part in data["parts"]:
        title = part["schema"].rpartition(".")[2]
        if "content" in part:
            lines += [f"{title}:", json.dumps(part["content"], ensure_ascii=False, indent=2)]
        else:
            lines.append(f"{title}: {_absence(part)}")
    emit(data, lines, as_json=as_json)


def _absence(part: dict[str, Any]) -> str:
    if "absent" not in part:
        return "sealed"
    why = str(part["absent"]).removeprefix("ABSENCE_REASON_").lower()
    return f"{why} under {part['article']}" if part["article"] else why
