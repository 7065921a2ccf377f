"""Certificates that others issued: reading them, and whether they fit their purpose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from rogatory.errors import ConfigurationError
from rogatory_gateway.pki.keys import public_bytes, read_private_key, spki_of


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read a PEM file of one or more certificates.

    Raises:
        ConfigurationError: it can't be read or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the certificate file {path} can't be read: {error.strerror}",
            hint="Check the path, and that you may read it.",
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{path} holds no PEM certificate", hint="Convert it with openssl x509."
        ) from error


def check_server_files(*, certificate: Path, key: Path, client_ca: Path, now: datetime) -> None:
    """Check the operator's own files before they are relied on.

    Raises:
        ConfigurationError: they don't belong together, or are not valid now.
        KeyFileError: the key file is missing, or open to others.
    """
    chain = read_certificates(certificate)
    check_pair(read_private_key(key), chain, files=(key, certificate))
    check_validity(chain[0], what=str(certificate), now=now)
    for authority in read_certificates(client_ca):
        try:
            constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
            is_authority = constraints.value.ca
        except x509.ExtensionNotFound:
            is_authority = False
        if not is_authority:
            raise ConfigurationError(
                f"{client_ca} holds a certificate that is not an authority's",
                hint="Give the certificate of the authority that issues to the agencies.",
            )
        check_validity(authority, what=str(client_ca), now=now)


def check_pair(key: object, chain: Sequence[x509.Certificate], *, files: tuple[Path, Path]) -> None:
    """Check that a key is that of the first certificate of a chain.

    Args:
        files: Where they were read from, in this order.

    Raises:
        ConfigurationError: it is another certificate's.
    """
    public = getattr(key, "public_key", lambda: None)()
    if public_bytes(public) != spki_of(chain[0]):
        raise ConfigurationError(
            f"{files[0]} is not the key of the certificate in {files[1]}",
            hint="Give the two files of one certificate, its own first in the chain.",
        )


def check_validity(certificate: x509.Certificate, *, what: str, now: datetime) -> None:
    """Check that a certificate is valid at an instant.

    Raises:
        ConfigurationError: not yet, or no longer.
    """
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise ConfigurationError(
            f"the certificate in {what} is valid from {certificate.not_valid_before_utc:%Y-%m-%d}"
            f" until {certificate.not_valid_after_utc:%Y-%m-%d}, and not now",
            hint="Renew it, and check this machine's clock.",
        )


def issuer_of(
    certificate: x509.Certificate, authorities: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    """Return the authority that issued a certificate, by its signature."""
    return next((item for item in authorities if _issued_by(certificate, item)), None)


def check_client_certificate(
    certificate: x509.Certificate, *, client_ca: Sequence[x509.Certificate], now: datetime
) -> None:
    """Check that the gateway will let this client certificate through the door.

    Raises:
        ConfigurationError: of another authority, for another use, or not valid now.
    """
    check_validity(certificate, what="the client certificate", now=now)
    if issuer_of(certificate, client_ca) is None:
        raise ConfigurationError(
            "the client certificate is issued by none of the authorities in client_ca",
            hint="Issue it with one of them; the gateway's TLS asks for no chain in between.",
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise ConfigurationError(
            "the client certificate is not for TLS clients",
            hint="Issue it with the extended key usage clientAuth.",
        )


def to_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
