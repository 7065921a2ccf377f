"""What can be entered in the log: one class for each body of an entry, with its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rogatory.audit.v1 import entry_pb2
    from rogatory.envelopes import OpenedEnvelope
    from rogatory.errors import EnvelopeError
    from rogatory.exchange.v1 import envelope_pb2
    from rogatory.keyring import KnownKey

OPERATOR = "operator"
"""Actor of what the operator does; no agency id can be equal to it, they all have a dot."""


@dataclass(slots=True, kw_only=True)
class Item:
    """Something to enter. The ledger fills in what lies below ``actor`` and ``certificate``.

    Attributes:
        actor: Agency id, or `OPERATOR`.
        certificate: SHA-256 of the DER certificate the actor came with; empty for the operator.
        index: Index of the entry; -1 while there is none.
        entry: The serialised AuditEntry.
    """

    actor: str
    certificate: bytes = b""
    index: int = -1
    entry: bytes = b""


@dataclass(slots=True, kw_only=True)
class OutcomeRow:
    """One recipient's outcome, with what opens its commitment.

    Attributes:
        position: Index of the recipient in the header.
        disposition: ``Disposition`` number.
        inbox_position: Number in the recipient's inbox; 0 when nothing was delivered.
        salt: 32 bytes.
        outcome: The serialised Outcome.
    """

    position: int
    recipient: str
    disposition: int
    inbox_position: int
    salt: bytes
    outcome: bytes


@dataclass(slots=True, kw_only=True)
class MessageItem(Item):
    """A message whose signatures, parts and facts were verified.

    Attributes:
        signers: The keys that signed, in the order of ``signed_by``.
        lapsed: The rejection that is entered in its place unless it was entered before: a key that
            signs it is no longer valid, so it can only be the retry of a message that was.
        outcomes: One for each recipient, in the header's order.
        repeated: The identity had been entered before, and these are the original outcomes.
        error: Why nothing was decided after all: expired, conflict, key no longer valid.
    """

    opened: OpenedEnvelope
    signers: tuple[KnownKey, ...]
    lapsed: RejectionItem | None = None
    outcomes: list[OutcomeRow] = field(default_factory=list)
    repeated: bool = False
    error: EnvelopeError | None = None


@dataclass(slots=True, kw_only=True)
class RejectionItem(Item):
    """A submission of which nothing was decided.

    Attributes:
        error: What was wrong; its reason goes to the log.
        received: The bytes as received; committed to, never stored.
        header: The header's bytes where its own sender signed it, else empty.
    """

    error: EnvelopeError
    received: bytes
    header: bytes = b""
    signatures: Sequence[envelope_pb2.Signature] = ()


@dataclass(slots=True, kw_only=True)
class GovernanceItem(Item):
    """An agreement, a key statement or a revocation, checked by the ledger as it enters.

    Attributes:
        error: Why it was not taken: the text of what is wrong.
    """

    document: entry_pb2.Governance
    error: Exception | None = None


@dataclass(slots=True, kw_only=True)
class AdvanceItem(Item):
    """An advance of the actor's inbox cursor.

    Attributes:
        position: Wanted; clamped to what there is. Afterwards the recorded one.
        advanced: Whether the cursor moved, so that an entry was made.
    """

    position: int
    exercise: bool
    advanced: bool = False


@dataclass(slots=True, kw_only=True)
class AccessItem(Item):
    """A read that is itself logged (LED Art. 25).

    Attributes:
        call: Name of the call.
        request: Serialised request; committed to.
        items: How many were returned.
    """

    call: str
    request: bytes
    items: int
