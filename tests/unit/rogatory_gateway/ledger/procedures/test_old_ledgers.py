"""Ledgers of versions that followed no procedures, and stopped no step of one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Connection, delete, select

from rogatory import clock
from rogatory.assistance.v1 import request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory_gateway.ledger import deciding, entering, tables
from rogatory_gateway.ledger.items import MessageItem
from rogatory_gateway.ledger.procedures.rebuilding import rebuild
from rogatory_gateway.operator.fsck import Fault, Report, check_ledger
from rogatory_gateway.operator.fsck.procedures import FOLLOWED
from tests.support import records
from tests.support.case import ASKED, ASKING, OTHER, Case, obstacles, reference
from tests.support.world import HOUR, ORIGIN


@pytest.fixture
def old(case: Case, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A ledger as the version before would go on with it: it looked at no standing at all."""
    monkeypatch.setattr(deciding, "is_procedural", lambda _header: False)
    monkeypatch.setattr(entering, "is_followed", lambda _header: False)
    return case


@pytest.fixture
def connection(case: Case) -> Iterator[Connection]:
    """A connection to its ledger."""
    with case.connect() as made:
        yield made


def operation(
    case: Case, sender: str, to: str, step: envelope_pb2.OperationStep.ValueType, of: MessageItem
) -> MessageItem:
    """Enter a step of the operation that a message is said to have founded."""

    def fill(head: envelope_pb2.Header) -> None:
        head.operation.CopyFrom(reference(of))
        head.operation_step.step = step

    return case.enter(sender, to, kind=codes_pb2.KIND_OPERATION, fill=fill)


def request(case: Case) -> MessageItem:
    """Enter a request."""

    def fill(head: envelope_pb2.Header) -> None:
        head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION

    return case.enter(ASKING, ASKED, kind=codes_pb2.KIND_REQUEST, fill=fill)


def made_anew(connection: Connection) -> None:
    """Make the tables from the entries."""
    for table in FOLLOWED:
        connection.execute(delete(table))
    rebuild(connection)


def test_step_of_an_operation_that_nobody_founded_is_passed_over(
    old: Case, connection: Connection
) -> None:
    """It was admitted, and must not keep the gateway from starting."""
    record = old.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_TRANSFER, contents=[records.indicators(1)]
    )
    operation(old, ASKED, ASKING, envelope_pb2.OPERATION_STEP_JOIN, record)

    made_anew(connection)

    assert [] == connection.execute(select(tables.operations)).all()


@pytest.mark.parametrize("until", [Timestamp(seconds=-62_135_596_800), Timestamp(seconds=1 << 37)])
def test_operation_that_ends_beyond_what_a_table_holds(
    old: Case, connection: Connection, until: Timestamp
) -> None:
    """The years 1 and 6325 were admitted both."""

    def fill(head: envelope_pb2.Header) -> None:
        head.operation_step.step = envelope_pb2.OPERATION_STEP_FOUND
        head.operation_step.valid_until_time.CopyFrom(until)

    old.enter(ASKING, ASKED, kind=codes_pb2.KIND_OPERATION, fill=fill)

    made_anew(connection)

    stored = connection.execute(select(tables.operations.c.valid_until)).scalar_one()
    assert (until.seconds > 0) == (stored > 0)


def test_message_named_twice_is_passed_on_once(
    old: Case, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version did not compare what a header names with the parts."""
    record = old.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_TRANSFER, contents=[records.indicators(1)]
    )
    monkeypatch.setattr("rogatory.particulars.check", lambda _header, _contents: None)
    old.enter(
        ASKED,
        OTHER,
        kind=codes_pb2.KIND_TRANSFER,
        contents=[records.indicators(1)],
        fill=lambda head: head.forwards.extend([reference(record)] * 2),
    )

    made_anew(connection)

    assert [OTHER, ASKED] == sorted(
        connection.execute(select(tables.copies.c.agency)).scalars(), reverse=True
    )


def test_alert_taken_back_by_a_stranger_goes_on(
    old: Case, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its issuer takes it back; that others could say so means nothing."""
    alert = old.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_ALERT, fill=lambda head: head.alert.SetInParent()
    )

    def hit(head: envelope_pb2.Header) -> None:
        head.alert.hit_of.CopyFrom(reference(alert))

    def withdraw(head: envelope_pb2.Header) -> None:
        hit(head)
        head.alert.withdrawal = True

    old.enter(OTHER, ASKED, kind=codes_pb2.KIND_ALERT, fill=withdraw)
    made_anew(connection)
    connection.commit()
    monkeypatch.undo()

    assert [] == obstacles(old.enter(ASKED, ASKING, kind=codes_pb2.KIND_ALERT, fill=hit))


def test_answer_to_no_question_leaves_the_request_as_it_was(
    old: Case, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request in no state at all could never be answered."""
    asked = request(old)

    def step(number: request_pb2.RequestStep.ValueType, sender: str, to: str) -> MessageItem:
        def fill(head: envelope_pb2.Header) -> None:
            head.update.request.CopyFrom(reference(asked))
            head.update.step = number

        return old.enter(sender, to, kind=codes_pb2.KIND_UPDATE, fill=fill)

    step(request_pb2.REQUEST_STEP_CLARIFY, ASKING, ASKED)
    made_anew(connection)
    connection.commit()
    monkeypatch.undo()

    assert [] == obstacles(step(request_pb2.REQUEST_STEP_ACCEPT, ASKED, ASKING))


def test_oral_request_that_was_admitted_late_still_verifies(old: Case) -> None:
    """It was decided before there was a term; decided again it comes out the same."""

    def fill(head: envelope_pb2.Header) -> None:
        head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_PRESERVATION
        head.request.oral_request_time.CopyFrom(clock.to_timestamp(old.now - 48 * HOUR))

    old.enter(ASKING, ASKED, kind=codes_pb2.KIND_REQUEST, fill=fill)
    report = Report(origin=ORIGIN)

    with old.connect() as connection:
        made_anew(connection)
        check_ledger(connection, report=report, progress=lambda _done, _size: None)

    assert Fault.DECISION not in report.faults
