"""Requests: the life of a request for assistance, as a state machine of its signed steps.

A request lives once for each agency asked. Its standing follows from the headers of the REQUEST and
of the UPDATEs admitted since, and from nothing else: parts may be sealed, withheld or erased.

========================  ==========================================  =========================
state                     the asked agency may                        the asking agency may
========================  ==========================================  =========================
SUBMITTED                 acknowledge, ask, accept, refuse, postpone, withdraw
                          execute, partly or all
ACKNOWLEDGED              the same, but acknowledge                   withdraw
CLARIFICATION             refuse, execute, partly or all              clarify, withdraw
ACCEPTED                  ask, refuse, postpone, execute, partly or   withdraw
                          all
POSTPONED                 ask, accept, refuse, postpone again,        withdraw
                          execute, partly or all
PARTLY_EXECUTED           ask, refuse the rest, postpone the rest,    close without the rest,
                          execute, partly or all                      withdraw
EXECUTED                  nothing more                                close
REFUSED, CLOSED,          nothing: these are final                    nothing
WITHDRAWN
========================  ==========================================  =========================

Beside these, until the end: REPORT_DELAY by the asked agency until it has executed,
CONFIRM_IN_WRITING by the asking one, ARRANGE by either. They leave the state as it is.

- Asking back says that the request was received: from SUBMITTED it leads back to ACKNOWLEDGED.
- What is clear may be answered while a question is open: EXECUTE_PARTLY then leaves the question
  open. EXECUTE and REFUSE leave nothing to be clarified.
- Whoever is given over at a border must be received: while persons are on their way, a request
  can't be refused, withdrawn or closed. A hand-over not begun ends with the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_pb2
from rogatory.clock import NANOSECONDS_PER_SECOND, to_nanoseconds
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import handovers, tags

State: TypeAlias = request_pb2.RequestState.ValueType
Step: TypeAlias = request_pb2.RequestStep.ValueType

NANOSECONDS_PER_HOUR = 3600 * NANOSECONDS_PER_SECOND

_SUBMITTED = request_pb2.REQUEST_STATE_SUBMITTED
_ACKNOWLEDGED = request_pb2.REQUEST_STATE_ACKNOWLEDGED
_CLARIFICATION = request_pb2.REQUEST_STATE_CLARIFICATION
_ACCEPTED = request_pb2.REQUEST_STATE_ACCEPTED
_REFUSED = request_pb2.REQUEST_STATE_REFUSED
_POSTPONED = request_pb2.REQUEST_STATE_POSTPONED
_PARTLY = request_pb2.REQUEST_STATE_PARTLY_EXECUTED
_EXECUTED = request_pb2.REQUEST_STATE_EXECUTED
_CLOSED = request_pb2.REQUEST_STATE_CLOSED
_WITHDRAWN = request_pb2.REQUEST_STATE_WITHDRAWN

ACKNOWLEDGE = request_pb2.REQUEST_STEP_ACKNOWLEDGE
ASK_CLARIFICATION = request_pb2.REQUEST_STEP_ASK_CLARIFICATION
CLARIFY = request_pb2.REQUEST_STEP_CLARIFY
ACCEPT = request_pb2.REQUEST_STEP_ACCEPT
REFUSE = request_pb2.REQUEST_STEP_REFUSE
POSTPONE = request_pb2.REQUEST_STEP_POSTPONE
EXECUTE_PARTLY = request_pb2.REQUEST_STEP_EXECUTE_PARTLY
EXECUTE = request_pb2.REQUEST_STEP_EXECUTE
CLOSE = request_pb2.REQUEST_STEP_CLOSE
WITHDRAW = request_pb2.REQUEST_STEP_WITHDRAW
REPORT_DELAY = request_pb2.REQUEST_STEP_REPORT_DELAY
CONFIRM_IN_WRITING = request_pb2.REQUEST_STEP_CONFIRM_IN_WRITING
ARRANGE = request_pb2.REQUEST_STEP_ARRANGE

FINAL_STATES = frozenset({_REFUSED, _CLOSED, _WITHDRAWN})
"""States in which nobody may take a step any more."""

FINAL_OUTCOMES = frozenset(
    {
        answer_pb2.MEASURE_OUTCOME_EXECUTED,
        answer_pb2.MEASURE_OUTCOME_EXECUTED_WITHOUT_RESULT,
        answer_pb2.MEASURE_OUTCOME_REPLACED,
        answer_pb2.MEASURE_OUTCOME_REFUSED,
        answer_pb2.MEASURE_OUTCOME_IMPOSSIBLE,
    }
)
"""Outcomes after which nothing more comes for a measure or subject."""

REFUSING_GROUNDS = frozenset(refusal_pb2.RefusalGround.values()) - {
    refusal_pb2.REFUSAL_GROUND_UNSPECIFIED,
    refusal_pb2.REFUSAL_GROUND_POSTPONED,
    refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS,
}
"""Grounds on which a request, or some of it, may be refused."""

_BY_ASKED = frozenset(
    {
        ACKNOWLEDGE,
        ASK_CLARIFICATION,
        ACCEPT,
        REFUSE,
        POSTPONE,
        EXECUTE_PARTLY,
        EXECUTE,
        REPORT_DELAY,
        ARRANGE,
    }
)
_BY_ASKING = frozenset({CLARIFY, CLOSE, WITHDRAW, CONFIRM_IN_WRITING, ARRANGE})
_ANSWERING = frozenset({EXECUTE_PARTLY, EXECUTE})
_ENDING = frozenset({REFUSE, CLOSE, WITHDRAW})

_ALWAYS = frozenset({REPORT_DELAY, CONFIRM_IN_WRITING, ARRANGE, WITHDRAW, REFUSE}) | _ANSWERING
"""Steps open in every state before EXECUTED."""
_OPEN: Mapping[State, frozenset[Step]] = MappingProxyType(
    {
        _SUBMITTED: _ALWAYS | {ACKNOWLEDGE, ASK_CLARIFICATION, ACCEPT, POSTPONE},
        _ACKNOWLEDGED: _ALWAYS | {ASK_CLARIFICATION, ACCEPT, POSTPONE},
        _CLARIFICATION: _ALWAYS | {CLARIFY},
        _ACCEPTED: _ALWAYS | {ASK_CLARIFICATION, POSTPONE},
        _POSTPONED: _ALWAYS | {ASK_CLARIFICATION, ACCEPT, POSTPONE},
        _PARTLY: _ALWAYS | {ASK_CLARIFICATION, POSTPONE, CLOSE},
        _EXECUTED: frozenset({CLOSE, CONFIRM_IN_WRITING, ARRANGE}),
    }
)
_LEADS_TO: Mapping[Step, State] = MappingProxyType(
    {
        ACKNOWLEDGE: _ACKNOWLEDGED,
        ASK_CLARIFICATION: _CLARIFICATION,
        ACCEPT: _ACCEPTED,
        REFUSE: _REFUSED,
        POSTPONE: _POSTPONED,
        EXECUTE_PARTLY: _PARTLY,
        EXECUTE: _EXECUTED,
        CLOSE: _CLOSED,
        WITHDRAW: _WITHDRAWN,
    }
)
"""State after a step; CLARIFY leads back, and what is not here leaves the state."""


def begin(
    header: envelope_pb2.Header, *, asked: str, confirm_in_writing_within_hours: int = 0
) -> procedure_pb2.RequestStanding:
    """Return how a request stands when it is admitted.

    Args:
        header: Header of a REQUEST.
        asked: Agency id of the recipient that this life of the request is towards.
        confirm_in_writing_within_hours: The agreement's term for confirming in writing what was
            asked orally; 0: oral requests are not accepted.
    """
    asked_for: dict[str, frozenset[bytes]] = {}
    for measure in _measures(header, codes_pb2.PART_CATEGORY_REQUEST):
        subjects = tags.unpack(measure.subjects)
        known = asked_for.get(measure.measure_id, subjects)
        # No subjects means the measure as a whole: nobody can be left out of it again.
        asked_for[measure.measure_id] = known | subjects if known and subjects else frozenset()
    return procedure_pb2.RequestStanding(
        asking_agency=header.sender,
        asked_agency=asked,
        assistance_kind=header.request.assistance_kind,
        state=_SUBMITTED,
        remaining=_facts_of(asked_for),
        confirm_in_writing_within_hours=confirm_in_writing_within_hours,
    )


def steps_open(standing: procedure_pb2.RequestStanding, *, agency: str) -> tuple[int, ...]:
    """Return the ``RequestStep`` numbers that an agency may take now, ascending.

    A step that could only be refused is left out: EXECUTE_PARTLY where no measure remains,
    CONFIRM_IN_WRITING where oral requests are not accepted. Of strangers' there are none.
    """
    found = _OPEN.get(standing.state, frozenset()) & _steps_of(standing, agency)
    if not standing.remaining:
        found -= {EXECUTE_PARTLY}
    if not standing.confirm_in_writing_within_hours:
        found -= {CONFIRM_IN_WRITING}
    if handovers.under_way(standing) is not None:
        found -= _ENDING
    return tuple(sorted(found))


def obstacles(
    standing: procedure_pb2.RequestStanding | None,
    header: envelope_pb2.Header,
    *,
    sender: str,
    recipient: str,
    entry_time: int,
    signers: Sequence[decision_pb2.SignerStanding],
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way of an UPDATE, whatever the agreement says; empty: nothing.

    Args:
        standing: The request between the two, before this step; None: there is none.
        header: Header of the UPDATE.
        sender: Agency that takes the step.
        recipient: Agency that it is told.
        entry_time: Nanoseconds since the Unix epoch.
        signers: Who signed it, as the directory knew them.
    """
    # (1) There is such a request, between these two.
    if standing is None or {sender, recipient} != {standing.asking_agency, standing.asked_agency}:
        return [procedure_pb2.Obstacle(kind=procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN)]
    update = header.update
    step = update.step

    def obstacle(kind: procedure_pb2.ObstacleKind.ValueType) -> procedure_pb2.Obstacle:
        return procedure_pb2.Obstacle(kind=kind, state=standing.state)

    # (2) The step is this party's.
    if step not in _steps_of(standing, sender):
        found = obstacle(procedure_pb2.OBSTACLE_KIND_WRONG_PARTY)
        found.steps.extend(steps_open(standing, agency=sender))  # type: ignore[arg-type]  # numbers of the enum
        found.agency = recipient
        return [found]
    # (3) The state allows it.
    if step not in _OPEN.get(standing.state, frozenset()):
        found = obstacle(procedure_pb2.OBSTACLE_KIND_WRONG_STATE)
        found.steps.extend(steps_open(standing, agency=sender))  # type: ignore[arg-type]  # numbers of the enum
        return [found]
    # (4) Nobody is left between two borders.
    travelling = handovers.under_way(standing)
    if step in _ENDING and travelling is not None:
        found = obstacle(procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE)
        found.steps.extend(steps_open(standing, agency=sender))  # type: ignore[arg-type]  # numbers of the enum
        found.handover_stage = travelling.stage
        return [found]
    # (5) What it says goes with the step: measures, grounds, dates.
    kinds = [
        *(_measure_faults(standing, header) if step in _ANSWERING else ()),
        *_ground_faults(header),
        *_date_faults(standing, update, entry_time),
    ]
    listed = [obstacle(kind) for kind in kinds]
    # (6) A statement on a hand-over follows from the last.
    if update.HasField("handover"):
        listed += handovers.obstacles(
            standing, header, sender=sender, entry_time=entry_time, signers=signers
        )
    return listed


