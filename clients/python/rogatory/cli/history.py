"""An agency's own key statements: kept in its folder, since the next one follows on the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rogatory import keys, statements, wire
from rogatory.client import Client
from rogatory.enrolment import read_request
from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.exchange.v1 import key_statement_pb2
from rogatory.home import Home, make_folder, write_atomically
from rogatory.keyring import KeyRing
from rogatory.keys import PublicKey

SUFFIX = ".statement"
"""Of a serialised rogatory.exchange.v1.SignedKeyStatement."""

Signed = key_statement_pb2.SignedKeyStatement


def kept(place: Home) -> list[Signed]:
    """Return the statements that the folder keeps, in order; none where it keeps none.

    Raises:
        ConfigurationError: A file is damaged.
    """
    found = []
    for path in sorted(place.statements.glob(f"*{SUFFIX}")):
        try:
            found.append(wire.decode(Signed, path.read_bytes(), what="signed key statement"))
        except RogatoryError as error:
            raise ConfigurationError(
                f"{path} holds no key statement",
                hint="Restore it, or fetch them again: rogatory agency statement --from-directory.",
            ) from error
    if not found and place.request_file.exists():
        # Folders that were made before statements were kept.
        found.append(read_request(place.request_file.read_bytes()).statement)
    return found


def fetch(place: Home, client: Client) -> list[Signed]:
    """Return the statements that the gateway's directory has of the agency, and keep just these.

    Raises:
        CallError: The gateway does not know the agency, or did not answer.
    """
    found = list(client.agency(place.settings().agency).statements)
    for path in place.statements.glob(f"*{SUFFIX}"):
        path.unlink()
    for signed in found:
        keep(place, signed)
    return found


def keep(place: Home, signed: Signed) -> None:
    """Keep a statement.

    Raises:
        ConfigurationError: It cannot be written.
    """
    make_folder(place.statements)
    write_atomically(_file(place, signed), signed.SerializeToString(deterministic=True))


def forget(place: Home, signed: Signed) -> None:
    """Keep a statement no longer: the gateway has not taken it, so none may follow on it."""
    _file(place, signed).unlink(missing_ok=True)


def ring_of(signed: Iterable[Signed], root: PublicKey) -> KeyRing:
    """Return the keys that statements name, each at its statement's time.

    Raises:
        ConfigurationError: A statement does not verify, or another root signed it.
    """
    ring = KeyRing()
    for item in signed:
        try:
            made = statements.verify(item)
            agency = ring.add(item, entry_time=made.create_time.ToNanoseconds())
        except RogatoryError as error:
            raise ConfigurationError(
                f"A key statement of the agency does not hold: {error.message}", hint=error.hint
            ) from error
        if ring.root(agency) != root:
            raise ConfigurationError(
                f"The key statements of {agency} are signed by another root key",
                hint="Use the root key that the agency was enrolled with: --root-key FILE.",
            )
    return ring


def root_of(signed: Sequence[Signed]) -> PublicKey | None:
    """Return the root key that statements name; None where there are none."""
    if not signed:
        return None
    root = statements.verify(signed[0]).root
    return keys.PublicKey(root.algorithm, root.public_key)


def _file(place: Home, signed: Signed) -> Path:
    sequence = key_statement_pb2.KeyStatement.FromString(signed.statement).sequence
    return place.statements / f"{sequence:04d}{SUFFIX}"
