"""What an admitted message makes of the procedures that it is part of.

All of it follows from the log's entries and their outcomes, in order: `Follower` given every entry
again makes the same tables again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, false, func, insert, literal, select, update

from rogatory import clock
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import deadlines, operations, requests
from rogatory_gateway.ledger import tables
from rogatory_gateway.ledger.procedures.relations import Relation

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from rogatory.assistance.v1 import deadline_pb2
    from rogatory.records.v1 import common_pb2
    from rogatory_gateway.ledger.procedures.earlier import Earlier, EarlierMessages

FOLLOWED_KINDS = frozenset(
    {
        codes_pb2.KIND_REQUEST,
        codes_pb2.KIND_UPDATE,
        codes_pb2.KIND_RECALL,
        codes_pb2.KIND_CORRECTION,
        codes_pb2.KIND_CONSENT,
        codes_pb2.KIND_OPERATION,
        codes_pb2.KIND_ALERT,
    }
)


_LAST_INSTANT = (1 << 63) - 1
"""The latest that a table holds, in the year 2262: a timestamp may name a later one. The earliest
is 1970: what ended before then has ended."""


def is_followed(header: envelope_pb2.Header) -> bool:
    """Say whether a message can change how a procedure stands."""
    return header.kind in FOLLOWED_KINDS or bool(header.forwards)


class Follower:
    """Enters what messages make of procedures. Each call is for one message, after its entry."""

    def __init__(self, connection: Connection, earlier: EarlierMessages) -> None:
        """Write to a connection that holds the tables of procedures, in its transaction."""
        self._connection = connection
        self._earlier = earlier

    def follow(
        self,
        index: int,
        header: envelope_pb2.Header,
        outcomes: Sequence[decision_pb2.Outcome],
        *,
        entry_time: int,
    ) -> None:
        """Enter what a message at ``index`` makes of its procedures.

        Args:
            outcomes: Of all its recipients; those refused change nothing.
            entry_time: Nanoseconds since the Unix epoch.
        """
        admitted = [
            one for one in outcomes if one.decision.disposition != decision_pb2.DISPOSITION_REFUSED
        ]
        if not admitted:
            return
        for reference in header.forwards:
            self._forward(reference, index, header, admitted)
        follow = _FOLLOW.get(header.kind)
        if follow is not None:
            follow(self, index, header, admitted, entry_time)

    def _request(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        for outcome in admitted:
            standing = requests.begin(
                header,
                asked=outcome.recipient,
                confirm_in_writing_within_hours=(
                    outcome.decision.obligations.confirm_in_writing_within_hours
                ),
            )
            standing.pending.extend(outcome.pending_terms)
            self._connection.execute(
                insert(tables.requests).values(
                    idx=index,
                    asked=outcome.recipient,
                    asking=header.sender,
                    exercise=header.exercise,
                    assistance_kind=header.request.assistance_kind,
                    urgency=header.urgency,
                    state=standing.state,
                    standing=standing.SerializeToString(deterministic=True),
                    entry_time=entry_time,
                    step_time=entry_time,
                    next_due=None,
                )
            )
            self._begin_deadlines(index, outcome, header)
            self._renew_next_due(index, outcome.recipient)
            if header.request.HasField("related_request"):
                self._answer_terms_of_asking(header, outcome.recipient, entry_time)

    def _answer_terms_of_asking(
        self, header: envelope_pb2.Header, asked: str, entry_time: int
    ) -> None:
        """A request that follows on another does what the asking agency still owed there."""
        found = self._earlier.find(header.request.related_request, exercise=header.exercise)
        if found is None or found.header.sender != header.sender:
            return
        self._close_deadlines(found.index, asked, deadlines.closing_by_related_request, entry_time)
        self._renew_next_due(found.index, asked)

    def _update(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        found = self._earlier.find(header.update.request, exercise=header.exercise)
        if found is None:
            return
        step = header.update.step
        for outcome in admitted:
            asked = outcome.recipient if header.sender == found.header.sender else header.sender
            before = self._before(outcome, found.index, asked)
            if before is None:
                continue
            after = requests.advance(before, header)
            self._connection.execute(
                insert(tables.request_steps).values(
                    request=found.index,
                    asked=asked,
                    idx=index,
                    step=step,
                    state=after.state,
                    entry_time=entry_time,
                )
            )
            by_asked = header.sender == asked
            self._close_deadlines(
                found.index,
                asked,
                partial(deadlines.closing, step=step, by_asked=by_asked),
                entry_time,
            )
            self._begin_deadlines(found.index, outcome, found.header, asked=asked)
            self._connection.execute(
                update(tables.requests)
                .where(tables.requests.c.idx == found.index, tables.requests.c.asked == asked)
                .values(
                    state=after.state,
                    standing=after.SerializeToString(deterministic=True),
                    step_time=entry_time,
                )
            )
            self._renew_next_due(found.index, asked)

    def _before(
        self, outcome: decision_pb2.Outcome, index: int, asked: str
    ) -> procedure_pb2.RequestStanding | None:
        """Return how a request stood before a step.

        As recorded with the decision; steps that were admitted before that was recorded follow on
        what the table says.
        """
        if outcome.context.procedure.HasField("request"):
            return outcome.context.procedure.request
        data = self._connection.execute(
            select(tables.requests.c.standing).where(
                tables.requests.c.idx == index, tables.requests.c.asked == asked
            )
        ).scalar()
        return None if data is None else procedure_pb2.RequestStanding.FromString(data)

    def _begin_deadlines(
        self,
        index: int,
        outcome: decision_pb2.Outcome,
        request: envelope_pb2.Header,
        *,
        asked: str = "",
    ) -> None:
        asked = asked or outcome.recipient
        table = tables.deadlines.c
        number = self._connection.execute(
            select(func.count()).where(table.request == index, table.asked == asked)
        ).scalar_one()
        for offset, due in enumerate(outcome.due_dates):
            self._connection.execute(
                insert(tables.deadlines).values(
                    request=index,
                    asked=asked,
                    number=number + offset,
                    asking=request.sender,
                    exercise=request.exercise,
                    kind=due.kind,
                    agency=due.agency,
                    soon_time=deadlines.soon_time(*_span(due)),
                    due_time=_span(due)[1],
                    due_date=due.SerializeToString(deterministic=True),
                    closed=None,
                    closed_time=None,
                )
            )

    def _close_deadlines(
        self, index: int, asked: str, closing: Callable[[int], int], entry_time: int
    ) -> None:
        table = tables.deadlines.c
        running = self._connection.execute(
            select(table.number, table.kind, table.due_time).where(
                table.request == index, table.asked == asked, table.closed.is_(None)
            )
        ).all()
        for row in running:
            closed = closing(row.kind)
            if closed:
                self._connection.execute(
                    update(tables.deadlines)
                    .where(table.request == index, table.asked == asked, table.number == row.number)
                    .values(
                        closed=deadlines.closed_state(
                            closed, due_time=row.due_time, entry_time=entry_time
                        ),
                        closed_time=entry_time,
                    )
                )

    def _renew_next_due(self, index: int, asked: str) -> None:
        table = tables.deadlines.c
        next_due = (
            select(func.min(table.due_time))
            .where(table.request == index, table.asked == asked, table.closed.is_(None))
            .scalar_subquery()
        )
        self._connection.execute(
            update(tables.requests)
            .where(tables.requests.c.idx == index, tables.requests.c.asked == asked)
            .values(next_due=next_due)
        )

    def _recall(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        del entry_time
        if header.subject.confirmation:
            self._confirm(index, header, admitted)
            return
        subject = self._own(header)
        if subject is None:
            return
        self._add(subject.index, Relation.RECALL, index)
        for outcome in admitted:
            agency = outcome.recipient
            if self._earlier.received(subject.index, agency) is not None:
                self._withhold(subject.index, agency, recall=index)
            self._withhold_copies(subject.index, agency, recall=index)

    def _withhold(self, index: int, agency: str, *, recall: int) -> None:
        """Deliver a message to an agency no more, with none of its parts."""
        table = tables.recalled.c
        where = (table.idx == index, table.agency == agency)
        known = self._connection.execute(select(table.whole).where(*where)).scalar()
        if not known:
            self._connection.execute(delete(tables.recalled).where(*where))
            self._connection.execute(
                insert(tables.recalled).values(idx=index, agency=agency, whole=True, recall=recall)
            )

    def _withhold_copies(self, subject: int, agency: str, *, recall: int) -> None:
        """Deliver no more what passes a message on and an agency sent or received.

        In one statement: whoever forwards its own record a thousand times and recalls it would else
        keep everybody waiting.
        """
        copies, known = tables.copies.c, tables.recalled.c
        self._connection.execute(
            insert(tables.recalled).from_select(
                ["idx", "agency", "whole", "recall"],
                select(copies.idx, copies.agency, false(), literal(recall)).where(
                    copies.subject == subject,
                    copies.agency == agency,
                    ~exists().where(known.idx == copies.idx, known.agency == copies.agency),
                ),
            )
        )

    def _correction(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        del entry_time
        if header.subject.confirmation:
            self._confirm(index, header, admitted)
            return
        subject = self._own(header)
        if subject is not None:
            self._add(subject.index, Relation.CORRECTION, index)

    def _confirm(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
    ) -> None:
        # What was told to somebody else confirms nothing to whoever waits for it.
        if any(outcome.recipient == header.subject.message.sender for outcome in admitted):
            self._relate(header.subject.message, Relation.CONFIRMATION, index, header)

    def _consent(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        del entry_time
        subject = None if header.subject.consent_request else self._own(header)
        if subject is None:
            return
        if not header.subject.withdrawal:
            self._add(subject.index, Relation.CONSENT, index)
            return
        self._add(subject.index, Relation.WITHDRAWAL, index)
        table = tables.withdrawals
        for outcome in admitted:
            key = {
                "subject": subject.index,
                "agency": outcome.recipient,
                "scope": header.subject.consent_scope,
            }
            self._connection.execute(delete(table).filter_by(**key))
            self._connection.execute(insert(table).values(idx=index, **key))

    def _alert(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        del admitted, entry_time
        if not header.alert.HasField("hit_of"):
            return
        if not header.alert.withdrawal:
            self._relate(header.alert.hit_of, Relation.HIT, index, header)
        elif header.alert.hit_of.sender == header.sender:
            # An earlier version admitted it of anybody.
            self._relate(header.alert.hit_of, Relation.ALERT_WITHDRAWAL, index, header)

    def _operation(
        self,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
        entry_time: int,
    ) -> None:
        # Nobody is invited without being told.
        reached = {outcome.recipient for outcome in admitted}
        step = header.operation_step.step
        if step == envelope_pb2.OPERATION_STEP_FOUND:
            state = operations.found(header, entry_time, reached=reached)
            self._connection.execute(
                insert(tables.operations).values(
                    idx=index,
                    lead=state.lead,
                    exercise=header.exercise,
                    valid_until=max(0, min(state.valid_until, _LAST_INSTANT)),
                    closed=False,
                )
            )
            self._write_members(index, state)
            return
        founding = self._earlier.find(header.operation, exercise=header.exercise)
        before = None if founding is None else self._operation_state(founding.index)
        if founding is None or before is None:
            # An earlier version did not ask whether the message named had founded one.
            return
        self._add(founding.index, Relation.OPERATION_STEP, index)
        if step == envelope_pb2.OPERATION_STEP_REPORT:
            self._add(founding.index, Relation.REPORT, index)
        state = operations.step(before, header, entry_time, reached=reached)
        self._connection.execute(
            update(tables.operations)
            .where(tables.operations.c.idx == founding.index)
            .values(closed=state.closed)
        )
        self._write_members(founding.index, state)

    def _operation_state(self, index: int) -> operations.OperationState | None:
        row = self._connection.execute(
            select(tables.operations).where(tables.operations.c.idx == index)
        ).first()
        if row is None:
            return None
        members = self._connection.execute(
            select(tables.operation_members.c.standing)
            .where(tables.operation_members.c.idx == index)
            .order_by(tables.operation_members.c.number)
        ).scalars()
        return operations.OperationState(
            lead=row.lead,
            valid_until=row.valid_until,
            closed=row.closed,
            members=tuple(procedure_pb2.MemberStanding.FromString(data) for data in members),
        )

    def _write_members(self, index: int, state: operations.OperationState) -> None:
        self._connection.execute(
            delete(tables.operation_members).where(tables.operation_members.c.idx == index)
        )
        self._connection.execute(
            insert(tables.operation_members),
            [
                {
                    "idx": index,
                    "agency": member.agency,
                    "number": number,
                    "standing": member.SerializeToString(deterministic=True),
                }
                for number, member in enumerate(state.members)
            ],
        )

    def _own(self, header: envelope_pb2.Header) -> Earlier | None:
        """Return the message that a sender speaks of as its originator; None: it is not."""
        if header.subject.message.sender != header.sender:
            return None
        return self._earlier.find(header.subject.message, exercise=header.exercise)

    def _forward(
        self,
        reference: common_pb2.MessageReference,
        index: int,
        header: envelope_pb2.Header,
        admitted: Sequence[decision_pb2.Outcome],
    ) -> None:
        """Enter who sends and who receives a copy of a message."""
        found = self._earlier.find(reference, exercise=header.exercise)
        if found is None or not self._add(found.index, Relation.FORWARD, index):
            return
        holders = [(header.sender, False), *((one.recipient, True) for one in admitted)]
        self._connection.execute(
            insert(tables.copies),
            [
                {"subject": found.index, "agency": agency, "idx": index, "received": received}
                for agency, received in holders
            ],
        )

    def _relate(
        self,
        reference: common_pb2.MessageReference,
        relation: Relation,
        index: int,
        header: envelope_pb2.Header,
    ) -> None:
        found = self._earlier.find(reference, exercise=header.exercise)
        if found is not None:
            self._add(found.index, relation, index)

    def _add(self, subject: int, relation: Relation, index: int) -> bool:
        """Enter a relation; return False where it is there, as earlier versions allowed."""
        table = tables.relations.c
        same = (table.subject == subject, table.relation == relation, table.idx == index)
        if self._connection.execute(select(table.idx).where(*same)).first() is not None:
            return False
        self._connection.execute(
            insert(tables.relations).values(subject=subject, relation=relation, idx=index)
        )
        return True


def _span(due: deadline_pb2.DueDate) -> tuple[int, int]:
    return clock.to_nanoseconds(due.start_time), clock.to_nanoseconds(due.due_time)


_Follow = Callable[[Follower, int, envelope_pb2.Header, Sequence[decision_pb2.Outcome], int], None]
_FOLLOW: dict[int, _Follow] = {
    codes_pb2.KIND_REQUEST: Follower._request,  # noqa: SLF001 - its own
    codes_pb2.KIND_UPDATE: Follower._update,  # noqa: SLF001
    codes_pb2.KIND_RECALL: Follower._recall,  # noqa: SLF001
    codes_pb2.KIND_CORRECTION: Follower._correction,  # noqa: SLF001
    codes_pb2.KIND_CONSENT: Follower._consent,  # noqa: SLF001
    codes_pb2.KIND_OPERATION: Follower._operation,  # noqa: SLF001
    codes_pb2.KIND_ALERT: Follower._alert,  # noqa: SLF001
}
