"""The rules themselves: what an agreement says of a situation, in plain values.

Units, each decided by itself, are the parts that are not CONTEXT, or the message where it has none.

1. A REFUSE clause whose scope holds refuses: the unit, or the message, by its reach.
2. So does a REQUIRE clause whose scope holds and whose conditions are not met.
3. The first PERMIT clause of the cited article that covers a unit, with all its conditions met,
   permits it.
4. What is not permitted is refused: the message, or the unit alone where the agreement withholds.
   That a clause refuses the unit as well changes nothing here, or else adding a refusing clause
   could let the rest of a message through.
5. CONTEXT parts go where any unit goes, unless a clause that names them refuses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rogatory.agreements.compiled import CompiledAgreement, CompiledClause
from rogatory.decisions import conditions as cond
from rogatory.decisions.scope import Probe, outside_message, outside_part
from rogatory.decisions.situation import CONTEXT_BIT, PartView, Situation
from rogatory.exchange.v1.agreement_pb2 import CLAUSE_EFFECT_PERMIT, CLAUSE_EFFECT_REFUSE
from rogatory.exchange.v1.decision_pb2 import (
    DISPOSITION_PERMITTED,
    DISPOSITION_REFUSED,
    DISPOSITION_WITHHELD,
    GROUND_CONDITION_NOT_MET,
    GROUND_NO_PERMITTING_CLAUSE,
    GROUND_NO_SUCH_ARTICLE,
    GROUND_REFERENCE_NOT_HELD,
    GROUND_REFUSED_BY_CLAUSE,
    GROUND_UNSPECIFIED,
    VERDICT_CONDITION_NOT_MET,
    VERDICT_NOT_APPLICABLE,
    VERDICT_PERMITS,
    VERDICT_REFUSES,
    VERDICT_SATISFIED,
)


class Finding(NamedTuple):
    """What one clause said: a `Verdict`, and masks of dimensions and conditions."""

    clause: CompiledClause
    verdict: int
    outside: int
    unmet: int
    parts: tuple[int, ...]


class Reason(NamedTuple):
    """Why something goes or does not: a `Ground` (0: it goes), and the clause where one decided."""

    ground: int
    clause: CompiledClause | None


PERMITTED = Reason(GROUND_UNSPECIFIED, None)


@dataclass(slots=True)
class Ruling:
    """What an agreement says of a situation.

    Attributes:
        parts: For each part of the header in order, why it goes or does not.
        findings: For each clause in order, what it said.
        permitting: The clauses that let something through.
    """

    disposition: int
    reason: Reason
    parts: list[Reason]
    findings: list[Finding]
    permitting: list[CompiledClause]


@dataclass(slots=True)
class _Tally:
    """What the clauses said of each unit, by its index; the first clause of a sort stays."""

    permitted: dict[int, Reason] = field(default_factory=dict)
    blocked: dict[int, Reason] = field(default_factory=dict)
    refused: dict[int, Reason] = field(default_factory=dict)
    message: Reason | None = None


def rule(agreement: CompiledAgreement, situation: Situation) -> Ruling:
    """Apply every clause of an agreement to a situation. Total; equal arguments, equal rulings."""
    facts = situation.facts
    if situation.barred:
        return barred(situation)
    probe = Probe(agreement, situation)
    units = facts.units
    context = tuple(part for part in facts.parts if part.category == CONTEXT_BIT)
    tally = _Tally()
    findings = []
    for clause in agreement.clauses:
        permits = clause.effect == CLAUSE_EFFECT_PERMIT
        spoken_of = units if permits or not clause.names_context else (*units, *context)
        outside = outside_message(clause, probe)
        everywhere, in_scope = _in_scope(clause, spoken_of)
        if outside or not in_scope:
            found = Finding(clause, VERDICT_NOT_APPLICABLE, outside | everywhere, 0, ())
        elif permits:
            found = _permit(clause, agreement, situation, in_scope, tally)
        else:
            found = _refuse(clause, agreement, situation, in_scope, tally)
        findings.append(found)
    return _conclude(agreement, situation, probe, tally, findings)


def barred(situation: Situation) -> Ruling:
    """Return the ruling where no clause is even read: unknown recipient, no agreement in force."""
    reason = Reason(situation.barred, None)
    return Ruling(DISPOSITION_REFUSED, reason, [reason] * len(situation.facts.parts), [], [])


def _in_scope(clause: CompiledClause, parts: Sequence[PartView]) -> tuple[int, Sequence[PartView]]:
    """Return the dimensions that all parts are outside of, and the parts that are inside."""
    if len(parts) == 1:
        outside = outside_part(clause, parts[0])
        return outside, () if outside else parts
    everywhere = -1
    inside = []
    for part in parts:
        outside = outside_part(clause, part)
        everywhere &= outside
        if not outside:
            inside.append(part)
    return everywhere, inside


def _permit(
    clause: CompiledClause,
    agreement: CompiledAgreement,
    situation: Situation,
    in_scope: Sequence[PartView],
    tally: _Tally,
) -> Finding:
    met, unmet, missing = _test(clause, agreement, situation, in_scope)
    for part in met:
        tally.permitted.setdefault(part.position, Reason(GROUND_UNSPECIFIED, clause))
    if not unmet:
        return Finding(clause, VERDICT_PERMITS, 0, 0, _indices(met))
    for part in unmet:
        tally.blocked.setdefault(part.position, Reason(_ground_of(missing), clause))
    return Finding(clause, VERDICT_CONDITION_NOT_MET, 0, missing, _indices(unmet))


def _refuse(
    clause: CompiledClause,
    agreement: CompiledAgreement,
    situation: Situation,
    in_scope: Sequence[PartView],
    tally: _Tally,
) -> Finding:
    missing = 0
    if clause.effect == CLAUSE_EFFECT_REFUSE:
        refused: Sequence[PartView] = in_scope
        verdict, ground = int(VERDICT_REFUSES), int(GROUND_REFUSED_BY_CLAUSE)
    else:
        met, refused, missing = _test(clause, agreement, situation, in_scope)
        if not refused:
            return Finding(clause, VERDICT_SATISFIED, 0, 0, _indices(met))
        verdict, ground = VERDICT_CONDITION_NOT_MET, _ground_of(missing)
    reason = Reason(ground, clause)
    for part in refused:
        tally.refused.setdefault(part.position, reason)
    if clause.refuses_message and tally.message is None:
        tally.message = reason
    return Finding(clause, verdict, 0, missing, _indices(refused))


def _test(
    clause: CompiledClause,
    agreement: CompiledAgreement,
    situation: Situation,
    in_scope: Sequence[PartView],
) -> tuple[Sequence[PartView], Sequence[PartView], int]:
    """Return the parts that meet a clause's conditions, those that do not, and what is missing."""
    conditions = clause.conditions
    if conditions is None:
        return in_scope, (), 0
    whole = cond.unmet_by_message(
        conditions, agreement=agreement, situation=situation, in_scope=in_scope
    )
    met: list[PartView] = []
    unmet: list[PartView] = []
    missing = 0
    for part in in_scope:
        lacking = whole | cond.unmet_by_part(conditions, part)
        missing |= lacking
        (unmet if lacking else met).append(part)
    return met, unmet, missing


