"""Messages that must not get in: for each, how it is made and what the sender is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock, envelopes
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2, custody_pb2
from tests.support import forge, records
from tests.support.forge import SIGNING, UNKNOWN_FIELD, Draft, length_delimited, varint
from tests.support.house import ALPHA, BETA, CHIEF, DRAFTER, GAMMA, OFFICER, SUPERVISOR, House
from tests.support.world import header, signer

Make = Callable[[House], bytes]
LONGEST_TIMESTAMP = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second of google.protobuf.Timestamp."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bad message.

    Attributes:
        make: Returns the bytes to submit.
        code: Name of the status code.
        reason: The ErrorReason's name.
        header_logged: Whether the log keeps the header: it does once the sender's own signatures
            verified. Else it keeps a salted commitment to the bytes.
        fields: Fields that BadRequest must name, all of them at once.
        sender: Whose certificate submits it.
    """

    name: str
    make: Make
    code: str
    reason: str
    header_logged: bool = False
    fields: tuple[str, ...] = ()
    sender: str = ALPHA


def draft(house: House, *contents: object, sender: str = ALPHA) -> Draft:
    """Return a draft that would be permitted."""
    head = header(sender, (BETA, "alpha-beta", "Art. 4"))
    return forge.draft(
        head,
        *(contents or (records.indicators(),)),  # type: ignore[arg-type]  # messages
        signer=house.agency(sender).signing,
    )


def _with_officer(house: House, officer: str = OFFICER) -> Draft:
    made = draft(house)
    made.signers.append((house.agency(ALPHA).officer_signers[officer], forge.OFFICER))
    return made


def _changed(change: Callable[[Draft], object]) -> Make:
    """Change the draft, then sign: the sender's own wrong."""

    def make(house: House) -> bytes:
        made = draft(house)
        change(made)
        return made.serialise()

    return make


def _tampered(change: Callable[[envelope_pb2.Envelope], object], *, officer: bool = False) -> Make:
    """Sign, then change the envelope: somebody else's wrong."""

    def make(house: House) -> bytes:
        envelope = (_with_officer(house) if officer else draft(house)).sign()
        change(envelope)
        return envelope.SerializeToString(deterministic=True)

    return make


def _signed_by(pick: Callable[[House], object], role: int = SIGNING) -> Make:
    def make(house: House) -> bytes:
        made = draft(house)
        made.signers = [(pick(house), role)]  # type: ignore[list-item]  # a signer
        return made.serialise()

    return make


def _flip(data: bytes, position: int = -1) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


# Signatures ---------------------------------------------------------------------------------------


def _strip_and_rewrite(house: House) -> bytes:
    """Take the officer's signature off, and out of `signed_by` too: the rest no longer verifies."""
    envelope = _with_officer(house).sign()
    head = envelope_pb2.Header.FromString(envelope.header)
    del head.signed_by[1]
    del envelope.signatures[1]
    envelope.header = head.SerializeToString(deterministic=True)
    return envelope.SerializeToString(deterministic=True)


def _change_header(envelope: envelope_pb2.Envelope) -> None:
    head = envelope_pb2.Header.FromString(envelope.header)
    head.purpose = codes_pb2.PURPOSE_PREVENTION
    envelope.header = head.SerializeToString(deterministic=True)


def _swap_values(envelope: envelope_pb2.Envelope) -> None:
    first, second = envelope.signatures
    first.value, second.value = second.value, first.value


def _add_signature(envelope: envelope_pb2.Envelope) -> None:
    envelope.signatures.append(forge.signature(signer("uninvited"), envelope.header))


def _repeat_signature(envelope: envelope_pb2.Envelope) -> None:
    envelope.signatures.append(envelope.signatures[0])


def _name_key_twice(house: House) -> bytes:
    made = draft(house)
    made.signers *= 2
    return made.serialise()


