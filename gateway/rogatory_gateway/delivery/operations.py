"""Joint operations as those look at them who were ever part of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from rogatory import clock
from rogatory.exchange.v1 import procedure_pb2, procedure_service_pb2
from rogatory_gateway.delivery.listing import page_of
from rogatory_gateway.delivery.references import references
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.relations import Relation

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_REPORTS = 10_000

_OPERATIONS, _MEMBERS, _ENTRIES = (
    tables.operations.c,
    tables.operation_members.c,
    tables.entries.c,
)


def list_operations(
    connection: Connection,
    request: procedure_service_pb2.ListOperationsRequest,
    *,
    agency: str,
    after: int,
    limit: int,
    now: int,
) -> tuple[list[procedure_service_pb2.Operation], int | None]:
    """Return a page of an agency's operations, in order of founding, and where it ended.

    They are those that it leads, is invited to or was a member of, without their reports.

    Args:
        agency: Who asks for it.
        after: Where the page before ended; -1 for the first.
        limit: At most so many, and at least one where there is one.
        now: Nanoseconds since the Unix epoch: what has ended by then is left out unless wanted.

    Returns:
        The place, the index of the last founding message's entry, is None on the last page.
    """
    query = (
        _select()
        .where(
            _MEMBERS.agency == agency,
            _OPERATIONS.exercise == request.exercise,
            _OPERATIONS.idx > after,
        )
        .order_by(_OPERATIONS.idx)
        .limit(limit + 1)
    )
    if not request.ended:
        query = query.where(_OPERATIONS.closed.is_(False), _OPERATIONS.valid_until > now)
    rows = connection.execute(query).all()
    page, more = page_of(rows, limit, lambda row: _operation(connection, row))
    return page, rows[len(page) - 1].idx if more else None


def get_operation(
    connection: Connection, index: int, *, agency: str
) -> procedure_service_pb2.Operation | None:
    """Return an operation with its members and reports.

    Args:
        index: Of the founding message's entry.
        agency: Who asks for it; None is returned to one that it was never part of.
    """
    row = connection.execute(
        _select().where(_OPERATIONS.idx == index, _MEMBERS.agency == agency)
    ).first()
    if row is None:
        return None
    operation = _operation(connection, row)
    table = tables.relations.c
    reports = list(
        connection.execute(
            select(table.idx)
            .where(table.subject == index, table.relation == Relation.REPORT)
            .order_by(table.idx)
            .limit(MOST_REPORTS)
        ).scalars()
    )
    messages = references(connection, reports)
    operation.reports.extend(messages[report] for report in reports)
    return operation


def _select() -> Any:  # noqa: ANN401 - a Select of many columns
    return (
        select(tables.operations, _ENTRIES.entry_time)
        .join(tables.operation_members, _MEMBERS.idx == _OPERATIONS.idx)
        .join(tables.entries, _ENTRIES.idx == _OPERATIONS.idx)
    )


def _operation(connection: Connection, row: Any) -> procedure_service_pb2.Operation:  # noqa: ANN401
    members = connection.execute(
        select(_MEMBERS.standing).where(_MEMBERS.idx == row.idx).order_by(_MEMBERS.number)
    ).scalars()
    return procedure_service_pb2.Operation(
        founding=references(connection, [row.idx])[row.idx],
        lead=row.lead,
        entry_time=clock.to_timestamp(row.entry_time),
        valid_until_time=clock.to_timestamp(row.valid_until),
        closed=row.closed,
        members=[procedure_pb2.MemberStanding.FromString(data) for data in members],
    )
