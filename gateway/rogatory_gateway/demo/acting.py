"""What all acts share: their shape, their answer, and the operation's constants."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock
from rogatory_gateway.demo.desk import Desk
from rogatory_gateway.demo.outbox import Sent

HOSTS_IN_A_PART = 200
REPORTS_IN_A_PART = 500
CASE = "LL-2026/001"
OFFENCES = ("0701", "09031")
"""Fraud, and unlawful access to a computer system (ICCS)."""

Result = dict[str, Any]
Act = Callable[[Desk, Result], Awaitable[Result]]
"""Takes the order that names it, returns what the play is told."""

T = TypeVar("T")


def result(*sent: Sent, **more: Any) -> Result:  # noqa: ANN401 - JSON values
    """Return what the play is told of messages sent."""
    return {
        "refusals": [row for item in sent for row in item.refusals],
        "deliveries": sum(item.deliveries for item in sent),
        **more,
    }


def now() -> Timestamp:
    """Return the time as the records carry it."""
    return clock.to_timestamp(time.time_ns())


def days_on(days: int) -> Timestamp:
    """Return the time so many days from now."""
    return clock.to_timestamp(time.time_ns() + days * clock.NANOSECONDS_PER_DAY)


def parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return items in runs of at most ``size``."""
    return [items[at : at + size] for at in range(0, len(items), size)]
