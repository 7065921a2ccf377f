"""Hand-overs: persons from one agency to another at a border, followed one by one until received.

Each statement on a hand-over is an UPDATE with the step ARRANGE, by one of the two parties of a
request, signed by two of its officers. Its header tells where every person it names then stands.

=============  ============================  =====================================================
statement      by whom, and when             what becomes of the persons
=============  ============================  =====================================================
PROPOSED       either, until the first is    listed; held back, by the releasing side; whoever was
               delivered; what was agreed    listed and no longer is counts as taken off the list
               falls with a new proposal
AGREED         the other than who proposed   nothing: the same list and the same time
DELIVERED      the releasing side, after     present, given over, not presented, held back or
               AGREED, as often as needed    taken off the list
RECEIVED       the receiving side, of who    received, or not accepted: then the releasing side
               was given over                may present the person again
CALLED_OFF     either, until the first is    nothing, or taken off the list
               delivered; final
=============  ============================  =====================================================

A statement may name some persons or all: whom it does not name stays where it stands, and naming
somebody as it stands already says nothing new. No person is added after the first delivery.
Persons can be delivered once the asked agency has accepted the request or begun to execute it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from rogatory.assistance.v1 import handover_pb2, request_pb2
from rogatory.clock import to_nanoseconds
from rogatory.exchange.v1 import decision_pb2, envelope_pb2, procedure_pb2
from rogatory.officers import four_eyes
from rogatory.procedures import tags

Stage: TypeAlias = handover_pb2.HandoverStage.ValueType
PersonState: TypeAlias = handover_pb2.HandoverPersonState.ValueType

MAX_HANDOVERS = 16
"""Hand-overs of one request (`RequestStanding.handovers`)."""
MAX_PERSONS = 1000
"""Persons that a hand-over ever names, those taken off the list included (`Handover.persons`)."""
MAX_PERSONS_TOGETHER = 4000
"""Persons of all hand-overs of a request: every decision on one of its steps names them all."""

_PROPOSED = handover_pb2.HANDOVER_STAGE_PROPOSED
_AGREED = handover_pb2.HANDOVER_STAGE_AGREED
_DELIVERED = handover_pb2.HANDOVER_STAGE_DELIVERED
_RECEIVED = handover_pb2.HANDOVER_STAGE_RECEIVED
_CALLED_OFF = handover_pb2.HANDOVER_STAGE_CALLED_OFF

_UNKNOWN = handover_pb2.HANDOVER_PERSON_STATE_UNSPECIFIED
_LISTED = handover_pb2.HANDOVER_PERSON_STATE_LISTED
_PRESENT = handover_pb2.HANDOVER_PERSON_STATE_PRESENT
_GIVEN = handover_pb2.HANDOVER_PERSON_STATE_DELIVERED
_TAKEN = handover_pb2.HANDOVER_PERSON_STATE_RECEIVED
_NOT_PRESENTED = handover_pb2.HANDOVER_PERSON_STATE_NOT_PRESENTED
_NOT_ACCEPTED = handover_pb2.HANDOVER_PERSON_STATE_NOT_ACCEPTED
_REMOVED = handover_pb2.HANDOVER_PERSON_STATE_REMOVED
_HELD = frozenset(
    {
        handover_pb2.HANDOVER_PERSON_STATE_HELD_BACK_HEALTH,
        handover_pb2.HANDOVER_PERSON_STATE_HELD_BACK_PROCEEDINGS,
    }
)

AWAITED_STATES = frozenset({_LISTED, _PRESENT, _GIVEN})
"""States in which a person is still to be given over or received."""

_NEXT_STAGES: Mapping[Stage, frozenset[Stage]] = MappingProxyType(
    {
        handover_pb2.HANDOVER_STAGE_UNSPECIFIED: frozenset({_PROPOSED}),
        _PROPOSED: frozenset({_PROPOSED, _AGREED, _CALLED_OFF}),
        _AGREED: frozenset({_PROPOSED, _DELIVERED, _CALLED_OFF}),
        _DELIVERED: frozenset({_DELIVERED, _RECEIVED}),
        _RECEIVED: frozenset({_DELIVERED, _RECEIVED}),
        _CALLED_OFF: frozenset(),
    }
)
"""Statements that may follow one; UNSPECIFIED stands for a hand-over not heard of yet."""

_Moves: TypeAlias = frozenset[tuple[PersonState, PersonState]]


def _moves(sources: Iterable[PersonState], targets: Iterable[PersonState]) -> _Moves:
    reached = list(targets)
    return frozenset((source, target) for source in sources for target in reached)


_AWAY = {_NOT_PRESENTED, _NOT_ACCEPTED, *_HELD}
"""Not given over now; may be later."""
_PROPOSING = _moves({_UNKNOWN, _REMOVED, *_HELD}, {_LISTED}) | _moves({_LISTED, *_HELD}, {_REMOVED})
_MOVES: Mapping[tuple[Stage, bool], _Moves] = MappingProxyType(
    {
        # By (statement, whether it is the releasing side's).
        (_PROPOSED, True): _PROPOSING | _moves({_LISTED, *_HELD}, _HELD),
        (_PROPOSED, False): _PROPOSING,
        (_AGREED, True): frozenset(),
        (_AGREED, False): frozenset(),
        (_DELIVERED, True): _moves(
            {_LISTED, _PRESENT, *_AWAY}, {_GIVEN, _NOT_PRESENTED, _REMOVED, *_HELD}
        )
        | _moves({_LISTED, *_AWAY}, {_PRESENT}),
        (_RECEIVED, False): _moves({_GIVEN}, {_TAKEN, _NOT_ACCEPTED}),
        (_CALLED_OFF, True): _moves({_LISTED, *_HELD}, {_REMOVED}),
        (_CALLED_OFF, False): _moves({_LISTED, *_HELD}, {_REMOVED}),
    }
)
"""(from, to) of persons; what is not here, and does not stay as it is, can't be stated."""


