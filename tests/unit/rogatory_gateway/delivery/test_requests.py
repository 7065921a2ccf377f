"""Requests as either side looks at them, on a ledger whose clock the test sets."""

from __future__ import annotations

from typing import Any

import pytest

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.exchange.v1 import exchange_service_pb2, procedure_service_pb2
from rogatory_gateway.delivery.requests import Place, get_request, list_requests
from rogatory_gateway.ledger.items import MessageItem
from tests.support.asking import DANGER, ROUTINE, URGENT, ask, step
from tests.support.case import ASKED, ASKING, FOURTH, OTHER, Case, reference

Step, State = request_pb2.RequestStep, request_pb2.RequestState
Request = procedure_service_pb2.ListRequestsRequest
Status = procedure_service_pb2.RequestStatus


def contact(agency: str) -> exchange_service_pb2.DutyContact:
    """Return a duty contact that says whose it is."""
    return exchange_service_pb2.DutyContact(agency=agency, duty_contact=f"{agency} desk")


def listed(
    case: Case,
    agency: str,
    *,
    after: Place | None = None,
    limit: int = 100,
    **wanted: Any,  # noqa: ANN401 - fields of the request
) -> tuple[list[Status], Place | None]:
    """Return a page of an agency's requests."""
    with case.connect() as connection:
        return list_requests(
            connection,
            Request(**wanted),
            agency=agency,
            after=after,
            limit=limit,
            now=case.now,
            contact=contact,
        )


