"""What the operation came to: counted from what the agencies received, never from what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from rogatory.errors import RogatoryError
from rogatory.records.v1 import evidence_pb2
from rogatory_gateway.demo import cast, content, crew
from rogatory_gateway.demo.hosts import Host, tally
from rogatory_gateway.demo.memory import digest, unpack
from rogatory_gateway.demo.play import Outcome, Sizes


class DoesNotAddUp(RogatoryError):
    """What the agencies received is not what the operation was to bring them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The operation in numbers.

    Attributes:
        outcome: What the agencies found.
        isolation: How they were kept apart.
        notes: On where the hosts come from.
        hosts: Those that at least one agency received.
        copies: Indicators received, all agencies together.
        reach: How many agencies received how many hosts.
        notices: Distinct notices to victims.
        messages: Distinct messages received, receipts included.
        receipts: Officers' receipts received.
        down: Hosts reported down, by who reported them.
        analysed, confirmed: Hosts received for analysis, and those confirmed.
        suspects: By record id, who sent it and the names, as (script, text).
        items: Evidence items by kind, as (items, pieces).
        withheld: Parts withheld by article.
        seconds: How long it took.
    """

    outcome: Outcome
    isolation: str
    notes: Sequence[str]
    hosts: list[Host]
    copies: int
    reach: Counter[int]
    notices: int
    messages: int
    receipts: int
    down: Counter[str]
    analysed: int
    confirmed: int
    suspects: Mapping[str, Mapping[str, Any]]
    items: Mapping[str, tuple[int, int]]
    withheld: Counter[str]
    seconds: float

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        *,
        hosts: Sequence[Host],
        isolation: str,
        notes: Sequence[str],
        seconds: float,
    ) -> Summary:
        """Count it all.

        Args:
            hosts: The hosts of the operation: digests are looked up among them.
        """
        totals = outcome.totals
        desk = totals[cast.COORDINATOR]
        agencies = [totals[member.agency_id] for member in cast.NATIONAL]
        reached = [unpack(item["hosts"]) for item in agencies]
        received = set().union(*reached)
        kinds: Counter[str] = Counter()
        withheld: Counter[str] = Counter()
        for item in totals.values():
            kinds.update(item["kinds"])
            withheld.update(item["withheld"])
        evidence: dict[str, tuple[int, int]] = {}
        for kind, pieces in desk["items"].values():
            name = evidence_pb2.EvidenceKind.Name(kind).removeprefix("EVIDENCE_KIND_").lower()
            so_far = evidence.get(name, (0, 0))
            evidence[name] = (so_far[0] + 1, so_far[1] + pieces)
        return cls(
            outcome=outcome,
            isolation=isolation,
            notes=notes,
            hosts=[host for host in hosts if digest(host.value) in received],
            copies=sum(item["copies"] for item in agencies),
            reach=Counter(len(item) for item in reached),
            notices=len(set().union(*(unpack(item["notices"]) for item in agencies))),
            messages=len(set().union(*(unpack(item["messages"]) for item in totals.values()))),
            receipts=kinds["receipt"],
            down=Counter(desk["down"].values()),
            analysed=totals[cast.ANALYST]["analysed"],
            confirmed=len(desk["confirmed"]),
            suspects=desk["suspects"],
            items=evidence,
            withheld=withheld,
            seconds=seconds,
        )

    def check(self, sizes: Sizes) -> None:
        """Compare with what the operation was to bring.

        Raises:
            DoesNotAddUp: Something was lost, or came that should not have.
        """
        wanted = {
            "hosts": (sizes.hosts, len(self.hosts)),
            "hosts taken down": (self.outcome.to_take_down, self.down.total()),
            "hosts analysed": (min(sizes.analysed, sizes.hosts), self.analysed),
            "servers confirmed": (min(sizes.confirmed, sizes.hosts), self.confirmed),
            "notices": (sizes.notices, self.notices),
            "suspects": (32, len(self.suspects)),
        }
        wrong = [
            f"{count} {what} were received and {due} were due"
            for what, (due, count) in wanted.items()
            if due != count
        ]
        if wrong:
            raise DoesNotAddUp("; ".join(wrong), hint="Please report this: it is a defect.")

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        outcome = self.outcome
        return {
            "agencies": len(outcome.totals),
            "messages": self.messages,
            "indicators_delivered": len(self.hosts),
            "victim_notices": self.notices,
            "suspects": len(self.suspects),
            "refusals": [
                {key: row[key] for key in ("message_id", "article", "ground")}
                for row in outcome.refusals
            ],
            "log": outcome.log,
            "verified": outcome.verified,
            "seconds": round(self.seconds, 1),
            "indicator_copies": self.copies,
            "taken_down": self.down.total(),
            "analysed": self.analysed,
            "confirmed_c2": self.confirmed,
            "officer_receipts": self.receipts,
            "evidence_items": {kind: count for kind, (count, _) in self.items.items()},
            "parts_withheld": self.withheld.total(),
            "agreements": len(cast.AGREEMENTS),
            "isolation": {
                "by": self.isolation,
                "attempts": outcome.attempts,
                "denied": outcome.denied,
            },
            "hosts_from": list(self.notes),
        }

    def lines(self) -> Iterator[str]:
        """Yield the report, line by line, as rich's markup."""
        outcome = self.outcome
        yield (
            f"[bold]{content.OPERATION}[/]: {len(cast.NATIONAL)} national agencies,"
            f" {len(cast.PARTNERS)} private partners, one coordinating organisation"
        )
        yield f"  {len(outcome.totals)} processes, {len(cast.AGREEMENTS)} agreements they signed"
        for note in self.notes:
            yield escape(f"  {note}")
        yield ""
        yield "[bold]Received[/], as counted by those who received and verified it"
        yield from self._received()
        yield ""
        yield f"[bold]Refused[/] for {len(outcome.refusals)} recipients"
        yield from _refusals(outcome.refusals)
        yield ""
        yield "[bold]Verified[/] by the library alone, in the agencies' own processes"
        for what, count in outcome.verified.items():
            yield f"  {count:>9,} {_WHAT[what]}"
        yield f"  isolation: {self._isolation()}"
        yield ""
        yield f"[bold]Log[/] {outcome.log['origin']}: {outcome.log['size']:,} entries"
        yield f"  root  {outcome.log['root']}, the same in all {len(outcome.totals)} processes"
        yield f"  vkey  {outcome.log['vkey']}"
        yield f"  took {self.seconds:.1f} seconds"

    def _received(self) -> Iterator[str]:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in tally(self.hosts).items())
        yield f"  {len(self.hosts):>9,} malicious hosts disseminated: {kinds}"
        reach = ", ".join(
            f"{agencies} got {count:,}" for count, agencies in sorted(self.reach.items())[::-1]
        )
        yield f"            each agency what its agreement permits: {reach}"
        partners = sum(self.down[firm] for firm in cast.PARTNERS)
        yield (
            f"  {self.down.total():>9,} of them reported down, by {len(self.down)} agencies and"
            f" partners ({partners:,} by partners)"
        )
        yield (
            f"  {self.confirmed:>9,} confirmed as C2 servers by {cast.ANALYST} of"
            f" {self.analysed:,} received"
        )
        countries = Counter(suspect["by"][:2].upper() for suspect in self.suspects.values())
        told = ", ".join(f"{country} {count}" for country, count in sorted(countries.items()))
        yield f"  {len(self.suspects):>9,} suspects in {len(countries)} countries: {told}"
        for script, (text, roman) in _samples(self.suspects).items():
            yield f"            {script}: {text}, {roman}"
        things = ", ".join(
            f"{pieces:,} {_THINGS.get(kind, kind)}" for kind, (_, pieces) in self.items.items()
        )
        yield f"  {sum(count for count, _ in self.items.values()):>9,} evidence items: {things}"
        yield f"  {self.notices:>9,} distinct notices to victims"
        yield f"  {self.messages:>9,} messages, {self.receipts:,} of them officers' receipts"
        by = ", ".join(f"{article}: {count}" for article, count in sorted(self.withheld.items()))
        yield f"  {self.withheld.total():>9,} parts withheld, the rest of the message given"
        yield f"            by article {by}"

    def _isolation(self) -> str:
        outcome = self.outcome
        text = (
            f"{self.isolation}; {outcome.attempts} attempts to read another's key or the gateway's"
            f" ledger and log key, {outcome.denied} denied"
        )
        return text if self.isolation != crew.MODES else f"{text} ({_ONLY_MODES})"


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
