"""The registry: what follows from the governance entries at each instant, and for whom."""

from __future__ import annotations

import hashlib
import time

import pytest

from rogatory import keys
from rogatory.agreements import read_agreement, render, sign_agreement, with_signature
from rogatory.audit.v1 import entry_pb2
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2, agreement_service_pb2, codes_pb2
from rogatory.statements import TLS_ALGORITHM
from rogatory_gateway import pki
from rogatory_gateway.ledger.registry import Registry
from tests.support.world import DAY, Agency, signer

NOW = time.time_ns()
SPKI = {
    agency: pki.public_bytes(pki.make_key().public_key()) for agency in ("nl.police", "ro.police")
}
IN_FORCE = agreement_service_pb2.AGREEMENT_STATE_IN_FORCE
PENDING = agreement_service_pb2.AGREEMENT_STATE_PENDING
ENDED = agreement_service_pb2.AGREEMENT_STATE_ENDED
REPLACED = agreement_service_pb2.AGREEMENT_STATE_REPLACED

TEXT = """\
agreement_id: pact
version: {version}
title: A pact for tests
parties: [{{agency: nl.police}}, {{agency: ro.police}}]
valid_from_time: {start}
valid_until_time: {end}
unpermitted_parts: withhold
clauses:
  - {{clause_id: all, article: Art. 1, effect: permit, scope: {{categories: [indicator]}}}}
"""


def day(number: int) -> int:
    """Return the begin of a day of January 2026 (UTC), nanoseconds since the Unix epoch."""
    return 1_767_225_600_000_000_000 + (number - 1) * DAY


@pytest.fixture
def nl() -> Agency:
    """One party."""
    return Agency(agency_id="nl.police")


@pytest.fixture
def ro() -> Agency:
    """The other."""
    return Agency(agency_id="ro.police")


def enrolled(agency: Agency) -> entry_pb2.Governance:
    """Return the entry of an agency's first key statement."""
    return entry_pb2.Governance(
        key_statement=agency.statement(spki=SPKI[agency.agency_id], now=NOW)
    )


def agreed(
    *parties: Agency, version: int = 1, start: str = "2026-01-01", end: str = "2030-01-01"
) -> entry_pb2.Governance:
    """Return the entry of a version of the pact, signed by the roots that it pins."""
    agreement = read_agreement(TEXT.format(version=version, start=start, end=end))
    data = render(agreement, roots={party.agency_id: party.root.public_key for party in parties})
    signed = agreement_pb2.SignedAgreement(agreement=data)
    for party in parties:
        signed = with_signature(signed, sign_agreement(data, signer=party.root))
    return entry_pb2.Governance(agreement=signed)


def registry_of(*documents: entry_pb2.Governance) -> Registry:
    """Return the registry of a log that holds these."""
    return Registry.replay(
        (document.SerializeToString(deterministic=True), NOW + number)
        for number, document in enumerate(documents)
    )


def versions_at(registry: Registry, now: int) -> list[int]:
    """Return the state of each version at an instant."""
    return [registry.state_of(version, now=now) for version in registry.versions()]


def test_a_copy_changes_by_itself(nl: Agency, ro: Agency) -> None:
    """What a group adds to its copy is not there for others until the copy takes the place."""
    registry = registry_of(enrolled(nl))
    copy = registry.copy()

    copy.add(enrolled(ro), entry_time=NOW)
    copy.add(agreed(nl, ro), entry_time=NOW)
    copy.add(
        entry_pb2.Governance(agency_revocation=entry_pb2.AgencyRevocation(agency_id="nl.police")),
        entry_time=NOW,
    )

    assert (True, False) == (registry.is_enrolled("nl.police"), registry.is_enrolled("ro.police"))
    assert [] == list(registry.versions())
    assert (False, True) == (copy.is_enrolled("nl.police"), copy.is_enrolled("ro.police"))
    assert [IN_FORCE] == versions_at(copy, NOW)


def test_each_version_has_its_time(nl: Agency, ro: Agency) -> None:
    """The latest that has begun is in force; with its end the agreement ends, not only it."""
    registry = registry_of(
        agreed(nl, ro, version=1, start="2026-01-02", end="2026-01-20"),
        agreed(nl, ro, version=2, start="2026-01-10", end="2026-01-15"),
    )
    first, second = (version.compiled for version in registry.versions())

    found = {number: registry.in_force("pact", entry_time=day(number)) for number in (1, 5, 10, 16)}

    assert {1: None, 5: first, 10: second, 16: None} == found
    assert [PENDING, PENDING] == versions_at(registry, day(1))
    assert [IN_FORCE, PENDING] == versions_at(registry, day(5))
    assert [REPLACED, IN_FORCE] == versions_at(registry, day(10))
    assert [REPLACED, ENDED] == versions_at(registry, day(16))


