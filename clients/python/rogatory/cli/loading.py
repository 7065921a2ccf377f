"""Ctrl-C while modules load: raised as an exception there, it can get lost or leave a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import NoReturn

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Let Ctrl-C end the process at once, with a word, while nothing has been done yet.

    Where the signal is ignored, or somebody else's to handle, it stays so.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if ours:
        signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, b"error: interrupted; what was done until then stands\n")
    # No exception and no clean-up: both would run through half-loaded modules.
    os._exit(EXIT_INTERRUPTED)
