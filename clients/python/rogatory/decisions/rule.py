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
from rogatory.decisions.scope import message_scopes, part_scopes
from rogatory.decisions.situation import PartView, Situation
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
    VERDICT_PERMITS,
    VERDICT_REFUSES,
    VERDICT_SATISFIED,
)


class Finding(NamedTuple):
    """What a clause in scope said: a `Verdict`, a mask of conditions, and of which parts."""

    clause: CompiledClause
    verdict: int
    unmet: int
    parts: tuple[int, ...]


class Reason(NamedTuple):
    """Why something goes or does not: a `Ground` (0: it goes), and the clause where one decided."""

    ground: int
    clause: CompiledClause | None


NOTHING_PERMITS = Reason(GROUND_NO_PERMITTING_CLAUSE, None)
NO_ARTICLE = Reason(GROUND_NO_SUCH_ARTICLE, None)

_NO_CLAUSE = 1 << 16
"""Sorts behind every clause: an agreement has at most 128."""


@dataclass(slots=True)
class Ruling:
    """What an agreement says of a situation.

    Attributes:
        parts: For each part of the header in order, why it goes or does not.
        findings: What the clauses said that spoke, by their index, in order.
        outside: For every clause, the dimensions that all units are outside of.
        permitting: The clauses that let something through.
    """

    disposition: int = DISPOSITION_REFUSED
    reason: Reason = NO_ARTICLE
    parts: list[Reason] = field(default_factory=list)
    findings: dict[int, Finding] = field(default_factory=dict)
    outside: Sequence[int] = ()
    permitting: list[CompiledClause] = field(default_factory=list)


@dataclass(slots=True)
class _Tally:
    """What the clauses said of each unit, by its index; the first clause of a sort stays."""

    permitted: dict[int, Reason] = field(default_factory=dict)
    blocked: dict[int, Reason] = field(default_factory=dict)
    refused: dict[int, Reason] = field(default_factory=dict)
    message: Reason | None = None


def rule(agreement: CompiledAgreement, situation: Situation) -> Ruling:
    """Apply every clause of an agreement to a situation. Total; equal arguments, equal rulings."""
    if situation.barred:
        return barred(situation)
    units = situation.facts.units
    of_message = message_scopes(agreement, situation)
    of_units = [part_scopes(agreement, unit) for unit in units]
    outside = [a | b for a, b in zip(of_message, _everywhere(of_units), strict=True)]
    spoken_of = list(zip(units, of_units, strict=True))
    spoken_of.extend((part, part_scopes(agreement, part)) for part in situation.facts.context)
    tally = _Tally()
    findings: dict[int, Finding] = {}
    for index, beyond in enumerate(of_message):
        if beyond:
            continue
        in_scope = [part for part, scopes in spoken_of if not scopes[index]]
        if in_scope:
            clause = agreement.clauses[index]
            speak = _permit if clause.effect == CLAUSE_EFFECT_PERMIT else _refuse
            findings[index] = speak(clause, agreement, situation, in_scope, tally)
    ruling = Ruling(outside=outside, findings=findings)
    return _conclude(agreement, situation, units, tally, ruling)


def _everywhere(of_units: Sequence[tuple[int, ...]]) -> Sequence[int]:
    """Return, for each clause, the dimensions that every unit is outside of."""
    everywhere = of_units[0]
    for other in of_units[1:]:
        everywhere = tuple([a & b for a, b in zip(everywhere, other, strict=True)])
    return everywhere


def barred(situation: Situation) -> Ruling:
    """Return the ruling where no clause is even read: unknown recipient, no agreement in force."""
    reason = Reason(situation.barred, None)
    return Ruling(reason=reason, parts=[reason] * len(situation.facts.parts))


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
        return Finding(clause, VERDICT_PERMITS, 0, _indices(met))
    for part in unmet:
        tally.blocked.setdefault(part.position, Reason(_ground_of(missing), clause))
    return Finding(clause, VERDICT_CONDITION_NOT_MET, missing, _indices(unmet))


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
            return Finding(clause, VERDICT_SATISFIED, 0, _indices(met))
        verdict, ground = VERDICT_CONDITION_NOT_MET, _ground_of(missing)
    reason = Reason(ground, clause)
    for part in refused:
        tally.refused.setdefault(part.position, reason)
    if clause.refuses_message and tally.message is None:
        tally.message = reason
    return Finding(clause, verdict, missing, _indices(refused))


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
    units: Sequence[PartView],
    tally: _Tally,
    ruling: Ruling,
) -> Ruling:
    """Fill in what becomes of each part, and of the message."""
    has_article = situation.recipient.article in agreement.articles
    default = NOTHING_PERMITS if has_article else NO_ARTICLE
    # Why each unit would not go if no clause refused it; None: a clause permits it.
    lacking = {
        unit.position: None
        if unit.position in tally.permitted
        else tally.blocked.get(unit.position, default)
        for unit in units
    }
    against = {position: tally.refused.get(position) or lacking[position] for position in lacking}
    whole = tally.message if has_article else NO_ARTICLE
    if whole is None and not agreement.withholds:
        whole = next((reason for reason in lacking.values() if reason is not None), None)
    if whole is None and all(against.values()):
        whole = next(iter(against.values()))
    if whole is None:
        gone = {tally.permitted[p] for p, reason in against.items() if reason is None}
        ruling.permitting = [r.clause for r in sorted(gone, key=_clause_index) if r.clause]
        first = Reason(GROUND_UNSPECIFIED, ruling.permitting[0])
    else:
        first = whole
    for part in situation.facts.parts:
        position = part.position
        own = against[position] if position in against else tally.refused.get(position)
        permission = first if whole else tally.permitted.get(position, first)
        ruling.parts.append(own or permission)
    withheld = [reason for reason in ruling.parts if reason.ground]
    ruling.reason = whole or (min(withheld, key=_clause_index) if withheld else first)
    if whole is None:
        ruling.disposition = DISPOSITION_WITHHELD if withheld else DISPOSITION_PERMITTED
    return ruling


def _clause_index(reason: Reason) -> int:
    return reason.clause.index if reason.clause is not None else _NO_CLAUSE
