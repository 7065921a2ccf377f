"""`decide`: what an agreement says of one message for one recipient, as a `Decision`.

Pure, total and deterministic: no clock, randomness, I/O or state that could be noticed. Equal input
gives an equal decision, to the byte.
"""

from __future__ import annotations

from collections.abc import Hashable

from rogatory.agreements.compiled import CompiledAgreement
from rogatory.decisions import remedy
from rogatory.decisions.rule import Reason, Ruling, barred, rule
from rogatory.decisions.situation import (
    NANOSECONDS_PER_HOUR,
    HeaderView,
    Situation,
    read_header,
    situate,
)
from rogatory.exchange.v1 import agreement_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.exchange.v1.decision_pb2 import (
    DISPOSITION_PERMITTED,
    GROUND_NO_PERMITTING_CLAUSE,
    GROUND_NO_SUCH_ARTICLE,
    GROUND_STEP_NOT_ALLOWED,
    VERDICT_NOT_APPLICABLE,
)

_CITED_GROUNDS = (GROUND_NO_PERMITTING_CLAUSE, GROUND_NO_SUCH_ARTICLE)
_CONFIRM_IN_WRITING = 5


def decide(
    *,
    agreement: CompiledAgreement | None,
    header: envelope_pb2.Header | HeaderView,
    recipient_index: int,
    context: decision_pb2.DecisionContext,
) -> decision_pb2.Decision:
    """Decide on a message for one recipient.

    Args:
        agreement: The agreement in force under the id that the header cites for this recipient;
            None where there is none.
        header: The header, or its `read_header` when it is decided for several recipients.
        recipient_index: Position of the recipient in the header.
        context: Entry time, signers, standing of the reference and quota counts at entry.

    Raises:
        IndexError: the header has no recipient at that index.
    """
    view = read_header(header) if isinstance(header, envelope_pb2.Header) else header
    situation = situate(
        agreement=agreement, header=view, recipient_index=recipient_index, context=context
    )
    return decide_situation(agreement=agreement, situation=situation)


def decide_situation(
    *, agreement: CompiledAgreement | None, situation: Situation
) -> decision_pb2.Decision:
    """Decide on a situation, from `situate` with the same agreement."""
    if agreement is None:
        return _encode(None, situation, barred(situation))
    ruling = rule(agreement, situation)
    if _too_late(situation, ruling):
        return _encode(agreement, situation, _refused_as_late(situation, ruling))
    decision = _encode(agreement, situation, ruling)
    if ruling.disposition != DISPOSITION_PERMITTED and not situation.barred:
        found = remedy.find(agreement, situation, ruling)
        if found is not None:
            decision.remedy.CopyFrom(found)
    return decision


def decision_key(agreement: CompiledAgreement | None, situation: Situation) -> Hashable:
    """Return what may be remembered: equal keys, equal decisions to the byte.

    Instants, counters and signers are in it only as far as the agreement asks for them, so messages
    of one make share a key while the clock runs.
    """
    return (None if agreement is None else agreement.digest, situation)


def decision_bytes(decision: decision_pb2.Decision) -> bytes:
    """Serialise a decision, deterministically."""
    return decision.SerializeToString(deterministic=True)


def quota_usage(
    *, agreement: CompiledAgreement, header: HeaderView, decision: decision_pb2.Decision
) -> dict[str, int]:
    """Return what a decided message adds to the counter of each quota, by clause id.

    Counted is what goes: 1 for messages, records of the disclosed parts that the clause spoke of.
    """
    used: dict[str, int] = {}
    if not agreement.quota_clauses or decision.disposition == decision_pb2.DISPOSITION_REFUSED:
        return used
    spoken_of = {finding.clause_id: finding for finding in decision.findings}
    gone = {part.position for part in header.facts.parts if decision.parts[part.position].disclosed}
    for quota in agreement.quota_clauses:
        finding = spoken_of[quota.clause_id]
        if finding.verdict not in (decision_pb2.VERDICT_PERMITS, decision_pb2.VERDICT_SATISFIED):
            continue
        counted = [header.facts.parts[index] for index in finding.parts if index in gone]
        if quota.unit == agreement_pb2.QUOTA_UNIT_RECORDS:
            used[quota.clause_id] = sum(part.record_count for part in counted)
        elif counted or not finding.parts:
            used[quota.clause_id] = 1
    return {clause_id: units for clause_id, units in used.items() if units}


