"""The contract: what holds of every message of the protos, whoever adds the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor

from rogatory import facts, schemas
from rogatory._vendor.buf.validate import validate_pb2
from rogatory.exchange.v1 import envelope_pb2
from rogatory.records.v1 import common_pb2, custody_pb2
from tests.support import documents

PROTOS = documents.ROOT / "protos"
FOREIGN_FIELD = common_pb2.ForeignField.DESCRIPTOR.full_name

# A rule of these limits the length. One of `ip` does not: an IPv6 zone may be as long as it likes.
LIMITS = frozenset({"uuid", "const", "len", "max_len", "max_bytes", "in"})
UNBOUNDED = re.compile(r"[*+]|\{\d+,\}")
ONE_CHARACTER = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]")


def files() -> list[FileDescriptor]:
    """Return the descriptors of all protos of the contract."""
    return [
        import_module(name.replace("/", ".").removesuffix(".proto") + "_pb2").DESCRIPTOR
        for name in sorted(
            path.relative_to(PROTOS).as_posix() for path in (PROTOS / "rogatory").rglob("*.proto")
        )
    ]


def messages() -> Iterator[Descriptor]:
    """Return the descriptors of all messages of the contract."""
    todo = [message for file in files() for message in file.message_types_by_name.values()]
    while todo:
        message = todo.pop()
        todo += message.nested_types
        yield message


def fields() -> Iterator[FieldDescriptor]:
    """Return the descriptors of all fields of the contract."""
    return (field for message in messages() for field in message.fields)


def rules(field: FieldDescriptor) -> Any:  # noqa: ANN401 - buf.validate's rules, by type
    """Return the rules of a field."""
    return field.GetOptions().Extensions[validate_pb2.field]


def is_bounded(field: FieldDescriptor, rule: Any) -> bool:  # noqa: ANN401 - as above
    """Say whether a value of this field is of limited length, by its rules alone."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return any(rule.bytes.HasField(name) for name in ("len", "max_len"))
    if field.type != FieldDescriptor.TYPE_STRING:
        return True
    if LIMITS & {said.name for said, _ in rule.string.ListFields()}:
        return True
    pattern = rule.string.pattern
    whole = pattern.startswith("^") and pattern.endswith("$")
    return whole and not UNBOUNDED.search(ONE_CHARACTER.sub("c", pattern))


def test_every_string_list_and_run_of_bytes_is_bounded() -> None:
    """No field of any message can be of any size: a rule limits its length and its items'."""
    unbounded = []
    for field in fields():
        rule = rules(field)
        if field.is_repeated and not rule.repeated.HasField("max_items"):
            unbounded.append(f"{field.full_name}: how many")
        if not is_bounded(field, rule.repeated.items if field.is_repeated else rule):
            unbounded.append(f"{field.full_name}: how long")

    assert [] == unbounded


def test_foreign_fields_are_a_group_of_their_own() -> None:
    """Wherever a record can hold what the schema has no name for, the facts of its part say so."""
    foreign = [
        field
        for field in fields()
        if field.message_type is not None and field.message_type.full_name == FOREIGN_FIELD
    ]

    groups = {field.GetOptions().Extensions[common_pb2.field_group] for field in foreign}

    assert {"foreign_fields"} == {field.name for field in foreign}
    assert {common_pb2.FIELD_GROUP_FOREIGN} == groups


def test_every_record_has_foreign_fields() -> None:
    """What an import carries beyond the schema has a place in each record, whatever its type."""
    records = {
        message.full_name: message
        for message in messages()
        if "record_id" in message.fields_by_name
        and message.full_name != common_pb2.RecordReference.DESCRIPTOR.full_name
    }
    for name in schemas.names():
        descriptor = cast("Descriptor", schemas.by_name(name).message_type.DESCRIPTOR)
        container = facts.records_field(descriptor)
        if container is not None and container.message_type is not None:
            records[container.message_type.full_name] = container.message_type

    lacking = [
        name for name, message in records.items() if "foreign_fields" not in message.fields_by_name
    ]

    assert [] == lacking


def test_custody_actions_of_header_and_record_are_the_same() -> None:
    """The header's number admits every action that the record's enum has, and no other."""
    action = envelope_pb2.CustodyParticulars.DESCRIPTOR.fields_by_name["action"]
    numbers = sorted(set(custody_pb2.CustodyAction.values()) - {0})

    bounds = rules(action).uint32

    assert list(range(bounds.gte, bounds.lte + 1)) == numbers
