"""Publishing the log: the latest checkpoint, and proofs that lead to it.

A checkpoint is signed only after its entries are durable. It follows from the database alone, and
Ed25519 gives the same signature each time, so that a crash between commit and signature loses
nothing: the next start signs the same note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory.checkpoints import Checkpoint, sign_checkpoint
from rogatory.tiles import TileReader
from rogatory_gateway.ledger import reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rogatory.merkle import Tree
    from rogatory.notes import NoteSigner
    from rogatory_gateway.ledger.ledger import Appended

_TILES_KEPT = 16


class Publisher:
    """Holds the latest checkpoint. Never goes back to a smaller tree."""

    def __init__(self, *, signer: NoteSigner, size: int, root: bytes) -> None:
        self._signer = signer
        self.size = -1
        self.checkpoint = ""
        self._publish(size, root)

    @property
    def verifier_key(self) -> str:
        """The log's verifier key, as others configure it."""
        return self._signer.key.text

    def sign(self, appended: Appended) -> str:
        """Sign and publish the tree of a committed group; return the note."""
        self._publish(appended.size, appended.root)
        return self.checkpoint

    def _publish(self, size: int, root: bytes) -> None:
        if size > self.size:
            checkpoint = Checkpoint(origin=self._signer.key.name, size=size, root=root)
            self.checkpoint = sign_checkpoint(checkpoint, self._signer).decode()
            self.size = size


def tree_at(connection: Connection, size: int) -> Tree:
    """Return the log's tree at a size, read from the tiles as proofs need them."""

    def read_tile(level: int, number: int, width: int) -> bytes:
        return reading.read_tile(connection, level=level, number=number, width=width) or b""

    return TileReader(read_tile, keep=_TILES_KEPT).tree(size)
