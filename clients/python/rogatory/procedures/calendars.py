"""When a term ends: hours around the clock, days and working days in an agency's time zone.

Instants are nanoseconds since the Unix epoch. Time zones are those of the IANA database that this
system has; a zone it does not know counts as UTC, and the term then says so.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from rogatory.assistance.v1 import deadline_pb2
from rogatory.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND, from_datetime
from rogatory.exchange.v1 import agreement_pb2

NANOSECONDS_PER_HOUR = NANOSECONDS_PER_DAY // 24
MAX_HOURS = 8760
"""The most that a term can say, as `DeadlineTerm.hours` has it."""
MAX_DAYS = 3650
MAX_WORKING_DAYS = 2600
MAX_HOLIDAYS = 400
_SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """By what an agency counts its days.

    Attributes:
        time_zone: IANA name, as `Asia/Kathmandu`; empty, or one this system does not know: UTC.
        holidays: Days that are no working days, weekends apart: ISO 8601 dates.
    """

    time_zone: str = ""
    holidays: frozenset[str] = frozenset()


def due_time(term: deadline_pb2.DeadlineTerm, start: int) -> int:
    """Return when a term ends that begins at ``start``, both in nanoseconds since the Unix epoch.

    Hours run around the clock. Days and working days end at 24:00 local time of the last one; the
    day on which the term begins is not counted. Where that clock strikes midnight twice, the first
    counts; where it skips midnight, the moment at which it does.
    """
    amount = term.WhichOneof("amount")
    if amount == "hours":
        return start + term.hours * NANOSECONDS_PER_HOUR
    zone = _zone(term.time_zone) or UTC
    last = _local_date(start, zone)
    if amount == "days":
        last += timedelta(days=term.days)
    else:
        holidays = frozenset(term.holidays)
        left = term.working_days
        while left:
            last += timedelta(days=1)
            left -= last.weekday() < _SATURDAY and last.isoformat() not in holidays
    midnight = last + timedelta(days=1)
    return from_datetime(datetime(midnight.year, midnight.month, midnight.day, tzinfo=zone))


def term_of(
    unit: int, amount: int, calendar: Calendar, *, start: int, later: bool = False
) -> deadline_pb2.DeadlineTerm:
    """Return a deadline of an agreement as a term in an agency's calendar.

    Args:
        unit: A `DeadlineUnit`; what is neither days nor working days counts as hours.
        amount: How many, from 1. More than a term can say (8,760 hours, 3,650 days, 2,600 working
            days) becomes the most it can: hours the days that hold them, working days the last.
        calendar: Of the agency that answers.
        start: When it begins, in nanoseconds since the Unix epoch; for one that begins with a later
            step, a time before that.
        later: It begins later than ``start``. Else holidays after its end are left out.
    """
    zone = calendar.time_zone if _zone(calendar.time_zone) else "UTC"
    if unit == agreement_pb2.DEADLINE_UNIT_WORKING_DAYS:
        term = deadline_pb2.DeadlineTerm(
            working_days=min(amount, MAX_WORKING_DAYS),
            time_zone=zone,
            holidays=sorted(calendar.holidays),
        )
        return trimmed(term, start=start, later=later)
    if unit == agreement_pb2.DEADLINE_UNIT_DAYS:
        return deadline_pb2.DeadlineTerm(days=min(amount, MAX_DAYS), time_zone=zone)
    if amount <= MAX_HOURS:
        return deadline_pb2.DeadlineTerm(hours=amount)
    return deadline_pb2.DeadlineTerm(days=min(-(-amount // 24), MAX_DAYS), time_zone=zone)


def trimmed(
    term: deadline_pb2.DeadlineTerm, *, start: int, later: bool = False
) -> deadline_pb2.DeadlineTerm:
    """Return a term with those of its holidays that can move its end, the first 400 of them.

    Args:
        term: Any term; only working days have holidays.
        start: When it begins, or with ``later`` a time before that.
        later: It begins later than ``start``, so that any holiday after ``start`` may count.
    """
    shorter = deadline_pb2.DeadlineTerm()
    shorter.CopyFrom(term)
    if not term.holidays:
        return shorter
    zone = _zone(term.time_zone) or UTC
    first = _local_date(start, zone).isoformat()
    # The end is the midnight that begins the day after the last.
    end = "9999" if later else _local_date(due_time(term, start), zone).isoformat()
    days = [day for day in sorted(set(term.holidays)) if first < day < end and _on_weekday(day)]
    del shorter.holidays[:]
    shorter.holidays.extend(days[:MAX_HOLIDAYS])
    return shorter


def until(start: int, end: int) -> tuple[deadline_pb2.DeadlineTerm, int] | None:
    """Return the term that an instant asked for amounts to, and when it ends.

    The instant itself counts; the term says its length, rounded up to hours, or to days where a
    term cannot hold the hours. What is further ahead than 3,650 days ends then.

    Args:
        start: When it begins, in nanoseconds since the Unix epoch.
        end: The instant asked for, the same.

    Returns:
        None: The instant is not after ``start``.
    """
    if end <= start:
        return None
    end = min(end, start + MAX_DAYS * NANOSECONDS_PER_DAY)
    hours = -((start - end) // NANOSECONDS_PER_HOUR)
    if hours <= MAX_HOURS:
        return deadline_pb2.DeadlineTerm(hours=hours), end
    days = -((start - end) // NANOSECONDS_PER_DAY)
    return deadline_pb2.DeadlineTerm(days=days, time_zone="UTC"), end


def _zone(name: str) -> tzinfo | None:
    """Return a time zone by its name; None where there is no such zone."""
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _local_date(instant: int, zone: tzinfo) -> date:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant // NANOSECONDS_PER_SECOND)
    return moment.astimezone(zone).date()


def _on_weekday(day: str) -> bool:
    try:
        return date.fromisoformat(day).weekday() < _SATURDAY
    except ValueError:  # 29 February of a year that has none: the protos let it through.
        return False
