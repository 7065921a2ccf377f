"""What is due of a request, when, and whether it was done: from agreement, header and entry time.

Instants are nanoseconds since the Unix epoch. Nothing here looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rogatory.agreements.compiled import CompiledAgreement, CompiledClause
from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.clock import to_nanoseconds, to_timestamp
from rogatory.exchange.v1 import (
    agreement_pb2,
    decision_pb2,
    envelope_pb2,
    procedure_pb2,
)
from rogatory.procedures.calendars import Calendar, due_time, term_of, trimmed, until

__all__ = [
    "AT_ENTRY",
    "RUNNING",
    "WITH_STEP",
    "Calendar",
    "closed_state",
    "closing",
    "closing_by_related_request",
    "due_time",
    "of_request",
    "of_step",
    "soon_time",
    "state",
    "term_of",
]

MET = deadline_pb2.DUE_STATE_MET
ENDED = deadline_pb2.DUE_STATE_ENDED
RUNNING = deadline_pb2.DUE_STATE_UNSPECIFIED
"""What `closing` returns of a deadline that a step leaves as it is."""

AT_ENTRY: Mapping[int, frozenset[int] | None] = {
    deadline_pb2.DEADLINE_KIND_ANSWER: None,
    deadline_pb2.DEADLINE_KIND_DECISION: None,
    deadline_pb2.DEADLINE_KIND_ACKNOWLEDGEMENT: None,
    deadline_pb2.DEADLINE_KIND_PROVISIONAL_MEASURE: frozenset(
        {
            request_pb2.ASSISTANCE_KIND_ACCOUNT_FREEZING,
            request_pb2.ASSISTANCE_KIND_PRESERVATION,
        }
    ),
}
"""Kinds of deadline that begin when a request is entered, for which assistance; None: any."""

WITH_STEP: Mapping[int, tuple[int, int | None]] = {
    deadline_pb2.DEADLINE_KIND_EXECUTION: (request_pb2.REQUEST_STEP_ACCEPT, None),
    deadline_pb2.DEADLINE_KIND_CLARIFICATION: (request_pb2.REQUEST_STEP_ASK_CLARIFICATION, None),
    deadline_pb2.DEADLINE_KIND_PRESERVATION_END: (
        request_pb2.REQUEST_STEP_EXECUTE,
        request_pb2.ASSISTANCE_KIND_PRESERVATION,
    ),
    deadline_pb2.DEADLINE_KIND_EXTRADITION_REQUEST: (
        request_pb2.REQUEST_STEP_EXECUTE,
        request_pb2.ASSISTANCE_KIND_PROVISIONAL_ARREST,
    ),
}
"""Kinds of deadline that begin with a step: which, and for which assistance; None: any."""

_ASKING_ACTS = frozenset(
    {
        deadline_pb2.DEADLINE_KIND_CLARIFICATION,
        deadline_pb2.DEADLINE_KIND_PRESERVATION_END,
        deadline_pb2.DEADLINE_KIND_EXTRADITION_REQUEST,
    }
)
_MET_BY_RELATED_REQUEST = frozenset(
    {
        deadline_pb2.DEADLINE_KIND_PRESERVATION_END,
        deadline_pb2.DEADLINE_KIND_EXTRADITION_REQUEST,
    }
)
_SPOKE = (decision_pb2.VERDICT_PERMITS, decision_pb2.VERDICT_SATISFIED)

_DECIDES = frozenset(
    {
        request_pb2.REQUEST_STEP_ACCEPT,
        request_pb2.REQUEST_STEP_REFUSE,
        request_pb2.REQUEST_STEP_POSTPONE,
        request_pb2.REQUEST_STEP_EXECUTE_PARTLY,
        request_pb2.REQUEST_STEP_EXECUTE,
    }
)
_ANSWERS = frozenset({request_pb2.REQUEST_STEP_REFUSE, request_pb2.REQUEST_STEP_EXECUTE})
_MEETS: Mapping[int, frozenset[int]] = {
    deadline_pb2.DEADLINE_KIND_ANSWER_URGENT_DIRECT: _ANSWERS,
    deadline_pb2.DEADLINE_KIND_ANSWER_URGENT_INDIRECT: _ANSWERS,
    deadline_pb2.DEADLINE_KIND_ANSWER: _ANSWERS,
    deadline_pb2.DEADLINE_KIND_EXECUTION: _ANSWERS,
    deadline_pb2.DEADLINE_KIND_DECISION: _DECIDES,
    deadline_pb2.DEADLINE_KIND_PROVISIONAL_MEASURE: _DECIDES,
    # It stands for the answer that it put off: nothing less than one will do.
    deadline_pb2.DEADLINE_KIND_POSTPONEMENT_END: _ANSWERS,
    deadline_pb2.DEADLINE_KIND_CLARIFICATION: frozenset({request_pb2.REQUEST_STEP_CLARIFY}),
    deadline_pb2.DEADLINE_KIND_WRITTEN_CONFIRMATION: frozenset(
        {request_pb2.REQUEST_STEP_CONFIRM_IN_WRITING}
    ),
}
_ENDS_ALL = frozenset(
    {
        request_pb2.REQUEST_STEP_REFUSE,
        request_pb2.REQUEST_STEP_WITHDRAW,
        request_pb2.REQUEST_STEP_CLOSE,
    }
)
_UNTIL_ANSWERED = frozenset({*_MEETS, deadline_pb2.DEADLINE_KIND_ACKNOWLEDGEMENT})
"""Kinds that matter only while an answer is awaited."""
_REPLACED_BY_POSTPONEMENT = frozenset(
    {
        deadline_pb2.DEADLINE_KIND_ANSWER_URGENT_DIRECT,
        deadline_pb2.DEADLINE_KIND_ANSWER_URGENT_INDIRECT,
        deadline_pb2.DEADLINE_KIND_ANSWER,
        deadline_pb2.DEADLINE_KIND_EXECUTION,
        deadline_pb2.DEADLINE_KIND_CLARIFICATION,
        deadline_pb2.DEADLINE_KIND_POSTPONEMENT_END,
    }
)


def of_request(
    *,
    agreement: CompiledAgreement,
    decision: decision_pb2.Decision,
    header: envelope_pb2.Header,
    entry_time: int,
    asked: Calendar,
    asking: Calendar,
    asked_agency: str,
) -> tuple[list[deadline_pb2.DueDate], list[procedure_pb2.PendingTerm]]:
    """Return what is due because of a REQUEST, and the terms that begin with a later step.

    Of each kind there is one at most: the earliest that a clause names which permitted the request
    or was satisfied by it. An answer asked for later than the agreement wants it is due then.

    Args:
        agreement: The agreement that was decided by.
        decision: What it decided for the asked agency. Of a refusal nothing is due.
        header: Of the REQUEST.
        entry_time: Of its entry, in nanoseconds since the Unix epoch.
        asked: Calendar of the asked agency, in which all is counted but clarification.
        asking: Calendar of the asking agency.
        asked_agency: Its id; who asks is the header's sender.

    Returns:
        Both in ascending order of their kinds.
    """
    due: dict[int, deadline_pb2.DueDate] = {}
    pending: dict[int, tuple[int, procedure_pb2.PendingTerm]] = {}
    if decision.disposition in (
        decision_pb2.DISPOSITION_PERMITTED,
        decision_pb2.DISPOSITION_WITHHELD,
    ):
        for clause in _speaking(agreement, decision):
            for row in _rows(clause, header):
                kind = row.kind or deadline_pb2.DEADLINE_KIND_ANSWER
                calendar = asking if kind == deadline_pb2.DEADLINE_KIND_CLARIFICATION else asked
                if _begins_at_entry(kind, header.request.assistance_kind):
                    term = term_of(row.unit, row.amount, calendar, start=entry_time)
                    _earliest(due, _due(kind, term, entry_time, asked_agency, clause.article))
                elif _begins_with_step(kind, header.request.assistance_kind):
                    term = term_of(row.unit, row.amount, calendar, start=entry_time, later=True)
                    end = due_time(term, entry_time)
                    if kind not in pending or end < pending[kind][0]:
                        agency = header.sender if kind in _ASKING_ACTS else asked_agency
                        pending[kind] = end, _pending(kind, term, agency, clause.article)
        _acknowledge(due, decision, asked, entry_time, asked_agency)
        _answer_asked_for(due, decision, header, entry_time, asked_agency)
    return [due[kind] for kind in sorted(due)], [pending[kind][1] for kind in sorted(pending)]


def of_step(
    standing: procedure_pb2.RequestStanding, header: envelope_pb2.Header, *, entry_time: int
) -> list[deadline_pb2.DueDate]:
    """Return what is due because of a step of a request, in ascending order of kinds.

    Args:
        standing: How the request stood before the step, which it allows.
        header: Of the UPDATE.
        entry_time: Of its entry, in nanoseconds since the Unix epoch.
    """
    update = header.update
    due: dict[int, deadline_pb2.DueDate] = {}
    for waiting in standing.pending:
        step, assistance_kind = WITH_STEP.get(waiting.kind, (None, None))
        if step == update.step and assistance_kind in (None, standing.assistance_kind):
            term = trimmed(waiting.term, start=entry_time)
            _earliest(due, _due(waiting.kind, term, entry_time, waiting.agency, waiting.article))
    if update.step == request_pb2.REQUEST_STEP_ASK_CLARIFICATION and update.HasField(
        "reply_by_time"
    ):
        kind = deadline_pb2.DEADLINE_KIND_CLARIFICATION
        asked_for = until(entry_time, to_nanoseconds(update.reply_by_time))
        if asked_for is not None:
            _earliest(
                due, _until(kind, asked_for, entry_time, standing.asking_agency, update.article)
            )
    if update.step == request_pb2.REQUEST_STEP_POSTPONE:
        kind = deadline_pb2.DEADLINE_KIND_POSTPONEMENT_END
        postponed = until(entry_time, to_nanoseconds(update.postponed_until_time))
        if postponed is not None:
            due[kind] = _until(kind, postponed, entry_time, standing.asked_agency, update.article)
    return [due[kind] for kind in sorted(due)]


def closing(kind: int, step: int, *, by_asked: bool) -> int:
    """Return what a step makes of a deadline that runs: MET, ENDED, or `RUNNING` (0).

    Args:
        kind: A `DeadlineKind`.
        step: A `RequestStep`, which the request's state allowed.
        by_asked: The asked agency took it.
    """
    if kind == deadline_pb2.DEADLINE_KIND_ACKNOWLEDGEMENT and by_asked:
        return MET
    if step in _MEETS.get(kind, ()):
        return MET
    if step in _ENDS_ALL:
        return ENDED
    if step == request_pb2.REQUEST_STEP_EXECUTE and kind in _UNTIL_ANSWERED:
        return ENDED
    if step == request_pb2.REQUEST_STEP_POSTPONE and kind in _REPLACED_BY_POSTPONEMENT:
        return ENDED
    return RUNNING


def closing_by_related_request(kind: int) -> int:
    """Return what a new request makes of a deadline of the one it follows on: MET, or 0.

    It does what the asking agency still had to do: what was preserved is now asked for or kept
    longer, and for whom was arrested the extradition is requested.

    Args:
        kind: A `DeadlineKind` of the earlier request, between the same two agencies.
    """
    return MET if kind in _MET_BY_RELATED_REQUEST else RUNNING


def closed_state(closed: int, *, due_time: int, entry_time: int) -> int:
    """Return how a deadline is closed at a time: MET_LATE for MET after its end, else as it is.

    Args:
        closed: What `closing` said.
        due_time: When the deadline ends; that very instant is still in time.
        entry_time: When the step was entered. Both in nanoseconds since the Unix epoch.
    """
    if closed == MET and entry_time > due_time:
        return deadline_pb2.DUE_STATE_MET_LATE
    return closed


def soon_time(start: int, due: int) -> int:
    """Return when the last quarter of a deadline begins; all in nanoseconds since the epoch."""
    return due - (due - start) // 4


def state(*, soon_time: int, due_time: int, now: int, closed: int = 0) -> int:
    """Return how a deadline stands at a time: a `DueState`, never unspecified.

    Args:
        soon_time: From which instant on it is due soon.
        due_time: Until when, inclusive, it can be met; later it is overdue.
        now: The time, in nanoseconds since the Unix epoch like the others.
        closed: How it was closed, if it was; that stays.
    """
    if closed:
        return closed
    if now > due_time:
        return deadline_pb2.DUE_STATE_OVERDUE
    return deadline_pb2.DUE_STATE_DUE_SOON if now >= soon_time else deadline_pb2.DUE_STATE_OPEN


def _speaking(
    agreement: CompiledAgreement, decision: decision_pb2.Decision
) -> Iterator[CompiledClause]:
    """Yield the clauses that spoke for something that goes, in the agreement's order."""
    for clause, finding in zip(agreement.clauses, decision.findings, strict=False):
        if finding.verdict in _SPOKE and (
            not finding.parts or any(decision.parts[part].disclosed for part in finding.parts)
        ):
            yield clause


