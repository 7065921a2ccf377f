"""A header in words: whatever it says is shown to who signs it."""

from __future__ import annotations

from google.protobuf import json_format

from rogatory.cli.headerwords import header_lines
from rogatory.exchange.v1 import envelope_pb2

REFERENCE = {"sender": "de.bka", "message_id": "01a20232-142b-76cd-8a39-1a0990e0954a"}
FULL = {
    "schema_version": 1,
    "message_id": "01a20232-142b-76cd-8a39-1a0990e0954b",
    "sender": "fr.police",
    "recipients": [
        {"agency": "de.bka", "agreement_id": "x", "article": "Art. 4(2)"},
        {"agency": "nl.politie", "agreement_id": "y", "article": "Art. 1"},
    ],
    "audience": "gateway.test/exchange",
    "create_time": "2026-11-22T07:00:00Z",
    "expire_time": "2026-11-29T07:00:00Z",
    "in_reply_to": REFERENCE,
    "thread": "01a20232-142b-76cd-8a39-1a0990e0954a",
    "kind": "KIND_CONSENT",
    "purpose": "PURPOSE_INVESTIGATION",
    "offences": ["0701", "0903"],
    "urgency": "URGENCY_URGENT",
    "handling": {
        "tlp": "TLP_AMBER_STRICT",
        "siena_codes": ["SIENA_CODE_H1"],
        "grading": {"source": "SOURCE_GRADE_A"},
        "onward_transfer": "ONWARD_TRANSFER_NEVER",
        "evidential_use": "EVIDENTIAL_USE_WITH_CONSENT",
        "speciality_offences": ["0701"],
        "retention_end_time": "2027-11-22T07:00:00Z",
    },
    "exercise": True,
    "forwards": [REFERENCE],
    "consents": [REFERENCE],
    "operation": REFERENCE,
    "subject": {"message": REFERENCE, "withdrawal": True},
}


def test_every_field_is_said() -> None:
    """Codes as words, references as SENDER/MESSAGE_ID, the kind's particulars as they are."""
    header = json_format.ParseDict(FULL, envelope_pb2.Header())

    lines = header_lines(header)

    earlier = "de.bka/01a20232-142b-76cd-8a39-1a0990e0954a"
    assert [
        "EXERCISE: training traffic",
        "message: fr.police/01a20232-142b-76cd-8a39-1a0990e0954b",
        "kind: consent",
        "to: de.bka under x Art. 4(2)",
        "to: nl.politie under y Art. 1",
        "at: gateway.test/exchange",
        "created: 2026-11-22T07:00:00.000Z, to be admitted until 2026-11-29T07:00:00.000Z",
        "purpose: investigation",
        "offences: 0701, 0903",
        "urgency: urgent",
        "handling: TLP AMBER+STRICT, SIENA H1, onward transfer never, as evidence with consent",
    ] == lines[:11]
    assert [
        "usable only for: 0701",
        "to be erased by: 2027-11-22T07:00:00.000Z",
        f"in reply to: {earlier}",
        "thread: 01a20232-142b-76cd-8a39-1a0990e0954a",
        f"passes on: {earlier}",
        f"relies on the consent: {earlier}",
        f"operation: {earlier}",
    ] == lines[12:19]
    assert lines[11].startswith("grading: {")
    assert lines[19].startswith("subject: {")
    assert '"withdrawal": true' in lines[19]


def test_no_field_of_the_header_is_left_out() -> None:
    """A field that the contract gains must be shown too, before anybody signs it."""
    said = {field.name for field in envelope_pb2.Header.DESCRIPTOR.fields}
    particulars = {"request", "update", "subject", "custody", "operation_step", "alert"}

    assert said == {*FULL} | particulars | {"signed_by", "parts"}
