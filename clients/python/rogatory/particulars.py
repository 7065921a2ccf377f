"""Particulars: what a header says of its parts, so that a step can be judged by the header alone.

Whoever receives a message reads what it asks, answers, consents to or hands over in its parts; the
gateway, and anyone who re-runs a decision, reads it in the header. The two must not differ. What
the content of a clear part implies for the header is stated once (`rogatory.implied`), and used
three ways: `derive` makes particulars of contents, `complete` fills in what a sender left out, and
`check` compares. Of a sealed or absent part nothing can be said but whether it may be there.

Fields that no content implies (article cited, parts a consent is limited to, whether information is
directly available) are the sender's own.
"""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from rogatory.assistance.v1 import refusal_pb2, request_pb2
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.implied import Particulars, rule_of
from rogatory.procedures import tags
from rogatory.records.v1 import common_pb2

__all__ = ["Particulars", "check", "complete", "derive", "needs_check"]

P = TypeVar("P", bound=Particulars)

_FIELDS: Mapping[int, tuple[str, type[Particulars]]] = MappingProxyType(
    {
        codes_pb2.KIND_REQUEST: ("request", envelope_pb2.RequestParticulars),
        codes_pb2.KIND_UPDATE: ("update", envelope_pb2.UpdateParticulars),
        codes_pb2.KIND_CORRECTION: ("subject", envelope_pb2.SubjectParticulars),
        codes_pb2.KIND_CONSENT: ("subject", envelope_pb2.SubjectParticulars),
        codes_pb2.KIND_OPERATION: ("operation_step", envelope_pb2.OperationParticulars),
        codes_pb2.KIND_ALERT: ("alert", envelope_pb2.AlertParticulars),
    }
)
"""Kind -> where its header holds particulars that contents can imply."""

_KIND_OF_CATEGORY: Mapping[int, codes_pb2.Kind.ValueType] = MappingProxyType(
    {
        codes_pb2.PART_CATEGORY_REQUEST: codes_pb2.KIND_REQUEST,
        codes_pb2.PART_CATEGORY_ANSWER: codes_pb2.KIND_UPDATE,
        codes_pb2.PART_CATEGORY_HANDOVER: codes_pb2.KIND_UPDATE,
        codes_pb2.PART_CATEGORY_CONSENT: codes_pb2.KIND_CONSENT,
        codes_pb2.PART_CATEGORY_OPERATION: codes_pb2.KIND_OPERATION,
        codes_pb2.PART_CATEGORY_ALERT: codes_pb2.KIND_ALERT,
    }
)
"""The one kind of message in which a part of the category may travel."""
_ONCE = frozenset(
    {
        codes_pb2.PART_CATEGORY_REQUEST,
        codes_pb2.PART_CATEGORY_ANSWER,
        codes_pb2.PART_CATEGORY_HANDOVER,
    }
)
"""Categories of which a message has one part at most: a second would say it twice."""
_CHECKED_CATEGORIES = frozenset({*_KIND_OF_CATEGORY, codes_pb2.PART_CATEGORY_FORWARDED})

_ANSWERING = frozenset({request_pb2.REQUEST_STEP_EXECUTE_PARTLY, request_pb2.REQUEST_STEP_EXECUTE})
_STEP_OF_FIELD: Mapping[str, request_pb2.RequestStep.ValueType] = MappingProxyType(
    {
        "postponed_until_time": request_pb2.REQUEST_STEP_POSTPONE,
        "oral_request_time": request_pb2.REQUEST_STEP_CONFIRM_IN_WRITING,
        "expected_time": request_pb2.REQUEST_STEP_REPORT_DELAY,
        "reply_by_time": request_pb2.REQUEST_STEP_ASK_CLARIFICATION,
        "conditional": request_pb2.REQUEST_STEP_ACCEPT,
        "handover": request_pb2.REQUEST_STEP_ARRANGE,
    }
)
"""The one step with which a field of UpdateParticulars goes."""

_MOST_MEASURES = 64
"""Measures of a request, as its form has them; so many a `RequestStanding` holds."""

_SELF_EVIDENT = frozenset(
    {
        refusal_pb2.REFUSAL_GROUND_POSTPONED,
        refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS,
    }
)
"""Grounds that step and conditions say already: a header may state them or leave them out."""


