"""Schemas: which message type a part of each category holds.

The one table that both ends share. A part whose descriptor names another pair is refused, so that a
person can't travel as an indicator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory.assistance.v1 import (
    answer_pb2,
    consent_pb2,
    handover_pb2,
    operation_pb2,
    request_form_pb2,
)
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, envelope_pb2, key_statement_pb2
from rogatory.records.v1 import (
    account_pb2,
    acknowledgement_pb2,
    alert_pb2,
    context_pb2,
    correction_pb2,
    custody_pb2,
    evidence_pb2,
    indicator_pb2,
    link_pb2,
    organisation_pb2,
    person_pb2,
    place_pb2,
    victim_notice_pb2,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A type of part content.

    Attributes:
        name: Full name of the message type, as descriptors state it.
        message_type: The generated class.
        category: The ``PartCategory`` it travels under.
    """

    name: str
    message_type: type[Message]
    category: codes_pb2.PartCategory.ValueType


_TABLE: tuple[tuple[codes_pb2.PartCategory.ValueType, tuple[type[Message], ...]], ...] = (
    (codes_pb2.PART_CATEGORY_CONTEXT, (context_pb2.Context,)),
    (codes_pb2.PART_CATEGORY_PERSON, (person_pb2.Persons,)),
    (codes_pb2.PART_CATEGORY_EVIDENCE, (evidence_pb2.EvidenceItems,)),
    (codes_pb2.PART_CATEGORY_INDICATOR, (indicator_pb2.Indicators,)),
    (codes_pb2.PART_CATEGORY_ORGANISATION, (organisation_pb2.Organisations,)),
    (codes_pb2.PART_CATEGORY_PLACE, (place_pb2.Places,)),
    (codes_pb2.PART_CATEGORY_ACCOUNT, (account_pb2.Accounts,)),
    (codes_pb2.PART_CATEGORY_LINK, (link_pb2.Links,)),
    (codes_pb2.PART_CATEGORY_VICTIM_NOTICE, (victim_notice_pb2.VictimNotices,)),
    (codes_pb2.PART_CATEGORY_REQUEST, (request_form_pb2.AssistanceRequest,)),
    (codes_pb2.PART_CATEGORY_ANSWER, (answer_pb2.Answer,)),
    (
        codes_pb2.PART_CATEGORY_ACKNOWLEDGEMENT,
        (acknowledgement_pb2.Acknowledgement, acknowledgement_pb2.Complaint),
    ),
    (codes_pb2.PART_CATEGORY_CUSTODY, (custody_pb2.CustodyEvent,)),
    (
        codes_pb2.PART_CATEGORY_CORRECTION,
        (
            correction_pb2.Corrections,
            correction_pb2.ErasureConfirmation,
            correction_pb2.SubjectAccessEnquiry,
            correction_pb2.SubjectAccessAnswer,
        ),
    ),
    (codes_pb2.PART_CATEGORY_CONSENT, (consent_pb2.Consent, consent_pb2.ConsentRequest)),
    (
        codes_pb2.PART_CATEGORY_OPERATION,
        (
            operation_pb2.OperationFounding,
            operation_pb2.OperationInvitation,
            operation_pb2.OperationJoining,
            operation_pb2.OperationLeaving,
            operation_pb2.OperationUpdate,
        ),
    ),
    (codes_pb2.PART_CATEGORY_HANDOVER, (handover_pb2.Handover,)),
    (codes_pb2.PART_CATEGORY_ALERT, (alert_pb2.Alerts, alert_pb2.AlertHits)),
    (codes_pb2.PART_CATEGORY_FORWARDED, (envelope_pb2.Envelope,)),
    (
        codes_pb2.PART_CATEGORY_AGREEMENT,
        (agreement_pb2.SignedAgreement, agreement_pb2.SignedAgreementSuspension),
    ),
    (codes_pb2.PART_CATEGORY_KEY_STATEMENT, (key_statement_pb2.SignedKeyStatement,)),
)

_BY_NAME: dict[str, Schema] = {
    message_type.DESCRIPTOR.full_name: Schema(
        name=message_type.DESCRIPTOR.full_name, message_type=message_type, category=category
    )
    for category, message_types in _TABLE
    for message_type in message_types
}


def names() -> list[str]:
    """Return the full names of all schemas, in the order of the categories."""
    return list(_BY_NAME)


def by_name(name: str) -> Schema:
    """Return the schema of this name.

    Raises:
        EnvelopeError: SCHEMA_UNKNOWN.
    """
    schema = _BY_NAME.get(name)
    if schema is None:
        raise EnvelopeError(
            f"schema {name!r} is not one that travels in a part",
            hint=f"Use one of: {', '.join(_BY_NAME)}.",
            reason="SCHEMA_UNKNOWN",
        )
    return schema


def of_message(message: Message) -> Schema:
    """Return the schema of a content message.

    Raises:
        EnvelopeError: SCHEMA_UNKNOWN.
    """
    return by_name(message.DESCRIPTOR.full_name)


def check_descriptor(descriptor: envelope_pb2.PartDescriptor, *, position: int) -> None:
    """Check that a descriptor's schema is known and travels under its category.

    Raises:
        EnvelopeError: SCHEMA_UNKNOWN.
    """
    schema = by_name(descriptor.schema)
    if schema.category != descriptor.category:
        raise EnvelopeError(
            f"part {position} holds {schema.name}, which travels as "
            f"{codes_pb2.PartCategory.Name(schema.category)}, not as "
            f"{codes_pb2.PartCategory.Name(descriptor.category)}",
            hint="State the category that belongs to the schema.",
            reason="SCHEMA_UNKNOWN",
        )
