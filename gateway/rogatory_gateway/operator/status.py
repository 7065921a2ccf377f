"""The state of a gateway at a glance, read from its ledger whether or not it runs."""

from __future__ import annotations

import base64
from typing import Any

from sqlalchemy import Connection, func, select

from rogatory import clock, merkle
from rogatory.checkpoints import Checkpoint, sign_checkpoint
from rogatory.errors import ConfigurationError
from rogatory.procedures.requests import FINAL_STATES
from rogatory_gateway.config import Settings
from rogatory_gateway.delivery.deadlines import counts
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.database import RESTORE
from rogatory_gateway.ledger.starting import check_same_log, log_signer, recorded_key
from rogatory_gateway.operator import agencies, agreements
from rogatory_gateway.operator.opening import load_registry


def collect(connection: Connection, settings: Settings, *, now: int) -> dict[str, Any]:
    """Return log, requests, agencies, agreements in force and what waits in inboxes.

    Args:
        connection: A snapshot of the ledger.
        now: Nanoseconds since the Unix epoch.

    Raises:
        ConfigurationError: the ledger has no head, or is another log's than the settings say.
        RogatoryError: the log's key or a governance entry can't be used.
    """
    head = connection.execute(select(tables.head)).first()
    if head is None:
        raise ConfigurationError("the ledger has no head: it is damaged", hint=RESTORE)
    frontier = merkle.Frontier.from_bytes(head.frontier)
    signer = log_signer(settings)
    check_same_log(settings, signer.key, recorded_key(connection))
    checkpoint = Checkpoint(origin=settings.gateway.origin, size=frontier.size, root=frontier.root)
    registry = load_registry(connection)
    versions = agreements.listing(registry, now=now)
    return {
        "origin": settings.gateway.origin,
        "address": settings.address,
        "log": {
            "size": head.size,
            "root": base64.b64encode(frontier.root).decode(),
            "last_entry": clock.to_text(head.entry_time) if head.size else None,
            "verifier_key": signer.key.text,
            "checkpoint": sign_checkpoint(checkpoint, signer).decode(),
        },
        "requests": _requests(connection, now=now),
        "agencies": _agencies(connection, agencies.listing(registry, now=now)),
        "agreements_in_force": [item for item in versions if item["state"] == "in_force"],
        "agreements_pending": [item for item in versions if item["state"] == "pending"],
    }


def _requests(connection: Connection, *, now: int) -> dict[str, int]:
    """Count live requests that have not ended, and their deadlines that need attention."""
    table = tables.requests.c
    running = connection.execute(
        select(func.count())
        .select_from(tables.requests)
        .where(table.exercise.is_(False), table.state.not_in(sorted(FINAL_STATES)))
    ).scalar_one()
    counted = counts(connection, now=now)
    return {
        "open": running,
        "deadlines_due_soon": counted.due_soon,
        "deadlines_overdue": counted.overdue,
    }


def _agencies(connection: Connection, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    inboxes = {
        (row.agency, row.exercise): row for row in connection.execute(select(tables.inboxes))
    }
    found = []
    for agency in listed:
        row = {key: agency[key] for key in ("agency_id", "name", "kind", "state")}
        for field, exercise in (("inbox", False), ("exercise_inbox", True)):
            inbox = inboxes.get((agency["agency_id"], exercise))
            last, cursor = (0, 0) if inbox is None else (inbox.last_position, inbox.cursor)
            row[field] = {"last": last, "cursor": cursor, "waiting": last - cursor}
        found.append(row)
    return found