def advance(
    standing: procedure_pb2.RequestStanding, header: envelope_pb2.Header
) -> procedure_pb2.RequestStanding:
    """Return how a request stands after an UPDATE that nothing stood in the way of.

    Args:
        standing: The request before the step; not changed.
        header: Header of the UPDATE.
    """
    update = header.update
    step = update.step
    after = procedure_pb2.RequestStanding()
    after.CopyFrom(standing)
    if step == ARRANGE and update.HasField("handover"):
        return handovers.advance(standing, header)
    _move(after, step)
    if step in _ANSWERING:
        left = _left(_remaining(standing), _answers(header))
        del after.remaining[:]
        after.remaining.extend(_facts_of(left))
    elif step == ACCEPT:
        after.conditional = update.conditional
    elif step == POSTPONE:
        after.postponed_until_time.CopyFrom(update.postponed_until_time)
        after.ClearField("expected_time")
    elif step == REPORT_DELAY:
        after.expected_time.CopyFrom(update.expected_time)
    elif step == REFUSE:
        # A refusal is an answer, to all that was not answered yet.
        del after.remaining[:]
    if _POSTPONED not in {after.state, after.resume_state}:
        after.ClearField("postponed_until_time")
    if after.state in FINAL_STATES or after.state == _EXECUTED:
        after.ClearField("expected_time")
    if after.state in FINAL_STATES:
        handovers.call_off(after)
    return after


