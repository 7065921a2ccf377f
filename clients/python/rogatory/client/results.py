"""What became of a message that was submitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rogatory.decisions import next_step
from rogatory.errors import Refused
from rogatory.exchange.v1 import decision_pb2, exchange_service_pb2
from rogatory.receipts import Receipt


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The gateway's answer to one message: decided, durable and logged, refusals included.

    Attributes:
        message_id: Id of the message.
        receipt: Entry, outcomes, proof and checkpoint: what to keep, and what anyone can verify.
        repeated: This message had been decided before, and this is the original outcome.
        duty_contacts: For an urgent REQUEST: where each recipient that got it can be reached now,
            by its own statement. The gateway's words: no signature of the log's covers them.
    """

    message_id: str
    receipt: Receipt
    repeated: bool
    duty_contacts: tuple[exchange_service_pb2.DutyContact, ...] = ()

    @classmethod
    def of(cls, submission: exchange_service_pb2.Submission, checkpoint: str) -> Submitted:
        """Take it from the gateway's response."""
        return cls(
            message_id=submission.message_id,
            receipt=Receipt.from_submission(submission, checkpoint),
            repeated=submission.repeated_submission,
            duty_contacts=tuple(submission.duty_contacts),
        )

    @cached_property
    def outcomes(self) -> tuple[decision_pb2.Outcome, ...]:
        """The outcome for each recipient, in the header's order.

        These are the gateway's words. ``receipt.verify`` checks them against the log.
        """
        return tuple(
            decision_pb2.Outcome.FromString(opening.outcome)
            for opening in sorted(self.receipt.outcomes, key=lambda item: item.recipient_index)
        )

    @property
    def permitted(self) -> bool:
        """True when at least one recipient gets at least one part."""
        return any(
            outcome.decision.disposition
            in (decision_pb2.DISPOSITION_PERMITTED, decision_pb2.DISPOSITION_WITHHELD)
            for outcome in self.outcomes
        )

    def raise_if_refused(self) -> None:
        """Do nothing where a recipient was permitted.

        Raises:
            Refused: No recipient was; the error holds outcomes and receipt.
        """
        if self.permitted:
            return
        grounds = "; ".join(_line(outcome) for outcome in self.outcomes)
        ground = (
            self.outcomes[0].decision.ground if self.outcomes else decision_pb2.GROUND_UNSPECIFIED
        )
        steps = dict.fromkeys(
            next_step(outcome.decision, agreement=outcome.agreement_id) for outcome in self.outcomes
        )
        raise Refused(
            f"The message was refused: {grounds}" if grounds else "The message was refused",
            hint=" ".join(step for step in steps if step)
            or "Read each outcome's findings and remedy, change the message, and send it under a"
            " new message_id.",
            reason=decision_pb2.Ground.Name(ground).removeprefix("GROUND_"),
            message_id=self.message_id,
            outcomes=self.outcomes,
            receipt=self.receipt,
        )


def _line(outcome: decision_pb2.Outcome) -> str:
    decision = outcome.decision
    ground = decision_pb2.Ground.Name(decision.ground).removeprefix("GROUND_")
    where = f" ({decision.article})" if decision.article else ""
    return f"{outcome.recipient}: {ground.replace('_', ' ').lower()}{where}"
