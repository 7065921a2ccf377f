"""Messages from files, JSON, YAML or text-proto, with errors that point at line and column.

What a file of records is made of (`rogatory.recordfiles`), and any other file that holds a message
of the contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rogatory import wire
from rogatory.errors import Issue, RecordFileError, Violation
from rogatory.jsonrecords import Reader, descriptor_of
from rogatory.places import (
    MAX_DIGITS,
    MAX_NESTING,
    JsonNode,
    line_and_column,
    long_number,
    nearest,
    read_json,
    read_textproto,
    too_deep,
)
from rogatory.yamlrecords import YamlRecords

M = TypeVar("M", bound=Message)

Complete = Callable[[Message], Iterable[Violation]]
"""Fills in what a file may leave out; returns what it could not, by the path of the field."""

MAX_FILE_BYTES = 16 << 20
"""A part holds at most 1 MiB; its text is not sixteen times that."""

_TEXT_SUFFIXES = frozenset({".textproto", ".txtpb", ".textpb", ".pbtxt"})
_YAML_SUFFIXES = frozenset({".yaml", ".yml"})
_MEND = "Mend each place listed and send it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which share of a JSON file is a message, and what it lacks to be one.

    Attributes:
        message_type: The message's class.
        member: Member of the top object that holds it; None: the file as a whole does.
        records: The message's list of records, where the file leaves out the message around it.
        single: The file leaves the list out too, and has one record.
    """

    message_type: type[Message]
    member: str | None = None
    records: FieldDescriptor | None = None
    single: bool = False

    def content(self, data: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the message as JSON has it, from the file's plain value."""
        return self.around(data if self.member is None else data[self.member])

    def around(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the message as JSON has it, from the plain value of the share."""
        if self.records is None:
            return value
        return {self.records.name: [value] if self.single else value}


def read_message(path: Path, message_type: type[M], *, complete: Complete | None = None) -> M:
    """Read a file that holds one message.

    Args:
        path: JSON, or YAML or text-proto by its suffix (.yaml, .yml; .txtpb, .textproto).
        message_type: The message's class.
        complete: Fills in what the file leaves out.

    Raises:
        RecordFileError: It cannot be read, or holds faults: all of them, with line and column.
    """
    text = read_text(path)
    if is_textproto(path):
        return parse_textproto(text, message_type, file=str(path), complete=complete)
    share = Share(message_type=message_type)
    parse = parse_yaml if is_yaml(path) else parse_json
    (message,) = parse(text, lambda _: [share], file=str(path), complete=complete)
    assert isinstance(message, message_type)
    return message


def is_textproto(path: Path) -> bool:
    """Say whether a file is text-proto by its suffix."""
    return path.suffix in _TEXT_SUFFIXES


def is_yaml(path: Path) -> bool:
    """Say whether a file is YAML by its suffix."""
    return path.suffix in _YAML_SUFFIXES


def read_text(path: Path) -> str:
    """Return the text of a file, without its byte order mark.

    Raises:
        RecordFileError: It cannot be read, is not UTF-8, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise RecordFileError(
            f"The file {path} cannot be read: {error.strerror}",
            hint="Check its name.",
            file=str(path),
        ) from error
    except UnicodeDecodeError as error:
        raise RecordFileError(
            f"The file {path} is not UTF-8: byte {error.start} is not",
            hint="Save it as UTF-8.",
            file=str(path),
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise RecordFileError(
            f"The file {path} is larger than {MAX_FILE_BYTES} bytes",
            hint="Split it: a message holds up to 1 MiB.",
            file=str(path),
        )
    return text


def parse_json(
    text: str,
    shares: Callable[[Any], Sequence[Share]],
    *,
    file: str = "",
    complete: Complete | None = None,
) -> list[Message]:
    """Return the messages that JSON text holds.

    Args:
        text: The text.
        shares: Returns which shares of the plain value are messages.
        file: The file's name, for errors.
        complete: Fills in what the text leaves out.

    Raises:
        RecordFileError: It holds faults: all of them, with line and column.
    """
    # The fast way, for files without a fault.
    data = _plain_json(text, file)
    found: list[tuple[str, str]] = []
    if data is not None:
        messages, found = _built([(share, share.content(data)) for share in shares(data)], complete)
        if messages and not found:
            return messages
    # The slow way, for errors that point at their place.
    if too_deep(text) is not None:
        raise _nested(text, file)
    reader = Reader(text)
    root = read_json(text)
    nodes = [
        (share, root if share.member is None else root.member(share.member))
        for share in shares(reader.plain(root))
    ]
    raise _explained(reader, nodes, found, file)


def parse_yaml(
    text: str,
    shares: Callable[[Any], Sequence[Share]],
    *,
    file: str = "",
    complete: Complete | None = None,
) -> list[Message]:
    """Return the messages that YAML text holds, as the JSON form of each (`rogatory.yamlrecords`).

    Arguments and errors are those of `parse_json`; blanks of a template are faults too.

    Raises:
        RecordFileError: It holds faults: all of them, with line and column.
    """
    records = YamlRecords(text, file=file)
    reader = Reader(text)
    nodes = [(share, _typed(records, share)) for share in shares(reader.plain(records.root))]
    found: list[tuple[str, str]] = []
    if not reader.issues:
        plain = [(share, share.around(reader.plain(node))) for share, node in nodes]
        messages, found = _built(plain, complete)
        if messages and not found:
            return messages
    raise _explained(reader, nodes, found, file)


def _typed(records: YamlRecords, share: Share) -> JsonNode:
    if share.records is None:
        return records.message(descriptor_of(share.message_type), member=share.member)
    return records.field(share.records, member=share.member, single=share.single)


def _built(
    shares: Sequence[tuple[Share, Any]], complete: Complete | None
) -> tuple[list[Message], list[tuple[str, str]]]:
    """Return messages from what JSON has for each, and their faults by part and path.

    No messages: one cannot be read at all.
    """
    try:
        messages = [
            json_format.ParseDict(content, share.message_type()) for share, content in shares
        ]
    except json_format.ParseError:
        return [], []
    return messages, [
        (f"{part}/{violation.path}", _words(violation, message))
        for part, message in enumerate(messages)
        for violation in _faults(message, complete)
    ]


def _explained(
    reader: Reader,
    nodes: Sequence[tuple[Share, JsonNode]],
    found: Sequence[tuple[str, str]],
    file: str,
) -> RecordFileError:
    """Return the error that lists what is wrong, place by place."""
    for part, (share, node) in enumerate(nodes):
        reader.part(
            node,
            descriptor_of(share.message_type),
            part=part,
            records=share.records,
            single=share.single,
        )
    issues = reader.issues or [reader.locate(path, message) for path, message in found]
    if not issues:
        issues = [Issue(message="it cannot be read as records", line=1, column=1)]
    return _faulty(file, "cannot be sent", issues)


def parse_textproto(
    text: str, message_type: type[M], *, file: str = "", complete: Complete | None = None
) -> M:
    """Return the message that a text-proto holds.

    Raises:
        RecordFileError: It holds faults: the first of form, or all of content, with line and
            column.
    """
    message = message_type()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        issue = Issue(
            message=_without_place(str(error), text.splitlines()),
            line=error.GetLine() or 0,
            column=error.GetColumn() or 0,
        )
        raise _faulty(file, "is not such a text-proto", [issue]) from error
    found = _faults(message, complete)
    if found:
        places = read_textproto(text, descriptor_of(message_type))
        issues = [_located(item, message, text, places) for item in found]
        raise _faulty(file, "cannot be sent", issues)
    return message


def _faults(message: Message, complete: Complete | None) -> list[Violation]:
    """Fill a message in; return what is lacking, and every rule of the schema that it breaks."""
    lacking = list(complete(message)) if complete is not None else []
    below = tuple(f"{item.path}." for item in lacking)
    broken = [
        item
        for item in wire.violations(message)
        if not below or not f"{item.path}.".startswith(below)
    ]
    return lacking + broken


def _plain_json(text: str, file: str) -> Any:  # noqa: ANN401 - JSON
    """Return JSON as plain values; None where an object has two members of one name."""
    try:
        try:
            return json.loads(text, object_pairs_hook=_without_repeats)
        except _RepeatedName:
            # It came before the end of the text, and a fault of form behind it goes first.
            json.loads(text)
            return None
    except json.JSONDecodeError as error:
        issue = Issue(message=error.msg, line=error.lineno, column=error.colno)
        raise _faulty(file, "is not JSON", [issue]) from error
    except RecursionError as error:
        raise _nested(text, file) from error
    except ValueError as error:
        # Python reads no number of so many digits.
        line, column = line_and_column(text, long_number(text) or 0)
        issue = Issue(
            message=f"a number of more than {MAX_DIGITS} digits", line=line, column=column
        )
        raise _faulty(file, "cannot be sent", [issue]) from error


class _RepeatedName(ValueError):
    """An object has two members of one name: a reader would see one of them, which one depends."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedName
    return found


def _words(violation: Violation, message: Message) -> str:
    """Return what a rule wants, in words for whoever wrote the file."""
    if violation.rule == "enum.not_in":
        return "is not stated"
    if violation.rule == "string.pattern" and _value(message, violation.path) == "":
        return "is not stated"
    return violation.message


def _value(message: Message, path: str) -> object:
    """Return what a path such as ``persons[2].place.record_id`` leads to; None: nothing."""
    found: Any = message
    for name, index in re.findall(r"(\w+)(?:\[(\d+)\])?", path):
        found = getattr(found, name, None)
        if index:
            found = found[int(index)] if found is not None and int(index) < len(found) else None
    return found


def _nested(text: str, file: str) -> RecordFileError:
    line, column = line_and_column(text, too_deep(text) or 0)
    issue = Issue(message=f"nesting of more than {MAX_NESTING} levels", line=line, column=column)
    return _faulty(file, "is nested too deeply", [issue])


def _located(violation: Violation, message: Message, text: str, places: Mapping[str, int]) -> Issue:
    line, column = line_and_column(text, nearest(places, violation.path) or 0)
    return Issue(message=_words(violation, message), path=violation.path, line=line, column=column)


def _without_place(text: str, lines: Sequence[str]) -> str:
    """Return a parser's error without its place and without the whole line that it may quote."""
    place = re.match(r"(\d+):\d+ : ", text)
    if place is None:
        return text
    line = lines[int(place[1]) - 1] if int(place[1]) <= len(lines) else ""
    return text[place.end() :].removeprefix(f"'{line}': ")


def _faulty(file: str, what: str, issues: list[Issue]) -> RecordFileError:
    shown = [replace(item, message=item.message.rstrip(" .")) for item in issues]
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    return RecordFileError(
        f"The file {file or 'given'} {what}: {shown[0]}{more}",
        hint=_MEND,
        file=file,
        issues=shown,
    )
