"""AgreementService: agreements as the gateway holds them, and dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory import clock, envelopes, wire
from rogatory.exchange.v1 import (
    agreement_pb2,
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    decision_pb2,
    envelope_pb2,
)
from rogatory_gateway import errors
from rogatory_gateway.admission.identify import authorise
from rogatory_gateway.ledger.deciding import Decider, outcome_bytes
from rogatory_gateway.ledger.reading import LedgerState
from rogatory_gateway.ledger.registry import AgreementVersion
from rogatory_gateway.services.calls import handler, page_size, page_start, page_token

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rogatory_gateway.errors import ServicerContext
    from rogatory_gateway.services.context import Context

_MOST_AGREEMENTS = 50


class AgreementService(agreement_service_pb2_grpc.AgreementServiceServicer):
    """Agreements."""

    def __init__(self, context: Context) -> None:
        self._gateway = context

    @handler
    async def ListAgreements(
        self,
        request: agreement_service_pb2.ListAgreementsRequest,
        context: ServicerContext,
    ) -> agreement_service_pb2.ListAgreementsResponse:
        """List the caller's agreements."""
        caller = self._gateway.identifier.identify(context)
        limit = page_size(request.page_size, _MOST_AGREEMENTS)
        start = page_start(request) + 1
        records = [
            record
            for version in self._gateway.registry().versions()
            if caller.agency in version.compiled.parties
            for record in [self._record(version)]
            if not request.in_force
            or record.state == agreement_service_pb2.AGREEMENT_STATE_IN_FORCE
        ]
        more = start + limit < len(records)
        return agreement_service_pb2.ListAgreementsResponse(
            agreements=records[start : start + limit],
            next_page_token=page_token(request, start + limit - 1) if more else "",
        )

    @handler
    async def GetAgreement(
        self,
        request: agreement_service_pb2.GetAgreementRequest,
        context: ServicerContext,
    ) -> agreement_service_pb2.GetAgreementResponse:
        """Return one version of an agreement."""
        caller = self._gateway.identifier.identify(context)
        registry = self._gateway.registry()
        if request.agreement_id == registry.base.agreement_id:
            return agreement_service_pb2.GetAgreementResponse(
                agreement=agreement_service_pb2.AgreementRecord(
                    agreement=agreement_pb2.SignedAgreement(agreement=registry.base.data),
                    digest=registry.base.digest,
                    state=agreement_service_pb2.AGREEMENT_STATE_IN_FORCE,
                )
            )
        in_force = registry.in_force(request.agreement_id, entry_time=self._gateway.now())
        for version in registry.versions():
            compiled = version.compiled
            wanted = (
                compiled.version == request.version if request.version else compiled is in_force
            )
            if (
                compiled.agreement_id == request.agreement_id
                and wanted
                and caller.agency in compiled.parties
            ):
                return agreement_service_pb2.GetAgreementResponse(agreement=self._record(version))
        raise errors.denied_or_absent()

    @handler
    async def EvaluateExchange(
        self,
        request: agreement_service_pb2.EvaluateExchangeRequest,
        context: ServicerContext,
    ) -> agreement_service_pb2.EvaluateExchangeResponse:
        """Say what would become of a message now."""
        gateway = self._gateway
        caller = gateway.identifier.identify(context)
        header = wire.decode(envelope_pb2.Header, request.header, what="header")
        wire.validate(header, what="header", prefix="header")
        envelopes.check_header(header)
        authorise(caller, header, origin=gateway.origin)
        registry = gateway.registry()
        now = gateway.now()
        envelopes.check_expiry(header, entry_time=now)
        found = (registry.ring.get(signed.key) for signed in header.signed_by)
        signers = tuple(
            key
            for key in found
            if key is not None and key.agency == caller.agency and not key.fault_at(now)
        )

        def evaluate(connection: Connection) -> list[decision_pb2.Outcome]:
            decided = Decider().decide(
                header,
                signers=signers,
                registry=registry,
                state=LedgerState(connection),
                entry_time=now,
            )
            return [
                decision_pb2.Outcome.FromString(outcome_bytes(one, inbox_position=0))
                for one in decided
            ]

        return agreement_service_pb2.EvaluateExchangeResponse(
            outcomes=await gateway.reader.run(evaluate)
        )

    def _record(self, version: AgreementVersion) -> agreement_service_pb2.AgreementRecord:
        return agreement_service_pb2.AgreementRecord(
            agreement=version.signed,
            digest=version.compiled.digest,
            entry_time=clock.to_timestamp(version.entry_time),
            state=self._gateway.registry().state_of(version, now=self._gateway.now()),  # type: ignore[arg-type]
            suspensions=[
                suspension.signed
                for suspension in self._gateway.registry().suspensions(
                    version.compiled.agreement_id
                )
            ],
        )
