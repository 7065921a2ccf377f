"""Who signs a draft: said in words and for JSON, and with which keys of the folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rogatory.cli.agency import stating
from rogatory.cli.agency.enrolling import OFFICER_PREFIX
from rogatory.cli.session import file_signer
from rogatory.drafting import Prefer, SignerState
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import Home

WAITING = "waiting"
"""Of a draft that an officer has still to sign."""


def state_data(states: Sequence[SignerState]) -> list[dict[str, Any]]:
    """Return signers for JSON, in the header's order."""
    return [
        {
            "key": state.key.hex(),
            "role": stating.role_of(state.role),
            "officer": state.officer,
            "rights": stating.rights_of(state.rights),
            "signed": state.signed,
            "fault": state.fault,
        }
        for state in states
    ]


def state_lines(states: Sequence[SignerState]) -> list[str]:
    """Return signers for people, in the header's order."""
    lines = []
    for state in states:
        rights = f" (may {', '.join(stating.rights_of(state.rights))})" if state.rights else ""
        fault = f" - {fault_text(state)}" if state.fault else ""
        done = "signed" if state.signed else "missing"
        lines.append(f"{done}: {state.name}{rights}, key {state.key.hex()[:16]}{fault}")
    return lines


def waiting_for(states: Sequence[SignerState]) -> list[str]:
    """Return who has still to sign, in words."""
    return [state.name for state in states if not state.signed]


def readiness(states: Sequence[SignerState]) -> str:
    """Return how far a draft is: `WAITING` for officers, ``ready to send``, or ``complete``."""
    missing = [state.role for state in states if not state.signed]
    if not missing:
        return "complete"
    # The agency's own signature is added as it is sent.
    return "ready to send" if missing == [codes_pb2.KEY_ROLE_SIGNING] else WAITING


def fault_text(state: SignerState) -> str:
    """Return what speaks against a signer in words, as ``KEY REVOKED``."""
    return state.fault.replace("_", " ")


def officer_key(place: Home, officer: str) -> Path:
    """Return the file of an officer's key in the agency's folder."""
    return place.key(f"{OFFICER_PREFIX}{officer}")


def at_work(place: Home) -> Prefer:
    """Return what tells the key at work in a folder from one that waits to replace it."""

    def prefer(officer: str) -> bytes | None:
        path = officer_key(place, officer) if officer else place.key(stating.SIGNING)
        return file_signer(path).public_key.fingerprint if path.exists() else None

    return prefer
