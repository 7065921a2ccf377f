"""Pages: everything that a form says is on them, as text, in the reader's language."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.message import Message

from rogatory.assistance.v1 import answer_pb2, request_form_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.forms import (
    Document,
    Provenance,
    empty_catalogue,
    languages,
    load_catalogue,
    names_of,
    read_catalogue,
    render_page,
)
from rogatory.forms.catalogue import Catalogue
from rogatory.procedures.grounds import GROUNDS
from rogatory.recordfiles import parse_yaml
from rogatory.records.v1 import common_pb2, person_pb2
from rogatory.references import completer
from tests.support import records
from tests.support.filling import fill, use_all
from tests.unit.rogatory.forms.test_templates import (
    ALL_KINDS,
    ALL_STEPS,
    answer_of,
    asked_for,
    looked_up,
    template_of,
)

HOSTILE = "<script>alert(1)</script> & \"'"
ENTRY_TIME = 1_790_000_000_000_000_000


class Tags(HTMLParser):
    """Collects the tags and attributes of a page; fails where they do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an opening tag."""
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take a closing tag."""
        assert tag == self.open.pop()


def page_of(
    form: Message,
    *beside: Message,
    catalogue: Catalogue | None = None,
    provenance: Provenance | None = None,
    zone: str = "UTC",
) -> str:
    """Return the page of a form."""
    assert isinstance(form, request_form_pb2.AssistanceRequest | answer_pb2.Answer)
    document = Document(form=form, beside=beside, provenance=provenance)
    return render_page(document, catalogue=catalogue or load_catalogue("en"), zone=ZoneInfo(zone))


def words_of(page: str) -> str:
    """Return a page's text, without its style."""
    body = page.partition("</style>")[2]
    return html.unescape(re.sub(r"<[^>]*>", "\n", body))


def contents_of(template: str, text: str = "Text of the case.") -> tuple[Message, ...]:
    """Return what a template holds with everything filled in."""
    return parse_yaml(fill(use_all(template), text=text), complete=completer(looked_up)).contents


def texts_in(message: Message) -> Iterator[str]:
    """Yield every text in a message that is shown as it is."""
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if isinstance(item, Message):
                if isinstance(item, common_pb2.MessageReference):
                    yield item.message_id
                elif not isinstance(item, common_pb2.Amount):
                    yield from texts_in(item)
            elif isinstance(item, str) and not field.name.endswith(("_date",)):
                yield item


def sent(**fields: object) -> Provenance:
    """Return where a form came from."""
    header = envelope_pb2.Header(
        message_id="0192f0c1-0000-7000-8000-000000000001",
        sender="fr.police",
        recipients=[
            envelope_pb2.Recipient(agency="cn.mps", agreement_id="fr-cn", article="Art. 4(1)")
        ],
        urgency=codes_pb2.URGENCY_URGENT,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        create_time=records.SOME_TIME,
        signed_by=[envelope_pb2.SignedBy(key=b"\7" * 32, role=codes_pb2.KEY_ROLE_SIGNING)],
        **fields,  # type: ignore[arg-type]
    )
    return Provenance(
        header=header,
        header_digest=b"\xab" * 32,
        entry_time=ENTRY_TIME,
        index=12_345,
        origin="log.example/1",
        inbox_position=7,
        receipt="x.tlog-proof",
    )


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ALL_KINDS, ids=request_pb2.AssistanceKind.Name)
def test_request_shows_all_it_says(
    kind: request_pb2.AssistanceKind.ValueType, language: str
) -> None:
    """Whoever signs a page signs nothing that it does not show."""
    form, *beside = contents_of(template_of(kind, language))

    shown = words_of(page_of(form, *beside, catalogue=load_catalogue(language)))

    assert [] == [text for text in texts_in(form) if text not in shown]
    catalogue = load_catalogue(language)
    headings = [catalogue.text(f"section:{letter}") for letter in "ABCDEFGHIJKL"]
    assert headings == [line for line in shown.splitlines() if line in headings]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("step", ALL_STEPS, ids=request_pb2.RequestStep.Name)
def test_answer_shows_all_it_says(step: request_pb2.RequestStep.ValueType, language: str) -> None:
    """So with every step of an answer."""
    (form,) = contents_of(answer_of(step, language, asked_for()))

    shown = words_of(page_of(form, catalogue=load_catalogue(language)))

    assert [] == [text for text in texts_in(form) if text not in shown]


