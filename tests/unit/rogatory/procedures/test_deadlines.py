"""What is due of requests and steps, and what becomes of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import wire
from rogatory.agreements import CompiledAgreement
from rogatory.assistance.v1 import deadline_pb2 as d
from rogatory.assistance.v1 import request_pb2 as r
from rogatory.clock import NANOSECONDS_PER_SECOND, from_datetime, to_nanoseconds, to_timestamp
from rogatory.decisions import decide
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import deadlines
from rogatory.procedures.deadlines import Calendar
from tests.unit.rogatory.decisions import samples as s

ENTRY = s.ENTRY * NANOSECONDS_PER_SECOND  # Monday 2026-10-26 07:33:20 UTC
HOUR = 3_600 * NANOSECONDS_PER_SECOND
ASKED = Calendar("Asia/Bangkok", frozenset({"2026-10-27"}))
ASKING = Calendar("Asia/Kathmandu")
PERMITTED = decision_pb2.DISPOSITION_PERMITTED


def at(text: str) -> Timestamp:
    """Return an instant written in ISO 8601 with its offset."""
    return to_timestamp(from_datetime(datetime.fromisoformat(text)))


def clause(
    *rows: str,
    clause_id: str = "ask",
    article: str = "Art. 1",
    effect: str = "permit",
    more: str = "",
) -> str:
    """Return a clause on requests with rows of deadlines, and further lines."""
    listed = "".join(f"\n        - {{{row}}}" for row in rows)
    conditions = f"\n    conditions:\n      deadlines:{listed}" if rows else ""
    return f"""\
  - clause_id: {clause_id}
    article: {article}
    text: Requests.
    effect: {effect}
    scope: {{kinds: [request]}}{conditions}{more}
"""


def agreement(*clauses: str) -> CompiledAgreement:
    """Return an agreement with these clauses."""
    return s.compiled("clauses:\n" + "".join(clauses))


def request(
    kind: r.AssistanceKind.ValueType = r.ASSISTANCE_KIND_INFORMATION,
    *,
    urgency: codes_pb2.Urgency.ValueType = codes_pb2.URGENCY_ROUTINE,
    direct: bool = False,
    respond_by: int | None = None,
    article: str = "Art. 1",
) -> envelope_pb2.Header:
    """Return a request's header; ``respond_by`` in seconds after entry."""
    particulars = envelope_pb2.RequestParticulars(
        assistance_kind=kind,
        directly_available=direct,
        respond_by_time=None if respond_by is None else s.at(respond_by),
    )
    return s.header(
        kind=codes_pb2.KIND_REQUEST, urgency=urgency, request=particulars, article=article
    )


def due(
    ready: CompiledAgreement, header: envelope_pb2.Header
) -> tuple[list[d.DueDate], list[procedure_pb2.PendingTerm]]:
    """Decide on a request and return what is due of it; both keep the schema."""
    decision = decide(agreement=ready, header=header, recipient_index=0, context=s.context())
    dates, pending = deadlines.of_request(
        agreement=ready,
        decision=decision,
        header=header,
        entry_time=ENTRY,
        asked=ASKED,
        asking=ASKING,
        asked_agency=s.BETA,
    )
    for message in (*dates, *pending):
        wire.validate(message, what="deadline")
    return dates, pending


def kinds(dates: list[d.DueDate]) -> list[int]:
    """Return the kinds of what is due, in order."""
    return [date.kind for date in dates]


def test_answer_in_working_days_of_the_asked_agency() -> None:
    """The answer is due by the asked agency's calendar, and the record says how it was counted."""
    ready = agreement(clause("urgency: routine, within: 2 working days"))

    dates, pending = due(ready, request())

    expected = d.DueDate(
        kind=d.DEADLINE_KIND_ANSWER,
        term=d.DeadlineTerm(working_days=2, time_zone="Asia/Bangkok", holidays=["2026-10-27"]),
        start_time=to_timestamp(ENTRY),
        due_time=at("2026-10-30T00:00:00+07:00"),
        agency=s.BETA,
        article="Art. 1",
    )
    assert [expected] == dates
    assert [] == pending


