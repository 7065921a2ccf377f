"""The tables of procedures follow from the entries: made again, they are the same."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, text

from rogatory_gateway.ledger.procedures.rebuilding import rebuild
from rogatory_gateway.operator.fsck import Fault, Report, check_ledger
from rogatory_gateway.operator.fsck.procedures import FOLLOWED
from tests.support import busy
from tests.support.case import Case
from tests.support.world import ORIGIN


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the tables."""
    return {
        table.name: [
            tuple(row)
            for row in connection.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in FOLLOWED
    }


def check(case: Case) -> Report:
    """Verify the ledger."""
    with case.connect() as connection:
        return check_ledger(
            connection, report=Report(origin=ORIGIN), progress=lambda _done, _size: None
        )


def test_rebuilt_tables_are_the_same(case: Case) -> None:
    """A ledger that was written without them gets what it would have had."""
    busy.fill(case)
    with case.connect() as connection:
        before = contents(connection)
        for table in FOLLOWED:
            connection.execute(delete(table))
        rebuild(connection)
        after = contents(connection)

    assert all(before.values()), [name for name, rows in before.items() if not rows]
    assert before == after


def test_sound_ledger_is_clean(case: Case) -> None:
    """Every procedure is followed again, and the tables are found as they are."""
    busy.fill(case)

    report = check(case)

    assert [] == report.findings


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE requests SET state = 9",
        "DELETE FROM request_steps",
        "UPDATE deadlines SET closed = NULL, closed_time = NULL",
        "DELETE FROM relations WHERE relation = 2",
        "INSERT INTO relations (subject, relation, idx) VALUES (6, 5, 7)",
        "DELETE FROM recalled",
        "UPDATE operations SET closed = 1",
        "DELETE FROM operation_members",
    ],
)
def test_changed_row_is_found(case: Case, change: str) -> None:
    """What the gateway would act on is laid beside what the entries make of it."""
    busy.fill(case)
    with case.connect() as connection:
        assert connection.execute(text(change)).rowcount > 0
        connection.commit()

    report = check(case)

    assert {Fault.PROCEDURE} == set(report.faults)
