"""For each condition, two messages that differ in that one thing: one is permitted, one refused.

Headers are from `samples.ALPHA` to `samples.BETA` under agreement ``test``, entry is at
`samples.ENTRY`. A test over the wire takes ids, keys and commitments of its own and keeps
everything that rules see.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from tests.unit.rogatory.decisions import samples as s


@dataclass(frozen=True, kw_only=True)
class ConditionPair:
    """Two headers that get opposite outcomes.

    Attributes:
        name: Of the condition, as the design calls it.
        condition: A `Condition`; 0 where the pair is about scope or reach.
        agreement_text: The text form, without roots.
        permitted, refused: The headers; the contexts differ only where a header cannot say it.
        clause_id, article: The clause that both outcomes cite.
    """

    name: str
    condition: int
    agreement_text: str
    permitted: envelope_pb2.Header
    refused: envelope_pb2.Header
    clause_id: str
    article: str
    disposition: int = decision_pb2.DISPOSITION_REFUSED
    permitted_context: decision_pb2.DecisionContext = field(default_factory=s.context)
    refused_context: decision_pb2.DecisionContext = field(default_factory=s.context)


OFFENCES = f"""\
offences:
  - {{agency: {s.ALPHA}, iccs: 07, maximum_penalty_months: 24}}
  - {{agency: {s.ALPHA}, iccs: 0701, maximum_penalty_months: 120}}
  - {{agency: {s.ALPHA}, iccs: 0601, maximum_penalty_months: 120}}
  - {{agency: {s.BETA}, iccs: 07, maximum_penalty_months: 36}}
"""


def _permit(conditions: str, *, clause_id: str, scope: str = "", before: str = "") -> str:
    return s.agreement_text(
        f"""{before}clauses:
  - clause_id: {clause_id}
    article: Art. 1(1)
    text: Suspects may be sent on the condition named here.
    effect: permit
    scope: {{{scope}}}
    conditions: {{{conditions}}}
"""
    )


def _pair(
    name: str,
    condition: int,
    conditions: str,
    permitted: envelope_pb2.Header,
    refused: envelope_pb2.Header,
    *,
    before: str = "",
    permitted_context: decision_pb2.DecisionContext | None = None,
    refused_context: decision_pb2.DecisionContext | None = None,
) -> ConditionPair:
    clause_id = name.replace(" ", "-")
    return ConditionPair(
        name=name,
        condition=condition,
        agreement_text=_permit(conditions, clause_id=clause_id, before=before),
        permitted=permitted,
        refused=refused,
        clause_id=clause_id,
        article="Art. 1(1)",
        permitted_context=permitted_context or s.context(),
        refused_context=refused_context or s.context(),
    )


PERSON = s.part(groups=[s.IDENTITY], subjects=[s.SUSPECT])
_REQUEST = s.part(codes_pb2.PART_CATEGORY_REQUEST)


def signed_by(*officers: bytes) -> list[tuple[bytes, int]]:
    """Return the signers of a header: the agency's system, and officers by their keys."""
    return [
        (s.SYSTEM_KEY, codes_pb2.KEY_ROLE_SIGNING),
        *((key, codes_pb2.KEY_ROLE_OFFICER) for key in officers),
    ]


def _request(hours: int) -> envelope_pb2.Header:
    return s.header(
        _REQUEST,
        kind=codes_pb2.KIND_REQUEST,
        urgency=codes_pb2.URGENCY_URGENT,
        request=envelope_pb2.RequestParticulars(
            assistance_kind=1,  # type: ignore[arg-type]  # INFORMATION
            respond_by_time=s.at(hours * 3600),
            directly_available=True,
        ),
    )


def _about(message_id: str) -> envelope_pb2.Header:
    return s.header(
        kind=codes_pb2.KIND_RECALL,
        subject=envelope_pb2.SubjectParticulars(
            message=common_pb2.MessageReference(
                sender=s.ALPHA, message_id=message_id, header_digest=bytes(32)
            )
        ),
    )


_WITHHOLDING = """\
clauses:
  - clause_id: persons
    article: Art. 1(1)
    effect: permit
    scope: {kinds: [transfer], categories: [person, indicator]}
  - clause_id: parts-withheld
    article: Art. 1(2)
    effect: refuse
    scope: {field_groups: [health]}
    reach: part
"""

