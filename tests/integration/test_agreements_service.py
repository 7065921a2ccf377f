"""Agreements over the wire: seen by their parties, and tried out without consequence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rogatory.agreements import agreement_digest, open_agreement
from rogatory.exchange.v1 import (
    agreement_service_pb2,
    codes_pb2,
    decision_pb2,
    envelope_pb2,
)
from rogatory.records.v1 import common_pb2
from tests.support import records
from tests.support.forge import draft
from tests.support.house import AGREEMENT, ALPHA, BETA, GAMMA, SUPERVISOR, House
from tests.support.wire import fault_in, outcomes, rows_of
from tests.support.world import HOUR, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

ags = agreement_service_pb2


def _header(house: House, *, article: str = "Art. 4", health: bool = False) -> envelope_pb2.Header:
    """Return a complete header, as signed, of a message from ALPHA to BETA."""
    groups = [common_pb2.FIELD_GROUP_HEALTH] if health else []
    made = draft(
        header(ALPHA, (BETA, "alpha-beta", article)),
        records.persons(records.person(groups=groups)),
        records.indicators(),
        signer=house.agency(ALPHA).signing,
    )
    return envelope_pb2.Header.FromString(made.header_bytes())


async def test_parties_see_their_agreements_only(house: House) -> None:
    """Each party lists and gets what it signed; to others an agreement does not exist."""
    async with house.wire(BETA) as beta, house.wire(GAMMA) as gamma, house.wire(ALPHA) as alpha:
        listed = {
            name: [
                (open_agreement(item.agreement).agreement_id, item.state)
                for item in (
                    await wire.agreements.ListAgreements(ags.ListAgreementsRequest())
                ).agreements
            ]
            for name, wire in ((ALPHA, alpha), (BETA, beta), (GAMMA, gamma))
        }
        got = await beta.agreements.GetAgreement(ags.GetAgreementRequest(agreement_id="alpha-beta"))
        foreign = await fault_in(
            gamma.agreements.GetAgreement(ags.GetAgreementRequest(agreement_id="alpha-beta"))
        )
        absent = await fault_in(
            gamma.agreements.GetAgreement(ags.GetAgreementRequest(agreement_id="alpha-omega"))
        )
        base = await gamma.agreements.GetAgreement(ags.GetAgreementRequest(agreement_id="base"))

    in_force = ags.AGREEMENT_STATE_IN_FORCE
    one, other = ("alpha-beta", in_force), ("alpha-gamma", in_force)
    assert {ALPHA: [one, other], BETA: [one], GAMMA: [other]} == listed
    assert agreement_digest(got.agreement.agreement.agreement) == got.agreement.digest
    assert foreign == absent
    assert "DENIED_OR_ABSENT" == foreign.reason
    assert agreement_digest(base.agreement.agreement.agreement) == base.agreement.digest


async def test_pages_of_agreements(house: House) -> None:
    """A page at a time, each agreement once."""
    request = ags.ListAgreementsRequest(page_size=1)

    async with house.wire(ALPHA) as alpha:
        first = await alpha.agreements.ListAgreements(request)
        request.page_token = first.next_page_token
        second = await alpha.agreements.ListAgreements(request)

    digests = {item.digest for item in (*first.agreements, *second.agreements)}
    assert (2, "") == (len(digests), second.next_page_token)


@pytest.mark.parametrize(
    ("article", "health", "disposition"),
    [
        ("Art. 4", False, decision_pb2.DISPOSITION_PERMITTED),
        ("Art. 4", True, decision_pb2.DISPOSITION_WITHHELD),
        ("Art. 99", False, decision_pb2.DISPOSITION_REFUSED),
    ],
)
async def test_dry_run_decides_as_the_real_one(
    house: House, article: str, disposition: int, *, health: bool
) -> None:
    """An evaluation says what a submission then gets, and leaves nothing behind."""
    head = _header(house, article=article, health=health)
    groups = [common_pb2.FIELD_GROUP_HEALTH] if health else []
    rows = rows_of(house.folder)

    async with house.wire(ALPHA) as alpha:
        dry = await alpha.agreements.EvaluateExchange(
            ags.EvaluateExchangeRequest(header=head.SerializeToString(deterministic=True))
        )
        now = rows_of(house.folder)
        sent = envelope(
            house.agency(ALPHA),
            header(ALPHA, (BETA, "alpha-beta", article)),
            records.persons(records.person(groups=groups)),
            records.indicators(),
        )
        real = outcomes((await alpha.submit(sent)).submission)

    assert rows == now
    assert [disposition] == [item.decision.disposition for item in dry.outcomes]
    assert [item.decision for item in real] == [item.decision for item in dry.outcomes]
    assert 0 == dry.outcomes[0].inbox_position


async def test_dry_run_without_signatures(house: House) -> None:
    """A header may be tried before anyone signed: keys that are named count, others do not."""
    head = _header(house)
    head.signed_by[0].key = bytes(32)

    async with house.wire(ALPHA) as alpha:
        dry = await alpha.agreements.EvaluateExchange(
            ags.EvaluateExchangeRequest(header=head.SerializeToString(deterministic=True))
        )

    assert [] == list(dry.outcomes[0].context.signers)
    assert decision_pb2.DISPOSITION_PERMITTED == dry.outcomes[0].decision.disposition


def _reply_to_nothing(head: envelope_pb2.Header) -> None:
    head.subject.message.sender = BETA
    head.subject.message.message_id = head.message_id
    head.subject.message.header_digest = bytes(32)


def _to_oneself(head: envelope_pb2.Header) -> None:
    head.recipients[0].agency = ALPHA


def _as_another(head: envelope_pb2.Header) -> None:
    head.sender = GAMMA


def _elsewhere(head: envelope_pb2.Header) -> None:
    head.audience = "elsewhere.example/exchange"


def _as_another_category(head: envelope_pb2.Header) -> None:
    head.parts[0].category = codes_pb2.PART_CATEGORY_INDICATOR


def _expired(head: envelope_pb2.Header) -> None:
    head.expire_time.FromNanoseconds(head.create_time.ToNanoseconds() - 1)
    head.create_time.FromNanoseconds(head.create_time.ToNanoseconds() - HOUR)


def _no_purpose(head: envelope_pb2.Header) -> None:
    head.ClearField("purpose")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_no_purpose, "FIELD_VIOLATIONS"),
        (_reply_to_nothing, "PARTICULARS_MISMATCH"),
        (_to_oneself, "RECIPIENTS_INVALID"),
        (_as_another_category, "SCHEMA_UNKNOWN"),
        (_as_another, "SENDER_MISMATCH"),
        (_elsewhere, "AUDIENCE_MISMATCH"),
        (_expired, "EXPIRED"),
    ],
)
async def test_dry_run_fails_as_the_real_one(
    house: House, change: Callable[[envelope_pb2.Header], None], reason: str
) -> None:
    """What is wrong with a header is said the same way before anybody signs it."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 4"))
    made = draft(head, records.persons(), signer=house.agency(ALPHA).signing)
    change(made.header)

    async with house.wire(ALPHA) as alpha:
        real = await fault_in(alpha.submit(made.serialise()))
        rows = rows_of(house.folder)
        dry = await fault_in(
            alpha.agreements.EvaluateExchange(
                ags.EvaluateExchangeRequest(header=made.header_bytes())
            )
        )

    assert reason == dry.reason
    assert (real.code, real.reason, real.metadata) == (dry.code, dry.reason, dry.metadata)
    assert rows == rows_of(house.folder)