def test_every_field_has_its_section() -> None:
    """A field that a form gains is shown, or this fails."""
    for form, kind in (
        (request_form_pb2.AssistanceRequest(), "request_sections"),
        (answer_pb2.Answer(), "answer_sections"),
    ):
        source = Path(__file__).parents[4] / "clients/python/rogatory/forms/sections.py"
        code = source.read_text("utf-8").partition(f"def {kind}(")[2].partition("\ndef ")[0]

        missing = [
            field.name
            for field in form.DESCRIPTOR.fields
            if not re.search(rf'"{field.name}"|form\.{field.name}\b', code)
        ]

        assert [] == missing


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ALL_KINDS, ids=request_pb2.AssistanceKind.Name)
def test_markup_in_a_request_is_text(
    kind: request_pb2.AssistanceKind.ValueType, language: str
) -> None:
    """What the other side writes adds no tag and no attribute to the page."""
    plain, hostile = (
        page_of(*contents_of(template_of(kind, language), text))
        for text in ("Quiet words.", "<script>alert(1)</script> &amp; <b onload=x>")
    )
    tags = [Tags(), Tags()]
    for reader, page in zip(tags, (plain, hostile), strict=True):
        reader.feed(page)

    quiet, loud = tags
    assert quiet.tags == loud.tags
    assert quiet.attributes == loud.attributes
    assert [] == quiet.open == loud.open
    assert "script" not in loud.tags


def test_names_and_header_are_text_too() -> None:
    """Neither a person's name, nor a label of one's own catalogue, nor a header can be markup."""
    form = asked_for()
    form.persons[0].record.record_id = records.record_id(HOSTILE)
    person = records.person(HOSTILE)
    person.names[0].texts[0].language = "en"
    own = Catalogue("de", {"section:A": HOSTILE, "page:title:request": HOSTILE})
    provenance = sent()
    provenance.header.recipients[0].article = HOSTILE

    page = page_of(form, records.persons(person), catalogue=own, provenance=provenance)

    assert "<script" not in page
    reader = Tags()
    reader.feed(page)
    assert [] == reader.open
    assert words_of(page).count(HOSTILE) >= 4


def test_page_fetches_nothing() -> None:
    """A page has no script, link, image or address, and forbids them."""
    page = page_of(*contents_of(template_of(request_pb2.ASSISTANCE_KIND_HANDOVER)))
    reader = Tags()
    reader.feed(page)

    assert set() == reader.tags & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert set() == {name for name, _ in reader.attributes} & {"src", "href", "style"}
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in reader.attributes
    assert "url(" not in page
    assert "@import" not in page


def test_persons_are_listed_in_their_script() -> None:
    """Names stand as they are written, each said to be in its own language and script."""
    form = asked_for()
    person = person_pb2.Person(
        record_id=form.persons[0].record.record_id,
        category=common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
        names=[
            person_pb2.PersonName(
                kind=person_pb2.PERSON_NAME_KIND_FULL,
                texts=[
                    common_pb2.NameText(text="王小明", script="Hans", language="zh"),
                    common_pb2.NameText(
                        text="Wang Xiaoming",
                        script="Latn",
                        romanisation=common_pb2.ROMANISATION_SCHEME_HANYU_PINYIN,
                    ),
                ],
            )
        ],
        birth_date=common_pb2.PartialDate(value="1985-03", circa=True),
        nationalities=["CN"],
        sex=person_pb2.SEX_MALE,
    )

    page = page_of(form, person_pb2.Persons(persons=[person]))

    shown = words_of(page)
    assert '<bdi class="value" lang="zh-Hans">王小明 (Hans)</bdi>' in page
    assert "Wang Xiaoming (Latn, Hanyu Pinyin (ISO 7098))" in shown
    assert "1985-03 (Approximate)" in shown
    assert "China (CN)" in shown
    # Section E names the person, and not only the record.
    assert f"王小明 ({person.record_id})" in shown


def test_message_is_shown_with_its_place_in_the_log() -> None:
    """Message id, digest, log position, receipt and legal basis stand on the page."""
    shown = words_of(page_of(asked_for(), provenance=sent()))

    for text in (
        "fr.police/0192f0c1-0000-7000-8000-000000000001",
        "ab" * 32,
        "12345",
        "log.example/1",
        "x.tlog-proof",
        "cn.mps · fr-cn, Art. 4(1)",
        "21 September 2026, 14:13:20 UTC+00:00",
        "07" * 32,
        "URGENT",
    ):
        assert text in shown


