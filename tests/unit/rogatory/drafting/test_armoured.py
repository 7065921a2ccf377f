"""The file of a draft: readable, mailable, and nothing in it that can be changed unseen."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rogatory import drafting
from rogatory.drafting.armoured import MAX_TEXT
from rogatory.errors import DraftError, EnvelopeError
from tests.unit.rogatory.client.world import World
from tests.unit.rogatory.drafting.officers import APPROVER, AUTHOR, a_draft, key_of, signed

WRITTEN = signed(a_draft(), AUTHOR)
TEXT = drafting.to_armour(WRITTEN)


def test_file_leads_back_to_the_draft() -> None:
    """Whatever mail does to line ends and to the space around it."""
    mailed = "\r\n" + TEXT.replace("\n", "  \r\n")

    assert drafting.begins(mailed)
    assert WRITTEN == drafting.from_armour(mailed)


def test_head_says_who_has_signed() -> None:
    """By key: a head with pseudonyms could not be checked without the statements."""
    lines = TEXT.splitlines()

    assert f"Signed: key {key_of(AUTHOR).public_key.fingerprint.hex()[:16]}" in lines
    assert f"Missing: key {key_of(APPROVER).public_key.fingerprint.hex()[:16]}" in lines
    assert "To: de.police" in lines
    assert AUTHOR not in TEXT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        TEXT.replace("To: de.police", "To: th.police"),
        TEXT.replace("Missing", "Signed"),
        TEXT.replace("\n\n", "\nNote: approved by telephone\n\n"),
        TEXT.replace("ROGATORY DRAFT", "ROGATORY AGREEMENT"),
        TEXT.replace("\n\n", "\n\n!"),
        TEXT + "x" * MAX_TEXT,
        World().envelope().hex(),
    ],
    ids=range(9),
)
def test_altered_file_is_not_read(text: str) -> None:
    """The head must say what the bytes say."""
    with pytest.raises(DraftError) as caught:
        drafting.from_armour(text)

    assert "DRAFT_ALTERED" == caught.value.reason


@given(place=st.integers(0, len(TEXT) - 1), character=st.characters(codec="ascii"))
def test_no_character_can_be_changed_unseen(place: int, character: str) -> None:
    """What is read from a changed file is what was written, or nothing."""
    changed = TEXT[:place] + character + TEXT[place + 1 :]
    read = WRITTEN

    with contextlib.suppress(DraftError, EnvelopeError):
        read = drafting.from_armour(changed)

    assert (WRITTEN.header_digest, WRITTEN.contents) == (read.header_digest, read.contents)
