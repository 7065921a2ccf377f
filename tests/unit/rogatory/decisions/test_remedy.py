"""What a remedy may suggest, and what nobody is coached to: claiming something else."""

from __future__ import annotations

import pytest

from rogatory.decisions import decide
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from tests.unit.rogatory.decisions import samples as s

OFFENCES = f"""\
offences:
  - {{agency: {s.ALPHA}, iccs: 0701, maximum_penalty_months: 120}}
  - {{agency: {s.ALPHA}, iccs: 0601, maximum_penalty_months: 12}}
  - {{agency: {s.BETA}, iccs: 0701, maximum_penalty_months: 120}}
"""
SUSPECT = common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT
VICTIM = common_pb2.DATA_SUBJECT_CATEGORY_VICTIM
BOTH = s.header(s.part(), offences=["0601", "0701"])
OTHER = s.header(s.part(), offences=["0601"])
H1 = s.header(s.part(), siena=[codes_pb2.SIENA_CODE_H1])


def _clause(effect: str, *, scope: str = "", conditions: str = "") -> str:
    article = "Art. 1" if effect == "permit" else "Art. 2"
    return (
        f"  - {{clause_id: {effect}, article: {article}, effect: {effect}, scope: {{{scope}}},"
        f" conditions: {{{conditions}}}}}\n"
    )


def _permit(scope: str = "", conditions: str = "") -> str:
    return f"{OFFENCES}clauses:\n{_clause('permit', scope=scope, conditions=conditions)}"


def _permit_but(effect: str, scope: str = "", conditions: str = "") -> str:
    return _permit() + _clause(effect, scope=scope, conditions=conditions)


def _request(hours: int) -> envelope_pb2.Header:
    return s.header(
        s.part(codes_pb2.PART_CATEGORY_REQUEST),
        kind=codes_pb2.KIND_REQUEST,
        urgency=codes_pb2.URGENCY_URGENT,
        request=envelope_pb2.RequestParticulars(respond_by_time=s.at(hours * 3600)),
    )


def _decide(clauses: str, header: envelope_pb2.Header) -> decision_pb2.Decision:
    return decide(
        agreement=s.compiled(clauses), header=header, recipient_index=0, context=s.context()
    )


def test_there_is_no_change_of_what_a_message_claims() -> None:
    """The contract has changes of what is sent and how, and no others."""
    assert {
        "without_part",
        "without_field_group",
        "without_data_subject",
        "cite_article",
        "second_approval",
        "case_reference",
        "justification",
        "sealing",
        "onward_transfer",
        "evidential_use",
        "retention_days",
        "deadline",
        "records_at_most",
        "tlp",
    } == {field.name for field in decision_pb2.Change.DESCRIPTOR.fields}


@pytest.mark.parametrize(
    ("clauses", "header"),
    [
        pytest.param(_permit("purposes: [prosecution]"), BOTH, id="another-purpose"),
        pytest.param(_permit("urgencies: [urgent]"), BOTH, id="another-urgency"),
        pytest.param(_permit('offences: ["07"]'), OTHER, id="another-offence"),
        pytest.param(_permit('offences: ["07"]'), BOTH, id="an-offence-fewer"),
        pytest.param(_permit("siena_codes: [h0]"), H1, id="a-restriction-fewer"),
        pytest.param(_permit("tlp: [green, clear]"), BOTH, id="a-laxer-label"),
        pytest.param(_permit(conditions="dual_criminality: true"), OTHER, id="dual-criminality"),
        pytest.param(_permit(conditions="minimum_penalty_months: 48"), BOTH, id="penalty"),
        pytest.param(
            _permit(conditions="deadlines: [{urgency: routine, within: 7 days}]"),
            _request(1),
            id="no-deadline-for-its-urgency",
        ),
        pytest.param(_permit_but("refuse", 'offences: ["06"]'), BOTH, id="refused-offence"),
        pytest.param(_permit_but("refuse", "siena_codes: [h1]"), H1, id="refused-restriction"),
        pytest.param(
            _permit_but("require", conditions="dual_criminality: true"), OTHER, id="required"
        ),
    ],
)
def test_nobody_is_coached_to_claim_something_else(
    clauses: str, header: envelope_pb2.Header
) -> None:
    """What only another purpose, offence, urgency or fewer SIENA codes would mend has no remedy."""
    decision = _decide(clauses, header)

    assert decision_pb2.DISPOSITION_REFUSED == decision.disposition
    assert not decision.HasField("remedy")


