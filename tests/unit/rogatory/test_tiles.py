"""Tiles are laid out, named and read as C2SP tlog-tiles says."""

from __future__ import annotations

import pytest

from rogatory.errors import ProofError, TileError
from rogatory.merkle import Frontier, leaf_hash
from rogatory.tiles import (
    Tile,
    TileReader,
    bundles_between,
    decode_bundle,
    encode_bundle,
    tiles_between,
)

LEAVES = [leaf_hash(b"%d" % number) for number in range(70_000)]
WHOLE = Frontier().extend(LEAVES)


def tile_bytes(level: int, n: int, width: int) -> bytes:
    """A hash tile by the definition."""
    return b"".join(WHOLE.node(8 * level, 256 * n + offset) for offset in range(width))


class Tiles:
    """Serves tiles and counts reads."""

    def __init__(self, size: int) -> None:
        self.stored = {
            tile.path: tile_bytes(tile.level or 0, tile.n, tile.width)
            for tile in tiles_between(0, size)
        }
        self.read: list[str] = []

    def __call__(self, level: int, n: int, width: int) -> bytes:
        """Give a tile that is stored, and fail on any other."""
        path = Tile(level, n, width).path
        self.read.append(path)
        return self.stored[path]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(63, 999, 255), "tile/63/999.p/255"),
        (Tile(1, 1000, 1), "tile/1/x001/000.p/1"),
        (Tile(None, 0, 112), "tile/entries/000.p/112"),
        (Tile(None, 273_000_000), "tile/entries/x273/x000/000"),
        (Tile(0, (1 << 63) - 1), "tile/0/x009/x223/x372/x036/x854/x775/807"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    """A tile has one path, and the path names that tile."""
    assert path == tile.path
    assert tile == Tile.parse(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000/",
        "/tile/0/000",
        "tile/data/000",
        "tile/0/\N{ARABIC-INDIC DIGIT ZERO}00",
        "tile/0/000\n",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/../000",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    """Nothing but a tile's own path is looked up in a store."""
    with pytest.raises(TileError, match="not the path of a tile"):
        Tile.parse(path)


@pytest.mark.parametrize(
    ("level", "n", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)]
)
def test_impossible_tiles(level: int, n: int, width: int) -> None:
    """There is never an empty tile, nor a wider one than 256."""
    with pytest.raises(TileError, match="There is no tile"):
        Tile(level, n, width)


def test_tiles_of_the_specification_s_example() -> None:
    """A tree of 70,000 has the tiles that C2SP tlog-tiles counts for it."""
    tiles = list(tiles_between(0, 70_000))

    def full(level: int) -> int:
        return sum(tile.level == level and tile.width == 256 for tile in tiles)

    partial = [(tile.level, tile.width) for tile in tiles if tile.width < 256]
    assert [273, 1, 0] == [full(level) for level in range(3)]
    assert [(0, 112), (1, 17), (2, 1)] == partial


def test_tiles_of_small_trees() -> None:
    """Size 256 is a full tile and the beginning of the next level; size 0 is nothing."""
    assert [] == list(tiles_between(0, 0))
    assert ["tile/0/000.p/1"] == [tile.path for tile in tiles_between(0, 1)]
    assert ["tile/0/000", "tile/1/000.p/1"] == [tile.path for tile in tiles_between(0, 256)]


def test_tiles_of_a_step() -> None:
    """A step adds what it changed: grown partial tiles, and tiles that became full."""
    assert ["tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1"] == [
        tile.path for tile in tiles_between(250, 260)
    ]
    assert ["tile/0/001.p/5"] == [tile.path for tile in tiles_between(260, 261)]
    assert [] == list(tiles_between(260, 260))
    assert ["tile/entries/000", "tile/entries/001.p/4"] == [
        tile.path for tile in bundles_between(250, 260)
    ]
    assert [] == list(bundles_between(256, 256))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 4096, 65_535, 65_536, 65_537, 70_000])
