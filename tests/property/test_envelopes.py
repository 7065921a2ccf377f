"""Envelopes under chance: what was built opens and verifies; one bit off, and it does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rogatory import clock, envelopes, wire
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, errors_pb2
from rogatory.keyring import KeyRing
from rogatory.records.v1 import common_pb2, indicator_pb2, person_pb2
from tests.support import records
from tests.support.world import Agency, envelope, header

NOW = time.time_ns()
ALPHA = Agency(agency_id="de.bka", officers={"officer-1": [codes_pb2.OFFICER_RIGHT_SIGN]})
REASONS = {name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.keys()}  # noqa: SIM118


def _ring() -> KeyRing:
    ring = KeyRing()
    ring.add(ALPHA.statement(spki=b"a TLS key".ljust(32), now=NOW), entry_time=NOW)
    return ring


RING = _ring()
SAMPLE = envelope(
    ALPHA,
    header("de.bka", ("fr.pj", "x", "Art. 1"), now=NOW),
    records.persons(),
    records.indicators(2),
    officers=["officer-1"],
)

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40
)
names = st.builds(
    lambda text: person_pb2.PersonName(
        kind=person_pb2.PERSON_NAME_KIND_FULL, texts=[common_pb2.NameText(text=text)]
    ),
    texts,
)
persons = st.builds(
    lambda subject, named: person_pb2.Person(
        record_id=records.record_id(named[0].texts[0].text), category=subject, names=named
    ),
    st.integers(1, 5),
    st.lists(names, min_size=1, max_size=3),
)
parts = st.one_of(
    st.builds(
        lambda found: person_pb2.Persons(persons=found), st.lists(persons, min_size=1, max_size=4)
    ),
    st.builds(records.indicators, st.integers(1, 4)),
    st.builds(lambda case, why: records.context(case=case, justification=why), texts, texts),
)


def verify(data: bytes) -> list[object]:
    """Do all that an honest reader does; return the contents."""
    opened = envelopes.open_envelope(data)
    envelopes.verify_signatures(opened, RING, entry_time=NOW)
    return list(envelopes.check_parts(opened, allow_absent=False))


@given(contents=st.lists(parts, max_size=4), officer=st.booleans())
def test_round_trip(contents: list[object], *, officer: bool) -> None:
    """What `build` makes opens, verifies, and says what it was given."""
    made = header("de.bka", ("fr.pj", "x", "Art. 1"), now=NOW)

    data = envelope(ALPHA, made, *contents, officers=["officer-1"] if officer else [])  # type: ignore[arg-type]

    assert contents == verify(data)
    opened = envelopes.open_envelope(data)
    assert made.message_id == opened.header.message_id
    assert 1 + officer == len(opened.header.signed_by)
    assert len(contents) == len(opened.header.parts)


@given(position=st.integers(0, 8 * len(SAMPLE) - 1))
def test_one_bit_off(position: int) -> None:
    """Any bit of header, part or signature flipped: a typed error, its reason in the catalogue."""
    changed = bytearray(SAMPLE)
    changed[position // 8] ^= 1 << position % 8

    with pytest.raises(EnvelopeError) as failed:
        verify(bytes(changed))

    assert failed.value.reason in REASONS
    assert failed.value.hint


@given(data=st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """Reading is total: bytes are an envelope, or there is an EnvelopeError, and nothing else."""
    for what in (envelope_pb2.Envelope, envelope_pb2.Header, indicator_pb2.Indicators):
        try:
            assert data == wire.decode(what, data, what="it").SerializeToString(deterministic=True)
        except EnvelopeError as error:
            assert error.reason in {"MALFORMED", "UNKNOWN_FIELDS"}  # noqa: PT017 - or it decodes
    try:
        verify(data)
    except EnvelopeError as error:
        assert error.reason in REASONS  # noqa: PT017 - or it verifies


@given(cut=st.integers(0, len(SAMPLE) - 1), filler=st.binary(max_size=40))
def test_spliced(cut: int, filler: bytes) -> None:
    """An envelope that was cut off and continued with something else never verifies."""
    data = SAMPLE[:cut] + filler
    if data == SAMPLE:
        return

    with pytest.raises(EnvelopeError):
        verify(data)


@given(header_bytes=st.binary(min_size=1, max_size=200))
def test_signed_nonsense(header_bytes: bytes) -> None:
    """Even what is signed must be a header that keeps its schema's rules."""
    data = envelope_pb2.Envelope(
        header=header_bytes, signatures=[envelope_pb2.Signature(key=bytes(32), value=bytes(64))]
    ).SerializeToString()

    with pytest.raises(EnvelopeError):
        envelopes.open_envelope(data)


@given(seconds=st.integers(-(1 << 63), (1 << 63) - 1), nanos=st.integers(-(1 << 31), (1 << 31) - 1))
def test_instants(seconds: int, nanos: int) -> None:
    """An instant is accepted exactly where it can be printed; no other breaks a reader later."""
    made = header("de.bka", ("fr.pj", "x", "Art. 1"), now=NOW)
    made.signed_by.add(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)
    made.expire_time.seconds, made.expire_time.nanos = seconds, nanos

    found = wire.violations(made)

    try:
        made.expire_time.ToJsonString()
    except ValueError:
        assert ["expire_time"] == [violation.path for violation in found]
    else:
        assert [] == found
        assert clock.to_timestamp(clock.to_nanoseconds(made.expire_time)) == made.expire_time


@given(milliseconds=st.integers(0, (1 << 48) - 1), random=st.binary(min_size=10, max_size=10))
def test_message_ids(milliseconds: int, random: bytes) -> None:
    """Every message id is a UUIDv7 in lower case, and later ones sort behind earlier ones."""
    made = header("de.bka", ("fr.pj", "x", "Art. 1"), now=NOW)
    made.signed_by.add(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)

    made.message_id = envelopes.new_message_id(milliseconds, random)

    assert [] == wire.violations(made)
    assert f"{milliseconds:012x}" == made.message_id.replace("-", "")[:12]
