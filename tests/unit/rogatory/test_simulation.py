"""What is decided again under a draft, what is left out, and how changes are told apart."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rogatory.agreements import CompiledAgreement, compile_agreement, read_agreement, render
from rogatory.clock import NANOSECONDS_PER_DAY, to_timestamp
from rogatory.decisions import decide
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.pastentries import PastExchange
from rogatory.records.v1 import common_pb2
from rogatory.simulation import Change, Citation, LeftOut, Rerun, Simulation
from tests.unit.rogatory.client.world import AGENCIES, NOW, message_id, signer

FR, DE, TH = AGENCIES
INDICATORS = """
  - {clause_id: indicators, article: Art. 2(1), effect: permit,
     scope: {kinds: [transfer, request], categories: [indicator]}}
"""
PERSONS = """
  - {clause_id: persons, article: Art. 2(2), effect: permit, scope: {categories: [person]}}
"""
QUOTA = """
  - {clause_id: indicators, article: Art. 2(1), effect: permit,
     scope: {categories: [indicator]},
     conditions: {quota: {unit: messages, limit: 2, period_days: 2}}}
"""


def agreement(
    clauses: str = INDICATORS, *, agreement_id: str = "x", parties: Sequence[str] = (FR, DE)
) -> CompiledAgreement:
    """Return an agreement with these clauses."""
    text = (
        f"agreement_id: {agreement_id}\nversion: 1\ntitle: Test\nunpermitted_parts: withhold\n"
        "valid_from_time: 2026-01-01\n"
        f"parties: [{', '.join(f'{{agency: {party}}}' for party in parties)}]\n"
        f"clauses:{clauses}"
    )
    roots = {party: signer(f"{party} root").public_key for party in parties}
    return compile_agreement(render(read_agreement(text), roots=roots))


def exchange(
    then: CompiledAgreement | None,
    *,
    number: int = 1,
    day: int = 0,
    to: Sequence[tuple[str, str]] = ((DE, "x"),),
    categories: Sequence[codes_pb2.PartCategory.ValueType] = (codes_pb2.PART_CATEGORY_INDICATOR,),
    counted: int = 0,
    request: bool = False,
) -> PastExchange:
    """Return what was logged of a message, decided under an agreement for each recipient."""
    entry_time = NOW + day * NANOSECONDS_PER_DAY
    header = envelope_pb2.Header(
        schema_version=1,
        message_id=message_id(number),
        sender=FR,
        recipients=[
            envelope_pb2.Recipient(agency=agency, agreement_id=agreement_id, article="Art. 2")
            for agency, agreement_id in to
        ],
        kind=codes_pb2.KIND_REQUEST if request else codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        urgency=codes_pb2.URGENCY_ROUTINE,
        handling=envelope_pb2.Handling(tlp=common_pb2.TLP_AMBER),
        parts=[
            envelope_pb2.PartDescriptor(
                category=category, facts=envelope_pb2.PartFacts(record_count=1)
            )
            for category in categories
        ],
    )
    context = decision_pb2.DecisionContext(
        entry_time=to_timestamp(entry_time),
        agreement_digest=b"" if then is None else then.digest,
        recipient_enrolled=True,
    )
    for quota in () if then is None else then.quota_clauses:
        context.quotas.add(clause_id=quota.clause_id, count=counted)
    outcomes = {
        position: decision_pb2.Outcome(
            recipient=recipient.agency,
            agreement_id=recipient.agreement_id,
            decision=decide(
                agreement=then, header=header, recipient_index=position, context=context
            ),
            context=context,
        )
        for position, recipient in enumerate(header.recipients)
    }
    return PastExchange(
        index=number,
        entry_time=entry_time,
        leaf=number.to_bytes(32, "big"),
        header=header,
        outcomes=outcomes,
    )


INDICATOR, PERSON = codes_pb2.PART_CATEGORY_INDICATOR, codes_pb2.PART_CATEGORY_PERSON
BOTH = (INDICATOR, PERSON)


@pytest.mark.parametrize(
    ("before", "after", "categories", "change"),
    [
        (INDICATORS, INDICATORS, BOTH, Change.NONE),
        (INDICATORS, PERSONS, (INDICATOR,), Change.REFUSED),
        (INDICATORS, PERSONS, (PERSON,), Change.PERMITTED),
        (INDICATORS, INDICATORS + PERSONS, BOTH, Change.PARTS),
        (INDICATORS, PERSONS, BOTH, Change.PARTS),
        (INDICATORS, INDICATORS.replace("(1)", "(7)"), (INDICATOR,), Change.RESTATED),
    ],
)
def test_changes_are_told_apart(
    before: str,
    after: str,
    categories: Sequence[codes_pb2.PartCategory.ValueType],
    change: Change,
) -> None:
    """An outcome changes by disposition or by what is disclosed; another article is apart."""
    simulation = Simulation(agreement(after))

    (rerun,) = simulation.take(exchange(agreement(before), categories=categories))

    assert change is rerun.change
    counted = int(change.counts)
    assert (1, counted) == (simulation.total.outcomes, simulation.total.changed)
    assert 1 - counted == simulation.total.unchanged


def test_tables_name_the_clauses_and_the_partners() -> None:
    """Changes are counted by what decided and would decide, and by sender and recipient."""
    before = agreement(INDICATORS, parties=AGENCIES)
    simulation = Simulation(agreement(PERSONS, parties=AGENCIES))

    for number, agency in enumerate((DE, DE, TH), start=1):
        simulation.take(exchange(before, number=number, to=[(agency, "x")]))
    simulation.take(exchange(before, number=4, to=[(DE, "x")], categories=[PERSON]))

    by_clause = {
        (before.clause_id, after.article): (tally.refused, tally.permitted)
        for (before, after), tally in simulation.by_clause.items()
    }
    assert {("indicators", "Art. 2"): (3, 0), ("", "Art. 2(2)"): (0, 1)} == by_clause
    assert {(FR, DE): (3, 2, 1), (FR, TH): (1, 1, 0)} == {
        pair: (tally.outcomes, tally.refused, tally.permitted)
        for pair, tally in simulation.by_partner.items()
    }
    assert 4 == simulation.exchanges


def test_other_parts_are_told_by_the_first_that_differs() -> None:
    """Where the message goes with other parts, the clauses named are those of the part."""
    simulation = Simulation(agreement(INDICATORS + PERSONS))

    (rerun,) = simulation.take(exchange(agreement(), categories=BOTH))

    assert (Citation("Art. 2", ""), Citation("Art. 2(2)", "persons")) == rerun.citations


def test_what_does_not_concern_the_draft_is_left_out_and_counted() -> None:
    """Other agreements, agencies that are no party, closed outcomes, training, no agreement."""
    now = agreement()
    several = exchange(now, to=[(DE, "x"), (TH, "x"), (DE, "y"), (DE, "x")])
    closed = PastExchange(
        index=several.index,
        entry_time=several.entry_time,
        leaf=several.leaf,
        header=several.header,
        outcomes={0: several.outcomes[0]},
    )
    training = exchange(now, number=2)
    training.header.exercise = True
    simulation = Simulation(now)

    reruns = [*simulation.take(closed), *simulation.take(training)]
    reruns += simulation.take(exchange(None, number=3))

    assert [0] == [rerun.position for rerun in reruns]
    assert (
        LeftOut(other_agreement=1, no_party=1, not_openable=1, no_agreement=1, other_traffic=1)
        == simulation.left_out
    )


def test_training_is_simulated_apart_and_uses_up_no_quota() -> None:
    """With exercise, training traffic alone is decided again."""
    quota = agreement(QUOTA)
    simulation = Simulation(quota, exercise=True)
    past = [exchange(quota, number=number) for number in range(1, 5)]
    for item in past[1:]:
        item.header.exercise = True

    reruns = [rerun for item in past for rerun in simulation.take(item)]

    assert [Change.NONE] * 3 == [rerun.change for rerun in reruns]
    assert 1 == simulation.left_out.other_traffic


def test_what_was_refused_for_want_of_an_agreement_on_demand() -> None:
    """Attempts from before there was an agreement can be decided as if there had been one."""
    simulation = Simulation(agreement(), without_agreement=True)

    (rerun,) = simulation.take(exchange(None))

    assert (Change.PERMITTED, 1) == (rerun.change, simulation.total.permitted)
    assert rerun.terms_before is None


def test_another_agreement_as_if_it_were_the_draft() -> None:
    """The article cited is kept, and the header of the log stays as it was."""
    other = agreement(PERSONS, agreement_id="y")
    past = exchange(other, to=[(DE, "y")], categories=BOTH)
    simulation = Simulation(agreement(), instead_of=["y"])

    (rerun,) = simulation.take(past)

    assert (Change.PARTS, "indicators") == (rerun.change, rerun.decision.parts[0].clause_id)
    assert "y" == past.header.recipients[0].agreement_id


def dispositions(reruns: Sequence[Rerun]) -> list[decision_pb2.Disposition.ValueType]:
    """Return what becomes of outcomes under the draft."""
    return [rerun.decision.disposition for rerun in reruns]


def test_all_else_stands_as_it_was_recorded() -> None:
    """Only agreement and quotas are others in the context: time, signers and standings are kept."""
    now, draft = agreement(), agreement(QUOTA)
    past = exchange(now)
    recorded = past.outcomes[0].context
    recorded.reference = decision_pb2.REFERENCE_STANDING_SENT_TO_RECIPIENT
    recorded.procedure.request.asking_agency = FR
    recorded.signers.add(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)

    (rerun,) = Simulation(draft).take(past)

    expected = decision_pb2.DecisionContext()
    expected.CopyFrom(recorded)
    expected.agreement_digest = draft.digest
    expected.quotas.add(clause_id="indicators", count=0)
    assert expected == rerun.context


PERMITTED, REFUSED = decision_pb2.DISPOSITION_PERMITTED, decision_pb2.DISPOSITION_REFUSED


def test_a_quota_of_the_draft_is_counted_in_the_log() -> None:
    """What goes uses it up, over its window of UTC days, for each pair by itself."""
    now, draft = agreement(parties=AGENCIES), agreement(QUOTA, parties=AGENCIES)
    simulation = Simulation(draft)
    days = (0, 0, 1, 2, 2, 2)
    past = [exchange(now, number=number, day=day) for number, day in enumerate(days, start=1)]
    past.append(exchange(now, number=9, day=2, to=[(TH, "x")]))

    reruns = [rerun for item in past for rerun in simulation.take(item)]

    # On the third day the first has left the window, and what was refused had used up nothing.
    expected = [PERMITTED, PERMITTED, REFUSED, PERMITTED, PERMITTED, REFUSED, PERMITTED]
    assert expected == dispositions(reruns)
    assert [0, 1, 2, 0, 1, 2, 0] == [rerun.context.quotas[0].count for rerun in reruns]


def test_what_the_log_does_not_show_of_a_quota_is_taken_as_recorded() -> None:
    """A single exchange from the end of a window is not decided as if it had been the first."""
    quota = agreement(QUOTA)
    wider = agreement(QUOTA.replace("limit: 2", "limit: 3"))
    past = exchange(quota, counted=2)

    same, more = Simulation(quota), Simulation(wider, agreements={quota.digest: quota})
    reruns = [*same.take(past), *more.take(past)]

    assert [Change.NONE, Change.PERMITTED] == [rerun.change for rerun in reruns]
    assert [2, 2] == [rerun.context.quotas[0].count for rerun in reruns]
    assert (1, 1) == (same.incomplete_quotas, more.incomplete_quotas)


def test_duties_and_deadlines_are_compared_for_what_goes() -> None:
    """Another retention or deadline is no change of the outcome, and told apart."""
    now = agreement()
    draft = agreement(
        INDICATORS.replace(
            "scope:",
            "obligations: {retention_days: 30}, conditions: {deadlines: ["
            "{urgency: routine, unit: days, amount: 7, kind: answer},"
            "{urgency: urgent, unit: hours, amount: 8, kind: answer}]}, scope:",
        )
    )
    simulation = Simulation(draft)
    known = Simulation(draft, agreements={now.digest: now})
    past = exchange(now, request=True)

    (rerun,) = simulation.take(past)
    (with_agreement,) = known.take(past)

    assert (Change.NONE, True) == (rerun.change, rerun.duties_differ)
    assert (None, ((3, 2, 7),)) == (rerun.terms_before, rerun.terms_after)
    assert ((), ((3, 2, 7),)) == (with_agreement.terms_before, with_agreement.terms_after)
    assert 1 == simulation.total.duties