SIGNATURES = (
    Case(
        name="no signature at all",
        make=_tampered(lambda e: e.ClearField("signatures")),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("signatures",),
    ),
    Case(
        name="a signature that signed_by names is missing",
        make=_tampered(lambda e: e.signatures.pop(), officer=True),
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_MISSING",
    ),
    Case(
        name="a signature stripped from signed_by too",
        make=_strip_and_rewrite,
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_INVALID",
    ),
    Case(
        name="a signature more than signed_by names",
        make=_tampered(_add_signature),
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_MISSING",
    ),
    Case(
        name="one signature twice",
        make=_tampered(_repeat_signature),
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_MISSING",
    ),
    Case(
        name="one key named twice",
        make=_name_key_twice,
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_MISSING",
    ),
    Case(
        name="a bit of the signature flipped",
        make=_tampered(
            lambda e: setattr(e.signatures[0], "value", _flip(e.signatures[0].value, 20))
        ),
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_INVALID",
    ),
    Case(
        name="two signatures swapped",
        make=_tampered(_swap_values, officer=True),
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_INVALID",
    ),
    Case(
        name="the header changed after signing",
        make=_tampered(_change_header),
        code="INVALID_ARGUMENT",
        reason="SIGNATURE_INVALID",
    ),
    Case(
        name="a key that nobody enrolled",
        make=_signed_by(lambda _: signer("nobody")),
        code="PERMISSION_DENIED",
        reason="KEY_UNKNOWN",
    ),
    Case(
        name="another agency's key",
        make=_signed_by(lambda house: house.agency(BETA).signing),
        code="PERMISSION_DENIED",
        reason="KEY_UNKNOWN",
    ),
    Case(
        name="the offline root",
        make=_signed_by(lambda house: house.agency(ALPHA).root),
        code="PERMISSION_DENIED",
        reason="KEY_UNKNOWN",
    ),
    Case(
        name="a key in a role it does not have",
        make=_signed_by(lambda house: house.agency(ALPHA).signing, forge.OFFICER),
        code="PERMISSION_DENIED",
        reason="KEY_UNKNOWN",
    ),
    Case(
        name="a key not yet valid",
        make=_signed_by(lambda house: house.keys["future"]),
        code="PERMISSION_DENIED",
        reason="KEY_NOT_YET_VALID",
    ),
    Case(
        name="a key no longer valid",
        make=_signed_by(lambda house: house.keys["expired"]),
        code="PERMISSION_DENIED",
        reason="KEY_EXPIRED",
    ),
    Case(
        name="a revoked key",
        make=_signed_by(lambda house: house.keys["revoked"]),
        code="PERMISSION_DENIED",
        reason="KEY_REVOKED",
    ),
    Case(
        name="an officer who may only draft",
        make=lambda house: _with_officer(house, DRAFTER).serialise(),
        code="PERMISSION_DENIED",
        reason="OFFICER_RIGHT_MISSING",
    ),
    Case(
        name="an approval of what nobody signed as its author",
        make=_signed_by(lambda house: house.agency(ALPHA).officer_signers[CHIEF], forge.OFFICER),
        code="PERMISSION_DENIED",
        reason="OFFICER_RIGHT_MISSING",
    ),
)

# Parts --------------------------------------------------------------------------------------------


def _swap_part(house: House) -> bytes:
    """Give a message the part of another message that says the same."""
    mine, other = draft(house).sign(), draft(house).sign()
    mine.parts[0].CopyFrom(other.parts[0])
    return mine.SerializeToString(deterministic=True)


def _swap_order(house: House) -> bytes:
    envelope = draft(house, records.indicators(tag="a"), records.indicators(tag="b")).sign()
    first, second = list(envelope.parts)
    del envelope.parts[:]
    envelope.parts.extend([second, first])
    return envelope.SerializeToString(deterministic=True)


def _alter_content(envelope: envelope_pb2.Envelope) -> None:
    part = envelope.parts[0].clear
    part.content = _flip(part.content)


def _alter_salt(envelope: envelope_pb2.Envelope) -> None:
    part = envelope.parts[0].clear
    part.salt = _flip(part.salt)


def _absent(envelope: envelope_pb2.Envelope) -> None:
    envelope.parts[0].absent.reason = envelope_pb2.ABSENCE_REASON_WITHHELD


def _seal_unsaid(envelope: envelope_pb2.Envelope) -> None:
    envelope.parts[0].sealed.CopyFrom(forge.sealed_part())


def _facts(**changes: object) -> Make:
    def change(made: Draft) -> None:
        stated = made.header.parts[0].facts
        for name, value in changes.items():
            if isinstance(value, list):
                stated.ClearField(name)  # type: ignore[arg-type]  # a field's name
                getattr(stated, name).extend(value)
            else:
                setattr(stated, name, value)

    return _changed(change)


