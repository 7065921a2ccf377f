"""What the content of a part implies for the header of its message, type by type.

`TABLE` is the one place where that is stated; `rogatory.particulars` derives, completes and checks
by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from google.protobuf.message import Message

from rogatory.assistance.v1 import (
    answer_pb2,
    consent_pb2,
    handover_pb2,
    operation_pb2,
    refusal_pb2,
    request_form_pb2,
    request_pb2,
)
from rogatory.clock import to_nanoseconds
from rogatory.exchange.v1 import envelope_pb2
from rogatory.procedures import tags
from rogatory.records.v1 import alert_pb2, correction_pb2, offence_pb2

Particulars: TypeAlias = (
    envelope_pb2.RequestParticulars
    | envelope_pb2.UpdateParticulars
    | envelope_pb2.SubjectParticulars
    | envelope_pb2.OperationParticulars
    | envelope_pb2.AlertParticulars
)
"""The particulars that contents can imply."""

Faults: TypeAlias = Iterator[tuple[str, str]]
"""(path in the header, what it should be there)."""

_ENDING = frozenset({envelope_pb2.OPERATION_STEP_LEAVE, envelope_pb2.OPERATION_STEP_CLOSE})


def _nothing(_content: Message, _header: envelope_pb2.Header) -> Faults:
    yield from ()


class Rule(NamedTuple):
    """What one type of content implies.

    Attributes:
        particulars: Type of the particulars it is about.
        imply: Fills particulars from a content, and returns the fields that must be equal: those
            that the content decides, be they filled or not.
        besides: Yields what is wrong in a header and is no such field, or may be one of several.
    """

    particulars: type[Particulars]
    imply: Callable[[Any, Any], Sequence[str]]
    besides: Callable[[Any, envelope_pb2.Header], Faults] = _nothing


def rule_of(content: Message | None) -> Rule | None:
    """Return what a content implies; None for one that implies nothing or can't be read."""
    return None if content is None else TABLE.get(content.DESCRIPTOR.full_name)


def _of_request(
    content: request_form_pb2.AssistanceRequest, said: envelope_pb2.RequestParticulars
) -> Sequence[str]:
    said.assistance_kind = content.kind
    if not content.HasField("oral_request"):
        return ["assistance_kind"]
    said.oral_request_time.CopyFrom(content.oral_request.request_time)
    return ["assistance_kind", "oral_request_time"]


def _of_answer(content: answer_pb2.Answer, said: envelope_pb2.UpdateParticulars) -> Sequence[str]:
    fields = ["request", "step", "refusal_grounds"]
    said.request.CopyFrom(content.request)
    said.step = content.step
    grounds = {refusal.ground for refusal in content.refusals}
    if content.step == request_pb2.REQUEST_STEP_POSTPONE:
        grounds.add(refusal_pb2.REFUSAL_GROUND_POSTPONED)
    if content.step == request_pb2.REQUEST_STEP_ACCEPT:
        fields.append("conditional")
        said.conditional = bool(content.conditions)
        if content.conditions:
            grounds.add(refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS)
    said.refusal_grounds.extend(sorted(grounds))
    replies = [q.reply_by_time for q in content.questions if q.HasField("reply_by_time")]
    for field, there, value in (
        (
            "postponed_until_time",
            content.HasField("postponement"),
            content.postponement.until_time,
        ),
        ("expected_time", content.HasField("delay"), content.delay.expected_time),
        (
            "oral_request_time",
            content.HasField("oral_request"),
            content.oral_request.request_time,
        ),
        ("reply_by_time", bool(replies), min(replies, key=to_nanoseconds, default=None)),
    ):
        if there:
            fields.append(field)
            getattr(said, field).CopyFrom(value)
    return fields


