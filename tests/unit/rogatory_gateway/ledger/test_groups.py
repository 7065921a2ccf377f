"""Groups: what one commit holds is decided as if each message had come alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rogatory import statements
from rogatory.audit.v1 import entry_pb2
from rogatory.envelopes import build, open_envelope, verify_signatures
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory_gateway.ledger.items import (
    OPERATOR,
    AdvanceItem,
    GovernanceItem,
    MessageItem,
    RejectionItem,
)
from tests.support import records
from tests.support.history import NL, RO, History
from tests.support.world import DAY, World, header, signer


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """A ledger with three agencies and an agreement."""
    made = History(World(tmp_path / "gateway"))
    yield made
    made.close()


def test_a_message_is_found_by_the_next_of_its_group(history: History) -> None:
    """An acknowledgement that shares a commit with what it acknowledges is permitted."""
    message = history.transfer(RO)
    receipt = history.receipt(message.opened)

    history.append(message, receipt)

    assert [decision_pb2.DISPOSITION_PERMITTED] == [row.disposition for row in receipt.outcomes]
    assert message.index + 1 == receipt.index


def test_what_is_not_durable_was_not_delivered(history: History) -> None:
    """An advance never passes over a message of its own group, which nobody can have read."""
    history.append(history.transfer(RO))
    advance = AdvanceItem(actor=RO, position=1000, exercise=False)

    history.append(history.transfer(RO), advance)

    assert (1, True) == (advance.position, advance.advanced)


def test_the_first_message_of_an_inbox_is_not_passed_over(history: History) -> None:
    """Nor where the inbox begins with this very group."""
    advance = AdvanceItem(actor=NL, position=5, exercise=False)

    history.append(history.transfer(NL, sender=RO), advance)

    assert (0, False) == (advance.position, advance.advanced)


def _key_statement(history: History, *, revoked: bool = False) -> GovernanceItem:
    """Return a statement of NL's that adds a signing key, or revokes the one it has."""
    agency, now = history.world.agencies[NL], time.time_ns()
    key = signer("a later key").public_key
    added = statements.enrol(
        algorithm=key.algorithm,
        public_key=key.raw,
        role=codes_pb2.KEY_ROLE_SIGNING,
        valid_from=now - DAY,
        valid_until=now + DAY,
    )
    statement = agency.next_statement(
        now=now,
        keys=[added],
        revoked=[agency.signing.public_key.fingerprint] if revoked else [],
    )
    return GovernanceItem(actor=OPERATOR, document=entry_pb2.Governance(key_statement=statement))


def test_a_key_that_a_failed_commit_takes_back_signs_nothing(history: History) -> None:
    """Nobody sees a statement before it is durable; what was verified by it all the same falls."""
    statement = _key_statement(history)
    data = build(
        header=header(NL, (RO, "pact", "Art. 1")),
        contents=[records.indicators(1)],
        signers=[(signer("a later key"), codes_pb2.KEY_ROLE_SIGNING)],
    )
    opened, ledger = open_envelope(data), history.ledger
    group = ledger.begin([statement])
    staged = group._entering.registry.ring
    signers = verify_signatures(opened, staged, entry_time=time.time_ns() + DAY // 2)

    with pytest.raises(EnvelopeError) as unseen:
        verify_signatures(opened, ledger.registry.ring, entry_time=time.time_ns())
    ledger.forget()
    item = MessageItem(actor=NL, certificate=bytes(32), opened=opened, signers=signers)
    history.append(item)

    assert "KEY_UNKNOWN" == unseen.value.reason
    assert item.error is not None
    assert "KEY_UNKNOWN" == item.error.reason
    assert ledger.registry.ring.get(signers[0].fingerprint) is None


def test_a_retry_after_its_key_was_revoked_gets_the_first_answer(history: History) -> None:
    """Same identity, same outcome; any other message by the key is turned away."""
    sent, other = history.transfer(RO), history.transfer(RO)
    history.append(sent)
    history.append(_key_statement(history, revoked=True))
    fault = EnvelopeError("revoked", hint="Sign with another.", reason="KEY_REVOKED")
    retries = [
        MessageItem(
            actor=NL,
            certificate=bytes(32),
            opened=item.opened,
            signers=(),
            lapsed=RejectionItem(actor=NL, certificate=bytes(32), error=fault, received=b"x"),
        )
        for item in (sent, other)
    ]

    history.append(*retries)

    assert (sent.index, sent.entry, sent.outcomes, True, None) == (
        retries[0].index,
        retries[0].entry,
        retries[0].outcomes,
        retries[0].repeated,
        retries[0].error,
    )
    assert fault is retries[1].error
    assert sent.index + 2 == retries[1].index
