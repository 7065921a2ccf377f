"""Rogatory: signed, agreement-checked case data exchange with a log that anyone can verify.

What most programs need has its name here and is loaded when it is first used; the rest is in the
modules. The clients are in `rogatory.client`, the errors in `rogatory.errors`.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rogatory.errors import CallError, Refused, RogatoryError
    from rogatory.keyring import KeyRing
    from rogatory.logreplay import LogReplay
    from rogatory.notes import VerifierKey
    from rogatory.policy import Policy
    from rogatory.receipts import Receipt, VerifiedReceipt
    from rogatory.recordfiles import read_records
    from rogatory.signers import FileSigner, MemorySigner, Signer
    from rogatory.verification import VerifiedDelivery, verify_delivery

_HOMES = MappingProxyType(
    {
        "CallError": "errors",
        "FileSigner": "signers",
        "KeyRing": "keyring",
        "LogReplay": "logreplay",
        "MemorySigner": "signers",
        "Policy": "policy",
        "Receipt": "receipts",
        "Refused": "errors",
        "RogatoryError": "errors",
        "Signer": "signers",
        "VerifiedDelivery": "verification",
        "VerifiedReceipt": "receipts",
        "VerifierKey": "notes",
        "read_records": "recordfiles",
        "verify_delivery": "verification",
    }
)

__all__ = [
    "CallError",
    "FileSigner",
    "KeyRing",
    "LogReplay",
    "MemorySigner",
    "Policy",
    "Receipt",
    "Refused",
    "RogatoryError",
    "Signer",
    "VerifiedDelivery",
    "VerifiedReceipt",
    "VerifierKey",
    "read_records",
    "verify_delivery",
]


def __getattr__(name: str) -> object:
    # Loading protobuf and its validators takes half a second, which `rogatory --help` need not.
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
