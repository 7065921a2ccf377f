"""Requests: which step whom, when, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pytest

from rogatory.assistance.v1 import answer_pb2, handover_pb2, refusal_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import requests
from tests.support.steps import (
    ASKED,
    ASKING,
    HOUR,
    NOW,
    THIRD,
    Answer,
    at,
    pack,
    request,
    statement,
    two_officers,
    update,
)

State: TypeAlias = request_pb2.RequestState.ValueType
Step: TypeAlias = request_pb2.RequestStep.ValueType
Kind: TypeAlias = procedure_pb2.ObstacleKind.ValueType

SUBMITTED = request_pb2.REQUEST_STATE_SUBMITTED
ACKNOWLEDGED = request_pb2.REQUEST_STATE_ACKNOWLEDGED
CLARIFICATION = request_pb2.REQUEST_STATE_CLARIFICATION
ACCEPTED = request_pb2.REQUEST_STATE_ACCEPTED
REFUSED = request_pb2.REQUEST_STATE_REFUSED
POSTPONED = request_pb2.REQUEST_STATE_POSTPONED
PARTLY = request_pb2.REQUEST_STATE_PARTLY_EXECUTED
EXECUTED = request_pb2.REQUEST_STATE_EXECUTED
CLOSED = request_pb2.REQUEST_STATE_CLOSED
WITHDRAWN = request_pb2.REQUEST_STATE_WITHDRAWN

DONE = answer_pb2.MEASURE_OUTCOME_EXECUTED
DONE_PARTLY = answer_pb2.MEASURE_OUTCOME_PARTLY_EXECUTED
NOT_DONE = answer_pb2.MEASURE_OUTCOME_REFUSED
LATER = answer_pb2.MEASURE_OUTCOME_POSTPONED

REASON = [refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE]
MEASURES = {"m1": ["ada", "bob"], "m2": []}
ALL: tuple[Answer, ...] = (("m1", DONE, []), ("m2", DONE, []))
SOME: tuple[Answer, ...] = (("m1", DONE, ["ada"]),)

WELL_MADE: Mapping[str, envelope_pb2.Header] = {
    "ack": update(requests.ACKNOWLEDGE),
    "ask": update(requests.ASK_CLARIFICATION),
    "clarify": update(requests.CLARIFY, sender=ASKING),
    "accept": update(requests.ACCEPT),
    "refuse": update(requests.REFUSE, grounds=REASON),
    "postpone": update(requests.POSTPONE, until=NOW + HOUR),
    "partly": update(requests.EXECUTE_PARTLY, *SOME),
    "execute": update(requests.EXECUTE, *ALL),
    "close": update(requests.CLOSE, sender=ASKING),
    "withdraw": update(requests.WITHDRAW, sender=ASKING),
    "delay": update(requests.REPORT_DELAY, until=NOW + HOUR),
    "confirm": update(requests.CONFIRM_IN_WRITING, sender=ASKING, until=NOW - HOUR),
    "arrange": update(requests.ARRANGE),
    "arrange too": update(requests.ARRANGE, sender=ASKING),
}
"""Each step as its party takes it where nothing is in the way."""

EITHER = "confirm arrange arrange-too "
OPEN = "delay withdraw refuse partly execute " + EITHER
TABLE: Mapping[State, str] = {
    SUBMITTED: OPEN + "ack ask accept postpone",
    ACKNOWLEDGED: OPEN + "ask accept postpone",
    CLARIFICATION: OPEN + "clarify",
    ACCEPTED: OPEN + "ask postpone",
    POSTPONED: OPEN + "ask accept postpone",
    PARTLY: OPEN + "ask postpone close",
    EXECUTED: EITHER + "close",
    REFUSED: "",
    CLOSED: "",
    WITHDRAWN: "",
}


def standing(
    state: State = SUBMITTED, *, hours: int = 24, measures: Mapping[str, Sequence[str]] = MEASURES
) -> procedure_pb2.RequestStanding:
    """Return how a request with two measures stands in some state."""
    made = requests.begin(request(measures), asked=ASKED, confirm_in_writing_within_hours=hours)
    made.state = state
    if state == CLARIFICATION:
        made.resume_state = ACKNOWLEDGED
    return made


def refusals(
    before: procedure_pb2.RequestStanding | None,
    header: envelope_pb2.Header,
    *,
    recipient: str = "",
    entry_time: int = NOW,
) -> list[Kind]:
    """Return what stands in the way of a step, signed by two officers."""
    found = requests.obstacles(
        before,
        header,
        sender=header.sender,
        recipient=recipient or (ASKING if header.sender == ASKED else ASKED),
        entry_time=entry_time,
        signers=two_officers(),
    )
    return [one.kind for one in found]


def after(
    before: procedure_pb2.RequestStanding, *headers: envelope_pb2.Header
) -> procedure_pb2.RequestStanding:
    """Return how a request stands after steps that nothing stands in the way of."""
    for header in headers:
        assert [] == refusals(before, header)
        before = requests.advance(before, header)
    return before


@pytest.mark.parametrize("state", TABLE)
def test_table_of_states_and_steps(state: State) -> None:
    """In each state exactly the steps of the published table are open, each to its party."""
    before = standing(state)
    expected = {name.replace("-", " ") for name in TABLE[state].split()}

    admitted = {name for name, header in WELL_MADE.items() if not refusals(before, header)}
    listed = {
        name
        for name, header in WELL_MADE.items()
        if header.update.step in requests.steps_open(before, agency=header.sender)
    }

    assert expected == admitted
    assert expected == listed


@pytest.mark.parametrize("name", sorted(WELL_MADE.keys() - {"arrange", "arrange too"}))
def test_step_of_the_other_party(name: str) -> None:
    """A step is refused from the party whose step it is not, who hears whose it is."""
    header = envelope_pb2.Header()
    header.CopyFrom(WELL_MADE[name])
    header.sender, other = (ASKING, ASKED) if header.sender == ASKED else (ASKED, ASKING)
    before = standing()

    (found,) = requests.obstacles(
        before, header, sender=header.sender, recipient=other, entry_time=NOW, signers=()
    )

    assert (procedure_pb2.OBSTACLE_KIND_WRONG_PARTY, other) == (found.kind, found.agency)
    assert list(requests.steps_open(before, agency=header.sender)) == list(found.steps)


def test_wrong_state_tells_what_is_open() -> None:
    """Who takes a step too late hears the state, and what may be done in it."""
    (found,) = requests.obstacles(
        standing(EXECUTED),
        WELL_MADE["withdraw"],
        sender=ASKING,
        recipient=ASKED,
        entry_time=NOW,
        signers=(),
    )

    assert procedure_pb2.OBSTACLE_KIND_WRONG_STATE == found.kind
    assert EXECUTED == found.state
    assert [requests.CLOSE, requests.CONFIRM_IN_WRITING, requests.ARRANGE] == list(found.steps)


@pytest.mark.parametrize(
    ("before", "sender", "recipient"),
    [
        (None, ASKED, ASKING),
        (standing(), THIRD, ASKING),
        (standing(), ASKED, THIRD),
        (standing(), THIRD, ASKED),
    ],
)
def test_stranger_hears_of_no_request(
    before: procedure_pb2.RequestStanding | None, sender: str, recipient: str
) -> None:
    """No request and a request between others are one and the same to whoever asks."""
    header = update(requests.ACKNOWLEDGE, sender=sender)

    assert [procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN] == refusals(
        before, header, recipient=recipient
    )


def test_begins_with_all_that_is_asked() -> None:
    """A request begins SUBMITTED, with every measure and subject of its parts remaining."""
    made = standing(hours=48)

    assert (ASKING, ASKED, SUBMITTED) == (made.asking_agency, made.asked_agency, made.state)
    assert request_pb2.ASSISTANCE_KIND_INFORMATION == made.assistance_kind
    assert [("m1", pack(["ada", "bob"])), ("m2", b"")] == [
        (measure.measure_id, measure.subjects) for measure in made.remaining
    ]
    assert 48 == made.confirm_in_writing_within_hours


def test_measure_named_in_two_parts_is_one() -> None:
    """A measure named twice is asked for once: for all subjects, or as a whole."""
    header = request({"m1": ["ada"], "m2": ["ada"]})
    second = header.parts.add(category=codes_pb2.PART_CATEGORY_REQUEST)
    second.facts.measures.add(measure_id="m1", subjects=pack(["bob"]))
    second.facts.measures.add(measure_id="m2")

    made = requests.begin(header, asked=ASKED)

    assert [("m1", pack(["ada", "bob"])), ("m2", b"")] == [
        (measure.measure_id, measure.subjects) for measure in made.remaining
    ]


def test_request_without_measures_is_executed_plainly() -> None:
    """Where the header names no measure, EXECUTE needs none and EXECUTE_PARTLY has no meaning."""
    before = requests.begin(request(None), asked=ASKED)

    assert [] == refusals(before, update(requests.EXECUTE))
    assert [procedure_pb2.OBSTACLE_KIND_ANSWER_NOT_PARTIAL] == refusals(
        before, update(requests.EXECUTE_PARTLY)
    )
    assert requests.EXECUTE_PARTLY not in requests.steps_open(before, agency=ASKED)


@pytest.mark.parametrize(
    ("step", "answers", "expected"),
    [
        (requests.EXECUTE, ALL, None),
        (requests.EXECUTE, (), "ANSWER_INCOMPLETE"),
        (requests.EXECUTE, SOME, "ANSWER_INCOMPLETE"),
        (requests.EXECUTE, (("m1", DONE_PARTLY, []), ("m2", DONE, [])), "ANSWER_INCOMPLETE"),
        (requests.EXECUTE, (("m1", LATER, []), ("m2", DONE, [])), "ANSWER_INCOMPLETE"),
        (requests.EXECUTE, (*ALL, ("m3", DONE, [])), "MEASURE_NOT_OPEN"),
        (requests.EXECUTE_PARTLY, SOME, None),
        (requests.EXECUTE_PARTLY, (("m2", DONE_PARTLY, []),), None),
        (requests.EXECUTE_PARTLY, (("m1", DONE, ["ada"]), ("m1", LATER, ["bob"])), None),
        (requests.EXECUTE_PARTLY, ALL, "ANSWER_NOT_PARTIAL"),
        (requests.EXECUTE_PARTLY, (), "ANSWER_NOT_PARTIAL"),
        (requests.EXECUTE_PARTLY, (("m1", LATER, []),), "ANSWER_NOT_PARTIAL"),
        (requests.EXECUTE_PARTLY, (("m1", DONE, ["eve"]),), "MEASURE_NOT_OPEN"),
        (requests.EXECUTE_PARTLY, (("m1", LATER, ["eve"]),), "MEASURE_NOT_OPEN"),
        (requests.EXECUTE_PARTLY, (("m2", DONE, ["ada"]),), "MEASURE_NOT_OPEN"),
    ],
)
def test_answers_fit_what_was_asked(
    step: Step, answers: tuple[Answer, ...], expected: str | None
) -> None:
    """An answer is to what was asked and is open; EXECUTE ends it, EXECUTE_PARTLY does not."""
    found = refusals(standing(), update(step, *answers))

    assert [expected] * (expected is not None) == [
        procedure_pb2.ObstacleKind.Name(kind).removeprefix("OBSTACLE_KIND_") for kind in found
    ]


def test_subjects_are_answered_one_by_one() -> None:
    """A measure goes with the last of its subjects, and nobody is answered twice."""
    first = after(standing(), update(requests.EXECUTE_PARTLY, ("m1", DONE, ["ada"])))
    second = after(first, update(requests.EXECUTE_PARTLY, ("m1", DONE, ["bob"])))

    assert [("m1", pack(["bob"])), ("m2", b"")] == [
        (measure.measure_id, measure.subjects) for measure in first.remaining
    ]
    assert ["m2"] == [measure.measure_id for measure in second.remaining]
    for left in (first, second):
        assert [procedure_pb2.OBSTACLE_KIND_MEASURE_NOT_OPEN] == refusals(
            left, update(requests.EXECUTE_PARTLY, ("m1", DONE, ["ada"]))
        )
    assert EXECUTED == after(second, update(requests.EXECUTE, ("m2", DONE, []))).state


@pytest.mark.parametrize("ground", sorted(refusal_pb2.RefusalGround.values())[1:])
def test_every_ground_has_its_step(ground: int) -> None:
    """21 goes with a postponement, 22 with conditions, every other with a refusal; no other way."""
    tried = {
        "refuse": update(requests.REFUSE, grounds=[ground]),
        "postpone": update(requests.POSTPONE, grounds=[ground], until=NOW + HOUR),
        "accept": update(requests.ACCEPT, grounds=[ground]),
        "accept conditionally": update(requests.ACCEPT, grounds=[ground], conditional=True),
        "execute": update(requests.EXECUTE, *ALL, grounds=[ground]),
        "refuse some": update(requests.EXECUTE_PARTLY, ("m1", NOT_DONE, ["ada"]), grounds=[ground]),
        "acknowledge": update(requests.ACKNOWLEDGE, grounds=[ground]),
    }
    expected = {21: {"postpone"}, 22: {"accept conditionally"}}.get(
        ground, {"refuse", "refuse some"}
    )

    found = {name: refusals(standing(), header) for name, header in tried.items()}

    assert expected == {name for name, kinds in found.items() if not kinds}
    assert {procedure_pb2.OBSTACLE_KIND_GROUND_MISPLACED} == {
        kind for kinds in found.values() for kind in kinds
    }


@pytest.mark.parametrize(
    "header",
    [
        update(requests.REFUSE),
        update(requests.EXECUTE_PARTLY, ("m1", NOT_DONE, ["ada"])),
        update(requests.EXECUTE, ("m1", NOT_DONE, []), ("m2", DONE, [])),
    ],
)
def test_refusal_needs_a_ground(header: envelope_pb2.Header) -> None:
    """Nothing is refused, in whole or in part, without saying why."""
    assert [procedure_pb2.OBSTACLE_KIND_GROUND_MISSING] == refusals(standing(), header)


@pytest.mark.parametrize("step", [requests.POSTPONE, requests.REPORT_DELAY])
@pytest.mark.parametrize("until", [None, NOW - HOUR, NOW])
def test_date_lies_ahead(step: Step, until: int | None) -> None:
    """A postponement and a delay have an end, and it is still to come."""
    assert [procedure_pb2.OBSTACLE_KIND_DATE_MISSING] == refusals(
        standing(), update(step, until=until)
    )


@pytest.mark.parametrize(
    ("hours", "asked", "late"),
    [
        (24, NOW - 24 * HOUR, False),
        (24, NOW, False),
        (24, NOW - 24 * HOUR - 1, True),
        (24, NOW + 1, True),
        (24, None, True),
        (0, NOW, True),
    ],
)
def test_oral_request_is_confirmed_in_time(hours: int, asked: int | None, *, late: bool) -> None:
    """What was asked orally is confirmed within the agreement's hours, where it knows of any."""
    header = update(requests.CONFIRM_IN_WRITING, sender=ASKING, until=asked)

    found = refusals(standing(hours=hours), header)

    assert [procedure_pb2.OBSTACLE_KIND_ORAL_REQUEST_LATE] * late == found


