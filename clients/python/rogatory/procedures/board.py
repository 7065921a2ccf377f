"""The board of a joint operation: sums of its members' signed reports, which anyone can add again.

What is added are verified REPORT messages; no number is ever written down elsewhere.

1. An item counts once in the total, however often and by however many members it was reported. In
   the column of a member counts what that member reports, so columns may add up to more.
2. A retraction takes out what the same member reported before it, in order of entry, and nothing
   else; the member may report the item again. An item counts as long as some member's report of it
   stands.
3. Of an item's reports that stand the first in order of entry gives its day, its size and its
   value. The day is that of ``result_time`` where stated, else that of the entry, in UTC.
4. The order in which reports are added changes nothing, nor does adding one twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from rogatory.assistance.v1 import operation_pb2
from rogatory.clock import NANOSECONDS_PER_SECOND, to_nanoseconds
from rogatory.records.v1 import common_pb2

Kind: TypeAlias = operation_pb2.ResultKind.ValueType

LABELS: Mapping[Kind, str] = MappingProxyType(
    {
        operation_pb2.RESULT_KIND_ARREST: "arrests",
        operation_pb2.RESULT_KIND_PERSON_HANDED_OVER: "persons handed over",
        operation_pb2.RESULT_KIND_SERVER_SEIZED: "servers seized",
        operation_pb2.RESULT_KIND_DATA_SECURED: "data secured",
        operation_pb2.RESULT_KIND_INDICATOR_REPORTED: "indicators reported",
        operation_pb2.RESULT_KIND_INDICATOR_TAKEN_DOWN: "indicators taken down",
        operation_pb2.RESULT_KIND_VICTIM_IDENTIFIED: "victims identified",
        operation_pb2.RESULT_KIND_VICTIM_NOTIFIED: "victims notified",
        operation_pb2.RESULT_KIND_VICTIM_REACHED: "victims reached",
        operation_pb2.RESULT_KIND_VICTIM_FREED: "victims freed",
        operation_pb2.RESULT_KIND_PLACE_SEARCHED: "places searched",
        operation_pb2.RESULT_KIND_ACCOUNT_FROZEN: "accounts frozen",
        operation_pb2.RESULT_KIND_ASSET_SEIZED: "assets seized",
    }
)
"""What each kind of result is called, in the order of the board."""

_DECIMALS = 18
"""Of an amount at most, so that amounts add up as whole numbers of its last place."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Item: TypeAlias = tuple[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultLine:
    """What was reached of one kind.

    Attributes:
        kind: What is counted.
        label: What it is called.
        total: Distinct items.
        members: Items that each member reports, by agency id in order of the alphabet.
        days: Items of the total by day, `YYYY-MM-DD` in UTC, in order.
    """

    kind: Kind
    label: str
    total: int
    members: Mapping[str, int]
    days: Mapping[str, int]


