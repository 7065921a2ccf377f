"""Re-running recorded decisions from the bytes of outcome, header and agreement."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rogatory.decisions import decide, recheck, redecide
from rogatory.errors import ReceiptError
from rogatory.exchange.v1 import decision_pb2, envelope_pb2
from tests.unit.rogatory.decisions import samples as s
from tests.unit.rogatory.decisions.condition_pairs import signed_by

AGREEMENT = s.compiled(
    """\
clauses:
  - clause_id: suspects
    article: Art. 1
    effect: permit
    conditions: {four_eyes: true}
"""
)


def _header() -> envelope_pb2.Header:
    return s.header(s.part(), signers=signed_by(*s.TWO_OFFICERS), recipients=[s.BETA, s.GAMMA])


def _outcome(header: envelope_pb2.Header) -> decision_pb2.Outcome:
    context = s.context(agreement=AGREEMENT, officers=s.TWO_OFFICERS)
    return decision_pb2.Outcome(
        recipient=s.GAMMA,
        agreement_id="test",
        agreement_version=1,
        decision=decide(agreement=AGREEMENT, header=header, recipient_index=1, context=context),
        context=context,
    )


def test_an_honest_decision_agrees() -> None:
    """From the bytes alone the decision comes out as recorded, to the byte."""
    header, outcome = _header(), _outcome(_header())

    replay = recheck(
        outcome=outcome.SerializeToString(deterministic=True),
        header=header.SerializeToString(deterministic=True),
        agreement=AGREEMENT.data,
    )

    assert replay.agrees
    assert outcome.decision == redecide(
        outcome=outcome.SerializeToString(deterministic=True),
        header=header.SerializeToString(deterministic=True),
        agreement=AGREEMENT,
        recipient_index=1,
    )


def test_without_an_agreement() -> None:
    """A refusal for want of an agreement is re-run as well."""
    header, context = _header(), s.context()
    outcome = decision_pb2.Outcome(
        recipient=s.BETA,
        agreement_id="test",
        decision=decide(agreement=None, header=header, recipient_index=0, context=context),
        context=context,
    )

    assert recheck(
        outcome=outcome.SerializeToString(deterministic=True),
        header=header.SerializeToString(deterministic=True),
        agreement=None,
    ).agrees


def _permit_what_was_not(outcome: decision_pb2.Outcome) -> None:
    del outcome.context.signers[1]


def _forget_an_obligation(outcome: decision_pb2.Outcome) -> None:
    outcome.decision.facts_unchecked = True


@pytest.mark.parametrize("tamper", [_permit_what_was_not, _forget_an_obligation])
def test_a_decision_that_does_not_follow_disagrees(
    tamper: Callable[[decision_pb2.Outcome], None],
) -> None:
    """What the rules do not say of the recorded context is found out."""
    outcome = _outcome(_header())
    tamper(outcome)

    replay = recheck(
        outcome=outcome.SerializeToString(deterministic=True),
        header=_header().SerializeToString(deterministic=True),
        agreement=AGREEMENT.data,
    )

    assert not replay.agrees


def _other_recipient(outcome: decision_pb2.Outcome) -> None:
    outcome.recipient = "zz.zeta"


def _other_digest(outcome: decision_pb2.Outcome) -> None:
    outcome.context.agreement_digest = bytes(32)


def _other_version(outcome: decision_pb2.Outcome) -> None:
    outcome.agreement_version = 2


def _signer_from_nowhere(outcome: decision_pb2.Outcome) -> None:
    outcome.context.signers[1].key = b"\x09" * 32


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (_other_recipient, "addresses no 'zz.zeta'"),
        (_other_digest, "rests on the agreement with digest"),
        (_other_version, "names version 2"),
        (_signer_from_nowhere, "a signature the header does not demand"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    tamper: Callable[[decision_pb2.Outcome], None], says: str
) -> None:
    """An outcome of another header, agreement or signer is no evidence at all."""
    outcome = _outcome(_header())
    tamper(outcome)

    with pytest.raises(ReceiptError, match=says):
        redecide(
            outcome=outcome.SerializeToString(deterministic=True),
            header=_header().SerializeToString(deterministic=True),
            agreement=AGREEMENT.data,
        )


def test_bytes_that_are_no_outcome() -> None:
    """Broken bytes are reported as such."""
    with pytest.raises(ReceiptError, match="outcome is not a"):
        redecide(outcome=b"\xff", header=b"", agreement=None)