def ids(case: Case, agency: str, **wanted: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    """Return message id and asked agency of the requests on a page."""
    page, _ = listed(case, agency, **wanted)
    return [(one.request.message_id, one.standing.asked_agency) for one in page]


def key(request: MessageItem, asked: str = ASKED) -> tuple[str, str]:
    """Return what `ids` shows of a request."""
    return reference(request).message_id, asked


def got(case: Case, request: MessageItem, agency: str) -> list[Status]:
    """Return a request with its steps."""
    with case.connect() as connection:
        return get_request(connection, request.index, agency=agency, now=case.now, contact=contact)


def test_what_is_due_first_comes_first(case: Case) -> None:
    """The order is that of due times; what nothing is due of comes last, in order of entry."""
    done = ask(case)
    step(case, done, Step.REQUEST_STEP_EXECUTE)
    late = ask(case, urgency=ROUTINE)
    first = ask(case, urgency=DANGER)
    second = ask(case, urgency=URGENT)

    assert [key(first), key(second), key(late), key(done)] == ids(case, ASKED)


def test_pages_hold_every_request_once(case: Case) -> None:
    """Page by page, whatever their size, comes what one page would hold."""
    for _ in range(2):
        ask(case, ASKED, OTHER, FOURTH)
        ask(case, urgency=URGENT)
    step(case, ask(case), Step.REQUEST_STEP_EXECUTE)
    whole, end = listed(case, ASKING)

    for limit in (1, 2, 3):
        paged, after = listed(case, ASKING, limit=limit)
        while after is not None:
            page, after = listed(
                case, ASKING, limit=limit, after=Place.from_bytes(after.to_bytes())
            )
            paged += page

        assert whole == paged
    assert end is None
    assert 9 == len(whole)


@pytest.mark.parametrize("data", [b"", bytes(16), bytes(17) + b"\xff"])
def test_place_that_was_not_given(data: bytes) -> None:
    """A token's place that cannot be one is refused."""
    with pytest.raises(ValueError, match=r"unpack|decode"):
        Place.from_bytes(data)


def test_filters(case: Case) -> None:
    """Side, counterpart, state, kind and training; all that is set must hold."""
    asked = ask(case, ASKED, OTHER)
    own = ask(case, ASKING, sender=ASKED, kind=request_pb2.ASSISTANCE_KIND_TAKEDOWN)
    drill = ask(case, exercise=True)
    step(case, asked, Step.REQUEST_STEP_ACCEPT)
    sides = procedure_service_pb2

    assert [key(asked)] == ids(case, ASKED, side=sides.REQUEST_SIDE_ASKED)
    assert [key(own, ASKING)] == ids(case, ASKED, side=sides.REQUEST_SIDE_ASKING)
    assert [key(asked), key(asked, OTHER), key(own, ASKING)] == ids(case, ASKING)
    assert [key(asked, OTHER)] == ids(case, ASKING, counterpart=OTHER)
    assert [key(asked), key(own, ASKING)] == ids(case, ASKING, counterpart=ASKED)
    assert [key(asked)] == ids(case, ASKING, state=State.REQUEST_STATE_ACCEPTED)
    assert [key(own, ASKING)] == ids(case, ASKING, kind=request_pb2.ASSISTANCE_KIND_TAKEDOWN)
    assert [key(drill)] == ids(case, ASKING, exercise=True)
    assert [] == ids(case, FOURTH)


def test_ended_requests_are_shown_when_asked_for(case: Case) -> None:
    """What was refused, closed or withdrawn is left out, unless it or its state is wanted."""
    refused, runs = ask(case), ask(case)
    step(case, refused, Step.REQUEST_STEP_REFUSE)

    assert [key(runs)] == ids(case, ASKING)
    assert [key(runs), key(refused)] == ids(case, ASKING, ended=True)
    assert [key(refused)] == ids(case, ASKING, state=State.REQUEST_STATE_REFUSED)


def test_by_state_of_deadlines(case: Case) -> None:
    """Due soon includes overdue; what was closed is found by how it was."""
    urgent, routine = ask(case, urgency=URGENT), ask(case)
    met = ask(case, urgency=URGENT)
    step(case, met, Step.REQUEST_STEP_EXECUTE)
    states = deadline_pb2

    case.after(hours=5)
    assert [key(urgent), key(routine)] == ids(case, ASKED, due_state=states.DUE_STATE_OPEN)
    assert [] == ids(case, ASKED, due_state=states.DUE_STATE_DUE_SOON)
    case.after(hours=1)
    assert [key(urgent)] == ids(case, ASKED, due_state=states.DUE_STATE_DUE_SOON)
    case.after(hours=2)
    assert [] == ids(case, ASKED, due_state=states.DUE_STATE_OVERDUE)
    case.now += 1
    assert [key(urgent)] == ids(case, ASKED, due_state=states.DUE_STATE_OVERDUE)
    assert [key(urgent)] == ids(case, ASKED, due_state=states.DUE_STATE_DUE_SOON)
    assert [key(routine)] == ids(case, ASKED, due_state=states.DUE_STATE_OPEN)
    assert [key(met)] == ids(case, ASKED, due_state=states.DUE_STATE_MET)


def test_whole_story(case: Case) -> None:
    """A request is shown with its standing, steps, deadlines, agreement and duty contact."""
    asked = ask(case)
    began = case.now
    case.after(hours=3)
    question = step(case, asked, Step.REQUEST_STEP_ASK_CLARIFICATION)
    case.after(hours=5)
    reply = step(case, asked, Step.REQUEST_STEP_CLARIFY, sender=ASKING, to=ASKED)

    (status,) = got(case, asked, ASKED)

    assert reference(asked) == status.request
    assert State.REQUEST_STATE_ACKNOWLEDGED == status.standing.state
    assert (began, case.now) == tuple(
        map(clock.to_nanoseconds, (status.entry_time, status.step_time))
    )
    assert ("pact", "Art. 1") == (status.agreement_id, status.article)
    assert contact(ASKING) == status.duty_contact
    assert [
        (reference(question), Step.REQUEST_STEP_ASK_CLARIFICATION),
        (reference(reply), Step.REQUEST_STEP_CLARIFY),
    ] == [(taken.message, taken.step) for taken in status.steps]
    assert [
        (deadline_pb2.DEADLINE_KIND_CLARIFICATION, ASKING, deadline_pb2.DUE_STATE_MET_LATE),
        (deadline_pb2.DEADLINE_KIND_ANSWER, ASKED, deadline_pb2.DUE_STATE_OPEN),
    ] == [(due.due_date.kind, due.due_date.agency, due.state) for due in status.due]
    assert case.now == clock.to_nanoseconds(status.due[0].met_time)
    assert not status.due[1].HasField("met_time")


def test_each_asked_agency_sees_its_own(case: Case) -> None:
    """Who asked sees a request towards each agency asked, in the header's order; others nothing."""
    asked = ask(case, OTHER, ASKED)
    step(case, asked, Step.REQUEST_STEP_ACCEPT, sender=ASKED)

    assert [OTHER, ASKED] == [one.standing.asked_agency for one in got(case, asked, ASKING)]
    assert [OTHER] == [one.standing.asked_agency for one in got(case, asked, OTHER)]
    assert [] == list(got(case, asked, OTHER)[0].steps)
    assert [contact(OTHER), contact(ASKED)] == [
        one.duty_contact for one in got(case, asked, ASKING)
    ]
    assert [] == got(case, asked, FOURTH)


def test_list_shows_deadlines_without_steps(case: Case) -> None:
    """A page says how the deadlines stand; the steps are a call of their own."""
    asked = ask(case, ASKED, OTHER)
    step(case, asked, Step.REQUEST_STEP_ACCEPT)

    page, _ = listed(case, ASKING)

    assert [[deadline_pb2.DUE_STATE_OPEN]] * 2 == [[due.state for due in one.due] for one in page]
    assert [[], []] == [list(one.steps) for one in page]
