"""The readable form of an agreement: YAML whose names are those of the proto.

Enum values are written short (``KIND_TRANSFER`` is ``transfer``), dates as ``2026-12-01`` or with
a time and zone (ISO 8601), roots as ``Ed25519:BASE64``, spans with their unit (``2 years`` of
months, ``3 weeks`` of days). A deadline may say ``within: 5 working days``, and ``kind: decision``
where it is not the one to answer. Every fault is reported, with its line and what is allowed there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from rogatory.agreements import values
from rogatory.agreements.checks import check_agreement
from rogatory.agreements.yaml_tree import MAX_TEXT_BYTES, Node, read_tree
from rogatory.errors import AgreementError, Issue
from rogatory.exchange.v1 import agreement_pb2

SCHEMA_VERSION = 1

_Positions: TypeAlias = dict[str, tuple[int, int]]

_SHORTHANDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {agreement_pb2.Deadline.DESCRIPTOR.full_name: frozenset({"within"})}
)
_PUBLIC_KEY = agreement_pb2.PublicKey.DESCRIPTOR.full_name
_TIMESTAMP = "google.protobuf.Timestamp"


def read_agreement_file(path: Path) -> agreement_pb2.Agreement:
    """Read the text form from a file. As `read_agreement`.

    Raises:
        AgreementError: The file cannot be read, or holds faults.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
        text = data.decode()
    except OSError as error:
        raise AgreementError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file that you may read."
        ) from error
    except UnicodeDecodeError as error:
        raise AgreementError(
            f"{path} is not UTF-8 at byte {error.start}", hint="Save it as UTF-8 text."
        ) from error
    return read_agreement(text, file=str(path))


def read_agreement(text: str, *, file: str = "the agreement") -> agreement_pb2.Agreement:
    """Read and check the text form. Roots may be missing; `document.render` fills them in.

    Args:
        text: YAML.
        file: What to call it in errors.

    Raises:
        AgreementError: With every fault, its line, column and path.
    """
    tree = read_tree(text, what=file)
    if tree.kind != "mapping":
        # Every name would be missing too, which says nothing more.
        what = "a list" if tree.kind == "list" else "a single value"
        issue = Issue(
            message=f"expected a mapping, lines of NAME: VALUE; this is {what}",
            line=tree.line,
            column=tree.column,
        )
        raise faulty(file, [issue])
    reader = _Reader()
    agreement = agreement_pb2.Agreement(schema_version=SCHEMA_VERSION)
    reader.message(tree, agreement, "")
    unread = reader.mistaken.union(issue.path for issue in reader.issues)
    reader.issues.extend(
        _located(issue, reader.positions)
        for issue in check_agreement(agreement, roots=False)
        # What could not be read is empty now, and its emptiness is no second fault.
        if not any(_within(issue.path, path) for path in unread)
    )
    if reader.issues:
        raise faulty(file, reader.issues)
    return agreement


def faulty(what: str, issues: Iterable[Issue]) -> AgreementError:
    """Return the error that reports every fault of an agreement, in the order of the text."""
    ordered = sorted(issues, key=lambda issue: (issue.line, issue.column))
    count = f"{len(ordered)} faults, the first at" if len(ordered) > 1 else "a fault at"
    return AgreementError(
        f"{what} has {count} {ordered[0]}",
        hint="Mend each place listed and check it again.",
        issues=ordered,
    )


def _located(issue: Issue, positions: _Positions) -> Issue:
    """Return the issue with the position of its path, or of the nearest element around it."""
    path = issue.path
    while path and path not in positions:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    line, column = positions.get(path, (1, 1))
    return Issue(message=issue.message, path=issue.path, line=line, column=column)


