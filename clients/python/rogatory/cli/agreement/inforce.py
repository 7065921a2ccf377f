"""`rogatory agreement list`, and what else a refused sender is told of what is in force."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from rogatory import clock
from rogatory.cli import options
from rogatory.cli.output import aligned, emit
from rogatory.cli.session import connect
from rogatory.client import Client
from rogatory.errors import CallError
from rogatory.exchange.v1 import agreement_pb2, agreement_service_pb2, decision_pb2
from rogatory.home import Home


def list_agreements(
    *, home: options.HomeOption = None, as_json: options.JsonOption = False
) -> None:
    """List the agreements that you are a party to, every version, and which is in force."""
    with connect(Home.find(home)) as client:
        records = list(client.agreements())
    rows = [["AGREEMENT", "STATE", "FROM", "PARTIES", "TITLE"]]
    data = []
    for record in records:
        agreement = agreement_pb2.Agreement.FromString(record.agreement.agreement)
        name = agreement_service_pb2.AgreementState.Name(record.state)
        state = name.removeprefix("AGREEMENT_STATE_").lower().replace("_", " ")
        start = clock.to_text(clock.to_nanoseconds(agreement.valid_from_time))
        parties = [party.agency for party in agreement.parties]
        versioned = f"{agreement.agreement_id}@{agreement.version}"
        rows.append([versioned, state, start[:10], ", ".join(parties), agreement.title])
        data.append(
            {
                "agreement_id": agreement.agreement_id,
                "version": agreement.version,
                "state": state,
                "valid_from_time": start,
                "parties": parties,
                "title": agreement.title,
                "digest": record.digest.hex(),
            }
        )
    emit(data, aligned(rows), as_json=as_json)


def suggestions(client: Client, outcomes: Sequence[decision_pb2.Outcome]) -> list[str]:
    """Return what the gateway knows that refusals for want of recipient or agreement lack."""
    try:
        return [line for outcome in outcomes for line in _suggestion(client, outcome)]
    except CallError:
        # The message is decided, and its outcome must be told: this would only have helped.
        return []


def _suggestion(client: Client, outcome: decision_pb2.Outcome) -> list[str]:
    agency, ground = outcome.recipient, outcome.decision.ground
    if ground == decision_pb2.GROUND_UNKNOWN_RECIPIENT:
        enrolled = [entry.agency.agency_id for entry in client.agencies() if not entry.revoked]
        near = difflib.get_close_matches(agency, enrolled, n=3)
        return [f"Enrolled under a like name: {', '.join(near)}."] if near else []
    if ground == decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE:
        ids = ", ".join(sorted(_with(client, agency))) or "none but the base agreement"
        return [f"Agreements in force with {agency}: {ids}."]
    return []


def _with(client: Client, agency: str) -> Iterator[str]:
    for record in client.agreements(in_force=True):
        agreement = agreement_pb2.Agreement.FromString(record.agreement.agreement)
        if agency in (party.agency for party in agreement.parties):
            yield agreement.agreement_id