def derive(
    kind: codes_pb2.Kind.ValueType, contents: Sequence[Message | None]
) -> Particulars | None:
    """Return what the contents of a message imply for its header.

    Args:
        kind: The header's kind.
        contents: Of its parts, in order; None: sealed or absent.

    Returns:
        Particulars of the kind with the implied fields filled; None where nothing is implied.
    """
    if kind not in _FIELDS:
        return None
    _name, particulars_type = _FIELDS[kind]
    found = complete(particulars_type(), contents)
    return found if found.ListFields() else None


def complete(particulars: P, contents: Sequence[Message | None]) -> P:
    """Return particulars with every field filled that contents imply and nobody has stated.

    What is stated stays, even where contents say otherwise: `check` tells.

    Args:
        particulars: As the sender wrote them; not changed.
        contents: Of the message's parts, in order; None: sealed or absent.
    """
    found = copy.deepcopy(particulars)
    for _fields, implied in _implied(particulars, contents):
        for field, value in implied.ListFields():
            if not _is_stated(found, field.name):
                if isinstance(value, Message):
                    getattr(found, field.name).CopyFrom(value)
                elif isinstance(value, int | str | bytes):
                    setattr(found, field.name, value)
                else:
                    getattr(found, field.name).extend(value)
    return found


def needs_check(header: envelope_pb2.Header) -> bool:
    """Say whether `check` has anything to look at; not so in most messages."""
    if header.kind in _FIELDS or header.forwards:
        return True
    for part in header.parts:  # noqa: SIM110 - asked of every message, and `any` takes twice as long
        if part.category in _CHECKED_CATEGORIES:
            return True
    return False


def check(header: envelope_pb2.Header, contents: Sequence[Message | None]) -> None:
    """Check that a header says of its parts what they say.

    Args:
        header: One that `envelopes.check_header` accepts.
        contents: Of its parts, in order; None: sealed or absent.

    Raises:
        EnvelopeError: PARTICULARS_MISMATCH, or FACTS_MISSTATED for facts that no content has.
    """
    if not needs_check(header):
        return
    _check_places(header)
    _check_contents(header, contents)
    _check_measures(header)
    if header.kind == codes_pb2.KIND_UPDATE:
        _check_update(header)
    _check_forwards(header, contents)


def _check_contents(header: envelope_pb2.Header, contents: Sequence[Message | None]) -> None:
    if header.kind not in _FIELDS:
        return
    name, _type = _FIELDS[header.kind]
    stated = getattr(header, name)
    for fields, implied in _implied(stated, contents):
        for field in fields:
            if _comparable(stated, field) != _comparable(implied, field):
                raise _differs(f"{name}.{field}", implied, field)
    for content in contents:
        rule = rule_of(content)
        for path, wanted in () if rule is None else rule.besides(content, header):
            raise _mismatch(f"{path} in the header is not what a part says", f"It is {wanted}.")


def _implied(
    particulars: Particulars, contents: Sequence[Message | None]
) -> Iterator[tuple[Sequence[str], Particulars]]:
    """Yield (fields that must be equal, particulars implied) for each content that says any."""
    for content in contents:
        rule = rule_of(content)
        if rule is not None and isinstance(particulars, rule.particulars):
            implied = rule.particulars()
            yield rule.imply(content, implied), implied


def _is_stated(particulars: Particulars, field: str) -> bool:
    return any(member.name == field for member, _value in particulars.ListFields())


def _comparable(particulars: Particulars, field: str) -> object:
    """Return a field's value such that two are equal when they say the same, in whatever order."""
    value = getattr(particulars, field)
    if field == "refusal_grounds":
        return frozenset(value) | _SELF_EVIDENT
    if field == "terms":
        return sorted((t.agency, sorted(t.contributes), sorted(t.receives)) for t in value)
    if isinstance(value, Message):
        # Unset is not the same as the instant 1970.
        return any(member.name == field for member, _ in particulars.ListFields()), value
    return value if isinstance(value, int | str | bytes) else sorted(value)


def _differs(path: str, implied: Particulars, field: str) -> EnvelopeError:
    value = getattr(implied, field)
    descriptor = implied.DESCRIPTOR.fields_by_name[field]
    if isinstance(value, Message):
        text = text_format.MessageToString(value, as_one_line=True).strip()
    elif descriptor.enum_type is not None and isinstance(value, int):
        text = descriptor.enum_type.values_by_number[value].name
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return EnvelopeError(
        f"{path} in the header is not what a part says",
        hint=f"State it as the part does: {_shortened(text) or 'not at all'}; or mend the part.",
        reason="PARTICULARS_MISMATCH",
    )