def _hidden_biometrics(house: House) -> bytes:
    """State a person without the health note that the part holds: what a rule would withhold."""
    made = draft(house, records.persons(records.person(groups=[common_pb2.FIELD_GROUP_HEALTH])))
    made.header.parts[0].facts.field_groups.remove(common_pb2.FIELD_GROUP_HEALTH)
    return made.serialise()


def _wrong_size(made: Draft) -> None:
    made.header.parts[0].size += 1


PARTS = (
    Case(
        name="a part altered",
        make=_tampered(_alter_content),
        code="INVALID_ARGUMENT",
        reason="COMMITMENT_MISMATCH",
        header_logged=True,
    ),
    Case(
        name="a part's salt altered",
        make=_tampered(_alter_salt),
        code="INVALID_ARGUMENT",
        reason="COMMITMENT_MISMATCH",
        header_logged=True,
    ),
    Case(
        name="a part of another message",
        make=_swap_part,
        code="INVALID_ARGUMENT",
        reason="COMMITMENT_MISMATCH",
        header_logged=True,
    ),
    Case(
        name="two parts in the wrong order",
        make=_swap_order,
        code="INVALID_ARGUMENT",
        reason="COMMITMENT_MISMATCH",
        header_logged=True,
    ),
    Case(
        name="a part's size misstated",
        make=_changed(_wrong_size),
        code="INVALID_ARGUMENT",
        reason="COMMITMENT_MISMATCH",
        header_logged=True,
    ),
    Case(
        name="a part missing",
        make=_tampered(lambda e: e.parts.pop()),
        code="INVALID_ARGUMENT",
        reason="PARTS_MISSING",
    ),
    Case(
        name="a part more than the header binds",
        make=_tampered(lambda e: e.parts.append(e.parts[0])),
        code="INVALID_ARGUMENT",
        reason="PARTS_MISSING",
    ),
    Case(
        name="a part declared absent",
        make=_tampered(_absent),
        code="INVALID_ARGUMENT",
        reason="PARTS_MISSING",
        header_logged=True,
    ),
    Case(
        name="a part sealed that the header calls clear",
        make=_tampered(_seal_unsaid),
        code="INVALID_ARGUMENT",
        reason="PARTS_MISSING",
        header_logged=True,
    ),
    Case(
        name="a part clear that the header calls sealed",
        make=_changed(lambda made: setattr(made.header.parts[0], "sealed", True)),
        code="INVALID_ARGUMENT",
        reason="PARTS_MISSING",
        header_logged=True,
    ),
    Case(
        name="too few records stated",
        make=_facts(record_count=0),
        code="INVALID_ARGUMENT",
        reason="FACTS_MISSTATED",
        header_logged=True,
    ),
    Case(
        name="a field group stated that is not there",
        make=_facts(field_groups=[common_pb2.FIELD_GROUP_IDENTITY]),
        code="INVALID_ARGUMENT",
        reason="FACTS_MISSTATED",
        header_logged=True,
    ),
    Case(
        name="a field group that is there not stated",
        make=_hidden_biometrics,
        code="INVALID_ARGUMENT",
        reason="FACTS_MISSTATED",
        header_logged=True,
    ),
    Case(
        name="a case reference stated that is not there",
        make=_facts(case_reference=True),
        code="INVALID_ARGUMENT",
        reason="FACTS_MISSTATED",
        header_logged=True,
    ),
)

# Encodings ----------------------------------------------------------------------------------------


def _unknown_in_header(house: House) -> bytes:
    made = draft(house)
    return made.sign(made.header_bytes() + UNKNOWN_FIELD).SerializeToString(deterministic=True)


def _unknown_in_handling(house: House) -> bytes:
    """One level down, in a header that is signed as it stands."""
    made = draft(house)
    made.header.handling.MergeFromString(UNKNOWN_FIELD)
    return made.serialise()


def _unknown_in_part(house: House) -> bytes:
    """Three levels down: in the text of a name of a person."""
    people = records.persons()
    people.persons[0].names[0].texts[0].MergeFromString(UNKNOWN_FIELD)
    made = draft(house, people)
    return made.serialise()


def _repeated_singular(house: House) -> bytes:
    """A second copy of a field hides the first from parsers that take the last."""
    made = draft(house)
    data = made.header_bytes()
    return made.sign(length_delimited(3, b"xx.other") + data).SerializeToString(deterministic=True)


