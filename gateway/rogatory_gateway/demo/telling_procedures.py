"""The report's part on procedures: the board, requests, a hand-over, consent, recall, an alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rogatory_gateway.demo import cast, watching
from rogatory_gateway.demo.play import Outcome

_LARGEST = 3
"""Members that a line of the board names."""
_TIB = 1 << 40


def board(outcome: Outcome) -> Iterator[str]:
    """Yield the board: totals, and who contributed most."""
    told = outcome.board
    yield (
        f"[bold]Board[/], added up by {cast.COORDINATOR} from {told['reports']} signed reports;"
        " what several report counts once, what was taken back not at all"
    )
    for line in told["results"]:
        label = line["label"]
        if label == "data secured":
            label += f", {told['data_bytes'] / _TIB:.1f} TiB"
        yield f"  {line['total']:>9,} {label:<25} {_members(line['members'])}"


def _members(counts: Mapping[str, int]) -> str:
    """Return who reported most, and how many did besides."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{agency} {count:,}" for agency, count in ranked[:_LARGEST])
    others = len(ranked) - _LARGEST
    return f"{named}, {others} more" if others > 0 else named


def procedures(outcome: Outcome) -> Iterator[str]:
    """Yield how requests, hand-over, consent, recall and alert went."""
    yield "[bold]Asked, answered, taken back[/], alike by both sides' messages and the gateway"
    yield from _requests(outcome)
    yield from _handover(outcome)
    yield from _recall(outcome)
    alert = outcome.alert
    for hit in alert["hits"]:
        yield (
            f"  {len(alert['hits']):>9,} hit of an alert of {watching.ISSUER}'s to"
            f" {alert['watching']} agencies: {hit['by']} found the passport in what"
            f" {hit['matched_sender']} sent"
        )


def _requests(outcome: Outcome) -> Iterator[str]:
    answered = Counter(row["answer"] for row in outcome.requests)
    states = Counter(row["state"] for row in outcome.requests)
    conditional = sum(row["conditional"] for row in outcome.requests)
    yield (
        f"  {len(outcome.requests):>9,} requests: {answered['MET']} answered in time,"
        f" {answered['MET_LATE']} late, {states['PARTLY_EXECUTED']} in part so far,"
        f" {states['POSTPONED']} postponed, {states['WITHDRAWN']} withdrawn;"
        f" {conditional} under conditions"
    )
    grounds = ", ".join(f"{row['ground']} ({row['by']})" for row in outcome.grounds)
    yield f"  {len(outcome.grounds):>9,} refused: {grounds}"
    urgent = [row for row in outcome.requests if row["urgency"] != "ROUTINE"]
    call = sorted(outcome.contacts.values())
    yield (
        f"  {len(urgent):>9,} urgent, each with whom to call day and night in the reply, such as"
        f" {call[-1]}"
    )


def _handover(outcome: Outcome) -> Iterator[str]:
    told = outcome.handover
    persons = dict(told["persons"])
    received = persons.pop("RECEIVED", 0)
    others = ", ".join(
        f"{count} {state.replace('_', ' ').lower()}" for state, count in sorted(persons.items())
    )
    yield (
        f"  {received:>9,} of {told['asked']} persons handed over by {cast.RELEASING} to"
        f" {cast.RECEIVING}, {others}"
    )
    yield (
        f"            each statement signed by two officers; {told['property']} bags of property"
        f" and {told['evidence']} items of evidence went along"
    )


def _recall(outcome: Outcome) -> Iterator[str]:
    told, given = outcome.recall, outcome.consent
    yield (
        f"  {len(told['by_copy']):>9,} record of {given['by']}'s passed on by {given['to']} to"
        f" {', '.join(told['by_copy'])}, once {given['by']} consented to that"
    )
    yield (
        f"  {len(told['confirmed']):>9,} of {len(told['holders'])} who held it confirmed its"
        f" erasure once it was recalled: {', '.join(told['confirmed'])}"
    )