def _of_handover(
    content: handover_pb2.Handover, said: envelope_pb2.UpdateParticulars
) -> Sequence[str]:
    said.request.CopyFrom(content.request)
    said.step = request_pb2.REQUEST_STEP_ARRANGE
    handover = said.handover
    handover.handover_id = content.record_id
    handover.stage = content.stage
    handover.releasing_agency = content.releasing_agency
    handover.receiving_agency = content.receiving_agency
    handover.handover_time.CopyFrom(content.handover_time)
    by_state: dict[handover_pb2.HandoverPersonState.ValueType, list[str]] = {}
    for person in content.persons:
        by_state.setdefault(person.state, []).append(person.person.record_id)
    for state, record_ids in sorted(by_state.items()):
        handover.persons.add(state=state, persons=tags.pack_ids(record_ids))
    return ["request", "step", "handover"]


def _of_consent(
    content: consent_pb2.Consent, said: envelope_pb2.SubjectParticulars
) -> Sequence[str]:
    said.message.CopyFrom(content.subject)
    said.consent_scope = content.scope
    said.withdrawal = content.withdrawal
    if content.HasField("valid_until_time"):
        said.valid_until_time.CopyFrom(content.valid_until_time)
    said.offences.extend(_codes(content.offences))
    said.agencies.extend(_each(content.agencies))
    return [
        "message",
        "consent_scope",
        "withdrawal",
        "valid_until_time",
        "offences",
        "agencies",
        "consent_request",
    ]


def _of_consent_request(
    content: consent_pb2.ConsentRequest, said: envelope_pb2.SubjectParticulars
) -> Sequence[str]:
    said.message.CopyFrom(content.subject)
    said.consent_scope = content.scopes[0]
    said.consent_request = True
    said.offences.extend(_codes(content.offences))
    said.agencies.extend(_each(content.agencies))
    # A header has room for one scope of several: `_scope` looks whether it is one of them.
    return ["message", "withdrawal", "offences", "agencies", "consent_request"]


def _of_erasure(
    content: correction_pb2.ErasureConfirmation, said: envelope_pb2.SubjectParticulars
) -> Sequence[str]:
    if not content.HasField("asked_by"):
        # Retention ended: nobody asked, so nothing is confirmed.
        said.message.CopyFrom(content.message)
        return ["message"]
    said.message.CopyFrom(content.asked_by)
    said.confirmation = True
    return ["message", "confirmation"]


def _of_founding(
    content: operation_pb2.OperationFounding, said: envelope_pb2.OperationParticulars
) -> Sequence[str]:
    said.step = envelope_pb2.OPERATION_STEP_FOUND
    said.valid_until_time.CopyFrom(content.valid_until_time)
    _put_members(content.members, said)
    return ["step", "valid_until_time", "members", "terms"]


def _of_invitation(
    content: operation_pb2.OperationInvitation, said: envelope_pb2.OperationParticulars
) -> Sequence[str]:
    said.step = envelope_pb2.OPERATION_STEP_INVITE
    _put_members(content.members, said)
    return ["step", "members", "terms"]


def _of_joining(
    content: operation_pb2.OperationJoining, said: envelope_pb2.OperationParticulars
) -> Sequence[str]:
    said.step = envelope_pb2.OPERATION_STEP_JOIN
    said.terms.append(_terms(content.member))
    return ["step", "terms"]


def _of_update(
    _content: operation_pb2.OperationUpdate, said: envelope_pb2.OperationParticulars
) -> Sequence[str]:
    said.step = envelope_pb2.OPERATION_STEP_REPORT
    return ["step"]


def _of_alerts(content: alert_pb2.Alerts, said: envelope_pb2.AlertParticulars) -> Sequence[str]:
    last = max((alert.valid_until_time for alert in content.alerts), key=to_nanoseconds)
    said.valid_until_time.CopyFrom(last)
    return ["valid_until_time"]


def _of_hits(content: alert_pb2.AlertHits, said: envelope_pb2.AlertParticulars) -> Sequence[str]:
    said.hit_of.CopyFrom(content.hits[0].alert.message)
    return ["hit_of"]


def _put_members(
    members: Iterable[operation_pb2.OperationMember], said: envelope_pb2.OperationParticulars
) -> None:
    for member in members:
        said.members.append(member.agency)
        said.terms.append(_terms(member))


