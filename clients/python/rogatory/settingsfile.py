"""TOML files that people write, read with errors that name file, setting and remedy."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rogatory.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a TOML file.

    Attributes:
        path: The file.
        name: The table's name; empty for the file itself.
        values: What it holds.
    """

    path: Path
    name: str
    values: dict[str, Any]

    @classmethod
    def read(cls, path: Path, *, form: str) -> Table:
        """Read a file; ``form`` is the hint on how such a file is written.

        Raises:
            ConfigurationError: It cannot be read, or is not TOML.
        """
        try:
            return cls(path, "", tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise ConfigurationError(
                f"The file {path} cannot be read: {error.strerror}", hint=form
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The file {path} is not TOML: {error}", hint=form) from error

    def fault(self, key: str, what: str, hint: str) -> ConfigurationError:
        """Return the error for a setting: what is wrong with it, and the remedy."""
        full = f"{self.name}.{key}" if self.name else key
        return ConfigurationError(f"In {self.path}, {full} {what}", hint=hint)

    def only(self, *known: str) -> None:
        """Refuse settings that are not known.

        Raises:
            ConfigurationError: There is one; the text names the one that was meant.
        """
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."
                raise self.fault(key, "is not a setting", hint)

    def below(self, key: str) -> Table:
        """Return a table below this one, empty where there is none.

        Raises:
            ConfigurationError: It is not a table.
        """
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, "is not a table", f"Write it as [{key}].")
        return Table(self.path, key, value)

    def text(self, key: str) -> str:
        """Return a text, empty where there is none.

        Raises:
            ConfigurationError: It is not a text.
        """
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise self.fault(key, "is not a text", "Put it in quotes.")
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of texts, empty where there is none.

        Raises:
            ConfigurationError: It is not such a list.
        """
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fault(key, "is not a list of texts", f'Write it as {key} = ["..."].')
        return value

    def number(self, key: str) -> int:
        """Return a whole number, 0 where there is none.

        Raises:
            ConfigurationError: It is not one.
        """
        value = self.values.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(key, "is not a whole number", f"Write it as {key} = 1.")
        return value
