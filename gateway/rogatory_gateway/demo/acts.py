"""What agencies do in the joint operation, each in its own process and from what it received."""

from __future__ import annotations

from collections.abc import Sequence

from rogatory.client import Draft, handling, recipient
from rogatory.envelopes import parse_checked
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import (
    cast,
    content,
    corrections,
    handing_over,
    operating,
    persons,
    requesting,
    sharing,
    structures,
    takedowns,
    watching,
)
from rogatory_gateway.demo.acting import (
    CASE,
    HOSTS_IN_A_PART,
    OFFENCES,
    REPORTS_IN_A_PART,
    Act,
    Result,
    days_on,
    now,
    parts,
    result,
)
from rogatory_gateway.demo.desk import Desk
from rogatory_gateway.demo.hosts import Host

MESSAGES_TOGETHER = 16
"""Large messages built before they are sent: recipients verify them while more are built."""


async def report(desk: Desk, order: Result) -> Result:
    """A private partner reports hosts that it observed itself."""
    found = [Host(*row) for row in order["hosts"]]
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_PREVENTION,
        recipients=[recipient(cast.COORDINATOR, cast.PARTNERSHIPS[desk.agency], "1.1")],
        offences=OFFENCES,
        handling=handling(tlp=common_pb2.TLP_GREEN),
        operation=desk.operation,
    )
    listed = [content.indicators(part, now=now()) for part in parts(found, REPORTS_IN_A_PART)]
    desk.memory.reported += [item.record_id for part in listed for item in part.indicators]
    return result(await desk.send(*(desk.build(draft, part) for part in listed)))


async def disseminate(desk: Desk, order: Result) -> Result:
    """The desk sends all hosts, its own and those that partners reported, to the agencies.

    Each TLP label's first message goes to all of them, and the gateway says to whom the agreement
    permits it; the others go to those alone.
    """
    own = [Host(*row) for row in order["hosts"]]
    desk.memory.reported += [content.record_id("host", host.value) for host in own]
    reported = [item.host for item in desk.memory.hosts.values()]
    everything = sorted({host.value: host for host in (*own, *reported)}.values())
    sent = []
    for tlp, types in content.TIERS.items():
        batches = parts([host for host in everything if host.type in types], HOSTS_IN_A_PART)
        audience = [member.agency_id for member in cast.NATIONAL]
        for first, group in ((True, batches[:1]), (False, batches[1:])):
            for some in parts(list(enumerate(group)), MESSAGES_TOGETHER):
                batch = [
                    _batch(desk, tlp, number, part, audience, first=first) for number, part in some
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
            retention_end_time=None if tlp == common_pb2.TLP_GREEN else days_on(89),
        ),
        operation=desk.operation,
    )
    contents = [
        content.context(desk.agency, "duty", case=CASE),
        content.indicators(part, now=now()),
    ]
    if tlp == common_pb2.TLP_AMBER:
        # From whom a server was rented: not every party may get that.
        contents.append(content.accounts(0 if first else number + 1))
    return desk.build(draft, *contents)


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
            operation=desk.operation,
        )
        batch.append(desk.build(draft, notices))
        if len(batch) == MESSAGES_TOGETHER:
            sent.append(await desk.send(*batch))
            batch = []
    return result(*sent, await desk.send(*batch))


_BASES = {
    "vn.police": (("th.police", cast.NEIGHBOURS, "Art. 4"), ("lk.police", cast.BILATERAL, "II.1")),
    "lk.police": (("vn.police", cast.BILATERAL, "II.1"),),
    "th.police": (
        ("vn.police", cast.NEIGHBOURS, "Art. 4"),
        ("kh.border", cast.NEIGHBOURS, "Art. 4"),
        ("la.border", cast.NEIGHBOURS, "Art. 4"),
    ),
}


async def arrests(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """An agency tells partners and the desk whom it arrested.

    One message, each recipient under its own agreement: fingerprints reach those whose agreement
    permits them with a second approval, a note on health reaches nobody, and the company, place,
    accounts and links behind the suspects those whose agreement is about them.
    """
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[
            recipient(cast.COORDINATOR, cast.JOINT, "Art. 5"),
            *(recipient(*basis) for basis in _BASES[desk.agency]),
        ],
        offences=["0701"],
        operation=desk.operation,
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
        *structures.parts(desk.agency),
        signers=desk.signers("duty", "head"),
    )
    desk.told_of_suspects = parse_checked(envelope).reference
    return result(await desk.send(envelope))


async def correct(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """An agency corrects a record towards everyone whom it had sent it."""
    assert desk.told_of_suspects is not None
    to = [cast.COORDINATOR, *(basis[0] for basis in _BASES[desk.agency])]
    draft, part = corrections.ask(desk.told_of_suspects, to)
    return result(await desk.send(desk.build(draft, part, signers=desk.signers("duty"))))


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
        operation=desk.operation,
    )
    reason = content.context(desk.agency, "duty", case=f"{desk.agency[:2].upper()}-2026/041")
    return result(await desk.send(desk.build(draft, reason, items)))


ACTS: dict[str, Act] = {
    act.__name__: act
    for act in (
        report,
        disseminate,
        takedowns.ask_analysis,
        takedowns.analyse,
        takedowns.ask_takedowns,
        takedowns.answer_takedowns,
        takedowns.count_mine,
        takedowns.report_down,
        notify,
        arrests,
        correct,
        seizures,
        operating.found,
        operating.invite,
        operating.join,
        operating.report_results,
        operating.leave,
        operating.close,
        operating.board,
        requesting.ask,
        requesting.take_steps,
        requesting.review,
        handing_over.hand_over,
        handing_over.count_handed_over,
        sharing.share,
        sharing.pass_on,
        sharing.ask_consent,
        sharing.consent,
        sharing.tell_consent,
        sharing.recall,
        sharing.review_recall,
        sharing.name_shared,
        sharing.look_again,
        watching.watch_for,
        watching.tell_hits,
        watching.count_hits,
    )
}
