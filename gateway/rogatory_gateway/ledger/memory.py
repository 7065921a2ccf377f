"""What the writer keeps in memory of the ledger: head, growing tiles, inbox positions, registry.

All of it follows from the database. It is loaded when another process has moved the head, and
thrown away when a commit's result is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from rogatory import merkle
from rogatory.tiles import TILE_HEIGHT, TILE_WIDTH
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.reading import governance_documents
from rogatory_gateway.ledger.registry import Registry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rogatory_gateway.ledger.prepared import Statements

_TILE_BYTES = TILE_WIDTH * merkle.HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The log's head.

    Attributes:
        size: Entries.
        entry_time: Of the last entry, nanoseconds since the Unix epoch.
        frontier: The tree's frontier.
        governance: Governance entries.
    """

    size: int
    entry_time: int
    frontier: merkle.Frontier
    governance: int


UNKNOWN = Head(size=-1, entry_time=0, frontier=merkle.Frontier(), governance=-1)
"""Stands for a head that must be loaded: no database has it."""


class Memory:
    """The writer's memory. Owned by whoever holds the write transaction."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements
        self._tiles: dict[int, tuple[int, bytes]] = {}
        self.inboxes: dict[tuple[str, bool], int] = {}
        self.registry = Registry()
        self.head = UNKNOWN

    def forget(self) -> None:
        """Mark everything as unsure: the next `synchronise` loads it."""
        self.head = UNKNOWN
        self.inboxes.clear()

    def synchronise(self) -> None:
        """Load everything where another process has moved the head. Inside the transaction."""
        ((size,),) = self._statements.read_head.run(self._connection)
        if size != self.head.size:
            self._load()

    def _load(self) -> None:
        row = self._connection.execute(select(tables.head)).one()
        if row.governance != self.head.governance:
            self.registry = Registry.replay(governance_documents(self._connection))
        self.inboxes.clear()
        self._tiles = self._load_tiles(row.size)
        self.head = Head(
            size=row.size,
            entry_time=row.entry_time,
            frontier=merkle.Frontier.from_bytes(row.frontier),
            governance=row.governance,
        )

    def _load_tiles(self, size: int) -> dict[int, tuple[int, bytes]]:
        """Return for each level the number and hashes of its last, still growing tile."""
        found: dict[int, tuple[int, bytes]] = {}
        level, width = 0, size
        while width:
            number, hashes = width // TILE_WIDTH, b""
            if width % TILE_WIDTH:
                hashes = self._connection.execute(
                    select(tables.tiles.c.hashes).where(
                        tables.tiles.c.level == level, tables.tiles.c.number == number
                    )
                ).scalar_one()
            found[level] = (number, hashes)
            level, width = level + 1, width // TILE_WIDTH
        return found

    def next_position(self, agency: str, *, exercise: bool) -> int:
        """Give out the next position of an inbox."""
        key = (agency, exercise)
        last = self.inboxes.get(key)
        if last is None:
            last = self._connection.execute(
                select(tables.inboxes.c.last_position).where(
                    tables.inboxes.c.agency == agency, tables.inboxes.c.exercise == exercise
                )
            ).scalar()
        position = self.inboxes[key] = (last or 0) + 1
        return position

    def grow_tiles(self, growth: merkle.Growth) -> list[tuple[int, int, bytes]]:
        """Return (level, number, hashes) of every tile that grew; remember the last of each."""
        grown = []
        for level in range(-(-growth.levels // TILE_HEIGHT)):
            first, hashes = growth.new_nodes(TILE_HEIGHT * level)
            number, last = self._tiles.get(level, (0, b""))
            if first != number * TILE_WIDTH + len(last) // merkle.HASH_SIZE:
                message = "tiles in memory and the tree differ"
                raise RuntimeError(message)
            data = last + b"".join(hashes)
            while len(data) >= 8192:
                grown.append((level, number, data[:8192]))
                data, number = data[8192:], number + 1
            if data and hashes:
                grown.append((level, number, data))
            self._tiles[level] = (number, data)
        return grown
