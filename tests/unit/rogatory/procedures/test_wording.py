"""Obstacles in sentences say what state something is in, and what leads on."""

from __future__ import annotations

from rogatory.assistance.v1 import handover_pb2, request_pb2
from rogatory.exchange.v1 import procedure_pb2
from rogatory.procedures import wording


def test_waiting_for_a_clarification_reads_as_a_sentence() -> None:
    """The name of that state is none that a request can be."""
    obstacle = procedure_pb2.Obstacle(
        kind=procedure_pb2.OBSTACLE_KIND_WRONG_STATE,
        state=request_pb2.REQUEST_STATE_CLARIFICATION,
    )

    assert wording.describe(obstacle).startswith("The request is waiting for a clarification,")


def test_who_delivers_too_early_is_told_what_comes_before() -> None:
    """An agreed hand-over waits for the request to be accepted; later that is not said."""
    early, later = (
        procedure_pb2.Obstacle(
            kind=procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE,
            state=state,
            handover_stage=handover_pb2.HANDOVER_STAGE_AGREED,
        )
        for state in (request_pb2.REQUEST_STATE_SUBMITTED, request_pb2.REQUEST_STATE_ACCEPTED)
    )

    assert "before the asked agency has accepted" in wording.advice(early)
    assert "accepted" not in wording.advice(later)
