"""Keys are chosen by pseudonym and right, as the agency's statements have them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rogatory import drafting
from rogatory.errors import ConfigurationError, DraftError
from rogatory.exchange.v1 import codes_pb2
from rogatory.keyring import KeyRing
from tests.unit.rogatory.drafting.officers import (
    AGENCY,
    APPROVE,
    APPROVER,
    AUTHOR,
    BOTH,
    CLERK,
    LATER,
    enrolled,
    key_of,
    named,
    ring_with,
)


def choose(
    author: str, *approvers: str, ring: KeyRing | None = None
) -> Sequence[drafting.KeyInRole]:
    """Choose the keys of officers in the usual ring."""
    return drafting.choose_officers(
        ring if ring is not None else ring_with(),
        AGENCY,
        author=author,
        approvers=approvers,
        now=LATER,
        prefer=lambda _: None,
    )


def test_author_and_approvers_are_found_by_pseudonym() -> None:
    """In this order, each with the key that the statements name."""
    assert named(AUTHOR, APPROVER, BOTH) == choose(AUTHOR, APPROVER, BOTH)
    assert named(APPROVER) == choose("", APPROVER)


@pytest.mark.parametrize("approver", [AUTHOR, BOTH])
def test_officer_is_named_once(approver: str) -> None:
    """Nobody approves what they sign themselves."""
    with pytest.raises(DraftError) as caught:
        choose(approver, approver)

    assert "DRAFT_FOUR_EYES" == caught.value.reason


@pytest.mark.parametrize(
    ("author", "approver", "why"),
    [
        (APPROVER, BOTH, "has not the right to sign"),
        (AUTHOR, CLERK, "has not the right to approve"),
        (AUTHOR, "e.nobody", "name none"),
    ],
)
def test_officer_needs_the_right(author: str, approver: str, why: str) -> None:
    """Refused before anything is made, and the error says what there is."""
    with pytest.raises(ConfigurationError, match=why):
        choose(author, approver)


def test_departed_officer_is_not_named() -> None:
    """A revoked key is none."""
    with pytest.raises(ConfigurationError, match="what there is is revoked"):
        choose(AUTHOR, APPROVER, ring=ring_with(revoked=[key_of(APPROVER)]))


def test_renewed_key_is_named_unless_the_old_one_is_at_work() -> None:
    """Of several valid keys the one stated last, or the one that the folder works with."""
    ring = ring_with(enrolled(APPROVER, 2))
    at_work = key_of(APPROVER).public_key

    latest, preferred = (
        drafting.choose_key(
            ring, AGENCY, officer=APPROVER, rights={APPROVE}, now=LATER, prefer=prefer
        )
        for prefer in (lambda _: None, lambda _: at_work.fingerprint)
    )

    assert (key_of(APPROVER, 2).public_key, at_work) == (latest, preferred)


def test_agency_signs_with_its_own_key() -> None:
    """Without an officer it is the signing key."""
    found = drafting.choose_key(ring_with(), AGENCY, now=LATER, prefer=lambda _: None)

    assert [(found, codes_pb2.KEY_ROLE_SIGNING)] == named("")
