"""Agreements: entering what all parties have signed, and listing what is in the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rogatory import clock
from rogatory.agreements import (
    from_armour,
    is_suspension,
    open_agreement,
    parse_suspension,
    suspension_from_armour,
)
from rogatory.audit.v1 import entry_pb2
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2, agreement_service_pb2
from rogatory_gateway.ledger.items import OPERATOR, GovernanceItem
from rogatory_gateway.ledger.ledger import Ledger
from rogatory_gateway.ledger.registry import Registry

MAX_FILE_BYTES = 1 << 20
"""A signed agreement has at most 48 KiB and 64 signatures; its armour a third more."""


def read(
    path: Path,
) -> agreement_pb2.SignedAgreement | agreement_pb2.SignedAgreementSuspension:
    """Read the file of a signed agreement, or of a party's suspension of one.

    Raises:
        AgreementError: it can't be read, or is not such a file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        text = data.decode("ascii")
    except OSError as error:
        raise AgreementError(
            f"{path} can't be read: {error.strerror}", hint="Check the path, and who may read it."
        ) from error
    except UnicodeDecodeError as error:
        raise AgreementError(
            f"{path} is not the file of a signed agreement",
            hint="Give the file that `rogatory agreement sign` wrote, with all signatures.",
        ) from error
    return suspension_from_armour(text) if is_suspension(text) else from_armour(text)


def enter_suspension(
    ledger: Ledger, signed: agreement_pb2.SignedAgreementSuspension
) -> dict[str, Any]:
    """Enter a party's suspension of an agreement, or the end of one; return what came of it.

    Raises:
        AgreementError: it is not signed by the party's root, or not the party's next.
    """
    suspension = parse_suspension(signed)
    ledger.refresh()
    item = GovernanceItem(
        actor=OPERATOR, document=entry_pb2.Governance(agreement_suspension=signed)
    )
    ledger.append([item])
    if item.error is not None:
        raise item.error
    return {
        "agreement_id": suspension.agreement_id,
        "agency": suspension.agency,
        "suspended": suspension.suspended,
        "reason": suspension.reason,
        "index": item.index,
    }


def enter(ledger: Ledger, signed: agreement_pb2.SignedAgreement) -> dict[str, Any]:
    """Enter an agreement in the log; return what came of it.

    Raises:
        AgreementError: a signature is missing or wrong, the version does not follow on, or a root
            it pins is not the one that the party is enrolled with.
    """
    compiled = open_agreement(signed)
    ledger.refresh()
    known = ledger.registry.by_digest(compiled.digest)
    if known is not None:
        raise AgreementError(
            f"{compiled.agreement_id} version {compiled.version} is in the log already",
            hint="Nothing is left to do; `rogatory-gateway agreement list` shows it.",
        )
    item = GovernanceItem(actor=OPERATOR, document=entry_pb2.Governance(agreement=signed))
    ledger.append([item])
    if item.error is not None:
        raise item.error
    unknown = sorted(party for party in compiled.parties if not ledger.registry.is_enrolled(party))
    return {
        "agreement_id": compiled.agreement_id,
        "version": compiled.version,
        "title": compiled.title,
        "digest": compiled.digest.hex(),
        "parties": sorted(compiled.parties),
        "valid_from": clock.to_text(compiled.valid_from),
        "valid_until": _until(compiled.valid_until),
        "index": item.index,
        "not_enrolled": unknown,
    }


def listing(registry: Registry, *, now: int) -> list[dict[str, Any]]:
    """Return every version of every agreement in the log, with its state now."""
    return [
        {
            "agreement_id": version.compiled.agreement_id,
            "version": version.compiled.version,
            "state": agreement_service_pb2.AgreementState.Name(
                registry.state_of(version, now=now)  # type: ignore[arg-type]  # a number of it
            )
            .removeprefix("AGREEMENT_STATE_")
            .lower(),
            "title": version.compiled.title,
            "parties": sorted(version.compiled.parties),
            "clauses": len(version.compiled.clauses),
            "valid_from": clock.to_text(version.compiled.valid_from),
            "valid_until": _until(version.compiled.valid_until),
            "entered": clock.to_text(version.entry_time),
            "digest": version.compiled.digest.hex(),
        }
        for version in registry.versions()
    ]


def _until(instant: int | None) -> str | None:
    return None if instant is None else clock.to_text(instant)
