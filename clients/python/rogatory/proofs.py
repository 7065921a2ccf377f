"""Proofs in Merkle trees: the hashes of RFC 6962, and checking what others prove with them.

All that a verifier needs. Hashes are 32 bytes of SHA-256, raw; proofs are lists of hashes from the
leaf upwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from rogatory.errors import ProofError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 section 2.1)."""

MAX_TREE_SIZE = (1 << 63) - 1
"""Sizes and indices fit a signed 64-bit integer, in every language that reads the log."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA256(00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA256(01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Root that a leaf hash and its audit path lead to (RFC 9162 section 2.1.3.2).

    Raises:
        ProofError: The proof cannot be one for this index and size: a hash too many or too few, or
            of a wrong length, or no such leaf.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise ProofError(
            f"Leaf {index} cannot be in a tree of size {size}",
            hint="Check that index and checkpoint belong to the same receipt.",
        )
    _check_hashes([leaf, *proof])
    last = size - 1
    at = 0
    root = leaf
    while last:
        if index & 1 or index < last:
            if at == len(proof):
                raise _wrong_length(size)
            sibling = proof[at]
            root = node_hash(sibling, root) if index & 1 else node_hash(root, sibling)
            at += 1
        index >>= 1
        last >>= 1
    if at != len(proof):
        raise _wrong_length(size)
    return root


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf with this hash is at ``index`` in the tree of this size and root.

    Raises:
        ProofError: It is not, or the proof is malformed.
    """
    if root_from_inclusion(leaf=leaf, index=index, size=size, proof=proof) != root:
        raise ProofError(
            f"Entry {index} is not in the tree of size {size} with this root",
            hint="Fetch the proof again; if it still fails, keep both and tell the log's auditors.",
        )


def verify_consistency(
    *, old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the older tree is a prefix of the newer one (RFC 9162 section 2.1.4.2).

    Raises:
        ProofError: It is not, or the proof is malformed, or the older tree is empty: from size 0
            there is nothing to prove, and a caller who asks has lost its last checkpoint.
    """
    if not 0 < old_size <= new_size <= MAX_TREE_SIZE:
        raise ProofError(
            f"Consistency from size {old_size} to size {new_size} cannot be checked",
            hint="Compare with a checkpoint of size 1 or more that is not newer than the other.",
        )
    if old_size == new_size:
        if proof:
            raise _wrong_length(new_size)
        if old_root != new_root:
            raise _forked(old_size, new_size)
        return
    _check_hashes([*proof, old_root, new_root])
    # The walk starts at the largest perfect subtree that ends at the old size; the proof names its
    # hash unless it is the whole old tree.
    level = (old_size & -old_size).bit_length() - 1
    index = (old_size >> level) - 1
    last = (new_size - 1) >> level
    path = iter(proof)
    old = new = old_root
    if index:
        old = new = _next(path, new_size)
    while last:
        if index & 1:
            sibling = _next(path, new_size)
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
        elif index < last:
            new = node_hash(new, _next(path, new_size))
        index >>= 1
        last >>= 1
    if next(path, None) is not None:
        raise _wrong_length(new_size)
    if old != old_root or new != new_root:
        raise _forked(old_size, new_size)


def _next(path: Iterator[bytes], size: int) -> bytes:
    item = next(path, None)
    if item is None:
        raise _wrong_length(size)
    return item


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise ProofError(
            "A proof holds a hash that is not 32 bytes long",
            hint="Fetch the proof again, and check that the file was not cut or edited.",
        )


def _wrong_length(size: int) -> ProofError:
    return ProofError(
        f"The proof has the wrong number of hashes for a tree of size {size}",
        hint="Check that proof, index and checkpoint belong together, then fetch the proof again.",
    )


def _forked(old_size: int, new_size: int) -> ProofError:
    return ProofError(
        f"The tree of size {old_size} is not a prefix of the tree of size {new_size}",
        hint="Keep both signed checkpoints: together they show that the log was rewritten.",
    )
