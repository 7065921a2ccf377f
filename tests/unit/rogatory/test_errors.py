"""Errors say what is wrong and what to do next, and survive a process boundary."""

from __future__ import annotations

import inspect
import pickle

import pytest

from rogatory import errors
from rogatory.errors import (
    CALL_ERRORS,
    AgreementError,
    CallError,
    EnvelopeError,
    Issue,
    RecordFileError,
    Refused,
    RogatoryError,
    Violation,
)

TREE = [
    item
    for _, item in inspect.getmembers(errors, inspect.isclass)
    if issubclass(item, RogatoryError)
]


def test_text_joins_what_is_wrong_and_what_to_do() -> None:
    """The text of an error is one sentence on the fault and one on the remedy."""
    error = RogatoryError("The key file k.pem is open to others.", hint="Run: chmod 600 k.pem")

    assert str(error) == "The key file k.pem is open to others. Run: chmod 600 k.pem"


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_docstring_of_the_module_shows_every_class(kind: type[RogatoryError]) -> None:
    """The tree at the top of the file is complete."""
    assert f" {kind.__name__} " in (errors.__doc__ or "").replace("\n", " ")


def test_error_survives_pickling_with_its_details() -> None:
    """A worker process can raise an error to its parent."""
    error = EnvelopeError(
        "Two fields are wrong",
        hint="Correct them.",
        reason="FIELD_VIOLATION",
        violations=[Violation(path="parts[0].size", rule="uint64.gt", message="must be above 0")],
    )

    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the line above

    assert (str(error), error.__dict__) == (str(copied), copied.__dict__)
    assert type(copied) is EnvelopeError


def test_status_codes_map_to_call_errors() -> None:
    """Each status code has a class that can be raised with the common details."""
    raised = {
        code: kind("The call failed", hint="Try again.", code=code)
        for code, kind in CALL_ERRORS.items()
    }

    assert all(isinstance(error, CallError) for error in raised.values())
    assert list(raised) == [error.code for error in raised.values()]


@pytest.mark.parametrize(
    ("envelopes", "one"), [((), b""), ((b"a",), b"a"), ((b"a", b"b"), b"")], ids=len
)
def test_call_error_holds_what_was_submitted(envelopes: tuple[bytes, ...], one: bytes) -> None:
    """One envelope is at hand by itself; of several, none is the one."""
    error = CallError("Late", hint="Submit it.", code="DEADLINE_EXCEEDED", envelopes=envelopes)

    assert (envelopes, one) == (error.envelopes, error.envelope)


def test_issue_and_violation_point_at_the_place() -> None:
    """A person who wrote the text finds the line."""
    issue = Issue(message="unknown kind 'TRANFER'", path="clauses[1].kinds", line=12, column=9)
    violation = Violation(path="parts[0]", rule="required", message="a part is missing")

    assert str(issue) == "line 12, column 9: clauses[1].kinds: unknown kind 'TRANFER'"
    assert str(violation) == "parts[0]: a part is missing"


def test_text_errors_carry_their_issues() -> None:
    """Every fault of a text is there, not the first alone."""
    issues = [Issue(message="missing", path="parties"), Issue(message="unknown", path="clauses")]

    agreement = AgreementError("Two faults", hint="Correct them.", issues=issues)
    record = RecordFileError("Two faults", hint="Correct them.", file="s.json", issues=issues)

    assert tuple(issues) == agreement.issues == record.issues
    assert record.file == "s.json"
    assert ["parties: missing", "clauses: unknown"] == [str(issue) for issue in issues]


def test_refusal_is_an_answer_with_its_outcomes() -> None:
    """A refusal is not a failed call: its status is OK, and it keeps what was decided."""
    refused = Refused(
        "Nobody may receive it",
        hint="Leave out biometrics.",
        reason="NOT_PERMITTED",
        message_id="0190",
        outcomes=["outcome"],
        receipt="receipt",
    )

    assert isinstance(refused, CallError)
    found = (refused.code, refused.reason, refused.outcomes, refused.receipt, refused.message_id)
    assert ("OK", "NOT_PERMITTED", ("outcome",), "receipt", "0190") == found
    assert (refused.retry_after, refused.violations, refused.metadata) == (None, (), {})
