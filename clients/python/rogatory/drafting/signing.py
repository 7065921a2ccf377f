"""Who has signed a draft, who must, and whether they may: judged by the agency's key statements."""

from __future__ import annotations

from dataclasses import dataclass

from rogatory import dsse, envelopes
from rogatory.drafting.draft import DraftEnvelope, with_signatures
from rogatory.errors import DraftError, EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.keyring import KeyRing, KnownKey
from rogatory.signers import Signer

_SIGNING_RIGHTS = frozenset({codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerState:
    """How one entry of a draft's ``signed_by`` stands.

    Attributes:
        key: Fingerprint, 32 bytes.
        role: SIGNING or OFFICER.
        officer: Pseudonym; empty for the agency's own key, and for one that is not known.
        rights: ``OfficerRight`` numbers.
        signed: Its signature is there.
        fault: ``ErrorReason`` name of what speaks against key or signature; empty for nothing.
    """

    key: bytes
    role: int
    officer: str
    rights: tuple[int, ...]
    signed: bool
    fault: str

    @property
    def name(self) -> str:
        """Whose signature it is, in words: a pseudonym, never a name."""
        if self.role == codes_pb2.KEY_ROLE_SIGNING:
            return "the agency's signing key"
        return self.officer or f"key {self.key.hex()[:16]}"


def signer_states(draft: DraftEnvelope, ring: KeyRing, *, now: int) -> tuple[SignerState, ...]:
    """Return how each signature that the header names stands, in the header's order.

    Args:
        draft: The draft.
        ring: The agency's keys.
        now: Nanoseconds since the Unix epoch.
    """
    values = {signature.key: signature.value for signature in draft.opened.signatures}
    payload = dsse.pae(dsse.HEADER_TYPE, draft.opened.header_bytes)
    states = []
    for item in draft.header.signed_by:
        known, fault = None, ""
        try:
            known = envelopes.named_key(item, ring, sender=draft.header.sender)
            envelopes.check_key(known, entry_time=now)
            _check_right(known)
            if item.key in values:
                envelopes.check_signature(known, values[item.key], payload)
        except EnvelopeError as error:
            fault = error.reason
        states.append(
            SignerState(
                key=item.key,
                role=item.role,
                officer=known.officer if known is not None else "",
                rights=known.rights if known is not None else (),
                signed=item.key in values,
                fault=fault,
            )
        )
    return tuple(states)


def sign(
    draft: DraftEnvelope, signer: Signer, *, ring: KeyRing, now: int, officer: str = ""
) -> DraftEnvelope:
    """Return a draft with one signature more.

    1. It has not expired.
    2. The header names the key, and the key has not signed yet.
    3. The key is the sender's, valid now, and may sign or approve.
    4. It is the officer's who says so; that officer has not signed with another key.
    5. Every signature so far verifies, by a key that is valid now: what bears another can't be sent
       any more, and nobody should put a name to it.

    Args:
        draft: The draft.
        signer: Signs.
        ring: The agency's keys.
        now: Nanoseconds since the Unix epoch.
        officer: Pseudonym of the officer whose key it must be; empty: the agency's own.

    Raises:
        DraftError: DRAFT_SIGNER or DRAFT_SIGNED.
        EnvelopeError: EXPIRED, KEY_UNKNOWN, KEY_NOT_YET_VALID, KEY_EXPIRED, KEY_REVOKED,
            OFFICER_RIGHT_MISSING or SIGNATURE_INVALID.
        SignerError: The key could not sign.
    """
    check_not_expired(draft, now=now)  # (1)
    fingerprint = signer.public_key.fingerprint
    named = next((item for item in draft.header.signed_by if item.key == fingerprint), None)
    if named is None:  # (2)
        raise DraftError(
            f"the draft does not name key {fingerprint.hex()[:16]}"
            + (f" of {officer}" if officer else "")
            + " among those that sign it",
            hint="See whom it names: rogatory review. Whoever else is to sign needs another draft.",
            reason="DRAFT_SIGNER",
        )
    if fingerprint not in draft.missing:
        raise _signed_already(officer, draft)
    known = envelopes.named_key(named, ring, sender=draft.header.sender)  # (3)
    envelopes.check_key(known, entry_time=now)
    _check_right(known)
    if known.officer != officer:  # (4)
        raise DraftError(
            f"key {fingerprint.hex()[:16]} is {known.officer or 'the agency'}'s, not"
            f" {officer or 'the agency'}'s",
            hint="Each officer signs with the own key.",
            reason="DRAFT_SIGNER",
        )
    check_signatures(draft, ring, now=now)  # (5)
    states = signer_states(draft, ring, now=now)
    if officer and any(state.signed and state.officer == officer for state in states):
        raise _signed_already(officer, draft)
    payload = dsse.pae(dsse.HEADER_TYPE, draft.opened.header_bytes)
    made = envelope_pb2.Signature(key=fingerprint, value=signer.sign(payload))
    return with_signatures(draft, [*draft.opened.signatures, made])


def complete(draft: DraftEnvelope, ring: KeyRing, *, now: int) -> bytes:
    """Return the envelope to send, once all have signed.

    Args:
        draft: The draft.
        ring: The agency's keys.
        now: Nanoseconds since the Unix epoch.

    Raises:
        DraftError: DRAFT_INCOMPLETE; the text says who has still to sign.
        EnvelopeError: EXPIRED, or as `envelopes.verify_signatures`.
    """
    check_not_expired(draft, now=now)
    check_signatures(draft, ring, now=now)
    if draft.missing:
        waiting = [s.name for s in signer_states(draft, ring, now=now) if not s.signed]
        raise DraftError(
            f"draft {draft.message_id} has still to be signed by {', '.join(waiting)}",
            hint=f"Hand it on: rogatory approve {draft.message_id} --officer PSEUDONYM",
            reason="DRAFT_INCOMPLETE",
        )
    envelopes.verify_signatures(envelopes.open_envelope(draft.data), ring, entry_time=now)
    return draft.data


def check_not_expired(draft: DraftEnvelope, *, now: int) -> None:
    """Check that a draft may still be sent at ``now`` (nanoseconds since the Unix epoch).

    Raises:
        EnvelopeError: EXPIRED.
    """
    envelopes.check_expiry(draft.header, entry_time=now)


def check_signatures(draft: DraftEnvelope, ring: KeyRing, *, now: int) -> None:
    """Check the signatures so far, by keys that are valid at ``now`` (ns since the Unix epoch).

    Raises:
        EnvelopeError: As `envelopes.verify_signatures`.
    """
    values = {signature.key: signature.value for signature in draft.opened.signatures}
    payload = dsse.pae(dsse.HEADER_TYPE, draft.opened.header_bytes)
    for item in draft.header.signed_by:
        if item.key in values:
            known = envelopes.named_key(item, ring, sender=draft.header.sender)
            envelopes.check_key(known, entry_time=now)
            _check_right(known)
            envelopes.check_signature(known, values[item.key], payload)


def _check_right(known: KnownKey) -> None:
    """Check that an officer may sign or approve; an author may be another."""
    if known.role == codes_pb2.KEY_ROLE_OFFICER and not _SIGNING_RIGHTS.intersection(known.rights):
        raise EnvelopeError(
            f"officer {known.officer} of {known.agency} may neither sign nor approve",
            hint="Enrol a key of the officer's with that right, or have another officer sign.",
            reason="OFFICER_RIGHT_MISSING",
        )


def _signed_already(officer: str, draft: DraftEnvelope) -> DraftError:
    return DraftError(
        f"{officer or 'the agency'} has signed draft {draft.message_id} already",
        hint="Nobody signs twice: four eyes are two officers with a key each.",
        reason="DRAFT_SIGNED",
    )
