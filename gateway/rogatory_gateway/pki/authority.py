"""The sandbox authority that `init` makes, and what it issues."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rogatory.errors import ConfigurationError
from rogatory_gateway.pki.certificates import read_certificates, to_pem
from rogatory_gateway.pki.keys import (
    load_tls_key,
    make_key,
    public_bytes,
    read_private_key,
    spki_of,
)

AUTHORITY_DAYS = 3650
"""A sandbox outlives its tests; production has an authority of its own."""
SERVER_DAYS = 825
CLIENT_DAYS = 397
"""Longest that the CA/Browser Forum lets a certificate be valid; the key statement may say less."""
BACKDATED = timedelta(minutes=5)
"""Certificates begin a little in the past: clocks of partners differ."""

MAX_COMMON_NAME = 64
"""Characters of a common name (RFC 5280 A.1, ub-common-name); agency ids fit."""


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
    key = make_key()
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


def read_authority(*, certificate: Path, key: Path) -> Authority:
    """Read the sandbox authority back.

    Raises:
        ConfigurationError: the certificate or key can't be used.
        KeyFileError: the key file is missing, or open to others.
    """
    loaded = read_private_key(key)
    found = read_certificates(certificate)[0]
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or spki_of(found) != public_bytes(
        loaded.public_key()
    ):
        raise ConfigurationError(
            f"{key} is not the key of the authority in {certificate}",
            hint="Restore the pair that `init` made, or remove client_ca_key from [tls].",
        )
    return Authority(certificate=found, key=loaded)


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
