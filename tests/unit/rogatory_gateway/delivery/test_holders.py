"""Who holds a record, and who has confirmed its recall, on a ledger whose clock the test sets."""

from __future__ import annotations

from rogatory import clock
from rogatory.assistance.v1 import consent_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_service_pb2
from rogatory_gateway.delivery.holders import list_holders
from rogatory_gateway.ledger.items import MessageItem
from tests.support import records
from tests.support.case import ASKED, ASKING, FOURTH, OTHER, Case, reference

RECALL, CORRECTION = codes_pb2.KIND_RECALL, codes_pb2.KIND_CORRECTION
ARTICLES = {RECALL: "Base Art. 3", CORRECTION: "Base Art. 4"}


def share(case: Case, *to: str) -> MessageItem:
    """Send indicators that may be passed on with consent."""

    def fill(head: envelope_pb2.Header) -> None:
        head.handling.onward_transfer = codes_pb2.ONWARD_TRANSFER_WITH_CONSENT

    contents = [records.indicators(2)]
    return case.enter(ASKING, *to, kind=codes_pb2.KIND_TRANSFER, contents=contents, fill=fill)


def forward(case: Case, original: MessageItem, sender: str, *to: str) -> MessageItem:
    """Pass a message on, with the originator's consent."""

    def consent(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))
        head.subject.consent_scope = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER

    given = case.enter(ASKING, sender, kind=codes_pb2.KIND_CONSENT, fill=consent)
    opened = original.opened
    content = envelope_pb2.Envelope(
        header=opened.header_bytes, signatures=opened.signatures, parts=opened.parts
    )

    def fill(head: envelope_pb2.Header) -> None:
        head.forwards.append(reference(original))
        head.consents.append(reference(given))

    return case.enter(sender, *to, kind=codes_pb2.KIND_TRANSFER, contents=[content], fill=fill)


def say(
    case: Case,
    subject: MessageItem,
    *to: str,
    kind: codes_pb2.Kind.ValueType = RECALL,
    sender: str = ASKING,
    confirmation: bool = False,
) -> MessageItem:
    """Recall or correct a message, or confirm that."""

    def fill(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(subject))
        head.subject.confirmation = confirmation

    basis = ("base", f"{ARTICLES[kind]}({2 if confirmation else 1})")
    return case.enter(sender, *to, kind=kind, fill=fill, basis=basis)


def held(case: Case, message: MessageItem) -> list[procedure_service_pb2.Holder]:
    """Return who holds a message."""
    with case.connect() as connection:
        return list_holders(connection, message.index, sender=ASKING, now=case.now)


def test_recipients_and_whom_they_passed_it_on_to(case: Case) -> None:
    """Each agency stands once, with the message by which it got the records first."""
    original = share(case, ASKED)
    entered = case.now
    case.after(hours=1)
    copy = forward(case, original, ASKED, OTHER)
    case.after(hours=1)
    forward(case, original, OTHER, FOURTH, ASKED)

    found = held(case, original)

    assert [ASKED, OTHER, FOURTH] == [one.agency for one in found]
    assert [reference(original), reference(copy)] == [one.received_by for one in found[:2]]
    assert entered == clock.to_nanoseconds(found[0].entry_time)
    assert [False] * 3 == [one.delivered for one in found]


def test_who_has_not_confirmed_and_for_how_long(case: Case) -> None:
    """A recall reaches holders of copies too; who confirmed it is told from who did not."""
    original = share(case, ASKED)
    forward(case, original, ASKED, OTHER)
    recall = say(case, original, ASKED, OTHER)
    recalled = case.now
    case.after(days=1)
    confirmation = say(case, recall, ASKING, sender=ASKED, confirmation=True)
    case.after(days=1, hours=23)

    first, second = held(case, original)

    assert [recalled] == [clock.to_nanoseconds(one.entry_time) for one in first.notices]
    assert [(reference(recall), RECALL)] == [(one.message, one.kind) for one in first.notices]
    assert reference(confirmation) == first.notices[0].confirmation
    assert 0 == first.notices[0].days_waiting
    assert recalled + clock.NANOSECONDS_PER_DAY == clock.to_nanoseconds(
        first.notices[0].confirm_time
    )
    assert not second.notices[0].HasField("confirmation")
    assert 2 == second.notices[0].days_waiting


def test_confirmation_counts_where_it_is_awaited(case: Case) -> None:
    """Told to another agency than the one that recalled, it confirms nothing."""
    original = share(case, ASKED)
    recall = say(case, original, ASKED)

    def fill(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(recall))
        head.subject.confirmation = True

    case.enter(ASKED, OTHER, kind=RECALL, fill=fill)

    (holder,) = held(case, original)

    assert [False] == [notice.HasField("confirmation") for notice in holder.notices]


def test_notices_in_order(case: Case) -> None:
    """Corrections and recalls stand in order of entry, each with those it was sent to."""
    original = share(case, ASKED, OTHER)
    correction = say(case, original, ASKED, OTHER, kind=CORRECTION)
    recall = say(case, original, OTHER)

    first, second = held(case, original)

    assert [reference(correction)] == [one.message for one in first.notices]
    assert [
        (reference(correction), CORRECTION),
        (reference(recall), RECALL),
    ] == [(one.message, one.kind) for one in second.notices]


def test_message_that_nobody_got(case: Case) -> None:
    """A message that was refused for all is held by none."""
    refused = case.enter(
        ASKING,
        ASKED,
        kind=codes_pb2.KIND_TRANSFER,
        contents=[records.indicators(1)],
        basis=("pact", "Art. 9"),
    )

    assert [] == held(case, refused)
