"""A draft over a real gateway's log: it agrees with replay, and with a gateway that has it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rogatory.agreements import CompiledAgreement, compile_agreement, read_agreement, render
from rogatory.audit.v1 import audit_service_pb2
from rogatory.cli.trust import write_policy
from rogatory.decisions import decision_bytes
from rogatory.entries import open_entry, replay_decision
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import write_private_file
from rogatory.logreplay import LogReplay
from rogatory.pastentries import PastExchange, PastReader
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from rogatory.records.v1 import common_pb2
from rogatory.simulation import Change, Simulation
from tests.support import records
from tests.support.house import AGREEMENT, ALPHA, BETA, GAMMA, SUPERVISOR, WITH_GAMMA, House
from tests.support.wire import LOCALHOST, Wire, header_of
from tests.support.world import ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

au = audit_service_pb2

LIMITED = AGREEMENT.replace(
    "scope: {kinds: [transfer], categories: [indicator]}",
    "scope: {kinds: [transfer], categories: [indicator]}\n"
    "    conditions: {quota: {unit: messages, limit: 4, period_days: 30}}",
)
"""What is in force: four messages of indicators in thirty days."""
WITHOUT_PERSONS = LIMITED.replace(
    """\
  - clause_id: persons
    article: Art. 4(2)
    effect: permit
    scope: {kinds: [transfer], categories: [person]}
