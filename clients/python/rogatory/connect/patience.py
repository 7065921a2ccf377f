"""Which failures of a job are for good, which may pass, and when it is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rogatory.clock import NANOSECONDS_PER_SECOND
from rogatory.errors import CallError

FIRST_WAIT, LONGEST_WAIT = 1, 256
"""Seconds before a job that failed in a way that may pass is tried again; doubled each time."""

_FINAL_CODES = frozenset({"INVALID_ARGUMENT", "ALREADY_EXISTS", "FAILED_PRECONDITION", "NOT_FOUND"})
_FINAL_REASONS = frozenset(
    {
        "SENDER_MISMATCH",
        "NOT_AUTHORISED",
        "KEY_UNKNOWN",
        "KEY_NOT_YET_VALID",
        "KEY_EXPIRED",
        "KEY_REVOKED",
        "OFFICER_RIGHT_MISSING",
    }
)
"""PERMISSION_DENIED that is about this message; others are about the agency, and may pass."""

_CODES_OF_ALL = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNAUTHENTICATED"})


def is_final(error: CallError) -> bool:
    """Say whether the same bytes would fare no better: nothing was decided, nor will be."""
    return error.code in _FINAL_CODES or error.reason in _FINAL_REASONS


def concerns_all(error: CallError) -> bool:
    """Say whether an error is about gateway or agency, so that no other job fares better."""
    return error.code in _CODES_OF_ALL or error.reason == "AGENCY_REVOKED"


@dataclass(slots=True)
class _Waiting:
    tries: int
    due: int


class Patience:
    """When each job that failed is tried again. Kept in memory: a restart tries all at once."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._waiting: dict[str, _Waiting] = {}

    def failed(self, name: str, *, at_once: bool) -> int:
        """Note that a job failed; return how often it has by now."""
        tries = self._waiting[name].tries + 1 if name in self._waiting else 1
        seconds = 0 if at_once else min(FIRST_WAIT << min(tries - 1, 30), LONGEST_WAIT)
        self._waiting[name] = _Waiting(tries, self._now() + seconds * NANOSECONDS_PER_SECOND)
        return tries

    def is_due(self, name: str) -> bool:
        """Say whether a job may be tried now."""
        waiting = self._waiting.get(name)
        return waiting is None or waiting.due <= self._now()

    def forget(self, name: str) -> None:
        """Note that a job has been dealt with."""
        self._waiting.pop(name, None)
