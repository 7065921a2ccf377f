"""Instants: protobuf timestamps, and nanoseconds since the Unix epoch."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

NANOSECONDS_PER_SECOND = 1_000_000_000
NANOSECONDS_PER_DAY = 86_400 * NANOSECONDS_PER_SECOND


def to_nanoseconds(timestamp: Timestamp) -> int:
    """Return nanoseconds since 1970-01-01T00:00:00Z; negative before it."""
    return timestamp.seconds * NANOSECONDS_PER_SECOND + timestamp.nanos


def to_timestamp(nanoseconds: int) -> Timestamp:
    """Return the protobuf timestamp of an instant in nanoseconds since the Unix epoch."""
    seconds, nanos = divmod(nanoseconds, NANOSECONDS_PER_SECOND)
    return Timestamp(seconds=seconds, nanos=nanos)


def to_text(nanoseconds: int) -> str:
    """Return the instant as RFC 3339 in UTC with milliseconds, for people and logs."""
    seconds, nanos = divmod(nanoseconds, NANOSECONDS_PER_SECOND)
    moment = datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=nanos // 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_datetime(moment: datetime) -> int:
    """Return the nanoseconds since the Unix epoch of an aware datetime.

    Raises:
        ValueError: the datetime has no time zone, so it names no instant.
    """
    if moment.tzinfo is None:
        message = "a datetime without a time zone names no instant"
        raise ValueError(message)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    whole = delta.days * NANOSECONDS_PER_DAY + delta.seconds * NANOSECONDS_PER_SECOND
    return whole + delta.microseconds * 1000
