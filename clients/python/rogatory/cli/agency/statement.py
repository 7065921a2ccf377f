"""`rogatory agency statement`: officers added, keys renewed and revoked by a further statement."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rogatory import clock
from rogatory.cli import history, options, outbox, waiting
from rogatory.cli.agency import enrolling, stating
from rogatory.cli.governance import governing
from rogatory.cli.output import aligned, emit, note
from rogatory.cli.passphrases import passphrase_for
from rogatory.cli.session import connect, message_signers
from rogatory.cli.trust import Trust
from rogatory.client import Client
from rogatory.enrolment import make_csr, write_request
from rogatory.errors import (
    CallError,
    ConfigurationError,
    Conflict,
    FailedPrecondition,
    InvalidMessage,
    PermissionDenied,
    Refused,
)
from rogatory.home import Home, write_atomically
from rogatory.signers import FileSigner

MAX_RECIPIENTS = 64
"""Of a header."""


def statement(
    *,
    officer: Annotated[
        list[str] | None,
        typer.Option(
            "--officer",
            metavar="PSEUDONYM[:RIGHTS]",
            help="Add the key that keygen made for an officer; rights as sign,approve. Repeatable.",
        ),
    ] = None,
    renew: Annotated[
        list[str] | None,
        typer.Option(
            "--renew",
            metavar="KEY",
            help="Make a new key: signing, tls, or an officer's pseudonym. Repeatable.",
        ),
    ] = None,
    revoke: Annotated[
        list[str] | None,
        typer.Option(
            "--revoke",
            metavar="KEY=REASON",
            help="End what was stated before: signing, tls, an officer's pseudonym, or a"
            " fingerprint; key-compromise, affiliation-changed, cessation-of-operation, or"
            " superseded, which spares a key at work that nothing replaces. Repeatable.",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="LANGUAGE=NAME", help="Other names than so far."),
    ] = None,
    duty_contact: enrolling.ContactOption = None,
    language: enrolling.LanguageOption = None,
    time_zone: enrolling.ZoneOption = None,
    holiday: enrolling.HolidayOption = None,
    valid_days: enrolling.ValidityOption = enrolling.DEFAULT_VALIDITY_DAYS,
    submit: Annotated[
        bool, typer.Option("--submit", help="Submit it to the gateway, as a message.")
    ] = False,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="AGENCY",
            help="With --submit: who is told; by default those you have agreements with.",
        ),
    ] = None,
    from_directory: Annotated[
        bool,
        typer.Option(
            "--from-directory", help="Follow on the gateway's last statement, not the one kept."
        ),
    ] = False,
    root_key: Annotated[
        Path | None, typer.Option(help="The root key's file, where it is kept elsewhere.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the statement's file.")] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Make the agency's next key statement: add officers, renew keys, revoke keys.

    It is in force once it is in the log: submit it, or give the file to the gateway's operator.
    New signing and officers' keys work from then on (without --submit: rogatory agency activate); a
    new TLS key when the operator's answer is accepted. With no change at all it lets an agency in
    again that the operator had shut out.
    """
    place = Home.find(home)
    settings = place.settings()
    root_file = root_key if root_key is not None else place.key("root")
    passphrase = passphrase_for(root_file)
    root = FileSigner(root_file, passphrase=passphrase)
    known = [] if submit or from_directory else history.kept(place)
    if not known:
        with connect(place) as client:
            known = history.fetch(place, client)
    made = stating.Stating(
        place, known, ring=history.ring_of(known, root.public_key), passphrase=passphrase
    )
    now = time.time_ns()
    changes = made.changes(
        officers=enrolling.officer_rights(officer or (), settings),
        renew=renew or (),
        revoke=revoke or (),
        now=now,
        until=now + valid_days * clock.NANOSECONDS_PER_DAY,
    )
    enrolling.present(
        made.agency,
        names=enrolling.names_of(name or ()),
        duty_contact=duty_contact,
        languages=language,
        time_zone=time_zone,
        holidays=holiday,
    )
    signed = made.sign(changes, root=root, now=now)
    path = None
    if changes.tls is not None or out is not None or not submit:
        path = out if out is not None else place.path / f"statement-{made.sequence}.rogatory"
        csr = b"" if changes.tls is None else make_csr(settings.agency, changes.tls)
        write_atomically(path, write_request(csr=csr, statement=signed))
    if not submit:
        history.keep(place, signed)
    data: dict[str, Any] = {
        "agency": settings.agency,
        "sequence": made.sequence,
        "file": None if path is None else str(path),
        **changes.data(),
    }
    lines = [f"key statement {made.sequence} of {settings.agency}", *changes.lines()]
    if submit:
        with connect(place, signers=message_signers(place)) as client:
            data["submitted"] = _submit(place, client, signed, to=to or ())
        lines.append(f"submitted, log entry {data['submitted']['index']}; in force")
        stated = history.ring_of(history.kept(place), root.public_key)
        data["activated"] = waiting.activate_stated(place, stated)
        lines += [f"at work: {item}" for item in data["activated"]]
    lines += [] if path is None else [f"file: {path}"]
    _say_next(submitted=submit, changes=changes)
    emit(data, lines, as_json=as_json)