@pytest.mark.parametrize(
    ("state", "resumed"),
    [
        (SUBMITTED, ACKNOWLEDGED),
        (ACKNOWLEDGED, ACKNOWLEDGED),
        (ACCEPTED, ACCEPTED),
        (POSTPONED, POSTPONED),
        (PARTLY, PARTLY),
    ],
)
def test_clarification_leads_back(state: State, resumed: State) -> None:
    """Asking back, as often as needed, leads back to where the request stood."""
    asked = after(standing(state), WELL_MADE["ask"])
    again = after(asked, WELL_MADE["clarify"], WELL_MADE["ask"])
    clear = after(again, WELL_MADE["clarify"])

    assert (CLARIFICATION, resumed) == (asked.state, asked.resume_state)
    assert (CLARIFICATION, resumed) == (again.state, again.resume_state)
    assert (resumed, 0) == (clear.state, clear.resume_state)


def test_question_stays_open_while_the_rest_is_answered() -> None:
    """What is clear is answered in the meantime, and the question is still to be clarified."""
    partly = after(standing(), WELL_MADE["ask"], WELL_MADE["partly"])

    assert (CLARIFICATION, PARTLY) == (partly.state, partly.resume_state)
    assert PARTLY == after(partly, WELL_MADE["clarify"]).state
    assert EXECUTED == after(partly, update(requests.EXECUTE, *ALL)).state


