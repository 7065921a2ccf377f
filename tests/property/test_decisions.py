"""What holds of every decision, whatever the agreement, the message and the context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rogatory import wire
from rogatory.agreements import CompiledAgreement
from rogatory.decisions import (
    DecisionMemo,
    decide,
    decision_bytes,
    decision_key,
    explain,
    read_header,
    situate,
)
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2, envelope_pb2
from tests.property import strategies as s
from tests.property.reference import Reference

CASES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PERMITTED = decision_pb2.DISPOSITION_PERMITTED
WITHHELD = decision_pb2.DISPOSITION_WITHHELD
REFUSED = decision_pb2.DISPOSITION_REFUSED
CLAIMS = {
    decision_pb2.SCOPE_DIMENSION_KIND,
    decision_pb2.SCOPE_DIMENSION_PURPOSE,
    decision_pb2.SCOPE_DIMENSION_OFFENCE,
    decision_pb2.SCOPE_DIMENSION_URGENCY,
}
"""What a sender states as fact: no remedy may touch it."""


def _decide(
    agreement: agreement_pb2.Agreement | CompiledAgreement | None,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> decision_pb2.Decision:
    if isinstance(agreement, agreement_pb2.Agreement):
        agreement = s.compiled(agreement)
    return decide(agreement=agreement, header=header, recipient_index=0, context=context)


def _gone(decision: decision_pb2.Decision) -> set[int]:
    return {index for index, part in enumerate(decision.parts) if part.disclosed}


@settings(CASES, max_examples=500)
@given(s.agreements(), s.headers(), s.contexts())
def test_decides_as_the_rules_say(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """The decision agrees with a plain reading of the rules, part by part, for each recipient."""
    ready = s.compiled(agreement)
    for index in range(len(header.recipients)):
        expected = Reference(agreement, header, index, context).disclosed()

        decision = decide(agreement=ready, header=header, recipient_index=index, context=context)

        event(decision_pb2.Disposition.Name(decision.disposition))
        assert (expected is None) == (decision.disposition == REFUSED)
        assert (expected or [False] * len(header.parts)) == [p.disclosed for p in decision.parts]
        assert (decision.disposition == PERMITTED) == (expected is not None and all(expected))


@CASES
@given(st.one_of(st.none(), s.agreements()), s.headers(), s.contexts())
def test_total_and_well_formed(
    agreement: agreement_pb2.Agreement | None,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """Every input gets a decision that keeps its own schema, cites a ground, and can be told."""
    decision = _decide(agreement, header, context)

    assert [] == wire.violations(decision)
    assert (decision.disposition == PERMITTED) == (decision.ground == 0)
    assert len(header.parts) == len(decision.parts)
    assert all(part.disclosed == (part.ground == 0) for part in decision.parts)
    assert all(explain(decision, recipient="bb.beta"))
    if decision.findings and agreement is not None:
        said = [finding.clause_id for finding in decision.findings]
        assert [clause.clause_id for clause in agreement.clauses] == said


@CASES
@given(s.agreements(effects=(s.REQUIRE, s.REFUSE)), s.headers(), s.contexts())
def test_default_deny(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """An agreement without a permitting clause permits nothing."""
    decision = _decide(agreement, header, context)

    assert REFUSED == decision.disposition
    assert not _gone(decision)


@CASES
@given(s.agreements(), s.headers(), s.contexts())
def test_nothing_goes_without_a_clause_that_permits_it(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """Whatever goes names a permitting clause, and that lies under the cited article."""
    decision = _decide(agreement, header, context)
    permitting = {c.clause_id: c.article for c in agreement.clauses if c.effect == s.PERMIT}

    for part in decision.parts:
        if part.disclosed:
            assert part.article == permitting[part.clause_id]
            assert part.article.startswith(header.recipients[0].article)
    if decision.disposition == PERMITTED:
        assert decision.article == permitting[decision.clause_id]


@CASES
@given(s.agreements(), s.headers(), s.contexts())
def test_refusal_outranks_permission(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """A clause that refuses everything leaves nothing, however much others permit."""
    agreement.clauses.add(clause_id="nothing", article="Art. 99", effect=s.REFUSE)

    decision = _decide(agreement, header, context)

    assert REFUSED == decision.disposition
    assert not _gone(decision)


@settings(CASES, max_examples=300)
@given(
    s.agreements(),
    s.clauses(number=98, article="Art. 98", effects=(s.REQUIRE, s.REFUSE)),
    st.integers(0, 6),
    s.headers(),
    s.contexts(),
)
def test_adding_a_refusing_clause_never_permits_more(
    agreement: agreement_pb2.Agreement,
    clause: agreement_pb2.Clause,
    position: int,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """With one more clause that refuses or requires, anywhere, no further part goes."""
    context.quotas.add(clause_id=clause.clause_id, count=0)
    before = _decide(agreement, header, context)
    kept = list(agreement.clauses)
    del agreement.clauses[:]
    agreement.clauses.extend([*kept[:position], clause, *kept[position:]])

    after = _decide(agreement, header, context)

    assert _gone(after) <= _gone(before)
    assert after.disposition >= before.disposition


@CASES
@given(s.agreements(), s.headers(), s.contexts())
def test_equal_input_equal_decision(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """Deciding again, afresh or with what was remembered, gives the same bytes."""
    ready = s.compiled(agreement)
    first = decision_bytes(_decide(ready, header, context))

    assert first == decision_bytes(_decide(ready, header, context))
    assert first == decision_bytes(_decide(agreement, header, context))
    assert first == decision_bytes(decision_pb2.Decision.FromString(first))


@CASES
@given(s.agreements(), st.lists(st.tuples(s.headers(), s.contexts()), min_size=2, max_size=5))
def test_equal_keys_equal_decisions(
    agreement: agreement_pb2.Agreement,
    messages: list[tuple[envelope_pb2.Header, decision_pb2.DecisionContext]],
) -> None:
    """What is remembered under a key is what would be decided: neither time nor ids matter more."""
    ready = s.compiled(agreement)
    memo = DecisionMemo(capacity=2)
    for header, context in messages:
        twin = envelope_pb2.Header()
        twin.CopyFrom(header)
        twin.message_id = "01920000-0000-7000-8000-00000000ffff"
        for message in (header, twin):
            view = read_header(message)

            decided = memo.decide(agreement=ready, header=view, recipient_index=0, context=context)

            assert decided.encoded == decision_bytes(_decide(agreement, message, context))
        first, second = (
            decision_key(
                ready,
                situate(agreement=ready, header=read_header(m), recipient_index=0, context=context),
            )
            for m in (header, twin)
        )
        assert first == second


@settings(CASES, max_examples=300)
@given(s.agreements(), s.headers(), s.contexts())
def test_the_suggested_change_is_permitted_and_no_smaller_one(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """The message, changed as suggested, is permitted by the clause named; with less it is not."""
    ready = s.compiled(agreement)
    decision = _decide(ready, header, context)
    remedy = decision.remedy
    event(f"changes: {len(remedy.changes)}")
    assert not (remedy.changes and decision.disposition == PERMITTED)
    for changes in (remedy.changes, *_all_but_one(remedy.changes)):
        if changes:
            message, known = _changed(header, context, changes)

            outcome = _decide(ready, message, known)

            enough = len(changes) == len(remedy.changes)
            assert enough == (outcome.disposition == PERMITTED)
            if enough:
                said = (outcome.article, outcome.clause_id)
                assert (remedy.article, remedy.clause_id) == said


@settings(CASES, max_examples=300)
@given(s.agreements(), s.headers(), s.contexts())
def test_the_suggested_change_is_never_of_what_the_message_claims(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
) -> None:
    """The clause that would permit is already about the message's purpose, offences, urgency."""
    decision = _decide(agreement, header, context)
    said = {finding.clause_id: finding for finding in decision.findings}
    clauses = {clause.clause_id: clause for clause in agreement.clauses}

    if decision.HasField("remedy"):
        clause_id = decision.remedy.clause_id
        listed = clauses[clause_id].scope.siena_codes
        assert not CLAIMS & set(said[clause_id].outside)
        assert not listed or set(header.handling.siena_codes) <= set(listed)
    for change in decision.remedy.changes:
        assert not change.tlp or change.tlp < header.handling.tlp


