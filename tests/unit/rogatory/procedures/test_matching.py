"""Matching: which later records hit an alert, and what its issuer is told."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from google.protobuf.message import Message

from rogatory import wire
from rogatory.clock import to_timestamp
from rogatory.procedures.matching import MAX_HITS, AlertIndex, Match, report_hits
from rogatory.records.v1 import (
    account_pb2,
    alert_pb2,
    common_pb2,
    contact_pb2,
    document_pb2,
    evidence_pb2,
    indicator_pb2,
    link_pb2,
    organisation_pb2,
    person_pb2,
)
from tests.support.records import record_id

NOW = 1_790_000_000 * 10**9
UNTIL = NOW + 1000
ISSUER, SENDER = "aa.issuer", "bb.sender"
EXCHANGED = alert_pb2.ALERT_OCCASION_EXCHANGED_RECORD
BORDER = alert_pb2.ALERT_OCCASION_BORDER_ENTRY
IDENTIFIER = alert_pb2.MATCH_BASIS_IDENTIFIER
NAME_AND_BIRTH = alert_pb2.MATCH_BASIS_NAME_AND_BIRTH
PASSPORT = document_pb2.IdentityDocument(
    kind=document_pb2.DOCUMENT_KIND_PASSPORT, number="X 123", issuing_country="MM"
)
PHONE = contact_pb2.Contact(phone="+6621234567")
DOMAIN = indicator_pb2.INDICATOR_TYPE_DOMAIN


def _message(sender: str, number: int = 1) -> common_pb2.MessageReference:
    return common_pb2.MessageReference(
        sender=sender,
        message_id=f"01920000-0000-7000-8000-{number:012d}",
        header_digest=bytes(32),
    )


ALERTED, LATER = _message(ISSUER, 1), _message(SENDER, 2)


def _alert(
    name: str = "alert",
    *,
    occasions: Sequence[alert_pb2.AlertOccasion.ValueType] = (EXCHANGED,),
    since: int | None = None,
    until: int | None = UNTIL,
    **subject: Message,
) -> alert_pb2.Alert:
    return alert_pb2.Alert(
        record_id=record_id(name),
        occasions=occasions,
        actions=[alert_pb2.ALERT_ACTION_REPORT],
        valid_from_time=None if since is None else to_timestamp(since),
        valid_until_time=None if until is None else to_timestamp(until),
        **subject,  # type: ignore[arg-type]  # one of its subjects
    )


def _person(
    name: str = "Max Mustermann",
    *,
    birth: str = "",
    documents: Sequence[document_pb2.IdentityDocument] = (),
    contacts: Sequence[contact_pb2.Contact] = (),
) -> person_pb2.Person:
    return person_pb2.Person(
        record_id=record_id(name),
        names=[
            person_pb2.PersonName(
                kind=person_pb2.PERSON_NAME_KIND_FULL, texts=[common_pb2.NameText(text=name)]
            )
        ],
        birth_date=common_pb2.PartialDate(value=birth) if birth else None,
        documents=documents,
        contacts=contacts,
    )


def _indicator(
    value: str, type_: indicator_pb2.IndicatorType.ValueType = DOMAIN
) -> indicator_pb2.Indicator:
    return indicator_pb2.Indicator(record_id=record_id(value), type=type_, value=value)


def _index(*alerts: alert_pb2.Alert, valid_until: int | None = None) -> AlertIndex:
    index = AlertIndex()
    index.add(
        alert_pb2.Alerts(alerts=alerts), message=ALERTED, entry_time=NOW, valid_until=valid_until
    )
    return index


def _match(index: AlertIndex, content: Message, *, at: int = NOW) -> list[Match]:
    return index.match(content, message=LATER, entry_time=at)


def _bases(index: AlertIndex, content: Message, *, at: int = NOW) -> list[int]:
    return [match.basis for match in _match(index, content, at=at)]


def test_a_hit_names_alert_and_record() -> None:
    """Both are named with their messages, so that both sides know which are meant."""
    index = _index(_alert(document=PASSPORT))
    person = _person(documents=[PASSPORT])

    (match,) = _match(index, person_pb2.Persons(persons=[person]))

    expected = Match(
        alert=common_pb2.RecordReference(message=ALERTED, record_id=record_id("alert")),
        matched=common_pb2.RecordReference(message=LATER, record_id=person.record_id),
        basis=IDENTIFIER,
        occasion=EXCHANGED,
        hit_time=NOW,
        actions=(alert_pb2.ALERT_ACTION_REPORT,),
    )
    assert expected == match
    assert ISSUER == match.issuer


@pytest.mark.parametrize(
    ("alert", "content"),
    [
        (
            _alert(person=_person("A", contacts=[PHONE])),
            indicator_pb2.Indicators(
                indicators=[_indicator("+66 2123 4567", indicator_pb2.INDICATOR_TYPE_PHONE)]
            ),
        ),
        (
            _alert(indicator=_indicator("192.0.2.1", indicator_pb2.INDICATOR_TYPE_IPV4)),
            person_pb2.Persons(
                persons=[_person(contacts=[contact_pb2.Contact(ip_address="192.0.2.1")])]
            ),
        ),
        (
            _alert(account=account_pb2.Account(iban="DE001234567890123")),
            organisation_pb2.Organisations(
                organisations=[
                    organisation_pb2.Organisation(
                        record_id=record_id("o"),
                        contacts=[contact_pb2.Contact(iban="DE001234567890123")],
                    )
                ]
            ),
        ),
        (
            _alert(person=_person(contacts=[contact_pb2.Contact(iban="DE001234567890123")])),
            account_pb2.Accounts(
                accounts=[account_pb2.Account(record_id=record_id("a"), iban="DE001234567890123")]
            ),
        ),
        (
            _alert(vehicle=alert_pb2.Vehicle(vin="WVWZZZ1JZ3W386752")),
            evidence_pb2.EvidenceItems(
                items=[
                    evidence_pb2.EvidenceItem(
                        record_id=record_id("e"), serial_numbers=["WVWZZZ1JZ3W386752"]
                    )
                ]
            ),
        ),
        (
            _alert(vehicle=alert_pb2.Vehicle(registration="AB12", country="TH")),
            alert_pb2.Alerts(
                alerts=[_alert("b", vehicle=alert_pb2.Vehicle(registration="AB 12", country="TH"))]
            ),
        ),
    ],
)
def test_an_identifier_is_found_in_any_type_of_record(
    alert: alert_pb2.Alert, content: Message
) -> None:
    """An account in an organisation, a phone among indicators, a vehicle among the evidence."""
    assert [IDENTIFIER] == _bases(_index(alert), content)


def test_a_person_is_found_by_name_and_birth() -> None:
    """The same whole name hits where both dates of birth are known and agree, else nothing does."""
    index = _index(_alert(person=_person("Max  MUSTERMANN", birth="1985-03-14")))
    persons = [
        _person("max mustermann", birth="1985-03"),
        _person("Max Mustermann"),
        _person("Max Mustermann", birth="1985-03-15"),
        _person("Maks Mustermann", birth="1985-03-14"),
    ]

    matches = _match(index, person_pb2.Persons(persons=persons))

    assert [(persons[0].record_id, NAME_AND_BIRTH)] == [
        (match.matched.record_id, match.basis) for match in matches
    ]


def test_a_person_in_another_alert_is_found_by_name_and_birth() -> None:
    """Two agencies that watch for the same person learn of each other."""
    index = _index(_alert(person=_person(birth="1985")))
    content = alert_pb2.Alerts(
        alerts=[_alert("b", person=_person(birth="1985")), _alert("c", document=PASSPORT)]
    )

    assert [NAME_AND_BIRTH] == _bases(index, content)


def test_an_identifier_goes_before_a_name() -> None:
    """A record that matches in both ways is one hit, by the better of them."""
    person = _person(birth="1985-03-14", documents=[PASSPORT], contacts=[PHONE])

    bases = _bases(_index(_alert(person=person)), person_pb2.Persons(persons=[person]))

    assert [IDENTIFIER] == bases


@pytest.mark.parametrize(
    ("alert", "hits_at"),
    [
        (_alert(indicator=_indicator("c2.example")), [NOW, NOW + 5, UNTIL - 1]),
        (_alert(indicator=_indicator("c2.example"), since=NOW + 5), [NOW + 5, UNTIL - 1]),
        (_alert(indicator=_indicator("c2.example"), until=UNTIL + 5), [NOW, NOW + 5, UNTIL - 1]),
        (_alert(indicator=_indicator("c2.example"), until=NOW + 6), [NOW, NOW + 5]),
    ],
)
def test_an_alert_hits_while_it_runs(alert: alert_pb2.Alert, hits_at: list[int]) -> None:
    """From its entry or its own beginning, up to its own end or the header's."""
    index = _index(alert, valid_until=UNTIL)
    content = indicator_pb2.Indicators(indicators=[_indicator("c2.example")])

    instants = [NOW - 1, NOW, NOW + 5, UNTIL - 1, UNTIL]
    assert hits_at == [at for at in instants if _bases(index, content, at=at)]


