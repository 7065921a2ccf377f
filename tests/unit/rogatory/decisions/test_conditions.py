"""Each condition that an agreement can name, met and not met."""

from __future__ import annotations

import pytest

from rogatory.agreements import compile_agreement
from rogatory.decisions import decide
from rogatory.decisions.situation import deadline_length
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2, envelope_pb2
from rogatory.officers import four_eyes
from tests.unit.rogatory.decisions import samples as s
from tests.unit.rogatory.decisions.condition_pairs import CONDITION_PAIRS, ConditionPair

DAY = 86_400 * 10**9
_BOTH = ["SIGN", "APPROVE"]


@pytest.mark.parametrize("pair", CONDITION_PAIRS, ids=lambda pair: pair.name.replace(" ", "-"))
class TestPairs:
    """Two messages that differ in one thing get opposite outcomes citing the same clause."""

    def test_permitted_cites_the_clause(self, pair: ConditionPair) -> None:
        """The message that has it is permitted; the clause or its permission is cited."""
        decision = decide(
            agreement=compile_agreement(s.agreement_bytes(pair.agreement_text)),
            header=pair.permitted,
            recipient_index=0,
            context=pair.permitted_context,
        )

        assert decision_pb2.DISPOSITION_PERMITTED == decision.disposition
        if pair.condition:
            assert (pair.article, pair.clause_id) == (decision.article, decision.clause_id)

    def test_refused_cites_the_clause(self, pair: ConditionPair) -> None:
        """The message that lacks it is refused by that clause, for that condition alone."""
        decision = decide(
            agreement=compile_agreement(s.agreement_bytes(pair.agreement_text)),
            header=pair.refused,
            recipient_index=0,
            context=pair.refused_context,
        )

        assert pair.disposition == decision.disposition
        assert (pair.article, pair.clause_id) == (decision.article, decision.clause_id)
        spoke = next(f for f in decision.findings if f.clause_id == pair.clause_id)
        assert ([pair.condition] if pair.condition else []) == list(spoke.unmet)


def test_every_condition_has_a_pair() -> None:
    """The table names every condition there is."""
    numbers = set(decision_pb2.Condition.values()) - {decision_pb2.CONDITION_UNSPECIFIED}

    assert numbers == {pair.condition for pair in CONDITION_PAIRS} - {0}


@pytest.mark.parametrize(
    ("signers", "expected"),
    [
        ([("a", "OFFICER", "o1", ["SIGN"]), ("b", "OFFICER", "o2", ["APPROVE"])], True),
        ([("b", "OFFICER", "o2", ["APPROVE"]), ("a", "OFFICER", "o1", ["SIGN"])], True),
        ([("a", "OFFICER", "o1", _BOTH), ("b", "OFFICER", "o2", _BOTH)], True),
        ([("a", "OFFICER", "o1", _BOTH), ("b", "OFFICER", "o2", ["SIGN"])], True),
        ([("a", "SIGNING", "", []), ("b", "OFFICER", "o1", _BOTH)], False),
        ([("a", "SIGNING", "o2", ["SIGN"]), ("b", "OFFICER", "o1", ["APPROVE"])], False),
        ([("a", "OFFICER", "o1", ["APPROVE"]), ("b", "OFFICER", "o2", ["APPROVE"])], False),
        ([("a", "OFFICER", "o1", ["DRAFT"]), ("b", "OFFICER", "o2", ["APPROVE"])], False),
        ([("a", "OFFICER", "o1", _BOTH), ("b", "OFFICER", "o1", _BOTH)], False),
        ([("a", "OFFICER", "o1", ["SIGN"]), ("b", "OFFICER", "o1", ["APPROVE"])], False),
        ([("a", "OFFICER", "o1", ["SIGN"]), ("b", "OFFICER", "o2", ["SIGN"])], False),
        ([("b", "OFFICER", "o1", _BOTH)], False),
        ([("b", "OFFICER", "o1", ["SIGN"]), ("b", "OFFICER", "o2", ["APPROVE"])], False),
        ([("a", "SIGNING", "o2", ["APPROVE"]), ("c", "SIGNING", "o1", ["APPROVE"])], False),
        ([], False),
    ],
)
def test_four_eyes(signers: list[tuple[str, str, str, list[str]]], *, expected: bool) -> None:
    """Two officers with two keys: one may sign as author, the other may approve."""
    standings = [
        decision_pb2.SignerStanding(
            key=key.encode() * 32,
            role=codes_pb2.KeyRole.Value(f"KEY_ROLE_{role}"),
            officer=officer,
            rights=[codes_pb2.OfficerRight.Value(f"OFFICER_RIGHT_{right}") for right in rights],
        )
        for key, role, officer, rights in signers
    ]

    assert expected == four_eyes(standings)


