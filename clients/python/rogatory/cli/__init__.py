"""The command line: `rogatory`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rogatory.errors import CallError, RecordFileError, RogatoryError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code (see `rogatory.cli.exits`)."""
    from rogatory.cli.app import command  # noqa: PLC0415 - so that importing this costs nothing
    from rogatory.cli.exits import exit_code  # noqa: PLC0415 - likewise

    try:
        command(args=None if arguments is None else list(arguments), prog_name="rogatory")
    except RogatoryError as error:
        print_error(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)


def print_error(error: RogatoryError) -> None:
    """Write an error to standard error: what is wrong, each place, what to do next."""
    lines = [f"error: {error}"]
    places: Sequence[object] = getattr(error, "issues", ()) or getattr(error, "violations", ())
    if isinstance(error, RecordFileError) and error.file:
        lines += [f"  {error.file}: {place}" for place in places]
    elif len(places) > 1 or isinstance(error, CallError):
        lines += [f"  {place}" for place in places]
    sys.stderr.write("\n".join(lines) + "\n")
