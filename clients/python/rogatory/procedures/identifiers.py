"""Identifiers in records, in one form each, so that equal ones are found and nothing else is.

A key is a tuple of what is identified and its value. Normalising takes out only what writing adds:
case where the numbering plan has none, spaces and hyphens, check digits of an IMEI. Nothing is
guessed: a document or plate number without its country meets only others without one.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

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

Key: TypeAlias = tuple[str, ...]

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015./]+")
_PHONE_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015./()]+")
_SPACES = re.compile(r"\s+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_HEX_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]+")
_BECH32 = re.compile(r"(bc|tb|ltc)1[0-9a-z]+")
"""Segwit addresses (BIP 173), which may be written in capitals."""
_IMEI_BODY = 14
"""Digits that name the device; what follows is a check digit or the software's version."""
_LUHN_NINE = 9


def text(value: str) -> str:
    """Return a text without what tells writings of it apart: case, width, spaces (Unicode NFKC)."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return _SPACES.sub(" ", folded).strip()


def of_document(document: document_pb2.IdentityDocument) -> Key:
    """Return the key of a document: its number, in the country that issued it."""
    return "document", document.issuing_country, _number(document.number)


def of_vehicle(vehicle: alert_pb2.Vehicle) -> Iterator[Key]:
    """Yield the keys of a vehicle: its plate, in its country, and its identification number."""
    if vehicle.registration:
        yield "plate", vehicle.country, _number(vehicle.registration)
    if vehicle.vin:
        yield "vin", vehicle.vin


def of_contact(contact: contact_pb2.Contact) -> Iterator[Key]:
    """Yield the keys of a contact."""
    kind = contact.WhichOneof("value")
    if kind == "handle":
        yield from _handle(contact.handle)
    elif kind == "account":
        yield from _account_number(contact.account)
    elif kind == "crypto_address":
        yield _crypto(contact.crypto_address.address)
    elif kind is not None:
        yield _PLAIN[kind](getattr(contact, kind))


def of_person(person: person_pb2.Person) -> Iterator[Key]:
    """Yield the keys of a person: documents, and contacts that are one person's.

    Network addresses and web pages are shared by many, and identify nobody.
    """
    yield from map(of_document, person.documents)
    for contact in person.contacts:
        if contact.WhichOneof("value") not in {"ip_address", "url"}:
            yield from of_contact(contact)


def of_account(account: account_pb2.Account) -> Iterator[Key]:
    """Yield the keys of an account; a masked card has none, since many share it."""
    kind = account.WhichOneof("identifier")
    if kind == "iban":
        yield _iban(account.iban)
    elif kind == "number":
        yield from _account_number(account.number)
    elif kind == "crypto_address":
        yield _crypto(account.crypto_address.address)
    elif kind == "handle":
        yield from _handle(account.handle)


def of_indicator(indicator: indicator_pb2.Indicator) -> Iterator[Key]:
    """Yield the key of an indicator's value; a pattern alone has none."""
    if indicator.type != indicator_pb2.INDICATOR_TYPE_PATTERN:
        plain = _INDICATORS.get(indicator.type)
        # A user agent or a mutex is what it is, to the letter.
        exact = ("indicator", str(indicator.type), indicator.value)
        yield exact if plain is None else plain(indicator.value)


def of_evidence(item: evidence_pb2.EvidenceItem) -> Iterator[Key]:
    """Yield the keys of an item: serial numbers of a known form, digests of its bytes."""
    for serial in item.serial_numbers:
        value = _number(serial)
        if len(value) == _IMEI_BODY + 1 and value.isdecimal() and _luhn(value):
            yield _imei(value)
        elif value.isdecimal() and value.startswith("89") and 18 <= len(value) <= 20:
            yield "iccid", value
        elif _VIN.fullmatch(value.upper()):
            yield "vin", value.upper()
    digests = item.digital.digests
    for name, digest in (("sha256", digests.sha256), ("sha1", digests.sha1), ("md5", digests.md5)):
        if digest:
            yield name, digest.hex()


def whole_names(person: person_pb2.Person) -> set[str]:
    """Return a person's whole names, in every script and romanisation, as `text` has them.

    These are full names and aliases, and each surname with each given name of its script, in both
    orders.
    """
    made: set[str] = set()
    parts: dict[int, list[common_pb2.NameText]] = {}
    for name in person.names:
        if name.kind in {person_pb2.PERSON_NAME_KIND_FULL, person_pb2.PERSON_NAME_KIND_ALIAS}:
            made.update(text(written.text) for written in name.texts)
        else:
            parts.setdefault(name.kind, []).extend(name.texts)
    for surname in parts.get(person_pb2.PERSON_NAME_KIND_SURNAME, ()):
        for given in parts.get(person_pb2.PERSON_NAME_KIND_GIVEN, ()):
            if surname.script == given.script:
                made.add(text(f"{surname.text} {given.text}"))
                made.add(text(f"{given.text} {surname.text}"))
    made.discard("")
    return made


