"""Each refusal that has no remedy says what to do next, and coaches nobody to misstate a fact."""

from __future__ import annotations

import pytest

from rogatory.decisions import decide, explain, next_step
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from tests.unit.rogatory.decisions import samples as s

CLAUSES = """\
clauses:
  - clause_id: cyber
    article: Art. 4(1)
    effect: permit
    scope: {categories: [indicator], offences: [0903]}
  - clause_id: never
    article: Art. 6
    effect: refuse
    scope: {purposes: [prosecution]}
    reach: message
"""


def refusal(
    ground: decision_pb2.Ground.ValueType,
    *findings: decision_pb2.ClauseFinding,
    article: str = "",
    clause_id: str = "",
) -> decision_pb2.Decision:
    """Return a refusal without a remedy."""
    return decision_pb2.Decision(
        disposition=decision_pb2.DISPOSITION_REFUSED,
        ground=ground,
        article=article,
        clause_id=clause_id,
        findings=findings,
    )


def finding(
    article: str,
    *,
    outside: decision_pb2.ScopeDimension.ValueType | None = None,
    unmet: decision_pb2.Condition.ValueType | None = None,
) -> decision_pb2.ClauseFinding:
    """Return what one clause said."""
    return decision_pb2.ClauseFinding(
        clause_id=f"of {article}",
        article=article,
        outside=[] if outside is None else [outside],
        unmet=[] if unmet is None else [unmet],
    )


@pytest.mark.parametrize(
    ("decision", "step"),
    [
        (
            refusal(decision_pb2.GROUND_UNKNOWN_RECIPIENT),
            "See who takes part: rogatory directory list.",
        ),
        (
            refusal(decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE),
            "See which agreements are in force: rogatory agreement list.",
        ),
        (
            refusal(
                decision_pb2.GROUND_NO_SUCH_ARTICLE,
                finding("Art. 4(1)", outside=decision_pb2.SCOPE_DIMENSION_ARTICLE),
                finding("Art. 5", outside=decision_pb2.SCOPE_DIMENSION_ARTICLE),
                finding("Art. 4(1)", outside=decision_pb2.SCOPE_DIMENSION_ARTICLE),
                finding("Art. 9", outside=decision_pb2.SCOPE_DIMENSION_KIND),
            ),
            "Cite one of its articles: Art. 4(1), Art. 5.",
        ),
        (
            refusal(decision_pb2.GROUND_NO_SUCH_ARTICLE),
            "It permits nothing: rogatory agreement show x has its text.",
        ),
        (
            refusal(
                decision_pb2.GROUND_NO_PERMITTING_CLAUSE,
                finding("Art. 4", outside=decision_pb2.SCOPE_DIMENSION_KIND),
            ),
            "See what it permits: rogatory agreement show x has its text.",
        ),
        (
            refusal(decision_pb2.GROUND_REFUSED_BY_CLAUSE, article="Art. 6", clause_id="never"),
            (
                "Art. 6 (never) refuses it whatever another clause permits:"
                " rogatory agreement show x has its text."
            ),
        ),
        (
            refusal(
                decision_pb2.GROUND_CONDITION_NOT_MET,
                finding("Art. 4", unmet=decision_pb2.CONDITION_QUOTA),
                article="Art. 4",
                clause_id="of Art. 4",
            ),
            "The quota of Art. 4 (of Art. 4) is used up: send it again when its period is over.",
        ),
        (
            refusal(
                decision_pb2.GROUND_CONDITION_NOT_MET,
                finding("Art. 4", unmet=decision_pb2.CONDITION_DUAL_CRIMINALITY),
                article="Art. 4",
                clause_id="of Art. 4",
            ),
            (
                "No other form of this message meets Art. 4 (of Art. 4):"
                " rogatory agreement show x has its text."
            ),
        ),
        (
            refusal(decision_pb2.GROUND_REFERENCE_NOT_HELD),
            (
                "Refer to a message that you sent to the recipient or received from it, as the"
                " article says: rogatory message show SENDER/MESSAGE_ID."
            ),
        ),
        (refusal(decision_pb2.GROUND_UNSPECIFIED), ""),
        (decision_pb2.Decision(disposition=decision_pb2.DISPOSITION_PERMITTED), ""),
    ],
)
def test_every_ground_has_its_step(decision: decision_pb2.Decision, step: str) -> None:
    """Whatever the ground, a refusal says where to look."""
    assert step == next_step(decision, agreement="x")


@pytest.mark.parametrize(
    ("offences", "step"),
    [
        (
            [],
            (
                "The message states no offence, and Art. 4(1) permits for certain offences only:"
                " state those it concerns as ICCS codes (--offence, Draft.offences)."
            ),
        ),
        (["0701"], "Art. 4(1) permits it for other offences only than those stated."),
        (None, "Art. 4(1) permits it for other offences only than those stated."),
    ],
)
def test_missing_offence_is_named(offences: list[str] | None, step: str) -> None:
    """Only where no offence is stated is the sender asked for one, and never for another."""
    decision = decide(
        agreement=s.compiled(CLAUSES),
        header=s.header(s.part(s.INDICATOR), article="Art. 4", offences=offences or ()),
        recipient_index=0,
        context=s.context(),
    )

    assert step == next_step(decision, offences=offences)


def test_refusal_with_a_remedy_needs_no_step() -> None:
    """The smallest change says it already."""
    decision = decide(
        agreement=s.compiled(CLAUSES),
        header=s.header(s.part(s.INDICATOR), article="Art. 5", offences=["0903"]),
        recipient_index=0,
        context=s.context(),
    )

    assert decision.HasField("remedy")
    assert "" == next_step(decision)


def test_step_ends_the_explanation() -> None:
    """What a clause refuses is followed by where to read it."""
    header = s.header(s.part(s.INDICATOR), article="Art. 4", offences=["0903"])
    header.purpose = codes_pb2.PURPOSE_PROSECUTION

    decision = decide(
        agreement=s.compiled(CLAUSES), header=header, recipient_index=0, context=s.context()
    )

    assert (
        "Art. 6 (never) refuses it whatever another clause permits: rogatory agreement show"
        " AGREEMENT has its text."
    ) == explain(decision)[-1]
