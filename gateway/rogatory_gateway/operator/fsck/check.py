"""Everything at rest, verified again from the first entry to the last.

Reads one snapshot of the database in a single pass, so a gateway may go on working meanwhile;
memory does not grow with the log. What an attacker could only do by rewriting the log as a whole,
signatures of agencies included, or by cutting off its end, shows to those who keep checkpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.exc import DatabaseError

from rogatory.audit.v1 import entry_pb2
from rogatory.entries import OpenedEntry, open_entry
from rogatory.envelopes import SALT_BYTES
from rogatory.errors import ConfigurationError, EnvelopeError, RogatoryError
from rogatory.exchange.v1 import envelope_pb2
from rogatory_gateway.config import Settings
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.items import OPERATOR
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.ledger.starting import log_signer, mismatches, recorded_key
from rogatory_gateway.operator.fsck.findings import Fault, Report
from rogatory_gateway.operator.fsck.inboxes import InboxCheck
from rogatory_gateway.operator.fsck.messages import MessageCheck
from rogatory_gateway.operator.fsck.rows import AlienValue, Record, records, stream
from rogatory_gateway.operator.fsck.trees import TreeCheck

Progress = Callable[[int, int], None]
"""Called with entries verified and the log's size."""

PROGRESS_STEP = 256
INTEGRITY_LINES = 20
"""Faults that SQLite may list of its own file before it stops."""

_TAGS = {
    "rejection": "exchange:message:rejected",
    "delivery": "exchange:inbox:delivered",
    "access": "audit:log:read",
}


def check_set_up(connection: Connection, settings: Settings, report: Report) -> None:
    """Check that origin, log key and the verifier key handed out are those of this ledger's log.

    What the ledger records outranks the settings: it becomes the report's ``origin``.
    """
    recorded = None
    try:
        recorded = recorded_key(connection)
    except ConfigurationError as error:
        report.add(Fault.RECORDED_KEY, "log", error.message)
    except DatabaseError as error:
        report.add(Fault.DATABASE, "log", f"reading stopped: {error.orig}")
    if recorded is not None:
        report.origin = recorded.name
    try:
        signer = log_signer(settings)
    except RogatoryError as error:
        report.add(Fault.SET_UP, str(settings.log.key), error.message, hint=error.hint)
        return
    for fault in mismatches(settings, signer.key, recorded):
        report.add(Fault.SET_UP, "gateway.toml", fault.message, hint=fault.hint)


def check_ledger(connection: Connection, *, report: Report, progress: Progress) -> Report:
    """Verify a ledger.

    1. The database file, as its own engine judges it.
    2. Each entry in order: place, time, schema, columns; then what is in it.
    3. The tree that all entries make, the stored tiles, and the head.
    4. Inboxes, quotas and erasures, counted again; procedures, followed again.

    Args:
        connection: A snapshot of the ledger, in one transaction.
        report: Takes what is found; its ``origin`` is the audience that messages must name.
        progress: Told every `PROGRESS_STEP` entries.
    """
    started = time.monotonic()
    try:
        _check_file(connection, report)  # (1)
        _Check(connection, report).run(progress)
    except DatabaseError as error:
        report.add(Fault.DATABASE, "ledger", f"reading stopped: {error.orig}")
    except AlienValue as error:
        report.add(Fault.DATABASE, "ledger", f"reading stopped: {error}")
    report.seconds = time.monotonic() - started
    return report


def _check_file(connection: Connection, report: Report) -> None:
    if connection.dialect.name != "sqlite":
        return
    for (line,) in connection.exec_driver_sql(f"PRAGMA integrity_check({INTEGRITY_LINES})"):
        if line != "ok":
            report.add(Fault.DATABASE, "ledger", line)


@dataclass(slots=True)
class _Walk:
    """Where the pass is."""

    due: int = 0
    last_time: int = 0
    governance: int = 0
    erased: int = 0


