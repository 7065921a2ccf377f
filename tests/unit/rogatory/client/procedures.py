"""The procedures' service for tests: it answers what is put there, and notes what is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.exchange.v1 import (
    codes_pb2,
    exchange_service_pb2,
    procedure_pb2,
    procedure_service_pb2,
    procedure_service_pb2_grpc,
)
from rogatory.records.v1 import common_pb2

ps = procedure_service_pb2
ASKING, ASKED = "fr.police", "de.police"
HOUR = 3_600 * clock.NANOSECONDS_PER_SECOND


@dataclass
class Procedures(procedure_service_pb2_grpc.ProcedureServiceServicer):
    """The service.

    Attributes:
        statuses, operations: Requests and operations, of which lists show `page` at a time.
        holders: What the other call shows.
        notices: Deadlines that a subscription which wants them is told first.
        questions: Every request that came in.
    """

    statuses: list[procedure_service_pb2.RequestStatus] = field(default_factory=list)
    holders: list[procedure_service_pb2.Holder] = field(default_factory=list)
    operations: list[procedure_service_pb2.Operation] = field(default_factory=list)
    notices: list[exchange_service_pb2.DeadlineNotice] = field(default_factory=list)
    questions: list[Message] = field(default_factory=list)
    page: int = 2

    def ListRequests(
        self, request: procedure_service_pb2.ListRequestsRequest, context: grpc.ServicerContext
    ) -> procedure_service_pb2.ListRequestsResponse:
        """Return a page of the requests."""
        del context
        self.questions.append(request)
        start = int(request.page_token or "0")
        end = start + self.page
        return ps.ListRequestsResponse(
            requests=self.statuses[start:end],
            next_page_token=str(end) if end < len(self.statuses) else "",
        )

    def GetRequest(
        self, request: procedure_service_pb2.GetRequestRequest, context: grpc.ServicerContext
    ) -> procedure_service_pb2.GetRequestResponse:
        """Return the statuses of a request."""
        found = [
            one
            for one in self.statuses
            if (one.request.sender, one.request.message_id) == (request.sender, request.message_id)
        ]
        if not found:
            context.abort(grpc.StatusCode.NOT_FOUND, "no")
        return ps.GetRequestResponse(requests=found)

    def ListHolders(
        self, request: procedure_service_pb2.ListHoldersRequest, context: grpc.ServicerContext
    ) -> procedure_service_pb2.ListHoldersResponse:
        """Return the holders."""
        del context
        self.questions.append(request)
        return ps.ListHoldersResponse(holders=self.holders)

    def ListOperations(
        self, request: procedure_service_pb2.ListOperationsRequest, context: grpc.ServicerContext
    ) -> procedure_service_pb2.ListOperationsResponse:
        """Return a page of the operations."""
        del context
        self.questions.append(request)
        start = int(request.page_token or "0")
        end = start + self.page
        return ps.ListOperationsResponse(
            operations=self.operations[start:end],
            next_page_token=str(end) if end < len(self.operations) else "",
        )

    def GetOperation(
        self, request: procedure_service_pb2.GetOperationRequest, context: grpc.ServicerContext
    ) -> procedure_service_pb2.GetOperationResponse:
        """Return the first operation."""
        del context
        self.questions.append(request)
        return ps.GetOperationResponse(operation=self.operations[0])


def message_id(number: int) -> str:
    """Return the id of a message."""
    return f"01920000-0000-7000-8000-{number:012d}"


def due(
    due_time: int,
    state: deadline_pb2.DueState.ValueType,
    *,
    kind: deadline_pb2.DeadlineKind.ValueType = deadline_pb2.DEADLINE_KIND_ANSWER,
    agency: str = ASKED,
) -> procedure_service_pb2.DueStanding:
    """Return a deadline of eight hours that ends at ``due_time``, in nanoseconds."""
    standing = ps.DueStanding(
        due_date=deadline_pb2.DueDate(
            kind=kind,
            term=deadline_pb2.DeadlineTerm(hours=8),
            start_time=clock.to_timestamp(due_time - 8 * HOUR),
            due_time=clock.to_timestamp(due_time),
            agency=agency,
            article="Art. 4",
        ),
        state=state,
    )
    if state > deadline_pb2.DUE_STATE_OVERDUE:
        standing.met_time.CopyFrom(clock.to_timestamp(due_time + HOUR))
    return standing


def status(
    number: int, *dates: procedure_service_pb2.DueStanding, asked: str = ASKED, entry_time: int = 0
) -> procedure_service_pb2.RequestStatus:
    """Return an accepted request of `ASKING`."""
    return ps.RequestStatus(
        request=common_pb2.MessageReference(
            sender=ASKING, message_id=message_id(number), header_digest=bytes(32)
        ),
        standing=procedure_pb2.RequestStanding(
            asking_agency=ASKING,
            asked_agency=asked,
            assistance_kind=request_pb2.ASSISTANCE_KIND_STORED_DATA,
            state=request_pb2.REQUEST_STATE_ACCEPTED,
        ),
        urgency=codes_pb2.URGENCY_URGENT,
        entry_time=clock.to_timestamp(entry_time),
        step_time=clock.to_timestamp(entry_time),
        due=dates,
        agreement_id="x",
        article="Art. 2",
        duty_contact=exchange_service_pb2.DutyContact(
            agency=asked, duty_contact="+49 30 1", time_zone="Europe/Berlin", languages=["de", "en"]
        ),
    )
