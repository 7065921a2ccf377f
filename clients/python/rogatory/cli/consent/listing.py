"""`rogatory consent list`: what was asked for, given and received, and how it stands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from rogatory import clock
from rogatory.assistance.v1 import consent_pb2
from rogatory.cli import options
from rogatory.cli.consent import consents
from rogatory.cli.consent.consents import Said
from rogatory.cli.folder import name_of, open_folder
from rogatory.cli.instants import minute
from rogatory.cli.output import aligned, emit, plain
from rogatory.home import Home
from rogatory.procedures.wording import in_words

_SCOPE = consent_pb2.ConsentScope.DESCRIPTOR


def list_consents(
    *,
    about: Annotated[
        str,
        typer.Option("--about", metavar="SENDER/MESSAGE_ID", help="Only about this message."),
    ] = "",
    offline: options.OfflineOption = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List consents that you asked for, gave or received, with their limits.

    By what the folder holds: fetch what arrived first, rogatory inbox.

    Example: rogatory consent list --about th.rtp/0199...
    """
    place = Home.find(home)
    with open_folder(place, exercise=exercise, offline=offline) as folder:
        everything = consents.in_folder(folder)
    found = [one for one in everything if not about or name_of(one.subject) == about]
    now = time.time_ns()
    rows = [
        [
            name_of(one.message),
            _way(one),
            ", ".join(one.others),
            in_words(_SCOPE, one.header.subject.consent_scope),
            name_of(one.subject),
            "; ".join(_limits(one)) or "-",
            consents.state(one, everything, now=now),
        ]
        for one in found
    ]
    heading = ["CONSENT", "", "WITH", "SCOPE", "ABOUT", "LIMITS", "STATE"]
    emit(
        [
            {
                "consent": name_of(one.message),
                "way": _way(one),
                "with": list(one.others),
                "state": consents.state(one, everything, now=now),
                "entered": clock.to_text(one.entry_time),
                "reference": plain(one.message),
                "says": plain(one.header.subject),
            }
            for one in found
        ],
        aligned([heading, *rows]) if rows else ["no consents"],
        as_json=as_json,
    )


def _way(one: Said) -> str:
    said = one.header.subject
    if said.consent_request:
        return "asked of you" if one.received else "you asked"
    return "received" if one.received else "given"


def _limits(one: Said) -> Iterator[str]:
    said = one.header.subject
    if said.agencies:
        yield f"to {', '.join(said.agencies)}"
    if said.offences:
        yield f"for {', '.join(said.offences)}"
    if said.parts:
        yield f"parts {', '.join(map(str, said.parts))}"
    if said.HasField("valid_until_time"):
        yield f"until {minute(said.valid_until_time)} UTC"
