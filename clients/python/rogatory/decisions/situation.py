"""Everything a decision depends on beside the agreement: the header, as the rules see it.

A `Situation` is a hashable value. Instants, counters and signers enter it only as answers to the
questions that the agreement asks of them, so that two messages of the same make are equal here
even when they differ in id and time: a decision is a function of agreement and situation alone, and
may be remembered by them.
"""

from __future__ import annotations

from typing import NamedTuple

from rogatory.agreements.compiled import MESSAGE_BIT, CompiledAgreement, bit, mask
from rogatory.clock import NANOSECONDS_PER_DAY, to_nanoseconds
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2, envelope_pb2
from rogatory.officers import four_eyes
from rogatory.procedures.obstacles import ground_of, obstacles

NANOSECONDS_PER_HOUR = NANOSECONDS_PER_DAY // 24
_THURSDAY = 3  # 1970-01-01 was one; Monday is 0
_FRIDAY = 4
_WORKING_DAYS = 5


class PartView(NamedTuple):
    """A part as rules see it; code lists as bit masks.

    Attributes:
        position: Index in the header; -1 for the message as a whole.
    """

    position: int
    category: int
    record_count: int
    field_groups: int
    data_subjects: int
    sealed: bool
    case_reference: bool
    justification: bool


MESSAGE_UNIT = PartView(
    position=-1,
    category=MESSAGE_BIT,
    record_count=0,
    field_groups=MESSAGE_BIT,
    data_subjects=MESSAGE_BIT,
    sealed=False,
    case_reference=False,
    justification=False,
)
"""What stands for a message that holds no part beside CONTEXT."""
CONTEXT_BIT = bit(codes_pb2.PART_CATEGORY_CONTEXT)


class Facts(NamedTuple):
    """What a header says that rules may look at, the same for every recipient and at any time."""

    sender: str
    kind: int
    purpose: int
    offences: tuple[str, ...]
    urgency: int
    tlp: int
    siena_codes: int
    onward_transfer: int
    evidential_use: int
    assistance_kind: int
    directly_available: bool
    parts: tuple[PartView, ...]

    @property
    def units(self) -> tuple[PartView, ...]:
        """The parts that are decided one by one: all but CONTEXT, or the message as a whole."""
        return tuple([p for p in self.parts if p.category != CONTEXT_BIT]) or (MESSAGE_UNIT,)

    @property
    def context(self) -> tuple[PartView, ...]:
        """The CONTEXT parts, which follow the units."""
        return tuple([p for p in self.parts if p.category == CONTEXT_BIT])


class RecipientView(NamedTuple):
    """A recipient and the legal basis it is addressed on."""

    agency: str
    agreement_id: str
    article: str


class HeaderView(NamedTuple):
    """A header, read once for all its recipients.

    Attributes:
        retention_end: Nanoseconds since the Unix epoch; None: not stated.
        respond_by: The same, for the answer asked for.
        oral_request: The same, for a request that confirms an oral one.
        message: The header, for what procedures look at.
    """

    facts: Facts
    recipients: tuple[RecipientView, ...]
    retention_end: int | None
    respond_by: int | None
    oral_request: int | None
    message: envelope_pb2.Header


class Situation(NamedTuple):
    """All that a decision depends on beside the agreement.

    Attributes:
        barred: A ``Ground`` that rules the exchange out before any clause is read; 0: none.
        four_eyes: One officer signed as author, and another who may approve.
        reference: A ``ReferenceStanding``; 0 where the agreement does not look at it.
        retention_days: Smallest retention named in the agreement that the header keeps; 0: none.
        deadlines_kept: Mask of the agreement's deadlines that the header leaves room for.
        weekday: Of entry in UTC, Monday is 0; 0 where the agreement counts no working days.
        quotas_left: For each of the agreement's quotas, units left, no more than could be used.
        obstacles: What stands in the way whatever the clauses say: serialised ``Obstacle``s.
        oral_age: For a request that confirms an oral one, nanoseconds since that was made; None
            too where the context names no procedure: so it was decided before there was a term.
    """

    facts: Facts
    recipient: RecipientView
    barred: int
    four_eyes: bool
    reference: int
    retention_days: int
    deadlines_kept: int
    weekday: int
    quotas_left: tuple[int, ...]
    obstacles: tuple[bytes, ...] = ()
    oral_age: int | None = None


def read_header(header: envelope_pb2.Header) -> HeaderView:
    """Read what rules may look at from a header."""
    handling = header.handling
    request = header.request
    parts = []
    for position, part in enumerate(header.parts):
        facts = part.facts
        parts.append(
            PartView(
                position,
                bit(part.category),
                facts.record_count,
                mask(facts.field_groups),
                mask(facts.data_subjects),
                part.sealed,
                facts.case_reference,
                facts.justification,
            )
        )
    return HeaderView(
        Facts(
            header.sender,
            header.kind,
            header.purpose,
            tuple(header.offences),
            header.urgency,
            handling.tlp,
            mask(handling.siena_codes),
            handling.onward_transfer,
            handling.evidential_use,
            request.assistance_kind,
            request.directly_available,
            tuple(parts),
        ),
        tuple([RecipientView(r.agency, r.agreement_id, r.article) for r in header.recipients]),
        to_nanoseconds(handling.retention_end_time)
        if handling.HasField("retention_end_time")
        else None,
        to_nanoseconds(request.respond_by_time) if request.HasField("respond_by_time") else None,
        to_nanoseconds(request.oral_request_time)
        if request.HasField("oral_request_time")
        else None,
        header,
    )


