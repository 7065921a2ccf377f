"""Who holds the records of a message, and who has confirmed what was said of them since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from rogatory import clock
from rogatory.exchange.v1 import codes_pb2, decision_pb2, procedure_service_pb2
from rogatory_gateway.delivery.references import references
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.relations import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

MOST_HOLDERS = 1000
MOST_NOTICES = 64
"""Recalls and corrections that an answer holds for each holder, the last."""

_NOTICES = (
    (Relation.RECALL, codes_pb2.KIND_RECALL),
    (Relation.CORRECTION, codes_pb2.KIND_CORRECTION),
)
_RELATIONS, _OUTCOMES, _ENTRIES = tables.relations.c, tables.outcomes.c, tables.entries.c


def list_holders(
    connection: Connection, index: int, *, sender: str, now: int
) -> list[procedure_service_pb2.Holder]:
    """Return whoever received a message or a copy passed on, in order of entry.

    Each agency stands once, with the message by which it came to hold the records first. What the
    sender itself got back is left out.

    Args:
        index: Of the message's entry.
        sender: Of the message.
        now: Nanoseconds since the Unix epoch, up to which days are counted.
    """
    holders: dict[str, procedure_service_pb2.Holder] = {}
    came_by: dict[str, int] = {}
    for copy in _copies(connection, index):
        for agency, inbox_position, exercise, entry_time in _received(connection, copy):
            if agency == sender or agency in holders:
                continue
            holders[agency] = procedure_service_pb2.Holder(
                agency=agency,
                entry_time=clock.to_timestamp(entry_time),
                delivered=_cursor(connection, agency, exercise=exercise) >= inbox_position,
            )
            came_by[agency] = copy
    listed = list(holders)[:MOST_HOLDERS]
    messages = references(connection, came_by.values())
    notices = _notices(connection, index, listed, now=now)
    for agency in listed:
        holders[agency].received_by.CopyFrom(messages[came_by[agency]])
        holders[agency].notices.extend(notices[agency][-MOST_NOTICES:])
    return [holders[agency] for agency in listed]


def _copies(connection: Connection, index: int) -> list[int]:
    """Return the message and every one that passes it on, directly or not, in order of entry."""
    found = {index}
    fresh = [index]
    while fresh:
        fresh = [
            later for later in _later(connection, fresh, Relation.FORWARD) if later not in found
        ]
        found.update(fresh)
    return sorted(found)


def _later(connection: Connection, subjects: Sequence[int], relation: Relation) -> list[int]:
    return list(
        connection.execute(
            select(_RELATIONS.idx)
            .where(_RELATIONS.subject.in_(subjects), _RELATIONS.relation == relation)
            .order_by(_RELATIONS.idx)
        ).scalars()
    )


def _received(connection: Connection, index: int) -> list[tuple[str, int, bool, int]]:
    """Return who received a message: agency, inbox position, training or not, entry time."""
    rows = connection.execute(
        select(
            _OUTCOMES.recipient, _OUTCOMES.inbox_position, _OUTCOMES.exercise, _ENTRIES.entry_time
        )
        .join(tables.entries, _ENTRIES.idx == _OUTCOMES.idx)
        .where(_OUTCOMES.idx == index, _OUTCOMES.disposition != decision_pb2.DISPOSITION_REFUSED)
        .order_by(_OUTCOMES.position)
    )
    return [(r.recipient, r.inbox_position or 0, r.exercise, r.entry_time) for r in rows]


def _cursor(connection: Connection, agency: str, *, exercise: bool) -> int:
    table = tables.inboxes.c
    cursor = connection.execute(
        select(table.cursor).where(table.agency == agency, table.exercise == exercise)
    ).scalar()
    return cursor or 0


def _notices(
    connection: Connection, index: int, holders: Iterable[str], *, now: int
) -> dict[str, list[procedure_service_pb2.HolderNotice]]:
    """Return what was said of a message to each holder, in order of entry."""
    told: dict[str, list[tuple[int, procedure_service_pb2.HolderNotice]]] = {
        agency: [] for agency in holders
    }
    for relation, kind in _NOTICES:
        for notice in _later(connection, [index], relation):
            confirmed = _confirmed(connection, notice)
            for agency, _, _, entry_time in _received(connection, notice):
                if agency not in told:
                    continue
                said = procedure_service_pb2.HolderNotice(
                    kind=kind, entry_time=clock.to_timestamp(entry_time)
                )
                if agency in confirmed:
                    by, confirm_time = confirmed[agency]
                    said.confirmation.CopyFrom(references(connection, [by])[by])
                    said.confirm_time.CopyFrom(clock.to_timestamp(confirm_time))
                else:
                    said.days_waiting = max(now - entry_time, 0) // clock.NANOSECONDS_PER_DAY
                told[agency].append((notice, said))
    messages = references(connection, {notice for heard in told.values() for notice, _ in heard})
    for heard in told.values():
        heard.sort(key=lambda item: item[0])
        for notice, message in heard:
            message.message.CopyFrom(messages[notice])
    return {agency: [message for _, message in heard] for agency, heard in told.items()}


def _confirmed(connection: Connection, notice: int) -> dict[str, tuple[int, int]]:
    """Return who confirmed a recall or correction first: index and entry time, by agency."""
    rows = connection.execute(
        select(_ENTRIES.idx, _ENTRIES.actor, _ENTRIES.entry_time)
        .join(tables.relations, _RELATIONS.idx == _ENTRIES.idx)
        .where(_RELATIONS.subject == notice, _RELATIONS.relation == Relation.CONFIRMATION)
        .order_by(_ENTRIES.idx.desc())
    )
    return {row.actor: (row.idx, row.entry_time) for row in rows}
