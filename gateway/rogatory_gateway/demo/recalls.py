"""A recall, and the confirmation by everyone who held the record that it is erased."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from rogatory import clock
from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2, correction_pb2
from rogatory_gateway.demo import content


def ask(
    message: common_pb2.MessageReference, to: Sequence[str], *, agency: str
) -> tuple[Draft, Message]:
    """Return what takes a message back from those who hold it or a copy."""
    draft = Draft(
        kind=codes_pb2.KIND_RECALL,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        recipients=[recipient(holder, "base", "Base Art. 3(1)") for holder in to],
        in_reply_to=message,
        particulars=envelope_pb2.SubjectParticulars(message=message),
    )
    return draft, content.context(agency, "duty", note="It went to one agency too many.")


def confirm(
    recall: common_pb2.MessageReference,
    erased: common_pb2.MessageReference,
    *,
    agency: str,
    informed: Sequence[str],
    now: int,
) -> tuple[Draft, Message]:
    """Return an officer's word that a record is erased.

    Args:
        recall: What asked for it.
        erased: The message whose records are erased.
        agency: Who erased them.
        informed: To whom it had passed the record on.
        now: Nanoseconds since the Unix epoch.
    """
    draft = Draft(
        kind=codes_pb2.KIND_RECALL,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        recipients=[recipient(recall.sender, "base", "Base Art. 3(2)")],
        in_reply_to=recall,
        particulars=envelope_pb2.SubjectParticulars(message=recall, confirmation=True),
    )
    word = correction_pb2.ErasureConfirmation(
        message=erased,
        asked_by=recall,
        erasure_time=clock.to_timestamp(now),
        informed_agencies=informed,
        official=common_pb2.Official(name="duty", agency=agency),
    )
    return draft, word


def is_asked(header: envelope_pb2.Header) -> bool:
    """Tell whether a message takes another back, and does not confirm that it is erased."""
    return header.kind == codes_pb2.KIND_RECALL and not header.subject.confirmation