def test_postponement_and_its_date() -> None:
    """The date is there while the request is postponed, a question in between included."""
    postponed = after(standing(), WELL_MADE["postpone"])
    asked = after(postponed, WELL_MADE["ask"])
    resumed = after(asked, WELL_MADE["clarify"])
    longer = after(resumed, update(requests.POSTPONE, until=NOW + 2 * HOUR))

    assert at(NOW + HOUR) == postponed.postponed_until_time == asked.postponed_until_time
    assert POSTPONED == resumed.state
    assert at(NOW + HOUR) == resumed.postponed_until_time
    assert at(NOW + 2 * HOUR) == longer.postponed_until_time
    for name in ("accept", "refuse", "partly", "execute", "withdraw"):
        assert not after(longer, WELL_MADE[name]).HasField("postponed_until_time")
    assert not after(asked, WELL_MADE["partly"]).HasField("postponed_until_time")


def test_delay_and_its_date() -> None:
    """The date expected stands until the answer comes, or until it is postponed."""
    delayed = after(standing(ACCEPTED), WELL_MADE["delay"])

    assert (ACCEPTED, at(NOW + HOUR)) == (delayed.state, delayed.expected_time)
    assert after(delayed, WELL_MADE["partly"]).HasField("expected_time")
    for name in ("postpone", "refuse", "execute", "withdraw"):
        assert not after(delayed, WELL_MADE[name]).HasField("expected_time")


