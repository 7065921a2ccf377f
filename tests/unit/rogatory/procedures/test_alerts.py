"""Alerts: new ones, hits on them and their withdrawal."""

from __future__ import annotations

import pytest

from rogatory.clock import to_timestamp
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import alerts
from rogatory.records.v1 import common_pb2

NOW = 1_790_000_000 * 10**9
ISSUER, WATCHER, OTHER = "aa.issuer", "bb.watcher", "cc.other"
ALERT = common_pb2.MessageReference(
    sender=ISSUER, message_id="01920000-0000-7000-8000-000000000002", header_digest=bytes(32)
)


def _header(
    sender: str,
    *,
    hit: bool = False,
    withdrawal: bool = False,
    answers: bool = False,
    until: int | None = None,
) -> envelope_pb2.Header:
    return envelope_pb2.Header(
        sender=sender,
        kind=codes_pb2.KIND_ALERT,
        in_reply_to=ALERT if answers else None,
        alert=envelope_pb2.AlertParticulars(
            hit_of=ALERT if hit else None,
            withdrawal=withdrawal,
            valid_until_time=None if until is None else to_timestamp(until),
        ),
    )


def _standing(
    *, until: int | None = NOW + 1, withdrawn: bool = False
) -> procedure_pb2.AlertStanding:
    return procedure_pb2.AlertStanding(
        agency=ISSUER,
        valid_until_time=None if until is None else to_timestamp(until),
        withdrawn=withdrawn,
    )


@pytest.mark.parametrize(
    ("standing", "header", "recipient", "expected"),
    [
        # A new alert.
        (None, _header(ISSUER, until=NOW + 1), WATCHER, []),
        (None, _header(ISSUER), WATCHER, []),
        (None, _header(ISSUER, until=NOW), WATCHER, ["DATE_MISSING"]),
        # A hit.
        (_standing(), _header(WATCHER, hit=True), ISSUER, []),
        (_standing(until=None), _header(WATCHER, hit=True), ISSUER, []),
        (_standing(until=NOW), _header(WATCHER, hit=True), ISSUER, ["ALERT_ENDED"]),
        (_standing(withdrawn=True), _header(WATCHER, hit=True), ISSUER, ["ALERT_ENDED"]),
        (_standing(), _header(WATCHER, hit=True), OTHER, ["ALERT_UNKNOWN"]),
        (None, _header(WATCHER, hit=True), ISSUER, ["ALERT_UNKNOWN"]),
        # A withdrawal.
        (_standing(), _header(ISSUER, hit=True, withdrawal=True), WATCHER, []),
        (_standing(), _header(ISSUER, answers=True, withdrawal=True), WATCHER, []),
        (_standing(until=NOW, withdrawn=True), _header(ISSUER, withdrawal=True), WATCHER, []),
        (_standing(), _header(WATCHER, withdrawal=True), ISSUER, ["WRONG_PARTY"]),
        (None, _header(ISSUER, withdrawal=True), WATCHER, ["ALERT_UNKNOWN"]),
        # Another kind of message.
        (None, envelope_pb2.Header(kind=codes_pb2.KIND_TRANSFER), WATCHER, []),
    ],
)
def test_obstacles(
    standing: procedure_pb2.AlertStanding | None,
    header: envelope_pb2.Header,
    recipient: str,
    expected: list[str],
) -> None:
    """Hits go to the issuer while the alert runs; only the issuer takes it back, at any time."""
    found = alerts.obstacles(
        standing, header, sender=header.sender, recipient=recipient, entry_time=NOW
    )

    assert expected == [
        procedure_pb2.ObstacleKind.Name(obstacle.kind).removeprefix("OBSTACLE_KIND_")
        for obstacle in found
    ]


def test_the_alert_is_named_by_a_hit_or_the_message_answered() -> None:
    """A hit names its alert; a withdrawal names it so or answers it; a new alert names none."""
    assert ALERT == alerts.named(_header(WATCHER, hit=True))
    assert ALERT == alerts.named(_header(ISSUER, withdrawal=True, answers=True))
    assert alerts.named(_header(ISSUER, withdrawal=True)) is None
    assert alerts.named(_header(ISSUER, answers=True)) is None
    assert alerts.named(envelope_pb2.Header(in_reply_to=ALERT)) is None


def test_a_new_alert_stands_as_its_header_says() -> None:
    """It runs until the header's end; hits and withdrawals issue none."""
    assert _standing() == alerts.issued(_header(ISSUER, until=NOW + 1))
    assert _standing(until=None) == alerts.issued(_header(ISSUER))
    assert alerts.issued(_header(WATCHER, hit=True)) is None
    assert alerts.issued(_header(ISSUER, withdrawal=True)) is None
