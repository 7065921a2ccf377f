"""The base agreement: what goes before the first agreement, and that it is no way round one."""

from __future__ import annotations

import pytest

from rogatory.agreements.base import base_agreement
from rogatory.decisions import decide
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from tests.unit.rogatory.decisions import samples as s

PERMITTED = decision_pb2.DISPOSITION_PERMITTED


def _decide(
    header: envelope_pb2.Header, context: decision_pb2.DecisionContext
) -> decision_pb2.Decision:
    return decide(agreement=base_agreement(), header=header, recipient_index=0, context=context)


BASE_KINDS = {
    codes_pb2.KIND_GOVERNANCE: {
        codes_pb2.PART_CATEGORY_AGREEMENT,
        codes_pb2.PART_CATEGORY_KEY_STATEMENT,
    },
    codes_pb2.KIND_CUSTODY: {codes_pb2.PART_CATEGORY_CUSTODY},
}
RECORDS = set(range(codes_pb2.PART_CATEGORY_PERSON, codes_pb2.PART_CATEGORY_FORWARDED + 1)) - {
    codes_pb2.PART_CATEGORY_ACKNOWLEDGEMENT,
    codes_pb2.PART_CATEGORY_CUSTODY,
    codes_pb2.PART_CATEGORY_CORRECTION,
}
ABOUT = {codes_pb2.KIND_RECEIPT, codes_pb2.KIND_RECALL, codes_pb2.KIND_CORRECTION}


@pytest.mark.parametrize("kind", sorted(set(codes_pb2.Kind.values()) - {0}))
def test_the_base_agreement_carries_no_records(kind: codes_pb2.Kind.ValueType) -> None:
    """Under it go governance, custody, and what is about a message held; never a record."""
    context = s.context(reference=decision_pb2.REFERENCE_STANDING_RECEIVED_FROM_RECIPIENT)
    for category in sorted(set(codes_pb2.PartCategory.values()) - {0, s.CONTEXT}):
        permitted = any(
            _decide(
                s.header(
                    s.part(category),
                    kind=kind,
                    article=f"Base Art. {number}",
                    agreement_id="base",
                    recipients=["zz.zeta"],
                ),
                context,
            ).disposition
            == PERMITTED
            for number in range(1, 8)
        )
        expected = category in BASE_KINDS.get(kind, set()) or (
            kind in ABOUT and category not in RECORDS
        )

        assert expected == permitted, codes_pb2.PartCategory.Name(category)


@pytest.mark.parametrize(
    ("kind", "standing", "clause_id"),
    [
        ("RECEIPT", "RECEIVED_FROM_RECIPIENT", "receipt"),
        ("RECEIPT", "SENT_TO_RECIPIENT", ""),
        ("RECALL", "SENT_TO_RECIPIENT", "recall"),
        ("RECALL", "RECEIVED_FROM_RECIPIENT", "recall-confirmation"),
        ("CORRECTION", "SENT_TO_RECIPIENT", "correction"),
        ("CORRECTION", "RECEIVED_FROM_RECIPIENT", "correction-confirmation"),
        ("RECALL", "UNSPECIFIED", ""),
    ],
)
def test_base_references(kind: str, standing: str, clause_id: str) -> None:
    """Acknowledged is what was received; recalled and corrected is what was sent."""
    article = {"RECEIPT": "Base Art. 2", "RECALL": "Base Art. 3", "CORRECTION": "Base Art. 4"}
    header = s.header(
        kind=codes_pb2.Kind.Value(f"KIND_{kind}"), article=article[kind], agreement_id="base"
    )
    reference = decision_pb2.ReferenceStanding.Value(f"REFERENCE_STANDING_{standing}")

    decision = _decide(header, s.context(reference=reference))

    if clause_id:
        assert (PERMITTED, clause_id) == (decision.disposition, decision.clause_id)
    else:
        assert decision_pb2.GROUND_REFERENCE_NOT_HELD == decision.ground
        assert not decision.HasField("remedy")
