"""Facts of a part: what rules may look at, computed from the content and never stated on trust.

Which field belongs to which field group stands in the protos themselves, as the option
`(rogatory.records.v1.field_group)`; any language reads it from the descriptors.

- ``record_count``: records in the container's one repeated field; 1 for what is no container;
- ``field_groups``: the groups of all fields that are filled, at any depth, ascending;
- ``data_subjects``: every value of type ``DataSubjectCategory``, at any depth, ascending, and for
  victim notices VICTIM;
- ``case_reference``, ``justification``: whether a CONTEXT part fills the fields so named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rogatory.exchange.v1 import envelope_pb2
from rogatory.records.v1 import common_pb2, context_pb2, victim_notice_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

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
    """Return the facts of a part's content."""
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
