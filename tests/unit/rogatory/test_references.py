"""References in what a person wrote are completed, and what cannot be is said with its place."""

from __future__ import annotations

from rogatory.assistance.v1 import handover_pb2
from rogatory.errors import Violation
from rogatory.records.v1 import common_pb2, correction_pb2, link_pb2
from rogatory.references import completer

ABOUT = common_pb2.MessageReference(
    sender="fr.police", message_id="01920000-0000-7000-8000-000000000001", header_digest=bytes(32)
)
OTHER = common_pb2.MessageReference(
    sender="de.police", message_id="01920000-0000-7000-8000-000000000002", header_digest=b"x" * 32
)
RECORD = "00000000-0000-4000-8000-000000000001"


def known(sender: str, message_id: str) -> common_pb2.MessageReference | None:
    """Look a message up; there is but one."""
    return OTHER if (sender, message_id) == (OTHER.sender, OTHER.message_id) else None


def correction(reference: common_pb2.MessageReference | None) -> correction_pb2.Corrections:
    """Return a correction of a record of a message."""
    return correction_pb2.Corrections(
        corrections=[
            correction_pb2.Correction(
                record=common_pb2.RecordReference(message=reference, record_id=RECORD)
            )
        ]
    )


def test_digest_left_out_is_looked_up() -> None:
    """A message named by sender and id gets the digest of its header, wherever it stands."""
    message = correction(
        common_pb2.MessageReference(sender=OTHER.sender, message_id=OTHER.message_id)
    )

    lacking = list(completer(known)(message))

    assert [] == lacking
    assert correction(OTHER) == message


def test_empty_reference_is_what_the_message_is_about() -> None:
    """What is written as {} stands for the message that the new one is about."""
    message = correction(common_pb2.MessageReference())

    lacking = list(completer(known, about=ABOUT)(message))

    assert [] == lacking
    assert correction(ABOUT) == message


def test_required_reference_left_out_is_what_the_message_is_about() -> None:
    """Only what the schema requires is filled in: what it allows to be left out stays so."""
    message = handover_pb2.Handover(record_id=RECORD)

    lacking = list(completer(known, about=ABOUT)(message))

    assert [] == lacking
    assert handover_pb2.Handover(record_id=RECORD, request=ABOUT) == message


def test_record_of_the_same_message_stays_so() -> None:
    """A reference to a record without a message means this message, and is left as it is."""
    link = link_pb2.Link(from_record=common_pb2.RecordReference(record_id=RECORD))
    message = link_pb2.Links(links=[link])

    lacking = list(completer(known, about=ABOUT)(message))

    assert [] == lacking
    assert link_pb2.Links(links=[link]) == message


def test_stated_digest_is_kept() -> None:
    """Whoever states a digest means it: what differs is refused by the gateway, not put right."""
    stated = common_pb2.MessageReference(
        sender=OTHER.sender, message_id=OTHER.message_id, header_digest=b"y" * 32
    )
    message = correction(stated)

    lacking = list(completer(known, about=ABOUT)(message))

    assert ([], correction(stated)) == (lacking, message)


def test_what_cannot_be_completed_is_named() -> None:
    """A message that is not there, and one that is not named, each with the path of its field."""
    message = correction(common_pb2.MessageReference(sender="se.police", message_id=RECORD))
    message.corrections.add().record.message.SetInParent()

    lacking = list(completer(known)(message))

    assert [
        Violation(
            path="corrections[0].record.message.header_digest",
            rule="reference.unknown",
            message=f"is not stated, and se.police/{RECORD} is found neither here nor at the"
            " gateway",
        ),
        Violation(
            path="corrections[1].record.message",
            rule="reference.about",
            message="names no message; state sender and message_id, or give --about",
        ),
    ] == lacking