def obstacles(
    standing: procedure_pb2.RequestStanding,
    header: envelope_pb2.Header,
    *,
    sender: str,
    entry_time: int,
    signers: Sequence[decision_pb2.SignerStanding],
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way of a statement on a hand-over; empty: nothing.

    Args:
        standing: The request that it executes, before this step.
        header: Header of the UPDATE, with ``update.handover``.
        sender: The party that states it.
        entry_time: Nanoseconds since the Unix epoch. A proposal names a time after it.
        signers: Who signed it, as the directory knew them.
    """
    said = header.update.handover
    known = _known(standing, said.handover_id)
    kinds = []
    if not _stage_follows(standing, known, header, sender):
        kinds.append(procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE)
    elif not (
        _persons_follow(known, said, releases=sender == said.releasing_agency)
        and _fits(standing, said)
    ):
        kinds.append(procedure_pb2.OBSTACLE_KIND_HANDOVER_PERSONS)
    elif said.stage == _PROPOSED and to_nanoseconds(said.handover_time) <= entry_time:
        kinds.append(procedure_pb2.OBSTACLE_KIND_DATE_MISSING)
    if not four_eyes(signers):
        kinds.append(procedure_pb2.OBSTACLE_KIND_FOUR_EYES)
    return [
        procedure_pb2.Obstacle(kind=kind, state=standing.state, handover_stage=known.stage)
        for kind in kinds
    ]


def advance(
    standing: procedure_pb2.RequestStanding, header: envelope_pb2.Header
) -> procedure_pb2.RequestStanding:
    """Return how a request stands after a statement that nothing stood in the way of.

    Args:
        standing: The request before it; not changed.
        header: Header of the UPDATE, with ``update.handover``.
    """
    after = procedure_pb2.RequestStanding()
    after.CopyFrom(standing)
    said = header.update.handover
    entry = next((one for one in after.handovers if one.handover_id == said.handover_id), None)
    if entry is None:
        entry = after.handovers.add(
            handover_id=said.handover_id,
            releasing_agency=said.releasing_agency,
            receiving_agency=said.receiving_agency,
        )
    places, stated = _places(entry.persons), _places(said.persons)
    if said.stage == _PROPOSED:
        off = {tag: _REMOVED for tag, state in places.items() if state == _LISTED}
        places = {**places, **off}
    entry.proposing_agency = header.sender if said.stage == _PROPOSED else ""
    entry.stage = said.stage
    if said.stage != _CALLED_OFF:
        entry.handover_time.CopyFrom(said.handover_time)
    _put(entry, {**places, **stated})
    return after


def call_off(standing: procedure_pb2.RequestStanding) -> None:
    """End, in place, the hand-overs of a request that ends before anybody was delivered."""
    for handover in standing.handovers:
        if handover.stage in {_PROPOSED, _AGREED}:
            handover.stage = _CALLED_OFF
            handover.proposing_agency = ""


def under_way(
    standing: procedure_pb2.RequestStanding,
) -> procedure_pb2.HandoverStanding | None:
    """Return a hand-over with persons who were given over and not received; None: there is none."""
    for handover in standing.handovers:
        if any(group.state == _GIVEN for group in handover.persons):
            return handover
    return None


def progress(handover: procedure_pb2.HandoverStanding) -> dict[int, int]:
    """Return how many persons stand in each ``HandoverPersonState`` that occurs, ascending."""
    counts = Counter(_places(handover.persons).values())
    return dict(sorted(counts.items()))


def is_complete(handover: procedure_pb2.HandoverStanding) -> bool:
    """Say whether persons were delivered and nobody is waited for any more.

    Who was held back, not presented or not accepted may still be delivered later.
    """
    return handover.stage in {_DELIVERED, _RECEIVED} and AWAITED_STATES.isdisjoint(
        progress(handover)
    )


def _known(
    standing: procedure_pb2.RequestStanding, handover_id: str
) -> procedure_pb2.HandoverStanding:
    for handover in standing.handovers:
        if handover.handover_id == handover_id:
            return handover
    return procedure_pb2.HandoverStanding()


def _stage_follows(
    standing: procedure_pb2.RequestStanding,
    known: procedure_pb2.HandoverStanding,
    header: envelope_pb2.Header,
    sender: str,
) -> bool:
    """Say whether the statement may be made now, and by this party."""
    said = header.update.handover
    sides = (said.releasing_agency, said.receiving_agency)
    if known.handover_id:
        same = sides == (known.releasing_agency, known.receiving_agency)
    else:
        parties = [standing.asking_agency, standing.asked_agency]
        same = sorted(sides) == sorted(parties) and len(standing.handovers) < MAX_HANDOVERS
    if (
        not same
        or header.update.step != request_pb2.REQUEST_STEP_ARRANGE
        or said.stage not in _NEXT_STAGES.get(known.stage, ())
        or (said.stage, sender == said.releasing_agency) not in _MOVES
    ):
        return False
    if said.stage == _AGREED:
        return sender != known.proposing_agency and said.handover_time == known.handover_time
    return said.stage != _DELIVERED or _is_accepted(standing)


def _is_accepted(standing: procedure_pb2.RequestStanding) -> bool:
    return (standing.resume_state or standing.state) in {
        request_pb2.REQUEST_STATE_ACCEPTED,
        request_pb2.REQUEST_STATE_PARTLY_EXECUTED,
        request_pb2.REQUEST_STATE_EXECUTED,
    }


def _persons_follow(
    known: procedure_pb2.HandoverStanding,
    said: envelope_pb2.HandoverParticulars,
    *,
    releases: bool,
) -> bool:
    """Say whether every person stated may come to stand there, and whether the list is whole."""
    before, stated = _places(known.persons), _places(said.persons)
    named = sum(len(tags.unpack(group.persons)) for group in said.persons)
    if named != len(stated) or len(before.keys() | stated.keys()) > MAX_PERSONS:
        return False
    moved = {
        (before.get(tag, _UNKNOWN), state)
        for tag, state in stated.items()
        if before.get(tag) != state
    }
    if not moved <= _MOVES[said.stage, releases]:
        return False
    if said.stage == _PROPOSED:
        return _LISTED in stated.values()
    if said.stage == _AGREED:
        return _listed(stated) == _listed(before)
    return bool(moved) or said.stage == _CALLED_OFF


def _fits(standing: procedure_pb2.RequestStanding, said: envelope_pb2.HandoverParticulars) -> bool:
    """Say whether a request can hold the persons of all its hand-overs."""
    persons = {one.handover_id: set(_places(one.persons)) for one in standing.handovers}
    persons.setdefault(said.handover_id, set()).update(_places(said.persons))
    return sum(map(len, persons.values())) <= MAX_PERSONS_TOGETHER


def _listed(places: Mapping[bytes, PersonState]) -> frozenset[bytes]:
    return frozenset([tag for tag, state in places.items() if state == _LISTED])


def _places(groups: Iterable[envelope_pb2.HandoverPersons]) -> dict[bytes, PersonState]:
    """Return where each person stands, by tag."""
    return {tag: group.state for group in groups for tag in tags.unpack(group.persons)}


def _put(entry: procedure_pb2.HandoverStanding, places: Mapping[bytes, PersonState]) -> None:
    by_state: dict[PersonState, list[bytes]] = {}
    for tag, state in places.items():
        by_state.setdefault(state, []).append(tag)
    del entry.persons[:]
    for state, members in sorted(by_state.items()):
        entry.persons.add(state=state, persons=tags.pack(members))
