"""Section 9 of docs/protocol.md suffices: who decides by it decides like the library, exactly."""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rogatory.decisions import decide, decision_bytes
from rogatory.exchange.v1 import agreement_pb2, decision_pb2, envelope_pb2
from tests.contract import second_decider, second_search
from tests.property import strategies as s


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(s.agreements(), s.headers(), s.contexts(), st.integers(0, 19))
def test_document_and_library_agree(
    agreement: agreement_pb2.Agreement,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext,
    chance: int,
) -> None:
    """The decision written from the document equals the library's, remedy included."""
    in_force = agreement if chance else None
    compiled = s.compiled(agreement) if chance else None
    for index in range(len(header.recipients)):
        expected = second_search.decide(in_force, second_decider.read(header, index, context))

        decision = decide(agreement=compiled, header=header, recipient_index=index, context=context)

        event(decision_pb2.Ground.Name(decision.ground))
        event(f"remedy of {len(decision.remedy.changes)}")
        assert str(expected) == str(decision)
        assert decision_bytes(expected) == decision_bytes(decision)
