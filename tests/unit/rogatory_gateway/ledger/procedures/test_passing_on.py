"""What is passed on, consented to, taken back: followed in the ledger from hand to hand."""

from __future__ import annotations

from collections.abc import Sequence

from rogatory import clock
from rogatory.assistance.v1 import consent_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory_gateway.delivery.reader import delivery, inbox_deliveries
from rogatory_gateway.ledger import reading
from rogatory_gateway.ledger.items import MessageItem
from tests.support import records
from tests.support.case import ASKED, ASKING, FOURTH, OTHER, Case, obstacles, outcome, reference
from tests.support.world import HOUR

ONWARD = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
MISSING = procedure_pb2.OBSTACLE_KIND_CONSENT_MISSING
RECALLED = procedure_pb2.OBSTACLE_KIND_RECALLED


def share(case: Case, *to: str) -> MessageItem:
    """Send indicators that may be passed on with consent."""

    def fill(head: envelope_pb2.Header) -> None:
        head.handling.onward_transfer = codes_pb2.ONWARD_TRANSFER_WITH_CONSENT

    return case.enter(
        ASKING,
        *(to or (ASKED,)),
        kind=codes_pb2.KIND_TRANSFER,
        contents=[records.indicators(2)],
        fill=fill,
    )


def consent(
    case: Case,
    original: MessageItem,
    *,
    agencies: Sequence[str] = (),
    hours: int | None = None,
    withdrawal: bool = False,
) -> MessageItem:
    """Let the originator consent, or withdraw."""

    def fill(head: envelope_pb2.Header) -> None:
        subject = head.subject
        subject.message.CopyFrom(reference(original))
        subject.consent_scope = ONWARD
        subject.agencies.extend(agencies)
        subject.withdrawal = withdrawal
        if hours is not None:
            subject.valid_until_time.CopyFrom(clock.to_timestamp(case.now + hours * HOUR))

    return case.enter(ASKING, ASKED, kind=codes_pb2.KIND_CONSENT, fill=fill)


def forward(
    case: Case,
    original: MessageItem,
    to: str = OTHER,
    *,
    sender: str = ASKED,
    consents: Sequence[MessageItem] = (),
) -> MessageItem:
    """Pass a message on with its envelope."""
    opened = original.opened
    content = envelope_pb2.Envelope(
        header=opened.header_bytes, signatures=opened.signatures, parts=opened.parts
    )

    def fill(head: envelope_pb2.Header) -> None:
        head.forwards.append(reference(original))
        head.consents.extend(reference(item) for item in consents)

    return case.enter(
        sender, to, kind=codes_pb2.KIND_TRANSFER, contents=[content, records.context()], fill=fill
    )


def recall(case: Case, original: MessageItem, *to: str) -> MessageItem:
    """Let the originator take a message back."""

    def fill(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))

    return case.enter(
        ASKING, *to, kind=codes_pb2.KIND_RECALL, fill=fill, basis=("base", "Base Art. 3(1)")
    )


def forms(case: Case, agency: str) -> list[list[str]]:
    """Return for each message in an inbox how its parts come; of an absent one, why."""
    with case.connect() as connection:
        found = inbox_deliveries(connection, agency=agency, exercise=False, start=1, limit=50)
    return [_forms(one.envelope) for one in found]


def _forms(data: bytes) -> list[str]:
    return [
        envelope_pb2.AbsenceReason.Name(part.absent.reason).removeprefix("ABSENCE_REASON_")
        if part.HasField("absent")
        else str(part.WhichOneof("form"))
        for part in envelope_pb2.Envelope.FromString(data).parts
    ]


def test_nothing_is_passed_on_without_the_originators_consent(case: Case) -> None:
    """Handling asks for it, so the gateway refuses and says which consent, of whom, is needed."""
    original = share(case)

    refused = forward(case, original)

    decision = outcome(refused).decision
    assert [MISSING] == obstacles(refused)
    assert decision_pb2.GROUND_CONSENT_MISSING == decision.ground
    assert (ONWARD, reference(original)) == (
        decision.obstacles[0].consent_scope,
        decision.obstacles[0].message,
    )