def _within(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


class _Reader:
    """Fills a message from a tree and collects what is wrong on the way."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.mistaken: set[str] = set()
        """Paths that a misspelt name was most likely meant for."""
        self.positions: _Positions = {}

    def message(self, node: Node, message: Any, path: str) -> None:  # noqa: ANN401 - any of the schema's messages
        descriptor: Descriptor = message.DESCRIPTOR
        shorthands = _SHORTHANDS.get(descriptor.full_name, frozenset[str]())
        allowed = [*(f.name for f in descriptor.fields), *sorted(shorthands)]
        if node.kind != "mapping":
            self._report(node, path, f"expected a mapping with {', '.join(allowed)}")
            return
        self.positions[path] = (node.line, node.column)
        seen = set()
        for key, value in node.pairs:
            name = key.text
            inner = f"{path}.{name}" if path else name
            if name in seen:
                self._report(key, inner, f"{name} stands here twice")
            elif name not in allowed:
                self._report(key, inner, _not_one_of(name, allowed, "a name known here"))
                self.mistaken.update(f"{path}.{n}" if path else n for n in _near(name, allowed))
            elif name in shorthands:
                self._within(value, message, inner)
            else:
                self._field(value, message, descriptor.fields_by_name[name], inner)
            seen.add(name)

    def _field(self, node: Node, message: Any, field: FieldDescriptor, path: str) -> None:  # noqa: ANN401 - as above
        self.positions[path] = (node.line, node.column)
        if not field.is_repeated:
            self._single(node, message, field, path)
        elif node.kind != "list":
            self._report(node, path, "expected a list, as [one, two] or lines that begin with -")
        else:
            target = getattr(message, field.name)
            for index, item in enumerate(node.items):
                at = f"{path}[{index}]"
                self.positions[at] = (item.line, item.column)
                if field.message_type is not None:
                    self.message(item, target.add(), at)
                elif (value := self._scalar(item, field, at)) is not None:
                    target.append(value)

    def _single(self, node: Node, message: Any, field: FieldDescriptor, path: str) -> None:  # noqa: ANN401 - as above
        if field.message_type is None:
            if (value := self._scalar(node, field, path)) is not None:
                setattr(message, field.name, value)
        elif field.message_type.full_name in (_TIMESTAMP, _PUBLIC_KEY):
            if (value := self._scalar(node, field, path)) is not None:
                getattr(message, field.name).CopyFrom(value)
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self.message(node, inner, path)

    def _scalar(self, node: Node, field: FieldDescriptor, path: str) -> Any:  # noqa: ANN401 - as the field's type wants it
        if node.kind != "scalar":
            self._report(node, path, f"expected {_expected(field)}, not a {node.kind}")
            return None
        if node.is_null:
            self._report(node, path, f"is empty; expected {_expected(field)}")
            return None
        try:
            return _read(node, field)
        except ValueError as error:
            self._report(node, path, str(error))
            return None

    def _within(self, node: Node, deadline: agreement_pb2.Deadline, path: str) -> None:
        self.positions[path] = (node.line, node.column)
        try:
            amount, unit = values.deadline(node.text)
        except ValueError as error:
            self._report(node, path, str(error))
            # So that the missing unit and amount are not reported as well.
            amount, unit = 1, agreement_pb2.DEADLINE_UNIT_HOURS
        deadline.amount = amount
        deadline.unit = unit

    def _report(self, node: Node, path: str, message: str) -> None:
        self.issues.append(Issue(message=message, path=path, line=node.line, column=node.column))


def _read(node: Node, field: FieldDescriptor) -> object:
    text = node.text.strip()
    if field.enum_type is not None:
        return _enum(text, field.enum_type)
    if field.message_type is not None:
        is_time = field.message_type.full_name == _TIMESTAMP
        return values.timestamp(text) if is_time else values.public_key(text)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if not node.plain or text not in ("true", "false"):
            raise ValueError(f"expected true or false, not {text!r}")
        return text == "true"
    if field.cpp_type in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64):
        bits = 32 if field.cpp_type == FieldDescriptor.CPPTYPE_UINT32 else 64
        return values.number(text, name=field.name, bits=bits)
    return text


def _enum(text: str, enum: EnumDescriptor) -> int:
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    names = {v.name.removeprefix(prefix).lower(): v.number for v in enum.values if v.number}
    number = names.get(text.lower())
    if number is None:
        raise ValueError(_not_one_of(text, list(names), f"a {_words(enum.name)}"))
    return number


def _not_one_of(name: str, allowed: list[str], what: str) -> str:
    guess = "".join(f"; did you mean {near!r}?" for near in _near(name, allowed)) or "."
    return f"{name!r} is not {what}{guess} Allowed: {', '.join(allowed)}"


def _near(name: str, allowed: list[str]) -> list[str]:
    """Return the one allowed name that is most like a misspelt one, if any is."""
    return difflib.get_close_matches(name.lower(), allowed, n=1)


def _words(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def _expected(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return f"a {_words(field.enum_type.name)}"
    if field.message_type is not None:
        return "a date" if field.message_type.full_name == _TIMESTAMP else "a public key"
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "true or false"
    return "text" if field.cpp_type == FieldDescriptor.CPPTYPE_STRING else "a whole number"
