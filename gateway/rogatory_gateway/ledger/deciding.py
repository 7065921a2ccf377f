"""Deciding a message under the head lock: an outcome for each recipient, ready to commit to.

The rules are the library's; what is added here is what they depend on at this moment: entry time,
agreements in force, standing of the message referred to, what quotas have counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rogatory import clock
from rogatory.decisions import (
    HeaderView,
    Situation,
    decide_situation,
    quota_usage,
    read_header,
    situate,
)
from rogatory.exchange.v1 import decision_pb2

if TYPE_CHECKING:
    from rogatory.agreements import CompiledAgreement
    from rogatory.exchange.v1 import envelope_pb2
    from rogatory.keyring import KnownKey
    from rogatory_gateway.ledger.registry import Registry

MEMO_LIMIT = 4096
"""Decisions remembered: a few kilobytes each; emptied when full."""

NANOSECONDS_PER_DAY = clock.NANOSECONDS_PER_DAY


class State(Protocol):
    """What deciding reads from the ledger inside the transaction."""

    def standing(
        self, reference: tuple[str, str, bytes], *, sender: str, recipient: str
    ) -> tuple[int, bytes]:
        """Return the ReferenceStanding of a message and the digest of the agreement it went by."""

    def quota_count(
        self, *, agreement_id: str, clause_id: str, sender: str, recipient: str, from_day: int
    ) -> int:
        """Return what a quota has counted from a UTC day on."""


@dataclass(slots=True)
class Decided:
    """A decision for one recipient.

    Attributes:
        prefix: Serialised Outcome but for what differs from message to message.
        context: What it rested on.
    """

    recipient: str
    agreement_id: str
    agreement_digest: bytes
    disposition: int
    prefix: bytes
    context: decision_pb2.DecisionContext
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Memo:
    disposition: int
    prefix: bytes
    counts: tuple[tuple[str, int], ...]


class Decider:
    """Decides messages; remembers decisions, which are pure."""

    def __init__(self) -> None:
        self._memo: dict[tuple[bytes, Situation], _Memo] = {}

    def decide(
        self,
        header: envelope_pb2.Header,
        *,
        signers: tuple[KnownKey, ...],
        registry: Registry,
        state: State,
        entry_time: int,
    ) -> list[Decided]:
        """Return a decision for each recipient, in the header's order."""
        view = read_header(header)
        common = decision_pb2.DecisionContext(
            entry_time=clock.to_timestamp(entry_time),
            signers=[
                decision_pb2.SignerStanding(
                    key=key.fingerprint,
                    role=key.role,  # type: ignore[arg-type]  # a KeyRole number
                    officer=key.officer,
                    rights=key.rights,  # type: ignore[arg-type]  # OfficerRight numbers
                )
                for key in signers
            ],
        )
        reference = _reference(header)
        replies_to = header.in_reply_to if header.HasField("in_reply_to") else None
        decided = []
        for position, recipient in enumerate(header.recipients):
            context = decision_pb2.DecisionContext()
            context.CopyFrom(common)
            context.recipient_enrolled = registry.is_enrolled(recipient.agency)
            agreement = registry.in_force(recipient.agreement_id, entry_time=entry_time)
            if reference is not None:
                context.reference, _ = state.standing(  # type: ignore[assignment]
                    reference, sender=header.sender, recipient=recipient.agency
                )
            if replies_to is not None:
                agreement = _governing(
                    agreement,
                    state.standing(
                        (replies_to.sender, replies_to.message_id, replies_to.header_digest),
                        sender=header.sender,
                        recipient=recipient.agency,
                    )[1],
                    registry,
                )
            if agreement is not None:
                context.agreement_digest = agreement.digest
                for quota in agreement.quota_clauses:
                    context.quotas.add(
                        clause_id=quota.clause_id,
                        count=state.quota_count(
                            agreement_id=agreement.agreement_id,
                            clause_id=quota.clause_id,
                            sender=header.sender,
                            recipient=recipient.agency,
                            from_day=entry_time // NANOSECONDS_PER_DAY - quota.period_days + 1,
                        ),
                    )
            decided.append(self._decide_one(agreement, view, position, context))
        return decided

    def _decide_one(
        self,
        agreement: CompiledAgreement | None,
        view: HeaderView,
        position: int,
        context: decision_pb2.DecisionContext,
    ) -> Decided:
        situation = situate(
            agreement=agreement, header=view, recipient_index=position, context=context
        )
        digest = b"" if agreement is None else agreement.digest
        memo = self._memo.get((digest, situation))
        recipient = view.recipients[position]
        if memo is None:
            decision = decide_situation(agreement=agreement, situation=situation)
            memo = _Memo(
                disposition=decision.disposition,
                prefix=decision_pb2.Outcome(
                    recipient=recipient.agency,
                    agreement_id=recipient.agreement_id,
                    agreement_version=0 if agreement is None else agreement.version,
                    decision=decision,
                ).SerializeToString(deterministic=True),
                counts=()
                if agreement is None
                else tuple(
                    quota_usage(agreement=agreement, header=view, decision=decision).items()
                ),
            )
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            self._memo[digest, situation] = memo
        return Decided(
            recipient=recipient.agency,
            agreement_id=recipient.agreement_id,
            agreement_digest=digest,
            disposition=memo.disposition,
            prefix=memo.prefix,
            context=context,
            counts=memo.counts,
        )


def _reference(header: envelope_pb2.Header) -> tuple[str, str, bytes] | None:
    """Return the message that the particulars are about, where the kind has one."""
    which = header.WhichOneof("particulars")
    if which == "subject":
        message = header.subject.message
    elif which == "update":
        message = header.update.request
    else:
        return None
    return message.sender, message.message_id, message.header_digest


def _governing(
    agreement: CompiledAgreement | None, digest: bytes, registry: Registry
) -> CompiledAgreement | None:
    """Replies follow the version of the message they answer, while the agreement holds at all."""
    answered = registry.by_digest(digest) if digest else None
    if (
        agreement is None
        or answered is None
        or answered.agreement_id != agreement.agreement_id
    ):
        return agreement
    return answered
