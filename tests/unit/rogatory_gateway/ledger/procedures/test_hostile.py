"""What an enrolled partner may try: it alone is answered, and nobody else waits or loses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from rogatory.assistance.v1 import consent_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory_gateway.ledger import entering
from rogatory_gateway.ledger.items import MessageItem
from tests.support import records
from tests.support.case import ASKED, ASKING, FOURTH, OTHER, Case, obstacles, reference

BASE = ("base", "Base Art. 3(1)")


def share(case: Case) -> MessageItem:
    """Send indicators that may be passed on."""

    def fill(head: envelope_pb2.Header) -> None:
        head.handling.onward_transfer = codes_pb2.ONWARD_TRANSFER_ALLOWED

    return case.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_TRANSFER, contents=[records.indicators(1)], fill=fill
    )


def received(original: MessageItem) -> envelope_pb2.Envelope:
    """Return the envelope as it came."""
    opened = original.opened
    return envelope_pb2.Envelope(
        header=opened.header_bytes, signatures=opened.signatures, parts=opened.parts
    )


def resigned(original: MessageItem) -> envelope_pb2.Envelope:
    """Return the envelope with another signature than its originator's."""
    made = envelope_pb2.Envelope(header=original.opened.header_bytes, parts=original.opened.parts)
    made.signatures.add(key=bytes(32), value=bytes(64))
    return made


def passing_on(
    case: Case,
    content: envelope_pb2.Envelope,
    original: MessageItem,
    *to: str,
    sender: str = ASKED,
) -> MessageItem:
    """Return a message, not entered yet, with an envelope that is said to be an original's."""
    return case.item(
        sender,
        *(to or (OTHER, FOURTH)),
        kind=codes_pb2.KIND_TRANSFER,
        contents=[content],
        fill=lambda head: head.forwards.append(reference(original)),
    )


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that are run meanwhile."""
    statements: list[str] = []

    def collect(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", collect)
    yield statements
    event.remove(engine, "before_cursor_execute", collect)


def cost_of_use(case: Case, *, copies: int) -> tuple[int, int]:
    """Return what a refused copy and a recall cost in statements, after so many copies."""
    original = share(case)
    content = received(original)
    case.ledger.append([passing_on(case, content, original, OTHER) for _ in range(copies)])
    stranger = passing_on(case, content, original, OTHER, sender=FOURTH)
    with counted(case.engine) as refused:
        case.ledger.append([stranger])
    with counted(case.engine) as recalled:
        case.enter(
            ASKING,
            ASKED,
            OTHER,
            FOURTH,
            kind=codes_pb2.KIND_RECALL,
            fill=lambda head: head.subject.message.CopyFrom(reference(original)),
            basis=BASE,
        )
    return len(refused), len(recalled)


def test_record_passed_on_often_costs_no_more(case: Case) -> None:
    """Else whoever passes its own record on a thousand times keeps everybody waiting."""
    assert cost_of_use(case, copies=2) == cost_of_use(case, copies=40)


def test_what_is_passed_on_is_looked_up_once_for_all_recipients(case: Case) -> None:
    """How it stands is the same towards each."""
    original = share(case)
    item = passing_on(case, received(original), original)

    with counted(case.engine) as statements:
        case.ledger.append([item])

    assert [[], []] == [obstacles(item, to) for to in (OTHER, FOURTH)]
    assert 1 == sum("FROM outcomes" in one for one in statements)


def test_copy_with_other_signatures_is_rejected_alone(case: Case) -> None:
    """The originator's signatures are what its recipient trusts; a forwarder can't drop them."""
    original = share(case)
    altered = passing_on(case, resigned(original), original)
    whole = passing_on(case, received(original), original)

    case.ledger.append([altered, whole])

    assert altered.error is not None
    assert "SIGNATURE_INVALID" == altered.error.reason
    assert [] == altered.outcomes
    assert [] == obstacles(whole, OTHER)


def test_stranger_learns_nothing_of_an_originals_signatures(case: Case) -> None:
    """Who does not hold it hears that, whatever it sends as a copy."""
    original = share(case)
    item = passing_on(case, resigned(original), original, OTHER, sender=FOURTH)

    case.ledger.append([item])

    assert item.error is None
    assert [procedure_pb2.OBSTACLE_KIND_FORWARD_NOT_HELD] == obstacles(item, OTHER)


@pytest.mark.parametrize("limit", ["MAX_OUTCOME_BYTES", "MAX_OUTCOMES_BYTES"])
def test_outcome_that_is_too_long_rejects_its_message_alone(
    case: Case, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """What nobody could open is not committed to, and the group goes on."""
    original = share(case)

    def consent(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(original))
        head.subject.consent_scope = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
        head.subject.agencies.extend(f"nl.{number:060}" for number in range(60))

    given = [case.enter(ASKING, ASKED, kind=codes_pb2.KIND_CONSENT, fill=consent) for _ in range(2)]
    short, long = (passing_on(case, received(original), original) for _ in range(2))
    long.opened.header.consents.extend(reference(item) for item in given)
    monkeypatch.setattr(entering, limit, 6000)

    case.ledger.append([long, short])

    assert long.error is not None
    assert "TOO_LARGE" == long.error.reason
    assert [] == long.outcomes
    assert [] == obstacles(short, OTHER)


def test_withdrawing_a_consent_leaves_the_alert_that_it_was_about(case: Case) -> None:
    """To use an alert further and to watch for it are two things."""
    alert = case.enter(
        ASKING, ASKED, kind=codes_pb2.KIND_ALERT, fill=lambda head: head.alert.SetInParent()
    )

    def withdraw(head: envelope_pb2.Header) -> None:
        head.subject.message.CopyFrom(reference(alert))
        head.subject.consent_scope = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
        head.subject.withdrawal = True

    case.enter(ASKING, ASKED, kind=codes_pb2.KIND_CONSENT, fill=withdraw)

    def hit(head: envelope_pb2.Header) -> None:
        head.alert.hit_of.CopyFrom(reference(alert))

    found = case.enter(ASKED, ASKING, kind=codes_pb2.KIND_ALERT, fill=hit)

    assert decision_pb2.DISPOSITION_REFUSED not in {row.disposition for row in found.outcomes}
