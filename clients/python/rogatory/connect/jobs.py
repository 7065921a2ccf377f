"""What a job says: the words of `rogatory send`, as members of a JSON object, read strictly.

.. code-block:: json

    {"to": ["de.bka:eu-fraud:Art. 4"], "offences": ["0701"], "handling": {"tlp": "amber"},
     "records": {"indicators": [{"type": "INDICATOR_TYPE_DOMAIN", "value": "c2.example",
                                 "status": "INDICATOR_STATUS_REPORTED"}]}}

A job that is a folder may name files beside ``job.json`` instead: ``"files": ["persons.json"]``.
A member that is not known, stands there twice or has a value of another form is a fault; all faults
are told, with line and column.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rogatory.envelopes import MAX_PARTS
from rogatory.errors import Issue, RecordFileError
from rogatory.places import JsonNode, line_and_column, long_number, nearest, read_json, too_deep

JOB_FILE = "job.json"
"""What a folder has to hold to be a job."""

MAX_RECIPIENTS = 64
MAX_BASES = 64
"""Legal bases, of which the first that fits is taken for each member of an operation."""

MAX_RETENTION_DAYS = 36_500

_TEXTS = {
    "kind": "transfer",
    "purpose": "investigation",
    "urgency": "routine",
    "about": "",
    "reply_to": "",
    "operation": "",
    "to_operation": "",
    "respond_by": "",
    "oral": "",
    "officer": "",
    "justification": "",
    "schema": "",
}
_LISTS = ("to", "under", "offences", "case_references", "officer_keys", "files")
_FLAGS = ("directly_available", "exercise")
_HANDLING_TEXTS = {"tlp": "amber", "onward": "with-consent", "evidential": "with-consent"}
MEMBERS = (*_TEXTS, *_LISTS, *_FLAGS, "handling", "particulars", "records")
HANDLING_MEMBERS = (*_HANDLING_TEXTS, "siena", "speciality", "retention_days")
_FILE_NAME = re.compile(r"[^\x00-\x1f\x7f/\\.][^\x00-\x1f\x7f/\\]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How recipients must handle it; the words of `rogatory send`."""

    tlp: str
    onward: str
    evidential: str
    siena: Sequence[str]
    speciality: Sequence[str]
    retention_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it is written; what its words mean is not looked at here.

    Attributes:
        kind, purpose, urgency, about, reply_to, operation, to_operation, respond_by, oral, officer,
            justification, schema: As the options.
        to, under, offences, case_references, officer_keys: As the options that are repeated.
        files: Names of files of records beside it.
        handling: As the options of the same names.
        directly_available: As the option; None: it does not say.
        exercise: Training traffic; None: it does not say.
        particulars: Name of a file beside it; empty where there is none, or they stand in it.
        inline: Text of the members ``records`` and ``particulars`` where they stand in the job:
            the whole job with all else blanked out, so that a place in it is one in the job.
    """

    kind: str
    purpose: str
    urgency: str
    about: str
    reply_to: str
    operation: str
    to_operation: str
    respond_by: str
    oral: str
    officer: str
    justification: str
    schema: str
    to: Sequence[str]
    under: Sequence[str]
    offences: Sequence[str]
    case_references: Sequence[str]
    officer_keys: Sequence[str]
    files: Sequence[str]
    handling: Handling
    directly_available: bool | None
    exercise: bool | None
    particulars: str
    inline: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    offsets: Mapping[str, int] = field(repr=False)

    def issue(self, path: str, message: str) -> Issue:
        """Return a fault at a member, or at the job's beginning where it is not stated."""
        offset = nearest({"": 0, **self.offsets}, path) or 0
        line, column = line_and_column(self.text, offset)
        return Issue(message=message, path=path, line=line, column=column)


def parse_job(data: bytes, *, file: str, beside: bool) -> Job:
    """Read a job.

    Args:
        data: JSON, UTF-8.
        file: Its name, for errors.
        beside: Whether files may stand beside it: it is a folder's.

    Raises:
        RecordFileError: It holds faults: all of them, with line and column.
    """
    text = _text(data, file)
    reader = _Reader(text)
    job = reader.job(read_json(text), beside=beside)
    if reader.issues:
        raise faulty(file, reader.issues)
    return job


def faulty(file: str, issues: Sequence[Issue]) -> RecordFileError:
    """Return the error for a job with faults."""
    shown = [replace(item, message=item.message.rstrip(" .")) for item in issues]
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    return RecordFileError(
        f"The job {file} cannot be sent: {shown[0]}{more}",
        hint="Mend each place listed, and put the job there again.",
        file=file,
        issues=shown,
    )


