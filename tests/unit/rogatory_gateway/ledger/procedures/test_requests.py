"""Requests in the ledger: steps are judged under the head lock, deadlines run by its clock."""

from __future__ import annotations

from sqlalchemy import select

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2, refusal_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.items import MessageItem
from tests.support import records
from tests.support.case import ASKED, ASKING, OTHER, Case, obstacles, outcome, reference
from tests.support.world import HOUR

Step = request_pb2.RequestStep
State = request_pb2.RequestState


def ask(
    case: Case, *asked: str, urgency: codes_pb2.Urgency.ValueType = codes_pb2.URGENCY_ROUTINE
) -> MessageItem:
    """Enter a request without measures."""

    def fill(head: envelope_pb2.Header) -> None:
        head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION
        head.urgency = urgency

    return case.enter(
        ASKING,
        *(asked or (ASKED,)),
        kind=codes_pb2.KIND_REQUEST,
        contents=[records.context()],
        fill=fill,
    )


def step(
    case: Case,
    request: MessageItem,
    taken: request_pb2.RequestStep.ValueType,
    *,
    sender: str = ASKED,
    to: str = ASKING,
    exercise: bool = False,
    enter: bool = True,
) -> MessageItem:
    """Take a step of a request."""

    def fill(head: envelope_pb2.Header) -> None:
        head.update.request.CopyFrom(reference(request))
        head.update.step = taken
        head.exercise = exercise
        if taken == Step.REQUEST_STEP_REFUSE:
            head.update.refusal_grounds.append(refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE)

    make = case.enter if enter else case.item
    return make(sender, to, kind=codes_pb2.KIND_UPDATE, contents=[records.context()], fill=fill)


def states(case: Case) -> dict[str, int]:
    """Return the state of the requests by the agency asked."""
    with case.connect() as connection:
        rows = connection.execute(select(tables.requests.c.asked, tables.requests.c.state))
        return {row.asked: row.state for row in rows}


def dues(case: Case) -> list[tuple[int, str, int | None]]:
    """Return kind, who must act and how it ended, of all deadlines."""
    table = tables.deadlines.c
    with case.connect() as connection:
        rows = connection.execute(
            select(table.kind, table.agency, table.closed).order_by(table.number)
        )
        return [tuple(row) for row in rows]


def test_each_agency_asked_has_a_life_of_its_own(case: Case) -> None:
    """One accepts, the other refuses, and neither sees a trace of it in its own."""
    request = ask(case, ASKED, OTHER)

    step(case, request, Step.REQUEST_STEP_ACCEPT)
    step(case, request, Step.REQUEST_STEP_REFUSE, sender=OTHER)

    assert {ASKED: State.REQUEST_STATE_ACCEPTED, OTHER: State.REQUEST_STATE_REFUSED} == states(case)


def test_step_out_of_turn_is_refused_with_what_may_be_done(case: Case) -> None:
    """The outcome names the obstacle, the state and the steps that are open to the sender."""
    request = ask(case)
    step(case, request, Step.REQUEST_STEP_REFUSE)

    late = step(case, request, Step.REQUEST_STEP_ACCEPT)

    decision = outcome(late).decision
    assert [procedure_pb2.OBSTACLE_KIND_WRONG_STATE] == obstacles(late)
    assert decision_pb2.GROUND_STEP_NOT_ALLOWED == decision.ground
    assert State.REQUEST_STATE_REFUSED == decision.obstacles[0].state
    assert not decision.findings
    assert State.REQUEST_STATE_REFUSED == outcome(late).context.procedure.request.state


def test_stranger_takes_no_step(case: Case) -> None:
    """Who is no party of the request is told only that there is no such request."""
    request = ask(case)

    alien = step(case, request, Step.REQUEST_STEP_ACCEPT, sender=OTHER)

    assert [procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN] == obstacles(alien)
    assert decision_pb2.GROUND_REFERENCE_NOT_HELD == outcome(alien).decision.ground
    assert {ASKED: State.REQUEST_STATE_SUBMITTED} == states(case)


def test_training_takes_no_step_of_a_live_request(case: Case) -> None:
    """An exercise finds no live request, so it moves none."""
    request = ask(case)

    trained = step(case, request, Step.REQUEST_STEP_ACCEPT, exercise=True)

    assert [procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN] == obstacles(trained)
    assert {ASKED: State.REQUEST_STATE_SUBMITTED} == states(case)


