"""Envelopes: a signed header that says what happens, and parts committed to by it.

Making one (`build`) and reading one, in steps that a gateway and a recipient share:

1. `open_envelope`: parse envelope and header strictly, check the schema's rules;
2. `verify_signatures`: every signature that the header names, over the received bytes;
3. `check_parts`: every clear part against its commitment, schema and facts, and the header's
   particulars against what the parts say.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory import clock, dsse, facts, keys, particulars, schemas, wire
from rogatory.errors import EnvelopeError, SignatureInvalid, Violation
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.message import Message

    from rogatory.keyring import KeyRing, KnownKey
    from rogatory.signers import Signer

PART_DOMAIN = b"rogatory.part.v1\x00"
OUTCOME_DOMAIN = b"rogatory.outcome.v1\x00"
REJECTION_DOMAIN = b"rogatory.rejection.v1\x00"
ACCESS_DOMAIN = b"rogatory.access.v1\x00"
SALT_BYTES = 32

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

_PARTICULARS_OF_KIND: dict[int, frozenset[str | None]] = {
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


def commitment(salt: bytes, content: bytes) -> bytes:
    """Return SHA256("rogatory.part.v1" ‖ 00 ‖ salt ‖ content), 32 bytes."""
    return hashlib.sha256(PART_DOMAIN + salt + content).digest()


def outcome_commitment(salt: bytes, outcome: bytes) -> bytes:
    """Return SHA256("rogatory.outcome.v1" ‖ 00 ‖ salt ‖ outcome), 32 bytes."""
    return hashlib.sha256(OUTCOME_DOMAIN + salt + outcome).digest()


def rejection_commitment(salt: bytes, received: bytes) -> bytes:
    """Return SHA256("rogatory.rejection.v1" ‖ 00 ‖ salt ‖ received bytes), 32 bytes."""
    return hashlib.sha256(REJECTION_DOMAIN + salt + received).digest()


def access_commitment(salt: bytes, request: bytes) -> bytes:
    """Return SHA256("rogatory.access.v1" ‖ 00 ‖ salt ‖ request bytes), 32 bytes."""
    return hashlib.sha256(ACCESS_DOMAIN + salt + request).digest()


def new_message_id(milliseconds: int, random: bytes) -> str:
    """Return a UUIDv7 (RFC 9562 5.7) of a time in milliseconds and 10 random bytes."""
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


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


def build(
    *,
    header: envelope_pb2.Header,
    contents: Sequence[Message] = (),
    signers: Sequence[tuple[Signer, codes_pb2.KeyRole.ValueType]],
    salts: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return a serialised, signed envelope with clear parts.

    Args:
        header: Everything but ``parts`` and ``signed_by``, which are made here; not changed.
        contents: The parts' messages (``rogatory.records.v1.Persons``, ...), one each.
        signers: Keys that sign, each with the role in which it does.
        salts: Source of randomness: takes a length, returns so many bytes.

    Raises:
        EnvelopeError: header or a part breaks its schema's rules, or is too large, or the header's
            particulars are not what the parts say.
        SignerError: a key could not sign.
    """
    envelope = unsigned(
        header=header,
        contents=contents,
        signed_by=[(signer.public_key, role) for signer, role in signers],
        salts=salts,
    )
    payload = dsse.pae(dsse.HEADER_TYPE, envelope.header)
    envelope.signatures.extend(
        envelope_pb2.Signature(key=signer.public_key.fingerprint, value=signer.sign(payload))
        for signer, _role in signers
    )
    data = envelope.SerializeToString(deterministic=True)
    if len(data) > MAX_ENVELOPE_BYTES:
        raise too_large(len(data))
    return data


