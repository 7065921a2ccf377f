"""Making the tables of procedures from the entries, for a ledger that was written without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from rogatory.exchange.v1 import decision_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.earlier import EarlierMessages
from rogatory_gateway.ledger.procedures.following import Follower, is_followed

if TYPE_CHECKING:
    from sqlalchemy import Connection

_AT_ONCE = 256


def rebuild(connection: Connection) -> None:
    """Follow every message of a ledger from the first on. The tables are empty before.

    Steps that an earlier version admitted without looking at the request's state are followed all
    the same: what was admitted was admitted.
    """
    start = 0
    while True:
        entries = tables.entries.c
        indices = list(
            connection.execute(
                select(entries.idx)
                .where(entries.identity.is_not(None), entries.idx >= start)
                .order_by(entries.idx)
                .limit(_AT_ONCE)
            ).scalars()
        )
        for index in indices:
            earlier = EarlierMessages(connection, before=index)
            message = earlier.at(index)
            if is_followed(message.header):
                Follower(connection, earlier).follow(
                    index,
                    message.header,
                    _outcomes(connection, index),
                    entry_time=message.entry_time,
                )
        if not indices:
            return
        start = indices[-1] + 1


def _outcomes(connection: Connection, index: int) -> list[decision_pb2.Outcome]:
    outcomes = tables.outcomes.c
    return [
        decision_pb2.Outcome.FromString(data)
        for data in connection.execute(
            select(outcomes.outcome).where(outcomes.idx == index).order_by(outcomes.position)
        ).scalars()
    ]