def oral_request_late(oral_request_time: Timestamp, *, within_hours: int, entry_time: int) -> bool:
    """Say whether an oral request is confirmed in writing too late (Budapest Art. 25(3)).

    Args:
        oral_request_time: When it was asked orally.
        within_hours: The agreement's term; 0: oral requests are not accepted.
        entry_time: When the confirmation was entered, nanoseconds since the Unix epoch. An oral
            request that lies ahead of it has not been made.
    """
    asked = to_nanoseconds(oral_request_time)
    term = within_hours * NANOSECONDS_PER_HOUR
    return not (term and asked <= entry_time <= asked + term)


def _move(after: procedure_pb2.RequestStanding, step: Step) -> None:
    """Put state and resume_state where a step leads."""
    before = after.state
    if step == CLARIFY:
        # Earlier gateways admitted answers to questions that nobody had asked.
        after.state = after.resume_state or before
        after.ClearField("resume_state")
    elif step == ASK_CLARIFICATION:
        after.state = _CLARIFICATION
        after.resume_state = _ACKNOWLEDGED if before == _SUBMITTED else before
    elif step == EXECUTE_PARTLY and before == _CLARIFICATION:
        after.resume_state = _PARTLY
    elif step in _LEADS_TO:
        after.state = _LEADS_TO[step]
        after.ClearField("resume_state")


