"""From a job in OUT to an answer beside it: sent once, whatever happens in between.

1. The job is read, once, and its message built and signed.
2. The envelope is written to the journal, durably. From here on the job's message is this one.
3. It is submitted. The same bytes again get the first answer, so this may happen any number of
   times.
4. Receipt, answer and sidecar are written, and the notice; then the job is moved to ``done``.
5. The journal keeps the name: a job that is put there again gets the same answer, and another one
   under that name is refused.

After a crash the journal says how far a job was, and the same steps go on from there. Nothing of a
case system's is ever removed: a job is moved to ``done`` once it was answered, and to ``failed``
when it cannot be sent as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rogatory import envelopes
from rogatory.client import Submitted
from rogatory.client.drafts import DEFAULT_LIFETIME
from rogatory.connect import status, taking
from rogatory.connect.disk import Disk, free_name, prepare_folder, shared_mode
from rogatory.connect.journal import ANSWERED, JOB_FAILED, QUEUED, REFUSED, SENT, Journal, Record
from rogatory.connect.patience import Patience, concerns_all, is_final
from rogatory.connect.taking import DONE, FAILED, STATUS_SUFFIX, Entry, Form, Taken
from rogatory.connect.webhooks import Notice
from rogatory.entries import open_entry
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import (
    CallError,
    NotFoundOrDenied,
    RecordFileError,
    RogatoryError,
    SignerError,
)
from rogatory.receipts import Receipt

MAX_UNDER_WAY = 256
"""Jobs whose messages wait for an answer. No others are taken until some have got it."""

MAX_TOLD = 1000
"""Jobs waiting in OUT that get a sidecar saying so."""

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A job's message.

    Attributes:
        envelope: Signed, as it is sent.
        unreachable: Members of an operation that it does not go to, each with the reason: JSON.
    """

    envelope: bytes
    unreachable: Sequence[dict[str, Any]] = ()


Compose = Callable[[Taken], Composed]
"""Returns the message of a job or of a draft; raises what is wrong with it."""


class Gateway(Protocol):
    """What is asked of a gateway; `rogatory.client.Client` is one."""

    def submit(self, envelope: bytes) -> Submitted:
        """Submit an envelope."""
        ...

    def get_receipt(self, sender: str, message_id: str) -> Receipt:
        """Return the receipt of a message."""
        ...


@dataclass(kw_only=True)
class Pass:
    """What one look at the folder did.

    Attributes:
        answered: Jobs that were answered, or could not be sent, by state.
        waiting: Jobs that wait to be tried again.
        unreachable: Why the gateway could not be reached; None: it could.
    """

    answered: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    unreachable: CallError | None = None


