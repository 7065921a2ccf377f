"""The sandbox authority, and checks on certificates that others issued."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rogatory.errors import ConfigurationError, KeyFileError, KeyRejected
from rogatory_gateway import pki

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3000)


@pytest.fixture(scope="module")
def authority() -> pki.Authority:
    """A sandbox authority."""
    return pki.make_authority(origin="gateway.example/exchange", now=NOW)


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    """A TLS key."""
    return pki.make_key()


def spki(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Return a key's DER SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def common_name(certificate: x509.Certificate) -> str:
    """Return the subject."""
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def usage(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    """Return what a certificate is for."""
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_client_certificate_says_who_what_for_and_until_when(
    authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> None:
    """Subject from the agency id, key as enrolled, clientAuth, limited validity."""
    made = authority.issue_client(agency_id="nl.police", spki=spki(key), until=LATER, now=NOW)

    made.verify_directly_issued_by(authority.certificate)
    assert "nl.police" == common_name(made)
    assert spki(key) == pki.spki_of(made)
    assert [ExtendedKeyUsageOID.CLIENT_AUTH] == usage(made)
    assert NOW + timedelta(days=pki.CLIENT_DAYS) == made.not_valid_after_utc
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_client_certificate_ends_with_the_enrolled_key(
    authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> None:
    """A certificate outlives neither its key's enrolment nor the authority."""
    until = NOW + timedelta(days=7)

    made = authority.issue_client(agency_id="nl.police", spki=spki(key), until=until, now=NOW)

    assert until == made.not_valid_after_utc