""",
    "",
).replace("limit: 4", "limit: 2")
"""The draft: no persons, and half as many messages."""
HEALTH = [common_pb2.FIELD_GROUP_HEALTH]


def make_house(folder: Path, agreement: str) -> House:
    """Make a gateway with the usual agencies where this agreement is in force."""
    house = House(folder, extra_config="\n[limits]\nkeep_alive_seconds = 0.1\n")
    with house.world.together():
        for agency in (ALPHA, BETA, GAMMA):
            house.world.enrol(agency)
        house.world.enrol(SUPERVISOR, kind=codes_pb2.AGENCY_KIND_SUPERVISORY_AUTHORITY)
        house.world.agree(agreement)
        house.world.agree(WITH_GAMMA)
    return house


def messages(house: House) -> list[bytes]:
    """Return a little of everything between the two, and what does not concern the draft."""
    alpha, beta = house.agency(ALPHA), house.agency(BETA)
    to_beta, persons = (BETA, "alpha-beta", "Art. 4"), records.persons(records.person())
    made = [
        envelope(alpha, header(ALPHA, to_beta), records.indicators(tag=f"m{number}"))
        for number in range(6)
    ]
    made += [
        envelope(alpha, header(ALPHA, to_beta), persons),
        envelope(alpha, header(ALPHA, to_beta), persons, records.indicators()),
        envelope(beta, header(BETA, (ALPHA, "alpha-beta", "Art. 4")), persons),
        envelope(
            beta,
            header(BETA, (ALPHA, "alpha-beta", "Art. 4")),
            persons,
            records.indicators(),
        ),
        envelope(
            beta,
            header(BETA, (ALPHA, "alpha-beta", "Art. 4")),
            records.persons(records.person(groups=HEALTH)),
            records.indicators(),
        ),
        envelope(alpha, header(ALPHA, (BETA, "alpha-beta", "Art. 99")), records.indicators()),
        envelope(
            alpha,
            header(ALPHA, to_beta, (GAMMA, "alpha-gamma", "Art. 1")),
            persons,
        ),
    ]
    exercise = header(ALPHA, to_beta)
    exercise.exercise = True
    return [*made, envelope(alpha, exercise, persons)]


RERUN = 13
"""So many of their outcomes are live ones under the agreement of the two."""


async def submit(house: House, sent: Sequence[bytes]) -> list[Receipt]:
    """Submit messages in order, each by its sender; return their receipts."""
    found = []
    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        for data in sent:
            wire = {ALPHA: alpha, BETA: beta}[header_of(data).sender]
            response = await wire.submit(data)
            found.append(Receipt.from_submission(response.submission, response.checkpoint))
    return found


def decided(receipts: Sequence[Receipt]) -> list[decision_pb2.Outcome]:
    """Return the live outcomes under the agreement of the two, in the order of the log."""
    found = []
    for receipt in receipts:
        opened = open_entry(receipt.entry)
        assert opened.message is not None
        if not opened.message.header.exercise:
            found += [
                decision_pb2.Outcome.FromString(opening.outcome) for opening in receipt.outcomes
            ]
    return [outcome for outcome in found if outcome.agreement_id == "alpha-beta"]


async def listed(wire: Wire, *, exercise: bool = False) -> list[audit_service_pb2.ListedEntry]:
    """Return all entries that the caller sees, with the outcomes it may open."""
    request = au.ListEntriesRequest(page_size=10, exercise=exercise)
    found: list[audit_service_pb2.ListedEntry] = []
    while True:
        page = await wire.audit.ListEntries(request)
        found += page.entries
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def read(entries: list[audit_service_pb2.ListedEntry], reader: PastReader) -> list[PastExchange]:
    """Return the exchanges among entries, verified."""
    taken = (reader.take(index=e.index, entry=e.entry, outcomes=e.outcomes) for e in entries)
    return [exchange for exchange in taken if exchange is not None]


@dataclass(frozen=True)
class Played:
    """A gateway that has decided the messages."""

    house: House
    sent: Sequence[bytes]
    receipts: Sequence[Receipt]

    async def entries(self, agency: str) -> list[audit_service_pb2.ListedEntry]:
        """Return the entries that an agency sees, training among live ones, in order."""
        async with self.house.wire(agency) as wire:
            # Reading is entered in the log too, as live: so the live ones come last.
            found = await listed(wire, exercise=True) + await listed(wire)
        return sorted(found, key=lambda entry: entry.index)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """A gateway with some past."""
    house = make_house(tmp_path_factory.mktemp("gateway") / "gateway", LIMITED)
    async with house.serving():
        sent = messages(house)
        yield Played(house, sent, await submit(house, sent))


def draft_of(house: House, text: str) -> CompiledAgreement:
    """Return an agreement as its parties would sign it."""
    draft = read_agreement(text)
    roots = {party.agency: house.agency(party.agency).root.public_key for party in draft.parties}
    return compile_agreement(render(draft, roots=roots))


async def test_the_agreement_in_force_changes_nothing_and_agrees_with_replay(
    played: Played,
) -> None:
    """Over the whole log each decision is the one that replay makes again, to the byte."""
    entries = await played.entries(SUPERVISOR)
    replay, reader = LogReplay(), PastReader()
    for item in entries:
        replay.take(index=item.index, entry=item.entry, outcomes=item.outcomes)
    past = read(entries, reader)
    simulation = Simulation(draft_of(played.house, LIMITED), agreements=reader.agreements)

    reruns = [rerun for exchange in past for rerun in simulation.take(exchange)]

    assert {Change.NONE} == {rerun.change for rerun in reruns}
    assert RERUN == len(reruns) == simulation.total.unchanged
    assert replay.counts.decisions == reader.checks.decisions > RERUN
    assert 1 == simulation.left_out.other_traffic
    assert (0, reader.checks.exchanges) == (reader.checks.unsigned, reader.checks.signed)
    by_index = {entry.index: entry for entry in entries}
    for rerun in reruns:
        entry = by_index[rerun.exchange.index]
        again = replay_decision(
            open_entry(entry.entry),
            next(one for one in entry.outcomes if one.recipient_index == rerun.position),
            rerun.recorded,
            replay.agreements,
        )
        assert again is not None
        assert decision_bytes(again.computed) == decision_bytes(rerun.decision)
        assert rerun.recorded.context == rerun.context


async def test_a_draft_changes_what_a_second_gateway_decides_otherwise(
    played: Played, tmp_path: Path
) -> None:
    """The same messages at a gateway that has the draft in force get the simulated decisions."""
    second = make_house(tmp_path / "gateway", WITHOUT_PERSONS)
    async with second.serving():
        expected = decided(await submit(second, played.sent))
    simulation = Simulation(draft_of(played.house, WITHOUT_PERSONS))
    past = read(await played.entries(SUPERVISOR), PastReader())

    reruns = [rerun for exchange in past for rerun in simulation.take(exchange)]

    assert [decision_bytes(outcome.decision) for outcome in expected] == [
        decision_bytes(rerun.decision) for rerun in reruns
    ]
    assert [list(outcome.context.quotas) for outcome in expected] == [
        list(rerun.context.quotas) for rerun in reruns
    ]
    before = [outcome.decision.disposition for outcome in decided(played.receipts)]
    differ = [a != b.decision.disposition for a, b in zip(before, expected, strict=True)]
    assert differ == [rerun.change.counts for rerun in reruns]
    # Of indicators the third and fourth, persons always; indicators beside them go on alone.
    assert (6, 0, 1) == (
        simulation.total.refused,
        simulation.total.permitted,
        simulation.total.parts,
    )


async def test_a_recipient_simulates_what_it_may_open(played: Played) -> None:
    """Who is a party sees its own outcomes; what others were sent beside it stays closed."""
    reader = PastReader()
    past = read(await played.entries(GAMMA), reader)
    simulation = Simulation(draft_of(played.house, LIMITED))

    reruns = [rerun for exchange in past for rerun in simulation.take(exchange)]

    assert [] == reruns
    assert (1, 1) == (simulation.left_out.not_openable, simulation.left_out.other_agreement)
    assert (1, 1) == (reader.checks.exchanges, reader.checks.unsigned)


def make_home(house: House, agency_id: str, folder: Path) -> Home:
    """Make an agency's folder that can read from the gateway."""
    home, agency = Home(folder), house.agency(agency_id)
    home.create()
    home.receipts.mkdir()
    write_private_file(home.key("tls"), agency.tls_key)
    home.client_certificate.write_bytes(agency.tls_certificate)
    home.ca_certificate.write_bytes(agency.ca)
    home.write_settings(
        AgencySettings(
            agency=agency_id,
            gateway=f"{LOCALHOST}:{house.port}",
            origin=ORIGIN,
            log=house.log_key.text,
        )
    )
    policy = Policy(log_keys=[house.log_key], roots={agency_id: agency.root.public_key})
    write_policy(policy, [], home.path)
    return home