def _ground_of(missing: int) -> int:
    # Nothing else that is missing matters while the message referred to is not theirs to act on.
    return GROUND_REFERENCE_NOT_HELD if missing & cond.REFERENCE else GROUND_CONDITION_NOT_MET


def _indices(parts: Sequence[PartView]) -> tuple[int, ...]:
    return tuple(part.position for part in parts if part.position >= 0)


def _conclude(
    agreement: CompiledAgreement,
    situation: Situation,
    probe: Probe,
    tally: _Tally,
    findings: list[Finding],
) -> Ruling:
    facts = situation.facts
    units = facts.units
    default = Reason(
        GROUND_NO_PERMITTING_CLAUSE if probe.under_article else GROUND_NO_SUCH_ARTICLE, None
    )
    # Why each unit would not go if no clause refused it; None: a clause permits it.
    lacking = {
        unit.position: None
        if unit.position in tally.permitted
        else tally.blocked.get(unit.position, default)
        for unit in units
    }
    against = {
        unit.position: tally.refused.get(unit.position) or lacking[unit.position] for unit in units
    }
    whole = _against_message(agreement, probe, tally, lacking, against)
    parts = []
    for part in facts.parts:
        is_context = part.category == CONTEXT_BIT
        own = tally.refused.get(part.position) if is_context else against[part.position]
        parts.append(own or whole or tally.permitted.get(part.position) or PERMITTED)
    if whole is not None:
        return Ruling(DISPOSITION_REFUSED, whole, parts, findings, [])
    gone = [tally.permitted[unit.position] for unit in units if against[unit.position] is None]
    permitting = sorted({_clause_index(r): r.clause for r in gone if r.clause}.items())
    first = Reason(GROUND_UNSPECIFIED, permitting[0][1])
    for part in facts.parts:
        if parts[part.position] is PERMITTED:
            parts[part.position] = first
    withheld = [reason for reason in parts if reason.ground]
    return Ruling(
        DISPOSITION_WITHHELD if withheld else DISPOSITION_PERMITTED,
        min(withheld, key=_clause_index) if withheld else first,
        parts,
        findings,
        [clause for _, clause in permitting],
    )


def _against_message(
    agreement: CompiledAgreement,
    probe: Probe,
    tally: _Tally,
    lacking: dict[int, Reason | None],
    against: dict[int, Reason | None],
) -> Reason | None:
    """Return why the whole message is refused; None: something of it goes."""
    if not probe.under_article:
        return Reason(GROUND_NO_SUCH_ARTICLE, None)
    if tally.message is not None:
        return tally.message
    if not agreement.withholds:
        unpermitted = next((reason for reason in lacking.values() if reason is not None), None)
        if unpermitted is not None:
            return unpermitted
    if all(against.values()):
        return next(iter(against.values()))
    return None


def _clause_index(reason: Reason) -> int:
    return reason.clause.index if reason.clause is not None else 1 << 16
