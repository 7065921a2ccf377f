"""TLS certificates: the sandbox authority that `init` makes, and checks on what others issued.

Certificates only let a connection through the door. Who is at it is decided by the public key,
which the agency's root has named in a key statement: an authority that is taken over can lock
agencies out, but never speak for one. Keys are ECDSA P-256: gRPC's TLS library takes no Ed25519.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rogatory.errors import ConfigurationError, KeyRejected
from rogatory.keyfiles import read_private_file, write_private_file

AUTHORITY_DAYS = 3650
"""A sandbox outlives its tests; production has an authority of its own."""
SERVER_DAYS = 825
CLIENT_DAYS = 397
"""Longest that the CA/Browser Forum lets a certificate be valid; the key statement may say less."""
BACKDATED = timedelta(minutes=5)
"""Certificates begin a little in the past: clocks of partners differ."""

MIN_RSA_BITS = 2048
MAX_COMMON_NAME = 64
"""Characters of a common name (RFC 5280 A.1, ub-common-name); agency ids fit."""

_CURVES = (ec.SECP256R1, ec.SECP384R1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return to_pem(self.certificate)

    def issue_server(
        self, *, public_key: ec.EllipticCurvePublicKey, names: Sequence[str], now: datetime
    ) -> x509.Certificate:
        """Issue the gateway's certificate for DNS names and IP addresses; the first is the CN."""
        return self._issue(
            subject=names[0][:MAX_COMMON_NAME],
            public_key=public_key,
            until=now + timedelta(days=SERVER_DAYS),
            now=now,
            usage=ExtendedKeyUsageOID.SERVER_AUTH,
            names=x509.SubjectAlternativeName([_general_name(name) for name in names]),
        )

    def issue_client(
        self, *, agency_id: str, spki: bytes, until: datetime, now: datetime
    ) -> x509.Certificate:
        """Issue an agency's client certificate.

        Args:
            agency_id: Becomes the subject; nothing else of a request's subject is taken over.
            spki: DER SubjectPublicKeyInfo, as enrolled.
            until: When the enrolled key ends; the certificate ends then or after `CLIENT_DAYS`.
            now: Aware instant.

        Raises:
            KeyRejected: gRPC's TLS can't use the key.
        """
        return self._issue(
            subject=agency_id,
            public_key=load_tls_key(spki),
            until=min(until, now + timedelta(days=CLIENT_DAYS)),
            now=now,
            usage=ExtendedKeyUsageOID.CLIENT_AUTH,
            names=None,
        )

    def _issue(
        self,
        *,
        subject: str,
        public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        until: datetime,
        now: datetime,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(min(until, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def make_authority(*, origin: str, now: datetime) -> Authority:
    """Make the sandbox authority of one gateway."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{origin} sandbox CA"[-MAX_COMMON_NAME:])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=certificate, key=key)


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


def read_authority(*, certificate: Path, key: Path) -> Authority:
    """Read the sandbox authority back.

    Raises:
        ConfigurationError: the certificate or key can't be used.
        KeyFileError: the key file is missing, or open to others.
    """
    loaded = read_private_key(key)
    found = read_certificates(certificate)[0]
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or spki_of(found) != _spki(
        loaded.public_key()
    ):
        raise ConfigurationError(
            f"{key} is not the key of the authority in {certificate}",
            hint="Restore the pair that `init` made, or remove client_ca_key from [tls].",
        )
    return Authority(certificate=found, key=loaded)


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
    loaded = read_private_key(key)
    public = getattr(loaded, "public_key", lambda: None)()
    if _spki(public) != spki_of(chain[0]):
        raise ConfigurationError(
            f"{key} is not the key of the certificate in {certificate}",
            hint="Give the two files of one certificate, its own first in the chain.",
        )
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


def check_client_certificate(
    certificate: x509.Certificate, *, client_ca: Sequence[x509.Certificate], now: datetime
) -> None:
    """Check that the gateway will let this client certificate through the door.

    Raises:
        ConfigurationError: of another authority, for another use, or not valid now.
    """
    check_validity(certificate, what="the client certificate", now=now)
    if not any(_issued_by(certificate, authority) for authority in client_ca):
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


def read_request(pem: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a PKCS #10 request, which its key must have signed.

    Raises:
        KeyRejected: not a request, not signed by its key, or a key that TLS can't use.
    """
    try:
        request = x509.load_pem_x509_csr(pem)
        signed = request.is_signature_valid
        spki = _spki(request.public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRejected(
            "the certificate request is not a PEM request (PKCS #10) with a key known here",
            hint="Make it with `rogatory agency request`.",
        ) from error
    if not signed:
        raise KeyRejected(
            "the certificate request is not signed by the key in it",
            hint="Make it again with `rogatory agency request`.",
        )
    load_tls_key(spki)
    return spki


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
    return _spki(certificate.public_key())


def to_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _spki(key: object) -> bytes:
    export = getattr(key, "public_bytes", None)
    if export is None:
        return b""
    data: bytes = export(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return data


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
