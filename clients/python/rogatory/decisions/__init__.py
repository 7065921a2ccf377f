"""Decisions: what an agreement says of a message, why, and what would have been permitted."""

from rogatory.decisions.decide import (
    decide,
    decide_situation,
    decision_bytes,
    decision_key,
    quota_usage,
)
from rogatory.decisions.explain import describe_change, describe_remedy, explain, summarise
from rogatory.decisions.memo import Decided, DecisionMemo
from rogatory.decisions.nextstep import next_step
from rogatory.decisions.replay import Replay, recheck, redecide
from rogatory.decisions.situation import HeaderView, Situation, read_header, situate

__all__ = [
    "Decided",
    "DecisionMemo",
    "HeaderView",
    "Replay",
    "Situation",
    "decide",
    "decide_situation",
    "decision_bytes",
    "decision_key",
    "describe_change",
    "describe_remedy",
    "explain",
    "next_step",
    "quota_usage",
    "read_header",
    "recheck",
    "redecide",
    "situate",
    "summarise",
]
