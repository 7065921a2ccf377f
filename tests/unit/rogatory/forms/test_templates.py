"""Templates can be filled in and read, in each language, with and without what is optional."""

from __future__ import annotations

import re

import pytest
from google.protobuf.message import Message

from rogatory.assistance.v1 import answer_pb2, refusal_pb2, request_form_pb2, request_pb2
from rogatory.errors import RecordFileError
from rogatory.forms import (
    Asked,
    Known,
    answer_template,
    languages,
    load_catalogue,
    request_template,
)
from rogatory.forms.outline_requests import KINDS
from rogatory.procedures.grounds import GROUNDS
from rogatory.procedures.requests import REFUSING_GROUNDS
from rogatory.recordfiles import parse_yaml
from rogatory.records.v1 import common_pb2
from rogatory.references import completer
from rogatory.yamlrecords import BLANK
from tests.support.filling import fill, use_all

RECORD = "00000000-0000-4000-8000-00000000000a"
REQUEST = common_pb2.MessageReference(
    sender="fr.police", message_id="00000000-0000-7000-8000-000000000001", header_digest=b"\1" * 32
)
ALL_KINDS = request_pb2.AssistanceKind.values()[1:]
ALL_STEPS = request_pb2.RequestStep.values()[1:]


def template_of(
    kind: request_pb2.AssistanceKind.ValueType, language: str = "en", **known: str
) -> str:
    """Return a template for a request."""
    return request_template(
        kind,
        catalogue=load_catalogue(language),
        known=Known(**known),
        new_id=lambda: RECORD,
    )


def answer_of(
    step: request_pb2.RequestStep.ValueType,
    language: str = "en",
    form: request_form_pb2.AssistanceRequest | None = None,
) -> str:
    """Return a template for an answer."""
    asked = Asked(reference=REQUEST, form=form, names=[(RECORD, "王小明")])
    return answer_template(step, catalogue=load_catalogue(language), asked=asked)


def first(text: str) -> Message:
    """Return the request or answer that a filled template holds."""
    return parse_yaml(text, complete=completer(looked_up)).contents[0]


def looked_up(sender: str, message_id: str) -> common_pb2.MessageReference:
    """Return the reference to any message, as a lookup would find it."""
    return common_pb2.MessageReference(
        sender=sender, message_id=message_id, header_digest=b"\2" * 32
    )


def asked_for(description: str = "Who is it?") -> request_form_pb2.AssistanceRequest:
    """Return a request with two measures."""
    content = first(fill(template_of(request_pb2.ASSISTANCE_KIND_HEARING)))
    assert isinstance(content, request_form_pb2.AssistanceRequest)
    content.measures[0].description = description
    content.measures.add(measure_id="M2", kind=request_pb2.ASSISTANCE_KIND_INFORMATION)
    return content


def test_there_is_an_outline_for_every_kind() -> None:
    """A kind of assistance that the contract gains is given an outline."""
    assert set(ALL_KINDS) == set(KINDS)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("use", [str, use_all], ids=["as it is", "with everything"])
@pytest.mark.parametrize("kind", ALL_KINDS, ids=request_pb2.AssistanceKind.Name)
def test_filled_template_is_a_request(
    kind: request_pb2.AssistanceKind.ValueType, use: type[str], language: str
) -> None:
    """Once its blanks are filled in, a template passes every rule of the schema."""
    text = fill(use(template_of(kind, language)))

    found = first(text)

    assert isinstance(found, request_form_pb2.AssistanceRequest)
    assert kind == found.kind == found.measures[0].kind
    assert found.measures[0].WhichOneof("details")
    assert language == found.language


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("use", [str, use_all], ids=["as it is", "with everything"])
@pytest.mark.parametrize("step", ALL_STEPS, ids=request_pb2.RequestStep.Name)
def test_filled_template_is_an_answer(
    step: request_pb2.RequestStep.ValueType, use: type[str], language: str
) -> None:
    """So do the templates of answers, each for its step and about its request."""
    found = [first(fill(use(answer_of(step, language, form)))) for form in (None, asked_for())]

    for answer in found:
        assert isinstance(answer, answer_pb2.Answer)
        assert (step, REQUEST) == (answer.step, answer.request)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ALL_KINDS, ids=request_pb2.AssistanceKind.Name)
def test_every_field_is_explained(
    kind: request_pb2.AssistanceKind.ValueType, language: str
) -> None:
    """Above each field, in use or not, a comment says what it is and whether it is needed."""
    text = template_of(kind, language)
    catalogue = load_catalogue(language)
    marks = tuple(f"[{catalogue.text(f'template:{word}')}]" for word in ("required", "optional"))

    lines = text.splitlines()
    bare = []
    for number, line in enumerate(lines):
        if not re.match(r" +#?(- )?\w+:", line):
            continue
        above = number - 1
        while not any(mark in lines[above] for mark in marks) and lines[above].strip()[:2] == "# ":
            above -= 1
        if not any(mark in lines[above] for mark in marks):
            bare.append(line)

    assert [] == bare


