"""Entering a group: its items are decided in order, and become entries, outcomes and rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from rogatory import clock, merkle
from rogatory.audit.v1 import entry_pb2
from rogatory.envelopes import (
    SALT_BYTES,
    access_commitment,
    check_expiry,
    check_key,
    key_unknown,
    outcome_commitment,
    rejection_commitment,
)
from rogatory.errors import EnvelopeError, RogatoryError
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.deciding import (
    MAY_STAND_ALONE,
    Decider,
    outcome_bytes,
    referred_to,
)
from rogatory_gateway.ledger.governing import submitted_document
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
from rogatory_gateway.ledger.procedures.copies import altered_copy
from rogatory_gateway.ledger.procedures.earlier import EarlierMessages
from rogatory_gateway.ledger.procedures.following import FOLLOWED_KINDS, Follower, is_followed
from rogatory_gateway.ledger.reading import LedgerState, load_outcomes
from rogatory_gateway.ledger.writing import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from rogatory.exchange.v1 import envelope_pb2
    from rogatory_gateway.ledger.deciding import Decided
    from rogatory_gateway.ledger.memory import Memory
    from rogatory_gateway.ledger.prepared import Statements

MAX_ENTRY_BYTES = 65_535
"""Longest entry: C2SP tlog-tiles counts an entry's bytes in 16 bits."""

MAX_OUTCOME_BYTES = 131_072
"""Longest outcome: what an ``OutcomeOpening`` holds."""

MAX_OUTCOMES_BYTES = 1 << 20
"""Longest together: how a request stands is in the outcome of each recipient of a short step."""

_OUTCOME_FRAME_BYTES = 512
"""More than recipient, agreement, position and the lengths of the rest take."""

_KIND_NAMES = {
    number: name.removeprefix("KIND_").lower() for name, number in codes_pb2.Kind.items()
}
_ACTIONS: dict[int, str] = {
    decision_pb2.DISPOSITION_PERMITTED: "admitted",
    decision_pb2.DISPOSITION_WITHHELD: "admitted_in_part",
    decision_pb2.DISPOSITION_REFUSED: "refused",
}


