"""The way in, up to the transaction: open, authorise, validate.

1. the bytes parse strictly and keep the schema's rules (`envelopes.open_envelope`);
2. the header names the caller's agency as sender and this gateway as audience;
3. the agency may send this kind at all;
4. every signature verifies, by keys valid now (judged again at entry time);
5. every clear part matches its commitment, schema and facts.

All of it depends on nothing but the bytes, the registry and the clock, so that a helper process can
do it as well (`verifying`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory import envelopes
from rogatory.errors import EnvelopeError
from rogatory_gateway.admission.identify import authorise
from rogatory_gateway.ledger.items import MessageItem, RejectionItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from rogatory.envelopes import OpenedEnvelope
    from rogatory.keyring import KnownKey
    from rogatory_gateway.admission.identify import Caller
    from rogatory_gateway.ledger.registry import Registry


LAPSES = frozenset({"KEY_EXPIRED", "KEY_REVOKED"})
"""What may befall a key between a message and its retry, which still gets the first answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A submission as it came in."""

    data: bytes
    caller: Caller


class Admission:
    """Turns received bytes into an item for the ledger."""

    def __init__(
        self,
        *,
        origin: str,
        registry: Callable[[], Registry],
        now: Callable[[], int],
        message_bytes: int,
    ) -> None:
        self._origin = origin
        self._registry = registry
        self._now = now
        self._message_bytes = message_bytes

    def admit(self, candidate: Candidate) -> MessageItem | RejectionItem:
        """Take all steps: return the message, or the rejection that goes to the log in its place.

        A rejection's ``error`` says what was wrong. A message signed by a key that has lapsed comes
        back as a message with that rejection: only the ledger knows whether it is a retry.
        """
        opened = self.open(candidate)
        if isinstance(opened, RejectionItem):
            return opened
        return self.conclude(candidate, opened, self.verify(opened))

    def open(self, candidate: Candidate) -> OpenedEnvelope | RejectionItem:
        """Take steps 1 to 3."""
        try:
            if len(candidate.data) > self._message_bytes:
                raise envelopes.too_large(len(candidate.data), limit=self._message_bytes)
            opened = envelopes.open_envelope(candidate.data)
            authorise(candidate.caller, opened.header, origin=self._origin)
        except EnvelopeError as error:
            return rejection(error, candidate, None)
        return opened

    def verify(self, opened: OpenedEnvelope) -> tuple[KnownKey, ...] | EnvelopeError:
        """Take step 4, in any thread: it reads only what never changes in place."""
        try:
            return envelopes.verify_signatures(
                opened, self._registry().ring, entry_time=self._now()
            )
        except EnvelopeError as error:
            return error

    def conclude(
        self,
        candidate: Candidate,
        opened: OpenedEnvelope,
        signers: tuple[KnownKey, ...] | EnvelopeError,
    ) -> MessageItem | RejectionItem:
        """Take step 5, with the result of step 4."""
        lapsed = None
        if isinstance(signers, EnvelopeError):
            lapsed = rejection(signers, candidate, None)
            if signers.reason not in LAPSES:
                return lapsed
            signers = ()
        try:
            envelopes.check_parts(opened, allow_absent=False)
        except EnvelopeError as error:
            return lapsed or rejection(error, candidate, opened)
        return MessageItem(
            actor=candidate.caller.agency,
            certificate=candidate.caller.certificate,
            opened=opened,
            signers=signers,
            lapsed=lapsed,
        )


def rejection(
    error: EnvelopeError, candidate: Candidate, signed: OpenedEnvelope | None
) -> RejectionItem:
    """Make the log's record: the header only where its sender's signatures verified."""
    return RejectionItem(
        actor=candidate.caller.agency,
        certificate=candidate.caller.certificate,
        error=error,
        received=candidate.data,
        header=b"" if signed is None else signed.header_bytes,
        signatures=() if signed is None else signed.signatures,
    )
