"""Identifiers: what is equal however it is written, and what is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rogatory.procedures import identifiers
from rogatory.records.v1 import (
    account_pb2,
    alert_pb2,
    common_pb2,
    contact_pb2,
    document_pb2,
    evidence_pb2,
    indicator_pb2,
    person_pb2,
)

FULL, ALIAS = person_pb2.PERSON_NAME_KIND_FULL, person_pb2.PERSON_NAME_KIND_ALIAS
SURNAME, GIVEN = person_pb2.PERSON_NAME_KIND_SURNAME, person_pb2.PERSON_NAME_KIND_GIVEN


def _indicator(kind: str, value: str) -> list[identifiers.Key]:
    type_ = indicator_pb2.IndicatorType.Value(f"INDICATOR_TYPE_{kind}")
    return [*identifiers.of_indicator(indicator_pb2.Indicator(type=type_, value=value))]


def _person(
    *names: tuple[person_pb2.PersonNameKind.ValueType, str, str], birth: str = ""
) -> person_pb2.Person:
    return person_pb2.Person(
        names=[
            person_pb2.PersonName(kind=kind, texts=[common_pb2.NameText(text=text, script=script)])
            for kind, text, script in names
        ],
        birth_date=common_pb2.PartialDate(value=birth.rstrip("~"), circa=birth.endswith("~"))
        if birth
        else None,
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("DOMAIN", "Example.TEST."), ("DOMAIN", "example.test")),
        (("IPV6", "2001:DB8:0:0::1"), ("IPV6", "2001:db8::1")),
        (("NETWORK", "192.0.2.7/24"), ("NETWORK", "192.0.2.0/24")),
        (("URL", "HTTPS://Shop.Example/Pay"), ("URL", "https://shop.example/Pay")),
        (("EMAIL", "Mule@Example.test"), ("EMAIL", "mule@example.TEST")),
        (("PHONE", "+66 2 (123) 45-67"), ("PHONE", "+6621234567")),
        (("FILE_SHA256", "AB" * 32), ("FILE_SHA256", "ab" * 32)),
        (("CERTIFICATE_SHA256", "AB:" * 31 + "AB"), ("CERTIFICATE_SHA256", "ab" * 32)),
        (("AUTONOMOUS_SYSTEM", "AS64500"), ("AUTONOMOUS_SYSTEM", "64500")),
        (("CRYPTO_ADDRESS", "0xAB12"), ("CRYPTO_ADDRESS", "0xab12")),
        (("CRYPTO_ADDRESS", "BC1QTEST"), ("CRYPTO_ADDRESS", "bc1qtest")),
        (("BANK_ACCOUNT", "de00 1234 5678 9012 34"), ("BANK_ACCOUNT", "DE00123456789012 34")),
        (("BANK_ACCOUNT", "12-34 5"), ("BANK_ACCOUNT", "12345")),
        (("HOST_PORT", "C2.example:443"), ("HOST_PORT", "c2.example:443")),
    ],
)
def test_equal_values(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Case, spaces and notation that carry no meaning make no difference."""
    assert _indicator(*first) == _indicator(*second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("URL", "https://shop.example/Pay"), ("URL", "https://shop.example/pay")),
        (("CRYPTO_ADDRESS", "1BoatSLRHt"), ("CRYPTO_ADDRESS", "1boatslrht")),
        (("MUTEX", "Global\\A"), ("MUTEX", "Global\\a")),
        (("FILE_NAME", "invoice.exe"), ("MUTEX", "invoice.exe")),
        (("IPV4", "192.0.2.1"), ("IPV4", "192.0.2.10")),
        (("IPV4", "no address"), ("NETWORK", "no address")),
    ],
)
def test_unequal_values(first: tuple[str, str], second: tuple[str, str]) -> None:
    """What tells values apart stays."""
    assert _indicator(*first) != _indicator(*second)


def test_a_pattern_is_no_identifier() -> None:
    """The value of a pattern is its title."""
    assert [] == _indicator("PATTERN", "loader")


def test_a_document_is_its_number_and_country() -> None:
    """Spaces and case of the number do not count; the country does, also when not stated."""

    def key(number: str, country: str) -> identifiers.Key:
        return identifiers.of_document(
            document_pb2.IdentityDocument(number=number, issuing_country=country)
        )

    assert key("AB 123-456", "TH") == key("ab123456", "TH")
    assert 3 == len({key("1", "TH"), key("1", "MM"), key("1", "")})


