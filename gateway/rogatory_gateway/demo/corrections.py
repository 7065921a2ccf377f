"""A correction, and its confirmation by everyone who has the record."""

from __future__ import annotations

from google.protobuf.message import Message

from rogatory.client import Draft, recipient
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import content, structures


def ask(message: common_pb2.MessageReference, to: list[str]) -> tuple[Draft, Message]:
    """Return what tells those who received a message that a record in it is wrong."""
    draft = Draft(
        kind=codes_pb2.KIND_CORRECTION,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        recipients=[recipient(agency, "base", "Base Art. 4(1)") for agency in to],
        in_reply_to=message,
        particulars=envelope_pb2.SubjectParticulars(message=message),
    )
    return draft, structures.correction(message)


def confirm(correction: common_pb2.MessageReference, *, agency: str) -> tuple[Draft, Message]:
    """Return an officer's word that the record is put right."""
    draft = Draft(
        kind=codes_pb2.KIND_CORRECTION,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        recipients=[recipient(correction.sender, "base", "Base Art. 4(2)")],
        in_reply_to=correction,
        particulars=envelope_pb2.SubjectParticulars(message=correction, confirmation=True),
    )
    return draft, content.context(agency, "duty", note="Corrected in our records.")


def is_asked(header: envelope_pb2.Header) -> bool:
    """Tell whether a message asks for a correction, and does not confirm one."""
    return header.kind == codes_pb2.KIND_CORRECTION and not header.subject.confirmation
