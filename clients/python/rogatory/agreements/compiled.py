"""An agreement made ready for deciding: parsed once, then only looked at.

Code lists become bit masks, so that "all of these are in the list" is one operation. An empty list
becomes a mask of all bits: it matches everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rogatory import wire
from rogatory.agreements.articles import article_and_above
from rogatory.agreements.memo import Memo
from rogatory.assistance.v1 import deadline_pb2
from rogatory.clock import to_nanoseconds
from rogatory.errors import AgreementError, EnvelopeError
from rogatory.exchange.v1 import agreement_pb2
from rogatory.exchange.v1.codes_pb2 import PART_CATEGORY_CONTEXT

ALL = -1
"""Mask of an empty list: every bit."""
MESSAGE_BIT = 1 << 62
"""Stands for "no part" in the masks of parts: in no list, so that only empty lists match it."""
ANSWERS = frozenset({deadline_pb2.DEADLINE_KIND_UNSPECIFIED, deadline_pb2.DEADLINE_KIND_ANSWER})
"""Kinds of deadline that are one to answer: the only ones that a rule looks at."""
_UNKNOWN_BIT = 1 << 61
_BITS = {value: 1 << value for value in range(61)}


def bit(value: int) -> int:
    """Return the mask of one enum value; unknown values share one bit, which no list has."""
    return _BITS.get(value, _UNKNOWN_BIT)


def mask(values: Iterable[int]) -> int:
    """Return the mask of several enum values; of none: 0."""
    result = 0
    for value in values:
        result |= _BITS.get(value, _UNKNOWN_BIT)
    return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledConditions:
    """The conditions of a clause; zero, False or empty where the clause has none of that name."""

    dual_criminality: bool
    minimum_penalty_months: int
    four_eyes: bool
    case_reference: bool
    justification: bool
    sealing: int
    onward_transfer_at_most: int
    evidential_use_at_most: int
    retention_at_most_days: int
    records_at_most: int
    reference: int
    quota_unit: int
    quota_limit: int
    quota_index: int
    deadlines: Mapping[tuple[int, bool], int]
    """To answer: (urgency, directly available) -> index into the agreement's ``deadlines``."""
    deadline_rows: tuple[agreement_pb2.Deadline, ...]
    """All of them, to answer or other, as the agreement lists them; only looked at."""

    def deadline(self, urgency: int, *, directly_available: bool) -> int | None:
        """Return the index of an urgency's row, the one with the same flag before the other."""
        row = self.deadlines.get((urgency, directly_available))
        return self.deadlines.get((urgency, not directly_available)) if row is None else row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledClause:
    """One clause; ``None`` and ``ALL`` stand for lists that match everything."""

    index: int
    clause_id: str
    article: str
    text: str
    effect: int
    refuses_message: bool
    senders: frozenset[str] | None
    recipients: frozenset[str] | None
    kinds: int
    categories: int
    field_groups: int
    data_subjects: int
    purposes: int
    offences: tuple[str, ...] | None
    tlp: int
    siena_codes: int
    urgencies: int
    assistance_kinds: int
    names_context: bool
    """CONTEXT is named in its categories."""
    conditions: CompiledConditions | None
    obligations: tuple[int, ...]
    """Retention days, onward transfer, evidential use, hours to acknowledge, to confirm facts, to
    confirm in writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaClause:
    """What a gateway has to count for one clause.

    Attributes:
        index: Position among the agreement's quotas.
        clause_id: The clause.
        unit: A ``QuotaUnit``.
        limit: At most so many units.
        period_days: Window, from midnight UTC of its first day to entry.
    """

    index: int
    clause_id: str
    unit: int
    limit: int
    period_days: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledAgreement:
    """An agreement ready for deciding. Make it with `compile_agreement`; share it freely."""

    data: bytes
    """The exact bytes that the parties signed."""
    digest: bytes
    """SHA256 of ``data``, 32 bytes."""
    agreement_id: str
    version: int
    title: str
    parties: frozenset[str]
    """Empty: every enrolled agency (the base agreement)."""
    valid_from: int
    """Nanoseconds since the Unix epoch."""
    valid_until: int | None
    """Nanoseconds since the Unix epoch; None: until replaced or suspended."""
    withholds: bool
    """A part that nothing permits is withheld, rather than the message refused."""
    clauses: tuple[CompiledClause, ...]
    articles: Mapping[str, int]
    """Every article that may be cited -> mask of the indices of the PERMIT clauses under it."""
    offences: Mapping[str, tuple[str, ...]]
    """Agency -> ICCS prefixes that are offences under its law."""
    penalties: Mapping[str, tuple[tuple[str, int], ...]]
    """Agency -> (ICCS prefix, longest penalty in months), longest prefix first."""
    retention_limits: tuple[int, ...]
    """Every retention that a condition names, in days, ascending."""
    deadlines: tuple[tuple[int, int], ...]
    """Every deadline to answer that a condition names: (unit, amount)."""
    quota_clauses: tuple[QuotaClause, ...]
    looks_at_reference: bool
    looks_at_signers: bool
    looks_at_time: bool
    """A condition compares the header with the entry time."""
    counts_working_days: bool
    """A deadline is in working days, so that the weekday of entry matters."""
    message_scopes: Memo[tuple[int, ...]] = field(default_factory=Memo, repr=False)
    part_scopes: Memo[tuple[int, ...]] = field(default_factory=Memo, repr=False)
    findings: Memo[bytes] = field(default_factory=Memo, repr=False)

    def message(self) -> agreement_pb2.Agreement:
        """Return the agreement as a message of the caller's own."""
        return agreement_pb2.Agreement.FromString(self.data)