@pytest.mark.parametrize(
    ("urgency", "direct", "hours"),
    [
        (codes_pb2.URGENCY_URGENT, True, 8),
        (codes_pb2.URGENCY_URGENT, False, 4),
        (codes_pb2.URGENCY_ROUTINE, True, 12),
        (codes_pb2.URGENCY_ROUTINE, False, 48),
    ],
)
def test_row_by_urgency_and_availability(
    urgency: codes_pb2.Urgency.ValueType,
    direct: bool,  # noqa: FBT001 - a parameter of the test
    hours: int,
) -> None:
    """The row of the urgency counts; the one on what is directly available before the other."""
    ready = agreement(
        clause(
            "urgency: urgent, within: 4 hours",
            "urgency: urgent, directly_available: true, within: 8 hours",
            "urgency: routine, directly_available: true, within: 12 hours",
            "urgency: routine, within: 48 hours",
        )
    )

    dates, _ = due(ready, request(urgency=urgency, direct=direct))

    assert [d.DeadlineTerm(hours=hours)] == [date.term for date in dates]


def test_only_where_directly_available() -> None:
    """A row on what is directly available says nothing of other requests."""
    ready = agreement(
        clause("urgency: routine, kind: decision, directly_available: true, within: 8 hours")
    )

    dates, _ = due(ready, request())

    assert [] == dates


def test_earliest_of_several_clauses() -> None:
    """Of what several clauses demand the earliest counts, with its article."""
    ready = agreement(
        clause("urgency: routine, within: 9 days", clause_id="one"),
        clause(
            "urgency: routine, within: 5 days", clause_id="two", article="Art. 2", effect="require"
        ),
        clause("urgency: routine, within: 1 day", clause_id="other", article="Art. 3"),
    )

    dates, _ = due(ready, request())

    assert [(5, "Art. 2")] == [(date.term.days, date.article) for date in dates]


def test_nothing_of_a_refusal() -> None:
    """A request that was refused is no request: nothing is due of it."""
    ready = agreement(
        clause("urgency: routine, within: 9 days", more="\n      case_reference: true")
    )

    assert ([], []) == due(ready, request(respond_by=20 * s.DAY))


def test_nothing_of_a_clause_whose_parts_stay() -> None:
    """A clause that permits only what another withholds sets no deadline."""
    ready = agreement(clause("urgency: routine, within: 9 days"))
    header = request()
    decision = decide(agreement=ready, header=header, recipient_index=0, context=s.context())
    decision.parts.add(disclosed=False)
    decision.parts.add(disclosed=True)
    decision.findings[0].parts.append(0)

    dates, _ = deadlines.of_request(
        agreement=ready,
        decision=decision,
        header=header,
        entry_time=ENTRY,
        asked=ASKED,
        asking=ASKING,
        asked_agency=s.BETA,
    )

    assert [] == dates


@pytest.mark.parametrize(
    ("kind", "due_kinds", "pending_kinds"),
    [
        (
            r.ASSISTANCE_KIND_INFORMATION,
            [d.DEADLINE_KIND_ANSWER, d.DEADLINE_KIND_DECISION, d.DEADLINE_KIND_ACKNOWLEDGEMENT],
            [d.DEADLINE_KIND_EXECUTION, d.DEADLINE_KIND_CLARIFICATION],
        ),
        (
            r.ASSISTANCE_KIND_ACCOUNT_FREEZING,
            [
                d.DEADLINE_KIND_ANSWER,
                d.DEADLINE_KIND_DECISION,
                d.DEADLINE_KIND_ACKNOWLEDGEMENT,
                d.DEADLINE_KIND_PROVISIONAL_MEASURE,
            ],
            [d.DEADLINE_KIND_EXECUTION, d.DEADLINE_KIND_CLARIFICATION],
        ),
        (
            r.ASSISTANCE_KIND_PRESERVATION,
            [
                d.DEADLINE_KIND_ANSWER,
                d.DEADLINE_KIND_DECISION,
                d.DEADLINE_KIND_ACKNOWLEDGEMENT,
                d.DEADLINE_KIND_PROVISIONAL_MEASURE,
            ],
            [
                d.DEADLINE_KIND_EXECUTION,
                d.DEADLINE_KIND_CLARIFICATION,
                d.DEADLINE_KIND_PRESERVATION_END,
            ],
        ),
        (
            r.ASSISTANCE_KIND_PROVISIONAL_ARREST,
            [d.DEADLINE_KIND_ANSWER, d.DEADLINE_KIND_DECISION, d.DEADLINE_KIND_ACKNOWLEDGEMENT],
            [
                d.DEADLINE_KIND_EXECUTION,
                d.DEADLINE_KIND_CLARIFICATION,
                d.DEADLINE_KIND_EXTRADITION_REQUEST,
            ],
        ),
    ],
)
def test_when_each_kind_begins(
    kind: r.AssistanceKind.ValueType, due_kinds: list[int], pending_kinds: list[int]
) -> None:
    """Some kinds begin at entry, others wait for a step, and some are of certain requests only."""
    names = (
        "answer",
        "decision",
        "acknowledgement",
        "provisional_measure",
        "execution",
        "clarification",
        "preservation_end",
        "extradition_request",
        "recall_confirmation",
        "facts_confirmation",
    )
    ready = agreement(
        clause(*(f"urgency: routine, kind: {name}, within: 40 days" for name in names))
    )

    dates, pending = due(ready, request(kind))

    assert due_kinds == kinds(dates)
    assert pending_kinds == [term.kind for term in pending]


