"""A header in words, for an officer who is to put a signature under it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from google.protobuf.descriptor import EnumDescriptor

from rogatory import clock
from rogatory.cli.output import plain
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.procedures.wording import in_words
from rogatory.records.v1 import common_pb2


def header_lines(header: envelope_pb2.Header) -> list[str]:
    """Return what a header says, line by line; parts and signatures are for others to show."""
    created = clock.to_text(clock.to_nanoseconds(header.create_time))
    expires = clock.to_text(clock.to_nanoseconds(header.expire_time))
    lines = ["EXERCISE: training traffic"] if header.exercise else []
    lines += [
        f"message: {header.sender}/{header.message_id}",
        f"kind: {in_words(codes_pb2.Kind.DESCRIPTOR, header.kind)}",
        *(
            f"to: {item.agency} under {item.agreement_id} {item.article}"
            for item in header.recipients
        ),
        f"at: {header.audience}",
        f"created: {created}, to be admitted until {expires}",
        f"purpose: {in_words(codes_pb2.Purpose.DESCRIPTOR, header.purpose)}",
        f"offences: {', '.join(header.offences) or 'none stated'}",
        f"urgency: {in_words(codes_pb2.Urgency.DESCRIPTOR, header.urgency)}",
        *_handling(header.handling),
        *_references(header),
    ]
    particulars = header.WhichOneof("particulars")
    if particulars is not None:
        said = json.dumps(plain(getattr(header, particulars)), ensure_ascii=False)
        lines.append(f"{particulars.replace('_', ' ')}: {said}")
    return lines


def _handling(handling: envelope_pb2.Handling) -> Iterable[str]:
    siena = _names(codes_pb2.SienaCode.DESCRIPTOR, handling.siena_codes)
    yield "handling: TLP " + ", ".join(
        [
            in_words(common_pb2.Tlp.DESCRIPTOR, handling.tlp).upper().replace(" ", "+"),
            *([f"SIENA {siena.upper()}"] if siena else []),
            "onward transfer "
            + in_words(codes_pb2.OnwardTransfer.DESCRIPTOR, handling.onward_transfer),
            "as evidence " + in_words(codes_pb2.EvidentialUse.DESCRIPTOR, handling.evidential_use),
        ]
    )
    if handling.HasField("grading"):
        yield f"grading: {json.dumps(plain(handling.grading))}"
    if handling.speciality_offences:
        yield f"usable only for: {', '.join(handling.speciality_offences)}"
    if handling.HasField("retention_end_time"):
        end = clock.to_text(clock.to_nanoseconds(handling.retention_end_time))
        yield f"to be erased by: {end}"


def _references(header: envelope_pb2.Header) -> Iterable[str]:
    if header.HasField("in_reply_to"):
        yield f"in reply to: {_message(header.in_reply_to)}"
    if header.thread:
        yield f"thread: {header.thread}"
    for item in header.forwards:
        yield f"passes on: {_message(item)}"
    for item in header.consents:
        yield f"relies on the consent: {_message(item)}"
    if header.HasField("operation"):
        yield f"operation: {_message(header.operation)}"


def _message(reference: common_pb2.MessageReference) -> str:
    return f"{reference.sender}/{reference.message_id}"


def _names(enum: EnumDescriptor, numbers: Iterable[int]) -> str:
    return ", ".join(in_words(enum, number) for number in numbers)
