"""What the operation came to: counted from what the agencies received, never from what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rogatory.errors import RogatoryError
from rogatory.records.v1 import evidence_pb2
from rogatory_gateway.demo import cases, cast, persons, sharing, structures
from rogatory_gateway.demo.hosts import Host, distinct
from rogatory_gateway.demo.memory import digest, unpack
from rogatory_gateway.demo.play import Outcome, Sizes


class DoesNotAddUp(RogatoryError):
    """What the agencies received is not what the operation was to bring them."""


def takedown_requests(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the requests by which the desk has partners take hosts down."""
    return [row for row in outcome.requests if row["kind"] == "TAKEDOWN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The operation in numbers.

    Attributes:
        outcome: What the agencies found.
        isolation: How they were kept apart.
        notes: On where the hosts come from.
        hosts: Those that at least one agency received.
        copies: Indicators disseminated, all agencies together.
        reach: How many agencies received how many hosts.
        notices: Distinct notices to victims.
        messages: Distinct messages received, receipts included.
        receipts: Officers' receipts received.
        down: Hosts reported down, by who reported them.
        analysed, confirmed: Hosts received for analysis, and those confirmed.
        suspects: By record id, who sent it and the names, as (script, text).
        items: Evidence items by kind, as (items, pieces).
        structures: Organisations, places, accounts and links that the desk received, by what.
        corrected: Agencies that received a correction.
        confirmed_corrections: Agencies that confirmed it, as its sender received it.
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
    structures: Mapping[str, int]
    corrected: int
    confirmed_corrections: Sequence[str]
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
            structures=desk["structures"],
            corrected=sum(bool(item["corrected"]) for item in totals.values()),
            confirmed_corrections=totals[structures.INVESTIGATOR]["confirmations"],
            withheld=withheld,
            seconds=seconds,
        )

    def check(self, sizes: Sizes, *, copies: int) -> None:
        """Compare with what the operation was to bring.

        Args:
            copies: Hosts that all agencies together may have.

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
            "copies of hosts": (copies, self.copies),
            "officers' receipts": (self.outcome.to_acknowledge, self.receipts),
            "links": (len(structures.links().links), self.structures.get("links", 0)),
            "corrections": (structures.RECIPIENTS, self.corrected),
            "confirmations": (structures.RECIPIENTS, len(self.confirmed_corrections)),
        }
        wanted |= self._procedures()
        wrong = [
            f"{count} {what} were received and {due} were due"
            for what, (due, count) in wanted.items()
            if due != count
        ]
        if wrong:
            raise DoesNotAddUp("; ".join(wrong), hint="Please report this: it is a defect.")

    def _procedures(self) -> dict[str, tuple[int, int]]:
        """Return what procedures were to bring, and what they brought, each told by a name.

        The board is held against what was received beside the reports that it adds up.
        """
        outcome = self.outcome
        board = Counter({line["label"]: line["total"] for line in outcome.board["results"]})
        handed_over = outcome.handover["persons"].get("RECEIVED", 0)
        answered = Counter(row["answer"] for row in outcome.requests)
        recall = outcome.recall
        return {
            "members of the operation": (len(cast.MEMBERS) - 1, outcome.board["members"]),
            "members who left": (1, outcome.board["left"]),
            "arrests on the board": (
                len(self.suspects) + outcome.handover["asked"],
                board["arrests"],
            ),
            "persons handed over, on the board": (handed_over, board["persons handed over"]),
            "servers on the board": (self.items["server"][0], board["servers seized"]),
            "hosts on the board": (len(self.hosts), board["indicators reported"]),
            "hosts down on the board": (self.down.total(), board["indicators taken down"]),
            "victims on the board": (self.notices, board["victims notified"]),
            "persons listed": (persons.SOUGHT, sum(outcome.handover["persons"].values())),
            "officers on each statement": (2, outcome.handover["officers"]),
            "requests": (
                len(cases.CASES) + len(takedown_requests(outcome)) + 1,
                len(outcome.requests),
            ),
            "late answers": (
                sum(bool(case.within) for case in cases.CASES.values()),
                answered["MET_LATE"],
            ),
            "refused requests": (
                sum(case.refusal is not None for case in cases.CASES.values()),
                len(outcome.grounds),
            ),
            "agencies to call": (
                len({row["asked"] for row in outcome.requests if row["urgency"] != "ROUTINE"}),
                len(outcome.contacts),
            ),
            "holders by a copy passed on with consent": (
                1,
                len(set(recall["by_copy"]) & set(outcome.consent["for"])),
            ),
            "holders of what was recalled": (len(sharing.HOLDERS), len(recall["holders"])),
            "confirmed erasures": (len(recall["holders"]), len(recall["confirmed"])),
            "recalled parts": (
                len(recall["holders"]),
                sum("RECALLED" in parts for parts in recall["left"].values()),
            ),
            "records kept after the recall": (0, recall["kept"]),
            "hits": (1, len(outcome.alert["hits"])),
            "hits linked to a suspect": (
                1,
                sum(hit["matched"] in self.suspects for hit in outcome.alert["hits"]),
            ),
        }

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
                {key: row[key] for key in ("message_id", "article", "ground", "recipient")}
                for row in outcome.refusals
            ],
            "log": outcome.log,
            "verified": outcome.verified,
            "seconds": round(self.seconds, 1),
            "details": self._details(),
        }

    def _details(self) -> dict[str, Any]:
        """Return what the object says besides: more counts, and what they rest on."""
        outcome = self.outcome
        return {
            "distinct_hosts": distinct(self.hosts),
            "indicator_copies": self.copies,
            "taken_down": self.down.total(),
            "analysed": self.analysed,
            "confirmed_c2": self.confirmed,
            "officer_receipts": self.receipts,
            "evidence_items": {kind: count for kind, (count, _) in self.items.items()},
            **self.structures,
            "corrected_at": self.corrected,
            "corrections_confirmed_by": list(self.confirmed_corrections),
            "parts_withheld": self.withheld.total(),
            "agreements": len(cast.AGREEMENTS),
            "isolation": {
                "by": self.isolation,
                "attempts": outcome.attempts,
                "denied": outcome.denied,
            },
            "hosts_from": list(self.notes),
            "board": outcome.board,
            "requests": self._requests(),
            "handover": outcome.handover,
            "consent": {
                **outcome.consent,
                "refused_before": any(
                    row["ground"] == "CONSENT_MISSING" for row in outcome.refusals
                ),
            },
            "recall": outcome.recall,
            "alert": outcome.alert,
        }

    def _requests(self) -> dict[str, Any]:
        outcome = self.outcome
        answered = Counter(row["answer"] for row in outcome.requests)
        return {
            "in_time": answered["MET"],
            "late": answered["MET_LATE"],
            "open": answered["OPEN"] + answered["DUE_SOON"],
            "ended": answered["ENDED"],
            "refused": outcome.grounds,
            "duty_contacts": outcome.contacts,
            "all": outcome.requests,
        }
