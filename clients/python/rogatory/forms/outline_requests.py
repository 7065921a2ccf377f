"""The outline of a request, for each kind of assistance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from google.protobuf.message import Message

from rogatory.assistance.v1 import request_pb2
from rogatory.forms.outlines import (
    DAY,
    MESSAGE,
    OFFICIAL,
    PERIOD,
    RECORD,
    RECORD_ELSEWHERE,
    TIME,
    Item,
    authority,
    below,
    may,
    need,
    record,
)
from rogatory.records.v1 import (
    account_pb2,
    evidence_pb2,
    indicator_pb2,
    person_pb2,
    place_pb2,
    victim_notice_pb2,
)
from rogatory.yamlrecords import BLANK


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A record that a request is about, in a part of its own beside it.

    Attributes:
        member: Its member of the file.
        message_type: Type of the record.
        items: Its fields.
    """

    member: str
    message_type: type[Message]
    items: Sequence[Item]


_DATA = (
    below("period", *PERIOD, needed=False),
    below("identifiers", need("phone", "+33100000000"), needed=False),
    may("directly_available", "true"),
)
_ARREST = (
    below(
        "warrant",
        need("reference"),
        need("issuing_authority"),
        need("country"),
        may("issue_date", DAY),
        may("interpol_reference"),
    ),
    may("hand_over_property", "true"),
)

