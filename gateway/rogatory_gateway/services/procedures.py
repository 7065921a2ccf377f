"""ProcedureService: requests with their deadlines, holders of a record, joint operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory.exchange.v1 import procedure_service_pb2, procedure_service_pb2_grpc
from rogatory_gateway import errors
from rogatory_gateway.delivery import holders, operations, requests
from rogatory_gateway.ledger import reading
from rogatory_gateway.services.calls import (
    handler,
    page_place,
    page_size,
    page_start,
    page_token,
    place_token,
)
from rogatory_gateway.services.contacts import duty_contact

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rogatory_gateway.errors import ServicerContext
    from rogatory_gateway.services.context import Context

_MOST_REQUESTS = 100
_MOST_OPERATIONS = 100


class ProcedureService(procedure_service_pb2_grpc.ProcedureServiceServicer):
    """Procedures."""

    def __init__(self, context: Context) -> None:
        self._gateway = context

    @handler
    async def ListRequests(
        self,
        request: procedure_service_pb2.ListRequestsRequest,
        context: ServicerContext,
    ) -> procedure_service_pb2.ListRequestsResponse:
        """List the caller's requests, what is due first in front."""
        caller = self._gateway.identifier.identify(context)
        limit = page_size(request.page_size, _MOST_REQUESTS)
        place = page_place(request)
        try:
            after = None if place is None else requests.Place.from_bytes(place)
        except ValueError as error:
            raise errors.token_invalid("page_token") from error
        registry, now = self._gateway.registry(), self._gateway.now()
        listed, last = await self._gateway.reader.run(
            lambda connection: requests.list_requests(
                connection,
                request,
                agency=caller.agency,
                after=after,
                limit=limit,
                now=now,
                contact=lambda agency: duty_contact(registry, agency),
            )
        )
        return procedure_service_pb2.ListRequestsResponse(
            requests=listed,
            next_page_token="" if last is None else place_token(request, last.to_bytes()),
        )

    @handler
    async def GetRequest(
        self,
        request: procedure_service_pb2.GetRequestRequest,
        context: ServicerContext,
    ) -> procedure_service_pb2.GetRequestResponse:
        """Return one request with its steps."""
        caller = self._gateway.identifier.identify(context)
        registry, now = self._gateway.registry(), self._gateway.now()

        def read(connection: Connection) -> list[procedure_service_pb2.RequestStatus]:
            found = reading.find_message(
                connection, sender=request.sender, message_id=request.message_id
            )
            if found is None:
                return []
            return requests.get_request(
                connection,
                found.index,
                agency=caller.agency,
                now=now,
                contact=lambda agency: duty_contact(registry, agency),
            )

        statuses = await self._gateway.reader.run(read)
        if not statuses:
            raise errors.denied_or_absent()
        return procedure_service_pb2.GetRequestResponse(requests=statuses)

    @handler
    async def ListHolders(
        self,
        request: procedure_service_pb2.ListHoldersRequest,
        context: ServicerContext,
    ) -> procedure_service_pb2.ListHoldersResponse:
        """List who holds the records of one of the caller's messages."""
        caller = self._gateway.identifier.identify(context)
        now = self._gateway.now()

        def read(connection: Connection) -> list[procedure_service_pb2.Holder]:
            found = reading.find_message(
                connection, sender=caller.agency, message_id=request.message_id
            )
            if found is None:
                raise errors.denied_or_absent()
            return holders.list_holders(connection, found.index, sender=caller.agency, now=now)

        return procedure_service_pb2.ListHoldersResponse(
            holders=await self._gateway.reader.run(read)
        )

    @handler
    async def ListOperations(
        self,
        request: procedure_service_pb2.ListOperationsRequest,
        context: ServicerContext,
    ) -> procedure_service_pb2.ListOperationsResponse:
        """List the joint operations that the caller is or was part of."""
        caller = self._gateway.identifier.identify(context)
        limit = page_size(request.page_size, _MOST_OPERATIONS)
        after, now = page_start(request), self._gateway.now()
        listed, last = await self._gateway.reader.run(
            lambda connection: operations.list_operations(
                connection, request, agency=caller.agency, after=after, limit=limit, now=now
            )
        )
        return procedure_service_pb2.ListOperationsResponse(
            operations=listed,
            next_page_token="" if last is None else page_token(request, last),
        )

    @handler
    async def GetOperation(
        self,
        request: procedure_service_pb2.GetOperationRequest,
        context: ServicerContext,
    ) -> procedure_service_pb2.GetOperationResponse:
        """Return a joint operation with its members and reports."""
        caller = self._gateway.identifier.identify(context)

        def read(connection: Connection) -> procedure_service_pb2.Operation | None:
            found = reading.find_message(
                connection, sender=request.sender, message_id=request.message_id
            )
            if found is None:
                return None
            return operations.get_operation(connection, found.index, agency=caller.agency)

        operation = await self._gateway.reader.run(read)
        if operation is None:
            raise errors.denied_or_absent()
        return procedure_service_pb2.GetOperationResponse(operation=operation)