def test_consent_is_what_it_says_and_ends_when_it_says(case: Case) -> None:
    """It holds for the agency named, until its end, and can be withdrawn and given anew."""
    original = share(case)
    given = consent(case, original, agencies=[OTHER], hours=2)

    assert [] == obstacles(forward(case, original, consents=[given]))
    assert [MISSING] == obstacles(forward(case, original, FOURTH, consents=[given]))
    case.after(hours=3)
    assert [MISSING] == obstacles(forward(case, original, consents=[given]))

    anew = consent(case, original)
    assert [] == obstacles(forward(case, original, consents=[anew]))
    consent(case, original, withdrawal=True)
    assert [MISSING] == obstacles(forward(case, original, consents=[anew]))
    last = consent(case, original)
    assert [] == obstacles(forward(case, original, consents=[last]))


def test_consent_of_anybody_else_is_none(case: Case) -> None:
    """Whoever only received a record can't consent to more, not even to itself."""
    original = share(case, ASKED, FOURTH)

    def fill(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))
        head.subject.consent_scope = ONWARD

    claimed = case.enter(FOURTH, ASKED, kind=codes_pb2.KIND_CONSENT, fill=fill)

    assert [MISSING] == obstacles(forward(case, original, consents=[claimed]))


def test_nobody_passes_on_what_it_does_not_hold(case: Case) -> None:
    """To have its bytes is not to have received it."""
    original = share(case)

    stolen = forward(case, original, FOURTH, sender=OTHER)

    assert [procedure_pb2.OBSTACLE_KIND_FORWARD_NOT_HELD] == obstacles(stolen)
    assert decision_pb2.GROUND_REFERENCE_NOT_HELD == outcome(stolen).decision.ground


def test_recall_reaches_the_copies_passed_on(case: Case) -> None:
    """Neither who received it nor who got a copy gets it again; each message says why."""
    original = share(case)
    given = consent(case, original)
    copy = forward(case, original, consents=[given])

    taken_back = recall(case, original, ASKED, OTHER)

    assert [decision_pb2.DISPOSITION_PERMITTED] * 2 == [
        outcome(taken_back, to).decision.disposition for to in (ASKED, OTHER)
    ]
    assert [["RECALLED"], [], []] == forms(case, ASKED)
    assert [["RECALLED", "clear"], []] == forms(case, OTHER)
    with case.connect() as connection:
        found = reading.find_message(
            connection, sender=ASKED, message_id=reference(copy).message_id
        )
        assert found is not None
        assert ["RECALLED", "clear"] == _forms(delivery(connection, found, None).envelope)
        own = reading.find_message(
            connection, sender=ASKING, message_id=reference(original).message_id
        )
        assert own is not None
        assert ["clear"] == _forms(delivery(connection, own, None).envelope)


def test_recalled_record_is_passed_on_no_more(case: Case) -> None:
    """With a consent too: its originator has taken back the record itself."""
    original = share(case)
    given = consent(case, original)
    recall(case, original, ASKED)

    assert [RECALLED] == obstacles(forward(case, original, consents=[given]))


def test_recall_takes_nothing_from_those_it_does_not_name(case: Case) -> None:
    """A record sent to two and recalled from one is still the other's."""
    original = share(case, ASKED, OTHER)

    recall(case, original, ASKED)

    assert [["RECALLED"], []] == forms(case, ASKED)
    assert [["clear"]] == forms(case, OTHER)


def test_nobody_recalls_what_another_sent(case: Case) -> None:
    """Under an agreement that permits every recall it still takes nothing away."""
    original = share(case, ASKED, OTHER)

    def fill(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))

    case.enter(OTHER, ASKED, kind=codes_pb2.KIND_RECALL, fill=fill)

    assert [["clear"], []] == forms(case, ASKED)


def test_consent_that_was_recalled_holds_no_more(case: Case) -> None:
    """To take the message back is to take the consent back."""
    original = share(case)
    given = consent(case, original)
    recall(case, given, ASKED)

    assert [MISSING] == obstacles(forward(case, original, consents=[given]))
