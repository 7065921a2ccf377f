"""The whole log checked from its entries alone: every signature, proof and decision again.

For whoever may read all entries with all outcomes. Keys and agreements are taken from the entries
themselves, at the place where they were entered, so nothing but the roots has to be trusted; and
those stand in the agreements that their parties signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rogatory.agreements.base import base_agreement
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.agreements.document import open_agreement
from rogatory.agreements.suspension import open_suspension, parse_suspension
from rogatory.checkpoints import SignedCheckpoint, open_checkpoint
from rogatory.decisions import summarise
from rogatory.entries import OpenedEntry, open_entry, open_outcome, replay_decision, verify_signers
from rogatory.errors import ReceiptError, RogatoryError
from rogatory.exchange.v1 import agreement_pb2, decision_pb2
from rogatory.keyring import KeyRing, KnownKey
from rogatory.keys import PublicKey
from rogatory.merkle import Frontier, leaf_hash
from rogatory.notes import VerifierKey

_HASHES_HELD = 4096
_REPORT = "Keep the entries and the checkpoint, and show both to the other parties and auditors."


@dataclass(slots=True)
class Counts:
    """What was verified so far."""

    entries: int = 0
    messages: int = 0
    signatures: int = 0
    key_statements: int = 0
    agreements: int = 0
    outcomes: int = 0
    decisions: int = 0


class LogReplay:
    """Takes entries in order, then the checkpoint that they must lead to.

    Attributes:
        counts: What was verified so far.
        ring: The keys of all agencies as of the last entry taken.
        agreements: The base agreement and all entered so far, by digest.
    """

    def __init__(self, *, roots: Mapping[str, PublicKey] | None = None) -> None:
        """Start at an empty log.

        Args:
            roots: Root keys that the verifier knows of itself; statements must agree with them.
        """
        self.counts = Counts()
        self.ring = KeyRing()
        base = base_agreement()
        self.agreements: dict[bytes, CompiledAgreement] = {base.digest: base}
        self._roots = dict(roots or {})
        self._frontier = Frontier()
        self._pending: list[bytes] = []
        self._last_time = 0
        self._inboxes: dict[tuple[str, bool], int] = {}
        self._suspended: dict[tuple[str, str], tuple[int, bool]] = {}

    def take(
        self, *, index: int, entry: bytes, outcomes: Iterable[decision_pb2.OutcomeOpening]
    ) -> None:
        """Check the next entry.

        1. It is the next one, and no older than the one before.
        2. It is what the schema allows, to the byte.
        3. A document of governance is signed by the roots it concerns, and taken into account.
        4. A message's signatures verify by keys valid at entry time.
        5. Each outcome is committed to, fits, and comes out the same again.
        6. Inbox positions go up by one.

        Raises:
            ReceiptError: The entry fails; the text says its index and why.
        """
        try:
            if index != self.counts.entries:  # (1)
                raise ReceiptError(
                    f"entry {self.counts.entries} was due", hint="Fetch the entries in order."
                )
            opened = open_entry(entry)  # (2)
            if opened.entry_time < self._last_time:
                raise ReceiptError("its time is before the previous entry's", hint=_REPORT)
            body = opened.entry.WhichOneof("body")
            if body == "governance":
                self._governance(opened)  # (3)
            elif body == "message":
                signers = verify_signers(opened, self.ring)  # (4)
                self.counts.messages += 1
                self.counts.signatures += len(signers)
                for opening in outcomes:
                    self._outcome(opened, opening, signers)  # (5) (6)
        except RogatoryError as error:
            raise ReceiptError(f"Log entry {index}: {error.message}", hint=error.hint) from error
        self._last_time = opened.entry_time
        self.counts.entries += 1
        self._pending.append(leaf_hash(entry))
        if len(self._pending) >= _HASHES_HELD:
            self._extend()

    def finish(self, note: bytes, *, log_keys: Iterable[VerifierKey]) -> SignedCheckpoint:
        """Check that the entries taken are those, and all those, of a checkpoint.

        Raises:
            NoteError: No known key of the log signed the checkpoint.
            ReceiptError: Its size or root hash is another.
        """
        signed = open_checkpoint(note, log_keys=log_keys)
        self._extend()
        checkpoint = signed.checkpoint
        if (checkpoint.size, checkpoint.root) != (self._frontier.size, self._frontier.root):
            raise ReceiptError(
                f"The {self._frontier.size} entries do not lead to the checkpoint of size"
                f" {checkpoint.size}",
                hint=_REPORT,
            )
        return signed

    def _extend(self) -> None:
        self._frontier = self._frontier.extend(self._pending).frontier
        self._pending = []

    def _governance(self, opened: OpenedEntry) -> None:
        governance = opened.entry.governance
        document = governance.WhichOneof("document")
        if document == "key_statement":
            agency = self.ring.add(governance.key_statement, entry_time=opened.entry_time)
            pinned = self._roots.setdefault(agency, _need(self.ring.root(agency)))
            if pinned != self.ring.root(agency):
                raise ReceiptError(
                    f"{agency} is enrolled with another root than the one pinned", hint=_REPORT
                )
            self.counts.key_statements += 1
            self.counts.signatures += 1
        elif document == "agreement_suspension":
            self._suspension(governance.agreement_suspension)
        elif document == "agreement":
            compiled = open_agreement(governance.agreement)
            for party in compiled.message().parties:
                root = PublicKey(party.root.algorithm, party.root.public_key)
                if self._roots.setdefault(party.agency, root) != root:
                    raise ReceiptError(
                        f"agreement {compiled.agreement_id} pins another root for {party.agency}"
                        " than the one it is enrolled with",
                        hint=_REPORT,
                    )
            self.agreements[compiled.digest] = compiled
            self.counts.agreements += 1
            self.counts.signatures += len(governance.agreement.signatures)

    def _suspension(self, signed: agreement_pb2.SignedAgreementSuspension) -> None:
        party = parse_suspension(signed)
        root = self._roots.get(party.agency)
        if root is None:
            raise ReceiptError(
                f"{party.agency} suspends {party.agreement_id}, and its root is not known",
                hint=_REPORT,
            )
        key = (party.agreement_id, party.agency)
        last, _ = self._suspended.get(key, (0, False))
        suspension = open_suspension(signed, root=root, sequence=last)
        self._suspended[key] = (suspension.sequence, suspension.suspended)
        self.counts.signatures += 1

    def _is_suspended(self, agreement_id: str, *agencies: str) -> bool:
        return any(
            self._suspended.get((agreement_id, agency), (0, False))[1] for agency in agencies
        )

    def _outcome(
        self,
        opened: OpenedEntry,
        opening: decision_pb2.OutcomeOpening,
        signers: tuple[KnownKey, ...],
    ) -> None:
        outcome = open_outcome(opened, opening, signers=signers)
        self.counts.outcomes += 1
        replay = replay_decision(opened, opening, outcome, self.agreements)
        if replay is None:
            raise ReceiptError(
                f"the decision for {outcome.recipient} rests on an agreement never entered",
                hint=_REPORT,
            )
        if not replay.agrees:
            raise ReceiptError(
                f"the agreement decides otherwise for {outcome.recipient}:"
                f" {summarise(replay.computed)} Recorded: {summarise(replay.recorded)}",
                hint=_REPORT,
            )
        self.counts.decisions += 1
        sender = opened.message.header.sender if opened.message is not None else ""
        if outcome.context.agreement_digest and self._is_suspended(
            outcome.agreement_id, sender, outcome.recipient
        ):
            raise ReceiptError(
                f"{outcome.agreement_id} was applied for {outcome.recipient} while suspended",
                hint=_REPORT,
            )
        if outcome.inbox_position and opened.message is not None:
            inbox = (outcome.recipient, opened.message.header.exercise)
            due = self._inboxes.get(inbox, 0) + 1
            if outcome.inbox_position != due:
                raise ReceiptError(
                    f"the inbox of {outcome.recipient} goes on at {outcome.inbox_position}, and"
                    f" {due} was due",
                    hint=_REPORT,
                )
            self._inboxes[inbox] = due


def _need(root: PublicKey | None) -> PublicKey:
    assert root is not None
    return root
