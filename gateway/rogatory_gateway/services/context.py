"""What servicers work with: the parts of the running gateway."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rogatory.errors import EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rogatory_gateway.admission.committer import Committer
    from rogatory_gateway.admission.identify import Identifier
    from rogatory_gateway.config import LimitsSection
    from rogatory_gateway.delivery.hub import Hub
    from rogatory_gateway.delivery.publishing import Publisher
    from rogatory_gateway.delivery.reader import Reader
    from rogatory_gateway.ledger.registry import Registry


TURN_AWAY_SECONDS = 0.25
"""How long calls are turned away by name before the gateway hangs up: several round trips."""


@dataclass(slots=True, kw_only=True)
class Context:
    """The running gateway, as servicers see it.

    Attributes:
        registry: Returns the registry as it is now.
        now: Returns nanoseconds since the Unix epoch.
        limits: What one caller, or all together, may take.
        stopping: Set when the gateway drains.
        under_way: Calls that have begun and not ended.
    """

    origin: str
    registry: Callable[[], Registry]
    now: Callable[[], int]
    identifier: Identifier
    committer: Committer
    reader: Reader
    hub: Hub
    publisher: Publisher
    limits: LimitsSection
    stopping: bool = False
    under_way: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """Count a call while it is under way.

        Raises:
            EnvelopeError: SHUTTING_DOWN: no more calls are taken.
        """
        self.check_running()
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            if self.stopping and not self.under_way:
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Take no more calls, and wait until those under way have ended, or so long."""
        self.stopping = True
        self.hub.wake_all()
        if not self.under_way:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        # Whoever was just answered sends the next call at once, and should be told, not cut off.
        await asyncio.sleep(TURN_AWAY_SECONDS)

    def check_running(self) -> None:
        """Raise SHUTTING_DOWN once the gateway drains."""
        if self.stopping:
            raise EnvelopeError(
                "the gateway is shutting down",
                hint="Connect again in a moment: send the same bytes, or resume at the cursor.",
                reason="SHUTTING_DOWN",
            )
