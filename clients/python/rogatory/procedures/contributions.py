"""What parts contribute to a joint operation, by category: the unit of a member's terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from rogatory.assistance.v1 import operation_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2

Contribution: TypeAlias = operation_pb2.ContributionKind.ValueType

EVERY_KIND: tuple[Contribution, ...] = tuple(
    kind
    for kind in operation_pb2.ContributionKind.values()
    if kind != operation_pb2.CONTRIBUTION_KIND_UNSPECIFIED
)
"""All that a member may contribute or receive, ascending."""

CONTRIBUTIONS: Mapping[codes_pb2.PartCategory.ValueType, tuple[Contribution, ...]] = (
    MappingProxyType(
        {
            codes_pb2.PART_CATEGORY_CONTEXT: (),
            codes_pb2.PART_CATEGORY_PERSON: (operation_pb2.CONTRIBUTION_KIND_PERSONS,),
            codes_pb2.PART_CATEGORY_EVIDENCE: (operation_pb2.CONTRIBUTION_KIND_EVIDENCE,),
            codes_pb2.PART_CATEGORY_INDICATOR: (operation_pb2.CONTRIBUTION_KIND_INDICATORS,),
            codes_pb2.PART_CATEGORY_ORGANISATION: (operation_pb2.CONTRIBUTION_KIND_ORGANISATIONS,),
            codes_pb2.PART_CATEGORY_PLACE: (operation_pb2.CONTRIBUTION_KIND_PLACES,),
            codes_pb2.PART_CATEGORY_ACCOUNT: (operation_pb2.CONTRIBUTION_KIND_ACCOUNTS,),
            codes_pb2.PART_CATEGORY_LINK: (operation_pb2.CONTRIBUTION_KIND_LINKS,),
            codes_pb2.PART_CATEGORY_VICTIM_NOTICE: (
                operation_pb2.CONTRIBUTION_KIND_VICTIM_NOTICES,
            ),
            codes_pb2.PART_CATEGORY_REQUEST: (operation_pb2.CONTRIBUTION_KIND_REQUESTS,),
            codes_pb2.PART_CATEGORY_ANSWER: (operation_pb2.CONTRIBUTION_KIND_REQUESTS,),
            codes_pb2.PART_CATEGORY_ACKNOWLEDGEMENT: (),
            codes_pb2.PART_CATEGORY_CUSTODY: (operation_pb2.CONTRIBUTION_KIND_EVIDENCE,),
            codes_pb2.PART_CATEGORY_CORRECTION: (),
            codes_pb2.PART_CATEGORY_CONSENT: (),
            codes_pb2.PART_CATEGORY_OPERATION: (),
            codes_pb2.PART_CATEGORY_HANDOVER: (operation_pb2.CONTRIBUTION_KIND_HANDOVERS,),
            codes_pb2.PART_CATEGORY_ALERT: (operation_pb2.CONTRIBUTION_KIND_ALERTS,),
            # The header does not say what the original holds.
            codes_pb2.PART_CATEGORY_FORWARDED: EVERY_KIND,
            codes_pb2.PART_CATEGORY_AGREEMENT: (),
            codes_pb2.PART_CATEGORY_KEY_STATEMENT: (),
        }
    )
)
"""What a part of each category contributes; of one that is not listed: every kind."""


def contributions(
    categories: Iterable[codes_pb2.PartCategory.ValueType],
    *,
    assistance_kind: request_pb2.AssistanceKind.ValueType = (
        request_pb2.ASSISTANCE_KIND_UNSPECIFIED
    ),
) -> list[Contribution]:
    """Return what parts of these categories contribute to an operation, ascending.

    Args:
        categories: Of the message's parts.
        assistance_kind: Of a request; one for a takedown is a request and a takedown order.
    """
    kinds = {kind for category in categories for kind in CONTRIBUTIONS.get(category, EVERY_KIND)}
    if assistance_kind:
        kinds.add(operation_pb2.CONTRIBUTION_KIND_REQUESTS)
    if assistance_kind == request_pb2.ASSISTANCE_KIND_TAKEDOWN:
        kinds.add(operation_pb2.CONTRIBUTION_KIND_TAKEDOWNS)
    return sorted(kinds)
