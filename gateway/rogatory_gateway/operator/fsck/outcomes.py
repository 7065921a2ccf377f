"""Outcomes: committed to, decided as the agreement decides, on what the log then said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from rogatory import clock
from rogatory.decisions import summarise
from rogatory.entries import OpenedEntry, open_outcome, replay_decision
from rogatory.errors import EnvelopeError, RogatoryError
from rogatory.exchange.v1 import decision_pb2, envelope_pb2, procedure_pb2
from rogatory.keyring import KnownKey
from rogatory_gateway.ledger import reading
from rogatory_gateway.ledger.deciding import Decided, Decider
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.operator.fsck.findings import Fault, Report
from rogatory_gateway.operator.fsck.inboxes import InboxCheck, QuotaCheck
from rogatory_gateway.operator.fsck.procedures import ProcedureCheck


@dataclass(slots=True)
class _Then:
    """What deciding reads, as it was just before one entry (`ledger.deciding.State`)."""

    connection: Connection
    quotas: QuotaCheck
    procedures: ProcedureCheck
    index: int

    def standing(
        self,
        reference: tuple[str, str, bytes],
        *,
        sender: str,
        recipient: str,
        exercise: bool,
        passed_on: bool = False,
    ) -> tuple[int, bytes]:
        return reading.standing(
            self.connection,
            reference,
            sender=sender,
            recipient=recipient,
            exercise=exercise,
            passed_on=passed_on,
            before=self.index,
        )

    def procedure(
        self, header: envelope_pb2.Header, recipient: str
    ) -> procedure_pb2.ProcedureStanding | None:
        return self.procedures.standing(self.index, header, recipient)

    def quota_count(
        self, *, agreement_id: str, clause_id: str, sender: str, recipient: str, from_day: int
    ) -> int:
        return self.quotas.total(
            agreement_id=agreement_id,
            clause_id=clause_id,
            sender=sender,
            recipient=recipient,
            from_day=from_day,
        )


class OutcomeCheck:
    """Decides every message again, in the log's order."""

    def __init__(
        self, connection: Connection, *, report: Report, registry: Registry, inboxes: InboxCheck
    ) -> None:
        self._connection = connection
        self._report = report
        self._registry = registry
        self._inboxes = inboxes
        self._decider = Decider()
        self.quotas = QuotaCheck(report)
        self.procedures = ProcedureCheck(connection, report)

    def check(
        self,
        index: int,
        opened: OpenedEntry,
        signers: tuple[KnownKey, ...],
        rows: list[Row[Any]],
    ) -> list[decision_pb2.Outcome]:
        """Check the outcomes of one message; return those that are what was committed to."""
        assert opened.message is not None
        header = opened.message.header
        by_position = {row.position: row for row in rows}
        decided = self._decider.decide(
            header,
            signers=signers,
            registry=self._registry,
            state=_Then(self._connection, self.quotas, self.procedures, index),
            entry_time=opened.entry_time,
        )
        found = []
        for position, expected in enumerate(decided):
            where = f"entry {index}, outcome {position}"
            row = by_position.pop(position, None)
            if row is None:
                self._report.add(
                    Fault.OUTCOME_MISSING, where, f"that of {expected.recipient} is not there"
                )
            else:
                outcome = self._check_one(opened, signers, expected, row, where)
                if outcome is not None:
                    found.append(outcome)
            for clause_id, count in expected.counts:
                self.quotas.add(
                    agreement_id=expected.agreement_id,
                    clause_id=clause_id,
                    sender=header.sender,
                    recipient=expected.recipient,
                    day=opened.entry_time // clock.NANOSECONDS_PER_DAY,
                    count=count,
                )
        for position in by_position:
            self._report.add(
                Fault.OUTCOME_UNOWNED,
                f"entry {index}, outcome {position}",
                f"the message has {len(decided)} recipients",
            )
        self.procedures.follow(index, header, found, entry_time=opened.entry_time)
        return found

    def _check_one(
        self,
        opened: OpenedEntry,
        signers: tuple[KnownKey, ...],
        expected: Decided,
        row: Row[Any],
        where: str,
    ) -> decision_pb2.Outcome | None:
        """Check one outcome.

        1. Salt and outcome open the commitment, and the outcome fits entry and signers.
        2. The columns beside it say the same.
        3. What it rested on is what the log said then.
        4. Decided again by the library, it is equal to the byte.
        5. It has the next position of the inbox, or none.
        """
        assert opened.message is not None
        exercise = opened.message.header.exercise
        opening = decision_pb2.OutcomeOpening(
            recipient_index=row.position, salt=row.salt, outcome=row.outcome
        )
        try:
            outcome = open_outcome(opened, opening, signers=signers)  # (1)
        except EnvelopeError as error:
            committed = error.reason != "COMMITMENT_MISMATCH"
            fault = Fault.OUTCOME_MALFORMED if committed else Fault.OUTCOME_COMMITMENT
            self._report.add(fault, where, error.message)
            return None
        self._report.counts["outcomes"] += 1
        columns = {
            "recipient": outcome.recipient,
            "exercise": exercise,
            "inbox_position": outcome.inbox_position or None,
            "disposition": outcome.decision.disposition,
            "agreement_id": outcome.agreement_id,
            "agreement_digest": outcome.context.agreement_digest,
        }
        for name, value in columns.items():  # (2)
            if getattr(row, name) != value:
                self._report.add(
                    Fault.OUTCOME_COLUMNS, where, f"column {name} differs from the outcome"
                )
        self._context(outcome, expected, where)  # (3)
        self._dues(outcome, expected, where)
        self._decision(opened, opening, outcome, where)  # (4)
        refused = outcome.decision.disposition == decision_pb2.DISPOSITION_REFUSED
        if refused != (outcome.inbox_position == 0):  # (5)
            self._report.add(
                Fault.INBOX_NUMBER, where, "it is delivered though refused, or the reverse"
            )
        elif not refused:
            self._inboxes.deliver(
                outcome.recipient,
                exercise=exercise,
                position=outcome.inbox_position,
                where=where,
            )
        return outcome

    def _context(self, outcome: decision_pb2.Outcome, expected: Decided, where: str) -> None:
        stated = outcome.context
        then = decision_pb2.DecisionContext.FromString(expected.context)
        if stated != then:
            differing = [
                field.name
                for field in stated.DESCRIPTOR.fields
                if getattr(stated, field.name) != getattr(then, field.name)
            ]
            self._report.add(
                Fault.CONTEXT,
                where,
                f"it rested on another {', '.join(differing)} than the log had at that time",
            )

    def _dues(self, outcome: decision_pb2.Outcome, expected: Decided, where: str) -> None:
        """Compare what is due. Not the instant: rules of time zones change, and it stands."""
        stated = decision_pb2.Outcome(
            due_dates=outcome.due_dates, pending_terms=outcome.pending_terms
        )
        then = decision_pb2.Outcome.FromString(expected.dues)
        for due in (*then.due_dates, *stated.due_dates):
            due.ClearField("due_time")
        if then != stated:
            self._report.add(
                Fault.PROCEDURE, where, "other deadlines follow from the agreement than it states"
            )

    def _decision(
        self,
        opened: OpenedEntry,
        opening: decision_pb2.OutcomeOpening,
        outcome: decision_pb2.Outcome,
        where: str,
    ) -> None:
        digest = outcome.context.agreement_digest
        agreement = self._registry.by_digest(digest)
        agreements = {} if agreement is None else {digest: agreement}
        try:
            replay = replay_decision(opened, opening, outcome, agreements)
        except RogatoryError as error:
            self._report.add(Fault.DECISION, where, error.message)
            return
        if replay is None:
            self._report.add(Fault.DECISION, where, "its agreement was never entered in the log")
        elif not replay.agrees:
            self._report.add(
                Fault.DECISION, where, f"decided again, it is: {summarise(replay.computed)}"
            )
        else:
            self._report.counts["decisions"] += 1
