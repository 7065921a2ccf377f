"""The hub: wakes subscribers when their inbox has grown, or when who may subscribe has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Hub:
    """Events by inbox. Lives on the event loop; no locks."""

    def __init__(self) -> None:
        self._events: defaultdict[tuple[str, bool], set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def listen(self, agency: str, *, exercise: bool) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever the inbox may have grown."""
        event = asyncio.Event()
        key = (agency, exercise)
        self._events[key].add(event)
        try:
            yield event
        finally:
            self._events[key].discard(event)
            if not self._events[key]:
                del self._events[key]

    def wake(self, inboxes: Iterable[tuple[str, bool]]) -> None:
        """Wake the subscribers of some inboxes."""
        for key in inboxes:
            for event in self._events.get(key, ()):
                event.set()

    def wake_all(self) -> None:
        """Wake every subscriber: agencies or agreements have changed, or the gateway stops."""
        for events in self._events.values():
            for event in events:
                event.set()

    @property
    def listeners(self) -> int:
        """Number of open subscriptions."""
        return sum(len(events) for events in self._events.values())
