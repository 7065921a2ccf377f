"""What became of a message, as the caller is told."""

from __future__ import annotations

import pytest

from rogatory.client import Submitted
from rogatory.errors import Refused
from tests.unit.rogatory.client.world import World


@pytest.mark.parametrize(
    ("recipient", "hint"),
    [
        ("se.police", "See who takes part: rogatory directory list."),
        ("th.police", "See which agreements are in force: rogatory agreement list."),
    ],
)
def test_refusal_says_what_to_do_next(world: World, recipient: str, hint: str) -> None:
    """Where no change of the message would do, the error says where to look."""
    submission, checkpoint = world.submit(world.envelope(recipient=recipient))

    with pytest.raises(Refused) as caught:
        Submitted.of(submission, checkpoint).raise_if_refused()

    assert hint == caught.value.hint
