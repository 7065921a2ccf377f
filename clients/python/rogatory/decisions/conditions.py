"""What must be so for a clause to permit, or not to refuse: each condition, and what it asks.

Results are masks of `Condition`; 0: all met. Sources of the conditions: LED (Directive (EU)
2016/680) Art. 4, 25, 35; Directive (EU) 2023/977 Art. 5; Directive 2014/41/EU Art. 11(1)(g).
"""

from __future__ import annotations

from collections.abc import Sequence

from rogatory.agreements.compiled import CompiledAgreement, CompiledConditions
from rogatory.decisions.situation import CONTEXT_BIT, PartView, Situation
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2

DUAL_CRIMINALITY = 1 << decision_pb2.CONDITION_DUAL_CRIMINALITY
MINIMUM_PENALTY = 1 << decision_pb2.CONDITION_MINIMUM_PENALTY
FOUR_EYES = 1 << decision_pb2.CONDITION_FOUR_EYES
CASE_REFERENCE = 1 << decision_pb2.CONDITION_CASE_REFERENCE
SEALING = 1 << decision_pb2.CONDITION_SEALING
ONWARD_TRANSFER = 1 << decision_pb2.CONDITION_ONWARD_TRANSFER
EVIDENTIAL_USE = 1 << decision_pb2.CONDITION_EVIDENTIAL_USE
RETENTION = 1 << decision_pb2.CONDITION_RETENTION
QUOTA = 1 << decision_pb2.CONDITION_QUOTA
DEADLINE = 1 << decision_pb2.CONDITION_DEADLINE
REFERENCE = 1 << decision_pb2.CONDITION_REFERENCE
JUSTIFICATION = 1 << decision_pb2.CONDITION_JUSTIFICATION
RECORDS = 1 << decision_pb2.CONDITION_RECORDS


def unmet_by_message(
    conditions: CompiledConditions,
    *,
    agreement: CompiledAgreement,
    situation: Situation,
    in_scope: Sequence[PartView],
) -> int:
    """Return the conditions that the message as a whole does not meet.

    Args:
        conditions: Of one clause.
        agreement: The clause's agreement.
        situation: Of the message.
        in_scope: The parts in the clause's scope, which its quota counts.
    """
    return (
        _unmet_by_offences(conditions, agreement, situation)
        | _unmet_by_context(conditions, situation)
        | _unmet_by_handling(conditions, situation)
        | _unmet_by_course(conditions, situation, in_scope)
    )


def unmet_by_part(conditions: CompiledConditions, part: PartView) -> int:
    """Return the conditions that one part does not meet; the message as a whole meets them."""
    unmet = 0
    if conditions.sealing and part.position >= 0:
        demanded = conditions.sealing == agreement_pb2.SEALING_DEMAND_SEALED
        if part.sealed != demanded:
            unmet = SEALING
    if conditions.records_at_most and part.record_count > conditions.records_at_most:
        unmet |= RECORDS
    return unmet


def _unmet_by_offences(
    conditions: CompiledConditions, agreement: CompiledAgreement, situation: Situation
) -> int:
    unmet = 0
    offences = situation.facts.offences
    sender = situation.facts.sender
    if conditions.dual_criminality:
        here = agreement.offences.get(sender, ())
        there = agreement.offences.get(situation.recipient.agency, ())
        if not offences or not all(o.startswith(here) and o.startswith(there) for o in offences):
            unmet = DUAL_CRIMINALITY
    if conditions.minimum_penalty_months:
        table = agreement.penalties.get(sender, ())
        if not offences or any(
            longest_penalty(table, offence) < conditions.minimum_penalty_months
            for offence in offences
        ):
            unmet |= MINIMUM_PENALTY
    return unmet


def longest_penalty(table: Sequence[tuple[str, int]], offence: str) -> int:
    """Return the months of the row that matches an offence most closely; -1: no row does."""
    return next((months for prefix, months in table if offence.startswith(prefix)), -1)


def _unmet_by_context(conditions: CompiledConditions, situation: Situation) -> int:
    unmet = 0
    if conditions.four_eyes and not situation.four_eyes:
        unmet = FOUR_EYES
    if conditions.case_reference and not any(
        part.case_reference and part.category == CONTEXT_BIT for part in situation.facts.parts
    ):
        unmet |= CASE_REFERENCE
    if conditions.justification and not any(
        part.justification and part.category == CONTEXT_BIT for part in situation.facts.parts
    ):
        unmet |= JUSTIFICATION
    return unmet


def _unmet_by_handling(conditions: CompiledConditions, situation: Situation) -> int:
    unmet = 0
    facts = situation.facts
    # Both enumerations run from strict to lax.
    if conditions.onward_transfer_at_most and not (
        0 < facts.onward_transfer <= conditions.onward_transfer_at_most
    ):
        unmet = ONWARD_TRANSFER
    if conditions.evidential_use_at_most and not (
        0 < facts.evidential_use <= conditions.evidential_use_at_most
    ):
        unmet |= EVIDENTIAL_USE
    if conditions.retention_at_most_days and not (
        0 < situation.retention_days <= conditions.retention_at_most_days
    ):
        unmet |= RETENTION
    return unmet


def _unmet_by_course(
    conditions: CompiledConditions, situation: Situation, in_scope: Sequence[PartView]
) -> int:
    unmet = 0
    if conditions.reference and conditions.reference != situation.reference:
        unmet = REFERENCE
    if conditions.quota_unit:
        used = (
            sum(part.record_count for part in in_scope)
            if conditions.quota_unit == agreement_pb2.QUOTA_UNIT_RECORDS
            else 1
        )
        if used > situation.quotas_left[conditions.quota_index]:
            unmet |= QUOTA
    if conditions.deadlines and situation.facts.kind == codes_pb2.KIND_REQUEST:
        row = conditions.deadline(
            situation.facts.urgency, directly_available=situation.facts.directly_available
        )
        if row is None or not situation.deadlines_kept >> row & 1:
            unmet |= DEADLINE
    return unmet
