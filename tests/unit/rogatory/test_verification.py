"""A recipient believes what the sender signed and the log says, and nothing in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rogatory.errors import DeliveryError, ReceiptError
from rogatory.exchange.v1 import envelope_pb2, exchange_service_pb2
from rogatory.logreplay import LogReplay
from rogatory.records.v1 import indicator_pb2
from rogatory.verification import VerifiedDelivery, verify_delivery
from tests.unit.rogatory.client.world import ORIGIN, World, indicators, persons, signer

Change = Callable[[exchange_service_pb2.Delivery, World], None]


def delivered(world: World, number: int = 1) -> exchange_service_pb2.Delivery:
    """Return what de.police gets of a message of two parts."""
    world.submit(world.envelope(number=number, contents=(indicators("a.example"), persons())))
    delivery = exchange_service_pb2.Delivery()
    delivery.CopyFrom(world.inboxes["de.police"][-1])
    return delivery


def verified(
    delivery: exchange_service_pb2.Delivery,
    world: World,
    *,
    recipient: str = "de.police",
    audience: str = ORIGIN,
) -> VerifiedDelivery:
    """Verify with all that there is to know."""
    policy = world.policy()
    return verify_delivery(
        delivery,
        recipient=recipient,
        ring=policy.ring,
        agreements=policy.agreements,
        audience=audience,
    )


def test_delivery_comes_back_with_contents_and_absences() -> None:
    """What came is decoded; what did not come is named with its article."""
    world = World()

    found = verified(delivered(world), world)

    first, second = found.contents
    assert isinstance(first, indicator_pb2.Indicators)
    assert ("a.example", None) == (first.indicators[0].value, second)
    assert [(1, envelope_pb2.ABSENCE_REASON_WITHHELD, "Art. 2")] == [
        (item.position, item.reason, item.article) for item in found.absent
    ]
    assert (True, "fr.police", 1) == (found.rechecked, found.header.sender, found.inbox_position)


def other_message(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """The entry of another message."""
    delivery.entry = delivered(world, 2).entry


def other_signature(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """A signature by somebody else."""
    envelope = envelope_pb2.Envelope.FromString(delivery.envelope)
    envelope.signatures[0].value = bytes(64)
    delivery.envelope = envelope.SerializeToString(deterministic=True)


def other_content(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """A record that was exchanged on the way."""
    delivery.envelope = delivery.envelope.replace(b"a.example", b"b.example")


def part_dropped(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """A part that was permitted and kept back."""
    envelope = envelope_pb2.Envelope.FromString(delivery.envelope)
    envelope.parts[0].absent.reason = envelope_pb2.ABSENCE_REASON_WITHHELD
    delivery.envelope = envelope.SerializeToString(deterministic=True)


def part_slipped_in(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """A part that was withheld and came all the same."""
    data = world.envelope(number=3, contents=(indicators("a.example"), persons()))
    world.submit(data)
    delivery.CopyFrom(world.inboxes["de.police"][-1])
    delivery.envelope = data


def renumbered(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """Another place in the inbox."""
    delivery.inbox_position += 1


def other_outcome(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """An outcome that was not committed to."""
    delivery.outcome.salt = bytes(32)


def outcome_of_another(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """The outcome of another recipient."""
    delivery.outcome.recipient_index = 1


def entry_cut(delivery: exchange_service_pb2.Delivery, world: World) -> None:
    """An entry that is none."""
    delivery.entry = delivery.entry[:-1]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (other_message, "not about this message"),
        (other_signature, "signature by key .* does not verify"),
        (other_content, "does not match its commitment"),
        (part_dropped, "Part 0 did not come, though the decision permits it"),
        (part_slipped_in, r"Part 1 came, though Art\. 2 withholds it"),
        (renumbered, "came at position 2 of the inbox, and the log has it at 1"),
        (other_outcome, "not the one that the log entry commits to"),
        (outcome_of_another, "outcome is that of another recipient"),
        (entry_cut, "In the log entry"),
    ],
)
def test_trick_of_a_gateway_is_caught(change: Change, text: str) -> None:
    """Each way of giving a recipient something else than was sent has an error of its own."""
    world = World()
    delivery = delivered(world)
    change(delivery, world)

    with pytest.raises(DeliveryError, match=text):
        verified(delivery, world)


def test_message_to_somebody_else_is_refused() -> None:
    """A misdirected message is not read."""
    world = World()

    with pytest.raises(DeliveryError, match=r"not addressed to th\.police"):
        verified(delivered(world), world, recipient="th.police")


def test_message_for_another_gateway_is_refused() -> None:
    """A message cannot be replayed at another gateway."""
    world = World()

    with pytest.raises(DeliveryError, match="meant for the gateway"):
        verified(delivered(world), world, audience="other.test/exchange")


def test_erased_part_is_absent_and_the_rest_verifies() -> None:
    """Erasure after the decision takes the part and leaves every proof."""
    world = World()
    delivery = delivered(world)
    envelope = envelope_pb2.Envelope.FromString(delivery.envelope)
    envelope.parts[0].absent.reason = envelope_pb2.ABSENCE_REASON_ERASED
    delivery.envelope = envelope.SerializeToString(deterministic=True)

    found = verified(delivery, world)

    assert [0, 1] == [item.position for item in found.absent]


def test_refused_message_cannot_be_delivered() -> None:
    """A delivery whose outcome is a refusal is a gateway's mistake or worse."""
    world = World()
    data = world.envelope(contents=(persons(),))
    submission, _ = world.submit(data)
    delivery = exchange_service_pb2.Delivery(
        inbox_position=0,
        envelope=data,
        outcome=submission.outcomes[0],
        index=submission.receipt.index,
        entry=submission.receipt.entry,
    )

    with pytest.raises(DeliveryError, match="position 0"):
        verified(delivery, world)


