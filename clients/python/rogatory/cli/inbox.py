"""`rogatory inbox`: fetch, verify and keep what arrived."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rogatory.cli import options, received
from rogatory.cli.alert import alerts
from rogatory.cli.exits import ExitCode
from rogatory.cli.folder import Folder
from rogatory.cli.output import emit_item, note
from rogatory.cli.session import connect
from rogatory.cli.store import InboxStore
from rogatory.cli.trust import Trust
from rogatory.errors import DeliveryError
from rogatory.home import Home
from rogatory.procedures.matching import Match

ADVANCE_EVERY = 100
"""Messages between two advances of the cursor, where nobody waits for it."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Fetch, verify and keep what arrived.")
def inbox(
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for more, until interrupted.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to keep messages in; by default the inbox.")
    ] = None,
    start: Annotated[
        int | None,
        typer.Option("--from", min=1, help="Begin at this position, not after the last one kept."),
    ] = None,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Fetch what arrived, verify it, and keep it; print one line for each message.

    A message is on disk before the gateway is told that it is held. One that does not verify is
    kept too, marked so, and the exit code says it. What hits an alert that you hold is said beside
    it, and what was recalled.
    """
    place = Home.find(home)
    trust = Trust(place)
    store = InboxStore(out if out is not None else place.inbox, exercise=exercise)
    failed = hits = 0
    position = told = 0
    with connect(place) as client:
        trust.refresh(client)
        folder = Folder(place, exercise=exercise, trust=trust, client=client, store=store)
        watch = alerts.watch_of(folder)
        first = start if start is not None else store.position + 1
        try:
            for delivery in client.subscribe(start_cursor=first, exercise=exercise, follow=follow):
                matches: list[Match] = []
                try:
                    verified = received.verify(delivery, place, trust, client)
                except DeliveryError as error:
                    failed += 1
                    data = received.unverified_report(delivery, error)
                    line = f"{delivery.inbox_position}  NOT VERIFIED: {error}"
                else:
                    data = received.report(verified)
                    line = received.line(verified)
                    matches = watch.take(verified)
                path = store.keep(delivery, data)
                position = delivery.inbox_position
                data |= {"file": str(path), "hits": [alerts.data(match) for match in matches]}
                lines = [line, *(f"  HIT: {alerts.line(match)}" for match in matches)]
                emit_item(data, "\n".join(lines), as_json=as_json)
                hits += len(matches)
                if follow or position - told >= ADVANCE_EVERY:
                    told = client.advance_cursor(position, exercise=exercise)
        finally:
            if position > told:
                client.advance_cursor(position, exercise=exercise)
    if not position:
        note("nothing new")
    if hits:
        found = "1 hit" if hits == 1 else f"{hits} hits"
        note(f"{found} on alerts you hold; tell who issued them: rogatory alert hits --send")
    if failed:
        note(f"{failed} messages did not verify; they are kept, and their .json files say why")
        raise typer.Exit(ExitCode.NOT_VERIFIED)
