"""`rogatory operation report`: what a member reached, item by item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from rogatory.assistance.v1 import operation_pb2
from rogatory.cli import options, single
from rogatory.cli.desk import Label, Reasons, Way, Whom, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import name_of
from rogatory.cli.instants import instant
from rogatory.cli.kinds import settle
from rogatory.cli.operation import operations
from rogatory.cli.operation.steps import OperationArgument
from rogatory.exchange.v1 import envelope_pb2
from rogatory.messagefiles import read_text
from rogatory.procedures.operations import members_now
from rogatory.records.v1 import common_pb2
from rogatory.references import completer

MAX_ITEMS = 10_000
"""Of one result; more become several."""

Kind: TypeAlias = operation_pb2.ResultKind.ValueType

_SECURED, _SEIZED = operation_pb2.RESULT_KIND_DATA_SECURED, operation_pb2.RESULT_KIND_ASSET_SEIZED
_VICTIMS = frozenset(
    {
        operation_pb2.RESULT_KIND_VICTIM_IDENTIFIED,
        operation_pb2.RESULT_KIND_VICTIM_NOTIFIED,
        operation_pb2.RESULT_KIND_VICTIM_REACHED,
    }
)
_AMOUNT = re.compile(r"(-?[0-9.]+)\s?([A-Z0-9]{2,12})")


def _items(name: str, what: str, metavar: str = "ID") -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(
        name, metavar=metavar, help=f"{what} Repeatable, or with commas."
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Options that name items, by what they are a result of; each field is a kind of result."""

    arrest: Annotated[list[str] | None, _items("--arrest", "Person arrested.")] = None
    person_handed_over: Annotated[
        list[str] | None, _items("--handed-over", "Person handed over.")
    ] = None
    server_seized: Annotated[list[str] | None, _items("--server-seized", "Server seized.")] = None
    data_secured: Annotated[
        list[str] | None, _items("--data-secured", "Data secured, with its size.", "ID=BYTES")
    ] = None
    indicator_reported: Annotated[
        list[str] | None, _items("--indicator-reported", "Indicator reported.")
    ] = None
    indicator_taken_down: Annotated[
        list[str] | None, _items("--taken-down", "Indicator taken down.")
    ] = None
    victim_identified: Annotated[
        list[str] | None, _items("--victim-identified", "Victim identified, by reference.")
    ] = None
    victim_notified: Annotated[
        list[str] | None, _items("--victim-notified", "Victim notified, likewise.")
    ] = None
    victim_reached: Annotated[
        list[str] | None, _items("--victim-reached", "Victim reached, likewise.")
    ] = None
    victim_freed: Annotated[list[str] | None, _items("--victim-freed", "Person freed.")] = None
    place_searched: Annotated[list[str] | None, _items("--searched", "Place searched.")] = None
    account_frozen: Annotated[list[str] | None, _items("--frozen", "Account frozen.")] = None
    asset_seized: Annotated[
        list[str] | None,
        _items("--asset-seized", "Asset seized, with its value.", "ID=AMOUNT CURRENCY"),
    ] = None


