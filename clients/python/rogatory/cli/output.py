"""What commands print: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from rogatory.cli.guard import write


def emit(data: Any, lines: Sequence[str], *, as_json: bool) -> None:  # noqa: ANN401 - JSON
    """Print one result: as a JSON document, or as lines for people."""
    if as_json:
        write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    else:
        write("".join(f"{line}\n" for line in lines))


def emit_item(data: Any, line: str, *, as_json: bool) -> None:  # noqa: ANN401 - JSON
    """Print one item of many: a JSON line, or a line for people."""
    write((json.dumps(data, ensure_ascii=False) if as_json else line) + "\n")


def note(text: str) -> None:
    """Tell the person at the terminal something that is no data."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def plain(message: Message) -> dict[str, Any]:
    """Return a message in the protobuf JSON mapping, under the names of the protos."""
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    widths = (
        [max((len(row[i]) for row in rows), default=0) for i in range(len(rows[0]))] if rows else []
    )
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
