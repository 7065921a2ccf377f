"""Envelopes: making, opening and checking them, step by step."""

from __future__ import annotations

import hashlib
import time

import pytest

from rogatory import clock, envelopes, statements
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.keyring import KeyRing
from rogatory.records.v1 import custody_pb2, person_pb2
from tests.support import forge, records
from tests.support.world import DAY, HOUR, Agency, envelope, header, signer

NOW = time.time_ns()
OFFICER, CHIEF, DRAFTER, NOBODY = "officer-1", "chief-2", "drafter-3", "nobody-4"
RIGHTS: dict[str, list[codes_pb2.OfficerRight.ValueType]] = {
    OFFICER: [codes_pb2.OFFICER_RIGHT_SIGN],
    CHIEF: [codes_pb2.OFFICER_RIGHT_APPROVE],
    DRAFTER: [codes_pb2.OFFICER_RIGHT_DRAFT],
    NOBODY: [],
}
SPKI = b"a TLS key".ljust(32)


@pytest.fixture
def alpha() -> Agency:
    """The sender."""
    return Agency(agency_id="de.bka", officers=RIGHTS)


@pytest.fixture
def ring(alpha: Agency) -> KeyRing:
    """The keys of the sender and of another agency."""
    made = KeyRing()
    other = Agency(agency_id="fr.pj")
    made.add(alpha.statement(spki=SPKI, now=NOW), entry_time=NOW)
    made.add(other.statement(spki=b"another TLS key".ljust(32), now=NOW), entry_time=NOW)
    return made


def head() -> envelope_pb2.Header:
    """A header that is in order."""
    return header("de.bka", ("fr.pj", "x", "Art. 1"), now=NOW)


def reason(data: bytes) -> str:
    """Return why an envelope does not open."""
    with pytest.raises(EnvelopeError) as failed:
        envelopes.open_envelope(data)
    return failed.value.reason


def test_commitments_by_hand() -> None:
    """The commitments are the hashes that the protocol states, domain and all."""
    salt, content = bytes(range(32)), b"content"

    assert hashlib.sha256(
        b"rogatory.part.v1\x00" + salt + content
    ).digest() == envelopes.commitment(salt, content)
    assert hashlib.sha256(
        b"rogatory.outcome.v1\x00" + salt + content
    ).digest() == envelopes.outcome_commitment(salt, content)


def test_message_id_by_hand() -> None:
    """The example of RFC 9562 appendix A.6: time 017F22E279B0, version 7, variant 10."""
    random = bytes.fromhex("0cc318c4dc0c0c07398f")

    made = envelopes.new_message_id(0x017F22E279B0, random)

    assert "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" == made


def test_round_trip(alpha: Agency, ring: KeyRing) -> None:
    """What was built opens, verifies by the keys that signed, and gives back its contents."""
    contents = [records.persons(), records.indicators(2), records.context(case="C-1")]
    data = envelope(alpha, head(), *contents, officers=[OFFICER])

    opened = envelopes.open_envelope(data)

    known = envelopes.verify_signatures(opened, ring, entry_time=NOW)
    assert ["", OFFICER] == [key.officer for key in known]
    assert contents == envelopes.check_parts(opened, allow_absent=False)
    assert hashlib.sha256(opened.header_bytes).digest() == opened.header_digest
    assert opened.reference.header_digest == opened.header_digest
    assert ("de.bka", opened.header.message_id) == (
        opened.reference.sender,
        opened.reference.message_id,
    )


def test_salts_come_from_where_they_are_asked(alpha: Agency) -> None:
    """Equal salts give equal envelopes: there is no other chance in them."""
    made = head()
    signers = [(alpha.signing, codes_pb2.KEY_ROLE_SIGNING)]

    first, second, third = (
        envelopes.build(header=made, contents=[records.persons()], signers=signers, salts=salts)
        for salts in (bytes, bytes, lambda length: b"\x01" * length)
    )

    assert first == second != third
    assert [] == list(made.parts)


def test_build_lists_faults_of_header_and_parts(alpha: Agency) -> None:
    """The sender's own library tells everything at once, with paths into header and parts."""
    made = head()
    made.offences.append("fraud")
    bad = records.persons()
    bad.persons[0].record_id = "1"

    with pytest.raises(EnvelopeError) as failed:
        envelope(alpha, made, records.indicators(), bad)

    assert {"header.offences[1]", "parts[1].content.persons[0].record_id"} == {
        violation.path for violation in failed.value.violations
    }


