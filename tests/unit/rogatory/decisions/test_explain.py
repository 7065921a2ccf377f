"""Decisions in sentences, and the remedies they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf import json_format

from rogatory.decisions import decide, describe_change, describe_remedy, explain, summarise
from rogatory.exchange.v1 import decision_pb2
from rogatory.records.v1 import common_pb2
from tests.unit.rogatory.decisions import samples as s

CLAUSES = """\
clauses:
  - clause_id: suspects
    article: Art. 4(2)
    effect: permit
    scope: {categories: [person, indicator], field_groups: [identity]}
    conditions: {four_eyes: true}
    obligations: {retention_days: 30, acknowledge_within_hours: 8}
  - clause_id: requests
    article: Art. 5
    effect: permit
    scope: {kinds: [request]}
  - clause_id: no-health
    article: Art. 6
    effect: refuse
    scope: {field_groups: [health]}
    reach: part
"""


def _decide(
    *groups: common_pb2.FieldGroup.ValueType,
    officers: Sequence[bytes] = (),
    article: str = "Art. 4",
) -> decision_pb2.Decision:
    return decide(
        agreement=s.compiled(CLAUSES, unpermitted_parts="withhold"),
        header=s.header(s.part(groups=groups), s.part(s.INDICATOR), article=article),
        recipient_index=0,
        context=s.context(officers=officers),
    )


def test_the_smallest_change_is_named() -> None:
    """Two changes, both of them needed, and the article that would then permit."""
    agreement = s.compiled(CLAUSES)
    header = s.header(s.part(groups=[s.IDENTITY, s.BIOMETRICS]), article="Art. 4")

    decision = decide(agreement=agreement, header=header, recipient_index=0, context=s.context())

    assert (
        "With a second approval and without field group biometrics: permitted by Art. 4(2)."
        == describe_remedy(decision)
    )


def test_refusal_in_one_sentence() -> None:
    """What became of it, for whom, under which article, why, and what would have helped."""
    assert (
        "Refused for bb.beta under Art. 4(2): a condition is not met."
        " With a second approval: permitted by Art. 4(2)."
    ) == summarise(_decide(s.IDENTITY), recipient="bb.beta")


def test_withheld_part_in_one_sentence() -> None:
    """The withheld parts are named by their index."""
    decision = _decide(s.IDENTITY, s.HEALTH, officers=s.TWO_OFFICERS)

    assert (
        "Part 0 withheld under Art. 6: a clause refuses it."
        " Without field group health: permitted by Art. 4(2)."
    ) == summarise(decision)


def test_permitted_says_what_is_owed() -> None:
    """The clause that permits, how many were silent, and the recipient's duties."""
    assert [
        "Permitted under Art. 4(2).",
        "Art. 4(2) (suspects) permits parts 0 and 1.",
        "2 other clauses did not apply.",
        "The recipient erases it 30 days after entry.",
        "To be acknowledged within 8 hours.",
    ] == explain(_decide(s.IDENTITY, officers=s.TWO_OFFICERS))


def test_default_deny_says_why_each_clause_was_silent() -> None:
    """Every clause names the dimensions that keep it out."""
    lines = explain(_decide(s.IDENTITY, article="Art. 5"))

    assert "Art. 4(2) (suspects) does not apply (other article)." in lines
    assert "Art. 5 (requests) does not apply (other kind)." in lines


def test_conditions_are_named() -> None:
    """A clause that wants something says what."""
    lines = explain(_decide(s.IDENTITY))

    assert (
        "Art. 4(2) (suspects) wants of parts 0 and 1"
        " two officers' signatures (author and approver)."
    ) in lines


def test_no_agreement_has_no_remedy() -> None:
    """Where no clause was read there is no change to suggest, but somewhere to look."""
    decision = decide(
        agreement=None, header=s.header(s.part()), recipient_index=0, context=s.context()
    )

    assert [
        "Refused: no agreement of that id between the two is in force.",
        "See which agreements are in force: rogatory agreement list.",
    ] == explain(decision)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"without_part": 2}, "without part 2"),
        ({"without_data_subject": 3}, "without data on persons of category victim"),
        ({"cite_article": "Art. 2"}, "citing Art. 2"),
        ({"tlp": 2}, "labelled TLP amber strict"),
        ({"case_reference": True}, "with a case reference"),
        ({"justification": True}, "with a justification"),
        ({"sealing": 1}, "with parts sealed"),
        ({"sealing": 2}, "with parts in clear"),
        ({"onward_transfer": 1}, "with onward transfer never allowed"),
        ({"evidential_use": 2}, "with evidential use with consent"),
        ({"retention_days": 1}, "with a retention of at most 1 day"),
        ({"records_at_most": 5}, "with at most 5 records in a part"),
        (
            {"deadline": {"urgency": 2, "unit": "DEADLINE_UNIT_WORKING_DAYS", "amount": 3}},
            "asking for an answer no earlier than 3 working days after entry",
        ),
        ({}, "with a change that this version does not know"),
        ({"without_field_group": 11}, "without field group foreign"),
        ({"without_field_group": 99}, "without field group number 99"),
    ],
)
def test_phrases(change: dict[str, Any], phrase: str) -> None:
    """Every change there is has its phrase."""
    assert phrase == describe_change(json_format.ParseDict(change, decision_pb2.Change()))
