"""What a recipient checks of a message before it believes a word of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from google.protobuf.message import Message

from rogatory.agreements.compiled import CompiledAgreement
from rogatory.decisions import summarise
from rogatory.entries import open_entry, open_outcome, replay_decision
from rogatory.envelopes import OpenedEnvelope, check_parts, open_envelope, verify_signatures
from rogatory.errors import DeliveryError, RogatoryError
from rogatory.exchange.v1 import decision_pb2, envelope_pb2, exchange_service_pb2
from rogatory.keyring import KeyRing, KnownKey

_KEEP = "Keep the delivery as it came, and tell the sender and the gateway's operator."

# Reasons that come after the decision: a part that was permitted may be gone for one of these.
_GONE_SINCE = frozenset({envelope_pb2.ABSENCE_REASON_ERASED, envelope_pb2.ABSENCE_REASON_RECALLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentPart:
    """A part that did not come.

    Attributes:
        position: Index of the part.
        reason: An ``AbsenceReason`` number.
        article: Article under which it was withheld; empty where there is none.
    """

    position: int
    reason: int
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDelivery:
    """A message of which everything was checked that can be checked.

    Attributes:
        inbox_position: Its number in the inbox.
        index: Index of the log entry.
        entry_time: When it was entered, nanoseconds since the Unix epoch.
        envelope: The envelope, opened; ``envelope.reference`` is how an answer refers to it.
        signers: The keys that signed it.
        contents: The decoded content of each part; None where it is sealed or absent.
        absent: The parts that did not come, and why.
        outcome: The recipient's outcome, with the obligations it is under.
        rechecked: The decision was made again from the agreement, and is the same.
    """

    inbox_position: int
    index: int
    entry_time: int
    envelope: OpenedEnvelope
    signers: tuple[KnownKey, ...]
    contents: tuple[Message | None, ...]
    absent: tuple[AbsentPart, ...]
    outcome: decision_pb2.Outcome
    rechecked: bool

    @property
    def header(self) -> envelope_pb2.Header:
        """What the sender signed."""
        return self.envelope.header


def verify_delivery(
    delivery: exchange_service_pb2.Delivery,
    *,
    recipient: str,
    ring: KeyRing,
    agreements: Mapping[bytes, CompiledAgreement],
    audience: str = "",
) -> VerifiedDelivery:
    """Check a delivery; return what it says.

    1. Envelope, header and log entry are what the schema allows, to the byte.
    2. The log entry holds exactly this header.
    3. Every signature that the header demands verifies, by keys valid at entry time.
    4. The header addresses this recipient, at this gateway.
    5. The outcome is the one that the log entry commits to for this recipient, and permits it.
    6. Parts that came match their commitments, schemas and facts; parts that did not come are those
       that the decision withholds, or were erased or recalled since.
    7. Where the agreement is at hand, the decision comes out the same again.

    Args:
        delivery: As the gateway gave it.
        recipient: The agency that checks.
        ring: Keys of the agencies, verified: see `rogatory.policy`.
        agreements: Agreements by digest, verified likewise.
        audience: Origin of the gateway; empty: not checked.

    Raises:
        DeliveryError: A step failed; the text says which and why.
    """
    with _step("envelope"):  # (1)
        envelope = open_envelope(delivery.envelope)
    with _step("log entry"):
        entry = open_entry(delivery.entry)
    header = envelope.header
    if entry.message is None or entry.message.header_bytes != envelope.header_bytes:  # (2)
        raise DeliveryError("The log entry is not about this message", hint=_KEEP)
    with _step(f"signatures of {header.sender}"):  # (3)
        signers = verify_signatures(envelope, ring, entry_time=entry.entry_time)
    position = _position(header, recipient)  # (4)
    if audience and header.audience != audience:
        raise DeliveryError(
            f"The message is meant for the gateway {header.audience}, not for {audience}",
            hint=_KEEP,
        )
    if delivery.outcome.recipient_index != position:  # (5)
        raise DeliveryError("The outcome is that of another recipient", hint=_KEEP)
    with _step("outcome"):
        outcome = open_outcome(entry, delivery.outcome, signers=signers)
    if outcome.inbox_position != delivery.inbox_position or not outcome.inbox_position:
        raise DeliveryError(
            f"The message came at position {delivery.inbox_position} of the inbox, and the log"
            f" has it at {outcome.inbox_position}",
            hint=_KEEP,
        )
    with _step("parts"):  # (6)
        contents = check_parts(envelope, allow_absent=True)
    absent = _check_absences(envelope, outcome.decision)
    with _step("decision"):  # (7)
        replay = replay_decision(entry, delivery.outcome, outcome, agreements)
    if replay is not None and not replay.agrees:
        raise DeliveryError(
            f"The agreement decides otherwise: {summarise(replay.computed)}", hint=_KEEP
        )
    return VerifiedDelivery(
        inbox_position=delivery.inbox_position,
        index=delivery.index,
        entry_time=entry.entry_time,
        envelope=envelope,
        signers=signers,
        contents=tuple(contents),
        absent=absent,
        outcome=outcome,
        rechecked=replay is not None,
    )


def _position(header: envelope_pb2.Header, recipient: str) -> int:
    for position, item in enumerate(header.recipients):
        if item.agency == recipient:
            return position
    raise DeliveryError(f"The message is not addressed to {recipient}", hint=_KEEP)


def _check_absences(
    envelope: OpenedEnvelope, decision: decision_pb2.Decision
) -> tuple[AbsentPart, ...]:
    if decision.disposition not in (
        decision_pb2.DISPOSITION_PERMITTED,
        decision_pb2.DISPOSITION_WITHHELD,
    ) or len(decision.parts) != len(envelope.parts):
        raise DeliveryError("The decision does not permit this message", hint=_KEEP)
    absent = []
    for position, (part, decided) in enumerate(zip(envelope.parts, decision.parts, strict=True)):
        came = part.WhichOneof("form") != "absent"
        if came and not decided.disclosed:
            raise DeliveryError(
                f"Part {position} came, though {decided.article or 'the decision'} withholds it",
                hint="Do not use it; tell the sender and the gateway's operator.",
            )
        if came:
            continue
        reason = part.absent.reason
        if decided.disclosed and reason not in _GONE_SINCE:
            raise DeliveryError(
                f"Part {position} did not come, though the decision permits it", hint=_KEEP
            )
        absent.append(AbsentPart(position=position, reason=reason, article=part.absent.article))
    return tuple(absent)


@contextmanager
def _step(what: str) -> Iterator[None]:
    try:
        yield
    except RogatoryError as error:
        raise DeliveryError(f"In the {what}: {error.message}", hint=error.hint) from error
