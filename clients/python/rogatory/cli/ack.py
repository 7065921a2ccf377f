"""`rogatory ack`: an officer's signed word that a message was received."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rogatory import clock
from rogatory.cli import compose, options, outbox, received
from rogatory.cli.output import emit, plain
from rogatory.cli.session import connect, message_signers
from rogatory.cli.trust import Trust
from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import Home
from rogatory.records.v1 import acknowledgement_pb2, common_pb2

BASE_AGREEMENT = "base"
BASE_ARTICLE = "Base Art. 2"
"""The base agreement's article on acknowledgements."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Acknowledge a received message.")
def ack(
    message: Annotated[
        str,
        typer.Argument(metavar="MESSAGE", help="Inbox position, SENDER/MESSAGE_ID, or a file."),
    ],
    *,
    officer: Annotated[str, typer.Option(help="Name or pseudonym of the officer.")],
    status: Annotated[
        str, typer.Option(help="received, read, facts-confirmed, actioned or no-action.")
    ] = "received",
    case_reference: Annotated[str, typer.Option(help="Case under which you file it.")] = "",
    remark: Annotated[str, typer.Option(help="What was done, or anything else.")] = "",
    officer_key: options.OfficerKeyOption = None,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Acknowledge a received message to its sender with a signed RECEIPT.

    It goes under the published base agreement, which needs no other agreement to be in force. If
    the gateway may not have got it, it stays in the outbox for `rogatory send --again`.
    """
    place = Home.find(home)
    trust = Trust(place)
    chosen = options.choice(acknowledgement_pb2.AcknowledgementStatus, status, "--status")
    with connect(place, signers=message_signers(place, officer_key or ())) as client:
        delivery = received.find(place, client, message, exercise=exercise)
        verified = received.verify(delivery, place, trust, client)
        reference = verified.envelope.reference
        acknowledgement = acknowledgement_pb2.Acknowledgement(
            message=reference,
            status=acknowledgement_pb2.AcknowledgementStatus.ValueType(chosen),
            status_time=clock.to_timestamp(time.time_ns()),
            official=common_pb2.Official(name=officer, agency=place.settings().agency),
            case_reference=case_reference,
            record_count=sum(
                part.facts.record_count
                for position, part in enumerate(verified.header.parts)
                if verified.contents[position] is not None
                and part.category != codes_pb2.PART_CATEGORY_CONTEXT
            ),
            remark=remark,
        )
        data = client.build(
            Draft(
                kind=codes_pb2.KIND_RECEIPT,
                purpose=codes_pb2.PURPOSE_ADMINISTRATION,
                recipients=[recipient(reference.sender, BASE_AGREEMENT, BASE_ARTICLE)],
                in_reply_to=reference,
                thread=verified.header.thread or reference.message_id,
                particulars=envelope_pb2.SubjectParticulars(message=reference),
                exercise=verified.header.exercise,
            ),
            contents=[acknowledgement],
        )
        sent = outbox.submit(place, client, outbox.put(place, data))
    submitted = sent.submitted
    submitted.raise_if_refused()
    emit(
        {
            "message_id": submitted.message_id,
            "acknowledges": f"{reference.sender}/{reference.message_id}",
            "index": submitted.receipt.index,
            "outcomes": compose.outcome_data(submitted.outcomes),
            "reference": plain(sent.message.reference),
            "receipt": str(sent.receipt),
        },
        [
            f"acknowledged {reference.sender}/{reference.message_id} as {status}",
            f"message {submitted.message_id}, log entry {submitted.receipt.index}",
            f"receipt: {sent.receipt}",
        ],
        as_json=as_json,
    )