def test_proofs_from_tiles(size: int) -> None:
    """Root and proofs of a published size come from that size's tiles alone."""
    expected = Frontier().extend(LEAVES[:size])
    tree = TileReader(Tiles(size)).tree(size)

    indices = {0, size // 2, size - 1}
    assert expected.root == tree.root
    assert [expected.inclusion_proof(at) for at in indices] == [
        tree.inclusion_proof(at) for at in indices
    ]
    assert expected.consistency_proof(size // 2 + 1) == tree.consistency_proof(size // 2 + 1)
    assert expected.frontier == Frontier.of(size=size, node=tree.node)


def test_proof_reads_few_tiles_once() -> None:
    """A proof costs a tile or two a level, and full tiles are kept for the next."""
    tiles = Tiles(70_000)
    reader = TileReader(tiles, keep=4)

    reader.tree(70_000).inclusion_proof(5)
    first = len(tiles.read)
    reader.tree(70_000).inclusion_proof(6)

    partial = {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
    assert first <= 5
    assert partial >= set(tiles.read[first:])


def test_kept_tiles_are_bounded() -> None:
    """Memory stays flat whatever is asked for."""
    reader = TileReader(Tiles(70_000), keep=4)
    tree = reader.tree(70_000)
    for index in range(0, 70_000, 1000):
        tree.inclusion_proof(index)

    assert 4 == len(reader._full)


def test_full_tile_may_stand_for_a_partial_one() -> None:
    """Where a partial tile is gone because the full one exists, the full one serves."""
    reader = TileReader(lambda level, n, _: tile_bytes(level, n, 256 if level < 1 else 1))

    tree = reader.tree(300)

    expected = Frontier().extend(LEAVES[:300])
    assert expected.root == tree.root
    assert expected.inclusion_proof(299) == tree.inclusion_proof(299)


@pytest.mark.parametrize("data", [b"", bytes(32 * 43), bytes(32 * 44 - 1), bytes(32 * 45)])
def test_cut_tile_is_refused(data: bytes) -> None:
    """A tile of the wrong length is named by its path."""
    tree = TileReader(lambda _level, _n, _width: data).tree(300)

    with pytest.raises(TileError, match=r"tile/0/001\.p/44 has"):
        tree.inclusion_proof(299)


def test_nodes_beyond_the_size_are_refused() -> None:
    """A tree has no perfect subtree that reaches beyond its last leaf."""
    tree = TileReader(Tiles(300)).tree(300)

    for level, index in [(0, 300), (1, 150), (8, 1), (16, 0), (5, 9)]:
        with pytest.raises(TileError, match=f"no node {index} of level {level}"):
            tree.node(level, index)
    with pytest.raises(ProofError, match="has no leaf 300"):
        tree.inclusion_proof(300)


@pytest.mark.parametrize(
    "entries", [[b""], [b"a"], [b"a", b"", b"bc"], [b"x" * 65_535] * 3, [b"e"] * 256]
)
def test_bundles_round_trip(entries: list[bytes]) -> None:
    """Entries come back as they were, empty and longest ones included."""
    bundle = encode_bundle(entries)

    assert entries == decode_bundle(bundle, width=len(entries))


def test_bundle_bytes() -> None:
    """Each entry follows its length in two bytes, the high one first."""
    assert b"\x00\x01a\x01\x00" + b"b" * 256 == encode_bundle([b"a", b"b" * 256])


@pytest.mark.parametrize("entries", [[], [b"e"] * 257, [b"x" * 65_536]])
def test_impossible_bundles_are_refused(entries: list[bytes]) -> None:
    """No empty bundle, no wide one, no entry that its length cannot tell."""
    with pytest.raises(TileError):
        encode_bundle(entries)


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (b"", 1),
        (b"\x00", 1),
        (b"\x00\x02a", 1),
        (b"\x00\x01a", 2),
        (b"\x00\x01a\x00", 1),
        (b"\x00\x01a\x00", 2),
        (b"\x00\x01a\x00\x01b", 1),
    ],
)
def test_damaged_bundles_are_refused(data: bytes, width: int) -> None:
    """A cut or padded bundle is not read in part."""
    with pytest.raises(TileError, match=f"exactly {width} entries"):
        decode_bundle(data, width=width)