class Outgoing:
    """The jobs of one folder. One instance at a time; its methods are not concurrent."""

    def __init__(
        self,
        *,
        out: Path,
        state: Path,
        receipts: Path,
        agency: str,
        exercise: bool,
        compose: Compose,
        gateway: Gateway,
        notify: Callable[[Notice], None],
        tell: Callable[[str], None],
        now: Callable[[], int],
        disk: Disk,
        settled: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open the folders; make ``done`` and ``failed`` where they are missing.

        Args:
            out: The folder that jobs are put into.
            state: Where the journal is.
            receipts: Where the agency keeps receipts, by message id.
            agency: The sender.
            exercise: Whether all messages are training traffic, or none.
            compose: Makes a job's message.
            gateway: Takes it.
            notify: Gets each change of a job that is one, before the job is moved.
            tell: Gets lines for the operator.
            now: Nanoseconds since the Unix epoch.
            disk: The file system.
            settled: Gets the id of each message that was decided, once at least.

        Raises:
            ConfigurationError: A folder cannot be used.
        """
        self._out = out
        self._done = prepare_folder(out / DONE, like=out)
        self._failed = prepare_folder(out / FAILED, like=out)
        self._receipts = prepare_folder(receipts)
        self._mode = shared_mode(out)
        self._agency = agency
        self._exercise = exercise
        self._compose = compose
        self._gateway = gateway
        self._notify = notify
        self._tell = tell
        self._now = now
        self._disk = disk
        self._settled = settled
        self._journal = Journal(state, disk)
        self._patience = Patience(now)
        self._told: set[str] = set()
        self._left: set[tuple[str, int]] = set()

    def work(self, stopped: Callable[[], bool] = lambda: False) -> Pass:
        """Look at the folder once: go on with what is under way, then take what is new, by name.

        Raises:
            ConfigurationError: The journal cannot be read.
            OSError: Something cannot be written.
        """
        done = Pass()
        for record in self._journal.under_way():
            if stopped() or done.unreachable is not None:
                break
            self._go_on(record, done)
        found, strange = taking.entries(self._out)
        for name, why in strange:
            self._once(name, f"{name} is no job: {why}")
        for position, entry in enumerate(found):
            if stopped():
                break
            if done.unreachable is not None or done.waiting >= MAX_UNDER_WAY:
                self._tell_waiting(found[position : position + MAX_TOLD])
                break
            if self._patience.is_due(entry.name) and (entry.file, entry.changed) not in self._left:
                self._take(entry, done)
        return done

    # Taking a job

    def _take(self, entry: Entry, done: Pass) -> None:
        if self._journal.under_way_named(entry.name) is not None:
            # Under way, or another job that took its name; either way its turn comes.
            return
        closed = self._journal.closed(entry.name)
        try:
            taken = taking.take(self._out, entry)
            if closed is not None:
                self._again(taken, closed)
                return
            record, opened = self._prepare(taken)
        except FileNotFoundError:
            return
        except (SignerError, CallError) as error:
            if isinstance(error, CallError) and is_final(error):
                self._fail(entry, entry.name, error, done)
            else:
                self._put_off(entry.name, entry.file, error, done)
            return
        except RogatoryError as error:
            name = entry.name if closed is None else f"{entry.name}-{entry.changed}"
            self._fail(entry, name, error, done)
            return
        self._journal.put(record)  # (2)
        self._say(record.name, status.SENDING, file=record.file, message=_reference(opened))
        self._submit(record, opened, done)

    def _prepare(self, taken: Taken) -> tuple[Record, OpenedEnvelope]:
        """Make a job's message (1).

        Raises:
            RogatoryError: The job cannot be sent, or not now.
        """
        entry = taken.entry
        made = (
            Composed(envelope=taken.signed) if entry.form is Form.ENVELOPE else self._compose(taken)
        )
        opened = envelopes.open_envelope(made.envelope)
        header = opened.header
        if header.sender != self._agency or header.exercise != self._exercise:
            traffic = "training traffic" if self._exercise else "live records"
            raise RecordFileError(
                f"The job {entry.file} is a message of {header.sender}"
                + (", training traffic" if header.exercise else ", no training traffic"),
                hint=f"What is put here is sent by {self._agency}, as {traffic}: put it elsewhere.",
                file=entry.file,
            )
        record = Record(
            name=entry.name,
            file=entry.file,
            digest=taken.digest,
            taken=self._now(),
            message_id=header.message_id,
            state=QUEUED,
            envelope=made.envelope,
            unreachable=made.unreachable,
        )
        return record, opened

    def _again(self, taken: Taken, closed: Record) -> None:
        """Answer a job that was answered before (5).

        Raises:
            RecordFileError: It is another job.
        """
        entry = taken.entry
        if taken.digest != closed.digest:
            raise RecordFileError(
                f"The job {entry.file} has the name of another one that was answered",
                hint="A name is used for one job: put it there under a new one. Its sidecar has"
                " the name with a number behind it, so that that of the other stays.",
                file=entry.file,
            )
        self._write_sidecar(entry.name, closed.status or {})
        self._move(entry, self._done)

    # Sending it

    def _go_on(self, record: Record, done: Pass) -> None:
        """Go on with a job from the journal."""
        if record.state != QUEUED:
            self._finish(record, done)
        elif self._patience.is_due(record.name):
            self._submit(record, envelopes.open_envelope(record.envelope), done)
        else:
            done.waiting += 1

    def _submit(self, record: Record, opened: OpenedEnvelope, done: Pass) -> None:
        try:
            submitted = self._answer(record, opened)  # (3)
        except CallError as error:
            if not is_final(error):
                self._put_off(record.name, record.file, error, done, _reference(opened))
            elif error.reason == "EXPIRED" and self._signs_anew(record):
                # It waited too long for the gateway, which has never seen it: it is made again.
                self._journal.close(record.answered(JOB_FAILED, status={}, now=self._now()))
                done.waiting += 1
            else:
                self._finish(self._failure(record, opened, error), done)
            return
        # A name is used once, so what may be there is what a crash left of this very job. (4)
        receipt = self._done / f"{record.name}.tlog-proof"
        data = submitted.receipt.to_bytes()
        self._disk.put(self._receipts / f"{record.message_id}.tlog-proof", data)
        self._disk.put(receipt, data, mode=self._mode)
        state = SENT if submitted.permitted else REFUSED
        now = self._now()
        said = status.sidecar(
            record.name,
            state,
            now=now,
            file=f"{DONE}/{free_name(self._done, record.file).name}",
            **status.decided(opened, submitted, receipt=f"{DONE}/{receipt.name}"),
            unreachable=record.unreachable or None,
        )
        record = record.answered(state, status=said, now=now)
        self._journal.put(record)
        self._finish(record, done)

    def _answer(self, record: Record, opened: OpenedEnvelope) -> Submitted:
        """Submit a message; where that fails for good, look whether an earlier try did not."""
        try:
            return self._gateway.submit(record.envelope)
        except CallError as error:
            if not is_final(error):
                raise
            receipt = self._receipt_of(opened)
            if receipt is None:
                raise
            return Submitted(message_id=record.message_id, receipt=receipt, repeated=True)

    def _receipt_of(self, opened: OpenedEnvelope) -> Receipt | None:
        """Return the receipt of exactly this message, if the gateway has one.

        Raises:
            CallError: It is not known whether it has.
        """
        try:
            receipt = self._gateway.get_receipt(self._agency, opened.header.message_id)
        except NotFoundOrDenied:
            return None
        return receipt if _is_about(receipt, opened) else None

    def _failure(self, record: Record, opened: OpenedEnvelope, error: CallError) -> Record:
        now = self._now()
        said = status.sidecar(
            record.name,
            JOB_FAILED,
            now=now,
            file=f"{FAILED}/{free_name(self._failed, record.file).name}",
            message=_reference(opened),
            error=status.fault(error),
        )
        record = record.answered(JOB_FAILED, status=said, now=now)
        self._journal.put(record)
        return record

    def _finish(self, record: Record, done: Pass) -> None:
        """Say what became of a job, and put it away; the same again after a crash (4)."""
        self._write_sidecar(record.name, record.status or {})
        data: dict[str, str | int] = {"job": record.name, "state": record.state}
        data |= {"sender": self._agency, "message_id": record.message_id}
        self._notify(
            Notice(
                id=f"job-{record.message_id}-{record.state}",
                type=f"job.{record.state}",
                time=record.decided,
                data=data,
            )
        )
        if record.state in ANSWERED:
            self._settled(record.message_id)
        self._put_away(record)
        self._journal.close(record)
        self._patience.forget(record.name)
        done.answered[record.state] = done.answered.get(record.state, 0) + 1
        self._tell(f"{record.file}: {record.state}, message {record.message_id}")

    def _move(self, entry: Entry, folder: Path) -> None:
        """Move a job to where jobs are put away; leave it where that is not permitted."""
        try:
            self._disk.move(self._out / entry.file, free_name(folder, entry.file))
        except PermissionError as error:
            self._left.add((entry.file, entry.changed))
            self._tell(f"{entry.file} cannot be moved to {folder.name}: {error.strerror}")

    def _put_away(self, record: Record) -> None:
        """Move a job, unless what is there now is another one."""
        for entry in taking.entries(self._out)[0]:
            if entry.file == record.file and taking.digest_of(self._out, entry) == record.digest:
                self._move(entry, self._done if record.state in ANSWERED else self._failed)

    # Jobs that are not sent, or not yet

    def _fail(self, entry: Entry, name: str, error: RogatoryError, done: Pass) -> None:
        """Say why a job of which nothing went out cannot be sent, and put it away."""
        target = free_name(self._failed, entry.file)
        self._say(name, JOB_FAILED, file=f"{FAILED}/{target.name}", error=status.fault(error))
        self._notify(
            Notice(
                id=f"job-{hashlib.sha256(name.encode()).hexdigest()[:16]}-{entry.changed}-failed",
                type="job.failed",
                time=entry.changed,
                data={"job": name, "state": JOB_FAILED, "sender": self._agency},
            )
        )
        self._move(entry, self._failed)
        self._patience.forget(entry.name)
        done.answered[JOB_FAILED] = done.answered.get(JOB_FAILED, 0) + 1
        self._tell(f"{entry.file}: failed. {error}")

    def _put_off(
        self,
        name: str,
        file: str,
        error: RogatoryError,
        done: Pass,
        message: dict[str, Any] | None = None,
    ) -> None:
        """Try a job again later."""
        done.waiting += 1
        if isinstance(error, CallError) and concerns_all(error):
            # All wait for the gateway, and the next pass asks it: this job need not wait longer.
            done.unreachable = error
        tries = self._patience.failed(name, at_once=done.unreachable is not None)
        self._say(name, QUEUED, file=file, message=message, error=status.fault(error), tries=tries)
        self._once(f"{name}: {error.message}", f"{file}: waits. {error}")

    def _signs_anew(self, record: Record) -> bool:
        """Say whether a message that has expired may be made again: it waited here so long."""
        waited = (self._now() - record.taken) / _NANOSECONDS
        return (
            not record.file.endswith((taking.ENVELOPE_SUFFIX, taking.DRAFT_SUFFIX))
            and waited >= DEFAULT_LIFETIME.total_seconds()
        )

    def _tell_waiting(self, found: list[Entry]) -> None:
        """Write a sidecar for jobs that wait for their turn, once."""
        for entry in found:
            key = f"{entry.name} {entry.changed}"
            if key in self._told:
                continue
            self._told.add(key)
            known = self._journal.closed(entry.name) or self._journal.under_way_named(entry.name)
            if known is None:
                self._say(entry.name, QUEUED, file=entry.file)

    # Words

    def _say(self, name: str, state: str, **more: Any) -> None:  # noqa: ANN401 - JSON
        self._write_sidecar(name, status.sidecar(name, state, now=self._now(), **more))

    def _write_sidecar(self, name: str, content: dict[str, Any]) -> None:
        path = self._out / f"{name}{STATUS_SUFFIX}"
        self._disk.put(path, status.to_json(content), mode=self._mode)

    def _once(self, key: str, line: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._tell(line)


def _reference(opened: OpenedEnvelope) -> dict[str, Any]:
    return status.plain(opened.reference)


def _is_about(receipt: Receipt, opened: OpenedEnvelope) -> bool:
    message = open_entry(receipt.entry).message
    return message is not None and message.header_bytes == opened.header_bytes
