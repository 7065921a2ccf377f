"""`rogatory message`: one received message."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from rogatory import clock
from rogatory.cli import options, received
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.originals import recalls_of
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
    offline: options.OfflineOption = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Verify a message again and show it: header, decision, records."""
    place = Home.find(home)
    trust = Trust(place)
    with ExitStack() as stack:
        client = None if offline else stack.enter_context(connect(place))
        delivery = received.find(place, client, message, exercise=exercise)
        verified = received.verify(delivery, place, trust, client)
        folder = Folder(place, exercise=verified.header.exercise, trust=trust, client=client)
        recalls = recalls_of(folder, verified)
    data = received.report(verified)
    data["recalled"] = [
        {"by": name_of(one.envelope.reference), "time": clock.to_text(one.entry_time)}
        for one in recalls
    ]
    lines = [
        received.line(verified),
        data["outcome"]["summary"],
        f"signed by {', '.join(key.officer or key.agency for key in verified.signers)}",
        f"reference {json.dumps(data['reference'])}",
        f"decision {'re-run: the same' if verified.rechecked else 'not re-run: agreement unknown'}",
    ]
    for one in recalls:
        recall = name_of(one.envelope.reference)
        lines += [
            f"recalled by its sender on {clock.to_text(one.entry_time)}: do not use it",
            f"erase it, and confirm that: rogatory confirm {recall} --erase",
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
    if why == "recalled":
        return "recalled by its sender"
    return f"{why} under {part['article']}" if part["article"] else why
