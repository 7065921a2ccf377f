"""The operator's log: JSON lines on standard error.

Never a record, a header or a local variable: tracebacks name places in the code, not values.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
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
