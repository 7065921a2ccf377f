"""The queue of drafts: files in the agency's folder, or wherever an officer was handed one.

A file is changed under a lock on itself and replaced whole, so that of two officers who sign at the
same moment both have signed. Beside it lies, where a reviewer said no, a note that says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rogatory import clock
from rogatory.cli import history
from rogatory.drafting import DraftEnvelope, begins, from_armour, merge, to_armour
from rogatory.drafting.armoured import MAX_TEXT
from rogatory.errors import ConfigurationError, DraftError
from rogatory.home import AgencySettings, Home, make_folder, write_atomically
from rogatory.keyring import KeyRing
from rogatory.policy import Policy

SUFFIX = ".draft"
NOTE_SUFFIX = ".note.json"
MAX_NOTE = 65_536
"""Bytes of a reviewer's note."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A reviewer's no. It is no signature: it tells the author, and stops nobody who means ill.

    Attributes:
        header_digest: Of the draft, hexadecimal.
        reason: Why.
        officer: Pseudonym of whoever said so; may be empty.
        time: When, RFC 3339.
    """

    header_digest: str
    reason: str
    officer: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A draft that was read.

    Attributes:
        draft: With the signatures of all copies that were found.
        path: The first file that was named.
        paths: Every file that holds a copy: those named, and the queue's own.
        rejection: What a reviewer said against it; None: nothing.
    """

    draft: DraftEnvelope
    path: Path
    paths: tuple[Path, ...]
    rejection: Rejection | None

    def check_not_rejected(self) -> None:
        """Check that no reviewer has rejected it.

        Raises:
            DraftError: DRAFT_REJECTED.
        """
        if self.rejection is not None:
            by = f" by {self.rejection.officer}" if self.rejection.officer else ""
            raise DraftError(
                f"draft {self.draft.message_id} was rejected{by}: {self.rejection.reason}",
                hint="Draft it anew; or take the rejection back: rogatory review --reopen.",
                reason="DRAFT_REJECTED",
            )


def file_in(place: Home, message_id: str) -> Path:
    """Return where a draft lies in the queue, or would."""
    return place.drafts / f"{message_id}{SUFFIX}"


def files(place: Home) -> list[Path]:
    """Return the queue's files, oldest first: an id begins with its time (RFC 9562)."""
    return sorted(path for path in place.drafts.glob(f"*{SUFFIX}") if _ID.fullmatch(path.stem))


def is_draft(word: str) -> bool:
    """Say whether a word names a draft: an id of the queue, or a file that begins as one."""
    path = Path(word)
    if not path.is_file():
        return _ID.fullmatch(word) is not None or path.suffix == SUFFIX
    with contextlib.suppress(OSError), path.open("rb") as file:
        return begins(file.read(128).decode("utf-8", "replace"))
    return False


def find(place: Home, words: Sequence[str]) -> Found:
    """Read a draft that is named by id or by file, or by several files that are copies of it.

    The queue's own copy counts too, where it has one: what was signed there is not forgotten.

    Raises:
        DraftError: It is none, was altered, or is another agency's or gateway's.
        EnvelopeError: Header or parts break their rules.
        ConfigurationError: It cannot be read.
    """
    named = [_path(place, word) for word in words]
    copies = [read(path) for path in named]
    settings = place.enrolled()
    for copy in copies:
        _check_own(copy, settings)
    queued = file_in(place, copies[0].message_id)
    if queued.exists() and not any(path.exists() and queued.samefile(path) for path in named):
        named.append(queued)
        copies.append(read(queued))
    draft = merge(*copies)
    notes = (rejection_of(path, draft) for path in named)
    return Found(
        draft=draft,
        path=named[0],
        paths=tuple(named),
        rejection=next((note for note in notes if note is not None), None),
    )


