"""Text armour around signed bytes: files that can be mailed, compared and read by people."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

_LINE = 72


def begins(label: str, text: str) -> bool:
    """Say whether a text is armour with this label."""
    return text.lstrip().startswith(_begin(label))


def wrap(label: str, *, head: Sequence[str], data: bytes) -> str:
    """Return a begin line, the head's lines, an empty line, base64 of the bytes and an end line."""
    encoded = base64.b64encode(data).decode()
    body = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return "\n".join([_begin(label), *head, "", *body, _end(label), ""])


def unwrap(label: str, text: str) -> tuple[bytes, list[str]]:
    """Return the bytes in an armour, and its lines, to compare with what `wrap` makes of them.

    Raises:
        ValueError: it is no armour with this label.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    if "" not in lines or lines[0] != _begin(label) or lines[-1] != _end(label):
        message = f"no armour of a {label}"
        raise ValueError(message)
    try:
        data = base64.b64decode("".join(lines[lines.index("") + 1 : -1]), validate=True)
    except binascii.Error as error:
        message = f"the armour of a {label} holds no base64"
        raise ValueError(message) from error
    return data, lines


def _begin(label: str) -> str:
    return f"-----BEGIN {label}-----"


def _end(label: str) -> str:
    return f"-----END {label}-----"
