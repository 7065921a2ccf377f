"""An agency at work: its keys, its client, and whom it trusts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from rogatory.client import Client, TlsCredentials
from rogatory.client.settings import SignerInRole
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2
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
    """
    signers: list[SignerInRole] = [(file_signer(home.key("signing")), codes_pb2.KEY_ROLE_SIGNING)]
    signers += [
        (file_signer(home.key(f"officer-{officer}")), codes_pb2.KEY_ROLE_OFFICER)
        for officer in officers
    ]
    return signers


def connect(home: Home, *, signers: Sequence[SignerInRole] = ()) -> Client:
    """Return a client for the agency's gateway.

    Raises:
        ConfigurationError: The agency is not enrolled, or a file is missing.
        KeyFileError: The TLS key cannot be used.
    """
    settings = home.enrolled()
    tls_key = home.key("tls")
    return Client(
        target=settings.gateway,
        agency=settings.agency,
        audience=settings.origin,
        tls=TlsCredentials.from_files(
            certificate=home.client_certificate,
            key=tls_key,
            ca=home.ca_certificate,
            passphrase=passphrase_for(tls_key),
        ),
        signers=signers,
        log_keys=[home.log_key()],
    )
