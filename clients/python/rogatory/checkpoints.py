"""Checkpoints: what a log says about its tree, as a signed note.

Source: C2SP tlog-checkpoint, and stricter: no extension lines, and the log's key is named as its
origin.

.. code-block:: text

    log.example.org/exchange
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rogatory.errors import CheckpointError
from rogatory.merkle import EMPTY_ROOT, HASH_SIZE, MAX_TREE_SIZE
from rogatory.notes import (
    NoteSigner,
    SignatureLine,
    SignatureType,
    VerifiedSignature,
    VerifierKey,
    decode_base64,
    format_note,
    is_key_name,
    open_note,
)

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The tree of a log at one size.

    Attributes:
        origin: The log's name.
        size: Number of entries.
        root: Root hash, 32 bytes.

    Raises:
        CheckpointError: The values cannot be a checkpoint's.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.origin):
            raise _malformed(f"{self.origin[:80]!r} cannot be the origin of a log")
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise _malformed(f"a tree cannot have {self.size} leaves")
        if len(self.root) != HASH_SIZE:
            raise _malformed(f"the root hash has {len(self.root)} bytes instead of {HASH_SIZE}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise _malformed("the root hash is not that of an empty tree")

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint's note.

        Raises:
            CheckpointError: It is not exactly three lines of the right form.
        """
        lines = text.split("\n")
        if len(lines) != _LINES + 1 or lines[_LINES]:
            raise _malformed("it is not three lines (extension lines are not accepted)")
        origin, size, root, _ = lines
        return cls(origin=origin, size=parse_decimal(size), root=decode_base64(root))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint with the signatures that verified.

    Attributes:
        checkpoint: What was signed.
        note: The note it was read from, to the byte.
        log_signatures: By keys of the log itself; at least one.
        cosignatures: By known witnesses, each public key once.
    """

    checkpoint: Checkpoint
    note: bytes
    log_signatures: tuple[VerifiedSignature, ...]
    cosignatures: tuple[VerifiedSignature, ...]


def sign_checkpoint(
    checkpoint: Checkpoint, signer: NoteSigner, *, others: Sequence[SignatureLine] = ()
) -> bytes:
    """Sign a checkpoint as its log.

    Args:
        checkpoint: What to sign.
        signer: The log's key, named as the origin.
        others: Lines to add below: a second key during rotation, cosignatures.

    Raises:
        CheckpointError: The signer is not named as the origin.
        SignerError: The signer cannot sign.
    """
    if signer.key.name != checkpoint.origin:
        raise CheckpointError(
            f"A key called {signer.key.name} cannot sign for the log {checkpoint.origin}",
            hint="Name the key as the log's origin.",
        )
    text = checkpoint.text
    return format_note(text, [signer.sign(text), *others])


def open_checkpoint(
    note: bytes, *, log_keys: Iterable[VerifierKey], witness_keys: Iterable[VerifierKey] = ()
) -> SignedCheckpoint:
    """Verify a checkpoint.

    1. Open the note with the keys of the log and of the witnesses.
    2. Read the checkpoint in it.
    3. A key of the log must have signed, and its name must be the checkpoint's origin.
    4. Collect the witnesses' cosignatures. Counting them against a policy is the caller's.

    Raises:
        NoteError: Malformed, a known key's signature fails, or no known key signed.
        CheckpointError: The text is not a checkpoint, or no key of this log signed it.
    """
    log_set = _of_type(log_keys, SignatureType.ED25519, "log")
    witness_set = _of_type(witness_keys, SignatureType.COSIGNATURE, "witness")
    # 1.
    opened = open_note(note, keys=[*log_set, *witness_set])
    # 2.
    checkpoint = Checkpoint.parse(opened.text)
    # 3.
    by_log = tuple(
        item
        for item in opened.signatures
        if item.key in log_set and item.key.name == checkpoint.origin
    )
    if not by_log:
        raise CheckpointError(
            f"No known key of the log {checkpoint.origin} signed this checkpoint",
            hint="Trust the log's verifier key, or ask the log for a checkpoint of its own.",
        )
    # 4. A cosignature does not commit to its key's name: under two names, one key is one witness.
    cosignatures = {
        item.key.public_key: item for item in reversed(opened.signatures) if item.key in witness_set
    }
    return SignedCheckpoint(
        checkpoint=checkpoint,
        note=note,
        log_signatures=by_log,
        cosignatures=tuple(reversed(cosignatures.values())),
    )


def parse_decimal(text: str) -> int:
    """Read a size or an index: ASCII digits, no leading zero, no sign, below 2^63.

    Raises:
        CheckpointError: The text is anything else.
    """
    if _DECIMAL.fullmatch(text, 0) is None or int(text) > MAX_TREE_SIZE:
        raise _malformed(f"{text[:40]!r} is not a number of the log's formats")
    return int(text)


def _of_type(keys: Iterable[VerifierKey], type_: SignatureType, role: str) -> set[VerifierKey]:
    found = set(keys)
    for key in found:
        if key.type is not type_:
            raise CheckpointError(
                f"The verifier key {key.name} has the type {key.type:#04x},"
                f" and a {role} key has {type_:#04x}",
                hint="Check which list of trusted keys it belongs to.",
            )
    return found


def _malformed(fault: str) -> CheckpointError:
    return CheckpointError(
        f"This is not a checkpoint: {fault}",
        hint="Fetch it again from the log; if it stays so, tell the log's operator.",
    )
