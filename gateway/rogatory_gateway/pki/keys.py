"""TLS keys: those that gRPC's TLS library takes, and the files they lie in."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from rogatory.errors import ConfigurationError, KeyRejected
from rogatory.keyfiles import read_private_file, write_private_file

MIN_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1)


def make_key() -> ec.EllipticCurvePrivateKey:
    """Make a TLS key."""
    return ec.generate_private_key(ec.SECP256R1())


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a TLS key to a new file with mode 0600.

    Raises:
        KeyFileError: it exists or can't be written.
    """
    write_private_file(
        path,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def read_private_key(path: Path) -> object:
    """Read a TLS private key.

    Raises:
        ConfigurationError: not an unencrypted PEM key.
        KeyFileError: missing, or open to others.
    """
    try:
        return serialization.load_pem_private_key(read_private_file(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            f"{path} is not a PEM private key without passphrase",
            hint="Convert it with openssl pkcs8 -topk8 -nocrypt.",
        ) from error


def load_tls_key(spki: bytes) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    """Load a public key that gRPC's TLS can use.

    Raises:
        KeyRejected: it is of another kind.
    """
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return key
    raise KeyRejected(
        "the TLS key is not one that the gateway's TLS can use",
        hint=f"Make an ECDSA key on P-256 or P-384, or an RSA key of {MIN_RSA_BITS} bits or more.",
    )


def spki_of(certificate: x509.Certificate) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a certificate."""
    return public_bytes(certificate.public_key())


def public_bytes(key: object) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a public key; nothing for what is none."""
    export = getattr(key, "public_bytes", None)
    if export is None:
        return b""
    data: bytes = export(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data
