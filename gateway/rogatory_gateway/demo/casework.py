"""What an agency knows of procedures, from what it sent and received alone.

Requests and the operation stand as the library's rules have them after each verified message, so
that the gateway's word can be held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from google.protobuf.message import Message

from rogatory.assistance.v1 import (
    answer_pb2,
    consent_pb2,
    deadline_pb2,
    handover_pb2,
    operation_pb2,
    refusal_pb2,
    request_form_pb2,
)
from rogatory.clock import to_nanoseconds
from rogatory.envelopes import OpenedEnvelope
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import operations, requests
from rogatory.procedures.board import Board
from rogatory.procedures.matching import AlertIndex, Match
from rogatory.records.v1 import alert_pb2, common_pb2

Reference: TypeAlias = common_pb2.MessageReference
Key: TypeAlias = tuple[str, str, str]
"""Sender and message_id of a request, and the agency asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message that was sent or received, as procedures look at it.

    Attributes:
        envelope: Header and reference.
        contents: Contents of its parts; None for one that is not here.
        outcomes: By recipient, those that this agency may see and that did not refuse it.
        officers: Pseudonyms of the officers who signed it.
        index, entry_time: Of its entry.
    """

    envelope: OpenedEnvelope
    contents: Sequence[Message | None]
    outcomes: dict[str, decision_pb2.Outcome]
    index: int
    entry_time: int
    officers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement on a hand-over that was received.

    Attributes:
        message: In which message.
        said: What it says.
        officers: Pseudonyms of the officers who signed it.
    """

    message: Reference
    said: handover_pb2.Handover
    officers: frozenset[str]


@dataclass(slots=True)
class Casework:
    """Requests, the operation, consents, alerts and hand-overs of one agency.

    Attributes:
        agency: Whose they are.
        requests: How each request stands.
        due: What is due of a request, by the outcome of its REQUEST.
        forms: By record id of the form, the request and what it says.
        refusals: Requests of this agency's that were refused, with the ground.
        contacts: Where agencies asked urgently can be reached, as the reply said.
        operation: The operation; unset until it is founded.
        offered: What this agency may contribute and receive in it.
        state: How the operation stands, for its lead.
        closed: Whether this agency heard of its end.
        board: What the operation reached, from the reports received.
        asked: A request for consent received.
        consent: A consent received.
        statements: The last statement on a hand-over that was received, by stage.
        alerts: What to watch for.
        matches: Records received that match, until they are told.
        hits: Hits received: who found it, by which message, and what.
        erased: Who confirmed an erasure.
    """

    agency: str
    requests: dict[Key, procedure_pb2.RequestStanding] = field(default_factory=dict)
    due: dict[Key, list[deadline_pb2.DueDate]] = field(default_factory=dict)
    forms: dict[str, tuple[Reference, request_form_pb2.AssistanceRequest]] = field(
        default_factory=dict
    )
    refusals: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[str, str] = field(default_factory=dict)
    operation: Reference | None = None
    offered: envelope_pb2.MemberTerms | None = None
    state: operations.OperationState | None = None
    closed: bool = False
    board: Board = field(default_factory=Board)
    asked: tuple[Reference, consent_pb2.ConsentRequest] | None = None
    consent: tuple[Reference, consent_pb2.Consent] | None = None
    statements: dict[int, Statement] = field(default_factory=dict)
    alerts: AlertIndex = field(default_factory=AlertIndex)
    matches: list[Match] = field(default_factory=list)
    hits: list[tuple[Reference, alert_pb2.AlertHit]] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)

    def received(self, seen: Seen) -> None:
        """Take in a message that was received and verified."""
        header, reference = seen.envelope.header, seen.envelope.reference
        self._follow(seen)
        for content in filter(None, seen.contents):
            self.matches += self.alerts.match(
                content, message=reference, entry_time=seen.entry_time
            )
            match content:
                case alert_pb2.Alerts():
                    until = header.alert.valid_until_time
                    self.alerts.add(
                        content,
                        message=reference,
                        entry_time=seen.entry_time,
                        valid_until=to_nanoseconds(until),
                    )
                case alert_pb2.AlertHits():
                    self.hits += [(reference, hit) for hit in content.hits]
                case consent_pb2.ConsentRequest():
                    self.asked = reference, content
                case consent_pb2.Consent():
                    self.consent = reference, content
                case handover_pb2.Handover():
                    self.statements[content.stage] = Statement(
                        message=reference, said=content, officers=seen.officers
                    )
                case answer_pb2.Answer():
                    self._refused(header.sender, content)
        if header.kind == codes_pb2.KIND_RECALL and header.subject.confirmation:
            self.erased.add(header.sender)

    def sent(self, seen: Seen) -> None:
        """Take in a message that this agency sent and that was admitted."""
        self._follow(seen)

    def _follow(self, seen: Seen) -> None:
        header, reference = seen.envelope.header, seen.envelope.reference
        if header.kind == codes_pb2.KIND_REQUEST:
            for content in seen.contents:
                if isinstance(content, request_form_pb2.AssistanceRequest):
                    self.forms[content.record_id] = reference, content
            for asked, outcome in seen.outcomes.items():
                self._begin((header.sender, header.message_id, asked), header, outcome)
        elif header.kind == codes_pb2.KIND_UPDATE:
            request = header.update.request
            for recipient in seen.outcomes:
                asked = recipient if request.sender == header.sender else header.sender
                key = request.sender, request.message_id, asked
                self.requests[key] = requests.advance(self.requests[key], header)
        elif header.kind == codes_pb2.KIND_OPERATION:
            self._operation(seen)

    def _begin(self, key: Key, header: envelope_pb2.Header, outcome: decision_pb2.Outcome) -> None:
        hours = outcome.decision.obligations.confirm_in_writing_within_hours
        standing = requests.begin(header, asked=key[2], confirm_in_writing_within_hours=hours)
        standing.pending.extend(outcome.pending_terms)
        self.requests[key] = standing
        self.due[key] = list(outcome.due_dates)

    def _operation(self, seen: Seen) -> None:
        header, reference = seen.envelope.header, seen.envelope.reference
        said = header.operation_step
        founded = said.step == envelope_pb2.OPERATION_STEP_FOUND
        for terms in said.terms:
            if terms.agency == self.agency and header.sender != self.agency:
                self.operation = reference if founded else header.operation
                self.offered = terms
        if founded and header.sender == self.agency:
            self.operation = reference
            self.state = operations.found(
                header, seen.entry_time, reached=seen.outcomes, founding=reference
            )
        elif self.state is not None:
            self.state = operations.step(self.state, header, seen.entry_time, reached=seen.outcomes)
        self.closed = self.closed or said.step == envelope_pb2.OPERATION_STEP_CLOSE
        for content in seen.contents:
            if isinstance(content, operation_pb2.OperationUpdate):
                self.board.add(header.sender, seen.entry_time, reference, content, index=seen.index)

    def _refused(self, sender: str, answer: answer_pb2.Answer) -> None:
        for refusal in answer.refusals:
            self.refusals.append(
                {
                    "by": sender,
                    "ground": refusal_pb2.RefusalGround.Name(refusal.ground).removeprefix(
                        "REFUSAL_GROUND_"
                    ),
                    "article": refusal.article,
                    "reasons": refusal.reasons,
                    "next_step": refusal.next_step,
                }
            )