def _shortened(text: str) -> str:
    most = 120  # a line of text; a hand-over of many persons is longer
    return text if len(text) <= most else f"{text[:most]} ..."


def _mismatch(message: str, hint: str) -> EnvelopeError:
    return EnvelopeError(message, hint=hint, reason="PARTICULARS_MISMATCH")


def _check_places(header: envelope_pb2.Header) -> None:
    """Check that each part travels in the kind of message that it belongs to, and once."""
    counts = Counter(part.category for part in header.parts)
    for category, count in counts.items():
        name = codes_pb2.PartCategory.Name(category).removeprefix("PART_CATEGORY_")
        kind = _KIND_OF_CATEGORY.get(category, header.kind)
        if kind != header.kind:
            raise _mismatch(
                f"a {name} part does not go with {codes_pb2.Kind.Name(header.kind)}",
                f"Send it in a message of kind {codes_pb2.Kind.Name(kind)}.",
            )
        if count > 1 and category in _ONCE:
            raise _mismatch(
                f"the message has {count} {name} parts",
                "Put what they say into one, or send a message for each.",
            )


def _check_measures(header: envelope_pb2.Header) -> None:
    """Check measures as no content could make them otherwise; sealed parts state their own."""
    for position, part in enumerate(header.parts):
        if part.category not in _CHECKED_CATEGORIES:
            continue
        answers = part.category == codes_pb2.PART_CATEGORY_ANSWER
        keys = [(measure.measure_id, measure.outcome) for measure in part.facts.measures]
        if (
            (keys and not answers and part.category != codes_pb2.PART_CATEGORY_REQUEST)
            or keys != sorted(set(keys))
            or any(bool(outcome) != answers for _measure_id, outcome in keys)
            or not all(tags.is_packed(measure.subjects) for measure in part.facts.measures)
            or (not answers and len(keys) > _MOST_MEASURES)
        ):
            raise EnvelopeError(
                f"the header misstates the measures of part {position}",
                hint="State each measure, and in an answer each outcome, once and in order, with "
                "the tags of its subjects ascending.",
                reason="FACTS_MISSTATED",
            )
        if answers and keys and header.update.step not in _ANSWERING:
            raise _mismatch(
                "an ANSWER part says what came of measures in a step that executes none",
                "Answer measures with EXECUTE_PARTLY or EXECUTE; refuse with grounds alone.",
            )


def _check_update(header: envelope_pb2.Header) -> None:
    """Check that dates, conditions and hand-over go with the step, and the latter with a part."""
    update = header.update
    step = request_pb2.RequestStep.Name(update.step)
    for member, _value in update.ListFields():
        if _STEP_OF_FIELD.get(member.name, update.step) != update.step:
            raise _mismatch(
                f"update.{member.name} does not go with {step}",
                f"It goes with {request_pb2.RequestStep.Name(_STEP_OF_FIELD[member.name])} alone.",
            )
    has_part = any(part.category == codes_pb2.PART_CATEGORY_HANDOVER for part in header.parts)
    if has_part != update.HasField("handover"):
        raise _mismatch(
            "update.handover and a HANDOVER part go together",
            "State in the header what the part says of the hand-over, and send the part with it.",
        )
    if not all(tags.is_packed(group.persons) for group in update.handover.persons):
        raise _mismatch(
            "update.handover.persons are no tags in order",
            "State the tags of each state's persons ascending, each once.",
        )


def _check_forwards(header: envelope_pb2.Header, contents: Sequence[Message | None]) -> None:
    """Check that the messages passed on are those that the header names, one part for each."""
    positions = [
        position
        for position, part in enumerate(header.parts)
        if part.category == codes_pb2.PART_CATEGORY_FORWARDED
    ]
    named = [_identity(reference) for reference in header.forwards]
    found = []
    for position in positions:
        content = contents[position]
        if isinstance(content, envelope_pb2.Envelope):
            original = envelope_pb2.Header.FromString(content.header)
            digest = hashlib.sha256(content.header).digest()
            found.append((original.sender, original.message_id, digest))
    if (
        len(positions) != len(named)
        or len(set(named)) != len(named)
        or len(set(found)) != len(found)
        or not set(found) <= set(named)
    ):
        raise _mismatch(
            "the messages that the header forwards are not those in its FORWARDED parts",
            "Name in forwards each message passed on, once, and send its envelope in a part.",
        )


def _identity(reference: common_pb2.MessageReference) -> tuple[str, str, bytes]:
    return reference.sender, reference.message_id, reference.header_digest
