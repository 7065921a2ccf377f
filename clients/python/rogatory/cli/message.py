"""`rogatory message`: one received message."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from rogatory import clock, envelopes
from rogatory.cli import options, received
from rogatory.cli.consent.originals import recalls_of
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.output import emit, plain
from rogatory.cli.session import connect
from rogatory.cli.trust import Trust
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import envelope_pb2
from rogatory.home import Home

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Read received messages.",
)


@app.callback()
def group() -> None:
    """Read received messages."""


@app.command(short_help="Verify a message again and show it.")
def show(
    message: Annotated[
        str,
        typer.Argument(metavar="MESSAGE", help="Inbox position, SENDER/MESSAGE_ID, or a file."),
    ],
    *,
    offline: options.OfflineOption = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Verify a message again and show it: header, decision, records."""
    place = Home.find(home)
    trust = Trust(place)
    with ExitStack() as stack:
        client = None if offline else stack.enter_context(connect(place))
        delivery = received.find(place, client, message, exercise=exercise)
        verified = received.verify(delivery, place, trust, client)
        folder = Folder(place, exercise=verified.header.exercise, trust=trust, client=client)
        recalls = recalls_of(folder, verified)
    data = received.report(verified)
    data["recalled"] = [
        {"by": name_of(one.envelope.reference), "time": clock.to_text(one.entry_time)}
        for one in recalls
    ]
    lines = [
        received.line(verified),
        data["outcome"]["summary"],
        f"signed by {', '.join(key.officer or key.agency for key in verified.signers)}",
        f"reference {json.dumps(data['reference'])}",
        f"decision {'re-run: the same' if verified.rechecked else 'not re-run: agreement unknown'}",
    ]
    held = any(content is not None for content in verified.contents)
    for one in recalls:
        recall = name_of(one.envelope.reference)
        lines += [
            f"recalled by its sender on {clock.to_text(one.entry_time)}: do not use it",
            f"erase it, and confirm that: rogatory confirm {recall} --erase"
            if held
            else f"erased here; confirm that, where you have not: rogatory confirm {recall}",
        ]
    for part, content in zip(data["parts"], verified.contents, strict=True):
        if isinstance(content, envelope_pb2.Envelope):
            part["original"] = _original(content, trust)
        lines += _part_lines(part)
    emit(data, lines, as_json=as_json)


def _original(envelope: envelope_pb2.Envelope, trust: Trust) -> dict[str, Any]:
    """Return what a message passed on says: by whom it is, and the records that are still there.

    Its parts were checked against its header with those of the message that brought it.
    """
    opened = envelopes.open_envelope(envelope.SerializeToString(deterministic=True))
    header = opened.header
    try:
        # When it was entered is not known here; whoever passed it on received it after that.
        signers = envelopes.verify_signatures(
            opened, trust.policy.ring, entry_time=clock.to_nanoseconds(header.create_time)
        )
        signed = f"signed by {', '.join(key.officer or key.agency for key in signers)}"
    except EnvelopeError as error:
        signed = f"signatures not verified: {error.message}"
    contents = envelopes.check_parts(opened, allow_absent=True)
    return {
        "message": name_of(opened.reference),
        "signatures": signed,
        "parts": [
            {"schema": descriptor.schema}
            | ({"content": plain(content)} if content is not None else {"here": False})
            for descriptor, content in zip(header.parts, contents, strict=True)
        ],
    }


def _part_lines(part: dict[str, Any]) -> list[str]:
    title = part["schema"].rpartition(".")[2]
    if "original" in part:
        original = part["original"]
        lines = [f"passes on {original['message']}, {original['signatures']}"]
        return lines + [line for inner in original["parts"] for line in _part_lines(inner)]
    if "content" in part:
        return [f"{title}:", json.dumps(part["content"], ensure_ascii=False, indent=2)]
    return [f"{title}: {_absence(part)}"]


def _absence(part: dict[str, Any]) -> str:
    if "here" in part:
        return "not passed on"
    if "absent" not in part:
        return "sealed"
    why = str(part["absent"]).removeprefix("ABSENCE_REASON_").lower()
    if why == "recalled":
        return "recalled by its sender"
    return f"{why} under {part['article']}" if part["article"] else why
