"""Where things stand in a JSON text, so that an error can point at them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(slots=True, kw_only=True)
class JsonNode:
    """A JSON value and where it starts.

    Attributes:
        value: The value itself; for objects and lists use ``pairs`` and ``items``.
        offset: Index of its first character.
        items: Elements of a list; None where it is none.
        pairs: Members of an object in order, repeated names included; None where it is none.
    """

    value: Any
    offset: int
    items: list[JsonNode] | None = None
    pairs: list[tuple[str, int, JsonNode]] | None = None

    def member(self, name: str) -> JsonNode:
        """Return the last member of an object that has this name."""
        return next(node for found, _, node in reversed(self.pairs or []) if found == name)


def read_json(text: str) -> JsonNode:
    """Return a JSON text, known to be valid, as nodes that know their places."""
    return _json_value(text, _skip(text, 0), json.JSONDecoder())[0]


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column, in characters, of an offset."""
    before = text.rfind("\n", 0, offset)
    return text.count("\n", 0, offset) + 1, offset - before


def nearest(places: Mapping[str, int], path: str) -> int | None:
    """Return the offset of a path, or of the innermost element around it that has one."""
    while path not in places:
        if not path:
            return None
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return places[path]


def _json_value(text: str, at: int, decoder: json.JSONDecoder) -> tuple[JsonNode, int]:
    if text[at] == "{":
        pairs: list[tuple[str, int, JsonNode]] = []
        end = _skip(text, at + 1)
        while text[end] != "}":
            name_at = _skip(text, end + 1) if text[end] == "," else end
            name, end = decoder.raw_decode(text, name_at)
            node, end = _json_value(text, _skip(text, _skip(text, end) + 1), decoder)
            pairs.append((name, name_at, node))
            end = _skip(text, end)
        return JsonNode(value=None, offset=at, pairs=pairs), end + 1
    if text[at] == "[":
        items: list[JsonNode] = []
        end = _skip(text, at + 1)
        while text[end] != "]":
            start = _skip(text, end + 1) if text[end] == "," else end
            node, end = _json_value(text, start, decoder)
            items.append(node)
            end = _skip(text, end)
        return JsonNode(value=None, offset=at, items=items), end + 1
    value, end = decoder.raw_decode(text, at)
    return JsonNode(value=value, offset=at), end


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
