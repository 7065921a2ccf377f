"""Joint operations and alerts in the ledger: membership as it is at entry."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from rogatory import clock
from rogatory.assistance.v1 import consent_pb2, operation_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.items import MessageItem
from tests.support import records
from tests.support.case import ASKED, ASKING, FOURTH, OTHER, Case, obstacles, outcome, reference
from tests.support.world import DAY, HOUR

OperationStep = envelope_pb2.OperationStep
INDICATORS = operation_pb2.CONTRIBUTION_KIND_INDICATORS
MEMBER = procedure_pb2.MEMBER_STATE_MEMBER
NOT_MEMBER = procedure_pb2.OBSTACLE_KIND_NOT_MEMBER


def terms(agency: str) -> envelope_pb2.MemberTerms:
    """Return the part of a member that contributes and receives indicators."""
    return envelope_pb2.MemberTerms(agency=agency, contributes=[INDICATORS], receives=[INDICATORS])


def found(case: Case, *members: str) -> MessageItem:
    """Found an operation for a week."""

    def fill(head: envelope_pb2.Header) -> None:
        step = head.operation_step
        step.step = OperationStep.OPERATION_STEP_FOUND
        step.members.extend(members)
        step.terms.extend(map(terms, members))
        step.valid_until_time.CopyFrom(clock.to_timestamp(case.now + 7 * DAY))

    return case.enter(ASKING, *members, kind=codes_pb2.KIND_OPERATION, fill=fill)


def step(
    case: Case,
    operation: MessageItem,
    taken: envelope_pb2.OperationStep.ValueType,
    *,
    sender: str,
    to: str = ASKING,
    members: Sequence[str] = (),
) -> MessageItem:
    """Take a step of an operation."""

    def fill(head: envelope_pb2.Header) -> None:
        head.operation.CopyFrom(reference(operation))
        head.operation_step.step = taken
        head.operation_step.members.extend(members)
        named = members or ([sender] if taken == OperationStep.OPERATION_STEP_JOIN else [])
        head.operation_step.terms.extend(map(terms, named))

    return case.enter(sender, to, kind=codes_pb2.KIND_OPERATION, fill=fill)


def send(
    case: Case, operation: MessageItem, sender: str, *to: str, person: bool = False
) -> MessageItem:
    """Send indicators, or a person, within an operation."""

    def fill(head: envelope_pb2.Header) -> None:
        head.operation.CopyFrom(reference(operation))

    content = records.persons() if person else records.indicators(1)
    return case.enter(sender, *to, kind=codes_pb2.KIND_TRANSFER, contents=[content], fill=fill)


def test_member_is_who_has_joined_and_not_left(case: Case) -> None:
    """Invitation alone is none; what is sent within the operation reaches its members now."""
    operation = found(case, ASKED, OTHER)
    step(case, operation, OperationStep.OPERATION_STEP_JOIN, sender=ASKED)

    sent = send(case, operation, ASKING, ASKED, OTHER, FOURTH)

    assert [] == obstacles(sent, ASKED)
    assert [NOT_MEMBER] == obstacles(sent, OTHER)
    assert [NOT_MEMBER] == obstacles(sent, FOURTH)
    assert decision_pb2.GROUND_NOT_IN_OPERATION == outcome(sent, OTHER).decision.ground
    step(case, operation, OperationStep.OPERATION_STEP_LEAVE, sender=ASKED)
    assert [NOT_MEMBER] == obstacles(send(case, operation, ASKING, ASKED))


def test_member_contributes_what_its_terms_name(case: Case) -> None:
    """Indicators, and no persons, whatever the agreement permits outside the operation."""
    operation = found(case, ASKED)
    step(case, operation, OperationStep.OPERATION_STEP_JOIN, sender=ASKED)

    sent = send(case, operation, ASKED, ASKING, person=True)

    assert [procedure_pb2.OBSTACLE_KIND_MAY_NOT_CONTRIBUTE] == obstacles(sent)
    assert [] == obstacles(send(case, operation, ASKED, ASKING))


def test_only_the_lead_invites_and_closes(case: Case) -> None:
    """A member that tries is told so; after the close nothing goes within the operation."""
    operation = found(case, ASKED)
    step(case, operation, OperationStep.OPERATION_STEP_JOIN, sender=ASKED)

    by_member = step(
        case,
        operation,
        OperationStep.OPERATION_STEP_INVITE,
        sender=ASKED,
        to=OTHER,
        members=[OTHER],
    )
    step(case, operation, OperationStep.OPERATION_STEP_CLOSE, sender=ASKING, to=ASKED)

    assert procedure_pb2.OBSTACLE_KIND_NOT_LEAD in obstacles(by_member)
    assert [procedure_pb2.OBSTACLE_KIND_OPERATION_ENDED] == obstacles(
        send(case, operation, ASKED, ASKING)
    )


def test_who_was_not_reached_was_not_invited(case: Case) -> None:
    """Members that the founding names and that no agreement lets it reach are left out."""

    def fill(head: envelope_pb2.Header) -> None:
        head.operation_step.step = OperationStep.OPERATION_STEP_FOUND
        head.operation_step.members.extend([ASKED, OTHER])
        head.operation_step.terms.extend([terms(ASKED), terms(OTHER)])
        head.operation_step.valid_until_time.CopyFrom(clock.to_timestamp(case.now + DAY))
        head.recipients[1].agreement_id = "no-such"

    case.enter(ASKING, ASKED, OTHER, kind=codes_pb2.KIND_OPERATION, fill=fill)

    with case.connect() as connection:
        members = connection.execute(
            select(tables.operation_members.c.agency).order_by(tables.operation_members.c.number)
        ).scalars()
        assert [ASKING, ASKED] == list(members)


def test_operation_is_unknown_to_strangers(case: Case) -> None:
    """Whoever was never invited learns nothing of it, not even that it is there."""
    operation = found(case, ASKED)

    alien = step(case, operation, OperationStep.OPERATION_STEP_JOIN, sender=FOURTH)

    assert [procedure_pb2.OBSTACLE_KIND_OPERATION_UNKNOWN] == obstacles(alien)


def alert(case: Case, *, hours: int = 24) -> MessageItem:
    """Issue an alert."""

    def fill(head: envelope_pb2.Header) -> None:
        head.alert.valid_until_time.CopyFrom(clock.to_timestamp(case.now + hours * HOUR))

    return case.enter(ASKING, ASKED, kind=codes_pb2.KIND_ALERT, fill=fill)


def about(case: Case, issued: MessageItem, sender: str, to: str, *, withdrawal: bool) -> list[int]:
    """Report a hit of an alert, or take it back; return what stood in its way."""

    def fill(head: envelope_pb2.Header) -> None:
        head.alert.hit_of.CopyFrom(reference(issued))
        head.alert.withdrawal = withdrawal

    return obstacles(case.enter(sender, to, kind=codes_pb2.KIND_ALERT, fill=fill))


def test_hit_goes_to_the_issuer_while_the_alert_runs(case: Case) -> None:
    """From who received it, until its end; nobody else answers it."""
    issued = alert(case, hours=2)

    assert [] == about(case, issued, ASKED, ASKING, withdrawal=False)
    assert [procedure_pb2.OBSTACLE_KIND_ALERT_UNKNOWN] == about(
        case, issued, OTHER, ASKING, withdrawal=False
    )
    case.after(hours=3)
    assert [procedure_pb2.OBSTACLE_KIND_ALERT_ENDED] == about(
        case, issued, ASKED, ASKING, withdrawal=False
    )


def test_withdrawn_alert_has_no_hits(case: Case) -> None:
    """Its issuer took it back."""
    issued = alert(case)
    about(case, issued, ASKING, ASKED, withdrawal=True)

    assert [procedure_pb2.OBSTACLE_KIND_ALERT_ENDED] == about(
        case, issued, ASKED, ASKING, withdrawal=False
    )


def test_alert_outlives_a_consent_about_it(case: Case) -> None:
    """A consent to pass it on that is withdrawn again does not take the alert back."""
    issued = alert(case)
    for withdrawal in (False, True):

        def fill(head: envelope_pb2.Header, *, withdrawn: bool = withdrawal) -> None:
            head.subject.message.CopyFrom(reference(issued))
            head.subject.consent_scope = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
            head.subject.withdrawal = withdrawn

        case.enter(ASKING, ASKED, kind=codes_pb2.KIND_CONSENT, fill=fill)

    assert [] == about(case, issued, ASKED, ASKING, withdrawal=False)


def test_recalled_alert_has_no_hits(case: Case) -> None:
    """Whoever takes the message back no longer wants to be told."""
    issued = alert(case)

    def fill(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(issued))

    base = ("base", "Base Art. 3(1)")
    case.enter(ASKING, ASKED, kind=codes_pb2.KIND_RECALL, fill=fill, basis=base)

    assert [procedure_pb2.OBSTACLE_KIND_ALERT_ENDED] == about(
        case, issued, ASKED, ASKING, withdrawal=False
    )
