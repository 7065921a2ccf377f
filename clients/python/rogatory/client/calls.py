"""Every call of the contract as plain data: what is asked, and how its answer is read.

The two clients differ only in how they wait. What they ask and what they make of an answer stands
here once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from rogatory.audit.v1 import audit_service_pb2
from rogatory.client import faults
from rogatory.client.results import Submitted
from rogatory.envelopes import MAX_ENVELOPE_BYTES, check_batch, too_large
from rogatory.errors import CallError, EnvelopeError
from rogatory.exchange.v1 import (
    agreement_service_pb2,
    codes_pb2,
    decision_pb2,
    directory_service_pb2,
    exchange_service_pb2,
)
from rogatory.receipts import Receipt

T = TypeVar("T")

_EXCHANGE = "/rogatory.exchange.v1.ExchangeService/"
_DIRECTORY = "/rogatory.exchange.v1.DirectoryService/"
_AGREEMENTS = "/rogatory.exchange.v1.AgreementService/"
_AUDIT = "/rogatory.audit.v1.AuditService/"

SUBSCRIBE = _EXCHANGE + "Subscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One call.

    Attributes:
        method: Full name of the gRPC method.
        request: Its request.
        response_type: Class of its response.
        result: What the caller gets for a response.
        message_id: The message it is about, for errors.
        envelopes: What it submits, for errors: so that it can be submitted again.
    """

    method: str
    request: Message
    response_type: type[Message]
    result: Callable[[Any], T]
    message_id: str = ""
    envelopes: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some items of a list, and where it goes on; an empty token: nowhere."""

    items: Sequence[T]
    next_token: str


PageCall = Callable[[str], Call[Page[T]]]
"""A list: takes the token of a page, returns the call for it."""


def submit(envelope: bytes, *, message_id: str = "") -> Call[Submitted]:
    """Submit one message.

    Raises:
        InvalidMessage: TOO_LARGE.
    """
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise faults.before_sending(too_large(len(envelope)), message_id=message_id)
    return Call(
        method=_EXCHANGE + "Submit",
        request=exchange_service_pb2.SubmitRequest(envelope=envelope),
        response_type=exchange_service_pb2.SubmitResponse,
        result=lambda response: Submitted.of(response.submission, response.checkpoint),
        message_id=message_id,
        envelopes=(envelope,),
    )


def submit_batch(batch: Sequence[bytes]) -> Call[list[Submitted | CallError]]:
    """Submit several messages; a message's error stands in its place.

    Raises:
        InvalidMessage: BATCH_SIZE or TOO_LARGE.
    """
    envelopes = tuple(batch)
    try:
        check_batch(envelopes)
    except EnvelopeError as error:
        raise faults.before_sending(error) from None

    def result(
        response: exchange_service_pb2.SubmitBatchResponse,
    ) -> list[Submitted | CallError]:
        if len(response.results) != len(envelopes):
            raise faults.results_differ(len(response.results), envelopes)
        return [
            faults.of_status(item.error, envelopes=(envelope,))
            if item.WhichOneof("result") == "error"
            else Submitted.of(item.submission, response.checkpoint)
            for item, envelope in zip(response.results, envelopes, strict=True)
        ]

    return Call(
        method=_EXCHANGE + "SubmitBatch",
        request=exchange_service_pb2.SubmitBatchRequest(envelopes=envelopes),
        response_type=exchange_service_pb2.SubmitBatchResponse,
        result=result,
        envelopes=envelopes,
    )


def advance_cursor(inbox_position: int, *, exercise: bool) -> Call[int]:
    """Record that the inbox is held up to a position."""
    return Call(
        method=_EXCHANGE + "AdvanceCursor",
        request=exchange_service_pb2.AdvanceCursorRequest(
            inbox_position=inbox_position, exercise=exercise
        ),
        response_type=exchange_service_pb2.AdvanceCursorResponse,
        result=lambda response: response.inbox_position,
    )


def get_message(sender: str, message_id: str) -> Call[exchange_service_pb2.Delivery]:
    """Fetch one message."""
    return Call(
        method=_EXCHANGE + "GetMessage",
        request=exchange_service_pb2.GetMessageRequest(sender=sender, message_id=message_id),
        response_type=exchange_service_pb2.GetMessageResponse,
        result=lambda response: response.message,
        message_id=message_id,
    )


def list_messages(
    *,
    box: exchange_service_pb2.MessageBox.ValueType,
    kind: codes_pb2.Kind.ValueType,
    counterpart: str,
    thread: str,
    full: bool,
    exercise: bool,
    page_size: int,
) -> PageCall[exchange_service_pb2.MessageSummary]:
    """List messages sent or received."""
    view = (
        exchange_service_pb2.MESSAGE_VIEW_FULL
        if full
        else exchange_service_pb2.MESSAGE_VIEW_SUMMARY
    )

    def page(token: str) -> Call[Page[exchange_service_pb2.MessageSummary]]:
        return Call(
            method=_EXCHANGE + "ListMessages",
            request=exchange_service_pb2.ListMessagesRequest(
                page_size=page_size,
                page_token=token,
                box=box,
                kind=kind,
                counterpart=counterpart,
                thread=thread,
                view=view,
                exercise=exercise,
            ),
            response_type=exchange_service_pb2.ListMessagesResponse,
            result=lambda response: Page(
                items=response.messages, next_token=response.next_page_token
            ),
        )

    return page


def get_receipt(sender: str, message_id: str) -> Call[Receipt]:
    """Fetch the receipt of a message."""
    return Call(
        method=_EXCHANGE + "GetReceipt",
        request=exchange_service_pb2.GetReceiptRequest(sender=sender, message_id=message_id),
        response_type=exchange_service_pb2.GetReceiptResponse,
        result=lambda response: Receipt.from_parts(
            response.receipt, response.outcomes, response.checkpoint
        ),
        message_id=message_id,
    )


def get_agency(agency_id: str) -> Call[directory_service_pb2.DirectoryEntry]:
    """Fetch one agency with its key statements."""
    return Call(
        method=_DIRECTORY + "GetAgency",
        request=directory_service_pb2.GetAgencyRequest(agency_id=agency_id),
        response_type=directory_service_pb2.GetAgencyResponse,
        result=lambda response: response.agency,
    )


def list_agencies(page_size: int) -> PageCall[directory_service_pb2.DirectoryEntry]:
    """List enrolled agencies."""

    def page(token: str) -> Call[Page[directory_service_pb2.DirectoryEntry]]:
        return Call(
            method=_DIRECTORY + "ListAgencies",
            request=directory_service_pb2.ListAgenciesRequest(
                page_size=page_size, page_token=token
            ),
            response_type=directory_service_pb2.ListAgenciesResponse,
            result=lambda response: Page(
                items=response.agencies, next_token=response.next_page_token
            ),
        )

    return page


def get_agreement(agreement_id: str, version: int) -> Call[agreement_service_pb2.AgreementRecord]:
    """Fetch a version of an agreement; 0: the one in force."""
    return Call(
        method=_AGREEMENTS + "GetAgreement",
        request=agreement_service_pb2.GetAgreementRequest(
            agreement_id=agreement_id, version=version
        ),
        response_type=agreement_service_pb2.GetAgreementResponse,
        result=lambda response: response.agreement,
    )


def list_agreements(
    *, in_force: bool, page_size: int
) -> PageCall[agreement_service_pb2.AgreementRecord]:
    """List agreements to which the caller is a party."""

    def page(token: str) -> Call[Page[agreement_service_pb2.AgreementRecord]]:
        return Call(
            method=_AGREEMENTS + "ListAgreements",
            request=agreement_service_pb2.ListAgreementsRequest(
                page_size=page_size, page_token=token, in_force=in_force
            ),
            response_type=agreement_service_pb2.ListAgreementsResponse,
            result=lambda response: Page(
                items=response.agreements, next_token=response.next_page_token
            ),
        )

    return page


def evaluate(header: bytes) -> Call[tuple[decision_pb2.Outcome, ...]]:
    """Ask what would become of a message with this header."""
    return Call(
        method=_AGREEMENTS + "EvaluateExchange",
        request=agreement_service_pb2.EvaluateExchangeRequest(header=header),
        response_type=agreement_service_pb2.EvaluateExchangeResponse,
        result=lambda response: tuple(response.outcomes),
    )


def list_entries(
    request: audit_service_pb2.ListEntriesRequest,
) -> PageCall[audit_service_pb2.ListedEntry]:
    """List log entries by filter; the request's own page token is where it starts."""

    def page(token: str) -> Call[Page[audit_service_pb2.ListedEntry]]:
        asked = audit_service_pb2.ListEntriesRequest()
        asked.CopyFrom(request)
        if token:
            asked.page_token = token
        return Call(
            method=_AUDIT + "ListEntries",
            request=asked,
            response_type=audit_service_pb2.ListEntriesResponse,
            result=lambda response: Page(
                items=response.entries, next_token=response.next_page_token
            ),
        )

    return page


def get_checkpoint(
    consistent_from: int,
) -> Call[audit_service_pb2.GetCheckpointResponse]:
    """Fetch the latest checkpoint with a consistency proof from a size; 0: without."""
    return Call(
        method=_AUDIT + "GetCheckpoint",
        request=audit_service_pb2.GetCheckpointRequest(consistent_from=consistent_from),
        response_type=audit_service_pb2.GetCheckpointResponse,
        result=lambda response: response,
    )


def get_tile(level: int, number: int, width: int) -> Call[bytes]:
    """Fetch a hash tile."""
    return Call(
        method=_AUDIT + "GetTile",
        request=audit_service_pb2.GetTileRequest(level=level, number=number, width=width),
        response_type=audit_service_pb2.GetTileResponse,
        result=lambda response: response.hashes,
    )
