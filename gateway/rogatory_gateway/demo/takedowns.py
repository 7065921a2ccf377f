"""Hosts analysed and taken down: the desk asks, agencies and partners answer from what they got."""

from __future__ import annotations

from collections.abc import Sequence

from rogatory.assistance.v1 import request_pb2
from rogatory.client import Draft, handling, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2, indicator_pb2
from rogatory_gateway.demo import cast, content
from rogatory_gateway.demo.acting import (
    CASE,
    HOSTS_IN_A_PART,
    OFFENCES,
    REPORTS_IN_A_PART,
    Result,
    days_on,
    now,
    parts,
    result,
)
from rogatory_gateway.demo.desk import Desk
from rogatory_gateway.demo.hosts import Host, rank
from rogatory_gateway.demo.memory import Received


async def ask_analysis(desk: Desk, order: Result) -> Result:
    """The desk sends some of the hosts to one agency for analysis."""
    chosen = sorted((Host(*row) for row in order["hosts"]), key=lambda host: rank(host.value))
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(cast.ANALYST, cast.ANALYSIS, "1")],
        offences=OFFENCES,
        handling=handling(
            tlp=common_pb2.TLP_AMBER, onward_transfer=codes_pb2.ONWARD_TRANSFER_NEVER
        ),
        operation=desk.operation,
    )
    reason = content.context(
        desk.agency, "duty", case=CASE, justification="Which of these command infected machines?"
    )
    return result(
        await desk.send(
            *(
                desk.build(draft, reason, content.indicators(part, now=now()))
                for part in parts(chosen[: order["count"]], HOSTS_IN_A_PART)
            )
        )
    )


async def analyse(desk: Desk, order: Result) -> Result:
    """The analyst answers with those it confirmed as C2 servers: the best-ranked it received."""
    material = desk.memory.analysed.values()
    chosen = sorted(material, key=lambda item: rank(item.host.value))[: order["count"]]
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(cast.COORDINATOR, cast.ANALYSIS, "2")],
        offences=OFFENCES,
        in_reply_to=desk.memory.material,
        operation=desk.operation,
    )
    reason = content.context(desk.agency, "duty", case="HK-2026/117")
    found = _reported(chosen, indicator_pb2.INDICATOR_STATUS_CONFIRMED)
    for item in found.indicators:
        item.role = indicator_pb2.INDICATOR_ROLE_COMMAND_AND_CONTROL
        item.confidence = 95
    envelope = desk.build(draft, reason, found, signers=desk.signers("head"))
    return result(await desk.send(envelope))


async def ask_takedowns(desk: Desk, order: Result) -> Result:
    """The desk asks each private partner to take down what lies with it; two officers sign."""
    batch = []
    for firm in cast.PARTNERS:
        found = [item.host for item in desk.memory.hosts.values() if item.keeper == firm] + [
            Host(*row) for row in order["hosts"] if content.keeper(row[1]) == firm
        ]
        listed = content.indicators(sorted(set(found)), now=now())
        if not listed.indicators:
            continue
        draft = Draft(
            kind=codes_pb2.KIND_REQUEST,
            purpose=codes_pb2.PURPOSE_PREVENTION,
            recipients=[recipient(firm, cast.PARTNERSHIPS[firm], "2.1")],
            offences=OFFENCES,
            urgency=codes_pb2.URGENCY_URGENT,
            handling=handling(
                tlp=common_pb2.TLP_AMBER, onward_transfer=codes_pb2.ONWARD_TRANSFER_NEVER
            ),
            particulars=envelope_pb2.RequestParticulars(
                assistance_kind=request_pb2.ASSISTANCE_KIND_TAKEDOWN,
                respond_by_time=days_on(1),
            ),
            operation=desk.operation,
        )
        reason = content.context(
            desk.agency, "duty", case=CASE, justification="Hosts on your network steal credentials."
        )
        form = content.takedown_request(firm, [item.record_id for item in listed.indicators])
        batch.append(desk.build(draft, reason, form, listed, signers=desk.signers("duty", "head")))
    return result(await desk.send(*batch))


async def answer_takedowns(desk: Desk, order: Result) -> Result:
    """A private partner takes down the best-ranked of what it was asked, and answers."""
    sent = []
    left: int = order["count"]
    for request, listed in desk.memory.requests:
        chosen = sorted(listed, key=lambda item: rank(item.host.value))[:left]
        left -= len(chosen)
        if not chosen:
            continue
        answer = content.takedown_answer(
            request,
            [item.record_id for item in chosen],
            partly=len(chosen) < len(listed),
            now=now(),
        )
        draft = Draft(
            kind=codes_pb2.KIND_UPDATE,
            purpose=codes_pb2.PURPOSE_PREVENTION,
            recipients=[recipient(cast.COORDINATOR, cast.PARTNERSHIPS[desk.agency], "2.2")],
            offences=OFFENCES,
            in_reply_to=request,
            particulars=envelope_pb2.UpdateParticulars(request=request, step=answer.step),
            operation=desk.operation,
        )
        desk.memory.took_down += [item.record_id for item in chosen]
        down = _reported(chosen, indicator_pb2.INDICATOR_STATUS_TAKEN_DOWN)
        sent.append(await desk.send(desk.build(draft, answer, down)))
    return result(*sent)


def mine(desk: Desk) -> list[Received]:
    """Return what this agency can take down of what it received, best-ranked first."""
    country = next(member.country for member in cast.MEMBERS if member.agency_id == desk.agency)
    if desk.agency in cast.PARTNERS:
        found = [item for _, listed in desk.memory.requests for item in listed]
    else:
        found = [
            item
            for item in desk.memory.hosts.values()
            if item.country == country and not item.keeper
        ]
    return sorted(found, key=lambda item: rank(item.host.value))


async def count_mine(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """Say how many hosts it received that it can take down."""
    return {"count": len(mine(desk))}


async def report_down(desk: Desk, order: Result) -> Result:
    """An agency reports what it took down: the best-ranked of what is in its country."""
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(cast.COORDINATOR, cast.JOINT, "Art. 4")],
        offences=OFFENCES,
        operation=desk.operation,
    )
    chosen = mine(desk)[: order["count"]]
    desk.memory.took_down += [item.record_id for item in chosen]
    return result(
        await desk.send(
            *(
                desk.build(draft, _reported(part, indicator_pb2.INDICATOR_STATUS_TAKEN_DOWN))
                for part in parts(chosen, REPORTS_IN_A_PART)
            )
        )
    )


def _reported(
    chosen: Sequence[Received], status: indicator_pb2.IndicatorStatus.ValueType
) -> indicator_pb2.Indicators:
    """Return indicators under the ids they came with, as they stand now."""
    found = indicator_pb2.Indicators()
    for item in chosen:
        reported = found.indicators.add(
            record_id=item.record_id,
            type=item.host.type,
            value=item.host.value,
            malware_family=item.host.family,
            status=status,
        )
        if status == indicator_pb2.INDICATOR_STATUS_TAKEN_DOWN:
            reported.takedown_time.CopyFrom(now())
    return found
