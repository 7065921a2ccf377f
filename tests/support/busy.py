"""A case with a little of every procedure in it."""

from __future__ import annotations

from rogatory import clock
from rogatory.assistance.v1 import consent_pb2, operation_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from tests.support import records
from tests.support.case import ASKED, ASKING, OTHER, Case, reference
from tests.support.world import DAY


def fill(case: Case) -> None:
    """Enter a request with steps, a record passed on and recalled, an operation, an alert."""
    _request(case)
    _record(case)
    _operation(case)


def _request(case: Case) -> None:
    def ask(head: envelope_pb2.Header) -> None:
        head.request.assistance_kind = request_pb2.ASSISTANCE_KIND_INFORMATION

    asked = case.enter(ASKING, ASKED, OTHER, kind=codes_pb2.KIND_REQUEST, fill=ask)

    def accept(head: envelope_pb2.Header) -> None:
        head.update.request.CopyFrom(reference(asked))
        head.update.step = request_pb2.REQUEST_STEP_ACCEPT

    case.after(hours=5)
    case.enter(ASKED, ASKING, kind=codes_pb2.KIND_UPDATE, fill=accept)

    def execute(head: envelope_pb2.Header) -> None:
        head.update.request.CopyFrom(reference(asked))
        head.update.step = request_pb2.REQUEST_STEP_EXECUTE

    case.after(days=9)
    case.enter(ASKED, ASKING, kind=codes_pb2.KIND_UPDATE, fill=execute)


def _record(case: Case) -> None:
    def share(head: envelope_pb2.Header) -> None:
        head.handling.onward_transfer = codes_pb2.ONWARD_TRANSFER_WITH_CONSENT

    original = case.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_TRANSFER, contents=[records.indicators(2)], fill=share
    )

    def consent(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))
        head.subject.consent_scope = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER

    given = case.enter(ASKING, ASKED, kind=codes_pb2.KIND_CONSENT, fill=consent)

    def forward(head: envelope_pb2.Header) -> None:
        head.forwards.append(reference(original))
        head.consents.append(reference(given))

    opened = original.opened
    content = envelope_pb2.Envelope(
        header=opened.header_bytes, signatures=opened.signatures, parts=opened.parts
    )
    case.enter(ASKED, OTHER, kind=codes_pb2.KIND_TRANSFER, contents=[content], fill=forward)

    def recall(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))

    base = ("base", "Base Art. 3(1)")
    taken_back = case.enter(
        ASKING, ASKED, OTHER, kind=codes_pb2.KIND_RECALL, fill=recall, basis=base
    )

    def confirm(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(taken_back))
        head.subject.confirmation = True

    base = ("base", "Base Art. 3(2)")
    case.enter(OTHER, ASKING, kind=codes_pb2.KIND_RECALL, fill=confirm, basis=base)

    def withdraw(head: envelope_pb2.Header) -> None:
        consent(head)
        head.subject.withdrawal = True

    case.enter(ASKING, ASKED, kind=codes_pb2.KIND_CONSENT, fill=withdraw)


def _operation(case: Case) -> None:
    kind = operation_pb2.CONTRIBUTION_KIND_INDICATORS
    terms = envelope_pb2.MemberTerms(agency=ASKED, contributes=[kind], receives=[kind])

    def found(head: envelope_pb2.Header) -> None:
        step = head.operation_step
        step.step = envelope_pb2.OPERATION_STEP_FOUND
        step.members.append(ASKED)
        step.terms.append(terms)
        step.valid_until_time.CopyFrom(clock.to_timestamp(case.now + DAY))

    founding = case.enter(ASKING, ASKED, kind=codes_pb2.KIND_OPERATION, fill=found)

    def join(head: envelope_pb2.Header) -> None:
        head.operation.CopyFrom(reference(founding))
        head.operation_step.step = envelope_pb2.OPERATION_STEP_JOIN
        head.operation_step.terms.append(terms)

    case.enter(ASKED, ASKING, kind=codes_pb2.KIND_OPERATION, fill=join)
    alert = case.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_ALERT, fill=lambda head: head.alert.SetInParent()
    )

    def hit(head: envelope_pb2.Header) -> None:
        head.alert.hit_of.CopyFrom(reference(alert))

    case.enter(ASKED, ASKING, kind=codes_pb2.KIND_ALERT, fill=hit)
