"""Parts of envelopes: each against its commitment, schema and facts; the header against them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory import facts, particulars, schemas, wire
from rogatory.envelopes.commitments import matches
from rogatory.envelopes.opening import MAX_FORWARDS_DEEP, OpenedEnvelope, check_header
from rogatory.errors import EnvelopeError, Violation
from rogatory.exchange.v1 import envelope_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message


def check_parts(opened: OpenedEnvelope, *, allow_absent: bool) -> list[Message | None]:
    """Check every part against its descriptor, and the particulars against the parts.

    A message passed on in a part is checked in the same way, as far as its parts are there.

    Args:
        allow_absent: True for a recipient, from whom parts may be withheld; False at admission.

    Returns:
        The decoded contents. Sealed and absent parts come back as None: nothing can be said of
        them here.

    Raises:
        EnvelopeError: PARTS_MISSING, COMMITMENT_MISMATCH, MALFORMED, UNKNOWN_FIELDS,
            FIELD_VIOLATIONS (of all parts together), FACTS_MISSTATED, PARTICULARS_MISMATCH; or
            TOO_LARGE where messages are passed on in one another more than four deep.
    """
    return _check_parts(opened, allow_absent=allow_absent, deep=0)


def _check_parts(opened: OpenedEnvelope, *, allow_absent: bool, deep: int) -> list[Message | None]:
    contents: list[Message | None] = []
    found: list[Violation] = []
    for position, (part, descriptor) in enumerate(
        zip(opened.parts, opened.header.parts, strict=True)
    ):
        form = part.WhichOneof("form")
        if form == "clear" and not descriptor.sealed:
            message = _check_clear(part.clear, descriptor, position)
            found += wire.violations(message, prefix=f"parts[{position}].content")
            contents.append(message)
        elif (form == "absent" and allow_absent) or (form == "sealed" and descriptor.sealed):
            contents.append(None)
        else:
            raise EnvelopeError(
                f"part {position} is {form}, the header says "
                f"{'sealed' if descriptor.sealed else 'clear'}",
                hint="Send every part in the form that the header states.",
                reason="PARTS_MISSING",
            )
    if found:
        raise wire.field_violations(found, what=wire.MESSAGE)
    for position, content in enumerate(contents):
        if content is not None and not _has_facts(
            content, opened.header.parts[position].facts, admitted=allow_absent
        ):
            raise EnvelopeError(
                f"the header misstates the facts of part {position}",
                hint="State the record count, field groups, data subjects and measures that it "
                "really has.",
                reason="FACTS_MISSTATED",
            )
    particulars.check(opened.header, contents)
    for content in contents:
        if isinstance(content, envelope_pb2.Envelope):
            _check_original(content, deep=deep + 1)
    return contents


def _has_facts(content: Message, stated: envelope_pb2.PartFacts, *, admitted: bool) -> bool:
    """Say whether a content has the facts stated.

    Args:
        admitted: It was admitted before, perhaps when facts named no measures yet.
    """
    found = facts.of_message(content)
    if admitted and not stated.measures:
        found.ClearField("measures")
    return stated == found


def _check_original(original: envelope_pb2.Envelope, *, deep: int) -> None:
    """Check a message passed on, whose header could be read: its originator's word is in it."""
    if deep > MAX_FORWARDS_DEEP:
        raise EnvelopeError(
            f"messages are passed on in one another more than {MAX_FORWARDS_DEEP} deep",
            hint="Pass on the original itself.",
            reason="TOO_LARGE",
        )
    header = envelope_pb2.Header.FromString(original.header)
    check_header(header)
    _check_parts(OpenedEnvelope.of(original, header), allow_absent=True, deep=deep)


def _check_clear(
    part: envelope_pb2.ClearPart, descriptor: envelope_pb2.PartDescriptor, position: int
) -> Message:
    if not matches(part, descriptor):
        raise EnvelopeError(
            f"part {position} does not match its commitment",
            hint="Send the part that was committed to, with its salt, unchanged.",
            reason="COMMITMENT_MISMATCH",
        )
    schema = schemas.by_name(descriptor.schema)
    return wire.decode(schema.message_type, part.content, what=f"content of part {position}")
