"""`rogatory agreement`: check, sign, read and try agreements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rogatory.agreements.document import (
    agreement_digest,
    missing_parties,
    render,
    roots_of,
    sign_agreement,
    to_armour,
    with_signature,
)
from rogatory.agreements.suspension import parse_suspension
from rogatory.agreements.text import read_agreement_file
from rogatory.cli import options
from rogatory.cli.agreement.evaluation import evaluate
from rogatory.cli.agreement.inforce import list_agreements
from rogatory.cli.agreement.signedfile import signed_file
from rogatory.cli.agreement.simulation import simulate
from rogatory.cli.governance import resume, submit, suspend
from rogatory.cli.output import emit, note, plain
from rogatory.cli.session import connect, file_signer
from rogatory.exchange.v1 import (
    agreement_pb2,
    agreement_service_pb2,
)
from rogatory.home import Home, write_atomically
from rogatory.keys import PublicKey
from rogatory.policy import pinned_roots
from rogatory.settingsfile import Table

_PINS = (
    "Move away what is left of it; rogatory agency accept FILE then makes it anew from the"
    " operator's answer, or, before there is one, rogatory keygen AGENCY."
)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Check, sign, read, try and suspend agreements.",
)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Text form (YAML), or a file of a signed agreement.")
]
RootOption = Annotated[
    list[str] | None,
    typer.Option(
        "--root",
        metavar="AGENCY=KEY",
        help="Root key of a party, as de.bka=Ed25519:..., where the text has none. Repeatable.",
    ),
]


@app.command(short_help="Check an agreement for faults.")
def check(
    file: FileArgument,
    *,
    as_json: options.JsonOption = False,
) -> None:
    """Check an agreement, and say every fault with line and reason."""
    signed = signed_file(file)
    agreement = (
        agreement_pb2.Agreement.FromString(signed.agreement)
        if signed is not None
        else read_agreement_file(file)
    )
    missing = missing_parties(signed) if signed is not None else []
    parties = [party.agency for party in agreement.parties]
    lines = [
        f"{agreement.agreement_id} version {agreement.version}: {agreement.title}",
        f"{len(parties)} parties, {len(agreement.clauses)} clauses, no fault found",
    ]
    if signed is not None:
        lines.append(
            f"not signed yet by {', '.join(missing)}" if missing else "signed by all parties"
        )
    emit(
        {
            "agreement_id": agreement.agreement_id,
            "version": agreement.version,
            "parties": parties,
            "clauses": len(agreement.clauses),
            "signed": signed is not None and not missing,
            "missing": missing,
        },
        lines,
        as_json=as_json,
    )


@app.command(short_help="Sign an agreement with the agency's root.")
def sign(
    file: FileArgument,
    *,
    root: RootOption = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; by default ID-VERSION.txt.")
    ] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Sign an agreement with the agency's root key, and so pin the roots of its parties.

    The first party signs the text form, the others the file that comes out of it, so that all sign
    the same bytes. Compare the digest with your partners before you sign.
    """
    place = Home.find(home)
    signer = file_signer(place.key("root"))
    signed = signed_file(file)
    if signed is None:
        roots = dict(_root(item) for item in root or ())
        text = read_agreement_file(file)
        pinned = _pinned(place)
        for party in text.parties:
            if party.agency in pinned and not party.HasField("root"):
                roots.setdefault(party.agency, pinned[party.agency])
        signed = agreement_pb2.SignedAgreement(agreement=render(text, roots=roots))
    signed = with_signature(signed, sign_agreement(signed.agreement, signer=signer))
    agreement = agreement_pb2.Agreement.FromString(signed.agreement)
    missing = missing_parties(signed)
    path = out if out is not None else Path(f"{agreement.agreement_id}-{agreement.version}.txt")
    write_atomically(path, to_armour(signed).encode())
    for agency, key in roots_of(agreement).items():
        note(f"pins {agency}: {key.text}")
    digest = agreement_digest(signed.agreement).hex()
    emit(
        {"file": str(path), "digest": digest, "missing": missing},
        [
            str(path),
            f"digest: sha256:{digest}",
            f"not signed yet by {', '.join(missing)}" if missing else "signed by all parties",
        ],
        as_json=as_json,
    )


@app.command(short_help="Show an agreement.")
def show(
    agreement: Annotated[
        str, typer.Argument(metavar="AGREEMENT", help="A file, or ID or ID@VERSION at the gateway.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Also write the signed agreement to this file.")
    ] = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show an agreement: parties, clauses, conditions, signatures."""
    state = ""
    suspended: list[str] = []
    if Path(agreement).exists():
        signed = signed_file(Path(agreement))
        if signed is None:
            message = read_agreement_file(Path(agreement))
            signed = agreement_pb2.SignedAgreement()
        else:
            message = agreement_pb2.Agreement.FromString(signed.agreement)
    else:
        agreement_id, _, version = agreement.partition("@")
        if version and not version.isdecimal():
            raise typer.BadParameter("write it as ID@VERSION, as x@2", param_hint="AGREEMENT")
        with connect(Home.find(home)) as client:
            record = client.agreement(agreement_id, int(version or "0"))
        signed = record.agreement
        message = agreement_pb2.Agreement.FromString(signed.agreement)
        name = agreement_service_pb2.AgreementState.Name(record.state)
        state = name.removeprefix("AGREEMENT_STATE_").lower().replace("_", " ")
        declared = (parse_suspension(one) for one in record.suspensions)
        suspended = [f"{one.agency}: {one.reason}" for one in declared if one.suspended]
    if out is not None:
        write_atomically(out, to_armour(signed).encode())
    lines = [f"{message.agreement_id} version {message.version}: {message.title}"]
    lines += [f"state: {state}"] if state else []
    lines += [f"suspended by {words}" for words in suspended]
    lines += [f"party: {party.agency}" for party in message.parties]
    for clause in message.clauses:
        effect = agreement_pb2.ClauseEffect.Name(clause.effect)
        effect = effect.removeprefix("CLAUSE_EFFECT_").lower()
        lines += [
            "",
            f"{clause.article} ({clause.clause_id}) {effect}s",
        ]
        lines += [f"  {clause.text}"] if clause.text else []
        for part in ("scope", "conditions", "obligations"):
            if clause.HasField(part):
                found = plain(getattr(clause, part))
                lines += [f"  {part}: {key}: {value}" for key, value in found.items()]
    emit(
        {
            "agreement": plain(message),
            "signatures": len(signed.signatures),
            "state": state,
            "suspended_by": suspended,
        },
        lines,
        as_json=as_json,
    )


def _root(text: str) -> tuple[str, PublicKey]:
    agency, separator, key = text.partition("=")
    if not separator:
        raise typer.BadParameter(
            f"{text!r} is not AGENCY=KEY, as de.bka=Ed25519:...", param_hint="--root"
        )
    return agency, PublicKey.from_text(key)


def _pinned(place: Home) -> dict[str, PublicKey]:
    return pinned_roots(Table.read(place.policy_file, form=_PINS))


app.command("list", short_help="List your agreements.")(list_agreements)
app.command(short_help="Say what an agreement would decide.")(evaluate)
app.command(short_help="Say what past exchanges a draft would change.")(simulate)
app.command(short_help="Submit a signed agreement to the gateway.")(submit)
app.command(short_help="Suspend an agreement for this agency.")(suspend)
app.command(short_help="Lift this agency's suspension.")(resume)
