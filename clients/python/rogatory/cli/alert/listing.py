"""`rogatory alert list`: the alerts that an agency holds and issued."""

from __future__ import annotations

import time
from collections import Counter
from typing import Annotated, Any

import typer

from rogatory.cli import options
from rogatory.cli.alert import alerts as held
from rogatory.cli.folder import name_of, open_folder
from rogatory.cli.instants import minute
from rogatory.cli.output import aligned, emit, plain
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import Home
from rogatory.procedures import alerts


def list_alerts(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that ended or were taken back too.")
    ] = False,
    offline: options.OfflineOption = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List the alerts that you received and issued.

    By what the folder holds: fetch what arrived first, rogatory inbox.

    Example: rogatory alert list
    """
    place = Home.find(home)
    agency = place.settings().agency
    now = time.time_ns()
    with open_folder(place, exercise=exercise, offline=offline) as folder:
        watch = held.watch_of(folder)
        sent = [one for one in folder.sent(_is_alert) if one.reached]
        received = [one.header for one in folder.received(_is_alert)]
    reported: Counter[str] = Counter()
    withdrawn = set(watch.withdrawn)
    for header in [*(one.header for one in sent), *received]:
        named = alerts.named(header)
        if named is None:
            continue
        if header.alert.withdrawal and header.sender == named.sender:
            withdrawn.add(name_of(named))
        else:
            reported[name_of(named)] += 1
    found: list[tuple[str, envelope_pb2.Header]] = [
        (name_of(one.message), one.header) for one in watch.watched.values()
    ]
    found += [
        (name_of(one.opened.reference), one.header)
        for one in sent
        if alerts.issued(one.header) is not None
    ]
    listed: list[dict[str, Any]] = []
    for name, header in found:
        state = held.state(header, withdrawn=name in withdrawn, now=now)
        if everything or state == "running":
            listed.append(
                {
                    "alert": name,
                    "issued_by_you": header.sender == agency,
                    "alerts": _count(header),
                    "valid_until": minute(header.alert.valid_until_time),
                    "state": state,
                    "hit_messages": reported[name],
                    "offences": list(header.offences),
                    "says": plain(header.alert),
                }
            )
    rows = [
        [
            row["alert"],
            "you" if row["issued_by_you"] else "partner",
            str(row["alerts"]),
            row["valid_until"],
            row["state"],
            str(row["hit_messages"]),
        ]
        for row in listed
    ]
    heading = ["ALERT", "ISSUED BY", "RECORDS", "UNTIL (UTC)", "STATE", "HIT MESSAGES"]
    emit(listed, aligned([heading, *rows]) if rows else ["no alerts"], as_json=as_json)


def _count(header: envelope_pb2.Header) -> int:
    return sum(
        part.facts.record_count
        for part in header.parts
        if part.category == codes_pb2.PART_CATEGORY_ALERT
    )


def _is_alert(header: envelope_pb2.Header) -> bool:
    return header.kind == codes_pb2.KIND_ALERT