async def rogatory(*arguments: object) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "rogatory",
        *(str(item) for item in arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def simulate(draft: Path, home: Home, *more: object) -> tuple[int, dict[str, Any], str]:
    """Run `rogatory agreement simulate`; return exit code, report, and what it noted."""
    code, out, err = await rogatory(
        "agreement", "simulate", draft, "--home", home.path, "--json", *more
    )
    assert out, err
    return code, json.loads(out), err


async def test_every_source_tells_the_same(played: Played, tmp_path: Path) -> None:
    """The gateway, an export of it, an agency's folder, and all of them together."""
    home = make_home(played.house, ALPHA, tmp_path / "alpha")
    for receipt in played.receipts:
        message = open_entry(receipt.entry).message
        assert message is not None
        if message.header.sender == ALPHA:
            path = home.receipts / f"{message.header.message_id}.tlog-proof"
            path.write_bytes(receipt.to_bytes())
    code, _, err = await rogatory("inbox", "--home", home.path)
    assert 0 == code, err
    draft, export = tmp_path / "draft.yaml", tmp_path / "log.jsonl"
    draft.write_text(WITHOUT_PERSONS)

    online = await simulate(draft, home, "--log", "gateway", "--save", export)
    code, _, err = await rogatory("receipt", "policy", "--home", home.path)
    assert 0 == code, err
    sources = {"gateway": online}
    sources["export"] = await simulate(draft, home, "--log", export, "--policy", home.policy_file)
    sources["folder"] = await simulate(draft, home, "--log", home.path)
    sources["receipts"] = await simulate(
        draft, home, "--log", home.receipts, "--log", home.inbox, "--policy", home.policy_file
    )
    sources["all"] = await simulate(
        draft, home, "--log", "gateway", "--log", home.path, "--log", export, "--fail-on-change"
    )

    report = online[1]
    assert 7 == report["total"]["changed"]
    for key in ("total", "by_clause", "by_partner", "outcomes", "exchanges"):
        assert dict.fromkeys(sources, report[key]) == {
            name: source[1][key] for name, source in sources.items()
        }
    assert [0, 0, 0, 0, 7] == [code for code, _, _ in sources.values()]
    for name in ("gateway", "export", "folder", "receipts"):
        read_there = sources[name][1]["read"]
        assert (0, read_there["exchanges"]) == (read_there["unsigned"], read_there["signed"])
        assert read_there["decisions"] == read_there["outcomes"]
    assert sources["folder"][1]["read"]["proven"] == len(list(home.receipts.iterdir()))


async def test_a_supervisory_authority_needs_no_agreement(played: Played, tmp_path: Path) -> None:
    """It is no party to any: keys and agreements are taken from the log it reads."""
    home = make_home(played.house, SUPERVISOR, tmp_path / "supervisor")
    draft = tmp_path / "draft.yaml"
    draft.write_text(WITHOUT_PERSONS)

    code, report, err = await simulate(draft, home, "--log", "gateway")

    assert (0, "") == (code, err)
    assert (RERUN, 7) == (report["total"]["outcomes"], report["total"]["changed"])
    read_there = report["read"]
    assert read_there["exchanges"] == read_there["signed"]
    assert read_there["outcomes"] == read_there["decisions"]