_PERSON = Companion(
    member="persons",
    message_type=person_pb2.Person,
    items=(
        record(),
        need("category"),
        below(
            "names",
            need("kind", "full"),
            below("texts", need("text"), may("script", "Hans"), may("language", "zh")),
        ),
        below("birth_date", need("value", "1985-03-14"), needed=False),
        may("nationalities", ["CN"]),
        may("sex", "male"),
    ),
)
_INDICATOR = Companion(
    member="indicators",
    message_type=indicator_pb2.Indicator,
    items=(record(), need("type"), need("value"), need("status", "reported"), may("provider")),
)
_ACCOUNT = Companion(
    member="accounts",
    message_type=account_pb2.Account,
    items=(
        record(),
        need("kind"),
        below("number", need("number"), may("bic", "ABCDFRPP")),
        may("provider"),
        may("country", "FR"),
    ),
)
_PLACE = Companion(
    member="places",
    message_type=place_pb2.Place,
    items=(
        record(),
        need("kind"),
        below("address", need("country"), need("locality"), need("lines", [BLANK])),
        below("names", need("text"), may("script", "Hans"), needed=False),
    ),
)
_NOTICE = Companion(
    member="notices",
    message_type=victim_notice_pb2.VictimNotice,
    items=(
        need("reference", RECORD),
        need("country"),
        need("channel"),
        may("address"),
        may("exposures", ["credentials"]),
        may("language", "fr"),
    ),
)
_EVIDENCE = Companion(
    member="items",
    message_type=evidence_pb2.EvidenceItem,
    items=(record(), need("item_number"), need("kind", "document"), need("description")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOutline:
    """What a kind of assistance adds to the outline of every request.

    Attributes:
        details: The measure's details: name of the field and what is in it.
        companion: The record that it is about; None: it names none, or what it names is known.
        persons: The record is a person whom the request names in section E.
        subject: The measure names the record as its subject.
        confidential: Confidentiality is asked for, else it would be pointless.
    """

    details: Item
    companion: Companion | None = None
    persons: bool = False
    subject: bool = False
    confidential: bool = False


KINDS: Mapping[request_pb2.AssistanceKind.ValueType, KindOutline] = MappingProxyType(
    {
        request_pb2.ASSISTANCE_KIND_INFORMATION: KindOutline(
            details=below("data", need("data_classes", [BLANK]), may("custodian"), *_DATA),
        ),
        request_pb2.ASSISTANCE_KIND_IDENTIFICATION: KindOutline(
            details=below(
                "data",
                need("data_classes", ["subscriber"]),
                may("custodian"),
                below("identifiers", need("phone"), may("remark")),
                below("period", *PERIOD, needed=False),
                may("directly_available", "true"),
            ),
        ),
        request_pb2.ASSISTANCE_KIND_PRESERVATION: KindOutline(
            details=below(
                "preservation",
                need("custodian"),
                need("data_classes", [BLANK]),
                below("period", *PERIOD, needed=False),
                need("preservation_days", "90"),
                need("intended_request"),
                below("prolongs", *MESSAGE, needed=False),
            ),
            confidential=True,
        ),
        request_pb2.ASSISTANCE_KIND_STORED_DATA: KindOutline(
            details=below(
                "data",
                need("data_classes", [BLANK]),
                need("custodian"),
                *_DATA,
                below("preserved_by", *MESSAGE, needed=False),
            ),
        ),
        request_pb2.ASSISTANCE_KIND_TAKEDOWN: KindOutline(
            details=below(
                "takedown",
                need("action"),
                may("not_before_time", TIME),
                may("not_after_time", TIME),
                may("secure_data_first", "true"),
            ),
            companion=_INDICATOR,
            subject=True,
        ),
        request_pb2.ASSISTANCE_KIND_ACCOUNT_FREEZING: KindOutline(
            details=below(
                "freezing",
                need("until_time"),
                below("amount", need("value", "10000.00"), need("currency", "EUR"), needed=False),
                may("monitor_only", "true"),
            ),
            companion=_ACCOUNT,
            subject=True,
            confidential=True,
        ),
        request_pb2.ASSISTANCE_KIND_VICTIM_NOTIFICATION: KindOutline(
            details=below(
                "notification",
                below("texts", need("language"), need("text")),
                may("not_before_time", TIME),
                need("report_outcomes", "true"),
            ),
            companion=_NOTICE,
            subject=True,
        ),
        request_pb2.ASSISTANCE_KIND_SEARCH_AND_SEIZURE: KindOutline(
            details=below(
                "search",
                below("places", record()),
                need("items_sought", [BLANK]),
                may("search_systems", "true"),
                may("not_before_time", TIME),
                may("transfer_items", "true"),
            ),
            companion=_PLACE,
        ),
        request_pb2.ASSISTANCE_KIND_HEARING: KindOutline(
            details=below(
                "hearing",
                need("mode"),
                below("period", *PERIOD, needed=False),
                need("questions", [BLANK]),
                may("protection"),
                may("language", "zh"),
            ),
            companion=_PERSON,
            persons=True,
            subject=True,
        ),
        request_pb2.ASSISTANCE_KIND_CONTROLLED_DELIVERY: KindOutline(
            details=below(
                "delivery",
                need("goods"),
                below("route", record()),
                below("period", need("start_time"), need("end_time")),
                may("replace_goods", "true"),
                below("control", *OFFICIAL, needed=False),
            ),
            companion=_PLACE,
        ),
        request_pb2.ASSISTANCE_KIND_JOINT_OPERATION: KindOutline(
            details=below(
                "joint_operation",
                need("objective"),
                below("period", *PERIOD, needed=False),
                below("operation", *MESSAGE, needed=False),
            ),
        ),
        request_pb2.ASSISTANCE_KIND_SERVICE_OF_DOCUMENTS: KindOutline(
            details=below(
                "service",
                below("documents", record()),
                may("appearance_date", DAY),
                may("proof_of_service"),
            ),
            companion=_EVIDENCE,
        ),
        request_pb2.ASSISTANCE_KIND_PROVISIONAL_ARREST: KindOutline(
            details=below("arrest", *_ARREST, need("extradition_request_within_days", "40")),
            companion=_PERSON,
            persons=True,
            subject=True,
        ),
        request_pb2.ASSISTANCE_KIND_HANDOVER: KindOutline(
            details=below("arrest", *_ARREST, may("remaining_sentence_days", "365")),
            companion=_PERSON,
            persons=True,
            subject=True,
        ),
    }
)
"""The outline of each kind of assistance."""

_RELATED = below(
    "related_requests",
    need("reference", BLANK),
    below("message", *MESSAGE, needed=False),
    may("relation"),
    needed=False,
)
_OFFENCES = below(
    "offences",
    need("iccs_code"),
    need("statute"),
    need("country"),
    may("maximum_penalty_months", "36"),
    may("life_imprisonment", "true"),
    may("annex_d_category", "computer_crime"),
    below("titles", need("text"), may("language", "fr"), needed=False),
    may("inchoate", "true"),
)
_FORMALITIES = below(
    "formalities",
    need("text"),
    may("measure_ids", ["M1"]),
    may("assistance_by_issuing_officials", "true"),
    needed=False,
)


def request_outline(
    kind: request_pb2.AssistanceKind.ValueType,
    *,
    word: str,
    issuing: Item,
    executing: Item,
    issuing_authority: Sequence[Item],
    instruments: Sequence[Item],
    language: str,
) -> list[tuple[str, list[Item]]]:
    """Return the outline of a request, by section of the form.

    Args:
        kind: What is asked for.
        word: Its name, as people write it.
        issuing: The field of the issuing State.
        executing: The field of the executing State.
        issuing_authority: Fields of the authority that asks.
        instruments: Fields of the legal instrument relied on.
        language: Of the texts.
    """
    own = KINDS[kind]
    subjects = below("subjects", *([record()] if own.subject else RECORD_ELSEWHERE))
    person = below("record", *([record()] if own.persons else RECORD_ELSEWHERE))
    confidential = (
        need("requested", "true"),
        may("no_notice_to_subject", "true"),
        need("reason"),
    )
    return [
        ("A", [need("kind", word), issuing, executing]),
        (
            "B",
            [
                below(
                    "urgency",
                    need("reasons", ["evidence_at_risk"]),
                    may("text"),
                    may("needed_by_time", TIME),
                    needed=False,
                )
            ],
        ),
        (
            "C",
            [
                below(
                    "measures",
                    need("measure_id", "M1"),
                    need("kind", word),
                    need("description"),
                    replace(subjects, needed=own.subject),
                    own.details,
                )
            ],
        ),
        ("D", [_RELATED]),
        (
            "E",
            [below("persons", person, need("capacity"), may("whereabouts"), needed=own.persons)],
        ),
        ("F", [need("proceedings")]),
        ("G", [need("facts"), _OFFENCES]),
        ("I", [_FORMALITIES]),
        ("J", [may("remedies")]),
        ("K", [below("issuing_authority", *issuing_authority)]),
        ("L", [below("validating_authority", *authority(), needed=False)]),
        (
            "basis",
            [
                below("instruments", *instruments),
                may("purpose"),
                below("confidentiality", *confidential, needed=own.confidential),
                need("language", language),
                may("answer_languages", ["en"]),
                below(
                    "oral_request",
                    need("request_time", TIME),
                    below("asked_by", *OFFICIAL, needed=False),
                    below("asked_of", *OFFICIAL, needed=False),
                    needed=False,
                ),
                below("attachments", *RECORD_ELSEWHERE, needed=False),
            ],
        ),
    ]
