"""Hand-overs: what each side may state, and where every person then stands."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import pytest

from rogatory.assistance.v1 import handover_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import handovers, requests
from tests.support.steps import (
    ASKED,
    ASKING,
    HOUR,
    NOW,
    THIRD,
    at,
    pack,
    request,
    statement,
    tag,
    two_officers,
)

Stage: TypeAlias = handover_pb2.HandoverStage.ValueType
PersonState: TypeAlias = handover_pb2.HandoverPersonState.ValueType
Persons: TypeAlias = Mapping[PersonState, Iterable[str]]

PROPOSED = handover_pb2.HANDOVER_STAGE_PROPOSED
AGREED = handover_pb2.HANDOVER_STAGE_AGREED
DELIVERED = handover_pb2.HANDOVER_STAGE_DELIVERED
RECEIVED = handover_pb2.HANDOVER_STAGE_RECEIVED
CALLED_OFF = handover_pb2.HANDOVER_STAGE_CALLED_OFF

LISTED = handover_pb2.HANDOVER_PERSON_STATE_LISTED
PRESENT = handover_pb2.HANDOVER_PERSON_STATE_PRESENT
GIVEN = handover_pb2.HANDOVER_PERSON_STATE_DELIVERED
TAKEN = handover_pb2.HANDOVER_PERSON_STATE_RECEIVED
NOT_PRESENTED = handover_pb2.HANDOVER_PERSON_STATE_NOT_PRESENTED
NOT_ACCEPTED = handover_pb2.HANDOVER_PERSON_STATE_NOT_ACCEPTED
HELD_HEALTH = handover_pb2.HANDOVER_PERSON_STATE_HELD_BACK_HEALTH
HELD_COURT = handover_pb2.HANDOVER_PERSON_STATE_HELD_BACK_PROCEEDINGS
REMOVED = handover_pb2.HANDOVER_PERSON_STATE_REMOVED

STAGE = procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE
PERSONS = procedure_pb2.OBSTACLE_KIND_HANDOVER_PERSONS
RELEASING, RECEIVING = ASKED, ASKING
ALL = ["ada", "bob", "eve"]


def accepted() -> procedure_pb2.RequestStanding:
    """Return how a request stands that was accepted."""
    made = requests.begin(request({"m1": ALL}), asked=ASKED)
    made.state = request_pb2.REQUEST_STATE_ACCEPTED
    return made


def refusals(
    before: procedure_pb2.RequestStanding, header: envelope_pb2.Header
) -> list[procedure_pb2.ObstacleKind.ValueType]:
    """Return what stands in the way of a statement, signed by two officers."""
    found = handovers.obstacles(
        before, header, sender=header.sender, entry_time=NOW, signers=two_officers()
    )
    return [one.kind for one in found]


def after(
    before: procedure_pb2.RequestStanding, *headers: envelope_pb2.Header
) -> procedure_pb2.RequestStanding:
    """Return how a request stands after statements that nothing stands in the way of."""
    for header in headers:
        assert [] == refusals(before, header)
        before = handovers.advance(before, header)
    return before


def says(
    sender: str, stage: Stage, persons: Persons, *, when: int = NOW + HOUR
) -> envelope_pb2.Header:
    """Return a statement of one side."""
    return statement(stage, persons, sender=sender, when=when)


def places(standing: procedure_pb2.RequestStanding) -> dict[PersonState, bytes]:
    """Return the tags of the persons of the one hand-over, by where they stand."""
    (handover,) = standing.handovers
    return {group.state: group.persons for group in handover.persons}


PROPOSAL = says(RELEASING, PROPOSED, {LISTED: ALL})
AGREEMENT = says(RECEIVING, AGREED, {LISTED: ALL})


def agreed() -> procedure_pb2.RequestStanding:
    """Return how a request stands with a hand-over that is agreed."""
    return after(accepted(), PROPOSAL, AGREEMENT)


def delivered(persons: Persons | None = None) -> procedure_pb2.RequestStanding:
    """Return how it stands after the releasing side gave over all, or as said."""
    return after(agreed(), says(RELEASING, DELIVERED, persons or {GIVEN: ALL}))


def test_whole_hand_over() -> None:
    """Proposed, agreed, given over and received in rounds, until nobody is waited for."""
    first = delivered({GIVEN: ["ada", "bob"], HELD_HEALTH: ["eve"]})
    received = after(first, says(RECEIVING, RECEIVED, {TAKEN: ["ada"], NOT_ACCEPTED: ["bob"]}))
    second = after(received, says(RELEASING, DELIVERED, {GIVEN: ["bob", "eve"], TAKEN: ["ada"]}))
    done = after(second, says(RECEIVING, RECEIVED, {TAKEN: ["bob", "eve"]}))

    assert {GIVEN: pack(["ada", "bob"]), HELD_HEALTH: tag("eve")} == places(first)
    assert [DELIVERED, RECEIVED, DELIVERED, RECEIVED] == [
        standing.handovers[0].stage for standing in (first, received, second, done)
    ]
    assert {TAKEN: pack(ALL)} == places(done)
    assert [False, True, False, True] == [
        handovers.is_complete(standing.handovers[0]) for standing in (first, received, second, done)
    ]
    assert [True, False, True, False] == [
        handovers.under_way(standing) is not None for standing in (first, received, second, done)
    ]
    assert {TAKEN: 1, NOT_ACCEPTED: 1, HELD_HEALTH: 1} == handovers.progress(received.handovers[0])


def test_proposal_goes_back_and_forth() -> None:
    """Either side may propose anew; whoever is listed no longer is off the list, never lost."""
    first = after(accepted(), PROPOSAL)
    counter = says(RECEIVING, PROPOSED, {LISTED: ["ada", "zoe"]}, when=NOW + 2 * HOUR)
    second = after(first, counter)
    third = after(second, says(RELEASING, AGREED, {LISTED: ["ada", "zoe"]}, when=NOW + 2 * HOUR))

    assert RELEASING == first.handovers[0].proposing_agency
    assert RECEIVING == second.handovers[0].proposing_agency
    assert at(NOW + 2 * HOUR) == second.handovers[0].handover_time
    assert "" == third.handovers[0].proposing_agency
    expected = {LISTED: pack(["ada", "zoe"]), REMOVED: pack(["bob", "eve"])}
    assert expected == places(second) == places(third)


def test_new_proposal_undoes_the_agreement() -> None:
    """What was agreed can be put off or changed until somebody is delivered, and is agreed anew."""
    later = says(RECEIVING, PROPOSED, {LISTED: ALL}, when=NOW + 9 * HOUR)

    proposed = after(agreed(), later)

    assert PROPOSED == proposed.handovers[0].stage
    assert [STAGE] == refusals(proposed, says(RELEASING, DELIVERED, {GIVEN: ALL}))
    assert [STAGE] == refusals(delivered(), later)


@pytest.mark.parametrize(
    "header",
    [
        says(RELEASING, AGREED, {LISTED: ALL}),
        says(RECEIVING, AGREED, {LISTED: ALL}, when=NOW + 2 * HOUR),
        says(RECEIVING, RECEIVED, {LISTED: ALL}),
        says(RELEASING, DELIVERED, {GIVEN: ALL}),
        says(RECEIVING, DELIVERED, {GIVEN: ALL}),
        statement(PROPOSED, {LISTED: ALL}, sender=RELEASING, releasing=ASKING, receiving=ASKED),
    ],
)
def test_statement_out_of_turn(header: envelope_pb2.Header) -> None:
    """A proposal is agreed by the other side, as it is; nobody is delivered before that."""
    assert [STAGE] == refusals(after(accepted(), PROPOSAL), header)


@pytest.mark.parametrize("stage", [AGREED, DELIVERED, RECEIVED, CALLED_OFF])
def test_begins_with_a_proposal(stage: Stage) -> None:
    """Of a hand-over that nobody has proposed, nothing else can be said."""
    assert [STAGE] == refusals(accepted(), says(RELEASING, stage, {LISTED: ALL}))


@pytest.mark.parametrize(
    ("releasing", "receiving"),
    [(ASKED, THIRD), (THIRD, ASKING), (ASKED, ASKED), (ASKING, ASKING)],
)
def test_hand_over_is_between_the_parties(releasing: str, receiving: str) -> None:
    """The two sides are the parties of the request, in either direction."""
    wrong = statement(
        PROPOSED, {LISTED: ALL}, sender=ASKED, releasing=releasing, receiving=receiving
    )
    right = statement(PROPOSED, {LISTED: ALL}, sender=ASKED, releasing=ASKING, receiving=ASKED)

    assert [STAGE] == refusals(accepted(), wrong)
    assert [] == refusals(accepted(), right)


@pytest.mark.parametrize(
    "persons",
    [
        {LISTED: ["ada", "bob"]},
        {LISTED: [*ALL, "zoe"]},
        {LISTED: ["ada", "bob"], REMOVED: ["eve"]},
        {GIVEN: ALL},
    ],
)
def test_agreement_is_to_the_same_list(persons: Persons) -> None:
    """Who agrees names the persons proposed: none less, none more, none elsewhere."""
    assert [PERSONS] == refusals(after(accepted(), PROPOSAL), says(RECEIVING, AGREED, persons))


@pytest.mark.parametrize(
    ("sender", "persons"),
    [
        (RECEIVING, {HELD_COURT: ["ada"], LISTED: ["bob"]}),
        (RELEASING, {GIVEN: ["ada"], LISTED: ["bob"]}),
        (RELEASING, {REMOVED: ALL}),
        (RELEASING, {LISTED: ALL, REMOVED: ["zoe"]}),
        (RELEASING, {LISTED: ALL, HELD_HEALTH: ["zoe"]}),
        (RELEASING, {LISTED: ALL, REMOVED: ["ada"]}),
    ],
)
def test_proposals_that_do_not_follow(sender: str, persons: Persons) -> None:
    """A proposal lists somebody; only the releasing side holds back, and only who was listed."""
    assert [PERSONS] == refusals(after(accepted(), PROPOSAL), says(sender, PROPOSED, persons))


@pytest.mark.parametrize("source", [LISTED, PRESENT, NOT_PRESENTED, HELD_HEALTH, HELD_COURT])
@pytest.mark.parametrize(
    "target", [PRESENT, GIVEN, NOT_PRESENTED, HELD_HEALTH, HELD_COURT, REMOVED]
)
def test_what_the_releasing_side_may_state(source: PersonState, target: PersonState) -> None:
    """Whoever was not given over yet can still be, or be held back, or be taken off the list."""
    before = agreed() if source == LISTED else delivered({source: ["ada"]})

    found = refusals(before, says(RELEASING, DELIVERED, {target: ["ada"]}))

    assert [PERSONS] * (source == target) == found


@pytest.mark.parametrize(
    ("sender", "stage", "persons"),
    [
        (RELEASING, DELIVERED, {TAKEN: ["ada"]}),
        (RELEASING, DELIVERED, {NOT_ACCEPTED: ["ada"]}),
        (RELEASING, DELIVERED, {HELD_HEALTH: ["ada"]}),
        (RELEASING, DELIVERED, {GIVEN: ["zoe"]}),
        (RELEASING, DELIVERED, {LISTED: ["ada"]}),
        (RELEASING, DELIVERED, {GIVEN: ["ada", "bob"], LISTED: ["eve"]}),
        (RECEIVING, RECEIVED, {TAKEN: ["eve"]}),
        (RECEIVING, RECEIVED, {TAKEN: ["zoe"]}),
        (RECEIVING, RECEIVED, {REMOVED: ["ada"]}),
        (RECEIVING, RECEIVED, {GIVEN: ["ada"]}),
        (RECEIVING, RECEIVED, {TAKEN: ["ada"], NOT_ACCEPTED: ["ada"]}),
    ],
)
def test_persons_who_cannot_stand_there(sender: str, stage: Stage, persons: Persons) -> None:
    """Each side states what it did itself, of who is on the list; a statement moves somebody."""
    before = delivered({GIVEN: ["ada", "bob"]})

    assert [PERSONS] == refusals(before, says(sender, stage, persons))


def test_received_is_the_end() -> None:
    """Whoever was received, or taken off the list after the first delivery, stays there."""
    before = after(
        delivered({GIVEN: ["ada"], REMOVED: ["bob"]}), says(RECEIVING, RECEIVED, {TAKEN: ["ada"]})
    )

    for name in ("ada", "bob"):
        for state in (PRESENT, GIVEN, NOT_PRESENTED, HELD_COURT):
            assert [PERSONS] == refusals(before, says(RELEASING, DELIVERED, {state: [name]}))


@pytest.mark.parametrize("sender", [RELEASING, RECEIVING])
def test_calling_off(sender: str) -> None:
    """Either side may call it off before anybody is delivered; then it is over."""
    off = says(sender, CALLED_OFF, {LISTED: ["ada"], REMOVED: ["bob"]}, when=NOW)

    ended = after(agreed(), off)

    assert (CALLED_OFF, at(NOW + HOUR)) == (
        ended.handovers[0].stage,
        ended.handovers[0].handover_time,
    )
    assert {LISTED: pack(["ada", "eve"]), REMOVED: tag("bob")} == places(ended)
    assert [STAGE] == refusals(delivered(), off)
    for header in (PROPOSAL, AGREEMENT, off, says(RELEASING, DELIVERED, {GIVEN: ALL})):
        assert [STAGE] == refusals(ended, header)


@pytest.mark.parametrize(
    ("state", "resumed", "expected"),
    [
        (request_pb2.REQUEST_STATE_SUBMITTED, None, [STAGE]),
        (request_pb2.REQUEST_STATE_POSTPONED, None, [STAGE]),
        (request_pb2.REQUEST_STATE_CLARIFICATION, request_pb2.REQUEST_STATE_ACKNOWLEDGED, [STAGE]),
        (request_pb2.REQUEST_STATE_CLARIFICATION, request_pb2.REQUEST_STATE_ACCEPTED, []),
        (request_pb2.REQUEST_STATE_PARTLY_EXECUTED, None, []),
        (request_pb2.REQUEST_STATE_EXECUTED, None, []),
    ],
)
def test_nobody_is_delivered_before_acceptance(
    state: request_pb2.RequestState.ValueType,
    resumed: request_pb2.RequestState.ValueType | None,
    expected: list[procedure_pb2.ObstacleKind.ValueType],
) -> None:
    """A hand-over can be prepared at any time; persons move once the request is accepted."""
    before = agreed()
    before.state = state
    before.resume_state = resumed or request_pb2.REQUEST_STATE_UNSPECIFIED

    assert expected == refusals(before, says(RELEASING, DELIVERED, {GIVEN: ALL}))
    assert [] == refusals(before, PROPOSAL)


@pytest.mark.parametrize("signers", [two_officers()[:1], two_officers()[1:], []])
def test_two_officers_sign(signers: list[decision_pb2.SignerStanding]) -> None:
    """Every statement is signed by one officer and approved by another."""
    found = handovers.obstacles(
        after(accepted(), PROPOSAL), AGREEMENT, sender=RECEIVING, entry_time=NOW, signers=signers
    )

    assert [(procedure_pb2.OBSTACLE_KIND_FOUR_EYES, PROPOSED)] == [
        (one.kind, one.handover_stage) for one in found
    ]


def test_proposal_lies_ahead() -> None:
    """Nobody proposes a time that has passed."""
    late = says(RELEASING, PROPOSED, {LISTED: ALL}, when=NOW)

    assert [procedure_pb2.OBSTACLE_KIND_DATE_MISSING] == refusals(accepted(), late)


def test_hand_overs_of_one_request_have_a_limit() -> None:
    """A request has so many hand-overs as its standing can hold, and each so many persons."""
    full = accepted()
    for number in range(handovers.MAX_HANDOVERS):
        named = statement(PROPOSED, {LISTED: ALL}, sender=ASKED, name=f"number {number}")
        full = after(full, named)
    crowd = [f"person {number}" for number in range(handovers.MAX_PERSONS)]
    crowded = after(accepted(), says(RELEASING, PROPOSED, {LISTED: crowd}))

    assert [STAGE] == refusals(full, PROPOSAL)
    assert [PERSONS] == refusals(crowded, says(RELEASING, PROPOSED, {LISTED: ALL}))
    assert [] == refusals(crowded, says(RELEASING, PROPOSED, {LISTED: crowd[:5]}))


def test_hand_overs_of_a_request_name_so_many_together() -> None:
    """Each decision on a later step states them all, and has room for no more."""
    crowds = [
        statement(
            PROPOSED,
            {LISTED: [f"person {number} {each}" for each in range(handovers.MAX_PERSONS)]},
            sender=ASKED,
            name=f"number {number}",
        )
        for number in range(handovers.MAX_PERSONS_TOGETHER // handovers.MAX_PERSONS)
    ]
    standing = functools.reduce(after, crowds, accepted())

    assert [PERSONS] == refusals(standing, PROPOSAL)
    assert [] == refusals(standing, crowds[0])


def test_statement_belongs_to_an_arrangement() -> None:
    """A hand-over is stated with the step ARRANGE and no other."""
    header = envelope_pb2.Header()
    header.CopyFrom(PROPOSAL)
    header.kind = codes_pb2.KIND_UPDATE
    header.update.step = request_pb2.REQUEST_STEP_ACCEPT

    assert [STAGE] == refusals(accepted(), header)
