"""Settings: one TOML file, `gateway.toml`, with an environment variable for every key.

``ROGATORY_GATEWAY_LISTEN__PORT=8443`` stands for ``port = 8443`` in ``[listen]`` and outranks the
file. Relative paths are relative to the file's folder. Unknown keys are errors: a misspelt limit
that is silently ignored is no limit.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rogatory import envelopes
from rogatory.errors import ConfigurationError, KeyFileError, KeyRejected, NoteError
from rogatory.notes import is_key_name

FILE_NAME = "gateway.toml"
ENVIRONMENT_PREFIX = "ROGATORY_GATEWAY_"
FOLDER_VARIABLE = "ROGATORY_GATEWAY_DIR"
"""Names the folder that `gateway.toml` lies in; not a key of the file."""

MAX_ORIGIN = 128
"""Longest origin: the header's field `audience` takes no more."""

AN_ORIGIN = (
    f"an origin has 1 to {MAX_ORIGIN} characters, no spaces and no plus sign, as "
    "gateway.example.org/exchange"
)
"""What `is_origin` wants, for people."""

DEFAULT_HOST = "127.0.0.1"
"""Loopback: a gateway is opened to the network on purpose, not by leaving a key out."""
DEFAULT_PORT = 7443
MAX_PORT = 65_535

DEFAULT_MESSAGE_BYTES = envelopes.MAX_ENVELOPE_BYTES
"""Longest envelope, the protocol's own limit; an operator may set a smaller one, as of batches."""
DEFAULT_BATCH_MESSAGES = envelopes.MAX_BATCH_MESSAGES
"""Messages of a batch."""
DEFAULT_BATCH_BYTES = envelopes.MAX_BATCH_BYTES
"""Bytes of a batch."""
DEFAULT_IN_FLIGHT = 1024
"""Messages between arrival and answer, all agencies together: some 10 MiB at 10 KiB a message.
Beyond it callers are told to come back (RESOURCE_EXHAUSTED) instead of filling memory."""
DEFAULT_GROUP_MESSAGES = 256
"""Messages that share a transaction: the wait for the disk is spread thin, the lock is held some
tens of milliseconds."""
DEFAULT_SUBSCRIBER_BUFFER = 64
"""Messages read ahead for one subscriber. One that never reads costs no more than these."""
DEFAULT_SUBSCRIPTIONS_PER_AGENCY = 16
"""Open streams of one agency: enough for every duty desk, too few to exhaust the gateway."""
DEFAULT_KEEP_ALIVE_SECONDS = 15.0
"""Between keep-alives on an idle stream: below the 60 s after which common middleboxes forget."""
DEFAULT_DEADLINE_CHECK_SECONDS = 15.0
"""Between looks at what has become due: deadlines count in hours, and a look costs little."""
DEFAULT_PATIENCE_SECONDS = 60.0
"""Longest wait for a subscriber to read; then its stream ends, to be resumed at its cursor."""
DEFAULT_DRAIN_SECONDS = 10.0
"""Time that calls under way get to end after SIGTERM; systemd and Kubernetes wait 30 s or more."""

DEFAULT_LINGER_MS_MAX = 20.0
"""Longest time a group gathers while messages keep coming; a pause of two milliseconds ends it."""

DEFAULT_LOG_LEVEL: Literal["info"] = "info"

LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Field(ge=0, le=MAX_PORT)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GatewaySection(_Section):
    """``[gateway]``.

    Attributes:
        origin: Name of the log, and the audience that every header must name. Permanent.
        address: ``host:port`` that partners are told; empty: that of `[listen]`.
        data: Folder of the ledger.
    """

    origin: str
    address: str = ""
    data: Path = Path("data")

    @field_validator("origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not is_origin(value):
            raise ValueError(AN_ORIGIN)
        return value


class ListenSection(_Section):
    """``[listen]``.

    Attributes:
        host: Address to listen on.
        port: TCP port; 0 takes any free one.
    """

    host: str = DEFAULT_HOST
    port: Port = DEFAULT_PORT


class TlsSection(_Section):
    """``[tls]``: PEM files.

    Attributes:
        certificate: The gateway's certificate chain.
        key: Its private key, for the owner's eyes only.
        client_ca: Certificates of the authorities that client certificates must come from.
        client_ca_key: Key of the sandbox authority; unset where the operator has one elsewhere.
    """

    certificate: Path = Path("tls/gateway.pem")
    key: Path = Path("tls/gateway-key.pem")
    client_ca: Path = Path("tls/ca.pem")
    client_ca_key: Path | None = None


class LogSection(_Section):
    """``[log]``.

    Attributes:
        key: Private key that signs checkpoints.
        verifier_key: Its public half under the log's name, as partners pin it.
    """

    key: Path = Path("log-key.pem")
    verifier_key: Path = Path("log.vkey")


class LimitsSection(_Section):
    """``[limits]``: what one caller, or all together, may take. Constants say why so much."""

    message_bytes: Annotated[int, Field(ge=1024, le=DEFAULT_MESSAGE_BYTES)] = DEFAULT_MESSAGE_BYTES
    batch_messages: Annotated[int, Field(ge=1, le=DEFAULT_BATCH_MESSAGES)] = DEFAULT_BATCH_MESSAGES
    batch_bytes: Annotated[int, Field(ge=1024, le=DEFAULT_BATCH_BYTES)] = DEFAULT_BATCH_BYTES
    in_flight: Count = DEFAULT_IN_FLIGHT
    group_messages: Count = DEFAULT_GROUP_MESSAGES
    subscriber_buffer: Count = DEFAULT_SUBSCRIBER_BUFFER
    subscriptions_per_agency: Count = DEFAULT_SUBSCRIPTIONS_PER_AGENCY
    keep_alive_seconds: Annotated[float, Field(gt=0)] = DEFAULT_KEEP_ALIVE_SECONDS
    deadline_check_seconds: Annotated[float, Field(gt=0)] = DEFAULT_DEADLINE_CHECK_SECONDS
    patience_seconds: Annotated[float, Field(gt=0)] = DEFAULT_PATIENCE_SECONDS
    drain_seconds: Annotated[float, Field(gt=0)] = DEFAULT_DRAIN_SECONDS


class CommitSection(_Section):
    """``[commit]``.

    Attributes:
        linger_ms_max: Longest wait, in milliseconds, for more messages to share a commit.
        helper: Whether a helper process verifies its share of large groups, on a core of its own.
    """

    linger_ms_max: Annotated[float, Field(ge=0, le=1000)] = DEFAULT_LINGER_MS_MAX
    helper: bool = True


class TelemetrySection(_Section):
    """``[telemetry]``.

    Attributes:
        metrics_host: Address of the Prometheus endpoint.
        metrics_port: Its port; unset: no endpoint.
        log_level: Least severe event that the operator's log takes.
        reflection: Whether gRPC server reflection is offered.
    """

    metrics_host: str = DEFAULT_HOST
    metrics_port: Port | None = None
    log_level: LogLevel = DEFAULT_LOG_LEVEL
    reflection: bool = False


class Settings(BaseSettings):
    """All settings; every path absolute once `load` made it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    gateway: GatewaySection
    listen: ListenSection = ListenSection()
    tls: TlsSection = TlsSection()
    log: LogSection = LogSection()
    limits: LimitsSection = LimitsSection()
    commit: CommitSection = CommitSection()
    telemetry: TelemetrySection = TelemetrySection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment outranks the file, whose values `load` hands over."""
        return env_settings, init_settings

    @property
    def address(self) -> str:
        """``host:port`` that partners are told."""
        return self.gateway.address or join_address(self.listen.host, self.listen.port)


def is_origin(text: str) -> bool:
    """Tell whether a text can name a log, and be the audience of messages."""
    return is_key_name(text) and len(text) <= MAX_ORIGIN


def join_address(host: str, port: int) -> str:
    """Return ``host:port``, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def naming(key: str) -> Iterator[None]:
    """Put the setting, as ``[tls] key``, before what is wrong with the file that it names."""
    try:
        yield
    except (ConfigurationError, KeyFileError, KeyRejected, NoteError) as error:
        raise type(error)(f"{key}: {error.message}", hint=error.hint) from error


def load(folder: Path) -> Settings:
    """Read the settings of the gateway in ``folder``, and what the environment says instead.

    Raises:
        ConfigurationError: No such file, no TOML, an unknown key, or a value that can't be used:
            all faults at once, each with key, origin (file or variable) and fix.
    """
    file = folder / FILE_NAME
    values = _read(file)
    variables = _variables(os.environ)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        faults = [_describe(item, file, variables) for item in error.errors()]
        raise ConfigurationError(
            "; ".join(faults),
            hint="Change it and start again."
            if len(faults) == 1
            else "Change each of them and start again.",
        ) from None
    return _anchored(settings, folder.resolve())


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no gateway in {file.parent}: {file.name} is missing",
            hint=f"Make one with `rogatory-gateway init {file.parent}`, or name one with --dir.",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{file} can't be read: {error.strerror}", hint="Check the path and who owns it."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file} is not UTF-8 at byte {error.start}", hint="Save it as UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{file} is not TOML: {error}", hint="Mend that line; texts stand in double quotes."
        ) from error


def _variables(environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return (section, key) -> variable; refuse variables that name no section."""
    found = {}
    for name in environment:
        if not name.startswith(ENVIRONMENT_PREFIX) or name == FOLDER_VARIABLE:
            continue
        section, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if section not in Settings.model_fields or not key:
            near = _nearest(section, Settings.model_fields)
            raise ConfigurationError(
                f"the environment variable {name} names no setting",
                hint=f"Write {ENVIRONMENT_PREFIX}SECTION__KEY"
                + (f", with section {near.upper()}." if near else "."),
            )
        found[section, key] = name
    return found


def _describe(item: ErrorDetails, file: Path, variables: Mapping[tuple[str, str], str]) -> str:
    """Say where the fault is, what it is, and what would be right."""
    path = [str(step) for step in item["loc"]]
    section, key = path[0], path[1] if len(path) > 1 else ""
    where = f"[{section}] {key} in {file}" if key else f"[{section}] in {file}"
    where = variables.get((section, key), where)
    if item["type"] == "extra_forbidden":
        known = _section_fields(section) if key else list(Settings.model_fields)
        near = _nearest(key or section, known)
        known_here = f"did you mean {near}?" if near else f"known here: {', '.join(known)}"
        return f"{where} is not a setting ({known_here})"
    if item["type"] == "missing":
        return f"{where} is missing and has no default"
    text = item["msg"].removeprefix("Value error, ")
    return f"{where} is {item['input']!r}: {text[:1].lower()}{text[1:]}"


def _section_fields(section: str) -> list[str]:
    field = Settings.model_fields.get(section)
    model = None if field is None else field.annotation
    return (
        list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
    )


def _nearest(word: str, known: Mapping[str, object] | list[str]) -> str:
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def _anchored(settings: Settings, folder: Path) -> Settings:
    """Make every path absolute."""
    sections = {}
    for name in type(settings).model_fields:
        section: BaseModel = getattr(settings, name)
        paths = {
            key: folder / value.expanduser() for key, value in section if isinstance(value, Path)
        }
        if paths:
            sections[name] = section.model_copy(update=paths)
    return settings.model_copy(update=sections)
