"""Signatures on envelopes: by whom they must be, by keys valid at entry time, with which rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory import clock, dsse
from rogatory.errors import EnvelopeError, SignatureInvalid
from rogatory.exchange.v1 import codes_pb2, envelope_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rogatory.envelopes.opening import OpenedEnvelope
    from rogatory.keyring import KeyRing, KnownKey


def verify_signatures(
    opened: OpenedEnvelope, ring: KeyRing, *, entry_time: int
) -> tuple[KnownKey, ...]:
    """Verify every signature that ``signed_by`` names, and that its maker may make it.

    An officer needs the right to sign or to approve, and there must be an author: the agency's own
    signing key, or an officer with the right to sign. Returns the keys in the order of
    ``signed_by``.

    Args:
        ring: Keys of all agencies.
        entry_time: Instant at which the keys must be valid, nanoseconds since the Unix epoch.

    Raises:
        EnvelopeError: SIGNATURE_MISSING, SIGNATURE_INVALID, KEY_UNKNOWN, KEY_NOT_YET_VALID,
            KEY_EXPIRED, KEY_REVOKED or OFFICER_RIGHT_MISSING.
    """
    header = opened.header
    by_key = {signature.key: signature.value for signature in opened.signatures}
    named = {signed.key for signed in header.signed_by}
    if (
        named != by_key.keys()
        or len(named) != len(header.signed_by)
        or len(by_key) != len(opened.signatures)
    ):
        raise EnvelopeError(
            "the signatures are not those that signed_by names",
            hint="Send one signature for each key of signed_by: none less, none more.",
            reason="SIGNATURE_MISSING",
        )
    payload = dsse.pae(dsse.HEADER_TYPE, opened.header_bytes)
    known_keys = []
    for signed in header.signed_by:
        known = named_key(signed, ring, sender=header.sender)
        check_key(known, entry_time=entry_time)
        check_signature(known, by_key[signed.key], payload)
        known_keys.append(known)
    check_rights(known_keys)
    return tuple(known_keys)


def named_key(signed: envelope_pb2.SignedBy, ring: KeyRing, *, sender: str) -> KnownKey:
    """Return the sender's key that an entry of ``signed_by`` names, valid or not.

    Raises:
        EnvelopeError: KEY_UNKNOWN: it is not the sender's in that role.
    """
    known = ring.get(signed.key)
    if known is None or known.agency != sender or known.role != signed.role:
        raise key_unknown(signed.key, sender=sender, role=signed.role)
    return known


def check_signature(known: KnownKey, value: bytes, payload: bytes) -> None:
    """Check one signature under a header.

    Args:
        known: Whose it is said to be.
        value: The signature.
        payload: What it covers: `dsse.pae` of the header's bytes.

    Raises:
        EnvelopeError: KEY_UNKNOWN (the key cannot sign) or SIGNATURE_INVALID.
    """
    if known.public_key is None:
        raise EnvelopeError(
            f"key {known.fingerprint.hex()[:16]} cannot sign",
            hint="Sign with a signing or officer key.",
            reason="KEY_UNKNOWN",
        )
    try:
        known.public_key.verify(value, payload)
    except SignatureInvalid as error:
        raise EnvelopeError(
            f"the signature by key {known.fingerprint.hex()[:16]} does not verify",
            hint="Sign the header's exact bytes under the header payload type.",
            reason="SIGNATURE_INVALID",
        ) from error


def key_unknown(fingerprint: bytes, *, sender: str, role: int) -> EnvelopeError:
    """Return the error for a key that is not the sender's in the role in which it signed."""
    return EnvelopeError(
        f"key {fingerprint.hex()[:16]} is not enrolled for {sender} in role "
        f"{codes_pb2.KeyRole.Name(role)}",  # type: ignore[arg-type]  # a KeyRole number
        hint="Enrol it with a key statement, or sign with a key that is enrolled.",
        reason="KEY_UNKNOWN",
    )


def check_rights(signers: Sequence[KnownKey]) -> None:
    """Check that each signer may sign, and one of them as the author (`OfficerRight`).

    Raises:
        EnvelopeError: OFFICER_RIGHT_MISSING.
    """
    has_author = False
    for known in signers:
        if known.role != codes_pb2.KEY_ROLE_OFFICER or codes_pb2.OFFICER_RIGHT_SIGN in known.rights:
            has_author = True
        elif codes_pb2.OFFICER_RIGHT_APPROVE not in known.rights:
            raise EnvelopeError(
                f"officer {known.officer} of {known.agency} may neither sign nor approve",
                hint="Enrol a key of the officer's with that right, or have another officer sign.",
                reason="OFFICER_RIGHT_MISSING",
            )
    if not has_author:
        raise EnvelopeError(
            "the message is approved, and nobody who may be its author has signed it",
            hint="Sign with the agency's signing key too, or that of an officer who may sign.",
            reason="OFFICER_RIGHT_MISSING",
        )


def check_expiry(header: envelope_pb2.Header, *, entry_time: int) -> None:
    """Check that a message has not expired at ``entry_time`` (nanoseconds since the Unix epoch).

    Raises:
        EnvelopeError: EXPIRED.
    """
    if clock.to_nanoseconds(header.expire_time) <= entry_time:
        raise EnvelopeError(
            f"the message expired at {header.expire_time.ToJsonString()}",
            hint="Send it again under a new message id with a later expire_time.",
            reason="EXPIRED",
        )


def check_key(known: KnownKey, *, entry_time: int) -> None:
    """Check that a key is valid at ``entry_time`` (nanoseconds since the Unix epoch).

    Raises:
        EnvelopeError: KEY_NOT_YET_VALID, KEY_EXPIRED or KEY_REVOKED.
    """
    fault = known.fault_at(entry_time)
    if fault:
        what = fault.removeprefix("KEY_").replace("_", " ").lower()
        raise EnvelopeError(
            f"key {known.fingerprint.hex()[:16]} of {known.agency} is {what}",
            hint="Sign with a key that is valid now; the directory lists them.",
            reason=fault,
        )
