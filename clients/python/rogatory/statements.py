"""Key statements: an agency's offline root names the keys the agency works with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from rogatory import clock, dsse, keys, wire
from rogatory.errors import SignatureInvalid
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, envelope_pb2, key_statement_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rogatory.signers import Signer

TLS_ALGORITHM = "SPKI"
"""Algorithm name of TLS keys: the DER SubjectPublicKeyInfo of the client certificate (RFC 5280)."""


def build(
    *,
    agency: key_statement_pb2.Agency,
    root: keys.PublicKey,
    create_time: int,
    keys: Sequence[key_statement_pb2.EnrolledKey] = (),
    revocations: Sequence[key_statement_pb2.Revocation] = (),
    sequence: int = 1,
    previous_digest: bytes = b"",
) -> key_statement_pb2.KeyStatement:
    """Return a statement, checked against its schema.

    Args:
        create_time: Nanoseconds since the Unix epoch.
        sequence: 1 for the first; each further one adds to those before it.
        previous_digest: SHA-256 of the previous statement's bytes.

    Raises:
        EnvelopeError: a field breaks the schema's rules.
    """
    statement = key_statement_pb2.KeyStatement(
        schema_version=1,
        agency=agency,
        sequence=sequence,
        create_time=clock.to_timestamp(create_time),
        root=proto_key(root),
        previous_digest=previous_digest,
        keys=keys,
        revocations=revocations,
    )
    wire.validate(statement, what="key statement")
    return statement


def proto_key(key: keys.PublicKey) -> agreement_pb2.PublicKey:
    """Return a public key as the protos carry it."""
    return agreement_pb2.PublicKey(algorithm=key.algorithm, public_key=key.raw)


def enrol(
    *,
    algorithm: str,
    public_key: bytes,
    role: codes_pb2.KeyRole.ValueType,
    valid_from: int,
    valid_until: int,
    officer: str = "",
    rights: Sequence[codes_pb2.OfficerRight.ValueType] = (),
) -> key_statement_pb2.EnrolledKey:
    """Return an entry for a statement; instants in nanoseconds since the Unix epoch."""
    return key_statement_pb2.EnrolledKey(
        public_key=agreement_pb2.PublicKey(algorithm=algorithm, public_key=public_key),
        role=role,
        valid_from_time=clock.to_timestamp(valid_from),
        valid_until_time=clock.to_timestamp(valid_until),
        officer=officer,
        rights=rights,
    )


def sign(
    statement: key_statement_pb2.KeyStatement, root: Signer
) -> key_statement_pb2.SignedKeyStatement:
    """Sign a statement with the agency's root key."""
    data = statement.SerializeToString(deterministic=True)
    signature = root.sign(dsse.pae(dsse.KEY_STATEMENT_TYPE, data))
    return key_statement_pb2.SignedKeyStatement(
        statement=data,
        signature=envelope_pb2.Signature(key=root.public_key.fingerprint, value=signature),
    )


def verify(signed: key_statement_pb2.SignedKeyStatement) -> key_statement_pb2.KeyStatement:
    """Check a statement's schema and that the root it names signed it; return it.

    This says that the statement is whole. Whether that root is the agency's is for whoever pinned
    it: an agreement, or an earlier statement.

    Raises:
        EnvelopeError: malformed, or a field breaks the schema's rules.
        KeyRejected: the root or a key is not acceptable.
        SignatureInvalid: the root did not sign it, or a key does not fit its role.
    """
    statement = wire.decode(key_statement_pb2.KeyStatement, signed.statement, what="key statement")
    wire.validate(statement, what="key statement")
    root = keys.PublicKey(statement.root.algorithm, statement.root.public_key)
    if signed.signature.key != root.fingerprint:
        raise SignatureInvalid(
            f"the key statement of {statement.agency.agency_id} is signed by another key than "
            "the root it names",
            hint="Sign it with the root key that stands in it.",
        )
    root.verify(signed.signature.value, dsse.pae(dsse.KEY_STATEMENT_TYPE, signed.statement))
    for key in statement.keys:
        _check_role(key)
    return statement


def check_follows(
    statement: key_statement_pb2.KeyStatement,
    *,
    root: keys.PublicKey | None,
    sequence: int,
    digest: bytes,
) -> None:
    """Check that a statement follows on the agency's latest one (``sequence`` 0: none).

    Raises:
        SignatureInvalid: another root, a gap in the sequence, or another predecessor.
    """
    agency = statement.agency.agency_id
    if root is not None and statement.root.public_key != root.raw:
        raise SignatureInvalid(
            f"{agency} is enrolled with another root key",
            hint="Sign with the root the agency was enrolled with; agreements pin it.",
        )
    if statement.sequence != sequence + 1 or statement.previous_digest != digest:
        raise SignatureInvalid(
            f"statement {statement.sequence} of {agency} does not follow statement {sequence}",
            hint="Fetch the agency's statements from the directory and number the next one on.",
        )


def digest(signed: key_statement_pb2.SignedKeyStatement) -> bytes:
    """Return the SHA-256 that the next statement names as its predecessor."""
    return hashlib.sha256(signed.statement).digest()


def _check_role(key: key_statement_pb2.EnrolledKey) -> None:
    public = key.public_key
    officer = key.role == codes_pb2.KEY_ROLE_OFFICER
    if officer != bool(key.officer) or (key.rights and not officer):
        raise SignatureInvalid(
            "officer keys name an officer's pseudonym and rights, other keys neither",
            hint="State one pseudonym for each officer key.",
        )
    if (key.role == codes_pb2.KEY_ROLE_TLS) != (public.algorithm == TLS_ALGORITHM):
        raise SignatureInvalid(
            f"algorithm {public.algorithm} does not go with key role "
            f"{codes_pb2.KeyRole.Name(key.role)}",
            hint="TLS keys are enrolled as SPKI, all others by their own algorithm.",
        )
    if key.valid_until_time.ToNanoseconds() <= key.valid_from_time.ToNanoseconds():
        raise SignatureInvalid(
            "a key's validity ends before it begins", hint="State a later valid_until_time."
        )