def _rows(clause: CompiledClause, header: envelope_pb2.Header) -> Iterator[agreement_pb2.Deadline]:
    """Yield the deadlines of a clause that are for this header, at most one of each kind."""
    if clause.conditions is None:
        return
    chosen: dict[int, agreement_pb2.Deadline] = {}
    direct = header.request.directly_available
    for row in clause.conditions.deadline_rows:
        if row.urgency != header.urgency or (row.directly_available and not direct):
            continue
        kind = row.kind or deadline_pb2.DEADLINE_KIND_ANSWER
        if kind not in chosen or row.directly_available > chosen[kind].directly_available:
            chosen[kind] = row
    yield from chosen.values()


def _begins_at_entry(kind: int, assistance_kind: int) -> bool:
    return kind in AT_ENTRY and ((kinds := AT_ENTRY[kind]) is None or assistance_kind in kinds)


def _begins_with_step(kind: int, assistance_kind: int) -> bool:
    return kind in WITH_STEP and WITH_STEP[kind][1] in (None, assistance_kind)


def _acknowledge(
    due: dict[int, deadline_pb2.DueDate],
    decision: decision_pb2.Decision,
    asked: Calendar,
    entry_time: int,
    asked_agency: str,
) -> None:
    hours = decision.obligations.acknowledge_within_hours
    kind = deadline_pb2.DEADLINE_KIND_ACKNOWLEDGEMENT
    if hours and kind not in due:
        term = term_of(agreement_pb2.DEADLINE_UNIT_HOURS, hours, asked, start=entry_time)
        due[kind] = _due(kind, term, entry_time, asked_agency, decision.article)


