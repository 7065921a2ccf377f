"""Documents that agencies submit: which one document a message holds, if any."""

from __future__ import annotations

import time

import pytest
from google.protobuf.message import Message

from rogatory.envelopes import open_envelope
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, key_statement_pb2
from rogatory.records.v1 import common_pb2, context_pb2
from rogatory_gateway import pki
from rogatory_gateway.ledger.governing import submitted_document
from rogatory_gateway.ledger.registry import Registry
from tests.support import records
from tests.support.world import Agency, envelope, header

NOW = time.time_ns()
SPKI = pki.public_bytes(pki.make_key().public_key())
CONTEXT = context_pb2.Context(officer=common_pb2.Official(name="Officer A", agency="nl.police"))


@pytest.fixture
def nl() -> Agency:
    """An agency that is not enrolled yet."""
    return Agency(agency_id="nl.police")


def submitted(agency: Agency, *contents: Message, exercise: bool = False) -> bytes:
    """Return a message of kind GOVERNANCE."""
    head: envelope_pb2.Header = header(
        agency.agency_id,
        ("ro.police", "base", "Base Art. 1"),
        kind=codes_pb2.KIND_GOVERNANCE,
        purpose=codes_pb2.PURPOSE_ADMINISTRATION,
        offences=(),
    )
    head.exercise = exercise
    return envelope(agency, head, *contents)


def test_the_document_is_found_beside_its_context(nl: Agency) -> None:
    """A part that only says who sends and why is no second document."""
    statement = nl.statement(spki=SPKI, now=NOW)
    opened = open_envelope(submitted(nl, CONTEXT, statement))

    document = submitted_document(opened, registry=Registry(), entry_time=NOW)

    assert statement == document.key_statement


@pytest.mark.parametrize("case", ["training", "none", "two", "of another kind"])
def test_what_is_not_one_document_is_refused(nl: Agency, case: str) -> None:
    """GOVERNANCE_INVALID, and the text says in which way."""
    statement = nl.statement(spki=SPKI, now=NOW)
    contents: dict[str, tuple[list[Message], str]] = {
        "training": ([statement], "an exercise changes nothing"),
        "none": ([CONTEXT], "exactly one document"),
        "two": ([statement, statement], "exactly one document"),
        "of another kind": ([records.indicators()], "neither an agreement"),
    }
    parts, text = contents[case]
    data = submitted(nl, *parts, exercise=case == "training")
    opened = open_envelope(data)

    with pytest.raises(EnvelopeError) as refused:
        submitted_document(opened, registry=Registry(), entry_time=NOW)

    assert ("GOVERNANCE_INVALID", True) == (refused.value.reason, text in refused.value.message)


def test_the_registrys_own_words_are_passed_on(nl: Agency) -> None:
    """Whoever submits learns what does not follow, and what to do."""
    statement = key_statement_pb2.SignedKeyStatement.FromString(
        nl.statement(spki=SPKI, now=NOW).SerializeToString()
    )
    statement.signature.value = bytes(64)
    opened = open_envelope(submitted(nl, statement))

    with pytest.raises(EnvelopeError, match=r"can't be taken into force: .*signature"):
        submitted_document(opened, registry=Registry(), entry_time=NOW)
