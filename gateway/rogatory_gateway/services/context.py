"""What servicers work with: the parts of the running gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory.errors import EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rogatory_gateway.admission.committer import Committer
    from rogatory_gateway.admission.identify import Identifier
    from rogatory_gateway.config import LimitsSection
    from rogatory_gateway.delivery.hub import Hub
    from rogatory_gateway.delivery.publishing import Publisher
    from rogatory_gateway.delivery.reader import Reader
    from rogatory_gateway.ledger.registry import Registry


@dataclass(slots=True, kw_only=True)
class Context:
    """The running gateway, as servicers see it.

    Attributes:
        registry: Returns the registry as it is now.
        now: Returns nanoseconds since the Unix epoch.
        limits: What one caller, or all together, may take.
        stopping: Set when the gateway drains.
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

    def check_running(self) -> None:
        """Raise SHUTTING_DOWN once the gateway drains."""
        if self.stopping:
            raise EnvelopeError(
                "the gateway is shutting down",
                hint="Connect again in a moment and resume at the cursor.",
                reason="SHUTTING_DOWN",
            )
