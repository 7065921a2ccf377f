"""Requests in words: what is due and how soon, what remains, what can be done next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2, handover_pb2, request_pb2
from rogatory.cli.output import aligned, plain
from rogatory.exchange.v1 import codes_pb2, exchange_service_pb2, procedure_pb2
from rogatory.exchange.v1.procedure_service_pb2 import DueStanding, RequestStatus
from rogatory.procedures.requests import steps_open
from rogatory.procedures.tags import TAG_BYTES
from rogatory.procedures.wording import in_words
from rogatory.records.v1 import common_pb2

COLUMNS = ("REQUEST", "KIND", "WITH", "STATE", "NEXT DUE", "BY", "URGENCY")

_MINUTE = 60 * clock.NANOSECONDS_PER_SECOND
_HOUR = 60 * _MINUTE
_FEW = 2
"""Hours, or days, that are still told in the smaller unit."""
_RUNNING = frozenset(
    {deadline_pb2.DUE_STATE_OPEN, deadline_pb2.DUE_STATE_DUE_SOON, deadline_pb2.DUE_STATE_OVERDUE}
)
_KIND, _DUE = deadline_pb2.DeadlineKind.DESCRIPTOR, deadline_pb2.DueState.DESCRIPTOR
_ASSISTANCE = request_pb2.AssistanceKind.DESCRIPTOR
_STATE, _STEP = request_pb2.RequestState.DESCRIPTOR, request_pb2.RequestStep.DESCRIPTOR
_URGENCY = codes_pb2.Urgency.DESCRIPTOR
_STAGE = handover_pb2.HandoverStage.DESCRIPTOR
_PERSON = handover_pb2.HandoverPersonState.DESCRIPTOR


def phrase(due_time: int, *, now: int) -> str:
    """Return how far away a due time is, as ``in 3 h`` or ``2 days overdue``.

    Args:
        due_time: Nanoseconds since the Unix epoch, as is ``now``.
    """
    left = due_time - now
    length = _length(abs(left))
    return f"in {length}" if left >= 0 else f"{length} overdue"


def next_due(status: RequestStatus) -> DueStanding | None:
    """Return the deadline of a request that runs and ends first; None: none runs."""
    running = [due for due in status.due if due.state in _RUNNING]
    return min(running, key=_due_time, default=None)


def row(status: RequestStatus, *, agency: str, now: int) -> list[str]:
    """Return a request as a row of `COLUMNS`.

    Args:
        agency: Whose list it is.
        now: Nanoseconds since the Unix epoch.
    """
    standing = status.standing
    due = next_due(status)
    asks = standing.asking_agency == agency
    return [
        named(status.request),
        in_words(_ASSISTANCE, standing.assistance_kind),
        f"to {standing.asked_agency}" if asks else f"from {standing.asking_agency}",
        in_words(_STATE, standing.state),
        "" if due is None else f"{_kind(due)} {phrase(_due_time(due), now=now)}",
        "" if due is None else due.due_date.agency,
        in_words(_URGENCY, status.urgency),
    ]


def data(status: RequestStatus, *, agency: str) -> dict[str, Any]:
    """Return a request as JSON: the message, what is due next, and what the agency may do."""
    due = next_due(status)
    return {
        **plain(status),
        "next_due": None if due is None else plain(due),
        "next_steps": [
            request_pb2.RequestStep.Name(request_pb2.RequestStep.ValueType(step))
            for step in steps_open(status.standing, agency=agency)
        ],
    }


def story(status: RequestStatus, *, agency: str, now: int) -> list[str]:
    """Return all there is to know of a request, as lines.

    Args:
        agency: Who reads it.
        now: Nanoseconds since the Unix epoch.
    """
    standing = status.standing
    kind = in_words(_ASSISTANCE, standing.assistance_kind)
    under = f"{status.agreement_id} {status.article}"
    lines = [
        f"{named(status.request)}: {kind}, {in_words(_URGENCY, status.urgency)}",
        f"{standing.asking_agency} asks {standing.asked_agency}, under {under}",
        f"entered {_moment(status.entry_time)}",
        f"state: {_state(standing)}",
    ]
    lines += _section("deadlines", [_due_row(due, now) for due in status.due])
    lines += _section("steps", [_step_row(step) for step in status.steps])
    lines += _section("not answered yet", [_measure_row(one) for one in standing.remaining])
    lines += _section("hand-overs", [*_handover_rows(standing.handovers)])
    begun = {due.due_date.kind for due in status.due}
    later = [term for term in standing.pending if term.kind not in begun]
    lines += _section("begin later", [_pending_row(term) for term in later])
    if status.HasField("duty_contact"):
        lines.append(contact(status.duty_contact))
    steps = ", ".join(in_words(_STEP, step) for step in steps_open(standing, agency=agency))
    lines.append(f"you may: {steps or 'take no further step'}")
    return lines


def contact(reached: exchange_service_pb2.DutyContact) -> str:
    """Return where an agency can be reached, as a line."""
    where = reached.duty_contact or "states no duty contact"
    more = ", ".join(filter(None, [reached.time_zone, " ".join(reached.languages)]))
    return f"duty contact of {reached.agency}: {where}" + (f" ({more})" if more else "")


def named(message: common_pb2.MessageReference) -> str:
    """Return a message as the command line names it."""
    return f"{message.sender}/{message.message_id}"


def _length(nanoseconds: int) -> str:
    minutes = nanoseconds // _MINUTE
    if minutes < 1:
        return "less than a minute"
    if minutes < _FEW * 60:
        return f"{minutes} min"
    hours = nanoseconds // _HOUR
    return f"{hours} h" if hours < _FEW * 24 else f"{hours // 24} days"


def _due_time(due: DueStanding) -> int:
    return clock.to_nanoseconds(due.due_date.due_time)


def _kind(due: DueStanding) -> str:
    return in_words(_KIND, due.due_date.kind)


def _moment(timestamp: Any) -> str:  # noqa: ANN401 - a Timestamp
    moment = datetime.fromtimestamp(timestamp.seconds, tz=UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _state(standing: procedure_pb2.RequestStanding) -> str:
    words = in_words(_STATE, standing.state)
    if standing.conditional:
        words += ", under conditions"
    if standing.HasField("postponed_until_time"):
        words += f", until {_moment(standing.postponed_until_time)}"
    if standing.HasField("expected_time"):
        words += f"; an answer is expected {_moment(standing.expected_time)}"
    return words


def _section(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in aligned(rows))] if rows else []


def _due_row(due: DueStanding, now: int) -> list[str]:
    state = in_words(_DUE, due.state)
    if due.state in _RUNNING:
        state = phrase(_due_time(due), now=now)
    elif due.HasField("met_time"):
        state += f" {_moment(due.met_time)}"
    date = due.due_date
    return [_kind(due), f"by {date.agency}", _moment(date.due_time), date.article, state]


def _step_row(step: Any) -> list[str]:  # noqa: ANN401 - a StepTaken
    return [
        _moment(step.entry_time),
        step.message.sender,
        in_words(_STEP, step.step),
        f"-> {in_words(_STATE, step.state)}",
        named(step.message),
    ]


def _measure_row(measure: Any) -> list[str]:  # noqa: ANN401 - a MeasureFacts
    subjects = len(measure.subjects) // TAG_BYTES
    return [measure.measure_id, f"for {subjects} subjects" if subjects else "as a whole"]


def _handover_rows(
    handovers: Iterable[procedure_pb2.HandoverStanding],
) -> Iterator[list[str]]:
    for one in handovers:
        persons = ", ".join(
            f"{len(alike.persons) // TAG_BYTES} {in_words(_PERSON, alike.state)}"
            for alike in one.persons
        )
        yield [
            one.handover_id,
            in_words(_STAGE, one.stage),
            f"{one.releasing_agency} -> {one.receiving_agency}",
            _moment(one.handover_time),
            persons,
        ]


def _pending_row(term: procedure_pb2.PendingTerm) -> list[str]:
    unit = str(term.term.WhichOneof("amount"))
    amount = getattr(term.term, unit)
    return [
        in_words(_KIND, term.kind),
        f"by {term.agency}",
        f"{amount} {unit.replace('_', ' ')}",
        term.article,
    ]
