"""Log entries as a verifier reads them: strictly, and against what opens them.

Shared by whoever holds a receipt, a delivery or the whole log.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from rogatory import clock, wire
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.audit.v1 import entry_pb2
from rogatory.decisions import Replay, recheck
from rogatory.envelopes import OpenedEnvelope, outcome_commitment, verify_signatures
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import decision_pb2, envelope_pb2
from rogatory.keyring import KeyRing, KnownKey

_FETCH_AGAIN = "Fetch it again; if it stays so, keep it and tell the gateway's operator."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEntry:
    """A log entry that parsed.

    Attributes:
        entry: The entry.
        entry_time: When it was made, nanoseconds since the Unix epoch.
        message: The header that it holds, without parts; None for an entry of another kind.
    """

    entry: entry_pb2.AuditEntry
    entry_time: int
    message: OpenedEnvelope | None


def open_entry(data: bytes) -> OpenedEntry:
    """Parse a log entry and the header in it, and check the schema's rules on both.

    Raises:
        EnvelopeError: MALFORMED, UNKNOWN_FIELDS or FIELD_VIOLATIONS.
    """
    entry = wire.decode(entry_pb2.AuditEntry, data, what="log entry")
    wire.validate(entry, what="log entry")
    message = None
    if entry.WhichOneof("body") == "message":
        header_bytes = entry.message.header
        header = wire.decode(envelope_pb2.Header, header_bytes, what="header")
        wire.validate(header, what="header", prefix="header")
        message = OpenedEnvelope(
            header_bytes=header_bytes,
            header_digest=hashlib.sha256(header_bytes).digest(),
            header=header,
            signatures=entry.message.signatures,
            parts=(),
        )
        if header.sender != entry.actor:
            raise _wrong(f"the entry says that {entry.actor} sent a message of {header.sender}")
        if len(entry.outcome_commitments) != len(header.recipients):
            raise _wrong(
                f"the entry commits to {len(entry.outcome_commitments)} outcomes for"
                f" {len(header.recipients)} recipients"
            )
    return OpenedEntry(
        entry=entry, entry_time=clock.to_nanoseconds(entry.entry_time), message=message
    )


def verify_signers(opened: OpenedEntry, ring: KeyRing) -> tuple[KnownKey, ...]:
    """Verify the signatures of the entry's header, by keys valid at entry time; return the keys.

    Raises:
        EnvelopeError: SIGNATURE_MISSING, SIGNATURE_INVALID, KEY_UNKNOWN, KEY_NOT_YET_VALID,
            KEY_EXPIRED or KEY_REVOKED; MALFORMED where the entry holds no message.
    """
    if opened.message is None:
        raise _wrong(f"an entry {opened.entry.tag} holds no message that was signed")
    return verify_signatures(opened.message, ring, entry_time=opened.entry_time)


def open_outcome(
    opened: OpenedEntry,
    opening: decision_pb2.OutcomeOpening,
    *,
    signers: tuple[KnownKey, ...] | None,
) -> decision_pb2.Outcome:
    """Check an opening against the entry's commitment, and the outcome against entry and signers.

    Args:
        opened: The entry.
        opening: One of its outcomes.
        signers: Whose signatures verify; None where their keys are not at hand: not compared then.

    Raises:
        EnvelopeError: COMMITMENT_MISMATCH, or MALFORMED where outcome and entry contradict.
    """
    index = opening.recipient_index
    commitments = opened.entry.outcome_commitments
    if opened.message is None or index >= len(commitments):
        raise _wrong(f"the entry has no outcome for a recipient {index}")
    found = outcome_commitment(opening.salt, opening.outcome)
    if not hmac.compare_digest(found, commitments[index]):
        raise EnvelopeError(
            f"the outcome for recipient {index} is not the one that the log entry commits to",
            hint=_FETCH_AGAIN,
            reason="COMMITMENT_MISMATCH",
        )
    outcome = wire.decode(decision_pb2.Outcome, opening.outcome, what="outcome")
    recipient = opened.message.header.recipients[index]
    if (outcome.recipient, outcome.agreement_id) != (recipient.agency, recipient.agreement_id):
        raise _wrong(
            f"the outcome is for {outcome.recipient} under {outcome.agreement_id}, the header"
            f" addresses {recipient.agency} under {recipient.agreement_id}"
        )
    context = outcome.context
    if context.entry_time != opened.entry.entry_time:
        raise _wrong("the outcome was decided for another time than the entry's")
    if signers is None:
        return outcome
    known = {(key.fingerprint, key.role, key.officer, tuple(sorted(key.rights))) for key in signers}
    stated = {
        (item.key, item.role, item.officer, tuple(sorted(item.rights))) for item in context.signers
    }
    if stated != known:
        raise _wrong("the outcome counts other signers than those whose signatures verify")
    return outcome


def replay_decision(
    opened: OpenedEntry,
    opening: decision_pb2.OutcomeOpening,
    outcome: decision_pb2.Outcome,
    agreements: Mapping[bytes, CompiledAgreement],
) -> Replay | None:
    """Decide again; None where the agreement relied on is not at hand.

    Raises:
        ReceiptError: Outcome, header and agreement do not belong together.
    """
    digest = outcome.context.agreement_digest
    agreement = agreements.get(digest)
    if opened.message is None or (digest and agreement is None):
        return None
    return recheck(
        outcome=opening.outcome,
        header=opened.message.header_bytes,
        agreement=agreement,
        recipient_index=opening.recipient_index,
    )


def _wrong(what: str) -> EnvelopeError:
    return EnvelopeError(what, hint=_FETCH_AGAIN, reason="MALFORMED")
