"""Listings: messages of an agency, entries of the log, a page at a time in order of entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import and_, exists, or_, select

from rogatory import clock
from rogatory.audit.v1 import audit_service_pb2, entry_pb2
from rogatory.exchange.v1 import decision_pb2, envelope_pb2, exchange_service_pb2
from rogatory_gateway.delivery.reader import delivery, opening
from rogatory_gateway.ledger import reading, tables
from rogatory_gateway.ledger.identity import identity_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from rogatory_gateway.ledger.items import OutcomeRow

Item = TypeVar("Item", bound=Message)

ANSWER_BYTES = 3 << 20
"""Where a page ends though more would be wanted: gRPC clients take 4 MiB by default, and the last
item of a page may be one of a mebibyte."""

_FURTHEST = (1 << 63) - 1

_ENTRIES = tables.entries.c
_OUTCOMES = tables.outcomes.c


def list_messages(
    connection: Connection,
    request: exchange_service_pb2.ListMessagesRequest,
    *,
    agency: str,
    after: int,
    limit: int,
) -> tuple[list[exchange_service_pb2.MessageSummary], bool]:
    """Return a page of an agency's messages and whether there are more."""
    received = and_(
        _OUTCOMES.recipient == agency,
        _OUTCOMES.inbox_position.is_not(None),
        _OUTCOMES.idx == _ENTRIES.idx,
    )
    in_inbox: ColumnElement[bool] = exists().where(received)
    sent = _ENTRIES.actor == agency
    conditions: list[ColumnElement[bool]] = [
        _ENTRIES.idx > after,
        _ENTRIES.identity.is_not(None),
        _ENTRIES.exercise == request.exercise,
    ]
    box = {
        exchange_service_pb2.MESSAGE_BOX_INBOX: in_inbox,
        exchange_service_pb2.MESSAGE_BOX_SENT: sent,
    }
    conditions.append(box.get(request.box, or_(sent, in_inbox)))
    if request.kind:
        conditions.append(_ENTRIES.kind == request.kind)
    if request.thread:
        conditions.append(_ENTRIES.thread == request.thread)
    if request.counterpart:
        conditions.append(
            or_(
                and_(_ENTRIES.actor == request.counterpart, in_inbox),
                and_(
                    sent,
                    exists().where(
                        _OUTCOMES.recipient == request.counterpart, _OUTCOMES.idx == _ENTRIES.idx
                    ),
                ),
            )
        )
    rows = connection.execute(
        select(_ENTRIES.idx, _ENTRIES.entry, _ENTRIES.actor, _ENTRIES.kind, _ENTRIES.entry_time)
        .where(*conditions)
        .order_by(_ENTRIES.idx)
        .limit(limit + 1)
    ).all()
    full = request.view == exchange_service_pb2.MESSAGE_VIEW_FULL

    def summary(row: Any) -> exchange_service_pb2.MessageSummary:  # noqa: ANN401 - a row
        found = reading.Found(
            index=row.idx,
            entry=row.entry,
            actor=row.actor,
            kind=row.kind,
            entry_time=row.entry_time,
        )
        return _summary(connection, found, agency=agency, full=full)

    return page_of(rows, limit, summary)


def _summary(
    connection: Connection, found: reading.Found, *, agency: str, full: bool
) -> exchange_service_pb2.MessageSummary:
    rows = reading.outcomes_of(connection, found.index)
    own = None
    if found.actor != agency:
        own = next(row for row in rows if row.recipient == agency)
    logged = entry_pb2.AuditEntry.FromString(found.entry).message
    summary = exchange_service_pb2.MessageSummary(
        sender=found.actor,
        message_id=envelope_pb2.Header.FromString(logged.header).message_id,
        kind=found.kind,  # type: ignore[arg-type]  # a Kind number
        entry_time=clock.to_timestamp(found.entry_time),
        index=found.index,
        inbox_position=0 if own is None else own.inbox_position,
        # Dispositions are numbered from the best to the worst.
        disposition=own.disposition if own else max(row.disposition for row in rows),  # type: ignore[arg-type]
    )
    if full:
        summary.message.CopyFrom(delivery(connection, found, own))
    return summary


