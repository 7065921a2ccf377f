"""Persons handed over at a border: asked for, listed, given over, received, each one by one."""

from __future__ import annotations

import time
from collections.abc import Callable

from google.protobuf.message import Message

from rogatory import clock, particulars
from rogatory.assistance.v1 import (
    answer_pb2,
    handover_pb2,
    measure_pb2,
    request_form_pb2,
    request_pb2,
)
from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.procedures import handovers
from rogatory.records.v1 import common_pb2, evidence_pb2, offence_pb2, place_pb2
from rogatory_gateway.demo import answers, cast, content, persons
from rogatory_gateway.demo.acting import Result, now, result
from rogatory_gateway.demo.desk import Desk
from rogatory_gateway.demo.hosts import rank

_FORM = content.record_id("request", "hand-over")
_HANDOVER = content.record_id("hand-over")
_OFFENCES = ("0701",)
_MEASURE = "M1"
_AHEAD = 60 * clock.NANOSECONDS_PER_SECOND
"""How long before it takes place a hand-over is proposed here."""
_HELD_BACK, _ABSENT = 2, 1
"""Of the persons listed: unfit to travel, and not presented."""

_State = handover_pb2.HandoverPersonState
_LISTED = _State.HANDOVER_PERSON_STATE_LISTED
_GIVEN = _State.HANDOVER_PERSON_STATE_DELIVERED
_TAKEN = _State.HANDOVER_PERSON_STATE_RECEIVED
_UNFIT = _State.HANDOVER_PERSON_STATE_HELD_BACK_HEALTH
_MISSING = _State.HANDOVER_PERSON_STATE_NOT_PRESENTED
_REMARKS = {
    _UNFIT: "Cannot travel now; a physician's note is with the releasing side.",
    _MISSING: "Was not at the border post.",
}


def asked_for(desk: Desk) -> list[str]:
    """Return the record ids of the persons asked for, as the request received names them."""
    _, form = desk.memory.casework.forms[_FORM]
    return [subject.record_id for subject in form.measures[0].subjects]


def _heard(desk: Desk, stage: handover_pb2.HandoverStage.ValueType) -> handover_pb2.Handover:
    """Return what the other side stated last at a stage."""
    return desk.memory.casework.statements[stage].said


def _request(desk: Desk) -> tuple[Draft, list[Message]]:
    """Ask for the persons whom the other side arrested."""
    sought = persons.sought()
    references = [
        common_pb2.RecordReference(record_id=person.record_id) for person in sought.persons
    ]
    form = request_form_pb2.AssistanceRequest(
        record_id=_FORM,
        kind=request_pb2.ASSISTANCE_KIND_HANDOVER,
        issuing_country="LA",
        executing_country="KH",
        measures=[
            measure_pb2.Measure(
                measure_id=_MEASURE,
                kind=request_pb2.ASSISTANCE_KIND_HANDOVER,
                description="Hand over the persons named, with what was found on them.",
                subjects=references,
                arrest=measure_pb2.ArrestDetails(
                    warrant=offence_pb2.Warrant(
                        reference="LA-2026/W-100", issuing_authority="Court (demonstration)"
                    ),
                    hand_over_property=True,
                ),
            )
        ],
        persons=[
            request_form_pb2.RequestedPerson(
                record=reference, capacity=request_form_pb2.PERSON_CAPACITY_SUSPECT
            )
            for reference in references
        ],
        proceedings=request_form_pb2.PROCEEDINGS_TYPE_CRIMINAL,
        facts="Arrested in a compound near the border, from which they called victims.",
        offences=[offence_pb2.Offence(iccs_code=code) for code in _OFFENCES],
        issuing_authority=request_form_pb2.Authority(
            name="Border guard, head of section", agency=desk.agency
        ),
        instruments=[request_form_pb2.Instrument(name=cast.NEIGHBOURS, article="Art. 7(1)")],
        language="en",
    )
    draft = Draft(
        kind=codes_pb2.KIND_REQUEST,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(cast.RELEASING, cast.NEIGHBOURS, "Art. 7(1)")],
        offences=_OFFENCES,
        operation=desk.operation,
        particulars=envelope_pb2.RequestParticulars(
            assistance_kind=request_pb2.ASSISTANCE_KIND_HANDOVER
        ),
    )
    return draft, [content.context(desk.agency, "duty", case="LA-2026/W-100"), form, sought]


def _accept(desk: Desk) -> tuple[Draft, list[Message]]:
    answer = answer_pb2.Answer(step=request_pb2.REQUEST_STEP_ACCEPT)
    return _step(desk, answer, to=cast.RECEIVING)


