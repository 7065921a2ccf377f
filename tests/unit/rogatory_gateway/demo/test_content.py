"""Cast and content of the demonstration: synthetic, complete, and valid under the schemas."""

from __future__ import annotations

import unicodedata

import pytest
from google.protobuf.message import Message

from rogatory import clock, facts, wire
from rogatory.agreements import read_agreement
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import cast, content, due, hosts, operating, persons, structures
from rogatory_gateway.demo.play import Sizes, share_out

NOW = clock.to_timestamp(1_790_000_000_000_000_000)
REFERENCE = common_pb2.MessageReference(
    sender="vn.police",
    message_id="01a20232-142b-76cd-8a39-1a0990e0954a",
    header_digest=bytes(32),
)


def test_thirty_take_part() -> None:
    """Twenty-six national agencies, three private partners, one coordinating organisation."""
    assert (26, 3, 30) == (len(cast.NATIONAL), len(cast.PARTNERS), len(cast.MEMBERS))
    assert 26 == len({member.country for member in cast.NATIONAL})


@pytest.mark.parametrize("agreement_id", cast.AGREEMENTS)
def test_every_agreement_is_faultless_and_between_members(agreement_id: str) -> None:
    """The texts read without fault, under their own names, and name nobody from outside."""
    agreement = read_agreement(cast.agreement_text(agreement_id))

    assert agreement_id == agreement.agreement_id
    assert {party.agency for party in agreement.parties} <= {
        member.agency_id for member in cast.MEMBERS
    }


def test_the_suspects_are_thirty_two_in_three_countries_and_four_scripts() -> None:
    """Each name stands in its own script, in NFC, with a romanisation under a named scheme."""
    found = [person for agency in persons.ARRESTED for person in persons.suspects(agency).persons]
    originals = [person.names[0].texts[0] for person in found]
    romanised = [person.names[0].texts[1] for person in found]

    assert 32 == len({person.record_id for person in found})
    assert 3 == len(persons.ARRESTED)
    assert {"Latn", "Hans", "Thai", "Sinh"} == {text.script for text in originals}
    assert all(unicodedata.is_normalized("NFC", text.text) for text in (*originals, *romanised))
    assert common_pb2.ROMANISATION_SCHEME_UNSPECIFIED not in {t.romanisation for t in romanised}


def test_those_sought_are_two_hundred_and_sixty_nine_persons() -> None:
    """Each has a record, a name and a passport of their own."""
    found = persons.sought().persons

    assert 269 == len({person.record_id for person in found})
    assert 269 == len({person.names[0].texts[0].text for person in found})
    assert 269 == len({person.documents[0].number for person in found})


def test_passport_sought_is_that_of_one_suspect() -> None:
    """An alert for it hits one of those arrested, and no other."""
    wanted = persons.wanted_passport()
    found = [person for agency in persons.ARRESTED for person in persons.suspects(agency).persons]

    assert 1 == sum(wanted in person.documents for person in found)


@pytest.mark.parametrize(
    ("agency", "expected"),
    [
        (cast.NORTHWALL, (2, 3)),
        ("vn.police", (10, 11)),
    ],
)
def test_partner_takes_part_with_indicators_and_takedowns_alone(
    agency: str, expected: tuple[int, int]
) -> None:
    """An agency may contribute all that the desk does not keep to itself."""
    terms = operating.terms(agency)

    assert expected == (len(terms.contributes), len(terms.receives))


def test_every_agency_says_where_and_when_it_can_be_reached() -> None:
    """A duty contact, and the time zone of its working days, which is no other's by default."""
    assert all(member.duty_contact.endswith(".example") for member in cast.MEMBERS)
    assert {"UTC"} == {member.time_zone for member in cast.MEMBERS if not member.country}
    assert all("/" in member.time_zone for member in cast.MEMBERS if member.country)


def test_passport_spelling_drops_diacritics() -> None:
    """Vietnamese names are romanised as a passport's machine-readable zone has them."""
    suspect = persons.suspects("vn.police").persons[6]

    assert ["Đặng Thuỳ Hư Cấu", "DANG THUY HU CAU"] == [t.text for t in suspect.names[0].texts]


