"""`rogatory agreement submit | suspend | resume`: documents that change what is in force."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.message import Message

from rogatory.agreements.document import from_armour, open_agreement
from rogatory.agreements.suspension import (
    is_suspension,
    parse_suspension,
    sign_suspension,
    suspension_from_armour,
    suspension_to_armour,
)
from rogatory.cli import compose, options, outbox
from rogatory.cli.output import emit
from rogatory.cli.session import connect, file_signer, message_signers
from rogatory.client import Client, Draft, recipient
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2, agreement_service_pb2, codes_pb2
from rogatory.home import Home, write_atomically

BASE_AGREEMENT = "base"
BASE_ARTICLE = "Base Art. 1"
"""The base agreement's article on agreements and key statements."""

AgreementArgument = Annotated[str, typer.Argument(metavar="ID", help="Agreement id.")]
ReasonOption = Annotated[
    str, typer.Option(help="Why, for the other parties: it stands in the log for good.")
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="Only write the signed file, with no network; `agreement submit` sends it."),
]
NumberOption = Annotated[
    int,
    typer.Option(
        min=1, help="With --out: number of the declaration, one more than the agency's last on it."
    ),
]


def submit(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A file that agreement sign, suspend or resume wrote."),
    ],
    *,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Submit a signed agreement, or a suspension of one, to the gateway.

    It goes as a message to the other parties, and is in force once the gateway has answered.
    """
    try:
        text = file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise AgreementError(
            f"{file} cannot be read as the file of a signed agreement or suspension",
            hint="Give the file that rogatory agreement sign, suspend or resume wrote.",
        ) from error
    place = Home.find(home)
    with connect(place, signers=message_signers(place)) as client:
        if is_suspension(text):
            suspended = suspension_from_armour(text)
            agreement_id = parse_suspension(suspended).agreement_id
            parties: Iterable[str] = _parties(client.agreement(agreement_id))
            _send(place, client, suspended, parties, as_json=as_json)
        else:
            signed = from_armour(text)
            _send(place, client, signed, open_agreement(signed).parties, as_json=as_json)


def suspend(
    agreement: AgreementArgument,
    *,
    reason: ReasonOption,
    out: OutOption = None,
    number: NumberOption = 1,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Suspend an agreement for all that is sent to or by this agency, from now on.

    It takes this agency's root key and nobody else's word. Between the other parties the agreement
    goes on; acknowledgements, recalls and corrections go under the base agreement as before.
    """
    _declare(
        agreement,
        suspended=True,
        reason=reason,
        out=out,
        number=number,
        home=home,
        as_json=as_json,
    )


def resume(
    agreement: AgreementArgument,
    *,
    reason: ReasonOption,
    out: OutOption = None,
    number: NumberOption = 1,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Lift this agency's suspension of an agreement."""
    _declare(
        agreement,
        suspended=False,
        reason=reason,
        out=out,
        number=number,
        home=home,
        as_json=as_json,
    )


def _declare(
    agreement: str,
    *,
    suspended: bool,
    reason: str,
    out: Path | None,
    number: int,
    home: Path | None,
    as_json: bool,
) -> None:
    place = Home.find(home)
    root = file_signer(place.key("root"))
    declared = agreement_pb2.AgreementSuspension(
        schema_version=1,
        agreement_id=agreement,
        agency=place.settings().agency,
        sequence=number,
        suspended=suspended,
        reason=reason,
    )
    if out is not None:
        signed = sign_suspension(declared, signer=root)
        write_atomically(out, suspension_to_armour(signed).encode())
        emit({"file": str(out), "number": number}, [str(out)], as_json=as_json)
        return
    with connect(place, signers=message_signers(place)) as client:
        record = client.agreement(agreement)
        declared.sequence = _last_number(record, declared.agency) + 1
        signed = sign_suspension(declared, signer=root)
        _send(place, client, signed, _parties(record), as_json=as_json)


def _parties(record: agreement_service_pb2.AgreementRecord) -> list[str]:
    agreement = agreement_pb2.Agreement.FromString(record.agreement.agreement)
    return [party.agency for party in agreement.parties]


def _last_number(record: agreement_service_pb2.AgreementRecord, agency: str) -> int:
    declared = (parse_suspension(signed) for signed in record.suspensions)
    return max((one.sequence for one in declared if one.agency == agency), default=0)


def governing(recipients: Iterable[str]) -> Draft:
    """Return the draft of a message of governance: its document is for the gateway to enter."""
    return Draft(
        kind=codes_pb2.KIND_GOVERNANCE,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        recipients=[recipient(agency, BASE_AGREEMENT, BASE_ARTICLE) for agency in recipients],
    )


def _send(
    place: Home, client: Client, document: Message, parties: Iterable[str], *, as_json: bool
) -> None:
    """Send a document to the other parties, under the base agreement."""
    own = place.settings().agency
    draft = governing(agency for agency in sorted(parties) if agency != own)
    data = client.build(draft, contents=[document])
    sent = outbox.submit(place, client, outbox.put(place, data))
    submitted = sent.submitted
    submitted.raise_if_refused()
    emit(
        {
            "message_id": submitted.message_id,
            "index": submitted.receipt.index,
            "outcomes": compose.outcome_data(submitted.outcomes),
            "receipt": str(sent.receipt),
        },
        [
            f"entered: message {submitted.message_id}, log entry {submitted.receipt.index}",
            f"receipt: {sent.receipt}",
        ],
        as_json=as_json,
    )