def test_server_certificate_has_every_name(
    authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> None:
    """Names and addresses stand in the subject alternative names, each as what it is."""
    made = authority.issue_server(
        public_key=key.public_key(), names=["gateway.example", "127.0.0.1", "::1"], now=NOW
    )

    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ["gateway.example"] == names.get_values_for_type(x509.DNSName)
    assert ["127.0.0.1", "::1"] == [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]
    assert [ExtendedKeyUsageOID.SERVER_AUTH] == usage(made)


def test_authority_may_sign_certificates_and_nothing_below_it(authority: pki.Authority) -> None:
    """Path length 0, certificate signing only, self-signed."""
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    key_usage = authority.certificate.extensions.get_extension_for_class(x509.KeyUsage).value

    authority.certificate.verify_directly_issued_by(authority.certificate)
    assert (True, 0) == (constraints.value.ca, constraints.value.path_length)
    assert (True, False) == (key_usage.key_cert_sign, key_usage.digital_signature)


def test_keys_are_for_their_owner_and_never_overwritten(
    tmp_path: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    """Mode 0600; a second key of the same name is refused."""
    path = tmp_path / "key.pem"
    pki.write_key(path, key)

    with pytest.raises(KeyFileError, match="exists"):
        pki.write_key(path, key)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_authority_is_read_back(tmp_path: Path, authority: pki.Authority) -> None:
    """From the two files that `init` wrote."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    pki.write_key(tmp_path / "ca-key.pem", authority.key)

    found = pki.read_authority(certificate=tmp_path / "ca.pem", key=tmp_path / "ca-key.pem")

    assert authority.certificate == found.certificate


def test_authority_with_another_key_is_refused(
    tmp_path: Path, authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> None:
    """Certificates issued with it would be let in by nobody."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    pki.write_key(tmp_path / "ca-key.pem", key)

    with pytest.raises(ConfigurationError, match="is not the key of the authority"):
        pki.read_authority(certificate=tmp_path / "ca.pem", key=tmp_path / "ca-key.pem")


@pytest.mark.parametrize(
    "make",
    [
        pki.make_key,
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-256", "P-384", "RSA-2048"],
)
def test_keys_that_tls_takes(make: object) -> None:
    """What gRPC's TLS library can verify."""
    key = make()  # type: ignore[operator]  # each of them makes a key

    assert spki(key) == pki.load_tls_key(spki(key)).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x03\x02\x01\x00",
        spki(ed25519.Ed25519PrivateKey.generate()),
        spki(ec.generate_private_key(ec.SECP256K1())),
        spki(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - too short on purpose
    ],
    ids=["nothing", "no key", "Ed25519", "secp256k1", "RSA-1024"],
)
def test_keys_that_tls_does_not_take(data: bytes) -> None:
    """Refused at enrolment, not at the first connection."""
    with pytest.raises(KeyRejected, match="not one that the gateway's TLS can use"):
        pki.load_tls_key(data)


@pytest.fixture
def own(tmp_path: Path, authority: pki.Authority, key: ec.EllipticCurvePrivateKey) -> Path:
    """A folder with an operator's own files."""
    certificate = authority.issue_server(
        public_key=key.public_key(), names=["gateway.example"], now=NOW
    )
    (tmp_path / "server.pem").write_bytes(pki.to_pem(certificate))
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    pki.write_key(tmp_path / "server-key.pem", key)
    return tmp_path


def check_own(folder: Path, *, now: datetime = NOW) -> None:
    """Check the operator's own files."""
    pki.check_server_files(
        certificate=folder / "server.pem",
        key=folder / "server-key.pem",
        client_ca=folder / "ca.pem",
        now=now,
    )


def test_own_files_that_fit_are_taken(own: Path) -> None:
    """Certificate, its key, and an authority."""
    check_own(own)


def test_own_key_of_another_certificate_is_refused(own: Path) -> None:
    """Otherwise the gateway would start and no client could connect."""
    (own / "server-key.pem").unlink()
    pki.write_key(own / "server-key.pem", pki.make_key())

    with pytest.raises(ConfigurationError, match="is not the key of the certificate"):
        check_own(own)


def test_own_certificate_that_ended_is_refused(own: Path) -> None:
    """With the days on which it is valid."""
    with pytest.raises(ConfigurationError, match=r"until .*, and not now"):
        check_own(own, now=NOW + timedelta(days=pki.SERVER_DAYS + 1))


def test_own_authority_must_be_one(own: Path) -> None:
    """A leaf in client_ca would let in nobody, or one certificate only."""
    (own / "ca.pem").write_bytes((own / "server.pem").read_bytes())

    with pytest.raises(ConfigurationError, match="not an authority's"):
        check_own(own)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\n"])
def test_files_without_a_certificate_are_refused(own: Path, content: bytes) -> None:
    """Named, with what to do."""
    (own / "server.pem").write_bytes(content)

    with pytest.raises(ConfigurationError, match="holds no PEM certificate"):
        check_own(own)


def test_missing_certificate_is_named(own: Path) -> None:
    """The path stands in the error."""
    (own / "ca.pem").unlink()

    with pytest.raises(ConfigurationError, match=r"ca\.pem can't be read"):
        check_own(own)


def test_a_key_that_is_none_is_refused(own: Path) -> None:
    """PEM of something else."""
    (own / "server-key.pem").write_bytes((own / "ca.pem").read_bytes())

    with pytest.raises(ConfigurationError, match="is not a PEM private key"):
        check_own(own)


def test_client_certificate_of_another_authority_is_refused(
    authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> None:
    """The TLS handshake would refuse it later."""
    other = pki.make_authority(origin="other.example", now=NOW)
    made = other.issue_client(agency_id="nl.police", spki=spki(key), until=LATER, now=NOW)

    with pytest.raises(ConfigurationError, match="issued by none of the authorities"):
        pki.check_client_certificate(made, client_ca=[authority.certificate], now=NOW)


def test_certificate_for_servers_is_no_client_certificate(
    authority: pki.Authority, key: ec.EllipticCurvePrivateKey
) -> None:
    """Extended key usage decides."""
    made = authority.issue_server(public_key=key.public_key(), names=["nl.police"], now=NOW)

    with pytest.raises(ConfigurationError, match="not for TLS clients"):
        pki.check_client_certificate(made, client_ca=[authority.certificate], now=NOW)
