"""The ledger records whose log it is, so that key and name can't be changed under it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Record origin and public key, which whoever migrates has compared with `log.vkey`."""
    table = op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("verifier_key", sa.String, nullable=False),
    )
    verifier_key = context.config.attributes["verifier_key"]
    op.bulk_insert(table, [{"id": 1, "verifier_key": verifier_key}])
