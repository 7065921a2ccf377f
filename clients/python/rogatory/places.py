"""Where things stand in a JSON or text-proto text, so that an error can point at them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

MAX_NESTING = 100
"""Levels of objects and lists in JSON: what protobuf reads."""

MAX_DIGITS = 1000
"""Digits of a number in JSON: far more than any field holds, and fewer than Python reads."""

_SPACE = re.compile(r"[ \t\n\r]*")
_JSON_STRING = r'"(?:[^"\\]|\\.)*"'
_BRACKET = re.compile(rf"{_JSON_STRING}|[\[{{\]}}]", re.DOTALL)
_LONG_NUMBER = re.compile(rf"{_JSON_STRING}|(?P<number>\d{{{MAX_DIGITS},}})", re.DOTALL)
_TEXT_TOKEN = re.compile(
    r"""\s+ | \#[^\n]*                                          # nothing, comment
    | (?P<token> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'         # strings
    | [-+.\w]+ | . )                                          # names and numbers, punctuation""",
    re.DOTALL | re.VERBOSE,
)


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


def too_deep(text: str) -> int | None:
    """Return the offset at which JSON is nested more than `MAX_NESTING` deep; None: nowhere."""
    depth = 0
    for found in _BRACKET.finditer(text):
        bracket = found.group()
        if bracket in "[{":
            depth += 1
            if depth > MAX_NESTING:
                return found.start()
        elif bracket in "]}":
            depth -= 1
    return None


def long_number(text: str) -> int | None:
    """Return the offset of the first number in JSON of `MAX_DIGITS` or more; None: none is."""
    return next(
        (found.start() for found in _LONG_NUMBER.finditer(text) if found["number"] is not None),
        None,
    )


def read_textproto(text: str, descriptor: Descriptor) -> dict[str, int]:
    """Return where each field of a text-proto stands, by its path as in ``indicators[0].value``.

    Args:
        text: Known to be valid.
        descriptor: Type of its content.
    """
    return _TextProto(text).read(descriptor)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the 1-based line and column, in characters, of an offset."""
    before = text.rfind("\n", 0, offset)
    return text.count("\n", 0, offset) + 1, offset - before


def nearest(places: Mapping[str, int], path: str) -> int | None:
    """Return the offset of a path, or of the innermost element around it that has one.

    What comes before a slash, the number of a part, is an element too.
    """
    while path not in places:
        if not path:
            return None
        around = path[: max(path.rfind("."), path.rfind("["), path.find("/") + 1, 0)]
        path = around if around != path else ""
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


class _TextProto:
    """Walks the tokens of a text-proto that the parser has accepted."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            (found["token"], found.start())
            for found in _TEXT_TOKEN.finditer(text)
            if found["token"] is not None
        ]
        self._at = 0
        self._places: dict[str, int] = {}

    def read(self, descriptor: Descriptor) -> dict[str, int]:
        self._message(descriptor, "")
        return self._places

    def _next(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, *tokens: str) -> bool:
        if self._next() not in tokens:
            return False
        self._at += 1
        return True

    def _message(self, descriptor: Descriptor, path: str) -> None:
        seen: dict[str, int] = {}
        while self._next() not in ("", "}", ">"):
            name = self._next()
            self._at += 1
            field = descriptor.fields_by_name[name]
            below = f"{path}.{name}" if path else name
            self._take(":")
            self._places.setdefault(below, self._tokens[self._at][1])
            if self._take("["):
                while not self._take("]"):
                    self._item(field, below, seen)
                    self._take(",")
            else:
                self._item(field, below, seen)
            self._take(",", ";")

    def _item(self, field: FieldDescriptor, path: str, seen: dict[str, int]) -> None:
        if field.is_repeated:
            position = seen.get(path, 0)
            seen[path] = position + 1
            path = f"{path}[{position}]"
            self._places[path] = self._tokens[self._at][1]
        if field.message_type is not None:
            self._at += 1
            self._message(field.message_type, path)
            self._at += 1
            return
        self._take("-")
        self._at += 1
        # Strings that follow each other are one.
        while self._next()[:1] in ("'", '"') and self._tokens[self._at - 1][0][0] in "'\"":
            self._at += 1