def read(path: Path) -> DraftEnvelope:
    """Read the file of a draft.

    Raises:
        DraftError: It is none, or was altered.
        EnvelopeError: Header or parts break their rules.
        ConfigurationError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEXT + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The draft {path} cannot be read: {error.strerror}",
            hint="See what there is: rogatory draft list. Or name its file.",
        ) from error
    return from_armour(data.decode("ascii", "replace"))


def put(place: Home, draft: DraftEnvelope) -> Path:
    """Write a new draft into the queue, for the owner alone; return its file.

    Raises:
        ConfigurationError: It cannot be written.
    """
    make_folder(place.drafts)
    path = file_in(place, draft.message_id)
    write(path, draft)
    return path


def write(path: Path, draft: DraftEnvelope) -> DraftEnvelope:
    """Write a draft's file whole or not at all, for the owner alone; return the draft.

    Raises:
        ConfigurationError: It cannot be written.
    """
    write_atomically(path, to_armour(draft).encode())
    return draft


def add(path: Path, signed: DraftEnvelope) -> DraftEnvelope:
    """Put a draft's new signatures beside those in its file, which others may have added to.

    Returns:
        What the file holds now.

    Raises:
        DraftError: Another draft is in the file.
        ConfigurationError: It cannot be read or written, or is gone.
    """
    with _locked(path):
        return write(path, merge(read(path), signed))


def remove(path: Path) -> None:
    """Remove a draft's file and its note."""
    path.unlink(missing_ok=True)
    note_file(path).unlink(missing_ok=True)


def done(place: Home, message_id: str) -> None:
    """Take a draft out of the queue: its message was decided."""
    remove(file_in(place, message_id))


def note_file(path: Path) -> Path:
    """Return where the note beside a draft's file is."""
    return path.with_name(f"{path.name}{NOTE_SUFFIX}")


def reject(path: Path, draft: DraftEnvelope, *, reason: str, officer: str, now: int) -> None:
    """Leave word beside a draft's file that it must not be sent so.

    Raises:
        ConfigurationError: It cannot be written.
    """
    said = Rejection(
        header_digest=draft.header_digest.hex(),
        reason=reason,
        officer=officer,
        time=clock.to_text(now),
    )
    text = json.dumps(asdict(said), ensure_ascii=False, indent=2)
    write_atomically(note_file(path), f"{text}\n".encode())


def rejection_of(path: Path, draft: DraftEnvelope) -> Rejection | None:
    """Return what a reviewer left beside a draft's file; None: nothing about this draft.

    Raises:
        ConfigurationError: The note cannot be read.
    """
    note = note_file(path)
    try:
        with note.open("rb") as file:
            data = file.read(MAX_NOTE + 1)
        values: Any = json.loads(data) if len(data) <= MAX_NOTE else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        values = None
    fields = Rejection.__dataclass_fields__.keys()
    if not (
        isinstance(values, dict)
        and values.keys() == fields
        and all(isinstance(value, str) for value in values.values())
    ):
        raise ConfigurationError(
            f"{note} holds no reviewer's note",
            hint="Ask the reviewer what was said, then remove the file.",
        )
    found = Rejection(**values)
    return found if found.header_digest == draft.header_digest.hex() else None


def own_ring(place: Home) -> KeyRing:
    """Return the agency's own keys, by the latest of its statements that the folder holds.

    Either those that are kept, or those that the policy file names; both verified against the root
    that the policy pins.

    Raises:
        ConfigurationError: There are none, or they do not verify.
    """
    agency = place.settings().agency
    policy = Policy.load(place.policy_file)
    kept = history.kept(place)
    root = policy.roots.get(agency) or history.root_of(kept)
    if root is not None and kept:
        ring = history.ring_of(kept, root)
        if ring.next_statement(agency)[0] >= policy.ring.next_statement(agency)[0]:
            return ring
    if policy.ring.root(agency) is None:
        raise ConfigurationError(
            f"{place.path} holds no key statement of {agency}",
            hint="Fetch them: rogatory agency keys, or rogatory receipt policy.",
        )
    return policy.ring


def _path(place: Home, word: str) -> Path:
    path = Path(word)
    return file_in(place, word) if _ID.fullmatch(word) and not path.exists() else path


def _check_own(draft: DraftEnvelope, settings: AgencySettings) -> None:
    header = draft.header
    if (header.sender, header.audience) != (settings.agency, settings.origin):
        raise DraftError(
            f"the draft is {header.sender}'s for {header.audience}, and this is the folder of"
            f" {settings.agency} at {settings.origin}",
            hint="Choose the other folder with --home.",
            reason="DRAFT_FOREIGN",
        )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep others from changing a file that is replaced rather than written to.

    The lock is on the file itself, so that nothing is left lying on a stick. Whoever waited for it
    holds the old file where it was replaced meanwhile, and takes the new one.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError as error:
            raise ConfigurationError(
                f"The draft {path} cannot be changed: {error.strerror}",
                hint="It may have been sent or discarded; to write elsewhere give --out.",
            ) from error
        try:
            _lock(descriptor)
            if _is_at(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> None:
    """Wait for the lock; closing the file lets it go, and so does the end of the process."""
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - only POSIX has it

        fcntl.flock(descriptor, fcntl.LOCK_EX)
