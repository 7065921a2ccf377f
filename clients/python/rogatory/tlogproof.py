"""Proofs that travel: an entry's place in a log and the log's checkpoint, in one text file.

Source: C2SP tlog-proof.

.. code-block:: text

    c2sp.org/tlog-proof@v1
    extra <base64>                          (only where there is any)
    index <decimal>
    <base64 of a hash>                      (one line for each, from the leaf's sibling upwards)
                                            (blank line)
    checkpoint, a signed note
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from rogatory.checkpoints import Checkpoint, SignedCheckpoint, open_checkpoint, parse_decimal
from rogatory.errors import NoteError, ProofError
from rogatory.merkle import HASH_SIZE, MAX_TREE_SIZE, verify_inclusion
from rogatory.notes import VerifierKey, decode_base64, parse_note

MAX_TLOG_PROOF_SIZE = 4 * 1024 * 1024
"""Bytes; an entry of 65,535 bytes with thousands of openings stays well below."""

MAX_HASHES = MAX_TREE_SIZE.bit_length()
_FIRST_LINE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """Index, audit path, checkpoint, and whatever else is needed to know the leaf.

    Attributes:
        index: Index of the entry.
        hashes: Audit path, 32 bytes each, from the leaf's sibling upwards.
        checkpoint: The signed note, to the byte.
        extra: Data that no signature covers: believe only what the leaf hash confirms.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        lines = [_FIRST_LINE]
        if self.extra:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines.extend(base64.b64encode(item).decode() for item in self.hashes)
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Read a file's bytes; nothing is verified.

        Raises:
            ProofError: The bytes are not a proof in this format, to the letter.
        """
        if len(data) > MAX_TLOG_PROOF_SIZE:
            raise _malformed(f"it is larger than {MAX_TLOG_PROOF_SIZE} bytes")
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            first, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise _malformed("something above the blank line is not ASCII") from error
        if first != _FIRST_LINE:
            raise _malformed(f"its first line is not {_FIRST_LINE}")
        if not blank:
            raise _malformed("no blank line and checkpoint follow the hashes")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0)[len("extra ") :])
            if not extra:
                raise _malformed("its extra line is not data in base64")
        if not lines or not lines[0].startswith("index "):
            raise _malformed("there is no index line where one belongs")
        hashes = tuple(decode_base64(line) for line in lines[1:])
        if len(hashes) > MAX_HASHES or any(len(item) != HASH_SIZE for item in hashes):
            raise _malformed("a line between index and blank line is not a hash in base64")
        try:
            index = parse_decimal(lines[0][len("index ") :])
            size = Checkpoint.parse(parse_note(checkpoint)[0]).size
        except NoteError as error:
            raise _malformed(error.message) from error
        if index >= size:
            raise _malformed(f"entry {index} cannot be in a tree of size {size}")
        return cls(index=index, hashes=hashes, checkpoint=checkpoint, extra=extra)

    def verify(
        self,
        *,
        leaf: bytes,
        log_keys: Iterable[VerifierKey],
        witness_keys: Iterable[VerifierKey] = (),
    ) -> SignedCheckpoint:
        """Check that a log committed to the leaf with this hash at this index.

        Returns:
            The checkpoint with all signatures that verified, to judge the cosignatures by.

        Raises:
            NoteError: The checkpoint is not one that a known key of the log signed.
            ProofError: The leaf is not in the checkpoint's tree at this index.
        """
        signed = open_checkpoint(self.checkpoint, log_keys=log_keys, witness_keys=witness_keys)
        verify_inclusion(
            leaf=leaf,
            index=self.index,
            size=signed.checkpoint.size,
            proof=self.hashes,
            root=signed.checkpoint.root,
        )
        return signed


def _malformed(fault: str) -> ProofError:
    return ProofError(
        f"This is not a log proof (C2SP tlog-proof): {fault}",
        hint="Fetch the file again, and check that no program changed its line ends.",
    )