def test_who_must_act_after_a_step() -> None:
    """Who asked clarifies, in its own calendar; the rest is counted in the asked agency's."""
    ready = agreement(
        clause(
            "urgency: routine, kind: clarification, within: 2 working days",
            "urgency: routine, kind: execution, within: 90 days",
            "urgency: routine, kind: preservation_end, within: 60 days",
        )
    )

    _, pending = due(ready, request(r.ASSISTANCE_KIND_PRESERVATION))

    assert [
        (d.DEADLINE_KIND_EXECUTION, s.BETA, "Asia/Bangkok"),
        (d.DEADLINE_KIND_CLARIFICATION, s.ALPHA, "Asia/Kathmandu"),
        (d.DEADLINE_KIND_PRESERVATION_END, s.ALPHA, "Asia/Bangkok"),
    ] == [(term.kind, term.agency, term.term.time_zone) for term in pending]


def test_shortest_pending_term() -> None:
    """Of several terms that begin with a step the one that is shortest today waits."""
    ready = agreement(
        clause(
            "urgency: routine, kind: execution, within: 40 days",
            clause_id="one",
            article="Art. 1(1)",
        ),
        clause(
            "urgency: routine, kind: execution, within: 20 working days",
            clause_id="two",
            article="Art. 1(2)",
        ),
        clause(
            "urgency: routine, kind: execution, within: 60 days",
            clause_id="three",
            article="Art. 1(3)",
        ),
    )

    _, pending = due(ready, request())

    assert [20] == [term.term.working_days for term in pending]


@pytest.mark.parametrize(
    ("rows", "hours"),
    [((), 24), (("urgency: routine, kind: acknowledgement, within: 48 hours",), 48)],
)
def test_obligation_to_acknowledge(rows: tuple[str, ...], hours: int) -> None:
    """The duty to acknowledge is a deadline where the clauses name none of their own."""
    ready = agreement(clause(*rows, more="\n    obligations: {acknowledge_within_hours: 24}"))

    dates, _ = due(ready, request())

    assert [(d.DEADLINE_KIND_ACKNOWLEDGEMENT, hours)] == [(x.kind, x.term.hours) for x in dates]


@pytest.mark.parametrize(
    ("rows", "respond_by", "expected"),
    [
        (("urgency: routine, within: 48 hours",), 72 * 3_600, 72 * 3_600),
        (("urgency: routine, within: 48 hours",), 48 * 3_600, 48 * 3_600),
        ((), 3_600, 3_600),
    ],
)
def test_answer_asked_for(rows: tuple[str, ...], respond_by: int, expected: int) -> None:
    """A sender that is content with a later answer, or under no term, is answered when it asks."""
    ready = agreement(clause(*rows))

    dates, _ = due(ready, request(respond_by=respond_by))

    assert [s.at(expected)] == [date.due_time for date in dates]
    assert ["Art. 1"] == [date.article for date in dates]


def test_answer_asked_for_earlier() -> None:
    """A clause that does not look at the answer asked for still says when it is due."""
    ready = agreement(clause("urgency: routine, kind: decision, within: 2 hours"))

    dates, _ = due(ready, request(respond_by=-5))

    assert [d.DEADLINE_KIND_DECISION] == kinds(dates)


def standing(
    *pending: procedure_pb2.PendingTerm,
    kind: r.AssistanceKind.ValueType = r.ASSISTANCE_KIND_INFORMATION,
) -> procedure_pb2.RequestStanding:
    """Return a standing between the two test parties."""
    return procedure_pb2.RequestStanding(
        asking_agency=s.ALPHA, asked_agency=s.BETA, assistance_kind=kind, pending=pending
    )


def update(
    step: r.RequestStep.ValueType,
    *,
    reply_by: int | None = None,
    postponed_until: int | None = None,
) -> envelope_pb2.Header:
    """Return an update's header; times in seconds after entry."""
    return envelope_pb2.Header(
        update=envelope_pb2.UpdateParticulars(
            step=step,
            article="Art. 9",
            reply_by_time=None if reply_by is None else s.at(reply_by),
            postponed_until_time=None if postponed_until is None else s.at(postponed_until),
        )
    )