def unsigned(
    *,
    header: envelope_pb2.Header,
    contents: Sequence[Message],
    signed_by: Sequence[tuple[keys.PublicKey, codes_pb2.KeyRole.ValueType]],
    salts: Callable[[int], bytes],
) -> envelope_pb2.Envelope:
    """Return an envelope that names who must sign its header, and bears no signature yet.

    Args:
        header: As for `build`.
        contents: As for `build`.
        signed_by: Keys that must sign, each with the role in which it does.
        salts: As for `build`.

    Raises:
        EnvelopeError: header or a part breaks its schema's rules.
    """
    complete = envelope_pb2.Header()
    complete.CopyFrom(header)
    del complete.parts[:]
    del complete.signed_by[:]
    parts = []
    found: list[Violation] = []
    for position, message in enumerate(contents):
        schema = schemas.of_message(message)
        found += wire.violations(message, prefix=f"parts[{position}].content")
        content = message.SerializeToString(deterministic=True)
        salt = salts(SALT_BYTES)
        complete.parts.add(
            category=schema.category,
            schema=schema.name,
            commitment=commitment(salt, content),
            size=len(content),
            facts=facts.of_message(message),
        )
        parts.append(envelope_pb2.Part(clear=envelope_pb2.ClearPart(salt=salt, content=content)))
    for key, role in signed_by:
        complete.signed_by.add(key=key.fingerprint, role=role)
    found += wire.violations(complete, prefix="header")
    if found:
        raise wire.field_violations(found, what=wire.MESSAGE)
    particulars.check(complete, contents)
    header_bytes = complete.SerializeToString(deterministic=True)
    if len(header_bytes) > MAX_HEADER_BYTES:
        raise EnvelopeError(
            f"the header has {len(header_bytes)} bytes; the limit is {MAX_HEADER_BYTES}",
            hint="Name fewer persons or other subjects in a message, and send the rest in another.",
            reason="TOO_LARGE",
        )
    return envelope_pb2.Envelope(header=header_bytes, parts=parts)


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
    if particulars not in _PARTICULARS_OF_KIND[header.kind]:
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


def verify_signatures(
    opened: OpenedEnvelope, ring: KeyRing, *, entry_time: int
) -> tuple[KnownKey, ...]:
    """Verify every signature that ``signed_by`` names, and that its maker may make it.

    An officer needs the right to sign or to approve, and there must be an author: the agency's own
    signing key, or an officer with the right to sign. Returns the keys in the order of
    ``signed_by``.

    Args:
        ring: Keys of all agencies.
        entry_time: Instant at which the keys must be valid, nanoseconds since the Unix epoch.

    Raises:
        EnvelopeError: SIGNATURE_MISSING, SIGNATURE_INVALID, KEY_UNKNOWN, KEY_NOT_YET_VALID,
            KEY_EXPIRED, KEY_REVOKED or OFFICER_RIGHT_MISSING.
    """
    header = opened.header
    by_key = {signature.key: signature.value for signature in opened.signatures}
    named = {signed.key for signed in header.signed_by}
    if (
        named != by_key.keys()
        or len(named) != len(header.signed_by)
        or len(by_key) != len(opened.signatures)
    ):
        raise EnvelopeError(
            "the signatures are not those that signed_by names",
            hint="Send one signature for each key of signed_by: none less, none more.",
            reason="SIGNATURE_MISSING",
        )
    payload = dsse.pae(dsse.HEADER_TYPE, opened.header_bytes)
    known_keys = []
    for signed in header.signed_by:
        known = named_key(signed, ring, sender=header.sender)
        check_key(known, entry_time=entry_time)
        check_signature(known, by_key[signed.key], payload)
        known_keys.append(known)
    check_rights(known_keys)
    return tuple(known_keys)


def named_key(signed: envelope_pb2.SignedBy, ring: KeyRing, *, sender: str) -> KnownKey:
    """Return the sender's key that an entry of ``signed_by`` names, valid or not.

    Raises:
        EnvelopeError: KEY_UNKNOWN: it is not the sender's in that role.
    """
    known = ring.get(signed.key)
    if known is None or known.agency != sender or known.role != signed.role:
        raise key_unknown(signed.key, sender=sender, role=signed.role)
    return known


