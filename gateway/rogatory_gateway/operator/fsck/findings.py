"""What `fsck` finds: each kind of damage by name, and where; and faults of the set-up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_LISTED = 1000
"""Findings listed in full; all are counted. A log that is wrong everywhere fits in memory too."""


class Fault(StrEnum):
    """Kinds of damage, and `SET_UP`, which is none.

    What each means stands beside it; the text of a finding says the rest.
    """

    DATABASE = "database"  # the database file itself is damaged
    HEAD = "head"  # the head disagrees with the entries
    ENTRY_MISSING = "entry-missing"  # an index below the head has no entry
    ENTRY_BEYOND_HEAD = "entry-beyond-head"  # an entry that no commit made part of the log
    ENTRY_MALFORMED = "entry-malformed"  # the entry does not parse strictly, or breaks its schema
    ENTRY_TIME = "entry-time"  # earlier than the entry before it
    ENTRY_COLUMNS = "entry-columns"  # columns that repeat the entry say something else
    ENTRY_TAG = "entry-tag"  # the tag is not the one that the entry's body has
    TREE = "tree"  # the entries' hashes do not lead to the head's tree
    TILE = "tile"  # a stored tile differs from the entries' hashes, or is absent
    TILE_BEYOND_HEAD = "tile-beyond-head"  # a tile that the tree does not have
    GOVERNANCE = "governance"  # a document that its roots did not sign, or that does not follow on
    GOVERNANCE_TABLE = "governance-table"  # the table differs from the entries
    AUDIENCE = "audience"  # a message for another gateway
    EXPIRED = "expired"  # a message entered after it had expired
    SENDER = "sender"  # a message of an agency that was not admitted
    SIGNATURE = "signature"  # a signature is missing, does not verify, or its key was not valid
    REJECTION = "rejection"  # a rejection with an unknown reason, or a header nobody signed
    OPENING = "opening"  # the salt of a rejection or read is absent, or belongs to none
    OUTCOME_MISSING = "outcome-missing"  # a recipient without its outcome
    OUTCOME_UNOWNED = "outcome-unowned"  # an outcome of no message
    OUTCOME_COMMITMENT = "outcome-commitment"  # outcome or salt are not those committed to
    OUTCOME_MALFORMED = "outcome-malformed"  # the outcome contradicts its entry
    OUTCOME_COLUMNS = "outcome-columns"  # columns that repeat the outcome say something else
    DECISION = "decision"  # the agreement decides otherwise
    CONTEXT = "context"  # what the decision rested on was otherwise in the log at that time
    PART_MISSING = "part-missing"  # a part of an admitted message is not there
    PART_UNOWNED = "part-unowned"  # a part of no admitted message
    PART_COMMITMENT = "part-commitment"  # a part is not the one that the header binds
    PART_ABSENT = "part-absent"  # a part was erased and the log does not say so, or the reverse
    INBOX_NUMBER = "inbox-number"  # an inbox skips or repeats a position
    INBOX_TABLE = "inbox-table"  # the table's last position or cursor differs from the log
    DELIVERY = "delivery"  # an advance that does not follow on the one before
    PROCEDURE = (
        "procedure"  # a request, deadline, recall or operation is not as the entries make it
    )
    QUOTA = "quota"  # what a quota counted differs from the messages
    RECORDED_KEY = "recorded-key"  # the ledger does not say whose log it is
    SET_UP = "set-up"  # settings or key files, not the ledger: the finding's hint mends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault.

    Attributes:
        fault: Its kind.
        where: As ``entry 17``, ``entry 17, outcome 2``, ``tile/0/000``, ``inbox nl.police``.
        text: What is wrong there.
        hint: What to do about it; empty for damage, where it is always the same.
    """

    fault: Fault
    where: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.fault}: {self.where}: {self.text}"


@dataclass(slots=True, kw_only=True)
class Report:
    """What was verified, and every fault.

    Attributes:
        origin: Name of the log.
        size: Size of the log according to its head.
        counts: How many entries, messages, signatures, outcomes, decisions, parts, governance
            documents, deliveries, tiles were verified.
        faults: Number of findings of each kind.
        findings: The first `MAX_LISTED` of them.
        seconds: How long it took.
    """

    origin: str
    size: int = 0
    root: bytes = b""
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    @property
    def damaged(self) -> bool:
        """Whether what was found is in the ledger, and not in the set-up alone."""
        return any(fault is not Fault.SET_UP for fault in self.faults)

    @property
    def entries_per_second(self) -> float:
        """Entries verified a second."""
        return self.counts["entries"] / self.seconds if self.seconds else 0.0

    def add(self, fault: Fault, where: str, text: str, *, hint: str = "") -> None:
        """Add a finding."""
        self.faults[fault] += 1
        if len(self.findings) < MAX_LISTED:
            self.findings.append(Finding(fault=fault, where=where, text=text, hint=hint))

    def to_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        return {
            "clean": self.clean,
            "damaged": self.damaged,
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "verified": dict(self.counts),
            "faults": {str(fault): count for fault, count in self.faults.items()},
            "findings": [
                {
                    "fault": str(item.fault),
                    "where": item.where,
                    "text": item.text,
                    "hint": item.hint,
                }
                for item in self.findings
            ],
            "findings_omitted": self.faults.total() - len(self.findings),
            "seconds": round(self.seconds, 3),
            "entries_per_second": round(self.entries_per_second),
        }