def pending_term(
    kind: d.DeadlineKind.ValueType, term: d.DeadlineTerm, agency: str = s.BETA
) -> procedure_pb2.PendingTerm:
    """Return a term that waits for its step."""
    return procedure_pb2.PendingTerm(kind=kind, term=term, agency=agency, article="Art. 1")


@pytest.mark.parametrize(
    ("kind", "step", "assistance_kind"),
    [
        (d.DEADLINE_KIND_EXECUTION, r.REQUEST_STEP_ACCEPT, r.ASSISTANCE_KIND_HEARING),
        (
            d.DEADLINE_KIND_CLARIFICATION,
            r.REQUEST_STEP_ASK_CLARIFICATION,
            r.ASSISTANCE_KIND_HEARING,
        ),
        (
            d.DEADLINE_KIND_PRESERVATION_END,
            r.REQUEST_STEP_EXECUTE,
            r.ASSISTANCE_KIND_PRESERVATION,
        ),
        (
            d.DEADLINE_KIND_EXTRADITION_REQUEST,
            r.REQUEST_STEP_EXECUTE,
            r.ASSISTANCE_KIND_PROVISIONAL_ARREST,
        ),
    ],
)
def test_begins_with_its_step(
    kind: d.DeadlineKind.ValueType,
    step: r.RequestStep.ValueType,
    assistance_kind: r.AssistanceKind.ValueType,
) -> None:
    """A pending term begins with its step and no other, at the step's entry time."""
    term = d.DeadlineTerm(working_days=1, time_zone="UTC", holidays=["2026-10-27", "2027-05-05"])
    before = standing(pending_term(kind, term), kind=assistance_kind)
    others = [other for other in r.RequestStep.values() if other != step]

    begun = deadlines.of_step(before, update(step), entry_time=ENTRY)

    expected = d.DueDate(
        kind=kind,
        term=d.DeadlineTerm(working_days=1, time_zone="UTC", holidays=["2026-10-27"]),
        start_time=to_timestamp(ENTRY),
        due_time=at("2026-10-29T00:00:00+00:00"),
        agency=s.BETA,
        article="Art. 1",
    )
    assert [expected] == begun
    assert all(not deadlines.of_step(before, update(o), entry_time=ENTRY) for o in others)


@pytest.mark.parametrize(
    ("term", "reply_by", "expected", "article"),
    [
        (None, 3_600, 3_600, "Art. 9"),
        (2, 3_600, 3_600, "Art. 9"),
        (2, 9_000, 7_200, "Art. 1"),
        (2, -1, 7_200, "Art. 1"),
    ],
)
def test_reply_needed_by(term: int | None, reply_by: int, expected: int, article: str) -> None:
    """Clarification is due when it is needed, where that is earlier than the agreement's term."""
    waiting = [
        pending_term(d.DEADLINE_KIND_CLARIFICATION, d.DeadlineTerm(hours=hours), s.ALPHA)
        for hours in ([] if term is None else [term])
    ]
    asked = update(r.REQUEST_STEP_ASK_CLARIFICATION, reply_by=reply_by)

    dates = deadlines.of_step(standing(*waiting), asked, entry_time=ENTRY)

    assert [(s.ALPHA, s.at(expected), article)] == [
        (date.agency, date.due_time, date.article) for date in dates
    ]


def test_end_of_a_postponement() -> None:
    """A postponement ends when it says, and the asked agency must then act."""
    postponed = update(r.REQUEST_STEP_POSTPONE, postponed_until=5_400)

    dates = deadlines.of_step(standing(), postponed, entry_time=ENTRY)

    expected = d.DueDate(
        kind=d.DEADLINE_KIND_POSTPONEMENT_END,
        term=d.DeadlineTerm(hours=2),
        start_time=to_timestamp(ENTRY),
        due_time=s.at(5_400),
        agency=s.BETA,
        article="Art. 9",
    )
    assert [expected] == dates


def test_postponement_without_end() -> None:
    """A postponement whose end has passed gives nothing to wait for."""
    postponed = update(r.REQUEST_STEP_POSTPONE, postponed_until=0)

    assert [] == deadlines.of_step(standing(), postponed, entry_time=ENTRY)


