"""The smallest change that would have been permitted.

A breadth-first search over sets of changes: the fewest changes win, and among as few the order of
`changes.PREFERENCE`. Candidates come from what the clauses said; each set is judged by the rules
themselves, so whatever is suggested really is permitted.

A remedy never coaches a sender to misstate facts. It may change what is sent, and the form and the
handling in which it is sent; never what the message claims: purpose, offences and urgency; nor does
it lift a restriction of the data's owner: SIENA codes stay, and a TLP label only becomes stricter.
What fails on these has no remedy, nor have quotas, unknown recipients and references that are not
held.
"""

from __future__ import annotations

from collections.abc import Iterator

from rogatory.agreements.compiled import (
    ALL,
    CompiledAgreement,
    CompiledClause,
    CompiledConditions,
    bit,
)
from rogatory.decisions import conditions as cond
from rogatory.decisions import scope
from rogatory.decisions.changes import PREFERENCE, REPEATABLE, Change, apply
from rogatory.decisions.rule import Ruling, rule
from rogatory.decisions.situation import PartView, Situation
from rogatory.exchange.v1 import decision_pb2
from rogatory.exchange.v1.agreement_pb2 import CLAUSE_EFFECT_PERMIT
from rogatory.exchange.v1.decision_pb2 import (
    DISPOSITION_PERMITTED,
    VERDICT_SATISFIED,
)
from rogatory.records.v1.common_pb2 import Tlp

MAX_CHANGES = 3
"""More than that is another message."""
MAX_TRIES = 400
"""Rulings made in one search. At about 10 µs each, what one refusal may cost the gateway."""

_UNCHANGEABLE = (
    scope.DIRECTION
    | scope.KIND
    | scope.CATEGORY
    | scope.ASSISTANCE_KIND
    | scope.PURPOSE
    | scope.OFFENCE
    | scope.URGENCY
)
_BEYOND_REMEDY = cond.QUOTA | cond.REFERENCE | cond.DUAL_CRIMINALITY | cond.MINIMUM_PENALTY


def find(
    agreement: CompiledAgreement, situation: Situation, ruling: Ruling
) -> decision_pb2.Remedy | None:
    """Return the smallest set of changes after which all of the message is permitted.

    Args:
        agreement: The agreement.
        situation: Of the message as it is.
        ruling: The agreement's ruling on it: refused, or withheld in part.

    Returns:
        The remedy, or None when none of at most `MAX_CHANGES` changes was found in `MAX_TRIES`.
    """
    frontier: list[tuple[tuple[Change, ...], Situation, Ruling]] = [((), situation, ruling)]
    seen: set[frozenset[Change]] = set()
    tries = 0
    for _ in range(MAX_CHANGES):
        reached = []
        for made, at, said in frontier:
            for change in _candidates(agreement, at, said, made):
                changes = (*made, change)
                if frozenset(changes) in seen:
                    continue
                seen.add(frozenset(changes))
                changed = apply(agreement, at, change)
                if changed is None:
                    continue
                tries += 1
                outcome = rule(agreement, changed)
                if outcome.disposition == DISPOSITION_PERMITTED:
                    return _remedy(changes, outcome)
                if tries >= MAX_TRIES:
                    return None
                reached.append((changes, changed, outcome))
        frontier = reached
    return None


def _remedy(changes: tuple[Change, ...], outcome: Ruling) -> decision_pb2.Remedy:
    clause = outcome.reason.clause
    return decision_pb2.Remedy(
        changes=[change.message() for change in sorted(changes, key=_rank)],
        article=clause.article if clause else "",
        clause_id=clause.clause_id if clause else "",
    )


def _rank(change: Change) -> int:
    return PREFERENCE.index(change.name)


def _candidates(
    agreement: CompiledAgreement, situation: Situation, ruling: Ruling, made: tuple[Change, ...]
) -> list[Change]:
    """Return what might help, the mildest first; no single-valued change for a second time."""
    used = {change.name for change in made if change.name not in REPEATABLE}
    found = dict.fromkeys(_of_findings(agreement, situation, ruling))
    found.update(dict.fromkeys(_of_parts(situation, ruling)))
    return sorted((change for change in found if change.name not in used), key=_rank)


def _of_parts(situation: Situation, ruling: Ruling) -> Iterator[Change]:
    for part, reason in zip(situation.facts.parts, ruling.parts, strict=True):
        if reason.ground:
            yield Change("without_part", part.position)


