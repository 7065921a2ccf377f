"""Re-running a decision from the log: the same rules on the same bytes give the same decision."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rogatory import wire
from rogatory.agreements.compiled import CompiledAgreement, compile_agreement
from rogatory.decisions.decide import decide, decision_bytes
from rogatory.errors import EnvelopeError, ReceiptError
from rogatory.exchange.v1 import decision_pb2, envelope_pb2

_HINT = (
    "Fetch header, agreement and outcome of one log entry again; if they still differ, report it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A decision as recorded, and as it comes out now.

    Attributes:
        recorded: The decision in the outcome.
        computed: What the agreement says of the same header in the same context.
    """

    recorded: decision_pb2.Decision
    computed: decision_pb2.Decision

    @property
    def agrees(self) -> bool:
        """Whether both are equal, to the byte."""
        return decision_bytes(self.recorded) == decision_bytes(self.computed)


def redecide(
    *,
    outcome: bytes,
    header: bytes,
    agreement: bytes | CompiledAgreement | None,
    recipient_index: int | None = None,
) -> decision_pb2.Decision:
    """Decide again what an outcome says was decided.

    Args:
        outcome: A serialised `Outcome`, as the log entry commits to it.
        header: The serialised header of the same entry.
        agreement: The agreement whose digest the outcome names, serialised or compiled; None where
            it names none.
        recipient_index: Position of the recipient in the header; None: found by agency id.

    Raises:
        ReceiptError: The three do not belong together, or are not what they are said to be.
        AgreementError: The agreement's bytes are not an agreement.
    """
    return recheck(
        outcome=outcome, header=header, agreement=agreement, recipient_index=recipient_index
    ).computed


def recheck(
    *,
    outcome: bytes,
    header: bytes,
    agreement: bytes | CompiledAgreement | None,
    recipient_index: int | None = None,
) -> Replay:
    """Decide again and lay the result beside the recorded decision. Arguments as for `redecide`.

    1. Outcome and header are read, strictly.
    2. The recipient is one of the header's, under the agreement that the header cites for it.
    3. The agreement is the one whose digest and version the outcome names.
    4. Every signer in the context is one that the header's `signed_by` demands: nobody else counts.
    5. The rules are applied again.

    Raises:
        ReceiptError: The three do not belong together, or are not what they are said to be.
        AgreementError: The agreement's bytes are not an agreement.
    """
    try:  # (1)
        recorded = wire.decode(decision_pb2.Outcome, outcome, what="outcome")
        parsed = wire.decode(envelope_pb2.Header, header, what="header")
    except EnvelopeError as error:
        raise ReceiptError(error.message, hint=_HINT) from error
    index = _recipient(parsed, recorded, recipient_index)  # (2)
    compiled = _agreement(agreement, recorded)  # (3)
    demanded = {(signer.key, signer.role) for signer in parsed.signed_by}  # (4)
    if any((s.key, s.role) not in demanded for s in recorded.context.signers):
        raise ReceiptError(
            f"The outcome for {recorded.recipient} counts a signature the header does not demand",
            hint=_HINT,
        )
    computed = decide(  # (5)
        agreement=compiled, header=parsed, recipient_index=index, context=recorded.context
    )
    return Replay(recorded=recorded.decision, computed=computed)


def _recipient(
    header: envelope_pb2.Header, outcome: decision_pb2.Outcome, given: int | None
) -> int:
    for index, recipient in enumerate(header.recipients):
        if (
            given in (None, index)
            and recipient.agency == outcome.recipient
            and recipient.agreement_id == outcome.agreement_id
        ):
            return index
    raise ReceiptError(
        f"The header addresses no {outcome.recipient!r} under agreement {outcome.agreement_id!r}",
        hint=_HINT,
    )


def _agreement(
    agreement: bytes | CompiledAgreement | None, outcome: decision_pb2.Outcome
) -> CompiledAgreement | None:
    data = agreement.data if isinstance(agreement, CompiledAgreement) else agreement
    digest = b"" if data is None else hashlib.sha256(data).digest()
    if digest != outcome.context.agreement_digest:
        raise ReceiptError(
            f"The outcome for {outcome.recipient} rests on the agreement with digest"
            f" {outcome.context.agreement_digest.hex() or 'none'}, not {digest.hex() or 'none'}",
            hint=_HINT,
        )
    if data is None:
        version, compiled = 0, None
    else:
        compiled = (
            agreement if isinstance(agreement, CompiledAgreement) else compile_agreement(data)
        )
        version = compiled.version
    if version != outcome.agreement_version:
        raise ReceiptError(
            f"The outcome for {outcome.recipient} names version {outcome.agreement_version} of the"
            f" agreement, and its bytes say {version}",
            hint=_HINT,
        )
    return compiled
