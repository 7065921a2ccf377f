"""Passphrases of key files: from the environment, or asked for."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from rogatory.errors import ConfigurationError
from rogatory.keyfiles import needs_passphrase

PASSPHRASE_VARIABLE = "ROGATORY_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Where key files have a passphrase and nobody is there to type it."""


def passphrase_for(path: Path) -> bytes | None:
    """Return the passphrase of a key file, asked for if it has one; None where it has none.

    Raises:
        KeyFileError: The file is missing or open to others.
        ConfigurationError: It has one, and there is nobody to ask.
    """
    if not needs_passphrase(path):
        return None
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given.encode()
    return _typed(f"Passphrase for {path}", f"The key file {path} has a passphrase", confirm=False)


def new_passphrase() -> bytes:
    """Return a passphrase for keys that are being made.

    Raises:
        ConfigurationError: There is nobody to ask.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given.encode()
    return _typed("Passphrase for the keys", "The keys are to have a passphrase", confirm=True)


def _typed(question: str, why: str, *, confirm: bool) -> bytes:
    try:
        typed: str = typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise
        raise ConfigurationError(
            f"{why}, and nobody typed it",
            hint=f"Run it on a terminal, or set {PASSPHRASE_VARIABLE}.",
        ) from error
    return typed.encode()
