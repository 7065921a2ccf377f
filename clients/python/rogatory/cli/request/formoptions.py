"""Options and output that the commands of forms share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rogatory.cli.guard import write
from rogatory.cli.output import emit, note
from rogatory.errors import ConfigurationError
from rogatory.forms import Catalogue, load_catalogue, read_catalogue
from rogatory.home import write_atomically

LanguageOption = Annotated[
    str, typer.Option("--lang", metavar="LANGUAGE", help="Language of the words: en, zh.")
]
CatalogueOption = Annotated[
    Path | None,
    typer.Option(
        "--catalogue",
        metavar="FILE.po",
        help="Take the words from this catalogue, for a language that does not come with it.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="File to write; else it is printed.")
]


def catalogue_of(language: str, file: Path | None) -> Catalogue:
    """Return the catalogue that the options name.

    Raises:
        ConfigurationError: There is none, or it cannot be used.
    """
    if file is None:
        return load_catalogue(language)
    found = read_catalogue(file)
    if found.unknown:
        more = f" and {len(found.unknown) - 1} more" if len(found.unknown) > 1 else ""
        note(f"{file}: no form uses {found.unknown[0]!r}{more}")
    return found


def put(text: str, out: Path | None, *, as_json: bool, replace: bool) -> None:
    """Print a text, or write it to a file and say so.

    Args:
        text: The text.
        out: The file; None: it is printed.
        as_json: What is said is JSON.
        replace: A file that is there may be written over.

    Raises:
        ConfigurationError: The file is there already, or cannot be written.
    """
    if out is None:
        if as_json:
            emit({"text": text}, [], as_json=True)
        else:
            write(text)
        return
    if out.exists() and not replace:
        raise ConfigurationError(
            f"{out} is there already", hint="Name another file, or move this one away."
        )
    write_atomically(out, text.encode())
    emit({"file": str(out)}, [str(out)], as_json=as_json)
