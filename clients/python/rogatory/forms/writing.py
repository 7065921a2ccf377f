"""Outlines as YAML: fields in order, each explained above it, optional ones as comments.

A comment's text begins with ``# ``; a line that is only put out of use begins with ``#`` and no
space, so that taking the ``#`` away, wherever it stands, leaves good YAML.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from rogatory.forms.catalogue import Catalogue, short_name
from rogatory.forms.outlines import RECORD, Item
from rogatory.procedures.requests import REFUSING_GROUNDS
from rogatory.yamlrecords import BLANK

WIDTH = 96
"""Columns of a line; a Chinese character takes two."""

_FEW = 4
"""Values of a list that still stand in one line."""
_PLAIN = re.compile(r"[A-Za-z0-9+](?:[A-Za-z0-9 +._/()-]*[A-Za-z0-9+.()])?", re.ASCII)
# Full-width parenthesis, book title mark and quotation mark open something; no line ends there.
_WORD = re.compile("[\uff08\u300a\u201c]*(?:[\x21-\x7e]+ ?|.)")
_REFUSAL_GROUND = "RefusalGround"
_FIXED = frozenset({"AssistanceKind", "RequestStep"})
"""What was chosen with the template; the others need not be listed."""


class Writer:
    """Writes fields; what was explained once is only named the next time."""

    def __init__(self, catalogue: Catalogue, *, record: str = "") -> None:
        """Write in a language.

        Args:
            catalogue: Has the explanations.
            record: Id of the record that travels beside what is written.
        """
        self._catalogue = catalogue
        self._record = record
        self._explained: set[str] = set()

    def fields(
        self, items: Sequence[Item], descriptor: Descriptor, *, indent: int, used: bool
    ) -> Iterator[str]:
        """Yield the lines of a message's fields.

        Args:
            items: The fields.
            descriptor: The message's type.
            indent: Columns before them.
            used: What they stand in is in use; else they are comments too.
        """
        for item in items:
            yield from self._field(item, descriptor, indent=indent, used=used, dash=False)

    def element(
        self, items: Sequence[Item], descriptor: Descriptor, *, indent: int, used: bool
    ) -> Iterator[str]:
        """Yield the lines of one element of a list: its fields, a dash before the first."""
        for position, item in enumerate(items):
            # The dash stands where the list is indented to; the other fields below the first.
            column = indent + 2 if position else indent
            yield from self._field(item, descriptor, indent=column, used=used, dash=not position)

    def _field(
        self, item: Item, descriptor: Descriptor, *, indent: int, used: bool, dash: bool
    ) -> Iterator[str]:
        field = descriptor.fields_by_name[item.name]
        yield from self._explain(field, item, " " * indent)
        used = used and item.needed
        mark = "" if used else "#"
        margin = f"{' ' * indent}{mark}{'- ' if dash else ''}"
        inner = indent + (4 if dash else 2)
        if item.elements:
            yield f"{margin}{item.name}:"
            assert field.message_type is not None  # an outline has elements of messages alone
            for element in item.elements:
                if field.is_repeated:
                    yield from self.element(element, field.message_type, indent=inner, used=used)
                else:
                    yield from self.fields(element, field.message_type, indent=inner, used=used)
        elif isinstance(item.value, str):
            yield f"{margin}{item.name}: {self._scalar(item.value)}"
        elif len(item.value) > _FEW or BLANK in item.value:
            # What is left blank can't stand in brackets.
            yield f"{margin}{item.name}:"
            yield from (f"{' ' * inner}{mark}- {self._scalar(value)}" for value in item.value)
        else:
            values = ", ".join(self._scalar(value) for value in item.value)
            yield f"{margin}{item.name}: [{values}]"

    def _scalar(self, value: str) -> str:
        return scalar(self._record if value == RECORD else value)

    def _explain(self, field: FieldDescriptor, item: Item, margin: str) -> Iterator[str]:
        catalogue = self._catalogue
        needed = catalogue.text(f"template:{'required' if item.needed else 'optional'}")
        text = f"{catalogue.label(field)} [{needed}]"
        first = field.full_name not in self._explained
        self._explained.add(field.full_name)
        if first and (more := catalogue.explanation(field)):
            text = f"{text} {more}"
        yield from comment(text, margin)
        enum = field.enum_type
        if enum is None or enum.full_name in self._explained or enum.name in _FIXED:
            return
        self._explained.add(enum.full_name)
        yield from self._choices(enum, margin, several=field.is_repeated)

    def _choices(self, enum: EnumDescriptor, margin: str, *, several: bool) -> Iterator[str]:
        catalogue = self._catalogue
        which = "template:some" if several else "template:one"
        yield from comment(catalogue.text(which), margin)
        values = [value for value in enum.values if value.number]
        if enum.name == _REFUSAL_GROUND:
            # The others go with a postponement or an acceptance, which need no refusal.
            values = [value for value in values if value.number in REFUSING_GROUNDS]
        longest = max(len(short_name(enum, value.number)) for value in values)
        for value in values:
            name = short_name(enum, value.number)
            meaning = catalogue.value(enum, value.number)
            first, *rest = comment(meaning, margin, hang=longest + 4)
            yield f"{margin}#   {name.ljust(longest)}  {first[len(margin) + longest + 6 :]}"
            yield from rest
            if enum.name == _REFUSAL_GROUND:
                yield from self._ground(value.number, margin)

    def _ground(self, number: int, margin: str) -> Iterator[str]:
        catalogue = self._catalogue
        for what, lead in (("explanation", ""), ("source", "page:source"), ("next", "page:next")):
            text = catalogue.ground(number, what)  # type: ignore[arg-type]
            named = f"{catalogue.text(lead)}: {text}" if lead else text
            yield from comment(named, margin, hang=8)


def comment(text: str, margin: str, *, hang: int = 0, wrap: bool = True) -> list[str]:
    """Return a text as lines of comment, however it breaks its own lines.

    Args:
        text: Of any origin: what could end a line of YAML is gone.
        margin: What stands before the ``#``.
        hang: Columns by which its lines are set in.
        wrap: Else it stays in one line, as a command that is to be copied.
    """
    lead = f"{margin}# {' ' * hang}"
    words = "".join(char if char.isprintable() else " " for char in text)
    if not wrap:
        return [f"{lead}{words.strip()}"]
    return [f"{lead}{line}".rstrip() for line in _wrapped(words.strip(), WIDTH - len(lead))] or [
        lead.rstrip()
    ]


def scalar(value: str) -> str:
    """Return a value as YAML writes it in one line: plain where it may be, else in quotes."""
    if value == BLANK or (_PLAIN.fullmatch(value) and value != "null"):
        return value
    return "".join(
        char if char.isprintable() or char == "\\" else f"\\U{ord(char):08x}"
        for char in json.dumps(value, ensure_ascii=False)
    )


def _wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of so many columns; Chinese breaks between any two characters."""
    if text.isascii():
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    lines, line, taken = [], "", 0
    for word in _WORD.findall(text):
        columns = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in word)
        # A line begins with no mark that closes something, and ends with none that opens it.
        closes = unicodedata.category(word[0]) in {"Pe", "Pf", "Po"}
        if taken + columns > width and line and not closes:
            lines.append(line.rstrip())
            line, taken = "", 0
        line += word
        taken += columns
    return [*lines, line.rstrip()]