M, E, N = deadlines.MET, deadlines.ENDED, deadlines.RUNNING
STEPS = (
    r.REQUEST_STEP_ACKNOWLEDGE,
    r.REQUEST_STEP_ASK_CLARIFICATION,
    r.REQUEST_STEP_CLARIFY,
    r.REQUEST_STEP_ACCEPT,
    r.REQUEST_STEP_REFUSE,
    r.REQUEST_STEP_POSTPONE,
    r.REQUEST_STEP_EXECUTE_PARTLY,
    r.REQUEST_STEP_EXECUTE,
    r.REQUEST_STEP_CLOSE,
    r.REQUEST_STEP_WITHDRAW,
    r.REQUEST_STEP_REPORT_DELAY,
    r.REQUEST_STEP_CONFIRM_IN_WRITING,
    r.REQUEST_STEP_ARRANGE,
)
BY_ASKING = (
    r.REQUEST_STEP_CLARIFY,
    r.REQUEST_STEP_CLOSE,
    r.REQUEST_STEP_WITHDRAW,
    r.REQUEST_STEP_CONFIRM_IN_WRITING,
)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (d.DEADLINE_KIND_ACKNOWLEDGEMENT, (M, M, N, M, M, M, M, M, E, E, M, N, M)),
        (d.DEADLINE_KIND_DECISION, (N, N, N, M, M, M, M, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_PROVISIONAL_MEASURE, (N, N, N, M, M, M, M, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_ANSWER, (N, N, N, N, M, E, N, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_ANSWER_URGENT_DIRECT, (N, N, N, N, M, E, N, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_ANSWER_URGENT_INDIRECT, (N, N, N, N, M, E, N, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_EXECUTION, (N, N, N, N, M, E, N, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_CLARIFICATION, (N, N, M, N, E, E, N, E, E, E, N, N, N)),
        (d.DEADLINE_KIND_POSTPONEMENT_END, (N, N, N, N, M, E, N, M, E, E, N, N, N)),
        (d.DEADLINE_KIND_WRITTEN_CONFIRMATION, (N, N, N, N, E, N, N, E, E, E, N, M, N)),
        (d.DEADLINE_KIND_PRESERVATION_END, (N, N, N, N, E, N, N, N, E, E, N, N, N)),
        (d.DEADLINE_KIND_EXTRADITION_REQUEST, (N, N, N, N, E, N, N, N, E, E, N, N, N)),
    ],
)
def test_what_a_step_closes(kind: int, row: tuple[int, ...]) -> None:
    """Each step meets some deadlines, ends others, and leaves the rest running."""
    closed = tuple(deadlines.closing(kind, step, by_asked=step not in BY_ASKING) for step in STEPS)

    assert row == closed


def test_arrangement_by_the_asking_agency() -> None:
    """Only a step of the asked agency acknowledges."""
    kind = d.DEADLINE_KIND_ACKNOWLEDGEMENT

    assert N == deadlines.closing(kind, r.REQUEST_STEP_ARRANGE, by_asked=False)


def test_request_that_follows_on_another() -> None:
    """A related request meets what waited for the asking agency's next request, nothing else."""
    met = [kind for kind in d.DeadlineKind.values() if deadlines.closing_by_related_request(kind)]

    assert [d.DEADLINE_KIND_PRESERVATION_END, d.DEADLINE_KIND_EXTRADITION_REQUEST] == met
    assert M == deadlines.closing_by_related_request(d.DEADLINE_KIND_PRESERVATION_END)


@pytest.mark.parametrize(
    ("closed", "entry_time", "expected"),
    [
        (M, 100, d.DUE_STATE_MET),
        (M, 101, d.DUE_STATE_MET_LATE),
        (E, 101, d.DUE_STATE_ENDED),
        (N, 101, d.DUE_STATE_UNSPECIFIED),
    ],
)
def test_met_late(closed: int, entry_time: int, expected: int) -> None:
    """What is done after the due time is done late; what ends, ends at any time."""
    assert expected == deadlines.closed_state(closed, due_time=100, entry_time=entry_time)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (0, d.DUE_STATE_OPEN),
        (74, d.DUE_STATE_OPEN),
        (75, d.DUE_STATE_DUE_SOON),
        (100, d.DUE_STATE_DUE_SOON),
        (101, d.DUE_STATE_OVERDUE),
    ],
)
def test_state_as_time_passes(now: int, expected: int) -> None:
    """A deadline is due soon in its last quarter, and overdue after its end."""
    soon = deadlines.soon_time(0, 100)

    assert expected == deadlines.state(soon_time=soon, due_time=100, now=now)
    assert M == deadlines.state(soon_time=soon, due_time=100, now=now, closed=M)


def test_due_times_fit_the_ledger() -> None:
    """However far ahead a date lies, what is due of it is an instant of 64 bits."""
    header = update(r.REQUEST_STEP_POSTPONE)
    header.update.postponed_until_time.CopyFrom(at("9999-12-31T23:59:59+00:00"))

    dates = deadlines.of_step(standing(), header, entry_time=ENTRY)

    assert to_nanoseconds(dates[0].due_time) == ENTRY + 3_650 * 24 * HOUR
