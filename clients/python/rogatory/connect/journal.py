"""What is known of each job, across crashes: one file a job, replaced as a whole.

.. code-block:: text

    open/     jobs that are under way: with the signed envelope until it is answered
    closed/   jobs that were answered, so that their name is not used for another message

A job's file is written before its message goes out, so what goes out after a crash is the same, to
the byte, and the gateway answers it as it did.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rogatory.connect.disk import Disk, prepare_folder
from rogatory.errors import ConfigurationError

QUEUED, SENT, REFUSED, JOB_FAILED = "queued", "sent", "refused", "failed"
ANSWERED = frozenset({SENT, REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A job.

    Attributes:
        name: The job's name.
        file: The file or folder in OUT.
        digest: Of what was read (`rogatory.connect.taking.Taken.digest`).
        taken: When it was read, nanoseconds since the Unix epoch.
        message_id: Of its message.
        state: QUEUED until it is answered; then SENT, REFUSED or JOB_FAILED.
        decided: When it was answered; 0 until then.
        envelope: What is sent; empty once it is answered.
        unreachable: Members of an operation that it does not go to, as the sidecar lists them.
        status: What the sidecar says once it is answered.
    """

    name: str
    file: str
    digest: str
    taken: int
    message_id: str
    state: str
    decided: int = 0
    envelope: bytes = b""
    unreachable: Sequence[dict[str, Any]] = ()
    status: dict[str, Any] | None = None

    def answered(self, state: str, *, status: dict[str, Any], now: int) -> Record:
        """Return it with its answer."""
        return replace(self, state=state, decided=now, envelope=b"", status=status)

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        value = {
            "name": self.name,
            "file": self.file,
            "digest": self.digest,
            "taken": self.taken,
            "message_id": self.message_id,
            "state": self.state,
            "decided": self.decided,
            "envelope": base64.b64encode(self.envelope).decode(),
            "unreachable": [*self.unreachable],
            "status": self.status,
        }
        return json.dumps(value, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read it from JSON.

        Raises:
            ValueError: It is something else.
        """
        try:
            value = json.loads(data)
            found = cls(**{**value, "envelope": base64.b64decode(value["envelope"], validate=True)})
        except (KeyError, TypeError, binascii.Error) as error:
            message = "not the record of a job"
            raise ValueError(message) from error
        if found.state == QUEUED and not found.envelope:
            message = "no envelope"
            raise ValueError(message)
        return found


class Journal:
    """The records of a folder."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        """Open it; make it where it is missing.

        Raises:
            ConfigurationError: It cannot be made.
        """
        self._disk = disk
        self._open = prepare_folder(folder / "open")
        self._closed = prepare_folder(folder / "closed")
        for left in self._open.glob(".*.tmp"):
            # Half a record, of a job that is taken again: it holds what the job holds.
            disk.remove(left)

    def under_way(self) -> list[Record]:
        """Return the jobs that are under way, in the order in which they were taken."""
        found = [self._read(path) for path in self._open.glob("[!.]*.json")]
        return sorted(
            (record for record in found if record is not None),
            key=lambda record: (record.taken, record.name),
        )

    def under_way_named(self, name: str) -> Record | None:
        """Return the job of a name that is under way; None: there is none."""
        return self._read(self._open / _file_name(name))

    def closed(self, name: str) -> Record | None:
        """Return the job of a name that was answered; None: there is none."""
        return self._read(self._closed / _file_name(name))

    def put(self, record: Record) -> None:
        """Write a job that is under way, durably."""
        self._disk.put(self._open / _file_name(record.name), record.to_bytes())

    def close(self, record: Record) -> None:
        """End a job: a decided one keeps its name, a failed one gives it free."""
        path = self._open / _file_name(record.name)
        if record.state in ANSWERED:
            self._disk.move(path, self._closed / path.name)
        else:
            self._disk.remove(path)
            self._disk.sync(self._open)

    def _read(self, path: Path) -> Record | None:
        try:
            return Record.from_bytes(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The record of a job {path} cannot be read",
                hint="Restore it from a backup. Without the record its job may be sent once more:"
                " look first whether a receipt for it lies in done.",
            ) from error


def _file_name(name: str) -> str:
    """Return a file name for any name of a job, that says something to people too."""
    readable = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:60]
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