def test_conditions_of_the_last_acceptance() -> None:
    """Whether there are conditions is what the last acceptance said."""
    conditional = after(standing(), update(requests.ACCEPT, conditional=True))
    postponed = after(conditional, WELL_MADE["postpone"])

    assert conditional.conditional
    assert postponed.conditional
    assert not after(postponed, WELL_MADE["accept"]).conditional


def test_refusal_answers_what_remained() -> None:
    """After some was executed, a refusal is of the rest, and nothing remains."""
    refused = after(standing(), WELL_MADE["partly"], WELL_MADE["refuse"])

    assert (REFUSED, []) == (refused.state, list(refused.remaining))


@pytest.mark.parametrize("name", ["close", "withdraw"])
def test_what_was_never_answered_stays_on_record(name: str) -> None:
    """Closing and taking back answer nothing: what remained is there to be seen."""
    partly = after(standing(), WELL_MADE["partly"])

    ended = after(partly, WELL_MADE[name])

    assert list(partly.remaining) == list(ended.remaining)
    assert ended.state in requests.FINAL_STATES


@pytest.mark.parametrize("name", ["delay", "confirm", "arrange", "arrange too"])
@pytest.mark.parametrize("state", [SUBMITTED, CLARIFICATION, POSTPONED, PARTLY])
def test_steps_that_leave_the_state(name: str, state: State) -> None:
    """A delay, a confirmation and an arrangement change neither state nor where it resumes."""
    before = standing(state)

    moved = after(before, WELL_MADE[name])

    assert (before.state, before.resume_state) == (moved.state, moved.resume_state)


