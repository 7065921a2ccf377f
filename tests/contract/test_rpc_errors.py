"""The comments of the services name every error that a call can end with, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rogatory.exchange.v1 import errors_pb2
from tests.security import bad_messages, bad_particulars
from tests.support import documents

PROTOS = documents.ROOT / "protos" / "rogatory"
LIBRARY = documents.ROOT / "clients" / "python" / "rogatory"
GATEWAY = documents.ROOT / "gateway" / "rogatory_gateway"
REASONS = {name.removeprefix("ERROR_REASON_") for name, _ in errors_pb2.ErrorReason.items()}
NEVER_SENT = {"UNSPECIFIED", "ERASED"}
"""Reasons that no call ends with: the one that is none, and one for what nothing does yet."""

_SERVICE = re.compile(r"((?:^// .*\n)+)service (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_RPC = re.compile(r"((?:^  // .*\n)+)  rpc (\w+)\(", re.MULTILINE)
_NAME = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\b(?:MALFORMED|EXPIRED|CONFLICT|INTERNAL)\b")


def _comments() -> Iterator[tuple[str, str, str]]:
    """Return (service, RPC, comment); of a service's own comment the RPC is empty."""
    for path in sorted(PROTOS.rglob("*_service.proto")):
        for comment, service, body in _SERVICE.findall(path.read_text(encoding="utf-8")):
            yield service, "", comment
            for words, rpc in _RPC.findall(body):
                yield service, rpc, words


NAMED = {(service, rpc): set(_NAME.findall(comment)) for service, rpc, comment in _comments()}
"""Reasons by service and RPC, as the comments name them."""


def _raised(folder: Path, *without: str) -> set[str]:
    """Return the reasons that code gives errors, or returns for others to give."""
    found: set[object] = set()
    for path in folder.rglob("*.py"):
        if path.relative_to(folder).parts[0] in without:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reason":
                found |= {n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)}
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
                found.add(node.value.value)
    return {reason for reason in found if isinstance(reason, str)} & REASONS


def test_every_service_and_call_has_its_errors() -> None:
    """No comment escaped the pattern that reads them, and every call says what it ends with."""
    calls = {rpc for _, rpc in NAMED if rpc}

    assert 5 == sum(1 for _, rpc in NAMED if not rpc)
    assert 20 == len(calls)
    assert set() == {of for of, names in NAMED.items() if not names}


def test_comments_name_errors_that_there_are() -> None:
    """Nobody programs against a reason that the enum does not have."""
    assert set() == set[str]().union(*NAMED.values()) - REASONS


def test_services_have_the_same_errors_in_common() -> None:
    """What any call can end with stands once at each service, and not again at its calls."""
    common = {frozenset(names) for (_, rpc), names in NAMED.items() if not rpc}

    assert 1 == len(common)
    (shared,) = common
    assert set() == shared & set[str]().union(*(names for (_, rpc), names in NAMED.items() if rpc))


def test_comments_name_every_error_that_is_raised() -> None:
    """What library and gateway give as a reason is in some comment, and nothing else is."""
    raised = _raised(LIBRARY, "client", "cli") | _raised(GATEWAY, "demo", "cli", "operator")

    named = set[str]().union(*NAMED.values())

    assert raised - NEVER_SENT == named
    assert REASONS - NEVER_SENT == named


@pytest.mark.parametrize(
    "case",
    [*bad_messages.CASES, *bad_particulars.CASES],
    ids=lambda case: case.name.replace(" ", "-"),
)
def test_bad_messages_end_as_submit_says(case: bad_messages.Case) -> None:
    """Each message that is turned away over the wire gets one of the reasons that Submit lists."""
    assert case.reason in NAMED["ExchangeService", ""] | NAMED["ExchangeService", "Submit"]
