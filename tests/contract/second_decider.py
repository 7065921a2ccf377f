"""Section 9 of docs/protocol.md once more, from its words alone: what a partner would write.

Slow and plain. It imports none of the library's decision code, only the generated protos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rogatory.assistance.v1 import deadline_pb2
from rogatory.exchange.v1 import agreement_pb2 as ag
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.exchange.v1 import decision_pb2 as dc

DAY = 86_400 * 10**9
CONTEXT = codes_pb2.PART_CATEGORY_CONTEXT
PERMIT, REFUSE = ag.CLAUSE_EFFECT_PERMIT, ag.CLAUSE_EFFECT_REFUSE
UNPERMITTED = (dc.GROUND_NO_PERMITTING_CLAUSE, dc.GROUND_NO_SUCH_ARTICLE)

Dimension, Condition = dc.ScopeDimension, dc.Condition


@dataclass(frozen=True)
class Part:
    """A part; position -1 is the message as unit."""

    position: int
    category: int = 0
    records: int = 0
    groups: frozenset[int] = frozenset()
    subjects: frozenset[int] = frozenset()
    sealed: bool = False
    case_reference: bool = False
    justification: bool = False


@dataclass(frozen=True)
class Message:
    """What a decision looks at. Spans in nanoseconds from entry; None: not set."""

    sender: str
    recipient: str
    agreement_id: str
    article: str
    kind: int
    purpose: int
    urgency: int
    tlp: int
    siena: frozenset[int]
    onward: int
    evidential: int
    assistance: int
    available: bool
    offences: tuple[str, ...]
    parts: tuple[Part, ...]
    retention: int | None
    respond: int | None
    four_eyes: bool
    reference: int
    quotas: tuple[tuple[str, int], ...]
    weekday: int
    enrolled: bool

    @property
    def units(self) -> tuple[Part, ...]:
        """The parts that are judged by themselves, or the message (9.3)."""
        return tuple(p for p in self.parts if p.category != CONTEXT) or (Part(-1),)


Reason = tuple[Any, ag.Clause | None]
"""Ground (0: it goes) and the clause that decided."""


@dataclass
class Ruling:
    """What the rules say of a message."""

    disposition: Any
    reason: Reason
    parts: list[Reason]
    findings: list[dc.ClauseFinding]
    permitting: list[ag.Clause]


def read(header: envelope_pb2.Header, index: int, context: dc.DecisionContext) -> Message:
    """Put header and context together for one recipient."""
    entry = context.entry_time.ToNanoseconds()
    handling, request = header.handling, header.request
    recipient = header.recipients[index]
    return Message(
        sender=header.sender,
        recipient=recipient.agency,
        agreement_id=recipient.agreement_id,
        article=recipient.article,
        kind=header.kind,
        purpose=header.purpose,
        urgency=header.urgency,
        tlp=handling.tlp,
        siena=frozenset(handling.siena_codes),
        onward=handling.onward_transfer,
        evidential=handling.evidential_use,
        assistance=request.assistance_kind,
        available=request.directly_available,
        offences=tuple(header.offences),
        parts=tuple(
            Part(
                position=position,
                category=part.category,
                records=part.facts.record_count,
                groups=frozenset(part.facts.field_groups),
                subjects=frozenset(part.facts.data_subjects),
                sealed=part.sealed,
                case_reference=part.facts.case_reference,
                justification=part.facts.justification,
            )
            for position, part in enumerate(header.parts)
        ),
        retention=handling.retention_end_time.ToNanoseconds() - entry
        if handling.HasField("retention_end_time")
        else None,
        respond=request.respond_by_time.ToNanoseconds() - entry
        if request.HasField("respond_by_time")
        else None,
        four_eyes=_four_eyes(context.signers),
        reference=context.reference,
        quotas=tuple((quota.clause_id, quota.count) for quota in context.quotas),
        weekday=(entry // DAY + 3) % 7,
        enrolled=context.recipient_enrolled,
    )


def _four_eyes(signers: Sequence[dc.SignerStanding]) -> bool:
    for one in signers:
        for other in signers:
            if (
                {one.role, other.role} == {codes_pb2.KEY_ROLE_OFFICER}
                and codes_pb2.OFFICER_RIGHT_SIGN in one.rights
                and codes_pb2.OFFICER_RIGHT_APPROVE in other.rights
                and one.key != other.key
                and one.officer != other.officer
            ):
                return True
    return False


def barred(agreement: ag.Agreement | None, message: Message) -> Any:  # noqa: ANN401 - a Ground
    """Return the ground of 9.2, 0 where there is none."""
    if not message.enrolled:
        return dc.GROUND_UNKNOWN_RECIPIENT
    if agreement is None or agreement.agreement_id != message.agreement_id:
        return dc.GROUND_NO_AGREEMENT_IN_FORCE
    parties = {party.agency for party in agreement.parties}
    if parties and not {message.sender, message.recipient} <= parties:
        return dc.GROUND_NO_AGREEMENT_IN_FORCE
    return 0


def lies_under(article: str, cited: str) -> bool:
    """Say whether an article is the cited one or lies under it (9.3)."""
    above = {article}
    for at, character in enumerate(article):
        if (
            character == "(" or (character == "." and article[at - 1 : at] in set("0123456789)"))
        ) and article[:at].strip():
            above.add(article[:at].rstrip())
    return cited in above


def outside_message(clause: ag.Clause, message: Message) -> set[int]:
    """Return the dimensions of the message that a clause is outside of."""
    scope, permits = clause.scope, clause.effect == PERMIT
    found: set[int] = set()
    if (scope.senders and message.sender not in scope.senders) or (
        scope.recipients and message.recipient not in scope.recipients
    ):
        found.add(Dimension.SCOPE_DIMENSION_DIRECTION)
    for values, value, dimension in (
        (scope.kinds, message.kind, Dimension.SCOPE_DIMENSION_KIND),
        (scope.purposes, message.purpose, Dimension.SCOPE_DIMENSION_PURPOSE),
        (scope.urgencies, message.urgency, Dimension.SCOPE_DIMENSION_URGENCY),
        (
            scope.assistance_kinds,
            message.assistance,
            Dimension.SCOPE_DIMENSION_ASSISTANCE_KIND,
        ),
    ):
        if values and value not in values:
            found.add(dimension)
    if permits and not lies_under(clause.article, message.article):
        found.add(Dimension.SCOPE_DIMENSION_ARTICLE)
    if scope.offences:
        matching = [o for o in message.offences if o.startswith(tuple(scope.offences))]
        if not matching or (permits and len(matching) < len(message.offences)):
            found.add(Dimension.SCOPE_DIMENSION_OFFENCE)
    if (scope.tlp and message.tlp not in scope.tlp) or not _covers(
        scope.siena_codes, message.siena, permits=permits
    ):
        found.add(Dimension.SCOPE_DIMENSION_HANDLING)
    return found


def outside_part(clause: ag.Clause, part: Part) -> set[int]:
    """Return the dimensions of a part that a clause is outside of."""
    scope, permits = clause.scope, clause.effect == PERMIT
    found: set[int] = set()
    if scope.categories and (part.position < 0 or part.category not in scope.categories):
        found.add(Dimension.SCOPE_DIMENSION_CATEGORY)
    for values, held, dimension in (
        (scope.field_groups, part.groups, Dimension.SCOPE_DIMENSION_FIELD_GROUP),
        (scope.data_subjects, part.subjects, Dimension.SCOPE_DIMENSION_DATA_SUBJECT),
    ):
        if values and (part.position < 0 or not _covers(values, held, permits=permits)):
            found.add(dimension)
    return found


def _covers(listed: Sequence[int], held: frozenset[int], *, permits: bool) -> bool:
    if not listed:
        return True
    return held <= set(listed) if permits else bool(held & set(listed))


def unmet(
    clause: ag.Clause, agreement: ag.Agreement, message: Message, part: Part, scope: Sequence[Part]
) -> set[int]:
    """Return the conditions of 9.4 that are not met for a part; ``scope``: all parts in scope."""
    c = clause.conditions
    context = [p for p in message.parts if p.category == CONTEXT]
    tests = {
        Condition.CONDITION_DUAL_CRIMINALITY: not c.dual_criminality
        or _all(message, lambda o: is_offence(agreement, message, o)),
        Condition.CONDITION_MINIMUM_PENALTY: not c.minimum_penalty_months
        or _all(message, lambda o: penalty(agreement, message, o) >= c.minimum_penalty_months),
        Condition.CONDITION_FOUR_EYES: not c.four_eyes or message.four_eyes,
        Condition.CONDITION_CASE_REFERENCE: not c.case_reference
        or any(p.case_reference for p in context),
        Condition.CONDITION_JUSTIFICATION: not c.justification
        or any(p.justification for p in context),
        Condition.CONDITION_SEALING: not c.sealing
        or part.position < 0
        or part.sealed == (c.sealing == ag.SEALING_DEMAND_SEALED),
        Condition.CONDITION_ONWARD_TRANSFER: not c.onward_transfer_at_most
        or 0 < message.onward <= c.onward_transfer_at_most,
        Condition.CONDITION_EVIDENTIAL_USE: not c.evidential_use_at_most
        or 0 < message.evidential <= c.evidential_use_at_most,
        Condition.CONDITION_RETENTION: not c.retention_at_most_days
        or (message.retention is not None and message.retention <= c.retention_at_most_days * DAY),
        Condition.CONDITION_RECORDS: not c.records_at_most or part.records <= c.records_at_most,
        Condition.CONDITION_REFERENCE: not c.reference or c.reference == message.reference,
        Condition.CONDITION_QUOTA: not c.HasField("quota") or _quota_kept(clause, message, scope),
        Condition.CONDITION_DEADLINE: not answers(clause) or _deadline_kept(clause, message),
    }
    return {condition for condition, met in tests.items() if not met}


def _all(message: Message, test: Callable[[str], bool]) -> bool:
    return bool(message.offences) and all(test(offence) for offence in message.offences)


def is_offence(agreement: ag.Agreement, message: Message, offence: str) -> bool:
    """Say whether an offence is one under the law of both sides."""
    return all(
        any(row.agency == agency and offence.startswith(row.iccs) for row in agreement.offences)
        for agency in (message.sender, message.recipient)
    )


def penalty(agreement: ag.Agreement, message: Message, offence: str) -> int:
    """Return the months of the sender's closest row; -1: there is none."""
    rows = [
        (len(row.iccs), row.maximum_penalty_months)
        for row in agreement.offences
        if row.agency == message.sender and offence.startswith(row.iccs)
    ]
    return max(rows)[1] if rows else -1


