"""Alerts: who may take one back, and until when and to whom a hit may be reported.

An ALERT message issues alerts, reports a hit on some (``hit_of``), or takes them back
(``withdrawal``).

1. A hit goes to the agency that issued the alert, while the alert runs and was not taken back.
2. Only the issuer takes an alert back; it may do so after its end and again, because not everyone
   who was told of it may have been reached the first time.
3. A new alert does not end before it is entered.
"""

from __future__ import annotations

from rogatory.clock import to_nanoseconds
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.records.v1 import common_pb2


def obstacles(
    standing: procedure_pb2.AlertStanding | None,
    header: envelope_pb2.Header,
    *,
    sender: str,
    recipient: str,
    entry_time: int,
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way of an ALERT message; nothing stands in the way of others here.

    Args:
        standing: How the alert stands that `named` returns; None: there is none that the sender may
            act on. Not looked at for a new alert.
        header: Of any kind.
        sender: Agency id.
        recipient: Agency id of the recipient that is judged for.
        entry_time: In nanoseconds since the epoch.
    """
    if header.kind != codes_pb2.KIND_ALERT:
        return []
    said = header.alert
    alert = named(header)
    if alert is None and not said.withdrawal:
        past = said.HasField("valid_until_time") and (
            to_nanoseconds(said.valid_until_time) <= entry_time
        )
        return [_obstacle(procedure_pb2.OBSTACLE_KIND_DATE_MISSING)] if past else []
    if standing is None or not standing.agency:
        return [_obstacle(procedure_pb2.OBSTACLE_KIND_ALERT_UNKNOWN, alert)]
    if said.withdrawal:
        if sender == standing.agency:
            return []
        return [_obstacle(procedure_pb2.OBSTACLE_KIND_WRONG_PARTY, alert, standing.agency)]
    if recipient != standing.agency:
        # Towards this recipient there is no such alert, and it must not learn of one.
        return [_obstacle(procedure_pb2.OBSTACLE_KIND_ALERT_UNKNOWN, alert, recipient)]
    if has_ended(standing, entry_time):
        return [_obstacle(procedure_pb2.OBSTACLE_KIND_ALERT_ENDED, alert)]
    return []


def named(header: envelope_pb2.Header) -> common_pb2.MessageReference | None:
    """Return the ALERT message that a hit or a withdrawal is about; None for a new alert.

    A withdrawal names it as ``hit_of``, or else answers it.
    """
    if header.kind != codes_pb2.KIND_ALERT:
        return None
    if header.alert.HasField("hit_of"):
        return header.alert.hit_of
    if header.alert.withdrawal and header.HasField("in_reply_to"):
        return header.in_reply_to
    return None


def issued(header: envelope_pb2.Header) -> procedure_pb2.AlertStanding | None:
    """Return how an alert stands that this message issues; None where it issues none."""
    said = header.alert
    if header.kind != codes_pb2.KIND_ALERT or said.withdrawal or said.HasField("hit_of"):
        return None
    return procedure_pb2.AlertStanding(
        agency=header.sender,
        valid_until_time=said.valid_until_time if said.HasField("valid_until_time") else None,
    )


def has_ended(standing: procedure_pb2.AlertStanding, entry_time: int) -> bool:
    """Return whether an alert was taken back or has run out at an entry time in nanoseconds."""
    return standing.withdrawn or (
        standing.HasField("valid_until_time")
        and to_nanoseconds(standing.valid_until_time) <= entry_time
    )


def _obstacle(
    kind: procedure_pb2.ObstacleKind.ValueType,
    message: common_pb2.MessageReference | None = None,
    agency: str = "",
) -> procedure_pb2.Obstacle:
    return procedure_pb2.Obstacle(kind=kind, message=message, agency=agency)
