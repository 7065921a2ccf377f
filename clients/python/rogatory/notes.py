"""Signed notes: a text, and lines of signatures below it that anyone can add to or ignore.

Source: C2SP signed-note (the format of golang.org/x/mod/sumdb/note) and C2SP tlog-cosignature.

.. code-block:: text

    text, ending in a newline
                                            (blank line)
    — name base64(key id ‖ signature)       (one line for each signature)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from rogatory.errors import NoteError, SignatureInvalid
from rogatory.keys import ED25519, PublicKey
from rogatory.signers import Signer

MAX_SIGNATURES = 100
"""As golang.org/x/mod/sumdb/note; C2SP signed-note asks for at least 16."""

MAX_NOTE_SIZE = 1_000_000
"""Bytes; as golang.org/x/mod/sumdb/note."""

MAX_TIME = (1 << 63) - 1
"""Largest cosignature time, in seconds since 1970 (C2SP tlog-cosignature)."""

KEY_ID_SIZE = 4
_TIME_SIZE = 8
_MARK = "\N{EM DASH} "
_FIRST_PRINTABLE = " "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class SignatureType(IntEnum):
    """What a key signs with, as C2SP signed-note numbers it."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named key that verifies lines of notes.

    Attributes:
        name: Key name; for a log this is its origin.
        type: What it signs with.
        public_key: An Ed25519 key.
        key_id: SHA256(name ‖ 0A ‖ type ‖ raw public key)[:4].
    """

    name: str
    type: SignatureType
    public_key: PublicKey
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise NoteError(
                f"{self.name!r} cannot be the name of a key",
                hint="Use a name like log.example.org/exchange, without spaces and plus signs.",
            )
        if self.public_key.algorithm != ED25519:
            raise NoteError(
                f"Notes are not signed with {self.public_key.algorithm} here",
                hint="Use an Ed25519 key.",
            )
        hashed = self.name.encode() + b"\n" + self._encoded_key()
        object.__setattr__(self, "key_id", hashlib.sha256(hashed).digest()[:KEY_ID_SIZE])

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read ``name+hex8(key id)+base64(type ‖ public key)``.

        Raises:
            NoteError: The text is not of that form, the id does not fit, or the type is unknown.
            KeyRejected: The public key is not acceptable.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        material = decode_base64(encoded)
        if not material:
            raise NoteError(
                f"{text[:100]!r} is not a verifier key",
                hint="Copy the whole line, as name+1a2b3c4d+AbCd...=",
            )
        if material[0] not in set(SignatureType):
            raise NoteError(
                f"The verifier key {name!r} has the type {material[0]:#04x}, unknown here",
                hint="Use a key of type 0x01 (Ed25519) or 0x04 (Ed25519 cosignature).",
            )
        key = cls(name, SignatureType(material[0]), PublicKey(ED25519, material[1:]))
        if key.key_id.hex() != key_id:
            raise NoteError(
                f"The id in the verifier key {name!r} is {key_id!r} and should be"
                f" {key.key_id.hex()!r}",
                hint="Copy the whole line again: the name or the key was changed.",
            )
        return key

    @property
    def text(self) -> str:
        """The verifier key as one line, without a newline."""
        encoded = base64.b64encode(self._encoded_key()).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a signature over the text of a note.

        Returns:
            The time of a cosignature in seconds since 1970; None for a plain signature.

        Raises:
            SignatureInvalid: It does not verify.
        """
        if self.type is SignatureType.ED25519:
            self.public_key.verify(signature, text.encode())
            return None
        time = int.from_bytes(signature[:_TIME_SIZE], "big")
        if time > MAX_TIME:
            raise SignatureInvalid(
                f"The cosignature of {self.name} has the impossible time {time}",
                hint="Ask the witness to sign again.",
            )
        self.public_key.verify(signature[_TIME_SIZE:], cosigned_message(text, time=time))
        return time

    def _encoded_key(self) -> bytes:
        return bytes([self.type]) + self.public_key.raw


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature line, whoever made it and whether or not it verifies."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line, without its newline."""
        return f"{_MARK}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A signature that verified.

    Attributes:
        key: The key that made it.
        line: The line it stood in.
        time: Seconds since 1970 for a cosignature, else None.
    """

    key: VerifierKey
    line: SignatureLine
    time: int | None


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note that at least one known key signed.

    Attributes:
        text: The signed text, with its final newline.
        signatures: What verified, in the note's order, one for each key.
        unknown: The lines of keys that the reader does not know, in order.
    """

    text: str
    signatures: tuple[VerifiedSignature, ...]
    unknown: tuple[SignatureLine, ...]


class NoteSigner:
    """Signs notes as a named key of type 0x01."""

    def __init__(self, *, name: str, signer: Signer) -> None:
        """Bind a name to a signer.

        Raises:
            NoteError: The name cannot name a key, or the key is not an Ed25519 key.
        """
        self.key = VerifierKey(name, SignatureType.ED25519, signer.public_key)
        self._signer = signer

    def sign(self, text: str) -> SignatureLine:
        """Sign the text of a note.

        Raises:
            NoteError: The text cannot be a note's.
            SignerError: The signer cannot sign.
        """
        _check_text(text)
        return SignatureLine(self.key.name, self.key.key_id, self._signer.sign(text.encode()))


