"""What became of a message, or would: for JSON and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rogatory.cli import compose
from rogatory.cli.agreement import inforce
from rogatory.cli.outbox import Sent
from rogatory.cli.output import plain
from rogatory.cli.request import words as requestwords
from rogatory.client import Client
from rogatory.exchange.v1 import decision_pb2


def sent_report(sent: Sent, further: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return what became of a message that was decided.

    Args:
        sent: The message and its outcomes.
        further: What else its sender is told; see `inforce.suggestions`.
    """
    submitted = sent.submitted
    outcomes, offences = submitted.outcomes, sent.message.header.offences
    data = {
        "message_id": submitted.message_id,
        "index": submitted.receipt.index,
        "repeated": submitted.repeated,
        "outcomes": compose.outcome_data(outcomes, offences=offences),
        "suggestions": [*further],
        "duty_contacts": [plain(reached) for reached in submitted.duty_contacts],
        "reference": plain(sent.message.reference),
        "receipt": str(sent.receipt),
    }
    lines = [
        f"message {submitted.message_id}, log entry {submitted.receipt.index}",
        *compose.outcome_lines(outcomes, offences=offences),
        *further,
        *map(requestwords.contact, submitted.duty_contacts),
        f"receipt: {sent.receipt}",
    ]
    return data, lines


def would_be_report(
    client: Client, outcomes: Sequence[decision_pb2.Outcome], offences: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return what would become of a message.

    Args:
        client: Asked what is in force where that is what is lacking.
        outcomes: As the gateway evaluated it.
        offences: What the message states.
    """
    further = inforce.suggestions(client, outcomes)
    data = {
        "dry_run": True,
        "outcomes": compose.outcome_data(outcomes, offences=offences),
        "suggestions": further,
    }
    lines = [
        "dry run, nothing was sent",
        *compose.outcome_lines(outcomes, offences=offences),
        *further,
    ]
    return data, lines
