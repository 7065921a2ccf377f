"""Messages that no honest library makes: every step of building one, open to change.

`rogatory.envelopes.build` refuses to make what it knows to be wrong; a stranger's client does not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message

from rogatory import dsse, facts, schemas
from rogatory.envelopes import commitment
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.signers import Signer

SIGNING = codes_pb2.KEY_ROLE_SIGNING
OFFICER = codes_pb2.KEY_ROLE_OFFICER


@dataclass(kw_only=True)
class Draft:
    """A message in the making. Change it, then `sign` it and change the envelope again.

    Attributes:
        header: The header, complete but for ``signed_by``.
        parts: The parts.
        signers: Who signs, in which role.
    """

    header: envelope_pb2.Header
    parts: list[envelope_pb2.Part] = field(default_factory=list)
    signers: list[tuple[Signer, codes_pb2.KeyRole.ValueType]]

    def sign(self, header_bytes: bytes | None = None) -> envelope_pb2.Envelope:
        """Return the signed envelope; with ``header_bytes`` given, over those."""
        if header_bytes is None:
            header_bytes = self.header_bytes()
        return envelope_pb2.Envelope(
            header=header_bytes,
            signatures=[signature(signer, header_bytes) for signer, _ in self.signers],
            parts=self.parts,
        )

    def header_bytes(self) -> bytes:
        """Return the header, serialised, naming the signers."""
        del self.header.signed_by[:]
        for signer, role in self.signers:
            self.header.signed_by.add(key=signer.public_key.fingerprint, role=role)
        return self.header.SerializeToString(deterministic=True)

    def serialise(self) -> bytes:
        """Return the signed envelope, serialised."""
        return self.sign().SerializeToString(deterministic=True)

    def set_content(self, position: int, content: bytes) -> None:
        """Replace a part's content and commit to it: what a hostile sender may well do."""
        part = self.parts[position].clear
        part.content = content
        self.header.parts[position].size = len(content)
        self.header.parts[position].commitment = commitment(part.salt, content)


def draft(
    header: envelope_pb2.Header, *contents: Message, signer: Signer, sealed: Sequence[int] = ()
) -> Draft:
    """Return a draft with these parts, signed by one key; parts in ``sealed`` are sealed.

    The ciphertext is random: whoever cannot open it cannot tell.
    """
    made = envelope_pb2.Header()
    made.CopyFrom(header)
    parts = []
    for position, content in enumerate(contents):
        data = content.SerializeToString(deterministic=True)
        schema = schemas.of_message(content)
        salt = os.urandom(32)
        made.parts.add(
            category=schema.category,
            schema=schema.name,
            commitment=commitment(salt, data),
            size=len(data),
            facts=facts.of_message(content),
            sealed=position in sealed,
        )
        if position in sealed:
            parts.append(envelope_pb2.Part(sealed=sealed_part(len(data))))
        else:
            parts.append(envelope_pb2.Part(clear=envelope_pb2.ClearPart(salt=salt, content=data)))
    return Draft(header=made, parts=parts, signers=[(signer, SIGNING)])


def sealed_part(size: int = 100) -> envelope_pb2.SealedPart:
    """Return a sealed part as the gateway sees one."""
    return envelope_pb2.SealedPart(
        suite="DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305",
        ciphertext=os.urandom(size + 48),
        wrapped_keys=[
            envelope_pb2.WrappedKey(
                key=os.urandom(32), encapsulated=os.urandom(32), ciphertext=os.urandom(48)
            )
        ],
    )


def signature(signer: Signer, header_bytes: bytes) -> envelope_pb2.Signature:
    """Return a key's signature over header bytes."""
    return envelope_pb2.Signature(
        key=signer.public_key.fingerprint,
        value=signer.sign(dsse.pae(dsse.HEADER_TYPE, header_bytes)),
    )


def varint(value: int) -> bytes:
    """Return a protobuf varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def length_delimited(number: int, data: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


UNKNOWN_FIELD = length_delimited(1000, b"what a rule withholds")
"""A field that no message of the protos has."""
