"""Past exchanges out of log entries: all that their holder can check of them is checked.

For parts of a log, as receipts, deliveries and lists of entries hold them. Whoever has the whole
log checks more with `rogatory.logreplay`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass

from rogatory import statements
from rogatory.agreements.base import base_agreement
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.agreements.document import open_agreement
from rogatory.decisions import summarise
from rogatory.entries import OpenedEntry, open_entry, open_outcome, replay_decision, verify_signers
from rogatory.errors import EnvelopeError, ReceiptError, RogatoryError, SignatureInvalid
from rogatory.exchange.v1 import decision_pb2, envelope_pb2
from rogatory.keyring import KeyRing, KnownKey
from rogatory.keys import PublicKey
from rogatory.merkle import leaf_hash
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from rogatory.tlogproof import TlogProof

_REPORT = "Keep the entry, and show it to the other parties and auditors."


@dataclass(frozen=True, slots=True, kw_only=True)
class PastExchange:
    """A message that was decided.

    Attributes:
        index: Index of its log entry.
        entry_time: When it was entered, nanoseconds since the Unix epoch.
        leaf: Hash of the entry (RFC 6962), 32 bytes: the same entry has it in every copy.
        header: What the sender signed.
        outcomes: Those that the holder may open, by position of the recipient in the header.
    """

    index: int
    entry_time: int
    leaf: bytes
    header: envelope_pb2.Header
    outcomes: Mapping[int, decision_pb2.Outcome]

    @property
    def order(self) -> tuple[int, int, bytes]:
        """What sorts exchanges as they were logged, also those of several logs."""
        return self.entry_time, self.index, self.leaf

    def joined(self, other: PastExchange) -> PastExchange:
        """Return the same exchange with the outcomes that another copy of its entry opens."""
        return PastExchange(
            index=self.index,
            entry_time=self.entry_time,
            leaf=self.leaf,
            header=self.header,
            outcomes={**self.outcomes, **other.outcomes},
        )


@dataclass(slots=True)
class Checks:
    """What was checked so far.

    Attributes:
        entries: Entries that hold, of any kind.
        exchanges: Those of them that hold a message.
        signed: Exchanges whose every signature verifies.
        unsigned: Exchanges whose sender's keys are not at hand, so that nothing was verified.
        proven: Entries of receipts, proved to be in the log.
        outcomes: Outcomes that are what the entry commits to.
        decisions: Those of them that the agreement in force then decides so again.
    """

    entries: int = 0
    exchanges: int = 0
    signed: int = 0
    unsigned: int = 0
    proven: int = 0
    outcomes: int = 0
    decisions: int = 0


class PastReader:
    """Reads entries of one log, in its order, and tells exchanges from the rest.

    Attributes:
        checks: What was checked so far.
        agreements: Agreements by digest: the base agreement, those of the policy, those entered.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        agreements: MutableMapping[bytes, CompiledAgreement] | None = None,
    ) -> None:
        """Start with what is known beforehand.

        Args:
            policy: Keys of the log and the agencies, and agreements; None: nothing is known but
                what the entries themselves state.
            agreements: Where agreements are put; give several readers the same one to share them.
        """
        self.checks = Checks()
        base = base_agreement()
        self.agreements = {} if agreements is None else agreements
        self.agreements[base.digest] = base
        self._policy = policy
        self._roots: dict[str, PublicKey] = {}
        self._stated = KeyRing()
        if policy is not None:
            self.agreements.update(policy.agreements)
            self._roots.update(policy.roots)

    def take_receipt(self, receipt: Receipt) -> PastExchange | None:
        """Check a receipt; where the log's key is known, that its entry is in the log too.

        Raises:
            ReceiptError: It fails; the text says its index and why.
        """
        if self._policy is not None and self._policy.log_keys:
            try:
                TlogProof(
                    index=receipt.index, hashes=receipt.proof, checkpoint=receipt.checkpoint
                ).verify(
                    leaf=leaf_hash(receipt.entry),
                    log_keys=self._policy.log_keys,
                    witness_keys=self._policy.witness_keys,
                )
            except RogatoryError as error:
                raise _fault(receipt.index, error) from error
        taken = self.take(index=receipt.index, entry=receipt.entry, outcomes=receipt.outcomes)
        if self._policy is not None and self._policy.log_keys:
            self.checks.proven += 1
        return taken

    def take(
        self, *, index: int, entry: bytes, outcomes: Iterable[decision_pb2.OutcomeOpening]
    ) -> PastExchange | None:
        """Check an entry; return the exchange in it, None where it is of another kind.

        1. Entry and header are what the schema allows, to the byte.
        2. Agreements and key statements bear the signatures they need, and count from here on.
        3. A message's signatures verify by keys valid at entry time, where these are at hand.
        4. Each outcome opened is the one that the entry commits to.
        5. Where the agreement is at hand, the decision comes out the same again.

        Raises:
            ReceiptError: The entry fails; the text says its index and why.
        """
        try:
            opened = open_entry(entry)  # (1)
            if opened.entry.WhichOneof("body") == "governance":
                self._governance(opened)  # (2)
            found = {}
            decisions = 0
            if opened.message is not None:
                signers = self._signers(opened)  # (3)
                for opening in outcomes:
                    outcome = open_outcome(opened, opening, signers=signers)  # (4)
                    _check_parts(opened, outcome)
                    found[opening.recipient_index] = outcome
                    decisions += self._decided(opened, opening, outcome)  # (5)
                self.checks.decisions += decisions
                self.checks.outcomes += len(found)
                self.checks.signed += signers is not None
                self.checks.unsigned += signers is None
                self.checks.exchanges += 1
        except RogatoryError as error:
            raise _fault(index, error) from error
        self.checks.entries += 1
        if opened.message is None:
            return None
        return PastExchange(
            index=index,
            entry_time=opened.entry_time,
            leaf=leaf_hash(entry),
            header=opened.message.header,
            outcomes=found,
        )

    def _signers(self, opened: OpenedEntry) -> tuple[KnownKey, ...] | None:
        ring = self._ring(opened.entry.actor)
        if ring is None:
            return None
        try:
            return verify_signers(opened, ring)
        except EnvelopeError as error:
            # A key that came after what is known here: nothing speaks against the message.
            if error.reason == "KEY_UNKNOWN":
                return None
            raise

    def _ring(self, agency: str) -> KeyRing | None:
        pinned = None if self._policy is None else self._policy.ring
        for ring in (pinned, self._stated):
            if ring is not None and ring.root(agency) is not None:
                return ring
        return None

    def _decided(
        self,
        opened: OpenedEntry,
        opening: decision_pb2.OutcomeOpening,
        outcome: decision_pb2.Outcome,
    ) -> bool:
        replay = replay_decision(opened, opening, outcome, self.agreements)
        if replay is not None and not replay.agrees:
            raise ReceiptError(
                f"the agreement decides otherwise for {outcome.recipient}:"
                f" {summarise(replay.computed)} Recorded: {summarise(replay.recorded)}",
                hint=_REPORT,
            )
        return replay is not None

    def _governance(self, opened: OpenedEntry) -> None:
        governance = opened.entry.governance
        document = governance.WhichOneof("document")
        if document == "agreement":
            compiled = open_agreement(governance.agreement)
            for party in compiled.message().parties:
                self._pin(party.agency, PublicKey(party.root.algorithm, party.root.public_key))
            self.agreements[compiled.digest] = compiled
        elif document == "key_statement":
            statement = statements.verify(governance.key_statement)
            self._pin(
                statement.agency.agency_id,
                PublicKey(statement.root.algorithm, statement.root.public_key),
            )
            try:
                self._stated.add(governance.key_statement, entry_time=opened.entry_time)
            except SignatureInvalid:
                # Signed, but the one that it follows on is not among the entries: of no use here.
                return

    def _pin(self, agency: str, root: PublicKey) -> None:
        if self._roots.setdefault(agency, root) != root:
            raise ReceiptError(
                f"it names another root for {agency} than the one that is pinned", hint=_REPORT
            )


def _check_parts(opened: OpenedEntry, outcome: decision_pb2.Outcome) -> None:
    parts = 0 if opened.message is None else len(opened.message.header.parts)
    if len(outcome.decision.parts) != parts:
        raise ReceiptError(
            f"the outcome for {outcome.recipient} decides on {len(outcome.decision.parts)} parts,"
            f" and the message has {parts}",
            hint=_REPORT,
        )


def _fault(index: int, error: RogatoryError) -> ReceiptError:
    return ReceiptError(f"Log entry {index}: {error.message}", hint=error.hint)
