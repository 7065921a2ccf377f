"""Records for tests: small, valid, synthetic."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.assistance.v1 import measure_pb2, request_form_pb2, request_pb2
from rogatory.records.v1 import (
    acknowledgement_pb2,
    common_pb2,
    context_pb2,
    indicator_pb2,
    offence_pb2,
    person_pb2,
)

SOME_TIME = Timestamp(seconds=1_790_000_000)


def record_id(name: str) -> str:
    """Return a UUID that belongs to a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def indicators(count: int = 1, *, tag: str = "c2") -> indicator_pb2.Indicators:
    """Return a part with so many malicious domains in a reserved zone (RFC 2606)."""
    return indicator_pb2.Indicators(
        indicators=[
            indicator_pb2.Indicator(
                record_id=record_id(f"{tag} {number}"),
                type=indicator_pb2.INDICATOR_TYPE_DOMAIN,
                value=f"{tag}-{number}.example",
                confidence=80,
                tlp=common_pb2.TLP_AMBER,
                status=indicator_pb2.INDICATOR_STATUS_REPORTED,
                valid_from_time=SOME_TIME,
            )
            for number in range(count)
        ]
    )


def bulk(size: int) -> indicator_pb2.Indicators:
    """Return a valid part of about so many bytes in few records."""
    made = indicators(-(-size // 2048))
    for item in made.indicators:
        item.remark = "x" * 1900
    return made


def person(
    name: str = "Erika Mustermann",
    *,
    category: common_pb2.DataSubjectCategory.ValueType = common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
    groups: Sequence[common_pb2.FieldGroup.ValueType] = (),
) -> person_pb2.Person:
    """Return a synthetic person, with the field groups named filled beside identity."""
    made = person_pb2.Person(
        record_id=record_id(name),
        category=category,
        names=[
            person_pb2.PersonName(
                kind=person_pb2.PERSON_NAME_KIND_FULL,
                texts=[common_pb2.NameText(text=name, script="Latn")],
            )
        ],
    )
    if common_pb2.FIELD_GROUP_HEALTH in groups:
        made.health.add(kind=person_pb2.HEALTH_NOTE_KIND_INFECTIOUS)
    if common_pb2.FIELD_GROUP_WARNINGS in groups:
        made.warnings.add(kind=person_pb2.WARNING_KIND_ARMED)
    return made


def persons(*made: person_pb2.Person) -> person_pb2.Persons:
    """Return a part with these persons; with one where none is given."""
    return person_pb2.Persons(persons=made or [person()])


def context(*, case: str = "", justification: str = "") -> context_pb2.Context:
    """Return a CONTEXT part."""
    return context_pb2.Context(
        officer=common_pb2.Official(name="A. Officer"),
        case_references=[case] if case else [],
        justification=justification,
    )


def acknowledgement(
    message: common_pb2.MessageReference,
) -> acknowledgement_pb2.Acknowledgement:
    """Return an officer's acknowledgement of a message."""
    return acknowledgement_pb2.Acknowledgement(
        message=message,
        status=acknowledgement_pb2.ACKNOWLEDGEMENT_STATUS_RECEIVED,
        status_time=SOME_TIME,
        official=common_pb2.Official(name="A. Officer"),
    )


def request() -> request_form_pb2.AssistanceRequest:
    """Return a request for information about a seized server."""
    return request_form_pb2.AssistanceRequest(
        record_id=record_id("request"),
        kind=request_pb2.ASSISTANCE_KIND_INFORMATION,
        proceedings=request_form_pb2.PROCEEDINGS_TYPE_CRIMINAL,
        facts="A server in the executing state served a fraud.",
        measures=[
            measure_pb2.Measure(measure_id="m1", kind=request_pb2.ASSISTANCE_KIND_INFORMATION)
        ],
        offences=[offence_pb2.Offence(iccs_code="0701")],
        issuing_authority=request_form_pb2.Authority(name="Prosecution service"),
        instruments=[request_form_pb2.Instrument(name="Directive (EU) 2023/977", article="Art. 4")],
    )
