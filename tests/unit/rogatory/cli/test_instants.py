"""Instants as people type them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import typer

from rogatory import clock
from rogatory.cli import instants


def test_date_is_meant_to_its_end() -> None:
    """A thing that holds until a day holds on that day, in UTC."""
    end = clock.from_datetime(datetime(2099, 1, 1, tzinfo=UTC))

    assert end == clock.to_nanoseconds(instants.until("2098-12-31", "--until"))


def test_time_has_its_zone() -> None:
    """An instant is one whatever zone it is written in."""
    expected = clock.from_datetime(datetime(2098, 6, 1, 10, tzinfo=UTC))

    assert expected == clock.to_nanoseconds(instants.until("2098-06-01T12:00+02:00", "--until"))
    assert expected == clock.to_nanoseconds(instants.instant("2098-06-01T10:00Z", "--at"))


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("12h", 43_200), ("2d", 172_800)])
def test_so_long_from_now(text: str, seconds: int) -> None:
    """A number with its unit counts from now."""
    before = time.time_ns()
    found = clock.to_nanoseconds(instants.until(text, "--until"))
    after = time.time_ns()

    span = seconds * clock.NANOSECONDS_PER_SECOND
    assert before + span <= found <= after + span


@pytest.mark.parametrize(
    "text", ["", "soon", "2020-01-01", "2098-02-30", "2098-06-01T12:00", "2098-06", "-3d", "5w"]
)
def test_what_names_no_instant_ahead_is_refused(text: str) -> None:
    """What is over, is no date, or has no zone is wrong usage."""
    with pytest.raises(typer.BadParameter):
        instants.until(text, "--until")
