"""DirectoryService: who is enrolled, with which keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory import clock
from rogatory.exchange.v1 import (
    directory_service_pb2,
    directory_service_pb2_grpc,
    key_statement_pb2,
)
from rogatory_gateway import errors
from rogatory_gateway.services.calls import handler, page_size, page_start, page_token

if TYPE_CHECKING:
    from rogatory_gateway.errors import ServicerContext
    from rogatory_gateway.services.context import Context

_MOST_AGENCIES = 100


class DirectoryService(directory_service_pb2_grpc.DirectoryServiceServicer):
    """The directory."""

    def __init__(self, context: Context) -> None:
        self._gateway = context

    @handler
    async def GetAgency(
        self,
        request: directory_service_pb2.GetAgencyRequest,
        context: ServicerContext,
    ) -> directory_service_pb2.GetAgencyResponse:
        """Return one agency with all its key statements."""
        self._gateway.identifier.identify(context)
        if self._gateway.registry().ring.agency(request.agency_id) is None:
            raise errors.denied_or_absent()
        return directory_service_pb2.GetAgencyResponse(agency=self._entry(request.agency_id))

    @handler
    async def ListAgencies(
        self,
        request: directory_service_pb2.ListAgenciesRequest,
        context: ServicerContext,
    ) -> directory_service_pb2.ListAgenciesResponse:
        """List agencies in order of enrolment."""
        self._gateway.identifier.identify(context)
        limit = page_size(request.page_size, _MOST_AGENCIES)
        # Agencies are only ever added, so that a place in the order of enrolment stays.
        start = page_start(request) + 1
        agencies = list(self._gateway.registry().ring.agencies())
        page = agencies[start : start + limit]
        more = start + limit < len(agencies)
        return directory_service_pb2.ListAgenciesResponse(
            agencies=[self._entry(agency_id) for agency_id in page],
            next_page_token=page_token(request, start + limit - 1) if more else "",
        )

    def _entry(self, agency_id: str) -> directory_service_pb2.DirectoryEntry:
        registry = self._gateway.registry()
        entry = directory_service_pb2.DirectoryEntry(agency=registry.ring.agency(agency_id))
        for statement, entry_time in registry.statements[agency_id]:
            entry.statements.append(key_statement_pb2.SignedKeyStatement.FromString(statement))
            entry.entry_times.append(clock.to_timestamp(entry_time))
        revoked = registry.revoked.get(agency_id)
        if revoked is not None:
            entry.revoked = True
            entry.revoke_time.CopyFrom(clock.to_timestamp(revoked))
        return entry
