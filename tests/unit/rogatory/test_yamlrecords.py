"""Records in YAML are read as their JSON form is, and faults point at their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.assistance.v1 import request_form_pb2, request_pb2
from rogatory.errors import RecordFileError
from rogatory.exchange.v1 import envelope_pb2
from rogatory.messagefiles import read_message
from rogatory.recordfiles import parse_json, parse_yaml, read_records
from rogatory.records.v1 import common_pb2, person_pb2

PERSONS = """\
persons:
  - category: suspect
    names: [{kind: full, texts: [{text: 王小明, script: Hans}]}]
    birth_date: {value: 1985}
"""
REQUEST = """\
assistance_request:
  kind: information
  proceedings: criminal
  facts: |
    A server served a fraud.
  urgency: {reasons: [evidence-at-risk], needed_by_time: 2026-12-01}
  measures: [{measure_id: M1, kind: ASSISTANCE_KIND_INFORMATION}]
  offences: [{iccs_code: 0701, life_imprisonment: true, maximum_penalty_months: 24}]
  issuing_authority: {name: "true"}
  instruments: [{name: Budapest Convention}]
"""


def faults(text: str, schema: str = "") -> list[str]:
    """Return the faults of a YAML text."""
    with pytest.raises(RecordFileError) as caught:
        parse_yaml(text, schema=schema, file="f.yaml")
    return [str(issue) for issue in caught.value.issues] or [str(caught.value)]


def request_of(text: str) -> request_form_pb2.AssistanceRequest:
    """Return the one request in a YAML text."""
    (content,) = parse_yaml(text).contents
    assert isinstance(content, request_form_pb2.AssistanceRequest)
    return content


def test_text_stays_what_was_written() -> None:
    """Zeros in front and years in fields of text are kept: no type is guessed."""
    (content,) = parse_yaml(PERSONS).contents
    request = request_of(REQUEST)

    assert isinstance(content, person_pb2.Persons)
    assert "1985" == content.persons[0].birth_date.value
    assert "0701" == request.offences[0].iccs_code
    assert "true" == request.issuing_authority.name


def test_fields_say_what_they_want() -> None:
    """Truth values, numbers, dates and short names of enum values are read by the field's type."""
    request = request_of(REQUEST)

    offence = request.offences[0]
    assert (True, 24) == (offence.life_imprisonment, offence.maximum_penalty_months)
    assert request_pb2.ASSISTANCE_KIND_INFORMATION == request.kind == request.measures[0].kind
    assert [request_form_pb2.URGENCY_REASON_EVIDENCE_AT_RISK] == list(request.urgency.reasons)
    assert "2026-12-01T00:00:00Z" == request.urgency.needed_by_time.ToJsonString()


def test_json_is_yaml_too(tmp_path: Path) -> None:
    """A file reads the same whether its name says JSON or YAML; both suffixes of YAML are known."""
    text = '{"indicators": [{"record_id": "00000000-0000-4000-8000-000000000001",'
    text += ' "type": "INDICATOR_TYPE_DOMAIN", "value": "a.example",'
    text += ' "status": "INDICATOR_STATUS_REPORTED"}]}'
    files = [tmp_path / name for name in ("f.yaml", "f.yml")]
    for file in files:
        file.write_text(text)

    found = [read_records(file).contents for file in files]

    assert [parse_json(text).contents] * 2 == found


def test_schema_tells_what_a_list_is() -> None:
    """With a schema the container may be left out, as in JSON."""
    items = "- {type: domain, value: a.example, status: reported}\n"

    found = parse_yaml(items, schema="Indicators")

    assert 1 == found.new_ids


def test_any_message_can_be_a_yaml_file(tmp_path: Path) -> None:
    """What is read with its type known, such as particulars, may be YAML."""
    file = tmp_path / "particulars.yaml"
    file.write_text("assistance_kind: takedown\nrespond_by_time: 2026-12-01T08:00:00+01:00\n")

    found = read_message(file, envelope_pb2.RequestParticulars)

    assert request_pb2.ASSISTANCE_KIND_TAKEDOWN == found.assistance_kind
    assert "2026-12-01T07:00:00Z" == found.respond_by_time.ToJsonString()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("persons: [", "line 1, column 11: is not YAML"),
        ("persons: &a []\nother: *a", "line 1, column 10: uses an anchor or alias"),
        ("persons:\n  - {}\npersons: []", "line 3, column 1: persons: 'persons' stands here a"),
        (PERSONS.replace("suspect", "suspekt"), "line 2, column 15: persons[0].category:"),
        (PERSONS.replace("category: s", "categori: s"), "did you mean 'category'?"),
        (PERSONS + "    sex: [male]", "line 5, column 10: persons[0].sex:"),
        (PERSONS + "    names: one", "line 5, column 5: names: 'names' stands here a second time"),
        (REQUEST.replace("24", '"many"'), "maximum_penalty_months: 'many' is not a number"),
        (REQUEST.replace(": true", ': "true"'), "life_imprisonment: 'true' is not a true or"),
        (REQUEST.replace("2026-12-01", "tomorrow"), "'tomorrow' is not a Timestamp"),
        (REQUEST.replace("  proceedings: criminal\n", ""), "line 2, column 3: proceedings: is not"),
        ("- 1\n", "does not say which records it holds"),
        ("persens: []", "is no kind of record"),
    ],
)
def test_faults_have_their_places(text: str, fault: str) -> None:
    """Whatever is wrong, the error says where, in the words of JSON's errors."""
    found = faults(text)

    assert any(fault in item for item in found), found


def test_short_name_that_is_misspelt_is_guessed() -> None:
    """Who writes names short gets the name that was meant."""
    found = faults(PERSONS.replace("suspect", "suspekt"))

    assert ["did you mean DATA_SUBJECT_CATEGORY_SUSPECT?"] == [
        item.partition("; ")[2] for item in found
    ]


def test_blanks_are_listed_with_their_lines() -> None:
    """A template that is not filled in says which lines are left, before anything else."""
    text = REQUEST.replace("facts: |\n    A server served a fraud.", "facts: ???").replace(
        "[{iccs_code: 0701, life_imprisonment: true, maximum_penalty_months: 24}]",
        "\n    - iccs_code: ???",
    )

    found = faults(text)

    assert [
        "line 4, column 10: assistance_request.facts: is still to be filled in",
        "line 8, column 18: assistance_request.offences[0].iccs_code: is still to be filled in",
    ] == found


def test_question_marks_in_quotes_are_text() -> None:
    """Who means the three characters writes them in quotes."""
    request = request_of(REQUEST.replace('"true"', '"???"'))

    assert "???" == request.issuing_authority.name


def test_special_categories_are_read_short() -> None:
    """A short name stands for its value in any enum."""
    (content,) = parse_yaml(PERSONS.replace("suspect", "victim")).contents

    assert isinstance(content, person_pb2.Persons)
    assert common_pb2.DATA_SUBJECT_CATEGORY_VICTIM == content.persons[0].category
