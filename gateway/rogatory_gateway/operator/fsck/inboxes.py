"""Inboxes and quotas: what follows from the log, against the tables that keep it at hand."""

from __future__ import annotations

from sqlalchemy import Connection

from rogatory.audit.v1 import entry_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.operator.fsck.findings import Fault, Report
from rogatory_gateway.operator.fsck.rows import stream


class InboxCheck:
    """Numbers every inbox again. Memory: one row for each inbox."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._inboxes: dict[tuple[str, bool], tuple[int, int]] = {}

    def deliver(self, recipient: str, *, exercise: bool, position: int, where: str) -> None:
        """Take an outcome's inbox position."""
        last, cursor = self._inboxes.get((recipient, exercise), (0, 0))
        if position != last + 1:
            self._report.add(
                Fault.INBOX_NUMBER,
                where,
                f"the inbox of {_name(recipient, exercise)} goes on at {position} after {last}",
            )
        # Going on from what is there names a gap once, and not for everything behind it.
        self._inboxes[recipient, exercise] = (position, cursor)

    def advance(self, agency: str, body: entry_pb2.DeliveryAdvance, *, where: str) -> None:
        """Take an advance of a cursor."""
        last, cursor = self._inboxes.get((agency, body.exercise), (0, 0))
        self._report.counts["deliveries"] += 1
        if body.from_position != cursor or not cursor < body.to_position <= last:
            self._report.add(
                Fault.DELIVERY,
                where,
                f"the cursor of {_name(agency, body.exercise)} goes from {body.from_position} to "
                f"{body.to_position}; it stood at {cursor} of {last}",
            )
        self._inboxes[agency, body.exercise] = (last, body.to_position)

    def finish(self, connection: Connection) -> None:
        """Compare with the table."""
        due = dict(self._inboxes)
        for row in stream(connection, tables.inboxes):
            last, cursor = due.pop((row.agency, row.exercise), (0, 0))
            where = f"inbox {_name(row.agency, row.exercise)}"
            if row.last_position != last:
                self._report.add(
                    Fault.INBOX_TABLE,
                    where,
                    f"its last position is {row.last_position}; the log delivered {last}",
                )
            if row.cursor != cursor:
                self._report.add(
                    Fault.INBOX_TABLE,
                    where,
                    f"its cursor is {row.cursor}; the log advanced it to {cursor}",
                )
        for (agency, exercise), (last, _) in due.items():
            self._report.add(
                Fault.INBOX_TABLE,
                f"inbox {_name(agency, exercise)}",
                f"it is not there; the log delivered {last} messages to it",
            )


class QuotaCheck:
    """Counts every quota again. Memory: as many rows as the table has."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._counts: dict[tuple[str, str, str, str], dict[int, int]] = {}

    def add(
        self,
        *,
        agreement_id: str,
        clause_id: str,
        sender: str,
        recipient: str,
        day: int,
        count: int,
    ) -> None:
        """Count a message, as the ledger did when it entered it."""
        days = self._counts.setdefault((agreement_id, clause_id, sender, recipient), {})
        days[day] = days.get(day, 0) + count

    def total(
        self, *, agreement_id: str, clause_id: str, sender: str, recipient: str, from_day: int
    ) -> int:
        """Return what a quota had counted from a UTC day on."""
        days = self._counts.get((agreement_id, clause_id, sender, recipient), {})
        return sum(count for day, count in days.items() if day >= from_day)

    def finish(self, connection: Connection) -> None:
        """Compare with the table."""
        for row in stream(connection, tables.quota_counts):
            key = (row.agreement_id, row.clause_id, row.sender, row.recipient)
            due = self._counts.get(key, {}).pop(row.day, 0)
            # `row.count` would be the tuple's method.
            found = row._mapping["count"]  # noqa: SLF001 - SQLAlchemy's public name for it
            if found != due:
                self._differs(key, row.day, found, due)
        for key, days in self._counts.items():
            for day, due in days.items():
                self._differs(key, day, 0, due)

    def _differs(self, key: tuple[str, str, str, str], day: int, found: int, due: int) -> None:
        agreement_id, clause_id, sender, recipient = key
        self._report.add(
            Fault.QUOTA,
            f"quota {agreement_id} {clause_id}",
            f"{sender} to {recipient} on day {day} since 1970: counted {found}, the log has {due}",
        )


def _name(agency: str, exercise: bool) -> str:  # noqa: FBT001 - as the table's key has it
    return f"{agency} (exercise)" if exercise else agency
