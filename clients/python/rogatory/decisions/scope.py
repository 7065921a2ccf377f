"""Where a clause applies: which dimensions of its scope a message, or a part, is outside of.

An empty list matches everything. A PERMIT clause must cover all that is said of a list; REQUIRE
and REFUSE clauses apply when any of it is in the list. Results are masks of `ScopeDimension`; 0:
inside.
"""

from __future__ import annotations

from rogatory.agreements.compiled import ALL, CompiledAgreement, CompiledClause, bit
from rogatory.decisions.situation import CONTEXT_BIT, PartView, Situation
from rogatory.exchange.v1 import decision_pb2
from rogatory.exchange.v1.agreement_pb2 import CLAUSE_EFFECT_PERMIT

DIRECTION = 1 << decision_pb2.SCOPE_DIMENSION_DIRECTION
KIND = 1 << decision_pb2.SCOPE_DIMENSION_KIND
CATEGORY = 1 << decision_pb2.SCOPE_DIMENSION_CATEGORY
FIELD_GROUP = 1 << decision_pb2.SCOPE_DIMENSION_FIELD_GROUP
DATA_SUBJECT = 1 << decision_pb2.SCOPE_DIMENSION_DATA_SUBJECT
PURPOSE = 1 << decision_pb2.SCOPE_DIMENSION_PURPOSE
OFFENCE = 1 << decision_pb2.SCOPE_DIMENSION_OFFENCE
HANDLING = 1 << decision_pb2.SCOPE_DIMENSION_HANDLING
URGENCY = 1 << decision_pb2.SCOPE_DIMENSION_URGENCY
ASSISTANCE_KIND = 1 << decision_pb2.SCOPE_DIMENSION_ASSISTANCE_KIND
ARTICLE = 1 << decision_pb2.SCOPE_DIMENSION_ARTICLE


def message_scopes(agreement: CompiledAgreement, situation: Situation) -> tuple[int, ...]:
    """Return, for each clause, the dimensions of the message as a whole that it is not about."""
    facts, recipient = situation.facts, situation.recipient
    key = (
        facts.sender,
        recipient.agency,
        recipient.article,
        facts.kind,
        facts.purpose,
        facts.offences,
        facts.urgency,
        facts.tlp,
        facts.siena_codes,
        facts.assistance_kind,
    )
    known = agreement.message_scopes.get(key)
    if known is not None:
        return known
    under_article = agreement.articles.get(recipient.article, 0)
    scopes = tuple(_outside(clause, situation, under_article) for clause in agreement.clauses)
    return agreement.message_scopes.put(key, scopes)


def part_scopes(agreement: CompiledAgreement, part: PartView) -> tuple[int, ...]:
    """Return, for each clause, the dimensions of a part that it is not about."""
    key = (part.category, part.field_groups, part.data_subjects)
    known = agreement.part_scopes.get(key)
    if known is not None:
        return known
    scopes = tuple(_outside_part(clause, part) for clause in agreement.clauses)
    return agreement.part_scopes.put(key, scopes)


def _outside(clause: CompiledClause, situation: Situation, under_article: int) -> int:
    facts = situation.facts
    outside = 0
    if clause.senders is not None and facts.sender not in clause.senders:
        outside |= DIRECTION
    if clause.recipients is not None and situation.recipient.agency not in clause.recipients:
        outside |= DIRECTION
    for listed, said, dimension in (
        (clause.kinds, facts.kind, KIND),
        (clause.purposes, facts.purpose, PURPOSE),
        (clause.urgencies, facts.urgency, URGENCY),
        (clause.tlp, facts.tlp, HANDLING),
        (clause.assistance_kinds, facts.assistance_kind, ASSISTANCE_KIND),
    ):
        if not listed & bit(said):
            outside |= dimension
    if clause.effect == CLAUSE_EFFECT_PERMIT:
        if not under_article >> clause.index & 1:
            outside |= ARTICLE
        if clause.offences is not None and not _all_offences(clause.offences, facts.offences):
            outside |= OFFENCE
        return outside | (HANDLING if facts.siena_codes & ~clause.siena_codes else 0)
    if clause.offences is not None and not _any_offence(clause.offences, facts.offences):
        outside |= OFFENCE
    return outside | (0 if _any(clause.siena_codes, facts.siena_codes) else HANDLING)


def _outside_part(clause: CompiledClause, part: PartView) -> int:
    permits = clause.effect == CLAUSE_EFFECT_PERMIT
    if part.category == CONTEXT_BIT and (permits or not clause.names_context):
        # CONTEXT follows the other parts: only clauses that name it and refuse speak of it.
        return CATEGORY
    outside = 0 if clause.categories & part.category else CATEGORY
    if permits:
        if part.field_groups & ~clause.field_groups:
            outside |= FIELD_GROUP
        if part.data_subjects & ~clause.data_subjects:
            outside |= DATA_SUBJECT
        return outside
    if not _any(clause.field_groups, part.field_groups):
        outside |= FIELD_GROUP
    if not _any(clause.data_subjects, part.data_subjects):
        outside |= DATA_SUBJECT
    return outside


def _any(listed: int, said: int) -> bool:
    return listed == ALL or bool(listed & said)


def _all_offences(prefixes: tuple[str, ...], offences: tuple[str, ...]) -> bool:
    return bool(offences) and all(offence.startswith(prefixes) for offence in offences)


def _any_offence(prefixes: tuple[str, ...], offences: tuple[str, ...]) -> bool:
    return any(offence.startswith(prefixes) for offence in offences)
