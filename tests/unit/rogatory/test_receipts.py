"""Receipts prove what happened to a message, and nothing else passes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest

from rogatory.audit.v1 import entry_pb2
from rogatory.errors import ReceiptError
from rogatory.exchange.v1 import decision_pb2
from rogatory.notes import Cosigner, NoteSigner
from rogatory.policy import Policy, Witness
from rogatory.receipts import Receipt
from tests.unit.rogatory.client.world import ORIGIN, World, indicators, message_id, persons, signer


def submitted(world: World, number: int = 1) -> Receipt:
    """Return the receipt of a message of two parts, one of which is withheld."""
    data = world.envelope(number=number, contents=(indicators("a.example"), persons()))
    return Receipt.from_submission(*world.submit(data))


def other_opening(receipt: Receipt, change: Callable[[decision_pb2.Outcome], None]) -> Receipt:
    """Return a receipt whose first outcome was changed."""
    outcome = decision_pb2.Outcome.FromString(receipt.outcomes[0].outcome)
    change(outcome)
    opening = decision_pb2.OutcomeOpening(
        recipient_index=0, salt=receipt.outcomes[0].salt, outcome=outcome.SerializeToString()
    )
    return replace(receipt, outcomes=(opening,))


def test_receipt_survives_its_file() -> None:
    """What is read back is what was written."""
    receipt = submitted(World())

    assert receipt == Receipt.parse(receipt.to_bytes())


def test_receipt_says_who_what_whom_when_and_who_vouches() -> None:
    """The sentences of a verified receipt tell the whole story."""
    world = World()

    lines = submitted(world).verify(world.policy()).lines()

    assert [
        f"fr.police sent TRANSFER {message_id(1)}",
        "entered at 2026-09-21T14:13:21.000Z as entry 4 of gateway.test/exchange",
    ] == lines[:2]
    assert lines[2].startswith("to de.police under x Art. 2: Part 1 withheld under Art. 2")
    assert lines[2].endswith("(decision re-run)")
    assert "not yet witnessed: rests on the log's own word" == lines[-1]


def test_decision_is_not_rerun_without_the_agreement() -> None:
    """A verifier who lacks the agreement still checks all the rest, and is told."""
    world = World()
    policy = replace_agreements(world.policy())

    verified = submitted(world).verify(policy)

    assert [False] == [item.rechecked for item in verified.recipients]
    assert "agreement not at hand" in "\n".join(verified.lines())


def replace_agreements(policy: Policy) -> Policy:
    """Return the policy without agreements."""
    return Policy(log_keys=policy.log_keys, roots=policy.roots, directory=policy.directory)


def test_receipt_without_openings_still_proves_the_message() -> None:
    """Outcomes are for those concerned; the signed header is proved without them."""
    world = World()
    receipt = replace(submitted(world), outcomes=())

    verified = receipt.verify(world.policy())

    assert [None] == [item.outcome for item in verified.recipients]


@pytest.mark.parametrize(
    ("run_by", "witnessed"),
    [("", True), ("ch.observer", True), ("de.police", False), ("fr.police", False)],
)
def test_witness_of_a_party_is_no_witness(run_by: str, witnessed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """One cosignature at least must be by somebody without a stake in the message."""
    world = World()
    cosigner = Cosigner(name="witness.test/w", signer=signer("witness"))
    world.cosigners = [cosigner]
    policy = world.policy(witnesses=[Witness(key=cosigner.key, agency=run_by)], threshold=1)

    verified = submitted(world).verify(policy)

    assert (witnessed, 1) == (verified.witnessed, len(verified.witnesses))


def test_too_few_cosignatures_are_not_yet_enough() -> None:
    """The threshold counts different witnesses."""
    world = World()
    first, second = (
        Cosigner(name=f"witness.test/{name}", signer=signer(name)) for name in ("w1", "w2")
    )
    world.cosigners = [first]
    both = [Witness(key=first.key), Witness(key=second.key)]

    receipt = submitted(world)

    assert not receipt.verify(world.policy(witnesses=both, threshold=2)).witnessed
    assert receipt.verify(world.policy(witnesses=both, threshold=1)).witnessed


def test_checkpoint_of_another_log_is_refused() -> None:
    """Only the log's own keys count."""
    world = World()
    receipt = submitted(world)
    other = NoteSigner(name=ORIGIN, signer=signer("another log"))
    policy = Policy(log_keys=[other.key])

    with pytest.raises(ReceiptError, match="checkpoint signatures and inclusion"):
        receipt.verify(policy)


