"""What a header says because its records do: nobody writes it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from google.protobuf.message import Message

from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_form_pb2
from rogatory.client import Draft
from rogatory.client.drafts import Particulars
from rogatory.exchange.v1 import codes_pb2, envelope_pb2

_MOST = 16
"""Offences, and grounds for refusal: as many as a header holds."""
_LONGEST_ARTICLE = 64
"""Of an article in a header."""


def follow(draft: Draft, contents: Sequence[Message]) -> Draft:
    """Return a draft whose header says what its request or answer says.

    What the draft states itself is left as it is; that it contradicts the records is for others
    to find.
    """
    if draft.particulars is None:
        return draft
    for content in contents:
        draft = replace(draft, particulars=_implied(draft.particulars, content))
        if isinstance(content, request_form_pb2.AssistanceRequest):
            draft = replace(
                draft,
                offences=list(draft.offences) or _offences(content),
                urgency=_urgency(draft, content),
            )
    return draft


def _implied(stated: Particulars, content: Message) -> Particulars:
    """Return particulars with what a content implies; what is stated goes before it."""
    if isinstance(stated, envelope_pb2.RequestParticulars) and isinstance(
        content, request_form_pb2.AssistanceRequest
    ):
        return _request(stated, content)
    if isinstance(stated, envelope_pb2.UpdateParticulars) and isinstance(
        content, answer_pb2.Answer
    ):
        return _answer(stated, content)
    return stated


def _request(
    stated: envelope_pb2.RequestParticulars, form: request_form_pb2.AssistanceRequest
) -> envelope_pb2.RequestParticulars:
    said = envelope_pb2.RequestParticulars(
        assistance_kind=form.kind,
        directly_available=any(item.data.directly_available for item in form.measures),
    )
    if form.urgency.HasField("needed_by_time"):
        said.respond_by_time.CopyFrom(form.urgency.needed_by_time)
    if form.HasField("oral_request"):
        said.oral_request_time.CopyFrom(form.oral_request.request_time)
    for name, _ in stated.ListFields():
        said.ClearField(name.name)  # type: ignore[arg-type]
    said.MergeFrom(stated)
    return said


def _answer(
    stated: envelope_pb2.UpdateParticulars, answer: answer_pb2.Answer
) -> envelope_pb2.UpdateParticulars:
    article = next((item.article for item in answer.refusals if item.article), "")
    said = envelope_pb2.UpdateParticulars(
        request=answer.request,
        step=answer.step,
        refusal_grounds=_grounds(answer),
        article=article[:_LONGEST_ARTICLE],
        conditional=bool(answer.conditions),
    )
    if answer.postponement.HasField("until_time"):
        said.postponed_until_time.CopyFrom(answer.postponement.until_time)
    if answer.oral_request.HasField("request_time"):
        said.oral_request_time.CopyFrom(answer.oral_request.request_time)
    if answer.delay.HasField("expected_time"):
        said.expected_time.CopyFrom(answer.delay.expected_time)
    replies = [item.reply_by_time for item in answer.questions if item.HasField("reply_by_time")]
    if replies:
        said.reply_by_time.CopyFrom(min(replies, key=lambda item: (item.seconds, item.nanos)))
    for name, _ in stated.ListFields():
        said.ClearField(name.name)  # type: ignore[arg-type]
    said.MergeFrom(stated)
    return said


def _grounds(answer: answer_pb2.Answer) -> list[refusal_pb2.RefusalGround.ValueType]:
    return list(dict.fromkeys(item.ground for item in answer.refusals))[:_MOST]


def _offences(form: request_form_pb2.AssistanceRequest) -> list[str]:
    return list(dict.fromkeys(item.iccs_code for item in form.offences))[:_MOST]


def _urgency(draft: Draft, form: request_form_pb2.AssistanceRequest) -> codes_pb2.Urgency.ValueType:
    """Return how soon it matters: a request that says why it is urgent is no routine."""
    if draft.urgency != codes_pb2.URGENCY_ROUTINE or not form.HasField("urgency"):
        return draft.urgency
    if request_form_pb2.URGENCY_REASON_DANGER_TO_PERSON in form.urgency.reasons:
        return codes_pb2.URGENCY_IMMEDIATE_DANGER
    return codes_pb2.URGENCY_URGENT