def _steps_of(standing: procedure_pb2.RequestStanding, agency: str) -> frozenset[Step]:
    if agency == standing.asked_agency:
        return _BY_ASKED
    return _BY_ASKING if agency == standing.asking_agency else frozenset()


def _measure_faults(
    standing: procedure_pb2.RequestStanding, header: envelope_pb2.Header
) -> Iterator[procedure_pb2.ObstacleKind.ValueType]:
    """Yield what is wrong with the measures that an execution answers."""
    remaining = _remaining(standing)
    answers = _answers(header)
    for measure_id, _outcome, subjects in answers:
        asked = remaining.get(measure_id)
        # One that was asked about as a whole has no subjects: none named is open.
        if asked is None or not subjects <= asked:
            yield procedure_pb2.OBSTACLE_KIND_MEASURE_NOT_OPEN
            return
    left = _left(remaining, answers)
    if header.update.step == EXECUTE:
        if left:
            yield procedure_pb2.OBSTACLE_KIND_ANSWER_INCOMPLETE
    elif not left or not any(outcome in _TELLING for _, outcome, _ in answers):
        yield procedure_pb2.OBSTACLE_KIND_ANSWER_NOT_PARTIAL


_TELLING = FINAL_OUTCOMES | {answer_pb2.MEASURE_OUTCOME_PARTLY_EXECUTED}
"""Outcomes that answer something."""


