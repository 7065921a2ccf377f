"""The ledger's first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table as it was at the first release; later changes are revisions of their own.

    Written out, not taken from `ledger.tables`: that module moves on, this step must not.
    """
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("entry_time", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("governance", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("idx", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("entry_time", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("exercise", sa.Boolean, nullable=False),
        sa.Column("identity", sa.LargeBinary),
        sa.Column("header_digest", sa.LargeBinary),
        sa.Column("thread", sa.String),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_index("entries_identity", "entries", ["identity"], unique=True)
    op.create_index("entries_actor", "entries", ["actor", "idx"])
    op.create_table(
        "outcomes",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("exercise", sa.Boolean, nullable=False),
        sa.Column("inbox_position", sa.BigInteger),
        sa.Column("disposition", sa.SmallInteger, nullable=False),
        sa.Column("agreement_id", sa.String, nullable=False),
        sa.Column("agreement_digest", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("outcome", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "outcomes_inbox", "outcomes", ["recipient", "exercise", "inbox_position"], unique=True
    )
    op.create_table(
        "parts",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("part", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tiles",
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "governance",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("entry_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "openings",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "inboxes",
        sa.Column("agency", sa.String, primary_key=True),
        sa.Column("exercise", sa.Boolean, primary_key=True),
        sa.Column("last_position", sa.BigInteger, nullable=False),
        sa.Column("cursor", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "quota_counts",
        sa.Column("agreement_id", sa.String, primary_key=True),
        sa.Column("clause_id", sa.String, primary_key=True),
        sa.Column("sender", sa.String, primary_key=True),
        sa.Column("recipient", sa.String, primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
