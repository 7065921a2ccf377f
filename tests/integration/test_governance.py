"""Key statements and agreements over the wire: in force from their own entry, or refused whole."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from rogatory import statements
from rogatory.agreements import read_agreement, render, sign_agreement, with_signature
from rogatory.exchange.v1 import (
    agreement_pb2,
    codes_pb2,
    decision_pb2,
    envelope_pb2,
    key_statement_pb2,
)
from rogatory.signers import MemorySigner
from rogatory_gateway.operator.fsck import Report, check_ledger
from rogatory_gateway.operator.opening import open_snapshot
from tests.support import records
from tests.support.forge import draft
from tests.support.house import AGREEMENT, ALPHA, BETA, GAMMA, LOG_KEY, SUPERVISOR, House
from tests.support.verifying import policy_of, replay_log
from tests.support.wire import Wire, dispositions, fault_in, last_entry, receipt_file, rows_of
from tests.support.world import DAY, HOUR, ORIGIN, Agency, envelope, header, signer

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOVERNANCE = codes_pb2.KIND_GOVERNANCE
PERMITTED = decision_pb2.DISPOSITION_PERMITTED

PACT = """\
agreement_id: {name}
version: {version}
title: Agreement for tests
parties: [{{agency: {one}}}, {{agency: {other}}}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: indicators
    article: Art. 1
    effect: permit
    scope: {{kinds: [transfer], categories: [indicator]}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway of these tests' own: they change who is enrolled with what."""
    made = House(tmp_path_factory.mktemp("governance") / "gateway")
    made.enrol_usual()
    async with made.serving():
        yield made


def governing(agency: Agency, *documents: Message, to: str = BETA) -> bytes:
    """Return a message of governance with these documents."""
    return envelope(agency, _header(agency, to), *documents)


def _header(agency: Agency, to: str = BETA) -> envelope_pb2.Header:
    return header(agency.agency_id, (to, "base", "Base Art. 1"), kind=GOVERNANCE, offences=())


def a_statement(
    agency: Agency, *, root: MemorySigner | None = None, **changes: object
) -> key_statement_pb2.SignedKeyStatement:
    """Return the agency's next key statement with something about it changed; it adds no key."""
    latest = key_statement_pb2.KeyStatement.FromString(agency.latest.statement)
    root = root or agency.root
    stated: dict[str, object] = {
        "agency": agency.agency,
        "root": root.public_key,
        "create_time": time.time_ns(),
        "sequence": latest.sequence + 1,
        "previous_digest": statements.digest(agency.latest),
    }
    return statements.sign(statements.build(**stated | changes), root)  # type: ignore[arg-type]  # as build names them


def an_agreement(
    house: House,
    one: str,
    other: str,
    *,
    name: str = "pact",
    version: int = 1,
    signed_by: Sequence[str] | None = None,
) -> agreement_pb2.SignedAgreement:
    """Return an agreement of two agencies, signed by both or by those named.

    An agency that is not enrolled gets a root that whoever invents it could have made.
    """
    text = PACT.format(name=name, version=version, one=one, other=other)
    roots = {
        party: house.agency(party).root if party in house.world.agencies else signer(party)
        for party in (one, other)
    }
    data = render(
        read_agreement(text, file="agreement.yaml"),
        roots={party: root.public_key for party, root in roots.items()},
    )
    signed = agreement_pb2.SignedAgreement(agreement=data)
    for party in roots if signed_by is None else signed_by:
        signed = with_signature(signed, sign_agreement(data, signer=roots[party]))
    return signed


def check(house: House) -> list[str]:
    """Return what `fsck` finds in the ledger."""
    with open_snapshot(house.world.settings) as connection:
        report = check_ledger(
            connection, report=Report(origin=ORIGIN), progress=lambda _done, _size: None
        )
    return [str(finding) for finding in report.findings]


async def test_agency_replaces_its_own_key(house: House) -> None:
    """A key counts from its statement's entry; a revoked one signs no more, and did sign before."""
    alpha = house.agency(ALPHA)
    fresh = signer(f"{ALPHA} second signing")
    now = time.time_ns()
    old = alpha.signing

    async with house.wire(ALPHA) as wire:
        before = await wire.submit(house.good())
        rows = rows_of(house.folder)
        statement = alpha.next_statement(
            now=now,
            keys=[
                statements.enrol(
                    algorithm=fresh.public_key.algorithm,
                    public_key=fresh.public_key.raw,
                    role=codes_pb2.KEY_ROLE_SIGNING,
                    valid_from=now - HOUR,
                    valid_until=now + DAY,
                )
            ],
            revoked=[old.public_key.fingerprint],
        )
        message = governing(alpha, statement)
        submitted = await wire.submit(message)
        entered = rows_of(house.folder)
        entry = last_entry(house.folder)
        repeated = await wire.submit(governing_again := house.good())
        alpha.signing = fresh
        after = await wire.submit(house.good())
        policy = await policy_of(house, wire)

    assert governing_again
    assert repeated
    assert after
    assert submitted, entered
    assert (rows, entry, before, policy)
