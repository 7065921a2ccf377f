"""Headers of requests and their steps, unsigned, for tests of what they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock
from rogatory.assistance.v1 import answer_pb2, handover_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.procedures import tags
from tests.support.records import record_id

ASKING, ASKED, THIRD = "aa.alpha", "bb.beta", "cc.gamma"
HOUR = 3_600_000_000_000
NOW = 1_793_000_000_000_000_000
"""Entry time in nanoseconds since the Unix epoch."""

Asked = Mapping[str, Iterable[str]]
"""Measure id -> names of its subjects."""
Answer = tuple[str, answer_pb2.MeasureOutcome.ValueType, Iterable[str]]
"""Measure id, outcome, names of subjects; none: the measure as a whole."""


def at(nanoseconds: int) -> Timestamp:
    """Return an instant."""
    return clock.to_timestamp(nanoseconds)


def tag(name: str) -> bytes:
    """Return the tag of the subject of this name."""
    return tags.subject_tag(record_id(name))


def pack(names: Iterable[str]) -> bytes:
    """Return the tags of subjects, as a header holds them."""
    return tags.pack(map(tag, names))


def request(measures: Asked | None, *, sender: str = ASKING) -> envelope_pb2.Header:
    """Return the header of a REQUEST; measures None: without a REQUEST part."""
    head = envelope_pb2.Header(sender=sender, kind=codes_pb2.KIND_REQUEST)
    head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION
    if measures is not None:
        part = head.parts.add(category=codes_pb2.PART_CATEGORY_REQUEST)
        for measure_id, names in sorted(measures.items()):
            part.facts.measures.add(measure_id=measure_id, subjects=pack(names))
    return head


def update(
    step: request_pb2.RequestStep.ValueType,
    *answers: Answer,
    sender: str = ASKED,
    grounds: Sequence[int] = (),
    until: int | None = None,
    conditional: bool = False,
) -> envelope_pb2.Header:
    """Return the header of an UPDATE.

    Args:
        until: The date of the step, in nanoseconds: postponed until, expected, asked orally.
    """
    head = envelope_pb2.Header(sender=sender, kind=codes_pb2.KIND_UPDATE)
    said = head.update
    said.step = step
    said.refusal_grounds.extend(grounds)  # type: ignore[arg-type]  # numbers of the enum
    said.conditional = conditional
    if until is not None:
        field = {
            request_pb2.REQUEST_STEP_REPORT_DELAY: said.expected_time,
            request_pb2.REQUEST_STEP_CONFIRM_IN_WRITING: said.oral_request_time,
        }.get(step, said.postponed_until_time)
        field.CopyFrom(at(until))
    if answers:
        part = head.parts.add(category=codes_pb2.PART_CATEGORY_ANSWER)
        for measure_id, outcome, names in answers:
            part.facts.measures.add(measure_id=measure_id, outcome=outcome, subjects=pack(names))
    return head


def statement(
    stage: handover_pb2.HandoverStage.ValueType,
    persons: Mapping[handover_pb2.HandoverPersonState.ValueType, Iterable[str]],
    *,
    sender: str,
    releasing: str = ASKED,
    receiving: str = ASKING,
    when: int = NOW + HOUR,
    name: str = "handover",
) -> envelope_pb2.Header:
    """Return the header of a statement on a hand-over: persons' names by where they stand."""
    head = update(request_pb2.REQUEST_STEP_ARRANGE, sender=sender)
    said = head.update.handover
    said.handover_id = record_id(name)
    said.stage = stage
    said.releasing_agency = releasing
    said.receiving_agency = receiving
    said.handover_time.CopyFrom(at(when))
    for state, names in sorted(persons.items()):
        said.persons.add(state=state, persons=pack(names))
    return head


def two_officers() -> list[decision_pb2.SignerStanding]:
    """Return signers of whom one may sign and another may approve."""
    rights = (codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE)
    return [
        decision_pb2.SignerStanding(
            key=bytes([number]) * 32,
            role=codes_pb2.KEY_ROLE_OFFICER,
            officer=f"officer-{number}",
            rights=[right],
        )
        for number, right in enumerate(rights)
    ]
