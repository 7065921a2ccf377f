"""What holds of every term, in any time zone and from any instant on."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rogatory import wire
from rogatory.assistance.v1 import deadline_pb2
from rogatory.clock import NANOSECONDS_PER_SECOND
from rogatory.exchange.v1 import agreement_pb2
from rogatory.procedures import deadlines
from rogatory.procedures.calendars import trimmed

ZONES = (
    "UTC",
    "Asia/Kathmandu",
    "Asia/Yangon",
    "Europe/Paris",
    "Africa/Cairo",
    "America/Havana",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)
# 2020 to 2040: rules of today, holidays that can be met.
STARTS = st.integers(1_577_836_800, 2_208_988_800).map(lambda s: s * NANOSECONDS_PER_SECOND + 7)
HOLIDAYS = st.frozensets(
    st.dates(date(2020, 1, 1), date(2041, 1, 1)).map(date.isoformat), max_size=60
)
UNITS = (agreement_pb2.DEADLINE_UNIT_DAYS, agreement_pb2.DEADLINE_UNIT_WORKING_DAYS)


def _local(instant: int, zone: str) -> datetime:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant // 1000)
    return moment.astimezone(zoneinfo.ZoneInfo(zone))


@given(STARTS, st.sampled_from(ZONES), HOLIDAYS, st.sampled_from(UNITS), st.integers(1, 60))
def test_days(start: int, zone: str, holidays: frozenset[str], unit: int, amount: int) -> None:
    """Days end at the beginning of a local day, with as many counted as the term has."""
    calendar = deadlines.Calendar(zone, holidays)
    term = deadlines.term_of(unit, amount, calendar, start=start)

    end = deadlines.due_time(term, start)

    wire.validate(term, what="term")
    assert _local(end - 1, zone).date() < _local(end, zone).date()
    first = _local(start, zone).date()
    days = [
        first + timedelta(days=n + 1) for n in range((_local(end, zone).date() - first).days - 1)
    ]
    if unit == agreement_pb2.DEADLINE_UNIT_WORKING_DAYS:
        days = [day for day in days if day.weekday() < 5 and day.isoformat() not in holidays]
    assert amount == len(days)


@given(STARTS, st.sampled_from(ZONES), HOLIDAYS, st.integers(1, 60), st.integers(0, 10**17))
def test_left_out_holidays_do_not_matter(
    start: int, zone: str, holidays: frozenset[str], amount: int, wait: int
) -> None:
    """A term without the holidays that were left out ends when it would with all of them."""
    calendar = deadlines.Calendar(zone, holidays)
    whole = deadline_pb2.DeadlineTerm(
        working_days=amount, time_zone=zone, holidays=sorted(holidays)
    )
    unit = agreement_pb2.DEADLINE_UNIT_WORKING_DAYS

    at_once = deadlines.term_of(unit, amount, calendar, start=start)
    pending = deadlines.term_of(unit, amount, calendar, start=start, later=True)

    assert deadlines.due_time(whole, start) == deadlines.due_time(at_once, start)
    begun = trimmed(pending, start=start + wait)
    assert deadlines.due_time(whole, start + wait) == deadlines.due_time(begun, start + wait)


@given(STARTS, st.integers(1, 10**17), st.integers(-(10**17), 10**18))
def test_states_follow_each_other(start: int, length: int, wait: int) -> None:
    """As time passes a deadline goes from open to due soon to overdue, never back."""
    due = start + length
    soon = deadlines.soon_time(start, due)

    def state(now: int) -> int:
        return deadlines.state(soon_time=soon, due_time=due, now=now)

    assert start <= soon <= due
    assert state(start + wait) <= state(start + wait + 1)
    assert deadline_pb2.DUE_STATE_DUE_SOON == state(due)
    assert deadline_pb2.DUE_STATE_OVERDUE == state(due + 1)


@given(STARTS, st.times())
def test_time_of_day_does_not_matter(start: int, at: time) -> None:
    """Days end alike whenever on their first day they begin."""
    day = start // (86_400 * NANOSECONDS_PER_SECOND) * 86_400 * NANOSECONDS_PER_SECOND
    begun = day + (at.hour * 3_600 + at.minute * 60 + at.second) * NANOSECONDS_PER_SECOND
    term = deadline_pb2.DeadlineTerm(days=3, time_zone="UTC")

    assert deadlines.due_time(term, day) == deadlines.due_time(term, begun)
