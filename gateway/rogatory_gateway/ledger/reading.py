"""Reading the ledger: plain functions on a connection, used by the writer and by readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true

from rogatory import merkle
from rogatory.audit.v1 import entry_pb2
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.identity import identity_key
from rogatory_gateway.ledger.items import OutcomeRow
from rogatory_gateway.ledger.procedures.earlier import EarlierMessages
from rogatory_gateway.ledger.procedures.standing import Standings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from rogatory.exchange.v1 import procedure_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A message in the ledger.

    Attributes:
        index: Index of its entry.
        entry: The serialised AuditEntry.
    """

    index: int
    entry: bytes
    actor: str
    kind: int
    entry_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """A message in a recipient's inbox."""

    found: Found
    outcome: OutcomeRow


def find_message(connection: Connection, *, sender: str, message_id: str) -> Found | None:
    """Return a message by its identity."""
    entries = tables.entries.c
    row = connection.execute(
        select(entries.idx, entries.entry, entries.actor, entries.kind, entries.entry_time).where(
            entries.identity == identity_key(sender, message_id)
        )
    ).first()
    if row is None:
        return None
    return Found(
        index=row.idx,
        entry=row.entry,
        actor=row.actor,
        kind=row.kind,
        entry_time=row.entry_time,
    )


def outcomes_of(connection: Connection, index: int) -> list[OutcomeRow]:
    """Return the outcomes of the message at ``index``, in the header's order."""
    table = tables.outcomes.c
    rows = connection.execute(
        select(
            table.position,
            table.recipient,
            table.disposition,
            table.inbox_position,
            table.salt,
            table.outcome,
        )
        .where(table.idx == index)
        .order_by(table.position)
    )
    return [
        OutcomeRow(
            position=row.position,
            recipient=row.recipient,
            disposition=row.disposition,
            inbox_position=row.inbox_position or 0,
            salt=row.salt,
            outcome=row.outcome,
        )
        for row in rows
    ]


def load_outcomes(connection: Connection, index: int) -> tuple[bytes, list[OutcomeRow]]:
    """Return the entry at ``index`` and its outcomes."""
    entry = connection.execute(
        select(tables.entries.c.entry).where(tables.entries.c.idx == index)
    ).scalar_one()
    return entry, outcomes_of(connection, index)


def inbox_page(
    connection: Connection, *, agency: str, exercise: bool, start: int, limit: int
) -> list[InboxRow]:
    """Return an inbox from position ``start`` on, in order, at most ``limit`` of it."""
    outcomes, entries = tables.outcomes.c, tables.entries.c
    rows = connection.execute(
        select(
            outcomes.position,
            outcomes.recipient,
            outcomes.disposition,
            outcomes.inbox_position,
            outcomes.salt,
            outcomes.outcome,
            entries.idx,
            entries.entry,
            entries.actor,
            entries.kind,
            entries.entry_time,
        )
        .join(tables.entries, entries.idx == outcomes.idx)
        .where(
            outcomes.recipient == agency,
            outcomes.exercise == exercise,
            outcomes.inbox_position >= start,
        )
        .order_by(outcomes.inbox_position)
        .limit(limit)
    )
    return [
        InboxRow(
            found=Found(
                index=row.idx,
                entry=row.entry,
                actor=row.actor,
                kind=row.kind,
                entry_time=row.entry_time,
            ),
            outcome=OutcomeRow(
                position=row.position,
                recipient=row.recipient,
                disposition=row.disposition,
                inbox_position=row.inbox_position,
                salt=row.salt,
                outcome=row.outcome,
            ),
        )
        for row in rows
    ]


def inbox_state(connection: Connection, *, agency: str, exercise: bool) -> tuple[int, int]:
    """Return last position and cursor of an inbox; zeros for one that is still empty."""
    table = tables.inboxes.c
    row = connection.execute(
        select(table.last_position, table.cursor).where(
            table.agency == agency, table.exercise == exercise
        )
    ).first()
    return (0, 0) if row is None else (row.last_position, row.cursor)


def recalled_from(connection: Connection, agency: str, indices: Sequence[int]) -> dict[int, bool]:
    """Return which of some messages were recalled from an agency, and whether as a whole."""
    table = tables.recalled.c
    rows = connection.execute(
        select(table.idx, table.whole).where(table.idx.in_(indices), table.agency == agency)
    )
    return {row.idx: row.whole for row in rows}


def assemble(
    connection: Connection,
    found: Found,
    outcome: OutcomeRow | None,
    *,
    recalled: bool | None,
) -> bytes:
    """Return a message's envelope as one recipient may see it; with no outcome, as its sender.

    Header and signatures are the received bytes; parts that the decision withholds are absent, and
    so are those that were recalled since.

    Args:
        recalled: None: it was not recalled; True: all its parts were, False: what it passes on.
    """
    logged = entry_pb2.AuditEntry.FromString(found.entry).message
    table = tables.parts.c
    rows = connection.execute(select(table.position, table.part).where(table.idx == found.index))
    stored = {row.position: row.part for row in rows}
    disclosed: Sequence[decision_pb2.PartDecision] | None = None
    if outcome is not None:
        disclosed = decision_pb2.Outcome.FromString(outcome.outcome).decision.parts
    parts = []
    header = envelope_pb2.Header.FromString(logged.header)
    for position, descriptor in enumerate(header.parts):
        if (
            recalled is not None
            and (recalled or descriptor.category == codes_pb2.PART_CATEGORY_FORWARDED)
            and (disclosed is None or disclosed[position].disclosed)
        ):
            parts.append(
                envelope_pb2.Part(
                    absent=envelope_pb2.AbsentPart(reason=envelope_pb2.ABSENCE_REASON_RECALLED)
                )
            )
        elif disclosed is not None and not disclosed[position].disclosed:
            parts.append(
                envelope_pb2.Part(
                    absent=envelope_pb2.AbsentPart(
                        reason=envelope_pb2.ABSENCE_REASON_WITHHELD,
                        article=disclosed[position].article,
                    )
                )
            )
        elif position in stored:
            parts.append(envelope_pb2.Part.FromString(stored[position]))
        else:
            # A refused message: its parts were never stored.
            parts.append(
                envelope_pb2.Part(
                    absent=envelope_pb2.AbsentPart(reason=envelope_pb2.ABSENCE_REASON_WITHHELD)
                )
            )
    return envelope_pb2.Envelope(
        header=logged.header, signatures=logged.signatures, parts=parts
    ).SerializeToString(deterministic=True)