def test_nobody_is_left_at_the_border() -> None:
    """While persons are on their way a request can't end; what was only agreed ends with it."""
    names = ["ada", "bob"]
    listed = {handover_pb2.HANDOVER_PERSON_STATE_LISTED: names}
    agreed = after(
        standing(ACCEPTED),
        statement(handover_pb2.HANDOVER_STAGE_PROPOSED, listed, sender=ASKED),
        statement(handover_pb2.HANDOVER_STAGE_AGREED, listed, sender=ASKING),
    )
    given = {handover_pb2.HANDOVER_PERSON_STATE_DELIVERED: ["ada"]}
    on_the_way = after(
        agreed, statement(handover_pb2.HANDOVER_STAGE_DELIVERED, given, sender=ASKED)
    )

    ended = after(agreed, WELL_MADE["withdraw"])

    assert [handover_pb2.HANDOVER_STAGE_CALLED_OFF] == [one.stage for one in ended.handovers]
    for name in ("withdraw", "refuse"):
        assert [procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE] == refusals(on_the_way, WELL_MADE[name])
        assert WELL_MADE[name].update.step not in requests.steps_open(
            on_the_way, agency=WELL_MADE[name].sender
        )


def test_advance_changes_nothing_it_was_given() -> None:
    """The standing before a step stays as it was, so that it can be recorded with the decision."""
    for header in WELL_MADE.values():
        before = standing()
        kept = before.SerializeToString(deterministic=True)

        requests.advance(before, header)

        assert kept == before.SerializeToString(deterministic=True)
