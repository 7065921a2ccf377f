"""When terms end, in several time zones and over their changes of the clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from rogatory import wire
from rogatory.assistance.v1.deadline_pb2 import DeadlineTerm
from rogatory.clock import NANOSECONDS_PER_SECOND, from_datetime
from rogatory.exchange.v1.agreement_pb2 import (
    DEADLINE_UNIT_DAYS,
    DEADLINE_UNIT_HOURS,
    DEADLINE_UNIT_WORKING_DAYS,
)
from rogatory.procedures.calendars import Calendar, due_time, term_of, trimmed, until

HOUR = 3_600 * NANOSECONDS_PER_SECOND


def at(text: str) -> int:
    """Return an instant written in ISO 8601 with its offset."""
    return from_datetime(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("term", "start", "expected"),
    [
        (DeadlineTerm(hours=8), "2026-03-01T20:00:00+00:00", "2026-03-02T04:00:00+00:00"),
        # Paris puts the clock on at 01:00 UTC of 2026-03-29 and back on 2026-10-25.
        (
            DeadlineTerm(hours=24, time_zone="Europe/Paris"),
            "2026-03-28T12:00:00+01:00",
            "2026-03-29T13:00:00+02:00",
        ),
        (
            DeadlineTerm(days=1, time_zone="Europe/Paris"),
            "2026-03-28T12:00:00+01:00",
            "2026-03-30T00:00:00+02:00",
        ),
        (
            DeadlineTerm(days=1, time_zone="Europe/Paris"),
            "2026-10-24T12:00:00+02:00",
            "2026-10-26T00:00:00+01:00",
        ),
        (DeadlineTerm(days=3), "2026-03-02T23:59:59+00:00", "2026-03-06T00:00:00+00:00"),
        # 18:20 UTC is 00:05 of the next day in Kathmandu, 18:10 is 23:55 of the same.
        (
            DeadlineTerm(days=1, time_zone="Asia/Kathmandu"),
            "2026-03-02T18:20:00+00:00",
            "2026-03-05T00:00:00+05:45",
        ),
        (
            DeadlineTerm(days=1, time_zone="Asia/Kathmandu"),
            "2026-03-02T18:10:00+00:00",
            "2026-03-04T00:00:00+05:45",
        ),
        # From a Friday on: Monday is the first, Wednesday the third.
        (
            DeadlineTerm(working_days=3, time_zone="Asia/Bangkok"),
            "2026-03-06T09:00:00+07:00",
            "2026-03-12T00:00:00+07:00",
        ),
        (
            DeadlineTerm(working_days=1, time_zone="Asia/Bangkok"),
            "2026-03-07T09:00:00+07:00",
            "2026-03-10T00:00:00+07:00",
        ),
        (
            DeadlineTerm(working_days=2, time_zone="Asia/Bangkok", holidays=["2026-04-13"]),
            "2026-04-10T09:00:00+07:00",
            "2026-04-16T00:00:00+07:00",
        ),
        # Sunday evening in UTC is Monday in Auckland: Tuesday is the first.
        (
            DeadlineTerm(working_days=1, time_zone="Pacific/Auckland"),
            "2026-03-01T20:00:00+00:00",
            "2026-03-04T00:00:00+13:00",
        ),
        # Cairo skips the first hour of 2026-04-24: the day before ends where it does.
        (
            DeadlineTerm(days=1, time_zone="Africa/Cairo"),
            "2026-04-22T12:00:00+02:00",
            "2026-04-24T00:00:00+02:00",
        ),
        # Havana strikes midnight of 2026-11-01 twice: the first ends 31 October.
        (
            DeadlineTerm(days=1, time_zone="America/Havana"),
            "2026-10-30T12:00:00-04:00",
            "2026-11-01T00:00:00-04:00",
        ),
        (
            DeadlineTerm(days=1, time_zone="Mars/Olympus"),
            "2026-03-02T12:00:00+00:00",
            "2026-03-04T00:00:00+00:00",
        ),
    ],
)
def test_end(term: DeadlineTerm, start: str, expected: str) -> None:
    """Hours are exact; days end at local midnight, whatever the clock does in between."""
    assert at(expected) == due_time(term, at(start))


@pytest.mark.parametrize(
    ("unit", "amount", "expected"),
    [
        (DEADLINE_UNIT_HOURS, 8, DeadlineTerm(hours=8)),
        (DEADLINE_UNIT_HOURS, 8_761, DeadlineTerm(days=366, time_zone="Asia/Yangon")),
        (DEADLINE_UNIT_HOURS, 87_600, DeadlineTerm(days=3_650, time_zone="Asia/Yangon")),
        (DEADLINE_UNIT_DAYS, 3, DeadlineTerm(days=3, time_zone="Asia/Yangon")),
        (DEADLINE_UNIT_DAYS, 3_650, DeadlineTerm(days=3_650, time_zone="Asia/Yangon")),
        (
            DEADLINE_UNIT_WORKING_DAYS,
            2,
            DeadlineTerm(working_days=2, time_zone="Asia/Yangon", holidays=["2026-03-03"]),
        ),
    ],
)
def test_term_of_an_agreement(unit: int, amount: int, expected: DeadlineTerm) -> None:
    """A deadline becomes a term in the agency's calendar that keeps the schema."""
    calendar = Calendar("Asia/Yangon", frozenset({"2026-03-03", "2026-03-27", "2025-01-01"}))

    term = term_of(unit, amount, calendar, start=at("2026-03-02T12:00:00+06:30"))

    wire.validate(term, what="term")
    assert expected == term


