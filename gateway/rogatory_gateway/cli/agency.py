"""`agency add | list | revoke`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from rogatory.enrolment import write_answer
from rogatory.errors import ConfigurationError
from rogatory_gateway.cli.terminal import (
    AsJson,
    Folder,
    Yes,
    confirm,
    say,
    show_json,
    show_table,
)
from rogatory_gateway.config import load
from rogatory_gateway.ledger.starting import log_signer
from rogatory_gateway.operator import agencies
from rogatory_gateway.operator.opening import load_registry, open_ledger, open_snapshot

app = typer.Typer(help="Admit agencies, list them, revoke them.", no_args_is_help=True)

Request = Annotated[
    Path, typer.Argument(metavar="FILE", help="The agency's request, or a further key statement.")
]


@app.command("add")
def add(
    file: Request,
    *,
    folder: Folder = Path(),
    certificate: Annotated[
        Path | None,
        typer.Option(help="Client certificate from your own authority, instead of issuing one."),
    ] = None,
    request_out: Annotated[
        Path | None,
        typer.Option(help="Only write the certificate request (PEM), for your own authority."),
    ] = None,
    answer: Annotated[
        Path | None, typer.Option(help="Where the answer goes; default: AGENCY.answer, here.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Admit an agency: enter its key statement in the log and write the answer for it.

    Works while the gateway serves. Given again, only the answer is written again. A further key
    statement of the agency is entered likewise, and lets it in again after a revocation.
    """
    settings = load(folder)
    request = agencies.read(file)
    if not request.csr and (request_out, certificate) != (None, None):
        raise ConfigurationError(
            f"{file} holds a key statement alone, so there is nothing to certify",
            hint="Give it without --request-out and --certificate.",
        )
    if request_out is not None:
        _write(request_out, request.csr)
        if as_json:
            show_json({"agency_id": request.agency.agency_id, "request": str(request_out)})
        say(f"{request_out} written. Next: sign it, then give the result with --certificate.")
        return
    now = time.time_ns()
    with open_ledger(settings) as ledger:
        candidate = agencies.examine(request, ledger.registry)
        described = candidate.describe()
        _present(described)
        # Before anything is entered: what fails here leaves no trace in the log.
        prepared = None
        if request.csr:
            pem = agencies.certify(candidate, settings, certificate=certificate, now=now)
            prepared = agencies.answer(
                candidate, settings, certificate_pem=pem, log_key=log_signer(settings).key
            )
        if not candidate.entered:
            confirm("Did the agency read you the same phrase, and do you admit it?", yes=yes)
        index = agencies.admit(ledger, candidate)
    path = None
    if prepared is not None:
        path = answer or Path(f"{candidate.agency_id}.answer")
        _write(path, write_answer(prepared))
    if as_json:
        show_json(described | {"index": index, "answer": None if path is None else str(path)})
    if path is None:
        entered = "was entered before" if index is None else f"entered in log entry {index}"
        say(f"key statement {described['statement']} of {candidate.agency_id} {entered}")
    elif index is None:
        say(f"{candidate.agency_id} was admitted before; its answer is written again to {path}")
    else:
        say(f"{candidate.agency_id} admitted in log entry {index}; send it the answer {path}")


@app.command("list")
def list_(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """List every agency ever admitted."""
    with open_snapshot(load(folder)) as connection:
        rows = agencies.listing(load_registry(connection), now=time.time_ns())
    if as_json:
        show_json({"agencies": rows})
        return
    columns = ("agency_id", "state", "kind", "admitted", "tls_until", "phrase", "name")
    show_table(rows, columns, empty="no agency is admitted yet")


@app.command("revoke")
def revoke(
    agency_id: Annotated[str, typer.Argument(metavar="ID", help="Agency id.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; stands in the log for ever.", prompt=False)],
    folder: Folder = Path(),
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let an agency in no longer, open streams included. What it sent stays valid."""
    with open_ledger(load(folder)) as ledger:
        confirm(f"Revoke {agency_id}?", yes=yes)
        index = agencies.revoke(ledger, agency_id, reason=reason)
    if as_json:
        show_json({"agency_id": agency_id, "reason": reason, "index": index})
    say(f"{agency_id} revoked in log entry {index}")


def _present(described: dict[str, Any]) -> None:
    names = "; ".join(f"{name} ({language})" for language, name in described["names"].items())
    say(f"agency       {described['agency_id']}, {described['kind']}")
    say(f"names        {names}")
    say(f"root         {described['root']}")
    say(f"fingerprint  {described['root_fingerprint']}")
    say(f"phrase       {described['phrase']}")
    say(f"statement    {described['statement']}")
    for fingerprint in described["revoked_keys"]:
        say(f"revokes      {fingerprint}")
    for key in described["keys"]:
        officer = f" of {key['officer']}" if key["officer"] else ""
        say(f"key          {key['role']}{officer}, until {key['valid_until']}")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written: {error.strerror}",
            hint="Name another file; running the command again repeats only what is missing.",
        ) from error
