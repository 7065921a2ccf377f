"""The steps of a request, as an agency takes them: each from the request that it has before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rogatory import particulars
from rogatory.assistance.v1 import answer_pb2, request_form_pb2, request_pb2
from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import cases
from rogatory_gateway.demo.acting import OFFENCES, days_on, now

_ARTICLE = 64
"""Longest article in a header."""

Form = request_form_pb2.AssistanceRequest


def _acknowledge(name: str, form: Form) -> answer_pb2.Answer:
    del form
    authority = request_form_pb2.Authority(
        name=f"Duty desk, {cases.CASES[name].asked}", agency=cases.CASES[name].asked
    )
    return answer_pb2.Answer(
        step=request_pb2.REQUEST_STEP_ACKNOWLEDGE, executing_authority=authority
    )


def _ask_back(name: str, form: Form) -> answer_pb2.Answer:
    del name, form
    question = answer_pb2.Question(
        question_id="Q1", measure_ids=["M1"], text="On which day were they last in use?"
    )
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_ASK_CLARIFICATION, questions=[question])


def _clarify(name: str, form: Form) -> answer_pb2.Answer:
    del name, form
    reply = answer_pb2.Reply(question_id="Q1", text="On the day before the joint action.")
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_CLARIFY, replies=[reply])


def _accept(name: str, form: Form) -> answer_pb2.Answer:
    del name, form
    conditions = [
        answer_pb2.AnswerCondition(
            kind=answer_pb2.CONDITION_KIND_SPECIALITY,
            text="For this investigation only.",
            article="Budapest Convention Art. 28(2)(b)",
        ),
        answer_pb2.AnswerCondition(
            kind=answer_pb2.CONDITION_KIND_RETURN, text="The disks are given back."
        ),
    ]
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_ACCEPT, conditions=conditions)


def _refuse(name: str, form: Form) -> answer_pb2.Answer:
    del form
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_REFUSE, refusals=[cases.refusal(name)])


def _postpone(name: str, form: Form) -> answer_pb2.Answer:
    del name, form
    postponement = answer_pb2.Postponement(
        reason=answer_pb2.POSTPONEMENT_REASON_COORDINATION,
        until_time=days_on(14),
        text="A search of our own is planned for the week after next; both go together.",
    )
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_POSTPONE, postponement=postponement)


def _partly(name: str, form: Form) -> answer_pb2.Answer:
    """Answer the first measure, for all hosts but the last where there are several."""
    del name
    return answer_pb2.Answer(
        step=request_pb2.REQUEST_STEP_EXECUTE_PARTLY,
        measure_answers=[_answer("M1", _ids(form)[:-1] or _ids(form))],
    )


def _execute(name: str, form: Form) -> answer_pb2.Answer:
    """Answer all that the request's script has left open."""
    answered = [_answer("M2", ())]
    if "execute partly" not in cases.CASES[name].script:
        answered.append(_answer("M1", ()))
    elif len(_ids(form)) > 1:
        answered.append(_answer("M1", _ids(form)[-1:]))
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_EXECUTE, measure_answers=answered)


def _withdraw(name: str, form: Form) -> answer_pb2.Answer:
    del name, form
    closing = answer_pb2.Closing(reason=answer_pb2.CLOSING_REASON_NO_LONGER_NEEDED)
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_WITHDRAW, closing=closing)


def _close(name: str, form: Form) -> answer_pb2.Answer:
    del name, form
    closing = answer_pb2.Closing(
        reason=answer_pb2.CLOSING_REASON_SATISFIED, outcome="Used in the case named."
    )
    return answer_pb2.Answer(step=request_pb2.REQUEST_STEP_CLOSE, closing=closing)


def _answer(measure_id: str, subjects: Sequence[str]) -> answer_pb2.MeasureAnswer:
    return answer_pb2.MeasureAnswer(
        measure_id=measure_id,
        subject_ids=subjects,
        outcome=answer_pb2.MEASURE_OUTCOME_EXECUTED,
        execution_time=now(),
        text="Done; the findings follow on the way agreed.",
    )


def _ids(form: Form) -> list[str]:
    return [subject.record_id for subject in form.measures[0].subjects]


STEPS: dict[str, Callable[[str, Form], answer_pb2.Answer]] = {
    "acknowledge": _acknowledge,
    "ask back": _ask_back,
    "clarify": _clarify,
    "accept": _accept,
    "refuse": _refuse,
    "postpone": _postpone,
    "execute partly": _partly,
    "execute": _execute,
    "execute late": _execute,
    "withdraw": _withdraw,
    "close": _close,
}
"""By name: takes the case's name and its request, returns what is answered."""


def said_of(answer: answer_pb2.Answer) -> envelope_pb2.UpdateParticulars:
    """Return what the header of a step says: what the answer implies, and the article it cites."""
    article = next((refusal.article for refusal in answer.refusals), "")[:_ARTICLE]
    return particulars.complete(envelope_pb2.UpdateParticulars(article=article), [answer])


def draft(
    request: common_pb2.MessageReference,
    said: envelope_pb2.UpdateParticulars,
    *,
    to: str,
    basis: tuple[str, str],
    operation: common_pb2.MessageReference | None,
    offences: Sequence[str] = OFFENCES,
) -> Draft:
    """Return the header of a step.

    Args:
        request: The request.
        said: What it says of the step.
        to: The other side.
        basis: Agreement and article.
        operation: The joint operation it belongs to.
        offences: ICCS codes.
    """
    return Draft(
        kind=codes_pb2.KIND_UPDATE,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(to, *basis)],
        offences=offences,
        in_reply_to=request,
        operation=operation,
        particulars=said,
    )


def step(
    name: str, taken: str, request: common_pb2.MessageReference, form: Form
) -> tuple[envelope_pb2.UpdateParticulars, answer_pb2.Answer]:
    """Return header particulars and part of a step of a case."""
    answer = STEPS[taken](name, form)
    answer.language = "en"
    answer.request.CopyFrom(request)
    return said_of(answer), answer