class _Check:
    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._report = report
        self._registry = Registry()
        self._inboxes = InboxCheck(report)
        self._tree = TreeCheck(connection, report)
        self._walk = _Walk()
        self._messages = MessageCheck(
            connection,
            origin=report.origin,
            report=report,
            registry=self._registry,
            inboxes=self._inboxes,
        )

    def run(self, progress: Progress) -> None:
        report, walk = self._report, self._walk
        heads = list(stream(self._connection, tables.head))
        if len(heads) != 1:
            report.add(Fault.HEAD, "head", f"there are {len(heads)} heads instead of one")
            return
        head = heads[0]
        report.size = head.size
        for record in records(self._connection, unowned=self._unowned):
            if record.entry.idx >= head.size:
                report.add(
                    Fault.ENTRY_BEYOND_HEAD,
                    f"entry {record.entry.idx}",
                    f"the log ends at {head.size}",
                )
                continue
            self._gap(record.entry.idx)
            self._tree.take(record.entry.entry)
            self._record(record)  # (2)
            walk.due = record.entry.idx + 1
            report.counts["entries"] += 1
            if walk.due % PROGRESS_STEP == 0:
                progress(walk.due, head.size)
        self._gap(head.size)
        self._tree.finish(head.frontier)  # (3)
        if head.entry_time != walk.last_time:
            report.add(Fault.HEAD, "head", "its time is not that of the last entry")
        if head.governance != walk.governance:
            report.add(
                Fault.HEAD,
                "head",
                f"it counts {head.governance} governance entries; the log has {walk.governance}",
            )
        self._inboxes.finish(self._connection)  # (4)
        self._messages.outcomes.quotas.finish(self._connection)
        self._messages.outcomes.procedures.finish()
        if self._messages.absent != walk.erased:
            report.add(
                Fault.PART_ABSENT,
                "log",
                f"{self._messages.absent} parts are erased; the log says so of {walk.erased}",
            )
        progress(walk.due, head.size)

    def _gap(self, index: int) -> None:
        due = self._walk.due
        if index > due:
            which = f"entry {due}" if index == due + 1 else f"entries {due} to {index - 1}"
            self._report.add(Fault.ENTRY_MISSING, which, "not there")
            self._tree.gap()

    def _record(self, record: Record) -> None:
        row, report = record.entry, self._report
        where = f"entry {row.idx}"
        try:
            opened = open_entry(row.entry)
        except EnvelopeError as error:
            report.add(Fault.ENTRY_MALFORMED, where, error.message)
            return
        if opened.entry_time < self._walk.last_time:
            report.add(Fault.ENTRY_TIME, where, "it is earlier than the entry before it")
        elif opened.entry_time == self._walk.last_time and opened.entry.HasField("governance"):
            report.add(Fault.ENTRY_TIME, where, "it governs, and is no later than the one before")
        self._walk.last_time = max(self._walk.last_time, opened.entry_time)
        columns = self._messages.columns(opened) | {
            "entry_time": opened.entry_time,
            "tag": opened.entry.tag,
            "actor": opened.entry.actor,
        }
        for name, value in columns.items():
            if getattr(row, name) != value:
                report.add(Fault.ENTRY_COLUMNS, where, f"column {name} differs from the entry")
        tag = self._body(record, opened)
        if tag not in ("", opened.entry.tag):
            report.add(
                Fault.ENTRY_TAG, where, f"its tag is {opened.entry.tag}; its body says {tag}"
            )

    def _body(self, record: Record, opened: OpenedEntry) -> str:
        """Check what is in an entry; return the tag it must have, empty when unknown."""
        index, entry = record.entry.idx, opened.entry
        which = entry.WhichOneof("body")
        if which != "message":
            for row in record.outcomes:
                self._unowned(tables.outcomes, row)
            for row in record.parts:
                self._unowned(tables.parts, row)
        if which != "governance":
            for row in record.governance:
                self._unowned(tables.governance, row)
        self._opening(record, entry)
        if which == "message":
            return self._messages.message(record, opened)
        if which == "governance":
            return self._governance(record, opened)
        if which == "rejection":
            self._messages.rejection(entry.rejection, index=index)
        elif which == "delivery":
            self._inboxes.advance(entry.actor, entry.delivery, where=f"entry {index}")
        elif which == "erasure":
            self._erasure(entry.erasure, index=index)
        elif which is None:
            self._report.add(Fault.ENTRY_MALFORMED, f"entry {index}", "it has no body")
        return _TAGS.get(which or "", "")

    def _opening(self, record: Record, entry: entry_pb2.AuditEntry) -> None:
        """Check that what an entry commits to besides outcomes can be opened, and nothing else."""
        salted = entry.HasField("access") or bool(entry.rejection.commitment)
        if not salted:
            for row in record.openings:
                self._unowned(tables.openings, row)
        elif [len(row.salt) for row in record.openings] != [SALT_BYTES]:
            self._report.add(
                Fault.OPENING,
                f"entry {record.entry.idx}",
                "the salt that opens its commitment is not there, or has not 32 bytes",
            )

    def _governance(self, record: Record, opened: OpenedEntry) -> str:
        index, report = record.entry.idx, self._report
        document = opened.entry.governance
        self._walk.governance += 1
        report.counts["governance"] += 1
        stored = [(row.document, row.entry_time) for row in record.governance]
        if stored != [(document.SerializeToString(deterministic=True), opened.entry_time)]:
            report.add(
                Fault.GOVERNANCE_TABLE,
                f"entry {index}",
                "the governance table lacks it or holds another document",
            )
        if (
            document.WhichOneof("document") == "agency_revocation"
            and opened.entry.actor != OPERATOR
        ):
            report.add(Fault.GOVERNANCE, f"entry {index}", "only the operator revokes an agency")
        try:
            return self._registry.add(document, entry_time=opened.entry_time)
        except RogatoryError as error:
            report.add(Fault.GOVERNANCE, f"entry {index}", error.message)
            return ""

    def _erasure(self, body: entry_pb2.Erasure, *, index: int) -> None:
        """Check that what the log calls erased is gone."""
        table = tables.parts.c
        for position in body.parts:
            self._walk.erased += 1
            stored = self._connection.execute(
                select(table.part).where(table.idx == body.index, table.position == position)
            ).scalar()
            part = envelope_pb2.Part.FromString(stored or b"")
            if part.WhichOneof("form") != "absent":
                self._report.add(
                    Fault.PART_ABSENT,
                    f"entry {body.index}, part {position}",
                    f"entry {index} says that it was erased; it is still there",
                )

    def _unowned(self, table: Table, row: Row[Any]) -> None:
        fault = {
            tables.outcomes.name: Fault.OUTCOME_UNOWNED,
            tables.parts.name: Fault.PART_UNOWNED,
            tables.governance.name: Fault.GOVERNANCE_TABLE,
            tables.openings.name: Fault.OPENING,
        }[table.name]
        self._report.add(
            fault, f"{table.name} row of entry {row.idx}", "the log has no such entry of this kind"
        )
