"""An agency at work: its keys, its client, and whom it trusts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from rogatory.client import Client, homes
from rogatory.client.settings import SignerInRole
from rogatory.errors import ConfigurationError
from rogatory.home import Home
from rogatory.keyfiles import needs_passphrase
from rogatory.signers import FileSigner

PASSPHRASE_VARIABLE = "ROGATORY_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Where key files have a passphrase and nobody is there to type it."""


def passphrase_for(path: Path) -> bytes | None:
    """Return the passphrase of a key file, asked for if it has one; None where it has none.

    Raises:
        KeyFileError: The file is missing or open to others.
        ConfigurationError: It has one, and there is nobody to ask.
    """
    if not needs_passphrase(path):
        return None
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given.encode()
    try:
        typed: str = typer.prompt(f"Passphrase for {path}", hide_input=True, err=True)
    except typer.Abort as error:
        raise ConfigurationError(
            f"The key file {path} has a passphrase, and nobody typed it",
            hint=f"Run it on a terminal, or set {PASSPHRASE_VARIABLE}.",
        ) from error
    return typed.encode()


def file_signer(path: Path) -> FileSigner:
    """Return the signer of a key file.

    Raises:
        KeyFileError: The file cannot be used.
        ConfigurationError: It has a passphrase, and there is nobody to ask.
    """
    return FileSigner(path, passphrase=passphrase_for(path))


def message_signers(home: Home, officers: Sequence[str] = ()) -> list[SignerInRole]:
    """Return who signs a message: the agency's signing key, and officers' keys by pseudonym.

    Raises:
        KeyFileError: A key file is missing or cannot be used.
        ConfigurationError: One has a passphrase, and there is nobody to ask.
    """
    return homes.message_signers(home, officers, passphrase=passphrase_for)


def connect(home: Home, *, signers: Sequence[SignerInRole] = ()) -> Client:
    """Return a client for the agency's gateway.

    Raises:
        ConfigurationError: The agency is not enrolled, or a file is missing.
        KeyFileError: The TLS key cannot be used.
    """
    return Client.from_home(home.path, signers=signers, passphrase=passphrase_for)
