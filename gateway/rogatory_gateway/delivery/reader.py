"""Reads of the ledger for callers, in threads of their own: they never stop the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from rogatory.exchange.v1 import decision_pb2, exchange_service_pb2
from rogatory_gateway.ledger import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from rogatory_gateway.ledger.items import OutcomeRow

T = TypeVar("T")

READER_THREADS = 4
"""Threads that read: SQLite reads are short, and a slow one must not hold up the rest."""

PAGE_BYTES = 4 << 20
"""Envelope bytes read ahead for one subscriber."""


class Reader:
    """Runs reads on the ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="ledger-read")

    async def run(self, read: Callable[[Connection], T]) -> T:
        """Run ``read`` on a connection of its own and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, read)

    def _run(self, read: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            return read(connection)

    def close(self) -> None:
        """Wait for reads under way and stop."""
        self._threads.shutdown()


def opening(row: OutcomeRow) -> decision_pb2.OutcomeOpening:
    """Return an outcome as its owner may open it."""
    return decision_pb2.OutcomeOpening(
        recipient_index=row.position, salt=row.salt, outcome=row.outcome
    )


def delivery(
    connection: Connection, found: reading.Found, row: OutcomeRow | None
) -> exchange_service_pb2.Delivery:
    """Return a message as one recipient gets it; with no outcome, as its sender does."""
    agency = found.actor if row is None else row.recipient
    recalled = reading.recalled_from(connection, agency, [found.index])
    return _delivery(connection, found, row, recalled=recalled.get(found.index))


def _delivery(
    connection: Connection,
    found: reading.Found,
    row: OutcomeRow | None,
    *,
    recalled: bool | None,
) -> exchange_service_pb2.Delivery:
    message = exchange_service_pb2.Delivery(
        envelope=reading.assemble(connection, found, row, recalled=recalled),
        index=found.index,
        entry=found.entry,
    )
    if row is not None:
        message.inbox_position = row.inbox_position
        message.outcome.CopyFrom(opening(row))
    return message


def inbox_deliveries(
    connection: Connection, *, agency: str, exercise: bool, start: int, limit: int
) -> list[exchange_service_pb2.Delivery]:
    """Return deliveries from an inbox position on, in order: at most ``limit``, at least one."""
    deliveries = []
    size = 0
    page = reading.inbox_page(
        connection, agency=agency, exercise=exercise, start=start, limit=limit
    )
    recalled = reading.recalled_from(connection, agency, [row.found.index for row in page])
    for row in page:
        message = _delivery(
            connection, row.found, row.outcome, recalled=recalled.get(row.found.index)
        )
        deliveries.append(message)
        size += len(message.envelope)
        if size > PAGE_BYTES:
            break
    return deliveries
