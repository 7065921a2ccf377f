"""Where a clause applies: which dimensions of its scope a message, or a part, is outside of.

An empty list matches everything. A PERMIT clause must cover all that is said of a list; REQUIRE
and REFUSE clauses apply when any of it is in the list. Results are masks of `ScopeDimension`; 0:
inside.
"""

from __future__ import annotations

from rogatory.agreements.compiled import ALL, CompiledAgreement, CompiledClause, bit
from rogatory.decisions.situation import PartView, Situation
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


class Probe:
    """What scopes ask of a message as a whole, made once for all clauses."""

    __slots__ = (
        "assistance_kind",
        "kind",
        "offences",
        "purpose",
        "recipient",
        "sender",
        "siena_codes",
        "tlp",
        "under_article",
        "urgency",
    )

    def __init__(self, agreement: CompiledAgreement, situation: Situation) -> None:
        facts, recipient = situation.facts, situation.recipient
        self.sender = facts.sender
        self.recipient = recipient.agency
        self.kind = bit(facts.kind)
        self.purpose = bit(facts.purpose)
        self.urgency = bit(facts.urgency)
        self.tlp = bit(facts.tlp)
        self.assistance_kind = bit(facts.assistance_kind)
        self.siena_codes = facts.siena_codes
        self.offences = facts.offences
        self.under_article = agreement.articles.get(recipient.article, 0)


def outside_message(clause: CompiledClause, probe: Probe) -> int:
    """Return the dimensions of the message as a whole that a clause is not about."""
    outside = 0
    if (clause.senders is not None and probe.sender not in clause.senders) or (
        clause.recipients is not None and probe.recipient not in clause.recipients
    ):
        outside = DIRECTION
    if not clause.kinds & probe.kind:
        outside |= KIND
    if not clause.purposes & probe.purpose:
        outside |= PURPOSE
    if not clause.urgencies & probe.urgency:
        outside |= URGENCY
    if not clause.assistance_kinds & probe.assistance_kind:
        outside |= ASSISTANCE_KIND
    if clause.effect == CLAUSE_EFFECT_PERMIT:
        if not probe.under_article >> clause.index & 1:
            outside |= ARTICLE
        if clause.offences is not None and not _all_offences(clause.offences, probe.offences):
            outside |= OFFENCE
        if not clause.tlp & probe.tlp or probe.siena_codes & ~clause.siena_codes:
            outside |= HANDLING
        return outside
    if clause.offences is not None and not any(
        o.startswith(clause.offences) for o in probe.offences
    ):
        outside |= OFFENCE
    if not clause.tlp & probe.tlp or not _any(clause.siena_codes, probe.siena_codes):
        outside |= HANDLING
    return outside


def outside_part(clause: CompiledClause, part: PartView) -> int:
    """Return the dimensions of a part that a clause is not about."""
    outside = 0 if clause.categories & part.category else CATEGORY
    if clause.effect == CLAUSE_EFFECT_PERMIT:
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
