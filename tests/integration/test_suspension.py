"""An agreement suspended by one of its parties, over the wire: at once, for that party alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rogatory.agreements import parse_suspension, sign_suspension
from rogatory.errors import ReceiptError
from rogatory.exchange.v1 import (
    agreement_pb2,
    agreement_service_pb2,
    codes_pb2,
    decision_pb2,
)
from rogatory.signers import Signer
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.operator.fsck import Report, check_ledger
from rogatory_gateway.operator.opening import open_snapshot
from tests.support import records
from tests.support.house import ALPHA, BETA, GAMMA, LOG_KEY, SUPERVISOR, House
from tests.support.verifying import replay_log
from tests.support.wire import dispositions, fault_in, last_entry, rows_of
from tests.support.world import ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERMITTED = decision_pb2.DISPOSITION_PERMITTED
REFUSED = decision_pb2.DISPOSITION_REFUSED
NAME = "three"

PACT = """\
agreement_id: three
version: 1
title: Agreement of three for tests
parties: [{agency: de.bka}, {agency: fr.pj}, {agency: nl.politie}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: indicators
    article: Art. 1
    effect: permit
    scope: {kinds: [transfer], categories: [indicator]}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway of this test's own, with an agreement of three."""
    made = House(tmp_path_factory.mktemp("suspension") / "gateway")
    made.enrol_usual()
    made.world.agree(PACT)
    async with made.serving():
        yield made


def declared(
    house: House,
    *,
    by: str = BETA,
    number: int = 1,
    suspended: bool = True,
    agreement_id: str = NAME,
    signer: Signer | None = None,
) -> agreement_pb2.SignedAgreementSuspension:
    """Return a party's declaration, signed by its root or by another key."""
    return sign_suspension(
        agreement_pb2.AgreementSuspension(
            schema_version=1,
            agreement_id=agreement_id,
            agency=by,
            sequence=number,
            suspended=suspended,
            reason="The safeguards of Art. 9 are under review.",
        ),
        signer=signer or house.agency(by).root,
    )


def governing(
    house: House, document: agreement_pb2.SignedAgreementSuspension, *, sender: str = BETA
) -> bytes:
    """Return the message that submits a declaration to the other parties."""
    others = [agency for agency in (ALPHA, BETA, GAMMA) if agency != sender]
    head = header(
        sender,
        *((agency, "base", "Base Art. 1") for agency in others),
        kind=codes_pb2.KIND_GOVERNANCE,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        offences=(),
    )
    return envelope(house.agency(sender), head, document)


def transfer(house: House, sender: str, *recipients: str) -> bytes:
    """Return indicators under the agreement of three."""
    head = header(sender, *((agency, NAME, "Art. 1") for agency in recipients))
    return envelope(house.agency(sender), head, records.indicators())


async def test_suspended_for_one_party_and_lifted_again(house: House) -> None:
    """What is sent to or by that party is refused, between the others it goes; then all goes."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        before = await alpha.submit(transfer(house, ALPHA, BETA, GAMMA))
        entered = await beta.submit(governing(house, declared(house)))
        entry = last_entry(house.folder)
        to_party = await alpha.submit(transfer(house, ALPHA, BETA, GAMMA))
        by_party = await beta.submit(transfer(house, BETA, GAMMA))
        listed = await alpha.agreements.ListAgreements(
            agreement_service_pb2.ListAgreementsRequest()
        )
        lifted = await beta.submit(governing(house, declared(house, number=2, suspended=False)))
        after = await alpha.submit(transfer(house, ALPHA, BETA, GAMMA))

    (record,) = [one for one in listed.agreements if one.suspensions]
    (outcome, _) = to_party.submission.outcomes
    refusal = decision_pb2.Outcome.FromString(outcome.outcome).decision
    assert [PERMITTED, PERMITTED] == dispositions(before.submission)
    assert [PERMITTED, PERMITTED] == dispositions(entered.submission)
    assert ("governance:agreement:suspended", BETA) == (entry.tag, entry.actor)
    assert declared(house) == entry.governance.agreement_suspension
    assert [REFUSED, PERMITTED] == dispositions(to_party.submission)
    assert decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE == refusal.ground
    assert [REFUSED] == dispositions(by_party.submission)
    assert agreement_service_pb2.AGREEMENT_STATE_SUSPENDED == record.state
    assert [BETA] == [parse_suspension(one).agency for one in record.suspensions]
    assert [PERMITTED, PERMITTED] == dispositions(lifted.submission)
    assert [PERMITTED, PERMITTED] == dispositions(after.submission)


async def test_whoever_reads_the_whole_log_finds_it_in_order(house: House) -> None:
    """The library replays suspensions with all else, and so does fsck."""
    async with house.wire(BETA) as beta, house.wire(SUPERVISOR) as supervisor:
        await beta.submit(governing(house, declared(house)))
        await beta.submit(transfer(house, BETA, GAMMA))
        await beta.submit(governing(house, declared(house, number=2, suspended=False)))
        await beta.submit(transfer(house, BETA, GAMMA))
        replay = await replay_log(supervisor, LOG_KEY)

    with open_snapshot(house.world.settings) as connection:
        report = check_ledger(
            connection, report=Report(origin=ORIGIN), progress=lambda _done, _size: None
        )
    assert 4 == replay.counts.messages
    assert [] == report.findings


async def test_a_gateway_that_ignores_a_suspension_is_found_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever replays the log names the decision that was made under a suspended agreement."""
    async with house.wire(BETA) as beta, house.wire(SUPERVISOR) as supervisor:
        await beta.submit(governing(house, declared(house)))
        monkeypatch.setattr(Registry, "is_suspended", lambda *_: False)
        ignored = await beta.submit(transfer(house, BETA, GAMMA))

        with pytest.raises(ReceiptError) as found:
            await replay_log(supervisor, LOG_KEY)

    assert [PERMITTED] == dispositions(ignored.submission)
    index = ignored.submission.receipt.index
    assert f"Log entry {index}: {NAME} was applied for {GAMMA} while suspended" in str(found.value)


@pytest.mark.parametrize(
    "case",
    ["another-root", "skipped-number", "no-party", "foreign", "unknown-agreement", "repeated"],
)
async def test_what_is_no_suspension(house: House, case: str) -> None:
    """Only the party's own root, in its own message, with its own next number."""
    other = house.agency(ALPHA).root
    document = {
        "another-root": lambda: declared(house, signer=other),
        "skipped-number": lambda: declared(house, number=2),
        "no-party": lambda: declared(house, by=SUPERVISOR),
        "foreign": lambda: declared(house, by=ALPHA),
        "unknown-agreement": lambda: declared(house, agreement_id="nowhere"),
        "repeated": lambda: declared(house),
    }[case]()

    async with house.wire(BETA) as beta:
        if case == "repeated":
            await beta.submit(governing(house, document))
        governed = rows_of(house.folder).governance
        fault = await fault_in(beta.submit(governing(house, document)))

    assert "GOVERNANCE_INVALID" == fault.reason
    assert governed == rows_of(house.folder).governance
