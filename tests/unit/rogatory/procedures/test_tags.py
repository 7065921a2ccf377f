"""Tags of subjects: the same for everyone who knows the record, and in one order."""

from __future__ import annotations

import hashlib

import pytest

from rogatory.procedures import tags

ID = "3b241101-e2bb-4255-8caf-4136c566a962"


def test_tag_of_a_record() -> None:
    """A tag is the beginning of a hash under a domain of its own."""
    digest = hashlib.sha256(b"rogatory.subject.v1\x00" + ID.encode()).digest()

    assert digest[:8] == tags.subject_tag(ID)
    assert digest[:8] == tags.pack_ids([ID, ID])


def test_packed_in_one_order() -> None:
    """However often and in whatever order they come, tags stand ascending and once."""
    first, second = b"\x00" * 8, b"\xff" * 8

    packed = tags.pack([second, first, second])

    assert first + second == packed
    assert {first, second} == tags.unpack(packed)
    assert frozenset() == tags.unpack(tags.pack([]))


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (b"", True),
        (b"\x00" * 8 + b"\x01" * 8, True),
        (b"\x01" * 8 + b"\x00" * 8, False),
        (b"\x01" * 16, False),
        (b"\x01" * 7, False),
    ],
)
def test_what_is_packed(packed: bytes, *, expected: bool) -> None:
    """Tags out of order, twice or cut off are told apart from what `pack` makes."""
    assert expected == tags.is_packed(packed)