@pytest.mark.parametrize(
    ("amount", "weekday", "days"),
    [
        (1, 0, 1),  # Monday to Tuesday
        (5, 0, 7),  # Monday to Monday
        (1, 4, 3),  # Friday to Monday
        (3, 3, 5),  # Thursday to Tuesday
        (1, 5, 2),  # Saturday to Monday
        (1, 6, 1),  # Sunday to Monday
        (5, 6, 5),  # Sunday to Friday
        (6, 5, 9),  # Saturday to Monday week
        (10, 2, 14),
    ],
)
def test_working_days(amount: int, weekday: int, days: int) -> None:
    """Working days skip Saturday and Sunday in UTC."""
    actual = deadline_length(agreement_pb2.DEADLINE_UNIT_WORKING_DAYS, amount, weekday)

    assert days * DAY == actual


def test_deadline_is_read_from_the_row_with_the_same_availability() -> None:
    """A row for what is directly available goes before the general one, and the other way round."""
    agreement = s.compiled(
        """\
clauses:
  - clause_id: requests
    article: Art. 1
    effect: permit
    conditions:
      deadlines:
        - {urgency: urgent, directly_available: true, within: 8 hours}
        - {urgency: urgent, within: 3 days}
"""
    )
    conditions = agreement.clauses[0].conditions

    assert conditions is not None
    urgent = codes_pb2.URGENCY_URGENT
    assert 0 == conditions.deadline(urgent, directly_available=True)
    assert 1 == conditions.deadline(urgent, directly_available=False)
    assert conditions.deadline(codes_pb2.URGENCY_ROUTINE, directly_available=False) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("{urgency: urgent, kind: decision, within: 30 days}", True),
        (
            "{urgency: urgent, within: 8 hours}, {urgency: urgent, kind: decision, within: 9 days}",
            True,
        ),
        ("{urgency: urgent, kind: answer, within: 9 hours}", False),
        (
            "{urgency: routine, within: 1 hour}, {urgency: urgent, kind: decision, within: 1 hour}",
            False,
        ),
    ],
)
def test_only_deadlines_to_answer_are_held_against_a_request(rows: str, *, expected: bool) -> None:
    """How long a decision or execution may take bars no request, and stands in for no answer."""
    agreement = s.compiled(
        "clauses: [{clause_id: requests, article: Art. 1, effect: permit,"
        f" conditions: {{deadlines: [{rows}]}}}}]"
    )
    request = s.header(
        s.part(codes_pb2.PART_CATEGORY_REQUEST),
        kind=codes_pb2.KIND_REQUEST,
        urgency=codes_pb2.URGENCY_URGENT,
        request=envelope_pb2.RequestParticulars(respond_by_time=s.at(8 * 3600)),
    )

    decision = decide(agreement=agreement, header=request, recipient_index=0, context=s.context())

    assert expected == (decision.disposition == decision_pb2.DISPOSITION_PERMITTED)


def test_no_deadline_for_the_urgency_is_not_met() -> None:
    """A clause with deadlines has to have one for the message's urgency."""
    agreement = s.compiled(
        """\
clauses:
  - clause_id: requests
    article: Art. 1
    effect: permit
    conditions: {deadlines: [{urgency: routine, within: 7 days}]}
"""
    )
    urgent = s.header(
        s.part(codes_pb2.PART_CATEGORY_REQUEST),
        kind=codes_pb2.KIND_REQUEST,
        urgency=codes_pb2.URGENCY_URGENT,
    )

    decision = decide(agreement=agreement, header=urgent, recipient_index=0, context=s.context())

    assert [decision_pb2.CONDITION_DEADLINE] == list(decision.findings[0].unmet)
    assert not decision.HasField("remedy")