class Cosigner:
    """Cosigns checkpoints as a named key of type 0x04.

    The message does not hold the name, so a public key must never serve two cosigners.
    """

    def __init__(self, *, name: str, signer: Signer) -> None:
        """Bind a name to a signer.

        Raises:
            NoteError: The name cannot name a key, or the key is not an Ed25519 key.
        """
        self.key = VerifierKey(name, SignatureType.COSIGNATURE, signer.public_key)
        self._signer = signer

    def cosign(self, text: str, *, time: int) -> SignatureLine:
        """Cosign the text of a checkpoint at a time in seconds since 1970.

        Raises:
            NoteError: The text cannot be a note's, or the time is impossible.
            SignerError: The signer cannot sign.
        """
        _check_text(text)
        signature = self._signer.sign(cosigned_message(text, time=time))
        return SignatureLine(
            self.key.name, self.key.key_id, time.to_bytes(_TIME_SIZE, "big") + signature
        )


def cosigned_message(text: str, *, time: int) -> bytes:
    """What a cosignature signs: a line ``cosignature/v1``, a line ``time <decimal>``, the text."""
    if not 0 <= time <= MAX_TIME:
        raise NoteError(
            f"A cosignature cannot be of the time {time}",
            hint="Give seconds since 1970 as a whole number.",
        )
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def format_note(text: str, lines: Sequence[SignatureLine]) -> bytes:
    """Put a text and its signature lines together.

    Raises:
        NoteError: The text cannot be a note's, or there are no lines, or too many.
    """
    _check_text(text)
    if not 0 < len(lines) <= MAX_SIGNATURES:
        raise NoteError(
            f"A note cannot carry {len(lines)} signatures",
            hint=f"Give it between 1 and {MAX_SIGNATURES}.",
        )
    return "\n".join([text, *(line.text for line in lines), ""]).encode()


def parse_note(note: bytes) -> tuple[str, list[SignatureLine]]:
    """Take a note apart without verifying anything: do not believe the text.

    Raises:
        NoteError: The bytes are not a signed note.
    """
    if len(note) > MAX_NOTE_SIZE:
        raise _malformed(f"it is larger than {MAX_NOTE_SIZE} bytes")
    try:
        decoded = note.decode()
    except UnicodeDecodeError as error:
        raise _malformed("it is not UTF-8") from error
    at = decoded.rfind("\n\n")
    if at < 0:
        raise _malformed("no blank line separates text and signatures")
    text, signed = decoded[: at + 1], decoded[at + 2 :]
    _check_text(text)
    if not signed.endswith("\n"):
        raise _malformed("it does not end in a signature line")
    lines = signed[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _malformed(f"it has more than {MAX_SIGNATURES} signatures")
    return text, [_parse_line(line) for line in lines]


def open_note(note: bytes, *, keys: Iterable[VerifierKey]) -> OpenedNote:
    """Verify a note with the keys that the reader trusts.

    Lines of other keys are ignored, even where the name or the id (not both) is a known one.

    Raises:
        NoteError: The note is malformed, a known key's signature fails, or no known key signed.
    """
    text, lines = parse_note(note)
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise NoteError(
                f"Two different keys are called {key.name} and share the id {key.key_id.hex()}",
                hint="Remove one of them from the trusted keys.",
            )
    verified: dict[VerifierKey, VerifiedSignature] = {}
    unknown = []
    for line in lines:
        signer = known.get((line.name, line.key_id))
        if signer is None:
            unknown.append(line)
            continue
        try:
            time = signer.verify(text, line.signature)
        except SignatureInvalid as error:
            raise NoteError(
                f"The signature of {line.name} on the note does not verify",
                hint="Do not use the note; fetch it again, and keep this one if it fails again.",
            ) from error
        verified.setdefault(signer, VerifiedSignature(signer, line, time))
    if not verified:
        names = ", ".join(line.name for line in lines[:4])
        raise NoteError(
            f"No known key signed the note (signed by {names})",
            hint="Add the verifier key of its author to the trusted keys, if you trust it.",
        )
    return OpenedNote(text, tuple(verified.values()), tuple(unknown))


def is_key_name(name: str) -> bool:
    """Tell whether a name can name a key: not empty, no Unicode space, no plus, no control."""
    return bool(name) and not any(
        character == "+" or character < _FIRST_PRINTABLE or character.isspace()
        for character in name
    )


def decode_base64(encoded: str) -> bytes:
    """Decode standard base64 (RFC 4648 section 4) in its one canonical form; b"" if it is not.

    Lenient decoders give several texts for the same bytes, and a log's formats must have one.
    """
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return decoded if base64.b64encode(decoded).decode() == encoded else b""


def _parse_line(line: str) -> SignatureLine:
    if not line.startswith(_MARK):
        raise _malformed("a signature line does not start with an em dash and a space")
    name, _, encoded = line[len(_MARK) :].partition(" ")
    material = decode_base64(encoded)
    if not is_key_name(name) or len(material) <= KEY_ID_SIZE:
        raise _malformed("a signature line is not a key name and a signature in base64")
    return SignatureLine(name, material[:KEY_ID_SIZE], material[KEY_ID_SIZE:])


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise _malformed("the text does not end in a newline")
    if _CONTROL.search(text):
        raise _malformed("it holds a control character")


def _malformed(fault: str) -> NoteError:
    return NoteError(
        f"This is not a signed note: {fault}",
        hint="Fetch it again, and check that no program changed its line ends or its encoding.",
    )
