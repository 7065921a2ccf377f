"""The catalogue: every reason has a status, and every status fits the wire."""

from __future__ import annotations

import ast
from pathlib import Path

import grpc
import pytest

from rogatory.errors import EnvelopeError, Violation
from rogatory.exchange.v1 import errors_pb2
from rogatory_gateway import errors
from tests.support.wire import fault_of

ROOT = Path(__file__).resolve().parents[3]
REASONS = [
    name.removeprefix("ERROR_REASON_") for name, number in errors_pb2.ErrorReason.items() if number
]


def _documented() -> dict[str, str]:
    """Return the status that the proto's comment names for each reason."""
    text = (ROOT / "protos/rogatory/exchange/v1/errors.proto").read_text()
    found, code = {}, ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("// ") and ": " in stripped:
            code = stripped[3:].partition(":")[0]
        elif stripped.startswith("ERROR_REASON_"):
            found[stripped.partition(" ")[0].removeprefix("ERROR_REASON_")] = code
    return found


@pytest.mark.parametrize("reason", REASONS)
def test_status_is_the_one_that_the_proto_names(reason: str) -> None:
    """Code and contract agree for every reason."""
    error = EnvelopeError("wrong", hint="Mend it.", reason=reason)

    fault = fault_of(errors.to_status(error))

    assert _documented()[reason] == fault.code == errors.code_of(reason).name
    assert (1, reason, "rogatory") == (fault.infos, fault.reason, fault.domain)
    assert {
        "next_step": "Mend it.",
        "reason_number": str(errors_pb2.ErrorReason.Value(f"ERROR_REASON_{reason}")),
    } == fault.metadata


def test_only_what_passes_by_itself_is_retried() -> None:
    """RetryInfo stands where the same call may succeed later, and nowhere else."""
    retried = {
        reason
        for reason in REASONS
        if fault_of(
            errors.to_status(EnvelopeError("wrong", hint="Wait.", reason=reason))
        ).retry_after
    }

    assert {"TOO_MANY_IN_FLIGHT", "LEDGER_UNAVAILABLE", "SHUTTING_DOWN"} == retried


def test_reasons_in_the_code_are_in_the_contract() -> None:
    """No module makes up a reason of its own."""
    used = set()
    for package in ("clients/python/rogatory", "gateway/rogatory_gateway"):
        for file in (ROOT / package).rglob("*.py"):
            if file.name.endswith(("_pb2.py", "_pb2_grpc.py")):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if (
                    isinstance(node, ast.keyword)
                    and node.arg == "reason"
                    and isinstance(node.value, ast.Constant)
                    and isinstance(node.value.value, str)
                    and node.value.value.isupper()
                ):
                    used.add(node.value.value)

    # Faults of a draft are told where it lies; none is ever a status.
    told = {reason for reason in used if not reason.startswith("DRAFT")}
    assert told
    assert set() == told - {*REASONS}


def test_violations_are_cut_to_what_a_trailer_holds() -> None:
    """As many violations as fit are told, the first ones, and the status stays below its limit."""
    violations = [
        Violation(
            path=f"parts[{n}].content.persons[{n}].names[0]",
            rule="string.min_len",
            message="x" * 50,
        )
        for n in range(100)
    ]
    error = EnvelopeError(
        "wrong", hint="Mend it.", reason="FIELD_VIOLATIONS", violations=violations
    )

    status = errors.to_status(error)

    fault = fault_of(status)
    assert status.ByteSize() <= errors.STATUS_BYTES
    told = len(fault.violations)
    assert 20 < told < 100
    assert [(item.path, item.rule) for item in violations[:told]] == [*fault.violations]


def test_one_text_for_denied_and_absent() -> None:
    """The answer does not tell what was asked for, or whether it is there."""
    assert errors.to_status(errors.denied_or_absent()) == errors.to_status(
        errors.denied_or_absent()
    )
    assert grpc.StatusCode.NOT_FOUND == errors.code_of("DENIED_OR_ABSENT")
