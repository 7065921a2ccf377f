"""Signatures over typed bytes: DSSE's pre-authentication encoding, and nothing else of DSSE.

Source: secure-systems-lab/dsse protocol.md v1.0. The type goes into what is signed, so that a
signature over a header can never pass for one over an agreement.
"""

from __future__ import annotations

from rogatory.keys import PublicKey
from rogatory.signers import Signer

HEADER_TYPE = "application/vnd.rogatory.header.v1+protobuf"
AGREEMENT_TYPE = "application/vnd.rogatory.agreement.v1+protobuf"
SUSPENSION_TYPE = "application/vnd.rogatory.agreement-suspension.v1+protobuf"
KEY_STATEMENT_TYPE = "application/vnd.rogatory.key-statement.v1+protobuf"


def pae(payload_type: str, body: bytes) -> bytes:
    """``DSSEv1 SP len(type) SP type SP len(body) SP body``; lengths in bytes, in decimal."""
    encoded = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(encoded), encoded, len(body), body)


def sign(signer: Signer, payload_type: str, body: bytes) -> bytes:
    """Sign a body under its type.

    Raises:
        SignerError: The signer cannot sign.
    """
    return signer.sign(pae(payload_type, body))


def verify(*, key: PublicKey, signature: bytes, payload_type: str, body: bytes) -> None:
    """Check a signature over a body under its type.

    Raises:
        SignatureInvalid: It does not verify.
    """
    key.verify(signature, pae(payload_type, body))
