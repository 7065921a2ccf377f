"""`rogatory draft`: messages that officers sign before they are sent."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rogatory import clock, drafting
from rogatory.cli import addressing, compose, kinds, options, outbox, signers
from rogatory.cli.desk import Desk, Label, Reasons
from rogatory.cli.drafts import newdraft, queue
from rogatory.cli.earlier import Earlier
from rogatory.cli.flat import flat
from rogatory.cli.output import aligned, emit, note
from rogatory.cli.session import connect, file_signer
from rogatory.client import Client
from rogatory.drafting import DraftEnvelope
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import ConfigurationError, DraftError, EnvelopeError
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import Home
from rogatory.keyring import KeyRing
from rogatory.procedures.wording import in_words

NEW = "new"
MAX_LIFETIME = timedelta(days=90)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LIFETIME = re.compile(r"([0-9]{1,5})([mhd])")
_HOURS_SHOWN = 48
"""Ages above are shown in days."""


class DraftGroup(TyperGroup):
    """Takes what names no subcommand for a new draft: `rogatory draft hosts.json --to ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own class
        """Put the subcommand in front that was left out."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = [NEW, *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest


app = typer.Typer(
    cls=DraftGroup,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Draft messages that officers sign before they are sent: rogatory draft FILE --to ...",
)


@app.command(NEW, short_help="Draft a message; `new` may be left out.")
@flat
def new(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...", help="Records: JSON, YAML or text-proto.", show_default=False
        ),
    ] = None,
    *,
    author: Annotated[
        str, typer.Option(metavar="PSEUDONYM", help="Officer who signs as its author.")
    ] = "",
    approver: Annotated[
        list[str] | None,
        typer.Option(metavar="PSEUDONYM", help="Officer who approves it. Repeatable."),
    ] = None,
    drafter: Annotated[
        str,
        typer.Option(
            metavar="PSEUDONYM",
            help="Officer who drafts it, and needs the right to draft or sign. Without --officer"
            " the drafter, else the author, answers for it in its CONTEXT part.",
        ),
    ] = "",
    without_agency_key: Annotated[
        bool,
        typer.Option(
            "--without-agency-key",
            help="Officers' signatures alone; else rogatory send adds the agency's.",
        ),
    ] = False,
    sign: Annotated[
        bool, typer.Option("--sign", help="Sign it as its author at once, with the folder's key.")
    ] = False,
    lifetime: Annotated[
        str,
        typer.Option(metavar="TIME", help="How long it may be sent, as 12h or 7d; at most 90d."),
    ] = "7d",
    out: Annotated[
        Path | None, typer.Option(help="Also write it to this file, to hand on.")
    ] = None,
    to: options.ToOption = None,
    kind: options.KindOption = "transfer",
    about: options.AboutOption = "",
    reply_to: options.ReplyOption = "",
    particulars: options.ParticularsOption = None,
    label: Label,
    reasons: Reasons,
    schema: options.SchemaOption = "",
    beyond: addressing.Beyond,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Draft a message that others sign, and put it into the queue of the agency's folder.

    Its header names every key that must sign, and is never changed again. Hand the file on, or let
    the others work in the same folder: rogatory review, approve, and at last rogatory send. Nothing
    leaves for the gateway; it is only asked for earlier messages that are referred to.
    """
    if not (author or approver) and without_agency_key:
        raise typer.BadParameter("somebody has to sign it: name --author", param_hint="--author")
    if sign and not author:
        raise typer.BadParameter("name the --author who signs", param_hint="--sign")
    place = Home.find(home)
    ring = queue.own_ring(place)
    now = time.time_ns()
    keys = newdraft.signed_by(
        place,
        ring,
        author=author,
        approvers=approver or (),
        agency=not without_agency_key,
        drafter=drafter,
        now=now,
    )
    beyond.check()
    draft = label.draft(kind, to=to or (), later=beyond.needs_gateway)
    draft = replace(draft, lifetime=_lifetime(lifetime))
    named = compose.need_files(draft, files)
    references = kinds.References(about=about, reply_to=reply_to, particulars=particulars)
    with ExitStack() as stack:
        client = _client(place, stack)
        kind_of_earlier = _Nobody if client is None else Earlier
        earlier = kind_of_earlier(place, client=client, exercise=label.exercise)
        draft, complete = kinds.refer(draft, references, earlier)
        draft = addressing.begin(earlier, draft, beyond)
        contents = compose.contents(
            named,
            schema=schema,
            complete=complete,
            agency=place.settings().agency,
            officer=reasons.officer or drafter or (author if reasons.stated else ""),
            case_references=reasons.case_reference or (),
            justification=reasons.justification,
        )
        draft = kinds.settle(draft, contents)
        if client is not None:
            desk = Desk.of(place, client, earlier)
            draft, _ = addressing.expand(desk, draft, contents, beyond)
        elif beyond.needs_gateway:
            raise ConfigurationError(
                f"Who is a member of {beyond.to_operation} cannot be asked: there is no TLS key",
                hint="Draft it where the agency's connection is; it can be signed elsewhere.",
            )
    made = newdraft.make(place, draft, contents, keys=keys, now=now)
    if sign:
        signer = file_signer(signers.officer_key(place, author))
        made = drafting.sign(made, signer, ring=ring, now=now, officer=author)
    path = queue.put(place, made)
    if out is not None:
        queue.write(out, made)
    note(f"see what it says: rogatory review {made.message_id}")
    data, lines = newdraft.report(made, path, out, ring=ring, now=now)
    emit(data, lines, as_json=as_json)


@app.command("list", short_help="List the drafts of the queue.")
def list_drafts(*, home: options.HomeOption = None, as_json: options.JsonOption = False) -> None:
    """List the queue: who has signed, who has still to, and what stands against a draft."""
    place = Home.find(home)
    ring = queue.own_ring(place)
    earlier = Earlier(place, client=None, exercise=False)
    now = time.time_ns()
    rows = [_row(place, path, ring, earlier, now=now) for path in queue.files(place)]
    table = [["DRAFT", "KIND", "TO", "AGE", "EXPIRES", "SIGNED BY", "WAITING FOR", "STATE"]]
    table += [
        [
            row["message_id"],
            row["kind"],
            ", ".join(row["to"]),
            row["age"],
            row["expire_time"],
            ", ".join(row["signed"]) or "-",
            ", ".join(row["waiting_for"]) or "-",
            row["state"],
        ]
        for row in rows
    ]
    emit(rows, aligned(table), as_json=as_json)


@app.command(short_help="Throw a draft away.")
def discard(
    draft: Annotated[str, typer.Argument(metavar="ID", help="The draft, by its id.")],
    *,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Throw a draft of the queue away, with the records in it. Copies elsewhere stay."""
    place = Home.find(home)
    path = queue.file_in(place, draft)
    if path not in queue.files(place):
        raise ConfigurationError(
            f"There is no draft {draft} in {place.drafts}",
            hint="See what there is: rogatory draft list.",
        )
    queue.remove(path)
    kept = outbox.file_in(place, draft)
    if kept.exists():
        note(f"it was being sent, and the gateway may have got it: rogatory send --again {kept}")
    emit({"discarded": draft}, [f"discarded: {draft}"], as_json=as_json)


def _row(place: Home, path: Path, ring: KeyRing, earlier: Earlier, *, now: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "message_id": path.stem,
        "kind": "-",
        "to": [],
        "age": "-",
        "expire_time": "-",
        "signed": [],
        "waiting_for": [],
        "state": "",
        "rejection": None,
    }
    try:
        found = queue.find(place, [str(path)])
    except (DraftError, EnvelopeError, ConfigurationError) as error:
        return row | {"state": f"damaged: {error.message}"}
    draft, header = found.draft, found.draft.header
    states = drafting.signer_states(draft, ring, now=now)
    said = found.rejection
    faults = [f"{signers.fault_text(state)}: {state.name}" for state in states if state.fault]
    if _was_sent(earlier, draft):
        state = "may have been sent: rogatory send tells"
    elif said is not None:
        state = f"rejected{f' by {said.officer}' if said.officer else ''}: {said.reason}"
    elif draft.expires <= now:
        state = "expired"
    else:
        state = "; ".join(faults) or signers.readiness(states)
    return row | {
        "kind": in_words(codes_pb2.Kind.DESCRIPTOR, header.kind),
        "to": [item.agency for item in header.recipients],
        "age": _age(now - clock.to_nanoseconds(header.create_time)),
        "expire_time": clock.to_text(draft.expires),
        "signed": [item.name for item in states if item.signed],
        "waiting_for": signers.waiting_for(states),
        "state": state,
        "rejection": None
        if said is None
        else {"reason": said.reason, "officer": said.officer, "time": said.time},
    }


def _was_sent(earlier: Earlier, draft: DraftEnvelope) -> bool:
    sent = earlier.find(draft.header.sender, draft.message_id)
    return sent is not None and sent.header_digest == draft.header_digest


def _age(nanoseconds: int) -> str:
    hours = max(0, nanoseconds) // (3600 * clock.NANOSECONDS_PER_SECOND)
    return f"{hours}h" if hours <= _HOURS_SHOWN else f"{hours // 24}d"


def _lifetime(text: str) -> timedelta:
    """Return a duration from ``90m``, ``12h`` or ``7d``.

    Raises:
        typer.BadParameter: It is none, or too long.
    """
    found = _LIFETIME.fullmatch(text)
    lifetime = int(found[1]) * _UNITS[found[2]] if found else timedelta()
    if not timedelta() < lifetime <= MAX_LIFETIME:
        raise typer.BadParameter(
            f"{text!r} is no time like 90m, 12h or 7d, of at most 90d", param_hint="--lifetime"
        )
    return lifetime


class _Nobody(Earlier):
    """Knows no earlier message: where there is no connection, none could be verified."""

    def find(self, sender: str, message_id: str) -> OpenedEnvelope | None:
        """Refuse: a reference is signed with the message that holds it."""
        raise ConfigurationError(
            f"{sender}/{message_id} cannot be verified here: this folder has no TLS key",
            hint="Draft it where the agency's connection is; it can be signed elsewhere.",
        )


def _client(place: Home, stack: ExitStack) -> Client | None:
    """Return the agency's connection; None where the folder has none."""
    return stack.enter_context(connect(place)) if place.key("tls").exists() else None