def _long_varint(house: House) -> bytes:
    """Write schema_version as two bytes where one would do: a place to hide bits."""
    made = draft(house)
    data = made.header_bytes()
    assert data.startswith(b"\x08\x01")
    return made.sign(b"\x08\x81\x00" + data[2:]).SerializeToString(deterministic=True)


def _deep_nesting(_: House) -> bytes:
    """A thousand groups within each other, as an unknown field."""
    return b"\xa3\x06" * 1000 + b"\xa4\x06" * 1000


def _deep_header(house: House) -> bytes:
    made = draft(house)
    return made.sign(_deep_nesting(house)).SerializeToString(deterministic=True)


def _huge_length(_: House) -> bytes:
    """A header that claims four gigabytes and holds three bytes."""
    return b"\x0a" + varint((1 << 32) - 1) + b"abc"


def _deep_part(house: House) -> bytes:
    made = draft(house)
    made.set_content(0, _deep_nesting(house))
    return made.serialise()


def _unknown_type(made: Draft) -> None:
    made.header.parts[0].schema = "rogatory.records.v1.Rumours"


def _wrong_category(made: Draft) -> None:
    made.header.parts[0].category = codes_pb2.PART_CATEGORY_CONTEXT


def _too_large(house: House) -> bytes:
    made = draft(house)
    made.set_content(0, os.urandom(envelopes.MAX_ENVELOPE_BYTES))
    return made.serialise()


ENCODINGS = (
    Case(
        name="an unknown field in the envelope",
        make=lambda house: draft(house).serialise() + UNKNOWN_FIELD,
        code="INVALID_ARGUMENT",
        reason="UNKNOWN_FIELDS",
    ),
    Case(
        name="an unknown field in the header",
        make=_unknown_in_header,
        code="INVALID_ARGUMENT",
        reason="UNKNOWN_FIELDS",
    ),
    Case(
        name="an unknown field in the header's handling",
        make=_unknown_in_handling,
        code="INVALID_ARGUMENT",
        reason="UNKNOWN_FIELDS",
    ),
    Case(
        name="an unknown field deep in a part",
        make=_unknown_in_part,
        code="INVALID_ARGUMENT",
        reason="UNKNOWN_FIELDS",
        header_logged=True,
    ),
    Case(
        name="a field twice",
        make=_repeated_singular,
        code="INVALID_ARGUMENT",
        reason="UNKNOWN_FIELDS",
    ),
    Case(
        name="a number longer than it needs to be",
        make=_long_varint,
        code="INVALID_ARGUMENT",
        reason="UNKNOWN_FIELDS",
    ),
    Case(
        name="a type that does not travel",
        make=_changed(_unknown_type),
        code="INVALID_ARGUMENT",
        reason="SCHEMA_UNKNOWN",
    ),
    Case(
        name="a type under another category",
        make=_changed(_wrong_category),
        code="INVALID_ARGUMENT",
        reason="SCHEMA_UNKNOWN",
    ),
    Case(
        name="truncated",
        make=lambda house: draft(house).serialise()[:-3],
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="not protobuf",
        make=lambda _: b"\xff" * 64,
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="nested a thousand deep",
        make=_deep_nesting,
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="a header nested a thousand deep",
        make=_deep_header,
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="a part nested a thousand deep",
        make=_deep_part,
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
        header_logged=True,
    ),
    Case(
        name="a length prefix of four gigabytes",
        make=_huge_length,
        code="INVALID_ARGUMENT",
        reason="MALFORMED",
    ),
    Case(
        name="over one mebibyte",
        make=_too_large,
        code="INVALID_ARGUMENT",
        reason="TOO_LARGE",
    ),
)

# Headers ------------------------------------------------------------------------------------------


def _expire(at: Callable[[], Timestamp]) -> Make:
    return _changed(lambda made: made.header.expire_time.CopyFrom(at()))


def _violate(made: Draft) -> None:
    made.header.message_id = "not-a-uuid"
    made.header.recipients[0].article = ""
    made.header.offences.append("fraud")
    made.header.handling.ClearField("tlp")


def _violate_part(house: House) -> bytes:
    """Break rules of header and part together: whoever mends one must not meet the other later."""
    people = records.persons(records.person(), records.person("Max Mustermann"))
    people.persons[0].nationalities.append("deutsch")
    people.persons[1].names[0].texts[0].script = "latin"
    made = draft(house, people)
    made.header.handling.ClearField("tlp")
    return made.serialise()


