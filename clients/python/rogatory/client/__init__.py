"""The clients: one that blocks, and one of the same shape for asyncio."""

from __future__ import annotations

from rogatory.client.aio import AsyncClient
from rogatory.client.drafts import Draft, handling, recipient
from rogatory.client.results import Submitted
from rogatory.client.retry import NO_RETRY, RetryPolicy
from rogatory.client.sync import Client
from rogatory.client.transport import TlsCredentials

__all__ = [
    "NO_RETRY",
    "AsyncClient",
    "Client",
    "Draft",
    "RetryPolicy",
    "Submitted",
    "TlsCredentials",
    "handling",
    "recipient",
]
