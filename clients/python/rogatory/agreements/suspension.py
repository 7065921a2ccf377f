"""Suspensions: a party stops an agreement of its own accord, and lets it go on again.

Sovereignty over one's own data must not wait for the other side's signature: one root is enough. It
acts on what is sent to and by that party; between the others the agreement goes on. Declarations
are numbered for each party and agreement, so that an old one can't be entered a second time.
"""

from __future__ import annotations

from rogatory import dsse, wire
from rogatory.agreements import armour
from rogatory.errors import AgreementError, EnvelopeError, SignatureInvalid
from rogatory.exchange.v1 import agreement_pb2, envelope_pb2
from rogatory.keys import PublicKey
from rogatory.signers import Signer

_LABEL = "ROGATORY AGREEMENT SUSPENSION"


def sign_suspension(
    suspension: agreement_pb2.AgreementSuspension, *, signer: Signer
) -> agreement_pb2.SignedAgreementSuspension:
    """Sign a declaration with the party's root key.

    Raises:
        AgreementError: it breaks the schema's rules.
        SignerError: the signer could not sign.
    """
    if found := wire.violations(suspension):
        raise AgreementError(
            f"the suspension is faulty: {found[0]}",
            hint="Name the agreement, the party, a sequence number from 1 and a reason.",
        )
    data = suspension.SerializeToString(deterministic=True)
    return agreement_pb2.SignedAgreementSuspension(
        suspension=data,
        signature=envelope_pb2.Signature(
            key=signer.public_key.fingerprint,
            value=dsse.sign(signer, dsse.SUSPENSION_TYPE, data),
        ),
    )


def parse_suspension(
    signed: agreement_pb2.SignedAgreementSuspension,
) -> agreement_pb2.AgreementSuspension:
    """Read a declaration; whether it was signed is not looked at.

    Raises:
        AgreementError: it is not in canonical encoding, or breaks the schema's rules.
    """
    try:
        suspension = wire.decode(
            agreement_pb2.AgreementSuspension, signed.suspension, what="suspension"
        )
        wire.validate(suspension, what="suspension")
    except EnvelopeError as error:
        raise AgreementError(error.message, hint=error.hint) from error
    return suspension


def open_suspension(
    signed: agreement_pb2.SignedAgreementSuspension, *, root: PublicKey, sequence: int
) -> agreement_pb2.AgreementSuspension:
    """Check a declaration against what is known of its party.

    Args:
        root: The party's root key.
        sequence: Number of the party's last declaration on the agreement; 0: there is none.

    Raises:
        AgreementError: it is faulty, not signed by that root, or not the next one.
    """
    suspension = parse_suspension(signed)
    what = f"the suspension of {suspension.agreement_id} by {suspension.agency}"
    try:
        dsse.verify(
            key=root,
            signature=signed.signature.value,
            payload_type=dsse.SUSPENSION_TYPE,
            body=signed.suspension,
        )
        theirs = signed.signature.key == root.fingerprint
    except SignatureInvalid:
        theirs = False
    if not theirs:
        raise AgreementError(
            f"{what} is not signed by the party's root",
            hint="Sign it with the root key that the agreement names for the party.",
        )
    if suspension.sequence != sequence + 1:
        raise AgreementError(
            f"{what} has number {suspension.sequence}, and {sequence + 1} is due",
            hint="Number the party's declarations on an agreement on from the last in the log.",
        )
    return suspension


def suspension_to_armour(signed: agreement_pb2.SignedAgreementSuspension) -> str:
    """Return the file of a signed declaration: a readable head, base64 of the bytes."""
    suspension = parse_suspension(signed)
    return armour.wrap(
        _LABEL,
        head=[
            f"Agreement: {suspension.agreement_id}",
            f"Party: {suspension.agency}",
            f"Declares: {'suspended' if suspension.suspended else 'no longer suspended'}",
            f"Number: {suspension.sequence}",
        ],
        data=signed.SerializeToString(deterministic=True),
    )


def is_suspension(text: str) -> bool:
    """Say whether a file's text is that of a signed declaration."""
    return armour.begins(_LABEL, text)


def suspension_from_armour(text: str) -> agreement_pb2.SignedAgreementSuspension:
    """Read the file of a signed declaration. Its head must say what the bytes say.

    Raises:
        AgreementError: it is not such a file, or was altered. The signature is not checked here.
    """
    broken = AgreementError(
        "this is not a file of a signed suspension, or it was altered",
        hint="Make it again with `rogatory agreement suspend`.",
    )
    try:
        data, lines = armour.unwrap(_LABEL, text)
        signed = wire.decode(
            agreement_pb2.SignedAgreementSuspension, data, what="signed suspension"
        )
    except (ValueError, EnvelopeError) as error:
        raise broken from error
    if suspension_to_armour(signed).splitlines() != lines:
        raise broken
    return signed
