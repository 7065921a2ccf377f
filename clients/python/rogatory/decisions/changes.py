"""Changes to a message that could turn a refusal, and what a situation becomes with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from rogatory.agreements.compiled import CompiledAgreement, bit
from rogatory.decisions.situation import (
    CONTEXT_BIT,
    PartView,
    Situation,
    deadline_length,
    deadlines_within,
)
from rogatory.exchange.v1 import agreement_pb2, decision_pb2


class Change(NamedTuple):
    """One change: the name of its field in the proto message `Change`, and the value.

    A deadline's value is (urgency, directly available, unit, amount), the first two the message's.
    """

    name: str
    value: int | str | bool | tuple[int, bool, int, int]

    def message(self) -> decision_pb2.Change:
        """Return the change as it stands in a decision."""
        if isinstance(self.value, tuple):
            urgency, directly_available, unit, amount = self.value
            return decision_pb2.Change(
                deadline=agreement_pb2.Deadline(
                    urgency=urgency,  # type: ignore[arg-type]  # numbers of the enum
                    directly_available=directly_available,
                    unit=unit,  # type: ignore[arg-type]  # numbers of the enum
                    amount=amount,
                )
            )
        return decision_pb2.Change(**{self.name: self.value})  # type: ignore[arg-type]  # by name


PREFERENCE = (
    "cite_article",
    "case_reference",
    "justification",
    "second_approval",
    "sealing",
    "onward_transfer",
    "evidential_use",
    "retention_days",
    "deadline",
    "tlp",
    "without_field_group",
    "without_data_subject",
    "records_at_most",
    "without_part",
)
"""Names of changes: form and handling first, then what is left out.

There is none for purpose, offences, urgency or SIENA codes: a sender must not be coached to claim
something else, or to lift an owner's restriction, for the sake of being permitted.
"""
REPEATABLE = frozenset({"without_field_group", "without_data_subject", "without_part"})
"""Changes that can be asked for twice with different values."""


def apply(agreement: CompiledAgreement, situation: Situation, change: Change) -> Situation | None:
    """Return the situation of the changed message; None: the change would leave nothing to send."""
    return _APPLY[change.name](agreement, situation, change.value)


def _with_parts(situation: Situation, parts: tuple[PartView, ...]) -> Situation:
    return situation._replace(facts=situation.facts._replace(parts=parts))


def _with_units(situation: Situation, parts: tuple[PartView, ...]) -> Situation | None:
    """Return the situation with fewer parts; None when context is all that would be left."""
    if all(part.category == CONTEXT_BIT for part in parts):
        return None
    return _with_parts(situation, parts)


def _without_part(_: CompiledAgreement, situation: Situation, value: int) -> Situation | None:
    return _with_units(
        situation, tuple(part for part in situation.facts.parts if part.position != value)
    )


def _without_group(_: CompiledAgreement, situation: Situation, value: int) -> Situation | None:
    left_out = bit(value)
    # A part that holds nothing else stays behind with it.
    return _with_units(
        situation,
        tuple(
            part._replace(field_groups=part.field_groups & ~left_out)
            for part in situation.facts.parts
            if part.field_groups != left_out
        ),
    )


def _without_subject(_: CompiledAgreement, situation: Situation, value: int) -> Situation | None:
    left_out = bit(value)
    # Likewise a part that is about nobody else.
    return _with_units(
        situation,
        tuple(
            part._replace(data_subjects=part.data_subjects & ~left_out)
            for part in situation.facts.parts
            if part.data_subjects != left_out
        ),
    )


def _sealing(_: CompiledAgreement, situation: Situation, value: int) -> Situation:
    sealed = value == agreement_pb2.SEALING_DEMAND_SEALED
    return _with_parts(
        situation, tuple(part._replace(sealed=sealed) for part in situation.facts.parts)
    )


def _records(_: CompiledAgreement, situation: Situation, value: int) -> Situation:
    return _with_parts(
        situation,
        tuple(p._replace(record_count=min(p.record_count, value)) for p in situation.facts.parts),
    )


def _in_context(field: str) -> Callable[[CompiledAgreement, Situation, object], Situation]:
    def change(_: CompiledAgreement, situation: Situation, __: object) -> Situation:
        parts = situation.facts.parts
        if not any(part.category == CONTEXT_BIT for part in parts):
            position = max((part.position for part in parts), default=-1) + 1
            parts = (*parts, PartView(position, CONTEXT_BIT, 1, 0, 0, False, False, False))
        return _with_parts(
            situation,
            tuple(p._replace(**{field: True}) if p.category == CONTEXT_BIT else p for p in parts),
        )

    return change


def _fact(field: str) -> Callable[[CompiledAgreement, Situation, int], Situation]:
    def change(_: CompiledAgreement, situation: Situation, value: int) -> Situation:
        return situation._replace(
            facts=situation.facts._replace(**{field: value})  # type: ignore[arg-type]  # codes
        )

    return change


def _cite(_: CompiledAgreement, situation: Situation, value: str) -> Situation:
    return situation._replace(recipient=situation.recipient._replace(article=value))


def _approve(_: CompiledAgreement, situation: Situation, __: object) -> Situation:
    # Whichever signatures four eyes lacks: where no officer has signed as author, that one too.
    return situation._replace(four_eyes=True)


def _retention(_: CompiledAgreement, situation: Situation, value: int) -> Situation:
    return situation._replace(retention_days=value)


def _deadline(
    agreement: CompiledAgreement, situation: Situation, value: tuple[int, bool, int, int]
) -> Situation:
    length = deadline_length(value[2], value[3], situation.weekday)
    return situation._replace(deadlines_kept=deadlines_within(agreement, length, situation.weekday))


_APPLY: Mapping[str, Callable[[CompiledAgreement, Situation, Any], Situation | None]] = (
    MappingProxyType(
        {
            "without_part": _without_part,
            "without_field_group": _without_group,
            "without_data_subject": _without_subject,
            "sealing": _sealing,
            "records_at_most": _records,
            "case_reference": _in_context("case_reference"),
            "justification": _in_context("justification"),
            "tlp": _fact("tlp"),
            "onward_transfer": _fact("onward_transfer"),
            "evidential_use": _fact("evidential_use"),
            "cite_article": _cite,
            "second_approval": _approve,
            "retention_days": _retention,
            "deadline": _deadline,
        }
    )
)
