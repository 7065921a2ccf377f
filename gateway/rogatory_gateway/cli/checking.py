"""`status` and `fsck`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rogatory_gateway.cli import EXIT_FAILED
from rogatory_gateway.cli.terminal import (
    EXIT_DAMAGED,
    AsJson,
    Folder,
    progress,
    say,
    show,
    show_json,
    show_table,
)
from rogatory_gateway.config import load
from rogatory_gateway.operator.fsck import Report, check_ledger, check_set_up
from rogatory_gateway.operator.opening import open_snapshot
from rogatory_gateway.operator.status import collect


def status(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Show log, agencies, agreements in force, requests, and what waits in inboxes."""
    settings = load(folder)
    with open_snapshot(settings) as connection:
        found = collect(connection, settings, now=time.time_ns())
    if as_json:
        show_json(found)
        return
    log = found["log"]
    show(f"origin      {found['origin']}")
    show(f"address     {found['address']}")
    show(f"log size    {log['size']}")
    show(f"log root    {log['root']}")
    show(f"last entry  {log['last_entry'] or 'none'}")
    in_force = [
        f"{item['agreement_id']} v{item['version']}" for item in found["agreements_in_force"]
    ]
    show(f"agreements  {', '.join(in_force) or 'none but the base agreement'}")
    requests = found["requests"]
    show(
        f"requests    {requests['open']} open; deadlines: {requests['deadlines_due_soon']} due"
        f" soon, {requests['deadlines_overdue']} overdue"
    )
    show("")
    rows = [
        {
            **agency,
            "received": agency["inbox"]["last"],
            "waiting": agency["inbox"]["waiting"],
            "exercise_waiting": agency["exercise_inbox"]["waiting"],
        }
        for agency in found["agencies"]
    ]
    columns = ("agency_id", "state", "received", "waiting", "exercise_waiting", "name")
    show_table(rows, columns, empty="no agency is admitted yet")


def fsck(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Verify everything at rest again. Exits with 3 when the ledger is damaged.

    With 1 when only settings or key files are at fault. Works while the gateway serves, on the
    state of the moment it starts.
    """
    settings = load(folder)
    report = Report(origin=settings.gateway.origin)
    bar = Progress(
        TextColumn("verifying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=progress,
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with open_snapshot(settings) as connection, bar:
        check_set_up(connection, settings, report)
        task = bar.add_task("entries", total=None)
        check_ledger(
            connection,
            report=report,
            progress=lambda done, size: bar.update(task, completed=done, total=size),
        )
    _conclude(report, as_json=as_json)


def _conclude(report: Report, *, as_json: bool) -> None:
    if as_json:
        show_json(report.to_json())
    else:
        for finding in report.findings:
            show(str(finding))
        verified = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
        state = "DAMAGED" if report.damaged else "clean" if report.clean else "the ledger is clean"
        show(f"{state}: verified {verified or 'an empty log'}")
    say(
        f"{report.size} entries in {report.seconds:.1f} s, "
        f"{report.entries_per_second:,.0f} entries/s"
    )
    for hint in dict.fromkeys(finding.hint for finding in report.findings if finding.hint):
        say(f"error: the set-up is at fault. {hint}")
    if report.damaged:
        listed = len(report.findings)
        total = report.faults.total()
        more = f" ({listed} of them listed)" if listed < total else ""
        say(
            f"error: {total} findings{more}. Stop the gateway, keep a copy of the folder as it is, "
            "and restore a backup that fsck finds clean."
        )
        raise typer.Exit(EXIT_DAMAGED)
    if not report.clean:
        raise typer.Exit(EXIT_FAILED)
