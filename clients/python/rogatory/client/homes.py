"""What a client needs to speak for an agency, from the agency's folder (`rogatory.home`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rogatory.client.settings import SignerInRole
from rogatory.client.transport import TlsCredentials
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import Home
from rogatory.notes import VerifierKey
from rogatory.signers import FileSigner

Passphrase = Callable[[Path], bytes | None]
"""Returns the passphrase of a key file; None where the file has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """What a folder holds for a client; see the clients' constructors."""

    target: str
    agency: str
    audience: str
    tls: TlsCredentials
    signers: Sequence[SignerInRole]
    log_keys: Sequence[VerifierKey]


def belongings(
    path: Path | str | None,
    *,
    officers: Sequence[str],
    signers: Sequence[SignerInRole] | None,
    passphrase: Passphrase | None,
) -> Belongings:
    """Read an agency's folder; arguments as of `rogatory.client.Client.from_home`.

    Raises:
        ConfigurationError: The agency is not enrolled, or a file is missing.
        KeyFileError: A key file is missing or cannot be used.
    """
    home = Home.find(None if path is None else Path(path))
    settings = home.enrolled()
    key = home.key("tls")
    return Belongings(
        target=settings.gateway,
        agency=settings.agency,
        audience=settings.origin,
        tls=TlsCredentials.from_files(
            certificate=home.client_certificate,
            key=key,
            ca=home.ca_certificate,
            passphrase=None if passphrase is None else passphrase(key),
        ),
        signers=signers
        if signers is not None
        else message_signers(home, officers, passphrase=passphrase),
        log_keys=[home.log_key()],
    )


def message_signers(
    home: Home, officers: Sequence[str] = (), *, passphrase: Passphrase | None = None
) -> list[SignerInRole]:
    """Return who signs a message: the agency's signing key, and officers' keys by pseudonym.

    Raises:
        KeyFileError: A key file is missing or cannot be used.
    """
    named = [("signing", codes_pb2.KEY_ROLE_SIGNING)]
    named += [(f"officer-{officer}", codes_pb2.KEY_ROLE_OFFICER) for officer in officers]
    signers: list[SignerInRole] = []
    for name, role in named:
        path = home.key(name)
        secret = None if passphrase is None else passphrase(path)
        signers.append((FileSigner(path, passphrase=secret), role))
    return signers
