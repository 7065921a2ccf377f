"""Procedures, followed again from the log's entries and laid beside the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, create_engine, select
from sqlalchemy.pool import StaticPool

from rogatory.exchange.v1 import decision_pb2, envelope_pb2, procedure_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.earlier import EarlierMessages
from rogatory_gateway.ledger.procedures.following import Follower, is_followed
from rogatory_gateway.ledger.procedures.standing import Standings
from rogatory_gateway.operator.fsck.findings import Fault, Report
from rogatory_gateway.operator.fsck.rows import stream

FOLLOWED = (
    tables.requests,
    tables.request_steps,
    tables.deadlines,
    tables.relations,
    tables.copies,
    tables.withdrawals,
    tables.recalled,
    tables.operations,
    tables.operation_members,
)
"""Tables that follow from the entries."""


class ProcedureCheck:
    """Makes the tables of procedures anew, beside the ledger, as its entries are read in order."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._ledger = connection
        self._report = report
        # In memory: what is under way, and one row for each step or relation.
        engine = create_engine("sqlite://", poolclass=StaticPool)
        tables.metadata.create_all(engine, tables=FOLLOWED)
        self._again = engine.connect()

    def standing(
        self, index: int, header: envelope_pb2.Header, recipient: str
    ) -> procedure_pb2.ProcedureStanding | None:
        """Return how the procedures of a message stood just before its entry."""
        earlier = EarlierMessages(self._ledger, related=self._again, before=index)
        return Standings(self._again, earlier).standing(header, recipient)

    def follow(
        self,
        index: int,
        header: envelope_pb2.Header,
        outcomes: Sequence[decision_pb2.Outcome],
        *,
        entry_time: int,
    ) -> None:
        """Enter what a message made of its procedures."""
        if is_followed(header):
            earlier = EarlierMessages(self._ledger, related=self._again, before=index)
            Follower(self._again, earlier).follow(index, header, outcomes, entry_time=entry_time)

    def finish(self) -> None:
        """Compare the tables, row by row."""
        for table in FOLLOWED:
            names = [column.name for column in table.primary_key.columns]
            stored = stream(self._ledger, table)
            again = iter(
                self._again.execute(select(table).order_by(*table.primary_key.columns)).all()
            )
            left, right = next(stored, None), next(again, None)
            while left is not None or right is not None:
                here, there = _key(left, names), _key(right, names)
                if left is not None and right is not None and here == there:
                    if tuple(left) != tuple(right):
                        self._add(table.name, here, "it is not what the entries make of it")
                    left, right = next(stored, None), next(again, None)
                elif right is None or (left is not None and here < there):
                    self._add(table.name, here, "no entry makes it")
                    left = next(stored, None)
                else:
                    self._add(table.name, there, "the entries make it, and it is not there")
                    right = next(again, None)
        self._again.close()

    def _add(self, table: str, key: tuple[Any, ...], text: str) -> None:
        self._report.add(Fault.PROCEDURE, f"{table} {' '.join(map(str, key))}", text)


def _key(row: Row[Any] | None, names: Sequence[str]) -> tuple[Any, ...]:
    return () if row is None else tuple(getattr(row, name) for name in names)
