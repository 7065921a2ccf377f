"""Past exchanges under a draft: what a gateway would have decided that had it in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rogatory import clock
from rogatory.agreements import CompiledAgreement
from rogatory.decisions import decide, decision_bytes, quota_usage, read_header
from rogatory.exchange.v1 import agreement_pb2, decision_pb2, envelope_pb2
from rogatory.pastentries import PastExchange
from rogatory.simulation import Change, Rerun, Simulation
from tests.property import strategies as s

CASES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Sent = tuple[envelope_pb2.Header, decision_pb2.DecisionContext]


@st.composite
def traffic(draw: st.DrawFn) -> list[Sent]:
    """Messages of few makes, so that quotas are used up, with contexts in order of entry."""
    makes = draw(st.lists(st.tuples(s.headers(), s.contexts()), min_size=1, max_size=3))
    sent = []
    entry = s.ENTRY
    for _ in range(draw(st.integers(1, 8))):
        header, drawn = draw(st.sampled_from(makes))
        context = decision_pb2.DecisionContext()
        context.CopyFrom(drawn)
        entry += draw(st.sampled_from((0, 1, s.DAY // 2, s.DAY)))
        context.entry_time.CopyFrom(clock.to_timestamp(entry * clock.NANOSECONDS_PER_SECOND))
        sent.append((header, context))
    return sent


@dataclass
class Counted:
    """What a message added to a quota."""

    clause_id: str
    pair: tuple[str, str]
    day: int
    units: int


def gateway(agreement: CompiledAgreement, sent: Sequence[Sent]) -> list[PastExchange]:
    """Decide and log messages as a gateway would that has an agreement in force, plainly."""
    counted: list[Counted] = []
    log = []
    for index, (header, drawn) in enumerate(sent):
        outcomes = {}
        day = drawn.entry_time.seconds // s.DAY
        for position, recipient in enumerate(header.recipients):
            pair = (header.sender, recipient.agency)
            context = decision_pb2.DecisionContext()
            context.CopyFrom(drawn)
            context.agreement_digest = agreement.digest
            del context.quotas[:]
            for quota in agreement.quota_clauses:
                count = sum(
                    item.units
                    for item in counted
                    if (item.clause_id, item.pair) == (quota.clause_id, pair)
                    and day - item.day < quota.period_days
                )
                context.quotas.add(clause_id=quota.clause_id, count=count)
            decision = decide(
                agreement=agreement, header=header, recipient_index=position, context=context
            )
            view = read_header(header)
            used = quota_usage(agreement=agreement, header=view, decision=decision)
            counted += [Counted(clause_id, pair, day, units) for clause_id, units in used.items()]
            outcomes[position] = decision_pb2.Outcome(
                recipient=recipient.agency,
                agreement_id=recipient.agreement_id,
                agreement_version=agreement.version,
                decision=decision,
                context=context,
            )
        log.append(
            PastExchange(
                index=index,
                entry_time=clock.to_nanoseconds(drawn.entry_time),
                leaf=bytes([index] * 32),
                header=header,
                outcomes=outcomes,
            )
        )
    return log


def simulated(simulation: Simulation, log: Sequence[PastExchange]) -> list[Rerun]:
    """Take a log and return what becomes of its outcomes."""
    return [rerun for exchange in log for rerun in simulation.take(exchange)]


def _outcomes(log: Sequence[PastExchange]) -> list[decision_pb2.Outcome]:
    return [outcome for exchange in log for _, outcome in sorted(exchange.outcomes.items())]


@CASES
@given(s.agreements(), traffic())
def test_an_agreement_changes_nothing_of_its_own_past(
    agreement: agreement_pb2.Agreement, sent: list[Sent]
) -> None:
    """Deciding again under the agreement in force gives what was recorded, to the byte."""
    ready = s.compiled(agreement)
    log = gateway(ready, sent)

    simulation = Simulation(s.compiled(agreement))
    reruns = simulated(simulation, log)

    assert {Change.NONE} == {rerun.change for rerun in reruns}
    assert not any(rerun.duties_differ for rerun in reruns)
    for rerun, outcome in zip(reruns, _outcomes(log), strict=True):
        assert decision_bytes(outcome.decision) == decision_bytes(rerun.decision)
        assert outcome.context == rerun.context
    assert (0, 0) == (simulation.total.changed, simulation.incomplete_quotas)


@settings(CASES, max_examples=150)
@given(s.agreements(), s.agreements(), traffic())
def test_a_draft_changes_what_a_gateway_with_it_would_decide_otherwise(
    before: agreement_pb2.Agreement, after: agreement_pb2.Agreement, sent: list[Sent]
) -> None:
    """Each outcome is the one of a gateway that had the draft in force for the same messages."""
    old, new = s.compiled(before), s.compiled(after)
    log = gateway(old, sent)
    # Quotas of both may look alike; what the log shows of them must not be counted twice.
    simulation = Simulation(new, agreements={old.digest: old})

    reruns = simulated(simulation, log)

    expected = _outcomes(gateway(new, sent))
    for rerun, outcome, recorded in zip(reruns, expected, _outcomes(log), strict=True):
        assert outcome.context == rerun.context
        assert decision_bytes(outcome.decision) == decision_bytes(rerun.decision)
        assert recorded == rerun.recorded
        differs = [p.disclosed for p in recorded.decision.parts] != [
            p.disclosed for p in outcome.decision.parts
        ] or (recorded.decision.disposition != outcome.decision.disposition)
        assert differs == rerun.change.counts
        event(rerun.change.value)
    assert len(reruns) == simulation.total.outcomes
    assert simulation.total.changed == sum(rerun.change.counts for rerun in reruns)
    for tallies in (simulation.by_partner, simulation.by_clause):
        assert simulation.total.changed == sum(tally.changed for tally in tallies.values())


@CASES
@given(s.agreements(), traffic(), st.data())
def test_part_of_a_log_is_enough(
    agreement: agreement_pb2.Agreement, sent: list[Sent], data: st.DataObject
) -> None:
    """Whoever holds some of the exchanges still sees no change under the agreement in force."""
    ready = s.compiled(agreement)
    log = gateway(ready, sent)
    kept = data.draw(st.lists(st.booleans(), min_size=len(log), max_size=len(log)))
    simulation = Simulation(ready)

    reruns = simulated(simulation, [item for item, keep in zip(log, kept, strict=True) if keep])

    event(f"incomplete: {simulation.incomplete_quotas > 0}")
    assert not any(rerun.change is not Change.NONE for rerun in reruns)
