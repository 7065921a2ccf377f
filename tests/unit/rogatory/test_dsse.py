"""The pre-authentication encoding is DSSE's, and binds type and body."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from rogatory import dsse
from rogatory.errors import SignatureInvalid
from rogatory.keys import PrivateKey
from rogatory.signers import MemorySigner
from tests.vectors import vectors_json

SIGNER = MemorySigner(PrivateKey.from_seed(bytes(range(32))))


@pytest.mark.parametrize(
    ("payload_type", "body", "expected"),
    [
        (
            "http://example.com/HelloWorld",
            b"hello world",
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        ),
        ("", b"", b"DSSEv1 0  0 "),
        ("é", b"\x00\xff", b"DSSEv1 2 \xc3\xa9 2 \x00\xff"),
    ],
)
def test_pae(payload_type: str, body: bytes, expected: bytes) -> None:
    """Lengths count bytes, not characters."""
    assert expected == dsse.pae(payload_type, body)


def test_payload_types() -> None:
    """The types are part of what is signed, so they never change."""
    assert [
        "application/vnd.rogatory.header.v1+protobuf",
        "application/vnd.rogatory.agreement.v1+protobuf",
        "application/vnd.rogatory.key-statement.v1+protobuf",
    ] == [dsse.HEADER_TYPE, dsse.AGREEMENT_TYPE, dsse.KEY_STATEMENT_TYPE]


def test_signature_holds_for_its_type_and_body_alone() -> None:
    """A signature over a header does not pass for one over an agreement."""
    signature = dsse.sign(SIGNER, dsse.HEADER_TYPE, b"bytes")
    good: dict[str, Any] = {
        "key": SIGNER.public_key,
        "signature": signature,
        "payload_type": dsse.HEADER_TYPE,
        "body": b"bytes",
    }

    dsse.verify(**good)
    for bad in (
        good | {"payload_type": dsse.AGREEMENT_TYPE},
        good | {"body": b"bytez"},
        good | {"signature": signature[::-1]},
        good | {"key": PrivateKey.from_seed(bytes(32)).public_key},
    ):
        with pytest.raises(SignatureInvalid):
            dsse.verify(**bad)


def test_published_example() -> None:
    """The protocol document's own example: its PAE is ours, and its signature covers it."""
    example = vectors_json("dsse", "dsse.json")
    encoded = dsse.pae(example["payload_type"], example["payload"].encode())
    numbers = ec.EllipticCurvePublicNumbers(
        int(example["key"]["x"]), int(example["key"]["y"]), ec.SECP256R1()
    )
    raw = base64.b64decode(example["envelope"]["signatures"][0]["sig"])
    signature = encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )

    assert example["pae"].encode() == encoded, json.dumps(example)
    numbers.public_key().verify(signature, encoded, ec.ECDSA(hashes.SHA256()))
