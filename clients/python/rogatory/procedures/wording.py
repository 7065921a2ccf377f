"""Obstacles in sentences: what stands in the way, and what the sender can do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from google.protobuf.descriptor import EnumDescriptor

from rogatory.assistance.v1 import consent_pb2, handover_pb2, operation_pb2, request_pb2
from rogatory.exchange.v1 import procedure_pb2
from rogatory.records.v1 import common_pb2

_STATE = request_pb2.RequestState.DESCRIPTOR
_STEP = request_pb2.RequestStep.DESCRIPTOR
_STAGE = handover_pb2.HandoverStage.DESCRIPTOR
_SCOPE = consent_pb2.ConsentScope.DESCRIPTOR
_CONTRIBUTION = operation_pb2.ContributionKind.DESCRIPTOR
_Wording = Callable[[procedure_pb2.Obstacle], tuple[str, str]]

_NOT_ACCEPTED = frozenset(
    {
        request_pb2.REQUEST_STATE_SUBMITTED,
        request_pb2.REQUEST_STATE_ACKNOWLEDGED,
        request_pb2.REQUEST_STATE_POSTPONED,
    }
)
_LOOK = "rogatory request show SENDER/MESSAGE_ID has its state and steps."
_MEMBERS = "rogatory operation show SENDER/MESSAGE_ID has its members and what each may do."


def describe(obstacle: procedure_pb2.Obstacle) -> str:
    """Return an obstacle as a sentence."""
    return _wording(obstacle)[0]


def advice(obstacle: procedure_pb2.Obstacle) -> str:
    """Return what the sender can do about an obstacle, as a sentence."""
    return _wording(obstacle)[1]


def in_words(enum: EnumDescriptor, number: int) -> str:
    """Return an enum value in words: ``REQUEST_STATE_PARTLY_EXECUTED`` is ``partly executed``."""
    value = enum.values_by_number.get(number)
    if value is None:
        return f"number {number}"
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value.name.removeprefix(prefix).replace("_", " ").lower()


def _wording(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    wording = _WORDINGS.get(obstacle.kind)
    if wording is None:
        return "Something that this version does not know stands in the way.", ""
    if callable(wording):
        return wording(obstacle)
    return wording


def _steps(obstacle: procedure_pb2.Obstacle) -> str:
    steps = _or(in_words(_STEP, step) for step in obstacle.steps)
    return f"What may be done now: {steps}." if steps else "Nothing more can be done about it."


def _or(phrases: Iterable[str]) -> str:
    listed = list(phrases)
    return " or ".join([", ".join(listed[:-1]), listed[-1]] if listed[1:] else listed)


def _named(message: common_pb2.MessageReference) -> str:
    return f"{message.sender}/{message.message_id}" if message.message_id else "the message"


def _wrong_party(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return "The step is the other party's to take.", _steps(obstacle)


def _wrong_state(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    state = in_words(_STATE, obstacle.state)
    if obstacle.state == request_pb2.REQUEST_STATE_CLARIFICATION:
        state = "waiting for a clarification"
    return f"The request is {state}, which does not allow the step.", _steps(obstacle)


def _handover_stage(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    if not obstacle.handover_stage:
        return (
            "The hand-over does not begin like this, or its parties are not those of the request.",
            "Propose it first, between the two parties of the request.",
        )
    stage = in_words(_STAGE, obstacle.handover_stage)
    before = (
        "Nobody is delivered before the asked agency has accepted the request. "
        if obstacle.handover_stage == handover_pb2.HANDOVER_STAGE_AGREED
        and obstacle.state in _NOT_ACCEPTED
        else ""
    )
    return (
        f"The hand-over is {stage}, which does not allow this statement by this party.",
        f"{before}{_LOOK}",
    )


def _consent(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    scope = in_words(_SCOPE, obstacle.consent_scope)
    named = _named(obstacle.message)
    whose = obstacle.message.sender or "the originator"
    return (
        f"{whose} has not consented to {scope} of {named}, or not to this one.",
        f"Ask for it: rogatory consent ask {named}; then name the consent with --consent.",
    )


def _contribute(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    what = in_words(_CONTRIBUTION, obstacle.contribution)
    return f"Within the operation the sender may not contribute {what}.", _MEMBERS


def _receive(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    what = in_words(_CONTRIBUTION, obstacle.contribution)
    who = obstacle.agency or "the recipient"
    return f"Within the operation {who} may not receive {what}.", _MEMBERS


def _not_member(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return f"{obstacle.agency or 'The agency'} is no member of the operation now.", _MEMBERS


def _never(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return (
        f"{_named(obstacle.message)} may never be passed on.",
        "Tell the recipient to ask its originator itself.",
    )


def _not_held(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return (
        (
            f"{_named(obstacle.message)} is not the sender's to pass on: it neither wrote nor"
            " received it, or it is itself a message that passes another on."
        ),
        "Pass on the original, with its envelope, as it was received.",
    )


def _laxer(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return (
        f"The handling is laxer than that of {_named(obstacle.message)}.",
        (
            "State handling at least as strict: TLP, SIENA codes, onward transfer, evidential use"
            " and speciality of the original."
        ),
    )


def _evidence(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return (
        f"{_named(obstacle.message)} may never be used as evidence.",
        "Ask its originator for the same by a request for evidence.",
    )


def _recalled(obstacle: procedure_pb2.Obstacle) -> tuple[str, str]:
    return (
        f"{_named(obstacle.message)} was recalled by its originator.",
        "Erase it and confirm that: rogatory confirm SENDER/MESSAGE_ID of the recall.",
    )


_WORDINGS: Mapping[int, _Wording | tuple[str, str]] = MappingProxyType(
    {
        procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN: (
            "There is no such request between sender and recipient.",
            "See those there are: rogatory request list.",
        ),
        procedure_pb2.OBSTACLE_KIND_WRONG_PARTY: _wrong_party,
        procedure_pb2.OBSTACLE_KIND_WRONG_STATE: _wrong_state,
        procedure_pb2.OBSTACLE_KIND_MEASURE_NOT_OPEN: (
            "It answers a measure or subject that was not asked about, or is answered already.",
            f"Answer what remains: {_LOOK}",
        ),
        procedure_pb2.OBSTACLE_KIND_ANSWER_INCOMPLETE: (
            "The answer leaves something that was asked unanswered.",
            "Answer all that remains, or take the step EXECUTE_PARTLY.",
        ),
        procedure_pb2.OBSTACLE_KIND_ANSWER_NOT_PARTIAL: (
            "The answer is none in part: it answers nothing, or all that remained.",
            "Take the step EXECUTE for all that remained; else state what is answered.",
        ),
        procedure_pb2.OBSTACLE_KIND_GROUND_MISSING: (
            "A refusal without a ground.",
            "State at least one ground, with its article and reasons.",
        ),
        procedure_pb2.OBSTACLE_KIND_GROUND_MISPLACED: (
            "A ground does not go with the step.",
            (
                "A ground for refusal goes with REFUSE, or an answer that refuses some of the"
                " measures; POSTPONED goes with POSTPONE, GRANTED_WITH_CONDITIONS with ACCEPT."
            ),
        ),
        procedure_pb2.OBSTACLE_KIND_DATE_MISSING: (
            "The step needs a date, and one that lies ahead.",
            "State until when.",
        ),
        procedure_pb2.OBSTACLE_KIND_ORAL_REQUEST_LATE: (
            "The oral request is not confirmed within the agreement's term, or none is accepted.",
            "Make the request anew, in writing.",
        ),
        procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE: _handover_stage,
        procedure_pb2.OBSTACLE_KIND_HANDOVER_PERSONS: (
            "A person's state does not follow from the last, or the person is not on the list.",
            _LOOK,
        ),
        procedure_pb2.OBSTACLE_KIND_FOUR_EYES: (
            "A statement on a hand-over needs two officers' signatures (author and approver).",
            "Have a second officer approve it: rogatory draft, approve, send.",
        ),
        procedure_pb2.OBSTACLE_KIND_OPERATION_UNKNOWN: (
            "There is no such operation that the sender may know of.",
            "See those there are: rogatory operation list.",
        ),
        procedure_pb2.OBSTACLE_KIND_OPERATION_ENDED: (
            "The operation was closed or has ended.",
            "Send it outside the operation, or found another.",
        ),
        procedure_pb2.OBSTACLE_KIND_NOT_LEAD: ("Only the lead may do that.", _MEMBERS),
        procedure_pb2.OBSTACLE_KIND_NOT_MEMBER: _not_member,
        procedure_pb2.OBSTACLE_KIND_NOT_INVITED: (
            "The sender was not invited on such terms, or is a member already.",
            _MEMBERS,
        ),
        procedure_pb2.OBSTACLE_KIND_MAY_NOT_CONTRIBUTE: _contribute,
        procedure_pb2.OBSTACLE_KIND_MAY_NOT_RECEIVE: _receive,
        procedure_pb2.OBSTACLE_KIND_FORWARD_NOT_HELD: _not_held,
        procedure_pb2.OBSTACLE_KIND_FORWARD_NEVER: _never,
        procedure_pb2.OBSTACLE_KIND_CONSENT_MISSING: _consent,
        procedure_pb2.OBSTACLE_KIND_HANDLING_LAXER: _laxer,
        procedure_pb2.OBSTACLE_KIND_RECALLED: _recalled,
        procedure_pb2.OBSTACLE_KIND_ALERT_UNKNOWN: (
            "There is no such alert that the sender may act on.",
            "A hit answers an alert that was received; only its issuer takes an alert back.",
        ),
        procedure_pb2.OBSTACLE_KIND_ALERT_ENDED: (
            "The alert has ended or was taken back.",
            "Nothing more is to be done about it.",
        ),
        procedure_pb2.OBSTACLE_KIND_EVIDENCE_NEVER: _evidence,
    }
)
