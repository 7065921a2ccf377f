"""Facts: what rules may look at, and nothing of what the records say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from rogatory import envelopes, facts
from rogatory.assistance.v1 import answer_pb2
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.records.v1 import (
    alert_pb2,
    common_pb2,
    evidence_pb2,
    link_pb2,
    person_pb2,
    victim_notice_pb2,
)
from rogatory.schemas import by_name, names
from tests.support import records, steps
from tests.support.world import header, signer

CONTAINERS = (
    ".Persons",
    ".EvidenceItems",
    ".Indicators",
    ".Organisations",
    ".Places",
    ".Accounts",
    ".Links",
    ".VictimNotices",
    ".Corrections",
    ".Alerts",
    ".AlertHits",
)
GROUPS = {
    "names": common_pb2.FIELD_GROUP_IDENTITY,
    "documents": common_pb2.FIELD_GROUP_DOCUMENTS,
    "description": common_pb2.FIELD_GROUP_DESCRIPTION,
    "biometrics": common_pb2.FIELD_GROUP_BIOMETRICS,
    "health": common_pb2.FIELD_GROUP_HEALTH,
    "warnings": common_pb2.FIELD_GROUP_WARNINGS,
    "charges": common_pb2.FIELD_GROUP_CHARGES,
    "foreign_fields": common_pb2.FIELD_GROUP_FOREIGN,
}


def of_person(**fields: object) -> envelope_pb2.PartFacts:
    """Return the facts of a part with one person who has these fields."""
    return facts.of_message(person_pb2.Persons(persons=[person_pb2.Person(**fields)]))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*GROUPS])
def test_each_field_tells_its_group(name: str) -> None:
    """A field that is filled, with whatever, puts its group among the facts."""
    empty: object = {} if name == "description" else [{}]

    assert [GROUPS[name]] == list(of_person(**{name: empty}).field_groups)


def test_contacts_and_accounts_are_told_apart() -> None:
    """What reaches a person is CONTACTS, what holds its money ACCOUNTS."""
    phone = of_person(contacts=[{"phone": "+495550100"}])
    account = of_person(contacts=[{"iban": "DE02120300000000202051"}])

    assert [common_pb2.FIELD_GROUP_CONTACTS] == list(phone.field_groups)
    assert [common_pb2.FIELD_GROUP_ACCOUNTS] == list(account.field_groups)


@pytest.mark.parametrize(
    ("content", "group"),
    [
        (
            evidence_pb2.EvidenceItems(
                items=[evidence_pb2.EvidenceItem(serial_numbers=["8988211000000000000"])]
            ),
            common_pb2.FIELD_GROUP_CONTACTS,
        ),
        (
            alert_pb2.Alerts(
                alerts=[alert_pb2.Alert(vehicle=alert_pb2.Vehicle(registration="AB123CD"))]
            ),
            common_pb2.FIELD_GROUP_DOCUMENTS,
        ),
    ],
    ids=["serial number", "vehicle"],
)
def test_identifiers_of_things_tell_their_group(
    content: Message, group: common_pb2.FieldGroup.ValueType
) -> None:
    """What names a SIM, a device or a vehicle leads to a person like any other identifier."""
    assert [group] == list(facts.of_message(content).field_groups)


def test_groups_and_subjects_are_ascending_and_once() -> None:
    """Facts of many records are the union, in order, so that one content has one set of facts."""
    health, warnings = common_pb2.FIELD_GROUP_HEALTH, common_pb2.FIELD_GROUP_WARNINGS
    part = records.persons(
        records.person("B", category=common_pb2.DATA_SUBJECT_CATEGORY_WITNESS, groups=[warnings]),
        records.person("A", groups=[health]),
        records.person("C", groups=[health]),
    )

    found = facts.of_message(part)

    assert 3 == found.record_count
    assert [common_pb2.FIELD_GROUP_IDENTITY, health, warnings] == list(found.field_groups)
    assert [
        common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
        common_pb2.DATA_SUBJECT_CATEGORY_WITNESS,
    ] == list(found.data_subjects)


def test_victim_notices_are_about_victims() -> None:
    """The category of a notice's subject goes without saying, and is stated."""
    notices = victim_notice_pb2.VictimNotices(notices=[victim_notice_pb2.VictimNotice()] * 4)

    found = facts.of_message(notices)

    assert 4 == found.record_count
    assert [common_pb2.DATA_SUBJECT_CATEGORY_VICTIM] == list(found.data_subjects)


@pytest.mark.parametrize(
    ("case", "why"), [("", ""), ("C-1", ""), ("", "needed"), ("C-1", "needed")]
)
def test_context_tells_what_it_has(case: str, why: str) -> None:
    """A CONTEXT part says whether there are case reference and justification, never which."""
    found = facts.of_message(records.context(case=case, justification=why))

    assert (1, bool(case), bool(why)) == (
        found.record_count,
        found.case_reference,
        found.justification,
    )


def test_indicators_have_no_subjects() -> None:
    """A part about no person has a count and no more."""
    assert envelope_pb2.PartFacts(record_count=7) == facts.of_message(records.indicators(7))


