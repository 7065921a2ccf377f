"""Deadlines as time passes: which need attention, who is told of it, and what was told already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, func, or_, select

from rogatory.assistance.v1 import deadline_pb2
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory.procedures import deadlines
from rogatory_gateway.delivery.references import message_reference
from rogatory_gateway.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from rogatory_gateway.delivery.hub import Hub
    from rogatory_gateway.delivery.reader import Reader

_DEADLINES, _ENTRIES, _REQUESTS = tables.deadlines.c, tables.entries.c, tables.requests.c


class Running(NamedTuple):
    """A deadline that runs.

    Attributes:
        request: Index of the REQUEST's entry.
        number: Among the deadlines of this request towards the asked agency.
        soon_time: From when on it is due soon, in nanoseconds since the Unix epoch.
        due_time: When it ends, the same.
    """

    request: int
    asked: str
    number: int
    asking: str
    exercise: bool
    soon_time: int
    due_time: int

    def state(self, now: int) -> int:
        """Return how it stands at a time: OPEN, DUE_SOON or OVERDUE."""
        return deadlines.state(soon_time=self.soon_time, due_time=self.due_time, now=now)


class Told(NamedTuple):
    """What a subscriber was told: that a deadline came to stand so."""

    request: int
    asked: str
    number: int
    state: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deadlines of live requests stand how."""

    open: int
    due_soon: int
    overdue: int


def changed(rows: Iterable[Running], *, since: int, now: int) -> set[tuple[str, bool]]:
    """Return the inboxes whose agencies have a deadline that stands otherwise than before.

    Args:
        rows: Deadlines that run.
        since: When they were looked at last, in nanoseconds since the Unix epoch.
        now: When they are looked at.
    """
    return {
        (agency, row.exercise)
        for row in rows
        if row.state(now) != row.state(since)
        for agency in (row.asking, row.asked)
    }


def to_tell(rows: Iterable[Running], told: set[Told], *, now: int) -> list[Told]:
    """Return what a subscriber was not told yet, in the order of the rows.

    Args:
        rows: Deadlines that run and need its attention.
        told: What it was told.
        now: The time, in nanoseconds since the Unix epoch.
    """
    noticed = (Told(row.request, row.asked, row.number, row.state(now)) for row in rows)
    return [one for one in noticed if one.state != deadline_pb2.DUE_STATE_OPEN and one not in told]


def needing_attention(
    connection: Connection,
    *,
    now: int,
    since: int = 0,
    agency: str | None = None,
    exercise: bool = False,
) -> list[Running]:
    """Return the deadlines that are due soon or overdue, what is due first in front.

    Args:
        now: The time, in nanoseconds since the Unix epoch.
        since: Only those that may have come to stand so from this time on.
        agency: Only of its requests, on either side, and only live or only of training; None: all.
        exercise: Which of the two.
    """
    query = (
        select(
            _DEADLINES.request,
            _DEADLINES.asked,
            _DEADLINES.number,
            _DEADLINES.asking,
            _DEADLINES.exercise,
            _DEADLINES.soon_time,
            _DEADLINES.due_time,
        )
        .where(
            _DEADLINES.closed.is_(None),
            _DEADLINES.soon_time <= now,
            or_(_DEADLINES.soon_time >= since, _DEADLINES.due_time.between(since, now)),
        )
        .order_by(_DEADLINES.due_time, _DEADLINES.request, _DEADLINES.asked, _DEADLINES.number)
    )
    if agency is not None:
        query = query.where(
            or_(_DEADLINES.asking == agency, _DEADLINES.asked == agency),
            _DEADLINES.exercise == exercise,
        )
    return [Running(*row) for row in connection.execute(query)]


def counts(connection: Connection, *, now: int) -> Counts:
    """Count the deadlines of live requests that run.

    Args:
        now: The time by which they stand, in nanoseconds since the Unix epoch.
    """
    live = and_(_DEADLINES.closed.is_(None), _DEADLINES.exercise.is_(False))

    def count(*conditions: object) -> int:
        query = select(func.count()).select_from(tables.deadlines).where(live, *conditions)  # type: ignore[arg-type]
        return connection.execute(query).scalar_one()

    overdue = count(_DEADLINES.due_time < now)
    not_open = count(_DEADLINES.soon_time <= now)
    return Counts(open=count() - not_open, due_soon=not_open - overdue, overdue=overdue)


def notices(
    connection: Connection, wanted: Sequence[Told]
) -> list[exchange_service_pb2.DeadlineNotice]:
    """Return what a subscriber is told, in order; a deadline that is gone is left out."""
    found = []
    for one in wanted:
        row = connection.execute(
            select(
                _DEADLINES.due_date,
                _DEADLINES.asking,
                _REQUESTS.assistance_kind,
                _ENTRIES.actor,
                _ENTRIES.identity,
                _ENTRIES.header_digest,
            )
            .join(
                tables.requests,
                and_(_REQUESTS.idx == _DEADLINES.request, _REQUESTS.asked == _DEADLINES.asked),
            )
            .join(tables.entries, _ENTRIES.idx == _DEADLINES.request)
            .where(
                _DEADLINES.request == one.request,
                _DEADLINES.asked == one.asked,
                _DEADLINES.number == one.number,
            )
        ).first()
        if row is not None:
            found.append(
                exchange_service_pb2.DeadlineNotice(
                    request=message_reference(
                        actor=row.actor, identity=row.identity, header_digest=row.header_digest
                    ),
                    asking_agency=row.asking,
                    asked_agency=one.asked,
                    due_date=deadline_pb2.DueDate.FromString(row.due_date),
                    state=one.state,  # type: ignore[arg-type]  # a number of the enum
                    assistance_kind=row.assistance_kind,
                )
            )
    return found


class Notifier:
    """What one subscription has been told of deadlines: each once in each state."""

    def __init__(self, agency: str, *, exercise: bool) -> None:
        """Make one for a subscriber's inbox, that was told nothing."""
        self._agency = agency
        self._exercise = exercise
        self._told: set[Told] = set()

    def next(
        self, connection: Connection, *, now: int, limit: int
    ) -> list[exchange_service_pb2.DeadlineNotice]:
        """Return what is to be told now, at most ``limit``; it then counts as told."""
        rows = needing_attention(connection, now=now, agency=self._agency, exercise=self._exercise)
        running = {(row.request, row.asked, row.number) for row in rows}
        self._told = {one for one in self._told if one[:3] in running}
        fresh = to_tell(rows, self._told, now=now)[:limit]
        self._told.update(fresh)
        return notices(connection, fresh)


class DeadlineWatcher:
    """Wakes the subscribers of both agencies when a deadline becomes due soon or overdue."""

    def __init__(self, *, reader: Reader, hub: Hub, now: Callable[[], int]) -> None:
        """Watch a ledger.

        Args:
            now: Returns nanoseconds since the Unix epoch.
        """
        self._reader = reader
        self._hub = hub
        self._now = now
        self._looks = (0, 0)

    async def look(self) -> Counts:
        """Look once: wake whom the time since the last looks concerns; return how many run."""
        now, since = self._now(), self._looks[0]

        def read(connection: Connection) -> tuple[list[Running], Counts]:
            return needing_attention(connection, now=now, since=since), counts(connection, now=now)

        rows, counted = await self._reader.run(read)
        # Since the look before the last: what was entered before that one and durable only after
        # it is not missed. To be woken twice costs a subscriber nothing.
        self._hub.wake(changed(rows, since=since, now=now))
        self._looks = (self._looks[1], now)
        return counted
