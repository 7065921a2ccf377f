"""Results from the command line: items, sizes, values, lines of a file."""

from __future__ import annotations

import pytest
import typer

from rogatory.assistance.v1 import operation_pb2
from rogatory.cli.operation import report as operation_report
from rogatory.cli.operation.report import MAX_ITEMS, ResultMaker
from rogatory.records.v1 import common_pb2

ARREST = operation_pb2.RESULT_KIND_ARREST
SECURED = operation_pb2.RESULT_KIND_DATA_SECURED
SEIZED = operation_pb2.RESULT_KIND_ASSET_SEIZED
NOTIFIED = operation_pb2.RESULT_KIND_VICTIM_NOTIFIED


def maker(*, retract: bool = False) -> ResultMaker:
    """Return what makes the results of an agency."""
    return ResultMaker(agency="th.rtp", retract=retract, country="th", when="2026-03-01T09:00Z")


def test_every_kind_of_result_has_an_option() -> None:
    """Nothing that the board counts can be reported by file alone."""
    values = operation_pb2.ResultKind.DESCRIPTOR.values
    kinds = {value.name.removeprefix("RESULT_KIND_").lower() for value in values}

    assert kinds - {"unspecified"} == set(operation_report.Results.__dataclass_fields__)


def test_items_are_stated_with_place_and_time() -> None:
    """A country is written in capitals, whatever was typed."""
    (made,) = maker().of(ARREST, ["a", "b"])

    assert (ARREST, ["a", "b"], "TH", False) == (
        made.kind,
        list(made.item_ids),
        made.country,
        made.retract,
    )
    assert made.HasField("result_time")


def test_sizes_and_values_stand_beside_their_items() -> None:
    """Data secured has bytes, an asset an amount and a currency."""
    (secured,) = maker().of(SECURED, ["a=10", "b=0"])
    (seized,) = maker().of(SEIZED, ["c=2500.50 EUR", "d=3USDT"])

    assert [10, 0] == list(secured.item_bytes)
    assert [
        common_pb2.Amount(value="2500.50", currency="EUR"),
        common_pb2.Amount(value="3", currency="USDT"),
    ] == list(seized.item_values)


def test_what_is_taken_back_needs_no_size() -> None:
    """A retraction names the items alone."""
    (made,) = maker(retract=True).of(SECURED, ["a"])

    assert (True, ["a"], []) == (made.retract, list(made.item_ids), list(made.item_bytes))


def test_victims_are_named_by_whose_reference_it_is() -> None:
    """A bare reference is the agency's own; one that says whose it is stays."""
    (made,) = maker().of(NOTIFIED, ["V-1", "nl.politie/V-1"])

    assert ["th.rtp/V-1", "nl.politie/V-1"] == list(made.item_ids)


def test_many_items_become_several_results() -> None:
    """A result holds so many items, and no item is lost."""
    made = list(maker().of(ARREST, [str(number) for number in range(MAX_ITEMS + 1)]))

    assert [MAX_ITEMS, 1] == [len(one.item_ids) for one in made]


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        (ARREST, "a=1"),
        (SECURED, "a"),
        (SECURED, "a=ten"),
        (SECURED, "=1"),
        (SEIZED, "a=5"),
        (SEIZED, "a=five EUR"),
    ],
)
def test_measure_that_is_wrong_is_told(kind: operation_pb2.ResultKind.ValueType, item: str) -> None:
    """A size where none belongs, or none where one does, is wrong usage."""
    with pytest.raises(typer.BadParameter):
        list(maker().of(kind, [item]))


def test_lines_of_a_file_have_comments_and_measures() -> None:
    """What follows an id on its line is its size or value."""
    text = "a  # first\n\n# nothing\nb 10\nc 2500 EUR\n"

    assert ["a", "b=10", "c=2500 EUR"] == operation_report.items_of(text)
