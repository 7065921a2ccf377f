"""Opening envelopes: strict parsing, the schema's rules, and what those can't say of a header."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory import keys, schemas, wire
from rogatory.envelopes.commitments import SALT_BYTES
from rogatory.errors import EnvelopeError, Violation
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ENVELOPE_BYTES = 1 << 20
"""Longest envelope that Submit takes: what fits one gRPC message with room for its frame."""

MAX_BATCH_MESSAGES = 256
"""Messages that SubmitBatch takes."""

MAX_BATCH_BYTES = 4 << 20
"""Bytes of envelopes that SubmitBatch takes together: gRPC's own default for one message, which
other people's servers and proxies may have."""

MAX_HEADER_BYTES = 32_768
MAX_SIGNATURES = 8
MAX_PARTS = 64
MAX_FORWARDS_DEEP = 4
"""How often a message passed on may itself pass one on, and so forth."""
ED25519_SIGNATURE_BYTES = 64

PARTICULARS_OF_KIND: dict[int, frozenset[str | None]] = {
    codes_pb2.KIND_TRANSFER: frozenset({None}),
    codes_pb2.KIND_REQUEST: frozenset({"request"}),
    codes_pb2.KIND_UPDATE: frozenset({"update"}),
    codes_pb2.KIND_RECEIPT: frozenset({"subject"}),
    codes_pb2.KIND_CUSTODY: frozenset({"custody"}),
    codes_pb2.KIND_RECALL: frozenset({"subject"}),
    codes_pb2.KIND_CORRECTION: frozenset({"subject"}),
    codes_pb2.KIND_CONSENT: frozenset({"subject"}),
    codes_pb2.KIND_OPERATION: frozenset({"operation_step"}),
    codes_pb2.KIND_ALERT: frozenset({"alert"}),
    codes_pb2.KIND_GOVERNANCE: frozenset({None}),
}


@dataclass(slots=True)
class OpenedEnvelope:
    """An envelope that parsed: what `open_envelope` returns.

    Attributes:
        header_bytes: The signed bytes, as received.
        header_digest: Their SHA-256: with sender and message_id the message's identity.
        header: The parsed header.
        signatures: As received.
        parts: As received, one for each descriptor of the header.
    """

    header_bytes: bytes
    header_digest: bytes
    header: envelope_pb2.Header
    signatures: Sequence[envelope_pb2.Signature]
    parts: Sequence[envelope_pb2.Part]

    @classmethod
    def of(cls, envelope: envelope_pb2.Envelope, header: envelope_pb2.Header) -> OpenedEnvelope:
        """Put an envelope and its parsed header together."""
        header_bytes = envelope.header
        return cls(
            header_bytes=header_bytes,
            header_digest=hashlib.sha256(header_bytes).digest(),
            header=header,
            signatures=envelope.signatures,
            parts=envelope.parts,
        )

    @property
    def reference(self) -> common_pb2.MessageReference:
        """The message as another one refers to it."""
        return common_pb2.MessageReference(
            sender=self.header.sender,
            message_id=self.header.message_id,
            header_digest=self.header_digest,
        )


def too_large(size: int, *, limit: int = MAX_ENVELOPE_BYTES) -> EnvelopeError:
    """Return the error for an envelope of ``size`` bytes."""
    return EnvelopeError(
        f"the envelope has {size} bytes; the limit is {limit}",
        hint="Send fewer records in a message; files go through the evidence service.",
        reason="TOO_LARGE",
    )


def check_batch(
    batch: Sequence[bytes],
    *,
    messages: int = MAX_BATCH_MESSAGES,
    size: int = MAX_BATCH_BYTES,
) -> int:
    """Check that SubmitBatch takes so many envelopes together; return their bytes.

    Args:
        batch: Serialised envelopes.
        messages: Messages that it takes.
        size: Bytes that it takes.

    Raises:
        EnvelopeError: BATCH_SIZE or TOO_LARGE.
    """
    if not 1 <= len(batch) <= messages:
        raise EnvelopeError(
            f"a batch holds 1 to {messages} messages, not {len(batch)}",
            hint="Split it; order is kept within each batch."
            if batch
            else "Put a message into it.",
            reason="BATCH_SIZE",
        )
    together = sum(map(len, batch))
    if together > size:
        raise EnvelopeError(
            f"the batch has {together} bytes; the limit is {size}",
            hint="Split it; order is kept within each batch.",
            reason="TOO_LARGE",
        )
    return together


