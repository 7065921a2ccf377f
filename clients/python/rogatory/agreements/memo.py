"""Results of pure functions, remembered within bounds."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Results of pure functions by their arguments; forgotten all at once when too many.

    It changes how fast a decision is, never which. Safe to share between threads.
    """

    __slots__ = ("_results", "get")

    LIMIT = 2048
    """Results kept, of up to a few kilobytes each: messages are made of few shapes, but senders
    may make up others."""

    def __init__(self) -> None:
        self._results: dict[Hashable, T] = {}
        self.get = self._results.get

    def put(self, key: Hashable, result: T) -> T:
        """Remember a result, and return it."""
        if len(self._results) >= self.LIMIT:
            self._results.clear()
        self._results[key] = result
        return result