def test_build_refuses_what_does_not_travel(alpha: Agency) -> None:
    """A message type that is no part's, or more bytes than the limit, are refused when built."""
    with pytest.raises(EnvelopeError) as unknown:
        envelope(alpha, head(), person_pb2.Person())
    with pytest.raises(EnvelopeError) as large:
        envelope(alpha, head(), records.bulk(envelopes.MAX_ENVELOPE_BYTES + 100_000))

    assert "SCHEMA_UNKNOWN" == unknown.value.reason
    assert "TOO_LARGE" == large.value.reason
    assert str(envelopes.MAX_ENVELOPE_BYTES) in large.value.message


def test_the_largest_envelope(alpha: Agency) -> None:
    """Exactly the limit opens as far as it parses; a byte more is not looked at."""
    data = bytes(envelopes.MAX_ENVELOPE_BYTES)

    assert "MALFORMED" == reason(data)
    assert "TOO_LARGE" == reason(data + b"\x00")
    assert [] == list(envelopes.open_envelope(envelope(alpha, head())).parts)


@pytest.mark.parametrize(
    ("batch", "fault"),
    [
        ([b"x"] * envelopes.MAX_BATCH_MESSAGES, ""),
        ([b"x"] * (envelopes.MAX_BATCH_MESSAGES + 1), "BATCH_SIZE"),
        ([], "BATCH_SIZE"),
        ([bytes(envelopes.MAX_BATCH_BYTES // 4)] * 4, ""),
        ([bytes(envelopes.MAX_BATCH_BYTES // 4)] * 4 + [b"x"], "TOO_LARGE"),
    ],
    ids=["as many as it takes", "one more", "none", "as long as it takes", "a byte more"],
)
def test_the_largest_batch(batch: list[bytes], fault: str) -> None:
    """A batch of exactly the limits passes, and its bytes are counted; beyond, the reason says."""
    if fault:
        with pytest.raises(EnvelopeError) as caught:
            envelopes.check_batch(batch)
        assert fault == caught.value.reason
    else:
        assert sum(map(len, batch)) == envelopes.check_batch(batch)


@pytest.mark.parametrize("kind", [*codes_pb2.Kind.values()][1:])
def test_particulars_go_with_the_kind(alpha: Agency, kind: int) -> None:
    """Each kind takes its own particulars; TRANSFER and GOVERNANCE take none."""
    wanted = envelopes.opening.PARTICULARS_OF_KIND[kind]
    made = head()
    made.kind = kind  # type: ignore[assignment]  # a Kind number
    none = forge.draft(made, signer=alpha.signing).serialise()
    made.custody.item_id = records.record_id("item")
    made.custody.action = custody_pb2.CUSTODY_ACTION_COLLECTED
    made.custody.holder = "de.bka"
    custody = forge.draft(made, signer=alpha.signing).serialise()

    assert (None in wanted) == _opens(none)
    assert ("custody" in wanted) == _opens(custody)


def _opens(data: bytes) -> bool:
    try:
        envelopes.open_envelope(data)
    except EnvelopeError as error:
        assert error.reason == "PARTICULARS_MISMATCH"  # noqa: PT017 - or it opens
        return False
    return True


def test_keys_are_judged_at_entry_time(alpha: Agency, ring: KeyRing) -> None:
    """A key is valid from the first instant up to the last, at entry, whatever the header says."""
    opened = envelopes.open_envelope(envelope(alpha, head()))
    end = NOW + 365 * DAY

    for at, expected in (
        (NOW - 1, "KEY_NOT_YET_VALID"),
        (NOW, ""),
        (end - 1, ""),
        (end, "KEY_EXPIRED"),
    ):
        try:
            envelopes.verify_signatures(opened, ring, entry_time=at)
            found = ""
        except EnvelopeError as error:
            found = error.reason
        assert expected == found


def test_revoked_key(alpha: Agency, ring: KeyRing) -> None:
    """From its revocation a key counts no more; before, what it signed stays good."""
    opened = envelopes.open_envelope(envelope(alpha, head()))
    later = NOW + HOUR
    fingerprint = alpha.signing.public_key.fingerprint
    ring.add(alpha.next_statement(now=later, revoked=[fingerprint]), entry_time=later)

    assert envelopes.verify_signatures(opened, ring, entry_time=later - 1)
    with pytest.raises(EnvelopeError) as failed:
        envelopes.verify_signatures(opened, ring, entry_time=later)
    assert "KEY_REVOKED" == failed.value.reason


@pytest.mark.parametrize(
    ("officers", "system", "expected"),
    [
        ([], True, ""),
        ([OFFICER], False, ""),
        ([CHIEF], True, ""),
        ([CHIEF, OFFICER], False, ""),
        ([CHIEF], False, "OFFICER_RIGHT_MISSING"),
        ([DRAFTER], True, "OFFICER_RIGHT_MISSING"),
        ([OFFICER, DRAFTER], True, "OFFICER_RIGHT_MISSING"),
        ([NOBODY], True, "OFFICER_RIGHT_MISSING"),
    ],
)
def test_rights_of_officers(
    alpha: Agency, ring: KeyRing, officers: list[str], *, system: bool, expected: str
) -> None:
    """Officers sign who may sign or approve, and somebody signs who may be the author."""
    draft = forge.draft(head(), signer=alpha.signing)
    draft.signers = draft.signers if system else []
    draft.signers += [(alpha.officer_signers[name], forge.OFFICER) for name in officers]
    opened = envelopes.open_envelope(draft.serialise())

    try:
        envelopes.verify_signatures(opened, ring, entry_time=NOW)
        found = ""
    except EnvelopeError as error:
        found = error.reason

    assert expected == found


def test_keys_that_cannot_sign(alpha: Agency) -> None:
    """A sealing key is enrolled and verifies nothing."""
    ring = KeyRing()
    sealing = signer("sealing")
    key = statements.enrol(
        algorithm=sealing.public_key.algorithm,
        public_key=sealing.public_key.raw,
        role=codes_pb2.KEY_ROLE_SEALING,
        valid_from=NOW - HOUR,
        valid_until=NOW + DAY,
    )
    ring.add(alpha.statement(spki=SPKI, now=NOW, keys=[key]), entry_time=NOW)
    draft = forge.draft(head(), signer=sealing)

    with pytest.raises(EnvelopeError) as failed:
        envelopes.verify_signatures(
            envelopes.open_envelope(draft.serialise()), ring, entry_time=NOW
        )

    assert "KEY_UNKNOWN" == failed.value.reason


def test_withheld_parts_are_for_recipients_only(alpha: Agency) -> None:
    """A recipient accepts that a part is withheld; the gateway does not."""
    envelope_ = envelope_pb2.Envelope.FromString(
        envelope(alpha, head(), records.persons(), records.indicators())
    )
    envelope_.parts[0].absent.reason = envelope_pb2.ABSENCE_REASON_WITHHELD
    opened = envelopes.open_envelope(envelope_.SerializeToString(deterministic=True))

    assert [None, records.indicators()] == envelopes.check_parts(opened, allow_absent=True)
    with pytest.raises(EnvelopeError) as failed:
        envelopes.check_parts(opened, allow_absent=False)
    assert "PARTS_MISSING" == failed.value.reason


def test_sealed_parts_are_taken_unseen(alpha: Agency) -> None:
    """Of a sealed part nothing can be checked here; it must be sealed where the header says so."""
    draft = forge.draft(head(), records.persons(), signer=alpha.signing, sealed=[0])

    opened = envelopes.open_envelope(draft.serialise())

    assert [None] == envelopes.check_parts(opened, allow_absent=False)


def test_parts_that_break_rules_are_listed_together(alpha: Agency) -> None:
    """Violations of all parts come in one error, before facts are compared."""
    people, indicators = records.persons(), records.indicators()
    people.persons[0].nationalities.append("x")
    indicators.indicators[0].confidence = 200
    draft = forge.draft(head(), people, indicators, signer=alpha.signing)
    draft.header.parts[1].facts.record_count = 9

    with pytest.raises(EnvelopeError) as failed:
        envelopes.check_parts(envelopes.open_envelope(draft.serialise()), allow_absent=False)

    assert [
        "parts[0].content.persons[0].nationalities[0]",
        "parts[1].content.indicators[0].confidence",
    ] == [violation.path for violation in failed.value.violations]


def test_faults_of_the_header_bring_those_of_the_parts(alpha: Agency) -> None:
    """Who has to mend the header hears of the parts too, as far as they can be read."""
    people = records.persons()
    people.persons[0].nationalities.append("x")
    draft = forge.draft(head(), people, records.indicators(), signer=alpha.signing)
    draft.header.handling.ClearField("tlp")
    draft.set_content(1, b"\xff")

    with pytest.raises(EnvelopeError) as failed:
        envelopes.open_envelope(draft.serialise())

    assert ["header.handling.tlp", "parts[0].content.persons[0].nationalities[0]"] == [
        violation.path for violation in failed.value.violations
    ]


def test_expiry_is_not_the_readers_business(alpha: Agency) -> None:
    """An envelope opens after it expired: recipients and auditors read it years later."""
    made = head()
    made.expire_time.CopyFrom(clock.to_timestamp(NOW - DAY))

    assert made.expire_time == envelopes.open_envelope(envelope(alpha, made)).header.expire_time
