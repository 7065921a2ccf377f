"""`rogatory holders`: who holds a record, what was said to them, and who has confirmed it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rogatory.cli import options
from rogatory.cli.desk import Way, at_desk
from rogatory.cli.folder import name_of
from rogatory.cli.instants import minute
from rogatory.cli.output import aligned, emit, plain
from rogatory.cli.recall import recalling
from rogatory.cli.recall.recall import MessageArgument
from rogatory.exchange.v1 import codes_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Holder, HolderNotice
from rogatory.procedures.wording import in_words

_KIND = codes_pb2.Kind.DESCRIPTOR

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="List who holds a message of yours, and who has confirmed what.")
def holders(
    message: MessageArgument,
    *,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those who have not confirmed something.")
    ] = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List who holds the records of your message: by which message they came, what was said since.

    A recall or correction that is not confirmed is listed with the days passed.

    Example: rogatory holders 0199... --waiting
    """
    with at_desk(Way(home=home, as_json=as_json), exercise=exercise, sign=False) as desk:
        about = recalling.subject(desk, message)
    found = [one for one in about.holders if not waiting or any(map(_open, one.notices))]
    rows = [["HOLDER", "RECEIVED BY", "SINCE (UTC)", "FETCHED", "WHAT WAS SAID"]]
    for one in found:
        said = [_said(notice) for notice in one.notices] or ["-"]
        fetched = "yes" if one.delivered else "not yet"
        name = name_of(one.received_by)
        by = "the message" if name == about.name else name
        rows.append([one.agency, by, minute(one.entry_time), fetched, said[0]])
        rows += [["", "", "", "", more] for more in said[1:]]
    open_ = sum(any(map(_open, one.notices)) for one in about.holders)
    have = "has" if open_ == 1 else "have"
    lines = [f"held by {len(about.holders)}; {open_} {have} something to confirm"]
    emit(
        {
            "message": about.name,
            "holders": [_data(one) for one in found],
            "waiting": [one.agency for one in about.holders if any(map(_open, one.notices))],
        },
        [*lines, *(aligned(rows) if found else [])],
        as_json=as_json,
    )


def _open(notice: HolderNotice) -> bool:
    return not notice.HasField("confirmation")


def _said(notice: HolderNotice) -> str:
    what = f"{in_words(_KIND, notice.kind)} of {minute(notice.entry_time)}"
    if not _open(notice):
        return f"{what}: confirmed {minute(notice.confirm_time)}"
    days = "1 day" if notice.days_waiting == 1 else f"{notice.days_waiting} days"
    return f"{what}: not confirmed for {days}"


def _data(holder: Holder) -> dict[str, Any]:
    return {
        **plain(holder),
        "delivered": holder.delivered,
        "notices": [
            {**plain(notice), "days_waiting": notice.days_waiting, "confirmed": not _open(notice)}
            for notice in holder.notices
        ],
    }
