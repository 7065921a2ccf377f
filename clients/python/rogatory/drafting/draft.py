"""An envelope on its way to all its signatures.

Its header is finished: it names every key that must sign, so that nobody can be left out or added
later, and whoever signs first signs what whoever signs last does. Only signatures come to it, in
the order of ``signed_by``: equal signatures make equal bytes, on whatever machine they met.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from rogatory import clock, envelopes, wire
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import DraftError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.keys import PublicKey

MAX_SIGNATURE_BYTES = 128
"""An Ed25519 signature (RFC 8032), its key's fingerprint and the framing of both."""

_UNSIGNED = ("signatures", "repeated.min_items")
"""The one rule of an Envelope that a draft need not keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftEnvelope:
    """A draft that was read and checked, but for what only a key ring can say. Never changed.

    Attributes:
        data: The serialised Envelope with the signatures so far.
        opened: The same, parsed.
        contents: The parts' messages; None for one that is sealed.
    """

    data: bytes
    opened: OpenedEnvelope
    contents: tuple[Message | None, ...]

    @property
    def header(self) -> envelope_pb2.Header:
        """The header."""
        return self.opened.header

    @property
    def message_id(self) -> str:
        """The id that the message will have."""
        return self.header.message_id

    @property
    def header_digest(self) -> bytes:
        """SHA-256 of the header's bytes, 32 bytes: what all sign."""
        return self.opened.header_digest

    @property
    def expires(self) -> int:
        """When the gateway admits it no longer, nanoseconds since the Unix epoch."""
        return clock.to_nanoseconds(self.header.expire_time)

    @property
    def missing(self) -> tuple[bytes, ...]:
        """Fingerprints of the keys that have not signed, in the header's order."""
        present = {signature.key for signature in self.opened.signatures}
        return tuple(item.key for item in self.header.signed_by if item.key not in present)


def make(
    *,
    header: envelope_pb2.Header,
    contents: Sequence[Message],
    signed_by: Sequence[tuple[PublicKey, codes_pb2.KeyRole.ValueType]],
    salts: Callable[[int], bytes],
) -> DraftEnvelope:
    """Return a draft that nobody has signed.

    Args:
        header: Everything but ``parts`` and ``signed_by``, which are made here.
        contents: The parts' messages, one each.
        signed_by: Keys that must sign, each with the role in which it does.
        salts: Source of randomness: takes a length, returns so many bytes.

    Raises:
        EnvelopeError: Header or parts break their schema's rules, or are too large.
    """
    envelope = envelopes.unsigned(
        header=header, contents=contents, signed_by=signed_by, salts=salts
    )
    data = envelope.SerializeToString(deterministic=True)
    # An approval that would make it too large must not be asked for.
    size = len(data) + MAX_SIGNATURE_BYTES * len(signed_by)
    if size > envelopes.MAX_ENVELOPE_BYTES:
        raise envelopes.too_large(size)
    return open_draft(data)


def open_draft(data: bytes) -> DraftEnvelope:
    """Read and check a serialised draft.

    1. It is an Envelope in canonical encoding and of bounded size, and so is its header.
    2. Both keep the schema's rules, but that there may be no signature yet.
    3. Each signature is by a key of ``signed_by``, in the order of those, none twice.
    4. Every part matches its commitment, schema and facts.

    Whether the signatures verify is for `rogatory.drafting.signer_states`.

    Raises:
        EnvelopeError: As `envelopes.open_envelope` and `envelopes.check_parts`.
        DraftError: DRAFT_SIGNATURES.
    """
    if len(data) > envelopes.MAX_ENVELOPE_BYTES:
        raise envelopes.too_large(len(data))
    envelope = wire.decode(envelope_pb2.Envelope, data, what="draft")  # (1)
    header = wire.decode(envelope_pb2.Header, envelope.header, what="header")
    found = wire.violations(header, prefix="header")  # (2)
    found += [item for item in wire.violations(envelope) if (item.path, item.rule) != _UNSIGNED]
    if found:
        raise wire.field_violations(found, what=wire.MESSAGE)
    envelopes.check_header(header)
    named = [item.key for item in header.signed_by]
    present = [signature.key for signature in envelope.signatures]
    if len({*named}) != len(named) or present != [key for key in named if key in present]:  # (3)
        raise DraftError(
            "the draft's signatures are not by keys that its header names, each once and in order",
            hint="Do not use it: ask whoever handed it on for it again.",
            reason="DRAFT_SIGNATURES",
        )
    if len(envelope.parts) != len(header.parts):
        raise DraftError(
            f"the draft's header binds {len(header.parts)} parts, and {len(envelope.parts)} are"
            " there",
            hint="Do not use it: ask whoever handed it on for it again.",
            reason="DRAFT_PARTS",
        )
    opened = OpenedEnvelope.of(envelope, header)
    contents = envelopes.check_parts(opened, allow_absent=False)  # (4)
    return DraftEnvelope(data=data, opened=opened, contents=tuple(contents))


def with_signatures(
    draft: DraftEnvelope, signatures: Iterable[envelope_pb2.Signature]
) -> DraftEnvelope:
    """Return a draft with just these signatures, in the header's order.

    Raises:
        DraftError: As `open_draft`.
        EnvelopeError: It would be too large.
    """
    by_key = {signature.key: signature for signature in signatures}
    envelope = envelope_pb2.Envelope(
        header=draft.opened.header_bytes,
        signatures=[by_key[item.key] for item in draft.header.signed_by if item.key in by_key],
        parts=draft.opened.parts,
    )
    return open_draft(envelope.SerializeToString(deterministic=True))


def merge(first: DraftEnvelope, *others: DraftEnvelope) -> DraftEnvelope:
    """Return a draft with the signatures of all copies of it.

    Raises:
        DraftError: DRAFTS_DIFFER: they are not copies of one draft, or the same key signed
            differently in two of them.
    """
    found: dict[bytes, envelope_pb2.Signature] = {}
    for copy in (first, *others):
        if _unsigned_digest(copy) != _unsigned_digest(first):
            raise DraftError(
                f"{first.message_id} and {copy.message_id} are not copies of one draft",
                hint="Give copies of one draft only: same header, same parts.",
                reason="DRAFTS_DIFFER",
            )
        for signature in copy.opened.signatures:
            if found.setdefault(signature.key, signature) != signature:
                raise DraftError(
                    f"the copies of {first.message_id} bear two signatures by key"
                    f" {signature.key.hex()[:16]}",
                    hint="Review each copy by itself; one of them was tampered with.",
                    reason="DRAFTS_DIFFER",
                )
    return with_signatures(first, found.values()) if others else first


def _unsigned_digest(draft: DraftEnvelope) -> bytes:
    """Return what two copies of a draft have in common, whoever signed them.

    Parts too: two salts could not open one commitment, but nothing here rests on that.
    """
    envelope = envelope_pb2.Envelope(header=draft.opened.header_bytes, parts=draft.opened.parts)
    return hashlib.sha256(envelope.SerializeToString(deterministic=True)).digest()
