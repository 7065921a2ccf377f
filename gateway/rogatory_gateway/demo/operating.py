"""The joint operation itself: founded, joined, left and closed by OPERATION messages."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from rogatory import particulars
from rogatory.assistance.v1 import operation_pb2, request_form_pb2
from rogatory.client import Draft, handling, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures.contributions import EVERY_KIND
from rogatory.records.v1 import common_pb2, offence_pb2
from rogatory_gateway.demo import cast, content, results
from rogatory_gateway.demo.acting import OFFENCES, Result, days_on, now, result
from rogatory_gateway.demo.desk import Desk

_DAYS = 180
_KIND = operation_pb2.ContributionKind
_PARTNERS_CONTRIBUTE = (
    _KIND.CONTRIBUTION_KIND_INDICATORS,
    _KIND.CONTRIBUTION_KIND_REQUESTS,
)
_PARTNERS_RECEIVE = (
    *_PARTNERS_CONTRIBUTE,
    _KIND.CONTRIBUTION_KIND_TAKEDOWNS,
)
_DESK_ALONE = frozenset({_KIND.CONTRIBUTION_KIND_TAKEDOWNS, _KIND.CONTRIBUTION_KIND_VICTIM_NOTICES})
"""What only the desk sends: orders to partners, and notices."""
LATECOMER = cast.PAYLINE
"""Invited once the others have joined, and the one that leaves before the end."""


def basis(agency: str) -> tuple[str, str]:
    """Return agreement and article under which desk and member exchange OPERATION messages."""
    if agency in cast.PARTNERSHIPS:
        return cast.PARTNERSHIPS[agency], "1.2"
    return cast.JOINT, "Art. 2"


def terms(agency: str) -> envelope_pb2.MemberTerms:
    """Return what a member may contribute and receive: a partner indicators and takedowns only."""
    if agency in cast.PARTNERS:
        return envelope_pb2.MemberTerms(
            agency=agency, contributes=_PARTNERS_CONTRIBUTE, receives=_PARTNERS_RECEIVE
        )
    return envelope_pb2.MemberTerms(
        agency=agency,
        contributes=[kind for kind in EVERY_KIND if kind not in _DESK_ALONE],
        receives=[kind for kind in EVERY_KIND if kind != _KIND.CONTRIBUTION_KIND_TAKEDOWNS],
    )


def _member(agency: str) -> operation_pb2.OperationMember:
    said = terms(agency)
    return operation_pb2.OperationMember(
        agency=agency, contributes=said.contributes, receives=said.receives
    )


def founding(members: list[str]) -> operation_pb2.OperationFounding:
    """Return the founding document."""
    return operation_pb2.OperationFounding(
        record_id=content.record_id("operation"),
        names=[common_pb2.NameText(text=content.OPERATION, script="Latn", language="en")],
        lead=cast.COORDINATOR,
        members=[_member(agency) for agency in members],
        offences=[offence_pb2.Offence(iccs_code=code) for code in OFFENCES],
        objective=(
            "To end the theft of credentials by information-stealing malware: find its hosts, take"
            " them down, arrest those behind it, and tell its victims."
        ),
        valid_from_time=now(),
        valid_until_time=days_on(_DAYS),
        instruments=[
            request_form_pb2.Instrument(
                name="United Nations Convention against Transnational Organized Crime",
                article="Art. 19",
            )
        ],
        rules="Results are reported in signed messages; the board is their sum.",
    )


def _step(
    desk: Desk,
    step: envelope_pb2.OperationStep.ValueType,
    to: Sequence[str],
    part: Message,
) -> bytes:
    draft = Draft(
        kind=codes_pb2.KIND_OPERATION,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[
            recipient(agency, *basis(desk.agency if desk.agency != cast.COORDINATOR else agency))
            for agency in to
        ],
        offences=OFFENCES,
        handling=handling(tlp=common_pb2.TLP_AMBER),
        operation=desk.operation,
        particulars=particulars.complete(envelope_pb2.OperationParticulars(step=step), [part]),
    )
    return desk.build(draft, part, signers=desk.signers("head"))


async def found(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The desk founds the operation and invites all but one, each on terms of its own."""
    members = [
        member.agency_id
        for member in cast.MEMBERS
        if member.agency_id not in {desk.agency, LATECOMER}
    ]
    step = envelope_pb2.OPERATION_STEP_FOUND
    data = _step(desk, step, members, founding(members))
    return result(await desk.send(data))


async def invite(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The desk invites a partner that was not there from the start."""
    part = operation_pb2.OperationInvitation(
        members=[_member(LATECOMER)], reason="It can say which hosts took payments."
    )
    step = envelope_pb2.OPERATION_STEP_INVITE
    return result(await desk.send(_step(desk, step, [LATECOMER], part)))


async def join(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """Who was invited joins, on the terms it was offered."""
    offered = desk.memory.casework.offered
    assert offered is not None
    part = operation_pb2.OperationJoining(
        member=operation_pb2.OperationMember(
            agency=desk.agency, contributes=offered.contributes, receives=offered.receives
        ),
        contact=common_pb2.Official(name="duty", agency=desk.agency),
    )
    step = envelope_pb2.OPERATION_STEP_JOIN
    return result(await desk.send(_step(desk, step, [cast.COORDINATOR], part)))


async def report_results(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """A member reports what it reached; the desk tells the analyst what it brought itself."""
    to = cast.ANALYST if desk.agency == cast.COORDINATOR else cast.COORDINATOR
    step = envelope_pb2.OPERATION_STEP_REPORT
    sent = [await desk.send(_step(desk, step, [to], update)) for update in results.updates(desk)]
    return result(*sent)


async def leave(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """A partner leaves once its part is done."""
    part = operation_pb2.OperationLeaving(
        reason="The payment pages are down.", settlement="Nothing is open."
    )
    step = envelope_pb2.OPERATION_STEP_LEAVE
    return result(await desk.send(_step(desk, step, [cast.COORDINATOR], part)))


async def close(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The desk closes the operation towards all who are members then."""
    state = desk.memory.casework.state
    assert state is not None
    to = [
        member.agency
        for member in state.members
        if member.state == procedure_pb2.MEMBER_STATE_MEMBER
    ]
    part = operation_pb2.OperationLeaving(reason="What was to be reached is reached.")
    return result(await desk.send(_step(desk, envelope_pb2.OPERATION_STEP_CLOSE, to, part)))


async def board(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The desk adds up the reports that it received, and holds members and reports to the gateway.

    Raises:
        AssertionError: The gateway lists other members, or a report that did not arrive.
    """
    casework = desk.memory.casework
    assert casework.operation is not None
    assert casework.state is not None
    told = await desk.client.operation(casework.operation.sender, casework.operation.message_id)
    assert list(told.members) == list(casework.state.members)
    assert told.closed == casework.state.closed
    missing = casework.board.missing(told.reports)
    assert not missing, f"reports are missing: {missing}"
    states = [procedure_pb2.MemberState.Name(member.state) for member in told.members]
    return {
        "reports": len(told.reports),
        "members": len(told.members) - 1,
        "left": states.count("MEMBER_STATE_LEFT"),
        "closed": told.closed,
        "results": [
            {"label": line.label, "total": line.total, "members": dict(line.members)}
            for line in casework.board.results()
        ],
        "data_bytes": casework.board.data_bytes(),
    }
