"""The ledger: one transaction a group, in which messages are decided and entered in the log.

Order that survives a crash: commit entries and head, then sign, then answer. Everything kept in
memory here follows from the database and is thrown away when another process has moved the head.

Owned by whoever holds the write transaction: `_head`, `_tiles`, `_inboxes`, `registry`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from rogatory import clock, merkle
from rogatory.audit.v1 import entry_pb2
from rogatory.envelopes import check_key, outcome_commitment
from rogatory.errors import EnvelopeError, RogatoryError
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.deciding import Decider, outcome_bytes, referred_to
from rogatory_gateway.ledger.identity import identity_key
from rogatory_gateway.ledger.items import (
    AccessItem,
    AdvanceItem,
    GovernanceItem,
    Item,
    MessageItem,
    OutcomeRow,
    RejectionItem,
)
from rogatory_gateway.ledger.prepared import Statements
from rogatory_gateway.ledger.reading import LedgerState, governance_documents, load_outcomes
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.ledger.writing import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

MAX_ENTRY_BYTES = 65_535
"""Longest entry: C2SP tlog-tiles counts an entry's bytes in 16 bits."""

_KIND_NAMES = {
    number: name.removeprefix("KIND_").lower() for name, number in codes_pb2.Kind.items()
}
_ACTIONS: dict[int, str] = {
    decision_pb2.DISPOSITION_PERMITTED: "admitted",
    decision_pb2.DISPOSITION_WITHHELD: "admitted_in_part",
    decision_pb2.DISPOSITION_REFUSED: "refused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The log's head.

    Attributes:
        size: Entries.
        entry_time: Of the last entry, nanoseconds since the Unix epoch.
        frontier: The tree's frontier.
        governance: Governance entries.
    """

    size: int
    entry_time: int
    frontier: merkle.Frontier
    governance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What a committed group did.

    Attributes:
        size, root: The tree after it.
        proofs: Inclusion proof of each new entry against that tree, by index.
        first: Index of the first new entry.
        woken: (agency, exercise) of every inbox that grew.
        governed: Whether agencies or agreements changed.
        tags: How many entries were made with each tag.
    """

    size: int
    root: bytes
    first: int
    proofs: Sequence[Sequence[bytes]]
    woken: frozenset[tuple[str, bool]]
    governed: bool
    tags: Counter[str]


class Group:
    """An open transaction with a group's entries in it; `commit` makes it durable."""

    def __init__(self, ledger: Ledger, connection: Connection) -> None:
        self._ledger = ledger
        self.connection = connection
        self.rows = Rows(ledger.statements)
        self.leaves: list[bytes] = []
        self.woken: set[tuple[str, bool]] = set()
        self.tags: Counter[str] = Counter()
        self.governed = 0
        self.growth: merkle.Growth | None = None
        self.entry_time = 0
        self.seen: dict[bytes, MessageItem] = {}

    def commit(self) -> None:
        """Make it durable. The one call of a group that waits for the disk."""
        self.connection.commit()

    def finish(self) -> Appended:
        """Take the new head over into memory, after `commit`."""
        return self._ledger._finish(self)  # noqa: SLF001 - the two are one transaction


class Ledger:
    """The writer's side of the ledger. One instance a process; its methods are not concurrent."""

    def __init__(
        self,
        engine: Engine,
        *,
        now: Callable[[], int],
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._engine = engine
        self._connection = engine.connect().execution_options(immediate=True)
        self._now = now
        self._random = random
        self._decider = Decider()
        self.statements = Statements(engine.dialect)
        self._tiles: dict[int, tuple[int, bytes]] = {}
        self._inboxes: dict[tuple[str, bool], int] = {}
        self.registry = Registry()
        with self._connection.begin():
            self._create_head()
            self._head = self._load()

    @property
    def head(self) -> Head:
        """The head as this process last saw it."""
        return self._head

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def refresh(self) -> bool:
        """Reload what another process may have changed; say whether governance did."""
        with self._connection.begin():
            before = self._head.governance
            self._synchronise()
            return self._head.governance != before

    def append(self, items: Sequence[Item]) -> Appended:
        """Enter a group and wait for the disk; the command line's way in."""
        group = self.begin(items)
        try:
            group.commit()
        except BaseException:
            self.forget()
            raise
        return group.finish()

    def begin(self, items: Sequence[Item]) -> Group:
        """Open the transaction, decide the items in order and write them, without committing.

        On any error the transaction is rolled back, nothing was decided, and the in-memory state is
        loaded afresh before the next group.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database can't be written.
        """
        transaction = self._connection.begin()
        try:
            group = Group(self, self._connection)
            self._synchronise()
            group.entry_time = max(self._head.entry_time, self._now())
            repeated = self._known_identities(items)
            for item in items:
                self._enter(item, group, repeated)
            self._write(group)
        except BaseException:
            transaction.rollback()
            self.forget()
            raise
        return group

    def forget(self) -> None:
        """Mark the memory as unsure: the next group loads the head from the database."""
        self._head = Head(size=-1, entry_time=0, frontier=merkle.Frontier(), governance=-1)
        self._inboxes.clear()
        # Not only when `in_transaction`: one whose commit failed is over and still in the way.
        self._connection.rollback()

    # -- the state in memory ---------------------------------------------------------------------

    def _create_head(self) -> None:
        if self._connection.execute(select(tables.head.c.id)).first() is None:
            self._connection.execute(
                insert(tables.head).values(
                    id=1,
                    size=0,
                    entry_time=0,
                    frontier=merkle.Frontier().to_bytes(),
                    governance=0,
                )
            )

    def _synchronise(self) -> None:
        row = self.statements.read_head.run(self._connection).one()
        if row.size != self._head.size:
            self._head = self._load()

    def _load(self) -> Head:
        row = self._connection.execute(select(tables.head)).one()
        if row.governance != getattr(getattr(self, "_head", None), "governance", -1):
            self.registry = Registry.replay(governance_documents(self._connection))
        self._inboxes.clear()
        self._tiles = self._load_tiles(row.size)
        return Head(
            size=row.size,
            entry_time=row.entry_time,
            frontier=merkle.Frontier.from_bytes(row.frontier),
            governance=row.governance,
        )

    def _load_tiles(self, size: int) -> dict[int, tuple[int, bytes]]:
        """Return for each level the number and hashes of its last, still growing tile."""
        found: dict[int, tuple[int, bytes]] = {}
        level, width = 0, size
        while width:
            number = width >> 8
            hashes = b""
            if width & 255:
                hashes = self._connection.execute(
                    select(tables.tiles.c.hashes).where(
                        tables.tiles.c.level == level, tables.tiles.c.number == number
                    )
                ).scalar_one()
            found[level] = (number, hashes)
            level, width = level + 1, width >> 8
        return found

    def _inbox(self, agency: str, *, exercise: bool) -> int:
        key = (agency, exercise)
        last = self._inboxes.get(key)
        if last is None:
            last = self._connection.execute(
                select(tables.inboxes.c.last_position).where(
                    tables.inboxes.c.agency == agency, tables.inboxes.c.exercise == exercise
                )
            ).scalar()
            last = self._inboxes[key] = last or 0
        return last

    # -- entering --------------------------------------------------------------------------------

    def _known_identities(self, items: Sequence[Item]) -> dict[bytes, tuple[int, bytes]]:
        wanted = [
            identity_key(item.opened.header.sender, item.opened.header.message_id)
            for item in items
            if isinstance(item, MessageItem)
        ]
        return self.statements.find_identities(self._connection, wanted)

    def _enter(self, item: Item, group: Group, repeated: dict[bytes, tuple[int, bytes]]) -> None:
        if isinstance(item, MessageItem):
            self._enter_message(item, group, repeated)
        elif isinstance(item, RejectionItem):
            self._enter_rejection(item, group)
        elif isinstance(item, GovernanceItem):
            self._enter_governance(item, group)
        elif isinstance(item, AdvanceItem):
            self._enter_advance(item, group)
        elif isinstance(item, AccessItem):
            body = entry_pb2.Access(
                call=item.call,
                commitment=_salted(b"rogatory.access.v1\x00", self._random, item.request),
                items=item.items,
            )
            self._entry(item, group, tag="audit:log:read", body={"access": body})

    def _enter_message(
        self, item: MessageItem, group: Group, repeated: dict[bytes, tuple[int, bytes]]
    ) -> None:
        header = item.opened.header
        key = identity_key(header.sender, header.message_id)
        earlier = repeated.get(key)
        twin = group.seen.get(key)
        if twin is not None:
            earlier = (twin.index, twin.opened.header_digest)
        if earlier is not None:
            if earlier[1] != item.opened.header_digest:
                self._turn_away(item, group, _conflict(header.message_id))
            elif twin is not None:
                item.index, item.entry, item.outcomes = twin.index, twin.entry, twin.outcomes
                item.repeated = True
            else:
                item.index, item.repeated = earlier[0], True
                item.entry, item.outcomes = load_outcomes(self._connection, earlier[0])
            return
        error = self._fault_at_entry(item, group.entry_time)
        if error is not None:
            self._turn_away(item, group, error)
            return
        self._decide(item, group, key)

    def _fault_at_entry(self, item: MessageItem, entry_time: int) -> EnvelopeError | None:
        """Judge again, at entry time, what admission judged a moment ago."""
        header = item.opened.header
        if clock.to_nanoseconds(header.expire_time) <= entry_time:
            return EnvelopeError(
                f"the message expired at {header.expire_time.ToJsonString()}",
                hint="Send it again under a new message id with a later expire_time.",
                reason="EXPIRED",
            )
        if not self.registry.is_enrolled(header.sender):
            return EnvelopeError(
                f"{header.sender} is no longer let in",
                hint="Ask the operator of the gateway.",
                reason="AGENCY_REVOKED",
            )
        try:
            for key in item.signers:
                check_key(self.registry.ring.get(key.fingerprint) or key, entry_time=entry_time)
        except EnvelopeError as error:
            return error
        return None

    def _turn_away(self, item: MessageItem, group: Group, error: EnvelopeError) -> None:
        item.error = error
        rejection = RejectionItem(
            actor=item.actor,
            certificate=item.certificate,
            error=error,
            received=b"",
            header=item.opened.header_bytes,
            signatures=item.opened.signatures,
        )
        self._enter_rejection(rejection, group)
        item.index, item.entry = rejection.index, rejection.entry

    def _decide(self, item: MessageItem, group: Group, key: bytes) -> None:
        header = item.opened.header
        if any(identity in group.seen for identity in referred_to(header)):
            group.rows.flush(self._connection)
        decided = self._decider.decide(
            header,
            signers=item.signers,
            registry=self.registry,
            state=LedgerState(self._connection),
            entry_time=group.entry_time,
        )
        salts = self._random(32 * len(decided))
        commitments = []
        best: int = decision_pb2.DISPOSITION_REFUSED
        exercise = header.exercise
        for position, outcome in enumerate(decided):
            inbox_position = 0
            if outcome.disposition != decision_pb2.DISPOSITION_REFUSED:
                best = min(best, outcome.disposition)
                inbox_position = self._inbox(outcome.recipient, exercise=exercise) + 1
                self._inboxes[outcome.recipient, exercise] = inbox_position
                group.woken.add((outcome.recipient, exercise))
            data = outcome_bytes(outcome, inbox_position=inbox_position)
            salt = salts[32 * position : 32 * position + 32]
            commitments.append(outcome_commitment(salt, data))
            row = OutcomeRow(
                position=position,
                recipient=outcome.recipient,
                disposition=outcome.disposition,
                inbox_position=inbox_position,
                salt=salt,
                outcome=data,
            )
            item.outcomes.append(row)
        self._entry(
            item,
            group,
            tag=f"exchange:{_KIND_NAMES[header.kind]}:{_ACTIONS[best]}",
            body={
                "message": entry_pb2.LoggedMessage(
                    header=item.opened.header_bytes, signatures=item.opened.signatures
                )
            },
            commitments=commitments,
            columns=(
                header.kind,
                exercise,
                key,
                item.opened.header_digest,
                header.thread or header.message_id,
            ),
        )
        group.rows.add_outcomes(item.index, item.outcomes, decided, exercise=exercise)
        if best != decision_pb2.DISPOSITION_REFUSED:
            group.rows.add_parts(item.index, item.opened.parts)
        for outcome in decided:
            if outcome.counts:
                # Written at once: the next message of this group must see it.
                group.rows.count(
                    self._connection,
                    outcome,
                    sender=header.sender,
                    day=group.entry_time // clock.NANOSECONDS_PER_DAY,
                )
        group.seen[key] = item

    def _enter_rejection(self, item: RejectionItem, group: Group) -> None:
        body = entry_pb2.Rejection(reason=item.error.reason)
        if item.header:
            body.header = item.header
            body.signatures.extend(item.signatures)
        else:
            body.commitment = _salted(b"rogatory.rejection.v1\x00", self._random, item.received)
        self._entry(item, group, tag="exchange:message:rejected", body={"rejection": body})

    def _enter_governance(self, item: GovernanceItem, group: Group) -> None:
        try:
            tag = self.registry.add(item.document, entry_time=group.entry_time)
        except RogatoryError as error:
            item.error = error
            return
        group.governed += 1
        self._entry(item, group, tag=tag, body={"governance": item.document})
        group.rows.add_governance(
            item.index,
            item.document.SerializeToString(deterministic=True),
            group.entry_time,
        )

    def _enter_advance(self, item: AdvanceItem, group: Group) -> None:
        inboxes = tables.inboxes.c
        # The table's last position, not this group's: what is not durable was not delivered.
        row = self._connection.execute(
            select(inboxes.cursor, inboxes.last_position).where(
                inboxes.agency == item.actor, inboxes.exercise == item.exercise
            )
        ).first()
        cursor, last = (0, 0) if row is None else (row.cursor, row.last_position)
        target = min(item.position, last)
        if target <= cursor:
            item.position = cursor
            return
        item.position, item.advanced = target, True
        self._connection.execute(
            update(tables.inboxes)
            .where(inboxes.agency == item.actor, inboxes.exercise == item.exercise)
            .values(cursor=target)
        )
        self._entry(
            item,
            group,
            tag="exchange:inbox:delivered",
            body={
                "delivery": entry_pb2.DeliveryAdvance(
                    from_position=cursor, to_position=target, exercise=item.exercise
                )
            },
        )

    def _entry(
        self,
        item: Item,
        group: Group,
        *,
        tag: str,
        body: dict[str, object],
        commitments: Sequence[bytes] = (),
        columns: tuple[int, bool, bytes | None, bytes | None, str | None] = (
            0,
            False,
            None,
            None,
            None,
        ),
    ) -> None:
        entry = entry_pb2.AuditEntry(
            entry_time=clock.to_timestamp(group.entry_time),
            tag=tag,
            actor=item.actor,
            certificate_fingerprint=item.certificate,
            outcome_commitments=commitments,
            **body,  # type: ignore[arg-type]  # one member of the oneof
        ).SerializeToString(deterministic=True)
        if len(entry) > MAX_ENTRY_BYTES:
            raise EnvelopeError(
                f"the log entry would have {len(entry)} bytes; the limit is {MAX_ENTRY_BYTES}",
                hint="Shorten the document.",
                reason="TOO_LARGE",
            )
        item.entry = entry
        item.index = self._head.size + len(group.leaves)
        group.leaves.append(merkle.leaf_hash(entry))
        group.tags[tag] += 1
        group.rows.add_entry(item, tag=tag, entry_time=group.entry_time, columns=columns)

    # -- writing ---------------------------------------------------------------------------------

    def _write(self, group: Group) -> None:
        group.growth = self._head.frontier.extend(group.leaves)
        if not group.leaves:
            return
        group.rows.write(
            self._connection,
            inboxes={key: self._inboxes[key] for key in group.woken},
            tiles=self._grown_tiles(group.growth),
        )
        self.statements.write_head.run(
            self._connection,
            (
                group.growth.size,
                group.entry_time,
                group.growth.frontier.to_bytes(),
                self._head.governance + group.governed,
            ),
        )

    def _grown_tiles(self, growth: merkle.Growth) -> list[tuple[int, int, bytes]]:
        """Return (level, number, hashes) of every tile that grew; remember the last of each."""
        grown = []
        for level in range((growth.levels + 7) // 8):
            first, hashes = growth.new_nodes(8 * level)
            number, last = self._tiles.get(level, (0, b""))
            if first != (number << 8) + len(last) // 32:
                message = "tiles in memory and the tree differ"
                raise RuntimeError(message)
            data = last + b"".join(hashes)
            while len(data) >= 8192:
                grown.append((level, number, data[:8192]))
                data, number = data[8192:], number + 1
            if data and hashes:
                grown.append((level, number, data))
            self._tiles[level] = (number, data)
        return grown

    def _finish(self, group: Group) -> Appended:
        growth = group.growth
        assert growth is not None
        first = self._head.size
        if group.leaves:
            self._head = Head(
                size=growth.size,
                entry_time=group.entry_time,
                frontier=growth.frontier,
                governance=self._head.governance + group.governed,
            )
        return Appended(
            size=growth.size,
            root=growth.root,
            first=first,
            proofs=growth.inclusion_proofs(),
            woken=frozenset(group.woken),
            governed=bool(group.governed),
            tags=group.tags,
        )


def _conflict(message_id: str) -> EnvelopeError:
    return EnvelopeError(
        f"message id {message_id} was used before for another header",
        hint="Retry with the very same bytes, or send the new message under a new id.",
        reason="CONFLICT",
    )


def _salted(domain: bytes, random: Callable[[int], bytes], data: bytes) -> bytes:
    return hashlib.sha256(domain + random(32) + data).digest()
