"""Merkle trees of RFC 6962 section 2.1: growing them, and proving with them.

A tree is known by its size (number of leaves). The node ``(level, index)`` is the root of the
perfect subtree over the leaves ``index << level`` up to ``(index + 1) << level``; level 0 holds the
leaf hashes. The last node of a level may cover fewer leaves: it is called the edge here, it changes
with every size, and nothing stores it.

Hashes are 32 bytes of SHA-256, raw. Proofs are lists of hashes from the leaf upwards; checking them
is in ``rogatory.proofs``, and importable from here.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from rogatory.errors import ProofError
from rogatory.proofs import (
    EMPTY_ROOT,
    HASH_SIZE,
    MAX_TREE_SIZE,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "MAX_TREE_SIZE",
    "Frontier",
    "Growth",
    "NodeSource",
    "Tree",
    "leaf_hash",
    "node_hash",
    "root_from_inclusion",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

NodeSource = Callable[[int, int], bytes]
"""``(level, index)`` to the hash of a perfect subtree; never asked for an edge."""

_SIZE_BYTES = 8
_sha256 = hashlib.sha256


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root of the tree over these leaf hashes."""
    return Frontier().extend(list(leaf_hashes)).root


class _Tree(ABC):
    """What can be proved in the tree of one size, whatever its nodes come from.

    The edge is hashed once per object, so several proofs at one size cost no more hashing than one.
    """

    __slots__ = ("_edges", "size")

    def __init__(self, size: int) -> None:
        if not 0 <= size <= MAX_TREE_SIZE:
            raise ProofError(
                f"A tree cannot have {size} leaves",
                hint="Sizes run from 0 to 2^63 - 1; take the size from a verified checkpoint.",
            )
        self.size = size
        self._edges: list[bytes] | None = None

    @abstractmethod
    def node(self, level: int, index: int) -> bytes:
        """Hash of a perfect subtree."""

    @property
    def root(self) -> bytes:
        """The root hash of this size."""
        return self._edge()[-1] if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Audit path of the leaf at ``index`` (RFC 6962 section 2.1.1).

        Raises:
            ProofError: The tree has no such leaf.
        """
        if not 0 <= index < self.size:
            raise ProofError(
                f"A tree of size {self.size} has no leaf {index}",
                hint="Ask for an index below the size, or against a later checkpoint.",
            )
        return self._path(0, index)

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """Proof that the tree of ``old_size`` leaves is a prefix of this one (section 2.1.2).

        Raises:
            ProofError: ``old_size`` is 0 (every tree extends the empty one: there is nothing to
                prove) or larger than this tree.
        """
        if not 0 < old_size <= self.size:
            raise ProofError(
                f"There is no consistency proof from size {old_size} to size {self.size}",
                hint="The older size must be at least 1 and no larger than the newer one.",
            )
        if old_size == self.size:
            return []
        # The largest perfect subtree that ends at the old size is a node of both trees.
        level = (old_size & -old_size).bit_length() - 1
        index = (old_size >> level) - 1
        path = self._path(level, index)
        return path if index == 0 else [self.node(level, index), *path]

    def _edge(self) -> list[bytes]:
        """The last node of each level, from the last leaf to the root."""
        if self._edges is None:
            last = self.size - 1
            edges = [self.node(0, last)]
            for level in range(last.bit_length()):
                position = last >> level
                edge = edges[-1]
                if position & 1:
                    edge = node_hash(self.node(level, position - 1), edge)
                edges.append(edge)
            self._edges = edges
        return self._edges

    def _path(self, level: int, index: int) -> list[bytes]:
        """Siblings on the way from the perfect node ``(level, index)`` to the root."""
        node = self.node
        last = (self.size - 1) >> level
        path = []
        while last:
            sibling = index ^ 1
            if sibling < last:
                path.append(node(level, sibling))
            elif sibling == last:
                path.append(self._edge()[level])
            # Otherwise this is the edge, and alone: it moves up as it is.
            level += 1
            index >>= 1
            last >>= 1
        return path


class Tree(_Tree):
    """The tree of one size over a source of its perfect nodes, such as tiles."""

    __slots__ = ("_source",)

    def __init__(self, *, size: int, node: NodeSource) -> None:
        super().__init__(size)
        self._source = node

    def node(self, level: int, index: int) -> bytes:
        """Hash of a perfect subtree, as the source gives it."""
        return self._source(level, index)


class Frontier:
    """All that is needed of a tree to append to it: the perfect subtrees that it decomposes into.

    Immutable: growing gives a new frontier, so that an append which is rolled back costs nothing.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, *, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Make the frontier of a tree.

        Args:
            size: Number of leaves.
            hashes: One hash for each bit set in ``size``, the largest subtree first.

        Raises:
            ProofError: The hashes do not fit the size.
        """
        if (
            not 0 <= size <= MAX_TREE_SIZE
            or len(hashes) != size.bit_count()
            or any(len(item) != HASH_SIZE for item in hashes)
        ):
            raise ProofError(
                f"{len(hashes)} hashes are not the frontier of a tree of size {size}",
                hint="Rebuild the frontier from the leaf hashes or from the tiles.",
            )
        self.size = size
        self.hashes = tuple(hashes)

    @classmethod
    def of(cls, *, size: int, node: NodeSource) -> Frontier:
        """Read the frontier of a tree of ``size`` leaves from its nodes, one for each set bit."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return cls(size=size, hashes=[node(level, (size >> level) - 1) for level in levels])

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Read what ``to_bytes`` wrote.

        Raises:
            ProofError: The bytes are not a frontier.
        """
        if len(data) < _SIZE_BYTES:
            raise ProofError(
                f"{len(data)} bytes are too short for a frontier",
                hint="Rebuild the frontier from the leaf hashes or from the tiles.",
            )
        hashes = [data[at : at + HASH_SIZE] for at in range(_SIZE_BYTES, len(data), HASH_SIZE)]
        return cls(size=int.from_bytes(data[:_SIZE_BYTES], "big"), hashes=hashes)

    def to_bytes(self) -> bytes:
        """The size as u64be, then the hashes, the largest subtree first."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.hashes)

    @property
    def root(self) -> bytes:
        """The root hash of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def extend(self, leaf_hashes: Sequence[bytes]) -> Growth:
        """Append leaves, in order; this frontier stays as it is."""
        return Growth(self, leaf_hashes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frontier):
            return NotImplemented
        return self.size == other.size and self.hashes == other.hashes

    def __hash__(self) -> int:
        return hash((self.size, self.hashes))

    def __repr__(self) -> str:
        return f"Frontier(size={self.size}, root={self.root.hex()})"


class Growth(_Tree):
    """The step from one tree to a larger one: its new nodes, and proofs of its new leaves.

    Built from the old frontier and the new leaf hashes alone, with one hash for each new node.
    """

    __slots__ = ("_levels", "_old", "old_size")

    def __init__(self, old: Frontier, leaf_hashes: Sequence[bytes]) -> None:
        super().__init__(old.size + len(leaf_hashes))
        self._old = old
        self.old_size = old.size
        # Row l holds the nodes of level l from the even index at or just below the first new one,
        # so that pairs never straddle its start. The only old node that can lie there is the
        # frontier's own of that level, and it is the only old one that a new leaf's path meets.
        self._levels: list[tuple[int, list[bytes]]] = []
        row = list(leaf_hashes)
        remaining = iter(reversed(old.hashes))
        for level in range(self.size.bit_length()):
            position = old.size >> level
            if position & 1:
                row.insert(0, next(remaining))
            self._levels.append((position & ~1, row))
            pairs = iter(row)
            row = [
                _sha256(b"\x01" + left + right).digest()
                for left, right in zip(pairs, pairs, strict=False)
            ]

    @property
    def root(self) -> bytes:
        """The root hash of the larger tree."""
        # Without new leaves, the last leaf's own hash is not known here; the old root is.
        return super().root if self.size > self.old_size else self._old.root

    @property
    def frontier(self) -> Frontier:
        """The frontier of the larger tree."""
        return Frontier.of(size=self.size, node=self.node)

    @property
    def levels(self) -> int:
        """Number of levels that hold perfect nodes."""
        return len(self._levels)

    def node(self, level: int, index: int) -> bytes:
        """Hash of a new perfect node, or of one of the old frontier.

        Raises:
            ProofError: The node is older than this step, or not there yet.
        """
        if level < len(self._levels):
            start, row = self._levels[level]
            if 0 <= index - start < len(row):
                return row[index - start]
        raise ProofError(
            f"Node {index} of level {level} is not among those from {self.old_size}"
            f" to {self.size} leaves",
            hint="Read older nodes from the tiles or from the store.",
        )

    def new_nodes(self, level: int) -> tuple[int, list[bytes]]:
        """Index of the first new perfect node of a level, and all new ones there, in order."""
        if level >= len(self._levels):
            return self.old_size >> level, []
        _, row = self._levels[level]
        position = self.old_size >> level
        return position, row[position & 1 :]

    def inclusion_proofs(self) -> list[list[bytes]]:
        """Audit paths of all new leaves against the new size, in order.

        Much cheaper than one by one: neighbours share the upper part of their paths.
        """
        if self.size == self.old_size:
            return []
        edges = self._edge()
        first, last = self.old_size, self.size - 1
        paths: list[list[bytes]] = [[]]
        for level in reversed(range(last.bit_length())):
            start, row = self._levels[level]
            low, high = first >> level, last >> level
            parent_low = low >> 1
            below = []
            for index in range(low, high + 1):
                rest = paths[(index >> 1) - parent_low]
                sibling = index ^ 1
                if sibling < high:
                    rest = [row[sibling - start], *rest]
                elif sibling == high:
                    rest = [edges[level], *rest]
                below.append(rest)
            paths = below
        return paths