def test_an_alert_without_an_end_watches_for_nothing() -> None:
    """The schema asks for an end; what slipped through without one is not for ever."""
    index = _index(_alert(indicator=_indicator("c2.example"), until=None))

    assert [] == _bases(index, indicator_pb2.Indicators(indicators=[_indicator("c2.example")]))


def test_an_alert_that_was_taken_back_hits_no_more() -> None:
    """What came in before the withdrawal was a hit; other messages' alerts go on."""
    index = _index(_alert(indicator=_indicator("c2.example")))
    content = indicator_pb2.Indicators(indicators=[_indicator("c2.example")])

    index.withdraw(_message(ISSUER, 9), entry_time=NOW)
    index.withdraw(ALERTED, entry_time=NOW + 5)

    assert [IDENTIFIER] == _bases(index, content, at=NOW + 4)
    assert [] == _bases(index, content, at=NOW + 5)


def test_an_alert_is_for_its_occasions() -> None:
    """One for border checks says nothing of exchanged records, and the other way round."""
    index = _index(_alert(document=PASSPORT, occasions=[BORDER]))
    content = person_pb2.Persons(persons=[_person(documents=[PASSPORT])])

    at_border = index.match(content, message=LATER, entry_time=NOW, occasion=BORDER)

    assert [] == _match(index, content)
    assert [BORDER] == [match.occasion for match in at_border]


