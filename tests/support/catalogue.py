"""One realistic, synthetic content of every type that travels in a part, as files hold it.

References written as ``{}`` stand for the earlier message that a test says it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf.message import Message

from rogatory.recordfiles import parse_json
from rogatory.records.v1 import common_pb2
from rogatory.references import completer
from tests.support.records import record_id

SUSPECT, MULE, PHONE = record_id("suspect"), record_id("mule"), record_id("phone")
GROUP, COMPOUND, ACCOUNT = record_id("group"), record_id("compound"), record_id("account")
DOMAIN, ALERT = record_id("domain"), record_id("alert")

TIME, LATER = "2026-11-22T07:39:26Z", "2027-05-22T00:00:00Z"
GRADED = {"source": "SOURCE_GRADE_B", "information": "INFORMATION_GRADE_2"}
OFFICIAL = {"name": "A. Officer", "unit": "Cybercrime 3", "agency": "de.bka"}
AUTHORITY = {"name": "Public prosecutor's office", "file_reference": "12 Js 345/26"}
FRAUD = {"iccs_code": "0701", "statute": "§ 263a StGB", "country": "DE"}
INSTRUMENT = {"name": "Directive (EU) 2023/977", "article": "Art. 4"}
EARLIER: dict[str, Any] = {"message": {}, "record_id": DOMAIN}
INDICATOR = {
    "record_id": DOMAIN,
    "type": "INDICATOR_TYPE_DOMAIN",
    "value": "login-bank.example",
    "role": "INDICATOR_ROLE_PHISHING",
    "status": "INDICATOR_STATUS_CONFIRMED",
    "first_seen_time": TIME,
    "confidence": 90,
    "sightings": [],
}
PERSONS = [
    {
        "record_id": SUSPECT,
        "category": "DATA_SUBJECT_CATEGORY_SUSPECT",
        "names": [
            {
                "kind": "PERSON_NAME_KIND_FULL",
                "texts": [
                    {"text": "张三", "script": "Hans", "language": "zh"},
                    {"text": "Zhāng Sān", "script": "Latn", "language": "zh"},
                ],
            },
            {"kind": "PERSON_NAME_KIND_NICKNAME", "texts": [{"text": "Old Three"}]},
        ],
        "birth_date": {"value": "1985-03", "circa": True},
        "nationalities": ["CN"],
        "sex": "SEX_MALE",
        "documents": [
            {"kind": "DOCUMENT_KIND_PASSPORT", "number": "X0000000", "issuing_country": "CN"}
        ],
        "contacts": [{"phone": "+491555000001"}, {"email": "three@mail.example"}],
        "warnings": [{"kind": "WARNING_KIND_ESCAPE_RISK"}],
        "grading": GRADED,
    },
    {
        "record_id": MULE,
        "category": "DATA_SUBJECT_CATEGORY_CONVICTED",
        "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "Erika Mustermann"}]}],
    },
]

CONTENTS: Mapping[str, Any] = MappingProxyType(
    {
        "persons": PERSONS,
        "evidence_items": [
            {
                "record_id": PHONE,
                "item_number": "2026/17-3",
                "kind": "EVIDENCE_KIND_MOBILE_EXTRACTION",
                "description": "Image of the phone found on the desk.",
                "quantity": 1,
                "seized_from": {"record_id": SUSPECT},
                "seizure_time": TIME,
                "seizure_place": {
                    "lines": ["Beispielweg 1"],
                    "locality": "Berlin",
                    "country": "DE",
                },
                "collector": OFFICIAL,
                "legal_basis": "§ 94 StPO",
                "seal_numbers": ["S-4711"],
                "digital": {
                    "size_bytes": "64000000000",
                    "digests": {"sha256": "E" * 43 + "="},
                    "media_type": "application/octet-stream",
                    "file_name": "phone.img",
                    "method": "ACQUISITION_METHOD_PHYSICAL",
                    "write_blocked": True,
                },
            }
        ],
        "indicators": [
            INDICATOR,
            {
                "record_id": record_id("server"),
                "type": "INDICATOR_TYPE_IPV6",
                "value": "2001:db8::17",
                "role": "INDICATOR_ROLE_COMMAND_AND_CONTROL",
                "status": "INDICATOR_STATUS_REPORTED",
                "autonomous_system": 64500,
            },
        ],
        "organisations": [
            {
                "record_id": GROUP,
                "kind": "ORGANISATION_KIND_FRONT_COMPANY",
                "names": [{"text": "Beispiel Handels GmbH", "script": "Latn", "language": "de"}],
                "role": "ORGANISATION_ROLE_LAUNDERER",
                "registrations": [{"register": "HRB", "number": "00000", "country": "DE"}],
                "founded": {"value": "2024"},
                "grading": GRADED,
            }
        ],
        "places": [
            {
                "record_id": COMPOUND,
                "kind": "PLACE_KIND_COMPOUND",
                "names": [{"text": "บ้านตัวอย่าง", "script": "Thai", "language": "th"}],
                "address": {"locality": "Tuayang", "country": "TH"},
                "coordinates": {"latitude": 13.5, "longitude": 100.25, "uncertainty_metres": 500},
                "used_from": {"value": "2025-06"},
            }
        ],
        "accounts": [
            {
                "record_id": ACCOUNT,
                "kind": "ACCOUNT_KIND_BANK",
                "iban": "DE00000000000000000000",
                "provider": "Beispielbank",
                "country": "DE",
                "holder_names": [{"text": "Erika Mustermann"}],
                "state": "ACCOUNT_STATE_FROZEN",
                "state_time": TIME,
                "balance": {"value": "18250.40", "currency": "EUR"},
            },
            {
                "record_id": record_id("wallet"),
                "kind": "ACCOUNT_KIND_WALLET",
                "crypto_address": {"network": "bitcoin", "address": "bc1qexample"},
            },
        ],
        "links": [
            {
                "record_id": record_id("link"),
                "from_record": {"record_id": SUSPECT},
                "to_record": EARLIER,
                "role": "LINK_ROLE_CONTROLS",
                "start": {"value": "2026-01"},
                "grading": GRADED,
                "evidence": [{"record_id": PHONE}],
            }
        ],
        "victim_notices": [
            {
                "reference": f"V-2026-{number:04}",
                "country": "FR",
                "channel": "VICTIM_CHANNEL_EMAIL",
                "address": f"victim-{number}@mail.example",
                "exposures": ["EXPOSURE_CREDENTIALS", "EXPOSURE_PAYMENT_CARDS"],
                "service": "webmail",
                "exposure_time": TIME,
                "advice": "ADVICE_CODE_CHANGE_PASSWORDS",
                "language": "fr",
            }
            for number in range(40)
        ],
        "assistance_request": {
            "record_id": record_id("request"),
            "kind": "ASSISTANCE_KIND_PRESERVATION",
            "issuing_country": "DE",
            "executing_country": "FR",
            "urgency": {"reasons": ["URGENCY_REASON_EVIDENCE_AT_RISK"], "needed_by_time": LATER},
            "measures": [
                {
                    "measure_id": "m1",
                    "kind": "ASSISTANCE_KIND_PRESERVATION",
                    "description": "Keep the server's logs of the last 30 days.",
                    "subjects": [EARLIER],
                }
            ],
            "proceedings": "PROCEEDINGS_TYPE_CRIMINAL",
            "facts": "The server collected credentials of some 40 persons.",
            "offences": [FRAUD],
            "issuing_authority": AUTHORITY,
            "instruments": [INSTRUMENT],
            "language": "en",
        },
        "answer": {
            "request": {},
            "step": "REQUEST_STEP_EXECUTE_PARTLY",
            "measure_answers": [
                {
                    "measure_id": "m1",
                    "outcome": "MEASURE_OUTCOME_PARTLY_EXECUTED",
                    "execution_time": TIME,
                    "text": "Logs of 20 days are kept; older ones were gone.",
                }
            ],
            "executing_authority": AUTHORITY,
        },
        "complaint": {
            "message": {},
            "reason": "COMPLAINT_REASON_MISDIRECTED",
            "explanation": "The case is another unit's.",
            "found_time": TIME,
            "official": OFFICIAL,
        },
        "custody_event": {
            "record_id": record_id("custody"),
            "item": {"message": {}, "record_id": PHONE},
            "action": "CUSTODY_ACTION_TRANSFERRED",
            "event_time": TIME,
            "previous_event": {},
            "releasing_official": OFFICIAL,
            "receiving_official": {"name": "B. Officier", "agency": "fr.pj"},
            "seal_numbers": ["S-4712"],
            "seal_numbers_found": ["S-4711"],
        },
        "corrections": [
            {
                "record": EARLIER,
                "reason": "CORRECTION_REASON_OUTDATED",
                "field_paths": ["status"],
                "explanation": "Taken down on 3 December.",
            }
        ],
        "erasure_confirmation": {
            "message": {},
            "asked_by": {},
            "record_ids": [DOMAIN],
            "erasure_time": TIME,
            "kept": "A copy is evidence in proceedings of our own.",
            "official": OFFICIAL,
        },
        "subject_access_enquiry": {
            "record_id": record_id("enquiry"),
            "right": "SUBJECT_RIGHT_ACCESS",
            "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "Erika Mustermann"}]}],
            "birth_date": {"value": "1990-01-01"},
            "identity_check": "Identity card shown at the counter.",
            "request_time": TIME,
            "official": OFFICIAL,
        },
        "subject_access_answer": {
            "enquiry": {"message": {}, "record_id": record_id("enquiry")},
            "outcome": "SUBJECT_ACCESS_OUTCOME_NEITHER_CONFIRM_NOR_DENY",
            "texts": [
                {"language": "de", "text": "Wir können nicht sagen, ob Daten vorliegen."},
                {"language": "en", "text": "We cannot say whether there are any data."},
            ],
            "supervisory_authority": "Data protection authority",
            "official": OFFICIAL,
        },
        "consent": {
            "subject": {},
            "scope": "CONSENT_SCOPE_ONWARD_TRANSFER",
            "agencies": ["nl.politie"],
            "valid_until_time": LATER,
            "authority": AUTHORITY,
        },
        "consent_request": {
            "subject": {},
            "scopes": ["CONSENT_SCOPE_EVIDENTIAL_USE"],
            "offences": [FRAUD],
            "reason": "To be read out at the trial.",
            "answer_by_time": LATER,
        },
        "operation_founding": {
            "record_id": record_id("operation"),
            "names": [{"text": "Lamplight", "script": "Latn"}],
            "lead": "de.bka",
            "members": [
                {"agency": "de.bka", "contributes": ["CONTRIBUTION_KIND_INDICATORS"]},
                {"agency": "fr.pj", "receives": ["CONTRIBUTION_KIND_INDICATORS"]},
            ],
            "offences": [FRAUD],
            "objective": "Take the phishing sites down on one day.",
            "valid_from_time": TIME,
            "valid_until_time": LATER,
            "instruments": [INSTRUMENT],
        },
        "operation_invitation": {
            "members": [{"agency": "nl.politie", "receives": ["CONTRIBUTION_KIND_INDICATORS"]}],
            "reason": "Part of the servers is there.",
            "answer_by_time": LATER,
        },
        "operation_joining": {
            "member": {"agency": "de.bka", "contributes": ["CONTRIBUTION_KIND_INDICATORS"]},
            "contact": OFFICIAL,
        },
        "operation_leaving": {"reason": "Our part is done.", "settlement": "Items returned."},
        "operation_update": {
            "results": [
                {
                    "kind": "RESULT_KIND_INDICATOR_TAKEN_DOWN",
                    "item_ids": [DOMAIN],
                    "country": "DE",
                    "result_time": TIME,
                }
            ],
            "period": {"start_time": TIME, "end_time": LATER},
        },
        "handover": {
            "record_id": record_id("handover"),
            "request": {},
            "stage": "HANDOVER_STAGE_PROPOSED",
            "releasing_agency": "de.bka",
            "receiving_agency": "fr.pj",
            "persons": [
                {
                    "number": 1,
                    "person": {"message": {}, "record_id": SUSPECT},
                    "state": "HANDOVER_PERSON_STATE_LISTED",
                    "property": [{"description": "Wrist watch", "quantity": 1}],
                }
            ],
            "handover_time": LATER,
            "place": {
                "record_id": record_id("bridge"),
                "kind": "PLACE_KIND_BORDER_POST",
                "names": [{"text": "Europabrücke"}],
            },
        },
        "alerts": [
            {
                "record_id": ALERT,
                "person": PERSONS[0],
                "occasions": ["ALERT_OCCASION_BORDER_ENTRY", "ALERT_OCCASION_BORDER_EXIT"],
                "actions": ["ALERT_ACTION_DISCREET_CHECK"],
                "valid_until_time": LATER,
                "reason": "Ringleader of the group.",
            },
            {
                "record_id": record_id("vehicle alert"),
                "vehicle": {"registration": "B-XX 0000", "country": "DE", "colour": "grey"},
                "occasions": ["ALERT_OCCASION_INLAND_CHECK"],
                "actions": ["ALERT_ACTION_REPORT"],
                "valid_until_time": LATER,
            },
        ],
        "alert_hits": [
            {
                "record_id": record_id("hit"),
                "alert": {"message": {}, "record_id": ALERT},
                "basis": "MATCH_BASIS_IDENTIFIER",
                "occasion": "ALERT_OCCASION_BORDER_ENTRY",
                "hit_time": TIME,
                "place": {"locality": "Strasbourg", "country": "FR"},
                "actions_taken": ["ALERT_ACTION_DISCREET_CHECK"],
                "contact": OFFICIAL,
            }
        ],
    }
)
"""Name of a member of a file of records -> what it holds."""


def content(member: str, *, about: common_pb2.MessageReference) -> Message:
    """Return the content of a part.

    Args:
        member: A key of `CONTENTS`.
        about: The earlier message that it refers to.
    """
    text = json.dumps({member: CONTENTS[member]}, ensure_ascii=False)
    complete = completer(lambda _sender, _message_id: None, about=about)
    (message,) = parse_json(text, file=f"{member}.json", complete=complete).contents
    return message
