"""A request lives its life over the wire, and every ground for refusing one is told in full."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from rogatory import clock, envelopes
from rogatory.assistance.v1 import (
    answer_pb2,
    refusal_pb2,
    request_form_pb2,
    request_pb2,
)
from rogatory.decisions import explain
from rogatory.exchange.v1 import codes_pb2, decision_pb2, procedure_pb2
from rogatory.policy import Policy
from rogatory.records.v1 import common_pb2
from rogatory.verification import VerifiedDelivery, verify_delivery
from tests.support import records
from tests.support.house import ALPHA, BETA, OFFICER, House
from tests.support.verifying import policy_of
from tests.support.wire import Wire, outcomes
from tests.support.world import DAY, ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

Ground, Step = refusal_pb2.RefusalGround, request_pb2.RequestStep
Reference = common_pb2.MessageReference

AGREEMENT = """\
agreement_id: assistance
version: 1
title: Agreement for tests
parties: [{agency: de.bka}, {agency: fr.pj}]
valid_from_time: 2026-01-01
unpermitted_parts: withhold
clauses:
  - clause_id: requests
    article: Art. 3
    effect: permit
    scope: {kinds: [request, update, transfer]}
    conditions:
      deadlines:
        - {urgency: urgent, within: 8 hours}
        - {urgency: routine, within: 7 working days}
"""
PERSONS = [records.record_id(name) for name in ("first", "second", "third")]


@dataclass(kw_only=True)
class Sides:
    """The agency that asks and the one that is asked, at one gateway."""

    house: House
    asking: Wire
    asked: Wire
    policy: Policy

    async def ask(self, *, urgency: codes_pb2.Urgency.ValueType, measures: int = 1) -> Reference:
        """Ask for information; return the request."""
        head = header(ALPHA, (BETA, "assistance", "Art. 3"), kind=codes_pb2.KIND_REQUEST)
        head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION
        head.urgency = urgency
        data = envelope(self.house.agency(ALPHA), head, request_of(measures))
        response = await self.asking.submit(data)
        assert response.submission.outcomes
        return envelopes.open_envelope(data).reference

    async def step(
        self, request: Reference, answer: answer_pb2.Answer, *, by: str = BETA
    ) -> decision_pb2.Outcome:
        """Take a step of a request; return the other side's outcome."""
        return (await self.submit(self.message(request, answer, by=by), by=by))[0]

    def message(
        self,
        request: Reference,
        answer: answer_pb2.Answer,
        *,
        by: str = BETA,
        beside: Sequence[Message] = (),
    ) -> bytes:
        """Return the UPDATE that takes a step."""
        to = ALPHA if by == BETA else BETA
        head = header(by, (to, "assistance", "Art. 3"), kind=codes_pb2.KIND_UPDATE)
        head.in_reply_to.CopyFrom(request)
        update = head.update
        update.request.CopyFrom(request)
        update.step = answer.step
        update.refusal_grounds.extend(sorted({one.ground for one in answer.refusals}))
        if answer.HasField("postponement"):
            update.postponed_until_time.CopyFrom(answer.postponement.until_time)
        if answer.HasField("delay"):
            update.expected_time.CopyFrom(answer.delay.expected_time)
        update.conditional = bool(answer.conditions)
        answer.request.CopyFrom(request)
        return envelope(self.house.agency(by), head, answer, *beside, officers=[OFFICER])

    async def submit(self, data: bytes, *, by: str) -> list[decision_pb2.Outcome]:
        """Submit a message as one of the two; return its outcomes."""
        wire = self.asking if by == ALPHA else self.asked
        response = await wire.submit(data)
        return list(outcomes(response.submission))

    async def received(self, outcome: decision_pb2.Outcome) -> VerifiedDelivery:
        """Return what the recipient finds in its inbox, verified with the library alone."""
        wire = self.asking if outcome.recipient == ALPHA else self.asked
        (item,) = await wire.inbox(1, start=outcome.inbox_position)
        return verify_delivery(
            item.delivery,
            recipient=outcome.recipient,
            ring=self.policy.ring,
            agreements=self.policy.agreements,
            audience=ORIGIN,
        )


def request_of(measures: int) -> request_form_pb2.AssistanceRequest:
    """Return a request whose measures ask about three persons each."""
    made = records.request()
    del made.measures[:]
    for number in range(measures):
        made.measures.add(
            measure_id=f"m{number}",
            kind=request_pb2.ASSISTANCE_KIND_INFORMATION,
            subjects=[common_pb2.RecordReference(record_id=one) for one in PERSONS],
        )
    return made


