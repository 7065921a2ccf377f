"""The command line: `rogatory`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from rogatory.cli.loading import loading


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with its code (see `rogatory.cli.exits`)."""
    with loading():
        from rogatory.cli.exits import exit_code  # noqa: PLC0415 - Ctrl-C finds us ready by now
        from rogatory.cli.guard import guarded  # noqa: PLC0415 - likewise
    guarded(
        _load,
        program="rogatory",
        arguments=sys.argv[1:] if arguments is None else arguments,
        exit_code=exit_code,
    )


def _load() -> Callable[..., object]:
    from rogatory.cli.app import command  # noqa: PLC0415 - as above

    return command
