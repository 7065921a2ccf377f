"""YAML as the JSON form of a message: scalars stay text until the field says what it wants.

.. code-block:: yaml

    assistance_request:
      kind: preservation
      offences: [{iccs_code: 0701}]

So ``0701`` keeps its zero in a field of text and ``true`` is a truth value only where one is
wanted. Beside what JSON has, enum values may be written short (``preservation`` for
``ASSISTANCE_KIND_PRESERVATION``) and instants as a date (``2026-12-01``, midnight UTC), as in the
text form of agreements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from rogatory.agreements import values
from rogatory.agreements.yaml_tree import Node, read_tree
from rogatory.errors import AgreementError, Issue, RecordFileError
from rogatory.places import JsonNode

BLANK = "???"
"""What stands in a template where something is still to be filled in."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_NUMBERS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
        FieldDescriptor.CPPTYPE_FLOAT,
        FieldDescriptor.CPPTYPE_DOUBLE,
    }
)
_TIMESTAMP = "google.protobuf.Timestamp"


class YamlRecords:
    """One YAML document, read as the JSON reader reads its text: values and their places."""

    def __init__(self, text: str, *, file: str) -> None:
        """Read a document.

        Args:
            text: The document.
            file: The file's name, for errors.

        Raises:
            RecordFileError: It is not YAML, uses what could read differently to eye and program,
                or has blanks that are still to be filled in.
        """
        named = f"The file {file or 'given'}"
        try:
            self._tree = read_tree(text, what=named)
        except AgreementError as error:
            raise RecordFileError(
                error.message, hint="Mend it and send it again.", file=file, issues=error.issues
            ) from error
        blanks = list(_blanks(self._tree, ""))
        if blanks:
            more = f", and {len(blanks) - 1} more" if len(blanks) > 1 else ""
            raise RecordFileError(
                f"{named} is not filled in yet: {blanks[0]}{more}",
                hint=f"Replace every {BLANK}, or put a # before a line that is not needed.",
                file=file,
                issues=blanks,
            )
        self._starts = [
            0,
            *(found.end() for found in re.finditer(r"\r\n|[\n\r\x85\u2028\u2029]", text)),
        ]

    @property
    def root(self) -> JsonNode:
        """The document with every scalar as text: enough to see which members there are."""
        return self._untyped(self._tree)

    def message(self, descriptor: Descriptor, *, member: str | None) -> JsonNode:
        """Return the document, or a member of its top mapping, as a message of a type."""
        return self._message(self._below(member), descriptor)

    def field(self, field: FieldDescriptor, *, member: str | None, single: bool) -> JsonNode:
        """Return the document, or a member, as the value of a list, or as one item of it."""
        node = self._below(member)
        return self._single(node, field) if single else self._field(node, field)

    def _below(self, member: str | None) -> Node:
        if member is None:
            return self._tree
        return next(value for key, value in reversed(self._tree.pairs) if key.text == member)

    def _message(self, node: Node, descriptor: Descriptor) -> JsonNode:
        if node.kind != "mapping":
            return self._untyped(node)
        known = {field.name: field for field in descriptor.fields}
        known |= {field.json_name: field for field in descriptor.fields}
        return self._mapping(node, known)

    def _field(self, node: Node, field: FieldDescriptor) -> JsonNode:
        if not field.is_repeated:
            return self._single(node, field)
        if node.kind != "list":
            return self._untyped(node)
        return JsonNode(
            value=None,
            offset=self._offset(node),
            items=[self._single(item, field) for item in node.items],
        )

    def _single(self, node: Node, field: FieldDescriptor) -> JsonNode:
        kind = field.message_type
        if kind is not None and kind.full_name != _TIMESTAMP:
            return self._message(node, kind)
        if node.kind != "scalar" or node.is_null:
            return self._untyped(node)
        return JsonNode(value=_scalar(node, field), offset=self._offset(node))

    def _untyped(self, node: Node) -> JsonNode:
        if node.kind == "mapping":
            return self._mapping(node, {})
        if node.kind == "list":
            items = [self._untyped(item) for item in node.items]
            return JsonNode(value=None, offset=self._offset(node), items=items)
        value = None if node.is_null else node.text
        return JsonNode(value=value, offset=self._offset(node))

    def _mapping(self, node: Node, known: dict[str, FieldDescriptor]) -> JsonNode:
        pairs = []
        for key, value in node.pairs:
            field = known.get(key.text)
            below = self._untyped(value) if field is None else self._field(value, field)
            pairs.append((key.text, self._offset(key), below))
        return JsonNode(value=None, offset=self._offset(node), pairs=pairs)

    def _offset(self, node: Node) -> int:
        return self._starts[min(node.line, len(self._starts)) - 1] + node.column - 1


def _scalar(node: Node, field: FieldDescriptor) -> object:
    """Return what JSON would have for a field; the text itself where it is none of that."""
    text = node.text
    if field.enum_type is not None:
        return _enum(text, field.enum_type)
    if field.message_type is not None:
        try:
            return values.timestamp(text).ToJsonString()
        except ValueError:
            return text
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL and node.plain:
        return {"true": True, "false": False}.get(text, text)
    if field.cpp_type in _NUMBERS and node.plain and _NUMBER.fullmatch(text):
        return json.loads(text)
    return text


def _enum(text: str, enum: EnumDescriptor) -> str:
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    name = prefix + text.upper().replace("-", "_")
    return name if name in enum.values_by_name else text


def _blanks(node: Node, path: str) -> Iterator[Issue]:
    if node.kind == "scalar" and node.plain and node.text == BLANK:
        yield Issue(
            message="is still to be filled in", path=path, line=node.line, column=node.column
        )
    for position, item in enumerate(node.items):
        yield from _blanks(item, f"{path}[{position}]")
    for key, value in node.pairs:
        yield from _blanks(value, f"{path}.{key.text}" if path else key.text)
