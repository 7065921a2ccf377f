"""The ledger: one order for everything, whoever writes, whatever fails."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from rogatory import clock
from rogatory.audit.v1 import entry_pb2
from rogatory.errors import EnvelopeError, RogatoryError
from rogatory.exchange.v1 import decision_pb2
from rogatory.merkle import leaf_hash, root_of, verify_inclusion
from rogatory_gateway.delivery.publishing import tree_at
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.database import open_engine
from rogatory_gateway.ledger.deciding import Decider
from rogatory_gateway.ledger.items import GovernanceItem, MessageItem, RejectionItem
from rogatory_gateway.ledger.ledger import Ledger
from tests.support import records
from tests.support.history import NL, RO, SG, History
from tests.support.world import ORIGIN, Agency, World, envelope, header

REFUSED = decision_pb2.DISPOSITION_REFUSED
PERMITTED = decision_pb2.DISPOSITION_PERMITTED
QUOTA = 10_000


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """A ledger with three agencies and an agreement."""
    made = History(World(tmp_path / "gateway"))
    yield made
    made.close()


def check_tree(history: History) -> None:
    """The head's root, the stored tiles and the entries are one tree."""
    engine = open_engine(history.world.folder / "data", read_only=True)
    with engine.connect() as connection:
        entries = connection.execute(
            select(tables.entries.c.idx, tables.entries.c.entry).order_by(tables.entries.c.idx)
        ).all()
        size = connection.execute(select(tables.head.c.size)).scalar_one()
        tree = tree_at(connection, size)
        root = root_of(leaf_hash(row.entry) for row in entries)
        assert [*range(size)] == [row.idx for row in entries]
        assert root == tree.root
        for row in entries[:: max(1, size // 20)]:
            verify_inclusion(
                leaf=leaf_hash(row.entry),
                index=row.idx,
                size=size,
                proof=tree.inclusion_proof(row.idx),
                root=root,
            )
    engine.dispose()


def entry_times(history: History) -> list[int]:
    """Return the time of every entry."""
    with history._engine.connect() as connection:
        return list(
            connection.execute(
                select(tables.entries.c.entry_time).order_by(tables.entries.c.idx)
            ).scalars()
        )


def test_twins_in_one_group(history: History) -> None:
    """The same message twice in a group is entered once, and both get the one outcome."""
    one = history.transfer(RO)
    two = MessageItem(actor=NL, certificate=bytes(32), opened=one.opened, signers=one.signers)

    history.append(one, two)

    assert (False, True) == (one.repeated, two.repeated)
    assert (one.index, one.entry, one.outcomes) == (two.index, two.entry, two.outcomes)
    check_tree(history)


def test_same_id_other_header_in_one_group(history: History) -> None:
    """The second header under an id is turned away and logged, also within a group."""
    one = history.transfer(RO)
    head = header(NL, (SG, "pact", "Art. 1"))
    head.message_id = one.opened.header.message_id
    two = history.item(envelope(history.world.agencies[NL], head, records.indicators()))

    history.append(one, two)

    assert one.error is None
    assert two.error is not None
    assert "CONFLICT" == two.error.reason
    entry = entry_pb2.AuditEntry.FromString(two.entry)
    assert two.opened.header_bytes == entry.rejection.header


def test_entry_time_never_goes_back(history: History) -> None:
    """A clock that is set back does not turn the log's time round; validity follows the log."""
    ahead = time.time_ns() + clock.NANOSECONDS_PER_DAY // 48
    history.ledger._now = lambda: ahead
    history.append(history.transfer(RO))
    history.ledger._now = lambda: 1

    late = history.transfer(RO)
    history.append(late)

    times = entry_times(history)
    assert sorted(times) == times
    assert [ahead, ahead] == times[-2:]


def test_expiry_is_judged_at_entry(history: History) -> None:
    """What was in time at admission and is late at entry is turned away, with the header logged."""
    item = history.transfer(RO)
    expires = clock.to_nanoseconds(item.opened.header.expire_time)
    history.ledger._now = lambda: expires

    history.append(item)

    assert item.error is not None
    assert "EXPIRED" == item.error.reason
    assert [] == item.outcomes


def test_key_and_agency_are_judged_at_entry(history: History) -> None:
    """What was signed by a key, or sent by an agency, that was revoked in the meantime is late."""
    first, second = history.transfer(RO, sender=SG), history.transfer(RO)
    nl = history.world.agencies[NL]
    history.world.govern(
        entry_pb2.Governance(
            key_statement=nl.next_statement(
                now=time.time_ns(), revoked=[nl.signing.public_key.fingerprint]
            )
        )
    )
    history.world.revoke(SG)

    history.append(first, second)

    errors = [item.error for item in (first, second)]
    assert ["AGENCY_REVOKED", "KEY_REVOKED"] == [error.reason for error in errors if error]


def test_two_writers(history: History) -> None:
    """Two processes on one ledger take turns: one sequence of entries, one tree, one numbering."""
    engine = open_engine(history.world.folder / "data")
    other = Ledger(engine, now=time.time_ns)
    items = []
    for turn in range(12):
        item = history.transfer(RO)
        (other if turn % 3 else history.ledger).append([item])
        items.append(item)
    again = MessageItem(
        actor=NL, certificate=bytes(32), opened=items[1].opened, signers=items[1].signers
    )
    history.ledger.append([again])
    other.close()
    engine.dispose()

    assert [*range(4, 16)] == [item.index for item in items]
    assert [*range(1, 13)] == [item.outcomes[0].inbox_position for item in items]
    assert (True, items[1].index) == (again.repeated, again.index)
    check_tree(history)


def test_failure_in_the_midst_leaves_nothing(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that fails while it is decided is undone whole; the next one goes on."""
    history.append(*(history.transfer(RO) for _ in range(50)))
    size = history.ledger.head.size
    calls = 0
    decide = Decider.decide

    def failing(self: Decider, *args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 7:
            message = "a defect"
            raise RuntimeError(message)
        return decide(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Decider, "decide", failing)
    group = [history.transfer(RO, count=3) for _ in range(10)]
    with pytest.raises(RuntimeError, match="a defect"):
        history.ledger.begin(group)
    monkeypatch.undo()
    after = history.transfer(RO)
    history.append(after)

    assert size == after.index
    assert 51 == after.outcomes[0].inbox_position
    check_tree(history)


@pytest.mark.parametrize("took", [False, True])
def test_unknown_result_of_a_commit(history: History, *, took: bool) -> None:
    """Whether a failed commit took or not, the same message is entered once in the end."""
    item = history.transfer(RO)
    size = history.ledger.head.size
    group = history.ledger.begin([item])
    if took:
        group.commit()
    history.ledger.forget()
    again = MessageItem(actor=NL, certificate=bytes(32), opened=item.opened, signers=item.signers)

    history.ledger.append([again])

    assert (took, size) == (again.repeated, again.index)
    assert 1 == again.outcomes[0].inbox_position
    history.append(history.transfer(RO))
    check_tree(history)


def test_ledger_is_usable_after_a_commit_that_failed(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that the disk refuses does not leave the connection in the way of the next."""
    connection = history.ledger._connection
    group = history.ledger.begin([history.transfer(RO)])

    def refuse(_: object) -> None:
        raise OperationalError("COMMIT", None, Exception("disk I/O error"))

    monkeypatch.setattr(connection.dialect, "do_commit", refuse)
    with pytest.raises(OperationalError):
        group.commit()
    monkeypatch.undo()
    history.ledger.forget()
    item = history.transfer(RO)
    history.append(item)

    assert 4 == item.index
    check_tree(history)


def test_many_groups_make_one_tree(history: History) -> None:
    """Over full tiles and odd group sizes, stored tiles and head stay the tree of the entries."""
    for count in (1, 249, 3, 1, 17):
        history.append(*(history.transfer(RO) for _ in range(count)))

    check_tree(history)


def test_quota_counts_within_a_group(history: History) -> None:
    """Messages of one group use up the quota in turn; what was refused uses none."""
    full, over, rest = (
        history.transfer(RO, count=QUOTA // 4 - 1),
        history.transfer(RO, count=QUOTA // 4),
        history.transfer(RO, count=4),
    )
    fill = [history.transfer(RO, count=QUOTA // 4) for _ in range(3)]

    history.append(*fill, full, over, rest)

    found = [item.outcomes[0].disposition for item in (full, over, rest)]
    assert [PERMITTED, REFUSED, REFUSED] == found
    single = history.transfer(RO, count=1)
    other = history.transfer(SG, count=QUOTA // 4)
    history.append(single, other)
    assert [PERMITTED, PERMITTED] == [item.outcomes[0].disposition for item in (single, other)]


def test_training_uses_no_quota(history: History) -> None:
    """A drill neither meets the quota nor uses it up."""
    drills = [history.transfer(RO, count=QUOTA // 4, exercise=True) for _ in range(6)]
    live = [history.transfer(RO, count=QUOTA // 4) for _ in range(4)]

    history.append(*drills, *live)

    assert {PERMITTED} == {item.outcomes[0].disposition for item in (*drills, *live)}
    with history._engine.connect() as connection:
        counted = connection.execute(select(tables.quota_counts.c["count"])).scalars().all()
    assert [QUOTA] == counted


def test_governance_that_does_not_follow(history: History) -> None:
    """A document that is refused enters nothing, says why, and does not trouble its group."""
    stranger = Agency(agency_id=NL)
    spki = b"a TLS key of nobody".ljust(32)
    statement = stranger.statement(spki=spki, now=time.time_ns())
    size = history.ledger.head.size
    bad = GovernanceItem(actor="operator", document=entry_pb2.Governance(key_statement=statement))
    good = history.transfer(RO)

    history.append(bad, good)

    assert isinstance(bad.error, RogatoryError)
    assert bad.error.hint
    assert (-1, size) == (bad.index, good.index)


def test_rejections_keep_no_record(history: History) -> None:
    """Of a submission turned away a salted commitment stays: the same bytes twice differ."""
    fault = EnvelopeError("wrong", hint="Mend it.", reason="MALFORMED")
    received = b"personal data"
    items = [
        RejectionItem(actor=NL, certificate=bytes(32), error=fault, received=received)
        for _ in range(2)
    ]

    history.append(*items)

    first, second = (entry_pb2.AuditEntry.FromString(item.entry).rejection for item in items)
    assert 32 == len(first.commitment)
    assert first.commitment != second.commitment
    assert hashlib.sha256(received).digest() not in (first.commitment, second.commitment)
    database = (history.world.folder / "data").glob("*")
    assert not [file for file in database if received in file.read_bytes()]


def test_refused_parts_are_not_kept(history: History) -> None:
    """Neither parts of a refused message nor its salt are in the database."""
    refused = history.transfer(RO, agreement_id="none")
    permitted = history.transfer(RO)

    history.append(refused, permitted)

    with history._engine.connect() as connection:
        kept = connection.execute(select(tables.parts.c.idx)).scalars().all()
    assert [permitted.index] == kept
    assert ORIGIN == permitted.opened.header.audience
    salt = refused.opened.parts[0].clear.salt
    files = (history.world.folder / "data").glob("*")
    assert not [file for file in files if salt in file.read_bytes()]
