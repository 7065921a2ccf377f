"""Who may put a signature under a draft, and when it is complete."""

from __future__ import annotations

import pytest

from rogatory import clock, drafting, envelopes
from rogatory.errors import DraftError, EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from tests.unit.rogatory.client.world import NOW, YEAR
from tests.unit.rogatory.drafting.officers import (
    APPROVER,
    AUTHOR,
    BOTH,
    CLERK,
    LATER,
    a_draft,
    enrolled,
    key_of,
    named,
    ring_with,
    signed,
)

RING = ring_with()


def test_all_signatures_make_a_message() -> None:
    """What comes out is what a gateway verifies."""
    done = signed(a_draft("", AUTHOR, APPROVER), AUTHOR, APPROVER, "")

    data = drafting.complete(done, RING, now=LATER)

    keys = envelopes.verify_signatures(envelopes.open_envelope(data), RING, entry_time=LATER)
    assert ["", AUTHOR, APPROVER] == [key.officer for key in keys]


def test_incomplete_draft_says_who_is_missing() -> None:
    """By pseudonym, and the agency by what it is."""
    with pytest.raises(DraftError, match=r"by the agency's signing key, b\.lang") as caught:
        drafting.complete(signed(a_draft("", AUTHOR, APPROVER), AUTHOR), RING, now=LATER)

    assert "DRAFT_INCOMPLETE" == caught.value.reason


@pytest.mark.parametrize(
    ("officer", "says", "reason"),
    [
        (BOTH, BOTH, "DRAFT_SIGNER"),
        (APPROVER, AUTHOR, "DRAFT_SIGNER"),
        (APPROVER, "", "DRAFT_SIGNER"),
        (AUTHOR, AUTHOR, "DRAFT_SIGNED"),
    ],
    ids=["not named", "another's key", "no officer said", "twice"],
)
def test_signature_that_is_not_wanted_is_not_made(officer: str, says: str, reason: str) -> None:
    """Named by the header, once, with the own key."""
    draft = signed(a_draft(), AUTHOR)

    with pytest.raises(DraftError) as caught:
        drafting.sign(draft, key_of(officer), ring=RING, now=LATER, officer=says)

    assert reason == caught.value.reason


def test_officer_with_two_keys_signs_once() -> None:
    """Four eyes are two persons, not two keys."""
    ring = ring_with(enrolled(BOTH, 2))
    envelope = a_draft().header
    draft = drafting.make(
        header=envelope,
        contents=[message for message in a_draft().contents if message is not None],
        signed_by=[
            *named(BOTH),
            (key_of(BOTH, 2).public_key, codes_pb2.KEY_ROLE_OFFICER),
        ],
        salts=bytes,
    )
    first = drafting.sign(draft, key_of(BOTH), ring=ring, now=LATER, officer=BOTH)

    with pytest.raises(DraftError) as caught:
        drafting.sign(first, key_of(BOTH, 2), ring=ring, now=LATER, officer=BOTH)

    assert "DRAFT_SIGNED" == caught.value.reason


@pytest.mark.parametrize(
    ("now", "revoked", "reason"),
    [
        (LATER, True, "KEY_REVOKED"),
        (NOW - 1, False, "KEY_NOT_YET_VALID"),
        (NOW + YEAR - 1, False, ""),
        (NOW + YEAR, False, "EXPIRED"),
    ],
)
def test_key_must_be_valid_now(*, now: int, revoked: bool, reason: str) -> None:
    """As the agency's statements have it, at the moment of signing."""
    ring = ring_with(revoked=[key_of(APPROVER)] if revoked else [])
    found = ""

    try:
        drafting.sign(a_draft(), key_of(APPROVER), ring=ring, now=now, officer=APPROVER)
    except EnvelopeError as error:
        found = error.reason

    assert reason == found


def test_officer_without_the_right_signs_nothing() -> None:
    """Who may only draft is no signer."""
    with pytest.raises(EnvelopeError) as caught:
        drafting.sign(a_draft(AUTHOR, CLERK), key_of(CLERK), ring=RING, now=LATER, officer=CLERK)

    assert "OFFICER_RIGHT_MISSING" == caught.value.reason


def test_nobody_signs_after_a_departed_officer() -> None:
    """What bears a revoked key's signature can't be sent, so nobody should put a name to it."""
    draft = signed(a_draft(), AUTHOR)
    ring = ring_with(revoked=[key_of(AUTHOR)], at=LATER)

    with pytest.raises(EnvelopeError) as approving:
        drafting.sign(draft, key_of(APPROVER), ring=ring, now=LATER, officer=APPROVER)
    with pytest.raises(EnvelopeError) as sending:
        drafting.complete(signed(draft, APPROVER), ring, now=LATER)

    assert ["KEY_REVOKED"] * 2 == [approving.value.reason, sending.value.reason]


def test_forged_signature_shows() -> None:
    """In the state of its signer, to whoever signs next, and to whoever sends."""
    envelope = envelope_pb2.Envelope.FromString(signed(a_draft(), AUTHOR).data)
    envelope.signatures[0].value = bytes(64)
    forged = drafting.open_draft(envelope.SerializeToString(deterministic=True))

    states = drafting.signer_states(forged, RING, now=LATER)
    with pytest.raises(EnvelopeError) as caught:
        drafting.sign(forged, key_of(APPROVER), ring=RING, now=LATER, officer=APPROVER)

    assert [(True, "SIGNATURE_INVALID"), (False, "")] == [
        (state.signed, state.fault) for state in states
    ]
    assert "SIGNATURE_INVALID" == caught.value.reason


def test_approvers_alone_are_no_author() -> None:
    """Somebody has to answer for it."""
    ring = ring_with()
    done = signed(a_draft(APPROVER), APPROVER)

    with pytest.raises(EnvelopeError) as caught:
        drafting.complete(done, ring, now=LATER)

    assert "OFFICER_RIGHT_MISSING" == caught.value.reason


def test_states_name_officers_as_the_statements_do() -> None:
    """A key that no statement names has no pseudonym, and a fault."""
    draft = a_draft("", AUTHOR, BOTH)
    ring = ring_with(revoked=[key_of(BOTH)])
    stranger = ring_with()
    del stranger._keys[key_of(AUTHOR).public_key.fingerprint]

    known = drafting.signer_states(draft, ring, now=LATER)
    unknown = drafting.signer_states(draft, stranger, now=LATER)

    assert [("the agency's signing key", ""), (AUTHOR, ""), (BOTH, "KEY_REVOKED")] == [
        (state.name, state.fault) for state in known
    ]
    fingerprint = key_of(AUTHOR).public_key.fingerprint.hex()[:16]
    assert (f"key {fingerprint}", "KEY_UNKNOWN") == (unknown[1].name, unknown[1].fault)


def test_expiry_is_the_headers() -> None:
    """Nanoseconds, like every instant."""
    draft = a_draft()

    assert clock.to_nanoseconds(draft.header.expire_time) == draft.expires == NOW + YEAR
