"""The published base agreement, which decides what must work before the first agreement is signed.

GOVERNANCE, RECEIPT, RECALL, CORRECTION and CUSTODY, between any two enrolled agencies. It has no
parties to sign it: its digest, `BASE_DIGEST`, is part of this library's published contract.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from rogatory.agreements.compiled import CompiledAgreement
from rogatory.agreements.document import open_agreement, render
from rogatory.agreements.text import read_agreement
from rogatory.exchange.v1 import agreement_pb2


def base_text() -> str:
    """Return the text of the base agreement."""
    return resources.files("rogatory.agreements").joinpath("base.yaml").read_text("utf-8")


@cache
def base_agreement() -> CompiledAgreement:
    """Return the base agreement, ready for deciding.

    Raises:
        AgreementError: The installed text is not the published one.
    """
    return open_agreement(agreement_pb2.SignedAgreement(agreement=base_bytes()))


def base_bytes() -> bytes:
    """Return the exact bytes of the base agreement."""
    return render(read_agreement(base_text(), file="base.yaml"))
