"""The log over the wire: who sees what of it, and proofs that hold without the gateway's word."""

from __future__ import annotations

import hashlib

import pytest

from rogatory.audit.v1 import audit_service_pb2, entry_pb2
from rogatory.checkpoints import open_checkpoint
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.merkle import leaf_hash
from rogatory.tiles import TileReader, tiles_between
from tests.support import records
from tests.support.house import ALPHA, BETA, GAMMA, SUPERVISOR, House
from tests.support.verifying import Watcher, replay_log
from tests.support.wire import Wire, fault_in, header_of, last_entry, rows_of
from tests.support.world import envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

au = audit_service_pb2


async def entries(wire: Wire, **filters: object) -> list[audit_service_pb2.ListedEntry]:
    """Return all entries that the filters match, page by page."""
    request = au.ListEntriesRequest(page_size=7, **filters)  # type: ignore[arg-type]
    found: list[audit_service_pb2.ListedEntry] = []
    while True:
        page = await wire.audit.ListEntries(request)
        found += page.entries
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def opened(item: audit_service_pb2.ListedEntry) -> entry_pb2.AuditEntry:
    """Return a listed entry, parsed."""
    return entry_pb2.AuditEntry.FromString(item.entry)


def recipients(item: audit_service_pb2.ListedEntry) -> list[str]:
    """Return whose outcomes are opened."""
    return [decision_pb2.Outcome.FromString(opening.outcome).recipient for opening in item.outcomes]


async def test_who_sees_what(house: House) -> None:
    """The sender opens all outcomes, a recipient its own, a supervisor all; others see no entry."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 4"), (GAMMA, "alpha-gamma", "Art. 99"))
    sent = envelope(house.agency(ALPHA), head, records.indicators())

    async with house.wire(ALPHA) as alpha:
        response = await alpha.submit(sent)
    index = response.submission.receipt.index
    seen = {}
    for agency in (ALPHA, BETA, GAMMA, SUPERVISOR):
        async with house.wire(agency) as wire:
            found = await entries(wire, message_id=head.message_id)
        seen[agency] = [(item.index, recipients(item)) for item in found]

    both = [(index, [BETA, GAMMA])]
    assert {ALPHA: both, BETA: [(index, [BETA])], GAMMA: [], SUPERVISOR: both} == seen


async def test_filters_do_not_tell_of_others(house: House) -> None:
    """A recipient cannot find out by filters what was decided for another."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 4"), (GAMMA, "alpha-gamma", "Art. 99"))
    sent = envelope(house.agency(ALPHA), head, records.indicators())

    async with house.wire(ALPHA) as alpha, house.wire(BETA) as beta:
        await alpha.submit(sent)
        refused = await entries(
            beta, message_id=head.message_id, disposition=decision_pb2.DISPOSITION_REFUSED
        )
        agreement = await entries(beta, message_id=head.message_id, agreement_id="alpha-gamma")
        named = await entries(beta, message_id=head.message_id, agency=GAMMA)
        own = await entries(alpha, message_id=head.message_id, agreement_id="alpha-gamma")

    assert ([], []) == (refused, agreement)
    assert 1 == len(named) == len(own)


async def test_each_read_is_logged(house: House) -> None:
    """Reading the log is entered in the log, with a commitment to what was asked."""
    async with house.wire(SUPERVISOR) as supervisor:
        rows = rows_of(house.folder)
        page = await supervisor.audit.ListEntries(au.ListEntriesRequest(page_size=3))
        now = rows_of(house.folder)
        entry = last_entry(house.folder)

    assert rows.after(entries=1) == now
    assert ("audit:log:read", SUPERVISOR) == (entry.tag, entry.actor)
    assert "rogatory.audit.v1.AuditService/ListEntries" == entry.access.call
    assert len(page.entries) == entry.access.items == 3
    assert 32 == len(entry.access.commitment) == len(entry.certificate_fingerprint)


async def test_commitments_can_be_opened(house: House) -> None:
    """A rejection and a read open with their salts, for who made them and for supervisors."""
    received, request = b"\xff\x01", au.ListEntriesRequest(tag_prefix="audit:log:read")

    async with house.wire(ALPHA) as alpha, house.wire(SUPERVISOR) as supervisor:
        start = (await alpha.submit(house.good())).submission.receipt.index
        await fault_in(alpha.submit(received))
        await alpha.audit.ListEntries(request)
        found = {name: await entries(wire) for name, wire in ((ALPHA, alpha), ("all", supervisor))}

    domains = {"rejection": b"rogatory.rejection.v1", "access": b"rogatory.access.v1"}
    contents = {"rejection": received, "access": request.SerializeToString(deterministic=True)}
    for seen in found.values():
        message, *rest = [item for item in seen if start <= item.index <= start + 2]
        assert b"" == message.salt
        for item, body in zip(rest, ("rejection", "access"), strict=True):
            data = domains[body] + b"\0" + item.salt + contents[body]
            assert getattr(opened(item), body).commitment == hashlib.sha256(data).digest()


