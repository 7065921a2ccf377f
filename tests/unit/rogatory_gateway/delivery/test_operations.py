"""Joint operations as their members look at them, on a ledger whose clock the test sets."""

from __future__ import annotations

from rogatory import clock
from rogatory.assistance.v1 import operation_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2, procedure_service_pb2
from rogatory_gateway.delivery.operations import get_operation, list_operations
from rogatory_gateway.ledger.items import MessageItem
from tests.support.case import ASKED, ASKING, FOURTH, OTHER, Case, reference
from tests.support.world import DAY

INDICATORS = operation_pb2.CONTRIBUTION_KIND_INDICATORS


def terms(agency: str) -> envelope_pb2.MemberTerms:
    """Return the part of a member that contributes and receives indicators."""
    return envelope_pb2.MemberTerms(agency=agency, contributes=[INDICATORS], receives=[INDICATORS])


def found(case: Case, *members: str, days: int = 7, exercise: bool = False) -> MessageItem:
    """Found an operation."""

    def fill(head: envelope_pb2.Header) -> None:
        head.exercise = exercise
        step = head.operation_step
        step.step = envelope_pb2.OPERATION_STEP_FOUND
        step.members.extend(members)
        step.terms.extend(map(terms, members))
        step.valid_until_time.CopyFrom(clock.to_timestamp(case.now + days * DAY))

    return case.enter(ASKING, *members, kind=codes_pb2.KIND_OPERATION, fill=fill)


def take(
    case: Case,
    operation: MessageItem,
    step: envelope_pb2.OperationStep.ValueType,
    *,
    sender: str,
    to: str = ASKING,
) -> MessageItem:
    """Take a step of an operation."""

    def fill(head: envelope_pb2.Header) -> None:
        head.operation.CopyFrom(reference(operation))
        head.operation_step.step = step
        if step == envelope_pb2.OPERATION_STEP_JOIN:
            head.operation_step.terms.append(terms(sender))

    return case.enter(sender, to, kind=codes_pb2.KIND_OPERATION, fill=fill)


def listed(
    case: Case, agency: str, *, ended: bool = False, exercise: bool = False
) -> list[procedure_service_pb2.Operation]:
    """Return an agency's operations, fetched two at a time."""
    request = procedure_service_pb2.ListOperationsRequest(ended=ended, exercise=exercise)
    found: list[procedure_service_pb2.Operation] = []
    last: int | None = -1
    with case.connect() as connection:
        while last is not None:
            page, last = list_operations(
                connection, request, agency=agency, after=last, limit=2, now=case.now
            )
            found += page
    return found


def got(case: Case, operation: MessageItem, agency: str) -> procedure_service_pb2.Operation | None:
    """Return an operation as an agency sees it."""
    with case.connect() as connection:
        return get_operation(connection, operation.index, agency=agency)


def test_members_and_reports(case: Case) -> None:
    """An operation is shown with its members as they are now, and every report entered."""
    operation = found(case, ASKED, OTHER)
    founded = case.now
    case.after(hours=1)
    take(case, operation, envelope_pb2.OPERATION_STEP_JOIN, sender=ASKED)
    report = take(case, operation, envelope_pb2.OPERATION_STEP_REPORT, sender=ASKED)

    shown = got(case, operation, ASKED)

    assert shown is not None
    assert (reference(operation), ASKING, False) == (shown.founding, shown.lead, shown.closed)
    assert (founded, founded + 7 * DAY) == (
        clock.to_nanoseconds(shown.entry_time),
        clock.to_nanoseconds(shown.valid_until_time),
    )
    assert [
        (ASKING, procedure_pb2.MEMBER_STATE_LEAD),
        (ASKED, procedure_pb2.MEMBER_STATE_MEMBER),
        (OTHER, procedure_pb2.MEMBER_STATE_INVITED),
    ] == [(member.agency, member.state) for member in shown.members]
    assert [reference(report)] == shown.reports


def test_who_was_never_invited_sees_nothing(case: Case) -> None:
    """An operation is known to its lead and to whom it ever invited."""
    operation = found(case, ASKED)
    take(case, operation, envelope_pb2.OPERATION_STEP_JOIN, sender=ASKED)
    take(case, operation, envelope_pb2.OPERATION_STEP_LEAVE, sender=ASKED)

    assert got(case, operation, ASKED) == got(case, operation, ASKING)
    assert got(case, operation, FOURTH) is None
    assert [] == listed(case, FOURTH)


def test_what_has_ended(case: Case) -> None:
    """Operations that were closed, or have run out, are shown when wanted; training apart."""
    closed, short, long = found(case, ASKED), found(case, ASKED, days=1), found(case, ASKED)
    drill = found(case, ASKED, exercise=True)
    take(case, closed, envelope_pb2.OPERATION_STEP_CLOSE, sender=ASKING, to=ASKED)
    case.after(days=2)

    def founding(operations: list[procedure_service_pb2.Operation]) -> list[object]:
        return [one.founding for one in operations]

    assert [reference(long)] == founding(listed(case, ASKED))
    assert [reference(one) for one in (closed, short, long)] == founding(
        listed(case, ASKED, ended=True)
    )
    assert [reference(drill)] == founding(listed(case, ASKED, exercise=True))
