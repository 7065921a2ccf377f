"""From a draft that all have signed to a message in the outbox."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rogatory import drafting
from rogatory.cli import outbox
from rogatory.cli.agency import stating
from rogatory.cli.drafts import queue
from rogatory.cli.drafts.queue import Found
from rogatory.cli.outbox import Sent
from rogatory.cli.output import note
from rogatory.cli.session import file_signer
from rogatory.client import Submitted
from rogatory.drafting import DraftEnvelope
from rogatory.entries import open_entry
from rogatory.envelopes import open_envelope
from rogatory.errors import PermissionDenied
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import Home
from rogatory.keyring import KeyRing
from rogatory.receipts import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A draft's message in the outbox.

    Attributes:
        waiting: Its file.
        first: It was not there before, so that no gateway can have got it.
    """

    waiting: Path
    first: bool


def decided(place: Home, found: Found) -> Sent | None:
    """Return what became of a draft that was sent before, by its receipt; None: there is none.

    Whoever stopped between the receipt and the queue still finds the draft there.

    Raises:
        ReceiptError: The receipt cannot be read.
    """
    path = outbox.receipt_in(place, found.draft.message_id)
    if not path.exists():
        return None
    receipt = Receipt.parse(path.read_bytes())
    message = open_entry(receipt.entry).message
    if message is None or message.header_digest != found.draft.header_digest:
        return None
    submitted = Submitted(message_id=found.draft.message_id, receipt=receipt, repeated=True)
    return Sent(message=message, submitted=submitted, receipt=path)


def prepare(place: Home, found: Found) -> Ready:
    """Put a draft's message into the outbox; the very same bytes, however often it is tried.

    The agency's own signature is added where the header names its key and the officers have signed.
    A message that the gateway may have got is not judged again: its outcome is what is asked for,
    whatever became of its signers since.

    Raises:
        DraftError: Somebody has still to sign, or a reviewer rejected it.
        EnvelopeError: It expired, or a signature or key does not hold.
        KeyFileError: The agency's signing key cannot be used.
        ConfigurationError: A file cannot be written.
    """
    draft = found.draft
    waiting = outbox.file_in(place, draft.message_id)
    if waiting.exists():
        kept = open_envelope(waiting.read_bytes())
        if kept.header_digest == draft.header_digest:
            return Ready(waiting=waiting, first=False)
    outbox.put(place, completed(place, found))
    for path in found.paths:
        if path != queue.file_in(place, draft.message_id):
            note(f"{path} still holds the records: remove it when it is no longer needed")
    return Ready(waiting=waiting, first=True)


def completed(place: Home, found: Found) -> bytes:
    """Return the envelope of a draft that all have signed, with the agency's own signature.

    Raises:
        DraftError: Somebody has still to sign, or a reviewer rejected it.
        EnvelopeError: It expired, or a signature or key does not hold.
        KeyFileError: The agency's signing key cannot be used.
        ConfigurationError: The folder holds no key statement of the agency.
    """
    found.check_not_rejected()
    ring = queue.own_ring(place)
    now = time.time_ns()
    draft = _with_agency(place, found.draft, ring, now=now)
    return drafting.complete(draft, ring, now=now)


@contextlib.contextmanager
def withdrawn_where_denied(ready: Ready) -> Iterator[None]:
    """Take a message out of the outbox again that the gateway denied at once.

    A key of its signers was revoked, say: nothing was entered, and the draft itself is still there
    for its author to see. One that was tried before stays: it may have been entered then.
    """
    try:
        yield
    except PermissionDenied:
        if ready.first:
            ready.waiting.unlink(missing_ok=True)
        raise


def _with_agency(place: Home, draft: DraftEnvelope, ring: KeyRing, *, now: int) -> DraftEnvelope:
    """Add the agency's own signature where it is all that is missing."""
    roles = {item.key: item.role for item in draft.header.signed_by}
    if [roles[key] for key in draft.missing] != [codes_pb2.KEY_ROLE_SIGNING]:
        return draft
    return drafting.sign(draft, file_signer(place.key(stating.SIGNING)), ring=ring, now=now)