class Entering:
    """One group on its way into the log, inside its transaction.

    Attributes:
        entry_time: Of its next entry, nanoseconds since the Unix epoch; only governance moves it.
        registry: As it will be once the group is durable.
        leaves: Leaf hash of each entry made so far.
        woken: (agency, exercise) of every inbox that grew.
        governed: Governance entries made.
        tags: How many entries were made with each tag.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        statements: Statements,
        memory: Memory,
        decider: Decider,
        entry_time: int,
        random: Callable[[int], bytes],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._memory = memory
        self._decider = decider
        self._random = random
        self._rows = Rows(statements)
        self._seen: dict[bytes, MessageItem] = {}
        self.entry_time = entry_time
        self.registry = memory.registry
        self.leaves: list[bytes] = []
        self.woken: set[tuple[str, bool]] = set()
        self.tags: Counter[str] = Counter()
        self.governed = 0

    def enter(self, items: Sequence[Item]) -> merkle.Growth:
        """Enter the items in order and write them; return how the tree grew."""
        repeated = self._known_identities(items)
        for item in items:
            self._enter(item, repeated)
        head = self._memory.head
        growth = head.frontier.extend(self.leaves)
        if self.leaves:
            self._rows.write(
                self._connection,
                inboxes={key: self._memory.inboxes[key] for key in self.woken},
                tiles=self._memory.grow_tiles(growth),
            )
            self._statements.write_head.run(
                self._connection,
                (
                    growth.size,
                    self.entry_time,
                    growth.frontier.to_bytes(),
                    head.governance + self.governed,
                ),
            )
        return growth

    def _known_identities(self, items: Sequence[Item]) -> dict[bytes, tuple[int, bytes]]:
        wanted = [
            identity_key(item.opened.header.sender, item.opened.header.message_id)
            for item in items
            if isinstance(item, MessageItem)
        ]
        return self._statements.find_identities(self._connection, wanted)

    def _enter(self, item: Item, repeated: dict[bytes, tuple[int, bytes]]) -> None:
        if isinstance(item, MessageItem):
            self._enter_message(item, repeated)
        elif isinstance(item, RejectionItem):
            self._enter_rejection(item)
        elif isinstance(item, GovernanceItem):
            self._enter_governance(item)
        elif isinstance(item, AdvanceItem):
            self._enter_advance(item)
        elif isinstance(item, AccessItem):
            salt = self._random(SALT_BYTES)
            access = entry_pb2.Access(
                call=item.call,
                commitment=access_commitment(salt, item.request),
                items=item.items,
            )
            self._entry(item, entry_pb2.AuditEntry(access=access), tag="audit:log:read")
            self._rows.add_opening(item.index, salt)

    def _enter_message(self, item: MessageItem, repeated: dict[bytes, tuple[int, bytes]]) -> None:
        header = item.opened.header
        key = identity_key(header.sender, header.message_id)
        earlier = repeated.get(key)
        twin = self._seen.get(key)
        if twin is not None:
            earlier = (twin.index, twin.opened.header_digest)
        if earlier is not None:
            if earlier[1] != item.opened.header_digest:
                self._turn_away(item, _conflict(header.message_id))
            elif twin is not None:
                item.index, item.entry, item.outcomes = twin.index, twin.entry, twin.outcomes
                item.repeated = True
            else:
                item.index, item.repeated = earlier[0], True
                item.entry, item.outcomes = load_outcomes(self._connection, earlier[0])
            return
        if item.lapsed is not None:
            self._enter_rejection(item.lapsed)
            item.error = item.lapsed.error
            item.index, item.entry = item.lapsed.index, item.lapsed.entry
            return
        error = self._fault_at_entry(item, self.entry_time)
        document = None
        if error is None and header.kind == codes_pb2.KIND_GOVERNANCE:
            try:
                document = submitted_document(
                    item.opened, registry=self.registry, entry_time=self.entry_time
                )
            except EnvelopeError as fault:
                error = fault
        if error is not None:
            self._turn_away(item, error)
            return
        self._decide(item, key)
        refused = all(row.disposition == decision_pb2.DISPOSITION_REFUSED for row in item.outcomes)
        if document is not None and not refused:
            # After the message, so that a statement can revoke the key that signed it.
            self._enter_governance(
                GovernanceItem(actor=item.actor, certificate=item.certificate, document=document),
            )

    def _fault_at_entry(self, item: MessageItem, entry_time: int) -> EnvelopeError | None:
        """Judge again, at entry time, what admission judged a moment ago."""
        header = item.opened.header
        try:
            check_expiry(header, entry_time=entry_time)
            if not self.registry.is_enrolled(header.sender):
                return EnvelopeError(
                    f"{header.sender} is no longer let in",
                    hint="Ask the operator of the gateway.",
                    reason="AGENCY_REVOKED",
                )
            for key in item.signers:
                known = self.registry.ring.get(key.fingerprint)
                if known is None or known.agency != key.agency or known.role != key.role:
                    return key_unknown(key.fingerprint, sender=header.sender, role=key.role)
                check_key(known, entry_time=entry_time)
        except EnvelopeError as error:
            return error
        return None

    def _turn_away(self, item: MessageItem, error: EnvelopeError) -> None:
        item.error = error
        rejection = RejectionItem(
            actor=item.actor,
            certificate=item.certificate,
            error=error,
            received=b"",
            header=item.opened.header_bytes,
            signatures=item.opened.signatures,
        )
        self._enter_rejection(rejection)
        item.index, item.entry = rejection.index, rejection.entry

    def _decide(self, item: MessageItem, key: bytes) -> None:
        header = item.opened.header
        named = referred_to(header)
        if any(identity in self._seen for identity in named):
            self._rows.flush(self._connection)
        decided = self._decider.decide(
            header,
            signers=item.signers,
            registry=self.registry,
            state=LedgerState(self._connection),
            entry_time=self.entry_time,
            refers=bool(named),
        )
        # Without a procedure nothing that is decided can be long, and nothing is passed on.
        if named or header.kind in MAY_STAND_ALONE:
            error = self._fault_of_decided(item, decided)
            if error is not None:
                self._turn_away(item, error)
                return
        salts = self._random(32 * len(decided))
        commitments = []
        best: int = decision_pb2.DISPOSITION_REFUSED
        exercise = header.exercise
        for position, outcome in enumerate(decided):
            inbox_position = 0
            if outcome.disposition != decision_pb2.DISPOSITION_REFUSED:
                best = min(best, outcome.disposition)
                inbox_position = self._memory.next_position(outcome.recipient, exercise=exercise)
                self.woken.add((outcome.recipient, exercise))
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
        # Filled in place: putting messages together copies them, and this is done for every one.
        entry = entry_pb2.AuditEntry()
        logged = entry.message
        logged.header = item.opened.header_bytes
        logged.signatures.extend(item.opened.signatures)
        entry.outcome_commitments.extend(commitments)
        self._entry(
            item,
            entry,
            tag=f"exchange:{_KIND_NAMES[header.kind]}:{_ACTIONS[best]}",
            columns=(
                header.kind,
                exercise,
                key,
                item.opened.header_digest,
                header.thread or header.message_id,
            ),
        )
        self._rows.add_outcomes(item.index, item.outcomes, decided, exercise=exercise)
        if (
            best != decision_pb2.DISPOSITION_REFUSED
            and (named or header.kind in FOLLOWED_KINDS)
            and is_followed(header)
        ):
            self._follow(item, header)
        if best != decision_pb2.DISPOSITION_REFUSED:
            self._rows.add_parts(item.index, item.opened.parts)
        for outcome in decided:
            if outcome.counts:
                # Written at once: the next message of this group must see it.
                self._rows.count(
                    self._connection,
                    outcome,
                    sender=header.sender,
                    day=self.entry_time // clock.NANOSECONDS_PER_DAY,
                )
        self._seen[key] = item

    def _fault_of_decided(
        self, item: MessageItem, decided: Sequence[Decided]
    ) -> EnvelopeError | None:
        """Return why a message cannot be entered as it was decided; None: it can."""
        sizes = [len(one.decision) + len(one.context) + len(one.dues) for one in decided]
        if max(sizes) > MAX_OUTCOME_BYTES - _OUTCOME_FRAME_BYTES or sum(sizes) > MAX_OUTCOMES_BYTES:
            return EnvelopeError(
                f"what was decided would have {max(sizes)} bytes for one recipient and {sum(sizes)}"
                f" for all; the limits are {MAX_OUTCOME_BYTES} and {MAX_OUTCOMES_BYTES}",
                hint="Address fewer recipients in one message, or rely on fewer consents.",
                reason="TOO_LARGE",
            )
        if all(one.disposition == decision_pb2.DISPOSITION_REFUSED for one in decided):
            # Who does not hold an original learns nothing of how it was signed.
            return None
        altered = altered_copy(
            EarlierMessages(self._connection), item.opened.header, item.opened.parts
        )
        if altered is None:
            return None
        return EnvelopeError(
            f"the message passed on in part {altered} has other signatures than the original",
            hint="Pass its envelope on with the signatures as they came.",
            reason="SIGNATURE_INVALID",
        )

    def _follow(self, item: MessageItem, header: envelope_pb2.Header) -> None:
        """Enter what a message makes of its procedures: the next of this group must see it."""
        self._rows.flush(self._connection)
        earlier = EarlierMessages(self._connection)
        Follower(self._connection, earlier).follow(
            item.index,
            header,
            [decision_pb2.Outcome.FromString(row.outcome) for row in item.outcomes],
            entry_time=self.entry_time,
        )

    def _enter_rejection(self, item: RejectionItem) -> None:
        body = entry_pb2.Rejection(reason=item.error.reason)
        salt = b"" if item.header else self._random(SALT_BYTES)
        if item.header:
            body.header = item.header
            body.signatures.extend(item.signatures)
        else:
            body.commitment = rejection_commitment(salt, item.received)
        self._entry(item, entry_pb2.AuditEntry(rejection=body), tag="exchange:message:rejected")
        if salt:
            self._rows.add_opening(item.index, salt)

    def _enter_governance(self, item: GovernanceItem) -> None:
        earlier = self.entry_time if self.leaves else self._memory.head.entry_time
        # Later than what came before: else a key revoked here would seem revoked back then.
        self.entry_time = max(self.entry_time, earlier + 1)
        if self.registry is self._memory.registry:
            self.registry = self.registry.copy()
        try:
            tag = self.registry.add(item.document, entry_time=self.entry_time)
        except RogatoryError as error:
            item.error = error
            return
        self.governed += 1
        self._entry(item, entry_pb2.AuditEntry(governance=item.document), tag=tag)
        self._rows.add_governance(
            item.index,
            item.document.SerializeToString(deterministic=True),
            self.entry_time,
        )

    def _enter_advance(self, item: AdvanceItem) -> None:
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
        delivery = entry_pb2.DeliveryAdvance(
            from_position=cursor, to_position=target, exercise=item.exercise
        )
        self._entry(item, entry_pb2.AuditEntry(delivery=delivery), tag="exchange:inbox:delivered")

    def _entry(
        self,
        item: Item,
        entry: entry_pb2.AuditEntry,
        *,
        tag: str,
        columns: tuple[int, bool, bytes | None, bytes | None, str | None] = (
            0,
            False,
            None,
            None,
            None,
        ),
    ) -> None:
        """Append an entry whose body is filled in."""
        instant = entry.entry_time
        instant.seconds, instant.nanos = divmod(self.entry_time, clock.NANOSECONDS_PER_SECOND)
        entry.tag, entry.actor = tag, item.actor
        entry.certificate_fingerprint = item.certificate
        leaf = entry.SerializeToString(deterministic=True)
        if len(leaf) > MAX_ENTRY_BYTES:
            raise EnvelopeError(
                f"the log entry would have {len(leaf)} bytes; the limit is {MAX_ENTRY_BYTES}",
                hint="Shorten the document.",
                reason="TOO_LARGE",
            )
        item.entry = leaf
        item.index = self._memory.head.size + len(self.leaves)
        self.leaves.append(merkle.leaf_hash(leaf))
        self.tags[tag] += 1
        self._rows.add_entry(item, tag=tag, entry_time=self.entry_time, columns=columns)


def _conflict(message_id: str) -> EnvelopeError:
    return EnvelopeError(
        f"message id {message_id} was used before for another header",
        hint="Retry with the very same bytes, or send the new message under a new id.",
        reason="CONFLICT",
    )
