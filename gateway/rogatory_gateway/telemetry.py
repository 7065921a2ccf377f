"""Telemetry: the operator's log as JSON lines on standard error, and metrics for Prometheus.

Never a record, a header or a local variable: tracebacks name places in the code, not values.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter, Gauge, Histogram, start_http_server

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger


ENTRIES = Counter("rogatory_entries", "Entries made in the log, by tag.", ["tag"])
GROUP_ENTRIES = Histogram(
    "rogatory_group_entries",
    "Entries that shared a transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
COMMIT_SECONDS = Histogram(
    "rogatory_commit_seconds",
    "Time a group waited for the disk.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
FAILED_GROUPS = Counter("rogatory_failed_groups", "Groups that could not be committed.")
LOST_LINES = Counter("rogatory_lost_log_lines", "Lines of the operator's log not written.")
LOG_SIZE = Gauge("rogatory_log_size", "Entries in the published log.")
SUBSCRIPTIONS = Gauge("rogatory_subscriptions", "Open subscriptions.")
DEADLINES = Gauge(
    "rogatory_deadlines",
    "Deadlines of live requests that run, by how they stand: open, due_soon, overdue.",
    ["state"],
)


def serve_metrics(host: str, port: int) -> int:
    """Offer the metrics over HTTP in a thread of its own; return the port taken.

    Raises:
        OSError: the port is taken.
    """
    server, _ = start_http_server(port, addr=host)
    return int(server.server_port)


class _Logger(structlog.PrintLogger):
    """Writes lines; one that can't be written is counted, and never ends what it tells of."""

    def msg(self, message: str) -> None:
        """Write a line."""
        try:
            super().msg(message)
        except (OSError, ValueError):
            LOST_LINES.inc()

    log = debug = info = warning = error = critical = msg


def configure(level: str) -> None:
    """Set up logging for this process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _places,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: _Logger(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _places(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and the places it passed; its text may hold data."""
    if event.pop("exc_info", None):
        kind, _, trace = sys.exc_info()
        if kind is not None:
            event["exception"] = kind.__name__
            event["places"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(trace)
            ]
    return event
