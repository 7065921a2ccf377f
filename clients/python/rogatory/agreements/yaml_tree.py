"""YAML as a plain tree with positions: scalars stay the text that was written.

The constructors of a YAML library guess types: ``0701`` becomes a number and loses its zero, dates
turn into objects. Here the reader of a field says what it expects. Anchors, aliases, tags and
further documents are refused: a text that parties sign must read the same to the eye and to the
program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from rogatory.errors import AgreementError, Issue

MAX_TEXT_BYTES = 1024 * 1024
"""An agreement is at most 48 KiB when serialised; its text is not twenty times that."""
MAX_DEPTH = 16
"""Twice what the schema needs."""


@dataclass(slots=True, kw_only=True)
class Node:
    """A scalar, a list or a mapping, and where it starts (1-based).

    Attributes:
        kind: ``scalar``, ``list`` or ``mapping``.
        text: Of a scalar, as written and unfolded.
        plain: A scalar without quotes, so that ``true`` is not ``"true"``.
        items: Of a list.
        pairs: Of a mapping, in order, repeated keys included.
    """

    kind: str
    line: int
    column: int
    text: str = ""
    plain: bool = False
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)

    @property
    def is_null(self) -> bool:
        """Whether nothing, ``~`` or ``null`` stands here."""
        return self.kind == "scalar" and self.plain and self.text in ("", "~", "null")


def read_tree(text: str, *, what: str) -> Node:
    """Read one YAML document.

    Args:
        text: The document.
        what: Its name for the error text, as a file name.

    Raises:
        AgreementError: It is too large or too deep, is not YAML, or uses anchors, aliases or tags.
    """
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise _unreadable(what, Issue(message=f"is larger than {MAX_TEXT_BYTES} bytes"))
    events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
    try:
        return _document(events, what)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        issue = Issue(
            message=f"is not YAML: {error.problem or error.context or 'unreadable'}",
            line=mark.line + 1 if mark else 0,
            column=mark.column + 1 if mark else 0,
        )
        raise _unreadable(what, issue) from error
    except YAMLError as error:
        first = str(error).strip().splitlines()[0]
        raise _unreadable(what, Issue(message=f"is not YAML: {first}")) from error


def _unreadable(what: str, issue: Issue) -> AgreementError:
    return AgreementError(
        f"{what} cannot be read: {issue}",
        hint="Mend the text there and check it again.",
        issues=[issue],
    )


def _document(events: Iterator[Event], what: str) -> Node:
    root: Node | None = None
    documents = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _unreadable(what, _issue(event, "has more than one document"))
        elif isinstance(event, NodeEvent):
            root = _node(event, events, what, depth=1)
    if root is None:
        raise _unreadable(what, Issue(message="is empty"))
    return root


def _node(event: Event, events: Iterator[Event], what: str, *, depth: int) -> Node:
    _check(event, what, depth)
    line, column = event.start_mark.line + 1, event.start_mark.column + 1
    if isinstance(event, ScalarEvent):
        return Node(
            kind="scalar", line=line, column=column, text=event.value, plain=event.style is None
        )
    if isinstance(event, SequenceStartEvent):
        node = Node(kind="list", line=line, column=column)
        while not isinstance(inner := next(events), SequenceEndEvent):
            node.items.append(_node(inner, events, what, depth=depth + 1))
        return node
    node = Node(kind="mapping", line=line, column=column)
    while not isinstance(inner := next(events), MappingEndEvent):
        key = _node(inner, events, what, depth=depth + 1)
        value = _node(next(events), events, what, depth=depth + 1)
        if value.plain and not value.text:
            # Nothing stands there, and the parser has already looked at the next line.
            value.line, value.column = key.line, key.column
        node.pairs.append((key, value))
    return node


def _check(event: Event, what: str, depth: int) -> None:
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
        raise _unreadable(what, _issue(event, "uses an anchor or alias; write it out"))
    if isinstance(event, (ScalarEvent, SequenceStartEvent, MappingStartEvent)) and event.tag:
        raise _unreadable(what, _issue(event, f"uses the tag {event.tag}; leave it out"))
    if depth > MAX_DEPTH:
        raise _unreadable(what, _issue(event, f"is nested more than {MAX_DEPTH} deep"))


def _issue(event: Event, message: str) -> Issue:
    mark = event.start_mark
    return Issue(message=message, line=mark.line + 1, column=mark.column + 1)
