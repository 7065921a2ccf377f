"""Groups: what one commit holds is decided as if each message had come alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rogatory.exchange.v1 import decision_pb2
from rogatory_gateway.ledger.items import AdvanceItem
from tests.support.history import NL, RO, History
from tests.support.world import World


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """A ledger with three agencies and an agreement."""
    made = History(World(tmp_path / "gateway"))
    yield made
    made.close()


def test_a_message_is_found_by_the_next_of_its_group(history: History) -> None:
    """An acknowledgement that shares a commit with what it acknowledges is permitted."""
    message = history.transfer(RO)
    receipt = history.receipt(message.opened)

    history.append(message, receipt)

    assert [decision_pb2.DISPOSITION_PERMITTED] == [row.disposition for row in receipt.outcomes]
    assert message.index + 1 == receipt.index


def test_what_is_not_durable_was_not_delivered(history: History) -> None:
    """An advance never passes over a message of its own group, which nobody can have read."""
    history.append(history.transfer(RO))
    advance = AdvanceItem(actor=RO, position=1000, exercise=False)

    history.append(history.transfer(RO), advance)

    assert (1, True) == (advance.position, advance.advanced)


def test_the_first_message_of_an_inbox_is_not_passed_over(history: History) -> None:
    """Nor where the inbox begins with this very group."""
    advance = AdvanceItem(actor=NL, position=5, exercise=False)

    history.append(history.transfer(NL, sender=RO), advance)

    assert (0, False) == (advance.position, advance.advanced)
