"""Tiles: a log's hashes and entries as files that never change.

Source: C2SP tlog-tiles. A hash tile of level L holds up to 256 consecutive nodes of tree level 8·L;
an entry bundle holds up to 256 consecutive entries. Only the last one of a level can be partial.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rogatory.errors import TileError
from rogatory.merkle import HASH_SIZE, MAX_TREE_SIZE, Tree, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_TILE_LEVEL = 63
MAX_ENTRY_SIZE = 0xFFFF
"""Bytes of an entry; its length travels in 16 bits."""

ReadTile = Callable[[int, int, int], bytes]
"""``(level, n, width)`` to that hash tile; may give the full tile where a partial one is asked."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<n>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile or entry bundle by its place.

    Attributes:
        level: Tile level, 0 to 63; None for an entry bundle.
        n: Index within the level.
        width: Number of hashes or entries, 1 to 256; below 256 the tile is partial.

    Raises:
        TileError: There is no such tile.
    """

    level: int | None
    n: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if (
            not 0 <= (self.level or 0) <= MAX_TILE_LEVEL
            or not 0 <= self.n <= MAX_TREE_SIZE
            or not 1 <= self.width <= TILE_WIDTH
        ):
            raise TileError(
                f"There is no tile {self.n} of level {self.level} with width {self.width}",
                hint=f"Levels run from 0 to {MAX_TILE_LEVEL}, widths from 1 to {TILE_WIDTH}.",
            )

    @property
    def path(self) -> str:
        """``tile/<L>/<N>[.p/<W>]`` or ``tile/entries/<N>[.p/<W>]``, as ``tile/0/x001/x234/067``."""
        elements = [f"{self.n % 1000:03d}"]
        rest = self.n // 1000
        while rest:
            elements.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.width < TILE_WIDTH else ""
        return f"tile/{level}/{'/'.join(reversed(elements))}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a path; only the one spelling that ``path`` gives is accepted.

        Raises:
            TileError: It is not the path of a tile.
        """
        match = _PATH.fullmatch(path)
        if match is None:
            raise _bad_path(path)
        level = match["level"]
        n = int(match["n"].replace("x", "").replace("/", ""))
        try:
            tile = cls(
                level=None if level == "entries" else int(level),
                n=n,
                width=int(match["width"] or TILE_WIDTH),
            )
        except TileError as error:
            raise _bad_path(path) from error
        if tile.path != path:
            raise _bad_path(path)
        return tile


def tiles_between(old_size: int, new_size: int) -> Iterator[Tile]:
    """Hash tiles that a tree of ``new_size`` has and one of ``old_size`` has not, by level.

    Tiles that were partial and grew are among them, at their new width. ``old_size`` 0 gives all.
    """
    for level in range(MAX_TILE_LEVEL + 1):
        old, new = old_size >> (TILE_HEIGHT * level), new_size >> (TILE_HEIGHT * level)
        if not new:
            return
        yield from _row(level, old, new)


def bundles_between(old_size: int, new_size: int) -> Iterator[Tile]:
    """Entry bundles that a log of ``new_size`` has and one of ``old_size`` has not."""
    yield from _row(None, old_size, new_size)


def _row(level: int | None, old: int, new: int) -> Iterator[Tile]:
    if new <= old:
        return
    for n in range(old // TILE_WIDTH, -(-new // TILE_WIDTH)):
        yield Tile(level, n, min(TILE_WIDTH, new - n * TILE_WIDTH))


class TileReader:
    """Nodes and proofs of a log from its tiles, a few of which stay in memory.

    The hashes are as true as whoever gives them: check proofs against a verified checkpoint.
    Not safe to share between threads.
    """

    def __init__(self, read_tile: ReadTile, *, keep: int = 64) -> None:
        """Read through a callable.

        Args:
            read_tile: Gives the bytes of a hash tile, full or at least as wide as asked.
            keep: Full tiles kept in memory, about 17 KiB each.
        """
        self._read_tile = read_tile
        self._keep = keep
        self._full: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def tree(self, size: int) -> Tree:
        """The log's tree at one size, for its root and proofs.

        Its partial tiles stay in memory as long as the tree does. It raises ``TileError`` where a
        tile is malformed, and whatever ``read_tile`` raises.
        """
        partial: dict[tuple[int, int], list[bytes]] = {}

        def node(level: int, index: int) -> bytes:
            tile_level, height = divmod(level, TILE_HEIGHT)
            n, offset = divmod(index << height, TILE_WIDTH)
            width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * tile_level)) - n * TILE_WIDTH)
            if width < offset + (1 << height):
                raise TileError(
                    f"A tree of size {size} has no node {index} of level {level}",
                    hint="Ask a later checkpoint.",
                )
            rows = self._rows(tile_level, n, width, partial)
            at = (offset >> height) * HASH_SIZE
            return _hashed_up(rows, height)[at : at + HASH_SIZE]

        return Tree(size=size, node=node)

    def _rows(
        self, level: int, n: int, width: int, partial: dict[tuple[int, int], list[bytes]]
    ) -> list[bytes]:
        """The tile's rows so far: row 0 as read, row h hashed up from it when first asked for."""
        rows = self._full.get((level, n))
        if rows is not None:
            self._full.move_to_end((level, n))
            return rows
        rows = partial.get((level, n))
        if rows is None:
            data = self._read_tile(level, n, width)
            if len(data) not in {width * HASH_SIZE, TILE_WIDTH * HASH_SIZE}:
                raise TileError(
                    f"The tile {Tile(level, n, width).path} has {len(data)} bytes"
                    f" instead of {width * HASH_SIZE}",
                    hint="Fetch it again; in a log of your own, run rogatory-gateway fsck.",
                )
            rows = [data]
            if len(data) == TILE_WIDTH * HASH_SIZE:
                self._full[level, n] = rows
                if len(self._full) > self._keep:
                    self._full.popitem(last=False)
            else:
                partial[level, n] = rows
        return rows


def _hashed_up(rows: list[bytes], height: int) -> bytes:
    while len(rows) <= height:
        below = rows[-1]
        rows.append(
            b"".join(
                node_hash(below[at : at + HASH_SIZE], below[at + HASH_SIZE : at + 2 * HASH_SIZE])
                for at in range(0, len(below) - HASH_SIZE, 2 * HASH_SIZE)
            )
        )
    return rows[height]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entry bundle: each entry's length as u16be, then the entry.

    Raises:
        TileError: There are no entries, more than 256, or one is too long.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise TileError(
            f"An entry bundle cannot hold {len(entries)} entries",
            hint=f"Give it between 1 and {TILE_WIDTH}.",
        )
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise TileError(
                f"An entry of {len(entry)} bytes does not fit into the log",
                hint=f"Keep entries to {MAX_ENTRY_SIZE} bytes.",
            )
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, *, width: int) -> list[bytes]:
    """Entries of a bundle, which must be ``width`` of them and nothing else.

    Raises:
        TileError: The bundle is cut, or holds fewer or more.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) != width:
        raise TileError(
            f"The entry bundle does not hold exactly {width} entries",
            hint="Fetch it again, at the width that the checkpoint's size asks for.",
        )
    return entries


def _bad_path(path: str) -> TileError:
    return TileError(
        f"{path[:100]!r} is not the path of a tile",
        hint="Paths look like tile/0/x001/x234/067, tile/1/000.p/17 or tile/entries/000.",
    )
