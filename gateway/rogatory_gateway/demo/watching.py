"""An alert, and the hit that answers it: matched by whoever may see the record, told to one."""

from __future__ import annotations

from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.procedures.matching import report_hits
from rogatory.records.v1 import alert_pb2, common_pb2
from rogatory_gateway.demo import cast, content, persons
from rogatory_gateway.demo.acting import OFFENCES, Result, days_on, result
from rogatory_gateway.demo.desk import Desk

ISSUER = "kr.police"
WATCHING = (cast.COORDINATOR, "hk.police", "jp.police", "sg.police")
"""Who is to watch: one of them is told of the arrests."""
_DAYS = 90


async def watch_for(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """An agency has others watch for a passport that it sought before anybody was arrested."""
    until = days_on(_DAYS)
    alerts = alert_pb2.Alerts(
        alerts=[
            alert_pb2.Alert(
                record_id=content.record_id("alert"),
                document=persons.wanted_passport(),
                occasions=[
                    alert_pb2.ALERT_OCCASION_BORDER_ENTRY,
                    alert_pb2.ALERT_OCCASION_EXCHANGED_RECORD,
                ],
                actions=[alert_pb2.ALERT_ACTION_REPORT],
                valid_until_time=until,
                reason="Its bearer collected what victims in Korea paid.",
                legal_basis="Order of a prosecutor (demonstration)",
            )
        ]
    )
    draft = Draft(
        kind=codes_pb2.KIND_ALERT,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient(agency, cast.JOINT, "Art. 10") for agency in WATCHING],
        offences=OFFENCES,
        operation=desk.operation,
        particulars=envelope_pb2.AlertParticulars(valid_until_time=until),
    )
    return result(await desk.send(desk.build(draft, alerts, signers=desk.signers("head"))))


async def tell_hits(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """Whoever received a record that matches tells the issuer of the alert, and nobody else."""
    casework = desk.memory.casework
    contact = common_pb2.Official(name="duty", agency=desk.agency)
    numbers = iter(range(len(casework.matches)))
    reports = report_hits(
        casework.matches,
        new_record_id=lambda: content.record_id("hit", desk.agency, next(numbers)),
        contact=contact,
    )
    casework.matches.clear()
    batch = [
        desk.build(
            Draft(
                kind=codes_pb2.KIND_ALERT,
                purpose=codes_pb2.PURPOSE_INVESTIGATION,
                recipients=[recipient(report.recipient, cast.JOINT, "Art. 10")],
                offences=OFFENCES,
                in_reply_to=report.particulars.hit_of,
                operation=desk.operation,
                particulars=report.particulars,
            ),
            report.hits,
            signers=desk.signers("duty"),
        )
        for report in reports
    ]
    return result(await desk.send(*batch))


async def count_hits(desk: Desk, order: Result) -> Result:  # noqa: ARG001 - as every act
    """The issuer says which hits it received, each linked to its alert and to what matched."""
    return {
        "hits": [
            {
                "by": reference.sender,
                "alert": hit.alert.record_id,
                "alert_message": hit.alert.message.message_id,
                "matched": hit.matched.record_id,
                "matched_sender": hit.matched.message.sender,
                "matched_message": hit.matched.message.message_id,
                "basis": alert_pb2.MatchBasis.Name(hit.basis).removeprefix("MATCH_BASIS_"),
            }
            for reference, hit in desk.memory.casework.hits
        ],
        "watching": len(WATCHING),
    }