def list_entries(
    connection: Connection,
    request: audit_service_pb2.ListEntriesRequest,
    *,
    only: str | None,
    after: int,
    limit: int,
) -> tuple[list[audit_service_pb2.ListedEntry], bool]:
    """Return a page of log entries and whether there are more.

    Args:
        only: The agency to whose entries and outcomes the listing is limited; None: all.
    """
    conditions = [
        _ENTRIES.idx > after,
        _ENTRIES.exercise == request.exercise,
        *_about(request),
        *_outcome_filter(request, only),
    ]
    if only is not None:
        conditions.append(_party(only))
    rows = connection.execute(
        select(_ENTRIES.idx, _ENTRIES.entry, _ENTRIES.actor, tables.openings.c.salt)
        .outerjoin(tables.openings, tables.openings.c.idx == _ENTRIES.idx)
        .where(*conditions)
        .order_by(_ENTRIES.idx)
        .limit(limit + 1)
    ).all()

    def listed(row: Any) -> audit_service_pb2.ListedEntry:  # noqa: ANN401 - a row
        openable = _openable(connection, row.idx, row.actor, only)
        return audit_service_pb2.ListedEntry(
            index=row.idx,
            entry=row.entry,
            outcomes=[opening(outcome) for outcome in openable],
            salt=row.salt if only in (None, row.actor) and row.salt else b"",
        )

    return page_of(rows, limit, listed)


def _about(request: audit_service_pb2.ListEntriesRequest) -> list[ColumnElement[bool]]:
    """Return what a request wants of the entries themselves."""
    conditions: list[ColumnElement[bool]] = []
    if request.agency:
        conditions.append(_named(request.agency))
    if request.kind:
        conditions.append(_ENTRIES.kind == request.kind)
    if request.tag_prefix:
        conditions.append(_ENTRIES.tag.startswith(request.tag_prefix, autoescape=True))
    if request.message_id:
        conditions.append(_of_message(request.message_id))
    if request.HasField("from_time"):
        conditions.append(_ENTRIES.entry_time >= _instant(request.from_time))
    if request.HasField("before_time"):
        conditions.append(_ENTRIES.entry_time < _instant(request.before_time))
    return conditions


def _outcome_filter(
    request: audit_service_pb2.ListEntriesRequest, only: str | None
) -> list[ColumnElement[bool]]:
    """Return what a request wants of the outcomes, of those that the reader may open."""
    if not request.disposition and not request.agreement_id:
        return []
    outcome: list[ColumnElement[bool]] = [_OUTCOMES.idx == _ENTRIES.idx]
    if only is not None:
        outcome.append(or_(_ENTRIES.actor == only, _OUTCOMES.recipient == only))
    if request.disposition:
        outcome.append(_OUTCOMES.disposition == request.disposition)
    if request.agreement_id:
        outcome.append(_OUTCOMES.agreement_id == request.agreement_id)
    return [exists().where(*outcome)]


def page_of(
    rows: Sequence[Any], limit: int, make: Callable[[Any], Item]
) -> tuple[list[Item], bool]:
    """Make items of database rows until the page is full; say whether more follow.

    Args:
        rows: One more than ``limit`` of them, where there are so many.
        limit: At most so many items, and at least one where there is one.
        make: Makes an item of a row.
    """
    page: list[Item] = []
    size = 0
    for row in rows[:limit]:
        item = make(row)
        size += item.ByteSize()
        if page and size > ANSWER_BYTES:
            return page, True
        page.append(item)
    return page, len(rows) > limit


def _instant(timestamp: Timestamp) -> int:
    """Return an instant as the database can compare it: its numbers end in the year 2262."""
    return max(-_FURTHEST, min(_FURTHEST, clock.to_nanoseconds(timestamp)))


def _named(agency: str) -> ColumnElement[bool]:
    """Match what an agency did or is addressed in, whatever came of it.

    The entry's header names its recipients to everyone who sees it; a filter by outcome would tell
    one recipient what was decided for another.
    """
    addressed = exists().where(_OUTCOMES.idx == _ENTRIES.idx, _OUTCOMES.recipient == agency)
    return or_(_ENTRIES.actor == agency, addressed)


def _party(agency: str) -> ColumnElement[bool]:
    """Match what an agency did, or received at least in part."""
    received = exists().where(
        _OUTCOMES.idx == _ENTRIES.idx,
        _OUTCOMES.recipient == agency,
        _OUTCOMES.disposition != decision_pb2.DISPOSITION_REFUSED,
    )
    return or_(_ENTRIES.actor == agency, received)


def _of_message(message_id: str) -> ColumnElement[bool]:
    """Match the identities that begin with a message id: any sender's."""
    prefix = identity_key("", message_id)
    return and_(_ENTRIES.identity >= prefix, _ENTRIES.identity < prefix + b"\xff")


def _openable(
    connection: Connection, index: int, actor: str, only: str | None
) -> Sequence[OutcomeRow]:
    rows = reading.outcomes_of(connection, index)
    if only is None or actor == only:
        return rows
    return [row for row in rows if row.recipient == only]
