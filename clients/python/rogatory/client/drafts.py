"""Headers from what a caller cares about, with careful defaults for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock, wire
from rogatory.errors import Violation
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2

DEFAULT_LIFETIME = timedelta(days=1)
"""How long a gateway may admit a message: long enough for a night without network."""

_PARTICULARS = {
    envelope_pb2.RequestParticulars: "request",
    envelope_pb2.UpdateParticulars: "update",
    envelope_pb2.SubjectParticulars: "subject",
    envelope_pb2.CustodyParticulars: "custody",
    envelope_pb2.OperationParticulars: "operation_step",
    envelope_pb2.AlertParticulars: "alert",
}

Particulars = (
    envelope_pb2.RequestParticulars
    | envelope_pb2.UpdateParticulars
    | envelope_pb2.SubjectParticulars
    | envelope_pb2.CustodyParticulars
    | envelope_pb2.OperationParticulars
    | envelope_pb2.AlertParticulars
)


def recipient(agency: str, agreement_id: str, article: str) -> envelope_pb2.Recipient:
    """Return a recipient with the legal basis it receives on."""
    return envelope_pb2.Recipient(agency=agency, agreement_id=agreement_id, article=article)


def handling(
    *,
    tlp: common_pb2.Tlp.ValueType = common_pb2.TLP_AMBER,
    onward_transfer: codes_pb2.OnwardTransfer.ValueType = (codes_pb2.ONWARD_TRANSFER_WITH_CONSENT),
    evidential_use: codes_pb2.EvidentialUse.ValueType = codes_pb2.EVIDENTIAL_USE_WITH_CONSENT,
    siena_codes: Sequence[codes_pb2.SienaCode.ValueType] = (),
    grading: common_pb2.Grading | None = None,
    speciality_offences: Sequence[str] = (),
    retention_end_time: Timestamp | None = None,
) -> envelope_pb2.Handling:
    """Return handling instructions.

    By default TLP:AMBER, and nothing goes on or into court without the originator's consent.
    """
    return envelope_pb2.Handling(
        tlp=tlp,
        siena_codes=siena_codes,
        grading=grading,
        onward_transfer=onward_transfer,
        evidential_use=evidential_use,
        speciality_offences=speciality_offences,
        retention_end_time=retention_end_time,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a caller says of a message; the client adds who, where and when.

    Attributes:
        kind: What the message does.
        purpose: Why the data is processed.
        recipients: Who receives it, each on its own legal basis.
        handling: How recipients must handle it; see `handling`.
        offences: ICCS codes.
        urgency: How soon it matters.
        in_reply_to: The message this one answers.
        thread: message_id of the thread's first message.
        particulars: What the kind adds.
        forwards, consents, operation: Messages it rests on.
        exercise: Training traffic.
        lifetime: How long the gateway may admit it.
    """

    kind: codes_pb2.Kind.ValueType
    purpose: codes_pb2.Purpose.ValueType
    recipients: Sequence[envelope_pb2.Recipient]
    handling: envelope_pb2.Handling | None = None
    offences: Sequence[str] = ()
    urgency: codes_pb2.Urgency.ValueType = codes_pb2.URGENCY_ROUTINE
    in_reply_to: common_pb2.MessageReference | None = None
    thread: str = ""
    particulars: Particulars | None = None
    forwards: Sequence[common_pb2.MessageReference] = ()
    consents: Sequence[common_pb2.MessageReference] = ()
    operation: common_pb2.MessageReference | None = None
    exercise: bool = False
    lifetime: timedelta = DEFAULT_LIFETIME

    def header(
        self, *, sender: str, audience: str, message_id: str, now: int
    ) -> envelope_pb2.Header:
        """Return the header, without the parts and signers that `envelopes.build` adds.

        Args:
            sender: Agency id.
            audience: Origin of the gateway.
            message_id: A UUIDv7; see `envelopes.new_message_id`.
            now: Nanoseconds since the Unix epoch.

        Raises:
            EnvelopeError: The record would have to be erased before it is made.
        """
        if self.handling is not None and self.handling.HasField("retention_end_time"):
            _check_retention(self.handling, now)
        lifetime = self.lifetime // timedelta(microseconds=1) * 1000
        header = envelope_pb2.Header(
            schema_version=1,
            message_id=message_id,
            sender=sender,
            recipients=self.recipients,
            audience=audience,
            create_time=clock.to_timestamp(now),
            expire_time=clock.to_timestamp(now + lifetime),
            in_reply_to=self.in_reply_to,
            thread=self.thread,
            kind=self.kind,
            purpose=self.purpose,
            offences=self.offences,
            urgency=self.urgency,
            handling=self.handling if self.handling is not None else handling(),
            exercise=self.exercise,
            forwards=self.forwards,
            consents=self.consents,
            operation=self.operation,
        )
        if self.particulars is not None:
            place = getattr(header, _PARTICULARS[type(self.particulars)])
            place.CopyFrom(self.particulars)
            # They count as stated when nothing in them is, as those of an alert without end.
            place.SetInParent()
        return header


def _check_retention(handling: envelope_pb2.Handling, now: int) -> None:
    """Refuse a retention that ends before it begins: no gateway would, and recipients erase it."""
    if clock.to_nanoseconds(handling.retention_end_time) <= now:
        violation = Violation(
            path="header.handling.retention_end_time",
            rule="timestamp.gt_create_time",
            message="must be later than the message's create_time",
        )
        raise wire.field_violations([violation], what="message")
