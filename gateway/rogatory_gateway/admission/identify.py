"""Who calls: from the client certificate's public key to an agency, looked up at every call.

The certificate proves possession of a key; the directory says whose key it is. What else stands in
the certificate, its subject included, decides nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rogatory.exchange.v1 import envelope_pb2
    from rogatory_gateway.errors import ServicerContext
    from rogatory_gateway.ledger.registry import Registry

REMEMBERED_CERTIFICATES = 4096
"""Certificates whose digests are remembered: 64 bytes each, so that parsing is done once."""

_SUPERVISOR_KINDS = frozenset(
    {codes_pb2.KIND_RECEIPT, codes_pb2.KIND_CORRECTION, codes_pb2.KIND_GOVERNANCE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated agency.

    Attributes:
        agency: Agency id.
        kind: ``AgencyKind`` number.
        key_digest: SHA-256 of the certificate's SubjectPublicKeyInfo.
        certificate: SHA-256 of the DER certificate.
    """

    agency: str
    kind: int
    key_digest: bytes
    certificate: bytes


class Identifier:
    """Tells callers apart."""

    def __init__(self, registry: Callable[[], Registry], now: Callable[[], int]) -> None:
        self._registry = registry
        self._now = now
        self._digests: dict[bytes, tuple[bytes, bytes]] = {}

    def identify(self, context: ServicerContext) -> Caller:
        """Return who makes a call.

        Raises:
            EnvelopeError: CERTIFICATE_MISSING, CERTIFICATE_UNKNOWN, AGENCY_REVOKED, KEY_REVOKED,
                KEY_NOT_YET_VALID or KEY_EXPIRED.
        """
        certificates: Iterable[bytes] = context.auth_context().get("x509_pem_cert", ())
        pem = next(iter(certificates), None)
        if pem is None:
            raise EnvelopeError(
                "the call came without a client certificate",
                hint="Connect with the TLS key and certificate that the operator issued.",
                reason="CERTIFICATE_MISSING",
            )
        key_digest, certificate = self._digests.get(pem) or self._digest(pem)
        return self._lookup(key_digest, certificate)

    def check(self, caller: Caller) -> None:
        """Check that a caller identified before still is let in: for each item of a stream.

        Raises:
            EnvelopeError: as `identify`.
        """
        self._lookup(caller.key_digest, caller.certificate)

    def _digest(self, pem: bytes) -> tuple[bytes, bytes]:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digests = (
            hashlib.sha256(key).digest(),
            hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest(),
        )
        if len(self._digests) >= REMEMBERED_CERTIFICATES:
            self._digests.clear()
        self._digests[pem] = digests
        return digests

    def _lookup(self, key_digest: bytes, certificate: bytes) -> Caller:
        registry = self._registry()
        known = registry.by_tls_key(key_digest)
        agency = None if known is None else registry.ring.agency(known.agency)
        if known is None or agency is None:
            raise EnvelopeError(
                "the certificate's key belongs to no enrolled agency",
                hint="Ask the operator to enrol it: `rogatory agency request` makes the file.",
                reason="CERTIFICATE_UNKNOWN",
            )
        if known.agency in registry.revoked:
            raise EnvelopeError(
                f"{known.agency} is no longer let in",
                hint="Ask the operator of the gateway.",
                reason="AGENCY_REVOKED",
            )
        fault = known.fault_at(self._now())
        if fault:
            raise EnvelopeError(
                f"the TLS key of {known.agency} is not valid: "
                f"{fault.removeprefix('KEY_').replace('_', ' ').lower()}",
                hint="State a new TLS key in a key statement and connect with it.",
                reason=fault,
            )
        return Caller(
            agency=known.agency,
            kind=agency.kind,
            key_digest=key_digest,
            certificate=certificate,
        )


def authorise(caller: Caller, header: envelope_pb2.Header, *, origin: str) -> None:
    """Check coarsely that a caller may send a message here at all.

    1. It is the caller's own.
    2. It is meant for this gateway.
    3. It is of a kind that agencies like the caller send.

    Raises:
        EnvelopeError: SENDER_MISMATCH, AUDIENCE_MISMATCH or NOT_AUTHORISED.
    """
    if header.sender != caller.agency:  # (1)
        raise EnvelopeError(
            f"the header names {header.sender} as sender; the certificate is {caller.agency}'s",
            hint="Send only in the name of the agency whose certificate connects.",
            reason="SENDER_MISMATCH",
        )
    if header.audience != origin:  # (2)
        raise EnvelopeError(
            f"the message is meant for {header.audience!r}; this is {origin!r}",
            hint="Set audience to this gateway's origin and sign again.",
            reason="AUDIENCE_MISMATCH",
        )
    kind = header.kind  # (3)
    if caller.kind == codes_pb2.AGENCY_KIND_SUPERVISORY_AUTHORITY and kind not in _SUPERVISOR_KINDS:
        raise EnvelopeError(
            f"a supervisory authority sends no {codes_pb2.Kind.Name(kind)}",
            hint="Send receipts, corrections and governance only.",
            reason="NOT_AUTHORISED",
        )
