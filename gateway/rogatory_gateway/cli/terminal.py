"""What every command shares: options, output, questions, and errors without tracebacks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from rogatory.errors import RogatoryError
from rogatory_gateway.config import FOLDER_VARIABLE

EXIT_FAILED = 1
EXIT_DAMAGED = 3
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

TRACEBACK_VARIABLE = "ROGATORY_TRACEBACK"
"""Set to anything: defects show where they happened."""

Folder = Annotated[
    Path,
    typer.Option(
        "--dir", envvar=FOLDER_VARIABLE, help="The gateway's folder.", show_default="here"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

progress = Console(stderr=True)
"""Where everything goes that is not data."""


def guarded(command: Callable[[], object]) -> NoReturn:
    """Run a command; end the process with its exit code, whatever happens."""
    try:
        command()
    except RogatoryError as error:
        say_error(str(error))
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        say_error("interrupted. What was entered in the log stays; run the command again.")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        say_error(
            f"unexpected {type(error).__name__}: {error}. This is a defect: run it again with "
            f"{TRACEBACK_VARIABLE}=1 and report what it prints."
        )
        sys.exit(EXIT_FAILED)
    sys.exit(0)


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal


def say_error(text: str) -> None:
    """Print an error: what is wrong, and what to do next."""
    say(f"error: {text}")


def show(text: str) -> None:
    """Print data."""
    print(text, flush=True)  # noqa: T201 - this is the terminal


def show_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """Print one JSON value."""
    show(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """Print rows in aligned columns with a head, for eyes and for awk alike."""
    if not rows:
        say(empty)
        return
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [[_cell(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        show("  ".join(cells).rstrip())


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that stands in the log for ever.

    Raises:
        typer.Exit: the answer was no, or there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        say_error("this needs a confirmation, and there is no terminal to ask on. Add --yes.")
        raise typer.Exit(EXIT_FAILED)
    if not typer.confirm(question, err=True):
        say("nothing was entered")
        raise typer.Exit(EXIT_FAILED)


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