def _propose(desk: Desk) -> tuple[Draft, list[Message]]:
    """List everybody, with time and place."""
    listed = dict.fromkeys(asked_for(desk), _LISTED)
    return _statement(desk, handover_pb2.HANDOVER_STAGE_PROPOSED, listed, to=cast.RECEIVING)


def _agree(desk: Desk) -> tuple[Draft, list[Message]]:
    """Agree to the list received, its time and place."""
    proposed = _heard(desk, handover_pb2.HANDOVER_STAGE_PROPOSED)
    listed = {person.person.record_id: person.state for person in proposed.persons}
    return _statement(desk, handover_pb2.HANDOVER_STAGE_AGREED, listed, to=cast.RELEASING)


def _deliver(desk: Desk) -> tuple[Draft, list[Message]]:
    """State who was given over, who is unfit to travel and who did not come, with their things."""
    agreed = _heard(desk, handover_pb2.HANDOVER_STAGE_AGREED)
    listed = sorted((person.person.record_id for person in agreed.persons), key=rank)
    stated = dict.fromkeys(listed, _GIVEN)
    stated |= dict.fromkeys(listed[:_HELD_BACK], _UNFIT)
    stated |= dict.fromkeys(listed[_HELD_BACK : _HELD_BACK + _ABSENT], _MISSING)
    draft, (part,) = _statement(
        desk, handover_pb2.HANDOVER_STAGE_DELIVERED, stated, to=cast.RECEIVING
    )
    assert isinstance(part, handover_pb2.Handover)
    items = _evidence()
    given = [person for person in part.persons if person.state == _GIVEN]
    for number, person in enumerate(given, start=1):
        person.identity_check = "Document and fingerprints"
        person.property.add(
            description="Bag with clothes and personal papers", package_number=f"P-{number:03d}"
        )
    for person, item in zip(given, items.items, strict=False):
        person.evidence.add(record_id=item.record_id)
    return draft, [part, items]


def _receive(desk: Desk) -> tuple[Draft, list[Message]]:
    """State that everybody who was given over is there."""
    delivered = _heard(desk, handover_pb2.HANDOVER_STAGE_DELIVERED)
    came = {
        person.person.record_id: _TAKEN for person in delivered.persons if person.state == _GIVEN
    }
    return _statement(desk, handover_pb2.HANDOVER_STAGE_RECEIVED, came, to=cast.RELEASING)


def _execute(desk: Desk) -> tuple[Draft, list[Message]]:
    """Answer the request person by person: executed, or not possible."""
    received = _heard(desk, handover_pb2.HANDOVER_STAGE_RECEIVED)
    over = [person.person.record_id for person in received.persons if person.state == _TAKEN]
    others = sorted(set(asked_for(desk)) - set(over))
    answer = answer_pb2.Answer(
        step=request_pb2.REQUEST_STEP_EXECUTE,
        measure_answers=[
            answer_pb2.MeasureAnswer(measure_id=_MEASURE, subject_ids=ids, outcome=outcome)
            for ids, outcome in (
                (over, answer_pb2.MEASURE_OUTCOME_EXECUTED),
                (others, answer_pb2.MEASURE_OUTCOME_IMPOSSIBLE),
            )
        ],
    )
    return _step(desk, answer, to=cast.RECEIVING)


def _close(desk: Desk) -> tuple[Draft, list[Message]]:
    answer = answer_pb2.Answer(
        step=request_pb2.REQUEST_STEP_CLOSE,
        closing=answer_pb2.Closing(
            reason=answer_pb2.CLOSING_REASON_ANSWERED_IN_PART,
            outcome="Those held back are asked for anew once they can travel.",
        ),
    )
    return _step(desk, answer, to=cast.RELEASING)


_STEPS: dict[str, tuple[str, Callable[[Desk], tuple[Draft, list[Message]]]]] = {
    "request": (cast.RECEIVING, _request),
    "accept": (cast.RELEASING, _accept),
    "propose": (cast.RELEASING, _propose),
    "agree": (cast.RECEIVING, _agree),
    "deliver": (cast.RELEASING, _deliver),
    "receive": (cast.RECEIVING, _receive),
    "execute": (cast.RELEASING, _execute),
    "close": (cast.RECEIVING, _close),
}
WHO_STEPS = {name: agency for name, (agency, _) in _STEPS.items()}
"""The steps in order, and who takes each."""