def _ground_faults(header: envelope_pb2.Header) -> Iterator[procedure_pb2.ObstacleKind.ValueType]:
    """Yield what is wrong with the grounds: those that refuse go with a refusal, and only there."""
    update = header.update
    allowed: frozenset[int] = frozenset()
    needed = False
    if update.step == POSTPONE:
        allowed = frozenset({refusal_pb2.REFUSAL_GROUND_POSTPONED})
    elif update.step == ACCEPT and update.conditional:
        allowed = frozenset({refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS})
    elif update.step == REFUSE or (
        update.step in _ANSWERING
        and any(outcome == answer_pb2.MEASURE_OUTCOME_REFUSED for _, outcome, _ in _answers(header))
    ):
        allowed, needed = REFUSING_GROUNDS, True
    if not allowed.issuperset(update.refusal_grounds):
        yield procedure_pb2.OBSTACLE_KIND_GROUND_MISPLACED
    elif needed and not update.refusal_grounds:
        yield procedure_pb2.OBSTACLE_KIND_GROUND_MISSING


def _date_faults(
    standing: procedure_pb2.RequestStanding,
    update: envelope_pb2.UpdateParticulars,
    entry_time: int,
) -> Iterator[procedure_pb2.ObstacleKind.ValueType]:
    """Yield what is wrong with the dates of a step that needs one. An unset one reads as 1970."""
    if update.step == POSTPONE:
        if to_nanoseconds(update.postponed_until_time) <= entry_time:
            yield procedure_pb2.OBSTACLE_KIND_DATE_MISSING
    elif update.step == REPORT_DELAY:
        if to_nanoseconds(update.expected_time) <= entry_time:
            yield procedure_pb2.OBSTACLE_KIND_DATE_MISSING
    elif update.step == CONFIRM_IN_WRITING and (
        not update.HasField("oral_request_time")
        or oral_request_late(
            update.oral_request_time,
            within_hours=standing.confirm_in_writing_within_hours,
            entry_time=entry_time,
        )
    ):
        yield procedure_pb2.OBSTACLE_KIND_ORAL_REQUEST_LATE


def _measures(
    header: envelope_pb2.Header, category: codes_pb2.PartCategory.ValueType
) -> Iterator[envelope_pb2.MeasureFacts]:
    for part in header.parts:
        if part.category == category:
            yield from part.facts.measures


def _answers(header: envelope_pb2.Header) -> list[tuple[str, int, frozenset[bytes]]]:
    """Return (measure id, outcome, tags of subjects; none: the measure as a whole) as answered."""
    return [
        (measure.measure_id, measure.outcome, tags.unpack(measure.subjects))
        for measure in _measures(header, codes_pb2.PART_CATEGORY_ANSWER)
    ]


def _remaining(standing: procedure_pb2.RequestStanding) -> dict[str, frozenset[bytes]]:
    return {measure.measure_id: tags.unpack(measure.subjects) for measure in standing.remaining}


def _left(
    remaining: Mapping[str, frozenset[bytes]],
    answers: Iterable[tuple[str, int, frozenset[bytes]]],
) -> dict[str, frozenset[bytes]]:
    """Return what remains after answers; a measure goes with the last of its subjects."""
    left = dict(remaining)
    for measure_id, outcome, subjects in answers:
        if outcome not in FINAL_OUTCOMES or measure_id not in left:
            continue
        still = left[measure_id] - subjects if subjects else frozenset()
        if still:
            left[measure_id] = still
        else:
            del left[measure_id]
    return left


def _facts_of(measures: Mapping[str, frozenset[bytes]]) -> list[envelope_pb2.MeasureFacts]:
    return [
        envelope_pb2.MeasureFacts(measure_id=measure_id, subjects=tags.pack(subjects))
        for measure_id, subjects in sorted(measures.items())
    ]