def _too_late(situation: Situation, ruling: Ruling) -> bool:
    """Say whether a request confirms an oral one after the term that the clauses leave for it."""
    if situation.oral_age is None or not ruling.permitting:
        return False
    hours = min(clause.obligations[_CONFIRM_IN_WRITING] for clause in ruling.permitting)
    return not 0 <= situation.oral_age <= hours * NANOSECONDS_PER_HOUR


def _refused_as_late(situation: Situation, ruling: Ruling) -> Ruling:
    reason = Reason(GROUND_STEP_NOT_ALLOWED, ruling.reason.clause)
    return Ruling(
        reason=reason,
        parts=[reason] * len(situation.facts.parts),
        findings=ruling.findings,
        outside=ruling.outside,
    )


def _encode(
    agreement: CompiledAgreement | None, situation: Situation, ruling: Ruling
) -> decision_pb2.Decision:
    decision = decision_pb2.Decision()
    if agreement is not None and ruling.outside:
        decision.MergeFromString(_findings(agreement, ruling))
    cited = situation.recipient.article
    decision.disposition = ruling.disposition  # type: ignore[assignment]  # numbers of the enum
    decision.ground = ruling.reason.ground  # type: ignore[assignment]  # numbers of the enum
    decision.article, decision.clause_id = _citation(ruling.reason, cited)
    add_part = decision.parts.add
    for reason in ruling.parts:
        article, clause_id = _citation(reason, cited)
        add_part(
            disclosed=not reason.ground,
            ground=reason.ground,
            article=article,
            clause_id=clause_id,
        )
    _owe(decision, ruling)
    for obstacle in situation.obstacles:
        decision.obstacles.add().MergeFromString(obstacle)
    if ruling.reason.ground == GROUND_STEP_NOT_ALLOWED and not situation.obstacles:
        decision.obstacles.add(kind=procedure_pb2.OBSTACLE_KIND_ORAL_REQUEST_LATE)
    decision.facts_unchecked = any(part.sealed for part in situation.facts.parts)
    return decision


def _citation(reason: Reason, cited: str) -> tuple[str, str]:
    if reason.clause is not None:
        return reason.clause.article, reason.clause.clause_id
    return (cited if reason.ground in _CITED_GROUNDS else ""), ""


def _findings(agreement: CompiledAgreement, ruling: Ruling) -> bytes:
    """Return the findings as a serialised `Decision` that holds nothing else."""
    key = (tuple(ruling.outside), tuple(ruling.findings.values()))
    known = agreement.findings.get(key)
    if known is not None:
        return known
    message = decision_pb2.Decision()
    for clause, outside in zip(agreement.clauses, ruling.outside, strict=True):
        finding = ruling.findings.get(clause.index)
        said = message.findings.add(clause_id=clause.clause_id, article=clause.article)
        if finding is None:
            said.verdict = VERDICT_NOT_APPLICABLE
            said.outside.extend(_bits(outside))  # type: ignore[arg-type]  # numbers of the enum
        else:
            said.verdict = finding.verdict  # type: ignore[assignment]  # numbers of the enum
            said.unmet.extend(_bits(finding.unmet))  # type: ignore[arg-type]  # numbers of the enum
            said.parts.extend(finding.parts)
    return agreement.findings.put(key, message.SerializeToString(deterministic=True))


def _bits(value: int) -> list[int]:
    return [number for number in range(value.bit_length()) if value >> number & 1]


def _owe(decision: decision_pb2.Decision, ruling: Ruling) -> None:
    """Merge what the permitting clauses ask of the recipient; the strictest of each counts."""
    rows = [clause.obligations for clause in ruling.permitting]
    if not any(any(row) for row in rows):
        return
    # Zero is "no duty" and loses against any other, except for oral requests, which it excludes.
    strictest = [
        min((value for value in column if value), default=0) for column in zip(*rows, strict=True)
    ]
    strictest[_CONFIRM_IN_WRITING] = min(row[_CONFIRM_IN_WRITING] for row in rows)
    owed = decision.obligations
    owed.retention_days = strictest[0]
    owed.onward_transfer = strictest[1]  # type: ignore[assignment]  # numbers of the enum
    owed.evidential_use = strictest[2]  # type: ignore[assignment]  # numbers of the enum
    owed.acknowledge_within_hours = strictest[3]
    owed.confirm_facts_within_hours = strictest[4]
    owed.confirm_in_writing_within_hours = strictest[5]