def activate(*, home: options.HomeOption = None, as_json: options.JsonOption = False) -> None:
    """Put new keys to work whose key statement the operator has entered.

    The gateway's directory says which; what it says is verified against the agency's own root.
    """
    place = Home.find(home)
    agency = place.settings().agency
    root = Trust(place).policy.roots.get(agency)
    if root is None:
        raise ConfigurationError(
            f"{place.policy_file} does not pin the agency's own root",
            hint="Move the file away, and install the operator's answer: rogatory agency accept"
            " FILE",
        )
    with connect(place) as client:
        stated = history.fetch(place, client)
    done = waiting.activate_stated(place, history.ring_of(stated, root))
    left = list(waiting.waiting(place))
    if waiting.TLS in left:
        note("the new TLS key works once the operator's answer is installed: agency accept FILE")
    if not done:
        note("no key waits that is stated at the gateway")
    emit(
        {"activated": done, "waiting": left}, [f"at work: {name}" for name in done], as_json=as_json
    )


def list_keys(*, home: options.HomeOption = None, as_json: options.JsonOption = False) -> None:
    """List the keys that the agency's statements name, as the folder keeps them."""
    place = Home.find(home)
    agency = place.settings().agency
    known = history.kept(place)
    if not known:
        with connect(place) as client:
            known = history.fetch(place, client)
    root = history.root_of(known)
    assert root is not None
    now = time.time_ns()
    rows: list[dict[str, Any]] = [
        {
            "role": stating.role_of(key.role),
            "officer": key.officer,
            "rights": stating.rights_of(key.rights),
            "state": key.fault_at(now).removeprefix("KEY_").lower() or "valid",
            "valid_until": clock.to_text(key.valid_until),
            "fingerprint": key.fingerprint.hex(),
        }
        for key in history.ring_of(known, root).keys_of(agency)
    ]
    table = [["ROLE", "OFFICER", "RIGHTS", "STATE", "VALID UNTIL", "FINGERPRINT"]]
    table += [[*{**row, "rights": ",".join(row["rights"])}.values()] for row in rows]
    emit(rows, aligned(table), as_json=as_json)


def _say_next(*, submitted: bool, changes: stating.Changes) -> None:
    if not submitted:
        note("give the file to the gateway's operator, who enters it: rogatory-gateway agency add")
        if set(changes.made) - {waiting.TLS}:
            note("then put the new keys to work: rogatory agency activate")
    elif changes.tls is not None:
        note("give the file to the gateway's operator, who certifies the new TLS key")
    if changes.tls is not None:
        note("and install the answer: rogatory agency accept FILE")


def _submit(
    place: Home, client: Client, signed: history.Signed, *, to: Sequence[str]
) -> dict[str, Any]:
    """Submit a statement as a message of governance; forget it where it was not taken."""
    draft = governing(to or _partners(place, client))
    waiting_file = outbox.put(place, client.build(draft, contents=[signed]))
    # Before it is sent: whatever becomes of the answer, the next statement must follow on this one.
    history.keep(place, signed)
    try:
        sent = outbox.submit(place, client, waiting_file)
        sent.submitted.raise_if_refused()
    except (InvalidMessage, Conflict, FailedPrecondition, PermissionDenied, Refused):
        history.forget(place, signed)
        raise
    except CallError:
        note("once it is answered, put new keys to work: rogatory agency activate")
        raise
    return {
        "message_id": sent.submitted.message_id,
        "index": sent.submitted.receipt.index,
        "receipt": str(sent.receipt),
    }


def _partners(place: Home, client: Client) -> list[str]:
    """Return whom the agency has agreements with: who else would not believe its keys."""
    trust = Trust(place)
    trust.refresh(client)
    own = place.settings().agency
    partners = [
        entry.agency.agency_id
        for entry in trust.policy.directory
        if not entry.revoked and entry.agency.agency_id != own
    ]
    if not partners:
        raise ConfigurationError(
            "There is no agreement yet with an agency to which a message could go",
            hint="Leave out --submit, and give the file to the gateway's operator.",
        )
    return partners[:MAX_RECIPIENTS]
