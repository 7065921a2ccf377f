"""Deadlines as time passes: whom they wake and what is told of them, with the time passed in."""

from __future__ import annotations

from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory_gateway.delivery.deadlines import (
    Counts,
    DeadlineWatcher,
    Notifier,
    Running,
    Told,
    changed,
    counts,
    needing_attention,
    to_tell,
)
from rogatory_gateway.delivery.hub import Hub
from rogatory_gateway.delivery.reader import Reader
from tests.support.asking import URGENT, ask, step
from tests.support.case import ASKED, ASKING, OTHER, Case, reference

SOON, OVERDUE = deadline_pb2.DUE_STATE_DUE_SOON, deadline_pb2.DUE_STATE_OVERDUE
ROW = Running(3, ASKED, 0, ASKING, False, 75, 100)
DRILL = Running(4, OTHER, 0, ASKING, True, 80, 90)


def test_whose_deadlines_changed() -> None:
    """Both agencies of a request, live and training apart, once a deadline turns."""
    both = {(ASKING, False), (ASKED, False)}
    drill = {(ASKING, True), (OTHER, True)}

    assert set() == changed([ROW, DRILL], since=0, now=74)
    assert both == changed([ROW, DRILL], since=74, now=75)
    assert drill == changed([ROW, DRILL], since=75, now=80)
    assert set() == changed([ROW, DRILL], since=91, now=100)
    assert both == changed([ROW, DRILL], since=100, now=101)
    assert both | drill == changed([ROW, DRILL], since=0, now=101)
    assert set() == changed([ROW, DRILL], since=101, now=10**6)


def test_each_is_told_once_in_each_state() -> None:
    """What was told is not told again, until it stands otherwise."""
    soon, overdue = Told(3, ASKED, 0, SOON), Told(3, ASKED, 0, OVERDUE)

    assert [] == to_tell([ROW], set(), now=74)
    assert [soon] == to_tell([ROW], set(), now=75)
    assert [] == to_tell([ROW], {soon}, now=100)
    assert [overdue] == to_tell([ROW], {soon}, now=101)
    assert [] == to_tell([ROW], {soon, overdue}, now=10**6)


def test_counts_are_what_the_states_are(case: Case) -> None:
    """The ledger counts by the same rule that a deadline stands by, live traffic only."""
    started = case.now
    ask(case, urgency=URGENT)
    ask(case, ASKED, OTHER)
    ask(case, exercise=True)
    step(case, ask(case), request_pb2.REQUEST_STEP_EXECUTE)

    with case.connect() as connection:
        rows = needing_attention(connection, now=1 << 62, agency=ASKING)
        turns = {moment + d for row in rows for moment in row[-2:] for d in (-1, 0, 1)}
        for now in sorted({started, *turns}):
            states = [row.state(now) for row in rows]
            expected = Counts(
                open=states.count(deadline_pb2.DUE_STATE_OPEN),
                due_soon=states.count(SOON),
                overdue=states.count(OVERDUE),
            )
            assert expected == counts(connection, now=now)
    assert 3 == len(rows)


def test_notices_of_a_subscription(case: Case) -> None:
    """A notice names request, parties, deadline and state; it ends when what was due is done."""
    notifier = Notifier(ASKED, exercise=False)
    asked = ask(case, urgency=URGENT)
    ask(case, OTHER)
    ask(case, exercise=True)

    def told(limit: int = 10) -> list[tuple[str, int]]:
        with case.connect() as connection:
            found = notifier.next(connection, now=case.now, limit=limit)
        return [(notice.request.message_id, notice.state) for notice in found]

    first = reference(asked).message_id
    assert [] == told()
    case.after(hours=6)
    with case.connect() as connection:
        (notice,) = Notifier(ASKING, exercise=False).next(connection, now=case.now, limit=10)
    assert [(first, SOON)] == told()
    assert [] == told()
    case.after(hours=3)
    assert [(first, OVERDUE)] == told()
    step(case, asked, request_pb2.REQUEST_STEP_EXECUTE)
    assert [] == told()

    assert reference(asked) == notice.request
    assert (ASKING, ASKED) == (notice.asking_agency, notice.asked_agency)
    assert deadline_pb2.DEADLINE_KIND_ANSWER == notice.due_date.kind
    assert request_pb2.ASSISTANCE_KIND_INFORMATION == notice.assistance_kind


def test_notices_come_in_portions(case: Case) -> None:
    """No more than wanted come at once, what is due first in front, and none is left out."""
    late, early = ask(case), ask(case, urgency=URGENT)
    case.after(days=30)
    notifier = Notifier(ASKED, exercise=False)

    def told() -> list[str]:
        with case.connect() as connection:
            found = notifier.next(connection, now=case.now, limit=1)
        return [notice.request.message_id for notice in found]

    assert [reference(early).message_id] == told()
    assert [reference(late).message_id] == told()
    assert [] == told()


async def test_watcher_wakes_both_agencies(case: Case) -> None:
    """Each turn of a deadline wakes the subscribers of both sides, and nobody else."""
    ask(case, urgency=URGENT)
    hub, reader = Hub(), Reader(case.engine)
    watcher = DeadlineWatcher(reader=reader, hub=hub, now=lambda: case.now)
    with (
        hub.listen(ASKING, exercise=False) as asking,
        hub.listen(ASKED, exercise=False) as asked,
        hub.listen(ASKED, exercise=True) as drill,
        hub.listen(OTHER, exercise=False) as other,
    ):
        events = (asking, asked, drill, other)
        woken, counted = [], []
        for hours in (0, 1, 5, 1, 1, 1, 1, 1, 1):
            case.after(hours=hours)
            for event in events:
                event.clear()
            counted.append(await watcher.look())
            woken.append(tuple(event.is_set() for event in events))
    reader.close()

    nobody, both = (False,) * 4, (True, True, False, False)
    # Soon after 6 hours, overdue after 8; each turn is seen by two looks.
    assert [nobody, nobody, both, both, nobody, both, both, nobody, nobody] == woken
    assert Counts(open=0, due_soon=0, overdue=1) == counted[-1]
