"""Agencies: examining an enrolment request, admitting, listing and revoking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rogatory import clock, keys, statements
from rogatory.audit.v1 import entry_pb2
from rogatory.enrolment import MAX_FILE_BYTES, EnrolmentAnswer, EnrolmentRequest, read_request
from rogatory.errors import ConfigurationError, KeyRejected
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.notes import VerifierKey
from rogatory.statements import TLS_ALGORITHM
from rogatory_gateway import pki
from rogatory_gateway.config import Settings, naming
from rogatory_gateway.ledger.items import OPERATOR, GovernanceItem
from rogatory_gateway.ledger.ledger import Ledger
from rogatory_gateway.ledger.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A request as the operator judges it.

    Attributes:
        request: The file's content: parts that fit together.
        statement: The key statement in it.
        tls_until: When the TLS key's enrolment ends, nanoseconds since the Unix epoch; 0 where
            there is none to certify.
        entered: The statement is in the log already: only the answer is to be made again.
    """

    request: EnrolmentRequest
    statement: key_statement_pb2.KeyStatement
    tls_until: int
    entered: bool

    @property
    def agency_id(self) -> str:
        """Id of the agency."""
        return self.request.agency.agency_id

    def describe(self) -> dict[str, Any]:
        """Return what the operator compares and decides on."""
        agency, root = self.request.agency, self.request.root
        return {
            "agency_id": agency.agency_id,
            "names": {name.language: name.name for name in agency.names},
            "kind": _short(codes_pb2.AgencyKind.Name(agency.kind), "AGENCY_KIND_"),
            "root": root.text,
            "root_fingerprint": root.fingerprint.hex(),
            "phrase": keys.phrase(root.fingerprint),
            "statement": self.statement.sequence,
            "keys": [
                {
                    "role": _short(codes_pb2.KeyRole.Name(key.role), "KEY_ROLE_"),
                    "officer": key.officer,
                    "fingerprint": keys.fingerprint(
                        key.public_key.algorithm, key.public_key.public_key
                    ).hex(),
                    "valid_until": clock.to_text(clock.to_nanoseconds(key.valid_until_time)),
                }
                for key in self.statement.keys
            ],
            "revoked_keys": [revocation.key.hex() for revocation in self.statement.revocations],
            "entered_before": self.entered,
        }


