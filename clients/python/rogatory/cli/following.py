"""What a header says because its records do: nobody writes it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from google.protobuf.message import Message

from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_form_pb2
from rogatory.client import Draft
from rogatory.exchange.v1 import codes_pb2, envelope_pb2

_MOST_OFFENCES = 16
"""As many as a header holds."""


def follow(draft: Draft, contents: Sequence[Message]) -> Draft:
    """Return a draft whose header says what its request or answer says.

    What the draft states itself is left as it is; that it contradicts the records is for others
    to find.
    """
    for content in contents:
        if isinstance(content, request_form_pb2.AssistanceRequest):
            draft = _request(draft, content)
        elif isinstance(content, answer_pb2.Answer):
            draft = _answer(draft, content)
    return draft


def _request(draft: Draft, form: request_form_pb2.AssistanceRequest) -> Draft:
    stated = draft.particulars
    if not isinstance(stated, envelope_pb2.RequestParticulars):
        return draft
    said = envelope_pb2.RequestParticulars(
        assistance_kind=form.kind,
        directly_available=any(item.data.directly_available for item in form.measures),
    )
    if form.urgency.HasField("needed_by_time"):
        said.respond_by_time.CopyFrom(form.urgency.needed_by_time)
    if form.HasField("oral_request"):
        said.oral_request_time.CopyFrom(form.oral_request.request_time)
    # What is stated goes over what follows.
    said.MergeFrom(stated)
    offences = list(draft.offences) or _offences(form)
    return replace(draft, particulars=said, offences=offences, urgency=_urgency(draft, form))


def _offences(form: request_form_pb2.AssistanceRequest) -> list[str]:
    return list(dict.fromkeys(item.iccs_code for item in form.offences))[:_MOST_OFFENCES]


def _urgency(draft: Draft, form: request_form_pb2.AssistanceRequest) -> codes_pb2.Urgency.ValueType:
    """Return how soon it matters: a request that says why it is urgent is no routine."""
    if draft.urgency != codes_pb2.URGENCY_ROUTINE or not form.HasField("urgency"):
        return draft.urgency
    if request_form_pb2.URGENCY_REASON_DANGER_TO_PERSON in form.urgency.reasons:
        return codes_pb2.URGENCY_IMMEDIATE_DANGER
    return codes_pb2.URGENCY_URGENT


def _answer(draft: Draft, answer: answer_pb2.Answer) -> Draft:
    stated = draft.particulars
    if not isinstance(stated, envelope_pb2.UpdateParticulars):
        return draft
    said = envelope_pb2.UpdateParticulars(
        step=answer.step,
        article=next((item.article for item in answer.refusals if item.article), "")[:64],
        conditional=bool(answer.conditions),
    )
    said.request.CopyFrom(answer.request)
    if answer.postponement.HasField("until_time"):
        said.postponed_until_time.CopyFrom(answer.postponement.until_time)
    if answer.oral_request.HasField("request_time"):
        said.oral_request_time.CopyFrom(answer.oral_request.request_time)
    if answer.delay.HasField("expected_time"):
        said.expected_time.CopyFrom(answer.delay.expected_time)
    replies = [item.reply_by_time for item in answer.questions if item.HasField("reply_by_time")]
    if replies:
        said.reply_by_time.CopyFrom(min(replies, key=lambda item: (item.seconds, item.nanos)))
    grounds = list(stated.refusal_grounds) or _grounds(answer)
    said.MergeFrom(stated)
    del said.refusal_grounds[:]
    said.refusal_grounds.extend(grounds)
    return replace(draft, particulars=said)


def _grounds(answer: answer_pb2.Answer) -> list[refusal_pb2.RefusalGround.ValueType]:
    return list(dict.fromkeys(item.ground for item in answer.refusals))
