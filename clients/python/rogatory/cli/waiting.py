"""Keys that wait in ``keys/next`` until a key statement that names them is in force."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rogatory import keys, statements
from rogatory.cli.agency.enrolling import make_tls_key, tls_key, tls_public
from rogatory.cli.session import file_signer
from rogatory.errors import ConfigurationError
from rogatory.home import Home, make_folder, sync_folder
from rogatory.keyfiles import write_key_file
from rogatory.keyring import KeyRing
from rogatory.keys import SEED_SIZE, PrivateKey

TLS = "tls"


def prepare(place: Home, name: str, *, ring: KeyRing, passphrase: bytes | None) -> Path:
    """Return the file of a key that is to replace another; one that waits already is used.

    Args:
        place: The agency's folder.
        name: As of `Home.key`.
        ring: The keys that are stated already.
        passphrase: For a new file.

    Raises:
        ConfigurationError: The key that waits is stated already.
        KeyFileError: A file cannot be written or read.
    """
    path = place.key(f"next/{name}")
    if not path.exists():
        make_folder(path.parent)
        if name == TLS:
            make_tls_key(path, passphrase=passphrase)
        else:
            key = PrivateKey.from_seed(secrets.token_bytes(SEED_SIZE))
            write_key_file(path, key, passphrase=passphrase)
    elif ring.get(fingerprint(path)) is not None:
        step = "rogatory agency accept FILE" if name == TLS else "rogatory agency activate"
        raise ConfigurationError(
            f"A new key is stated already, and waits in {path}",
            hint=f"Put it to work once that statement is in force: {step}",
        )
    return path


def waiting(place: Home) -> dict[str, Path]:
    """Return the keys that wait, by name."""
    return {path.stem: path for path in sorted(place.key("next/x").parent.glob("*.pem"))}


def fingerprint(path: Path) -> bytes:
    """Return the fingerprint of a key file, as the ring has it.

    Raises:
        KeyFileError: It cannot be used.
    """
    if path.stem == TLS:
        return keys.fingerprint(statements.TLS_ALGORITHM, tls_public(tls_key(path)))
    return file_signer(path).public_key.fingerprint


def activate(place: Home, name: str) -> None:
    """Put a key to work in place of the one before, which is kept in ``keys/retired``."""
    path, current = place.key(f"next/{name}"), place.key(name)
    if current.exists():
        retired = place.key("retired/x").parent
        make_folder(retired)
        number = 1 + len(list(retired.glob(f"{name}-*.pem")))
        # A link first: at no moment is there no key of that name.
        os.link(current, retired / f"{name}-{number}.pem")
    path.replace(current)
    sync_folder(current.parent)


def activate_stated(place: Home, ring: KeyRing) -> list[str]:
    """Put every key to work that a ring names; return their names.

    Not the TLS key: it works only with a certificate, so `rogatory agency accept` does it.
    """
    found = [
        name
        for name, path in waiting(place).items()
        if name != TLS and ring.get(fingerprint(path)) is not None
    ]
    for name in found:
        activate(place, name)
    return found