@flat
def report(
    operation: OperationArgument,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="The report: JSON, YAML or text-proto with the fields of OperationUpdate.",
            show_default=False,
        ),
    ] = None,
    *,
    results: Results,
    items: Annotated[
        Path | None,
        typer.Option("--file", metavar="IDS.txt", help="Items of --kind, one a line."),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="Of --file, as indicator-taken-down.")
    ] = "",
    retract: Annotated[
        bool, typer.Option("--retract", help="Take these items back: they were reported in error.")
    ] = False,
    country: Annotated[
        str, typer.Option("--country", metavar="CODE", help="Where it happened, as TH.")
    ] = "",
    when: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When, as 2026-03-01T09:30+07:00.")
    ] = "",
    summary: Annotated[
        str, typer.Option("--summary", metavar="TEXT", help="In words, without personal data.")
    ] = "",
    whom: Whom,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Report results to the members of an operation, from a file or item by item.

    An item is named by the id under which it was first shared, so that nobody counts it twice; a
    victim as AGENCY/REFERENCE, where your agency is added to a bare reference. A line of --file may
    have a size or value behind the id.

    Example: rogatory operation report th.rtp/0199... --arrest 7f1c... --file taken-down.txt --kind
    indicator-taken-down --country TH
    """
    with at_desk(way, exercise=label.exercise) as desk:
        found = operations.look_up(desk, operation)
        if file is not None:
            complete = completer(desk.earlier.reference)
            content = single.read(file, operation_pb2.OperationUpdate, complete=complete)
        else:
            content = operation_pb2.OperationUpdate()
        made = ResultMaker(agency=desk.agency, retract=retract, country=country, when=when)
        for field in fields(results):
            number = operation_pb2.ResultKind.Value(f"RESULT_KIND_{field.name.upper()}")
            content.results.extend(made.of(number, _split(getattr(results, field.name))))
        if items is not None:
            if not kind:
                raise typer.BadParameter("say what the items are", param_hint="--kind")
            word = options.choice(operation_pb2.ResultKind, kind, "--kind")
            number = operation_pb2.ResultKind.ValueType(word)
            content.results.extend(made.of(number, items_of(read_text(items))))
        content.summary = content.summary or summary
        operations.need_one(content.results, "FILE", "report something: see --help")
        operations.need_member(desk, found)
        draft = operations.step(
            desk, label.draft("operation"), found, step=envelope_pb2.OPERATION_STEP_REPORT
        )
        others = [agency for agency in members_now(found.members) if agency != desk.agency]
        draft, reach = operations.address(desk, draft, others, whom=whom, founding=found.founding)
        contents = [content, *desk.context(reasons)]
        desk.hand_in(settle(draft, contents), contents)
        desk.tell({"operation": name_of(found.founding), "unreachable": reach.data()})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultMaker:
    """Makes results from items as they are typed."""

    agency: str
    retract: bool
    country: str
    when: str

    def of(self, kind: Kind, items: Sequence[str]) -> Iterator[operation_pb2.OperationResult]:
        """Yield the results of a kind, each with as many items as one holds."""
        for start in range(0, len(items), MAX_ITEMS):
            made = operation_pb2.OperationResult(
                kind=kind, retract=self.retract, country=self.country.upper()
            )
            if self.when:
                made.result_time.CopyFrom(instant(self.when, "--at"))
            for item in items[start : start + MAX_ITEMS]:
                self._add(made, item)
            yield made

    def _add(self, made: operation_pb2.OperationResult, item: str) -> None:
        name, sign, measure = item.partition("=")
        measured = made.kind in (_SECURED, _SEIZED) and not self.retract
        if not name or bool(sign) != measured:
            what = "ID=BYTES" if made.kind == _SECURED else "ID=AMOUNT CURRENCY"
            raise typer.BadParameter(
                f"{item!r} is not {what if measured else 'an id'}", param_hint="items"
            )
        if made.kind in _VICTIMS and "/" not in name:
            name = f"{self.agency}/{name}"
        made.item_ids.append(name)
        if not measured:
            return
        if made.kind == _SECURED:
            if not measure.isdecimal():
                raise typer.BadParameter(f"{measure!r} is no number of bytes", param_hint="items")
            made.item_bytes.append(int(measure))
            return
        found = _AMOUNT.fullmatch(measure)
        if found is None:
            raise typer.BadParameter(
                f"{measure!r} is no amount like '2500.50 EUR'", param_hint="items"
            )
        made.item_values.append(common_pb2.Amount(value=found[1], currency=found[2]))


def _split(words: Iterable[str] | None) -> list[str]:
    return [item.strip() for word in words or () for item in word.split(",") if item.strip()]


def items_of(text: str) -> list[str]:
    """Return the items of a file: ``ID``, or ``ID SIZE`` and ``ID AMOUNT CURRENCY``."""
    found = []
    for line in text.splitlines():
        said = line.partition("#")[0].split(maxsplit=1)
        if said:
            found.append("=".join(said))
    return found
