"""Jobs in the folder OUT: which are complete, and copies of them that nobody can change any more.

A job is complete when it has its name: whoever makes one writes it under a name that begins with a
dot or ends in ``.tmp`` or ``.part``, and renames it. It is

- ``NAME.json``, a file that says everything (`rogatory.connect.jobs`);
- ``NAME/``, a folder with a ``job.json`` and the files that it names;
- ``NAME.envelope``, a serialised Envelope, signed by all who have to;
- ``NAME.draft``, a draft of the officers' queue that all have signed, as `rogatory draft --out`
  writes it.

Links are not followed, and nothing but regular files is read.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rogatory import messagefiles
from rogatory.connect.jobs import JOB_FILE, Job, faulty, parse_job
from rogatory.drafting.armoured import MAX_TEXT
from rogatory.envelopes import MAX_ENVELOPE_BYTES
from rogatory.errors import Issue, RecordFileError

STATUS_SUFFIX = ".status.json"
ENVELOPE_SUFFIX, DRAFT_SUFFIX = ".envelope", ".draft"
DONE, FAILED = "done", "failed"
MAX_NAME_BYTES = 180
"""Of a job's name: with what is put before and behind it, it still is a file name."""

MAX_FILE_BYTES = messagefiles.MAX_FILE_BYTES
MAX_JOB_BYTES = 32 << 20
"""Of all files of a job. A message holds 1 MiB, its text some times that."""

_UNFINISHED = (".tmp", ".part", "~")
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Form(Enum):
    """What a job is in the folder."""

    FILE = "file"
    FOLDER = "folder"
    ENVELOPE = "envelope"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A complete job in OUT.

    Attributes:
        name: Its name, which no other job may have.
        file: The file or folder in OUT.
        form: Which of them.
        changed: When it was last written, nanoseconds since the Unix epoch.
    """

    name: str
    file: str
    form: Form
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job as it was read, once.

    Attributes:
        entry: Where from.
        digest: SHA-256 over all that was read: equal jobs have equal digests.
        job: What it says; None for an envelope and a draft.
        signed: The file of the envelope or draft, where the job is one; else empty.
        files: Content of each file that the job names.
    """

    entry: Entry
    digest: str
    job: Job | None
    signed: bytes
    files: dict[str, bytes]


