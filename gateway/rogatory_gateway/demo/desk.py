"""An agency's desk: its keys, its connection, and the check of everything that comes and goes.

All checking is the library's. What fails to verify stops the demonstration.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from google.protobuf.message import Message

from rogatory import envelopes
from rogatory.assistance.v1 import deadline_pb2
from rogatory.checkpoints import SignedCheckpoint
from rogatory.client import AsyncClient, Draft, TlsCredentials, recipient
from rogatory.client.settings import SignerInRole
from rogatory.errors import DeliveryError, ReceiptError, RogatoryError
from rogatory.exchange.v1 import (
    agreement_pb2,
    codes_pb2,
    decision_pb2,
    envelope_pb2,
    exchange_service_pb2,
)
from rogatory.home import Home
from rogatory.keys import PublicKey
from rogatory.merkle import leaf_hash, root_of
from rogatory.notes import VerifierKey
from rogatory.policy import Policy, verified_agreements
from rogatory.receipts import VerifiedReceipt
from rogatory.records.v1 import common_pb2
from rogatory.signers import FileSigner
from rogatory.verification import VerifiedDelivery, verify_delivery
from rogatory_gateway.demo import cast, content, corrections, recalls
from rogatory_gateway.demo.casework import Key, Seen
from rogatory_gateway.demo.memory import Memory
from rogatory_gateway.demo.outbox import Checks, Outbox, Sent

_RECEIPTS_TOGETHER = 32
"""All agencies at once stay below what a gateway takes in flight by default (1,024)."""
_TILE_WIDTH = 256
_CONNECT_SECONDS = 60.0
_PATIENCE_SECONDS = 120.0
_FOLLOWED = frozenset({codes_pb2.KIND_REQUEST, codes_pb2.KIND_UPDATE, codes_pb2.KIND_OPERATION})
"""Kinds by which a procedure goes on that this agency follows itself."""


def _is_acknowledged(header: envelope_pb2.Header) -> bool:
    """Tell whether an officer acknowledges a message: all but receipts and confirmations."""
    return header.kind != codes_pb2.KIND_RECEIPT and not header.subject.confirmation


class Desk:
    """One agency at work.

    Attributes:
        told_of_suspects: The message in which it told of its suspects, once it did.
        shared: The message in which it shared a record, or passed one on.
        passed_on_to: To whom it passed a record on.
    """

    def __init__(self, home: Home, *, progress: Callable[[dict[str, int]], None]) -> None:
        """Open an enrolled agency's folder.

        Args:
            home: Its folder.
            progress: Told of what was received, in all, now and then.
        """
        settings = home.enrolled()
        self.home = home
        self.agency = settings.agency
        self.checks = Checks()
        self.memory = Memory(settings.agency)
        self.told_of_suspects: common_pb2.MessageReference | None = None
        self.shared: common_pb2.MessageReference | None = None
        self.passed_on_to: list[str] = []
        self._progress = progress
        self._signing = FileSigner(home.key("signing"))
        self._officers = {name: FileSigner(home.key(f"officer-{name}")) for name in cast.OFFICERS}
        self._roots: dict[str, PublicKey] = {}
        self._log_keys = (VerifierKey.parse(settings.log),)
        self.client = AsyncClient(
            target=settings.gateway,
            agency=settings.agency,
            audience=settings.origin,
            tls=TlsCredentials.from_files(
                certificate=home.client_certificate, key=home.key("tls"), ca=home.ca_certificate
            ),
            log_keys=self._log_keys,
            deadline=_CONNECT_SECONDS,
        )
        self._queue: asyncio.Queue[exchange_service_pb2.Delivery] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._moved = asyncio.Condition()
        self._done = 0
        self._overdue: set[Key] = set()
        self._seen: dict[int, bytes] = {}
        self._fault: BaseException | None = None

    def pin(self, roots: dict[str, PublicKey]) -> None:
        """Take the roots that an agreement names, which this agency signed.

        Raises:
            DeliveryError: Another agreement named another root.
        """
        for agency, root in roots.items():
            if self._roots.setdefault(agency, root) != root:
                raise DeliveryError(
                    f"Two agreements name different roots for {agency}",
                    hint="Find out from the agency which is right.",
                )

    async def open(self) -> None:
        """Verify directory and agreements, then read the inbox from now on."""
        directory = [
            entry async for entry in self.client.agencies() if entry.agency.agency_id in self._roots
        ]
        signed = [record.agreement async for record in self.client.agreements()]
        self._count_governance([len(entry.statements) for entry in directory], signed)
        self.policy = Policy(
            log_keys=self._log_keys,
            roots=self._roots,
            directory=directory,
            agreements=verified_agreements(signed, self._roots),
        )
        self._outbox = Outbox(
            client=self.client,
            agency=self.agency,
            policy=self.policy,
            receipts=self.home.receipts,
            checks=self.checks,
        )
        await self.client.checkpoint()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._work())]

    def _count_governance(
        self, statements: Sequence[int], signed: Sequence[agreement_pb2.SignedAgreement]
    ) -> None:
        self.checks.signatures += sum(statements) + sum(len(item.signatures) for item in signed)

    async def close(self) -> None:
        """Stop reading and hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    # Sending

    def signers(self, *officers: str) -> list[SignerInRole]:
        """Return the agency's signing key, and officers' keys beside it."""
        return [
            (self._signing, codes_pb2.KEY_ROLE_SIGNING),
            *((self._officers[name], codes_pb2.KEY_ROLE_OFFICER) for name in officers),
        ]

    def build(
        self, draft: Draft, *contents: Message, signers: Sequence[SignerInRole] = ()
    ) -> bytes:
        """Return a signed envelope under a new message id."""
        header = draft.header(
            sender=self.agency,
            audience=self.policy.log_keys[0].name,
            message_id=self.client.new_message_id(),
            now=time.time_ns(),
        )
        return envelopes.build(header=header, contents=contents, signers=signers or self.signers())

    async def send(self, *batch: bytes, keep: bool = True) -> Sent:
        """Submit envelopes and verify each receipt; see `Outbox.send`."""
        sent = await self._outbox.send(*batch, keep=keep)
        for data, verified in zip(batch, sent.verified, strict=True):
            if verified.header.kind in _FOLLOWED:
                self._follow(data, verified)
        for message in sent.messages:
            for contact in message.duty_contacts:
                self.memory.casework.contacts[contact.agency] = contact.duty_contact
        return sent

    def _follow(self, data: bytes, verified: VerifiedReceipt) -> None:
        """Follow the procedures that a message of its own is part of, where it was admitted."""
        envelope = envelopes.open_envelope(data)
        outcomes = {
            item.agency: item.outcome
            for item in verified.recipients
            if item.outcome is not None
            and item.outcome.decision.disposition != decision_pb2.DISPOSITION_REFUSED
        }
        self.memory.casework.sent(
            Seen(
                envelope=envelope,
                contents=envelopes.check_parts(envelope, allow_absent=False),
                outcomes=outcomes,
                index=verified.index,
                entry_time=verified.entry_time,
            )
        )

    @property
    def operation(self) -> common_pb2.MessageReference | None:
        """The joint operation that it takes part in; None before it is founded."""
        return self.memory.casework.operation

    # Receiving

    async def _listen(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                async for event in self.client.events():
                    if isinstance(event, exchange_service_pb2.Delivery):
                        self._queue.put_nowait(event)
                    else:
                        await self._remind(event)
            except RogatoryError as error:
                await self._fail(error)

    async def _remind(self, notice: exchange_service_pb2.DeadlineNotice) -> None:
        request = notice.request
        if notice.state == deadline_pb2.DUE_STATE_OVERDUE:
            async with self._moved:
                self._overdue.add((request.sender, request.message_id, notice.asked_agency))
                self._moved.notify_all()

    async def overdue(self, request: Key) -> None:
        """Wait until the gateway says of a request that something is overdue.

        Raises:
            TimeoutError: It does not.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS), self._moved:
            await self._moved.wait_for(lambda: self._fault is not None or request in self._overdue)
        if self._fault is not None:
            raise self._fault

    async def _work(self) -> None:
        try:
            while True:
                batch = [await self._queue.get()]
                while len(batch) < _RECEIPTS_TOGETHER and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                await self._take(batch)
        except RogatoryError as error:
            await self._fail(error)

    async def _take(self, batch: Sequence[exchange_service_pb2.Delivery]) -> None:
        receipts = []
        for delivery in batch:
            verified = verify_delivery(
                delivery,
                recipient=self.agency,
                ring=self.policy.ring,
                agreements=self.policy.agreements,
                audience=self.policy.log_keys[0].name,
            )
            self.checks.signatures += len(verified.signers)
            if not verified.rechecked:
                raise DeliveryError(
                    f"The decision on message {verified.header.message_id} could not be made again",
                    hint="Fetch the agreement it rests on.",
                )
            self.checks.decisions += 1
            self._seen[verified.index] = leaf_hash(delivery.entry)
            records = self.memory.take(verified)
            self._take_originals(verified)
            if _is_acknowledged(verified.header):
                receipts.append(self._receipt(verified, records))
            if corrections.is_asked(verified.header):
                receipts.append(self._confirmation(verified))
            if recalls.is_asked(verified.header):
                receipts.append(self._erasure(verified))
            # Others wait for this process's turn: thousands of messages may be under way.
            await asyncio.sleep(0)
        if receipts:
            await self.send(*receipts, keep=False)
        self._progress(self.memory.progress())
        async with self._moved:
            self._done = batch[-1].inbox_position
            self._moved.notify_all()

    def _receipt(self, received: VerifiedDelivery, records: int) -> bytes:
        reference = received.envelope.reference
        draft = Draft(
            kind=codes_pb2.KIND_RECEIPT,
            purpose=codes_pb2.PURPOSE_ADMINISTRATION,
            recipients=[recipient(reference.sender, "base", "Base Art. 2")],
            in_reply_to=reference,
            particulars=envelope_pb2.SubjectParticulars(message=reference),
        )
        word = content.acknowledgement(
            reference, agency=self.agency, officer="duty", records=records, now=time.time_ns()
        )
        return self.build(draft, word, signers=[self._duty])

    def _confirmation(self, received: VerifiedDelivery) -> bytes:
        draft, word = corrections.confirm(received.envelope.reference, agency=self.agency)
        return self.build(draft, word, signers=[self._duty])

    def _erasure(self, received: VerifiedDelivery) -> bytes:
        """Erase what is taken back, then return an officer's word that it is done."""
        subject = received.header.subject.message
        self.memory.erase(subject)
        draft, word = recalls.confirm(
            received.envelope.reference,
            subject,
            agency=self.agency,
            informed=self.passed_on_to,
            now=time.time_ns(),
        )
        return self.build(draft, word, signers=[self._duty])

    def _take_originals(self, received: VerifiedDelivery) -> None:
        """Verify messages passed on as their authors signed them, and hold them too.

        Keys are judged by the time at which the copy was entered: the original's is in no message.
        """
        for part in received.contents:
            if not isinstance(part, envelope_pb2.Envelope):
                continue
            original = envelopes.open_envelope(part.SerializeToString(deterministic=True))
            assert original.reference in received.header.forwards
            signers = envelopes.verify_signatures(
                original, self.policy.ring, entry_time=received.entry_time
            )
            self.checks.signatures += len(signers)
            contents = envelopes.check_parts(original, allow_absent=True)
            self.memory.take_original(original, contents)

    @property
    def _duty(self) -> SignerInRole:
        return self._officers["duty"], codes_pb2.KEY_ROLE_OFFICER

    async def _fail(self, error: BaseException) -> None:
        async with self._moved:
            self._fault = error
            self._moved.notify_all()

    async def settle(self, position: int) -> dict[str, int]:
        """Wait until the inbox is read and acknowledged up to a position.

        Returns:
            The last inbox position that each agency got a message of this one at.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS), self._moved:
            await self._moved.wait_for(lambda: self._fault is not None or self._done >= position)
        if self._fault is not None:
            raise self._fault
        return self._outbox.positions

    # The end

    async def finish(self) -> SignedCheckpoint:
        """Check the whole log's tree, and that every entry seen is where it was said to be."""
        if self._fault is not None:
            raise self._fault
        checkpoint = await self.client.checkpoint()
        self.checks.proofs += 1
        size = checkpoint.checkpoint.size
        hashes = b"".join(
            [
                await self.client.tile(
                    level=0, number=number, width=min(_TILE_WIDTH, size - number * _TILE_WIDTH)
                )
                for number in range(-(-size // _TILE_WIDTH))
            ]
        )
        leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        if root_of(leaves) != checkpoint.checkpoint.root:
            raise ReceiptError(
                "The log's tiles do not lead to its checkpoint", hint="Show both to the auditors."
            )
        seen = self._seen | self._outbox.seen
        for index, leaf in seen.items():
            if leaves[index] != leaf:
                raise ReceiptError(
                    f"Log entry {index} is another than the one received",
                    hint="Show both to the auditors.",
                )
        self.checks.proofs += len(seen)
        return checkpoint