def standing(
    connection: Connection,
    reference: tuple[str, str, bytes],
    *,
    sender: str,
    recipient: str,
    exercise: bool,
    passed_on: bool = False,
    before: int | None = None,
) -> tuple[int, bytes]:
    """Return how an earlier message stands to the two, and the agreement it went by.

    ``sender`` and ``recipient`` are those of the message that refers to it. A message that neither
    sent the other, or that was refused, is the same as none; so is one that is not ``before`` this
    index, for whoever asks afterwards how it was then. With ``passed_on``, what the recipient holds
    as a copy that somebody passed on counts as sent to it.
    """
    author, message_id, header_digest = reference
    nothing = decision_pb2.REFERENCE_STANDING_UNSPECIFIED, b""
    if author == sender:
        other, result = recipient, decision_pb2.REFERENCE_STANDING_SENT_TO_RECIPIENT
    elif author == recipient:
        other, result = sender, decision_pb2.REFERENCE_STANDING_RECEIVED_FROM_RECIPIENT
    else:
        return nothing
    entries, outcomes = tables.entries.c, tables.outcomes.c
    row = connection.execute(
        select(outcomes.agreement_digest)
        .join(tables.entries, entries.idx == outcomes.idx)
        .where(
            entries.identity == identity_key(author, message_id),
            entries.header_digest == header_digest,
            entries.exercise == exercise,
            outcomes.recipient == other,
            outcomes.disposition != decision_pb2.DISPOSITION_REFUSED,
            true() if before is None else entries.idx < before,
        )
    ).first()
    if row is not None:
        return result, row.agreement_digest
    if passed_on and author == sender:
        earlier = EarlierMessages(connection, before=before)
        message = common_pb2.MessageReference(
            sender=author, message_id=message_id, header_digest=header_digest
        )
        found = earlier.find(message, exercise=exercise)
        if found is not None and earlier.holds(found.index, recipient):
            return result, b""
    return nothing


def quota_count(
    connection: Connection,
    *,
    agreement_id: str,
    clause_id: str,
    sender: str,
    recipient: str,
    from_day: int,
) -> int:
    """Return what a quota has counted from a UTC day (days since the epoch) on."""
    table = tables.quota_counts.c
    total = connection.execute(
        select(func.sum(table.count)).where(
            table.agreement_id == agreement_id,
            table.clause_id == clause_id,
            table.sender == sender,
            table.recipient == recipient,
            table.day >= from_day,
        )
    ).scalar()
    return int(total or 0)


class LedgerState:
    """What deciding one message reads, on one connection (`deciding.State`)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._standings = Standings(connection, EarlierMessages(connection))

    def standing(
        self,
        reference: tuple[str, str, bytes],
        *,
        sender: str,
        recipient: str,
        exercise: bool,
        passed_on: bool = False,
    ) -> tuple[int, bytes]:
        """Return how an earlier message stands to the two, and the agreement it went by."""
        return standing(
            self.connection,
            reference,
            sender=sender,
            recipient=recipient,
            exercise=exercise,
            passed_on=passed_on,
        )

    def procedure(
        self, header: envelope_pb2.Header, recipient: str
    ) -> procedure_pb2.ProcedureStanding | None:
        """Return how the procedures stand that a message is part of; None: it is part of none."""
        return self._standings.standing(header, recipient)

    def quota_count(
        self, *, agreement_id: str, clause_id: str, sender: str, recipient: str, from_day: int
    ) -> int:
        """Return what a quota has counted from a UTC day on."""
        return quota_count(
            self.connection,
            agreement_id=agreement_id,
            clause_id=clause_id,
            sender=sender,
            recipient=recipient,
            from_day=from_day,
        )


def governance_documents(connection: Connection) -> list[tuple[bytes, int]]:
    """Return every governance document with its entry time, in order of entry."""
    table = tables.governance.c
    rows = connection.execute(select(table.document, table.entry_time).order_by(table.idx))
    return [(row.document, row.entry_time) for row in rows]


def read_tile(connection: Connection, *, level: int, number: int, width: int) -> bytes | None:
    """Return the first ``width`` hashes of a tile; None when there are not so many yet."""
    table = tables.tiles.c
    hashes = connection.execute(
        select(table.hashes).where(table.level == level, table.number == number)
    ).scalar()
    if hashes is None or len(hashes) < merkle.HASH_SIZE * width:
        return None
    return bytes(hashes[: merkle.HASH_SIZE * width])
