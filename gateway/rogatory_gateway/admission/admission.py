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
from typing import TYPE_CHECKING, TypeAlias

from rogatory import batches, envelopes
from rogatory.errors import EnvelopeError
from rogatory_gateway.admission.identify import authorise
from rogatory_gateway.ledger.items import MessageItem, RejectionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rogatory.envelopes import OpenedEnvelope
    from rogatory.keyring import KnownKey
    from rogatory_gateway.admission.identify import Caller
    from rogatory_gateway.ledger.registry import Registry


LAPSES = frozenset({"KEY_EXPIRED", "KEY_REVOKED"})
"""What may befall a key between a message and its retry, which still gets the first answer."""


WORTH_SHARING = 2
"""Messages from which on taking steps for all at once costs less."""

Signers: TypeAlias = "tuple[KnownKey, ...] | EnvelopeError"
"""Who signed a message, or why that is not known."""


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

    def admit(self, candidates: Sequence[Candidate]) -> list[MessageItem | RejectionItem]:
        """Take all steps: return the messages, or the rejections that go to the log in their place.

        A rejection's ``error`` says what was wrong. A message signed by a key that has lapsed comes
        back as a message with that rejection: only the ledger knows whether it is a retry.
        """
        opened = self.open(candidates)
        return self.conclude(candidates, opened, [self.verify(item) for item in opened])

    def open(self, candidates: Sequence[Candidate]) -> list[OpenedEnvelope | RejectionItem]:
        """Take steps 1 to 3: for all at once, and one by one where something is at fault."""
        if len(candidates) >= WORTH_SHARING and all(
            len(candidate.data) <= self._message_bytes for candidate in candidates
        ):
            opened = batches.open_envelopes([candidate.data for candidate in candidates])
            if opened is not None:
                return [
                    self._authorised(candidate, item)
                    for candidate, item in zip(candidates, opened, strict=True)
                ]
        return [self._open(candidate) for candidate in candidates]

    def _open(self, candidate: Candidate) -> OpenedEnvelope | RejectionItem:
        try:
            if len(candidate.data) > self._message_bytes:
                raise envelopes.too_large(len(candidate.data), limit=self._message_bytes)
            opened = envelopes.open_envelope(candidate.data)
        except EnvelopeError as error:
            return rejection(error, candidate, None)
        return self._authorised(candidate, opened)

    def _authorised(
        self, candidate: Candidate, opened: OpenedEnvelope
    ) -> OpenedEnvelope | RejectionItem:
        try:
            authorise(candidate.caller, opened.header, origin=self._origin)
        except EnvelopeError as error:
            return rejection(error, candidate, None)
        return opened

    def verify(self, opened: OpenedEnvelope | RejectionItem) -> Signers:
        """Take step 4, in any thread: it reads only what never changes in place."""
        if isinstance(opened, RejectionItem):
            return opened.error
        try:
            return envelopes.verify_signatures(
                opened, self._registry().ring, entry_time=self._now()
            )
        except EnvelopeError as error:
            return error

    def conclude(
        self,
        candidates: Sequence[Candidate],
        opened: Sequence[OpenedEnvelope | RejectionItem],
        signers: Sequence[Signers],
    ) -> list[MessageItem | RejectionItem]:
        """Take step 5, with the results of the steps before."""
        good = [
            item
            for item, known in zip(opened, signers, strict=True)
            if not isinstance(item, RejectionItem) and not isinstance(known, EnvelopeError)
        ]
        hold = len(good) >= WORTH_SHARING and batches.parts_hold(good)
        return [
            self._conclude(candidate, item, known, hold=hold)
            for candidate, item, known in zip(candidates, opened, signers, strict=True)
        ]

    def _conclude(
        self,
        candidate: Candidate,
        opened: OpenedEnvelope | RejectionItem,
        signers: Signers,
        *,
        hold: bool,
    ) -> MessageItem | RejectionItem:
        """Take step 5 for one message.

        Args:
            hold: Whether the parts of all that were verified are known to be right.
        """
        if isinstance(opened, RejectionItem):
            return opened
        lapsed = None
        if isinstance(signers, EnvelopeError):
            lapsed = rejection(signers, candidate, None)
            if signers.reason not in LAPSES:
                return lapsed
            signers = ()
        if lapsed is not None or not hold:
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
