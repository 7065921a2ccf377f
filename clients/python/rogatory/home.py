"""An agency's folder: its keys, its certificate, its settings, what it received.

.. code-block:: text

    agency.toml           who the agency is, where its gateway is
    policy.toml           whom it trusts (see rogatory.policy)
    keys/                 root.pem signing.pem tls.pem officer-<pseudonym>.pem, mode 0600
    keys/next/            keys that wait until their key statement is in force
    keys/retired/         keys that others have replaced
    tls/                  client.pem ca.pem, from the operator's answer
    statements/           the agency's own key statements, 0001.statement and on
    statement.rogatory    the enrolment request
    inbox/                messages received, and inbox.json: how far
    receipts/             receipts of messages sent
    drafts/               messages that not all have signed yet who must
    hits/                 which hits of alerts were reported, by the message that did
    connect/              how far the drop folder got, and its webhook keys (see rogatory.connect)
"""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.notes import VerifierKey

ENVIRONMENT = "ROGATORY_HOME"
"""Variable that names the folder where no option does."""

_KEYS = ("agency", "gateway", "origin", "log")
_JOIN = "Enrol first: rogatory agency request, then rogatory agency accept with the answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencySettings:
    """What ``agency.toml`` says.

    Attributes:
        agency: Agency id; empty before keys are made.
        gateway: Address of the gateway; empty before enrolment.
        origin: Its origin; likewise.
        log: Verifier key of its log, as text; likewise.
        names: The agency's names by language.
        officers: Rights of officers whose keys were made here, as ``sign,approve``, by pseudonym.
    """

    agency: str = ""
    gateway: str = ""
    origin: str = ""
    log: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    officers: Mapping[str, str] = field(default_factory=dict)


class Home:
    """The folder and its parts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def find(cls, given: Path | None = None) -> Home:
        """Return the folder given, or the one of ``ROGATORY_HOME``, or ``~/.config/rogatory``."""
        named = os.environ.get(ENVIRONMENT)
        if given is not None:
            return cls(given)
        return cls(Path(named) if named else Path.home() / ".config" / "rogatory")

    @property
    def settings_file(self) -> Path:
        """``agency.toml``."""
        return self.path / "agency.toml"

    @property
    def policy_file(self) -> Path:
        """``policy.toml``."""
        return self.path / "policy.toml"

    @property
    def request_file(self) -> Path:
        """The enrolment request."""
        return self.path / "statement.rogatory"

    @property
    def statements(self) -> Path:
        """Where the agency's own key statements are kept."""
        return self.path / "statements"

    @property
    def inbox(self) -> Path:
        """Where received messages are."""
        return self.path / "inbox"

    @property
    def receipts(self) -> Path:
        """Where receipts of sent messages are."""
        return self.path / "receipts"

    @property
    def drafts(self) -> Path:
        """Where drafts wait for signatures."""
        return self.path / "drafts"

    @property
    def client_certificate(self) -> Path:
        """The client certificate."""
        return self.path / "tls" / "client.pem"

    @property
    def ca_certificate(self) -> Path:
        """The CA of the gateway."""
        return self.path / "tls" / "ca.pem"

    def key(self, name: str) -> Path:
        """Return the file of a key: ``root``, ``signing``, ``tls``, ``officer-<pseudonym>``.

        One that waits to replace it is ``next/<name>``.
        """
        return self.path / "keys" / f"{name}.pem"

    def create(self) -> None:
        """Make the folder and its folders, for the owner alone.

        Raises:
            ConfigurationError: They cannot be made.
        """
        for folder in (self.path, *(self.path / name for name in ("keys", "tls"))):
            make_folder(folder)

    def settings(self) -> AgencySettings:
        """Read ``agency.toml``.

        Raises:
            ConfigurationError: It is missing, not TOML, or holds something else.
        """
        try:
            values: dict[str, Any] = tomllib.loads(self.settings_file.read_text("utf-8"))
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"There is no agency in {self.path}",
                hint="Make its keys with rogatory keygen AGENCY, or name its folder with --home.",
            ) from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(
                f"{self.settings_file} cannot be read: {error}", hint="Mend or restore the file."
            ) from error
        names, officers = values.pop("names", {}), values.pop("officers", {})
        unknown = [key for key in values if key not in _KEYS]
        texts = list(values.values())
        for table in (names, officers):
            texts += table.values() if isinstance(table, dict) else [None]
        if unknown or not all(isinstance(value, str) for value in texts):
            raise ConfigurationError(
                f"{self.settings_file} holds what does not belong there"
                + (f": {', '.join(unknown)}" if unknown else ""),
                hint=f"Its settings are {', '.join(_KEYS)}, texts all, and the tables"
                " [names] and [officers].",
            )
        return AgencySettings(names=names, officers=officers, **values)

    def enrolled(self) -> AgencySettings:
        """Read the settings of an agency that has a gateway.

        Raises:
            ConfigurationError: They cannot be read, or there is no gateway yet.
        """
        settings = self.settings()
        if not (settings.gateway and settings.origin and settings.log):
            raise ConfigurationError(f"{settings.agency} is not enrolled yet", hint=_JOIN)
        return settings

    def log_key(self) -> VerifierKey:
        """Return the verifier key of the gateway's log.

        Raises:
            ConfigurationError: There is none, or it is not one.
        """
        try:
            return VerifierKey.parse(self.enrolled().log)
        except ConfigurationError:
            raise
        except RogatoryError as error:
            raise ConfigurationError(
                f"The log key in {self.settings_file} is not one: {error.message}", hint=error.hint
            ) from error

    def write_settings(self, settings: AgencySettings) -> None:
        """Write ``agency.toml``, whole or not at all."""
        lines = [f"{key} = {toml_text(getattr(settings, key))}" for key in _KEYS]
        for title, table in (("names", settings.names), ("officers", settings.officers)):
            if table:
                lines += ["", f"[{title}]"]
                lines += [f"{toml_text(key)} = {toml_text(text)}" for key, text in table.items()]
        write_atomically(self.settings_file, ("\n".join(lines) + "\n").encode())


def toml_text(text: str) -> str:
    """Return a text as a TOML basic string (JSON's escapes are a subset of TOML's)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, for the owner alone; nothing where it is there.

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder {path} cannot be made: {error.strerror}",
            hint="Name another, or move away what is in its place.",
        ) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that is there whole and durably when this returns, or as it was before.

    Raises:
        ConfigurationError: It cannot be written.
    """
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}",
            hint="Check that the folder exists, that you may write there, and that there is room.",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
