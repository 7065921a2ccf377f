"""How a later message relates to an earlier one."""

from __future__ import annotations

from enum import IntEnum


class Relation(IntEnum):
    """What the later message is to the earlier one, the subject."""

    FORWARD = 1
    """Passes it on."""
    RECALL = 2
    """Takes it back."""
    CORRECTION = 3
    """Corrects it."""
    CONFIRMATION = 4
    """Confirms that a RECALL or CORRECTION, the subject, was carried out."""
    CONSENT = 5
    """Consents to further use of it."""
    WITHDRAWAL = 6
    """Withdraws a consent to further use of it."""
    HIT = 7
    """Reports a hit of an alert, the subject."""
    OPERATION_STEP = 8
    """Is a step of the operation that the subject founded."""
    REPORT = 9
    """Reports results of the operation that the subject founded."""
    ALERT_WITHDRAWAL = 10
    """Takes an alert, the subject, back. Not the same as withdrawing a consent to its use."""
