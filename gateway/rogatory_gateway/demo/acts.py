"""What agencies do in the joint operation, each in its own process and from what it received."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock
from rogatory.assistance.v1 import request_pb2
from rogatory.client import Draft, handling, recipient
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2, indicator_pb2
from rogatory_gateway.demo import cast, content, persons
from rogatory_gateway.demo.desk import Desk, Sent
from rogatory_gateway.demo.hosts import Host, rank
from rogatory_gateway.demo.memory import Received

HOSTS_IN_A_PART = 200
REPORTS_IN_A_PART = 500
NOTICES_TOGETHER = 16
"""Messages of notices built before they are sent: some 1.5 MiB."""
CASE = "LL-2026/001"
OFFENCES = ("0701", "09031")

Result = dict[str, Any]
Act = Callable[[Desk, Result], Awaitable[Result]]


def _retention(days: int) -> Timestamp:
    return clock.to_timestamp(
        time.time_ns() + timedelta(days=days) // timedelta(microseconds=1) * 1000
    )


def now() -> Timestamp:
    """Return the time as the records carry it."""
    return clock.to_timestamp(time.time_ns())


def result(*sent: Sent, **more: Any) -> Result:  # noqa: ANN401 - JSON values
    """Return what the play is told of messages sent."""
    return {
        "sent": sum(len(item.messages) for item in sent),
        "refusals": [row for item in sent for row in item.refusals],
        **more,
    }


async def report(desk: Desk, order: Result) -> Result:
    """A private partner reports hosts that it observed itself."""
    found = [Host(*row) for row in order["hosts"]]
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_PREVENTION,
        recipients=[recipient(cast.COORDINATOR, cast.PARTNERSHIPS[desk.agency], "1.1")],
        offences=OFFENCES,
        handling=handling(tlp=common_pb2.TLP_GREEN),
    )
    return result(
        await desk.send(
            *(
                desk.build(draft, content.indicators(part, now=now()))
                for part in _parts(found, REPORTS_IN_A_PART)
            )
        )
    )


_TIERS: dict[common_pb2.Tlp.ValueType, frozenset[int]] = {
    common_pb2.TLP_GREEN: frozenset({indicator_pb2.INDICATOR_TYPE_DOMAIN}),
    common_pb2.TLP_AMBER: frozenset(
        {
            indicator_pb2.INDICATOR_TYPE_IPV4,
            indicator_pb2.INDICATOR_TYPE_IPV6,
            indicator_pb2.INDICATOR_TYPE_HOST_PORT,
        }
    ),
    common_pb2.TLP_AMBER_STRICT: frozenset({indicator_pb2.INDICATOR_TYPE_URL}),
}
"""How far each type of host may be shared: what points into a server least far."""


async def disseminate(desk: Desk, order: Result) -> Result:
    """The desk sends all hosts, its own and those that partners reported, to the agencies.

    Each TLP label's first message goes to all of them, and the gateway says to whom the agreement
    permits it; the others go to those alone.
    """
    own = [Host(*row) for row in order["hosts"]]
    reported = [item.host for item in desk.memory.hosts.values()]
    everything = sorted({host.value: host for host in (*own, *reported)}.values())
    sent = []
    for tlp, types in _TIERS.items():
        parts = _parts([host for host in everything if host.type in types], HOSTS_IN_A_PART)
        audience = [member.agency_id for member in cast.NATIONAL]
        for first, group in ((True, parts[:1]), (False, parts[1:])):
            if group:
                batch = [
                    _batch(desk, tlp, number, part, audience, first=first)
                    for number, part in enumerate(group)
                ]
                sent.append(await desk.send(*batch))
            if first and group:
                audience = [
                    outcome.recipient
                    for outcome in sent[-1].messages[0].outcomes
                    if outcome.decision.disposition != decision_pb2.DISPOSITION_REFUSED
                ]
    return result(*sent, hosts=len(everything))


def _batch(
    desk: Desk,
    tlp: common_pb2.Tlp.ValueType,
    number: int,
    part: Sequence[Host],
    audience: Sequence[str],
    *,
    first: bool,
) -> bytes:
    strict = tlp == common_pb2.TLP_AMBER_STRICT
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(agency, cast.JOINT, "Art. 3") for agency in audience],
        offences=OFFENCES,
        handling=handling(
            tlp=tlp,
            onward_transfer=(
                codes_pb2.ONWARD_TRANSFER_NEVER
                if strict
                else codes_pb2.ONWARD_TRANSFER_WITH_CONSENT
            ),
            retention_end_time=None if tlp == common_pb2.TLP_GREEN else _retention(89),
        ),
    )
    contents = [
        content.context(desk.agency, "duty", case=CASE),
        content.indicators(part, now=now()),
    ]
    if tlp == common_pb2.TLP_AMBER:
        # From whom a server was rented: not every party may get that.
        contents.append(content.accounts(-1 if first else number))
    return desk.build(draft, *contents)


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
    )
    reason = content.context(
        desk.agency, "duty", case=CASE, justification="Which of these command infected machines?"
    )
    return result(
        await desk.send(
            *(
                desk.build(draft, reason, content.indicators(part, now=now()))
                for part in _parts(chosen[: order["count"]], HOSTS_IN_A_PART)
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
    )
    reason = content.context(desk.agency, "duty", case="HK-2026/117")
    found = _reported(chosen, indicator_pb2.INDICATOR_STATUS_CONFIRMED)
    for item in found.indicators:
        item.role = indicator_pb2.INDICATOR_ROLE_COMMAND_AND_CONTROL
        item.confidence = 95
    envelope = desk.build(draft, reason, found, signers=desk.signers("head"))
    return result(await desk.send(envelope))


async def ask_takedowns(desk: Desk, order: Result) -> Result:
    """The desk asks each private partner to take down what lies with it; a second officer signs."""
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
                respond_by_time=_retention(1),
            ),
        )
        reason = content.context(
            desk.agency, "duty", case=CASE, justification="Hosts on your network steal credentials."
        )
        form = content.takedown_request(firm, [item.record_id for item in listed.indicators])
        batch.append(desk.build(draft, reason, form, listed, signers=desk.signers("head")))
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
        )
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
    )
    chosen = mine(desk)[: order["count"]]
    return result(
        await desk.send(
            *(
                desk.build(draft, _reported(part, indicator_pb2.INDICATOR_STATUS_TAKEN_DOWN))
                for part in _parts(chosen, REPORTS_IN_A_PART)
            )
        )
    )


async def notify(desk: Desk, order: Result) -> Result:
    """The desk sends notices to victims to the agencies that can reach them."""
    sent = []
    batch: list[bytes] = []
    for agency, notices in content.victims(order["count"]):
        draft = Draft(
            kind=codes_pb2.KIND_TRANSFER,
            purpose=codes_pb2.PURPOSE_VICTIM_PROTECTION,
            recipients=[recipient(agency, cast.JOINT, "Art. 7")],
            offences=OFFENCES,
            handling=handling(onward_transfer=codes_pb2.ONWARD_TRANSFER_NEVER),
        )
        batch.append(desk.build(draft, notices))
        if len(batch) == NOTICES_TOGETHER:
            sent.append(await desk.send(*batch))
            batch = []
    return result(*sent, await desk.send(*batch))


_BASES = {
    "vn.police": (("th.police", cast.NEIGHBOURS, "Art. 4"), ("lk.police", cast.BILATERAL, "II.1")),
    "lk.police": (("vn.police", cast.BILATERAL, "II.1"),),
    "th.police": (
        ("vn.police", cast.NEIGHBOURS, "Art. 4"),
        ("kh.police", cast.NEIGHBOURS, "Art. 4"),
        ("la.police", cast.NEIGHBOURS, "Art. 4"),
    ),
}


async def arrests(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """An agency tells partners and the desk whom it arrested.

    One message, each recipient under its own agreement: fingerprints reach those whose agreement
    permits them with a second approval, a note on health reaches nobody.
    """
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[
            recipient(cast.COORDINATOR, cast.JOINT, "Art. 5"),
            *(recipient(*basis) for basis in _BASES[desk.agency]),
        ],
        offences=["0701"],
    )
    reason = content.context(
        desk.agency,
        "duty",
        case=f"{desk.agency[:2].upper()}-2026/032",
        justification="Arrested in the operation; links to cases of yours are likely.",
    )
    envelope = desk.build(
        draft,
        reason,
        persons.suspects(desk.agency),
        persons.fingerprints(desk.agency, 2),
        persons.health_notes(desk.agency),
        signers=desk.signers("duty", "head"),
    )
    return result(await desk.send(envelope))


async def seizures(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """An agency lists what it seized."""
    items = (
        content.servers(desk.agency, now=now())
        if desk.agency in content.SERVERS
        else content.finds(now=now())
    )
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(cast.COORDINATOR, cast.JOINT, "Art. 6")],
        offences=OFFENCES,
    )
    reason = content.context(desk.agency, "duty", case=f"{desk.agency[:2].upper()}-2026/041")
    return result(await desk.send(desk.build(draft, reason, items)))


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


def _parts(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


ACTS: dict[str, Act] = {
    act.__name__: act
    for act in (
        report,
        disseminate,
        ask_analysis,
        analyse,
        ask_takedowns,
        answer_takedowns,
        count_mine,
        report_down,
        notify,
        arrests,
        seizures,
    )
}