def test_dates_are_those_of_language_and_zone() -> None:
    """Instants are written as the language has them, in the zone asked for, with its offset."""
    page = page_of(
        asked_for(),
        provenance=sent(),
        catalogue=load_catalogue("zh"),
        zone="Asia/Kolkata",
    )

    assert "2026年9月21日, 19:43:20 UTC+05:30" in words_of(page)


@pytest.mark.parametrize(
    ("provenance", "text", "there"),
    [
        (None, "neither signed nor sent", True),
        (sent(), "neither signed nor sent", False),
        (sent(exercise=True), "EXERCISE", True),
        (sent(), "EXERCISE", False),
        (sent(), "verifies no signature", True),
        (None, "verifies no signature", False),
    ],
)
def test_page_says_what_it_is(provenance: Provenance | None, text: str, there: bool) -> None:  # noqa: FBT001 - a table
    """Drafts, exercises and what was not verified are marked."""
    assert there == (text in page_of(asked_for(), provenance=provenance))


def test_language_of_one_s_own_turns_the_page(tmp_path: Path) -> None:
    """A catalogue of a language that is written from right to left has the page written so."""
    file = tmp_path / "ar.po"
    file.write_bytes(empty_catalogue("ar"))

    page = page_of(asked_for(), catalogue=read_catalogue(file))

    assert '<html lang="ar" dir="rtl">' in page


def test_refusal_says_where_its_ground_comes_from() -> None:
    """Source, meaning and next step stand by each refusal; a next step of its own goes first."""
    answer = answer_pb2.Answer(
        request=looked_up("fr.police", "00000000-0000-7000-8000-000000000001"),
        step=request_pb2.REQUEST_STEP_REFUSE,
        refusals=[
            answer_pb2.RefusalDetail(ground=number, reasons="Because.") for number in GROUNDS
        ],
    )
    answer.refusals[0].next_step = "Ask the bar association."

    shown = words_of(page_of(answer))

    first, *others = GROUNDS.values()
    assert [] == [ground.source for ground in GROUNDS.values() if ground.source not in shown]
    assert [] == [ground.next_step for ground in others if ground.next_step not in shown]
    assert first.next_step not in shown
    assert "Ask the bar association." in shown


def test_parts_that_are_withheld_are_told() -> None:
    """What did not come is named, with the article that withholds it."""
    absent = envelope_pb2.AbsentPart(reason=envelope_pb2.ABSENCE_REASON_WITHHELD, article="Art. 9")

    page = render_page(
        Document(
            form=asked_for(),
            absent=[("rogatory.records.v1.Persons", absent)],
            provenance=sent(),
        ),
        catalogue=load_catalogue("en"),
        zone=UTC,
    )

    assert "Withheld by a clause (Art. 9)" in words_of(page)


def test_amounts_and_ends_of_the_calendar_are_exact() -> None:
    """Money loses no digit, and the last instant there is can be shown in any zone."""
    form = asked_for()
    form.measures[1].freezing.amount.value = "123456789012345678901234567890.123456789012345678"
    form.measures[1].freezing.amount.currency = "USDT"
    form.measures[1].freezing.until_time.FromJsonString("9999-12-31T23:59:59Z")

    shown = words_of(page_of(form, zone="Asia/Shanghai"))

    assert "123,456,789,012,345,678,901,234,567,890.123456789012345678 USDT" in shown
    assert "9999-12-31T23:59:59Z" in shown


def test_fields_of_another_system_are_shown() -> None:
    """What an import could not place is signed too, so it is on the page."""
    form = asked_for()
    form.foreign_fields.add(system="inspire", name="priority", value=b"very high")
    form.foreign_fields.add(system="inspire", name="blob", value=b"\xff\x00")

    shown = words_of(page_of(form))

    assert "very high" in shown
    assert "/wA=" in shown


def test_records_are_called_by_what_names_them() -> None:
    """Indicators, places, accounts and items are named, so that a page need not say ids alone."""
    template = [
        request_pb2.ASSISTANCE_KIND_TAKEDOWN,
        request_pb2.ASSISTANCE_KIND_SEARCH_AND_SEIZURE,
        request_pb2.ASSISTANCE_KIND_ACCOUNT_FREEZING,
        request_pb2.ASSISTANCE_KIND_SERVICE_OF_DOCUMENTS,
        request_pb2.ASSISTANCE_KIND_HEARING,
    ]

    found = [names_of(contents_of(template_of(kind), "N.1")[1:]) for kind in template]

    assert [["N.1"]] * len(template) == [list(names.values()) for names in found]
