"""An agency at work: its keys, its client, and whom it trusts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rogatory.cli.passphrases import passphrase_for
from rogatory.client import Client, homes
from rogatory.client.settings import SignerInRole
from rogatory.home import Home
from rogatory.signers import FileSigner


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
