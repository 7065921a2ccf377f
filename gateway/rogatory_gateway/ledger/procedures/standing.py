"""How procedures stand towards one recipient, read from the ledger as a message comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from rogatory import clock
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import forwards
from rogatory.procedures.obstacles import is_procedural
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.relations import Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from rogatory.records.v1 import common_pb2
    from rogatory_gateway.ledger.procedures.earlier import Earlier, EarlierMessages


class Standings:
    """Reads how procedures stand."""

    def __init__(self, connection: Connection, earlier: EarlierMessages) -> None:
        """Read from a connection that holds the tables of procedures, and from earlier messages."""
        self._connection = connection
        self._earlier = earlier
        self._passed_on: tuple[envelope_pb2.Header, list[procedure_pb2.ForwardStanding]] | None = (
            None
        )

    def standing(
        self, header: envelope_pb2.Header, recipient: str
    ) -> procedure_pb2.ProcedureStanding | None:
        """Return how the procedures stand that a message is part of; None: it is part of none."""
        if not is_procedural(header):
            return None
        standing = procedure_pb2.ProcedureStanding()
        if header.kind == codes_pb2.KIND_UPDATE:
            self._request(standing, header, recipient)
        if header.kind == codes_pb2.KIND_ALERT:
            self._alert(standing, header)
        if header.HasField("operation"):
            self._operation(standing, header, recipient)
        standing.forwards.extend(self._forwards(header))
        return standing

    def _forwards(self, header: envelope_pb2.Header) -> list[procedure_pb2.ForwardStanding]:
        """Return how what a message passes on stands: the same towards each of its recipients."""
        if self._passed_on is None or self._passed_on[0] is not header:
            found = [self._forward(reference, header) for reference in header.forwards]
            self._passed_on = header, found
        return self._passed_on[1]

    def _request(
        self,
        standing: procedure_pb2.ProcedureStanding,
        header: envelope_pb2.Header,
        recipient: str,
    ) -> None:
        reference = header.update.request
        asked = recipient if reference.sender == header.sender else header.sender
        if reference.sender not in (header.sender, recipient):
            return
        found = self._earlier.find(reference, exercise=header.exercise)
        if found is None:
            return
        data = self._connection.execute(
            select(tables.requests.c.standing).where(
                tables.requests.c.idx == found.index, tables.requests.c.asked == asked
            )
        ).scalar()
        if data is not None:
            standing.request.MergeFromString(data)

    def _alert(
        self, standing: procedure_pb2.ProcedureStanding, header: envelope_pb2.Header
    ) -> None:
        if not header.alert.HasField("hit_of"):
            return
        found = self._earlier.find(header.alert.hit_of, exercise=header.exercise)
        if (
            found is None
            or found.header.kind != codes_pb2.KIND_ALERT
            or found.header.alert.HasField("hit_of")
        ):
            return
        issuer = found.header.sender
        if header.sender != issuer and self._earlier.received(found.index, header.sender) is None:
            return
        standing.alert.agency = issuer
        if found.header.alert.HasField("valid_until_time"):
            standing.alert.valid_until_time.CopyFrom(found.header.alert.valid_until_time)
        # To take the message back is to take the alert back.
        standing.alert.withdrawn = self._earlier.has_later(
            found.index, Relation.ALERT_WITHDRAWAL
        ) or self._recalled(found.index, header.sender)

    def _operation(
        self,
        standing: procedure_pb2.ProcedureStanding,
        header: envelope_pb2.Header,
        recipient: str,
    ) -> None:
        operation = standing.operation
        operation.SetInParent()
        found = self._earlier.find(header.operation, exercise=header.exercise)
        row = None
        if found is not None:
            row = self._connection.execute(
                select(tables.operations).where(tables.operations.c.idx == found.index)
            ).first()
        if row is None:
            return
        members = {
            agency: procedure_pb2.MemberStanding.FromString(data)
            for agency, data in self._connection.execute(
                select(
                    tables.operation_members.c.agency, tables.operation_members.c.standing
                ).where(
                    tables.operation_members.c.idx == row.idx,
                    tables.operation_members.c.agency.in_([header.sender, recipient]),
                )
            )
        }
        if header.sender not in members:
            return
        operation.known = True
        operation.lead = row.lead
        operation.valid_until_time.CopyFrom(clock.to_timestamp(row.valid_until))
        operation.closed = row.closed
        operation.sender.CopyFrom(members[header.sender])
        operation.recipient.CopyFrom(
            members.get(recipient, procedure_pb2.MemberStanding(agency=recipient))
        )

    def _forward(
        self, reference: common_pb2.MessageReference, header: envelope_pb2.Header
    ) -> procedure_pb2.ForwardStanding:
        found = self._earlier.find(reference, exercise=header.exercise)
        # What passes another message on is no original: whoever has it passes that one on.
        if found is None or found.header.forwards:
            return procedure_pb2.ForwardStanding(message=reference)
        standing = self._held(found, header.sender)
        standing.message.CopyFrom(reference)
        if standing.held:
            standing.recalled = self._recalled(found.index, header.sender)
            standing.consents.extend(self._consents(found, reference, header))
        return standing

    def _held(self, original: Earlier, holder: str) -> procedure_pb2.ForwardStanding:
        """Return how an original binds a holder: as its author, or as it received it.

        Whoever received it more than once is bound by the first time; every copy passed on binds
        at least as strictly as the original, or with its originator's consent.
        """
        if original.header.sender == holder:
            standing = forwards.effective(original.header, agreement_pb2.Obligations())
            standing.held = True
            return standing
        outcome = self._earlier.received(original.index, holder)
        if outcome is None:
            copy = self._earlier.first_copy(original.index, holder)
            outcome = None if copy is None else self._earlier.received(copy, holder)
        if outcome is None:
            return procedure_pb2.ForwardStanding()
        standing = forwards.effective(original.header, outcome.decision.obligations)
        standing.held = True
        return standing

    def _recalled(self, index: int, agency: str) -> bool:
        """Say whether a message, or a copy of it that an agency holds, was recalled from it."""
        table, copies = tables.recalled.c, tables.copies.c
        copy = select(table.idx).join(
            tables.copies, and_(copies.idx == table.idx, copies.agency == table.agency)
        )
        return any(
            self._connection.execute(query.where(table.agency == agency).limit(1)).first()
            for query in (
                select(table.idx).where(table.idx == index),
                copy.where(copies.subject == index),
            )
        )

    def _consents(
        self,
        original: Earlier,
        reference: common_pb2.MessageReference,
        header: envelope_pb2.Header,
    ) -> Iterator[procedure_pb2.ConsentStanding]:
        if not header.consents:
            return
        table = tables.withdrawals.c
        latest: dict[int, int] = {
            row.scope: row.idx
            for row in self._connection.execute(
                select(table.scope, table.idx).where(
                    table.subject == original.index, table.agency == header.sender
                )
            )
        }
        for named in header.consents:
            found = self._earlier.find(named, exercise=header.exercise)
            if (
                found is None
                or found.header.sender != original.header.sender
                or found.header.kind != codes_pb2.KIND_CONSENT
                or found.header.subject.message != reference
                or self._earlier.received(found.index, header.sender) is None
                or self._recalled(found.index, header.sender)
            ):
                continue
            consent = forwards.consent_standing(found.header)
            # What is given again after a withdrawal holds again.
            if consent is not None and found.index > latest.get(consent.scope, -1):
                consent.message.CopyFrom(named)
                yield consent
