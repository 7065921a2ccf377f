"""Strict decoding, and the schema's rules as violations with paths."""

from __future__ import annotations

import pytest

from rogatory import wire
from rogatory.errors import EnvelopeError, Violation
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, key_statement_pb2
from rogatory.records.v1 import indicator_pb2
from tests.support import records
from tests.support.forge import UNKNOWN_FIELD, length_delimited
from tests.support.world import header

HEADER = header("de.bka", ("fr.pj", "x", "Art. 1"))
HEADER.signed_by.add(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)
BYTES = HEADER.SerializeToString(deterministic=True)


def test_canonical_bytes_decode() -> None:
    """What a protobuf library writes is accepted, whole."""
    assert HEADER == wire.decode(envelope_pb2.Header, BYTES, what="header")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"\xff", "MALFORMED", id="not protobuf"),
        pytest.param(BYTES[:-1], "MALFORMED", id="truncated"),
        pytest.param(length_delimited(3, b"\xff\xfe"), "MALFORMED", id="text not UTF-8"),
        pytest.param(BYTES + UNKNOWN_FIELD, "UNKNOWN_FIELDS", id="unknown field"),
        pytest.param(BYTES + BYTES, "UNKNOWN_FIELDS", id="everything twice"),
        pytest.param(b"\x08\x00" + BYTES[2:], "UNKNOWN_FIELDS", id="default value written out"),
        pytest.param(BYTES[2:] + BYTES[:2], "UNKNOWN_FIELDS", id="out of order"),
    ],
)
def test_anything_else_does_not(data: bytes, reason: str) -> None:
    """A byte more or less than the canonical encoding is refused, with what to do."""
    with pytest.raises(EnvelopeError) as failed:
        wire.decode(envelope_pb2.Header, data, what="header")

    assert reason == failed.value.reason
    assert "header" in failed.value.message
    assert failed.value.hint


def test_validate_lists_all_violations_with_paths() -> None:
    """Every rule broken is named with its path; the text names the first and counts the rest."""
    bad = records.indicators(2)
    bad.indicators[0].value = ""
    bad.indicators[1].confidence = 101

    with pytest.raises(EnvelopeError) as failed:
        wire.validate(bad, what="part", prefix="parts[3].content")

    assert "FIELD_VIOLATIONS" == failed.value.reason
    assert [
        ("parts[3].content.indicators[0].value", "string.min_len"),
        ("parts[3].content.indicators[1].confidence", "uint32.lte"),
    ] == [(violation.path, violation.rule) for violation in failed.value.violations]
    assert "parts[3].content.indicators[0].value" in failed.value.message
    assert "and 1 more" in failed.value.message


def test_valid_message_has_no_violations() -> None:
    """What keeps the rules passes."""
    wire.validate(HEADER, what="header")

    assert [] == wire.violations(records.persons())


def test_violations_are_bounded() -> None:
    """A stranger's message with thousands of faults is answered with a hundred."""
    bad = indicator_pb2.Indicators(indicators=[indicator_pb2.Indicator()] * 300)

    assert wire.MAX_VIOLATIONS == len(wire.violations(bad))
    many = [Violation(path=str(n), rule="r", message="m") for n in range(300)]
    error = wire.field_violations(many, what="message")
    assert wire.MAX_VIOLATIONS == len(error.violations)
    assert "and 299 more" in error.message


def test_instants_out_of_range() -> None:
    """Timestamps at any depth must be of the years 1 to 9999; the path leads to each."""
    bad = records.indicators(2)
    bad.indicators[1].valid_from_time.seconds = wire.LAST_SECOND + 1
    bad.indicators[1].sightings.add().first_seen_time.nanos = -1

    assert [
        ("content.indicators[1].valid_from_time", "timestamp.range"),
        ("content.indicators[1].sightings[0].first_seen_time", "timestamp.range"),
    ] == [(item.path, item.rule) for item in wire.violations(bad, prefix="content")]


def test_types_without_instants() -> None:
    """A type that can hold no instant is not searched for any."""
    assert [] == wire.violations(records.context(case="C-1"), prefix="content")
    assert [] != wire.violations(key_statement_pb2.AgencyName())


@pytest.mark.parametrize(("what", "expected"), [("message", True), ("request", False)])
def test_only_what_is_sent_needs_a_new_id(what: str, *, expected: bool) -> None:
    """A request for a receipt has no message id of its own to be used up."""
    violation = Violation(path="message_id", rule="string.pattern", message="no")

    error = wire.field_violations([violation], what=what)

    assert expected == ("new message id" in error.hint)