def _quota_kept(clause: ag.Clause, message: Message, scope: Sequence[Part]) -> bool:
    quota = clause.conditions.quota
    used = sum(p.records for p in scope) if quota.unit == ag.QUOTA_UNIT_RECORDS else 1
    # A counter above the limit leaves nothing, and what uses nothing is still kept.
    left = max(0, quota.limit - dict(message.quotas).get(clause.clause_id, 0))
    return used <= left


def answers(clause: ag.Clause) -> list[ag.Deadline]:
    """Return the rows to answer: of no kind, or ANSWER."""
    kinds = (deadline_pb2.DEADLINE_KIND_UNSPECIFIED, deadline_pb2.DEADLINE_KIND_ANSWER)
    return [row for row in clause.conditions.deadlines if row.kind in kinds]


def deadline_row(clause: ag.Clause, message: Message) -> ag.Deadline | None:
    """Return the row to answer for the urgency, the one with the same flag before the other."""
    rows: dict[tuple[int, bool], ag.Deadline] = {
        (r.urgency, r.directly_available): r for r in answers(clause)
    }
    return rows.get((message.urgency, message.available)) or rows.get(
        (message.urgency, not message.available)
    )


def _deadline_kept(clause: ag.Clause, message: Message) -> bool:
    if message.kind != codes_pb2.KIND_REQUEST:
        return True
    row = deadline_row(clause, message)
    return row is not None and (
        message.respond is None or message.respond >= length(row, message.weekday)
    )


