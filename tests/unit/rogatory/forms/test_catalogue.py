"""Catalogues: every label in every language, none too many, and languages of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor

from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_form_pb2
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.forms import catalogue
from rogatory.forms.catalogue import (
    Catalogue,
    empty_catalogue,
    keys,
    languages,
    load_catalogue,
    read_catalogue,
)
from rogatory.forms.outline_requests import KINDS
from rogatory.forms.outlines import Item
from rogatory.jsonrecords import descriptor_of
from rogatory.procedures.grounds import GROUNDS
from rogatory.records.v1 import common_pb2, person_pb2

FORMS = (request_form_pb2.AssistanceRequest, answer_pb2.Answer)
OF_HEADERS = (
    codes_pb2.Urgency,
    codes_pb2.Purpose,
    codes_pb2.OnwardTransfer,
    codes_pb2.EvidentialUse,
    common_pb2.Tlp,
    envelope_pb2.AbsenceReason,
)
OF_PERSONS = ("category", "birth_date", "birth_place", "nationalities", "sex", "names", "record_id")


def reachable() -> dict[str, Descriptor]:
    """Return the messages that a request or an answer may hold, by name."""
    found: dict[str, Descriptor] = {}
    waiting = [descriptor_of(form) for form in FORMS]
    while waiting:
        kind = waiting.pop()
        if kind.name in found or kind.file.package == "google.protobuf":
            continue
        found[kind.name] = kind
        waiting += [field.message_type for field in kind.fields if field.message_type]
    return found


def outlined() -> Iterator[tuple[Descriptor, str]]:
    """Yield the fields of the records that templates have beside a request."""

    def walk(items: object, descriptor: Descriptor) -> Iterator[tuple[Descriptor, str]]:
        assert isinstance(items, tuple)
        for item in items:
            assert isinstance(item, Item)
            yield descriptor, item.name
            below = descriptor.fields_by_name[item.name].message_type
            for element in item.elements:
                assert below is not None
                yield from walk(element, below)

    for kind in KINDS.values():
        if kind.companion is not None:
            yield from walk(kind.companion.items, descriptor_of(kind.companion.message_type))


def fields() -> set[str]:
    """Return every field that a form shows, as TYPE.FIELD."""
    shown = {f"{kind.name}.{field.name}" for kind in reachable().values() for field in kind.fields}
    shown |= {f"{kind.name}.{name}" for kind, name in outlined()}
    shown |= {f"Person.{name}" for name in OF_PERSONS}
    return shown | {f"PersonName.{name}" for name in ("kind", "texts", "alias_quality")}


def values() -> set[str]:
    """Return every enum value that a form shows."""
    enums: dict[str, EnumDescriptor] = {
        enum.DESCRIPTOR.name: enum.DESCRIPTOR for enum in (*OF_HEADERS, person_pb2.AliasQuality)
    }
    for owner, name in [
        *((kind, field.name) for kind in reachable().values() for field in kind.fields),
        *outlined(),
        (descriptor_of(person_pb2.Person), "sex"),
    ]:
        enum = owner.fields_by_name[name].enum_type
        if enum is not None:
            enums[enum.name] = enum
    return {value.name for enum in enums.values() for value in enum.values if value.number}


def shipped(language: str) -> Catalogue:
    """Return a catalogue, without the English behind it shining through."""
    return Catalogue(language, catalogue._shipped(language))


def test_every_field_has_a_label_and_none_is_too_many() -> None:
    """Labels are those of the fields that forms show."""
    assert {f"label:{name}" for name in fields()} == {
        key for key in keys() if key.startswith("label:")
    }


def test_every_value_of_the_codes_has_its_words() -> None:
    """Whatever code a request or answer may hold is said in words."""
    assert {f"enum:{name}" for name in values()} == {
        key for key in keys() if key.startswith("enum:")
    }


def test_explanations_are_of_fields() -> None:
    """No explanation is left of a field that is gone."""
    explained = {key.removeprefix("help:") for key in keys() if key.startswith("help:")}

    assert set() == explained - fields()


def test_words_of_pages_and_templates_are_used() -> None:
    """What is no field and no code is named in the code that says it."""
    package = resources.files("rogatory.forms")
    code = "".join(
        file.read_text("utf-8") for file in package.iterdir() if file.name.endswith(".py")
    )
    others = [key for key in keys() if re.match(r"(page|section|template):", key)]

    unused = [key for key in others if f"{key.rpartition(':')[2]}" not in re.findall(r"\w+", code)]

    assert [] == unused


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
def test_every_language_says_all(language: str) -> None:
    """A language that comes with the library lacks nothing and has nothing that no form uses."""
    own = catalogue._shipped(language)

    assert set(keys()) == set(own)
    assert [] == [key for key, text in own.items() if not text.strip()]
    assert () == shipped(language).unknown


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
def test_translations_keep_what_is_filled_in(language: str) -> None:
    """Places for values, blanks and commands stand in each language."""
    english, own = load_catalogue("en"), load_catalogue(language)
    marks = re.compile(r"\{\w+\}|\?\?\?|rogatory [a-z]+ [a-z]+")

    differing = [
        key
        for key in keys()
        if sorted(marks.findall(english.text(key))) != sorted(marks.findall(own.text(key)))
    ]

    assert [] == differing


def test_chinese_is_written_in_chinese() -> None:
    """What is explained in Chinese holds Chinese characters and full-width punctuation."""
    own = load_catalogue("zh")
    explained = [key for key in keys() if key.startswith(("help:", "ground:"))]

    latin = [key for key in explained if not re.search(r"[\u4e00-\u9fff]", own.text(key))]
    half = [key for key in explained if re.search(r"[\u4e00-\u9fff][,;:(]", own.text(key))]

    assert {"依RFC 5321。"} >= {own.text(key) for key in latin}
    assert {"help:NameText.language", "help:NotificationText.language"} >= set(latin)
    assert [] == half


def test_every_ground_has_its_say() -> None:
    """All grounds have source, explanation and next step; each is a sentence."""
    assert set(refusal_pb2.RefusalGround.values()[1:]) == set(GROUNDS)
    assert 24 == len(GROUNDS)
    for ground in GROUNDS.values():
        assert re.search(r"Art\. \d|This exchange: ", ground.source)
        assert ground.explanation.endswith(".")
        assert ground.next_step.endswith(".")


def test_region_of_a_language_is_that_language() -> None:
    """zh-CN is Chinese; dates are the region's."""
    own = load_catalogue("zh-CN")

    assert "是" == own.text("page:yes")
    assert ("zh", "CN", "ltr") == (own.locale.language, own.locale.territory, own.direction)