async def test_filters(house: House) -> None:
    """Kind, tag, disposition and time each narrow the list."""
    head = header(ALPHA, (BETA, "alpha-beta", "Art. 99"))
    refused = envelope(house.agency(ALPHA), head, records.indicators())

    async with house.wire(ALPHA) as alpha, house.wire(SUPERVISOR) as supervisor:
        await alpha.submit(house.good())
        await fault_in(alpha.submit(b"\xff"))
        response = await alpha.submit(refused)
        this = entry_pb2.AuditEntry.FromString(response.submission.receipt.entry)

        governed = await entries(supervisor, tag_prefix="governance:")
        rejected = await entries(alpha, tag_prefix="exchange:message:rejected")
        transfers = await entries(supervisor, kind=codes_pb2.KIND_TRANSFER)
        refusals = await entries(alpha, disposition=decision_pb2.DISPOSITION_REFUSED)
        since = await entries(alpha, from_time=this.entry_time, agency=ALPHA)
        before = await entries(supervisor, before_time=this.entry_time)
        late = await entries(supervisor, from_time={"seconds": 253_402_300_799})
        early = await entries(supervisor, before_time={"seconds": -62_135_596_800})
        wild = await entries(supervisor, tag_prefix="%")

    assert {"governance"} == {opened(item).WhichOneof("body") for item in governed}
    assert "MALFORMED" == opened(rejected[-1]).rejection.reason
    assert all(opened(item).tag.startswith("exchange:transfer:") for item in transfers)
    assert head.message_id == header_of_entry(refusals[-1])
    assert response.submission.receipt.index == since[0].index
    assert response.submission.receipt.index == before[-1].index + 1
    assert ([], [], []) == (late, early, wild)


def header_of_entry(item: audit_service_pb2.ListedEntry) -> str:
    """Return the message id of an entry."""
    return envelope_pb2.Header.FromString(opened(item).message.header).message_id


async def test_supervisor_replays_the_whole_log(house: House) -> None:
    """From the entries alone: every signature, every proof, every decision again."""
    async with house.wire(ALPHA) as alpha, house.wire(SUPERVISOR) as supervisor:
        for _ in range(5):
            await alpha.submit(house.good())
        replay = await replay_log(supervisor, house.log_key)

    counts = replay.counts
    assert counts.outcomes == counts.decisions > 5
    assert counts.messages >= 5
    assert (5, 2) == (counts.key_statements, counts.agreements)


async def test_checkpoints_extend_each_other(house: House) -> None:
    """Each checkpoint is proved to extend the one before, also when nothing came in between."""
    async with house.wire(ALPHA) as alpha, house.wire(GAMMA) as gamma:
        watcher = Watcher(gamma, house.log_key)
        sizes = [(await watcher.look()).checkpoint.size]
        for count in (0, 1, 2, 300, 1):
            if count:
                await alpha.submit_batch(*(house.good() for _ in range(min(count, 256))))
            sizes.append((await watcher.look()).checkpoint.size)

    assert sorted(sizes) == sizes
    assert sizes[0] == sizes[1]
    assert sizes[-1] > sizes[1] + 256


async def test_tiles_are_the_checkpoints_tree(house: House) -> None:
    """The tiles of a checkpoint's size lead to its root; what lies beyond is not given out."""
    async with house.wire(ALPHA) as alpha, house.wire(SUPERVISOR) as supervisor:
        await alpha.submit_batch(*(house.good() for _ in range(256)))
        checkpoint = await Watcher(alpha, house.log_key).look()
        size, root = checkpoint.checkpoint.size, checkpoint.checkpoint.root
        hashes: dict[tuple[int, int], bytes] = {}
        for tile in tiles_between(0, size):
            answer = await alpha.audit.GetTile(
                au.GetTileRequest(level=tile.level or 0, number=tile.n, width=tile.width)
            )
            hashes[tile.level or 0, tile.n] = answer.hashes
        beyond = await fault_in(
            alpha.audit.GetTile(au.GetTileRequest(number=size >> 8, width=(size & 255) + 1))
        )
        listed = await entries(supervisor, kind=codes_pb2.KIND_TRANSFER)

    tree = TileReader(lambda level, number, width: hashes[level, number][: 32 * width]).tree(size)
    assert root == tree.root
    assert "DENIED_OR_ABSENT" == beyond.reason
    assert len(hashes) >= 3
    for item in (entry for entry in listed if entry.index < size):
        row = hashes[0, item.index >> 8]
        offset = 32 * (item.index & 255)
        assert leaf_hash(item.entry) == row[offset : offset + 32]


async def test_checkpoint_is_signed_by_the_log(house: House) -> None:
    """The verifier key that is offered is the one partners were given, and it verifies."""
    async with house.wire(ALPHA) as alpha:
        answer = await alpha.audit.GetCheckpoint(au.GetCheckpointRequest())

    assert house.log_key.text == answer.verifier_key
    signed = open_checkpoint(answer.checkpoint.encode(), log_keys=[house.log_key])
    assert rows_of(house.folder).entries == signed.checkpoint.size
    assert header_of(house.good()).audience == signed.checkpoint.origin
