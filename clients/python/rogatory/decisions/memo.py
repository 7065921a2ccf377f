"""Decisions remembered: messages of one make are decided once for each agreement and recipient."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from rogatory.agreements.compiled import CompiledAgreement
from rogatory.decisions.decide import decide_situation, decision_bytes, decision_key
from rogatory.decisions.situation import HeaderView, situate
from rogatory.exchange.v1 import decision_pb2

DEFAULT_CAPACITY = 4096
"""Decisions kept, of about 2 KiB each."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, as a message and as bytes. Shared: do not change the message.

    Attributes:
        decision: The decision.
        encoded: Its deterministic serialisation.
    """

    decision: decision_pb2.Decision
    encoded: bytes


class DecisionMemo:
    """Decides like `decide` and remembers: equal keys have equal decisions.

    For one thread or event loop. When full it forgets the older half.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = max(2, capacity)
        self._decided: dict[Hashable, Decided] = {}

    def __len__(self) -> int:
        return len(self._decided)

    def decide(
        self,
        *,
        agreement: CompiledAgreement | None,
        header: HeaderView,
        recipient_index: int,
        context: decision_pb2.DecisionContext,
    ) -> Decided:
        """Decide on a message for one recipient. Arguments and errors as for `decide`."""
        situation = situate(
            agreement=agreement, header=header, recipient_index=recipient_index, context=context
        )
        key = decision_key(agreement, situation)
        known = self._decided.get(key)
        if known is not None:
            return known
        decision = decide_situation(agreement=agreement, situation=situation)
        decided = Decided(decision, decision_bytes(decision))
        if len(self._decided) >= self._capacity:
            for old in list(self._decided)[: self._capacity // 2]:
                del self._decided[old]
        self._decided[key] = decided
        return decided
