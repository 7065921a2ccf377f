"""Messages from sender to recipients and back: outcomes, parts withheld, receipts, retries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rogatory import envelopes
from rogatory.audit.v1 import audit_service_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, exchange_service_pb2
from rogatory.receipts import Receipt
from rogatory.records.v1 import common_pb2
from rogatory.verification import verify_delivery
from tests.support import records
from tests.support.house import ALPHA, BETA, GAMMA, OFFICER, House
from tests.support.verifying import policy_of
from tests.support.wire import (
    Wire,
    dispositions,
    fault_in,
    header_of,
    outcomes,
    receipt_file,
    rows_of,
)
from tests.support.world import ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

xs = exchange_service_pb2
PERMITTED, WITHHELD, REFUSED = (
    decision_pb2.DISPOSITION_PERMITTED,
    decision_pb2.DISPOSITION_WITHHELD,
    decision_pb2.DISPOSITION_REFUSED,
)
HEALTH = common_pb2.FIELD_GROUP_HEALTH
ABSENT_ID = "01920000-0000-7000-8000-000000000000"


def to_both(house: House, *, exercise: bool = False) -> bytes:
    """A person with a health note and an indicator, to two agencies under two agreements."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 4"), (GAMMA, "alpha-gamma", "Art. 1"))
    head.exercise = exercise
    return envelope(
        house.agency(ALPHA),
        head,
        records.persons(records.person(groups=[HEALTH])),
        records.indicators(),
    )


def forms(delivered: bytes) -> list[str | None]:
    """Return the form in which each part came."""
    parts = envelope_pb2.Envelope.FromString(delivered).parts
    return [part.WhichOneof("form") for part in parts]


async def latest(wire: Wire, *, exercise: bool = False) -> exchange_service_pb2.Delivery:
    """Return the last message of an inbox."""
    request = xs.ListMessagesRequest(box=xs.MESSAGE_BOX_INBOX, exercise=exercise)
    listed = await wire.exchange.ListMessages(request)
    assert not listed.next_page_token
    last = listed.messages[-1]
    return await wire.message(last.sender, last.message_id)


async def test_each_recipient_under_its_own_agreement(house: House) -> None:
    """A part withheld from one goes to the other; each delivery verifies with the library alone."""
    sent = to_both(house)
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta, house.wire(GAMMA) as gamma:
        policy = await policy_of(house, alpha)
        response = await alpha.submit(sent)
        to_beta, to_gamma = await latest(beta), await latest(gamma)

    assert [WITHHELD, PERMITTED] == dispositions(response.submission)
    assert (["absent", "clear"], ["clear", "clear"]) == (
        forms(to_beta.envelope),
        forms(to_gamma.envelope),
    )
    withheld = envelope_pb2.Envelope.FromString(to_beta.envelope).parts[0].absent
    assert (envelope_pb2.ABSENCE_REASON_WITHHELD, "Art. 5") == (withheld.reason, withheld.article)
    assert sent == to_gamma.envelope
    for agency, delivery in ((BETA, to_beta), (GAMMA, to_gamma)):
        verified = verify_delivery(
            delivery,
            recipient=agency,
            ring=policy.ring,
            agreements=policy.agreements,
            audience=ORIGIN,
        )
        assert verified.rechecked
        assert header_of(sent) == verified.header
    receipt = receipt_file(response.submission, response.checkpoint)
    proved = Receipt.parse(receipt.to_bytes()).verify(policy)
    assert [BETA, GAMMA] == [item.agency for item in proved.recipients]
    assert all(item.rechecked for item in proved.recipients)


