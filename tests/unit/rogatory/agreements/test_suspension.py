"""Suspensions as documents: signed by one root, numbered, in a file that can be mailed."""

from __future__ import annotations

import pytest

from rogatory.agreements import (
    is_suspension,
    open_suspension,
    sign_suspension,
    suspension_from_armour,
    suspension_to_armour,
)
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2
from tests.support.world import signer

ROOT = signer("nl.police root")


def declared(
    *, number: int = 1, reason: str = "under review"
) -> agreement_pb2.SignedAgreementSuspension:
    """Return a signed declaration of NL's."""
    return sign_suspension(
        agreement_pb2.AgreementSuspension(
            schema_version=1,
            agreement_id="pact",
            agency="nl.police",
            sequence=number,
            suspended=True,
            reason=reason,
        ),
        signer=ROOT,
    )


def test_its_file_holds_it_to_the_byte() -> None:
    """What is read from the file is what was written, and opens with the party's root."""
    signed = declared()

    text = suspension_to_armour(signed)

    assert is_suspension(text)
    assert signed == suspension_from_armour(text)
    assert "pact" == open_suspension(signed, root=ROOT.public_key, sequence=0).agreement_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("Declares: suspended", "Declares: no longer suspended", id="head"),
        pytest.param("Number: 1", "Number: 2", id="number"),
        pytest.param("SUSPENSION-----", "-----", id="label"),
        pytest.param("\n\n", "\n\nAA", id="body"),
        pytest.param("\n\n", "\n\n!", id="no-base64"),
    ],
)
def test_a_file_that_was_altered_is_refused(old: str, new: str) -> None:
    """The head must say what the bytes say."""
    text = suspension_to_armour(declared()).replace(old, new)

    with pytest.raises(AgreementError):
        suspension_from_armour(text)


@pytest.mark.parametrize(("root", "sequence"), [(signer("another root"), 0), (ROOT, 1), (ROOT, 2)])
def test_only_the_next_one_by_the_root_opens(root: object, sequence: int) -> None:
    """Another key's, an old one and one that skips a number are refused."""
    key = root.public_key  # type: ignore[attr-defined]  # a signer

    with pytest.raises(AgreementError):
        open_suspension(declared(), root=key, sequence=sequence)


def test_a_reason_is_needed() -> None:
    """It stands in the log for the other parties, so it is not left out."""
    with pytest.raises(AgreementError, match="reason"):
        declared(reason="")
