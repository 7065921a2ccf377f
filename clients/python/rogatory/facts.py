"""Facts of a part: what rules may look at, computed from the content and never stated on trust.

Which field belongs to which field group stands in the protos themselves, as the option
`(rogatory.records.v1.field_group)`; any language reads it from the descriptors.

- ``record_count``: records in the container's one repeated field; 1 for what is no container;
- ``field_groups``: the groups of all fields that are filled, at any depth, ascending;
- ``data_subjects``: every value of type ``DataSubjectCategory``, at any depth, ascending, and for
  victim notices VICTIM;
- ``case_reference``, ``justification``: whether a CONTEXT part fills the fields so named;
- ``measures``: what a REQUEST part asks for and an ANSWER part answers, with tags of the subjects;
- of a FORWARDED part, what the original's own header states of the parts that are still there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rogatory import wire
from rogatory.assistance.v1 import answer_pb2, request_form_pb2
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import envelope_pb2
from rogatory.procedures import tags
from rogatory.records.v1 import common_pb2, context_pb2, victim_notice_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

_MOST_RECORDS = (1 << 32) - 1
"""Records that a uint32 can count."""
_CATEGORY_ENUM = common_pb2.DataSubjectCategory.DESCRIPTOR.full_name


@dataclass(slots=True)
class _Plan:
    """How to walk one message type: by field number, the group and what lies below."""

    groups: dict[int, int] = field(default_factory=dict)
    categories: set[int] = field(default_factory=set)
    below: dict[int, _Plan] = field(default_factory=dict)
    tells: bool = False


_plans: dict[str, _Plan] = {}


def of_message(message: Message) -> envelope_pb2.PartFacts:
    """Return the facts of a part's content.

    Raises:
        EnvelopeError: the content is a message passed on, and its header can't be read
            (MALFORMED, UNKNOWN_FIELDS, FIELD_VIOLATIONS) or binds other parts than it has
            (PARTS_MISSING).
    """
    descriptor = message.DESCRIPTOR
    if descriptor.full_name in _WITH_MORE:
        return _with_more(message)
    return _plainly(message)


def _plainly(message: Message) -> envelope_pb2.PartFacts:
    descriptor = message.DESCRIPTOR
    plan = _plans.get(descriptor.full_name) or _plan(cast("Descriptor", descriptor))
    groups: set[int] = set()
    subjects: set[int] = set()
    _walk(message, plan, groups, subjects)
    if isinstance(message, victim_notice_pb2.VictimNotices):
        subjects.add(common_pb2.DATA_SUBJECT_CATEGORY_VICTIM)
    context = message if isinstance(message, context_pb2.Context) else None
    return envelope_pb2.PartFacts(
        record_count=_record_count(message),
        field_groups=sorted(groups),  # type: ignore[arg-type]  # numbers of the enum
        data_subjects=sorted(subjects),  # type: ignore[arg-type]  # numbers of the enum
        case_reference=context is not None and bool(context.case_references),
        justification=context is not None and bool(context.justification),
    )


_WITH_MORE = frozenset(
    {
        kind.DESCRIPTOR.full_name
        for kind in (
            request_form_pb2.AssistanceRequest,
            answer_pb2.Answer,
            envelope_pb2.Envelope,
        )
    }
)
"""Contents of which more is said than counts and groups."""


def _with_more(message: Message) -> envelope_pb2.PartFacts:
    if isinstance(message, envelope_pb2.Envelope):
        return _of_forwarded(message)
    found = _plainly(message)
    said: dict[tuple[str, int], list[list[str]]] = {}
    if isinstance(message, request_form_pb2.AssistanceRequest):
        for measure in message.measures:
            ids = [subject.record_id for subject in measure.subjects]
            said.setdefault((measure.measure_id, 0), []).append(ids)
    elif isinstance(message, answer_pb2.Answer):
        for answer in message.measure_answers:
            ids = list(answer.subject_ids)
            said.setdefault((answer.measure_id, answer.outcome), []).append(ids)
    for (measure_id, outcome), lists in sorted(said.items()):
        # No subjects means the measure as a whole, so it outweighs those named beside it.
        named = [record_id for ids in lists for record_id in ids] if all(lists) else []
        found.measures.add(
            measure_id=measure_id,
            outcome=outcome,
            subjects=tags.pack_ids(named),
        )
    return found


def _of_forwarded(original: envelope_pb2.Envelope) -> envelope_pb2.PartFacts:
    """Return what the original's header, which its originator signed, says of the parts here."""
    header = wire.decode(
        envelope_pb2.Header, original.header, what="header of the message forwarded"
    )
    wire.validate(header, what="message forwarded", prefix="header")
    if len(header.parts) != len(original.parts):
        raise EnvelopeError(
            f"the header of the message forwarded binds {len(header.parts)} parts, "
            f"{len(original.parts)} are there",
            hint="Pass on every part of it, those left out in the form `absent`.",
            reason="PARTS_MISSING",
        )
    present = [
        position
        for position, part in enumerate(original.parts)
        if part.WhichOneof("form") != "absent"
    ]
    stated = [header.parts[position].facts for position in present]
    return envelope_pb2.PartFacts(
        record_count=min(sum(facts.record_count for facts in stated), _MOST_RECORDS),
        field_groups=sorted({group for facts in stated for group in facts.field_groups}),
        data_subjects=sorted({one for facts in stated for one in facts.data_subjects}),
        present_parts=present,
    )


def records_field(descriptor: Descriptor) -> FieldDescriptor | None:
    """Return the one repeated field of a container such as ``Persons``; None for other types."""
    fields = descriptor.fields
    if len(fields) == 1 and fields[0].is_repeated and fields[0].message_type is not None:
        return fields[0]
    return None


def _record_count(message: Message) -> int:
    container = records_field(cast("Descriptor", message.DESCRIPTOR))
    return 1 if container is None else len(getattr(message, container.name))


def _plan(descriptor: Descriptor) -> _Plan:
    """Make the plan of a message type once; types refer to each other, also in circles."""
    plan = _plans[descriptor.full_name] = _Plan()
    for member in descriptor.fields:
        group = member.GetOptions().Extensions[common_pb2.field_group]
        if group:
            plan.groups[member.number] = group
        if member.enum_type is not None and member.enum_type.full_name == _CATEGORY_ENUM:
            plan.categories.add(member.number)
        if member.message_type is not None:
            below = _plans.get(member.message_type.full_name) or _plan(member.message_type)
            if below.tells:
                plan.below[member.number] = below
    plan.tells = bool(plan.groups or plan.categories or plan.below)
    return plan


def _walk(message: Message, plan: _Plan, groups: set[int], subjects: set[int]) -> None:
    if not plan.tells:
        return
    for member, value in message.ListFields():
        number = member.number
        group = plan.groups.get(number)
        if group is not None:
            groups.add(group)
        if number in plan.categories:
            subjects.add(value)
        below = plan.below.get(number)
        if below is not None:
            for item in _items(member, value):
                _walk(item, below, groups, subjects)


def _items(member: FieldDescriptor, value: Any) -> Iterable[Message]:  # noqa: ANN401 - field value
    return value if member.is_repeated else (value,)
