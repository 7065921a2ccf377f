"""The file of a draft: ASCII lines that can be mailed or put on a stick, with a readable head.

The head names no person and no case, as the header does not; the base64 below it holds the records.
"""

from __future__ import annotations

from rogatory import clock
from rogatory.agreements import armour
from rogatory.drafting.draft import DraftEnvelope, open_draft
from rogatory.envelopes import MAX_ENVELOPE_BYTES
from rogatory.errors import DraftError
from rogatory.exchange.v1 import codes_pb2

MAX_TEXT = 2 * MAX_ENVELOPE_BYTES
"""Characters of a draft's file: base64 of the longest envelope, line ends, and the head."""

_LABEL = "ROGATORY DRAFT"


def begins(text: str) -> bool:
    """Say whether a text is, or wants to be, the file of a draft."""
    return armour.begins(_LABEL, text)


def to_armour(draft: DraftEnvelope) -> str:
    """Return the file of a draft. It holds the records: keep it from whoever may not see them."""
    header, missing = draft.header, draft.missing
    kind = codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower()
    return armour.wrap(
        _LABEL,
        head=[
            f"Message: {header.sender}/{header.message_id}",
            f"Kind: {kind}",
            *(f"To: {recipient.agency}" for recipient in header.recipients),
            f"Expires: {clock.to_text(draft.expires)}",
            f"Header: sha256:{draft.header_digest.hex()}",
            *(
                f"{'Missing' if item.key in missing else 'Signed'}: key {item.key.hex()[:16]}"
                for item in header.signed_by
            ),
        ],
        data=draft.data,
    )


def from_armour(text: str) -> DraftEnvelope:
    """Read the file of a draft. Its head must say what the bytes say.

    Raises:
        DraftError: DRAFT_ALTERED: it is not such a file, or was altered.
        EnvelopeError: As `rogatory.drafting.open_draft`.
    """
    broken = DraftError(
        "this is not a file of a draft, or it was altered",
        hint="Get it again from whoever handed it on; rogatory draft makes such files.",
        reason="DRAFT_ALTERED",
    )
    if len(text) > MAX_TEXT:
        raise broken
    try:
        data, lines = armour.unwrap(_LABEL, text)
    except ValueError as error:
        raise broken from error
    draft = open_draft(data)
    if to_armour(draft).splitlines() != lines:
        raise broken
    return draft