def entries(out: Path) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Return the complete jobs of a folder by name, and what is none, each with the reason."""
    found: list[Entry] = []
    strange: list[tuple[str, str]] = []
    with os.scandir(out) as items:
        for item in items:
            name = item.name
            if name.startswith(".") or name.lower().endswith((*_UNFINISHED, STATUS_SUFFIX)):
                continue
            if name in (DONE, FAILED):
                continue
            entry = _entry(item)
            if isinstance(entry, Entry):
                found.append(entry)
            elif entry:
                strange.append((name, entry))
    return sorted(found, key=lambda entry: (entry.name, entry.file)), sorted(strange)


def _entry(item: os.DirEntry[str]) -> Entry | str:
    """Return a job, or why it is none; an empty text where it has gone meanwhile."""
    name = item.name
    try:
        status = item.stat(follow_symlinks=False)
        name_bytes = name.encode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeEncodeError):
        return "its name cannot be read"
    if len(name_bytes) > MAX_NAME_BYTES or not name.isprintable():
        return f"its name is longer than {MAX_NAME_BYTES} bytes, or has characters nobody sees"
    if stat.S_ISLNK(status.st_mode):
        return "it is a link, and links are not followed"
    if stat.S_ISDIR(status.st_mode):
        if not (Path(item.path) / JOB_FILE).exists():
            return f"it is a folder without a {JOB_FILE}"
        stem, form = name, Form.FOLDER
    elif not stat.S_ISREG(status.st_mode):
        return "it is no regular file"
    elif name.endswith(".json"):
        stem, form = name.removesuffix(".json"), Form.FILE
    elif name.endswith(ENVELOPE_SUFFIX):
        stem, form = name.removesuffix(ENVELOPE_SUFFIX), Form.ENVELOPE
    elif name.endswith(DRAFT_SUFFIX):
        stem, form = name.removesuffix(DRAFT_SUFFIX), Form.DRAFT
    else:
        return f"it is no folder, and ends in none of .json, {ENVELOPE_SUFFIX} and {DRAFT_SUFFIX}"
    return Entry(name=stem, file=name, form=form, changed=status.st_mtime_ns)


def take(out: Path, entry: Entry) -> Taken:
    """Read a job, once: what is made of it later cannot be another one.

    Raises:
        RecordFileError: It cannot be read, is too large, or holds faults.
        FileNotFoundError: It has gone meanwhile.
    """
    if entry.form is Form.FOLDER:
        return _folder(out, entry)
    # Read with one byte to spare, so that an envelope that is too long fails as such.
    limits = {Form.ENVELOPE: MAX_ENVELOPE_BYTES, Form.DRAFT: MAX_TEXT}
    limit = limits.get(entry.form, MAX_FILE_BYTES)
    data = _read(entry.file, limit=limit, shown=entry.file, folder=_opened(out))
    is_job = entry.form is Form.FILE
    return Taken(
        entry=entry,
        digest=_digest(entry.form, {"": data}),
        job=parse_job(data, file=entry.file, beside=False) if is_job else None,
        signed=b"" if is_job else data,
        files={},
    )


def digest_of(out: Path, entry: Entry) -> str:
    """Return the digest that a job in the folder has now; empty where it cannot be taken."""
    try:
        return take(out, entry).digest
    except (RecordFileError, OSError):
        return ""


def _folder(out: Path, entry: Entry) -> Taken:
    shown = f"{entry.file}/{JOB_FILE}"
    try:
        opened = os.open(out / entry.file, _FLAGS | os.O_DIRECTORY)
    except FileNotFoundError:
        raise
    except OSError as error:
        issue = Issue(message=f"it cannot be opened: {error.strerror}")
        raise faulty(entry.file, [issue]) from error
    try:
        data = _read(JOB_FILE, limit=MAX_FILE_BYTES, shown=shown, folder=os.dup(opened))
        job = parse_job(data, file=shown, beside=True)
        files: dict[str, bytes] = {}
        left = MAX_JOB_BYTES
        for path, name in _named(job):
            if name in files:
                raise faulty(shown, [job.issue(path, f"the file {name} is named twice")])
            try:
                files[name] = _read(
                    name,
                    limit=min(left, MAX_FILE_BYTES),
                    shown=f"{entry.file}/{name}",
                    folder=os.dup(opened),
                )
            except FileNotFoundError as error:
                raise faulty(shown, [job.issue(path, f"there is no file {name}")]) from error
            left -= len(files[name])
    finally:
        os.close(opened)
    return Taken(
        entry=entry,
        digest=_digest(entry.form, {"": data, **files}),
        job=job,
        signed=b"",
        files=files,
    )


def _named(job: Job) -> Iterator[tuple[str, str]]:
    yield from ((f"files[{position}]", name) for position, name in enumerate(job.files))
    if job.particulars:
        yield "particulars", job.particulars


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _read(name: str, *, limit: int, shown: str, folder: int) -> bytes:
    """Read a regular file in an open folder, which is closed then."""
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise faulty(shown, [Issue(message="it is no regular file")])
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        what = "it is a link" if error.errno == errno.ELOOP else f"{error.strerror}"
        raise faulty(shown, [Issue(message=f"it cannot be read: {what}")]) from error
    finally:
        os.close(folder)
    if len(data) > limit:
        raise faulty(shown, [Issue(message=f"it is larger than {limit} bytes")])
    return data


def _digest(form: Form, files: dict[str, bytes]) -> str:
    """Return a digest in which neither names nor contents can pass for each other."""
    total = hashlib.sha256(form.value.encode() + b"\x00")
    for name, data in sorted(files.items()):
        total.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(data).digest())
    return total.hexdigest()
