"""Keys by algorithm name: public keys that verify, private keys that sign.

Ed25519 is the algorithm of the exchange. ML-DSA stands beside it in the table, so that a second,
post-quantum signature is a matter of policy and not of format.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PrivateKey,
    MLDSA65PublicKey,
)

from rogatory import edwards
from rogatory.errors import KeyRejected, SignatureInvalid

ED25519 = "Ed25519"
ML_DSA_44 = "ML-DSA-44"
ML_DSA_65 = "ML-DSA-65"

FINGERPRINT_SIZE = 32
SEED_SIZE = 32
_FINGERPRINT_DOMAIN = b"rogatory.key.v1\x00"

PHRASE_BYTES = 10
"""Of a fingerprint, in the phrase that two people compare by telephone: 80 bits, four groups."""
_PHRASE_GROUP = 4


class _Verifier(Protocol):
    def verify(self, signature: bytes, data: bytes, /) -> None: ...


class _Private(Protocol):
    def sign(self, data: bytes, /) -> bytes: ...

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,  # noqa: A002 - the name cryptography gives it
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """What the library must know of a signature algorithm.

    Attributes:
        name: The name that headers, key statements and agreements use.
        public_key_size: Bytes of a raw public key.
        signature_size: Bytes of a signature.
        encoding_fault: What is wrong with a raw public key, "" if nothing; cheap.
        enrolment_fault: The same, with whatever takes too long for every message.
        load_public: Raw public key to the object that verifies.
        from_seed: 32 random bytes to the private key.
        public_of: Raw public key of a private key, None for a key of another algorithm.
    """

    name: str
    public_key_size: int
    signature_size: int
    encoding_fault: Callable[[bytes], str]
    enrolment_fault: Callable[[bytes], str]
    load_public: Callable[[bytes], _Verifier]
    from_seed: Callable[[bytes], _Private]
    public_of: Callable[[object], bytes | None]


def _no_fault(_: bytes) -> str:
    return ""


def _ed25519_public(key: object) -> bytes | None:
    return key.public_key().public_bytes_raw() if isinstance(key, Ed25519PrivateKey) else None


def _ml_dsa_44_public(key: object) -> bytes | None:
    return key.public_key().public_bytes_raw() if isinstance(key, MLDSA44PrivateKey) else None


def _ml_dsa_65_public(key: object) -> bytes | None:
    return key.public_key().public_bytes_raw() if isinstance(key, MLDSA65PrivateKey) else None


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        algorithm.name: algorithm
        for algorithm in (
            Algorithm(
                name=ED25519,  # RFC 8032
                public_key_size=32,
                signature_size=64,
                encoding_fault=edwards.encoding_fault,
                enrolment_fault=edwards.point_fault,
                load_public=Ed25519PublicKey.from_public_bytes,
                from_seed=Ed25519PrivateKey.from_private_bytes,
                public_of=_ed25519_public,
            ),
            Algorithm(
                name=ML_DSA_44,  # FIPS 204, with an empty context
                public_key_size=1312,
                signature_size=2420,
                encoding_fault=_no_fault,
                enrolment_fault=_no_fault,
                load_public=MLDSA44PublicKey.from_public_bytes,
                from_seed=MLDSA44PrivateKey.from_seed_bytes,
                public_of=_ml_dsa_44_public,
            ),
            Algorithm(
                name=ML_DSA_65,  # FIPS 204, with an empty context
                public_key_size=1952,
                signature_size=3309,
                encoding_fault=_no_fault,
                enrolment_fault=_no_fault,
                load_public=MLDSA65PublicKey.from_public_bytes,
                from_seed=MLDSA65PrivateKey.from_seed_bytes,
                public_of=_ml_dsa_65_public,
            ),
        )
    }
)
"""Every algorithm by its name, the preferred one first."""


def algorithm_named(name: str) -> Algorithm:
    """Look an algorithm up.

    Raises:
        KeyRejected: Nothing here is called that.
    """
    found = ALGORITHMS.get(name)
    if found is None:
        raise KeyRejected(
            f"The signature algorithm {name!r} is not known here",
            hint=f"Use one of {', '.join(ALGORITHMS)}, or a newer version of this library.",
        )
    return found


def fingerprint(algorithm: str, raw: bytes) -> bytes:
    """SHA256("rogatory.key.v1" ‖ 00 ‖ algorithm ‖ 00 ‖ raw): 32 bytes, for keys of any use."""
    return hashlib.sha256(_FINGERPRINT_DOMAIN + algorithm.encode() + b"\x00" + raw).digest()


def phrase(fingerprint: bytes) -> str:
    """Return the first 80 bits of a fingerprint in groups to be read out (RFC 4648 base32)."""
    text = base64.b32encode(fingerprint[:PHRASE_BYTES]).decode()
    return "-".join(text[at : at + _PHRASE_GROUP] for at in range(0, len(text), _PHRASE_GROUP))


class PublicKey:
    """A public key, ready to verify.

    Make one and keep it: loading is done once, and ``verify`` adds next to nothing to the
    signature check itself, which runs without the interpreter's lock. Equal keys compare equal.

    Attributes:
        algorithm: Name of its algorithm.
        raw: The bytes of the key as its algorithm defines them.
        fingerprint: SHA256("rogatory.key.v1" ‖ 00 ‖ algorithm ‖ 00 ‖ raw), 32 bytes.
    """

    __slots__ = ("_verify", "algorithm", "fingerprint", "raw")

    def __init__(self, algorithm: str, raw: bytes) -> None:
        """Load a key.

        Raises:
            KeyRejected: The algorithm is unknown, the length is wrong, or the encoding is one that
                no honest key has (for Ed25519: not canonical, or of low order).
        """
        details = algorithm_named(algorithm)
        if len(raw) != details.public_key_size:
            raise KeyRejected(
                f"A public key of {algorithm} has {details.public_key_size} bytes, not {len(raw)}",
                hint="Check that the key was not cut, and that the algorithm is the right one.",
            )
        fault = details.encoding_fault(raw)
        if fault:
            raise _rejected(algorithm, raw, fault)
        try:
            loaded = details.load_public(raw)
        except UnsupportedAlgorithm as error:
            raise _unsupported(algorithm) from error
        self.algorithm = algorithm
        self.raw = raw
        self.fingerprint = fingerprint(algorithm, raw)
        self._verify = loaded.verify

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a signature over a message.

        Raises:
            SignatureInvalid: It does not verify.
        """
        try:
            self._verify(signature, message)
        except InvalidSignature:
            raise SignatureInvalid(
                f"The signature by {self} does not verify",
                hint="The bytes or the key are not those that were signed: fetch both again.",
            ) from None

    def check_enrolment(self) -> None:
        """Check what takes too long for every message; call it once, before trusting a new key.

        Raises:
            KeyRejected: For Ed25519: not on the curve, or outside the subgroup of prime order.
        """
        fault = algorithm_named(self.algorithm).enrolment_fault(self.raw)
        if fault:
            raise _rejected(self.algorithm, self.raw, fault)

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """Read ``Ed25519:base64``, as configuration files and agreements write keys.

        Raises:
            KeyRejected: The text is not of that form, or the key is not acceptable.
        """
        algorithm, colon, encoded = text.partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if not colon or base64.b64encode(raw).decode() != encoded:
            raise KeyRejected(
                f"{text[:80]!r} is not a public key",
                hint="Write the algorithm, a colon and the key in base64, as Ed25519:MCowBQ...=",
            )
        return cls(algorithm, raw)

    @property
    def text(self) -> str:
        """The key as ``Ed25519:base64``."""
        return f"{self.algorithm}:{base64.b64encode(self.raw).decode()}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicKey):
            return NotImplemented
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[type[PublicKey], tuple[str, bytes]]:
        return PublicKey, (self.algorithm, self.raw)

    def __str__(self) -> str:
        return f"{self.algorithm} key {self.fingerprint[:8].hex()}"

    def __repr__(self) -> str:
        return f"PublicKey({self.text!r})"


