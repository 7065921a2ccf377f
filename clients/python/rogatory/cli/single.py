"""A file that holds one message, with or without the name of its type around it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

from google.protobuf.message import Message

from rogatory import messagefiles
from rogatory.errors import RecordFileError
from rogatory.jsonrecords import descriptor_of
from rogatory.messagefiles import Complete
from rogatory.recordfiles import read_records

M = TypeVar("M", bound=Message)


def read(path: Path, message_type: type[M], *, complete: Complete) -> M:
    """Return the one content of a file.

    Args:
        path: JSON, YAML or text-proto. Its fields alone, or ``{"operation_founding": {...}}``.
        message_type: The content's class.
        complete: Fills in what the file leaves out.

    Raises:
        RecordFileError: It cannot be read, holds faults, or something else.
    """
    name = descriptor_of(message_type).name
    wrapped = _is_wrapped(messagefiles.read_text(path), name)
    found = read_records(path, schema="" if wrapped else name, complete=complete).contents
    if len(found) != 1 or not isinstance(found[0], message_type):
        held = ", ".join(descriptor_of(type(one)).name for one in found)
        raise RecordFileError(
            f"The file {path} holds {held}, and one {name} is wanted",
            hint="Put the rest into another file.",
            file=str(path),
        )
    return found[0]


def _is_wrapped(text: str, name: str) -> bool:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    camel = name[0].lower() + name[1:]
    return re.search(rf'^\s*\{{?\s*"?({snake}|{camel})"?\s*:', text, re.MULTILINE) is not None
