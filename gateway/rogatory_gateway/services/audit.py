"""AuditService: the log as auditors and partners read it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from rogatory import wire
from rogatory.audit.v1 import audit_service_pb2, audit_service_pb2_grpc
from rogatory.errors import EnvelopeError, Violation
from rogatory.exchange.v1 import codes_pb2
from rogatory_gateway import errors
from rogatory_gateway.delivery.listing import list_entries
from rogatory_gateway.delivery.publishing import tree_at
from rogatory_gateway.ledger import reading
from rogatory_gateway.ledger.items import AccessItem
from rogatory_gateway.services.calls import handler, page_size, page_start, page_token

if TYPE_CHECKING:
    from rogatory_gateway.errors import ServicerContext
    from rogatory_gateway.services.context import Context

_MOST_ENTRIES = 100


class AuditService(audit_service_pb2_grpc.AuditServiceServicer):
    """The log."""

    def __init__(self, context: Context) -> None:
        self._gateway = context

    @handler
    async def ListEntries(
        self,
        request: audit_service_pb2.ListEntriesRequest,
        context: ServicerContext,
    ) -> audit_service_pb2.ListEntriesResponse:
        """List entries; the read is itself entered in the log before it is answered."""
        gateway = self._gateway
        caller = gateway.identifier.identify(context)
        supervises = caller.kind == codes_pb2.AGENCY_KIND_SUPERVISORY_AUTHORITY
        _check_message_id(request.message_id)
        limit = page_size(request.page_size, _MOST_ENTRIES)
        after = page_start(request)
        entries, more = await gateway.reader.run(
            lambda connection: list_entries(
                connection,
                request,
                only=None if supervises else caller.agency,
                after=after,
                limit=limit,
            )
        )
        await gateway.committer.enter(
            [
                AccessItem(
                    actor=caller.agency,
                    certificate=caller.certificate,
                    call="rogatory.audit.v1.AuditService/ListEntries",
                    request=request.SerializeToString(deterministic=True),
                    items=len(entries),
                )
            ]
        )
        return audit_service_pb2.ListEntriesResponse(
            entries=entries,
            next_page_token=page_token(request, entries[-1].index) if more else "",
        )

    @handler
    async def GetCheckpoint(
        self,
        request: audit_service_pb2.GetCheckpointRequest,
        context: ServicerContext,
    ) -> audit_service_pb2.GetCheckpointResponse:
        """Return the latest checkpoint, and a consistency proof on demand."""
        gateway = self._gateway
        gateway.identifier.identify(context)
        size, checkpoint = gateway.publisher.size, gateway.publisher.checkpoint
        old = request.consistent_from
        if old > size:
            raise EnvelopeError(
                f"the log has {size} entries, fewer than {old}",
                hint="Keep both checkpoints: if both are signed, they prove that the log was cut.",
                reason="TOKEN_INVALID",
            )
        proof: list[bytes] = []
        if 0 < old < size:
            proof = await gateway.reader.run(
                lambda connection: tree_at(connection, size).consistency_proof(old)
            )
        return audit_service_pb2.GetCheckpointResponse(
            checkpoint=checkpoint,
            consistency_proof=proof,
            verifier_key=gateway.publisher.verifier_key,
        )

    @handler
    async def GetTile(
        self,
        request: audit_service_pb2.GetTileRequest,
        context: ServicerContext,
    ) -> audit_service_pb2.GetTileResponse:
        """Return a hash tile of the published log."""
        gateway = self._gateway
        gateway.identifier.identify(context)
        # Only what a checkpoint vouches for: the database may be a signature ahead.
        published = gateway.publisher.size >> (8 * request.level)
        hashes = None
        if (request.number << 8) + request.width <= published:
            hashes = await gateway.reader.run(
                lambda connection: reading.read_tile(
                    connection, level=request.level, number=request.number, width=request.width
                )
            )
        if hashes is None:
            raise errors.denied_or_absent()
        return audit_service_pb2.GetTileResponse(hashes=hashes)


def _check_message_id(message_id: str) -> None:
    """Refuse a filter by what is no id: it would find nothing, and not say why."""
    if not message_id:
        return
    try:
        uuid.UUID(message_id)
    except ValueError as error:
        violation = Violation(
            path="message_id", rule="string.uuid", message="must be a message id (UUID) or empty"
        )
        raise wire.field_violations([violation], what="request") from error
