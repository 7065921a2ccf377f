"""Drafts are read strictly, and copies of one are merged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rogatory import drafting, envelopes
from rogatory.errors import DraftError, EnvelopeError
from rogatory.exchange.v1 import envelope_pb2
from tests.unit.rogatory.client.world import World, indicators
from tests.unit.rogatory.drafting.officers import (
    APPROVER,
    AUTHOR,
    BOTH,
    a_draft,
    key_of,
    named,
    signed,
)

Change = Callable[[envelope_pb2.Envelope], None]


def changed(change: Change) -> bytes:
    """Return a draft that both have signed, with something about it changed."""
    envelope = envelope_pb2.Envelope.FromString(signed(a_draft(), AUTHOR, APPROVER).data)
    change(envelope)
    return envelope.SerializeToString(deterministic=True)


def test_header_names_all_who_sign_from_the_start() -> None:
    """Nobody can be added or left out later: the first to sign signs the list."""
    draft = a_draft("", AUTHOR, APPROVER)

    keys = [key.fingerprint for key, _ in named("", AUTHOR, APPROVER)]
    assert keys == [item.key for item in draft.header.signed_by] == [*draft.missing]
    assert [] == list(draft.opened.signatures)


def test_signatures_leave_header_and_parts_as_they_were() -> None:
    """What all sign is the same bytes, and what is sent in the end is an ordinary envelope."""
    draft = a_draft()

    done = signed(draft, APPROVER, AUTHOR)

    assert (draft.opened.header_bytes, draft.opened.parts) == (
        done.opened.header_bytes,
        done.opened.parts,
    )
    assert () == done.missing
    assert done.header_digest == envelopes.open_envelope(done.data).header_digest


def test_order_of_signing_does_not_show() -> None:
    """Equal signatures make equal bytes, on whatever machine they met."""
    one = signed(a_draft(), AUTHOR, APPROVER)
    other = signed(a_draft(), APPROVER, AUTHOR)

    assert one.data == other.data


def _twice(envelope: envelope_pb2.Envelope) -> None:
    envelope.signatures.append(envelope.signatures[1])


def _reordered(envelope: envelope_pb2.Envelope) -> None:
    first, second = envelope.signatures
    del envelope.signatures[:]
    envelope.signatures.extend([second, first])


def _stranger(envelope: envelope_pb2.Envelope) -> None:
    envelope.signatures[1].key = key_of(BOTH).public_key.fingerprint


def _short_signature(envelope: envelope_pb2.Envelope) -> None:
    envelope.signatures[0].value = b"short"


def _other_content(envelope: envelope_pb2.Envelope) -> None:
    envelope.parts[0].clear.content = indicators("d2.example").SerializeToString()


def _no_parts(envelope: envelope_pb2.Envelope) -> None:
    del envelope.parts[:]


def _no_header(envelope: envelope_pb2.Envelope) -> None:
    envelope.header = b""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_twice, "DRAFT_SIGNATURES"),
        (_reordered, "DRAFT_SIGNATURES"),
        (_stranger, "DRAFT_SIGNATURES"),
        (_short_signature, "FIELD_VIOLATIONS"),
        (_other_content, "COMMITMENT_MISMATCH"),
        (_no_parts, "DRAFT_PARTS"),
        (_no_header, "FIELD_VIOLATIONS"),
    ],
)
def test_draft_that_was_tampered_with_is_not_read(change: Change, reason: str) -> None:
    """Each thing that a draft must be is checked when it is read."""
    with pytest.raises((DraftError, EnvelopeError)) as caught:
        drafting.open_draft(changed(change))

    assert reason == getattr(caught.value, "reason", "")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff", "MALFORMED"),
        (a_draft().data + b"\x22\x00", "UNKNOWN_FIELDS"),
        (bytes(envelopes.MAX_ENVELOPE_BYTES + 1), "TOO_LARGE"),
    ],
    ids=["no protobuf", "unknown field", "too large"],
)
def test_what_is_no_envelope_is_not_read(data: bytes, reason: str) -> None:
    """Bounded, and canonical to the byte."""
    with pytest.raises(EnvelopeError) as caught:
        drafting.open_draft(data)

    assert reason == caught.value.reason


def test_key_named_twice_is_not_read() -> None:
    """One key cannot be both author and approver."""
    with pytest.raises(DraftError) as caught:
        a_draft(BOTH, BOTH)

    assert "DRAFT_SIGNATURES" == caught.value.reason


def test_room_for_the_signatures_is_kept() -> None:
    """What would be too large once signed is not asked to be signed."""
    header = envelopes.open_envelope(World().envelope()).header

    def bytes_with(last: int) -> int:
        made = drafting.make(
            header=header,
            contents=[indicators(*["x" * 1000] * 999, "x" * last)],
            signed_by=named(AUTHOR, APPROVER),
            salts=bytes,
        )
        return len(made.data)

    fits_unsigned = 200 + envelopes.MAX_ENVELOPE_BYTES - bytes_with(200)

    with pytest.raises(EnvelopeError) as caught:
        bytes_with(fits_unsigned)

    assert "TOO_LARGE" == caught.value.reason


def test_copies_signed_apart_are_one() -> None:
    """Each signature of any copy counts."""
    draft = a_draft()

    merged = drafting.merge(signed(draft, APPROVER), draft, signed(draft, AUTHOR))

    assert signed(draft, AUTHOR, APPROVER).data == merged.data


def test_other_drafts_are_not_merged() -> None:
    """Same officers, another message."""
    with pytest.raises(DraftError) as caught:
        drafting.merge(a_draft(), a_draft(number=2))

    assert "DRAFTS_DIFFER" == caught.value.reason


def test_two_signatures_by_one_key_are_not_merged() -> None:
    """Ed25519 makes the same signature each time: one of the two is not the officer's."""
    first = signed(a_draft(), AUTHOR)

    def forge(envelope: envelope_pb2.Envelope) -> None:
        envelope.signatures[0].value = bytes(64)

    with pytest.raises(DraftError) as caught:
        drafting.merge(first, drafting.open_draft(changed(forge)))

    assert "DRAFTS_DIFFER" == caught.value.reason
