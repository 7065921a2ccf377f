"""Tables of the ledger, for SQLite and PostgreSQL alike.

Instants are nanoseconds since the Unix epoch. Blobs that were received or committed to are kept as
they are; columns beside them only repeat what they say, so that it can be searched.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

metadata = MetaData()

# The log's head: one row, locked by every group. Written by the group that appends.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("entry_time", BigInteger, nullable=False),
    # merkle.Frontier of the tree at `size`.
    Column("frontier", LargeBinary, nullable=False),
    # How many governance entries there are: tells other processes to reload what follows from them.
    Column("governance", BigInteger, nullable=False),
)

# Whose log this is: one row, written when the ledger was made, never changed.
log = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True),
    # rogatory.notes.VerifierKey as text: origin, key id, public key.
    Column("verifier_key", String, nullable=False),
)

# The log's entries, append-only. `idx` is assigned from the head, never by a sequence.
entries = Table(
    "entries",
    metadata,
    Column("idx", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("entry_time", BigInteger, nullable=False),
    Column("tag", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("exercise", Boolean, nullable=False),
    # UUID bytes of the message id, then the sender: unique among admitted and refused messages.
    Column("identity", LargeBinary),
    Column("header_digest", LargeBinary),
    Column("thread", String),
    # The serialised AuditEntry: the leaf.
    Column("entry", LargeBinary, nullable=False),
    Index("entries_identity", "identity", unique=True),
    Index("entries_actor", "actor", "idx"),
)

# One row for each recipient of each message: openings, and with a position its inbox.
outcomes = Table(
    "outcomes",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("recipient", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("inbox_position", BigInteger),
    Column("disposition", SmallInteger, nullable=False),
    Column("agreement_id", String, nullable=False),
    Column("agreement_digest", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Index("outcomes_inbox", "recipient", "exercise", "inbox_position", unique=True),
    sqlite_with_rowid=False,
)

# The parts as received, serialised exchange.v1.Part; replaced by an absent one on erasure.
parts = Table(
    "parts",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("part", LargeBinary, nullable=False),
)

# Hash tiles, height 8; the last of each level grows in place.
tiles = Table(
    "tiles",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# What governs: indices of the entries that carry agreements, key statements and revocations.
governance = Table(
    "governance",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
    Column("entry_time", BigInteger, nullable=False),
)

# What opens a commitment to bytes that are not kept: of a rejection without header, of a read.
openings = Table(
    "openings",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
)

# Inboxes: last position given out, and the cursor the recipient has acknowledged.
inboxes = Table(
    "inboxes",
    metadata,
    Column("agency", String, primary_key=True),
    Column("exercise", Boolean, primary_key=True),
    Column("last_position", BigInteger, nullable=False),
    Column("cursor", BigInteger, nullable=False),
)

# What quotas counted, by UTC day.
quota_counts = Table(
    "quota_counts",
    metadata,
    Column("agreement_id", String, primary_key=True),
    Column("clause_id", String, primary_key=True),
    Column("sender", String, primary_key=True),
    Column("recipient", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
)

# How each request stands towards each agency asked: follows from its REQUEST and UPDATE entries.
requests = Table(
    "requests",
    metadata,
    # Index of the REQUEST's entry.
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("asked", String, primary_key=True),
    Column("asking", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("assistance_kind", SmallInteger, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    # A serialised exchange.v1.RequestStanding.
    Column("standing", LargeBinary, nullable=False),
    Column("entry_time", BigInteger, nullable=False),
    Column("step_time", BigInteger, nullable=False),
    # Earliest due time of a deadline that runs; null where none does.
    Column("next_due", BigInteger),
    Index("requests_asked", "asked", "exercise", "idx"),
    Index("requests_asking", "asking", "exercise", "idx"),
)

# The steps of each request: UPDATE messages that were admitted.
request_steps = Table(
    "request_steps",
    metadata,
    Column("request", BigInteger, primary_key=True, autoincrement=False),
    Column("asked", String, primary_key=True),
    # Index of the UPDATE's entry.
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("step", SmallInteger, nullable=False),
    # State after it.
    Column("state", SmallInteger, nullable=False),
    Column("entry_time", BigInteger, nullable=False),
)

# What is due of each request, and when it was done.
deadlines = Table(
    "deadlines",
    metadata,
    Column("request", BigInteger, primary_key=True, autoincrement=False),
    Column("asked", String, primary_key=True),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("asking", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    # A DeadlineKind number.
    Column("kind", SmallInteger, nullable=False),
    # Agency that must act.
    Column("agency", String, nullable=False),
    # When it becomes due soon, and when it is due.
    Column("soon_time", BigInteger, nullable=False),
    Column("due_time", BigInteger, nullable=False),
    # A serialised assistance.v1.DueDate.
    Column("due_date", LargeBinary, nullable=False),
    # How it ended, a DueState number, and when; null while it runs.
    Column("closed", SmallInteger),
    Column("closed_time", BigInteger),
    Index("deadlines_running", "closed", "soon_time"),
)

# What later messages say of an earlier one: see `ledger.relations.Relation`.
relations = Table(
    "relations",
    metadata,
    # Index of the earlier message's entry.
    Column("subject", BigInteger, primary_key=True, autoincrement=False),
    Column("relation", SmallInteger, primary_key=True, autoincrement=False),
    # Index of the later message's entry.
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Index("relations_idx", "idx"),
    sqlite_with_rowid=False,
)

# Who has a copy of a message that was passed on: whoever sent or received one.
copies = Table(
    "copies",
    metadata,
    # Index of the entry of the message passed on.
    Column("subject", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", String, primary_key=True),
    # Index of the entry of the message that passes it on.
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    # Whether the agency received it; else it sent it.
    Column("received", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

# The latest withdrawal of consent to further use of a message, as each agency was told.
withdrawals = Table(
    "withdrawals",
    metadata,
    # Index of the entry of the message that may not be used further.
    Column("subject", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", String, primary_key=True),
    # A ConsentScope number.
    Column("scope", SmallInteger, primary_key=True, autoincrement=False),
    # Index of the CONSENT message's entry.
    Column("idx", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What is no longer delivered to whom.
recalled = Table(
    "recalled",
    metadata,
    # Index of the message's entry.
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    # Agency that may no longer get it: a recipient, or the sender of a copy passed on.
    Column("agency", String, primary_key=True),
    # Whether all its parts are gone; else those that hold the message passed on.
    Column("whole", Boolean, nullable=False),
    # Index of the RECALL's entry.
    Column("recall", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Joint operations, by the index of the founding message's entry.
operations = Table(
    "operations",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("lead", String, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
)

# Who is what to an operation.
operation_members = Table(
    "operation_members",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", String, primary_key=True),
    # Order of invitation.
    Column("number", Integer, nullable=False),
    # A serialised exchange.v1.MemberStanding.
    Column("standing", LargeBinary, nullable=False),
    Index("operation_members_agency", "agency", "idx"),
)