def read(path: Path) -> EnrolmentRequest:
    """Read an enrolment request.

    Raises:
        ConfigurationError: it can't be read, or its parts do not fit together.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be read: {error.strerror}", hint="Check the path, and who may read it."
        ) from error
    return read_request(data)


def examine(request: EnrolmentRequest, registry: Registry) -> Candidate:
    """Check a request against what is enrolled; `read` checked it by itself.

    1. gRPC's TLS can use the key to certify, if there is one.
    2. The operator has not revoked the agency since it made this statement.
    3. The TLS key was not revoked by the agency itself since.
    4. A statement that is new follows on those that are enrolled.

    Raises:
        RogatoryError: a step fails.
    """
    if request.tls_key:
        pki.load_tls_key(request.tls_key)  # (1)
    agency_id = request.agency.agency_id
    history = registry.statements.get(agency_id, [])
    signed = request.statement.SerializeToString(deterministic=True)
    entered = any(signed == statement for statement, _ in history)
    if entered and agency_id in registry.revoked:  # (2)
        raise ConfigurationError(
            f"{agency_id} was revoked, and this is the key statement that it had then",
            hint="To admit it again, ask it for a further key statement.",
        )
    known = registry.ring.get(keys.fingerprint(TLS_ALGORITHM, request.tls_key))
    if entered and known is not None and known.revoked_from is not None:  # (3)
        raise KeyRejected(
            f"{agency_id} has revoked the TLS key of this request",
            hint="Ask it for a request with the key that it uses now.",
        )
    if not entered:
        registry.ring.check(request.statement, entry_time=0)  # (4)
    statement = statements.verify(request.statement)
    return Candidate(
        request=request,
        statement=statement,
        tls_until=max(
            (
                clock.to_nanoseconds(key.valid_until_time)
                for key in statement.keys
                if key.role == codes_pb2.KEY_ROLE_TLS
            ),
            default=0,
        ),
        entered=entered,
    )


def admit(ledger: Ledger, candidate: Candidate) -> int | None:
    """Enter the key statement in the log; return the entry's index, None where it is there already.

    Raises:
        RogatoryError: the statement does not follow on those before it.
    """
    if candidate.entered:
        return None
    item = GovernanceItem(
        actor=OPERATOR,
        document=entry_pb2.Governance(key_statement=candidate.request.statement),
    )
    ledger.append([item])
    if item.error is not None:
        raise item.error
    return item.index


def certify(
    candidate: Candidate, settings: Settings, *, certificate: Path | None, now: int
) -> bytes:
    """Return the agency's client certificate chain as PEM: issued here, or the operator's own.

    Args:
        certificate: PEM file that the operator's own authority issued; its first certificate is
            the agency's.
        now: Nanoseconds since the Unix epoch.

    Raises:
        ConfigurationError: no way to a certificate, or one that won't be let in.
        KeyRejected: the certificate is for another key than the enrolled one.
    """
    moment = _moment(now)
    if certificate is not None:
        found = pki.read_certificates(certificate)
        if pki.spki_of(found[0]) != candidate.request.tls_key:
            raise KeyRejected(
                f"the certificate in {certificate} is for another key than the one that "
                f"{candidate.agency_id} enrols",
                hint="Issue it from the certificate request in the agency's file.",
            )
        with naming("[tls] client_ca"):
            authorities = pki.read_certificates(settings.tls.client_ca)
        pki.check_client_certificate(found[0], client_ca=authorities, now=moment)
        return b"".join(map(pki.to_pem, found))
    if settings.tls.client_ca_key is None:
        raise ConfigurationError(
            "this gateway has no sandbox authority that could issue a certificate",
            hint="Issue one from the request (see --request-out) and give it with --certificate.",
        )
    with naming("[tls] client_ca and client_ca_key"):
        sandbox = pki.read_authority(
            certificate=settings.tls.client_ca, key=settings.tls.client_ca_key
        )
    issued = sandbox.issue_client(
        agency_id=candidate.agency_id,
        spki=candidate.request.tls_key,
        until=_moment(candidate.tls_until),
        now=moment,
    )
    return pki.to_pem(issued)


def answer(
    candidate: Candidate, settings: Settings, *, certificate_pem: bytes, log_key: VerifierKey
) -> EnrolmentAnswer:
    """Return what the agency needs to connect and to verify.

    The authority named in it is the one that issued the gateway's own certificate.

    Raises:
        ConfigurationError: a certificate file can't be read.
    """
    with naming("[tls] certificate"):
        chain = pki.read_certificates(settings.tls.certificate)
    with naming("[tls] client_ca"):
        known = pki.read_certificates(settings.tls.client_ca)
    authority = pki.issuer_of(chain[-1], [*known, chain[-1]]) or known[0]
    return EnrolmentAnswer(
        agency=candidate.agency_id,
        gateway=settings.address,
        origin=settings.gateway.origin,
        log_key=log_key,
        certificate=certificate_pem,
        ca=pki.to_pem(authority),
    )


def revoke(ledger: Ledger, agency_id: str, *, reason: str) -> int:
    """Let an agency in no longer; return the index of the log entry.

    Raises:
        AgreementError: there is no such agency.
        ConfigurationError: it is revoked already, or no reason is given.
    """
    if not reason.strip():
        raise ConfigurationError(
            "--reason is empty, and the reason stands in the log for ever",
            hint="Say in a few words why the agency is shut out.",
        )
    ledger.refresh()
    if agency_id in ledger.registry.revoked:
        raise ConfigurationError(f"{agency_id} is revoked already", hint="Nothing is left to do.")
    item = GovernanceItem(
        actor=OPERATOR,
        document=entry_pb2.Governance(
            agency_revocation=entry_pb2.AgencyRevocation(agency_id=agency_id, reason=reason)
        ),
    )
    ledger.append([item])
    if item.error is not None:
        raise item.error
    return item.index


def listing(registry: Registry, *, now: int) -> list[dict[str, Any]]:
    """Return every agency ever admitted, in order, with what is valid of it now."""
    found = []
    for agency_id in registry.ring.agencies():
        agency = registry.ring.agency(agency_id)
        root = registry.ring.root(agency_id)
        assert agency is not None
        assert root is not None
        revoked_at = registry.revoked.get(agency_id)
        valid = [key for key in registry.ring.keys_of(agency_id) if not key.fault_at(now)]
        ends = [key.valid_until for key in valid if key.role == codes_pb2.KEY_ROLE_TLS]
        history = registry.statements[agency_id]
        found.append(
            {
                "agency_id": agency_id,
                "name": agency.names[0].name,
                "kind": _short(codes_pb2.AgencyKind.Name(agency.kind), "AGENCY_KIND_"),
                "state": "admitted" if revoked_at is None else "revoked",
                "admitted": clock.to_text(history[0][1]),
                "revoked": None if revoked_at is None else clock.to_text(revoked_at),
                "statements": len(history),
                "valid_keys": len(valid),
                "tls_until": clock.to_text(max(ends)) if ends else None,
                "root_fingerprint": root.fingerprint.hex(),
                "phrase": keys.phrase(root.fingerprint),
            }
        )
    return found


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // clock.NANOSECONDS_PER_SECOND, tz=UTC)


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()