async def hand_over(desk: Desk, order: Result) -> Result:
    """Take a step of the hand-over; two officers sign whatever it is."""
    draft, contents = _STEPS[order["step"]][1](desk)
    data = desk.build(draft, *contents, signers=desk.signers("duty", "head"))
    return result(await desk.send(data))


async def count_handed_over(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """Say where each person stands by the messages, and what went along.

    Returns:
        ``asked`` persons, and ``persons`` by state; of the ``statements`` received, the fewest
        ``officers`` who signed one, and pieces of ``property`` and ``evidence``.
    """
    request, _ = desk.memory.casework.forms[_FORM]
    key = request.sender, request.message_id, cast.RELEASING
    (standing,) = desk.memory.casework.requests[key].handovers
    assert handovers.is_complete(standing)
    heard = desk.memory.casework.statements.values()
    stated = [statement.said for statement in heard]
    return {
        "asked": len(asked_for(desk)),
        "persons": {
            _State.DESCRIPTOR.values_by_number[state].name.removeprefix(
                "HANDOVER_PERSON_STATE_"
            ): count
            for state, count in handovers.progress(standing).items()
        },
        "property": sum(len(person.property) for one in stated for person in one.persons),
        "evidence": sum(len(person.evidence) for one in stated for person in one.persons),
        "statements": len(stated),
        "officers": min(len(statement.officers) for statement in heard),
    }


def _step(desk: Desk, answer: answer_pb2.Answer, *, to: str) -> tuple[Draft, list[Message]]:
    request, _ = desk.memory.casework.forms[_FORM]
    answer.request.CopyFrom(request)
    return _draft(desk, answers.said_of(answer), "Art. 7(3)", to=to), [answer]


def _draft(desk: Desk, said: envelope_pb2.UpdateParticulars, article: str, *, to: str) -> Draft:
    return answers.draft(
        said.request,
        said,
        to=to,
        basis=(cast.NEIGHBOURS, article),
        operation=desk.operation,
        offences=_OFFENCES,
    )


def _statement(
    desk: Desk,
    stage: handover_pb2.HandoverStage.ValueType,
    stated: dict[str, handover_pb2.HandoverPersonState.ValueType],
    *,
    to: str,
) -> tuple[Draft, list[Message]]:
    """Return a statement on persons, by record id, and the header that tells the same."""
    request, _ = desk.memory.casework.forms[_FORM]
    statements = desk.memory.casework.statements
    numbers = {record_id: n for n, record_id in enumerate(sorted(asked_for(desk)), start=1)}
    part = handover_pb2.Handover(
        record_id=_HANDOVER,
        request=request,
        stage=stage,
        releasing_agency=cast.RELEASING,
        receiving_agency=cast.RECEIVING,
        persons=[
            handover_pb2.HandoverPerson(
                number=numbers[record_id],
                person=common_pb2.RecordReference(message=request, record_id=record_id),
                state=state,
                state_time=now(),
                remark=_REMARKS.get(state, ""),
            )
            for record_id, state in sorted(stated.items(), key=lambda item: numbers[item[0]])
        ],
        handover_time=clock.to_timestamp(time.time_ns() + _AHEAD),
        place=place_pb2.Place(
            record_id=content.record_id("border post"),
            kind=place_pb2.PLACE_KIND_BORDER_POST,
            names=[common_pb2.NameText(text="Example Border Post", script="Latn")],
        ),
        releasing_officers=_officers(cast.RELEASING),
        receiving_officers=_officers(cast.RECEIVING),
    )
    if statements:
        last = list(statements.values())[-1]
        part.answers.CopyFrom(last.message)
        part.handover_time.CopyFrom(
            now() if stage == handover_pb2.HANDOVER_STAGE_DELIVERED else last.said.handover_time
        )
    said = particulars.complete(envelope_pb2.UpdateParticulars(), [part])
    return _draft(desk, said, "Art. 7(2)", to=to), [part]


def _officers(agency: str) -> list[common_pb2.Official]:
    return [common_pb2.Official(name=name, agency=agency) for name in cast.OFFICERS]


def _evidence() -> evidence_pb2.EvidenceItems:
    """Return the telephones that were found on some of them."""
    return evidence_pb2.EvidenceItems(
        items=[
            evidence_pb2.EvidenceItem(
                record_id=content.record_id("telephone", number),
                item_number=f"T-{number:03d}",
                kind=evidence_pb2.EVIDENCE_KIND_DEVICE,
                description="Mobile telephone, switched off, in a sealed bag",
                quantity=1,
                seal_numbers=[f"KH{number:06d}"],
                seizure_time=now(),
            )
            for number in range(1, 48)
        ]
    )
