"""What is wrong with a JSON file of records, place by place.

Only read when something is wrong: protobuf's own parser is faster, stops at the first fault and
does not say where it is.
"""

from __future__ import annotations

import difflib
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rogatory.errors import Issue
from rogatory.places import JsonNode, line_and_column, nearest

MAX_ISSUES = 50
"""Faults listed of one file: enough to mend it."""

_LONGEST_SHOWN = 40


class Reader:
    """Collects faults and the place of every field.

    Attributes:
        issues: The faults found so far, in the order of the file.
    """

    def __init__(self, text: str) -> None:
        self.issues: list[Issue] = []
        self._text = text
        self._places: dict[str, int] = {}

    def locate(self, path: str, message: str) -> Issue:
        """Return an issue at a path, or at the innermost element around it that is in the file.

        Args:
            path: The part's number, a slash, and the path that a validator gives.
            message: What is wrong.
        """
        offset = nearest(self._places, path)
        return self._issue(offset if offset is not None else 0, path, message)

    def part(
        self,
        node: JsonNode,
        descriptor: Descriptor,
        *,
        part: int,
        records: FieldDescriptor | None,
        single: bool,
    ) -> None:
        """Read a part.

        Args:
            node: Where it stands.
            descriptor: Type of its content.
            part: Its number.
            records: The content's list of records where the file leaves the content out around it.
            single: The file leaves the list out too, and has one record.
        """
        path = f"{part}/"
        self._places[path] = node.offset
        if records is None:
            self._message(node, descriptor, path)
        elif single:
            self._places[f"{path}{records.name}"] = node.offset
            self._value(node, records, f"{path}{records.name}[0]")
        else:
            self._field(node, records, f"{path}{records.name}")

    def plain(self, node: JsonNode) -> Any:  # noqa: ANN401 - JSON
        """Return the plain value of a node; of repeated names the last, each noted as a fault."""
        if node.pairs is not None:
            found: dict[str, Any] = {}
            for name, offset, below in node.pairs:
                if name in found:
                    self._add(offset, name, f"{name!r} stands here a second time")
                found[name] = self.plain(below)
            return found
        if node.items is not None:
            return [self.plain(item) for item in node.items]
        return node.value

    def _message(self, node: JsonNode, descriptor: Descriptor, path: str) -> None:
        if node.pairs is None:
            self._add(node.offset, path, f"an object is expected here ({descriptor.name})")
            return
        known = {field.name: field for field in descriptor.fields}
        known |= {field.json_name: field for field in descriptor.fields}
        for name, offset, below in node.pairs:
            field = known.get(name)
            if field is None:
                near = difflib.get_close_matches(name, known, n=1)
                fields = ", ".join(field.name for field in descriptor.fields)
                meant = f"; did you mean {near[0]!r}?" if near else f"; it has {fields}"
                self._add(offset, path, f"{descriptor.name} has no field {name!r}{meant}")
                continue
            joined = f"{path}{field.name}" if path.endswith("/") else f"{path}.{field.name}"
            self._field(below, field, joined)

    def _field(self, node: JsonNode, field: FieldDescriptor, path: str) -> None:
        self._places[path] = node.offset
        if node.value is None and node.items is None and node.pairs is None:
            return
        if not field.is_repeated:
            self._value(node, field, path)
            return
        if node.items is None:
            self._add(node.offset, path, "a list is expected here")
            return
        for position, item in enumerate(node.items):
            self._places[f"{path}[{position}]"] = item.offset
            self._value(item, field, f"{path}[{position}]")

    def _value(self, node: JsonNode, field: FieldDescriptor, path: str) -> None:
        if field.message_type is not None and not _is_well_known(field.message_type):
            self._message(node, field.message_type, path)
            return
        if field.enum_type is not None and isinstance(node.value, str):
            self._enum(node, field.enum_type, path)
            return
        assert field.containing_type is not None  # only an extension may have none
        message = GetMessageClass(field.containing_type)()
        value = self.plain(node)
        try:
            json_format.ParseDict({field.name: [value] if field.is_repeated else value}, message)
        except json_format.ParseError:
            wanted = field.message_type.name if field.message_type else _kind(field)
            self._add(node.offset, path, f"{_shown(value)} is not a {wanted}")

    def _enum(self, node: JsonNode, enum: EnumDescriptor, path: str) -> None:
        names = list(enum.values_by_name)
        if node.value in names:
            return
        prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
        # As it is written in full, and as people write it.
        words = {name.removeprefix(prefix): name for name in names[1:]}
        written = str(node.value).upper().replace("-", "_")
        near = difflib.get_close_matches(written, names, n=1) or [
            words[word] for word in difflib.get_close_matches(written, words, n=1)
        ]
        meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(names[1:])}"
        self._add(node.offset, path, f"{_shown(node.value)} is not a {enum.name}; {meant}")

    def _add(self, offset: int, path: str, message: str) -> None:
        if len(self.issues) < MAX_ISSUES:
            self.issues.append(self._issue(offset, path, message))

    def _issue(self, offset: int, path: str, message: str) -> Issue:
        line, column = line_and_column(self._text, offset)
        return Issue(message=message, path=path.partition("/")[2] or path, line=line, column=column)


def descriptor_of(message_type: type[Message]) -> Descriptor:
    """Return a type's descriptor; protobuf's stubs name two classes for the one there is."""
    return cast("Descriptor", message_type.DESCRIPTOR)


def _is_well_known(descriptor: Descriptor) -> bool:
    return descriptor.file.package == "google.protobuf"


def _kind(field: FieldDescriptor) -> str:
    names = {
        FieldDescriptor.CPPTYPE_STRING: "text",
        FieldDescriptor.CPPTYPE_BOOL: "true or false",
        FieldDescriptor.CPPTYPE_ENUM: field.enum_type.name if field.enum_type else "",
    }
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "text in base64"
    return names.get(field.cpp_type, "number of the right size")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