@pytest.mark.parametrize(
    "message",
    [
        *(persons.suspects(agency) for agency in persons.ARRESTED),
        *(persons.fingerprints(agency, 2) for agency in persons.ARRESTED),
        persons.health_notes("vn.police"),
        *(content.servers(agency, now=NOW) for agency in content.SERVERS),
        content.finds(now=NOW),
        content.accounts(3),
        *structures.parts(structures.INVESTIGATOR),
        structures.correction(REFERENCE),
        content.indicators(hosts.made_up(60), now=NOW),
        *(content.takedown_request(firm, [content.record_id("x")]) for firm in cast.PARTNERS),
        content.context("vn.police", "duty", case="VN-1", justification="why"),
        operating.founding([member.agency_id for member in cast.NATIONAL]),
        persons.sought(),
        persons.shared(),
    ],
    ids=lambda message: message.DESCRIPTOR.name,
)
def test_every_part_is_valid_under_its_schema(message: Message) -> None:
    """What the demonstration sends breaks no rule of the schemas."""
    assert [] == wire.violations(message)


def test_links_lead_from_record_to_record_of_the_same_message() -> None:
    """Every end of a link is a suspect, or one of the records beside them."""
    records = {
        record.record_id
        for part in (persons.suspects("vn.police"), *structures.parts("vn.police")[:3])
        for record in getattr(part, part.DESCRIPTOR.fields[0].name)
    }

    links = structures.links().links

    assert {link.from_record.record_id for link in links} <= records
    assert {link.to_record.record_id for link in links} <= records


def test_what_is_due_follows_from_the_agreement() -> None:
    """Each label goes to those whom a clause names, and to every party where it names none."""
    audiences = [len(due.audience(tlp)) for tlp in content.TIERS]
    copies = due.copies(hosts.made_up(20))

    assert [26, 23, 17] == audiences
    assert 16 * 26 + 3 * 23 + 17 == copies


def test_fingerprints_and_health_are_parts_of_their_own() -> None:
    """An agreement can withhold them and let the rest of the message through."""
    plain = set(facts.of_message(persons.suspects("vn.police")).field_groups)
    prints = set(facts.of_message(persons.fingerprints("vn.police", 1)).field_groups)
    health = set(facts.of_message(persons.health_notes("vn.police")).field_groups)

    assert plain.isdisjoint({common_pb2.FIELD_GROUP_BIOMETRICS, common_pb2.FIELD_GROUP_HEALTH})
    assert common_pb2.FIELD_GROUP_BIOMETRICS in prints
    assert common_pb2.FIELD_GROUP_HEALTH in health


def test_notices_are_distinct_go_to_one_country_and_fill_parts_of_two_thousand() -> None:
    """So many in all, each under a reference of its own, to the agency of its country."""
    found = list(content.victims(60_000))
    references = [notice.reference for _, part in found for notice in part.notices]

    assert 60_000 == len(references) == len(set(references))
    assert 2000 == max(len(part.notices) for _, part in found)
    assert all(
        {agency[:2].upper()} == {notice.country for notice in part.notices}
        for agency, part in found
    )
    assert [] == wire.violations(found[0][1])


@pytest.mark.parametrize(
    ("total", "able", "expected"),
    [
        (10, {"a": 3, "b": 4}, {"a": 3, "b": 4}),
        (7, {"a": 3, "b": 4}, {"a": 3, "b": 4}),
        (5, {"a": 3, "b": 4}, {"a": 2, "b": 3}),
        (1, {"a": 3, "b": 4, "c": 0}, {"a": 0, "b": 1, "c": 0}),
        (0, {"a": 3}, {"a": 0}),
    ],
)
def test_work_is_shared_out_in_proportion(
    total: int, able: dict[str, int], expected: dict[str, int]
) -> None:
    """Shares add up to the total, or to all that can be done; nobody is given more than it can."""
    assert expected == share_out(total, able)


def test_full_size_is_a_real_operations() -> None:
    """At scale 1 the numbers are those of the operation."""
    sizes = Sizes.of(1.0, hosts=25_300)

    assert (25_300, 20_000, 1_700, 117, 216_000) == (
        sizes.hosts,
        sizes.down,
        sizes.analysed,
        sizes.confirmed,
        sizes.notices,
    )
