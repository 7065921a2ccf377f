"""Joining an exchange: the request an agency makes, and the answer of a gateway's operator.

Both are text files of PEM blocks (RFC 7468) that can be mailed and read out. A request holds a
certificate signing request and the agency's first key statement, signed by its root; so does one
for a new TLS key, with a further statement. A further statement may also come alone. An answer
holds the client certificate, the gateway's CA and, in its head, where the gateway is and by which
key its log is known.

.. code-block:: text

    Rogatory enrolment answer
    Agency: fr.police
    Gateway: gateway.example.org:8443
    Origin: gateway.example.org/exchange
    Log: gateway.example.org/exchange+1a2b3c4d+AbCd...=

    -----BEGIN CERTIFICATE-----
"""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rogatory import locales, statements, wire
from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.keys import PublicKey
from rogatory.notes import VerifierKey

MAX_FILE_BYTES = 256 * 1024

_STATEMENT = "ROGATORY KEY STATEMENT"
_REQUEST = "CERTIFICATE REQUEST"
_CERTIFICATE = "CERTIFICATE"
_ANSWER_TITLE = "Rogatory enrolment answer"
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\n([A-Za-z0-9+/=\n]*)-----END \1-----\n")
_ASK = "Ask whoever sent it to make it again and send it unchanged."


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """A request whose parts fit together; whether the agency is who it says is for people.

    Attributes:
        agency: The agency as it presents itself.
        root: Its root key: what both sides read to each other.
        statement: The signed key statement.
        csr: The certificate signing request, PEM; empty where a further statement comes alone.
        tls_key: The key to certify, DER SubjectPublicKeyInfo; enrolled in the statement. Empty
            where there is nothing to certify.
    """

    agency: key_statement_pb2.Agency
    root: PublicKey
    statement: key_statement_pb2.SignedKeyStatement
    csr: bytes
    tls_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentAnswer:
    """What a gateway's operator answers.

    Attributes:
        agency: Agency id.
        gateway: Address, ``host:port``.
        origin: The gateway's origin, which headers name as their audience.
        log_key: Verifier key of the log.
        certificate: The client certificate, with its chain if there is one, PEM.
        ca: Certificate of the authority that the gateway's own certificate comes from, PEM.
    """

    agency: str
    gateway: str
    origin: str
    log_key: VerifierKey
    certificate: bytes
    ca: bytes