def _text(data: bytes, file: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise faulty(
            file, [Issue(message=f"it is not UTF-8: byte {error.start} is not")]
        ) from error
    for found, what in ((too_deep(text), "nesting too deep"), (long_number(text), "a long number")):
        if found is not None:
            line, column = line_and_column(text, found)
            raise faulty(file, [Issue(message=what, line=line, column=column)])
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        issue = Issue(message=f"not JSON: {error.msg}", line=error.lineno, column=error.colno)
        raise faulty(file, [issue]) from error
    return text


class _Reader:
    """Takes a job's text apart, and notes every fault."""

    def __init__(self, text: str) -> None:
        self.issues: list[Issue] = []
        self._text = text
        self._offsets: dict[str, int] = {}

    def job(self, root: JsonNode, *, beside: bool) -> Job:
        members = self._object(root, "", MEMBERS)
        handling = (
            self._object(members["handling"], "handling", HANDLING_MEMBERS)
            if "handling" in members
            else {}
        )
        particulars, inline = "", {}
        for name in ("records", "particulars"):
            node = members.get(name)
            if node is None:
                continue
            if node.pairs is not None or (name == "records" and node.items is not None):
                inline[name] = self._only(node)
            elif name == "particulars" and isinstance(node.value, str):
                particulars = self._file_name(node, name, beside=beside)
            else:
                wanted = "an object" if name == "records" else "an object, or the name of a file"
                self._add(node, name, f"{wanted} is expected here")
        lists = {name: self._list(members, name, name) for name in _LISTS}
        if "to" in members and not lists["to"] and not self.issues:
            self._add(members["to"], "to", "names no recipient")
        elif not members.keys() & {"to", "to_operation"} and root.pairs is not None:
            self._add(root, "to", "names no recipient; state it as AGENCY:AGREEMENT:ARTICLE")
        for name, most in (("to", MAX_RECIPIENTS), ("under", MAX_BASES), ("files", MAX_PARTS)):
            if len(lists[name]) > most:
                self._add(members[name], name, f"there may be {most} of them at most")
        for position, node in enumerate(self._items(members.get("files"))):
            if isinstance(node.value, str):
                self._file_name(node, f"files[{position}]", beside=beside)
        return Job(
            **{name: self._word(members, name, name, usual) for name, usual in _TEXTS.items()},
            to=lists["to"],
            under=lists["under"],
            offences=lists["offences"],
            case_references=lists["case_references"],
            officer_keys=lists["officer_keys"],
            files=lists["files"],
            handling=Handling(
                **{
                    name: self._word(handling, name, f"handling.{name}", usual)
                    for name, usual in _HANDLING_TEXTS.items()
                },
                siena=self._list(handling, "siena", "handling.siena"),
                speciality=self._list(handling, "speciality", "handling.speciality"),
                retention_days=self._days(handling.get("retention_days")),
            ),
            directly_available=self._flag(members, "directly_available"),
            exercise=self._flag(members, "exercise"),
            particulars=particulars,
            inline=inline,
            text=self._text,
            offsets=self._offsets,
        )

    def _object(self, node: JsonNode, path: str, known: Sequence[str]) -> dict[str, JsonNode]:
        if node.pairs is None:
            self._add(node, path, "an object is expected here")
            return {}
        found: dict[str, JsonNode] = {}
        for name, offset, below in node.pairs:
            full = f"{path}.{name}" if path else name
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                self._add(offset, full, f"there is no member {name!r} here; {meant}")
            elif name in found:
                self._add(offset, full, f"{name!r} stands here a second time")
            else:
                self._offsets[full] = below.offset
                found[name] = below
        return found

    def _word(self, members: Mapping[str, JsonNode], name: str, path: str, usual: str) -> str:
        node = members.get(name)
        if node is None:
            return usual
        if not isinstance(node.value, str):
            self._add(node, path, "a text is expected here")
            return usual
        return node.value

    def _list(self, members: Mapping[str, JsonNode], name: str, path: str) -> list[str]:
        node = members.get(name)
        if node is None:
            return []
        if node.items is None:
            self._add(node, path, "a list of texts is expected here")
            return []
        found = []
        for position, item in enumerate(node.items):
            below = f"{path}[{position}]"
            self._offsets[below] = item.offset
            if isinstance(item.value, str):
                found.append(item.value)
            else:
                self._add(item, below, "a text is expected here")
        return found

    @staticmethod
    def _items(node: JsonNode | None) -> Sequence[JsonNode]:
        return node.items or () if node is not None else ()

    def _flag(self, members: Mapping[str, JsonNode], name: str) -> bool | None:
        node = members.get(name)
        if node is None:
            return None
        if isinstance(node.value, bool):
            return node.value
        self._add(node, name, "true or false is expected here")
        return None

    def _days(self, node: JsonNode | None) -> int | None:
        if node is None:
            return None
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool):
            if 1 <= value <= MAX_RETENTION_DAYS:
                return value
            wanted = f"it must be from 1 to {MAX_RETENTION_DAYS}"
        else:
            wanted = "a whole number is expected here"
        self._add(node, "handling.retention_days", wanted)
        return None

    def _file_name(self, node: JsonNode, path: str, *, beside: bool) -> str:
        name = str(node.value)
        if not beside:
            self._add(
                node,
                path,
                f"a job with files is a folder: put them beside a {JOB_FILE}",
            )
        elif not _FILE_NAME.fullmatch(name):
            self._add(node, path, "the name of a file in the same folder is expected here")
        return name

    def _only(self, node: JsonNode) -> str:
        """Return the text with all but a value blanked out: its places stay the same."""
        _, end = json.JSONDecoder().raw_decode(self._text, node.offset)
        return re.sub(r"[^\n]", " ", self._text[: node.offset]) + self._text[node.offset : end]

    def _add(self, place: JsonNode | int, path: str, message: str) -> None:
        offset = place.offset if isinstance(place, JsonNode) else place
        line, column = line_and_column(self._text, offset)
        self.issues.append(Issue(message=message, path=path, line=line, column=column))
