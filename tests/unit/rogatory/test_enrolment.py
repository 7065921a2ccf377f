"""Enrolment files: what an agency sends, what an operator answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory import statements
from rogatory.enrolment import (
    EnrolmentAnswer,
    make_csr,
    public_key_of,
    read_answer,
    read_request,
    write_answer,
    write_request,
)
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from tests.unit.rogatory.client.loopback import make_certificates
from tests.unit.rogatory.client.world import NOW, ORIGIN, YEAR, World, signer


def statement(
    key: ec.EllipticCurvePrivateKey,
    *,
    root: str = "fr root",
    sequence: int = 1,
    predecessor: bytes = b"",
) -> key_statement_pb2.SignedKeyStatement:
    """Return a signed key statement that enrols one TLS key."""
    root_signer = signer(root)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unsigned = statements.build(
        agency=key_statement_pb2.Agency(
            agency_id="fr.police",
            names=[key_statement_pb2.AgencyName(language="fr", name="Police nationale")],
            kind=codes_pb2.AGENCY_KIND_POLICE,
        ),
        root=root_signer.public_key,
        create_time=NOW,
        keys=[
            statements.enrol(
                algorithm=statements.TLS_ALGORITHM,
                public_key=public,
                role=codes_pb2.KEY_ROLE_TLS,
                valid_from=NOW,
                valid_until=NOW + YEAR,
            )
        ],
        sequence=sequence,
        previous_digest=predecessor if sequence == 1 else bytes(32),
    )
    return statements.sign(unsigned, root_signer)


def key() -> ec.EllipticCurvePrivateKey:
    """Return a TLS key."""
    return ec.generate_private_key(ec.SECP256R1())


def answer() -> EnrolmentAnswer:
    """Return an answer with real certificates."""
    certificates = make_certificates()
    return EnrolmentAnswer(
        agency="fr.police",
        gateway="gateway.test:8443",
        origin=ORIGIN,
        log_key=World().log_signer.key,
        certificate=certificates.tls.certificate,
        ca=certificates.tls.ca,
    )


def test_request_survives_its_file() -> None:
    """The operator reads what the agency wrote: who, which root, which TLS key."""
    tls = key()
    signed = statement(tls)

    found = read_request(write_request(csr=make_csr("fr.police", tls), statement=signed))

    assert ("fr.police", signer("fr root").public_key, signed) == (
        found.agency.agency_id,
        found.root,
        found.statement,
    )


def test_request_survives_a_mail_programs_line_ends() -> None:
    """CRLF is what mail makes of line ends."""
    tls = key()
    data = write_request(csr=make_csr("fr.police", tls), statement=statement(tls))

    assert read_request(data) == read_request(data.replace(b"\n", b"\r\n"))


def test_request_for_another_key_is_refused() -> None:
    """A certificate is asked for the key that the root enrolled, and for no other."""
    with pytest.raises(ConfigurationError, match="not for the one TLS key"):
        write_request(csr=make_csr("fr.police", key()), statement=statement(key()))


def test_request_under_another_name_is_refused() -> None:
    """The certificate's name is the agency's."""
    tls = key()

    with pytest.raises(ConfigurationError, match="not for the one TLS key"):
        write_request(csr=make_csr("de.police", tls), statement=statement(tls))


@pytest.mark.parametrize("certified", [True, False])
def test_further_statement_survives_its_file(*, certified: bool) -> None:
    """A further statement comes with a request for its TLS key, or alone."""
    tls = key()
    signed = statement(tls, sequence=2)
    csr = make_csr("fr.police", tls) if certified else b""

    read = read_request(write_request(csr=csr, statement=signed))

    assert (signed, csr, certified) == (read.statement, read.csr, bool(read.tls_key))


def test_first_statement_does_not_come_alone() -> None:
    """Whoever enrols needs a certificate."""
    with pytest.raises(ConfigurationError, match="not an enrolment request"):
        write_request(csr=b"", statement=statement(key()))


def test_first_statement_has_no_predecessor() -> None:
    """Number one follows on nothing."""
    tls = key()
    signed = statement(tls, predecessor=bytes(32))

    with pytest.raises(ConfigurationError, match="does not follow"):
        write_request(csr=make_csr("fr.police", tls), statement=signed)


def test_request_that_the_root_did_not_sign_is_refused() -> None:
    """A statement altered on the way does not hold."""
    tls = key()
    signed = statement(tls)
    signed.signature.value = bytes(64)

    with pytest.raises(ConfigurationError, match="key statement of the request does not hold"):
        write_request(csr=make_csr("fr.police", tls), statement=signed)


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xfe", b"x" * 300_000])
def test_other_files_are_no_requests(data: bytes) -> None:
    """The error says that the file is not a request."""
    with pytest.raises(ConfigurationError, match="not an enrolment request"):
        read_request(data)


def test_answer_survives_its_file() -> None:
    """The agency reads what the operator wrote."""
    given = answer()

    assert given == read_answer(write_answer(given))


def test_answer_keeps_a_chain_of_certificates() -> None:
    """The last certificate is the gateway's CA, those before it are the client's."""
    given = answer()
    chained = replace(given, certificate=given.certificate + given.ca)

    assert chained == read_answer(write_answer(chained))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Rogatory enrolment answer", b"Something else"),
        (b"Origin: ", b"Origins: "),
        (b"BEGIN CERTIFICATE", b"BEGIN NOTHING"),
    ],
)
def test_other_files_are_no_answers(old: bytes, new: bytes) -> None:
    """The error says that the file is not an answer."""
    with pytest.raises(ConfigurationError, match="not an enrolment answer"):
        read_answer(write_answer(answer()).replace(old, new))


def test_answer_with_a_broken_log_key_is_refused() -> None:
    """A log key that was mistyped is not installed."""
    given = answer()
    data = write_answer(given).replace(
        given.log_key.text.encode(), given.log_key.text[:-8].encode()
    )

    with pytest.raises(ConfigurationError, match="cannot be used"):
        read_answer(data)


def test_public_key_of_a_certificate_is_its_spki() -> None:
    """The key in a certificate is compared with the one that was enrolled."""
    certificates = make_certificates()
    loaded = serialization.load_pem_private_key(certificates.tls.key, None)

    expected = loaded.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    assert expected == public_key_of(certificates.tls.certificate)


def test_what_is_no_certificate_has_no_key() -> None:
    """The error says what it is not."""
    with pytest.raises(ConfigurationError, match="not a PEM certificate"):
        public_key_of(b"x")