async def test_signed_receipt_goes_back(house: House) -> None:
    """The recipient's officer acknowledges under the base agreement; the sender gets to read it."""
    sent = house.good()
    reference = envelopes.open_envelope(sent).reference
    head = header(BETA, (ALPHA, "base", "Base Art. 2"), kind=codes_pb2.KIND_RECEIPT)
    head.subject.message.CopyFrom(reference)
    head.in_reply_to.CopyFrom(reference)
    receipt = envelope(
        house.agency(BETA), head, records.acknowledgement(reference), officers=[OFFICER]
    )

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        await alpha.submit(sent)
        response = await beta.submit(receipt)
        received = await latest(alpha)
        again = await beta.submit(receipt)

    (outcome,) = outcomes(response.submission)
    assert (PERMITTED, "Base Art. 2") == (outcome.decision.disposition, outcome.decision.article)
    assert decision_pb2.REFERENCE_STANDING_RECEIVED_FROM_RECIPIENT == outcome.context.reference
    assert receipt == received.envelope
    assert again.submission.repeated_submission


async def test_retry_returns_the_original_outcome(house: House) -> None:
    """The same bytes again, alone, at once or in a batch, are entered once and answered alike."""
    sent = house.good()
    rows = rows_of(house.folder)

    async with house.wire(ALPHA) as alpha:
        at_once = await asyncio.gather(*(alpha.submit(sent) for _ in range(8)))
        later = await alpha.submit(sent)
        batch = await alpha.submit_batch(sent, sent)
        policy = await policy_of(house, alpha)

    answers: Sequence[tuple[exchange_service_pb2.Submission, str]] = [
        *((item.submission, item.checkpoint) for item in [*at_once, later]),
        *((item.submission, batch.checkpoint) for item in batch.results),
    ]
    now = rows_of(house.folder)
    assert (rows.entries + 1, rows.outcomes + 1) == (now.entries, now.outcomes)
    assert (rows.parts + 1, rows.positions + 1) == (now.parts, now.positions)
    assert 1 == sum(not submission.repeated_submission for submission, _ in answers)
    first = answers[0][0]
    for submission, checkpoint in answers:
        assert (first.receipt.index, first.receipt.entry) == (
            submission.receipt.index,
            submission.receipt.entry,
        )
        assert first.outcomes == submission.outcomes
        receipt_file(submission, checkpoint).verify(policy)


async def test_refused_message_is_refused_again(house: House) -> None:
    """A refusal is an outcome like any other: the same bytes get the same one."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 99"))
    sent = envelope(house.agency(ALPHA), head, records.indicators())

    async with house.wire(ALPHA) as alpha:
        first = await alpha.submit(sent)
        again = await alpha.submit(sent)

    assert [REFUSED] == dispositions(first.submission) == dispositions(again.submission)
    assert first.submission.receipt.index == again.submission.receipt.index
    assert again.submission.repeated_submission


async def test_inboxes_are_numbered_without_gaps(house: House) -> None:
    """Refused messages take no number; every inbox counts on by one, also under load."""
    refused = header(ALPHA, (BETA, "alpha-beta", "Art. 99"))
    messages = [house.good(to=to) for _ in range(10) for to in (BETA, GAMMA)]
    messages.append(envelope(house.agency(ALPHA), refused, records.indicators()))
    messages += [to_both(house) for _ in range(5)]

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta, house.wire(GAMMA) as gamma:
        await asyncio.gather(*(alpha.submit(message) for message in messages))
        for wire in (beta, gamma):
            last = (await latest(wire)).inbox_position
            got = await wire.inbox(last, start=1)

            assert [*range(1, last + 1)] == [item.delivery.inbox_position for item in got]
            indexes = [item.delivery.index for item in got]
            assert sorted(indexes) == indexes


async def test_denied_and_absent_are_one_answer(house: House) -> None:
    """Who is not a party can't tell a message that is there from one that is not."""
    message = house.good()
    sent = header_of(message).message_id

    async with house.wire(ALPHA) as alpha, house.wire(GAMMA) as gamma:
        await alpha.submit(message)
        answers = [
            await fault_in(call)
            for wanted in (sent, ABSENT_ID)
            for call in (
                gamma.message(ALPHA, wanted),
                gamma.exchange.GetReceipt(xs.GetReceiptRequest(sender=ALPHA, message_id=wanted)),
            )
        ]

    assert {"DENIED_OR_ABSENT"} == {answer.reason for answer in answers}
    assert all(answers[0] == answer for answer in answers)


