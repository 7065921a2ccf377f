"""Ledgers of earlier versions, made from those of today."""

from __future__ import annotations

_PROCEDURES = (
    "requests",
    "request_steps",
    "deadlines",
    "relations",
    "copies",
    "withdrawals",
    "recalled",
    "operations",
    "operation_members",
)

BACK_TO_SECOND = (
    *(f"DROP TABLE {name}" for name in _PROCEDURES),
    "UPDATE alembic_version SET version_num='0002'",
)
"""Statements that take a ledger back to the revision that followed no procedures."""
BACK_TO_FIRST = (
    *BACK_TO_SECOND,
    "DROP TABLE log",
    "UPDATE alembic_version SET version_num='0001'",
)
"""Statements that take it back to the one that did not record whose log it is."""
