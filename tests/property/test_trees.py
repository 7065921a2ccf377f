"""Whatever the sizes and the cuts, trees grow to one root and every false proof is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rogatory.errors import ProofError
from rogatory.merkle import Frontier, Growth, leaf_hash, verify_consistency, verify_inclusion
from rogatory.tiles import TileReader, tiles_between

LEAVES = [leaf_hash(b"%d" % number) for number in range(1400)]
WHOLE = Frontier().extend(LEAVES)
sizes = st.integers(min_value=1, max_value=len(LEAVES))


def growth_to(size: int) -> Growth:
    """The tree over the first leaves, in one step."""
    return Frontier().extend(LEAVES[:size])


def read_tile(level: int, n: int, width: int) -> bytes:
    """Hash tiles of the whole tree."""
    return b"".join(WHOLE.node(8 * level, 256 * n + offset) for offset in range(width))


@given(st.lists(st.integers(min_value=0, max_value=300), max_size=8))
def test_any_grouping_gives_one_tree(groups: list[int]) -> None:
    """Root, frontier and proofs do not depend on how appends were grouped."""
    frontier = Frontier()
    for count in groups:
        end = min(frontier.size + count, len(LEAVES))
        growth = frontier.extend(LEAVES[frontier.size : end])
        for index, proof in enumerate(growth.inclusion_proofs(), frontier.size):
            verify_inclusion(
                leaf=LEAVES[index], index=index, size=end, proof=proof, root=growth.root
            )
        frontier = Frontier.from_bytes(growth.frontier.to_bytes())

    assert growth_to(frontier.size).frontier == frontier


@given(size=sizes, data=st.data())
def test_tiles_prove_what_the_tree_proves(size: int, data: st.DataObject) -> None:
    """Proofs from tiles are those from the leaves, at any size."""
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    old = data.draw(st.integers(min_value=1, max_value=size))
    expected = growth_to(size)

    tree = TileReader(read_tile, keep=2).tree(size)

    assert expected.root == tree.root
    assert expected.inclusion_proof(index) == tree.inclusion_proof(index)
    assert expected.consistency_proof(old) == tree.consistency_proof(old)


@given(size=sizes, data=st.data())
def test_altered_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    """Another index, size, leaf or any hash changed, added or dropped: it does not verify."""
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    tree = growth_to(size)
    good: dict[str, Any] = {
        "leaf": LEAVES[index],
        "index": index,
        "size": size,
        "proof": tree.inclusion_proof(index),
        "root": tree.root,
    }
    bad = good | data.draw(altered(good))

    with pytest.raises(ProofError):
        verify_inclusion(**bad)


@given(size=st.integers(min_value=2, max_value=len(LEAVES)), data=st.data())
def test_altered_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    """Either root or any hash changed, added or dropped, or the sizes swapped: refused."""
    old = data.draw(st.integers(min_value=1, max_value=size - 1))
    tree = growth_to(size)
    good: dict[str, Any] = {
        "old_size": old,
        "new_size": size,
        "proof": tree.consistency_proof(old),
        "old_root": growth_to(old).root,
        "new_root": tree.root,
    }
    verify_consistency(**good)
    bad = good | data.draw(altered(good) | st.just({"old_size": size, "new_size": old}))

    with pytest.raises(ProofError):
        verify_consistency(**bad)


def altered(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One field of a good call, altered."""
    proof = list(good["proof"])
    choices: list[st.SearchStrategy[dict[str, Any]]] = [
        st.just({key: flipped(value, 17)})
        for key, value in good.items()
        if isinstance(value, bytes)
    ]
    choices.append(st.just({"proof": [*proof, LEAVES[0]]}))
    choices.append(st.just({"proof": [LEAVES[0], *proof]}))
    if proof:
        places = st.integers(min_value=0, max_value=len(proof) - 1)
        bits = st.integers(min_value=0, max_value=255)
        choices.append(places.map(lambda at: {"proof": proof[:at] + proof[at + 1 :]}))
        choices.append(
            st.tuples(places, bits).map(
                lambda place: {
                    "proof": [
                        flipped(item, place[1]) if at == place[0] else item
                        for at, item in enumerate(proof)
                    ]
                }
            )
        )
    if "index" in good:
        others = st.integers(min_value=0, max_value=len(LEAVES))
        choices.append(others.filter(lambda at: at != good["index"]).map(lambda at: {"index": at}))
    return st.one_of(choices)


def flipped(value: bytes, bit: int) -> bytes:
    """A hash with one bit changed."""
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")


@given(old=st.integers(min_value=0, max_value=len(LEAVES)), size=sizes)
def test_publishing_steps_adds_up(old: int, size: int) -> None:
    """The tiles of a step and of the steps before it are all the tiles of the size."""
    before = {(tile.level, tile.n, tile.width) for tile in tiles_between(0, old)}
    step = {(tile.level, tile.n, tile.width) for tile in tiles_between(old, size)}
    whole = {(tile.level, tile.n, tile.width) for tile in tiles_between(0, size)}

    if old <= size:
        assert whole <= before | step
        assert not before & step
    else:
        assert not step