def length(row: ag.Deadline, weekday: int) -> int:
    """Return a deadline's length in nanoseconds (9.4)."""
    if row.unit == ag.DEADLINE_UNIT_HOURS:
        return row.amount * DAY // 24
    if row.unit == ag.DEADLINE_UNIT_DAYS:
        return row.amount * DAY
    s = max(0, weekday - 4)
    q, r = divmod(row.amount, 5)
    return (7 * q + r - s + (2 if weekday - s + r > 4 else 0)) * DAY


def rule(agreement: ag.Agreement, message: Message) -> Ruling:
    """Apply 9.5, all but the fields of the decision."""
    units, context = message.units, [p for p in message.parts if p.category == CONTEXT]
    permitted: dict[int, Reason] = {}
    blocked: dict[int, Reason] = {}
    refused: dict[int, Reason] = {}
    whole: Reason | None = None
    findings = []
    for clause in agreement.clauses:
        permits = clause.effect == PERMIT
        speaks_of = list(units)
        if not permits and CONTEXT in clause.scope.categories:
            speaks_of += context
        outside = outside_message(clause, message)
        scope = [p for p in speaks_of if not outside_part(clause, p)]
        finding = dc.ClauseFinding(clause_id=clause.clause_id, article=clause.article)
        findings.append(finding)
        if outside or not scope:
            everywhere = set.intersection(*(outside_part(clause, unit) for unit in units))
            finding.verdict = dc.VERDICT_NOT_APPLICABLE
            finding.outside.extend(_numbers(outside | everywhere))
            continue
        failing = {p: unmet(clause, agreement, message, p, scope) for p in scope}
        missing = set[int]().union(*failing.values())
        ground: int = (
            dc.GROUND_REFERENCE_NOT_HELD
            if Condition.CONDITION_REFERENCE in missing
            else dc.GROUND_CONDITION_NOT_MET
        )
        hit = [p for p in scope if failing[p]]
        if clause.effect == REFUSE:
            hit, ground, finding.verdict = scope, dc.GROUND_REFUSED_BY_CLAUSE, dc.VERDICT_REFUSES
        elif hit:
            finding.verdict = dc.VERDICT_CONDITION_NOT_MET
        else:
            finding.verdict = dc.VERDICT_PERMITS if permits else dc.VERDICT_SATISFIED
        finding.unmet.extend(_numbers(missing))
        finding.parts.extend(p.position for p in hit or scope if p.position >= 0)
        for p in scope:
            if permits and p not in hit:
                permitted.setdefault(p.position, (0, clause))
        for p in hit:
            (blocked if permits else refused).setdefault(p.position, (ground, clause))
        if hit and not permits and clause.reach != ag.REFUSAL_REACH_PART:
            whole = whole or (ground, clause)
    return _conclude(agreement, message, findings, (permitted, blocked, refused, whole))