CONDITION_PAIRS: tuple[ConditionPair, ...] = (
    _pair(
        "dual criminality",
        decision_pb2.CONDITION_DUAL_CRIMINALITY,
        "dual_criminality: true",
        s.header(PERSON, offences=["0701"]),
        s.header(PERSON, offences=["0601"]),
        before=OFFENCES,
    ),
    _pair(
        "minimum penalty",
        decision_pb2.CONDITION_MINIMUM_PENALTY,
        "minimum_penalty_months: 4 years",
        s.header(PERSON, offences=["0701"]),
        s.header(PERSON, offences=["0702"]),
        before=OFFENCES,
    ),
    _pair(
        "four eyes",
        decision_pb2.CONDITION_FOUR_EYES,
        "four_eyes: true",
        s.header(PERSON, signers=signed_by(*s.TWO_OFFICERS)),
        s.header(PERSON, signers=signed_by(s.AUTHOR_KEY)),
        permitted_context=s.context(officers=s.TWO_OFFICERS),
        refused_context=s.context(officers=[s.AUTHOR_KEY]),
    ),
    _pair(
        "four eyes of one officer with both rights",
        decision_pb2.CONDITION_FOUR_EYES,
        "four_eyes: true",
        s.header(PERSON, signers=signed_by(*s.TWO_OFFICERS)),
        s.header(PERSON, signers=signed_by(s.APPROVER_KEY)),
        permitted_context=s.context(officers=s.TWO_OFFICERS),
        refused_context=s.context(officers=[s.APPROVER_KEY]),
    ),
    _pair(
        "case reference",
        decision_pb2.CONDITION_CASE_REFERENCE,
        "case_reference: true",
        s.header(PERSON, s.context_part(case=True)),
        s.header(PERSON, s.context_part()),
    ),
    _pair(
        "justification",
        decision_pb2.CONDITION_JUSTIFICATION,
        "justification: true",
        s.header(PERSON, s.context_part(why=True)),
        s.header(PERSON, s.context_part()),
    ),
    _pair(
        "sealed parts",
        decision_pb2.CONDITION_SEALING,
        "sealing: sealed",
        s.header(s.part(groups=[s.IDENTITY], subjects=[s.SUSPECT], sealed=True)),
        s.header(PERSON),
    ),
    _pair(
        "clear parts",
        decision_pb2.CONDITION_SEALING,
        "sealing: clear",
        s.header(PERSON),
        s.header(s.part(groups=[s.IDENTITY], subjects=[s.SUSPECT], sealed=True)),
    ),
    _pair(
        "onward transfer",
        decision_pb2.CONDITION_ONWARD_TRANSFER,
        "onward_transfer_at_most: never",
        s.header(PERSON, onward=codes_pb2.ONWARD_TRANSFER_NEVER),
        s.header(PERSON, onward=codes_pb2.ONWARD_TRANSFER_WITH_CONSENT),
    ),
    _pair(
        "evidential use",
        decision_pb2.CONDITION_EVIDENTIAL_USE,
        "evidential_use_at_most: with_consent",
        s.header(PERSON, evidential=codes_pb2.EVIDENTIAL_USE_WITH_CONSENT),
        s.header(PERSON, evidential=codes_pb2.EVIDENTIAL_USE_ALLOWED),
    ),
    _pair(
        "retention",
        decision_pb2.CONDITION_RETENTION,
        "retention_at_most_days: 30",
        s.header(PERSON, retention=30 * s.DAY),
        s.header(PERSON, retention=31 * s.DAY),
    ),
    _pair(
        "quota of records",
        decision_pb2.CONDITION_QUOTA,
        "quota: {unit: records, limit: 10, period_days: 1}",
        s.header(s.part(records=10)),
        s.header(s.part(records=11)),
    ),
    _pair(
        "quota of messages",
        decision_pb2.CONDITION_QUOTA,
        "quota: {unit: messages, limit: 3, period_days: 1}",
        s.header(PERSON),
        s.header(PERSON),
        permitted_context=s.context(quotas=[("quota-of-messages", 2)]),
        refused_context=s.context(quotas=[("quota-of-messages", 3)]),
    ),
    _pair(
        "deadline",
        decision_pb2.CONDITION_DEADLINE,
        "deadlines: [{urgency: urgent, directly_available: true, within: 8 hours}]",
        _request(hours=8),
        _request(hours=7),
    ),
    _pair(
        "reference",
        decision_pb2.CONDITION_REFERENCE,
        "reference: sent_to_recipient",
        _about("01920000-0000-7000-8000-000000000001"),
        _about("01920000-0000-7000-8000-00000000ffff"),
        permitted_context=s.context(reference=decision_pb2.REFERENCE_STANDING_SENT_TO_RECIPIENT),
    ),
    _pair(
        "records in a part",
        decision_pb2.CONDITION_RECORDS,
        "records_at_most: 10",
        s.header(s.part(records=10)),
        s.header(s.part(records=11)),
    ),
    ConditionPair(
        name="parts withheld",
        condition=decision_pb2.CONDITION_UNSPECIFIED,
        agreement_text=s.agreement_text(_WITHHOLDING, "withhold"),
        permitted=s.header(s.part(groups=[s.IDENTITY]), s.part(s.INDICATOR)),
        refused=s.header(s.part(groups=[s.IDENTITY, s.HEALTH]), s.part(s.INDICATOR)),
        clause_id="parts-withheld",
        article="Art. 1(2)",
        disposition=decision_pb2.DISPOSITION_WITHHELD,
    ),
)
