"""Files of records: JSON (the protobuf JSON mapping) or text-proto, read with errors that point.

.. code-block:: json

    {"persons": [{"category": "DATA_SUBJECT_CATEGORY_SUSPECT", "names": [...]}],
     "links": [...]}

Each member of the top object becomes a part: ``persons`` a ``rogatory.records.v1.Persons``,
``evidence_items`` or ``items`` an ``EvidenceItems``, and so on. With a schema given, the file may
also hold a list of records, one record, or a content that is no list, such as an
``AssistanceRequest``.
A text-proto file names its schema in a comment, ``# proto-message: rogatory.records.v1.Persons``.

Records without a ``record_id`` get a random one (UUIDv4): whoever wants to correct a record later
keeps the id, so better systems send their own.
"""

from __future__ import annotations

import difflib
import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rogatory import facts, schemas, wire
from rogatory.errors import EnvelopeError, Issue, RecordFileError, Violation
from rogatory.jsonrecords import Reader, descriptor_of
from rogatory.places import read_json

MAX_FILE_BYTES = 16 << 20
"""A part holds at most 1 MiB; its text is not sixteen times that."""

_TEXT_SUFFIXES = frozenset({".textproto", ".txtpb", ".textpb", ".pbtxt"})
_PROTO_MESSAGE = re.compile(r"^#\s*proto-message:\s*([\w.]+)\s*$", re.MULTILINE)
_MEND = "Mend each place listed and send it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFile:
    """What a file holds.

    Attributes:
        file: Its name as given.
        contents: One message for each part, in the file's order.
        new_ids: Records that had no ``record_id`` and got one.
    """

    file: str
    contents: tuple[Message, ...]
    new_ids: int


def read_records(path: Path, *, schema: str = "") -> RecordFile:
    """Read a file of records.

    Args:
        path: JSON, or text-proto by its suffix (.txtpb, .textproto).
        schema: Full or short name of the content's type, such as ``Persons``; empty: as the file
            says.

    Raises:
        RecordFileError: It cannot be read, or holds faults: all of them, with line and column.
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
    if path.suffix in _TEXT_SUFFIXES:
        return parse_textproto(text, schema=schema, file=str(path))
    return parse_json(text, schema=schema, file=str(path))


def parse_json(text: str, *, schema: str = "", file: str = "") -> RecordFile:
    """Read records from JSON text. As `read_records`.

    Raises:
        RecordFileError: It holds faults: all of them, with line and column.
    """
    try:
        # The fast way, for files without a fault.
        data = json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        issue = Issue(message=error.msg, line=error.lineno, column=error.colno)
        raise _faulty(file, "is not JSON", [issue]) from error
    except RecursionError as error:
        raise _faulty(file, "is nested too deeply", [Issue(message="nesting")]) from error
    except _RepeatedName:
        data = None
    contents: list[Message] = []
    if data is not None:
        try:
            contents = [
                json_format.ParseDict(share.content(data), share.message_type())
                for share in _shares(data, schema, file)
            ]
        except json_format.ParseError:
            contents = []
    found: list[tuple[str, str]] = []
    new_ids = 0
    if contents:
        new_ids = sum(_fill_ids(message) for message in contents)
        found = [
            (f"{part}/{violation.path}", _words(violation))
            for part, message in enumerate(contents)
            for violation in wire.violations(message)
        ]
    if contents and not found:
        return RecordFile(file=file, contents=tuple(contents), new_ids=new_ids)
    # The slow way, for errors that point at their place.
    reader = Reader(text)
    root = read_json(text)
    for part, share in enumerate(_shares(reader.plain(root), schema, file)):
        node = root if share.member is None else root.member(share.member)
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
    raise _faulty(file, "cannot be sent", issues)


def parse_textproto(text: str, *, schema: str = "", file: str = "") -> RecordFile:
    """Read one content from text-proto. As `read_records`.

    Raises:
        RecordFileError: It holds faults. A fault of form has line and column, a fault of content
            its path.
    """
    stated = _PROTO_MESSAGE.search(text)
    name = schema or (stated.group(1) if stated else "")
    if not name:
        raise RecordFileError(
            f"The file {file or 'given'} does not say which records it holds",
            hint="Begin it with # proto-message: rogatory.records.v1.Persons, or give --schema.",
            file=file,
        )
    message = _schema(name, file).message_type()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        issue = Issue(
            message=_without_place(str(error)),
            line=error.GetLine() or 0,
            column=error.GetColumn() or 0,
        )
        raise _faulty(file, "is not such a text-proto", [issue]) from error
    new_ids = _fill_ids(message)
    found = wire.violations(message)
    if found:
        issues = [Issue(message=_words(item), path=item.path) for item in found]
        raise _faulty(file, "cannot be sent", issues)
    return RecordFile(file=file, contents=(message,), new_ids=new_ids)


@cache
def members() -> dict[str, schemas.Schema]:
    """Return what a top-level member of a JSON file may be called, and what it then holds."""
    found: dict[str, schemas.Schema] = {}
    for name in schemas.names():
        schema = schemas.by_name(name)
        container = _records(schema.message_type)
        found[_snake(schema.message_type.DESCRIPTOR.name)] = schema
        if container is not None:
            found.setdefault(container.name, schema)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """Which share of a file is a part, and what it lacks to be the part's content."""

    message_type: type[Message]
    member: str | None
    records: FieldDescriptor | None
    single: bool

    def content(self, data: Any) -> Any:  # noqa: ANN401 - JSON
        value = data if self.member is None else data[self.member]
        if self.records is None:
            return value
        return {self.records.name: [value] if self.single else value}


