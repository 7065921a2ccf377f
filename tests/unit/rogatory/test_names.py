"""The names that programs may import stay as they are."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rogatory
from rogatory import client

PUBLIC = [
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
CLIENT = [
    "NO_RETRY",
    "AsyncClient",
    "Client",
    "Draft",
    "RetryPolicy",
    "Submitted",
    "TlsCredentials",
    "handling",
    "recipient",
]


def test_public_names_of_the_library_are_these() -> None:
    """Whoever adds or removes one changes this list, and the changelog."""
    assert PUBLIC == rogatory.__all__
    assert CLIENT == client.__all__


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_can_be_imported(name: str) -> None:
    """Each name leads to its object, and shows in dir()."""
    assert name == getattr(rogatory, name).__name__
    assert name in dir(rogatory)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is met as in any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Recept'"):
        _ = rogatory.Recept


def test_importing_the_library_loads_nothing_heavy() -> None:
    """The package itself, and the entry point of the commands, start at once."""
    program = "import sys, rogatory.cli; print({'protovalidate', 'grpc'} & sys.modules.keys())"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "set()" == loaded.stdout.strip()