def _violate_parts_only(house: House) -> bytes:
    people = records.persons(records.person(), records.person("Max Mustermann"))
    people.persons[0].nationalities.append("deutsch")
    people.persons[1].names[0].texts[0].script = "latin"
    bad = records.indicators()
    bad.indicators[0].confidence = 101
    return draft(house, people, bad).serialise()


def _address_twice(made: Draft) -> None:
    made.header.recipients.append(made.header.recipients[0])


def _address_self(made: Draft) -> None:
    made.header.recipients.add(agency=ALPHA, agreement_id="alpha-beta", article="Art. 4")


def _particulars(made: Draft) -> None:
    made.header.custody.item_id = records.record_id("item")
    made.header.custody.action = custody_pb2.CUSTODY_ACTION_COLLECTED
    made.header.custody.holder = ALPHA


def _used_id(house: House) -> bytes:
    """Use the id of the message that was submitted before all others, for something else."""
    made = draft(house)
    made.header.message_id = house.first_id
    return made.serialise()


def _from_supervisor(house: House) -> bytes:
    return draft(house, sender=SUPERVISOR).serialise()


HEADERS = (
    Case(
        name="expired",
        make=_expire(lambda: clock.to_timestamp(time.time_ns() - 1)),
        code="FAILED_PRECONDITION",
        reason="EXPIRED",
        header_logged=True,
    ),
    Case(
        name="expired before there were calendars",
        make=_expire(lambda: Timestamp(seconds=-(1 << 62))),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("header.expire_time",),
    ),
    Case(
        name="times that are none",
        make=_expire(lambda: Timestamp(seconds=LONGEST_TIMESTAMP + 1, nanos=-1)),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("header.expire_time",),
    ),
    Case(
        name="meant for another gateway",
        make=_changed(lambda made: setattr(made.header, "audience", "other.example")),
        code="INVALID_ARGUMENT",
        reason="AUDIENCE_MISMATCH",
    ),
    Case(
        name="in another agency's name",
        make=lambda house: draft(house).serialise(),
        code="PERMISSION_DENIED",
        reason="SENDER_MISMATCH",
        sender=GAMMA,
    ),
    Case(
        name="a kind that the agency may not send",
        make=_from_supervisor,
        code="PERMISSION_DENIED",
        reason="NOT_AUTHORISED",
        sender=SUPERVISOR,
    ),
    Case(
        name="fields that break their rules",
        make=_changed(_violate),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=(
            "header.message_id",
            "header.recipients[0].article",
            "header.offences[1]",
            "header.handling.tlp",
        ),
    ),
    Case(
        name="fields of header and part that break their rules",
        make=_violate_part,
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=(
            "header.handling.tlp",
            "parts[0].content.persons[0].nationalities[0]",
            "parts[0].content.persons[1].names[0].texts[0].script",
        ),
    ),
    Case(
        name="fields of two parts that break their rules",
        make=_violate_parts_only,
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        header_logged=True,
        fields=(
            "parts[0].content.persons[0].nationalities[0]",
            "parts[0].content.persons[1].names[0].texts[0].script",
            "parts[1].content.indicators[0].confidence",
        ),
    ),
    Case(
        name="a kind that does not exist",
        make=_changed(lambda made: setattr(made.header, "kind", 99)),
        code="INVALID_ARGUMENT",
        reason="FIELD_VIOLATIONS",
        fields=("header.kind",),
    ),
    Case(
        name="one recipient twice",
        make=_changed(_address_twice),
        code="INVALID_ARGUMENT",
        reason="RECIPIENTS_INVALID",
    ),
    Case(
        name="the sender among the recipients",
        make=_changed(_address_self),
        code="INVALID_ARGUMENT",
        reason="RECIPIENTS_INVALID",
    ),
    Case(
        name="particulars of another kind",
        make=_changed(_particulars),
        code="INVALID_ARGUMENT",
        reason="PARTICULARS_MISMATCH",
    ),
    Case(
        name="a used message id for another header",
        make=_used_id,
        code="ALREADY_EXISTS",
        reason="CONFLICT",
        header_logged=True,
    ),
)

CASES = (*SIGNATURES, *PARTS, *ENCODINGS, *HEADERS)