def situate(
    *,
    agreement: CompiledAgreement | None,
    header: HeaderView,
    recipient_index: int,
    context: decision_pb2.DecisionContext,
) -> Situation:
    """Put header and context into the terms of an agreement, for one recipient.

    Args:
        agreement: The one in force under the id that the header cites; None: there is none.
        header: From `read_header`.
        recipient_index: Position of the recipient in the header.
        context: What the gateway knew at entry.

    Raises:
        IndexError: the header has no recipient at that index.
    """
    facts = header.facts
    recipient = header.recipients[recipient_index]
    barred = _barred(agreement, facts, recipient, context)
    if agreement is None or barred:
        return Situation(facts, recipient, barred, False, 0, 0, 0, 0, ())
    procedural = context.HasField("procedure")
    if procedural:
        found = obstacles(header.message, recipient=recipient.agency, context=context)
        if found:
            encoded = tuple([one.SerializeToString(deterministic=True) for one in found])
            return Situation(facts, recipient, ground_of(found[0]), False, 0, 0, 0, 0, (), encoded)
    oral_request = header.oral_request if procedural else None
    timed = agreement.looks_at_time or oral_request is not None
    entry = to_nanoseconds(context.entry_time) if timed else 0
    return Situation(
        facts=facts,
        recipient=recipient,
        barred=0,
        four_eyes=agreement.looks_at_signers and four_eyes(context.signers),
        reference=context.reference if agreement.looks_at_reference else 0,
        retention_days=_retention_days(agreement, header.retention_end, entry)
        if agreement.retention_limits
        else 0,
        deadlines_kept=_deadlines_kept(agreement, header.respond_by, entry)
        if agreement.deadlines
        else 0,
        weekday=_weekday(entry) if agreement.counts_working_days else 0,
        quotas_left=_quotas_left(agreement, facts, context) if agreement.quota_clauses else (),
        oral_age=None if oral_request is None else entry - oral_request,
    )


def _barred(
    agreement: CompiledAgreement | None,
    facts: Facts,
    recipient: RecipientView,
    context: decision_pb2.DecisionContext,
) -> int:
    if not context.recipient_enrolled:
        return decision_pb2.GROUND_UNKNOWN_RECIPIENT
    if (
        agreement is None
        or agreement.agreement_id != recipient.agreement_id
        or (
            agreement.parties
            and not (facts.sender in agreement.parties and recipient.agency in agreement.parties)
        )
    ):
        return decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE
    return 0


def deadline_length(unit: int, amount: int, weekday: int) -> int:
    """Return the length of a deadline in nanoseconds, when it starts on a weekday (Monday is 0).

    Working days are Monday to Friday in UTC: holidays and time zones are the parties' business, and
    a decision must come out the same everywhere.
    """
    if unit == agreement_pb2.DEADLINE_UNIT_HOURS:
        return amount * NANOSECONDS_PER_HOUR
    if unit != agreement_pb2.DEADLINE_UNIT_WORKING_DAYS:
        return amount * NANOSECONDS_PER_DAY
    weekend = max(0, weekday - _FRIDAY)
    weeks, days = divmod(amount, _WORKING_DAYS)
    over_weekend = 2 if weekday - weekend + days > _FRIDAY else 0
    return (weeks * 7 + days + over_weekend - weekend) * NANOSECONDS_PER_DAY


def deadlines_within(agreement: CompiledAgreement, length: int, weekday: int) -> int:
    """Return the mask of the agreement's deadlines that are no longer than ``length`` (ns)."""
    kept = 0
    for index, (unit, amount) in enumerate(agreement.deadlines):
        if deadline_length(unit, amount, weekday) <= length:
            kept |= 1 << index
    return kept


def _retention_days(agreement: CompiledAgreement, end: int | None, entry: int) -> int:
    if end is not None:
        for days in agreement.retention_limits:
            if end <= entry + days * NANOSECONDS_PER_DAY:
                return days
    return 0


def _deadlines_kept(agreement: CompiledAgreement, respond_by: int | None, entry: int) -> int:
    if respond_by is None:
        return (1 << len(agreement.deadlines)) - 1
    return deadlines_within(agreement, respond_by - entry, _weekday(entry))


def _weekday(entry: int) -> int:
    return (entry // NANOSECONDS_PER_DAY + _THURSDAY) % 7


def _quotas_left(
    agreement: CompiledAgreement, facts: Facts, context: decision_pb2.DecisionContext
) -> tuple[int, ...]:
    # What lies beyond the most that this message could use makes no difference: leaving it out
    # keeps the situations of like messages equal while the counter runs.
    counts = {quota.clause_id: quota.count for quota in context.quotas}
    most = max(1, sum(part.record_count for part in facts.parts))
    return tuple(
        min(max(quota.limit - counts.get(quota.clause_id, 0), 0), most)
        for quota in agreement.quota_clauses
    )
