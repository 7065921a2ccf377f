"""Documents of governance that agencies submit themselves, as messages of kind GOVERNANCE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory.audit.v1 import entry_pb2
from rogatory.errors import EnvelopeError, RogatoryError
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, key_statement_pb2

MAX_DOCUMENT_BYTES = 65_000
"""Longest document: it stands in a log entry whole, with some 200 bytes beside it."""

if TYPE_CHECKING:
    from rogatory.envelopes import OpenedEnvelope
    from rogatory_gateway.ledger.registry import Registry


def submitted_document(
    opened: OpenedEnvelope, *, registry: Registry, entry_time: int
) -> entry_pb2.Governance:
    """Return the one document of a GOVERNANCE message, which can be taken into force.

    Raises:
        EnvelopeError: GOVERNANCE_INVALID.
    """
    if opened.header.exercise:
        raise _invalid("an exercise changes nothing", hint="Send it as a live message.")
    found = [
        (descriptor, part)
        for descriptor, part in zip(opened.header.parts, opened.parts, strict=True)
        if descriptor.category != codes_pb2.PART_CATEGORY_CONTEXT
    ]
    if len(found) != 1 or found[0][1].WhichOneof("form") != "clear":
        raise _invalid("it does not hold exactly one document, in clear")
    part = found[0][1]
    schema = found[0][0].schema
    if len(part.clear.content) > MAX_DOCUMENT_BYTES:
        raise _invalid(
            f"it has {len(part.clear.content)} bytes; the limit is {MAX_DOCUMENT_BYTES}",
            hint="Shorten it: a log entry must hold it with all its signatures.",
        )
    if schema == agreement_pb2.SignedAgreement.DESCRIPTOR.full_name:
        document = entry_pb2.Governance(
            agreement=agreement_pb2.SignedAgreement.FromString(part.clear.content)
        )
    elif schema == agreement_pb2.SignedAgreementSuspension.DESCRIPTOR.full_name:
        document = entry_pb2.Governance(
            agreement_suspension=agreement_pb2.SignedAgreementSuspension.FromString(
                part.clear.content
            )
        )
    elif schema == key_statement_pb2.SignedKeyStatement.DESCRIPTOR.full_name:
        document = entry_pb2.Governance(
            key_statement=key_statement_pb2.SignedKeyStatement.FromString(part.clear.content)
        )
    else:
        raise _invalid("its part is neither an agreement, nor a suspension, nor a key statement")
    try:
        registry.check(document, submitted_by=opened.header.sender, entry_time=entry_time)
    except RogatoryError as error:
        raise _invalid(error.message, hint=error.hint) from error
    return document


def _invalid(
    fault: str,
    *,
    hint: str = "Send one signed agreement, suspension or key statement as its only part.",
) -> EnvelopeError:
    return EnvelopeError(
        f"the document can't be taken into force: {fault}",
        hint=hint,
        reason="GOVERNANCE_INVALID",
    )