def _shares(data: Any, schema: str, file: str) -> list[_Share]:  # noqa: ANN401 - JSON
    if schema:
        message_type = _schema(schema, file).message_type
        records = _records(message_type)
        whole = isinstance(data, dict) and (
            records is None or bool({records.name, records.json_name} & data.keys())
        )
        return [
            _Share(
                message_type=message_type,
                member=None,
                records=None if whole else records,
                single=not isinstance(data, list),
            )
        ]
    if not isinstance(data, dict) or not data:
        raise RecordFileError(
            f"The file {file or 'given'} does not say which records it holds",
            hint='Write {"persons": [...]}, or give --schema Persons.',
            file=file,
        )
    shares = []
    for name, value in data.items():
        known = members().get(_snake(name))
        if known is None:
            near = difflib.get_close_matches(_snake(name), members(), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(members())}."
            raise RecordFileError(
                f"{name!r} in {file or 'the file'} is no kind of record", hint=hint, file=file
            )
        records = _records(known.message_type)
        shares.append(
            _Share(
                message_type=known.message_type,
                member=name,
                records=None if isinstance(value, dict) else records,
                single=False,
            )
        )
    return shares


def _schema(name: str, file: str) -> schemas.Schema:
    short = {full.rpartition(".")[2].lower(): full for full in schemas.names()}
    try:
        return schemas.by_name(short.get(name.lower(), name))
    except EnvelopeError as error:
        near = difflib.get_close_matches(name.lower(), short, n=1)
        hint = f"Did you mean {short[near[0]]}?" if near else error.hint
        raise RecordFileError(f"There is no schema {name!r}", hint=hint, file=file) from error


def _fill_ids(message: Message) -> int:
    """Give every record without a ``record_id`` a random one; return how many got one."""
    container = _records(type(message))
    records: Iterable[Any] = getattr(message, container.name) if container else (message,)
    filled = 0
    for record in records:
        if "record_id" in record.DESCRIPTOR.fields_by_name and not record.record_id:
            record.record_id = str(uuid.uuid4())
            filled += 1
    return filled


def _records(message_type: type[Message]) -> FieldDescriptor | None:
    return facts.records_field(descriptor_of(message_type))


def _words(violation: Violation) -> str:
    """Return what a rule wants, in words for whoever wrote the file."""
    return "is not stated" if violation.rule == "enum.not_in" else violation.message


class _RepeatedName(ValueError):
    """An object has two members of one name: a reader would see one of them, which one depends."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedName
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _without_place(text: str) -> str:
    return re.sub(r"^\d+:\d+ : ", "", text)


def _faulty(file: str, what: str, issues: list[Issue]) -> RecordFileError:
    shown = [replace(item, message=item.message.rstrip(" .")) for item in issues]
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    return RecordFileError(
        f"The file {file or 'given'} {what}: {shown[0]}{more}",
        hint=_MEND,
        file=file,
        issues=shown,
    )
