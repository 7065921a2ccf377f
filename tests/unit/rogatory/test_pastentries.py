"""Parts of a log are believed as far as they prove themselves, and no further."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from rogatory import envelopes
from rogatory.audit.v1 import entry_pb2
from rogatory.errors import ReceiptError
from rogatory.exchange.v1 import decision_pb2
from rogatory.pastentries import Checks, PastReader
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from tests.unit.rogatory.client.world import Entry, World, indicators, persons, signer

GOVERNANCE = 4
"""Entries of a fresh world: three agencies and an agreement."""


def submitted(world: World, number: int = 1) -> tuple[int, Entry]:
    """Return the entry of a message, one part of which is withheld, and its index."""
    data = world.envelope(number=number, contents=(indicators("a.example"), persons()))
    world.submit(data)
    return len(world.entries) - 1, world.entries[-1]


def test_an_entry_is_an_exchange_with_what_was_decided() -> None:
    """Header, time and outcomes come from the entry, all checked with the policy's keys."""
    world = World()
    index, entry = submitted(world)
    reader = PastReader(world.policy())

    found = reader.take(index=index, entry=entry.data, outcomes=entry.outcomes)

    assert found is not None
    assert (index, world.time, "fr.police") == (found.index, found.entry_time, found.header.sender)
    assert decision_pb2.DISPOSITION_WITHHELD == found.outcomes[0].decision.disposition
    assert Checks(entries=1, exchanges=1, signed=1, outcomes=1, decisions=1) == reader.checks


def test_without_keys_the_commitments_are_still_checked() -> None:
    """Who holds no keys is told how many signatures were not verified."""
    world = World()
    index, entry = submitted(world)
    reader = PastReader()

    found = reader.take(index=index, entry=entry.data, outcomes=entry.outcomes)

    assert found is not None
    assert Checks(entries=1, exchanges=1, unsigned=1, outcomes=1) == reader.checks


def test_the_log_brings_its_own_keys_and_agreements() -> None:
    """A supervisory authority needs none beforehand: governance entries state them."""
    world = World()
    submitted(world)
    reader = PastReader()

    for index, entry in enumerate(world.entries):
        reader.take(index=index, entry=entry.data, outcomes=entry.outcomes)

    assert world.agreement.digest in reader.agreements
    expected = Checks(entries=GOVERNANCE + 1, exchanges=1, signed=1, outcomes=1, decisions=1)
    assert expected == reader.checks


def test_a_key_statement_of_another_root_is_refused() -> None:
    """What a policy pins is not replaced by what an entry states."""
    world = World()
    policy = Policy(
        log_keys=[world.log_signer.key], roots={"fr.police": signer("somebody").public_key}
    )

    with pytest.raises(ReceiptError, match=r"another root for fr\.police"):
        PastReader(policy).take(index=0, entry=world.entries[0].data, outcomes=[])


def test_a_key_that_came_later_is_not_held_against_the_message() -> None:
    """A policy from before a new key verifies less, and refuses nothing."""
    world = World()
    index, entry = submitted(world)
    policy = world.policy()
    old = Policy(
        log_keys=policy.log_keys,
        roots=policy.roots,
        directory=[item for item in policy.directory if item.agency.agency_id != "fr.police"],
    )

    reader = PastReader(old)
    reader.take(index=index, entry=entry.data, outcomes=entry.outcomes)

    assert (0, 1) == (reader.checks.signed, reader.checks.unsigned)


def test_a_receipt_proves_its_place_in_the_log() -> None:
    """With the log's key a receipt is proved; an entry at another place is refused."""
    world = World()
    receipt = Receipt.from_submission(*world.submit(world.envelope()))
    reader = PastReader(world.policy())

    reader.take_receipt(receipt)

    assert 1 == reader.checks.proven
    with pytest.raises(ReceiptError, match="Log entry 3"):
        reader.take_receipt(replace(receipt, index=3))
    assert 1 == reader.checks.entries


def test_a_false_signature_is_refused() -> None:
    """An entry whose message the sender did not sign is no exchange."""
    world = World()
    index, entry = submitted(world)
    forged = entry_pb2.AuditEntry.FromString(entry.data)
    forged.message.signatures[0].value = bytes(64)
    reader = PastReader(world.policy())

    with pytest.raises(ReceiptError, match=f"Log entry {index}: "):
        reader.take(index=index, entry=forged.SerializeToString(deterministic=True), outcomes=[])
    assert Checks() == reader.checks


def test_an_outcome_that_is_not_committed_to_is_refused() -> None:
    """An outcome is believed only as the entry commits to it."""
    world = World()
    index, entry = submitted(world)
    outcome = decision_pb2.Outcome.FromString(entry.outcomes[0].outcome)
    outcome.decision.disposition = decision_pb2.DISPOSITION_PERMITTED
    opening = decision_pb2.OutcomeOpening(
        recipient_index=0, salt=entry.outcomes[0].salt, outcome=outcome.SerializeToString()
    )

    with pytest.raises(ReceiptError, match="not the one that the log entry commits to"):
        PastReader().take(index=index, entry=entry.data, outcomes=[opening])


@pytest.mark.parametrize("known", [True, False])
def test_a_gateway_that_did_not_follow_the_agreement_is_found_out(*, known: bool) -> None:
    """With the agreement the decision is made again; without, at least its form is checked."""
    world = World()
    index, entry = submitted(world)
    outcome = decision_pb2.Outcome.FromString(entry.outcomes[0].outcome)
    if known:
        outcome.decision.parts[1].disclosed = True
    else:
        del outcome.decision.parts[:]
    salt = hashlib.sha256(b"salt").digest()
    data = outcome.SerializeToString(deterministic=True)
    made = entry_pb2.AuditEntry.FromString(entry.data)
    made.outcome_commitments[0] = envelopes.outcome_commitment(salt, data)
    opening = decision_pb2.OutcomeOpening(recipient_index=0, salt=salt, outcome=data)
    reader = PastReader(world.policy() if known else None)

    with pytest.raises(ReceiptError, match="decides otherwise" if known else "decides on 0 parts"):
        reader.take(
            index=index, entry=made.SerializeToString(deterministic=True), outcomes=[opening]
        )
