"""Particulars: what a header says of its parts is what they say."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping

import pytest
from google.protobuf.message import Message

from rogatory import facts, particulars, schemas
from rogatory.assistance.v1 import (
    answer_pb2,
    consent_pb2,
    handover_pb2,
    operation_pb2,
    refusal_pb2,
    request_form_pb2,
    request_pb2,
)
from rogatory.client.drafts import _PARTICULARS
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.procedures import tags
from rogatory.records.v1 import alert_pb2, common_pb2
from tests.support import catalogue, records, steps

ABOUT = common_pb2.MessageReference(
    sender="fr.pj", message_id=records.record_id("earlier"), header_digest=b"\x07" * 32
)
OTHER = common_pb2.MessageReference(
    sender="fr.pj", message_id=records.record_id("other"), header_digest=b"\x08" * 32
)
SENDER = "de.bka"
LATER = steps.at(1_810_944_000_000_000_000)

Change = Callable[[envelope_pb2.Header], object]


def header_of(
    kind: codes_pb2.Kind.ValueType,
    *contents: Message,
    stated: particulars.Particulars | None = None,
    sealed: bool = False,
) -> envelope_pb2.Header:
    """Return a header with the particulars stated, or those that the contents imply."""
    head = envelope_pb2.Header(sender=SENDER, kind=kind)
    for content in contents:
        schema = schemas.of_message(content)
        head.parts.add(
            category=schema.category,
            schema=schema.name,
            facts=facts.of_message(content),
            sealed=sealed,
        )
    said = stated or particulars.derive(kind, contents)
    if said is not None:
        getattr(head, _PARTICULARS[type(said)]).CopyFrom(said)
    return head


def fault(header: envelope_pb2.Header, *contents: Message | None) -> str:
    """Return what a header misstates, or how it is told; empty: nothing."""
    try:
        particulars.check(header, contents)
    except EnvelopeError as error:
        return f"{error.reason}: {error}"
    return ""


def content(member: str) -> Message:
    """Return one content of the catalogue."""
    return catalogue.content(member, about=ABOUT)


def answer(step: request_pb2.RequestStep.ValueType, **fields: object) -> answer_pb2.Answer:
    """Return an ANSWER part."""
    return answer_pb2.Answer(request=ABOUT, step=step, **fields)  # type: ignore[arg-type]


def refusal(ground: refusal_pb2.RefusalGround.ValueType) -> answer_pb2.RefusalDetail:
    """Return one refusal."""
    return answer_pb2.RefusalDetail(ground=ground, reasons="It is not held here.")


KINDS: Mapping[str, codes_pb2.Kind.ValueType] = {
    "assistance_request": codes_pb2.KIND_REQUEST,
    "answer": codes_pb2.KIND_UPDATE,
    "handover": codes_pb2.KIND_UPDATE,
    "consent": codes_pb2.KIND_CONSENT,
    "consent_request": codes_pb2.KIND_CONSENT,
    "erasure_confirmation": codes_pb2.KIND_CORRECTION,
    "operation_founding": codes_pb2.KIND_OPERATION,
    "operation_invitation": codes_pb2.KIND_OPERATION,
    "operation_joining": codes_pb2.KIND_OPERATION,
    "operation_update": codes_pb2.KIND_OPERATION,
    "alerts": codes_pb2.KIND_ALERT,
    "alert_hits": codes_pb2.KIND_ALERT,
}
EXPECTED: Mapping[str, Message] = {
    "assistance_request": envelope_pb2.RequestParticulars(
        assistance_kind=request_pb2.ASSISTANCE_KIND_PRESERVATION
    ),
    "answer": envelope_pb2.UpdateParticulars(
        request=ABOUT, step=request_pb2.REQUEST_STEP_EXECUTE_PARTLY
    ),
    "handover": envelope_pb2.UpdateParticulars(
        request=ABOUT,
        step=request_pb2.REQUEST_STEP_ARRANGE,
        handover=envelope_pb2.HandoverParticulars(
            handover_id=records.record_id("handover"),
            stage=handover_pb2.HANDOVER_STAGE_PROPOSED,
            releasing_agency="de.bka",
            receiving_agency="fr.pj",
            handover_time=LATER,
            persons=[
                envelope_pb2.HandoverPersons(
                    state=handover_pb2.HANDOVER_PERSON_STATE_LISTED,
                    persons=tags.subject_tag(catalogue.SUSPECT),
                )
            ],
        ),
    ),
    "consent": envelope_pb2.SubjectParticulars(
        message=ABOUT,
        consent_scope=consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER,
        valid_until_time=LATER,
        agencies=["nl.politie"],
    ),
    "consent_request": envelope_pb2.SubjectParticulars(
        message=ABOUT,
        consent_scope=consent_pb2.CONSENT_SCOPE_EVIDENTIAL_USE,
        offences=["0701"],
        consent_request=True,
    ),
    "erasure_confirmation": envelope_pb2.SubjectParticulars(message=ABOUT, confirmation=True),
    "operation_founding": envelope_pb2.OperationParticulars(
        step=envelope_pb2.OPERATION_STEP_FOUND,
        members=["de.bka", "fr.pj"],
        valid_until_time=LATER,
        terms=[
            envelope_pb2.MemberTerms(
                agency="de.bka", contributes=[operation_pb2.CONTRIBUTION_KIND_INDICATORS]
            ),
            envelope_pb2.MemberTerms(
                agency="fr.pj", receives=[operation_pb2.CONTRIBUTION_KIND_INDICATORS]
            ),
        ],
    ),
    "operation_invitation": envelope_pb2.OperationParticulars(
        step=envelope_pb2.OPERATION_STEP_INVITE,
        members=["nl.politie"],
        terms=[
            envelope_pb2.MemberTerms(
                agency="nl.politie", receives=[operation_pb2.CONTRIBUTION_KIND_INDICATORS]
            )
        ],
    ),
    "operation_joining": envelope_pb2.OperationParticulars(
        step=envelope_pb2.OPERATION_STEP_JOIN,
        terms=[
            envelope_pb2.MemberTerms(
                agency="de.bka", contributes=[operation_pb2.CONTRIBUTION_KIND_INDICATORS]
            )
        ],
    ),
    "operation_update": envelope_pb2.OperationParticulars(step=envelope_pb2.OPERATION_STEP_REPORT),
    "alerts": envelope_pb2.AlertParticulars(valid_until_time=LATER),
    "alert_hits": envelope_pb2.AlertParticulars(hit_of=ABOUT),
}


@pytest.mark.parametrize("member", KINDS)
def test_what_a_content_implies(member: str) -> None:
    """Particulars made of a content hold what it decides, and pass with it."""
    made = particulars.derive(KINDS[member], [None, content(member)])

    assert EXPECTED[member] == made
    assert "" == fault(header_of(KINDS[member], content(member)), content(member))


@pytest.mark.parametrize("member", KINDS)
def test_every_field_that_a_content_decides(member: str) -> None:
    """A header that leaves one of them out is refused, and the error names the field."""
    kind = KINDS[member]
    whole = header_of(kind, content(member))
    name = whole.WhichOneof("particulars")
    assert name is not None

    for field, _value in EXPECTED[member].ListFields():
        head = copy.deepcopy(whole)
        getattr(head, name).ClearField(field.name)

        assert f"{name}.{field.name}" in fault(head, content(member)), field.name


@pytest.mark.parametrize("member", KINDS)
def test_completing_fills_in_what_is_implied(member: str) -> None:
    """Nobody states a thing twice: what is left out follows from the content."""
    empty = type(EXPECTED[member])()

    made = particulars.complete(empty, [content(member)])  # type: ignore[type-var]

    assert EXPECTED[member] == made
    assert type(empty)() == empty


def test_completing_keeps_what_is_stated() -> None:
    """What the sender wrote stays, its own fields and even what the content contradicts."""
    stated = envelope_pb2.SubjectParticulars(
        message=OTHER, parts=[1], agencies=["nl.politie", "be.fgp"]
    )

    made = particulars.complete(stated, [content("consent")])

    assert (OTHER, [1], ["nl.politie", "be.fgp"]) == (
        made.message,
        list(made.parts),
        list(made.agencies),
    )
    assert consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER == made.consent_scope
    assert "subject.message" in fault(
        header_of(codes_pb2.KIND_CONSENT, content("consent"), stated=made), content("consent")
    )


@pytest.mark.parametrize(
    ("kind", "contents"),
    [
        (codes_pb2.KIND_TRANSFER, [records.persons()]),
        (codes_pb2.KIND_RECEIPT, [records.acknowledgement(ABOUT)]),
        (codes_pb2.KIND_UPDATE, [records.persons()]),
        (codes_pb2.KIND_UPDATE, [None]),
        (codes_pb2.KIND_OPERATION, [operation_pb2.OperationLeaving()]),
        (codes_pb2.KIND_CORRECTION, [answer(request_pb2.REQUEST_STEP_ACCEPT)]),
    ],
)
def test_contents_that_imply_nothing(
    kind: codes_pb2.Kind.ValueType, contents: list[Message | None]
) -> None:
    """Records, sealed parts and parts of another kind decide no particulars."""
    assert particulars.derive(kind, contents) is None


@pytest.mark.parametrize(
    ("step", "fields", "expected"),
    [
        (
            "REFUSE",
            {"refusals": [refusal(13), refusal(6), refusal(13)]},  # type: ignore[arg-type]
            envelope_pb2.UpdateParticulars(refusal_grounds=[6, 13]),  # type: ignore[list-item]
        ),
        (
            "POSTPONE",
            {"postponement": answer_pb2.Postponement(until_time=LATER)},
            envelope_pb2.UpdateParticulars(
                refusal_grounds=[refusal_pb2.REFUSAL_GROUND_POSTPONED], postponed_until_time=LATER
            ),
        ),
        (
            "ACCEPT",
            {"conditions": [answer_pb2.AnswerCondition(text="Keep it confidential.")]},
            envelope_pb2.UpdateParticulars(
                refusal_grounds=[refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS],
                conditional=True,
            ),
        ),
        ("ACCEPT", {}, envelope_pb2.UpdateParticulars()),
        (
            "REPORT_DELAY",
            {"delay": answer_pb2.Delay(expected_time=LATER)},
            envelope_pb2.UpdateParticulars(expected_time=LATER),
        ),
        (
            "CONFIRM_IN_WRITING",
            {"oral_request": request_form_pb2.OralRequest(request_time=LATER)},
            envelope_pb2.UpdateParticulars(oral_request_time=LATER),
        ),
        (
            "ASK_CLARIFICATION",
            {
                "questions": [
                    answer_pb2.Question(),
                    answer_pb2.Question(reply_by_time=LATER),
                    answer_pb2.Question(reply_by_time=steps.at(steps.NOW)),
                ]
            },
            envelope_pb2.UpdateParticulars(reply_by_time=steps.at(steps.NOW)),
        ),
    ],
)
def test_what_each_step_implies(
    step: str, fields: Mapping[str, object], expected: envelope_pb2.UpdateParticulars
) -> None:
    """An answer decides the grounds, dates and conditions of its step."""
    content = answer(request_pb2.RequestStep.Value(f"REQUEST_STEP_{step}"), **fields)
    expected.request.CopyFrom(ABOUT)
    expected.step = content.step

    made = particulars.derive(codes_pb2.KIND_UPDATE, [content])

    assert expected == made
    assert "" == fault(header_of(codes_pb2.KIND_UPDATE, content), content)


@pytest.mark.parametrize(
    ("content", "grounds", "expected"),
    [
        (answer(request_pb2.REQUEST_STEP_POSTPONE), [], ""),
        (answer(request_pb2.REQUEST_STEP_POSTPONE), [21], ""),
        (answer(request_pb2.REQUEST_STEP_REFUSE, refusals=[refusal(13)]), [13], ""),  # type: ignore[arg-type]
        (
            answer(request_pb2.REQUEST_STEP_REFUSE, refusals=[refusal(13)]),  # type: ignore[arg-type]
            [6, 13],
            "update.refusal_grounds",
        ),
        (answer(request_pb2.REQUEST_STEP_REFUSE), [13], "update.refusal_grounds"),
    ],
)
def test_grounds_are_those_of_the_refusals(
    content: answer_pb2.Answer, grounds: list[int], expected: str
) -> None:
    """A header states each ground of the part and no other, but for what the step says itself."""
    stated = envelope_pb2.UpdateParticulars(
        request=ABOUT,
        step=content.step,
        refusal_grounds=grounds,  # type: ignore[arg-type]  # numbers of the enum
    )
    head = header_of(codes_pb2.KIND_UPDATE, content, stated=stated)

    found = fault(head, content)

    assert bool(expected) == bool(found)
    assert expected in found


def test_order_of_lists_does_not_matter() -> None:
    """Agencies, offences and terms say the same in any order."""
    content = catalogue.content("operation_founding", about=ABOUT)
    head = header_of(codes_pb2.KIND_OPERATION, content)
    said = head.operation_step
    terms = list(said.terms)[::-1]
    said.members[:] = list(said.members)[::-1]
    del said.terms[:]
    said.terms.extend(terms)

    assert "" == fault(head, content)

    said.terms[0].contributes.append(operation_pb2.CONTRIBUTION_KIND_PERSONS)
    assert "operation_step.terms" in fault(head, content)


BESIDES: Mapping[str, tuple[codes_pb2.Kind.ValueType, Message, Change, str]] = {
    "founded by another than the lead": (
        codes_pb2.KIND_OPERATION,
        content("operation_founding"),
        lambda head: setattr(head, "sender", "fr.pj"),
        "sender",
    ),
    "joined for another": (
        codes_pb2.KIND_OPERATION,
        content("operation_joining"),
        lambda head: setattr(head, "sender", "fr.pj"),
        "sender",
    ),
    "leaving by another step": (
        codes_pb2.KIND_OPERATION,
        content("operation_leaving"),
        lambda head: setattr(head.operation_step, "step", envelope_pb2.OPERATION_STEP_REPORT),
        "operation_step.step",
    ),
    "asking for one scope, stating another": (
        codes_pb2.KIND_CONSENT,
        content("consent_request"),
        lambda head: setattr(
            head.subject, "consent_scope", consent_pb2.CONSENT_SCOPE_OTHER_OFFENCE
        ),
        "subject.consent_scope",
    ),
    "an alert that is a hit": (
        codes_pb2.KIND_ALERT,
        content("alerts"),
        lambda head: head.alert.hit_of.CopyFrom(ABOUT),
        "alert.hit_of",
    ),
    "another related request": (
        codes_pb2.KIND_REQUEST,
        request_form_pb2.AssistanceRequest(
            kind=request_pb2.ASSISTANCE_KIND_HEARING,
            related_requests=[request_form_pb2.RelatedRequest(message=ABOUT)],
        ),
        lambda head: head.request.related_request.CopyFrom(OTHER),
        "request.related_request",
    ),
    "hits of two messages": (
        codes_pb2.KIND_ALERT,
        alert_pb2.AlertHits(
            hits=[
                alert_pb2.AlertHit(alert=common_pb2.RecordReference(message=message))
                for message in (ABOUT, OTHER)
            ]
        ),
        lambda head: head,
        "alert.hit_of",
    ),
}


@pytest.mark.parametrize("case", BESIDES)
def test_what_is_no_field_of_the_content(case: str) -> None:
    """Who founds or joins, and what may be one of several, is compared too."""
    kind, content, change, expected = BESIDES[case]
    head = header_of(kind, content)
    head.operation_step.step = head.operation_step.step or envelope_pb2.OPERATION_STEP_LEAVE
    if kind != codes_pb2.KIND_OPERATION:
        head = header_of(kind, content)
    before = fault(head, content)
    change(head)

    found = fault(head, content)

    assert expected in found
    assert case == "hits of two messages" or not before


@pytest.mark.parametrize(
    ("content", "confirmation", "expected"),
    [
        (content("erasure_confirmation"), False, "subject.confirmation"),
        (content("erasure_confirmation"), True, ""),
    ],
)
def test_erasure_is_confirmed_to_who_asked(
    content: Message,
    confirmation: bool,  # noqa: FBT001 - a case of the table
    expected: str,
) -> None:
    """A confirmation is marked as one; who erased without being asked confirms nothing."""
    head = header_of(codes_pb2.KIND_CORRECTION, content)
    head.subject.confirmation = confirmation
    unasked = copy.deepcopy(content)
    unasked.ClearField("asked_by")

    assert expected in fault(head, content)
    assert "" == fault(header_of(codes_pb2.KIND_CORRECTION, unasked), unasked)
    assert not header_of(codes_pb2.KIND_CORRECTION, unasked).subject.confirmation


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("kind", sorted(codes_pb2.Kind.values())[1:])
@pytest.mark.parametrize(
    "member", ["assistance_request", "answer", "handover", "consent", "operation_update", "alerts"]
)
def test_parts_travel_in_their_own_kind(
    member: str,
    kind: codes_pb2.Kind.ValueType,
    sealed: bool,  # noqa: FBT001 - a case of the table
) -> None:
    """A request asks in a REQUEST, an answer answers in an UPDATE: sealed or clear."""
    own = content(member)
    head = header_of(KINDS[member], own, sealed=sealed)
    head.kind = kind

    found = fault(head, None if sealed else own)

    assert ("does not go with" in found) == (kind != KINDS[member])
    assert particulars.needs_check(head)


@pytest.mark.parametrize("member", ["assistance_request", "answer", "handover"])
def test_said_once(member: str) -> None:
    """A message has one request, one answer, one hand-over."""
    own = content(member)
    head = header_of(KINDS[member], own, own)

    assert "parts" in fault(head, own, own)


DATED: Mapping[str, tuple[request_pb2.RequestStep.ValueType, Change]] = {
    "postponed_until_time": (
        request_pb2.REQUEST_STEP_POSTPONE,
        lambda head: head.update.postponed_until_time.CopyFrom(LATER),
    ),
    "oral_request_time": (
        request_pb2.REQUEST_STEP_CONFIRM_IN_WRITING,
        lambda head: head.update.oral_request_time.CopyFrom(LATER),
    ),
    "expected_time": (
        request_pb2.REQUEST_STEP_REPORT_DELAY,
        lambda head: head.update.expected_time.CopyFrom(LATER),
    ),
    "reply_by_time": (
        request_pb2.REQUEST_STEP_ASK_CLARIFICATION,
        lambda head: head.update.reply_by_time.CopyFrom(LATER),
    ),
    "conditional": (
        request_pb2.REQUEST_STEP_ACCEPT,
        lambda head: setattr(head.update, "conditional", True),
    ),
}


@pytest.mark.parametrize("field", DATED)
def test_dates_go_with_their_step(field: str) -> None:
    """A date or condition that belongs to another step is refused, with no part at all."""
    own, change = DATED[field]
    for step in request_pb2.RequestStep.values()[1:]:
        head = steps.update(step)
        change(head)

        assert (f"update.{field}" in fault(head)) == (step != own)


def test_hand_over_goes_with_its_part() -> None:
    """A header states a hand-over with a HANDOVER part, and a part with a statement."""
    own = content("handover")
    without = header_of(codes_pb2.KIND_UPDATE, own)
    without.update.ClearField("handover")
    alone = header_of(codes_pb2.KIND_UPDATE, own)
    del alone.parts[:]

    assert "update.handover" in fault(without, own)
    assert "go together" in fault(without, None)
    assert "go together" in fault(alone)


def test_persons_listed_out_of_order() -> None:
    """Tags of a sealed hand-over stand ascending and once, as any part would have them."""
    own = content("handover")
    head = header_of(codes_pb2.KIND_UPDATE, own, sealed=True)
    head.update.handover.persons[0].persons *= 2

    assert "tags" in fault(head, None)


MISSTATED: Mapping[str, Change] = {
    "no outcome": lambda head: setattr(head.parts[0].facts.measures[0], "outcome", 0),
    "twice": lambda head: head.parts[0].facts.measures.append(head.parts[0].facts.measures[0]),
    "out of order": lambda head: head.parts[0].facts.measures.add(measure_id="a", outcome=1),
    "no tags": lambda head: setattr(head.parts[0].facts.measures[0], "subjects", b"123"),
}


@pytest.mark.parametrize("case", MISSTATED)
def test_measures_that_no_part_could_have(case: str) -> None:
    """A sealed part states its measures as a clear one would have them."""
    head = header_of(codes_pb2.KIND_UPDATE, content("answer"), sealed=True)
    assert "" == fault(head, None)

    MISSTATED[case](head)

    assert "misstates the measures" in fault(head, None)


def test_measures_are_asked_without_outcome() -> None:
    """A request has measures and no outcome; other parts have none at all."""
    head = header_of(codes_pb2.KIND_REQUEST, content("assistance_request"), sealed=True)
    head.parts[0].facts.measures[0].outcome = answer_pb2.MEASURE_OUTCOME_EXECUTED
    alert = header_of(codes_pb2.KIND_ALERT, content("alerts"), sealed=True)
    alert.parts[0].facts.measures.add(measure_id="m1")

    assert "misstates the measures" in fault(head, None)
    assert "misstates the measures" in fault(alert, None)


def test_request_asks_for_no_more_measures_than_its_form_holds() -> None:
    """A sealed part could state more, and nobody could then record how the request stands."""
    head = header_of(codes_pb2.KIND_REQUEST, content("assistance_request"), sealed=True)
    measures = head.parts[0].facts.measures
    del measures[:]
    for number in range(64):
        measures.add(measure_id=f"m{number:02}")
    assert "" == fault(head, None)

    measures.add(measure_id="m64")

    assert "misstates the measures" in fault(head, None)


def test_outcomes_go_with_execution() -> None:
    """A step that executes nothing says nothing of what came of measures."""
    own = content("answer")
    assert isinstance(own, answer_pb2.Answer)
    own.step = request_pb2.REQUEST_STEP_ACCEPT

    assert "in a step that executes none" in fault(header_of(codes_pb2.KIND_UPDATE, own), own)


def forwarding(*names: str) -> tuple[envelope_pb2.Header, list[envelope_pb2.Envelope]]:
    """Return a header that forwards messages, and what is in its parts."""
    head = envelope_pb2.Header(sender=SENDER, kind=codes_pb2.KIND_TRANSFER)
    originals = []
    for name in names:
        inner = envelope_pb2.Header(sender="fr.pj", message_id=records.record_id(name))
        original = envelope_pb2.Envelope(header=inner.SerializeToString())
        originals.append(original)
        head.parts.add(category=codes_pb2.PART_CATEGORY_FORWARDED)
        head.forwards.add(
            sender=inner.sender,
            message_id=inner.message_id,
            header_digest=hashlib.sha256(original.header).digest(),
        )
    return head, originals


def test_messages_passed_on_are_those_named() -> None:
    """Each message that a header forwards is in one part, and each part is one of these."""
    head, (first, second) = forwarding("one", "two")

    assert "" == fault(head, first, second)
    assert "" == fault(head, second, None)
    assert "forwards" in fault(head, first, first)
    for change in (
        head.forwards.pop,
        lambda: head.forwards.add().CopyFrom(OTHER),
        lambda: head.forwards[0].CopyFrom(head.forwards[1]),
        lambda: head.forwards[1].CopyFrom(OTHER),
    ):
        whole = copy.deepcopy(head)
        change()
        assert "forwards" in fault(head, first, second)
        head.CopyFrom(whole)


def test_most_messages_need_no_check() -> None:
    """Records and receipts, which are most of the traffic, are not looked at again."""
    transfer = header_of(codes_pb2.KIND_TRANSFER, records.persons(), records.indicators())
    receipt = header_of(codes_pb2.KIND_RECEIPT, records.acknowledgement(ABOUT))

    assert not particulars.needs_check(transfer)
    assert not particulars.needs_check(receipt)
    assert "" == fault(transfer, records.persons(), records.indicators())
