"""Values of the text form: dates, spans, numbers and keys, read strictly.

Each function raises ValueError with what is allowed; the caller adds where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.clock import from_datetime, to_timestamp
from rogatory.errors import KeyRejected
from rogatory.exchange.v1 import agreement_pb2
from rogatory.keys import ALGORITHMS, PublicKey

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_SPAN = re.compile(r"([1-9][0-9]{0,9})\s+([a-z]+(?:\s[a-z]+)?)", re.ASCII)

_SPANS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        # Only what is exact: no days in a month or a year.
        "_hours": {"hour": 1, "day": 24, "week": 7 * 24},
        "_days": {"day": 1, "week": 7},
        "_months": {"month": 1, "year": 12},
    }
)
_DEADLINE_UNITS: Mapping[str, agreement_pb2.DeadlineUnit.ValueType] = MappingProxyType(
    {
        "hour": agreement_pb2.DEADLINE_UNIT_HOURS,
        "day": agreement_pb2.DEADLINE_UNIT_DAYS,
        "working day": agreement_pb2.DEADLINE_UNIT_WORKING_DAYS,
    }
)


def timestamp(text: str) -> Timestamp:
    """Read ``2026-12-01`` (midnight UTC) or ``2026-12-01T08:00:00+01:00`` (ISO 8601)."""
    try:
        if _DATE.fullmatch(text):
            return to_timestamp(from_datetime(datetime.fromisoformat(f"{text}T00:00:00Z")))
        if _INSTANT.fullmatch(text):
            return to_timestamp(from_datetime(datetime.fromisoformat(text)))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a day or time of the calendar") from None
    raise ValueError(
        f"expected a date, as 2026-12-01, or a time with its zone, as 2026-12-01T08:00:00Z,"
        f" not {text!r}"
    )


def number(text: str, *, name: str, bits: int) -> int:
    """Read a whole number, or a span with its unit where the field's name ends in one."""
    scale = next((units for suffix, units in _SPANS.items() if name.endswith(suffix)), None)
    value = None
    if _NUMBER.fullmatch(text):
        value = int(text)
    elif scale is not None:
        amount, unit = _span(text)
        if unit in scale:
            value = amount * scale[unit]
    if value is None:
        units = f", or a span in {', '.join(f'{unit}s' for unit in scale)}" if scale else ""
        raise ValueError(f"expected a whole number{units}, not {text!r}")
    if value >= 1 << bits:
        raise ValueError(f"{text} is too large")
    return value


def deadline(text: str) -> tuple[int, agreement_pb2.DeadlineUnit.ValueType]:
    """Read ``8 hours``, ``3 days`` or ``5 working days`` as amount and unit."""
    amount, unit = _span(text.strip())
    if unit not in _DEADLINE_UNITS or amount >= 1 << 32:
        raise ValueError(f"expected a span as 8 hours, 3 days or 5 working days, not {text!r}")
    return amount, _DEADLINE_UNITS[unit]


def public_key(text: str) -> agreement_pb2.PublicKey:
    """Read ``Ed25519:BASE64``; the algorithm's name in any case."""
    name, colon, rest = text.partition(":")
    spelled = {algorithm.lower(): algorithm for algorithm in ALGORITHMS}.get(name.lower(), name)
    try:
        key = PublicKey.from_text(f"{spelled}{colon}{rest}")
        key.check_enrolment()
    except KeyRejected as error:
        raise ValueError(str(error)) from error
    return agreement_pb2.PublicKey(algorithm=key.algorithm, public_key=key.raw)


def _span(text: str) -> tuple[int, str]:
    match = _SPAN.fullmatch(text)
    if match is None:
        return 0, ""
    return int(match[1]), match[2].removesuffix("s")
