"""ExchangeService: submitting, receiving, fetching."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from rogatory import envelopes
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import (
    codes_pb2,
    decision_pb2,
    exchange_service_pb2,
    exchange_service_pb2_grpc,
)
from rogatory_gateway import errors
from rogatory_gateway.admission.admission import Candidate
from rogatory_gateway.delivery.deadlines import Notifier
from rogatory_gateway.delivery.listing import list_messages
from rogatory_gateway.delivery.publishing import tree_at
from rogatory_gateway.delivery.reader import delivery, inbox_deliveries, opening
from rogatory_gateway.ledger import reading
from rogatory_gateway.ledger.items import AdvanceItem, MessageItem, RejectionItem
from rogatory_gateway.services.calls import handler, page_size, page_start, page_token
from rogatory_gateway.services.contacts import duty_contact

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rogatory_gateway.admission.committer import Entered
    from rogatory_gateway.admission.identify import Caller
    from rogatory_gateway.errors import ServicerContext
    from rogatory_gateway.ledger.items import Item, OutcomeRow
    from rogatory_gateway.services.context import Context

_MOST_MESSAGES = 100


class ExchangeService(exchange_service_pb2_grpc.ExchangeServiceServicer):
    """The exchange."""

    def __init__(self, context: Context) -> None:
        self._gateway = context
        self._streams: Counter[str] = Counter()

    @handler
    async def Submit(
        self,
        request: exchange_service_pb2.SubmitRequest,
        context: ServicerContext,
    ) -> exchange_service_pb2.SubmitResponse:
        """Submit one message."""
        caller = self._gateway.identifier.identify(context)
        candidate = Candidate(data=request.envelope, caller=caller)
        entered = await self._gateway.committer.enter([candidate], size=len(candidate.data))
        response = exchange_service_pb2.SubmitResponse(checkpoint=entered.checkpoint)
        await self._fill(response.submission, entered.items[0], entered)
        return response

    @handler
    async def SubmitBatch(
        self,
        request: exchange_service_pb2.SubmitBatchRequest,
        context: ServicerContext,
    ) -> exchange_service_pb2.SubmitBatchResponse:
        """Submit several messages, each by itself."""
        caller = self._gateway.identifier.identify(context)
        batch = request.envelopes
        limits = self._gateway.limits
        size = envelopes.check_batch(batch, messages=limits.batch_messages, size=limits.batch_bytes)
        entered = await self._gateway.committer.enter(
            [Candidate(data=data, caller=caller) for data in batch], size=size
        )
        response = exchange_service_pb2.SubmitBatchResponse(checkpoint=entered.checkpoint)
        for item in entered.items:
            result = response.results.add()
            try:
                await self._fill(result.submission, item, entered)
            except EnvelopeError as error:
                result.error.CopyFrom(errors.to_status(error))
        return response

    async def _fill(
        self, submission: exchange_service_pb2.Submission, item: Item, entered: Entered
    ) -> None:
        """Write what became of an item where it belongs: putting messages together copies them.

        Raises:
            EnvelopeError: why nothing was decided; then nothing was written either.
        """
        if isinstance(item, RejectionItem):
            raise item.error
        assert isinstance(item, MessageItem)
        if item.error is not None:
            raise item.error
        appended = entered.appended
        if item.index >= appended.first:
            proof = appended.proofs[item.index - appended.first]
        else:
            proof = await self._gateway.reader.run(
                lambda connection: tree_at(connection, appended.size).inclusion_proof(item.index)
            )
        header = item.opened.header
        submission.message_id = header.message_id
        for row in item.outcomes:
            submission.outcomes.add(
                recipient_index=row.position, salt=row.salt, outcome=row.outcome
            )
        receipt = submission.receipt
        receipt.entry, receipt.index = item.entry, item.index
        receipt.proof.extend(proof)
        submission.repeated_submission = item.repeated
        if header.kind == codes_pb2.KIND_REQUEST and header.urgency >= codes_pb2.URGENCY_URGENT:
            self._tell_duty_contacts(submission, item)

    def _tell_duty_contacts(
        self, submission: exchange_service_pb2.Submission, item: MessageItem
    ) -> None:
        """Say where those who got an urgent request can be reached now."""
        registry = self._gateway.registry()
        for row in item.outcomes:
            if row.disposition != decision_pb2.DISPOSITION_REFUSED:
                contact = duty_contact(registry, row.recipient)
                if contact is not None:
                    submission.duty_contacts.append(contact)

    @handler
    async def Subscribe(  # type: ignore[override]  # gRPC takes a coroutine that writes as well
        self,
        request: exchange_service_pb2.SubscribeRequest,
        context: ServicerContext,
    ) -> None:
        """Stream the caller's inbox, and deadlines where it wants them."""
        gateway = self._gateway
        caller = gateway.identifier.identify(context)
        self._count_stream(caller.agency, context)
        exercise = request.exercise
        last, cursor = await gateway.reader.run(
            lambda connection: reading.inbox_state(
                connection, agency=caller.agency, exercise=exercise
            )
        )
        position = request.start_cursor or cursor + 1
        if position > last + 1:
            raise errors.token_invalid("start_cursor")
        notifier = Notifier(caller.agency, exercise=exercise) if request.deadlines else None
        with gateway.hub.listen(caller.agency, exercise=exercise) as grown:
            caught_up = False
            while True:
                grown.clear()
                gateway.check_running()
                gateway.identifier.check(caller)
                start = position
                more = notifier is not None and await self._tell_deadlines(
                    context, caller, notifier, position
                )
                page = await gateway.reader.run(
                    lambda connection: inbox_deliveries(
                        connection,
                        agency=caller.agency,
                        exercise=exercise,
                        start=start,  # noqa: B023 - run before the next turn of the loop
                        limit=gateway.limits.subscriber_buffer,
                    )
                )
                for message in page:
                    gateway.identifier.check(caller)
                    position = message.inbox_position + 1
                    await self._write(
                        context,
                        exchange_service_pb2.SubscribeResponse(cursor=position, delivery=message),
                    )
                if page:
                    caught_up = False
                    continue
                if more:
                    continue
                if caught_up:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(grown.wait(), gateway.limits.keep_alive_seconds)
                        continue
                # At once when there is nothing more, then on the timer: a caller who only wants
                # what has come so far knows that it has it all.
                caught_up = True
                await self._write(
                    context,
                    exchange_service_pb2.SubscribeResponse(
                        cursor=position,
                        keep_alive=exchange_service_pb2.KeepAlive(
                            checkpoint=gateway.publisher.checkpoint
                        ),
                    ),
                )

    async def _tell_deadlines(
        self, context: ServicerContext, caller: Caller, notifier: Notifier, position: int
    ) -> bool:
        """Tell a subscriber of deadlines; say whether there may be more to tell."""
        gateway = self._gateway
        now, limit = gateway.now(), gateway.limits.subscriber_buffer
        notices = await gateway.reader.run(
            lambda connection: notifier.next(connection, now=now, limit=limit)
        )
        for notice in notices:
            gateway.identifier.check(caller)
            await self._write(
                context, exchange_service_pb2.SubscribeResponse(cursor=position, deadline=notice)
            )
        return len(notices) == limit

    def _count_stream(self, agency: str, context: ServicerContext) -> None:
        """Count an agency's stream until its call has ended, not only until it was told to end.

        Raises:
            EnvelopeError: TOO_MANY_IN_FLIGHT: it has as many as it may.
        """
        most = self._gateway.limits.subscriptions_per_agency
        if self._streams[agency] >= most:
            raise errors.too_many_streams(most)
        self._streams[agency] += 1

        def forget(_: Any) -> None:  # noqa: ANN401 - the context, typed by gRPC
            self._streams[agency] -= 1
            if not self._streams[agency]:
                del self._streams[agency]

        context.add_done_callback(forget)  # type: ignore[arg-type]  # typed for its own class

    async def _write(
        self,
        context: ServicerContext,
        response: exchange_service_pb2.SubscribeResponse,
    ) -> None:
        """Write to a subscriber; give up on one who does not read, so that it holds no memory."""
        try:
            await asyncio.wait_for(context.write(response), self._gateway.limits.patience_seconds)
        except TimeoutError as error:
            raise EnvelopeError(
                f"nothing was read for {self._gateway.limits.patience_seconds:g} seconds",
                hint="Subscribe again at the cursor and read faster, or list the messages.",
                reason="SUBSCRIBER_TOO_SLOW",
            ) from error

    @handler
    async def AdvanceCursor(
        self,
        request: exchange_service_pb2.AdvanceCursorRequest,
        context: ServicerContext,
    ) -> exchange_service_pb2.AdvanceCursorResponse:
        """Record what the caller holds."""
        gateway = self._gateway
        caller = gateway.identifier.identify(context)
        last, cursor = await gateway.reader.run(
            lambda connection: reading.inbox_state(
                connection, agency=caller.agency, exercise=request.exercise
            )
        )
        if request.inbox_position > last:
            raise errors.token_invalid("inbox_position")
        if request.inbox_position <= cursor:
            return exchange_service_pb2.AdvanceCursorResponse(inbox_position=cursor)
        item = AdvanceItem(
            actor=caller.agency,
            certificate=caller.certificate,
            position=request.inbox_position,
            exercise=request.exercise,
        )
        await gateway.committer.enter([item])
        return exchange_service_pb2.AdvanceCursorResponse(inbox_position=item.position)

    @handler
    async def GetMessage(
        self,
        request: exchange_service_pb2.GetMessageRequest,
        context: ServicerContext,
    ) -> exchange_service_pb2.GetMessageResponse:
        """Return one message."""
        caller = self._gateway.identifier.identify(context)

        def read(connection: Connection) -> exchange_service_pb2.Delivery:
            found, rows = _visible(connection, request, caller)
            return delivery(connection, found, None if found.actor == caller.agency else rows[0])

        return exchange_service_pb2.GetMessageResponse(message=await self._gateway.reader.run(read))

    @handler
    async def ListMessages(
        self,
        request: exchange_service_pb2.ListMessagesRequest,
        context: ServicerContext,
    ) -> exchange_service_pb2.ListMessagesResponse:
        """List the caller's messages."""
        caller = self._gateway.identifier.identify(context)
        limit = page_size(request.page_size, _MOST_MESSAGES)
        after = page_start(request)
        messages, more = await self._gateway.reader.run(
            lambda connection: list_messages(
                connection, request, agency=caller.agency, after=after, limit=limit
            )
        )
        return exchange_service_pb2.ListMessagesResponse(
            messages=messages,
            next_page_token=page_token(request, messages[-1].index) if more else "",
        )

    @handler
    async def GetReceipt(
        self,
        request: exchange_service_pb2.GetReceiptRequest,
        context: ServicerContext,
    ) -> exchange_service_pb2.GetReceiptResponse:
        """Return the receipt of a message."""
        gateway = self._gateway
        caller = gateway.identifier.identify(context)
        found, rows = await gateway.reader.run(
            lambda connection: _visible(connection, request, caller)
        )
        if found.index >= gateway.publisher.size:
            # Durable, and its checkpoint not signed yet: wait for the group that is under way.
            await gateway.committer.enter([])
        size, checkpoint = gateway.publisher.size, gateway.publisher.checkpoint

        def read(connection: Connection) -> exchange_service_pb2.GetReceiptResponse:
            return exchange_service_pb2.GetReceiptResponse(
                receipt=exchange_service_pb2.Receipt(
                    entry=found.entry,
                    index=found.index,
                    proof=tree_at(connection, size).inclusion_proof(found.index),
                ),
                outcomes=[opening(row) for row in rows],
                checkpoint=checkpoint,
            )

        return await gateway.reader.run(read)


def _visible(
    connection: Connection,
    request: exchange_service_pb2.GetMessageRequest | exchange_service_pb2.GetReceiptRequest,
    caller: Caller,
) -> tuple[reading.Found, list[OutcomeRow]]:
    """Return a message and the outcomes that the caller may open.

    Raises:
        EnvelopeError: DENIED_OR_ABSENT.
    """
    found = reading.find_message(connection, sender=request.sender, message_id=request.message_id)
    if found is None:
        raise errors.denied_or_absent()
    rows = reading.outcomes_of(connection, found.index)
    if found.actor == caller.agency:
        return found, rows
    own = [
        row
        for row in rows
        if row.recipient == caller.agency and row.disposition != decision_pb2.DISPOSITION_REFUSED
    ]
    if not own:
        raise errors.denied_or_absent()
    return found, own
