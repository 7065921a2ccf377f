"""Each condition an agreement can name, over the wire: two messages, one difference, two outcomes.

The table is the one that the rules' own tests use; here the messages are real, signed and sent, and
the outcome is verified from its receipt with the library alone, the decision re-run.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from rogatory import clock, envelopes
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.policy import Policy
from tests.support import forge, records
from tests.support.house import APPROVE, OFFICER, SECOND_OFFICER, SIGN, House
from tests.support.verifying import policy_of
from tests.support.wire import Wire, receipt_file
from tests.support.world import ORIGIN, header
from tests.unit.rogatory.decisions import samples
from tests.unit.rogatory.decisions.condition_pairs import CONDITION_PAIRS, ConditionPair

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALPHA, BETA, GAMMA = samples.ALPHA, samples.BETA, samples.GAMMA
MARGIN = 60 * clock.NANOSECONDS_PER_SECOND
"""Between the sender's clock when it writes a deadline and the gateway's at entry."""
OFFICERS = {samples.AUTHOR_KEY: OFFICER, samples.APPROVER_KEY: SECOND_OFFICER}
"""Who signs here for the officers of the table."""
PLAIN = """\
agreement_id: plain
version: 1
title: Everything
parties: [{agency: aa.alpha}, {agency: bb.beta}]
valid_from_time: 2026-01-01
unpermitted_parts: refuse_message
clauses:
  - {clause_id: all, article: Art. 1, effect: permit}
"""


def agreement_id(pair: ConditionPair) -> str:
    """Return the id that the pair's agreement has in this house."""
    return "pair-" + pair.name.replace(" ", "-")


@dataclass(kw_only=True)
class Bench:
    """The house with a connection of the sender's and the means to verify."""

    house: House
    alpha: Wire
    policy: Policy
    sent: bytes


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """A gateway with one agreement for each pair."""
    house = House(tmp_path_factory.mktemp("gateway") / "gateway")
    with house.world.together():
        for agency in (ALPHA, BETA, GAMMA):
            house.world.enrol(agency, officers={OFFICER: [SIGN], SECOND_OFFICER: [SIGN, APPROVE]})
        house.world.agree(PLAIN)
        for pair in CONDITION_PAIRS:
            house.world.agree(
                pair.agreement_text.replace(
                    "agreement_id: test", f"agreement_id: {agreement_id(pair)}"
                )
            )
    async with house.serving(), house.wire(ALPHA) as alpha:
        head = header(ALPHA, (BETA, "plain", "Art. 1"))
        sent = forge.draft(
            head, records.indicators(), signer=house.agency(ALPHA).signing
        ).serialise()
        await alpha.submit(sent)
        yield Bench(house=house, alpha=alpha, policy=await policy_of(house, alpha), sent=sent)


def content(descriptor: envelope_pb2.PartDescriptor) -> Message:
    """Return a part with the facts that the table's descriptor states."""
    stated = descriptor.facts
    if descriptor.category == codes_pb2.PART_CATEGORY_CONTEXT:
        return records.context(
            case="C-1" if stated.case_reference else "",
            justification="Needed" if stated.justification else "",
        )
    if descriptor.category == codes_pb2.PART_CATEGORY_INDICATOR:
        return records.indicators(stated.record_count)
    if descriptor.category == codes_pb2.PART_CATEGORY_REQUEST:
        return records.request()
    return records.persons(
        *(
            records.person(f"Person {n}", groups=stated.field_groups)
            for n in range(stated.record_count)
        )
    )