def check_signature(known: KnownKey, value: bytes, payload: bytes) -> None:
    """Check one signature under a header.

    Args:
        known: Whose it is said to be.
        value: The signature.
        payload: What it covers: `dsse.pae` of the header's bytes.

    Raises:
        EnvelopeError: KEY_UNKNOWN (the key cannot sign) or SIGNATURE_INVALID.
    """
    if known.public_key is None:
        raise EnvelopeError(
            f"key {known.fingerprint.hex()[:16]} cannot sign",
            hint="Sign with a signing or officer key.",
            reason="KEY_UNKNOWN",
        )
    try:
        known.public_key.verify(value, payload)
    except SignatureInvalid as error:
        raise EnvelopeError(
            f"the signature by key {known.fingerprint.hex()[:16]} does not verify",
            hint="Sign the header's exact bytes under the header payload type.",
            reason="SIGNATURE_INVALID",
        ) from error


def key_unknown(fingerprint: bytes, *, sender: str, role: int) -> EnvelopeError:
    """Return the error for a key that is not the sender's in the role in which it signed."""
    return EnvelopeError(
        f"key {fingerprint.hex()[:16]} is not enrolled for {sender} in role "
        f"{codes_pb2.KeyRole.Name(role)}",  # type: ignore[arg-type]  # a KeyRole number
        hint="Enrol it with a key statement, or sign with a key that is enrolled.",
        reason="KEY_UNKNOWN",
    )


def check_rights(signers: Sequence[KnownKey]) -> None:
    """Check that each signer may sign, and one of them as the author (`OfficerRight`).

    Raises:
        EnvelopeError: OFFICER_RIGHT_MISSING.
    """
    has_author = False
    for known in signers:
        if known.role != codes_pb2.KEY_ROLE_OFFICER or codes_pb2.OFFICER_RIGHT_SIGN in known.rights:
            has_author = True
        elif codes_pb2.OFFICER_RIGHT_APPROVE not in known.rights:
            raise EnvelopeError(
                f"officer {known.officer} of {known.agency} may neither sign nor approve",
                hint="Enrol a key of the officer's with that right, or have another officer sign.",
                reason="OFFICER_RIGHT_MISSING",
            )
    if not has_author:
        raise EnvelopeError(
            "the message is approved, and nobody who may be its author has signed it",
            hint="Sign with the agency's signing key too, or that of an officer who may sign.",
            reason="OFFICER_RIGHT_MISSING",
        )


def check_expiry(header: envelope_pb2.Header, *, entry_time: int) -> None:
    """Check that a message has not expired at ``entry_time`` (nanoseconds since the Unix epoch).

    Raises:
        EnvelopeError: EXPIRED.
    """
    if clock.to_nanoseconds(header.expire_time) <= entry_time:
        raise EnvelopeError(
            f"the message expired at {header.expire_time.ToJsonString()}",
            hint="Send it again under a new message id with a later expire_time.",
            reason="EXPIRED",
        )


def check_key(known: KnownKey, *, entry_time: int) -> None:
    """Check that a key is valid at ``entry_time`` (nanoseconds since the Unix epoch).

    Raises:
        EnvelopeError: KEY_NOT_YET_VALID, KEY_EXPIRED or KEY_REVOKED.
    """
    fault = known.fault_at(entry_time)
    if fault:
        what = fault.removeprefix("KEY_").replace("_", " ").lower()
        raise EnvelopeError(
            f"key {known.fingerprint.hex()[:16]} of {known.agency} is {what}",
            hint="Sign with a key that is valid now; the directory lists them.",
            reason=fault,
        )


