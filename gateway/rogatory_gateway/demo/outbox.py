"""Sending, and the check of what the gateway answers: every receipt, proof and decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rogatory.client import AsyncClient, Submitted
from rogatory.decisions import explain
from rogatory.envelopes import MAX_BATCH_BYTES, MAX_BATCH_MESSAGES
from rogatory.errors import CallError, ReceiptError
from rogatory.exchange.v1 import decision_pb2
from rogatory.merkle import leaf_hash
from rogatory.policy import Policy
from rogatory.receipts import RecipientResult, VerifiedReceipt


@dataclass(slots=True)
class Checks:
    """What was verified, and held.

    Attributes:
        signatures: Signatures on headers, key statements and agreements.
        receipts: Receipts of messages sent.
        proofs: Inclusion and consistency proofs.
        decisions: Decisions made again, and found equal.
    """

    signatures: int = 0
    receipts: int = 0
    proofs: int = 0
    decisions: int = 0


@dataclass(slots=True, kw_only=True)
class Sent:
    """What became of messages sent.

    Attributes:
        messages: The gateway's answers, in order.
        verified: What their receipts prove, in order.
        refusals: A row for each recipient refused.
        deliveries: Recipients in whose inbox a message was put; an officer of each acknowledges it.
    """

    messages: list[Submitted] = field(default_factory=list)
    verified: list[VerifiedReceipt] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    deliveries: int = 0


class Outbox:
    """What an agency sends, and what it holds of it.

    Attributes:
        positions: The last inbox position at which each agency got a message of this one.
        seen: Leaf hash by index of the log entries that receipts showed.
    """

    def __init__(
        self, *, client: AsyncClient, agency: str, policy: Policy, receipts: Path, checks: Checks
    ) -> None:
        """Send for an agency.

        Args:
            policy: Whom it trusts.
            receipts: Folder that receipts are kept in.
            checks: Where what was verified is counted.
        """
        self.positions: dict[str, int] = {}
        self.seen: dict[int, bytes] = {}
        self.checks = checks
        self._client = client
        self._agency = agency
        self._policy = policy
        self._receipts = receipts

    async def send(self, *batch: bytes, keep: bool = True) -> Sent:
        """Submit envelopes and verify each receipt: signatures, proof and every decision again.

        Args:
            keep: Write the receipts into the agency's folder.

        Raises:
            CallError: The gateway turned one away.
            ReceiptError: A receipt does not verify.
        """
        sent = Sent()
        for group in _groups(batch):
            for result in await self._client.submit_batch(group):
                if isinstance(result, CallError):
                    raise result
                self._check_receipt(result, sent, keep=keep)
        return sent

    def _check_receipt(self, submitted: Submitted, sent: Sent, *, keep: bool) -> None:
        verified = submitted.receipt.verify(self._policy)
        self.checks.receipts += 1
        self.checks.proofs += 1
        self.checks.signatures += len(verified.signers)
        if not all(item.rechecked for item in verified.recipients):
            raise ReceiptError(
                f"A decision on {submitted.message_id} could not be made again",
                hint="Fetch the agreement it rests on.",
            )
        self.checks.decisions += len(verified.recipients)
        self.seen[verified.index] = leaf_hash(submitted.receipt.entry)
        for cited, outcome in zip(verified.recipients, submitted.outcomes, strict=True):
            if outcome.inbox_position:
                sent.deliveries += 1
                last = self.positions.get(outcome.recipient, 0)
                self.positions[outcome.recipient] = max(last, outcome.inbox_position)
            decision = outcome.decision
            if decision.disposition == decision_pb2.DISPOSITION_REFUSED:
                sent.refusals.append(_refusal(submitted.message_id, self._agency, cited, outcome))
        sent.messages.append(submitted)
        sent.verified.append(verified)
        if keep:
            self._receipts.mkdir(mode=0o700, exist_ok=True)
            path = self._receipts / f"{submitted.message_id}.tlog-proof"
            path.write_bytes(submitted.receipt.to_bytes())


def _groups(batch: Sequence[bytes]) -> list[list[bytes]]:
    """Return envelopes in groups that SubmitBatch takes."""
    groups: list[list[bytes]] = []
    size = MAX_BATCH_BYTES
    for envelope in batch:
        size += len(envelope)
        if size > MAX_BATCH_BYTES or len(groups[-1]) == MAX_BATCH_MESSAGES:
            groups.append([])
            size = len(envelope)
        groups[-1].append(envelope)
    return groups


def _refusal(
    message_id: str,
    sender: str,
    cited: RecipientResult,
    outcome: decision_pb2.Outcome,
) -> dict[str, Any]:
    decision = outcome.decision
    return {
        "message_id": message_id,
        "article": decision.article or cited.article,
        "ground": decision_pb2.Ground.Name(decision.ground).removeprefix("GROUND_"),
        "sender": sender,
        "recipient": outcome.recipient,
        "agreement": outcome.agreement_id,
        "clause": decision.clause_id,
        "explanation": explain(decision),
    }
