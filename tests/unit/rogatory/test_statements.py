"""Key statements: what a root may say, and what nobody may say for it."""

from __future__ import annotations

import hashlib
import time

import pytest

from rogatory import statements
from rogatory.errors import EnvelopeError, RogatoryError, SignatureInvalid
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from tests.support.world import DAY, HOUR, Agency, signer

NOW = time.time_ns()
SPKI = b"a TLS key".ljust(32)


@pytest.fixture
def alpha() -> Agency:
    """An agency."""
    return Agency(agency_id="de.bka")


def _key(
    *,
    name: str = "key",
    role: codes_pb2.KeyRole.ValueType = codes_pb2.KEY_ROLE_SIGNING,
    algorithm: str = "",
    officer: str = "",
    rights: tuple[codes_pb2.OfficerRight.ValueType, ...] = (),
    until: int = NOW + DAY,
) -> key_statement_pb2.EnrolledKey:
    public = signer(name).public_key
    return statements.enrol(
        algorithm=algorithm or public.algorithm,
        public_key=public.raw,
        role=role,
        valid_from=NOW - HOUR,
        valid_until=until,
        officer=officer,
        rights=rights,
    )


def _signed(
    alpha: Agency, *keys: key_statement_pb2.EnrolledKey
) -> key_statement_pb2.SignedKeyStatement:
    made = statements.build(
        agency=alpha.agency, root=alpha.root.public_key, create_time=NOW, keys=keys
    )
    return statements.sign(made, alpha.root)


def test_signed_statement_verifies(alpha: Agency) -> None:
    """What the root signed comes back as it was said."""
    signed = _signed(alpha, _key())

    statement = statements.verify(signed)

    assert "de.bka" == statement.agency.agency_id
    assert alpha.root.public_key.raw == statement.root.public_key
    assert hashlib.sha256(signed.statement).digest() == statements.digest(signed)


def test_schema_is_checked_when_built(alpha: Agency) -> None:
    """A statement that breaks its schema is not even made."""
    with pytest.raises(EnvelopeError) as failed:
        statements.build(
            agency=key_statement_pb2.Agency(agency_id="DE"),
            root=alpha.root.public_key,
            create_time=NOW,
        )

    assert "FIELD_VIOLATIONS" == failed.value.reason


def test_another_keys_signature(alpha: Agency) -> None:
    """Signed by a key that is not the root it names, or over other bytes, it is nobody's word."""
    made = statements.build(agency=alpha.agency, root=alpha.root.public_key, create_time=NOW)
    foreign = statements.sign(made, signer("someone"))
    changed = _signed(alpha, _key())
    made.sequence = 2
    changed.statement = made.SerializeToString(deterministic=True)

    for signed in (foreign, changed):
        with pytest.raises(SignatureInvalid):
            statements.verify(signed)


def test_garbage(alpha: Agency) -> None:
    """Bytes that are no statement, or hold more than one, are refused as such."""
    signed = _signed(alpha, _key())
    signed.statement += b"\x00"

    with pytest.raises(EnvelopeError):
        statements.verify(signed)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(_key(role=codes_pb2.KEY_ROLE_OFFICER), id="officer key without an officer"),
        pytest.param(_key(officer="officer-1"), id="officer of a key that is none's"),
        pytest.param(_key(rights=(codes_pb2.OFFICER_RIGHT_SIGN,)), id="rights without an officer"),
        pytest.param(_key(role=codes_pb2.KEY_ROLE_TLS), id="TLS key that is no SPKI"),
        pytest.param(_key(algorithm=statements.TLS_ALGORITHM), id="SPKI that is no TLS key"),
        pytest.param(_key(until=NOW - HOUR), id="validity of no length"),
    ],
)
def test_keys_that_contradict_themselves(alpha: Agency, key: key_statement_pb2.EnrolledKey) -> None:
    """A key whose role, algorithm, officer or times do not go together is refused."""
    with pytest.raises(SignatureInvalid) as failed:
        statements.verify(_signed(alpha, key))

    assert failed.value.hint


def test_succession(alpha: Agency) -> None:
    """A statement follows on the one before: same root, next number, its digest."""
    first = alpha.statement(spki=SPKI, now=NOW)
    second = statements.verify(alpha.next_statement(now=NOW))
    root, digest = alpha.root.public_key, statements.digest(first)

    statements.check_follows(second, root=root, sequence=1, digest=digest)

    wrong = (
        {"root": signer("other").public_key, "sequence": 1, "digest": digest},
        {"root": root, "sequence": 2, "digest": digest},
        {"root": root, "sequence": 1, "digest": bytes(32)},
        {"root": None, "sequence": 0, "digest": b""},
    )
    for arguments in wrong:
        with pytest.raises(RogatoryError):
            statements.check_follows(second, **arguments)
