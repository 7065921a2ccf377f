"""Batches: order, faults in their place, one checkpoint for all."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from rogatory.exchange.v1 import decision_pb2
from tests.support import records
from tests.support.house import ALPHA, BETA, House
from tests.support.verifying import policy_of
from tests.support.wire import (
    check_receipt,
    dispositions,
    fault_of,
    header_of,
    receipt_file,
    rows_of,
)
from tests.support.world import envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERMITTED = [decision_pb2.DISPOSITION_PERMITTED]
REFUSED = [decision_pb2.DISPOSITION_REFUSED]


async def test_order_is_kept(house: House) -> None:
    """Messages of a batch are entered in its order, without another's between them."""
    batches = [[house.good() for _ in range(40)] for _ in range(3)]

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        answers = await asyncio.gather(*(alpha.submit_batch(*batch) for batch in batches))
        last = answers[0].results[0].submission.message_id
        start = (await beta.message(ALPHA, last)).inbox_position
        read = await beta.inbox(40, start=start)

    for batch, answer in zip(batches, answers, strict=True):
        indexes = [item.submission.receipt.index for item in answer.results]
        assert [*range(indexes[0], indexes[0] + 40)] == indexes
        ids = [item.submission.message_id for item in answer.results]
        assert [header_of(message).message_id for message in batch] == ids
    assert batches[0] == [item.delivery.envelope for item in read]


async def test_all_proofs_lead_to_one_checkpoint(house: House) -> None:
    """Good, refused and repeated messages of a batch all prove against the one checkpoint."""
    old = house.good()
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 99"))
    refused = envelope(house.agency(ALPHA), head, records.indicators())
    new = [house.good() for _ in range(20)]

    async with house.wire(ALPHA) as alpha:
        await alpha.submit(old)
        policy = await policy_of(house, alpha)
        answer = await alpha.submit_batch(*new, refused, old)

    submissions = [item.submission for item in answer.results]
    for submission in submissions:
        signed = check_receipt(submission.receipt, answer.checkpoint, house.log_key)
        assert submission.receipt.index < signed.checkpoint.size
        receipt_file(submission, answer.checkpoint).verify(policy)
    assert [PERMITTED] * 20 + [REFUSED, PERMITTED] == [dispositions(item) for item in submissions]
    assert [False] * 21 + [True] == [item.repeated_submission for item in submissions]


async def test_faults_stand_in_their_place(house: House) -> None:
    """What is wrong gets its own status; the rest is decided as if alone."""
    good = [house.good() for _ in range(3)]
    clash = header(ALPHA, (BETA, "alpha-beta", "Art. 4"))
    clash.message_id = header_of(good[0]).message_id
    conflict = envelope(house.agency(ALPHA), clash, records.indicators())
    rows = rows_of(house.folder)

    async with house.wire(ALPHA) as alpha:
        answer = await alpha.submit_batch(good[0], b"\xff", good[1], conflict, good[2])

    assert ["submission", "error", "submission", "error", "submission"] == [
        item.WhichOneof("result") for item in answer.results
    ]
    faults = [fault_of(item.error) for item in answer.results if item.HasField("error")]
    assert [("INVALID_ARGUMENT", "MALFORMED"), ("ALREADY_EXISTS", "CONFLICT")] == [
        (fault.code, fault.reason) for fault in faults
    ]
    now = rows_of(house.folder)
    assert (rows.entries + 5, rows.outcomes + 3) == (now.entries, now.outcomes)


async def test_the_largest_batch(house: House) -> None:
    """256 messages at once are one group, and single ones sent meanwhile come through."""
    batch = [house.good() for _ in range(256)]

    async with house.wire(ALPHA) as alpha:
        sending = asyncio.create_task(alpha.submit_batch(*batch))
        singles = await asyncio.gather(*(alpha.submit(house.good()) for _ in range(8)))
        answer = await sending

    assert 256 == len(answer.results)
    assert [PERMITTED] * 256 == [dispositions(item.submission) for item in answer.results]
    indexes = [item.submission.receipt.index for item in answer.results]
    alone = {item.submission.receipt.index for item in singles}
    assert 8 == len(alone - {*indexes})
    assert all(a + 1 == b for a, b in itertools.pairwise(indexes))
