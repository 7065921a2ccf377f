"""Making envelopes: parts committed to, a header that binds them, signatures over it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rogatory import dsse, facts, keys, particulars, schemas, wire
from rogatory.envelopes.commitments import SALT_BYTES, commitment
from rogatory.envelopes.opening import MAX_ENVELOPE_BYTES, MAX_HEADER_BYTES, too_large
from rogatory.errors import EnvelopeError, Violation
from rogatory.exchange.v1 import codes_pb2, envelope_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.message import Message

    from rogatory.signers import Signer


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