def test_longest_in_working_days() -> None:
    """More working days than a term can say become the most that it can."""
    term = term_of(DEADLINE_UNIT_WORKING_DAYS, 3_650, Calendar(), start=0)

    wire.validate(term, what="term")
    assert term.working_days == 2_600


@pytest.mark.parametrize("zone", ["", "Nowhere/City", "../etc/passwd", "America"])
def test_unknown_zone(zone: str) -> None:
    """A zone that is not stated or not known counts as UTC, and the term says so."""
    term = term_of(DEADLINE_UNIT_DAYS, 1, Calendar(zone), start=0)

    assert DeadlineTerm(days=1, time_zone="UTC") == term


def test_holidays_that_can_matter() -> None:
    """A term that begins later keeps the holidays after its start, but for weekends."""
    monday = at("2026-03-02T12:00:00+00:00")
    # A Monday already begun, a Tuesday, a Saturday, a day that no calendar has, and years ahead.
    holidays = ["2026-03-02", "2026-03-03", "2026-03-07", "2026-02-29", "2027-02-29", "2031-05-01"]
    calendar = Calendar("UTC", frozenset(holidays))

    at_once = term_of(DEADLINE_UNIT_WORKING_DAYS, 5, calendar, start=monday)
    later = term_of(DEADLINE_UNIT_WORKING_DAYS, 5, calendar, start=monday, later=True)

    assert ["2026-03-03"] == at_once.holidays
    assert ["2026-03-03", "2031-05-01"] == later.holidays
    assert at_once == trimmed(later, start=monday)


def test_at_most_400_holidays() -> None:
    """Of more holidays than a term may hold the first 400 stay."""
    first = date(2026, 3, 3)
    days = [(first + timedelta(days=n)).isoformat() for n in range(1_000)]

    term = term_of(
        DEADLINE_UNIT_WORKING_DAYS, 400, Calendar("UTC", frozenset(days)), start=0, later=True
    )

    wire.validate(term, what="term")
    assert days[0] == term.holidays[0]
    assert len(term.holidays) == 400


@pytest.mark.parametrize(
    ("end", "term", "due"),
    [
        (5 * HOUR, DeadlineTerm(hours=5), 5 * HOUR),
        (5 * HOUR + 1, DeadlineTerm(hours=6), 5 * HOUR + 1),
        (1, DeadlineTerm(hours=1), 1),
        (8_760 * HOUR + 1, DeadlineTerm(days=366, time_zone="UTC"), 8_760 * HOUR + 1),
        (10**30, DeadlineTerm(days=3_650, time_zone="UTC"), 87_600 * HOUR),
    ],
)
def test_instant_asked_for(end: int, term: DeadlineTerm, due: int) -> None:
    """The instant itself counts; its length is said in what a term can say."""
    assert (term, due) == until(0, end)


@pytest.mark.parametrize("end", [-1, 0])
def test_instant_that_has_passed(end: int) -> None:
    """What was to happen already gives no term."""
    assert until(0, end) is None
