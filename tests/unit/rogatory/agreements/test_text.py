"""The readable form of an agreement: what it reads, and how it reports what it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.agreements import read_agreement, read_agreement_file
from rogatory.assistance.v1 import deadline_pb2
from rogatory.errors import AgreementError, Issue
from rogatory.exchange.v1 import agreement_pb2, codes_pb2
from rogatory.records.v1 import common_pb2

TEXT = """\
agreement_id: pair-2026
version: 2
title: Agreement of two
parties:
  - agency: aa.alpha
    root: ed25519:NGhBiVM20xfbjcmaDbKc3F3qXpR5nK0yJntvrIQsq0Y=
  - {agency: bb.beta}
valid_from_time: 2026-12-01
valid_until_time: 2027-12-01T08:00:00+08:00
unpermitted_parts: withhold
offences:
  - {agency: aa.alpha, iccs: 0701, statute: Penal Code s. 1, maximum_penalty_months: 5 years}
  - {agency: bb.beta, iccs: 0701}
clauses:
  - clause_id: suspects
    article: Art. 4(2)
    text: >-
      Suspects may be
      sent.
    effect: permit
    scope:
      kinds: [transfer, request]
      field_groups: [identity]
      offences: [0701, "0702"]
      tlp: [amber_strict]
    conditions:
      dual_criminality: true
      retention_at_most_days: 3 weeks
      quota: {unit: records, limit: 10, period_days: 1}
      deadlines:
        - {urgency: urgent, within: 8 hours}
        - {urgency: routine, unit: working_days, amount: 5}
