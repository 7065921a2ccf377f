"""Language tags (BCP 47), time zones (IANA) and days, as an agency states them of itself."""

from __future__ import annotations

import contextlib
import re
import zoneinfo
from datetime import date

from rogatory.errors import ConfigurationError

_TAG = re.compile(r"[a-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""As in the protos; which subtags are registered is not asked."""
_MAX_TAG = 35
"""RFC 5646 4.4.1."""


def check_language(tag: str) -> None:
    """Do nothing for a well-formed language tag.

    Raises:
        ConfigurationError: It is none.
    """
    if _TAG.fullmatch(tag) is None or len(tag) > _MAX_TAG:
        raise ConfigurationError(
            f"{tag!r} is not a language tag",
            hint="Write it as BCP 47 has it, the language in lower case: fr, pt-BR, zh-Hant.",
        )


def check_time_zone(name: str) -> None:
    """Do nothing for a time zone of the IANA database, or for none.

    Where the system has no such database, any name passes: what the protos want of it is checked
    with the key statement.

    Raises:
        ConfigurationError: There is no such zone.
    """
    if name and not _exists(name) and _exists("UTC"):
        raise ConfigurationError(
            f"{name!r} is not a time zone of the IANA database",
            hint="Write it as Europe/Paris; if it is new, update this system's tzdata.",
        )


def check_day(text: str) -> None:
    """Do nothing for a day of the calendar, as ``2026-12-25`` (ISO 8601).

    Raises:
        ConfigurationError: It is none, or written otherwise.
    """
    with contextlib.suppress(ValueError):
        if date.fromisoformat(text).isoformat() == text:
            return
    raise ConfigurationError(
        f"{text!r} is not a day of the calendar", hint="Write it as 2026-12-25."
    )


def _exists(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
