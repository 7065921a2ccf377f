"""Tags of subjects: who is meant, in a header that says no name.

A tag is the first 8 bytes of SHA-256 over ``rogatory.subject.v1``, a zero byte and the record id as
lower-case UUID text. Who knows the record knows its tag; a random UUID can't be guessed from it. In
a header tags stand one behind the other, ascending, each once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

SUBJECT_DOMAIN = b"rogatory.subject.v1\x00"
TAG_BYTES = 8


def subject_tag(record_id: str) -> bytes:
    """Return the tag of a record id (UUID, RFC 9562, lower case): 8 bytes."""
    return hashlib.sha256(SUBJECT_DOMAIN + record_id.encode()).digest()[:TAG_BYTES]


def pack(tags: Iterable[bytes]) -> bytes:
    """Return tags (8 bytes each) as a header holds them: ascending, each once."""
    return b"".join(sorted(set(tags)))


def pack_ids(record_ids: Iterable[str]) -> bytes:
    """Return the tags of record ids as a header holds them."""
    return pack(map(subject_tag, record_ids))


def unpack(packed: bytes) -> frozenset[bytes]:
    """Return the tags in what `pack` made; of other bytes, whatever lies in steps of 8."""
    return frozenset(
        [packed[start : start + TAG_BYTES] for start in range(0, len(packed), TAG_BYTES)]
    )


def is_packed(packed: bytes) -> bool:
    """Say whether bytes are what `pack` makes of some tags; none at all is one of these."""
    return len(packed) % TAG_BYTES == 0 and packed == pack(unpack(packed))