@dataclass(frozen=True, slots=True, order=True)
class _Report:
    """A report's place in the order of entry, and what it says."""

    entry_time: int
    index: int
    sender: str
    message_id: str
    digest: bytes
    member: str = field(compare=False)
    update: operation_pb2.OperationUpdate = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The first report, of those that stand, of an item by a member."""

    number: int
    day: str
    size: int
    value: common_pb2.Amount | None


class Board:
    """Sums of the reports added so far."""

    def __init__(self) -> None:
        self._reports: dict[tuple[str, str, bytes], _Report] = {}
        self._sums: _Sums | None = None

    def add(
        self,
        member: str,
        entry_time: int,
        message: common_pb2.MessageReference,
        update: operation_pb2.OperationUpdate,
        *,
        index: int = 0,
    ) -> None:
        """Add the report of a verified REPORT message of the operation.

        Args:
            member: Agency id of its sender.
            entry_time: In nanoseconds since the epoch.
            message: Reference to it.
            update: Its content; not to be changed afterwards.
            index: Of its log entry, which tells reports of one entry time apart. Where it is not
                known, those follow each other by sender and message id.
        """
        key = (message.sender, message.message_id, message.header_digest)
        if key not in self._reports:
            self._reports[key] = _Report(entry_time, index, *key, member, update)
            self._sums = None

    def reports(self) -> list[common_pb2.MessageReference]:
        """Return references to the reports that were added, in order of entry."""
        return [
            common_pb2.MessageReference(
                sender=report.sender, message_id=report.message_id, header_digest=report.digest
            )
            for report in sorted(self._reports.values())
        ]

    def missing(
        self, reports: Iterable[common_pb2.MessageReference]
    ) -> list[common_pb2.MessageReference]:
        """Return those of an operation's reports that were not added: without them it is not whole.

        Args:
            reports: As the gateway lists them.
        """
        return [
            message
            for message in reports
            if (message.sender, message.message_id, message.header_digest) not in self._reports
        ]

    def total(self, kind: Kind) -> int:
        """Return how many distinct items of a kind were reported."""
        return sum(1 for found, _ in self._added().first if found == kind)

    def results(self) -> list[ResultLine]:
        """Return a line for each kind that any report names, in the order of `LABELS`."""
        sums = self._added()
        return [self._line(kind, sums) for kind in LABELS if kind in sums.kinds]

    def members(self) -> list[str]:
        """Return the agency ids of who reported, in order of the alphabet."""
        return sorted({report.member for report in self._reports.values()})

    def data_bytes(self, member: str | None = None) -> int:
        """Return the size of the data secured, in bytes.

        Args:
            member: By whom; None: in total.
        """
        kind = operation_pb2.RESULT_KIND_DATA_SECURED
        return sum(claim.size for claim in self._claims(kind, member))

    def asset_values(self, member: str | None = None) -> dict[str, str]:
        """Return the value of the assets seized, by currency.

        Args:
            member: By whom; None: in total.

        Returns:
            Exact decimal numbers without trailing zeros, by currency in order of the alphabet.
        """
        sums: Counter[str] = Counter()
        for claim in self._claims(operation_pb2.RESULT_KIND_ASSET_SEIZED, member):
            if claim.value is not None:
                sums[claim.value.currency] += _units(claim.value.value)
        return {currency: _decimal(sums[currency]) for currency in sorted(sums)}

    def to_dict(self) -> dict[str, Any]:
        """Return the board as plain data for JSON."""
        members = self.members()
        return {
            "reports": len(self._reports),
            "results": [
                {
                    "kind": _name(line.kind),
                    "label": line.label,
                    "total": line.total,
                    "members": dict(line.members),
                    "days": dict(line.days),
                }
                for line in self.results()
            ],
            "data_bytes": {
                "total": self.data_bytes(),
                "members": {member: self.data_bytes(member) for member in members},
            },
            "asset_values": {
                "total": self.asset_values(),
                "members": {member: self.asset_values(member) for member in members},
            },
        }

    def table(self) -> list[list[str]]:
        """Return rows of cells for printing: a heading, the results, data volume, asset values.

        A row names what it counts, then has the total and a cell for each of `members`; 0 is shown
        as 0.
        """
        members = self.members()
        rows = [["result", "total", *members]]
        rows += [
            [line.label, str(line.total), *(str(line.members.get(one, 0)) for one in members)]
            for line in self.results()
        ]
        if self.data_bytes():
            volumes = [self.data_bytes(), *(self.data_bytes(one) for one in members)]
            rows.append(["data secured, bytes", *map(str, volumes)])
        by_member = [self.asset_values(one) for one in members]
        for currency, value in self.asset_values().items():
            values = (found.get(currency, "0") for found in by_member)
            rows.append([f"assets seized, {currency}", value, *values])
        return rows

    def _line(self, kind: Kind, sums: _Sums) -> ResultLine:
        members = Counter(
            member
            for (found, _), claims in sums.claims.items()
            if found == kind
            for member in claims
        )
        days = Counter(claim.day for claim in self._claims(kind, None))
        return ResultLine(
            kind=kind,
            label=LABELS[kind],
            total=days.total(),
            members={member: members[member] for member in sorted(members)},
            days={day: days[day] for day in sorted(days)},
        )

    def _claims(self, kind: Kind, member: str | None) -> Iterator[_Claim]:
        """Yield the claim that counts for each item, of one member or in total."""
        sums = self._added()
        if member is None:
            yield from (claim for (found, _), claim in sums.first.items() if found == kind)
            return
        for (found, _), claims in sums.claims.items():
            if found == kind and member in claims:
                yield claims[member]

    def _added(self) -> _Sums:
        if self._sums is None:
            self._sums = _Sums(sorted(self._reports.values()))
        return self._sums


class _Sums:
    """What stands after all reports, in order of entry.

    Attributes:
        claims: By item, then by member: its first report of those that stand. Items of which none
            stands are not there.
        first: By item: the first of these.
        kinds: Kinds that any report names, also in a retraction.
    """

    def __init__(self, reports: Iterable[_Report]) -> None:
        self.claims: dict[_Item, dict[str, _Claim]] = {}
        self.kinds: set[Kind] = set()
        for number, report in enumerate(reports):
            for result in report.update.results:
                self.kinds.add(result.kind)
                if result.retract:
                    self._retract(report.member, result)
                else:
                    self._report(number, report, result)
        self.first = {
            item: min(claims.values(), key=lambda claim: claim.number)
            for item, claims in self.claims.items()
        }

    def _report(self, number: int, report: _Report, result: operation_pb2.OperationResult) -> None:
        happened = result.HasField("result_time")
        day = _day(to_nanoseconds(result.result_time) if happened else report.entry_time)
        for position, item_id in enumerate(result.item_ids):
            claims = self.claims.setdefault((result.kind, item_id), {})
            if report.member in claims:
                continue
            sized, valued = position < len(result.item_bytes), position < len(result.item_values)
            claims[report.member] = _Claim(
                number=number,
                day=day,
                size=result.item_bytes[position] if sized else 0,
                value=result.item_values[position] if valued else None,
            )

    def _retract(self, member: str, result: operation_pb2.OperationResult) -> None:
        for item_id in result.item_ids:
            claims = self.claims.get((result.kind, item_id), {})
            claims.pop(member, None)
            if not claims:
                self.claims.pop((result.kind, item_id), None)


def _name(kind: Kind) -> str:
    return operation_pb2.ResultKind.Name(kind).removeprefix("RESULT_KIND_")


def _day(nanoseconds: int) -> str:
    return (_EPOCH + timedelta(seconds=nanoseconds // NANOSECONDS_PER_SECOND)).date().isoformat()


def _units(value: str) -> int:
    """Return a decimal number as a whole number of its 18th decimal place."""
    whole, _, decimals = value.partition(".")
    return int(whole + decimals.ljust(_DECIMALS, "0"))


def _decimal(units: int) -> str:
    digits = str(abs(units)).rjust(_DECIMALS + 1, "0")
    text = f"{digits[:-_DECIMALS]}.{digits[-_DECIMALS:]}".rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text
