"""The board of an operation: signed reports, added up by item."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rogatory.assistance.v1 import operation_pb2
from rogatory.clock import from_datetime, to_timestamp
from rogatory.procedures.board import LABELS, Board, Kind
from rogatory.records.v1 import common_pb2

ALPHA, BETA = "aa.alpha", "bb.beta"
ARREST = operation_pb2.RESULT_KIND_ARREST
DATA = operation_pb2.RESULT_KIND_DATA_SECURED
ASSET = operation_pb2.RESULT_KIND_ASSET_SEIZED
FIRST_DAY = from_datetime(datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
SECOND_DAY = from_datetime(datetime(2026, 3, 2, 0, 30, tzinfo=UTC))


def _message(member: str, number: int) -> common_pb2.MessageReference:
    return common_pb2.MessageReference(
        sender=member,
        message_id=f"01920000-0000-7000-8000-{number:012d}",
        header_digest=bytes(32),
    )


def _result(
    items: Sequence[str],
    *,
    kind: Kind = ARREST,
    retract: bool = False,
    sizes: Sequence[int] = (),
    values: Sequence[tuple[str, str]] = (),
    at: int | None = None,
) -> operation_pb2.OperationResult:
    return operation_pb2.OperationResult(
        kind=kind,
        item_ids=items,
        retract=retract,
        item_bytes=sizes,
        item_values=[common_pb2.Amount(value=value, currency=code) for value, code in values],
        result_time=None if at is None else to_timestamp(at),
    )


class _Reports:
    """A board to which reports are added one after the other."""

    def __init__(self) -> None:
        self.board = Board()
        self.count = 0

    def add(
        self, member: str, *results: operation_pb2.OperationResult, at: int = FIRST_DAY
    ) -> None:
        self.count += 1
        update = operation_pb2.OperationUpdate(results=results)
        message = _message(member, self.count)
        self.board.add(member, at, message, update, index=self.count)


def test_an_item_counts_once() -> None:
    """Two members who report an item, and one who does so twice, count it once in the total."""
    reports = _Reports()
    reports.add(ALPHA, _result(["one", "two"]))
    reports.add(ALPHA, _result(["two"]), at=SECOND_DAY)
    reports.add(BETA, _result(["two", "three"]), at=SECOND_DAY)

    (line,) = reports.board.results()

    assert (3, {ALPHA: 2, BETA: 2}) == (line.total, line.members)
    assert {"2026-03-01": 2, "2026-03-02": 1} == line.days


def test_a_retraction_takes_out_the_members_own_report() -> None:
    """What another member reported stands; what nobody else did is gone; it may come again."""
    reports = _Reports()
    reports.add(ALPHA, _result(["one", "two"]))
    reports.add(BETA, _result(["two"]), at=SECOND_DAY)
    reports.add(ALPHA, _result(["one", "two", "never"], retract=True))
    (without,) = reports.board.results()
    reports.add(ALPHA, _result(["one"]), at=SECOND_DAY)

    (again,) = reports.board.results()

    assert (1, {BETA: 1}, {"2026-03-02": 1}) == (without.total, without.members, without.days)
    assert (2, {ALPHA: 1, BETA: 1}) == (again.total, again.members)


def test_a_retraction_takes_out_what_was_entered_before_it() -> None:
    """A retraction that is added first but entered last works; one entered first does nothing."""
    late, early = Board(), Board()
    report = operation_pb2.OperationUpdate(results=[_result(["one"])])
    retraction = operation_pb2.OperationUpdate(results=[_result(["one"], retract=True)])
    for board, retracted_at in ((late, FIRST_DAY + 2), (early, FIRST_DAY)):
        board.add(ALPHA, retracted_at, _message(ALPHA, 2), retraction)
        board.add(ALPHA, FIRST_DAY + 1, _message(ALPHA, 1), report)

    assert (0, 1) == (late.total(ARREST), early.total(ARREST))
    assert [_message(ALPHA, 2), _message(ALPHA, 1)] == early.reports()


def test_a_report_added_twice_counts_once() -> None:
    """The same message is one report, so that a retraction after it is not undone."""
    board = Board()
    report = operation_pb2.OperationUpdate(results=[_result(["one"])])
    retraction = operation_pb2.OperationUpdate(results=[_result(["one"], retract=True)])
    board.add(ALPHA, FIRST_DAY, _message(ALPHA, 1), report)
    board.add(ALPHA, FIRST_DAY + 1, _message(ALPHA, 2), retraction)
    board.add(ALPHA, FIRST_DAY + 2, _message(ALPHA, 1), report)

    assert 0 == board.total(ARREST)


def test_one_report_may_correct_itself() -> None:
    """Results of one report count in the order in which they stand."""
    reports = _Reports()
    reports.add(ALPHA, _result(["one", "two"]), _result(["one"], retract=True))

    assert 1 == reports.board.total(ARREST)


def test_when_it_happened_is_the_day() -> None:
    """A stated time of the result goes before the time of the report."""
    reports = _Reports()
    reports.add(ALPHA, _result(["one"], at=FIRST_DAY), at=SECOND_DAY)

    (line,) = reports.board.results()

    assert {"2026-03-01": 1} == line.days


def test_the_first_report_gives_the_size() -> None:
    """Bytes add up over distinct items; a later size of the same item is not added."""
    reports = _Reports()
    reports.add(ALPHA, _result(["disk", "phone"], kind=DATA, sizes=[1000]))
    reports.add(BETA, _result(["disk", "tape"], kind=DATA, sizes=[2000, 7]))

    board = reports.board

    assert (1007, 1000, 2007) == (
        board.data_bytes(),
        board.data_bytes(ALPHA),
        board.data_bytes(BETA),
    )


def test_values_add_up_exactly_by_currency() -> None:
    """Amounts of 30 digits and 18 decimals lose nothing; a debt counts down."""
    large = "9" * 30
    reports = _Reports()
    reports.add(
        ALPHA,
        _result(
            ["a", "b", "c", "d"],
            kind=ASSET,
            values=[(large, "THB"), ("0.000000000000000001", "THB"), ("10.50", "EUR")],
        ),
        _result(["e", "f"], kind=ASSET, values=[("-0.5", "USDT"), ("0.25", "USDT")]),
    )
    reports.add(BETA, _result(["c"], kind=ASSET, values=[("99", "EUR")]))

    board = reports.board

    expected = {"EUR": "10.5", "THB": f"{large}.000000000000000001", "USDT": "-0.25"}
    assert expected == board.asset_values()
    assert {"EUR": "99"} == board.asset_values(BETA)


def test_a_board_says_what_is_not_in_it() -> None:
    """Of the reports that the gateway lists, those not added are named."""
    reports = _Reports()
    reports.add(ALPHA, _result(["one"]))

    listed = [_message(ALPHA, 1), _message(BETA, 7)]

    assert [_message(BETA, 7)] == reports.board.missing(listed)


def test_a_board_prints_and_travels_as_plain_data() -> None:
    """Rows for a table, and the same as data for JSON."""
    reports = _Reports()
    reports.add(ALPHA, _result(["one"]), _result(["disk"], kind=DATA, sizes=[5]))
    reports.add(BETA, _result(["cash"], kind=ASSET, values=[("3", "EUR")]))
    board = reports.board

    data = json.loads(json.dumps(board.to_dict()))

    assert [
        ["result", "total", ALPHA, BETA],
        ["arrests", "1", "1", "0"],
        ["data secured", "1", "1", "0"],
        ["assets seized", "1", "0", "1"],
        ["data secured, bytes", "5", "5", "0"],
        ["assets seized, EUR", "3", "0", "3"],
    ] == board.table()
    assert (2, "ARREST", {"total": 5, "members": {ALPHA: 5, BETA: 0}}) == (
        data["reports"],
        data["results"][0]["kind"],
        data["data_bytes"],
    )
    assert {"total": {"EUR": "3"}, "members": {ALPHA: {}, BETA: {"EUR": "3"}}} == data[
        "asset_values"
    ]


def test_an_empty_board_has_a_heading() -> None:
    """Without reports there is nothing but the heading."""
    assert [["result", "total"]] == Board().table()


def test_every_kind_has_a_label() -> None:
    """A new kind of result can't be left off the board."""
    kinds = set(operation_pb2.ResultKind.values()) - {operation_pb2.RESULT_KIND_UNSPECIFIED}

    assert kinds == set(LABELS)
