"""Files of records are read whole, and faults point at their place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rogatory.errors import RecordFileError
from rogatory.recordfiles import (
    members,
    parse_json,
    parse_textproto,
    read_records,
)
from rogatory.records.v1 import indicator_pb2, person_pb2

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INDICATOR = {
    "type": "INDICATOR_TYPE_DOMAIN",
    "value": "a.example",
    "status": "INDICATOR_STATUS_REPORTED",
}
PERSON = {
    "category": "DATA_SUBJECT_CATEGORY_SUSPECT",
    "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "王小明", "script": "Hans"}]}],
}
TEXTPROTO = """# proto-message: rogatory.records.v1.Indicators
indicators {
  type: INDICATOR_TYPE_DOMAIN
  value: "a.example"
  status: INDICATOR_STATUS_REPORTED
}
"""


def faults(text: str, schema: str = "") -> list[str]:
    """Return the faults of a JSON text."""
    with pytest.raises(RecordFileError) as caught:
        parse_json(text, schema=schema, file="f.json")
    return [str(issue) for issue in caught.value.issues] or [str(caught.value)]


def test_each_member_becomes_a_part() -> None:
    """One file may hold several kinds of record, in its order."""
    found = parse_json(json.dumps({"persons": [PERSON], "indicators": [INDICATOR]}))

    first, second = found.contents
    assert isinstance(first, person_pb2.Persons)
    assert isinstance(second, indicator_pb2.Indicators)
    assert "王小明" == first.persons[0].names[0].texts[0].text


def test_missing_record_ids_are_made_and_counted() -> None:
    """A record without an id gets one; a record with one keeps it."""
    own = {**INDICATOR, "record_id": "00000000-0000-4000-8000-000000000001"}

    found = parse_json(json.dumps({"indicators": [INDICATOR, own]}))

    content = found.contents[0]
    assert isinstance(content, indicator_pb2.Indicators)
    assert 1 == found.new_ids
    assert UUID4.fullmatch(content.indicators[0].record_id)
    assert own["record_id"] == content.indicators[1].record_id


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([INDICATOR]),
        json.dumps(INDICATOR),
        json.dumps({"indicators": [INDICATOR]}),
    ],
)
@pytest.mark.parametrize("schema", ["Indicators", "indicators", "rogatory.records.v1.Indicators"])
def test_schema_tells_what_a_list_or_record_is(text: str, schema: str) -> None:
    """With a schema the container may be left out."""
    found = parse_json(text, schema=schema)

    content = found.contents[0]
    assert isinstance(content, indicator_pb2.Indicators)
    assert ["a.example"] == [item.value for item in content.indicators]


def test_json_names_are_accepted_too() -> None:
    """The protobuf JSON mapping writes recordId; the protos write record_id."""
    text = json.dumps(
        {"indicators": [{**INDICATOR, "recordId": "0" * 8 + "-0000-4000-8000-" + "0" * 12}]}
    )

    assert 0 == parse_json(text).new_ids


def test_all_faults_are_listed_with_their_places() -> None:
    """Unknown names, unknown words and wrong forms are all found at once."""
    text = """{
  "persons": [
    {"category": "SUSPECT",
     "nmes": [],
     "nationalities": "FR",
     "birth_date": 1985}
  ]
}"""

    assert [
        (
            "line 3, column 18: persons[0].category: 'SUSPECT' is not a DataSubjectCategory; "
            "did you mean DATA_SUBJECT_CATEGORY_SUSPECT?"
        ),
        "line 4, column 6: persons[0]: Person has no field 'nmes'; did you mean 'names'?",
        "line 5, column 23: persons[0].nationalities: a list is expected here",
        "line 6, column 20: persons[0].birth_date: an object is expected here (PartialDate)",
    ] == faults(text)


def test_rule_of_the_schema_points_at_the_value() -> None:
    """A value that breaks a rule is found in the file, in the second part too."""
    text = json.dumps({"indicators": [INDICATOR], "persons": [PERSON]}, indent=1).replace(
        "Hans", "hans"
    )
    line = text[: text.index('"hans"')].count("\n") + 1

    (fault,) = faults(text)

    assert fault.startswith(f"line {line}, column 18: persons[0].names[0].texts[0].script: ")


def test_missing_value_points_at_its_record() -> None:
    """What is not there has no place; the record it belongs to has."""
    text = json.dumps({"indicators": [{"type": "INDICATOR_TYPE_DOMAIN", "value": "a.example"}]})

    assert ["line 1, column 17: indicators[0].status: is not stated"] == faults(text)


@pytest.mark.parametrize(
    ("text", "schema", "fault"),
    [
        ('{"persons": [}', "", "line 1, column 14: Expecting value"),
        ('{"persons": 5}', "", "line 1, column 13: persons: a list is expected here"),
        ('{"persons": [3]}', "", "persons[0]: an object is expected here (Person)"),
        ('{"a": 1, "a": 2}', "Indicators", "'a' stands here a second time"),
        ('{"indicators": [{"confidence": "x"}]}', "", "'x' is not a number of the right size"),
        ('{"indicators": [{"value": 5}]}', "", "5 is not a text"),
        ('{"indicators": [{"first_seen_time": "x"}]}', "", "'x' is not a Timestamp"),
        ("[1]", "", 'Write {"persons": [...]}'),
        ("{}", "", "does not say which records it holds"),
        ('{"persns": []}', "", "Did you mean persons?"),
        ('{"xyz": []}', "", "Use one of context, persons"),
        ("[]", "Persos", "Did you mean rogatory.records.v1.Persons?"),
        ("[]", "Xyz", "There is no schema 'Xyz'"),
    ],
)
def test_fault_is_explained(text: str, schema: str, fault: str) -> None:
    """Each kind of fault has words of its own."""
    assert fault in "\n".join(faults(text, schema))


def test_many_faults_are_cut_off() -> None:
    """A file of another kind does not drown the reader."""
    text = json.dumps({"indicators": [{"x": 1}] * 500})

    assert 50 == len(faults(text))


def test_every_member_leads_to_one_schema() -> None:
    """Two kinds of record never share a name in a file."""
    assert {"persons", "items", "indicators", "links", "notices", "alerts"} <= members().keys()


def test_textproto_names_its_type() -> None:
    """A text-proto file says what it is in a comment, or the caller does."""
    by_comment = parse_textproto(TEXTPROTO)
    by_schema = parse_textproto(TEXTPROTO.partition("\n")[2], schema="Indicators")

    assert [1, 1] == [by_comment.new_ids, by_schema.new_ids]
    assert "a.example" == getattr(by_comment.contents[0], "indicators")[0].value  # noqa: B009 - typed as Message


def test_textproto_without_a_type_is_explained() -> None:
    """Where neither the file nor the caller says what it holds, the error says how to."""
    with pytest.raises(RecordFileError, match=r"# proto-message: rogatory\.records"):
        parse_textproto("indicators {}", file="f.txtpb")


def test_faults_of_textproto_have_their_places() -> None:
    """A value that breaks a rule is found by line and column, as in JSON."""
    text = TEXTPROTO.replace("REPORTED\n", "REPORTED\n  confidence: 300\n")

    with pytest.raises(RecordFileError) as caught:
        parse_textproto(text, file="f.txtpb")

    assert ["line 6, column 15: indicators[0].confidence: must be less than or equal to 100"] == [
        str(issue) for issue in caught.value.issues
    ]


def test_file_is_read_by_its_suffix(tmp_path: Path) -> None:
    """Text-proto by its suffixes, JSON otherwise, with or without a byte order mark."""
    text, plain = tmp_path / "a.txtpb", tmp_path / "a.json"
    text.write_text(TEXTPROTO, "utf-8")
    plain.write_text(json.dumps({"indicators": [INDICATOR]}), "utf-8-sig")

    assert [1, 1] == [len(read_records(path).contents) for path in (text, plain)]