def test_template_is_refused_until_it_is_filled_in() -> None:
    """Each blank is named with its line; nothing is read before."""
    text = template_of(request_pb2.ASSISTANCE_KIND_PRESERVATION)
    lines = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if BLANK in line and not line.lstrip().startswith("#")
    ]

    with pytest.raises(RecordFileError, match="not filled in yet") as caught:
        parse_yaml(text)

    assert lines == [issue.line for issue in caught.value.issues]


def test_what_is_known_is_filled_in() -> None:
    """States, authority and legal basis follow from who asks whom under what."""
    text = template_of(
        request_pb2.ASSISTANCE_KIND_PRESERVATION,
        agency="fr.police",
        name="Police: nationale #1",
        recipient="cn.mps",
        agreement="fr-cn",
        article="Art. 4(1)",
        file="my request.yaml",
    )

    found = first(fill(text))

    assert isinstance(found, request_form_pb2.AssistanceRequest)
    assert ("FR", "CN") == (found.issuing_country, found.executing_country)
    assert ("Police: nationale #1", "fr.police") == (
        found.issuing_authority.name,
        found.issuing_authority.agency,
    )
    assert request_form_pb2.Instrument(name="fr-cn", article="Art. 4(1)") == found.instruments[0]
    assert "--to 'cn.mps:fr-cn:Art. 4(1)'" in text


def test_record_travels_beside_the_request() -> None:
    """A request about persons has them in the same file, and names them by their ids."""
    request, persons = parse_yaml(fill(template_of(request_pb2.ASSISTANCE_KIND_HANDOVER))).contents

    assert isinstance(request, request_form_pb2.AssistanceRequest)
    named = {request.persons[0].record.record_id, request.measures[0].subjects[0].record_id}
    assert {RECORD} == named == {person.record_id for person in persons.persons}  # type: ignore[attr-defined]


def test_answer_takes_up_measures_and_persons() -> None:
    """Whoever executes a request finds each measure and each person there already."""
    text = answer_of(request_pb2.REQUEST_STEP_EXECUTE, form=asked_for())

    found = first(fill(use_all(text)))

    assert isinstance(found, answer_pb2.Answer)
    assert ["M1", "M2"] == [item.measure_id for item in found.measure_answers]
    assert [RECORD] == list(found.measure_answers[0].subject_ids)
    assert "王小明" in text


@pytest.mark.parametrize("language", languages())
def test_refusal_explains_every_ground(language: str) -> None:
    """Whoever refuses reads of each ground on which one may: what, by which article, what next."""
    text = " ".join(
        line.strip(" #")
        for line in answer_of(request_pb2.REQUEST_STEP_REFUSE, language).split("\n")
    ).replace(" ", "")
    catalogue = load_catalogue(language)

    missing = [
        catalogue.ground(number, what)
        for number in REFUSING_GROUNDS
        for what in ("source", "explanation", "next")
        if catalogue.ground(number, what).replace(" ", "") not in text
    ]

    assert [] == missing
    assert (
        set(GROUNDS)
        - {
            refusal_pb2.REFUSAL_GROUND_POSTPONED,
            refusal_pb2.REFUSAL_GROUND_GRANTED_WITH_CONDITIONS,
        }
        == REFUSING_GROUNDS
    )


@pytest.mark.parametrize(
    "hostile", ["x\n- evil: 1", "x\u2028evil: 1", "x\x85evil: 1", "x\revil: 1"]
)
def test_words_of_the_request_stay_comment(hostile: str) -> None:
    """What the other side wrote can't leave the comment that quotes it."""
    quiet = answer_of(request_pb2.REQUEST_STEP_ACCEPT, form=asked_for())
    text = answer_of(request_pb2.REQUEST_STEP_ACCEPT, form=asked_for(hostile))

    assert first(fill(quiet)) == first(fill(text))


@pytest.mark.parametrize(
    "name", ["null", "~", "? x", "a: b", "- a", "# a", "'", '"\\', "\u2028", "😀", "\x85"]
)
def test_names_are_quoted_where_they_must_be(name: str) -> None:
    """A name reads back as it was, whatever it means to YAML."""
    text = template_of(request_pb2.ASSISTANCE_KIND_INFORMATION, name=name)

    found = first(fill(text))

    assert isinstance(found, request_form_pb2.AssistanceRequest)
    assert name == found.issuing_authority.name