def test_messages_of_one_group_see_each_other(case: Case) -> None:
    """Of two steps that exclude each other, entered together, the second finds the first."""
    request = ask(case)
    refusal = step(case, request, Step.REQUEST_STEP_REFUSE, enter=False)
    withdrawal = step(
        case, request, Step.REQUEST_STEP_WITHDRAW, sender=ASKING, to=ASKED, enter=False
    )

    case.ledger.append([refusal, withdrawal])

    assert [] == obstacles(refusal)
    assert [procedure_pb2.OBSTACLE_KIND_WRONG_STATE] == obstacles(withdrawal)
    assert {ASKED: State.REQUEST_STATE_REFUSED} == states(case)


def test_deadline_follows_from_the_agreement_and_stands_in_the_outcome(case: Case) -> None:
    """Computed at entry time by urgency, with its article; the step that meets it ends it."""
    request = ask(case, urgency=codes_pb2.URGENCY_URGENT)
    (due,) = outcome(request).due_dates

    case.after(days=2)
    step(case, request, Step.REQUEST_STEP_REFUSE)

    assert deadline_pb2.DEADLINE_KIND_ANSWER == due.kind
    assert (ASKED, "Art. 1") == (due.agency, due.article)
    assert 3 == due.term.days
    assert clock.to_nanoseconds(due.start_time) == clock.to_nanoseconds(
        outcome(request).context.entry_time
    )
    assert [(due.kind, ASKED, deadline_pb2.DUE_STATE_MET)] == dues(case)


def test_answer_after_the_deadline_is_late(case: Case) -> None:
    """What was due is done, and the ledger keeps that it came too late."""
    request = ask(case)

    case.after(days=9)
    step(case, request, Step.REQUEST_STEP_REFUSE)

    assert [(deadline_pb2.DEADLINE_KIND_ANSWER, ASKED, deadline_pb2.DUE_STATE_MET_LATE)] == dues(
        case
    )


def test_withdrawal_ends_every_deadline(case: Case) -> None:
    """Nobody is overdue with what nobody wants any more."""
    request = ask(case)

    step(case, request, Step.REQUEST_STEP_WITHDRAW, sender=ASKING, to=ASKED)

    assert [deadline_pb2.DUE_STATE_ENDED] == [closed for _, _, closed in dues(case)]
    with case.connect() as connection:
        assert connection.execute(select(tables.requests.c.next_due)).scalar_one() is None


def test_oral_request_is_confirmed_within_the_term_or_not_at_all(case: Case) -> None:
    """The agreement leaves 24 hours; what comes later is refused, and says why."""

    def oral(hours: int) -> MessageItem:
        def fill(head: envelope_pb2.Header) -> None:
            head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_PRESERVATION
            head.request.oral_request_time.CopyFrom(clock.to_timestamp(case.now - hours * HOUR))

        return case.enter(
            ASKING, ASKED, kind=codes_pb2.KIND_REQUEST, contents=[records.context()], fill=fill
        )

    in_time, late = oral(23), oral(25)

    assert [] == obstacles(in_time)
    assert [procedure_pb2.OBSTACLE_KIND_ORAL_REQUEST_LATE] == obstacles(late)
    assert "Art. 1" == outcome(late).decision.article


def test_reference_with_another_digest_is_to_no_request(case: Case) -> None:
    """Sender and id alone do not name a message."""
    request = ask(case)
    wrong = common_pb2.MessageReference()
    wrong.CopyFrom(reference(request))
    wrong.header_digest = bytes(32)

    def fill(head: envelope_pb2.Header) -> None:
        head.update.request.CopyFrom(wrong)
        head.update.step = Step.REQUEST_STEP_ACCEPT

    item = case.enter(ASKED, ASKING, kind=codes_pb2.KIND_UPDATE, fill=fill)

    assert [procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN] == obstacles(item)


def test_postponement_leaves_the_answer_due(case: Case) -> None:
    """Its end stands for the answer put off: to accept, or to answer in part, does not meet it."""
    request = ask(case)

    def postpone(head: envelope_pb2.Header) -> None:
        head.update.request.CopyFrom(reference(request))
        head.update.step = Step.REQUEST_STEP_POSTPONE
        head.update.postponed_until_time.CopyFrom(clock.to_timestamp(case.now + 30 * 24 * HOUR))

    case.enter(ASKED, ASKING, kind=codes_pb2.KIND_UPDATE, fill=postpone)
    step(case, request, Step.REQUEST_STEP_ACCEPT)
    running = [(kind, closed) for kind, _, closed in dues(case)]
    case.after(days=31)
    step(case, request, Step.REQUEST_STEP_EXECUTE)

    answer, end = deadline_pb2.DEADLINE_KIND_ANSWER, deadline_pb2.DEADLINE_KIND_POSTPONEMENT_END
    assert [(answer, deadline_pb2.DUE_STATE_ENDED), (end, None)] == running
    assert [(end, ASKED, deadline_pb2.DUE_STATE_MET_LATE)] == dues(case)[1:]