def test_entry_that_is_not_in_the_log_is_refused() -> None:
    """An entry nobody logged has no proof."""
    world = World()
    receipt = submitted(world)
    entry = entry_pb2.AuditEntry.FromString(receipt.entry)
    entry.tag = "exchange:transfer:invented"

    with pytest.raises(ReceiptError, match="checkpoint signatures and inclusion"):
        replace(receipt, entry=entry.SerializeToString()).verify(world.policy())


def test_receipt_against_a_later_checkpoint_verifies() -> None:
    """A receipt fetched again as the log grows proves the same."""
    world = World()
    early = submitted(world)
    submitted(world, 2)
    late = Receipt.from_parts(world.receipt(early.index), early.outcomes, world.checkpoint())

    assert early.verify(world.policy()).header == late.verify(world.policy()).header
    assert late.proof != early.proof


def test_changed_outcome_is_refused() -> None:
    """An outcome is the one that was committed to, or none."""
    world = World()

    def permit(outcome: decision_pb2.Outcome) -> None:
        outcome.decision.disposition = decision_pb2.DISPOSITION_PERMITTED

    receipt = other_opening(submitted(world), permit)

    with pytest.raises(ReceiptError, match="not the one that the log entry commits to"):
        receipt.verify(world.policy())


def test_opening_of_another_recipient_is_refused() -> None:
    """There is no outcome beyond the recipients."""
    world = World()
    receipt = submitted(world)
    opening = decision_pb2.OutcomeOpening()
    opening.CopyFrom(receipt.outcomes[0])
    opening.recipient_index = 1

    with pytest.raises(ReceiptError, match="no outcome for a recipient 1"):
        replace(receipt, outcomes=(opening,)).verify(world.policy())


def test_decision_that_the_agreement_does_not_make_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gateway that logs a decision of its own making is found out by the agreement."""
    world = World()
    honest = world._decide

    def lenient(*arguments: object) -> decision_pb2.Outcome:
        outcome = honest(*arguments)  # type: ignore[arg-type]  # passed on as they came
        outcome.decision.disposition = decision_pb2.DISPOSITION_PERMITTED
        outcome.decision.parts[1].disclosed = True
        return outcome

    monkeypatch.setattr(world, "_decide", lenient)
    receipt = submitted(world)

    with pytest.raises(ReceiptError, match=r"decides otherwise for de\.police"):
        receipt.verify(world.policy())


def test_signature_by_a_key_that_is_not_enrolled_is_refused() -> None:
    """The sender's keys come from statements under the pinned root, and nowhere else."""
    world = World()
    receipt = submitted(world)
    policy = world.policy()
    stranger = Policy(
        log_keys=policy.log_keys,
        roots=policy.roots,
        directory=[entry for entry in policy.directory if entry.agency.agency_id != "fr.police"],
    )

    with pytest.raises(ReceiptError, match=r"no key statements of fr\.police"):
        receipt.verify(stranger)


def test_entry_of_governance_has_no_message() -> None:
    """A proof of another kind of entry is not taken for a message's."""
    world = World()
    receipt = Receipt.from_parts(world.receipt(0), (), world.checkpoint())

    with pytest.raises(ReceiptError, match="is not that of a message"):
        receipt.verify(world.policy())


@pytest.mark.parametrize("data", [b"", b"c2sp.org/tlog-proof@v1\n", b"\xff" * 100])
def test_other_files_are_not_receipts(data: bytes) -> None:
    """Whatever else a file holds, the error says that it is no receipt."""
    with pytest.raises(ReceiptError, match="reading the file"):
        Receipt.parse(data)


def test_receipt_with_unknown_fields_is_refused() -> None:
    """Nothing hides in the opening."""
    world = World()
    receipt = submitted(world)
    opening = entry_pb2.Opening(entry=receipt.entry, outcomes=receipt.outcomes)
    grown = opening.SerializeToString() + b"\x9a\x06\x01x"
    data = receipt.to_bytes()
    old = base64.b64encode(opening.SerializeToString(deterministic=True))

    with pytest.raises(ReceiptError, match="unknown or repeated fields"):
        Receipt.parse(data.replace(old, base64.b64encode(grown)))
