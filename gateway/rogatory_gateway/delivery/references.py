"""References to messages, as the ledger finds them by their index."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import select

from rogatory.records.v1 import common_pb2
from rogatory_gateway.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

UUID_BYTES = 16
_AT_ONCE = 500
"""Values in one query: SQLite takes no more than 999 in some builds."""


def message_reference(
    *, actor: str, identity: bytes, header_digest: bytes
) -> common_pb2.MessageReference:
    """Return the reference to a message, from the columns of its entry."""
    return common_pb2.MessageReference(
        sender=actor,
        message_id=str(uuid.UUID(bytes=identity[:UUID_BYTES])),
        header_digest=header_digest,
    )


def references(
    connection: Connection, indices: Iterable[int]
) -> dict[int, common_pb2.MessageReference]:
    """Return references to the messages at some indices, by index."""
    wanted = sorted(set(indices))
    table = tables.entries.c
    found = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(
            select(table.idx, table.actor, table.identity, table.header_digest).where(
                table.idx.in_(wanted[start : start + _AT_ONCE])
            )
        )
        for row in rows:
            found[row.idx] = message_reference(
                actor=row.actor, identity=row.identity, header_digest=row.header_digest
            )
    return found
