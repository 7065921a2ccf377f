"""RFC 6962 trees, against its own recursive definition and published probes."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from rogatory.errors import ProofError
from rogatory.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.vectors import vectors_folder

# The leaves and roots of the reference tree that Certificate Transparency implementations share.
REFERENCE_LEAVES = [
    bytes.fromhex(item)
    for item in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(70)]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word, over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    pair = naive_root(leaves[:split]) + naive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + pair).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*naive_path(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_consistency(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2, word for word."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        left = naive_consistency(old, leaves[:split], whole=whole)
        return [*left, naive_root(leaves[split:])]
    right = naive_consistency(old - split, leaves[split:], whole=False)
    return [*right, naive_root(leaves[:split])]


def tree_over(leaves: list[bytes]) -> Tree:
    """A tree whose nodes come from the definition, and only perfect ones."""

    def node(level: int, index: int) -> bytes:
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level, "only perfect subtrees may be asked for"
        return naive_root(covered)

    return Tree(size=len(leaves), node=node)


def test_hashes_follow_the_rfc() -> None:
    """Leaves and nodes are told apart by their first byte."""
    assert hashlib.sha256(b"\x00entry").digest() == leaf_hash(b"entry")
    assert hashlib.sha256(b"\x01" + EMPTY_ROOT * 2).digest() == node_hash(EMPTY_ROOT, EMPTY_ROOT)


@pytest.mark.parametrize(("size", "root"), REFERENCE_ROOTS.items())
def test_reference_tree(size: int, root: str) -> None:
    """The reference leaves give the roots that other implementations publish."""
    assert root == root_of(map(leaf_hash, REFERENCE_LEAVES[:size])).hex()


@pytest.mark.parametrize("size", range(len(LEAVES)))
def test_root_of_every_size(size: int) -> None:
    """Frontier, growth and tree agree with the definition."""
    leaves = LEAVES[:size]

    growth = Frontier().extend(leaves)

    expected = naive_root(leaves)
    assert [expected] * 3 == [growth.root, growth.frontier.root, tree_over(leaves).root]


@pytest.mark.parametrize("size", range(1, len(LEAVES)))
def test_inclusion_proofs_of_every_size(size: int) -> None:
    """Each leaf's proof is the one of the definition, from any source of nodes, and verifies."""
    leaves = LEAVES[:size]
    growth = Frontier().extend(leaves)

    expected = [naive_path(index, leaves) for index in range(size)]
    assert expected == [tree_over(leaves).inclusion_proof(index) for index in range(size)]
    assert expected == [growth.inclusion_proof(index) for index in range(size)]
    assert expected == growth.inclusion_proofs()
    for index, proof in enumerate(expected):
        verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=growth.root)


@pytest.mark.parametrize("size", range(1, 34))
def test_consistency_proofs_of_every_pair(size: int) -> None:
    """Each proof from an older size is the one of the definition and verifies."""
    leaves = LEAVES[:size]
    tree = tree_over(leaves)

    proofs = {old: tree.consistency_proof(old) for old in range(1, size + 1)}

    assert {old: naive_consistency(old, leaves) for old in proofs} == proofs
    for old, proof in proofs.items():
        verify_consistency(
            old_size=old,
            new_size=size,
            proof=proof,
            old_root=naive_root(leaves[:old]),
            new_root=tree.root,
        )


@pytest.mark.parametrize("old_size", range(0, 40, 3))
@pytest.mark.parametrize("added", [0, 1, 2, 7, 16, 29])
def test_growth_proves_its_new_leaves_from_the_frontier_alone(old_size: int, added: int) -> None:
    """Appending needs nothing older than the frontier, and leaves the old frontier as it was."""
    leaves = LEAVES[: old_size + added]
    old = Frontier().extend(leaves[:old_size]).frontier

    growth = old.extend(leaves[old_size:])

    expected = [naive_path(index, leaves) for index in range(old_size, len(leaves))]
    assert expected == growth.inclusion_proofs()
    assert expected == [growth.inclusion_proof(index) for index in range(old_size, len(leaves))]
    assert naive_root(leaves) == growth.root == growth.frontier.root
    assert naive_root(leaves[:old_size]) == old.root


def test_growth_tells_its_new_nodes() -> None:
    """A store that adds each step's new nodes ends up with all perfect nodes, each once."""
    store: dict[tuple[int, int], bytes] = {}
    growth = Frontier().extend([])
    for start, stop in [(0, 5), (5, 6), (6, 32), (32, 33), (33, 70)]:
        growth = growth.frontier.extend(LEAVES[start:stop])
        for level in range(growth.levels):
            first, nodes = growth.new_nodes(level)
            for index, item in enumerate(nodes, first):
                assert (level, index) not in store
                store[level, index] = item

    expected = {
        (level, index): naive_root(LEAVES[index << level : (index + 1) << level])
        for level in range(7)
        for index in range(70 >> level)
    }
    assert expected == store
    assert (70 >> 8, []) == growth.new_nodes(8)


