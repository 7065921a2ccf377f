"""Requests driven by random steps of random parties, against a model in a few plain sets."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rogatory import wire
from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_pb2
from rogatory.exchange.v1 import envelope_pb2, procedure_pb2
from rogatory.procedures import requests
from tests.support.steps import (
    ASKED,
    ASKING,
    HOUR,
    NOW,
    THIRD,
    Answer,
    request,
    tag,
    two_officers,
    update,
)

SUBJECTS = {"m1": ("ada", "bob"), "m2": (), "m3": ("eve",)}
FINAL = {
    answer_pb2.MEASURE_OUTCOME_EXECUTED,
    answer_pb2.MEASURE_OUTCOME_EXECUTED_WITHOUT_RESULT,
    answer_pb2.MEASURE_OUTCOME_REPLACED,
    answer_pb2.MEASURE_OUTCOME_REFUSED,
    answer_pb2.MEASURE_OUTCOME_IMPOSSIBLE,
}
PARTLY = answer_pb2.MEASURE_OUTCOME_PARTLY_EXECUTED
REFUSED = answer_pb2.MEASURE_OUTCOME_REFUSED
NOT_AVAILABLE = refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE

STEPS = request_pb2.RequestStep.values()[1:]
DATED = [requests.POSTPONE, requests.REPORT_DELAY, requests.CONFIRM_IN_WRITING]

Todo = set[tuple[str, str]]
"""(measure, subject) not finally answered; a measure as a whole is (measure, "")."""


def word(step: int) -> str:
    """Return a step as one word."""
    name = request_pb2.RequestStep.Name(step)  # type: ignore[arg-type]  # a number of the enum
    return name.removeprefix("REQUEST_STEP_").lower()


def may_take(where: str, who: str) -> set[str]:
    """Return the words of the steps that a party may take, as a person would explain them."""
    if who == THIRD or where in {"refused", "closed", "withdrawn"}:
        return set()
    steps = {"arrange"}
    if who == ASKING:
        steps.add("confirm_in_writing")
        if where in {"partly_executed", "executed"}:
            steps.add("close")
        if where != "executed":
            steps.add("withdraw")
        if where == "clarification":
            steps.add("clarify")
    elif where != "executed":
        steps |= {"refuse", "execute", "execute_partly", "report_delay"}
        if where != "clarification":
            steps |= {"ask_clarification", "postpone"}
        if where in {"submitted", "acknowledged", "postponed"}:
            steps.add("accept")
        if where == "submitted":
            steps.add("acknowledge")
    return steps


def covers(todo: Todo, answer: Answer) -> Todo | None:
    """Return what an answer is about, of what is to do; None: it is about something else."""
    measure, _outcome, names = answer
    about = {(measure, name) for name in names} or {pair for pair in todo if pair[0] == measure}
    return about if about and about <= todo else None


class Request(RuleBasedStateMachine):
    """One request and three agencies, of whom one has no part in it."""

    @initialize(measures=st.sets(st.sampled_from(sorted(SUBJECTS))), hours=st.sampled_from([0, 24]))
    def submit(self, measures: set[str], hours: int) -> None:
        """Ask for some measures."""
        header = request({measure: SUBJECTS[measure] for measure in measures} or None)
        self.standing = requests.begin(header, asked=ASKED, confirm_in_writing_within_hours=hours)
        self.where, self.back, self.hours = "submitted", "", hours
        self.todo: Todo = {
            (measure, name) for measure in measures for name in SUBJECTS[measure] or [""]
        }

    @rule(
        data=st.data(),
        step=st.sampled_from([*STEPS, *DATED, *([requests.EXECUTE, requests.EXECUTE_PARTLY] * 3)]),
        who=st.sampled_from([ASKING, ASKED, ASKED, ASKED]),
        strangers=st.sampled_from([{}] * 9 + [{ASKING: THIRD}, {ASKED: THIRD}]),
        grounds=st.sampled_from([set(), set(), {1, 24}, {20}, {21}, {22}, {13, 21}]),
        date=st.sampled_from([None, NOW - 25 * HOUR, NOW - HOUR, NOW, NOW + HOUR]),
        conditional=st.booleans(),
    )
    def anything(
        self,
        data: st.DataObject,
        step: request_pb2.RequestStep.ValueType,
        who: str,
        strangers: dict[str, str],
        *,
        grounds: set[int],
        date: int | None,
        conditional: bool,
    ) -> None:
        """Take any step, by anybody, saying anything."""
        told = ASKED if who == ASKING else ASKING
        who, told = strangers.get(who, who), strangers.get(told, told)
        answers = data.draw(st.lists(self.answers(), max_size=3))
        header = update(
            step,
            *answers,
            sender=who,
            grounds=sorted(grounds),
            until=date,
            conditional=conditional,
        )

        expected = self.expected(header, told, answers, date)
        found = self.judge(header, told)

        assert expected == found
        if not expected:
            self.take(header, answers)

    @rule(data=st.data(), who=st.sampled_from([ASKING, ASKED]))
    def something_open(self, data: st.DataObject, who: str) -> None:
        """Take a step that is listed as open, as it should be taken."""
        step = data.draw(st.sampled_from([0, *requests.steps_open(self.standing, agency=who)]))
        if step:
            pairs = data.draw(st.permutations(sorted(self.todo)))
            header, answers = self.well_made(step, who, pairs)

            assert set() == self.judge(header, ASKED if who == ASKING else ASKING)
            self.take(header, answers)

    @invariant()
    def stands_as_the_model_says(self) -> None:
        """State, where it leads back, and what remains are those of the model."""
        state = request_pb2.RequestState.Name(self.standing.state)
        back = request_pb2.RequestState.Name(self.standing.resume_state)
        remaining = {
            (measure.measure_id, tags)
            for measure in self.standing.remaining
            for tags in [measure.subjects[at : at + 8] for at in range(0, len(measure.subjects), 8)]
            or [b""]
        }

        assert self.where == state.removeprefix("REQUEST_STATE_").lower()
        assert (self.back or "unspecified") == back.removeprefix("REQUEST_STATE_").lower()
        assert {(m, tag(name) if name else b"") for m, name in self.todo} == remaining
        assert [] == wire.violations(self.standing)

    @invariant()
    def what_is_listed_is_what_is_let_through(self) -> None:
        """A step is listed as open exactly when it passes, taken as it should be taken."""
        for who in (ASKING, ASKED, THIRD):
            listed = requests.steps_open(self.standing, agency=who)
            for step in STEPS:
                header, _answers = self.well_made(step, who, sorted(self.todo))
                passes = not self.judge(header, ASKED if who == ASKING else ASKING)
                assert passes == (step in listed), word(step)
            never = {"execute_partly"} if not self.todo else set()
            never |= {"confirm_in_writing"} if not self.hours else set()
            assert may_take(self.where, who) - never == {word(step) for step in listed}

    def answers(self) -> st.SearchStrategy[Answer]:
        """Answers to what was asked, mostly."""
        names = st.lists(st.sampled_from(["ada", "bob", "eve"]), max_size=2, unique=True)
        measures = st.sampled_from(["m1", "m2", "m3", "m4"])
        outcomes = st.sampled_from(answer_pb2.MeasureOutcome.values()[1:])
        anywhere = st.tuples(measures, outcomes, names)
        if not self.todo:
            return anywhere
        asked = st.sampled_from(sorted(self.todo))
        fitting = st.tuples(asked, outcomes, st.booleans()).map(
            lambda drawn: (
                drawn[0][0],
                drawn[1],
                [drawn[0][1]] if all(drawn[0]) and drawn[2] else [],
            )
        )
        return st.one_of(fitting, fitting, anywhere)

    def judge(self, header: envelope_pb2.Header, told: str) -> set[int]:
        """Return what stands in the way."""
        found = requests.obstacles(
            self.standing,
            header,
            sender=header.sender,
            recipient=told,
            entry_time=NOW,
            signers=two_officers(),
        )
        return {one.kind for one in found}

    def take(self, header: envelope_pb2.Header, answers: Iterable[Answer]) -> None:
        """Take a step that nothing stands in the way of, here and in the model."""
        self.standing = requests.advance(self.standing, header)
        step, left = word(header.update.step), self.left(answers)
        assert left <= self.todo
        if step == "clarify":
            self.where, self.back = self.back, ""
        elif step == "ask_clarification":
            self.back = "acknowledged" if self.where == "submitted" else self.where
            self.where = "clarification"
        elif step == "execute_partly":
            self.todo = left
            if self.where == "clarification":
                self.back = "partly_executed"
            else:
                self.where = "partly_executed"
        elif step not in {"report_delay", "confirm_in_writing", "arrange"}:
            self.back = ""
            self.where = {
                "acknowledge": "acknowledged",
                "accept": "accepted",
                "refuse": "refused",
                "postpone": "postponed",
                "execute": "executed",
                "close": "closed",
                "withdraw": "withdrawn",
            }[step]
            if step in {"refuse", "execute"}:
                self.todo = set()

    def left(self, answers: Iterable[Answer]) -> Todo:
        """Return what is to do after answers."""
        done = [covers(self.todo, one) or set() for one in answers if one[1] in FINAL]
        return self.todo.difference(*done)

    def expected(
        self, header: envelope_pb2.Header, told: str, answers: list[Answer], date: int | None
    ) -> set[int]:
        """Return what the model finds in the way."""
        step, who = word(header.update.step), header.sender
        grounds = set(header.update.refusal_grounds)
        if {who, told} != {ASKING, ASKED}:
            return {procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN}
        if step not in may_take(self.where, who):
            # Where the request stands matters to a party only if the step can ever be its own.
            ever = any(step in may_take(where, who) for where in WHERES)
            return {
                procedure_pb2.OBSTACLE_KIND_WRONG_STATE
                if ever
                else procedure_pb2.OBSTACLE_KIND_WRONG_PARTY
            }
        found: set[int] = set()
        executing = step in {"execute", "execute_partly"}
        if executing:
            left = self.left(answers)
            if any(covers(self.todo, answer) is None for answer in answers):
                found.add(procedure_pb2.OBSTACLE_KIND_MEASURE_NOT_OPEN)
            elif step == "execute" and left:
                found.add(procedure_pb2.OBSTACLE_KIND_ANSWER_INCOMPLETE)
            elif step == "execute_partly" and not (
                left and any(outcome in FINAL | {PARTLY} for _, outcome, _ in answers)
            ):
                found.add(procedure_pb2.OBSTACLE_KIND_ANSWER_NOT_PARTIAL)
        refuses = step == "refuse" or (
            executing and any(outcome == REFUSED for _, outcome, _ in answers)
        )
        fitting = {
            ground
            for ground in grounds
            if (ground == 21 and step == "postpone")
            or (ground == 22 and step == "accept" and header.update.conditional)
            or (ground not in {21, 22} and refuses)
        }
        if fitting != grounds:
            found.add(procedure_pb2.OBSTACLE_KIND_GROUND_MISPLACED)
        elif refuses and not grounds:
            found.add(procedure_pb2.OBSTACLE_KIND_GROUND_MISSING)
        if step in {"postpone", "report_delay"} and (date is None or date <= NOW):
            found.add(procedure_pb2.OBSTACLE_KIND_DATE_MISSING)
        if step == "confirm_in_writing" and (date not in {NOW - HOUR, NOW} or self.hours == 0):
            found.add(procedure_pb2.OBSTACLE_KIND_ORAL_REQUEST_LATE)
        return found

    def well_made(
        self,
        step: int,
        who: str,
        pairs: list[tuple[str, str]],
    ) -> tuple[envelope_pb2.Header, list[Answer]]:
        """Return a step as it should be taken; EXECUTE_PARTLY leaves one thing or all half done."""
        answers: list[Answer] = []
        if word(step) == "execute":
            answers = [(m, REFUSED, [name] if name else []) for m, name in pairs]
        elif word(step) == "execute_partly":
            done = pairs[:-1] or pairs
            outcome = REFUSED if pairs[:-1] else PARTLY
            answers = [(m, outcome, [name] if name else []) for m, name in done]
        refuses = word(step) == "refuse" or any(one[1] == REFUSED for one in answers)
        dates = {"postpone": NOW + HOUR, "report_delay": NOW + 1, "confirm_in_writing": NOW}
        header = update(
            step,  # type: ignore[arg-type]  # a number of the enum
            *answers,
            sender=who,
            grounds=[NOT_AVAILABLE] * refuses,
            until=dates.get(word(step)),
        )
        return header, answers


WHERES = [
    request_pb2.RequestState.Name(state).removeprefix("REQUEST_STATE_").lower()
    for state in request_pb2.RequestState.values()[1:]
]

TestRequest = Request.TestCase
TestRequest.settings = settings(max_examples=60, stateful_step_count=20)
