"""Which type travels under which category."""

from __future__ import annotations

import pytest

from rogatory import schemas
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import person_pb2


def test_every_category_has_a_type() -> None:
    """No category is without a type, and no name stands twice."""
    categories = {schemas.by_name(name).category for name in schemas.names()}

    assert {*codes_pb2.PartCategory.values()} - {0} == categories
    assert len(schemas.names()) == len({*schemas.names()})


@pytest.mark.parametrize("name", schemas.names())
def test_type_is_found_by_name_and_message(name: str) -> None:
    """The name leads to the class, and the class to the name."""
    schema = schemas.by_name(name)

    assert name == schema.message_type.DESCRIPTOR.full_name
    assert schema == schemas.of_message(schema.message_type())
    schemas.check_descriptor(
        envelope_pb2.PartDescriptor(category=schema.category, schema=name), position=0
    )


def test_types_that_do_not_travel() -> None:
    """A type of the protos that is no part's is refused, with the names of those that are."""
    with pytest.raises(EnvelopeError) as failed:
        schemas.of_message(person_pb2.Person())

    assert "SCHEMA_UNKNOWN" == failed.value.reason
    assert "rogatory.records.v1.Persons" in failed.value.hint


def test_a_person_cannot_travel_as_an_indicator() -> None:
    """A known type under another category is refused, and both are named."""
    descriptor = envelope_pb2.PartDescriptor(
        category=codes_pb2.PART_CATEGORY_INDICATOR, schema="rogatory.records.v1.Persons"
    )

    with pytest.raises(EnvelopeError, match=r"PERSON.*INDICATOR") as failed:
        schemas.check_descriptor(descriptor, position=2)

    assert "SCHEMA_UNKNOWN" == failed.value.reason
    assert "part 2" in failed.value.message