def _numbers(values: set[int]) -> Any:  # noqa: ANN401 - numbers of whichever enum
    return sorted(values)


def _conclude(
    agreement: ag.Agreement,
    message: Message,
    findings: list[dc.ClauseFinding],
    said: tuple[dict[int, Reason], dict[int, Reason], dict[int, Reason], Reason | None],
) -> Ruling:
    permitted, blocked, refused, whole = said
    order = {clause.clause_id: at for at, clause in enumerate(agreement.clauses)}
    exists = any(
        c.effect == PERMIT and lies_under(c.article, message.article) for c in agreement.clauses
    )
    default = UNPERMITTED[0] if exists else UNPERMITTED[1]
    units = [p.position for p in message.units]
    lacking = {u: blocked.get(u, (default, None)) for u in units if u not in permitted}
    against = {u: refused.get(u) or lacking.get(u) for u in units}
    if not exists:
        whole = (default, None)
    elif whole is None and (
        agreement.unpermitted_parts == ag.UNPERMITTED_PARTS_REFUSE_MESSAGE and lacking
    ):
        whole = next(lacking[u] for u in units if u in lacking)
    elif whole is None and all(against.values()):
        whole = against[units[0]]
    going = [permitted[u][1] for u in units if not against[u]]
    permitting = sorted(
        {c.clause_id: c for c in going if c}.values(), key=lambda c: order[c.clause_id]
    )
    parts = []
    for part in message.parts:
        own = refused.get(part.position) if part.category == CONTEXT else against[part.position]
        fallback = permitted.get(part.position) or (0, permitting[0] if permitting else None)
        parts.append(own or whole or fallback)
    if whole is not None:
        return Ruling(dc.DISPOSITION_REFUSED, whole, parts, findings, [])
    stays = [reason for reason in parts if reason[0]]
    if not stays:
        return Ruling(dc.DISPOSITION_PERMITTED, (0, permitting[0]), parts, findings, permitting)
    first = min(stays, key=lambda r: order[r[1].clause_id] if r[1] else len(order))
    return Ruling(dc.DISPOSITION_WITHHELD, first, parts, findings, permitting)
