"""Instants in their three forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_790_000_000_123_456_789, "2026-09-21T14:13:20.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_there_and_back(nanoseconds: int, text: str) -> None:
    """Nanoseconds survive the timestamp; the text keeps milliseconds, rounded down."""
    timestamp = clock.to_timestamp(nanoseconds)

    assert nanoseconds == clock.to_nanoseconds(timestamp)
    assert 0 <= timestamp.nanos < clock.NANOSECONDS_PER_SECOND
    assert text == clock.to_text(nanoseconds)


def test_from_datetime() -> None:
    """An aware datetime of any zone names the same instant, to the microsecond."""
    moment = datetime(2026, 11, 22, 12, 0, 0, 7, tzinfo=UTC)

    assert clock.from_datetime(moment) == clock.from_datetime(
        moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    )
    assert 7_000 == clock.from_datetime(moment) % clock.NANOSECONDS_PER_SECOND
    assert Timestamp(seconds=int(moment.timestamp()), nanos=7000) == clock.to_timestamp(
        clock.from_datetime(moment)
    )


def test_naive_datetime_names_no_instant() -> None:
    """A datetime without a zone is refused."""
    with pytest.raises(ValueError, match="time zone"):
        clock.from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test
