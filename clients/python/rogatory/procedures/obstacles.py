"""What stands in the way of a message whatever the clauses of an agreement say.

A message can be part of several procedures at once: a step of a request within an operation that
passes a record on. Each is asked; what they say stands in the order in which they are asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rogatory.clock import to_nanoseconds
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import alerts, forwards, operations, requests

PROCEDURAL_KINDS = frozenset(
    {codes_pb2.KIND_UPDATE, codes_pb2.KIND_OPERATION, codes_pb2.KIND_ALERT}
)
"""Kinds that are part of a procedure whatever else they name."""

MOST = 64
"""Obstacles that a decision lists; whoever removes so many learns of the rest."""

_CONSENT = decision_pb2.GROUND_CONSENT_MISSING
_OPERATION = decision_pb2.GROUND_NOT_IN_OPERATION
_REFERENCE = decision_pb2.GROUND_REFERENCE_NOT_HELD
_GROUNDS: Mapping[int, decision_pb2.Ground.ValueType] = MappingProxyType(
    {
        procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN: _REFERENCE,
        procedure_pb2.OBSTACLE_KIND_OPERATION_UNKNOWN: _REFERENCE,
        procedure_pb2.OBSTACLE_KIND_ALERT_UNKNOWN: _REFERENCE,
        procedure_pb2.OBSTACLE_KIND_FORWARD_NOT_HELD: _REFERENCE,
        procedure_pb2.OBSTACLE_KIND_NOT_MEMBER: _OPERATION,
        procedure_pb2.OBSTACLE_KIND_MAY_NOT_CONTRIBUTE: _OPERATION,
        procedure_pb2.OBSTACLE_KIND_MAY_NOT_RECEIVE: _OPERATION,
        procedure_pb2.OBSTACLE_KIND_FORWARD_NEVER: _CONSENT,
        procedure_pb2.OBSTACLE_KIND_CONSENT_MISSING: _CONSENT,
        procedure_pb2.OBSTACLE_KIND_HANDLING_LAXER: _CONSENT,
        procedure_pb2.OBSTACLE_KIND_EVIDENCE_NEVER: _CONSENT,
        procedure_pb2.OBSTACLE_KIND_RECALLED: decision_pb2.GROUND_RECALLED,
    }
)


def obstacles(
    header: envelope_pb2.Header, *, recipient: str, context: decision_pb2.DecisionContext
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way of a message to one recipient; empty: nothing does.

    Args:
        header: The message.
        recipient: Agency id of the recipient.
        context: With how the procedures stood at entry.
    """
    standing = context.procedure
    entry_time = to_nanoseconds(context.entry_time)
    found: list[procedure_pb2.Obstacle] = []
    if header.kind == codes_pb2.KIND_UPDATE:
        found += requests.obstacles(
            standing.request if standing.HasField("request") else None,
            header,
            sender=header.sender,
            recipient=recipient,
            entry_time=entry_time,
            signers=context.signers,
        )
    if header.kind == codes_pb2.KIND_OPERATION or header.HasField("operation"):
        found += operations.obstacles(
            standing.operation if standing.HasField("operation") else None,
            header,
            sender=header.sender,
            recipient=recipient,
            entry_time=entry_time,
        )
    if header.forwards:
        found += forwards.obstacles(
            standing.forwards, header, recipient=recipient, entry_time=entry_time
        )
    if header.kind == codes_pb2.KIND_ALERT:
        found += alerts.obstacles(
            standing.alert if standing.HasField("alert") else None,
            header,
            sender=header.sender,
            recipient=recipient,
            entry_time=entry_time,
        )
    return found[:MOST]


def ground_of(obstacle: procedure_pb2.Obstacle) -> decision_pb2.Ground.ValueType:
    """Return the ground on which an obstacle refuses a message."""
    return _GROUNDS.get(obstacle.kind, decision_pb2.GROUND_STEP_NOT_ALLOWED)


def is_procedural(header: envelope_pb2.Header) -> bool:
    """Say whether a message is part of a procedure, so that its standing must be known."""
    return (
        header.kind in PROCEDURAL_KINDS
        or header.HasField("operation")
        or bool(header.forwards)
        # Nothing need be known of it but that it is judged: earlier gateways admitted it whenever.
        or header.request.HasField("oral_request_time")
    )
