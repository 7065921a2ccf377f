"""The outline of an answer, for each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rogatory.assistance.v1 import request_pb2
from rogatory.forms.outlines import (
    A_RECORD,
    ADDRESS,
    OFFICIAL,
    RECORD_ELSEWHERE,
    TIME,
    Item,
    authority,
    below,
    may,
    need,
)
from rogatory.yamlrecords import BLANK


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMeasure:
    """A measure that a request asked for.

    Attributes:
        measure_id: Its name.
        subjects: Record ids of those it concerns.
    """

    measure_id: str
    subjects: Sequence[str] = ()


def answer_outline(
    step: request_pb2.RequestStep.ValueType, measures: Sequence[AskedMeasure]
) -> list[Item]:
    """Return what an answer says of its step, beside the request and the step itself.

    Args:
        step: The step.
        measures: What was asked for; none: it is not known here.

    Raises:
        KeyError: The step is unspecified, or of a newer contract.
    """
    ids = may("measure_ids", [item.measure_id for item in measures] or ["M1"])
    executed = [
        Item(
            name="measure_answers",
            needed=True,
            elements=[_measure(item) for item in measures or [AskedMeasure(measure_id=BLANK)]],
        ),
        below("refusals", *_refusal(measures), needed=False),
    ]
    closing = below("closing", need("reason"), may("outcome"), may("items_to_be_returned", "true"))
    return {
        request_pb2.REQUEST_STEP_ACKNOWLEDGE: [below("executing_authority", *authority())],
        request_pb2.REQUEST_STEP_ASK_CLARIFICATION: [
            below(
                "questions",
                need("question_id", "Q1"),
                need("text"),
                ids,
                may("reply_by_time", TIME),
            )
        ],
        request_pb2.REQUEST_STEP_CLARIFY: [
            below(
                "replies",
                need("question_id", "Q1"),
                need("text"),
                below("records", *RECORD_ELSEWHERE, needed=False),
            )
        ],
        request_pb2.REQUEST_STEP_ACCEPT: [
            below(
                "conditions",
                need("kind", "confidential"),
                need("text"),
                ids,
                may("article"),
                needed=False,
            )
        ],
        request_pb2.REQUEST_STEP_REFUSE: [below("refusals", *_refusal(measures))],
        request_pb2.REQUEST_STEP_POSTPONE: [
            below("postponement", need("reason"), need("until_time"), ids, may("text"))
        ],
        request_pb2.REQUEST_STEP_EXECUTE_PARTLY: executed,
        request_pb2.REQUEST_STEP_EXECUTE: executed,
        request_pb2.REQUEST_STEP_CLOSE: [closing],
        request_pb2.REQUEST_STEP_WITHDRAW: [closing],
        request_pb2.REQUEST_STEP_REPORT_DELAY: [
            below("delay", need("reason"), need("expected_time"), ids)
        ],
        request_pb2.REQUEST_STEP_CONFIRM_IN_WRITING: [
            below(
                "oral_request",
                need("request_time"),
                below("asked_by", *OFFICIAL),
                below("asked_of", *OFFICIAL, needed=False),
            )
        ],
        request_pb2.REQUEST_STEP_ARRANGE: [
            below(
                "arrangement",
                need("start_time"),
                below("place", *ADDRESS, needed=False),
                below("officials", *OFFICIAL, needed=False),
                may("settled", "true"),
                ids,
                may("text"),
            )
        ],
    }[step]


def _refusal(measures: Sequence[AskedMeasure]) -> tuple[Item, ...]:
    subjects = list(dict.fromkeys(found for item in measures for found in item.subjects))
    return (
        need("ground"),
        need("reasons"),
        may("measure_ids", [item.measure_id for item in measures] or ["M1"]),
        may("subject_ids", subjects or [A_RECORD]),
        may("article"),
        may("next_step"),
    )


def _measure(measure: AskedMeasure) -> tuple[Item, ...]:
    subjects = measure.subjects or [A_RECORD]
    return (
        need("measure_id", measure.measure_id),
        need("outcome"),
        need("text"),
        may("subject_ids", subjects),
        may("execution_time", TIME),
        below("results", *RECORD_ELSEWHERE, needed=False),
        may("replacement"),
        may("formalities_not_kept"),
    )