def test_a_vehicle_is_its_plate_or_its_number() -> None:
    """A plate counts in its country, the vehicle identification number everywhere."""
    vehicle = alert_pb2.Vehicle(registration="B-XY 12", country="DE", vin="W" * 17)

    assert [("plate", "DE", "bxy12"), ("vin", "W" * 17)] == [*identifiers.of_vehicle(vehicle)]
    assert [] == [*identifiers.of_vehicle(alert_pb2.Vehicle())]


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (contact_pb2.Contact(phone="+6621234567"), [("phone", "+6621234567")]),
        (contact_pb2.Contact(email="A@b.test"), [("email", "a@b.test")]),
        (contact_pb2.Contact(iccid="8" * 19), [("iccid", "8" * 19)]),
        (contact_pb2.Contact(imsi="520011234567890"), [("imsi", "520011234567890")]),
        (contact_pb2.Contact(imei="3538800801234567"), [("imei", "35388008012345")]),
        (contact_pb2.Contact(ip_address="192.0.2.1"), [("ip", "192.0.2.1")]),
        (contact_pb2.Contact(url="http://a.test/B"), [("url", "http://a.test/B")]),
        (contact_pb2.Contact(iban="DE001234567890123"), [("iban", "DE001234567890123")]),
        (
            contact_pb2.Contact(
                account=contact_pb2.AccountNumber(
                    institution="First Bank", bic="ABCDTHBKXXX", number="12-3"
                )
            ),
            [("account", "ABCDTHBK", "123"), ("account", "first bank", "123")],
        ),
        (contact_pb2.Contact(account=contact_pb2.AccountNumber(number="1")), []),
        (
            contact_pb2.Contact(crypto_address=contact_pb2.CryptoAddress(address="0xA")),
            [("crypto address", "0xa")],
        ),
        (
            contact_pb2.Contact(
                handle=contact_pb2.PlatformHandle(
                    platform="Telegram", handle="@Boss", platform_id="77"
                )
            ),
            [("handle", "telegram", "boss"), ("platform id", "telegram", "77")],
        ),
        (contact_pb2.Contact(), []),
    ],
)
def test_contacts(contact: contact_pb2.Contact, expected: list[identifiers.Key]) -> None:
    """Each way to reach or pay somebody has a key in its own numbering plan."""
    assert expected == [*identifiers.of_contact(contact)]


def test_shared_addresses_do_not_identify_a_person() -> None:
    """Documents and own contacts do; a network address or a web page belongs to many."""
    person = person_pb2.Person(
        documents=[document_pb2.IdentityDocument(number="1", issuing_country="TH")],
        contacts=[
            contact_pb2.Contact(ip_address="192.0.2.1"),
            contact_pb2.Contact(url="http://a.test"),
            contact_pb2.Contact(phone="+6621234567"),
        ],
    )

    expected = [("document", "TH", "1"), ("phone", "+6621234567")]
    assert expected == [*identifiers.of_person(person)]


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (account_pb2.Account(iban="DE001234567890123"), [("iban", "DE001234567890123")]),
        (
            account_pb2.Account(number=contact_pb2.AccountNumber(bic="ABCDTHBK", number="9")),
            [("account", "ABCDTHBK", "9")],
        ),
        (
            account_pb2.Account(crypto_address=contact_pb2.CryptoAddress(address="T9x")),
            [("crypto address", "T9x")],
        ),
        (
            account_pb2.Account(handle=contact_pb2.PlatformHandle(platform="p", handle="h")),
            [("handle", "p", "h")],
        ),
        (account_pb2.Account(masked_card="123456******1234"), []),
    ],
)
def test_accounts(account: account_pb2.Account, expected: list[identifiers.Key]) -> None:
    """An account is what names it, and a masked card is nobody's alone."""
    assert expected == [*identifiers.of_account(account)]


def test_numbers_on_an_item_of_a_known_form() -> None:
    """An IMEI with its check digit, an ICCID and a vehicle's number are told from other numbers."""
    item = evidence_pb2.EvidenceItem(
        serial_numbers=[
            "49-015420-323751-8",
            "490154203237519",
            "8966 0123 4567 8901 234",
            "wvwzzz1jz3w386752",
            "SN-1",
        ]
    )
    item.digital.digests.sha256 = bytes(32)
    item.digital.digests.md5 = bytes(16)

    expected = [
        ("imei", "49015420323751"),
        ("iccid", "8966012345678901234"),
        ("vin", "WVWZZZ1JZ3W386752"),
        ("sha256", "00" * 32),
        ("md5", "00" * 16),
    ]
    assert expected == [*identifiers.of_evidence(item)]


def test_whole_names_in_every_script() -> None:
    """Full names and aliases in any script, and surname with given name of one script."""
    person = _person(
        (FULL, "\uff2d\uff41\uff58   MUSTERMANN", "Latn"),
        (ALIAS, "马克斯", "Hans"),
        (SURNAME, "Muster", "Latn"),
        (GIVEN, "Max", "Latn"),
        (GIVEN, "马", "Hans"),
        (person_pb2.PERSON_NAME_KIND_NICKNAME, "Boss", "Latn"),
    )

    expected = {"max mustermann", "马克斯", "muster max", "max muster"}
    assert expected == identifiers.whole_names(person)


@pytest.mark.parametrize(
    ("births", "same"),
    [
        (("1985-03-14", "1985-03-14"), True),
        (("1985-03-14", "1985-03"), True),
        (("1985", "1985-03"), True),
        (("1985-03-14", "1985-03-15"), False),
        (("1985-03-14~", "1985-07"), True),
        (("1985-03-14~", "1986-03-14"), False),
        (("1985-03-14", ""), False),
        (("", ""), False),
    ],
)
def test_dates_of_birth_agree_as_far_as_they_go(births: Sequence[str], same: bool) -> None:  # noqa: FBT001 - a case
    """Both must be known; a partial one agrees with what it is part of, a rough one by year."""
    first, second = (_person(birth=birth) for birth in births)

    assert same == identifiers.same_birth(first, second)