async def test_dry_run_of_a_kind_that_is_not_the_callers(house: House) -> None:
    """A supervisory authority is told beforehand what it may not send."""
    head = header(SUPERVISOR, (BETA, "alpha-beta", "Art. 4"))
    made = draft(head, records.persons(), signer=house.agency(SUPERVISOR).signing)

    async with house.wire(SUPERVISOR) as wire:
        fault = await fault_in(
            wire.agreements.EvaluateExchange(
                ags.EvaluateExchangeRequest(header=made.header_bytes())
            )
        )

    assert "NOT_AUTHORISED" == fault.reason


async def test_new_version_replaces_the_old(house: House) -> None:
    """From its entry the new version governs; the old one stays to be seen."""
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        first = house.good()
        await alpha.submit(first)
        house.world.agree(
            AGREEMENT.replace("version: 1", "version: 2").replace("Art. 4(1)", "Art. 40")
        )
        while True:
            answer = await beta.agreements.GetAgreement(
                ags.GetAgreementRequest(agreement_id="alpha-beta")
            )
            if open_agreement(answer.agreement.agreement).version == 2:
                break
        (old,) = outcomes((await alpha.submit(house.good())).submission)
        head = header(ALPHA, (BETA, "alpha-beta", "Art. 40"))
        new = envelope(house.agency(ALPHA), head, records.indicators())
        (now,) = outcomes((await alpha.submit(new)).submission)
        (again,) = outcomes((await alpha.submit(first)).submission)
        version_one = await beta.agreements.GetAgreement(
            ags.GetAgreementRequest(agreement_id="alpha-beta", version=1)
        )

    assert decision_pb2.GROUND_NO_SUCH_ARTICLE == old.decision.ground
    assert (2, "Art. 40") == (now.agreement_version, now.decision.article)
    assert (1, "Art. 4(1)") == (again.agreement_version, again.decision.article)
    assert ags.AGREEMENT_STATE_REPLACED == version_one.agreement.state
