"""Setting up: the folder of a new gateway, with keys, certificates, settings, an empty ledger."""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rogatory.errors import ConfigurationError
from rogatory.keyfiles import write_key_file
from rogatory.keys import PrivateKey
from rogatory.notes import NoteSigner
from rogatory.signers import MemorySigner
from rogatory_gateway import pki
from rogatory_gateway.config import (
    AN_ORIGIN,
    DEFAULT_HOST,
    DEFAULT_LINGER_MS_MAX,
    DEFAULT_PORT,
    FILE_NAME,
    MAX_ORIGIN,
    Settings,
    is_origin,
    join_address,
    load,
)
from rogatory_gateway.ledger.database import create as create_ledger
from rogatory_gateway.ledger.starting import explained

_MAX_DOMAIN = 253
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
"""RFC 1123 section 2.1; an internationalised name in its ASCII form."""
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not listened on
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAuthority:
    """The operator's own files, instead of a sandbox authority.

    Attributes:
        client_ca: Authorities that issue the agencies' certificates.
        certificate: The gateway's certificate chain.
        key: Its private key.
    """

    client_ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A new gateway.

    Attributes:
        settings: As `gateway.toml` has them.
        verifier_key: The log's verifier key: what partners and auditors pin.
    """

    settings: Settings
    verifier_key: str


def create(
    folder: Path,
    *,
    origin: str = "",
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    names: tuple[str, ...] = (),
    authority: OwnAuthority | None = None,
) -> Created:
    """Make the folder of a new gateway. It appears whole or not at all.

    Args:
        folder: Must be empty or absent.
        origin: Name of the log; empty: the first name with ``/exchange``.
        host: Address to listen on.
        port: TCP port.
        names: DNS names and addresses by which partners reach it; the first goes into the answer
            that new agencies get.
        authority: The operator's own files; None: make a sandbox authority.

    Raises:
        ConfigurationError: the folder is not empty, or a value can't be used.
        KeyFileError: a key can't be written, or the operator's is open to others.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} is not an empty folder",
            hint="Choose another, or move what is there away: keys are never overwritten.",
        )
    names = names or _names_of(host)
    for name in names:
        _check_name(name)
    origin = origin or f"{names[0]}/exchange"
    if not is_origin(origin):
        raise ConfigurationError(
            f"--origin {origin!r} can't name a log: {AN_ORIGIN}",
            hint="Give such a one, or leave it out: then it is the first --name with /exchange.",
        )
    now = datetime.fromtimestamp(time.time(), tz=UTC)
    building = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    try:
        (building / "tls").mkdir(parents=True, mode=0o700)
        building.chmod(0o700)
        (building / FILE_NAME).write_text(
            _text(
                origin=origin,
                host=host,
                port=port,
                address=join_address(names[0], port),
                authority=authority,
            ),
            encoding="utf-8",
        )
        settings = load(building)
        verifier_key = _fill(settings, names=names, authority=authority, now=now)
        building.rename(folder)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} can't be made: {error.strerror}",
            hint="Check that the folder above it exists and is writable.",
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Created(settings=load(folder), verifier_key=verifier_key)


def _fill(
    settings: Settings,
    *,
    names: tuple[str, ...],
    authority: OwnAuthority | None,
    now: datetime,
) -> str:
    tls = settings.tls
    if authority is not None:
        pki.check_server_files(
            certificate=tls.certificate, key=tls.key, client_ca=tls.client_ca, now=now
        )
    else:
        sandbox = pki.make_authority(origin=settings.gateway.origin, now=now)
        key = pki.make_key()
        certificate = sandbox.issue_server(public_key=key.public_key(), names=names, now=now)
        pki.write_key(tls.key, key)
        tls.certificate.write_bytes(pki.to_pem(certificate))
        tls.client_ca.write_bytes(sandbox.pem)
        assert tls.client_ca_key is not None
        pki.write_key(tls.client_ca_key, sandbox.key)
    log_key = PrivateKey.from_seed(secrets.token_bytes(32))
    write_key_file(settings.log.key, log_key)
    verifier_key = NoteSigner(name=settings.gateway.origin, signer=MemorySigner(log_key)).key
    settings.log.verifier_key.write_text(f"{verifier_key.text}\n", encoding="utf-8")
    settings.gateway.data.mkdir(mode=0o700)
    with explained(settings):
        create_ledger(settings.gateway.data, log=verifier_key)
    return verifier_key.text


def _check_name(name: str) -> None:
    """Check that partners can reach a gateway by this name.

    Raises:
        ConfigurationError: it is neither an address nor a DNS name.
    """
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if len(name) > _MAX_DOMAIN or not all(map(_LABEL.fullmatch, name.split("."))):
            raise ConfigurationError(
                f"--name {name!r} is neither a DNS name nor an address",
                hint="Give the name by which partners reach the gateway, as gateway.example.org.",
            ) from None


def _names_of(host: str) -> tuple[str, ...]:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if loopback or host in _WILDCARDS:
        return tuple(dict.fromkeys(("localhost", host, *_LOOPBACK))) if loopback else _LOOPBACK
    return (host,)


def _text(
    *, origin: str, host: str, port: int, address: str, authority: OwnAuthority | None
) -> str:
    """Return the settings file. JSON's strings are TOML's basic strings."""
    if authority is None:
        tls = {
            "certificate": "tls/gateway.pem",
            "key": "tls/gateway-key.pem",
            "client_ca": "tls/ca.pem",
            "client_ca_key": "tls/ca-key.pem",
        }
        about = (
            "# client_ca_key is the sandbox authority's. With an authority of your own, remove it."
        )
    else:
        tls = {
            "certificate": str(authority.certificate.resolve()),
            "key": str(authority.key.resolve()),
            "client_ca": str(authority.client_ca.resolve()),
        }
        about = "# Your own authority's files; `agency add` takes --certificate FILE."
    tls_lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in tls.items())
    return f"""\
# Settings of a Rogatory gateway. Every key has an environment variable that outranks it:
# ROGATORY_GATEWAY_LISTEN__PORT stands for port in [listen]. Relative paths are relative to this
# file's folder. Keys that are not here have their defaults.

[gateway]
# Name of the log, and the audience that every message must name. Permanent: at most {MAX_ORIGIN}
# characters, no spaces, no plus sign.
origin = {json.dumps(origin)}
# Where partners reach this gateway; told to agencies when they are admitted.
address = {json.dumps(address)}
# Folder of the ledger.
data = "data"

[listen]
host = {json.dumps(host)}
port = {port}

[tls]
{about}
{tls_lines}

[log]
# Signs checkpoints. Its public half, which partners pin, is in log.vkey.
key = "log-key.pem"

[commit]
# Longest time, in milliseconds, that messages wait for others to share a commit.
linger_ms_max = {DEFAULT_LINGER_MS_MAX}

[telemetry]
log_level = "info"
reflection = false
# metrics_port = 9464
"""
