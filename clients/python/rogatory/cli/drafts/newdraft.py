"""A new draft in the queue: from what a command makes to a header that officers sign."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from rogatory import clock, drafting, envelopes
from rogatory.cli import signers
from rogatory.client import Draft
from rogatory.drafting import DraftEnvelope
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import Home
from rogatory.keyring import KeyRing


def signed_by(
    place: Home,
    ring: KeyRing,
    *,
    author: str,
    approvers: Sequence[str],
    agency: bool,
    drafter: str,
    now: int,
) -> list[drafting.KeyInRole]:
    """Return the keys that must sign: officers as named, and the agency's own.

    Args:
        place: The agency's folder.
        ring: Its keys.
        author: Pseudonym; empty: none.
        approvers: Pseudonyms.
        agency: The agency's signing key too.
        drafter: Pseudonym of who needs the right to draft; empty: nobody.
        now: Nanoseconds since the Unix epoch.

    Raises:
        DraftError: One of them has no such key or right.
    """
    own = place.enrolled().agency
    prefer = signers.at_work(place)
    if drafter:
        may_draft = {codes_pb2.OFFICER_RIGHT_DRAFT, codes_pb2.OFFICER_RIGHT_SIGN}
        drafting.choose_key(ring, own, officer=drafter, rights=may_draft, now=now, prefer=prefer)
    found: list[drafting.KeyInRole] = []
    if agency:
        key = drafting.choose_key(ring, own, now=now, prefer=prefer)
        found.append((key, codes_pb2.KEY_ROLE_SIGNING))
    return found + drafting.choose_officers(
        ring, own, author=author, approvers=approvers, now=now, prefer=prefer
    )


def make(
    place: Home,
    draft: Draft,
    contents: Sequence[Message],
    *,
    keys: Sequence[drafting.KeyInRole],
    now: int,
) -> DraftEnvelope:
    """Return a draft that names who must sign it, with an id of its own.

    Args:
        place: The agency's folder.
        draft: What its header says.
        contents: Of its parts.
        keys: Who must sign; see `signed_by`.
        now: Nanoseconds since the Unix epoch.

    Raises:
        EnvelopeError: Header or a part breaks its schema's rules.
    """
    settings = place.enrolled()
    header = draft.header(
        sender=settings.agency,
        audience=settings.origin,
        message_id=envelopes.new_message_id(now // 1_000_000, os.urandom(10)),
        now=now,
    )
    return drafting.make(header=header, contents=contents, signed_by=keys, salts=os.urandom)


def report(
    made: DraftEnvelope, path: Path, out: Path | None, *, ring: KeyRing, now: int
) -> tuple[dict[str, Any], list[str]]:
    """Return what is to be said of a draft, for JSON and for people.

    Args:
        made: The draft.
        path: Its file in the queue.
        out: Another file that it was written to.
        ring: The agency's keys.
        now: Nanoseconds since the Unix epoch.
    """
    states = drafting.signer_states(made, ring, now=now)
    waiting = signers.waiting_for(states)
    data = {
        "message_id": made.message_id,
        "file": str(path),
        "out": None if out is None else str(out),
        "header_digest": made.header_digest.hex(),
        "expire_time": clock.to_text(made.expires),
        "signed_by": signers.state_data(states),
        "waiting_for": waiting,
    }
    lines = [
        f"draft {made.message_id}, until {clock.to_text(made.expires)}",
        f"waiting for: {', '.join(waiting) or 'nobody'}",
        f"header: sha256:{made.header_digest.hex()}",
        f"file: {path}",
        *([] if out is None else [f"file: {out}"]),
    ]
    return data, lines