def compile_agreement(data: bytes) -> CompiledAgreement:
    """Compile a serialised ``Agreement``.

    Args:
        data: The bytes that the parties signed.

    Raises:
        AgreementError: They are not an agreement in canonical encoding, or break its schema.
    """
    try:
        message = wire.decode(agreement_pb2.Agreement, data, what="agreement")
        wire.validate(message, what="agreement")
    except EnvelopeError as error:
        raise AgreementError(error.message, hint=error.hint) from error
    builder = _Builder()
    clauses = tuple(builder.clause(i, clause) for i, clause in enumerate(message.clauses))
    return CompiledAgreement(
        data=data,
        digest=hashlib.sha256(data).digest(),
        agreement_id=message.agreement_id,
        version=message.version,
        title=message.title,
        parties=frozenset(party.agency for party in message.parties),
        valid_from=to_nanoseconds(message.valid_from_time),
        valid_until=to_nanoseconds(message.valid_until_time)
        if message.HasField("valid_until_time")
        else None,
        withholds=message.unpermitted_parts == agreement_pb2.UNPERMITTED_PARTS_WITHHOLD,
        clauses=clauses,
        articles=_articles(clauses),
        offences=_offences(message.offences),
        penalties=_penalties(message.offences),
        retention_limits=tuple(sorted(builder.retentions)),
        deadlines=tuple(builder.deadlines),
        quota_clauses=tuple(builder.quotas),
        looks_at_reference=any(c.conditions and c.conditions.reference for c in clauses),
        looks_at_signers=any(c.conditions and c.conditions.four_eyes for c in clauses),
        looks_at_time=bool(builder.retentions or builder.deadlines),
        counts_working_days=any(
            unit == agreement_pb2.DEADLINE_UNIT_WORKING_DAYS for unit, _ in builder.deadlines
        ),
    )