def answered(
    measure: int, subjects: Sequence[str], outcome: int = answer_pb2.MEASURE_OUTCOME_EXECUTED
) -> answer_pb2.MeasureAnswer:
    """Return what came of a measure for some persons."""
    return answer_pb2.MeasureAnswer(
        measure_id=f"m{measure}",
        subject_ids=subjects,
        outcome=answer_pb2.MeasureOutcome.ValueType(outcome),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sides(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sides]:
    """Two agencies whose agreement provides for assistance."""
    house = House(tmp_path_factory.mktemp("gateway") / "gateway")
    house.enrol_usual()
    house.world.agree(AGREEMENT)
    async with house.serving(), house.wire(ALPHA) as asking, house.wire(BETA) as asked:
        yield Sides(house=house, asking=asking, asked=asked, policy=await policy_of(house, asking))


def with_ground(ground: refusal_pb2.RefusalGround.ValueType, now: int) -> answer_pb2.Answer:
    """Return an answer that gives a ground, by the step that it goes with."""
    answer = answer_pb2.Answer(
        step=Step.REQUEST_STEP_REFUSE,
        refusals=[
            answer_pb2.RefusalDetail(
                ground=ground,
                article=f"Art. {ground} of the instrument",
                reasons=f"Because of {Ground.Name(ground)}.",
                next_step=f"What to do about {Ground.Name(ground)}.",
            )
        ],
    )
    if ground == Ground.REFUSAL_GROUND_POSTPONED:
        answer.step = Step.REQUEST_STEP_POSTPONE
        answer.postponement.reason = answer_pb2.POSTPONEMENT_REASON_OWN_PROCEEDINGS
        answer.postponement.until_time.CopyFrom(clock.to_timestamp(now + 30 * DAY))
    elif ground == Ground.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS:
        answer.step = Step.REQUEST_STEP_ACCEPT
        answer.conditions.add(kind=answer_pb2.CONDITION_KIND_CONFIDENTIAL, article="Art. 28(2)(a)")
    return answer


@pytest.mark.parametrize(
    "name", [name for name, number in refusal_pb2.RefusalGround.items() if number]
)
async def test_ground_arrives_with_reason_article_and_next_step(sides: Sides, name: str) -> None:
    """Whoever asked learns why, by which article and what to do next; the header says it too."""
    ground = Ground.Value(name)
    request = await sides.ask(urgency=codes_pb2.URGENCY_ROUTINE)
    answer = with_ground(ground, time.time_ns())

    outcome = await sides.step(request, answer)
    received = await sides.received(outcome)

    assert decision_pb2.DISPOSITION_PERMITTED == outcome.decision.disposition
    assert [ground] == list(received.header.update.refusal_grounds)
    content = received.contents[0]
    assert isinstance(content, answer_pb2.Answer)
    (detail,) = content.refusals
    assert (ground, f"Art. {ground} of the instrument") == (detail.ground, detail.article)
    assert detail.reasons.endswith(f"{name}.")
    assert detail.next_step.endswith(f"{name}.")


async def test_partial_answers_lead_to_the_whole(sides: Sides) -> None:
    """Person by person until all of both measures is answered; nothing is answered twice."""
    request = await sides.ask(urgency=codes_pb2.URGENCY_ROUTINE, measures=2)
    part = answer_pb2.Answer(
        step=Step.REQUEST_STEP_EXECUTE_PARTLY, measure_answers=[answered(0, PERSONS[:2])]
    )
    again = answer_pb2.Answer(
        step=Step.REQUEST_STEP_EXECUTE_PARTLY, measure_answers=[answered(0, PERSONS[1:])]
    )
    too_early = answer_pb2.Answer(
        step=Step.REQUEST_STEP_EXECUTE, measure_answers=[answered(0, PERSONS[2:])]
    )
    rest = answer_pb2.Answer(
        step=Step.REQUEST_STEP_EXECUTE,
        measure_answers=[answered(0, PERSONS[2:]), answered(1, [])],
    )

    found = [await sides.step(request, answer) for answer in (part, again, too_early, rest)]

    assert [
        [],
        [procedure_pb2.OBSTACLE_KIND_MEASURE_NOT_OPEN],
        [procedure_pb2.OBSTACLE_KIND_ANSWER_INCOMPLETE],
        [],
    ] == [[one.kind for one in outcome.decision.obstacles] for outcome in found]


async def test_whole_life(sides: Sides) -> None:
    """Acknowledged, asked back twice, accepted under conditions, delayed, executed, closed."""
    request = await sides.ask(urgency=codes_pb2.URGENCY_URGENT)
    question = answer_pb2.Question(question_id="Q1", text="Which of the two servers?")
    reply = answer_pb2.Reply(question_id="Q1", text="The one in the rack of the north hall.")
    condition = answer_pb2.AnswerCondition(kind=answer_pb2.CONDITION_KIND_SPECIALITY)
    delay = answer_pb2.Delay(
        reason="The host answers slowly.",
        expected_time=clock.to_timestamp(time.time_ns() + DAY),
    )
    closing = answer_pb2.Closing(reason=answer_pb2.CLOSING_REASON_SATISFIED)
    steps: list[tuple[str, answer_pb2.Answer]] = [
        (BETA, answer_pb2.Answer(step=Step.REQUEST_STEP_ACKNOWLEDGE)),
        (BETA, answer_pb2.Answer(step=Step.REQUEST_STEP_ASK_CLARIFICATION, questions=[question])),
        (ALPHA, answer_pb2.Answer(step=Step.REQUEST_STEP_CLARIFY, replies=[reply])),
        (BETA, answer_pb2.Answer(step=Step.REQUEST_STEP_ASK_CLARIFICATION, questions=[question])),
        (ALPHA, answer_pb2.Answer(step=Step.REQUEST_STEP_CLARIFY, replies=[reply])),
        (BETA, answer_pb2.Answer(step=Step.REQUEST_STEP_ACCEPT, conditions=[condition])),
        (BETA, answer_pb2.Answer(step=Step.REQUEST_STEP_REPORT_DELAY, delay=delay)),
        (
            BETA,
            answer_pb2.Answer(step=Step.REQUEST_STEP_EXECUTE, measure_answers=[answered(0, [])]),
        ),
        (ALPHA, answer_pb2.Answer(step=Step.REQUEST_STEP_CLOSE, closing=closing)),
    ]

    found = [await sides.step(request, answer, by=by) for by, answer in steps]

    assert [decision_pb2.DISPOSITION_PERMITTED] * 9 == [
        outcome.decision.disposition for outcome in found
    ]
    states = [outcome.context.procedure.request.state for outcome in found]
    assert [
        request_pb2.REQUEST_STATE_SUBMITTED,
        request_pb2.REQUEST_STATE_ACKNOWLEDGED,
        request_pb2.REQUEST_STATE_CLARIFICATION,
        request_pb2.REQUEST_STATE_ACKNOWLEDGED,
        request_pb2.REQUEST_STATE_CLARIFICATION,
        request_pb2.REQUEST_STATE_ACKNOWLEDGED,
        request_pb2.REQUEST_STATE_ACCEPTED,
        request_pb2.REQUEST_STATE_ACCEPTED,
        request_pb2.REQUEST_STATE_EXECUTED,
    ] == states


async def test_refused_step_says_what_may_be_done(sides: Sides) -> None:
    """In words: why not, and which steps are open to the sender now."""
    request = await sides.ask(urgency=codes_pb2.URGENCY_ROUTINE)
    withdrawal = answer_pb2.Answer(
        step=Step.REQUEST_STEP_WITHDRAW,
        closing=answer_pb2.Closing(reason=answer_pb2.CLOSING_REASON_ERROR),
    )
    await sides.step(request, withdrawal, by=ALPHA)

    outcome = await sides.step(request, answer_pb2.Answer(step=Step.REQUEST_STEP_ACKNOWLEDGE))

    lines = explain(outcome.decision, recipient=ALPHA)
    assert "Refused for de.bka: the procedure does not allow this step now" in lines[0]
    assert "The request is withdrawn, which does not allow the step." == lines[1]
    assert "Nothing more can be done about it." == lines[-1]


async def test_urgent_request_tells_where_to_call(sides: Sides) -> None:
    """The duty contact is in the reply of an urgent request, and of no other."""
    head = header(ALPHA, (BETA, "assistance", "Art. 3"), kind=codes_pb2.KIND_REQUEST)
    head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION
    head.urgency = codes_pb2.URGENCY_URGENT
    routine = header(ALPHA, (BETA, "assistance", "Art. 3"), kind=codes_pb2.KIND_REQUEST)
    routine.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION

    urgent, other = [
        await sides.asking.submit(envelope(sides.house.agency(ALPHA), one, request_of(1)))
        for one in (head, routine)
    ]

    (contact,) = urgent.submission.duty_contacts
    assert (BETA, f"{BETA} duty desk") == (contact.agency, contact.duty_contact)
    assert not other.submission.duty_contacts
