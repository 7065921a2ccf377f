"""`rogatory receipt`: proof that a message was decided and logged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rogatory import clock
from rogatory.cli import options
from rogatory.cli.compose import outcome_data
from rogatory.cli.exits import ExitCode, exit_code
from rogatory.cli.output import emit, emit_item, note, plain
from rogatory.cli.session import connect
from rogatory.cli.trust import Trust
from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.home import Home, write_atomically
from rogatory.policy import Policy
from rogatory.receipts import Receipt, VerifiedReceipt

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Fetch and verify receipts.",
)


@app.command(short_help="Fetch a message's receipt.")
def get(
    message: Annotated[str, typer.Argument(metavar="SENDER/MESSAGE_ID", help="The message.")],
    *,
    out: Annotated[Path | None, typer.Option(help="File to write it to.")] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Fetch a message's receipt against the latest checkpoint, and what it needs to be verified."""
    sender, slash, message_id = message.partition("/")
    if not slash:
        raise typer.BadParameter("write it as SENDER/MESSAGE_ID", param_hint="SENDER/MESSAGE_ID")
    place = Home.find(home)
    trust = Trust(place)
    with connect(place) as client:
        receipt = client.get_receipt(sender, message_id)
        trust.refresh(client)
    trust.save()
    path = out if out is not None else place.receipts / f"{message_id}.tlog-proof"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, receipt.to_bytes())
    emit({"file": str(path), "index": receipt.index}, [str(path)], as_json=as_json)


@app.command(short_help="Verify receipts with no network.")
def verify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Receipts (C2SP tlog-proof).")
    ],
    *,
    policy: Annotated[
        Path | None,
        typer.Option(help="Policy file; by default the agency's own.", show_default=False),
    ] = None,
    require_witnessed: Annotated[
        bool, typer.Option("--require-witnessed", help="Fail while one is not yet witnessed.")
    ] = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Verify receipts with no network: who sent what to whom, when, and who vouches for it.

    Each file is reported, whatever becomes of the others; the exit code says whether all of them
    verified. With --json each is a JSON object on a line of its own.
    """
    trusted = Policy.load(policy if policy is not None else Home.find(home).policy_file)
    failures: list[ExitCode] = []
    for position, file in enumerate(files):
        try:
            verified = Receipt.parse(_read(file)).verify(trusted)
        except RogatoryError as error:
            failures.append(exit_code(error))
            data: dict[str, Any] = {"file": str(file), "verified": False, "fault": str(error)}
            lines = [f"NOT VERIFIED: {file}", str(error)]
        else:
            if require_witnessed and not verified.witnessed:
                failures.append(ExitCode.NOT_VERIFIED)
            data = {"file": str(file), **_report(verified)}
            lines = [f"verified: {file}", *verified.lines()]
        text = "\n".join(["", *lines] if position else lines)
        emit_item(data, text, as_json=as_json)
    if failures:
        note(f"{len(failures)} of {len(files)} receipts did not verify")
        # A file that cannot be read says less than one that was altered.
        raise typer.Exit(max(failures))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The receipt {file} cannot be read: {error.strerror}", hint="Check its name."
        ) from error


def _report(verified: VerifiedReceipt) -> dict[str, Any]:
    """Return everything that a verified receipt proves, for JSON."""
    log = verified.checkpoint.checkpoint
    return {
        "verified": True,
        "witnessed": verified.witnessed,
        "index": verified.index,
        "entry_time": clock.to_text(verified.entry_time),
        "header": plain(verified.header),
        "signed_by": [
            {"agency": key.agency, "key": key.fingerprint.hex(), "officer": key.officer}
            for key in verified.signers
        ],
        "outcomes": outcome_data(
            [item.outcome for item in verified.recipients if item.outcome is not None]
        ),
        "decisions_rechecked": [item.agency for item in verified.recipients if item.rechecked],
        "checkpoint": {"origin": log.origin, "size": log.size, "root": log.root.hex()},
        "log_keys": [item.key.text for item in verified.checkpoint.log_signatures],
        "witnesses": [{"key": item.key.text, "time": item.time} for item in verified.witnesses],
    }


@app.command(short_help="Write the policy that receipts are verified with.")
def policy(
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write it to; by default the agency's own.")
    ] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write the policy file with the keys and agreements that receipts are verified with.

    Partners' roots come from the agreements that bear your own root's signature.
    """
    place = Home.find(home)
    trust = Trust(place)
    with connect(place) as client:
        found = trust.refresh(client)
    path = trust.save(out)
    if trust.unpinned:
        note(f"no agreement pins the roots of: {', '.join(trust.unpinned)}")
    emit(
        {
            "policy": str(path),
            "agencies": [entry.agency.agency_id for entry in found.directory],
            "unpinned": trust.unpinned,
            "agreements": len(trust.signed),
        },
        [str(path)],
        as_json=as_json,
    )
