"""Procedures: requests with steps and deadlines, relations between messages, operations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables, empty: what is under way is entered when the ledger is next opened."""
    op.create_table(
        "requests",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asked", sa.String, primary_key=True),
        sa.Column("asking", sa.String, nullable=False),
        sa.Column("exercise", sa.Boolean, nullable=False),
        sa.Column("assistance_kind", sa.SmallInteger, nullable=False),
        sa.Column("urgency", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("standing", sa.LargeBinary, nullable=False),
        sa.Column("entry_time", sa.BigInteger, nullable=False),
        sa.Column("step_time", sa.BigInteger, nullable=False),
        sa.Column("next_due", sa.BigInteger),
    )
    op.create_index("requests_asked", "requests", ["asked", "exercise", "idx"])
    op.create_index("requests_asking", "requests", ["asking", "exercise", "idx"])
    op.create_table(
        "request_steps",
        sa.Column("request", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asked", sa.String, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("step", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("entry_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "deadlines",
        sa.Column("request", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asked", sa.String, primary_key=True),
        sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("asking", sa.String, nullable=False),
        sa.Column("exercise", sa.Boolean, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("agency", sa.String, nullable=False),
        sa.Column("soon_time", sa.BigInteger, nullable=False),
        sa.Column("due_time", sa.BigInteger, nullable=False),
        sa.Column("due_date", sa.LargeBinary, nullable=False),
        sa.Column("closed", sa.SmallInteger),
        sa.Column("closed_time", sa.BigInteger),
    )
    op.create_index("deadlines_running", "deadlines", ["closed", "soon_time"])
    op.create_table(
        "relations",
        sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("relation", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("relations_idx", "relations", ["idx"])
    op.create_table(
        "copies",
        sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("agency", sa.String, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("received", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "withdrawals",
        sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("agency", sa.String, primary_key=True),
        sa.Column("scope", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recalled",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("agency", sa.String, primary_key=True),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("recall", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "operations",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("lead", sa.String, nullable=False),
        sa.Column("exercise", sa.Boolean, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "operation_members",
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("agency", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("standing", sa.LargeBinary, nullable=False),
    )
    op.create_index("operation_members_agency", "operation_members", ["agency", "idx"])
