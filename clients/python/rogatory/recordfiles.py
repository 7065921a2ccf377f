"""Files of records: JSON (the protobuf JSON mapping), YAML or text-proto; errors point into them.

.. code-block:: json

    {"persons": [{"category": "DATA_SUBJECT_CATEGORY_SUSPECT", "names": [...]}],
     "links": [...]}

Each member of the top object becomes a part: ``persons`` a ``rogatory.records.v1.Persons``,
``evidence_items`` or ``items`` an ``EvidenceItems``, and so on. With a schema given, the file may
also hold a list of records, one record, or a content that is no list, such as an
``AssistanceRequest``.
A YAML file is the same in YAML (`rogatory.yamlrecords`).
A text-proto file names its schema in a comment, ``# proto-message: rogatory.records.v1.Persons``.

Records without a ``record_id`` get a random one (UUIDv4): whoever wants to correct a record later
keeps the id, so better systems send their own.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rogatory import facts, messagefiles, schemas
from rogatory.errors import EnvelopeError, RecordFileError, Violation
from rogatory.jsonrecords import descriptor_of
from rogatory.messagefiles import Complete, Share

_PROTO_MESSAGE = re.compile(r"^#\s*proto-message:\s*([\w.]+)\s*$", re.MULTILINE)


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


def read_records(
    path: Path | str, *, schema: str = "", complete: Complete | None = None
) -> RecordFile:
    """Read a file of records.

    Args:
        path: JSON, or YAML or text-proto by its suffix (.yaml, .yml; .txtpb, .textproto).
        schema: Full or short name of the content's type, such as ``Persons``; empty: as the file
            says.
        complete: Fills in what a file may leave out, such as digests of the messages it refers to
            (see `rogatory.references`).

    Raises:
        RecordFileError: It cannot be read, or holds faults: all of them, with line and column.
    """
    path = Path(path)
    text = messagefiles.read_text(path)
    parse = parse_json
    if messagefiles.is_textproto(path):
        parse = parse_textproto
    elif messagefiles.is_yaml(path):
        parse = parse_yaml
    return parse(text, schema=schema, file=str(path), complete=complete)


def parse_json(
    text: str, *, schema: str = "", file: str = "", complete: Complete | None = None
) -> RecordFile:
    """Read records from JSON text. As `read_records`.

    Raises:
        RecordFileError: It holds faults: all of them, with line and column.
    """
    ids = _Ids(complete)
    contents = messagefiles.parse_json(
        text, lambda data: _shares(data, schema, file), file=file, complete=ids
    )
    return RecordFile(file=file, contents=tuple(contents), new_ids=ids.filled)


def parse_yaml(
    text: str, *, schema: str = "", file: str = "", complete: Complete | None = None
) -> RecordFile:
    """Read records from YAML text. As `read_records`.

    Raises:
        RecordFileError: It holds faults: all of them, with line and column.
    """
    ids = _Ids(complete)
    contents = messagefiles.parse_yaml(
        text, lambda data: _shares(data, schema, file), file=file, complete=ids
    )
    return RecordFile(file=file, contents=tuple(contents), new_ids=ids.filled)


def parse_textproto(
    text: str, *, schema: str = "", file: str = "", complete: Complete | None = None
) -> RecordFile:
    """Read one content from text-proto. As `read_records`.

    Raises:
        RecordFileError: It holds faults: the first of form, or all of content, with line and
            column.
    """
    stated = _PROTO_MESSAGE.search(text)
    name = schema or (stated.group(1) if stated else "")
    if not name:
        raise RecordFileError(
            f"The file {file or 'given'} does not say which records it holds",
            hint="Begin it with # proto-message: rogatory.records.v1.Persons, or give --schema.",
            file=file,
        )
    ids = _Ids(complete)
    message = messagefiles.parse_textproto(
        text, _schema(name, file).message_type, file=file, complete=ids
    )
    return RecordFile(file=file, contents=(message,), new_ids=ids.filled)


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


def _shares(data: Any, schema: str, file: str) -> list[Share]:  # noqa: ANN401 - JSON
    if schema:
        message_type = _schema(schema, file).message_type
        records = _records(message_type)
        whole = isinstance(data, dict) and (
            records is None or bool({records.name, records.json_name} & data.keys())
        )
        return [
            Share(
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
            Share(
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


class _Ids:
    """Gives every record without a ``record_id`` a random one, then completes the rest.

    Attributes:
        filled: How many got one.
    """

    def __init__(self, complete: Complete | None) -> None:
        self.filled = 0
        self._complete = complete

    def __call__(self, message: Message) -> Iterable[Violation]:
        container = _records(type(message))
        records: Iterable[Any] = getattr(message, container.name) if container else (message,)
        for record in records:
            if "record_id" in record.DESCRIPTOR.fields_by_name and not record.record_id:
                record.record_id = str(uuid.uuid4())
                self.filled += 1
        return self._complete(message) if self._complete is not None else ()


def _records(message_type: type[Message]) -> FieldDescriptor | None:
    return facts.records_field(descriptor_of(message_type))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