@pytest.mark.parametrize(
    ("language", "hint"), [("fr", "--write-catalogue"), ("x", "BCP 47"), ("../en", "BCP 47")]
)
def test_language_that_does_not_come_with_it(language: str, hint: str) -> None:
    """The error says how to have it."""
    with pytest.raises(ConfigurationError, match=hint):
        load_catalogue(language)


def test_own_language_begins_with_an_empty_catalogue(tmp_path: Path) -> None:
    """A translator gets every key with its English text; what is left empty stays English."""
    file = tmp_path / "ar.po"
    text = empty_catalogue("ar").decode()
    file.write_text(text.replace('msgid "page:yes"\nmsgstr ""', 'msgid "page:yes"\nmsgstr "نعم"'))

    own = read_catalogue(file)

    assert ("ar", "rtl", ()) == (own.language, own.direction, own.unknown)
    assert ("نعم", "No") == (own.text("page:yes"), own.text("page:no"))
    assert len(keys()) == text.count("\nmsgid ") - 1 == text.count("\n#. ")


def test_keys_that_no_form_uses_are_told(tmp_path: Path) -> None:
    """A misspelt key is not lost in silence; a fuzzy text is not used."""
    file = tmp_path / "fr.po"
    head = empty_catalogue("fr").decode().partition("\n\n")[0]
    file.write_text(
        f'{head}\n\nmsgid "page:yess"\nmsgstr "Oui"\n\n#, fuzzy\nmsgid "page:no"\nmsgstr "Niet"\n'
    )

    own = read_catalogue(file)

    assert ("page:yess",) == own.unknown
    assert "No" == own.text("page:no")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "cannot be read"),
        (b'msgid "page:yes"\nmsgstr "Oui"\n', "does not say its language"),
        (b"Dear colleague,\n", "is not a gettext catalogue"),
        (b"\xff\xfe", "is not a gettext catalogue"),
        (empty_catalogue().replace(b"Language: ", b"Language: F_R!?"), "not a language tag"),
        (b"#" * (5 << 20), "is larger than"),
    ],
)
def test_file_that_is_no_catalogue(tmp_path: Path, data: bytes | None, text: str) -> None:
    """The error says what is wrong with it."""
    file = tmp_path / "x.po"
    if data is not None:
        file.write_bytes(data)

    with pytest.raises(ConfigurationError, match=text):
        read_catalogue(file)
