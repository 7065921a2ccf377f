"""Reports of hits: the message that tells an issuer what hit its alerts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from rogatory.cli.alert import alerts
from rogatory.cli.alert import reported as alert_reported
from rogatory.cli.bases import Basis
from rogatory.cli.desk import Desk, Handed, Label, Reasons
from rogatory.client import recipient
from rogatory.procedures.matching import Match, report_hits
from rogatory.records.v1 import common_pb2


def report(
    desk: Desk,
    watched: alerts.Watched,
    some: Sequence[Match],
    *,
    label: Label,
    reasons: Reasons,
    under: str = "",
) -> Handed:
    """Tell an issuer of hits, as the options of the desk say, and note that it was told.

    Args:
        desk: The agency's.
        watched: The message of the alerts.
        some: Hits on alerts of this message, as many as one report holds.
        label: Options of the header; it states the alert's offences where these state none.
        reasons: Options of the CONTEXT part; the officer can tell more.
        under: Legal basis; empty: the one on which the alert came.

    Raises:
        RogatoryError: As `Desk.hand_in`, and where the note cannot be written.
    """
    contact = None
    if reasons.officer:
        contact = common_pb2.Official(name=reasons.officer, agency=desk.agency)
    (made,) = report_hits(some, new_record_id=lambda: str(uuid.uuid4()), contact=contact)
    basis = Basis.parse(under) if under else Basis.of(watched.basis(desk.agency))
    draft = replace(
        label.draft("alert", offences=watched.header.offences),
        recipients=[recipient(made.recipient, basis.agreement_id, basis.article)],
        in_reply_to=watched.message,
        thread=watched.header.thread or watched.message.message_id,
        particulars=made.particulars,
        exercise=watched.header.exercise,
    )
    contents = [made.hits, *desk.context(reasons)]
    if desk.way.dry_run:
        return desk.hand_in(draft, contents)
    message_id = ""
    if not desk.way.draft:
        # Noted first: whoever stops in between finds it in the outbox, and does not report twice.
        message_id = desk.client.new_message_id()
        alert_reported.note(desk.place, message_id, some)
    handed = desk.hand_in(draft, contents, message_id=message_id)
    if desk.way.draft:
        alert_reported.note(desk.place, handed.message_id, some)
    return handed
