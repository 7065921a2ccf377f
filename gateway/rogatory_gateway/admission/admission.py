"""The way in, up to the transaction: open, authorise, validate.

1. the bytes parse strictly and keep the schema's rules (`envelopes.open_envelope`);
2. the header names the caller's agency as sender and this gateway as audience;
3. the agency may send this kind at all;
4. every signature verifies, by keys valid now (judged again at entry time);
5. every clear part matches its commitment, schema and facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory import envelopes
from rogatory.errors import EnvelopeError
from rogatory_gateway.admission.identify import authorise_kind
from rogatory_gateway.ledger.items import MessageItem, RejectionItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from rogatory.envelopes import OpenedEnvelope
    from rogatory.keyring import KnownKey
    from rogatory_gateway.admission.identify import Caller
    from rogatory_gateway.ledger.registry import Registry


class Admission:
    """Turns received bytes into an item for the ledger."""

    def __init__(
        self, *, origin: str, registry: Callable[[], Registry], now: Callable[[], int]
    ) -> None:
        self._origin = origin
        self._registry = registry
        self._now = now

    def admit(self, data: bytes, caller: Caller) -> MessageItem | RejectionItem:
        """Return the message, or the rejection that goes to the log in its place.

        A rejection's ``error`` says what was wrong.
        """
        opened = self.open(data, caller)
        return opened if isinstance(opened, RejectionItem) else self.verify(opened, data, caller)

    def open(self, data: bytes, caller: Caller) -> OpenedEnvelope | RejectionItem:
        """Take steps 1 to 3: cheap, and enough to know what the message claims to be."""
        try:
            opened = envelopes.open_envelope(data)
            header = opened.header
            if header.sender != caller.agency:
                raise EnvelopeError(
                    f"the header names {header.sender} as sender; the certificate is "
                    f"{caller.agency}'s",
                    hint="Send only in the name of the agency whose certificate connects.",
                    reason="SENDER_MISMATCH",
                )
            if header.audience != self._origin:
                raise EnvelopeError(
                    f"the message is meant for {header.audience!r}; this is {self._origin!r}",
                    hint="Set audience to this gateway's origin and sign again.",
                    reason="AUDIENCE_MISMATCH",
                )
            authorise_kind(caller, header.kind)
        except EnvelopeError as error:
            return _rejection(error, data, caller)
        return opened

    def verify(
        self, opened: OpenedEnvelope, data: bytes, caller: Caller
    ) -> MessageItem | RejectionItem:
        """Take steps 4 and 5."""
        return self.conclude(
            opened, signers=self.verify_signatures(opened), data=data, caller=caller
        )

    def verify_signatures(
        self, opened: OpenedEnvelope
    ) -> tuple[KnownKey, ...] | EnvelopeError:
        """Take step 4. Safe in any thread: it reads only what never changes in place."""
        try:
            return envelopes.verify_signatures(
                opened, self._registry().ring, entry_time=self._now()
            )
        except EnvelopeError as error:
            return error

    def conclude(
        self,
        opened: OpenedEnvelope,
        *,
        signers: tuple[KnownKey, ...] | EnvelopeError,
        data: bytes,
        caller: Caller,
    ) -> MessageItem | RejectionItem:
        """Take step 5, with the result of step 4."""
        if isinstance(signers, EnvelopeError):
            return _rejection(signers, data, caller)
        try:
            envelopes.check_parts(opened, allow_absent=False)
        except EnvelopeError as error:
            return _rejection(error, data, caller, opened)
        return MessageItem(
            actor=caller.agency,
            certificate=caller.certificate,
            opened=opened,
            signers=signers,
        )


def _rejection(
    error: EnvelopeError, data: bytes, caller: Caller, signed: OpenedEnvelope | None = None
) -> RejectionItem:
    """Make the log's record: the header only where its sender's signatures verified."""
    return RejectionItem(
        actor=caller.agency,
        certificate=caller.certificate,
        error=error,
        received=data,
        header=b"" if signed is None else signed.header_bytes,
        signatures=() if signed is None else signed.signatures,
    )
