"""An original that this agency received, itself or inside a message that passed it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rogatory import envelopes
from rogatory.cli.desk import Desk
from rogatory.cli.folder import Folder, name_of, split_name
from rogatory.envelopes import OpenedEnvelope
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2
from rogatory.verification import VerifiedDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A message as its author made it.

    Attributes:
        envelope: As it came, serialised.
        opened: The same, opened.
        obligations: Under which this agency received it.
        recalled: It was recalled, as far as the folder knows.
    """

    envelope: bytes
    opened: OpenedEnvelope
    obligations: agreement_pb2.Obligations
    recalled: bool


def find_original(desk: Desk, folder: Folder, word: str) -> Original:
    """Return the original that SENDER/MESSAGE_ID names, of what the inbox holds.

    Raises:
        ConfigurationError: It is not there, or is this agency's own.
    """
    sender, message_id = split_name(word, "the message")
    if sender == desk.agency:
        raise ConfigurationError(
            f"{word} is your own: send it, rather than pass it on", hint="rogatory send FILE"
        )
    recalled = any(name_of(one.header.subject.message) == word for one in recalls(folder))
    for message in folder.received(
        lambda header: (
            (header.sender, header.message_id) == (sender, message_id)
            or word in map(name_of, header.forwards)
        )
    ):
        obligations = message.outcome.decision.obligations
        if name_of(message.envelope.reference) == word:
            if message.header.forwards:
                passed = ", ".join(map(name_of, message.header.forwards))
                raise ConfigurationError(
                    f"{word} itself passes others on: {passed}",
                    hint="Pass on the originals, by the names of their authors.",
                )
            data = _serialised(message.envelope)
            return Original(
                envelope=data,
                opened=message.envelope,
                obligations=obligations,
                recalled=recalled,
            )
        for content in carried(message):
            opened = envelopes.open_envelope(_bytes(content))
            if name_of(opened.reference) == word:
                return Original(
                    envelope=_bytes(content),
                    opened=opened,
                    obligations=obligations,
                    recalled=recalled,
                )
    raise ConfigurationError(
        f"There is no message {word} in {folder.store.folder}",
        hint="Only what you received can be passed on; fetch it with rogatory inbox.",
    )


def recalls(folder: Folder) -> Iterator[VerifiedDelivery]:
    """Yield the RECALL messages of the inbox by which authors take back what they sent.

    Confirmations are none, nor is what anybody says of another's message: an agreement may let it
    through, and it takes nothing back.
    """
    yield from folder.received(
        lambda header: (
            header.kind == codes_pb2.KIND_RECALL
            and not header.subject.confirmation
            and header.subject.message.sender == header.sender
        )
    )


def recalls_of(folder: Folder, message: VerifiedDelivery) -> list[VerifiedDelivery]:
    """Return the recalls of a message, or of what it passes on, that the inbox holds."""
    subjects = [message.envelope.reference, *message.header.forwards]
    return [one for one in recalls(folder) if one.header.subject.message in subjects]


def carried(message: VerifiedDelivery) -> Iterator[envelope_pb2.Envelope]:
    """Yield the envelopes that a message passes on and that are there."""
    for content in message.contents:
        if isinstance(content, envelope_pb2.Envelope):
            yield content


def holds(message: VerifiedDelivery, original: common_pb2.MessageReference) -> bool:
    """Say whether a message is an original, or passes it on."""
    return message.envelope.reference == original or original in message.header.forwards


def _serialised(opened: OpenedEnvelope) -> bytes:
    return envelope_pb2.Envelope(
        header=opened.header_bytes, signatures=opened.signatures, parts=opened.parts
    ).SerializeToString(deterministic=True)


def _bytes(envelope: envelope_pb2.Envelope) -> bytes:
    return envelope.SerializeToString(deterministic=True)