def _of_findings(
    agreement: CompiledAgreement, situation: Situation, ruling: Ruling
) -> Iterator[Change]:
    of_message = scope.message_scopes(agreement, situation)
    units = [(unit, scope.part_scopes(agreement, unit)) for unit in situation.facts.units]
    for clause, outside in zip(agreement.clauses, of_message, strict=True):
        finding = ruling.findings.get(clause.index)
        if clause.effect != CLAUSE_EFFECT_PERMIT:
            if finding is not None and finding.verdict != VERDICT_SATISFIED:
                yield from _leave(clause, situation, finding.parts)
                yield from _meet(clause.conditions, agreement, situation, finding.unmet)
            continue
        near = [unit for unit, outer in units if not outer[clause.index] & scope.CATEGORY]
        if not near or outside & _UNCHANGEABLE or situation.facts.siena_codes & ~clause.siena_codes:
            continue
        yield from _enter(clause, situation, outside)
        for unit in near:
            yield from _reduce(clause, unit)
        if finding is not None and not finding.unmet & _BEYOND_REMEDY:
            yield from _meet(clause.conditions, agreement, situation, finding.unmet)


def _enter(clause: CompiledClause, situation: Situation, outside: int) -> Iterator[Change]:
    """Changes of the message as a whole that bring it into the scope of a PERMIT clause."""
    if outside & scope.ARTICLE:
        yield Change("cite_article", clause.article)
    if not clause.tlp & bit(situation.facts.tlp):
        yield from (Change("tlp", tlp) for tlp in _values(clause.tlp) if tlp < situation.facts.tlp)


def _reduce(clause: CompiledClause, unit: PartView) -> Iterator[Change]:
    """Changes of a part that bring it into the scope of a PERMIT clause."""
    if unit.position >= 0:
        groups = unit.field_groups & ~clause.field_groups
        yield from (Change("without_field_group", value) for value in _values(groups))
        subjects = unit.data_subjects & ~clause.data_subjects
        yield from (Change("without_data_subject", value) for value in _values(subjects))


def _leave(
    clause: CompiledClause, situation: Situation, parts: tuple[int, ...]
) -> Iterator[Change]:
    """Changes that bring a message out of the scope of a REFUSE or REQUIRE clause."""
    facts = situation.facts
    for part in facts.parts:
        if part.position in parts:
            yield Change("without_part", part.position)
            if clause.field_groups != ALL:
                groups = part.field_groups & clause.field_groups
                yield from (Change("without_field_group", value) for value in _values(groups))
            if clause.data_subjects != ALL:
                subjects = part.data_subjects & clause.data_subjects
                yield from (Change("without_data_subject", value) for value in _values(subjects))
    if clause.tlp != ALL:
        stricter = (value for value in Tlp.values() if 0 < value < facts.tlp)
        stricter = (value for value in stricter if not clause.tlp & bit(value))
        yield from (Change("tlp", value) for value in stricter)


def _meet(
    conditions: CompiledConditions | None,
    agreement: CompiledAgreement,
    situation: Situation,
    unmet: int,
) -> Iterator[Change]:
    """Changes that meet the conditions of a clause."""
    if conditions is None or not unmet:
        return
    for condition, name in (
        (cond.CASE_REFERENCE, "case_reference"),
        (cond.JUSTIFICATION, "justification"),
        (cond.FOUR_EYES, "second_approval"),
    ):
        if unmet & condition:
            yield Change(name, value=True)
    for condition, name, value in (
        (cond.SEALING, "sealing", conditions.sealing),
        (cond.ONWARD_TRANSFER, "onward_transfer", conditions.onward_transfer_at_most),
        (cond.EVIDENTIAL_USE, "evidential_use", conditions.evidential_use_at_most),
        (cond.RETENTION, "retention_days", conditions.retention_at_most_days),
        (cond.RECORDS, "records_at_most", conditions.records_at_most),
    ):
        if unmet & condition:
            yield Change(name, value)
    if unmet & cond.DEADLINE:
        facts = situation.facts
        row = conditions.deadline(facts.urgency, directly_available=facts.directly_available)
        if row is not None:
            unit, amount = agreement.deadlines[row]
            yield Change("deadline", (facts.urgency, facts.directly_available, unit, amount))


def _values(mask: int) -> list[int]:
    """Return the enum values of a mask; the bits above stand for no value that could be named."""
    if mask == ALL:
        return []
    return [value for value in range(min(mask.bit_length(), 61)) if mask >> value & 1]