def same_birth(first: person_pb2.Person, second: person_pb2.Person) -> bool:
    """Return whether both dates of birth are known and can be of one day.

    They agree as far as both go; where one is approximate, in the year.
    """
    if not first.HasField("birth_date") or not second.HasField("birth_date"):
        return False
    one, other = first.birth_date, second.birth_date
    length = min(len(one.value), len(other.value))
    if one.circa or other.circa:
        length = min(length, len("2000"))
    return length > 0 and one.value[:length] == other.value[:length]


def _number(value: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", value)).casefold()


def _phone(value: str) -> Key:
    return "phone", _PHONE_SEPARATORS.sub("", value)


def _email(value: str) -> Key:
    return "email", text(value)


def _imei(value: str) -> Key:
    return "imei", value[:_IMEI_BODY]


def _iban(value: str) -> Key:
    return "iban", _number(value).upper()


def _bank_account(value: str) -> Key:
    number = _number(value).upper()
    return _iban(number) if _IBAN.fullmatch(number) else ("bank account", number)


def _crypto(value: str) -> Key:
    """Return the key of an address; letters' case is kept where it is part of the address."""
    address = value.strip()
    if _HEX_ADDRESS.fullmatch(address) or _BECH32.fullmatch(address.lower()):
        address = address.lower()
    return "crypto address", address


def _ip(value: str) -> Key:
    try:
        return "ip", str(ipaddress.ip_address(value.strip()))
    except ValueError:
        return "ip", text(value)


def _network(value: str) -> Key:
    try:
        return "network", str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError:
        return "network", text(value)


def _domain(value: str) -> Key:
    return "domain", text(value).rstrip(".")


def _url(value: str) -> Key:
    """Return the key of a web page: scheme and host have no case, the rest does (RFC 3986)."""
    scheme, mark, rest = value.strip().partition("://")
    host, slash, path = rest.partition("/")
    return "url", f"{scheme.lower()}{mark}{host.lower()}{slash}{path}"


def _autonomous_system(value: str) -> Key:
    return "autonomous system", text(value).removeprefix("as").strip()


def _hex(name: str) -> Callable[[str], Key]:
    return lambda value: (name, _number(value).replace(":", ""))


def _as_text(name: str) -> Callable[[str], Key]:
    return lambda value: (name, text(value))


def _as_number(name: str) -> Callable[[str], Key]:
    return lambda value: (name, _number(value))


def _handle(handle: contact_pb2.PlatformHandle) -> Iterator[Key]:
    platform = text(handle.platform)
    yield "handle", platform, text(handle.handle).removeprefix("@")
    if handle.platform_id:
        yield "platform id", platform, handle.platform_id


def _account_number(account: contact_pb2.AccountNumber) -> Iterator[Key]:
    number = _number(account.number)
    if account.bic:
        # The last three letters name a branch.
        yield "account", account.bic[:8], number
    if account.institution:
        yield "account", text(account.institution), number


def _luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of those before it (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - _LUHN_NINE if value > _LUHN_NINE else value
    return total % 10 == 0


_PLAIN: Mapping[str, Callable[[str], Key]] = MappingProxyType(
    {
        "phone": _phone,
        "email": _email,
        "iccid": _as_number("iccid"),
        "imsi": _as_number("imsi"),
        "imei": _imei,
        "ip_address": _ip,
        "url": _url,
        "iban": _iban,
    }
)
_INDICATORS: Mapping[int, Callable[[str], Key]] = MappingProxyType(
    {
        indicator_pb2.INDICATOR_TYPE_IPV4: _ip,
        indicator_pb2.INDICATOR_TYPE_IPV6: _ip,
        indicator_pb2.INDICATOR_TYPE_DOMAIN: _domain,
        indicator_pb2.INDICATOR_TYPE_URL: _url,
        indicator_pb2.INDICATOR_TYPE_HOST_PORT: _as_text("host and port"),
        indicator_pb2.INDICATOR_TYPE_FILE_SHA256: _hex("sha256"),
        indicator_pb2.INDICATOR_TYPE_FILE_SHA1: _hex("sha1"),
        indicator_pb2.INDICATOR_TYPE_FILE_MD5: _hex("md5"),
        indicator_pb2.INDICATOR_TYPE_EMAIL: _email,
        indicator_pb2.INDICATOR_TYPE_CRYPTO_ADDRESS: _crypto,
        indicator_pb2.INDICATOR_TYPE_PHONE: _phone,
        indicator_pb2.INDICATOR_TYPE_NETWORK: _network,
        indicator_pb2.INDICATOR_TYPE_AUTONOMOUS_SYSTEM: _autonomous_system,
        indicator_pb2.INDICATOR_TYPE_CERTIFICATE_SHA256: _hex("certificate"),
        indicator_pb2.INDICATOR_TYPE_TLS_FINGERPRINT: _as_text("tls fingerprint"),
        indicator_pb2.INDICATOR_TYPE_BANK_ACCOUNT: _bank_account,
    }
)
