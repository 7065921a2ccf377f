"""The key ring: what statements add up to, and what they may not take back."""

from __future__ import annotations

import time

import pytest

from rogatory import statements
from rogatory.errors import KeyRejected, SignatureInvalid
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.keyring import KeyRing
from rogatory.signers import MemorySigner
from rogatory.statements import proto_key
from tests.support.world import DAY, HOUR, Agency, signer

NOW = time.time_ns()
SPKI = b"a TLS key".ljust(32)
LOW_ORDER = bytes(32)
"""A public key of low order (RFC 8032's base field: y = 0): any signature can be made to fit."""


@pytest.fixture
def alpha() -> Agency:
    """An agency with an officer."""
    return Agency(agency_id="de.bka", officers={"officer-1": [codes_pb2.OFFICER_RIGHT_APPROVE]})


@pytest.fixture
def ring(alpha: Agency) -> KeyRing:
    """A ring with its first statement."""
    made = KeyRing()
    made.add(alpha.statement(spki=SPKI, now=NOW), entry_time=NOW)
    return made


def _enrolled(
    key: MemorySigner, *, valid_from: int = NOW - HOUR, raw: bytes = b""
) -> key_statement_pb2.EnrolledKey:
    return statements.enrol(
        algorithm=key.public_key.algorithm,
        public_key=raw or key.public_key.raw,
        role=codes_pb2.KEY_ROLE_SIGNING,
        valid_from=valid_from,
        valid_until=NOW + DAY,
    )


def test_keys_of_the_first_statement(alpha: Agency, ring: KeyRing) -> None:
    """Every key is found by its fingerprint, with role, officer and rights."""
    signing = ring.get(alpha.signing.public_key.fingerprint)
    (officer,) = ring.keys_of("de.bka", codes_pb2.KEY_ROLE_OFFICER)
    (tls,) = ring.keys_of("de.bka", codes_pb2.KEY_ROLE_TLS)

    assert signing is not None
    assert ("de.bka", alpha.signing.public_key) == (signing.agency, signing.public_key)
    assert ("officer-1", (codes_pb2.OFFICER_RIGHT_APPROVE,)) == (officer.officer, officer.rights)
    assert (SPKI, None) == (tls.raw, tls.public_key)
    assert 3 == len(ring.keys_of("de.bka"))
    assert ["de.bka"] == list(ring.agencies())
    assert alpha.agency == ring.agency("de.bka")
    assert proto_key(alpha.root.public_key).public_key == alpha.root.public_key.raw


def test_strangers(ring: KeyRing) -> None:
    """Of whom nothing was stated, nothing is known; its first statement will be number one."""
    assert ring.agency("fr.pj") is None
    assert ring.root("fr.pj") is None
    assert ring.get(bytes(32)) is None
    assert [] == ring.keys_of("fr.pj")
    assert (1, b"") == ring.next_statement("fr.pj")


def test_next_statement(alpha: Agency, ring: KeyRing) -> None:
    """The ring says how an agency's next statement has to follow on."""
    assert (2, statements.digest(alpha.latest)) == ring.next_statement("de.bka")


def test_key_counts_from_its_entry(alpha: Agency, ring: KeyRing) -> None:
    """A key that is stated later is not valid before its entry, whatever the statement says."""
    late = signer("late")
    entry = NOW + HOUR
    ring.add(
        alpha.next_statement(now=NOW, keys=[_enrolled(late, valid_from=NOW - DAY)]),
        entry_time=entry,
    )

    known = ring.get(late.public_key.fingerprint)

    assert known is not None
    assert "KEY_NOT_YET_VALID" == known.fault_at(entry - 1)
    assert "" == known.fault_at(entry)


def test_revocation_never_reaches_back(alpha: Agency, ring: KeyRing) -> None:
    """A revocation counts from its entry at the earliest; a second one cannot lift or move it."""
    fingerprint = alpha.signing.public_key.fingerprint
    first, second = NOW + HOUR, NOW + 2 * HOUR
    ring.add(alpha.next_statement(now=NOW, revoked=[fingerprint]), entry_time=first)
    ring.add(alpha.next_statement(now=NOW, revoked=[fingerprint]), entry_time=second)

    known = ring.get(fingerprint)

    assert known is not None
    assert "" == known.fault_at(first - 1)
    assert "KEY_REVOKED" == known.fault_at(first)


def _unchanged(ring: KeyRing, alpha: Agency) -> bool:
    return (3, 2) == (len(ring.keys_of("de.bka")), ring.next_statement("de.bka")[0])


def test_one_key_one_owner(alpha: Agency, ring: KeyRing) -> None:
    """A key that is enrolled already, or is the root, is refused, and nothing changes."""
    for key in (alpha.signing, alpha.root):
        before = alpha.latest
        statement = alpha.next_statement(now=NOW, keys=[_enrolled(key)])
        alpha.latest = before
        with pytest.raises(SignatureInvalid, match="enrolled already"):
            ring.add(statement, entry_time=NOW)

    assert _unchanged(ring, alpha)


def test_one_key_twice_in_a_statement(alpha: Agency, ring: KeyRing) -> None:
    """The same key stated twice at once is refused too: it would have two roles or two owners."""
    key = _enrolled(signer("twice"))

    with pytest.raises(SignatureInvalid):
        ring.add(alpha.next_statement(now=NOW, keys=[key, key]), entry_time=NOW)

    assert _unchanged(ring, alpha)


def test_revoking_what_is_not_yours(alpha: Agency, ring: KeyRing) -> None:
    """An agency revokes its own keys, and no other's."""
    other = Agency(agency_id="fr.pj")
    ring.add(other.statement(spki=b"another TLS key".ljust(32), now=NOW), entry_time=NOW)

    with pytest.raises(SignatureInvalid, match=r"not a key of de\.bka"):
        ring.add(
            alpha.next_statement(now=NOW, revoked=[other.signing.public_key.fingerprint]),
            entry_time=NOW,
        )

    assert _unchanged(ring, alpha)
    known = ring.get(other.signing.public_key.fingerprint)
    assert known is not None
    assert known.revoked_from is None


def test_keys_of_low_order(alpha: Agency, ring: KeyRing) -> None:
    """A key that verifies what nobody signed is not enrolled."""
    bad = _enrolled(signer("x"), raw=LOW_ORDER)

    with pytest.raises(KeyRejected):
        ring.add(alpha.next_statement(now=NOW, keys=[bad]), entry_time=NOW)

    assert _unchanged(ring, alpha)


def test_repeated_and_skipped_statements(alpha: Agency, ring: KeyRing) -> None:
    """A statement is taken once, in its turn."""
    first = alpha.latest
    second = alpha.next_statement(now=NOW)
    third = alpha.next_statement(now=NOW)

    for statement in (first, third):
        with pytest.raises(SignatureInvalid, match="does not follow"):
            ring.add(statement, entry_time=NOW)
    ring.add(second, entry_time=NOW)
    ring.add(third, entry_time=NOW)

    assert 4 == ring.next_statement("de.bka")[0]