def replay(world: World) -> LogReplay:
    """Check a whole log."""
    log = LogReplay()
    for index, entry in enumerate(world.entries):
        log.take(index=index, entry=entry.data, outcomes=entry.outcomes)
    log.finish(world.checkpoint().encode(), log_keys=[world.log_signer.key])
    return log


def test_whole_log_is_checked_from_its_entries() -> None:
    """Keys, agreements, signatures, decisions and inbox numbers, all from the entries."""
    world = World()
    delivered(world, 1)
    delivered(world, 2)

    counts = replay(world).counts

    assert (6, 2, 3, 1, 2) == (
        counts.entries,
        counts.messages,
        counts.key_statements,
        counts.agreements,
        counts.decisions,
    )


def test_entry_that_was_left_out_is_noticed() -> None:
    """A log that lacks an entry does not lead to its checkpoint, or breaks off before."""
    world = World()
    delivered(world, 1)
    delivered(world, 2)
    note = world.checkpoint().encode()
    log = LogReplay()
    for index, entry in enumerate(world.entries[:-1]):
        log.take(index=index, entry=entry.data, outcomes=entry.outcomes)

    with pytest.raises(ReceiptError, match="do not lead to the checkpoint"):
        log.finish(note, log_keys=[world.log_signer.key])


def test_suppressed_delivery_is_noticed_in_the_log() -> None:
    """Inbox numbers go up by one, in the log too."""
    world = World()
    delivered(world, 1)
    delivered(world, 2)
    del world.entries[4]

    with pytest.raises(ReceiptError, match=r"inbox of de\.police goes on at 2, and 1 was due"):
        replay(world)


def test_decision_of_the_gateways_own_making_is_noticed_in_the_log() -> None:
    """An outcome whose agreement was never entered is not accepted."""
    world = World()
    delivered(world)
    del world.entries[3]

    with pytest.raises(ReceiptError, match="agreement never entered"):
        replay(world)


def test_false_root_is_noticed_in_the_log() -> None:
    """An agency enrolled under another root than the verifier pins is not accepted."""
    world = World()
    log = LogReplay(roots={"fr.police": signer("de.police root").public_key})

    with pytest.raises(ReceiptError, match="another root than the one pinned"):
        log.take(index=0, entry=world.entries[0].data, outcomes=())