@pytest.mark.parametrize("name", [name for name in names() if not name.endswith(".Envelope")])
def test_every_type_has_facts(name: str) -> None:
    """An empty part of any type has facts; containers count none, all others themselves."""
    schema = by_name(name)

    found = facts.of_message(schema.message_type())

    container = name.endswith(CONTAINERS)
    assert (0 if container else 1) == found.record_count
    assert not found.field_groups
    assert not found.case_reference


def test_links_are_relations() -> None:
    """A part that ties records together is of the group RELATIONS."""
    made = link_pb2.Links()
    made.links.add(role=link_pb2.LINK_ROLE_RINGLEADER).from_record.record_id = "a"

    assert common_pb2.FIELD_GROUP_RELATIONS in facts.of_message(made).field_groups
    assert codes_pb2.PART_CATEGORY_LINK == by_name("rogatory.records.v1.Links").category


def test_measures_asked_for() -> None:
    """A request's facts name each measure, with tags of its subjects and nothing else of them."""
    asked = records.request()
    for name in ("m2", "m0"):
        measure = asked.measures.add(measure_id=name, kind=asked.kind)
        for subject in ("bob", "ada", "bob"):
            measure.subjects.add(record_id=records.record_id(subject))

    found = facts.of_message(asked)

    assert 1 == found.record_count
    assert [
        ("m0", 0, steps.pack(["ada", "bob"])),
        ("m1", 0, b""),
        ("m2", 0, steps.pack(["ada", "bob"])),
    ] == [(one.measure_id, one.outcome, one.subjects) for one in found.measures]


def test_measures_answered() -> None:
    """An answer's facts are by measure and outcome; what is said of the whole outweighs persons."""
    done, refused = answer_pb2.MEASURE_OUTCOME_EXECUTED, answer_pb2.MEASURE_OUTCOME_REFUSED
    given = answer_pb2.Answer()
    for measure_id, outcome, subjects in (
        ("m2", done, ["ada"]),
        ("m1", refused, ["ada"]),
        ("m1", done, ["bob"]),
        ("m1", done, ["eve", "bob"]),
        ("m2", done, []),
    ):
        given.measure_answers.add(
            measure_id=measure_id,
            outcome=outcome,
            subject_ids=[records.record_id(name) for name in subjects],
        )

    found = facts.of_message(given)

    assert [
        ("m1", done, steps.pack(["bob", "eve"])),
        ("m1", refused, steps.pack(["ada"])),
        ("m2", done, b""),
    ] == [(one.measure_id, one.outcome, one.subjects) for one in found.measures]


def forwarded(*present: bool) -> envelope_pb2.Envelope:
    """Return a message with these parts, some of them left out."""
    contents: list[Message] = [
        records.persons(records.person("Ada", groups=[common_pb2.FIELD_GROUP_HEALTH])),
        records.indicators(3),
        records.persons(
            records.person("Eve", category=common_pb2.DATA_SUBJECT_CATEGORY_WITNESS),
            records.person("Bob"),
        ),
    ]
    head = header("aa.alpha", ("bb.beta", "all", "Art. 1"), now=steps.NOW)
    signers = [(signer("forward"), codes_pb2.KEY_ROLE_SIGNING)]
    made = envelope_pb2.Envelope.FromString(
        envelopes.build(header=head, contents=contents, signers=signers)
    )
    for part, here in zip(made.parts, present, strict=True):
        if not here:
            part.absent.reason = envelope_pb2.ABSENCE_REASON_REDACTED
    return made


def test_facts_of_a_message_passed_on() -> None:
    """They are what its originator's header says of the parts that are still there."""
    found = facts.of_message(forwarded(False, True, True))

    assert [1, 2] == list(found.present_parts)
    assert 5 == found.record_count
    assert [common_pb2.FIELD_GROUP_IDENTITY] == list(found.field_groups)
    assert [
        common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
        common_pb2.DATA_SUBJECT_CATEGORY_WITNESS,
    ] == list(found.data_subjects)
    assert envelope_pb2.PartFacts() == facts.of_message(forwarded(False, False, False))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda made: made.parts.pop(), "PARTS_MISSING"),
        (lambda made: made.__setattr__("header", b"\xff"), "MALFORMED"),
        (lambda made: made.__setattr__("header", made.header + b"\xb8\x3e\x01"), "UNKNOWN_FIELDS"),
        (lambda made: made.__setattr__("header", b""), "FIELD_VIOLATIONS"),
    ],
)
def test_message_passed_on_that_cannot_be_read(
    damage: Callable[[envelope_pb2.Envelope], object], reason: str
) -> None:
    """A message is passed on with its own header and every part of it, or not at all."""
    made = forwarded(True, True, True)
    damage(made)

    with pytest.raises(EnvelopeError) as caught:
        facts.of_message(made)

    assert reason == caught.value.reason


def test_more_records_than_can_be_counted() -> None:
    """A header that overstates its records is counted as far as a count goes."""
    made = forwarded(True, True, True)
    head = envelope_pb2.Header.FromString(made.header)
    for part in head.parts:
        part.facts.record_count = (1 << 32) - 1
    made.header = head.SerializeToString(deterministic=True)

    assert (1 << 32) - 1 == facts.of_message(made).record_count