def test_the_issuers_own_records_are_no_hits() -> None:
    """What the issuer itself sends tells it nothing new."""
    index = _index(_alert(indicator=_indicator("c2.example")))
    content = indicator_pb2.Indicators(indicators=[_indicator("c2.example")])

    assert [] == index.match(content, message=_message(ISSUER, 3), entry_time=NOW)


def test_other_contents_are_not_looked_at() -> None:
    """A part without identifiers hits nothing, nor does a number of separators alone."""
    empty = document_pb2.IdentityDocument(number="--", issuing_country="TH")
    index = _index(_alert(document=empty), _alert("watches for nothing"))

    assert [] == _match(index, link_pb2.Links(links=[link_pb2.Link()]))
    assert [] == _match(index, person_pb2.Persons(persons=[_person(documents=[empty])]))


def test_alerts_added_twice_are_there_once() -> None:
    """The same message again changes nothing."""
    alert = _alert(indicator=_indicator("c2.example"))
    index = _index(alert)

    index.add(alert_pb2.Alerts(alerts=[alert]), message=ALERTED, entry_time=NOW + 9)

    assert 1 == len(index)
    assert [IDENTIFIER] == _bases(
        index, indicator_pb2.Indicators(indicators=[_indicator("c2.example")])
    )


def test_hits_are_reported_to_the_issuer_message_by_message() -> None:
    """Each message of alerts is answered once, with its hits; they are valid records."""
    alert = _alert(indicator=_indicator("c2.example"))
    index = _index(alert)
    other = _message("cc.other", 5)
    index.add(alert_pb2.Alerts(alerts=[alert]), message=other, entry_time=NOW)
    numbers = itertools.count()
    contact = common_pb2.Official(name="Officer 7")
    content = indicator_pb2.Indicators(
        indicators=[_indicator("c2.example"), _indicator("C2.example")]
    )

    reports = report_hits(
        _match(index, content),
        new_record_id=lambda: record_id(f"hit {next(numbers)}"),
        contact=contact,
    )

    assert [(ISSUER, ALERTED, 2), ("cc.other", other, 2)] == [
        (report.recipient, report.particulars.hit_of, len(report.hits.hits)) for report in reports
    ]
    expected = alert_pb2.AlertHit(
        record_id=record_id("hit 0"),
        alert=common_pb2.RecordReference(message=ALERTED, record_id=record_id("alert")),
        matched=common_pb2.RecordReference(message=LATER, record_id=record_id("c2.example")),
        basis=IDENTIFIER,
        occasion=EXCHANGED,
        hit_time=to_timestamp(NOW),
        contact=contact,
    )
    assert expected == reports[0].hits.hits[0]
    assert [] == [*wire.violations(reports[0].hits)]


def test_more_hits_than_a_message_holds_become_several() -> None:
    """No hit is left out because there are many."""
    index = _index(_alert(indicator=_indicator("c2.example")))
    content = indicator_pb2.Indicators(
        indicators=[_indicator("c2.example") for _ in range(MAX_HITS + 1)]
    )

    reports = report_hits(_match(index, content), new_record_id=lambda: record_id("hit"))

    assert [MAX_HITS, 1] == [len(report.hits.hits) for report in reports]
