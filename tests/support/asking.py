"""Requests and their steps in a case, under an agreement whose deadlines are in hours."""

from __future__ import annotations

from rogatory.assistance.v1 import refusal_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory_gateway.ledger.items import MessageItem
from tests.support.case import ASKED, ASKING, Case, reference

IN_HOURS = """\
agreement_id: pact
version: 1
title: Everything, with deadlines in hours
parties: [{agency: de.bka}, {agency: fr.pj}, {agency: nl.politie}, {agency: ro.police}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: all
    article: Art. 1
    effect: permit
    conditions:
      deadlines:
        - {urgency: immediate_danger, within: 1 hour}
        - {urgency: urgent, within: 8 hours}
        - {urgency: routine, within: 40 hours}
        - {urgency: routine, kind: clarification, within: 4 hours}
"""

ROUTINE, URGENT = codes_pb2.URGENCY_ROUTINE, codes_pb2.URGENCY_URGENT
DANGER = codes_pb2.URGENCY_IMMEDIATE_DANGER
INFORMATION = request_pb2.ASSISTANCE_KIND_INFORMATION


def ask(
    case: Case,
    *asked: str,
    sender: str = ASKING,
    urgency: codes_pb2.Urgency.ValueType = ROUTINE,
    kind: request_pb2.AssistanceKind.ValueType = INFORMATION,
    exercise: bool = False,
) -> MessageItem:
    """Enter a request without measures."""

    def fill(head: envelope_pb2.Header) -> None:
        head.request.assistance_kind = kind
        head.urgency = urgency
        head.exercise = exercise

    return case.enter(sender, *(asked or (ASKED,)), kind=codes_pb2.KIND_REQUEST, fill=fill)


def step(
    case: Case,
    request: MessageItem,
    taken: request_pb2.RequestStep.ValueType,
    *,
    sender: str = ASKED,
    to: str = ASKING,
) -> MessageItem:
    """Take a step of a request."""

    def fill(head: envelope_pb2.Header) -> None:
        head.update.request.CopyFrom(reference(request))
        head.update.step = taken
        head.exercise = request.opened.header.exercise
        if taken == request_pb2.REQUEST_STEP_REFUSE:
            head.update.refusal_grounds.append(refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE)

    return case.enter(sender, to, kind=codes_pb2.KIND_UPDATE, fill=fill)
