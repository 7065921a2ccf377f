"""The report in words, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from rogatory_gateway.demo import cast, content, crew
from rogatory_gateway.demo.hosts import distinct, tally
from rogatory_gateway.demo.report import Summary


def lines(summary: Summary) -> Iterator[str]:
    """Yield the report, line by line, as rich's markup."""
    outcome = summary.outcome
    yield (
        f"[bold]{content.OPERATION}[/]: {len(cast.NATIONAL)} national agencies,"
        f" {len(cast.PARTNERS)} private partners, one coordinating organisation"
    )
    yield f"  {len(outcome.totals)} processes, {len(cast.AGREEMENTS)} agreements they signed"
    for note in summary.notes:
        yield escape(f"  {note}")
    yield ""
    yield "[bold]Received[/], as counted by those who received and verified it"
    yield from _received(summary)
    yield ""
    yield f"[bold]Refused[/] for {len(outcome.refusals)} recipients"
    yield from _refusals(outcome.refusals)
    yield ""
    yield "[bold]Verified[/] by the library alone, in the agencies' own processes"
    for what, count in outcome.verified.items():
        yield f"  {count:>9,} {_WHAT[what]}"
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
    partners = sum(summary.down[firm] for firm in cast.PARTNERS)
    yield (
        f"  {summary.down.total():>9,} of them reported down, by {len(summary.down)} agencies and"
        f" partners ({partners:,} by partners)"
    )
    yield (
        f"  {summary.confirmed:>9,} confirmed as C2 servers by {cast.ANALYST} of"
        f" {summary.analysed:,} received"
    )
    countries = Counter(suspect["by"][:2].upper() for suspect in summary.suspects.values())
    told = ", ".join(f"{country} {count}" for country, count in sorted(countries.items()))
    yield f"  {len(summary.suspects):>9,} suspects in {len(countries)} countries: {told}"
    for script, (text, roman) in _samples(summary.suspects).items():
        yield f"            {script}: {text}, {roman}"
    yield (
        f"  {summary.structures['organisations']:>9,} front company,"
        f" {summary.structures['places']} compound, {summary.structures['accounts']} accounts,"
        f" {summary.structures['links']} links between them and the suspects"
    )
    yield (
        f"  {1:>9,} record corrected, confirmed by {len(summary.confirmed_corrections)} of"
        f" {summary.corrected} who had it"
    )
    things = ", ".join(
        f"{pieces:,} {_THINGS.get(kind, kind)}" for kind, (_, pieces) in summary.items.items()
    )
    yield f"  {sum(count for count, _ in summary.items.values()):>9,} evidence items: {things}"
    yield f"  {summary.notices:>9,} distinct notices to victims"
    yield f"  {summary.messages:>9,} messages, {summary.receipts:,} of them officers' receipts"
    by = ", ".join(f"{article}: {count}" for article, count in sorted(summary.withheld.items()))
    yield f"  {summary.withheld.total():>9,} parts withheld, the rest of the message given"
    yield f"            by article {by}"


def _isolation(summary: Summary) -> str:
    outcome = summary.outcome
    text = (
        f"{summary.isolation}; {outcome.attempts} attempts to read another's key or the gateway's"
        f" ledger and log key, {outcome.denied} denied"
    )
    return text if summary.isolation != crew.MODES else f"{text} ({_ONLY_MODES})"


_WHAT = {
    "signatures": "signatures on messages, key statements and agreements",
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
    """Yield each refusal; those that say the same of one message for several stand together."""
    together: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (row["message_id"], row["article"], row["ground"], row["explanation"][0])
        together.setdefault(key, []).append(row)
    for (_, article, ground, explanation), group in together.items():
        first = group[0]
        to = ", ".join(row["recipient"] for row in group)
        yield f"  {first['sender']} to {to}"
        yield escape(f"    {first['agreement']} {article}, {ground}: {explanation}")
        for line in first["explanation"][1:]:
            if " wants " in line or " refuses" in line:
                yield escape(f"      {line}")
        if first.get("permitted_then"):
            yield "      Sent again so changed, it was permitted."


def _samples(suspects: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return one name of each script, with its romanisation."""
    found: dict[str, tuple[str, str]] = {}
    for suspect in suspects.values():
        (script, text), (_, roman) = suspect["names"]
        found.setdefault(script, (text, roman))
    return found
