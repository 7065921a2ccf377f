"""`agreement add | list`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rogatory.exchange.v1 import agreement_pb2
from rogatory_gateway.cli.terminal import AsJson, Folder, say, show_json, show_table
from rogatory_gateway.config import load
from rogatory_gateway.operator import agreements
from rogatory_gateway.operator.opening import load_registry, open_ledger, open_snapshot

app = typer.Typer(help="Enter agreements that all parties signed, list them.", no_args_is_help=True)


@app.command("add")
def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Agreement with the signatures of all parties, or a party's suspension of one.",
        ),
    ],
    *,
    folder: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Enter an agreement, or a suspension, in the log. Works while serving.

    An agreement is in force from the time it names; a suspension at once.
    """
    settings = load(folder)
    signed = agreements.read(file)
    with open_ledger(settings) as ledger:
        if isinstance(signed, agreement_pb2.SignedAgreementSuspension):
            declared = agreements.enter_suspension(ledger, signed)
            if as_json:
                show_json(declared)
            verb = "suspends" if declared["suspended"] else "resumes"
            say(
                f"{declared['agency']} {verb} {declared['agreement_id']}, "
                f"entered in log entry {declared['index']}"
            )
            return
        entered = agreements.enter(ledger, signed)
    if as_json:
        show_json(entered)
    say(
        f"{entered['agreement_id']} version {entered['version']} entered in log entry "
        f"{entered['index']}, in force from {entered['valid_from']}"
    )
    if entered["not_enrolled"]:
        say(f"not admitted yet: {', '.join(entered['not_enrolled'])}")


@app.command("list")
def list_(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List every version of every agreement in the log."""
    with open_snapshot(load(folder)) as connection:
        rows = agreements.listing(load_registry(connection), now=time.time_ns())
    if as_json:
        show_json({"agreements": rows})
        return
    columns = ("agreement_id", "version", "state", "valid_from", "valid_until", "clauses", "title")
    show_table(rows, columns, empty="no agreement is entered yet; the base agreement always holds")
