"""`rogatory alert`: whom or what to watch for, and the hits that come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.message import Message

from rogatory.cli import options
from rogatory.cli.alert.hits import hits
from rogatory.cli.alert.listing import list_alerts
from rogatory.cli.desk import Label, Reasons, Way, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.instants import UNTIL_HELP, until
from rogatory.cli.kinds import settle
from rogatory.cli.trust import Trust
from rogatory.errors import ConfigurationError, Violation
from rogatory.exchange.v1 import envelope_pb2
from rogatory.procedures import alerts
from rogatory.recordfiles import read_records
from rogatory.records.v1 import alert_pb2
from rogatory.references import completer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Ask partners to watch for somebody or something; report hits.",
)
app.command("list", short_help="List the alerts you hold and issued.")(list_alerts)
app.command(short_help="Find what hits the alerts you hold, and report it.")(hits)


@app.command(short_help="Issue alerts.")
@flat
def issue(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The alerts: JSON, YAML or text-proto; one, a list, or Alerts."
        ),
    ],
    *,
    valid_until: Annotated[
        str,
        typer.Option("--until", metavar="TIME", help=f"End of those that state none. {UNTIL_HELP}"),
    ] = "",
    to: options.ToOption = None,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Ask partners to watch for somebody or something, until a date.

    What they receive later and hits an alert comes back as a hit: rogatory inbox.

    Example: rogatory alert issue van.yaml --until 90d --to vn.police:mekong:'Art. 10(2)' --officer
    'Insp. Somchai' --case-reference 'TH 12/2026'
    """
    end = until(valid_until, "--until") if valid_until else None
    with at_desk(way, exercise=label.exercise) as desk:
        complete = completer(desk.earlier.reference)

        def fill(message: Message) -> Iterable[Violation]:
            if isinstance(message, alert_pb2.Alerts) and end is not None:
                for alert in message.alerts:
                    if not alert.HasField("valid_until_time"):
                        alert.valid_until_time.CopyFrom(end)
            return complete(message)

        found = read_records(file, schema="Alerts", complete=fill)
        draft = label.draft("alert", to=to or ())
        if not to:
            raise typer.BadParameter(
                "name who is to watch, as vn.police:mekong:'Art. 10(2)'", param_hint="--to"
            )
        contents = [*found.contents, *desk.context(reasons)]
        draft = replace(draft, particulars=envelope_pb2.AlertParticulars())
        desk.hand_in(settle(draft, contents), contents)
        desk.tell()


@app.command(short_help="Take alerts back.")
@flat
def withdraw(
    message: Annotated[
        str,
        typer.Argument(metavar="MESSAGE_ID", help="Your ALERT message; see rogatory alert list."),
    ],
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; needs --officer.")
    ] = "",
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Take the alerts of a message back, towards everyone who got them.

    Example: rogatory alert withdraw 0199... --reason 'Found on 3 March.' --officer 'Insp. Somchai'
    """
    message_id = message.rpartition("/")[2]
    with at_desk(way, exercise=label.exercise) as desk:
        folder = Folder(
            desk.place, exercise=label.exercise, trust=Trust(desk.place), client=desk.client
        )
        sent = [
            one
            for one in folder.sent(
                lambda header: header.message_id == message_id and alerts.issued(header) is not None
            )
            if one.reached
        ]
        if not sent:
            raise ConfigurationError(
                f"{desk.agency} issued no alert {message_id} that the folder knows of",
                hint="See those issued: rogatory alert list. A receipt: rogatory receipt get.",
            )
        issued = sent[0]
        reference = issued.opened.reference
        draft = replace(
            label.draft("alert", offences=issued.header.offences),
            recipients=[item for item in issued.header.recipients if item.agency in issued.reached],
            thread=issued.header.thread or reference.message_id,
            particulars=envelope_pb2.AlertParticulars(hit_of=reference, withdrawal=True),
            exercise=issued.header.exercise,
        )
        said = reasons if not reason else replace(reasons, justification=reason)
        contents = desk.context(said)
        desk.hand_in(settle(draft, contents), contents)
        name = name_of(reference)
        desk.tell({"withdraws": name}, [f"takes back the alerts of {name}"])
