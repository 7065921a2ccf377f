"""`rogatory connect`: a drop folder for a case management system, and who is told."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from rogatory.cli import options, received
from rogatory.cli.drafts import queue
from rogatory.cli.exits import exit_code
from rogatory.cli.jobs import JobMaker
from rogatory.cli.output import emit, note
from rogatory.cli.session import connect as connected
from rogatory.cli.session import message_signers
from rogatory.cli.trust import Trust
from rogatory.cli.watching import Watching
from rogatory.client import Client
from rogatory.connect.disk import Disk, prepare_folder, shared_mode
from rogatory.connect.hooks import Hooks, check_url
from rogatory.connect.incoming import Deadline, Delivery, Incoming
from rogatory.connect.outgoing import Outgoing
from rogatory.connect.service import Done, Service, locked, state_folder
from rogatory.connect.status import fault
from rogatory.connect.webhooks import MASTER_BYTES, WebhookKeys
from rogatory.errors import KeyFileError, NotFoundOrDenied
from rogatory.home import Home
from rogatory.keyfiles import read_private_file, write_private_file
from rogatory.receipts import Receipt
from rogatory.verification import VerifiedDelivery

REPORT = "inbox.status.json"

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Serve a drop folder.")


@app.callback(invoke_without_command=True)
def connect(
    context: typer.Context,
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder that the case system puts jobs into.", show_default=False),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--in", help="Folder that messages are written to.", show_default=False),
    ] = None,
    webhook: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Told of what happens, signed. Repeatable."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, then end.")] = False,
    report_hits: Annotated[
        bool,
        typer.Option(
            "--report-hits",
            help="Tell issuers of alerts what hits them, as rogatory alert hits --send, each once.",
        ),
    ] = False,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Between two looks at the folder.")
    ] = 1.0,
    start: Annotated[
        int,
        typer.Option("--from", min=1, help="First position of the inbox, where none is held yet."),
    ] = 1,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Send what is put into one folder, write what arrives into another, until told to stop.

    A job is sent once and a message written once, whatever happens to this process; what became of
    a job stands in NAME.status.json beside it. What hits an alert that you hold is said beside the
    message. docs/connect.md describes the files.
    """
    if context.invoked_subcommand is not None:
        return
    if out is None or into is None:
        missing = "--out" if out is None else "--in"
        raise typer.BadParameter("name the folder", param_hint=missing)
    place = Home.find(home)
    place.enrolled()
    folders = prepare_folder(out).resolve(), prepare_folder(into).resolve()
    if (
        folders[0] == folders[1]
        or folders[0] in folders[1].parents
        or (folders[1] in folders[0].parents)
    ):
        raise typer.BadParameter("the two folders must not lie in each other", param_hint="--in")
    state = state_folder(place.path, exercise=exercise)
    signers = message_signers(place)
    with locked(state, *folders), connected(place, signers=signers) as client:
        hooks = Hooks(
            prepare_folder(state / "webhooks"),
            webhook or (),
            master=_master(place) if webhook else b"",
            disk=Disk(),
            tell=note,
        )
        watching = Watching(
            place,
            client,
            exercise=exercise,
            state=state,
            reports=report_hits,
            tell=note,
            now=time.time_ns,
        )
        maker = JobMaker(
            place, client, signers=signers, exercise=exercise, scratch=state / "scratch"
        )
        service = _service(
            place,
            client,
            state,
            folders,
            hooks=hooks,
            maker=maker,
            watching=watching,
            start=start,
            every=every,
            exercise=exercise,
        )
        if once:
            _finish(service.once(), as_json=as_json)
            return
        stop = threading.Event()

        def end(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        note(f"serving {folders[0]} and {folders[1]}")
        service.run(stop, close=client.close)
        note("stopped")


@app.command(short_help="Show what a webhook's receiver verifies with.")
def secret(
    url: Annotated[str, typer.Argument(metavar="URL", help="The receiver, as with --webhook.")],
    *,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show the secret and the public key for a receiver: it needs one of the two."""
    check_url(url)
    keys = WebhookKeys.derive(_master(Home.find(home)), url)
    emit(
        {"url": url, "secret": keys.secret_text, "public_key": keys.public_text},
        [f"secret      {keys.secret_text}", f"public key  {keys.public_text}"],
        as_json=as_json,
    )


def _service(
    place: Home,
    client: Client,
    state: Path,
    folders: tuple[Path, Path],
    *,
    hooks: Hooks,
    maker: JobMaker,
    watching: Watching,
    start: int,
    every: float,
    exercise: bool,
) -> Service:
    out, into = folders
    disk = Disk()
    trust = Trust(place)
    agency = place.settings().agency

    def verify(delivery: Delivery) -> VerifiedDelivery:
        return received.verify(delivery, place, trust, client)

    def subscribe(first: int, follow: bool) -> Iterable[Delivery | Deadline]:  # noqa: FBT001 - as `Subscribe` has it
        return client.events(start_cursor=first, exercise=exercise, follow=follow)

    def advance(position: int) -> int:
        return client.advance_cursor(position, exercise=exercise)

    return Service(
        outgoing=Outgoing(
            out=out,
            state=state,
            receipts=place.receipts,
            agency=agency,
            exercise=exercise,
            compose=maker.compose,
            gateway=client,
            notify=hooks.put,
            tell=note,
            now=time.time_ns,
            disk=disk,
            settled=lambda message_id: queue.done(place, message_id),
        ),
        incoming=Incoming(
            folder=into,
            state=state,
            agency=agency,
            verify=verify,
            receipt=lambda verified: _receipt(verified, client, trust),
            notify=hooks.put,
            tell=note,
            disk=disk,
            watch=watching.hits,
        ),
        hooks=hooks,
        subscribe=subscribe,
        advance=advance,
        report=into / REPORT,
        first=start,
        every=every,
        tell=note,
        now=time.time_ns,
        disk=disk,
        mode=shared_mode(into),
        further=watching.report,
    )


def _receipt(verified: VerifiedDelivery, client: Client, trust: Trust) -> bytes:
    """Return the file of a message's receipt, verified with what verified the message.

    Raises:
        ReceiptError: It does not prove what it claims.
        CallError: The gateway did not answer.
    """
    header = verified.header
    try:
        receipt: Receipt = client.get_receipt(header.sender, header.message_id)
    except NotFoundOrDenied:
        return b""
    receipt.verify(trust.policy)
    return receipt.to_bytes()


def _master(place: Home) -> bytes:
    """Return the key that those of all receivers are derived from; make it at the first use.

    Raises:
        KeyFileError: The file cannot be used.
    """
    folder = prepare_folder(place.path / "connect")
    path = folder / "webhook.secret"
    if not path.exists():
        write_private_file(path, f"{secrets.token_hex(MASTER_BYTES)}\n".encode())
    try:
        master = bytes.fromhex(read_private_file(path).decode("ascii"))
    except ValueError:
        master = b""
    if len(master) != MASTER_BYTES:
        raise KeyFileError(
            f"The file {path} is not the key of webhooks",
            hint="Restore it, or remove it and give all receivers their new keys:"
            " rogatory connect secret URL",
        )
    return master


def _finish(done: Done, *, as_json: bool) -> None:
    answered = ", ".join(f"{count} {state}" for state, count in sorted(done.answered.items()))
    emit(
        {
            "jobs": {**done.answered, "waiting": done.waiting},
            "received": done.received,
            "notices_waiting": done.notices,
            "errors": [fault(error) for error in done.errors],
        },
        [
            f"jobs: {answered or 'none'}" + (f", {done.waiting} waiting" if done.waiting else ""),
            f"received: {done.received}",
            *([f"notices waiting: {done.notices}"] if done.notices else []),
        ],
        as_json=as_json,
    )
    if done.errors:
        raise typer.Exit(max(exit_code(error) for error in done.errors))