def open_envelope(data: bytes) -> OpenedEnvelope:
    """Parse an envelope and its header strictly and check the schema's rules on both.

    Raises:
        EnvelopeError: TOO_LARGE, MALFORMED, UNKNOWN_FIELDS, FIELD_VIOLATIONS, PARTS_MISSING, or
            as `check_header`.
    """
    if len(data) > MAX_ENVELOPE_BYTES:
        raise too_large(len(data))
    envelope = wire.decode(envelope_pb2.Envelope, data, what="envelope")
    header = wire.decode(envelope_pb2.Header, envelope.header, what="header")
    found = wire.violations(header, prefix="header")
    if not is_plain(envelope):
        found += wire.violations(envelope)
    if found:
        # Nobody has signed anything yet; but who has to mend the header should hear it all at once.
        found += _content_violations(envelope, header)
        raise wire.field_violations(found, what=wire.MESSAGE)
    check_header(header)
    if len(envelope.parts) != len(header.parts):
        raise EnvelopeError(
            f"the header binds {len(header.parts)} parts, the envelope has {len(envelope.parts)}",
            hint="Send every part, in the header's order.",
            reason="PARTS_MISSING",
        )
    return OpenedEnvelope.of(envelope, header)


def _content_violations(
    envelope: envelope_pb2.Envelope, header: envelope_pb2.Header
) -> list[Violation]:
    """Return the rules that clear parts break, of those parts that can be read at all."""
    found: list[Violation] = []
    for position, (part, descriptor) in enumerate(zip(envelope.parts, header.parts, strict=False)):
        try:
            schema = schemas.by_name(descriptor.schema)
            message = wire.decode(schema.message_type, part.clear.content, what="content")
        except EnvelopeError:
            continue
        if part.HasField("clear"):
            found += wire.violations(message, prefix=f"parts[{position}].content")
    return found


def parse_checked(data: bytes) -> OpenedEnvelope:
    """Parse an envelope that `open_envelope` has accepted before, for instance in another process.

    Nothing is checked again: never use it on bytes that come from elsewhere.
    """
    envelope = envelope_pb2.Envelope.FromString(data)
    return OpenedEnvelope.of(envelope, envelope_pb2.Header.FromString(envelope.header))


def is_plain(envelope: envelope_pb2.Envelope) -> bool:
    """Whether an envelope is of the usual make, which needs no general check of its few rules."""
    return (
        1 <= len(envelope.signatures) <= MAX_SIGNATURES
        and len(envelope.parts) <= MAX_PARTS
        and len(envelope.header) <= MAX_HEADER_BYTES
        and all(
            len(signature.key) == keys.FINGERPRINT_SIZE
            and len(signature.value) == ED25519_SIGNATURE_BYTES
            for signature in envelope.signatures
        )
        and all(
            part.WhichOneof("form") == "clear" and len(part.clear.salt) == SALT_BYTES
            for part in envelope.parts
        )
    )


def check_header(header: envelope_pb2.Header) -> None:
    """Check what the schema's rules can't say of a header: particulars, recipients, schemas.

    Raises:
        EnvelopeError: PARTICULARS_MISMATCH, RECIPIENTS_INVALID or SCHEMA_UNKNOWN.
    """
    particulars = header.WhichOneof("particulars")
    if particulars not in PARTICULARS_OF_KIND[header.kind]:
        raise EnvelopeError(
            f"particulars {particulars or 'none'} do not go with "
            f"{codes_pb2.Kind.Name(header.kind)}",
            hint="Fill the particulars that the protos name for the kind, and no other.",
            reason="PARTICULARS_MISMATCH",
        )
    seen = {header.sender}
    for recipient in header.recipients:
        if recipient.agency in seen:
            raise EnvelopeError(
                f"recipient {recipient.agency} is the sender or stands twice",
                hint="Name each recipient once, and never the sender.",
                reason="RECIPIENTS_INVALID",
            )
        seen.add(recipient.agency)
    for position, descriptor in enumerate(header.parts):
        schemas.check_descriptor(descriptor, position=position)
