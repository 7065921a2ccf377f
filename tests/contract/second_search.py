"""Section 9.7 of docs/protocol.md once more, and the decision as a whole; see `second_decider`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rogatory.exchange.v1 import agreement_pb2 as ag
from rogatory.exchange.v1 import decision_pb2 as dc
from tests.contract import second_decider as rules
from tests.contract.second_decider import CONTEXT, DAY, PERMIT, Message, Part, Ruling, rule

PREFERENCE = [
    "cite_article",
    "case_reference",
    "justification",
    "second_approval",
    "sealing",
    "onward_transfer",
    "evidential_use",
    "retention_days",
    "deadline",
    "tlp",
    "without_field_group",
    "without_data_subject",
    "records_at_most",
    "without_part",
]
REPEATABLE = {"without_field_group", "without_data_subject", "without_part"}

Change = tuple[str, Any]
"""Name and value; of a deadline: (urgency, directly available, unit, amount)."""

_UNCHANGEABLE = {
    dc.SCOPE_DIMENSION_DIRECTION,
    dc.SCOPE_DIMENSION_KIND,
    dc.SCOPE_DIMENSION_ASSISTANCE_KIND,
    dc.SCOPE_DIMENSION_PURPOSE,
    dc.SCOPE_DIMENSION_OFFENCE,
    dc.SCOPE_DIMENSION_URGENCY,
}
_UNMEETABLE = {
    dc.CONDITION_QUOTA,
    dc.CONDITION_REFERENCE,
    dc.CONDITION_DUAL_CRIMINALITY,
    dc.CONDITION_MINIMUM_PENALTY,
}


def decide(agreement: ag.Agreement | None, message: Message) -> dc.Decision:
    """Return the decision of section 9."""
    decision = dc.Decision(facts_unchecked=any(p.sealed for p in message.parts))
    ground = rules.barred(agreement, message)
    if ground or agreement is None:
        decision.disposition = dc.DISPOSITION_REFUSED
        decision.ground = ground
        for _ in message.parts:
            decision.parts.add(ground=ground)
        return decision
    ruling = rule(agreement, message)
    decision.disposition = ruling.disposition
    decision.ground = ruling.reason[0]
    decision.article, decision.clause_id = _citation(ruling.reason, message)
    for reason in ruling.parts:
        article, clause_id = _citation(reason, message)
        decision.parts.add(
            disclosed=not reason[0],
            ground=reason[0],
            article=article,
            clause_id=clause_id,
        )
    decision.findings.extend(ruling.findings)
    _owe(decision, ruling)
    if ruling.disposition != dc.DISPOSITION_PERMITTED:
        _search(agreement, message, ruling, decision)
    return decision


def _citation(reason: rules.Reason, message: Message) -> tuple[str, str]:
    ground, clause = reason
    if clause is not None:
        return clause.article, clause.clause_id
    return (message.article if ground in rules.UNPERMITTED else ""), ""


def _owe(decision: dc.Decision, ruling: Ruling) -> None:
    owed = [clause.obligations for clause in ruling.permitting]
    if not any(one.ListFields() for one in owed):
        return
    decision.obligations.SetInParent()
    for field in ag.Obligations.DESCRIPTOR.fields:
        values = [getattr(one, field.name) for one in owed]
        if field.name != "confirm_in_writing_within_hours":
            values = [value for value in values if value] or [0]
        setattr(decision.obligations, field.name, min(values))


def _search(
    agreement: ag.Agreement, message: Message, ruling: Ruling, decision: dc.Decision
) -> None:
    frontier: list[tuple[tuple[Change, ...], Message, Ruling]] = [((), message, ruling)]
    tried: set[frozenset[Change]] = set()
    rulings = 0
    for _ in range(3):
        reached = []
        for made, at, said in frontier:
            for change in _candidates(agreement, at, said, made):
                changes = (*made, change)
                if frozenset(changes) in tried:
                    continue
                tried.add(frozenset(changes))
                changed = _apply(at, change)
                if changed is None:
                    continue
                rulings += 1
                outcome = rule(agreement, changed)
                if outcome.disposition == dc.DISPOSITION_PERMITTED:
                    _remedy(decision, changes, outcome)
                    return
                if rulings == 400:
                    return
                reached.append((changes, changed, outcome))
        frontier = reached


def _remedy(decision: dc.Decision, changes: tuple[Change, ...], outcome: Ruling) -> None:
    clause = outcome.reason[1]
    assert clause is not None
    decision.remedy.article, decision.remedy.clause_id = clause.article, clause.clause_id
    for name, value in sorted(changes, key=_rank):
        if isinstance(value, tuple):
            urgency, available, unit, amount = value
            deadline = ag.Deadline(
                urgency=urgency, directly_available=available, unit=unit, amount=amount
            )
            decision.remedy.changes.add(deadline=deadline)
        else:
            decision.remedy.changes.add(**{name: value})


def _rank(change: Change) -> int:
    return PREFERENCE.index(change[0])


def _candidates(
    agreement: ag.Agreement, message: Message, ruling: Ruling, made: tuple[Change, ...]
) -> list[Change]:
    found: list[Change] = []
    for clause, finding in zip(agreement.clauses, ruling.findings, strict=True):
        if clause.effect == PERMIT:
            found += _towards(clause, finding, message)
        elif finding.verdict in (dc.VERDICT_REFUSES, dc.VERDICT_CONDITION_NOT_MET):
            found += _away_from(clause, finding, message)
            found += _meet(clause, finding, message)
    for part, reason in zip(message.parts, ruling.parts, strict=True):
        if reason[0]:
            found.append(("without_part", part.position))
    used = {name for name, _ in made if name not in REPEATABLE}
    return sorted((c for c in dict.fromkeys(found) if c[0] not in used), key=_rank)


def _away_from(clause: ag.Clause, finding: dc.ClauseFinding, message: Message) -> Iterator[Change]:
    scope = clause.scope
    for part in message.parts:
        if part.position in finding.parts:
            yield "without_part", part.position
            yield from _each("without_field_group", part.groups & set(scope.field_groups))
            yield from _each("without_data_subject", part.subjects & set(scope.data_subjects))
    if scope.tlp:
        yield from _each("tlp", set(range(1, message.tlp)) - set(scope.tlp))


def _towards(clause: ag.Clause, finding: dc.ClauseFinding, message: Message) -> Iterator[Change]:
    scope = clause.scope
    outside = rules.outside_message(clause, message)
    if outside & _UNCHANGEABLE or (scope.siena_codes and message.siena - set(scope.siena_codes)):
        return
    near = [
        unit
        for unit in message.units
        if dc.SCOPE_DIMENSION_CATEGORY not in rules.outside_part(clause, unit)
    ]
    if near:
        if dc.SCOPE_DIMENSION_ARTICLE in outside:
            yield "cite_article", clause.article
        if scope.tlp and message.tlp not in scope.tlp:
            yield from _each("tlp", set(range(1, message.tlp)) & set(scope.tlp))
    for unit in near:
        if scope.field_groups:
            yield from _each("without_field_group", unit.groups - set(scope.field_groups))
        if scope.data_subjects:
            yield from _each("without_data_subject", unit.subjects - set(scope.data_subjects))
    if not _UNMEETABLE & set(finding.unmet):
        yield from _meet(clause, finding, message)


def _each(name: str, values: set[int] | frozenset[int]) -> Iterator[Change]:
    return ((name, value) for value in sorted(values))


def _meet(clause: ag.Clause, finding: dc.ClauseFinding, message: Message) -> Iterator[Change]:
    c, missing = clause.conditions, set(finding.unmet)
    values: dict[int, Change] = {
        dc.CONDITION_CASE_REFERENCE: ("case_reference", True),
        dc.CONDITION_JUSTIFICATION: ("justification", True),
        dc.CONDITION_FOUR_EYES: ("second_approval", True),
        dc.CONDITION_SEALING: ("sealing", c.sealing),
        dc.CONDITION_ONWARD_TRANSFER: ("onward_transfer", c.onward_transfer_at_most),
        dc.CONDITION_EVIDENTIAL_USE: ("evidential_use", c.evidential_use_at_most),
        dc.CONDITION_RETENTION: ("retention_days", c.retention_at_most_days),
        dc.CONDITION_RECORDS: ("records_at_most", c.records_at_most),
    }
    yield from (change for condition, change in values.items() if condition in missing)
    if dc.CONDITION_DEADLINE in missing:
        row = rules.deadline_row(clause, message)
        if row is not None:
            yield "deadline", (message.urgency, message.available, row.unit, row.amount)


def _apply(message: Message, change: Change) -> Message | None:  # noqa: PLR0911 - a list
    name, value = change
    parts = message.parts
    if name == "without_part":
        return _with_units(message, tuple(p for p in parts if p.position != value))
    if name == "without_field_group":
        left = tuple(p for p in parts if p.groups != {value})
        return _with_units(message, tuple(replace(p, groups=p.groups - {value}) for p in left))
    if name == "without_data_subject":
        left = tuple(p for p in parts if p.subjects != {value})
        return _with_units(message, tuple(replace(p, subjects=p.subjects - {value}) for p in left))
    if name == "sealing":
        sealed = value == ag.SEALING_DEMAND_SEALED
        return _with(message, tuple(replace(p, sealed=sealed) for p in parts))
    if name == "records_at_most":
        assert isinstance(value, int)
        return _with(message, tuple(replace(p, records=min(p.records, value)) for p in parts))
    if name in ("case_reference", "justification"):
        told: dict[str, Any] = {name: True}
        if not any(p.category == CONTEXT for p in parts):
            last = max((p.position for p in parts), default=-1)
            parts = (*parts, Part(last + 1, category=CONTEXT, records=1))
        return _with(
            message,
            tuple(replace(p, **told) if p.category == CONTEXT else p for p in parts),
        )
    if name == "retention_days":
        assert isinstance(value, int)
        return replace(message, retention=value * DAY)
    if name == "deadline":
        assert isinstance(value, tuple)
        row = ag.Deadline(unit=value[2], amount=value[3])
        return replace(message, respond=rules.length(row, message.weekday))
    field = {
        "cite_article": "article",
        "second_approval": "four_eyes",
        "onward_transfer": "onward",
        "evidential_use": "evidential",
    }.get(name, name)
    return replace(message, **{field: value})


def _with(message: Message, parts: tuple[Part, ...]) -> Message:
    return replace(message, parts=parts)


def _with_units(message: Message, parts: tuple[Part, ...]) -> Message | None:
    return _with(message, parts) if any(p.category != CONTEXT for p in parts) else None