def _terms(member: operation_pb2.OperationMember) -> envelope_pb2.MemberTerms:
    return envelope_pb2.MemberTerms(
        agency=member.agency, contributes=member.contributes, receives=member.receives
    )


def _each(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _codes(offences: Iterable[offence_pb2.Offence]) -> list[str]:
    return _each(offence.iccs_code for offence in offences if offence.iccs_code)


def _of_leaving(
    _content: operation_pb2.OperationLeaving, _said: envelope_pb2.OperationParticulars
) -> Sequence[str]:
    # A member that leaves and a lead that closes send the same content.
    return []


def _related(content: request_form_pb2.AssistanceRequest, header: envelope_pb2.Header) -> Faults:
    related = [one.message for one in content.related_requests if one.HasField("message")]
    stated = header.request
    if related and stated.HasField("related_request") and stated.related_request not in related:
        yield "request.related_request", "one of those that the REQUEST part names"


def _scope(content: consent_pb2.ConsentRequest, header: envelope_pb2.Header) -> Faults:
    if header.subject.consent_scope not in content.scopes:
        yield "subject.consent_scope", "one of those that are asked for"


def _lead(content: operation_pb2.OperationFounding, header: envelope_pb2.Header) -> Faults:
    if content.lead != header.sender:
        yield "sender", f"the lead, {content.lead}, who alone founds the operation"


def _member(content: operation_pb2.OperationJoining, header: envelope_pb2.Header) -> Faults:
    if content.member.agency != header.sender:
        yield "sender", f"the member, {content.member.agency}, who alone joins for itself"


def _ending(_content: operation_pb2.OperationLeaving, header: envelope_pb2.Header) -> Faults:
    if header.operation_step.step not in _ENDING:
        yield "operation_step.step", "OPERATION_STEP_LEAVE or OPERATION_STEP_CLOSE"


def _no_hit(_content: alert_pb2.Alerts, header: envelope_pb2.Header) -> Faults:
    if header.alert.HasField("hit_of") and not header.alert.withdrawal:
        yield "alert.hit_of", "left out: the message issues alerts and reports no hit"


def _one_alert(content: alert_pb2.AlertHits, header: envelope_pb2.Header) -> Faults:
    if any(hit.alert.message != header.alert.hit_of for hit in content.hits):
        yield "alert.hit_of", "the one message whose alerts all the hits are of"


_REQUEST, _UPDATE = envelope_pb2.RequestParticulars, envelope_pb2.UpdateParticulars
_SUBJECT, _OPERATION = envelope_pb2.SubjectParticulars, envelope_pb2.OperationParticulars
_ALERT = envelope_pb2.AlertParticulars

TABLE: Mapping[str, Rule] = MappingProxyType(
    {
        content.DESCRIPTOR.full_name: rule
        for content, rule in (
            (request_form_pb2.AssistanceRequest, Rule(_REQUEST, _of_request, _related)),
            (answer_pb2.Answer, Rule(_UPDATE, _of_answer)),
            (handover_pb2.Handover, Rule(_UPDATE, _of_handover)),
            (consent_pb2.Consent, Rule(_SUBJECT, _of_consent)),
            (consent_pb2.ConsentRequest, Rule(_SUBJECT, _of_consent_request, _scope)),
            (correction_pb2.ErasureConfirmation, Rule(_SUBJECT, _of_erasure)),
            (operation_pb2.OperationFounding, Rule(_OPERATION, _of_founding, _lead)),
            (operation_pb2.OperationInvitation, Rule(_OPERATION, _of_invitation)),
            (operation_pb2.OperationJoining, Rule(_OPERATION, _of_joining, _member)),
            (operation_pb2.OperationLeaving, Rule(_OPERATION, _of_leaving, _ending)),
            (operation_pb2.OperationUpdate, Rule(_OPERATION, _of_update)),
            (alert_pb2.Alerts, Rule(_ALERT, _of_alerts, _no_hit)),
            (alert_pb2.AlertHits, Rule(_ALERT, _of_hits, _one_alert)),
        )
    }
)
"""Full name of a content's type -> what it implies."""