def test_the_base_agreement_always_holds(nl: Agency, ro: Agency) -> None:
    """Before anything is entered, and under no other text."""
    registry = Registry()

    found = registry.in_force("base", entry_time=0)

    assert registry.base is found
    assert registry.base is registry.by_digest(registry.base.digest)
    assert [] == list(registry.versions())


@pytest.mark.parametrize("versions", [(2,), (1, 1), (1, 3)])
def test_versions_are_numbered_on(nl: Agency, ro: Agency, versions: tuple[int, ...]) -> None:
    """A version that does not follow is refused, and what was there stays."""
    *before, last = (agreed(nl, ro, version=version) for version in versions)
    registry = registry_of(*before)

    with pytest.raises(AgreementError, match=r"would be version [12], not"):
        registry.add(last, entry_time=NOW)

    assert len(before) == len(list(registry.versions()))


def test_an_agreement_with_a_false_root_ends_when_the_true_one_comes(
    nl: Agency, ro: Agency
) -> None:
    """Until a party is admitted its root is only what the others pinned; then it counts."""
    impostor = Agency(agency_id="ro.police")
    impostor.root = signer("an impostor's root")
    registry = registry_of(enrolled(nl), agreed(nl, impostor))
    before = registry.in_force("pact", entry_time=NOW)

    registry.add(enrolled(ro), entry_time=NOW)

    assert before is not None
    assert registry.in_force("pact", entry_time=NOW) is None
    assert [REPLACED] == versions_at(registry, NOW)


def test_a_root_that_is_enrolled_must_be_the_one_pinned(nl: Agency, ro: Agency) -> None:
    """Nothing is entered that could never hold."""
    impostor = Agency(agency_id="ro.police")
    impostor.root = signer("an impostor's root")
    registry = registry_of(enrolled(nl), enrolled(ro))

    with pytest.raises(AgreementError, match=r"another root for ro\.police"):
        registry.add(agreed(nl, impostor), entry_time=NOW)


def test_a_revocation_holds_until_the_next_statement(nl: Agency) -> None:
    """The operator shuts an agency out; a statement made after that lets it in again."""
    revocation = entry_pb2.Governance(
        agency_revocation=entry_pb2.AgencyRevocation(agency_id="nl.police", reason="left")
    )
    registry = registry_of(enrolled(nl), revocation)
    shut_out = registry.is_enrolled("nl.police")

    registry.add(entry_pb2.Governance(key_statement=nl.next_statement(now=NOW)), entry_time=NOW + 5)

    assert (False, True) == (shut_out, registry.is_enrolled("nl.police"))
    assert [NOW, NOW + 5] == [when for _, when in registry.statements["nl.police"]]


def test_nobody_is_revoked_who_is_not_there() -> None:
    """A misspelt id is an error, not an entry."""
    revocation = entry_pb2.Governance(
        agency_revocation=entry_pb2.AgencyRevocation(agency_id="nl.polcie")
    )

    with pytest.raises(AgreementError, match=r"no agency nl\.polcie"):
        Registry().add(revocation, entry_time=NOW)


def test_a_connection_key_is_found_with_its_newest_state(nl: Agency) -> None:
    """A key that a later statement revokes is known, and known to be revoked."""
    registry = registry_of(enrolled(nl))
    digest = hashlib.sha256(SPKI["nl.police"]).digest()
    before = registry.by_tls_key(digest)
    revoked = keys.fingerprint(TLS_ALGORITHM, SPKI["nl.police"])

    registry.add(
        entry_pb2.Governance(key_statement=nl.next_statement(now=NOW, revoked=[revoked])),
        entry_time=NOW + 5,
    )

    after = registry.by_tls_key(digest)
    assert before is not None
    assert after is not None
    assert (revoked, "nl.police", codes_pb2.KEY_ROLE_TLS) == (
        after.fingerprint,
        after.agency,
        after.role,
    )
    assert (None, NOW + 5) == (before.revoked_from, after.revoked_from)
    assert registry.by_tls_key(bytes(32)) is None


def test_what_an_agency_submits_must_be_its_own(nl: Agency, ro: Agency) -> None:
    """Another's statement is refused, and an agreement whose parties are not all admitted."""
    registry = registry_of(enrolled(nl))

    with pytest.raises(AgreementError, match=r"not nl\.police's to submit"):
        registry.check(enrolled(ro), submitted_by="nl.police", entry_time=NOW)
    with pytest.raises(AgreementError, match=r"party ro\.police of the agreement is not enrolled"):
        registry.check(agreed(nl, ro), submitted_by="nl.police", entry_time=NOW)


def test_a_check_leaves_nothing_behind(nl: Agency, ro: Agency) -> None:
    """Whether it is passed or not: only entering changes what holds."""
    registry = registry_of(enrolled(nl), enrolled(ro))

    registry.check(agreed(nl, ro), submitted_by="ro.police", entry_time=NOW)

    assert [] == list(registry.versions())
    assert registry.in_force("pact", entry_time=NOW) is None
