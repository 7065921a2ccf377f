"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from google.protobuf.message import Message

from rogatory import envelopes
from rogatory.audit.v1 import audit_service_pb2
from rogatory.checkpoints import SignedCheckpoint
from rogatory.client import calls, faults, logview
from rogatory.client.drafts import Draft
from rogatory.client.homes import Passphrase, belongings
from rogatory.client.inbox import Event, InboxPosition
from rogatory.client.procedures import BlockingProcedures
from rogatory.client.results import Submitted
from rogatory.client.retry import RetryPolicy
from rogatory.client.settings import Settings, SignerInRole
from rogatory.client.transport import TlsCredentials, open_channel
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


class Client(BlockingProcedures):
    """One agency's connection to a gateway. Safe to use from several threads.

    Use it as a context manager. Each call raises `rogatory.errors.CallError` (a subclass for each
    status) where the answer is not OK; UNAVAILABLE, and RESOURCE_EXHAUSTED where the gateway says
    when to come back, are retried first, with the same bytes.

    Whoever retries beyond that submits the same bytes as well: ``error.envelope`` of what `send`
    raised, or what `build` made and the caller kept::

        data = client.build(draft, contents=contents)
        submitted = client.submit(data)  # as often as it takes; entered once
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
        channel: grpc.Channel | None = None,
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
            open_channel(target, self._settings.need(tls)) if channel is None else channel
        )
        self._methods: dict[str, Callable[..., Any]] = {}

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Calls under way end with `Cancelled`, and so does every later one.

        A channel of the caller's stays open: calls under way are answered, and a subscription ends
        with the next item.
        """
        self._closed = True
        if self._own_channel:
            self._channel.close()

    # Exchange

    def submit(self, envelope: bytes) -> Submitted:
        """Submit a serialised envelope; return its outcomes and receipt, refusals included.

        The same bytes again get the original outcomes, with ``repeated`` set: nothing is entered
        twice.

        Raises:
            InvalidMessage: Longer than 1 MiB (TOO_LARGE; nothing was sent), or not what the
                gateway takes.
            CallError: The gateway did not decide, or did not answer; ``envelope`` is what was sent.
        """
        return self._run(calls.submit(envelope))

    def send(
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
        submitted = self._run(calls.submit(data, message_id=message_id))
        submitted.raise_if_refused()
        return submitted

    def submit_batch(self, batch: Sequence[bytes]) -> list[Submitted | CallError]:
        """Submit up to 256 envelopes, 4 MiB together; one result each, in order.

        A message of which nothing was decided has its error in its place. An error of the whole
        call has the batch as ``envelopes``.

        Raises:
            InvalidMessage: No message or too many (BATCH_SIZE), or too long together (TOO_LARGE);
                nothing was sent.
            CallError: The gateway did not answer.
        """
        return self._run(calls.submit_batch(batch))

    def subscribe(
        self, *, start_cursor: int = 0, exercise: bool = False, follow: bool = True
    ) -> Iterator[exchange_service_pb2.Delivery]:
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
        with closing(self._events(position, follow=follow)) as events:
            for event in events:
                if isinstance(event, exchange_service_pb2.Delivery):
                    yield event

    def advance_cursor(self, inbox_position: int, *, exercise: bool = False) -> int:
        """Record that everything up to a position is held durably; return what is recorded."""
        return self._run(calls.advance_cursor(inbox_position, exercise=exercise))

    def get_message(self, sender: str, message_id: str) -> exchange_service_pb2.Delivery:
        """Return one message that the caller sent or received."""
        return self._run(calls.get_message(sender, message_id))

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
    ) -> Iterator[exchange_service_pb2.MessageSummary]:
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

    def get_receipt(self, sender: str, message_id: str) -> Receipt:
        """Return a message's receipt against the latest checkpoint, with what cosigned it."""
        return self._run(calls.get_receipt(sender, message_id))

    # Directory and agreements

    def agencies(self, *, page_size: int = 100) -> Iterator[directory_service_pb2.DirectoryEntry]:
        """Yield all enrolled agencies."""
        return self._pages(calls.list_agencies(page_size))

    def agency(self, agency_id: str) -> directory_service_pb2.DirectoryEntry:
        """Return one agency with every key statement it made."""
        return self._run(calls.get_agency(agency_id))

    def agreements(
        self, *, in_force: bool = False, page_size: int = 50
    ) -> Iterator[agreement_service_pb2.AgreementRecord]:
        """Yield the agreements that the caller is a party to, every version."""
        return self._pages(calls.list_agreements(in_force=in_force, page_size=page_size))

    def agreement(
        self, agreement_id: str, version: int = 0
    ) -> agreement_service_pb2.AgreementRecord:
        """Return a version of an agreement; 0: the one in force."""
        return self._run(calls.get_agreement(agreement_id, version))

    def evaluate(self, header: bytes) -> tuple[decision_pb2.Outcome, ...]:
        """Return what would become of a message with this header now; nothing is stored."""
        return self._run(calls.evaluate(header))

    def evaluate_draft(
        self,
        draft: Draft,
        *,
        contents: Sequence[Message] = (),
        signers: Sequence[SignerInRole] = (),
    ) -> tuple[decision_pb2.Outcome, ...]:
        """Return what would become of a message that `send` would make; no record leaves."""
        data = self.build(draft, contents=contents, signers=signers)
        return self.evaluate(envelopes.open_envelope(data).header_bytes)

    # The log

    def entries(
        self, request: audit_service_pb2.ListEntriesRequest | None = None
    ) -> Iterator[audit_service_pb2.ListedEntry]:
        """Yield the log entries that match a filter and that the caller may see."""
        asked = request if request is not None else audit_service_pb2.ListEntriesRequest()
        return self._pages(calls.list_entries(asked))

    def checkpoint(self) -> SignedCheckpoint:
        """Return the log's latest checkpoint, verified, and consistent with the last one seen.

        Raises:
            NoteError: No known key of the log signed it.
            ProofError: The log was rewritten since the last checkpoint, or became shorter.
            ConfigurationError: The client was made without ``log_keys``.
        """
        self.log.need_keys()
        since = self.log.last
        size = since.checkpoint.size if since is not None else 0
        return self.log.take(self._run(calls.get_checkpoint(size)), since=since)

    def tile(self, *, level: int, number: int, width: int = 256) -> bytes:
        """Return a hash tile of the log: 32 bytes for each of ``width`` hashes."""
        return self._run(calls.get_tile(level, number, width))

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

    def _run(self, call: calls.Call[T]) -> T:
        return self._persist(lambda: self._once(call))

    def _persist(self, attempt: Callable[[], R]) -> R:
        """Try, and after a failure that may pass try again as the policy says."""
        try:
            return attempt()
        except CallError as error:
            if not faults.is_retryable(error):
                raise
            failed = [error]

        def again() -> R:
            # The try that failed above is the first of the policy's tries. Most calls never come
            # here, which spares them the machinery.
            if failed:
                raise failed.pop()
            return attempt()

        result: R = self._settings.retry.blocking()(again)
        return result

    def _once(self, call: calls.Call[T]) -> T:
        method = self._methods.get(call.method)
        if method is None:
            method = self._methods[call.method] = self._channel.unary_unary(
                call.method,
                request_serializer=type(call.request).SerializeToString,
                response_deserializer=call.response_type.FromString,
            )
        with self._typed(message_id=call.message_id, envelopes=call.envelopes):
            response = method(call.request, timeout=self._settings.deadline)
        return call.result(response)

    @contextmanager
    def _typed(self, *, message_id: str = "", envelopes: Sequence[bytes] = ()) -> Iterator[None]:
        """Let gRPC be called while the client is open; raise what it raises as typed errors."""
        if self._closed:
            raise faults.closed(message_id=message_id, envelopes=envelopes)
        try:
            yield
        except grpc.RpcError as error:
            if self._closed and error.code() is grpc.StatusCode.CANCELLED:
                raise faults.closed(message_id=message_id, envelopes=envelopes) from error
            raise faults.of_rpc(error, message_id=message_id, envelopes=envelopes) from error
        except ValueError as error:
            # gRPC's word for a channel that somebody else closed, or a moment ago.
            raise faults.closed(message_id=message_id, envelopes=envelopes) from error

    def _pages(self, page_call: calls.PageCall[T]) -> Iterator[T]:
        token = ""
        while True:
            page = self._run(page_call(token))
            yield from page.items
            token = page.next_token
            if not token:
                return

    def _events(self, position: InboxPosition, *, follow: bool) -> Generator[Event, None, None]:
        stream: Generator[exchange_service_pb2.SubscribeResponse, None, None] | None = None

        def advance() -> exchange_service_pb2.SubscribeResponse:
            nonlocal stream
            if self._closed:
                raise faults.closed()
            if stream is None:
                stream = self._stream(position.request())
            try:
                return next(stream)
            except StopIteration:
                stream = None
                raise faults.stream_ended() from None
            except CallError:
                stream = None
                raise

        try:
            while True:
                # Failures in a row count, and an item that came begins a new row.
                response = self._persist(advance)
                event = position.take(response)
                if event is not None:
                    yield event
                elif not follow and response.WhichOneof("item") == "keep_alive":
                    return
        finally:
            if stream is not None:
                stream.close()

    def _stream(
        self, request: exchange_service_pb2.SubscribeRequest
    ) -> Generator[exchange_service_pb2.SubscribeResponse, None, None]:
        method = self._channel.unary_stream(
            calls.SUBSCRIBE,
            request_serializer=exchange_service_pb2.SubscribeRequest.SerializeToString,
            response_deserializer=exchange_service_pb2.SubscribeResponse.FromString,
        )
        with self._typed():
            stream = method(request)
            try:
                yield from stream
            finally:
                stream.cancel()
