"""Which hits were reported: a note for each message, so that no hit is reported twice.

A note is written before its message leaves, and holds names of messages and records, no record. It
counts as long as its message waits or was taken by somebody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from rogatory.cli import outbox
from rogatory.cli.drafts import queue
from rogatory.cli.folder import name_of
from rogatory.client import Submitted
from rogatory.errors import ConfigurationError
from rogatory.home import Home, make_folder, write_atomically
from rogatory.procedures.matching import Match
from rogatory.receipts import Receipt

Pair: TypeAlias = tuple[str, str, str, str]
"""Message and record of the alert, message and record that hit it."""

_FOLDER = "hits"


def pair_of(match: Match) -> Pair:
    """Return what tells a hit from another."""
    alert, matched = match.alert, match.matched
    return name_of(alert.message), alert.record_id, name_of(matched.message), matched.record_id


def note(place: Home, message_id: str, matches: Iterable[Match]) -> None:
    """Note which hits a message reports.

    Raises:
        ConfigurationError: It cannot be written.
    """
    folder = place.path / _FOLDER
    make_folder(folder)
    text = json.dumps({"hits": [pair_of(match) for match in matches]}, indent=1)
    write_atomically(folder / f"{message_id}.json", f"{text}\n".encode())


def pairs(place: Home) -> dict[Pair, str]:
    """Return the hits that were reported, or wait to be, each with what became of its message.

    Raises:
        ConfigurationError: A note cannot be read.
    """
    found: dict[Pair, str] = {}
    for message_id, noted in notes(place):
        state = _state(place, message_id)
        if state is not None:
            found |= dict.fromkeys(noted, state)
    return found


def notes(place: Home) -> Iterator[tuple[str, list[Pair]]]:
    """Yield the id of each message that was to report hits, with the hits.

    Raises:
        ConfigurationError: A note cannot be read.
    """
    for path in sorted((place.path / _FOLDER).glob("*.json")):
        yield path.stem, _read(path)


def _state(place: Home, message_id: str) -> str | None:
    """Return what became of a message; None: it reached nobody, and will not."""
    receipt = outbox.receipt_in(place, message_id)
    if receipt.exists():
        read = Receipt.parse(receipt.read_bytes())
        submitted = Submitted(message_id=message_id, receipt=read, repeated=True)
        return "reported" if submitted.permitted else None
    waiting = outbox.file_in(place, message_id)
    if waiting.exists():
        return f"may have been sent: rogatory send --again {waiting}"
    if queue.file_in(place, message_id).exists():
        return f"waits to be signed: rogatory review {message_id}"
    return None


def _read(path: Path) -> list[Pair]:
    try:
        return [(one[0], one[1], one[2], one[3]) for one in json.loads(path.read_bytes())["hits"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigurationError(
            f"{path} holds no note of hits",
            hint="Remove it; the hits of its message may then be reported again.",
        ) from error