def test_growth_has_no_older_nodes() -> None:
    """Nodes before the frontier are not made up."""
    growth = Frontier().extend(LEAVES[:8]).frontier.extend(LEAVES[8:10])

    with pytest.raises(ProofError, match="Node 0 of level 0"):
        growth.node(0, 0)
    with pytest.raises(ProofError, match="Node 1 of level 3"):
        growth.node(3, 1)


def test_frontier_survives_storage() -> None:
    """A frontier read back is equal, and grows into the same tree."""
    frontier = Frontier().extend(LEAVES[:45]).frontier

    again = Frontier.from_bytes(frontier.to_bytes())

    assert frontier == again
    assert hash(frontier) == hash(again)
    assert naive_root(LEAVES) == again.extend(LEAVES[45:]).root
    assert frontier != Frontier()
    assert frontier != frontier.to_bytes()
    assert f"Frontier(size=45, root={naive_root(LEAVES[:45]).hex()})" == repr(frontier)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "too short"),
        (bytes(7), "too short"),
        ((1).to_bytes(8, "big"), "not the frontier"),
        ((1).to_bytes(8, "big") + bytes(31), "not the frontier"),
        ((1).to_bytes(8, "big") + bytes(33), "not the frontier"),
        ((0).to_bytes(8, "big") + bytes(32), "not the frontier"),
        ((3).to_bytes(8, "big") + bytes(96), "not the frontier"),
        ((1 << 63).to_bytes(8, "big") + bytes(32), "not the frontier"),
    ],
)
def test_damaged_frontier_is_refused(data: bytes, fault: str) -> None:
    """A frontier whose hashes do not fit its size is not grown."""
    with pytest.raises(ProofError, match=fault):
        Frontier.from_bytes(data)


@pytest.mark.parametrize(
    ("index", "size"), [(5, 5), (-1, 5), (0, 0), (0, 1 << 63)], ids=["end", "minus", "none", "huge"]
)
def test_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    """Asking for, or checking, a leaf outside the tree is an error that says so."""
    with pytest.raises(ProofError):
        Tree(size=size, node=lambda _level, _index: EMPTY_ROOT).inclusion_proof(index)
    with pytest.raises(ProofError, match="cannot be in a tree"):
        verify_inclusion(leaf=EMPTY_ROOT, index=index, size=size, proof=[], root=EMPTY_ROOT)


@pytest.mark.parametrize("old_size", [0, 6, -1])
def test_no_consistency_with_what_is_not_there(old_size: int) -> None:
    """There is no proof from the empty tree, nor from a larger one."""
    with pytest.raises(ProofError, match="no consistency proof"):
        tree_over(LEAVES[:5]).consistency_proof(old_size)


def decoded(value: str | None) -> bytes:
    """Bytes of a probe's base64 field, which may be null."""
    return base64.b64decode(value or "")


def inclusion_holds(probe: dict[str, Any]) -> bool:
    """Whether we accept an inclusion probe."""
    try:
        verify_inclusion(
            leaf=decoded(probe["leafHash"]),
            index=probe["leafIdx"],
            size=probe["treeSize"],
            proof=[decoded(item) for item in probe["proof"] or []],
            root=decoded(probe["root"]),
        )
    except ProofError:
        return False
    return True


def consistency_holds(probe: dict[str, Any]) -> bool:
    """Whether we accept a consistency probe."""
    try:
        verify_consistency(
            old_size=probe["size1"],
            new_size=probe["size2"],
            proof=[decoded(item) for item in probe["proof"] or []],
            old_root=decoded(probe["root1"]),
            new_root=decoded(probe["root2"]),
        )
    except ProofError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "holds", "count"),
    [("inclusion", inclusion_holds, 98), ("consistency", consistency_holds, 98)],
)
def test_published_probes(kind: str, holds: Any, count: int) -> None:  # noqa: ANN401
    """Every published probe is accepted or rejected as its authors say."""
    folder = vectors_folder("merkle", "testdata", kind)
    probes = {
        str(path.relative_to(folder)): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }

    answers = {name: holds(probe) for name, probe in probes.items()}

    assert count == len(probes)
    assert {name: not probe["wantErr"] for name, probe in probes.items()} == answers