"""


def _issues(text: str) -> list[Issue]:
    with pytest.raises(AgreementError) as caught:
        read_agreement(text)
    return list(caught.value.issues)


def _only(text: str) -> Issue:
    issues = _issues(text)
    assert 1 == len(issues), issues
    return issues[0]


def test_reads_names_codes_dates_keys_and_spans() -> None:
    """Every kind of value arrives in the proto as it was meant."""
    agreement = read_agreement(TEXT)

    clause = agreement.clauses[0]
    assert (1, "pair-2026", 2) == (
        agreement.schema_version,
        agreement.agreement_id,
        agreement.version,
    )
    assert "2026-12-01T00:00:00Z" == agreement.valid_from_time.ToJsonString()
    assert "2027-12-01T00:00:00Z" == agreement.valid_until_time.ToJsonString()
    assert ("Ed25519", 32) == (
        agreement.parties[0].root.algorithm,
        len(agreement.parties[0].root.public_key),
    )
    assert not agreement.parties[1].HasField("root")
    assert ("0701", 60) == (
        agreement.offences[0].iccs,
        agreement.offences[0].maximum_penalty_months,
    )
    assert "Suspects may be sent." == clause.text
    assert [codes_pb2.KIND_TRANSFER, codes_pb2.KIND_REQUEST] == list(clause.scope.kinds)
    assert ["0701", "0702"] == list(clause.scope.offences)
    assert [common_pb2.TLP_AMBER_STRICT] == list(clause.scope.tlp)
    assert 21 == clause.conditions.retention_at_most_days
    assert [
        (8, agreement_pb2.DEADLINE_UNIT_HOURS),
        (5, agreement_pb2.DEADLINE_UNIT_WORKING_DAYS),
    ] == [(row.amount, row.unit) for row in clause.conditions.deadlines]


CLAUSE = "clauses[0]"
SCOPE = f"{CLAUSE}.scope"
WANTS = f"{CLAUSE}.conditions"
LOW_ORDER = "AQ" + "A" * 41 + "="


@pytest.mark.parametrize(
    ("old", "new", "place", "path", "says"),
    [
        ("title:", "titel:", (3, 1), "titel", "did you mean 'title'?"),
        ("[transfer,", "[transfr,", (22, 15), f"{SCOPE}.kinds[0]", "did you mean 'transfer'?"),
        (
            "effect: permit",
            "effect: allow",
            (20, 13),
            "clauses[0].effect",
            "Allowed: permit, require",
        ),
        ("version: 2", "version: two", (2, 10), "version", "expected a whole number"),
        ("version: 2", "version: -2", (2, 10), "version", "expected a whole number"),
        ("version: 2", "version: 4294967296", (2, 10), "version", "too large"),
        ("2026-12-01\n", "1 December\n", (8, 18), "valid_from_time", "expected a date"),
        ("2026-12-01\n", "2026-13-01\n", (8, 18), "valid_from_time", "not a day or time"),
        ("+08:00", "", (9, 19), "valid_until_time", "a time with its zone"),
        ("[identity]", "identity", (23, 21), f"{SCOPE}.field_groups", "expected a list"),
        (
            "criminality: true",
            "criminality: yes",
            (27, 25),
            f"{WANTS}.dual_criminality",
            "expected true or false",
        ),
        (
            "3 weeks",
            "2 years",
            (28, 31),
            f"{WANTS}.retention_at_most_days",
            "a span in days, weeks",
        ),
        (
            "within: 8 hours",
            "within: soon",
            (31, 37),
            f"{WANTS}.deadlines[0].within",
            "5 working days",
        ),
        ("article: Art. 4(2)", "article:", (16, 5), "clauses[0].article", "is empty"),
        ("article: Art. 4(2)", "article: [Art. 4]", (16, 14), "clauses[0].article", "not a list"),
        ("NGhBiVM2", "????", (6, 11), "parties[0].root", "is not a public key"),
        (
            "NGhBiVM20xfbjcmaDbKc3F3qXpR5nK0yJntvrIQsq0Y=",
            LOW_ORDER,
            (6, 11),
            "parties[0].root",
            "not acceptable",
        ),
        ("version: 2", "version: 2\nversion: 3", (3, 1), "version", "stands here twice"),
        (
            "offences:\n  - {",
            "offences:\n  - aa\n  - {",
            (12, 5),
            "offences[0]",
            "expected a mapping",
        ),
    ],
)
def test_faults_of_form(old: str, new: str, place: tuple[int, int], path: str, says: str) -> None:
    """A value that cannot be read is reported with its place, and with what is allowed there."""
    issue = _only(TEXT.replace(old, new, 1))

    assert (*place, path) == (issue.line, issue.column, issue.path)
    assert says in issue.message


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "says"),
    [
        ("{agency: bb.beta}", "{agency: aa.alpha}", 7, "parties[1].agency", "another party"),
        ("2027-12-01T", "2026-11-30T", 9, "valid_until_time", "later than valid_from_time"),
        ("agreement_id: pair-2026", "agreement_id: Pair 2026", 1, "agreement_id", "pattern"),
        ("agreement_id: pair-2026", "agreement_id: base", 1, "agreement_id", "reserved"),
        (
            "agency: bb.beta, iccs",
            "agency: cc.gamma, iccs",
            13,
            "offences[1].agency",
            "is no party",
        ),
        ("effect: permit", "effect: refuse", 27, WANTS, "has no conditions"),
        (
            "effect: permit",
            "effect: permit\n    reach: part",
            21,
            "clauses[0].reach",
            "has a reach",
        ),
        (
            "kinds: [",
            "senders: [zz.zeta]\n      kinds: [",
            22,
            f"{SCOPE}.senders[0]",
            "is no party",
        ),
        ("[transfer, request]", "[transfer]", 31, f"{WANTS}.deadlines", "for requests"),
        ("routine, unit", "urgent, unit", 32, f"{WANTS}.deadlines[1]", "already"),
        (
            "routine, unit",
            "urgent, kind: answer, unit",
            32,
            f"{WANTS}.deadlines[1]",
            "already",
        ),
        (
            "routine, unit",
            "routine, kind: answer_urgent_direct, unit",
            32,
            f"{WANTS}.deadlines[1].kind",
            "not be in",
        ),
        ("limit: 10,", "limit: 0,", 29, f"{WANTS}.quota.limit", "greater than or equal"),
        ("limit: 10,", "limit: 9999999999,", 29, f"{WANTS}.quota.limit", "at most"),
        (
            "dual_criminality: true",
            "minimum_penalty_months: 6 years",
            27,
            f"{WANTS}.minimum_penalty_months",
            "can never be met",
        ),
        ("title: Agreement of two", 'title: "Agree\\u202Ement"', 3, "title", "U+202E"),
        ("title: Agreement of two", 'title: "Agreement\\nof two"', 3, "title", "one line"),
    ],
)
def test_faults_of_sense(old: str, new: str, line: int, path: str, says: str) -> None:
    """A text that can be read and says something impossible is reported with its line as well."""
    issues = {issue.path: issue for issue in _issues(TEXT.replace(old, new, 1))}

    assert line == issues[path].line
    assert says in issues[path].message


@pytest.mark.parametrize(
    "kind", [deadline_pb2.DEADLINE_KIND_DECISION, deadline_pb2.DEADLINE_KIND_EXECUTION]
)
def test_deadlines_of_several_kinds(kind: deadline_pb2.DeadlineKind.ValueType) -> None:
    """Beside the time to answer, a clause may say how long a decision or execution may take."""
    word = deadline_pb2.DeadlineKind.Name(kind).removeprefix("DEADLINE_KIND_").lower()
    row = f"        - {{urgency: urgent, kind: {word}, within: 30 days}}\n"

    deadlines = read_agreement(TEXT + row).clauses[0].conditions.deadlines

    assert [0, 0, kind] == [deadline.kind for deadline in deadlines]


def test_a_requirement_has_something_to_be_met() -> None:
    """A deadline that no rule looks at is no demand."""
    clause = (
        "  - {clause_id: orders, article: Art. 5, effect: require, conditions:"
        " {deadlines: [{urgency: routine, kind: decision, within: 30 days}]}}\n"
    )

    issue = _only(TEXT + clause)

    assert "clauses[1].conditions" == issue.path
    assert "must say what" in issue.message


def test_every_fault_is_reported_in_the_order_of_the_text() -> None:
    """One reading finds all faults, so that a text is mended in one go."""
    text = TEXT.replace("title:", "titel:").replace("[transfer,", "[transfr,")

    issues = _issues(text)

    assert ["titel", "title", f"{SCOPE}.kinds[0]"] != [i.path for i in issues]
    assert sorted(issue.line for issue in issues) == [issue.line for issue in issues]
    assert {"titel", f"{SCOPE}.kinds[0]"} <= {issue.path for issue in issues}


def test_ids_and_articles_are_unique() -> None:
    """Two clauses of one id, or of one article, could not be told apart in a decision."""
    extra = "  - {clause_id: suspects, article: Art. 4(2), effect: permit}\n"

    paths = [issue.path for issue in _issues(TEXT + extra)]

    assert ["clauses[1].clause_id", "clauses[1].article"] == paths


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1, 2", "line 1, column 9: is not YAML"),
        ("a: &x 1\nb: *x", "line 1, column 4: uses an anchor"),
        ("a: !!python/object:os.system 1", "uses the tag"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("", "is empty"),
        ("a: " + "[" * 40 + "]" * 40, "nested more than"),
        ("x" * (1024 * 1024 + 1), "larger than"),
        ("a: \x00", "is not YAML"),
        ("- a\n- b", "expected a mapping"),
    ],
)
def test_hostile_yaml(text: str, says: str) -> None:
    """Tricks of YAML are refused before anything is made of them."""
    with pytest.raises(AgreementError) as caught:
        read_agreement(text, file="hostile.yaml")

    assert says in str(caught.value)
    assert str(caught.value).startswith("hostile.yaml ")


def test_file_errors_name_the_file(tmp_path: Path) -> None:
    """A file that is absent, or not UTF-8, is named."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"title: \xff")
    good = tmp_path / "good.yaml"
    good.write_text(TEXT)

    for path, says in ((tmp_path / "absent.yaml", "No such file"), (binary, "UTF-8 at byte 7")):
        with pytest.raises(AgreementError, match=says) as caught:
            read_agreement_file(path)
        assert str(path) in str(caught.value)
    assert read_agreement(TEXT) == read_agreement_file(good)
