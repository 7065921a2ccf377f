"""Requests asked and answered, step by step, and held against what the gateway says of them."""

from __future__ import annotations

import time
from typing import Any

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_service_pb2
from rogatory_gateway.demo import answers, cases, cast, content
from rogatory_gateway.demo.acting import OFFENCES, Result, result
from rogatory_gateway.demo.desk import Desk

_ANSWERS = frozenset(
    {
        deadline_pb2.DEADLINE_KIND_ANSWER,
        deadline_pb2.DEADLINE_KIND_ANSWER_URGENT_DIRECT,
        deadline_pb2.DEADLINE_KIND_ANSWER_URGENT_INDIRECT,
    }
)


async def ask(desk: Desk, order: Result) -> Result:
    """Ask another agency for assistance, about hosts received."""
    batch = []
    for name in order["cases"]:
        case = cases.CASES[name]
        needed_by = (
            clock.to_timestamp(time.time_ns() + case.within * clock.NANOSECONDS_PER_SECOND)
            if case.within
            else None
        )
        form = cases.form(name, subjects=sorted(desk.memory.hosts))
        draft = Draft(
            kind=codes_pb2.KIND_REQUEST,
            purpose=codes_pb2.PURPOSE_INVESTIGATION,
            recipients=[recipient(case.asked, cast.JOINT, case.article)],
            offences=OFFENCES,
            urgency=case.urgency,
            operation=desk.operation,
            particulars=envelope_pb2.RequestParticulars(
                assistance_kind=case.kind, respond_by_time=needed_by
            ),
        )
        reason = content.context(
            desk.agency,
            "duty",
            case=f"{desk.agency[:2].upper()}-2026/077",
            justification=case.facts,
        )
        batch.append(desk.build(draft, reason, form, signers=desk.signers("duty")))
    return result(await desk.send(*batch))


async def take_steps(desk: Desk, order: Result) -> Result:
    """Take a step of each request named, from the request as it was sent or received."""
    batch = []
    for name, taken in order["steps"]:
        case = cases.CASES[name]
        request, form = desk.memory.casework.forms[cases.form_id(name)]
        if taken == "execute late":
            # The gateway tells when the time has run out: what is late is late by its clock.
            await desk.overdue((request.sender, request.message_id, desk.agency))
        said, answer = answers.step(name, taken, request, form)
        draft = answers.draft(
            request,
            said,
            to=case.asked if desk.agency == case.asking else case.asking,
            basis=(cast.JOINT, "Art. 8(4)"),
            operation=desk.operation,
        )
        batch.append(desk.build(draft, answer, signers=desk.signers("duty")))
    return result(await desk.send(*batch))


async def review(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """Hold every request made or received against the gateway's word; return those made.

    Raises:
        AssertionError: The gateway says otherwise of one, or knows of others.
    """
    casework = desk.memory.casework
    told = [status async for status in desk.client.list_requests(ended=True)]
    for status in told:
        own = casework.requests[
            (
                status.request.sender,
                status.request.message_id,
                status.standing.asked_agency,
            )
        ]
        assert own == status.standing, f"{desk.agency}: {own} is not {status.standing}"
    assert len(told) == len(casework.requests)
    return {
        "requests": [
            _row(status) for status in told if status.standing.asking_agency == desk.agency
        ],
        "refusals": casework.refusals,
        "contacts": casework.contacts,
    }


def _row(status: procedure_service_pb2.RequestStatus) -> dict[str, Any]:
    standing = status.standing
    answered = [due.state for due in status.due if due.due_date.kind in _ANSWERS]
    return {
        "asking": standing.asking_agency,
        "asked": standing.asked_agency,
        "kind": _name(request_pb2.AssistanceKind, standing.assistance_kind),
        "state": _name(request_pb2.RequestState, standing.state),
        "urgency": _name(codes_pb2.Urgency, status.urgency),
        "answer": _name(deadline_pb2.DueState, answered[0]) if answered else "",
        "conditional": standing.conditional,
    }


def _name(enum: Any, number: int) -> str:  # noqa: ANN401 - the wrapper of an enum
    """Return an enum value without the prefix that all of its values share."""
    prefix: str = enum.Name(0).removesuffix("UNSPECIFIED")
    name: str = enum.Name(number)
    return name.removeprefix(prefix)