def test_what_a_refused_offence_is_about_may_be_left_out() -> None:
    """Where an offence bars some data only, the data can stay behind; the offence stays named."""
    clauses = _permit_but("refuse", 'offences: ["06"], field_groups: [health]')
    header = s.header(s.part(groups=[s.IDENTITY, s.HEALTH]), offences=["0601", "0701"])

    changes = _decide(clauses, header).remedy.changes

    assert [decision_pb2.Change(without_field_group=s.HEALTH)] == list(changes)


@pytest.mark.parametrize(
    ("scope", "emptied", "reduced", "change"),
    [
        pytest.param(
            "data_subjects: [suspect]",
            s.part(subjects=[SUSPECT]),
            s.part(subjects=[SUSPECT, VICTIM]),
            decision_pb2.Change(without_data_subject=SUSPECT),
            id="data-subject",
        ),
        pytest.param(
            "field_groups: [health]",
            s.part(groups=[s.HEALTH]),
            s.part(groups=[s.IDENTITY, s.HEALTH]),
            decision_pb2.Change(without_field_group=s.HEALTH),
            id="field-group",
        ),
    ],
)
def test_a_part_that_holds_nothing_else_stays_behind_with_what_is_left_out(
    scope: str,
    emptied: envelope_pb2.PartDescriptor,
    reduced: envelope_pb2.PartDescriptor,
    change: decision_pb2.Change,
) -> None:
    """One change is enough for both parts; where nothing would be left there is no remedy."""
    clauses = _permit_but("refuse", scope)

    both = _decide(clauses, s.header(emptied, reduced))
    alone = _decide(clauses, s.header(emptied))

    assert [change] == list(both.remedy.changes)
    assert not alone.HasField("remedy")


def test_a_later_deadline_keeps_the_urgency() -> None:
    """The deadline suggested is the one for the urgency that the message has."""
    rows = "{urgency: routine, within: 1 hour}, {urgency: urgent, within: 8 hours}"
    clauses = _permit(conditions=f"deadlines: [{rows}]")

    changes = _decide(clauses, _request(hours=7)).remedy.changes

    assert [
        agreement_pb2.Deadline(
            urgency=codes_pb2.URGENCY_URGENT,
            unit=agreement_pb2.DEADLINE_UNIT_HOURS,
            amount=8,
        )
    ] == [change.deadline for change in changes]


def test_a_stricter_label_beside_a_restriction_that_stays() -> None:
    """A TLP label may be suggested; the SIENA code stays as it is."""
    clauses = _permit_but("refuse", "tlp: [amber], siena_codes: [h1]")

    changes = _decide(clauses, H1).remedy.changes

    assert [decision_pb2.Change(tlp=common_pb2.TLP_RED)] == list(changes)


@pytest.mark.parametrize("officers", [[], [s.AUTHOR_KEY], [s.APPROVER_KEY]])
def test_second_approval_stands_for_every_signature_that_is_lacking(officers: list[bytes]) -> None:
    """Whoever has signed, it is one change, and with both officers' signatures it is permitted."""
    agreement = s.compiled(_permit(conditions="four_eyes: true"))
    header = s.header(s.part())

    before, after = (
        decide(
            agreement=agreement,
            header=header,
            recipient_index=0,
            context=s.context(officers=signed),
        )
        for signed in (officers, s.TWO_OFFICERS)
    )

    assert [decision_pb2.Change(second_approval=True)] == list(before.remedy.changes)
    assert decision_pb2.DISPOSITION_PERMITTED == after.disposition
