"""`rogatory send`: records to partner agencies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rogatory.cli import addressing, compose, kinds, options, outbox, telling
from rogatory.cli.agreement import inforce
from rogatory.cli.bases import Reach
from rogatory.cli.desk import Desk, Label, Reasons
from rogatory.cli.drafts import drafted, queue
from rogatory.cli.earlier import Earlier
from rogatory.cli.exits import ExitCode
from rogatory.cli.flat import flat
from rogatory.cli.output import emit
from rogatory.cli.session import connect, message_signers
from rogatory.client import Client
from rogatory.exchange.v1 import decision_pb2
from rogatory.home import Home

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Send records to partner agencies.")
@flat
def send(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Records: JSON, YAML, text-proto. Or a draft, by id or file (copies are merged).",
            show_default=False,
        ),
    ] = None,
    *,
    to: options.ToOption = None,
    kind: options.KindOption = "transfer",
    about: options.AboutOption = "",
    reply_to: options.ReplyOption = "",
    particulars: options.ParticularsOption = None,
    label: Label,
    reasons: Reasons,
    officer_key: options.OfficerKeyOption = None,
    schema: options.SchemaOption = "",
    beyond: addressing.Beyond,
    dry_run: options.DryRunOption = False,
    again: Annotated[
        Path | None,
        typer.Option(help="Send this message of the outbox again, unchanged; give nothing else."),
    ] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Send a message to one or more agencies, each under an article of an agreement.

    With --to-operation to the members of a joint operation that may receive it now: each under the
    first agreement of --under that it is party to; who cannot be reached is listed with the reason.

    Records that refer to an earlier message need not state its header_digest: it is looked up in
    inbox, receipts and outbox, then at the gateway. A reference written as {}, or left out where
    one is required, stands for the message of --about.

    A draft that all have signed is sent as it stands, with the agency's signature where its header
    names that key. It stays in the queue until the gateway has decided.

    The receipt is kept in the folder's receipts. A message that the gateway may not have got stays
    in the outbox, so that it can be sent again and never arrives twice.

    Example: rogatory send hosts.json --to nl.thtc:takedown-2026:'Art. 2' --offence 0904
    """
    place = Home.find(home)
    if again is not None:
        with connect(place) as client:
            _submit(place, client, again, as_json=as_json)
        return
    words = [str(file) for file in files or ()]
    if words and queue.is_draft(words[0]):
        _check_alone(context)
        _send_draft(place, words, dry_run=dry_run, as_json=as_json)
        return
    beyond.check()
    draft = label.draft(kind, to=to or (), later=beyond.needs_gateway)
    named = compose.need_files(draft, files)
    references = kinds.References(about=about, reply_to=reply_to, particulars=particulars)
    with connect(place, signers=message_signers(place, officer_key or ())) as client:
        earlier = Earlier(place, client=client, exercise=label.exercise)
        draft, complete = kinds.refer(draft, references, earlier)
        draft = addressing.begin(earlier, draft, beyond)
        contents = compose.contents(
            named,
            schema=schema,
            complete=complete,
            agency=place.settings().agency,
            officer=reasons.officer,
            case_references=reasons.case_reference or (),
            justification=reasons.justification,
        )
        draft = kinds.settle(draft, contents)
        desk = Desk.of(place, client, earlier)
        draft, reach = addressing.expand(desk, draft, contents, beyond)
        if dry_run:
            outcomes = client.evaluate_draft(draft, contents=contents)
            _say_what_would_be(client, outcomes, draft.offences, reach=reach, as_json=as_json)
            return
        waiting = outbox.put(place, client.build(draft, contents=contents))
        _submit(place, client, waiting, reach=reach, as_json=as_json)


def _check_alone(context: typer.Context) -> None:
    """Refuse what would have to change a message that others have signed."""
    for name in context.params.keys() - {"files", "dry_run", "home", "as_json"}:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                "a draft is sent as it was signed: give nothing else",
                param_hint=f"--{name.replace('_', '-')}",
            )


def _send_draft(place: Home, words: Sequence[str], *, dry_run: bool, as_json: bool) -> None:
    found = queue.find(place, words)
    if dry_run:
        with connect(place) as client:
            outcomes = client.evaluate(found.draft.opened.header_bytes)
            _say_what_would_be(client, outcomes, found.draft.header.offences, as_json=as_json)
        return
    sent = drafted.decided(place, found)
    if sent is not None:
        queue.done(place, found.draft.message_id)
        _tell(sent, [], as_json=as_json)
        return
    ready = drafted.prepare(place, found)
    again = f"rogatory send {' '.join(words)}"
    with connect(place) as client, drafted.withdrawn_where_denied(ready):
        _submit(place, client, ready.waiting, as_json=as_json, again=again)


def _say_what_would_be(
    client: Client,
    outcomes: Sequence[decision_pb2.Outcome],
    offences: Sequence[str],
    *,
    reach: Reach | None = None,
    as_json: bool,
) -> None:
    data, lines = telling.would_be_report(client, outcomes, offences)
    emit(data | _unreachable(reach), lines, as_json=as_json)
    if not compose.is_permitted(outcomes):
        raise typer.Exit(ExitCode.REFUSED)


def _submit(
    place: Home,
    client: Client,
    waiting: Path,
    *,
    reach: Reach | None = None,
    as_json: bool,
    again: str = "",
) -> None:
    sent = outbox.submit(place, client, waiting, again=again)
    queue.done(place, sent.submitted.message_id)
    further = inforce.suggestions(client, sent.submitted.outcomes)
    _tell(sent, further, reach=reach, as_json=as_json)


def _tell(
    sent: outbox.Sent, further: Sequence[str], *, reach: Reach | None = None, as_json: bool
) -> None:
    data, lines = telling.sent_report(sent, further)
    emit(data | _unreachable(reach), lines, as_json=as_json)
    if not sent.submitted.permitted:
        raise typer.Exit(ExitCode.REFUSED)


def _unreachable(reach: Reach | None) -> dict[str, Any]:
    return {} if reach is None else {"unreachable": reach.data()}
