"""Receipts: proof that a message was admitted or refused, for anyone who holds a policy.

A receipt file is a C2SP tlog-proof. Its `extra` is a serialised `rogatory.audit.v1.Opening`: the
log entry, which is the leaf, and the outcomes that its holder may open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rogatory import clock, wire
from rogatory.audit.v1 import entry_pb2
from rogatory.checkpoints import SignedCheckpoint
from rogatory.decisions import summarise
from rogatory.entries import open_entry, open_outcome, replay_decision, verify_signers
from rogatory.errors import ReceiptError, RogatoryError
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, exchange_service_pb2
from rogatory.keyring import KnownKey
from rogatory.merkle import leaf_hash
from rogatory.notes import VerifiedSignature
from rogatory.policy import Policy
from rogatory.tlogproof import TlogProof


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientResult:
    """What a receipt proves of one recipient.

    Attributes:
        agency, agreement_id, article: The recipient and the legal basis, as the header cites it.
        outcome: What became of the message; None where this receipt does not open it.
        rechecked: The decision was made again from the agreement, and is the same.
    """

    agency: str
    agreement_id: str
    article: str
    outcome: decision_pb2.Outcome | None
    rechecked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedReceipt:
    """What a receipt proves under a policy.

    Attributes:
        index: Index of the entry in the log.
        entry: The entry.
        entry_time: When it was made, nanoseconds since the Unix epoch.
        header: What the sender signed.
        signers: The keys that signed it, in the order of its `signed_by`.
        recipients: In the header's order.
        checkpoint: The checkpoint with the signatures that verified.
        witnesses: Cosignatures by witnesses of the policy.
        witnessed: They suffice: as many as the policy wants, one at least by no party to the
            message and not by the operator. False reads "not yet witnessed".
    """

    index: int
    entry: entry_pb2.AuditEntry
    entry_time: int
    header: envelope_pb2.Header
    signers: tuple[KnownKey, ...]
    recipients: tuple[RecipientResult, ...]
    checkpoint: SignedCheckpoint
    witnesses: tuple[VerifiedSignature, ...]
    witnessed: bool

    def lines(self) -> list[str]:
        """Return the proof in sentences: who sent what to whom, when, and who vouches for it."""
        kind = codes_pb2.Kind.Name(self.header.kind).removeprefix("KIND_")
        exercise = "exercise " if self.header.exercise else ""
        log = self.checkpoint.checkpoint
        lines = [
            f"{self.header.sender} sent {exercise}{kind} {self.header.message_id}",
            f"entered at {clock.to_text(self.entry_time)} as entry {self.index} of {log.origin}",
        ]
        lines += [_recipient_line(item) for item in self.recipients]
        lines += [
            f"signed by {key.agency}"
            + (f", officer {key.officer}" if key.officer else "")
            + f", {key.algorithm} key {key.fingerprint[:8].hex()}"
            for key in self.signers
        ]
        lines += [
            f"checkpoint of size {log.size} signed by {item.key.name}, key {item.key.key_id.hex()}"
            for item in self.checkpoint.log_signatures
        ]
        lines += [
            f"witnessed by {item.key.name}"
            f" since {clock.to_text((item.time or 0) * clock.NANOSECONDS_PER_SECOND)}"
            for item in self.witnesses
        ]
        if not self.witnessed:
            lines.append("not yet witnessed: rests on the log's own word")
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt, not verified yet.

    Attributes:
        entry: The serialised log entry.
        outcomes: Openings of outcomes, those the holder may see.
        index: Index of the entry.
        proof: RFC 6962 audit path, 32 bytes a hash, from the leaf's sibling upwards.
        checkpoint: The signed note, to the byte.
    """

    entry: bytes
    outcomes: tuple[decision_pb2.OutcomeOpening, ...]
    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @classmethod
    def from_submission(
        cls, submission: exchange_service_pb2.Submission, checkpoint: str
    ) -> Receipt:
        """Take it from what Submit or SubmitBatch answered."""
        return cls.from_parts(submission.receipt, submission.outcomes, checkpoint)

    @classmethod
    def from_parts(
        cls,
        receipt: exchange_service_pb2.Receipt,
        outcomes: Sequence[decision_pb2.OutcomeOpening],
        checkpoint: str,
    ) -> Receipt:
        """Take it from a receipt message with outcomes and checkpoint beside it."""
        return cls(
            entry=receipt.entry,
            outcomes=tuple(outcomes),
            index=receipt.index,
            proof=tuple(receipt.proof),
            checkpoint=checkpoint.encode(),
        )

    def to_bytes(self) -> bytes:
        """The bytes of the receipt file (C2SP tlog-proof)."""
        opening = entry_pb2.Opening(entry=self.entry, outcomes=self.outcomes)
        return TlogProof(
            index=self.index,
            hashes=self.proof,
            checkpoint=self.checkpoint,
            extra=opening.SerializeToString(deterministic=True),
        ).to_bytes()

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """Read a receipt file; nothing is verified.

        Raises:
            ReceiptError: The bytes are not a tlog-proof, or its extra is not an opening.
        """
        with _step("reading the file"):
            proof = TlogProof.parse(data)
            opening = wire.decode(entry_pb2.Opening, proof.extra, what="extra line")
            wire.validate(opening, what="extra line")
        return cls(
            entry=opening.entry,
            outcomes=tuple(opening.outcomes),
            index=proof.index,
            proof=proof.hashes,
            checkpoint=proof.checkpoint,
        )

    def verify(self, policy: Policy) -> VerifiedReceipt:
        """Check everything that the receipt claims, with the policy's keys and nothing else.

        1. Keys of the log signed the checkpoint.
        2. The entry is in the checkpoint's tree at the index.
        3. The entry and the header in it are what the schema allows, to the byte.
        4. Every signature that the header demands verifies, by keys of the sender that were valid
           at entry time; the sender's key statements go back to the root that the policy pins.
        5. Each opened outcome is the one that the entry commits to, and fits header and signers.
        6. Where the policy holds the agreement, the decision comes out the same again.
        7. Cosignatures are counted; too few do not make the receipt wrong, only not yet witnessed.

        Raises:
            ReceiptError: A step failed; the text says which and why.
        """
        with _step("checkpoint signatures and inclusion in the log"):  # (1) (2)
            checkpoint = TlogProof(
                index=self.index, hashes=self.proof, checkpoint=self.checkpoint
            ).verify(
                leaf=leaf_hash(self.entry),
                log_keys=policy.log_keys,
                witness_keys=policy.witness_keys,
            )
        with _step("log entry"):  # (3)
            opened = open_entry(self.entry)
        if opened.message is None:
            raise ReceiptError(
                f"The log entry {opened.entry.tag} is not that of a message",
                hint="Receipts are given for messages; ask an auditor for other entries.",
            )
        header = opened.message.header
        with _step(f"signatures of {header.sender}"):  # (4)
            policy.require_agency(header.sender)
            signers = verify_signers(opened, policy.ring)
        outcomes: dict[int, tuple[decision_pb2.Outcome, bool]] = {}
        for opening in self.outcomes:
            with _step(f"outcome of recipient {opening.recipient_index}"):  # (5)
                outcome = open_outcome(opened, opening, signers=signers)
            with _step(f"decision for {outcome.recipient}"):  # (6)
                replay = replay_decision(opened, opening, outcome, policy.agreements)
            if replay is not None and not replay.agrees:
                raise ReceiptError(
                    f"The agreement decides otherwise for {outcome.recipient}: "
                    f"{summarise(replay.computed)} Recorded: {summarise(replay.recorded)}",
                    hint="Keep the receipt and the agreement: together they show that the gateway"
                    " did not follow it.",
                )
            outcomes[opening.recipient_index] = (outcome, replay is not None)
        parties = {header.sender, *(item.agency for item in header.recipients)}
        return VerifiedReceipt(
            index=self.index,
            entry=opened.entry,
            entry_time=opened.entry_time,
            header=header,
            signers=signers,
            recipients=tuple(
                RecipientResult(
                    agency=recipient.agency,
                    agreement_id=recipient.agreement_id,
                    article=recipient.article,
                    outcome=outcomes[position][0] if position in outcomes else None,
                    rechecked=position in outcomes and outcomes[position][1],
                )
                for position, recipient in enumerate(header.recipients)
            ),
            checkpoint=checkpoint,
            witnesses=checkpoint.cosignatures,
            witnessed=policy.is_witnessed(checkpoint.cosignatures, parties=parties),  # (7)
        )


@contextmanager
def _step(what: str) -> Iterator[None]:
    try:
        yield
    except ReceiptError:
        raise
    except RogatoryError as error:
        raise ReceiptError(f"In {what}: {error.message}", hint=error.hint) from error


def _recipient_line(item: RecipientResult) -> str:
    basis = f"to {item.agency} under {item.agreement_id} {item.article}"
    if item.outcome is None:
        return f"{basis}: the outcome is not opened by this receipt"
    checked = "decision re-run" if item.rechecked else "decision not re-run: agreement not at hand"
    return f"{basis}: {summarise(item.outcome.decision)} ({checked})"
