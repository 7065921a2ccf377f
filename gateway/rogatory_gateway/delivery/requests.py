"""Requests for assistance as either side looks at them: how they stand, what is due, each step."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import ColumnElement, and_, case, exists, or_, select

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2
from rogatory.audit.v1 import entry_pb2
from rogatory.exchange.v1 import envelope_pb2, procedure_pb2, procedure_service_pb2
from rogatory.procedures import deadlines
from rogatory.procedures.requests import FINAL_STATES
from rogatory_gateway.delivery.listing import page_of
from rogatory_gateway.delivery.references import message_reference, references
from rogatory_gateway.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from rogatory.exchange.v1 import exchange_service_pb2

    Contact = Callable[[str], exchange_service_pb2.DutyContact | None]

MOST_DUE = 64
"""Deadlines of one request that an answer holds, those that run before those that were closed."""
MOST_STEPS = 512
"""Steps of one request that an answer holds, the last."""

_PLACE = struct.Struct(">Bqq")
"""Whether something is due, when, and the entry's index; the asked agency follows."""

_REQUESTS, _ENTRIES = tables.requests.c, tables.entries.c
_DEADLINES, _OUTCOMES = tables.deadlines.c, tables.outcomes.c
_COLUMNS = (
    _REQUESTS.idx,
    _REQUESTS.asked,
    _REQUESTS.asking,
    _REQUESTS.urgency,
    _REQUESTS.standing,
    _REQUESTS.entry_time,
    _REQUESTS.step_time,
    _REQUESTS.next_due,
    _ENTRIES.actor,
    _ENTRIES.identity,
    _ENTRIES.header_digest,
    _ENTRIES.entry,
    _OUTCOMES.agreement_id,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of requests ended.

    Attributes:
        next_due: Nanoseconds since the Unix epoch; None: nothing was due.
        index: Of the REQUEST's entry.
        asked: The asked agency.
    """

    next_due: int | None
    index: int
    asked: str

    def to_bytes(self) -> bytes:
        """Return it for a page token."""
        due = self.next_due
        return _PLACE.pack(due is not None, due or 0, self.index) + self.asked.encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the place in a page token.

        Raises:
            ValueError: It is none.
        """
        try:
            is_due, due, index = _PLACE.unpack_from(data)
        except struct.error as error:
            raise ValueError(str(error)) from error
        return cls(due if is_due else None, index, data[_PLACE.size :].decode())


def list_requests(
    connection: Connection,
    request: procedure_service_pb2.ListRequestsRequest,
    *,
    agency: str,
    after: Place | None,
    limit: int,
    now: int,
    contact: Contact,
) -> tuple[list[procedure_service_pb2.RequestStatus], Place | None]:
    """Return a page of an agency's requests, without steps, and where it ended.

    What is due first comes first, what nothing is due of last, and else the order is that of entry.

    Args:
        agency: Who asks for it.
        after: Where the page before ended.
        limit: At most so many, and at least one where there is one.
        now: Nanoseconds since the Unix epoch, by which deadlines stand.
        contact: Returns where an agency can be reached.

    Returns:
        The place is None on the last page.
    """
    query = (
        _select()
        .where(*_wanted(request, agency, now))
        .order_by(
            case((_REQUESTS.next_due.is_(None), 1), else_=0),
            _REQUESTS.next_due,
            _REQUESTS.idx,
            _REQUESTS.asked,
        )
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(_beyond(after))
    rows = connection.execute(query).all()
    due = _due(connection, {row.idx for row in rows}, now=now)

    def listed(row: Any) -> procedure_service_pb2.RequestStatus:  # noqa: ANN401 - a row
        status = _status(row, agency=agency, contact=contact)
        status.due.extend(due.get((row.idx, row.asked), ()))
        return status

    page, more = page_of(rows, limit, listed)
    if not more:
        return page, None
    last = rows[len(page) - 1]
    return page, Place(last.next_due, last.idx, last.asked)


def get_request(
    connection: Connection, index: int, *, agency: str, now: int, contact: Contact
) -> list[procedure_service_pb2.RequestStatus]:
    """Return a request with its steps: to who asked towards each agency, else as it was asked.

    Args:
        index: Of the REQUEST's entry.
        agency: Who asks for it; for an agency that is neither the result is empty.
        now, contact: As for `list_requests`.
    """
    rows = connection.execute(
        _select()
        .where(_REQUESTS.idx == index, or_(_REQUESTS.asking == agency, _REQUESTS.asked == agency))
        .order_by(_OUTCOMES.position)
    ).all()
    due = _due(connection, {index}, now=now)
    statuses = []
    for row in rows:
        status = _status(row, agency=agency, contact=contact)
        status.due.extend(due.get((index, row.asked), ()))
        status.steps.extend(_steps(connection, index, row.asked))
        statuses.append(status)
    return statuses


def _select() -> Any:  # noqa: ANN401 - a Select of many columns
    return (
        select(*_COLUMNS)
        .join(tables.entries, _ENTRIES.idx == _REQUESTS.idx)
        .join(
            tables.outcomes,
            and_(_OUTCOMES.idx == _REQUESTS.idx, _OUTCOMES.recipient == _REQUESTS.asked),
        )
    )


def _wanted(
    request: procedure_service_pb2.ListRequestsRequest, agency: str, now: int
) -> list[ColumnElement[bool]]:
    asking = _REQUESTS.asking == agency
    asked = _REQUESTS.asked == agency
    if request.counterpart:
        asking = and_(asking, _REQUESTS.asked == request.counterpart)
        asked = and_(asked, _REQUESTS.asking == request.counterpart)
    side = {
        procedure_service_pb2.REQUEST_SIDE_ASKING: asking,
        procedure_service_pb2.REQUEST_SIDE_ASKED: asked,
    }.get(request.side, or_(asking, asked))
    conditions = [side, _REQUESTS.exercise == request.exercise]
    if request.state:
        conditions.append(_REQUESTS.state == request.state)
    elif not request.ended:
        conditions.append(_REQUESTS.state.not_in(sorted(FINAL_STATES)))
    if request.kind:
        conditions.append(_REQUESTS.assistance_kind == request.kind)
    if request.due_state:
        conditions.append(
            exists().where(
                _DEADLINES.request == _REQUESTS.idx,
                _DEADLINES.asked == _REQUESTS.asked,
                _in_state(request.due_state, now),
            )
        )
    return conditions


def _in_state(due_state: int, now: int) -> ColumnElement[bool]:
    """Match the deadlines that stand so, as `deadlines.state` says; due soon includes overdue."""
    runs = _DEADLINES.closed.is_(None)
    if due_state == deadline_pb2.DUE_STATE_OPEN:
        return and_(runs, _DEADLINES.soon_time > now, _DEADLINES.due_time >= now)
    if due_state == deadline_pb2.DUE_STATE_DUE_SOON:
        return and_(runs, or_(_DEADLINES.soon_time <= now, _DEADLINES.due_time < now))
    if due_state == deadline_pb2.DUE_STATE_OVERDUE:
        return and_(runs, _DEADLINES.due_time < now)
    return _DEADLINES.closed == due_state


def _beyond(place: Place) -> ColumnElement[bool]:
    same = or_(
        _REQUESTS.idx > place.index,
        and_(_REQUESTS.idx == place.index, _REQUESTS.asked > place.asked),
    )
    if place.next_due is None:
        return and_(_REQUESTS.next_due.is_(None), same)
    return or_(
        _REQUESTS.next_due.is_(None),
        _REQUESTS.next_due > place.next_due,
        and_(_REQUESTS.next_due == place.next_due, same),
    )


def _status(
    row: Any,  # noqa: ANN401 - a row of `_COLUMNS`
    *,
    agency: str,
    contact: Contact,
) -> procedure_service_pb2.RequestStatus:
    logged = entry_pb2.AuditEntry.FromString(row.entry).message
    header = envelope_pb2.Header.FromString(logged.header)
    status = procedure_service_pb2.RequestStatus(
        request=message_reference(
            actor=row.actor, identity=row.identity, header_digest=row.header_digest
        ),
        standing=procedure_pb2.RequestStanding.FromString(row.standing),
        urgency=row.urgency,
        entry_time=clock.to_timestamp(row.entry_time),
        step_time=clock.to_timestamp(row.step_time),
        agreement_id=row.agreement_id,
        article=next(to.article for to in header.recipients if to.agency == row.asked),
    )
    reached_at = contact(row.asked if agency == row.asking else row.asking)
    if reached_at is not None:
        status.duty_contact.CopyFrom(reached_at)
    return status


def _due(
    connection: Connection, indices: Iterable[int], *, now: int
) -> dict[tuple[int, str], list[procedure_service_pb2.DueStanding]]:
    """Return what is due of some requests, by index and asked agency, in order of due time."""
    rows = connection.execute(
        select(
            _DEADLINES.request,
            _DEADLINES.asked,
            _DEADLINES.soon_time,
            _DEADLINES.due_time,
            _DEADLINES.due_date,
            _DEADLINES.closed,
            _DEADLINES.closed_time,
        )
        .where(_DEADLINES.request.in_(sorted(indices)))
        .order_by(case((_DEADLINES.closed.is_(None), 0), else_=1), _DEADLINES.number.desc())
    )
    chosen: dict[tuple[int, str], list[Any]] = {}
    for row in rows:
        kept = chosen.setdefault((row.request, row.asked), [])
        if len(kept) < MOST_DUE:
            kept.append(row)
    return {
        key: [_due_standing(row, now) for row in sorted(kept, key=lambda row: row.due_time)]
        for key, kept in chosen.items()
    }


def _due_standing(row: Any, now: int) -> procedure_service_pb2.DueStanding:  # noqa: ANN401
    standing = procedure_service_pb2.DueStanding(
        due_date=deadline_pb2.DueDate.FromString(row.due_date),
        state=deadlines.state(  # type: ignore[arg-type]  # numbers of the enum
            soon_time=row.soon_time, due_time=row.due_time, now=now, closed=row.closed or 0
        ),
    )
    if row.closed_time is not None:
        standing.met_time.CopyFrom(clock.to_timestamp(row.closed_time))
    return standing


def _steps(connection: Connection, index: int, asked: str) -> list[procedure_service_pb2.StepTaken]:
    table = tables.request_steps.c
    rows = connection.execute(
        select(table.idx, table.step, table.state, table.entry_time)
        .where(table.request == index, table.asked == asked)
        .order_by(table.idx.desc())
        .limit(MOST_STEPS)
    ).all()
    messages = references(connection, [row.idx for row in rows])
    return [
        procedure_service_pb2.StepTaken(
            message=messages[row.idx],
            step=row.step,
            entry_time=clock.to_timestamp(row.entry_time),
            state=row.state,
        )
        for row in reversed(rows)
    ]