class PrivateKey:
    """A private key in memory. Its ``repr`` names the public half only."""

    __slots__ = ("_key", "public_key")

    def __init__(self, key: object) -> None:
        """Wrap a private key object of ``cryptography``.

        Raises:
            KeyRejected: It is of none of the algorithms known here.
        """
        for algorithm in ALGORITHMS.values():
            raw = algorithm.public_of(key)
            if raw is not None:
                self._key: _Private = key  # type: ignore[assignment]  # public_of checked the type
                self.public_key = PublicKey(algorithm.name, raw)
                return
        raise KeyRejected(
            f"A {type(key).__name__.lstrip('_')} does not sign messages here",
            hint=f"Use a key of one of {', '.join(ALGORITHMS)}.",
        )

    @classmethod
    def from_seed(cls, seed: bytes, *, algorithm: str = ED25519) -> PrivateKey:
        """Make the key that belongs to 32 secret, random bytes.

        Raises:
            KeyRejected: The algorithm is unknown, the seed is not 32 bytes long, or the installed
                cryptography package cannot do the algorithm.
        """
        details = algorithm_named(algorithm)
        if len(seed) != SEED_SIZE:
            raise KeyRejected(
                f"A seed has {SEED_SIZE} bytes, not {len(seed)}",
                hint="Take it from a source of secret random bytes, such as secrets.token_bytes.",
            )
        try:
            return cls(details.from_seed(seed))
        except UnsupportedAlgorithm as error:
            raise _unsupported(algorithm) from error

    def sign(self, message: bytes) -> bytes:
        """Sign a message; the result has the algorithm's ``signature_size``."""
        return self._key.sign(message)

    def to_der(self) -> bytes:
        """The secret itself, as PKCS #8 DER (RFC 5958), not encrypted."""
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def __repr__(self) -> str:
        return f"PrivateKey(of {self.public_key})"


def _unsupported(algorithm: str) -> KeyRejected:
    return KeyRejected(
        f"The installed cryptography package cannot do {algorithm}",
        hint="Install one of the project's wheels (pip install --upgrade cryptography).",
    )


def _rejected(algorithm: str, raw: bytes, fault: str) -> KeyRejected:
    return KeyRejected(
        f"The {algorithm} public key {raw[:8].hex()}... is not acceptable: {fault}",
        hint="Ask its owner to make a new key with a current tool, such as rogatory keygen.",
    )