def _answer_asked_for(
    due: dict[int, deadline_pb2.DueDate],
    decision: decision_pb2.Decision,
    header: envelope_pb2.Header,
    entry_time: int,
    asked_agency: str,
) -> None:
    """Let the sender's own date stand where it is content with a later one than the agreement's."""
    if not header.request.HasField("respond_by_time"):
        return
    kind = deadline_pb2.DEADLINE_KIND_ANSWER
    asked_for = until(entry_time, to_nanoseconds(header.request.respond_by_time))
    if asked_for is None:
        return
    known = due.get(kind)
    if known is None or asked_for[1] > to_nanoseconds(known.due_time):
        article = decision.article if known is None else known.article
        due[kind] = _until(kind, asked_for, entry_time, asked_agency, article)


def _earliest(due: dict[int, deadline_pb2.DueDate], date: deadline_pb2.DueDate) -> None:
    known = due.get(date.kind)
    if known is None or to_nanoseconds(date.due_time) < to_nanoseconds(known.due_time):
        due[date.kind] = date


def _due(
    kind: int, term: deadline_pb2.DeadlineTerm, start: int, agency: str, article: str
) -> deadline_pb2.DueDate:
    return _until(kind, (term, due_time(term, start)), start, agency, article)


def _until(
    kind: int,
    term_and_end: tuple[deadline_pb2.DeadlineTerm, int],
    start: int,
    agency: str,
    article: str,
) -> deadline_pb2.DueDate:
    term, end = term_and_end
    return deadline_pb2.DueDate(
        kind=kind,  # type: ignore[arg-type]  # numbers of the enum
        term=term,
        start_time=to_timestamp(start),
        due_time=to_timestamp(end),
        agency=agency,
        article=article,
    )


def _pending(
    kind: int, term: deadline_pb2.DeadlineTerm, agency: str, article: str
) -> procedure_pb2.PendingTerm:
    return procedure_pb2.PendingTerm(
        kind=kind,  # type: ignore[arg-type]  # numbers of the enum
        term=term,
        agency=agency,
        article=article,
    )