def check_parts(opened: OpenedEnvelope, *, allow_absent: bool) -> list[Message | None]:
    """Check every part against its descriptor, and the particulars against the parts.

    A message passed on in a part is checked in the same way, as far as its parts are there.

    Args:
        allow_absent: True for a recipient, from whom parts may be withheld; False at admission.

    Returns:
        The decoded contents. Sealed and absent parts come back as None: nothing can be said of
        them here.

    Raises:
        EnvelopeError: PARTS_MISSING, COMMITMENT_MISMATCH, MALFORMED, UNKNOWN_FIELDS,
            FIELD_VIOLATIONS (of all parts together), FACTS_MISSTATED, PARTICULARS_MISMATCH; or
            TOO_LARGE where messages are passed on in one another more than four deep.
    """
    return _check_parts(opened, allow_absent=allow_absent, deep=0)


def _check_parts(opened: OpenedEnvelope, *, allow_absent: bool, deep: int) -> list[Message | None]:
    contents: list[Message | None] = []
    found: list[Violation] = []
    for position, (part, descriptor) in enumerate(
        zip(opened.parts, opened.header.parts, strict=True)
    ):
        form = part.WhichOneof("form")
        if form == "clear" and not descriptor.sealed:
            message = _check_clear(part.clear, descriptor, position)
            found += wire.violations(message, prefix=f"parts[{position}].content")
            contents.append(message)
        elif (form == "absent" and allow_absent) or (form == "sealed" and descriptor.sealed):
            contents.append(None)
        else:
            raise EnvelopeError(
                f"part {position} is {form}, the header says "
                f"{'sealed' if descriptor.sealed else 'clear'}",
                hint="Send every part in the form that the header states.",
                reason="PARTS_MISSING",
            )
    if found:
        raise wire.field_violations(found, what=wire.MESSAGE)
    for position, content in enumerate(contents):
        if content is not None and not _has_facts(
            content, opened.header.parts[position].facts, admitted=allow_absent
        ):
            raise EnvelopeError(
                f"the header misstates the facts of part {position}",
                hint="State the record count, field groups, data subjects and measures that it "
                "really has.",
                reason="FACTS_MISSTATED",
            )
    particulars.check(opened.header, contents)
    for content in contents:
        if isinstance(content, envelope_pb2.Envelope):
            _check_original(content, deep=deep + 1)
    return contents


def _has_facts(content: Message, stated: envelope_pb2.PartFacts, *, admitted: bool) -> bool:
    """Say whether a content has the facts stated.

    Args:
        admitted: It was admitted before, perhaps when facts named no measures yet.
    """
    found = facts.of_message(content)
    if admitted and not stated.measures:
        found.ClearField("measures")
    return stated == found


def _check_original(original: envelope_pb2.Envelope, *, deep: int) -> None:
    """Check a message passed on, whose header could be read: its originator's word is in it."""
    if deep > MAX_FORWARDS_DEEP:
        raise EnvelopeError(
            f"messages are passed on in one another more than {MAX_FORWARDS_DEEP} deep",
            hint="Pass on the original itself.",
            reason="TOO_LARGE",
        )
    header = envelope_pb2.Header.FromString(original.header)
    check_header(header)
    _check_parts(OpenedEnvelope.of(original, header), allow_absent=True, deep=deep)


def matches(part: envelope_pb2.ClearPart, descriptor: envelope_pb2.PartDescriptor) -> bool:
    """Say whether a part has the size and opens the commitment that the header states."""
    return len(part.content) == descriptor.size and hmac.compare_digest(
        commitment(part.salt, part.content), descriptor.commitment
    )


def _check_clear(
    part: envelope_pb2.ClearPart, descriptor: envelope_pb2.PartDescriptor, position: int
) -> Message:
    if not matches(part, descriptor):
        raise EnvelopeError(
            f"part {position} does not match its commitment",
            hint="Send the part that was committed to, with its salt, unchanged.",
            reason="COMMITMENT_MISMATCH",
        )
    schema = schemas.by_name(descriptor.schema)
    return wire.decode(schema.message_type, part.content, what=f"content of part {position}")
