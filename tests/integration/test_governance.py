"""Key statements and agreements over the wire: in force from their own entry, or refused whole."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence

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
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.operator.fsck import Report, check_ledger
from rogatory_gateway.operator.opening import load_registry, open_snapshot
from tests.support import records
from tests.support.forge import draft
from tests.support.house import ALPHA, BETA, GAMMA, LOG_KEY, SUPERVISOR, House
from tests.support.verifying import policy_of, replay_log
from tests.support.wire import dispositions, fault_in, last_entry, receipt_file, rows_of
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
    of: Agency, *, root: MemorySigner | None = None, **changes: object
) -> key_statement_pb2.SignedKeyStatement:
    """Return the agency's next key statement with something about it changed; it adds no key."""
    latest = key_statement_pb2.KeyStatement.FromString(of.latest.statement)
    root = root or of.root
    stated: dict[str, object] = {
        "agency": of.agency,
        "root": root.public_key,
        "create_time": time.time_ns(),
        "sequence": latest.sequence + 1,
        "previous_digest": statements.digest(of.latest),
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


def _registry(house: House) -> Registry:
    with open_snapshot(house.world.settings) as connection:
        return load_registry(connection)


def check(house: House) -> list[str]:
    """Return what `fsck` finds in the ledger."""
    with open_snapshot(house.world.settings) as connection:
        report = check_ledger(
            connection, report=Report(origin=ORIGIN), progress=lambda _done, _size: None
        )
    return [str(finding) for finding in report.findings]


async def test_agency_replaces_its_own_key(house: House) -> None:
    """A key counts from its statement's entry on; a revoked one signed before, and no more."""
    alpha = house.agency(ALPHA)
    old, fresh = alpha.signing, signer(f"{ALPHA} second signing")
    before_revocation, after_revocation = house.good(), house.good()
    now = time.time_ns()
    added = statements.enrol(
        algorithm=fresh.public_key.algorithm,
        public_key=fresh.public_key.raw,
        role=codes_pb2.KEY_ROLE_SIGNING,
        valid_from=now - HOUR,
        valid_until=now + DAY,
    )

    async with house.wire(ALPHA) as wire:
        before = await wire.submit(before_revocation)
        rows = rows_of(house.folder)
        statement = alpha.next_statement(
            now=now, keys=[added], revoked=[old.public_key.fingerprint]
        )
        submitted = await wire.submit(governing(alpha, statement))
        entered, entry = rows_of(house.folder), last_entry(house.folder)
        refused = await fault_in(wire.submit(after_revocation))
        again = await wire.submit(before_revocation)
        alpha.signing = fresh
        after = await wire.submit(house.good())
        policy = await policy_of(house, wire)

    assert [PERMITTED] == dispositions(submitted.submission)
    # The message first, then what it brought: the key that signed it is revoked by the latter.
    assert (rows.entries + 2, rows.governance + 1) == (entered.entries, entered.governance)
    assert ("governance:key_statement:entered", ALPHA) == (entry.tag, entry.actor)
    assert statement == entry.governance.key_statement
    assert "KEY_REVOKED" == refused.reason
    # A retry of what was entered before gets its first answer, whatever became of the key.
    assert again.submission.repeated_submission
    assert before.submission.outcomes == again.submission.outcomes
    for answer in (before, submitted, again, after):
        receipt_file(answer.submission, answer.checkpoint).verify(policy)


@pytest.mark.parametrize("batched", [False, True])
async def test_agreement_is_in_force_for_the_next_message(house: House, *, batched: bool) -> None:
    """Signed by all and submitted by one: from then on it decides, in the same batch already."""
    name = f"beta-gamma-{batched:d}"
    beta = house.agency(BETA)
    agreement = an_agreement(house, BETA, GAMMA, name=name)
    sent = envelope(beta, header(BETA, (GAMMA, name, "Art. 1")), records.indicators())
    early = envelope(beta, header(BETA, (GAMMA, name, "Art. 1")), records.indicators())

    async with house.wire(BETA) as wire:
        (refused,) = dispositions((await wire.submit(early)).submission)
        if batched:
            batch = await wire.submit_batch(governing(beta, agreement, to=GAMMA), sent)
            submissions = [result.submission for result in batch.results]
        else:
            submissions = [
                (await wire.submit(message)).submission
                for message in (governing(beta, agreement, to=GAMMA), sent)
            ]

    assert decision_pb2.DISPOSITION_REFUSED == refused
    assert [[PERMITTED], [PERMITTED]] == [dispositions(item) for item in submissions]


def _foreign_statement(house: House) -> list[Message]:
    return [a_statement(house.agency(BETA))]


def _gap(house: House) -> list[Message]:
    latest = key_statement_pb2.KeyStatement.FromString(house.agency(GAMMA).latest.statement)
    return [a_statement(house.agency(GAMMA), sequence=latest.sequence + 2)]


def _other_predecessor(house: House) -> list[Message]:
    return [a_statement(house.agency(GAMMA), previous_digest=bytes(32))]


def _other_root(house: House) -> list[Message]:
    return [a_statement(house.agency(GAMMA), root=signer("another root"))]


def _other_kind(house: House) -> list[Message]:
    presented = house.agency(GAMMA).agency
    presented.kind = codes_pb2.AGENCY_KIND_SUPERVISORY_AUTHORITY
    return [a_statement(house.agency(GAMMA), agency=presented)]


def _two_documents(house: House) -> list[Message]:
    return [a_statement(house.agency(GAMMA)), an_agreement(house, ALPHA, GAMMA)]


def _no_document(_house: House) -> list[Message]:
    return [records.context()]


def _foreign_agreement(house: House) -> list[Message]:
    return [an_agreement(house, ALPHA, BETA)]


def _half_signed(house: House) -> list[Message]:
    return [an_agreement(house, ALPHA, GAMMA, signed_by=[GAMMA])]


def _version_gap(house: House) -> list[Message]:
    return [an_agreement(house, ALPHA, GAMMA, version=2)]


def _taken_id(house: House) -> list[Message]:
    return [an_agreement(house, GAMMA, SUPERVISOR, name="alpha-beta", version=2)]


def _too_large(_house: House) -> list[Message]:
    signature = envelope_pb2.Signature(key=bytes(32), value=bytes(8192))
    return [agreement_pb2.SignedAgreement(agreement=bytes(40_000), signatures=[signature] * 4)]


def _invented_party(house: House) -> list[Message]:
    return [an_agreement(house, GAMMA, "xx.invented")]


@pytest.mark.parametrize(
    "documents",
    [
        _foreign_statement,
        _gap,
        _other_predecessor,
        _other_root,
        _other_kind,
        _two_documents,
        _no_document,
        _foreign_agreement,
        _half_signed,
        _version_gap,
        _taken_id,
        _invented_party,
        _too_large,
    ],
)
async def test_what_cannot_be_taken_into_force(
    house: House, documents: Callable[[House], list[Message]]
) -> None:
    """The message is turned away whole and logged as rejected; nothing is in force of it."""
    message = governing(house.agency(GAMMA), *documents(house))

    await _turned_away(house, message)


async def test_sealed_document_is_not_taken(house: House) -> None:
    """What the gateway cannot read can't be in force."""
    gamma = house.agency(GAMMA)
    made = draft(_header(gamma), a_statement(gamma), signer=gamma.signing, sealed=[0])

    await _turned_away(house, made.serialise())


async def test_exercise_does_not_govern(house: House) -> None:
    """Training never touches live traffic, so it changes no keys and no agreements."""
    gamma = house.agency(GAMMA)
    head = _header(gamma)
    head.exercise = True

    await _turned_away(house, envelope(gamma, head, a_statement(gamma)))


async def test_refused_message_does_not_govern(house: House) -> None:
    """A message that no recipient may have brings nothing into force: a refusal is a refusal."""
    gamma = house.agency(GAMMA)
    head = header(GAMMA, (BETA, "alpha-gamma", "Art. 1"), kind=GOVERNANCE, offences=())
    rows = rows_of(house.folder)

    async with house.wire(GAMMA) as wire:
        answer = await wire.submit(envelope(gamma, head, a_statement(gamma)))

    now = rows_of(house.folder)
    assert [decision_pb2.DISPOSITION_REFUSED] == dispositions(answer.submission)
    assert (rows.entries + 1, rows.governance) == (now.entries, now.governance)


async def _turned_away(house: House, message: bytes) -> None:
    rows = rows_of(house.folder)

    async with house.wire(GAMMA) as wire:
        fault = await fault_in(wire.submit(message))
    now, entry = rows_of(house.folder), last_entry(house.folder)

    assert ("INVALID_ARGUMENT", "GOVERNANCE_INVALID") == (fault.code, fault.reason)
    assert rows.after(entries=1) == now
    assert ("exchange:message:rejected", GAMMA) == (entry.tag, entry.actor)
    assert "GOVERNANCE_INVALID" == entry.rejection.reason


async def test_new_version_needs_all_parties_of_the_old(house: House) -> None:
    """A party comes in by everybody's signature; others can't end what they are not party to."""
    alpha = house.agency(ALPHA)
    one, other = (
        an_agreement(house, ALPHA, party, name="changing", version=version)
        for version, party in ((1, BETA), (2, GAMMA))
    )

    async with house.wire(ALPHA) as wire:
        await wire.submit(governing(alpha, one))
        fault = await fault_in(wire.submit(governing(alpha, other)))
        sent = envelope(alpha, header(ALPHA, (BETA, "changing", "Art. 1")), records.indicators())
        (still,) = dispositions((await wire.submit(sent)).submission)

    assert ("GOVERNANCE_INVALID", PERMITTED) == (fault.reason, still)


async def test_revoked_connection_key_shuts_the_door(house: House) -> None:
    """An agency whose TLS key is stolen ends the key itself, and it is let in no more at once."""
    stolen = house.world.agencies[GAMMA]
    digest = next(
        key.fingerprint for key in _registry(house).ring.keys_of(GAMMA, codes_pb2.KEY_ROLE_TLS)
    )

    async with house.wire(GAMMA) as wire:
        statement = stolen.next_statement(now=time.time_ns(), revoked=[digest])
        await wire.submit(governing(stolen, statement))
        fault = await fault_in(wire.submit(governing(stolen, statement)))

    assert ("PERMISSION_DENIED", "KEY_REVOKED") == (fault.code, fault.reason)


async def test_ledger_is_sound_after_all_this(house: House) -> None:
    """An auditor replays the log with all that agencies entered; `fsck` finds nothing."""
    async with house.wire(SUPERVISOR) as supervisor:
        replay = await replay_log(supervisor, LOG_KEY)

    assert replay.counts.outcomes == replay.counts.decisions > 0
    assert [] == check(house)