async def test_receipts_for_both_sides(house: House) -> None:
    """The sender's receipt opens all outcomes, a recipient's its own; both verify offline."""
    sent = to_both(house)
    message_id = header_of(sent).message_id
    request = xs.GetReceiptRequest(sender=ALPHA, message_id=message_id)

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        submitted = await alpha.submit(sent)
        await alpha.submit(house.good())
        policy = await policy_of(house, alpha)
        for_alpha = await alpha.exchange.GetReceipt(request)
        for_beta = await beta.exchange.GetReceipt(request)

    assert submitted.submission.outcomes == for_alpha.outcomes
    assert [0] == [item.recipient_index for item in for_beta.outcomes]
    for answer in (for_alpha, for_beta):
        receipt = Receipt.from_parts(answer.receipt, answer.outcomes, answer.checkpoint)
        assert receipt.index == submitted.submission.receipt.index
        receipt.verify(policy)


async def test_exercise_never_mixes(house: House) -> None:
    """Training traffic has inboxes, cursors and lists of its own."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        await alpha.submit(house.good())
        live_before = (await latest(beta)).inbox_position
        drill = house.good(exercise=True)
        await alpha.submit(drill)
        live = await latest(beta)
        training = await latest(beta, exercise=True)
        (first,) = await beta.inbox(1, start=1, exercise=True)
        advanced = await beta.exchange.AdvanceCursor(
            xs.AdvanceCursorRequest(inbox_position=1, exercise=True)
        )
        listed = await alpha.exchange.ListMessages(xs.ListMessagesRequest(exercise=True))
        resumed = await beta.inbox(1)
        logged = [
            [
                item.entry
                for item in (
                    await alpha.audit.ListEntries(
                        audit_service_pb2.ListEntriesRequest(
                            exercise=exercise, kind=codes_pb2.KIND_TRANSFER
                        )
                    )
                ).entries
            ]
            for exercise in (True, False)
        ]

    assert live_before == live.inbox_position
    assert drill == training.envelope == first.delivery.envelope
    assert 1 == advanced.inbox_position == training.inbox_position
    assert [header_of(drill).message_id] == [item.message_id for item in listed.messages]
    assert [first.delivery.entry] == logged[0]
    assert first.delivery.entry not in logged[1]
    assert 1 == resumed[0].delivery.inbox_position
    assert not header_of(resumed[0].delivery.envelope).exercise


async def test_exercise_does_not_touch_live_records(house: House) -> None:
    """A drill cannot acknowledge a live record: to it, the record does not exist."""
    sent = house.good()
    reference = envelopes.open_envelope(sent).reference
    head = header(BETA, (ALPHA, "base", "Base Art. 2"), kind=codes_pb2.KIND_RECEIPT)
    head.subject.message.CopyFrom(reference)
    head.exercise = True
    receipt = envelope(house.agency(BETA), head, records.acknowledgement(reference))

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        await alpha.submit(sent)
        response = await beta.submit(receipt)

    (outcome,) = outcomes(response.submission)
    assert decision_pb2.GROUND_REFERENCE_NOT_HELD == outcome.decision.ground


async def test_message_refers_to_one_of_the_same_batch(house: House) -> None:
    """A recall right behind what it recalls, in one batch, finds it."""
    sent = house.good()
    head = header(ALPHA, (BETA, "base", "Base Art. 3"), kind=codes_pb2.KIND_RECALL)
    head.subject.message.CopyFrom(envelopes.open_envelope(sent).reference)
    recall = envelope(house.agency(ALPHA), head)

    async with house.wire(ALPHA) as alpha:
        response = await alpha.submit_batch(sent, recall)

    assert [[PERMITTED], [PERMITTED]] == [
        dispositions(item.submission) for item in response.results
    ]


async def test_listing_pages_are_bound_to_their_filter(house: House) -> None:
    """Pages follow on each other without gap or repeat; a token is no good for another question."""
    request = xs.ListMessagesRequest(page_size=3, box=xs.MESSAGE_BOX_SENT, counterpart=BETA)

    async with house.wire(ALPHA) as alpha:
        for _ in range(7):
            await alpha.submit(house.good())
        whole = await alpha.exchange.ListMessages(
            xs.ListMessagesRequest(box=xs.MESSAGE_BOX_SENT, counterpart=BETA, page_size=1000)
        )
        pages = [await alpha.exchange.ListMessages(request)]
        while pages[-1].next_page_token:
            request.page_token = pages[-1].next_page_token
            pages.append(await alpha.exchange.ListMessages(request))
        others = [
            await fault_in(alpha.exchange.ListMessages(changed))
            for changed in (
                xs.ListMessagesRequest(page_token=pages[0].next_page_token),
                xs.ListMessagesRequest(
                    page_token=pages[0].next_page_token,
                    box=xs.MESSAGE_BOX_SENT,
                    counterpart=GAMMA,
                ),
            )
        ]

    assert all(3 == len(page.messages) for page in pages[:-1])
    assert whole.messages == [message for page in pages for message in page.messages]
    assert {"TOKEN_INVALID"} == {fault.reason for fault in others}


async def test_filters_of_the_listing(house: House) -> None:
    """Box, kind, counterpart and thread each narrow the list; summaries hold no records."""
    thread = house.good()
    message_id = header_of(thread).message_id
    head = header(ALPHA, (GAMMA, "alpha-gamma", "Art. 1"))
    head.thread = message_id
    answer = envelope(house.agency(ALPHA), head, records.indicators())

    async with house.wire(ALPHA) as alpha, house.wire(GAMMA) as gamma:
        await alpha.submit(thread)
        await alpha.submit(answer)

        async def ids(wire: Wire, **filters: object) -> list[str]:
            listed = await wire.exchange.ListMessages(xs.ListMessagesRequest(**filters))  # type: ignore[arg-type]
            assert not any(item.HasField("message") for item in listed.messages)
            return [item.message_id for item in listed.messages]

        assert [message_id, head.message_id] == await ids(alpha, thread=message_id)
        assert [head.message_id] == await ids(gamma, thread=message_id)
        assert head.message_id in await ids(alpha, counterpart=GAMMA)
        assert message_id not in await ids(alpha, counterpart=GAMMA)
        assert [] == await ids(gamma, box=xs.MESSAGE_BOX_SENT)
        assert [] == await ids(gamma, counterpart=BETA)
        assert [] == await ids(alpha, kind=codes_pb2.KIND_ALERT)
        assert head.message_id in await ids(gamma, kind=codes_pb2.KIND_TRANSFER)


async def test_full_listing_fits_a_partners_client(house: House) -> None:
    """A page of whole messages is cut where it would outgrow what gRPC clients take by default."""
    async with (
        house.wire(ALPHA) as alpha,
        house.wire(GAMMA, options=(("grpc.max_receive_message_length", 4 << 20),)) as gamma,
    ):
        for _ in range(6):
            await alpha.submit(house.good(records.bulk(900_000), to=GAMMA))
        request = xs.ListMessagesRequest(box=xs.MESSAGE_BOX_INBOX, view=xs.MESSAGE_VIEW_FULL)
        seen = []
        while True:
            page = await gamma.exchange.ListMessages(request)
            seen += [item.inbox_position for item in page.messages]
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token

    assert [*range(1, len(seen) + 1)] == seen
    assert len(seen) > 6
