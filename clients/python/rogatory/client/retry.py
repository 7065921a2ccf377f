"""When the same call is made again, how often and how long after."""

from __future__ import annotations

from dataclasses import dataclass

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from rogatory.client import faults
from rogatory.errors import CallError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of retrying. Only what decided nothing is retried, and always with the same bytes.

    Attributes:
        attempts: Calls in all, the first included; 1 switches retrying off.
        first_wait: Seconds; the upper end of the first random wait, doubled each time.
        longest_wait: Seconds; no wait is longer, whatever the gateway asks for.
    """

    attempts: int = 6
    first_wait: float = 0.1
    longest_wait: float = 10.0

    def blocking(self) -> Retrying:
        """Return a retrying caller for blocking code; one for each call."""
        return Retrying(
            retry=retry_if_exception(faults.is_retryable),
            stop=stop_after_attempt(self.attempts),
            wait=self.wait,
            reraise=True,
        )

    def asynchronous(self) -> AsyncRetrying:
        """Return a retrying caller for asyncio code; one for each call."""
        return AsyncRetrying(
            retry=retry_if_exception(faults.is_retryable),
            stop=stop_after_attempt(self.attempts),
            wait=self.wait,
            reraise=True,
        )

    def wait(self, state: RetryCallState) -> float:
        """Return the seconds to wait: what the gateway asked for, or a random exponential wait."""
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, CallError) and error.retry_after is not None:
            return min(error.retry_after, self.longest_wait)
        return wait_random_exponential(multiplier=self.first_wait, max=self.longest_wait)(state)


NO_RETRY = RetryPolicy(attempts=1)
"""Every failure is raised at once."""