def make_csr(agency: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a certificate signing request, PEM, with the agency id as common name."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, agency)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def write_request(*, csr: bytes, statement: key_statement_pb2.SignedKeyStatement) -> bytes:
    """Return the file of an enrolment request; for a further statement ``csr`` may be empty.

    Raises:
        ConfigurationError: Request and statement do not fit together.
    """
    encoded = base64.b64encode(statement.SerializeToString(deterministic=True)).decode()
    body = "\n".join(textwrap.wrap(encoded, 64))
    block = f"-----BEGIN {_STATEMENT}-----\n{body}\n-----END {_STATEMENT}-----\n".encode()
    parsed = read_request(csr + block)
    head = (
        f"Rogatory enrolment request\nAgency: {parsed.agency.agency_id}\nRoot: {parsed.root.text}\n"
    )
    return head.encode() + b"\n" + csr + block


def read_request(data: bytes) -> EnrolmentRequest:
    """Read an enrolment request and check that its parts fit together.

    1. The key statement verifies under the root that it names.
    2. The agency's time zone is one.
    3. The signing request is signed by the key it names; only a further statement has none.
    4. That key is the one TLS key of the statement, and the names are the same agency's.

    Whether a statement follows on those before it, only who holds those can say.

    Raises:
        ConfigurationError: It is not such a file, or a check failed.
    """
    blocks = _blocks(data, what="enrolment request")
    requests, raws = blocks.get(_REQUEST, []), blocks.get(_STATEMENT, [])
    if len(raws) != 1 or len(requests) > 1:
        raise _no_request()
    try:  # (1)
        signed = wire.decode(
            key_statement_pb2.SignedKeyStatement, _decode(raws[0]), what="signed key statement"
        )
        statement = statements.verify(signed)
        root = PublicKey(statement.root.algorithm, statement.root.public_key)
        root.check_enrolment()
        if statement.sequence == 1:
            statements.check_follows(statement, root=None, sequence=0, digest=b"")
    except RogatoryError as error:
        raise ConfigurationError(
            f"The key statement of the request does not hold: {error.message}", hint=error.hint
        ) from error
    locales.check_time_zone(statement.agency.time_zone)  # (2)
    if not requests:
        if statement.sequence == 1:
            raise _no_request()
        return EnrolmentRequest(
            agency=statement.agency, root=root, statement=signed, csr=b"", tls_key=b""
        )
    pem = _pem(_REQUEST, requests[0])
    try:  # (3)
        request = x509.load_pem_x509_csr(pem)
        tls_key = request.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        valid = request.is_signature_valid
    except ValueError as error:
        raise ConfigurationError(
            "The certificate signing request of the request cannot be read", hint=_ASK
        ) from error
    if not valid:
        raise ConfigurationError(
            "The certificate signing request of the request is not signed by its own key",
            hint=_ASK,
        )
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    enrolled = [
        key.public_key.public_key for key in statement.keys if key.role == codes_pb2.KEY_ROLE_TLS
    ]
    agency = statement.agency.agency_id
    if enrolled != [tls_key] or [name.value for name in names] != [agency]:  # (4)
        raise ConfigurationError(
            f"The signing request is not for the one TLS key of {agency}'s key statement",
            hint="Make both together: rogatory agency request, or rogatory agency statement.",
        )
    return EnrolmentRequest(
        agency=statement.agency, root=root, statement=signed, csr=pem, tls_key=tls_key
    )


def _no_request() -> ConfigurationError:
    return ConfigurationError(
        "This is not an enrolment request: it has not one signing request and one statement",
        hint="Use the file that rogatory agency request wrote.",
    )


def write_answer(answer: EnrolmentAnswer) -> bytes:
    """Return the file of an enrolment answer."""
    head = [
        _ANSWER_TITLE,
        f"Agency: {answer.agency}",
        f"Gateway: {answer.gateway}",
        f"Origin: {answer.origin}",
        f"Log: {answer.log_key.text}",
        "",
        "Client certificate:",
        "",
    ]
    blocks = [answer.certificate.strip(), b"", b"CA of the gateway:", b"", answer.ca.strip(), b""]
    return b"\n".join(["\n".join(head).encode(), *blocks])


def read_answer(data: bytes) -> EnrolmentAnswer:
    """Read an enrolment answer. Its last certificate is the gateway's CA.

    Raises:
        ConfigurationError: It is not such a file.
    """
    certificates = _blocks(data, what="enrolment answer").get(_CERTIFICATE, [])
    head: dict[str, str] = {}
    lines = data.decode().splitlines()
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        if not colon:
            break
        head[name] = value.strip()
    minimum = 2
    if (
        lines[:1] != [_ANSWER_TITLE]
        or head.keys() != {"Agency", "Gateway", "Origin", "Log"}
        or len(certificates) < minimum
    ):
        raise ConfigurationError(
            "This is not an enrolment answer",
            hint="Use the file that the gateway's operator sent; rogatory-gateway agency add"
            " writes it.",
        )
    try:
        log_key = VerifierKey.parse(head["Log"])
        for body in certificates:
            x509.load_pem_x509_certificate(_pem(_CERTIFICATE, body))
    except (RogatoryError, ValueError) as error:
        raise ConfigurationError(
            f"A key or certificate of the enrolment answer cannot be used: {error}", hint=_ASK
        ) from error
    return EnrolmentAnswer(
        agency=head["Agency"],
        gateway=head["Gateway"],
        origin=head["Origin"],
        log_key=log_key,
        certificate=b"".join(_pem(_CERTIFICATE, body) for body in certificates[:-1]),
        ca=_pem(_CERTIFICATE, certificates[-1]),
    )


def public_key_of(certificate: bytes) -> bytes:
    """Return the DER SubjectPublicKeyInfo of the first certificate of a PEM file.

    Raises:
        ConfigurationError: It is not a certificate.
    """
    try:
        loaded = x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        raise ConfigurationError("This is not a PEM certificate", hint=_ASK) from error
    return loaded.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _blocks(data: bytes, *, what: str) -> dict[str, list[str]]:
    try:
        text = data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"This is not an {what}: it is not text", hint=_ASK) from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigurationError(
            f"This is not an {what}: it is larger than {MAX_FILE_BYTES} bytes", hint=_ASK
        )
    found: dict[str, list[str]] = {}
    for label, body in _BLOCK.findall(text):
        found.setdefault(label, []).append(body)
    return found


def _decode(body: str) -> bytes:
    try:
        return base64.b64decode(body.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError("A block of the file is not base64", hint=_ASK) from error


def _pem(label: str, body: str) -> bytes:
    return f"-----BEGIN {label}-----\n{body.rstrip()}\n-----END {label}-----\n".encode()