def _all_but_one(
    changes: Sequence[decision_pb2.Change],
) -> Iterator[list[decision_pb2.Change]]:
    for left_out in range(len(changes)):
        yield [change for index, change in enumerate(changes) if index != left_out]


def _changed(
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
    changes: Sequence[decision_pb2.Change],
) -> tuple[envelope_pb2.Header, decision_pb2.DecisionContext]:
    message, known = envelope_pb2.Header(), decision_pb2.DecisionContext()
    message.CopyFrom(header)
    known.CopyFrom(context)
    _change(message, known, changes)
    return message, known


def _change(
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
    changes: Sequence[decision_pb2.Change],
) -> None:
    """Change a message as its sender would."""
    gone: set[int] = set()
    for change in changes:
        name = change.WhichOneof("change")
        value = getattr(change, name or "")
        simple = {
            "cite_article": (header.recipients[0], "article"),
            "tlp": (header.handling, "tlp"),
            "onward_transfer": (header.handling, "onward_transfer"),
            "evidential_use": (header.handling, "evidential_use"),
        }
        if name in simple:
            setattr(*simple[name], value)
        elif name == "retention_days":
            header.handling.retention_end_time.seconds = context.entry_time.seconds + value * s.DAY
        elif name == "deadline":
            header.request.respond_by_time.seconds = _due(context, value)
        elif name == "second_approval":
            context.signers.extend(s.lacking(context.signers))
        elif name in ("case_reference", "justification"):
            _context_facts(header, name)
        elif name == "without_part":
            gone.add(value)
        elif name in ("sealing", "records_at_most"):
            _change_parts(header, name, value)
        else:
            gone |= _leave_out(header, name or "", value)
    kept = [part for index, part in enumerate(header.parts) if index not in gone]
    del header.parts[:]
    header.parts.extend(kept)


