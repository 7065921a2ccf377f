"""From a job of the drop folder to a signed envelope: the words of `send`, read from a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import typer

from rogatory.cli import addressing, compose, kinds
from rogatory.cli.desk import Desk
from rogatory.cli.drafts import drafted, queue
from rogatory.cli.earlier import Earlier
from rogatory.cli.session import message_signers
from rogatory.client import Client
from rogatory.client.settings import SignerInRole
from rogatory.connect.disk import Disk
from rogatory.connect.jobs import Job, faulty
from rogatory.connect.outgoing import Composed
from rogatory.connect.taking import Taken
from rogatory.errors import ConfigurationError, DraftError, Issue, RecordFileError, RogatoryError
from rogatory.home import Home

_MEMBERS = MappingProxyType(
    {
        "--to": "to",
        "--kind": "kind",
        "--about": "about",
        "--reply-to": "reply_to",
        "--particulars": "particulars",
        "--operation": "operation",
        "--to-operation": "to_operation",
        "--under": "under",
        "--respond-by": "respond_by",
        "--directly-available": "directly_available",
        "--oral": "oral",
        "--purpose": "purpose",
        "--offence": "offences",
        "--urgency": "urgency",
        "--tlp": "handling.tlp",
        "--siena": "handling.siena",
        "--speciality": "handling.speciality",
        "--onward": "handling.onward",
        "--evidential": "handling.evidential",
        "--case-reference": "case_references",
        "--officer-key": "officer_keys",
        "--officer": "officer",
        "--justification": "justification",
        "--schema": "schema",
        "FILE...": "records",
    }
)
"""The member of a job that says what an option says."""

RECORDS, PARTICULARS, DRAFT = ".records.json", ".particulars.json", ".draft"
"""Copies of what stands in the job itself: hidden names, which no file of a job has."""

_INLINE = MappingProxyType({RECORDS: "records", PARTICULARS: "particulars"})
_OPTIONS = re.compile("|".join(re.escape(option) + r"(?![\w-])" for option in _MEMBERS))


class JobMaker:
    """Makes the messages of jobs, in an agency's name."""

    def __init__(
        self,
        place: Home,
        client: Client,
        *,
        signers: Sequence[SignerInRole],
        exercise: bool,
        scratch: Path,
    ) -> None:
        """Be ready.

        Args:
            place: The agency's folder.
            client: Asked for earlier messages that a job refers to.
            signers: Who signs where no officer does: the agency's own key.
            exercise: Whether messages are training traffic.
            scratch: A folder for copies of what a job holds, emptied by us.
        """
        self._place = place
        self._client = client
        self._exercise = exercise
        self._scratch = scratch
        self._agency = place.settings().agency
        self._signers: dict[tuple[str, ...], Sequence[SignerInRole]] = {(): signers}
        # What a crash left there: it holds records.
        Disk().remove(scratch)

    def compose(self, taken: Taken) -> Composed:
        """Return the message that a job describes, or a draft is that all have signed.

        Raises:
            RecordFileError: The job, or a file beside it, holds faults.
            DraftError: Somebody has still to sign the draft, or it cannot be used.
            RogatoryError: It refers to what is not there, or cannot be signed.
        """
        job = taken.job
        shown = f"{taken.entry.file}/job.json" if taken.files else taken.entry.file
        disk = Disk()
        disk.remove(self._scratch)
        disk.mkdir(self._scratch)
        try:
            return self._drafted(taken) if job is None else self._made(job, taken, shown)
        except typer.BadParameter as error:
            assert job is not None  # a draft has no words that could be wrong
            raise faulty(shown, [_issue(job, error)]) from error
        except RecordFileError as error:
            raise self._relocated(error, taken, shown) from error
        finally:
            disk.remove(self._scratch)

    def _drafted(self, taken: Taken) -> Composed:
        """Complete a draft; what was signed in the queue's own copy counts too."""
        path = self._scratch / DRAFT
        path.write_bytes(taken.signed)
        try:
            found = queue.find(self._place, [str(path)])
            return Composed(envelope=drafted.completed(self._place, found))
        except DraftError as error:
            if error.reason != "DRAFT_INCOMPLETE":
                raise
            raise DraftError(
                error.message,
                hint=f"{error.hint.rstrip('.')}; then put it there again.",
                reason=error.reason,
            ) from error

    def _made(self, job: Job, taken: Taken, shown: str) -> Composed:
        if job.exercise is not None and job.exercise is not self._exercise:
            what = "training traffic" if self._exercise else "live records"
            issue = job.issue("exercise", f"what is put here is sent as {what}")
            raise faulty(shown, [issue])
        beyond = addressing.Beyond(
            operation=job.operation,
            to_operation=job.to_operation,
            under=list(job.under),
            respond_by=job.respond_by,
            directly_available=bool(job.directly_available),
            oral=job.oral,
        )
        beyond.check()
        draft = compose.Words(
            to=job.to,
            kind=job.kind,
            purpose=job.purpose,
            offences=job.offences,
            urgency=job.urgency,
            tlp=job.handling.tlp,
            siena=job.handling.siena,
            onward=job.handling.onward,
            evidential=job.handling.evidential,
            retention_days=job.handling.retention_days,
            exercise=self._exercise,
            speciality=job.handling.speciality,
        ).draft(later=beyond.needs_gateway)
        files = compose.need_files(draft, self._copied(job, taken))
        earlier = Earlier(self._place, client=self._client, exercise=self._exercise)
        references = kinds.References(
            about=job.about, reply_to=job.reply_to, particulars=self._particulars(job)
        )
        draft, complete = kinds.refer(draft, references, earlier)
        draft = addressing.begin(earlier, draft, beyond)
        contents = compose.contents(
            files,
            schema=job.schema,
            complete=complete,
            agency=self._agency,
            officer=job.officer,
            case_references=job.case_references,
            justification=job.justification,
        )
        draft = kinds.settle(draft, contents)
        desk = Desk.of(self._place, self._client, earlier)
        try:
            draft, reach = addressing.expand(desk, draft, contents, beyond)
        except ConfigurationError as error:
            raise faulty(shown, [_at(job, "to_operation", error)]) from error
        signers = self._signers_of(tuple(job.officer_keys))
        return Composed(
            envelope=self._client.build(draft, contents=contents, signers=signers),
            unreachable=[] if reach is None else reach.data(),
        )

    def _copied(self, job: Job, taken: Taken) -> list[Path]:
        """Write what was read to files that only we can change; return those of records."""
        for name, data in taken.files.items():
            (self._scratch / name).write_bytes(data)
        found = [self._scratch / name for name in job.files]
        if "records" in job.inline:
            inline = self._scratch / RECORDS
            inline.write_text(job.inline["records"], "utf-8")
            found.insert(0, inline)
        return found

    def _particulars(self, job: Job) -> Path | None:
        if job.particulars:
            return self._scratch / job.particulars
        if "particulars" not in job.inline:
            return None
        path = self._scratch / PARTICULARS
        path.write_text(job.inline["particulars"], "utf-8")
        return path

    def _signers_of(self, officers: tuple[str, ...]) -> Sequence[SignerInRole]:
        if officers not in self._signers:
            self._signers[officers] = message_signers(self._place, officers)
        return self._signers[officers]

    def _relocated(self, error: RecordFileError, taken: Taken, shown: str) -> RecordFileError:
        """Return an error in a copy as one in the job: places are the same there."""
        name = Path(error.file).name
        file = f"{taken.entry.file}/{name}" if name in taken.files else shown
        if error.issues:
            inside = _INLINE.get(name, "")
            return faulty(file, [_inside(inside, item) for item in error.issues])
        return RecordFileError(
            error.message.replace(error.file, file) if error.file else error.message,
            hint=_as_members(error.hint),
            file=file,
        )


def _at(job: Job, member: str, error: RogatoryError) -> Issue:
    """Return an error about what a member names as a fault there, with what to do."""
    hint = _as_members(error.hint).rstrip(".")
    return job.issue(member, f"{error.message} ({hint})")


def _issue(job: Job, error: typer.BadParameter) -> Issue:
    hint = error.param_hint if isinstance(error.param_hint, str) else ""
    return job.issue(_MEMBERS.get(hint, ""), _as_members(error.message))


def _inside(member: str, issue: Issue) -> Issue:
    """Return a fault in a member of the job, by its path from the job."""
    path = re.sub(r"^\d+/", "", issue.path)
    return replace(issue, path=".".join(step for step in (member, path) if step))


def _as_members(text: str) -> str:
    return _OPTIONS.sub(lambda found: _MEMBERS[found.group()], text)
