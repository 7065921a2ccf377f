"""Files that hold a message are read whole, and every fault points at its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rogatory.assistance.v1 import handover_pb2
from rogatory.errors import Issue, RecordFileError
from rogatory.exchange.v1 import envelope_pb2
from rogatory.messagefiles import (
    MAX_FILE_BYTES,
    Share,
    parse_json,
    parse_textproto,
    read_message,
    read_text,
)
from rogatory.records.v1 import indicator_pb2, person_pb2

INDICATORS = [Share(message_type=indicator_pb2.Indicators)]


def faults_of_json(text: str) -> list[str]:
    """Return the faults of JSON text that is to hold indicators."""
    with pytest.raises(RecordFileError) as caught:
        parse_json(text, lambda _: INDICATORS, file="f.json")
    return [str(issue) for issue in caught.value.issues]


def faults_of_textproto(text: str) -> Sequence[Issue]:
    """Return the faults of a text-proto that is to hold persons."""
    with pytest.raises(RecordFileError) as caught:
        parse_textproto(text, person_pb2.Persons, file="f.txtpb")
    return caught.value.issues


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1,\n "a": 2', "line 2, column 8: Expecting ',' delimiter"),
        (
            '{"indicators": [{"value": "a", "value": "b"}',
            "line 1, column 45: Expecting ',' delimiter",
        ),
        ("[" * 100_000, "line 1, column 101: nesting of more than 100 levels"),
        (
            '{"indicators":\n' + "[" * 150 + "]" * 150 + "}",
            "line 2, column 100: nesting of more than 100 levels",
        ),
        (
            '{"]": "[[\\"[", "indicators":\n' + "[" * 2000 + "]" * 2000 + "}",
            "line 2, column 100: nesting of more than 100 levels",
        ),
        (
            '{"' + "1" * 5000 + '": 1,\n "x": ' + "9" * 5000 + "}",
            "line 2, column 7: a number of more than 1000 digits",
        ),
    ],
)
def test_fault_of_form_in_json_has_its_place(text: str, fault: str) -> None:
    """What no JSON reader takes is named with line and column, whatever stands before it."""
    assert [fault] == faults_of_json(text)


def test_faults_in_textproto_have_their_places() -> None:
    """Comments, brackets in strings, lists, joined strings, both sorts of braces mislead no one."""
    text = """\
# persons { sex: 1 }
persons: [
  {record_id: "00000000-0000-4000-8000-000000000001" category: 3,
   names { kind: PERSON_NAME_KIND_FULL; texts { text: "a } {" 'b\\' {' script: 'Latn' } } },
  <
    record_id: "00000000-0000-4000-8000-000000000002"
    category: DATA_SUBJECT_CATEGORY_SUSPECT, nationalities: ["FR", 'DE',
      "Germany"]
    names { kind: 1 texts { text: "x" script: "Latn" } texts { text: "y" "z" script: "latn" } }
    birth_date { value: "1985-13" }
  >
]
"""

    found = faults_of_textproto(text)

    assert {
        (8, 7, "persons[1].nationalities[2]"),
        (9, 86, "persons[1].names[0].texts[1].script"),
        (10, 25, "persons[1].birth_date.value"),
    } == {(issue.line, issue.column, issue.path) for issue in found}


def test_id_that_is_missing_inside_is_said_to_be() -> None:
    """Only records themselves get an id when they have none; what breaks a pattern is told so."""
    text = """\
request { sender: "fr.police" message_id: "1" header_digest: "%s" }
place { kind: PLACE_KIND_BORDER_POST }
"""
    with pytest.raises(RecordFileError) as caught:
        parse_textproto(text % (32 * "x"), handover_pb2.Handover, file="f.txtpb")
    faults = {issue.path: issue.message for issue in caught.value.issues}

    assert "is not stated" == faults["place.record_id"]
    assert faults["request.message_id"].startswith("does not match")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("persons {\n  sx: 1\n}", 'line 2, column 3: Message type "rogatory.records.v1.Person"'),
        ("persons [[[[", 'line 1, column 10: Expected "{"'),
        ("persons {", "line 1"),
        ("persons {}", "line 1, column 9: persons[0].category: is not stated"),
        ("", "line 1, column 1: persons: must contain at least 1 item(s)"),
    ],
)
def test_fault_in_textproto_is_explained(text: str, fault: str) -> None:
    """A fault of form does not repeat the line, and what is missing points at what it lacks in."""
    assert fault in "\n".join(str(issue) for issue in faults_of_textproto(text))


def test_message_is_read_by_the_files_suffix(tmp_path: Path) -> None:
    """Text-proto by its suffixes, JSON otherwise: the same message."""
    text, plain = tmp_path / "a.txtpb", tmp_path / "a.json"
    text.write_text("assistance_kind: ASSISTANCE_KIND_TAKEDOWN directly_available: true")
    plain.write_text('{"assistanceKind": "ASSISTANCE_KIND_TAKEDOWN", "directly_available": true}')

    first, second = (read_message(path, envelope_pb2.RequestParticulars) for path in (text, plain))

    assert first == second
    assert first.directly_available


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, not text, too large: each is said with the file's name."""
    latin, large = tmp_path / "latin.json", tmp_path / "large.json"
    latin.write_bytes(b'{"a": "\xe9"}')
    with large.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    for path, text in (
        (tmp_path / "none.json", "cannot be read"),
        (tmp_path, "cannot be read"),
        (latin, "not UTF-8: byte 7"),
        (large, "larger than"),
    ):
        with pytest.raises(RecordFileError, match=text) as caught:
            read_text(path)
        assert str(path) == caught.value.file
