"""`rogatory alert hits`: what of the inbox hits alerts that are held, and its report to issuers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from rogatory.cli.alert import alerts
from rogatory.cli.alert import reported as alert_reported
from rogatory.cli.alert import reports as alert_reports
from rogatory.cli.desk import Label, Reasons, Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.output import emit, note
from rogatory.cli.trust import Trust
from rogatory.procedures.matching import MAX_HITS, Match


@flat
def hits(
    *,
    send: Annotated[
        bool, typer.Option("--send", help="Report those that were not reported yet.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were reported.")
    ] = False,
    under: Annotated[
        str,
        typer.Option(
            "--under",
            metavar="AGREEMENT:ARTICLE",
            help="Legal basis of the report; else the one on which the alert came.",
        ),
    ] = "",
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Find what of the inbox hits an alert that you hold; with --send tell its issuer, once.

    A record hits an alert by the same identifier, or a person by the same name and date of birth,
    while the alert runs. What you receive is matched, in the order of entry.

    Example: rogatory alert hits --send --officer 'Lt. Nguyen'
    """
    with at_desk(way, exercise=label.exercise, sign=send) as desk:
        trust = Trust(desk.place)
        trust.refresh(desk.client)
        folder = Folder(desk.place, exercise=label.exercise, trust=trust, client=desk.client)
        watch, found = alerts.matches(folder)
        reported = alert_reported.pairs(desk.place)
        fresh = [match for match in found if alert_reported.pair_of(match) not in reported]
        if not send:
            _list(found if everything else fresh, reported, as_json=way.as_json)
            return
        now = time.time_ns()
        running = []
        for match in fresh:
            watched = watch.watched[name_of(match.alert.message)]
            state = watch.state(watched, now=now)
            if state == "running":
                running.append(match)
            else:
                note(f"not reported, the alert is {state}: {alerts.line(match)}")
        for state in sorted({one for one in reported.values() if one != "reported"}):
            note(f"reported before, but it {state}")
        if not running:
            emit({"messages": [], "hits": []}, ["nothing new to report"], as_json=way.as_json)
            return
        for some in _by_message(running):
            alert_reports.report(
                desk,
                watch.watched[name_of(some[0].alert.message)],
                some,
                under=under,
                label=label,
                reasons=reasons,
            )
        desk.tell(
            {"hits": [alerts.data(match) for match in running]},
            [alerts.line(match) for match in running],
            many=True,
        )


def _by_message(matches: Sequence[Match]) -> list[list[Match]]:
    """Return matches by the message of their alert, as many together as a message holds."""
    by_message: dict[str, list[Match]] = {}
    for match in matches:
        by_message.setdefault(name_of(match.alert.message), []).append(match)
    return [
        some[start : start + MAX_HITS]
        for some in by_message.values()
        for start in range(0, len(some), MAX_HITS)
    ]


def _list(
    matches: Sequence[Match], reported: dict[alert_reported.Pair, str], *, as_json: bool
) -> None:
    states = [reported.get(alert_reported.pair_of(match), "not reported") for match in matches]
    rows = [f"{alerts.line(match)}; {state}" for match, state in zip(matches, states, strict=True)]
    if any(state == "not reported" for state in states):
        note("report them: rogatory alert hits --send")
    emit(
        [
            {**alerts.data(match), "state": state}
            for match, state in zip(matches, states, strict=True)
        ],
        rows or ["no hits"],
        as_json=as_json,
    )
