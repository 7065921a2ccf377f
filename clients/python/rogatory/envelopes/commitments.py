"""Commitments: what binds parts, outcomes and what is not kept to what stands in the log."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rogatory.exchange.v1 import envelope_pb2

PART_DOMAIN = b"rogatory.part.v1\x00"
OUTCOME_DOMAIN = b"rogatory.outcome.v1\x00"
REJECTION_DOMAIN = b"rogatory.rejection.v1\x00"
ACCESS_DOMAIN = b"rogatory.access.v1\x00"
SALT_BYTES = 32


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


def matches(part: envelope_pb2.ClearPart, descriptor: envelope_pb2.PartDescriptor) -> bool:
    """Say whether a part has the size and opens the commitment that the header states."""
    return len(part.content) == descriptor.size and hmac.compare_digest(
        commitment(part.salt, part.content), descriptor.commitment
    )


def new_message_id(milliseconds: int, random: bytes) -> str:
    """Return a UUIDv7 (RFC 9562 5.7) of a time in milliseconds and 10 random bytes."""
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
