"""The report in words, for a terminal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from rogatory_gateway.demo import cast, content, crew, telling_procedures
from rogatory_gateway.demo.hosts import distinct, tally
from rogatory_gateway.demo.report import Summary


def lines(summary: Summary) -> Iterator[str]:
    """Yield the report, line by line, as rich's markup."""
    outcome = summary.outcome
    yield (
        f"[bold]{content.OPERATION}[/]: {len(cast.NATIONAL)} national agencies,"
        f" {len(cast.PARTNERS)} private partners, one coordinating organisation"
    )
    yield (
        f"  {len(outcome.totals)} processes, {len(cast.AGREEMENTS)} agreements they signed;"
        f" {outcome.board['members']} members joined, each on its terms, and one left early"
    )
    for note in summary.notes:
        yield escape(f"  {note}")
    yield ""
    yield "[bold]Received[/], as counted by those who received and verified it"
    yield from _received(summary)
    yield ""
    yield from telling_procedures.board(outcome)
    yield ""
    yield from telling_procedures.procedures(outcome)
    yield ""
    yield f"[bold]Refused[/] for {len(outcome.refusals)} recipients"
    yield from _refusals(outcome.refusals)
    yield ""
    yield "[bold]Verified[/] by the library alone, in the agencies' own processes"
    counts = [f"{count:,} {_WHAT[what]}" for what, count in outcome.verified.items()]
    yield f"  {', '.join(counts)}"
    yield f"  isolation: {_isolation(summary)}"
    yield ""
    yield f"[bold]Log[/] {outcome.log['origin']}: {outcome.log['size']:,} entries"
    yield f"  root  {outcome.log['root']}, the same in all {len(outcome.totals)} processes"
    yield f"  vkey  {outcome.log['vkey']}"
    yield f"  took {summary.seconds:.1f} seconds"


def _received(summary: Summary) -> Iterator[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in tally(summary.hosts).items())
    names = distinct(summary.hosts)
    values = "" if names == len(summary.hosts) else f" in {len(summary.hosts):,} values"
    yield f"  {names:>9,} malicious hosts disseminated{values}: {kinds}"
    reach = ", ".join(
        f"{agencies} got {count:,}" for count, agencies in sorted(summary.reach.items())[::-1]
    )
    yield f"            each agency what its agreement permits: {reach}"
    yield (
        f"  {summary.confirmed:>9,} confirmed as C2 servers by {cast.ANALYST} of"
        f" {summary.analysed:,} received"
    )
    countries = Counter(suspect["by"][:2].upper() for suspect in summary.suspects.values())
    told = ", ".join(f"{country} {count}" for country, count in sorted(countries.items()))
    yield f"  {len(summary.suspects):>9,} suspects in {len(countries)} countries: {told}"
    yield f"            {_samples(summary.suspects)}"
    yield (
        f"  {summary.structures['links']:>9,} links between them and"
        f" {summary.structures['organisations']} front company,"
        f" {summary.structures['places']} compound, {summary.structures['accounts']} accounts;"
        f" 1 record corrected, confirmed by {len(summary.confirmed_corrections)} of"
        f" {summary.corrected}"
    )
    things = ", ".join(
        f"{pieces:,} {_THINGS.get(kind, kind)}" for kind, (_, pieces) in summary.items.items()
    )
    yield f"  {sum(count for count, _ in summary.items.values()):>9,} evidence items: {things}"
    yield f"  {summary.notices:>9,} distinct notices to victims"
    yield f"  {summary.messages:>9,} messages, {summary.receipts:,} of them officers' receipts"
    by = ", ".join(f"{article}: {count}" for article, count in sorted(summary.withheld.items()))
    yield f"  {summary.withheld.total():>9,} parts withheld, the rest of the message given: {by}"


def _isolation(summary: Summary) -> str:
    outcome = summary.outcome
    text = (
        f"{summary.isolation}; {outcome.attempts} attempts to read another's key or the gateway's"
        f" ledger and log key, {outcome.denied} denied"
    )
    return text if summary.isolation != crew.MODES else f"{text} ({_ONLY_MODES})"


_WHAT = {
    "signatures": "signatures",
    "receipts": "receipts of messages sent",
    "proofs": "inclusion and consistency proofs",
    "decisions": "decisions made again, and found equal",
}
_THINGS = {
    "server": "servers",
    "sim": "SIM cards",
    "cash": "sums of cash",
    "document": "documents",
}
_ONLY_MODES = (
    "this system offers neither Landlock nor root: file modes keep out other users, and these are"
    " one user's processes"
)


def _refusals(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield each refusal in a line; those that say the same for several stand together."""
    together: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (row["sender"], row["agreement"], row["article"], row["ground"], _why(row))
        together.setdefault(key, []).append(row)
    for (sender, agreement, article, ground, why), group in together.items():
        to = ", ".join(sorted({row["recipient"] for row in group}))
        if len(group) > 1:
            to = f"{len(group)} recipients"
        again = "; permitted once it had that" if group[0].get("permitted_then") else ""
        yield escape(f"  {sender} to {to}, {agreement} {article}: {ground}{why}{again}")


def _why(row: Mapping[str, Any]) -> str:
    """Return what was lacking or stood in the way, where the ground alone does not tell."""
    if row["ground"] == "CONDITION_NOT_MET":
        lacking = [match[1] for line in row["explanation"] if (match := _WANTS.search(line))]
        return f", it wants {' and '.join(lacking)}"
    if row["ground"] in _OBSTACLES:
        return f", {_MESSAGE.sub('', row['explanation'][1]).rstrip('.').lower()}"
    return ""


_WANTS = re.compile(r" wants of parts? [0-9]+(?:(?:, | and )[0-9]+)* ([^.]+)")
_MESSAGE = re.compile(r" of \S+/[0-9a-f-]{36}, or not to this one")
"""How an obstacle names a message, which nobody reads in a table."""
_OBSTACLES = frozenset({"CONSENT_MISSING", "NOT_IN_OPERATION", "STEP_NOT_ALLOWED"})
"""Grounds that no clause gives, but how a procedure stands."""


def _samples(suspects: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one name of each script, with its romanisation."""
    found: dict[str, str] = {}
    for suspect in suspects.values():
        (script, text), (_, roman) = suspect["names"]
        found.setdefault(script, f"{text} ({roman})")
    return ", ".join(found.values())