def write(bench: Bench, pair: ConditionPair, wanted: envelope_pb2.Header) -> bytes:
    """Write the table's header as a real message: own id, times, keys, parts and commitments."""
    now = time.time_ns()
    shift = now - samples.ENTRY * clock.NANOSECONDS_PER_SECOND
    head = envelope_pb2.Header()
    head.CopyFrom(wanted)
    del head.parts[:]
    head.MergeFrom(
        envelope_pb2.Header(
            message_id=header(ALPHA).message_id,
            audience=ORIGIN,
            create_time=clock.to_timestamp(now),
            expire_time=clock.to_timestamp(now + MARGIN),
        )
    )
    for recipient in head.recipients:
        recipient.agreement_id = agreement_id(pair)
    if head.handling.HasField("retention_end_time"):
        _move(head.handling.retention_end_time, shift)
    if head.request.HasField("respond_by_time"):
        _move(head.request.respond_by_time, shift + MARGIN)
    if head.HasField("subject") and pair.permitted == wanted:
        head.subject.message.CopyFrom(envelopes.open_envelope(bench.sent).reference)
    sealed = [position for position, part in enumerate(wanted.parts) if part.sealed]
    agency = bench.house.agency(ALPHA)
    draft = forge.draft(head, *map(content, wanted.parts), signer=agency.signing, sealed=sealed)
    draft.signers += [
        (agency.officer_signers[OFFICERS[signed.key]], forge.OFFICER)
        for signed in wanted.signed_by
        if signed.key in OFFICERS
    ]
    return draft.serialise()


def _move(instant: object, shift: int) -> None:
    moved = clock.to_timestamp(clock.to_nanoseconds(instant) + shift)  # type: ignore[arg-type]
    instant.CopyFrom(moved)  # type: ignore[attr-defined]  # a timestamp


async def outcome_of(bench: Bench, message: bytes) -> decision_pb2.Outcome:
    """Submit a message and return its outcome, taken from its verified receipt."""
    response = await bench.alpha.submit(message)
    verified = receipt_file(response.submission, response.checkpoint).verify(bench.policy)
    (recipient,) = verified.recipients
    assert recipient.rechecked
    assert recipient.outcome is not None
    return recipient.outcome


@pytest.mark.parametrize("pair", CONDITION_PAIRS, ids=lambda pair: pair.name.replace(" ", "-"))
async def test_pair(pair: ConditionPair, bench: Bench) -> None:
    """The message that has it is permitted, the one that lacks it is not; both cite the clause."""
    used = pair.permitted_context.quotas
    for _ in range(used[0].count if used else 0):
        await outcome_of(bench, write(bench, pair, pair.permitted))
    messages = [pair.permitted, pair.refused]
    if pair.name == "quota of records":
        # The refused one first: what was refused does not use up the quota.
        messages.reverse()

    decisions = [
        (await outcome_of(bench, write(bench, pair, message))).decision for message in messages
    ]
    if pair.name == "quota of records":
        decisions.reverse()

    permitted, refused = decisions
    assert decision_pb2.DISPOSITION_PERMITTED == permitted.disposition
    if pair.condition:
        assert (pair.article, pair.clause_id) == (permitted.article, permitted.clause_id)
    assert pair.disposition == refused.disposition
    assert (pair.article, pair.clause_id) == (refused.article, refused.clause_id)
    finding = next(f for f in refused.findings if f.clause_id == pair.clause_id)
    assert ([pair.condition] if pair.condition else []) == list(finding.unmet)


BEYOND_REMEDY = (
    decision_pb2.CONDITION_REFERENCE,
    decision_pb2.CONDITION_QUOTA,
    decision_pb2.CONDITION_DUAL_CRIMINALITY,
    decision_pb2.CONDITION_MINIMUM_PENALTY,
)
"""What no change of the message mends, or only one of the offences: nobody is coached to that."""


@pytest.mark.parametrize(
    "pair",
    [pair for pair in CONDITION_PAIRS if pair.condition not in BEYOND_REMEDY],
    ids=lambda pair: pair.name.replace(" ", "-"),
)
async def test_the_refusal_says_what_would_do(pair: ConditionPair, bench: Bench) -> None:
    """Whoever is refused is told the smallest change that would be permitted."""
    refused = await outcome_of(bench, write(bench, pair, pair.refused))

    changes = refused.decision.remedy.changes
    assert changes
    assert pair.article.split("(")[0] == refused.decision.remedy.article.split("(")[0]
