"""A record shared, passed on with consent, and recalled from everyone who holds it."""

from __future__ import annotations

from google.protobuf.message import Message

from rogatory.assistance.v1 import consent_pb2, request_form_pb2
from rogatory.client import Draft, handling, recipient
from rogatory.envelopes import OpenedEnvelope, parse_checked
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_service_pb2
from rogatory.records.v1 import common_pb2
from rogatory.verification import verify_delivery
from rogatory_gateway.demo import cast, content, persons, recalls
from rogatory_gateway.demo.acting import OFFENCES, Result, days_on, result
from rogatory_gateway.demo.desk import Desk

ORIGINATOR, HOLDER, ONE_TOO_MANY, THIRD = "my.police", "sg.police", "bn.police", "ph.police"
"""Who shares a record; with whom; with whom by mistake; to whom it is passed on."""
HOLDERS = (HOLDER, ONE_TOO_MANY, THIRD)
"""Who holds the record in the end, two of them from its originator."""
_CONSENT_DAYS = 30
_ONWARD = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
_REASON = "Seen in a case of yours, too."


async def share(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The originator sends a suspect's record to two others; one of them should not have it."""
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[
            recipient(agency, cast.JOINT, "Art. 5(4)") for agency in (HOLDER, ONE_TOO_MANY)
        ],
        offences=OFFENCES,
        operation=desk.operation,
    )
    parts = [_because(desk), persons.shared()]
    envelope = desk.build(draft, *parts, signers=desk.signers("duty"))
    desk.shared = parse_checked(envelope).reference
    return result(await desk.send(envelope))


def _original(desk: Desk) -> OpenedEnvelope:
    """Return the record as the originator sent it and this agency holds it."""
    (found,) = (one for one in desk.memory.held.values() if one.header.sender == ORIGINATOR)
    return found


async def pass_on(desk: Desk, order: Result) -> Result:
    """The holder passes the record on with its envelope; without consent that is refused."""
    original = _original(desk)
    given = desk.memory.casework.consent
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(THIRD, cast.JOINT, "Art. 9(2)")],
        offences=OFFENCES,
        handling=handling(tlp=original.header.handling.tlp),
        forwards=[original.reference],
        consents=[given[0]] if given is not None else [],
    )
    envelope = envelope_pb2.Envelope(
        header=original.header_bytes, signatures=original.signatures, parts=original.parts
    )
    data = desk.build(draft, _because(desk), envelope, signers=desk.signers("duty"))
    told = result(await desk.send(data))
    if told["deliveries"]:
        desk.shared = parse_checked(data).reference
        desk.passed_on_to = [THIRD]
    for row in told["refusals"]:
        # It is sent again once the consent is there, and the play fails where that is refused.
        row["permitted_then"] = order["again"]
    return told


async def ask_consent(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The holder asks the originator whether it may pass the record on to one other agency."""
    original = _original(desk).reference
    request = consent_pb2.ConsentRequest(
        subject=original,
        scopes=[_ONWARD],
        agencies=[THIRD],
        reason=_REASON,
        answer_by_time=days_on(7),
    )
    said = envelope_pb2.SubjectParticulars(
        message=original, consent_scope=_ONWARD, consent_request=True, agencies=[THIRD]
    )
    return result(await desk.send(_about(desk, said, request, to=ORIGINATOR, answers=original)))


async def consent(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The originator consents to what was asked, for the one agency and for a time."""
    assert desk.memory.casework.asked is not None
    asked, request = desk.memory.casework.asked
    until = days_on(_CONSENT_DAYS)
    given = consent_pb2.Consent(
        subject=request.subject,
        scope=_ONWARD,
        agencies=request.agencies,
        valid_until_time=until,
        asked_by=asked,
        authority=request_form_pb2.Authority(name="Head of unit", agency=desk.agency),
    )
    said = envelope_pb2.SubjectParticulars(
        message=request.subject,
        consent_scope=_ONWARD,
        agencies=request.agencies,
        valid_until_time=until,
    )
    return result(await desk.send(_about(desk, said, given, to=asked.sender, answers=asked)))


async def tell_consent(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The holder says which consent it received: of whom, for whom, and until when."""
    assert desk.memory.casework.consent is not None
    reference, given = desk.memory.casework.consent
    return {
        "by": reference.sender,
        "to": desk.agency,
        "for": list(given.agencies),
        "until": given.valid_until_time.ToJsonString(),
    }


async def recall(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The originator takes the record back from everyone who holds it, copies included."""
    assert desk.shared is not None
    holders = [holder.agency for holder in await desk.client.holders(desk.shared.message_id)]
    draft, reason = recalls.ask(desk.shared, holders, agency=desk.agency)
    return result(await desk.send(desk.build(draft, reason, signers=desk.signers("duty"))))


async def review_recall(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The originator looks who holds the record, and who has confirmed that it is erased."""
    assert desk.shared is not None
    told = await desk.client.holders(desk.shared.message_id)
    confirmed = [holder.agency for holder in told if _is_confirmed(holder)]
    assert set(confirmed) == desk.memory.casework.erased
    return {
        "holders": [holder.agency for holder in told],
        "by_copy": [holder.agency for holder in told if holder.received_by.sender != desk.agency],
        "confirmed": confirmed,
    }


def _is_confirmed(holder: procedure_service_pb2.Holder) -> bool:
    return bool(holder.notices) and all(
        notice.HasField("confirmation") for notice in holder.notices
    )


async def look_again(desk: Desk, order: Result) -> Result:
    """Whoever held the record fetches it anew; say which of its parts the gateway still has.

    Returns:
        ``parts``, by how they come now: ``clear``, or of an absent one the reason. What came is
        verified as any delivery. ``kept``: records of it that this agency still holds.
    """
    delivery = await desk.client.get_message(order["sender"], order["message_id"])
    verified = verify_delivery(
        delivery,
        recipient=desk.agency,
        ring=desk.policy.ring,
        agreements=desk.policy.agreements,
        audience=desk.policy.log_keys[0].name,
    )
    return {
        "parts": [_form(part) for part in verified.envelope.parts],
        "kept": sum(one.header.sender == ORIGINATOR for one in desk.memory.held.values()),
    }


async def name_shared(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """Say in which message this agency shared the record, or passed it on."""
    assert desk.shared is not None
    return {"sender": desk.agency, "message_id": desk.shared.message_id}


def _form(part: envelope_pb2.Part) -> str:
    if part.WhichOneof("form") != "absent":
        return str(part.WhichOneof("form"))
    return envelope_pb2.AbsenceReason.Name(part.absent.reason).removeprefix("ABSENCE_REASON_")


def _about(
    desk: Desk,
    said: envelope_pb2.SubjectParticulars,
    part: Message,
    *,
    to: str,
    answers: common_pb2.MessageReference,
) -> bytes:
    draft = Draft(
        kind=codes_pb2.KIND_CONSENT,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(to, cast.JOINT, "Art. 9(1)")],
        offences=OFFENCES,
        in_reply_to=answers,
        particulars=said,
    )
    return desk.build(draft, part, signers=desk.signers("head"))


def _because(desk: Desk) -> Message:
    return content.context(
        desk.agency, "duty", case=f"{desk.agency[:2].upper()}-2026/090", justification=_REASON
    )