class _Builder:
    """Collects, over the clauses, what a decision must know of time and quotas."""

    def __init__(self) -> None:
        self.retentions: set[int] = set()
        self.deadlines: dict[tuple[int, int], int] = {}
        self.quotas: list[QuotaClause] = []

    def clause(self, index: int, clause: agreement_pb2.Clause) -> CompiledClause:
        scope = clause.scope
        owed = clause.obligations
        return CompiledClause(
            index=index,
            clause_id=clause.clause_id,
            article=clause.article,
            text=clause.text,
            effect=clause.effect,
            refuses_message=clause.reach != agreement_pb2.REFUSAL_REACH_PART,
            senders=frozenset(scope.senders) or None,
            recipients=frozenset(scope.recipients) or None,
            kinds=mask(scope.kinds) or ALL,
            categories=mask(scope.categories) or ALL,
            field_groups=mask(scope.field_groups) or ALL,
            data_subjects=mask(scope.data_subjects) or ALL,
            purposes=mask(scope.purposes) or ALL,
            offences=tuple(scope.offences) or None,
            tlp=mask(scope.tlp) or ALL,
            siena_codes=mask(scope.siena_codes) or ALL,
            urgencies=mask(scope.urgencies) or ALL,
            assistance_kinds=mask(scope.assistance_kinds) or ALL,
            names_context=PART_CATEGORY_CONTEXT in scope.categories,
            conditions=self._conditions(clause) if clause.HasField("conditions") else None,
            obligations=(
                owed.retention_days,
                owed.onward_transfer,
                owed.evidential_use,
                owed.acknowledge_within_hours,
                owed.confirm_facts_within_hours,
                owed.confirm_in_writing_within_hours,
            ),
        )

    def _conditions(self, clause: agreement_pb2.Clause) -> CompiledConditions:
        conditions = clause.conditions
        if conditions.retention_at_most_days:
            self.retentions.add(conditions.retention_at_most_days)
        rows: dict[tuple[int, bool], int] = {}
        for row in conditions.deadlines:
            if row.kind not in ANSWERS:
                continue
            index = self.deadlines.setdefault((row.unit, row.amount), len(self.deadlines))
            rows.setdefault((row.urgency, row.directly_available), index)
        quota_index = len(self.quotas)
        if conditions.HasField("quota"):
            self.quotas.append(
                QuotaClause(
                    index=quota_index,
                    clause_id=clause.clause_id,
                    unit=conditions.quota.unit,
                    limit=conditions.quota.limit,
                    period_days=conditions.quota.period_days,
                )
            )
        return CompiledConditions(
            dual_criminality=conditions.dual_criminality,
            minimum_penalty_months=conditions.minimum_penalty_months,
            four_eyes=conditions.four_eyes,
            case_reference=conditions.case_reference,
            justification=conditions.justification,
            sealing=conditions.sealing,
            onward_transfer_at_most=conditions.onward_transfer_at_most,
            evidential_use_at_most=conditions.evidential_use_at_most,
            retention_at_most_days=conditions.retention_at_most_days,
            records_at_most=conditions.records_at_most,
            reference=conditions.reference,
            quota_unit=conditions.quota.unit,
            quota_limit=conditions.quota.limit,
            quota_index=quota_index,
            deadlines=rows,
            deadline_rows=tuple(conditions.deadlines),
        )


def _articles(clauses: Iterable[CompiledClause]) -> dict[str, int]:
    articles: dict[str, int] = {}
    for clause in clauses:
        if clause.effect == agreement_pb2.CLAUSE_EFFECT_PERMIT:
            for cited in article_and_above(clause.article):
                articles[cited] = articles.get(cited, 0) | 1 << clause.index
    return articles


def _offences(rows: Iterable[agreement_pb2.PartyOffence]) -> dict[str, tuple[str, ...]]:
    prefixes: dict[str, tuple[str, ...]] = {}
    for row in rows:
        prefixes[row.agency] = (*prefixes.get(row.agency, ()), row.iccs)
    return prefixes


def _penalties(
    rows: Iterable[agreement_pb2.PartyOffence],
) -> dict[str, tuple[tuple[str, int], ...]]:
    tables: dict[str, dict[str, int]] = {}
    for row in rows:
        table = tables.setdefault(row.agency, {})
        # Said twice, the smaller counts: the condition protects the person concerned.
        table[row.iccs] = min(row.maximum_penalty_months, table.get(row.iccs, 1 << 31))
    return {
        agency: tuple(sorted(table.items(), key=lambda item: (-len(item[0]), item[0])))
        for agency, table in tables.items()
    }
