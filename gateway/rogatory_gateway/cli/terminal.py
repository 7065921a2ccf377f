"""What every command shares: options, output and questions."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from rogatory.cli.guard import write
from rogatory.errors import ConfigurationError
from rogatory_gateway.config import FOLDER_VARIABLE

EXIT_DAMAGED = 3

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


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal


def show(text: str) -> None:
    """Print data."""
    write(f"{text}\n")


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
        ConfigurationError: the answer was no, or there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "this needs a confirmation, and there is no terminal to ask on", hint="Add --yes."
        )
    if not typer.confirm(question, err=True):
        raise ConfigurationError(
            "the answer was no, and nothing was entered",
            hint="Run it again once it can be answered with yes.",
        )


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
