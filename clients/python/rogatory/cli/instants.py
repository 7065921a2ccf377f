"""Instants as people type them: a date, a date with time and zone, or a time from now."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock

UNTIL_HELP = "A date (to its end, UTC), a time such as 2026-12-31T18:00+01:00, or 12h, 90d."

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_FROM_NOW = re.compile(r"([0-9]{1,5})([mhd])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def until(text: str, option: str) -> Timestamp:
    """Return the end that a word names: of a day, at an instant, or so long from now.

    Raises:
        typer.BadParameter: It is none, or lies behind.
    """
    found = _FROM_NOW.fullmatch(text)
    if found is not None:
        seconds = int(found[1]) * _UNITS[found[2]]
        return clock.to_timestamp(time.time_ns() + seconds * clock.NANOSECONDS_PER_SECOND)
    if _DATE.fullmatch(text):
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is no date", param_hint=option) from error
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        end = clock.from_datetime(midnight)
    else:
        end = clock.to_nanoseconds(instant(text, option))
    if end <= time.time_ns():
        raise typer.BadParameter(f"{text} is over", param_hint=option)
    return clock.to_timestamp(end)


def instant(text: str, option: str) -> Timestamp:
    """Return the instant that a word names: date, time and zone (RFC 3339).

    Raises:
        typer.BadParameter: It is none, or has no zone.
    """
    try:
        return clock.to_timestamp(clock.from_datetime(datetime.fromisoformat(text)))
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date and time with its zone, as 2026-12-31T18:00+01:00",
            param_hint=option,
        ) from error


def minute(timestamp: Timestamp) -> str:
    """Return an instant to the minute, in UTC, for people."""
    moment = datetime.fromtimestamp(timestamp.seconds, tz=UTC)
    return moment.strftime("%Y-%m-%d %H:%M")