def _change_parts(header: envelope_pb2.Header, name: str, value: int) -> None:
    for part in header.parts:
        if name == "sealing":
            part.sealed = value == agreement_pb2.SEALING_DEMAND_SEALED
        else:
            part.facts.record_count = min(part.facts.record_count, value)


def _leave_out(header: envelope_pb2.Header, name: str, value: int) -> set[int]:
    """Leave out a field group or data subject; return the parts that held nothing else."""
    emptied = set()
    for index, part in enumerate(header.parts):
        facts = part.facts
        listed = facts.field_groups if name == "without_field_group" else facts.data_subjects
        left = [number for number in listed if number != value]
        if listed and not left:
            emptied.add(index)
        del listed[:]
        listed.extend(left)  # type: ignore[arg-type]  # numbers
    return emptied


def _context_facts(header: envelope_pb2.Header, name: str) -> None:
    context = [p for p in header.parts if p.category == codes_pb2.PART_CATEGORY_CONTEXT]
    if not context:
        context = [header.parts.add(category=codes_pb2.PART_CATEGORY_CONTEXT)]
    for part in context:
        setattr(part.facts, name, True)


def _due(context: decision_pb2.DecisionContext, deadline: agreement_pb2.Deadline) -> int:
    entry = datetime.fromtimestamp(context.entry_time.seconds, UTC)
    if deadline.unit == agreement_pb2.DEADLINE_UNIT_HOURS:
        return int((entry + timedelta(hours=deadline.amount)).timestamp())
    left = deadline.amount
    while left:
        entry += timedelta(days=1)
        left -= deadline.unit == agreement_pb2.DEADLINE_UNIT_DAYS or entry.weekday() < 5
    return int(entry.timestamp())
