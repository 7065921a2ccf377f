"""The tree: hashes of the entries against the stored tiles and the head."""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select

from rogatory import merkle
from rogatory.errors import ProofError
from rogatory.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from rogatory_gateway.ledger import tables
from rogatory_gateway.operator.fsck.findings import Fault, Report

_TILE_BYTES = TILE_WIDTH * merkle.HASH_SIZE


class TreeCheck:
    """Grows the tree again from the entries, and lays it beside what is stored."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._report = report
        self._frontier = merkle.Frontier()
        self._pending: list[bytes] = []
        self._tiles: list[tuple[int, bytearray]] = []
        self._complete = True

    def take(self, entry: bytes) -> None:
        """Take the next entry."""
        self._pending.append(merkle.leaf_hash(entry))
        if len(self._pending) == TILE_WIDTH:
            self._extend()

    def gap(self) -> None:
        """Note that an entry is missing: what follows stands elsewhere in the tree."""
        self._extend()
        self._complete = False

    def finish(self, frontier: bytes) -> None:
        """Compare the last tiles and the head."""
        self._extend()
        report = self._report
        if not self._complete:
            report.add(Fault.TREE, "log", "entries are missing, so the tree can't be grown again")
            return
        for level, (number, hashes) in enumerate(self._tiles):
            if hashes:
                self._compare(level, number, bytes(hashes))
        self._beyond()
        report.root = self._frontier.root
        try:
            stored = merkle.Frontier.from_bytes(frontier)
        except ProofError as error:
            report.add(Fault.HEAD, "head", f"its tree can't be read: {error.message}")
            return
        if stored != self._frontier:
            report.add(
                Fault.TREE,
                "log",
                f"the {self._frontier.size} entries lead to root {self._frontier.root.hex()}; the "
                f"head has size {stored.size} and root {stored.root.hex()}",
            )

    def _extend(self) -> None:
        growth = self._frontier.extend(self._pending)
        self._pending = []
        self._frontier = growth.frontier
        if not self._complete:
            return
        levels = (growth.levels + TILE_HEIGHT - 1) // TILE_HEIGHT
        self._tiles += [(0, bytearray()) for _ in range(levels - len(self._tiles))]
        for level in range(levels):
            number, hashes = self._tiles[level]
            hashes += b"".join(growth.new_nodes(TILE_HEIGHT * level)[1])
            while len(hashes) >= _TILE_BYTES:
                self._compare(level, number, bytes(hashes[:_TILE_BYTES]))
                del hashes[:_TILE_BYTES]
                number += 1
            self._tiles[level] = (number, hashes)

    def _compare(self, level: int, number: int, hashes: bytes) -> None:
        size = merkle.HASH_SIZE
        path = Tile(level, number, len(hashes) // size).path
        table = tables.tiles.c
        stored = self._connection.execute(
            select(table.hashes).where(table.level == level, table.number == number)
        ).scalar()
        self._report.counts["tiles"] += 1
        if stored is None:
            self._report.add(Fault.TILE, path, "it is not there")
        elif stored != hashes:
            first = (
                next(
                    (
                        at
                        for at in range(0, len(hashes), size)
                        if stored[at : at + size] != hashes[at : at + size]
                    ),
                    len(hashes),
                )
                // size
            )
            what = (
                f"its hash {first} is not that of entry {number * TILE_WIDTH + first}"
                if level == 0
                else f"its hash {first} is not that of the tile below it"
            )
            if first == len(hashes) // size:
                what = f"it has {len(stored) // size} hashes, the tree {first}"
            self._report.add(Fault.TILE, path, what)

    def _beyond(self) -> None:
        """Find tiles that the tree does not have."""
        table = tables.tiles.c
        ours = [
            and_(table.level == level, table.number < number + bool(hashes))
            for level, (number, hashes) in enumerate(self._tiles)
        ]
        rows = self._connection.execute(select(table.level, table.number).where(~or_(False, *ours)))
        for level, number in rows:
            self._report.add(
                Fault.TILE_BEYOND_HEAD, f"tile level {level} number {number}", "the tree ends below"
            )
