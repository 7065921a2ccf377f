"""What a job says, and where it is wrong."""

from __future__ import annotations

import json

import pytest

from rogatory.connect.jobs import HANDLING_MEMBERS, MEMBERS, parse_job
from rogatory.errors import RecordFileError
from tests.support import documents

TO = ["de.bka:eu-fraud:Art. 4"]


def parse(text: str, *, beside: bool = False) -> object:
    """Read a job's text."""
    return parse_job(text.encode(), file="a.json", beside=beside)


def test_job_has_the_words_of_send() -> None:
    """What is not stated is as on the command line."""
    job = parse_job(
        json.dumps({"to": TO, "offences": ["0701"], "handling": {"siena": ["h1"]}}).encode(),
        file="a.json",
        beside=False,
    )

    assert ("transfer", TO, ["0701"]) == (job.kind, job.to, job.offences)
    assert ("amber", "with-consent", ["h1"]) == (
        job.handling.tlp,
        job.handling.onward,
        job.handling.siena,
    )
    assert job.exercise is None


def test_inline_records_keep_their_places() -> None:
    """What stands in the job is read where it stands: a fault in it has a place in the job."""
    text = '{"to": ["é"],\n "records": {"persons": []},\n "officer": "x"}'
    job = parse_job(text.encode(), file="a.json", beside=False)

    inline = job.inline["records"]

    assert {"persons": []} == json.loads(inline)
    assert text.index('{"persons"') == inline.index('{"persons"')
    assert "officer" not in inline


@pytest.mark.parametrize(
    ("text", "line", "column", "path", "message"),
    [
        ("{", 1, 2, "", "not JSON"),
        ("[]", 1, 1, "", "an object is expected here"),
        ("{}", 1, 1, "to", "names no recipient"),
        ('{"to": []}', 1, 8, "to", "names no recipient"),
        ('{"to": "x"}', 1, 8, "to", "a list of texts"),
        ('{"to": ["x"],\n "offence": []}', 2, 2, "offence", "did you mean 'offences'?"),
        ('{"to": ["x"], "to": ["y"]}', 1, 15, "to", "a second time"),
        ('{"to": ["x", 1]}', 1, 14, "to[1]", "a text is expected"),
        ('{"to": ["x"], "kind": 1}', 1, 23, "kind", "a text is expected"),
        ('{"to": ["x"], "exercise": "yes"}', 1, 27, "exercise", "true or false"),
        ('{"to_operation": 1}', 1, 18, "to_operation", "a text is expected"),
        ('{"to": ["x"], "under": ["y", 1]}', 1, 30, "under[1]", "a text is expected"),
        (
            '{"to": ["x"], "directly_available": 1}',
            1,
            37,
            "directly_available",
            "true or false",
        ),
        ('{"to": ["x"], "handling": {"speciality": 1}}', 1, 42, "handling.speciality", "a list"),
        ('{"to": ["x"], "handling": {"tpl": ""}}', 1, 28, "handling.tpl", "did you mean 'tlp'?"),
        (
            '{"to": ["x"], "handling": {"retention_days": 0}}',
            1,
            46,
            "handling.retention_days",
            "from 1 to 36500",
        ),
        (
            '{"to": ["x"], "handling": {"retention_days": true}}',
            1,
            46,
            "handling.retention_days",
            "a whole number",
        ),
        ('{"to": ["x"], "records": "a"}', 1, 26, "records", "an object"),
        ('{"to": ["x"], "particulars": 1}', 1, 30, "particulars", "an object, or the name"),
        ('{"to": ["x"], "files": ["a.json"]}', 1, 25, "files[0]", "a job with files is a folder"),
        ('{"to": [' + '"x",' * 64 + '"x"]}', 1, 8, "to", "64 of them at most"),
        ("[" * 200 + "]" * 200, 1, 101, "", "nesting too deep"),
    ],
)
def test_fault_has_its_place(text: str, line: int, column: int, path: str, message: str) -> None:
    """Each fault is told with line, column and member."""
    with pytest.raises(RecordFileError) as raised:
        parse(text)

    found = raised.value.issues[0]
    assert (line, column, path) == (found.line, found.column, found.path)
    assert message in found.message
    assert "a.json" == raised.value.file


def test_all_faults_are_told() -> None:
    """Whoever mends a job mends it once."""
    with pytest.raises(RecordFileError) as raised:
        parse('{"too": [], "kind": 1, "officer": []}')

    assert ["too", "to", "kind", "officer"] == [item.path for item in raised.value.issues]


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "..", ".hidden", "", "a\nb", "a\\b", "x" * 300]
)
def test_files_stay_in_their_folder(name: str) -> None:
    """A name that leads elsewhere is a fault."""
    with pytest.raises(RecordFileError, match="a file in the same folder"):
        parse(json.dumps({"to": TO, "files": [name]}), beside=True)


def test_documented_job_is_one() -> None:
    """The job of the documentation has no fault, and every member there is is explained."""
    text = documents.read("docs/connect.md")

    job = parse_job(documents.fenced(text, "json")[0].encode(), file="a.json", beside=False)

    assert "a.meyer" == job.officer
    assert [] == [name for name in (*MEMBERS, *HANDLING_MEMBERS) if f"`{name}`" not in text]


def test_job_is_utf8() -> None:
    """Bytes that are no text are a fault of the job."""
    with pytest.raises(RecordFileError, match="not UTF-8"):
        parse_job(b"\xff", file="a.json", beside=False)
