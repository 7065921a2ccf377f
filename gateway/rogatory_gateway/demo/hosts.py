"""Malicious hosts: read from lists as researchers publish them, or made up in reserved ranges.

A list has one value a line: ``host``, ``address``, ``host:port``, ``http://host/path``, ``/path``
or ``address/prefix length``. ``#`` begins a comment. The file's name is the malware family.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from rogatory.errors import ConfigurationError
from rogatory.records.v1 import indicator_pb2

MAX_VALUE = 2048
"""As `Indicator.value` allows."""
MAX_FAMILY = 64
"""As `Indicator.malware_family` allows."""
MAX_DOMAIN = 253
MAX_PORT = 65_535

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NETWORK = re.compile(r"[0-9a-fA-F.:]+/[0-9]{1,3}", re.ASCII)
_COMMENT = re.compile(r"(^|\s)#.*$")
_END_OF_AUTHORITY = re.compile(r"[/?#]")
_SCHEMES = frozenset({"http", "https", "ftp"})

HOST_TYPES = frozenset(
    {
        indicator_pb2.INDICATOR_TYPE_IPV4,
        indicator_pb2.INDICATOR_TYPE_IPV6,
        indicator_pb2.INDICATOR_TYPE_DOMAIN,
        indicator_pb2.INDICATOR_TYPE_HOST_PORT,
        indicator_pb2.INDICATOR_TYPE_URL,
    }
)
"""Types whose value names a host. A bare path or a whole network names none."""


class Host(NamedTuple):
    """A value of a list: ``IndicatorType`` number, value, malware family."""

    type: int
    value: str
    family: str

    @property
    def name(self) -> str:
        """The name or address alone, without scheme, port and path."""
        if self.type == indicator_pb2.INDICATOR_TYPE_IPV6:
            return self.value
        rest = self.value.partition("://")[2] or self.value
        authority = _END_OF_AUTHORITY.split(rest, maxsplit=1)[0]
        if authority.startswith("["):
            return authority[1:].partition("]")[0]
        return authority.partition(":")[0]


@dataclass(slots=True, kw_only=True)
class Reading:
    """What lists hold.

    Attributes:
        hosts: Distinct values that name a host, in the order of the lists.
        others: Distinct values that name none: URL paths and networks.
        repeated: Lines that repeat a value.
        unreadable: ``file:line: reason`` of lines that are nothing of all this.
    """

    hosts: list[Host] = field(default_factory=list)
    others: list[Host] = field(default_factory=list)
    repeated: int = 0
    unreadable: list[str] = field(default_factory=list)


def read_lists(paths: Sequence[Path]) -> Reading:
    """Read lists; a value that stands in several counts once, for the first.

    Raises:
        ConfigurationError: A file cannot be read, or is not UTF-8.
    """
    reading = Reading()
    seen: set[tuple[int, str]] = set()
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ConfigurationError(
                f"{path} cannot be read: {error.strerror}",
                hint="Name files of indicators, one value a line.",
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"{path} is not UTF-8 at byte {error.start}", hint="Save it as UTF-8."
            ) from error
        family = path.stem[:MAX_FAMILY]
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                found = read_line(line)
            except ValueError as error:
                reading.unreadable.append(f"{path.name}:{number}: {error}")
                continue
            if found is None:
                continue
            if found in seen:
                reading.repeated += 1
                continue
            seen.add(found)
            into = reading.hosts if found[0] in HOST_TYPES else reading.others
            into.append(Host(*found, family))
    return reading


def read_line(line: str) -> tuple[int, str] | None:
    """Return the type and normalised value of a line; None where it holds nothing.

    Names are lower-cased and in A-label form (RFC 5890); paths keep their case (RFC 3986 6.2.2.1).

    Raises:
        ValueError: It is none of the forms; the text says why.
    """
    text = _COMMENT.sub("", line).strip()
    if not text:
        return None
    if any(character.isspace() for character in text) or not text.isprintable():
        raise ValueError(f"{text[:40]!r} holds a space or a control character")
    if len(text) > MAX_VALUE:
        raise ValueError(f"a value of {len(text)} characters; at most {MAX_VALUE}")
    if text.startswith("/"):
        return indicator_pb2.INDICATOR_TYPE_URL_PATH, text
    if "://" in text:
        return indicator_pb2.INDICATOR_TYPE_URL, _url(text)
    if _NETWORK.fullmatch(text):
        return _network(text)
    if "/" in text:
        host, _, path = text.partition("/")
        value = f"{_authority(host)[1]}/{path}"
        # Without a scheme: what the list says, and nothing made up.
        return (indicator_pb2.INDICATOR_TYPE_URL, value) if path else _authority(host)
    return _authority(text)


def _network(text: str) -> tuple[int, str]:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is neither a network nor a URL") from None
    return indicator_pb2.INDICATOR_TYPE_NETWORK, str(network)


def _url(text: str) -> str:
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise ValueError(f"{scheme!r} is no scheme of a web address")
    _, authority = _authority(parts.netloc.rpartition("@")[2])
    rest = text.split("://", 1)[1][len(parts.netloc) :]
    # An empty path and `/` are one address (RFC 3986 6.2.3).
    return f"{scheme}://{authority}{'' if rest == '/' else rest}"


def _authority(text: str) -> tuple[int, str]:
    """Read a host, with a port or without (RFC 3986 section 3.2)."""
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no address in brackets")
        address = _address(inner)
        if not rest:
            return indicator_pb2.INDICATOR_TYPE_IPV6, address
        return indicator_pb2.INDICATOR_TYPE_HOST_PORT, f"[{address}]:{_port(rest[1:])}"
    if text.count(":") > 1:
        return indicator_pb2.INDICATOR_TYPE_IPV6, _address(text)
    host, colon, port = text.partition(":")
    kind, name = _host(host)
    if colon:
        return indicator_pb2.INDICATOR_TYPE_HOST_PORT, f"{name}:{_port(port)}"
    return kind, name


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no IPv6 address") from None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MAX_PORT:
        raise ValueError(f"{text!r} is no port")
    return int(text)


def _host(text: str) -> tuple[int, str]:
    name = text.lower().removesuffix(".")
    if name.replace(".", "").isdecimal():
        try:
            return indicator_pb2.INDICATOR_TYPE_IPV4, str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(f"{text!r} is no IPv4 address") from None
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            raise ValueError(f"{text!r} is no domain name") from None
    labels = name.split(".")
    if (
        len(labels) < 2
        or len(name) > MAX_DOMAIN
        or not all(_LABEL.fullmatch(label) for label in labels)
        or labels[-1].isdecimal()
    ):
        raise ValueError(f"{text!r} is no domain name or address")
    return indicator_pb2.INDICATOR_TYPE_DOMAIN, name


def choose(hosts: Sequence[Host], count: int) -> list[Host]:
    """Return ``count`` of them, the same ones each time, spread over all lists, in their order.

    A host that is listed with several ports or paths is taken once before any is taken twice.
    """
    if len(hosts) <= count:
        return list(hosts)
    ranked = sorted(range(len(hosts)), key=lambda at: rank(hosts[at].value))
    first: dict[str, int] = {}
    for at in ranked:
        first.setdefault(hosts[at].name, at)
    ranked.sort(key=lambda at: first[hosts[at].name] != at)
    return [hosts[at] for at in sorted(ranked[:count])]


def distinct(hosts: Iterable[Host]) -> int:
    """Return how many hosts there are, whatever ports and paths they are listed with."""
    return len({host.name for host in hosts})


def rank(value: str) -> bytes:
    """Return what values are ranked by where somebody must choose: their SHA-256."""
    return hashlib.sha256(value.encode()).digest()


def made_up(count: int) -> list[Host]:
    """Return hosts that exist nowhere: RFC 2606 names, RFC 5737 and RFC 3849 addresses.

    No two share a name or an address. RFC 5737 has few addresses; names stand in beyond them.
    """
    return [Host(*_made_up(number), _FAMILIES[number % len(_FAMILIES)]) for number in range(count)]


_FAMILIES = ("stealer-a", "stealer-b", "stealer-c")
_NAMES = ("example", "test", "invalid", "example.com", "example.net", "example.org")
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
_ADDRESSES = len(_NETWORKS) * 254
_FIRST_PORT, _PORTS = 1024, 50_000


def _made_up(number: int) -> tuple[int, str]:
    name = f"c{number:05x}.{_NAMES[number % len(_NAMES)]}"
    match number % 20:
        case 0:
            return indicator_pb2.INDICATOR_TYPE_URL, f"http://{name}/gate/{number:x}.php"
        case 1 | 2:
            at = number // 20 * 2 + number % 20 - 1
            network, last = _NETWORKS[at % len(_NETWORKS)], 1 + at // len(_NETWORKS)
            host = f"{network}.{last}" if at < _ADDRESSES else name
            port = _FIRST_PORT + number % _PORTS
            return indicator_pb2.INDICATOR_TYPE_HOST_PORT, f"{host}:{port}"
        case 3:
            text = f"2001:db8::{number >> 16:x}:{number & 0xFFFF:x}"
            return indicator_pb2.INDICATOR_TYPE_IPV6, str(ipaddress.IPv6Address(text))
        case _:
            return indicator_pb2.INDICATOR_TYPE_DOMAIN, name


_WORDS: dict[int, str] = {
    indicator_pb2.INDICATOR_TYPE_IPV4: "IPv4 addresses",
    indicator_pb2.INDICATOR_TYPE_IPV6: "IPv6 addresses",
    indicator_pb2.INDICATOR_TYPE_DOMAIN: "domains",
    indicator_pb2.INDICATOR_TYPE_HOST_PORT: "hosts with a port",
    indicator_pb2.INDICATOR_TYPE_URL: "URLs",
    indicator_pb2.INDICATOR_TYPE_URL_PATH: "URL paths",
    indicator_pb2.INDICATOR_TYPE_NETWORK: "networks",
}


def tally(hosts: Iterable[Host]) -> dict[str, int]:
    """Return how many there are of each type, in words, most first."""
    return dict(Counter(_WORDS[host.type] for host in hosts).most_common())
