"""The asyncio client: the same calls as the blocking one, awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from google.protobuf.message import Message
from grpc import aio

from rogatory import envelopes
from rogatory.audit.v1 import audit_service_pb2
from rogatory.checkpoints import SignedCheckpoint
from rogatory.client import calls, faults, logview
from rogatory.client.drafts import Draft
from rogatory.client.homes import Passphrase, belongings
from rogatory.client.inbox import Event, InboxPosition
from rogatory.client.procedures import AsyncProcedures
from rogatory.client.results import Submitted
from rogatory.client.retry import RetryPolicy
from rogatory.client.settings import Settings, SignerInRole
from rogatory.client.transport import TlsCredentials, open_aio_channel
from rogatory.errors import CallError
from rogatory.exchange.v1 import (
    agreement_service_pb2,
    codes_pb2,
    decision_pb2,
    directory_service_pb2,
    exchange_service_pb2,
)
from rogatory.notes import VerifierKey
from rogatory.receipts import Receipt

T = TypeVar("T")
R = TypeVar("R")


class AsyncClient(AsyncProcedures):
    """One agency's connection to a gateway. For tasks of one event loop.

    Use it as a context manager. Each call raises `rogatory.errors.CallError` (a subclass for each
    status) where the answer is not OK; UNAVAILABLE, and RESOURCE_EXHAUSTED where the gateway says
    when to come back, are retried first, with the same bytes.

    Whoever retries beyond that submits the same bytes as well: ``error.envelope`` of what `send`
    raised, or what `build` made and the caller kept::

        data = client.build(draft, contents=contents)
        submitted = await client.submit(data)  # as often as it takes; entered once
    """

    def __init__(
        self,
        *,
        target: str,
        agency: str,
        audience: str,
        tls: TlsCredentials | None = None,
        signers: Sequence[SignerInRole] = (),
        log_keys: Iterable[VerifierKey] = (),
        last_checkpoint: SignedCheckpoint | None = None,
        retry: RetryPolicy | None = None,
        deadline: float = 30.0,
        channel: aio.Channel | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """Make a client; it connects with the first call.

        Args:
            target: The gateway's address, ``host:port``.
            agency: The caller's agency id.
            audience: The gateway's origin, which every header names.
            tls: Client certificate, key and CA; needed unless a channel is given.
            signers: Keys that sign what `send` makes, each with the role it signs in.
            log_keys: Verifier keys of the log, for `checkpoint`.
            last_checkpoint: What an earlier client saw last, for `checkpoint`.
            retry: Bounds of retrying.
            deadline: Seconds that each try of a call may take; a subscription has none.
            channel: Used instead of one to ``target``, and not closed with the client. Open it with
                `transport.CHANNEL_OPTIONS`: gRPC's own limit of 4 MiB loses long answers.
            now: The sender's clock, nanoseconds since the Unix epoch.

        Raises:
            ConfigurationError: neither ``tls`` nor ``channel`` is given.
        """
        self._settings = Settings(
            target=target,
            agency=agency,
            audience=audience,
            signers=tuple(signers),
            retry=retry if retry is not None else RetryPolicy(),
            deadline=deadline,
            now=now,
        )
        self.log = logview.LogView(log_keys, last_checkpoint)
        self._closed = False
        self._own_channel = channel is None
        self._channel = (
            open_aio_channel(target, self._settings.need(tls)) if channel is None else channel
        )
        self._methods: dict[str, aio.UnaryUnaryMultiCallable[Any, Any]] = {}

    @classmethod
    def from_home(
        cls,
        path: Path | str | None = None,
        *,
        officers: Sequence[str] = (),
        signers: Sequence[SignerInRole] | None = None,
        passphrase: Passphrase | None = None,
        last_checkpoint: SignedCheckpoint | None = None,
        retry: RetryPolicy | None = None,
        deadline: float = 30.0,
    ) -> Self:
        """Make a client from an agency's folder, as the command line keeps it.

        Args:
            path: The folder; by default ``ROGATORY_HOME``, else ``~/.config/rogatory``.
            officers: Pseudonyms of officers whose keys sign too.
            signers: Who signs instead of the folder's signing key and those officers.
            passphrase: Asked for each key file; needed where one has a passphrase.
            last_checkpoint: As for the constructor, and so the rest.
            retry: Bounds of retrying.
            deadline: Seconds that each try of a call may take.

        Raises:
            ConfigurationError: The agency is not enrolled, or a file is missing.
            KeyFileError: A key file is missing or cannot be used.
        """
        found = belongings(path, officers=officers, signers=signers, passphrase=passphrase)
        return cls(
            target=found.target,
            agency=found.agency,
            audience=found.audience,
            tls=found.tls,
            signers=found.signers,
            log_keys=found.log_keys,
            last_checkpoint=last_checkpoint,
            retry=retry,
            deadline=deadline,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls under way end with `Cancelled`, and so does every later one.

        A channel of the caller's stays open: calls under way are answered, and a subscription ends
        with the next item.
        """
        self._closed = True
        if self._own_channel:
            await self._channel.close()

    # Exchange

    async def submit(self, envelope: bytes) -> Submitted:
        """Submit a serialised envelope; return its outcomes and receipt, refusals included.

        The same bytes again get the original outcomes, with ``repeated`` set: nothing is entered
        twice.

        Raises:
            InvalidMessage: Longer than 1 MiB (TOO_LARGE; nothing was sent), or not what the
                gateway takes.
            CallError: The gateway did not decide, or did not answer; ``envelope`` is what was sent.
        """
        return await self._run(calls.submit(envelope))

    async def send(
        self,
        draft: Draft,
        *,
        contents: Sequence[Message] = (),
        message_id: str = "",
        signers: Sequence[SignerInRole] = (),
    ) -> Submitted:
        """Build, sign and submit a message.

        Each call makes another message, with a time and salts of its own, whatever ``message_id``
        says: where a call failed and may have been admitted all the same (`DeadlineExceeded`,
        `Unavailable`, `Cancelled`), give ``error.envelope`` to `submit`.

        Args:
            draft: What the header says.
            contents: Messages of the parts, one each, such as ``rogatory.records.v1.Indicators``.
            message_id: A UUIDv7; by default a new one. One that was admitted before is a
                `Conflict`.
            signers: Other signers than the client's.

        Raises:
            Refused: No recipient was permitted.
            EnvelopeError: Header or parts break the schema's rules; nothing was sent.
            ConfigurationError: There is no signer.
            CallError: The gateway did not decide, or did not answer; ``envelope`` is what was sent.
        """
        message_id = message_id or self.new_message_id()
        data = self.build(draft, contents=contents, message_id=message_id, signers=signers)
        submitted = await self._run(calls.submit(data, message_id=message_id))
        submitted.raise_if_refused()
        return submitted

    async def submit_batch(self, batch: Sequence[bytes]) -> list[Submitted | CallError]:
        """Submit up to 256 envelopes, 4 MiB together; one result each, in order.

        A message of which nothing was decided has its error in its place. An error of the whole
        call has the batch as ``envelopes``.

        Raises:
            InvalidMessage: No message or too many (BATCH_SIZE), or too long together (TOO_LARGE);
                nothing was sent.
            CallError: The gateway did not answer.
        """
        return await self._run(calls.submit_batch(batch))

    async def subscribe(
        self, *, start_cursor: int = 0, exercise: bool = False, follow: bool = True
    ) -> AsyncIterator[exchange_service_pb2.Delivery]:
        """Yield the inbox in order, each position once, and then what arrives.

        A broken connection is taken up again at the next position. Advance the cursor yourself,
        once what was yielded is stored.

        Args:
            start_cursor: First position, from 1; 0: after the cursor recorded at the gateway.
            exercise: Training traffic instead of live records.
            follow: False ends the iterator when everything there is was yielded.

        Raises:
            InboxGap: A position was skipped.
            CallError: The gateway refused, or stayed away for all tries in a row.
        """
        position = InboxPosition(start_cursor, exercise=exercise)
        async with aclosing(self._events(position, follow=follow)) as events:
            async for event in events:
                if isinstance(event, exchange_service_pb2.Delivery):
                    yield event

    async def advance_cursor(self, inbox_position: int, *, exercise: bool = False) -> int:
        """Record that everything up to a position is held durably; return what is recorded."""
        return await self._run(calls.advance_cursor(inbox_position, exercise=exercise))

    async def get_message(self, sender: str, message_id: str) -> exchange_service_pb2.Delivery:
        """Return one message that the caller sent or received."""
        return await self._run(calls.get_message(sender, message_id))

    def list_messages(
        self,
        *,
        box: exchange_service_pb2.MessageBox.ValueType = (
            exchange_service_pb2.MESSAGE_BOX_UNSPECIFIED
        ),
        kind: codes_pb2.Kind.ValueType = codes_pb2.KIND_UNSPECIFIED,
        counterpart: str = "",
        thread: str = "",
        full: bool = False,
        exercise: bool = False,
        page_size: int = 100,
    ) -> AsyncIterator[exchange_service_pb2.MessageSummary]:
        """Yield messages sent or received, in order of entry, fetching pages as needed."""
        return self._pages(
            calls.list_messages(
                box=box,
                kind=kind,
                counterpart=counterpart,
                thread=thread,
                full=full,
                exercise=exercise,
                page_size=page_size,
            )
        )

    async def get_receipt(self, sender: str, message_id: str) -> Receipt:
        """Return a message's receipt against the latest checkpoint, with what cosigned it."""
        return await self._run(calls.get_receipt(sender, message_id))

    # Directory and agreements

    def agencies(
        self, *, page_size: int = 100
    ) -> AsyncIterator[directory_service_pb2.DirectoryEntry]:
        """Yield all enrolled agencies."""
        return self._pages(calls.list_agencies(page_size))

    async def agency(self, agency_id: str) -> directory_service_pb2.DirectoryEntry:
        """Return one agency with every key statement it made."""
        return await self._run(calls.get_agency(agency_id))

    def agreements(
        self, *, in_force: bool = False, page_size: int = 50
    ) -> AsyncIterator[agreement_service_pb2.AgreementRecord]:
        """Yield the agreements that the caller is a party to, every version."""
        return self._pages(calls.list_agreements(in_force=in_force, page_size=page_size))

    async def agreement(
        self, agreement_id: str, version: int = 0
    ) -> agreement_service_pb2.AgreementRecord:
        """Return a version of an agreement; 0: the one in force."""
        return await self._run(calls.get_agreement(agreement_id, version))

    async def evaluate(self, header: bytes) -> tuple[decision_pb2.Outcome, ...]:
        """Return what would become of a message with this header now; nothing is stored."""
        return await self._run(calls.evaluate(header))

    async def evaluate_draft(
        self,
        draft: Draft,
        *,
        contents: Sequence[Message] = (),
        signers: Sequence[SignerInRole] = (),
    ) -> tuple[decision_pb2.Outcome, ...]:
        """Return what would become of a message that `send` would make; no record leaves."""
        data = self.build(draft, contents=contents, signers=signers)
        return await self.evaluate(envelopes.open_envelope(data).header_bytes)

    # The log

    def entries(
        self, request: audit_service_pb2.ListEntriesRequest | None = None
    ) -> AsyncIterator[audit_service_pb2.ListedEntry]:
        """Yield the log entries that match a filter and that the caller may see."""
        asked = request if request is not None else audit_service_pb2.ListEntriesRequest()
        return self._pages(calls.list_entries(asked))

    async def checkpoint(self) -> SignedCheckpoint:
        """Return the log's latest checkpoint, verified, and consistent with the last one seen.

        Raises:
            NoteError: No known key of the log signed it.
            ProofError: The log was rewritten since the last checkpoint, or became shorter.
            ConfigurationError: The client was made without ``log_keys``.
        """
        self.log.need_keys()
        since = self.log.last
        size = since.checkpoint.size if since is not None else 0
        return self.log.take(await self._run(calls.get_checkpoint(size)), since=since)

    async def tile(self, *, level: int, number: int, width: int = 256) -> bytes:
        """Return a hash tile of the log: 32 bytes for each of ``width`` hashes."""
        return await self._run(calls.get_tile(level, number, width))

    def build(
        self,
        draft: Draft,
        *,
        contents: Sequence[Message] = (),
        message_id: str = "",
        signers: Sequence[SignerInRole] = (),
    ) -> bytes:
        """Return the signed envelope that `send` would submit; arguments as there.

        Keep it until `submit` has answered, and it can be submitted again after any failure, a
        crash of the caller's included.

        Raises:
            EnvelopeError: Header or parts break the schema's rules.
            ConfigurationError: There is no signer.
        """
        return self._settings.envelope(
            draft, contents, message_id or self.new_message_id(), signers
        )

    def new_message_id(self) -> str:
        """Return a fresh UUIDv7, for a caller that has to know the id before it sends."""
        return self._settings.new_message_id()

    # How it waits

    async def _run(self, call: calls.Call[T]) -> T:
        return await self._persist(lambda: self._once(call))

    async def _persist(self, attempt: Callable[[], Awaitable[R]]) -> R:
        """Try, and after a failure that may pass try again as the policy says."""
        try:
            return await attempt()
        except CallError as error:
            if not faults.is_retryable(error):
                raise
            failed = [error]

        async def again() -> R:
            # The try that failed above is the first of the policy's tries. Most calls never come
            # here, which spares them the machinery.
            if failed:
                raise failed.pop()
            return await attempt()

        result: R = await self._settings.retry.asynchronous()(again)
        return result

    async def _once(self, call: calls.Call[T]) -> T:
        method = self._methods.get(call.method)
        if method is None:
            method = self._methods[call.method] = self._channel.unary_unary(
                call.method,
                request_serializer=type(call.request).SerializeToString,
                response_deserializer=call.response_type.FromString,
            )
        with self._typed(message_id=call.message_id, envelopes=call.envelopes):
            response = await method(call.request, timeout=self._settings.deadline)
        return call.result(response)

    @contextmanager
    def _typed(self, *, message_id: str = "", envelopes: Sequence[bytes] = ()) -> Iterator[None]:
        """Let gRPC be called while the client is open; raise what it raises as typed errors."""
        if self._closed:
            raise faults.closed(message_id=message_id, envelopes=envelopes)
        try:
            yield
        except aio.AioRpcError as error:
            raise faults.of_rpc(error, message_id=message_id, envelopes=envelopes) from error
        except aio.UsageError as error:
            # gRPC's word for a channel that somebody else closed, or a moment ago.
            raise faults.closed(message_id=message_id, envelopes=envelopes) from error
        except asyncio.CancelledError:
            # gRPC cancels the calls of a channel that is closed, and raises that as if their tasks
            # had been. What is meant for the task goes on to it.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise faults.closed(message_id=message_id, envelopes=envelopes) from None

    async def _pages(self, page_call: calls.PageCall[T]) -> AsyncIterator[T]:
        token = ""
        while True:
            page = await self._run(page_call(token))
            for item in page.items:
                yield item
            token = page.next_token
            if not token:
                return

    async def _events(
        self, position: InboxPosition, *, follow: bool
    ) -> AsyncGenerator[Event, None]:
        stream: AsyncGenerator[exchange_service_pb2.SubscribeResponse, None] | None = None

        async def advance() -> exchange_service_pb2.SubscribeResponse:
            nonlocal stream
            if self._closed:
                raise faults.closed()
            if stream is None:
                stream = self._stream(position.request())
            try:
                return await anext(stream)
            except StopAsyncIteration:
                stream = None
                raise faults.stream_ended() from None
            except CallError:
                stream = None
                raise

        try:
            while True:
                # Failures in a row count, and an item that came begins a new row.
                response = await self._persist(advance)
                event = position.take(response)
                if event is not None:
                    yield event
                elif not follow and response.WhichOneof("item") == "keep_alive":
                    return
        finally:
            if stream is not None:
                await stream.aclose()

    async def _stream(
        self, request: exchange_service_pb2.SubscribeRequest
    ) -> AsyncGenerator[exchange_service_pb2.SubscribeResponse, None]:
        method = self._channel.unary_stream(
            calls.SUBSCRIBE,
            request_serializer=exchange_service_pb2.SubscribeRequest.SerializeToString,
            response_deserializer=exchange_service_pb2.SubscribeResponse.FromString,
        )
        with self._typed():
            stream = method(request)
            try:
                async for response in stream:
                    yield response
            finally:
                stream.cancel()
