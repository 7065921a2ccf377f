"""Files of agreements, as they go from party to party."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rogatory.agreements.compiled import CompiledAgreement, compile_agreement
from rogatory.agreements.document import from_armour, render
from rogatory.agreements.text import read_agreement_file
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2
from rogatory.keys import PrivateKey


def signed_file(path: Path) -> agreement_pb2.SignedAgreement | None:
    """Read a file of a signed agreement; None where it is a text form.

    Raises:
        AgreementError: It cannot be read, or was altered.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise AgreementError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file that you may read."
        ) from error
    except UnicodeDecodeError as error:
        raise AgreementError(f"{path} is not text", hint="Save it as UTF-8.") from error
    return from_armour(text) if text.lstrip().startswith("-----BEGIN ") else None


def compiled_file(path: Path) -> CompiledAgreement:
    """Compile a signed agreement, or a text form: roots it lacks decide nothing, so any will do.

    Raises:
        AgreementError: It cannot be read, was altered, or has faults.
    """
    signed = signed_file(path)
    if signed is not None:
        return compile_agreement(signed.agreement)
    draft = read_agreement_file(path)
    roots = {
        party.agency: PrivateKey.from_seed(
            hashlib.sha256(party.agency.encode()).digest()
        ).public_key
        for party in draft.parties
        if not party.HasField("root")
    }
    return compile_agreement(render(draft, roots=roots))
