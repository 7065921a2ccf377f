"""Messages that are in order and not permitted: decided, logged, delivered to nobody, and why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from rogatory import envelopes
from rogatory.decisions import explain
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from tests.support import records
from tests.support.house import ALPHA, BETA, GAMMA, OFFICER, House
from tests.support.wire import (
    check_receipt,
    fault_in,
    header_of,
    last_entry,
    outcomes,
    receipt_file,
    rows_of,
)
from tests.support.world import envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

ELSEWHERE = "01920000-0000-7000-8000-000000000000"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message of `ALPHA`'s, what speaks against it, and how its sender is told to go on."""

    name: str
    recipient: str
    agreement: str
    article: str
    ground: decision_pb2.Ground.ValueType
    says: str
    offences: tuple[str, ...] = ("0701",)


CASES = (
    Case(
        name="unknown recipient",
        recipient="se.nobody",
        agreement="alpha-beta",
        article="Art. 4",
        ground=decision_pb2.GROUND_UNKNOWN_RECIPIENT,
        says="See who takes part: rogatory directory list.",
    ),
    Case(
        name="no agreement of that name",
        recipient=BETA,
        agreement="alpha-omega",
        article="Art. 4",
        ground=decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE,
        says="See which agreements are in force: rogatory agreement list.",
    ),
    Case(
        name="an agreement between others",
        recipient=BETA,
        agreement="alpha-gamma",
        article="Art. 1",
        ground=decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE,
        says="See which agreements are in force: rogatory agreement list.",
    ),
    Case(
        name="an article that does not exist",
        recipient=BETA,
        agreement="alpha-beta",
        article="Art. 99",
        ground=decision_pb2.GROUND_NO_SUCH_ARTICLE,
        says="Citing Art. 4(1): permitted by Art. 4(1).",
    ),
    Case(
        name="records under the base agreement",
        recipient=BETA,
        agreement="base",
        article="Base Art. 2",
        ground=decision_pb2.GROUND_REFUSED_BY_CLAUSE,
        says="Base Art. 6 (no-records) refuses it whatever another clause permits:"
        " rogatory agreement show base has its text.",
    ),
    Case(
        name="no offence where one is needed",
        recipient=BETA,
        agreement="of-fraud",
        article="Art. 1",
        ground=decision_pb2.GROUND_NO_PERMITTING_CLAUSE,
        says="The message states no offence, and Art. 1 permits for certain offences only: state"
        " those it concerns as ICCS codes (--offence, Draft.offences).",
        offences=(),
    ),
    Case(
        name="another offence",
        recipient=BETA,
        agreement="of-fraud",
        article="Art. 1",
        ground=decision_pb2.GROUND_NO_PERMITTING_CLAUSE,
        says="Art. 1 permits it for other offences only than those stated.",
        offences=("0903",),
    ),
)

OF_FRAUD = """\
agreement_id: of-fraud
version: 1
title: Agreement for tests
parties: [{agency: de.bka}, {agency: fr.pj}]
valid_from_time: 2026-01-01
unpermitted_parts: refuse_message
clauses:
  - clause_id: fraud
    article: Art. 1
    effect: permit
    scope: {kinds: [transfer], offences: [0701]}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway with the usual agencies, and an agreement that permits by offence."""
    made = House(tmp_path_factory.mktemp("gateway") / "gateway")
    made.enrol_usual()
    made.world.agree(OF_FRAUD)
    async with made.serving():
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
async def test_is_refused(case: Case, house: House) -> None:
    """The answer is OK with the ground; the log holds the header, and no inbox and no part does."""
    head = header(ALPHA, (case.recipient, case.agreement, case.article), offences=case.offences)
    data = envelope(house.agency(ALPHA), head, records.indicators())
    rows = rows_of(house.folder)

    async with house.wire(ALPHA) as alpha:
        response = await alpha.submit(data)

    (outcome,) = outcomes(response.submission)
    assert decision_pb2.DISPOSITION_REFUSED == outcome.decision.disposition
    assert case.ground == outcome.decision.ground
    told = explain(
        outcome.decision, agreement=outcome.agreement_id, offences=header_of(data).offences
    )
    assert case.says in "\n".join(told)
    assert 0 == outcome.inbox_position
    check_receipt(response.submission.receipt, response.checkpoint, house.log_key)
    now = rows_of(house.folder)
    assert (rows.entries + 1, rows.outcomes + 1) == (now.entries, now.outcomes)
    assert (rows.parts, rows.positions, rows.quotas) == (now.parts, now.positions, now.quotas)
    entry = last_entry(house.folder)
    assert ("exchange:transfer:refused", ALPHA) == (entry.tag, entry.actor)
    assert header_of(data) == envelope_pb2.Header.FromString(entry.message.header)
    assert 1 == len(entry.outcome_commitments)


async def test_the_recipient_never_hears_of_it(house: House) -> None:
    """A refused message is, for its recipient, the same as one that does not exist."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 99"))
    data = envelope(house.agency(ALPHA), head, records.indicators())

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        await alpha.submit(data)
        refused = await fault_in(beta.message(ALPHA, head.message_id))
        absent = await fault_in(beta.message(ALPHA, ELSEWHERE))
        own = await alpha.message(ALPHA, head.message_id)

    assert ("NOT_FOUND", "DENIED_OR_ABSENT") == (refused.code, refused.reason)
    assert absent == refused
    parts = envelope_pb2.Envelope.FromString(own.envelope).parts
    assert ["absent"] == [part.WhichOneof("form") for part in parts]


@pytest.mark.parametrize("whose", ["another's", "nobody's", "another header's"])
async def test_acknowledging_what_is_not_yours(house: House, whose: str) -> None:
    """A receipt for what its sender never received is refused by the article on receipts."""
    sent = house.good(to=GAMMA)
    async with house.wire(ALPHA) as alpha:
        await alpha.submit(sent)
    reference = common_pb2.MessageReference(
        sender=ALPHA,
        message_id=header_of(sent).message_id if whose != "nobody's" else ELSEWHERE,
        header_digest=bytes(32)
        if whose == "another header's"
        else envelopes.open_envelope(sent).header_digest,
    )
    by = GAMMA if whose == "another header's" else BETA
    head = header(by, (ALPHA, "base", "Base Art. 2"), kind=codes_pb2.KIND_RECEIPT)
    head.subject.message.CopyFrom(reference)
    data = envelope(house.agency(by), head, records.acknowledgement(reference), officers=[OFFICER])
    rows = rows_of(house.folder)

    async with house.wire(by) as wire:
        response = await wire.submit(data)

    (outcome,) = outcomes(response.submission)
    assert decision_pb2.DISPOSITION_REFUSED == outcome.decision.disposition
    assert ("Base Art. 2", "receipt") == (outcome.decision.article, outcome.decision.clause_id)
    assert decision_pb2.GROUND_REFERENCE_NOT_HELD == outcome.decision.ground
    finding = next(f for f in outcome.decision.findings if f.clause_id == "receipt")
    assert [decision_pb2.CONDITION_REFERENCE] == list(finding.unmet)
    now = rows_of(house.folder)
    assert (rows.entries + 1, rows.parts, rows.positions) == (now.entries, now.parts, now.positions)
    assert receipt_file(response.submission, response.checkpoint).index == rows.entries
