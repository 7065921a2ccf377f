"""What a header says because its records do: nobody writes it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from google.protobuf.message import Message

from rogatory import particulars
from rogatory.assistance.v1 import answer_pb2, request_form_pb2
from rogatory.client import Draft
from rogatory.client.drafts import Particulars
from rogatory.exchange.v1 import codes_pb2, envelope_pb2

P = TypeVar("P", envelope_pb2.RequestParticulars, envelope_pb2.UpdateParticulars)

_MOST = 16
"""Offences: as many as a header holds."""
_LONGEST_ARTICLE = 64
"""Of an article in a header."""


def follow(draft: Draft, contents: Sequence[Message]) -> Draft:
    """Return a draft whose header says what its records say.

    What the draft states itself is left as it is; that it contradicts the records is for others
    to find.
    """
    if draft.particulars is None:
        return draft
    if not isinstance(draft.particulars, envelope_pb2.CustodyParticulars):
        # Whatever must be equal to what the records say.
        implied = particulars.complete(draft.particulars, contents)
        draft = replace(draft, particulars=implied)
    for content in contents:
        if draft.particulars is not None:
            draft = replace(draft, particulars=_besides(draft.particulars, content))
        if isinstance(content, request_form_pb2.AssistanceRequest):
            draft = replace(
                draft,
                offences=list(draft.offences) or _offences(content),
                urgency=_urgency(draft, content),
            )
    return draft


def _besides(stated: Particulars, content: Message) -> Particulars:
    """Return particulars with what a content suggests and need not be so; what is stated stays."""
    if isinstance(stated, envelope_pb2.RequestParticulars) and isinstance(
        content, request_form_pb2.AssistanceRequest
    ):
        asked = envelope_pb2.RequestParticulars(
            directly_available=any(item.data.directly_available for item in content.measures)
        )
        if content.urgency.HasField("needed_by_time"):
            asked.respond_by_time.CopyFrom(content.urgency.needed_by_time)
        return _over(asked, stated)
    if isinstance(stated, envelope_pb2.UpdateParticulars) and isinstance(
        content, answer_pb2.Answer
    ):
        article = next((item.article for item in content.refusals if item.article), "")
        return _over(envelope_pb2.UpdateParticulars(article=article[:_LONGEST_ARTICLE]), stated)
    return stated


def _over(suggested: P, stated: P) -> P:
    for name, _ in stated.ListFields():
        suggested.ClearField(name.name)  # type: ignore[arg-type]
    suggested.MergeFrom(stated)
    return suggested


def _offences(form: request_form_pb2.AssistanceRequest) -> list[str]:
    return list(dict.fromkeys(item.iccs_code for item in form.offences))[:_MOST]


def _urgency(draft: Draft, form: request_form_pb2.AssistanceRequest) -> codes_pb2.Urgency.ValueType:
    """Return how soon it matters: a request that says why it is urgent is no routine."""
    if draft.urgency != codes_pb2.URGENCY_ROUTINE or not form.HasField("urgency"):
        return draft.urgency
    if request_form_pb2.URGENCY_REASON_DANGER_TO_PERSON in form.urgency.reasons:
        return codes_pb2.URGENCY_IMMEDIATE_DANGER
    return codes_pb2.URGENCY_URGENT
