"""What is exchanged: indicators of hosts, evidence items, accounts, notices, reasons for sending.

Everything here is synthetic and the same in every run. Counts are those of a real operation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory import clock
from rogatory.assistance.v1 import answer_pb2, measure_pb2, request_form_pb2, request_pb2
from rogatory.records.v1 import (
    account_pb2,
    acknowledgement_pb2,
    common_pb2,
    contact_pb2,
    context_pb2,
    evidence_pb2,
    indicator_pb2,
    offence_pb2,
    victim_notice_pb2,
)
from rogatory_gateway.demo import cast
from rogatory_gateway.demo.hosts import Host, rank

OPERATION = "Operation Lamplight"
NOTICES_IN_A_PART = 2000
SERVERS = {cast.ANALYST: 24, "sg.police": 9, "jp.police": 8}
"""Servers seized, 41 in all, by who seized them."""

TIERS: dict[common_pb2.Tlp.ValueType, frozenset[int]] = {
    common_pb2.TLP_GREEN: frozenset({indicator_pb2.INDICATOR_TYPE_DOMAIN}),
    common_pb2.TLP_AMBER: frozenset(
        {
            indicator_pb2.INDICATOR_TYPE_IPV4,
            indicator_pb2.INDICATOR_TYPE_IPV6,
            indicator_pb2.INDICATOR_TYPE_HOST_PORT,
        }
    ),
    common_pb2.TLP_AMBER_STRICT: frozenset({indicator_pb2.INDICATOR_TYPE_URL}),
}
"""How far each type of host may be shared: what points into a server least far."""

_SPACE = uuid.UUID("6f1d6a0e-3f0b-5a52-9a43-6c1f6b7d2e10")
_PARTNER_SHARE = 30
"""Of 256 hosts, so many lie with a private partner."""


def record_id(*names: object) -> str:
    """Return the stable id of a record: the same for the same names."""
    return str(uuid.uuid5(_SPACE, "/".join(str(name) for name in names)))


def keeper(value: str) -> str:
    """Return the agency or partner that can take a host down: in reality, where it is hosted."""
    digest = rank(f"keeper of {value}")
    if digest[0] < _PARTNER_SHARE:
        return cast.PARTNERS[digest[1] % len(cast.PARTNERS)]
    return cast.NATIONAL[int.from_bytes(digest[2:4], "big") % len(cast.NATIONAL)].agency_id


_MEMBERS = {member.agency_id: member for member in cast.MEMBERS}


def indicators(hosts: Sequence[Host], *, now: Timestamp) -> indicator_pb2.Indicators:
    """Return hosts as they are first reported."""
    found = indicator_pb2.Indicators()
    for host in hosts:
        home = keeper(host.value)
        found.indicators.add(
            record_id=record_id("host", host.value),
            type=host.type,
            value=host.value,
            valid_from_time=now,
            confidence=60,
            malware_family=host.family,
            status=indicator_pb2.INDICATOR_STATUS_REPORTED,
            country=_MEMBERS[home].country,
            provider=home if home in cast.PARTNERS else "",
        )
    return found


def accounts(number: int) -> account_pb2.Accounts:
    """Return the account from which the hosts of a batch were paid."""
    return account_pb2.Accounts(
        accounts=[
            account_pb2.Account(
                record_id=record_id("account", number),
                kind=account_pb2.ACCOUNT_KIND_EXCHANGE,
                number=contact_pb2.AccountNumber(
                    institution="Example Exchange", number=f"EX-{number:06d}"
                ),
                provider="exchange.example",
                state=account_pb2.ACCOUNT_STATE_OPEN,
            )
        ]
    )


def context(
    sender: str, officer: str, *, case: str = "", justification: str = "", note: str = ""
) -> context_pb2.Context:
    """Return who sends and why."""
    return context_pb2.Context(
        officer=common_pb2.Official(name=officer, agency=sender, position="duty officer"),
        case_references=[case] if case else [],
        justification=justification,
        note=note,
        language="en",
        operation_name=OPERATION,
    )


def servers(agency: str, *, now: Timestamp) -> evidence_pb2.EvidenceItems:
    """Return the servers that an agency seized."""
    return evidence_pb2.EvidenceItems(
        items=[
            evidence_pb2.EvidenceItem(
                record_id=record_id("server", agency, number),
                item_number=f"S-{number:03d}",
                kind=evidence_pb2.EVIDENCE_KIND_SERVER,
                description="Rented server, powered down on site after its memory was taken",
                quantity=1,
                serial_numbers=[f"DEMO-{agency[:2].upper()}-{number:04d}"],
                seizure_time=now,
                legal_basis="Search warrant (demonstration)",
                seal_numbers=[f"{agency[:2].upper()}{number:06d}"],
            )
            for number in range(1, SERVERS[agency] + 1)
        ]
    )


def finds(*, now: Timestamp) -> evidence_pb2.EvidenceItems:
    """Return what was found in searches: SIM cards by the box, devices, cash."""
    items = [
        evidence_pb2.EvidenceItem(
            record_id=record_id("sim", number),
            item_number=f"B-{number:02d}",
            kind=evidence_pb2.EVIDENCE_KIND_SIM,
            description="SIM cards in a box, ICCIDs in the list attached to the box",
            quantity=40 + number,
            serial_numbers=[f"8999{number:015d}"],
            seizure_time=now,
        )
        for number in range(1, 9)
    ]
    items += [
        evidence_pb2.EvidenceItem(
            record_id=record_id("cash", currency),
            item_number=f"C-{currency}",
            kind=evidence_pb2.EVIDENCE_KIND_CASH,
            description=f"Banknotes, {currency}",
            quantity=1,
            value=common_pb2.Amount(value=value, currency=currency),
            seizure_time=now,
        )
        for currency, value in (("VND", "300000000"), ("USD", "4200"))
    ]
    items.append(
        evidence_pb2.EvidenceItem(
            record_id=record_id("ledger"),
            item_number="D-01",
            kind=evidence_pb2.EVIDENCE_KIND_DOCUMENT,
            description="Registration papers of shell companies and account books",
            quantity=14,
            seizure_time=now,
        )
    )
    return evidence_pb2.EvidenceItems(items=items)


_CHANNELS = (
    victim_notice_pb2.VICTIM_CHANNEL_EMAIL,
    victim_notice_pb2.VICTIM_CHANNEL_PROVIDER,
    victim_notice_pb2.VICTIM_CHANNEL_BANK,
    victim_notice_pb2.VICTIM_CHANNEL_PLATFORM,
)
_ADVICE = {
    victim_notice_pb2.VICTIM_CHANNEL_EMAIL: victim_notice_pb2.ADVICE_CODE_CHANGE_PASSWORDS,
    victim_notice_pb2.VICTIM_CHANNEL_PROVIDER: victim_notice_pb2.ADVICE_CODE_CLEAN_DEVICE,
    victim_notice_pb2.VICTIM_CHANNEL_BANK: victim_notice_pb2.ADVICE_CODE_BLOCK_ACCOUNTS,
    victim_notice_pb2.VICTIM_CHANNEL_PLATFORM: victim_notice_pb2.ADVICE_CODE_CHANGE_PASSWORDS,
}


def victims(total: int) -> Iterator[tuple[str, victim_notice_pb2.VictimNotices]]:
    """Yield the agency that can reach them and its notices, a part at a time; ``total`` in all."""
    parts = {member.agency_id: victim_notice_pb2.VictimNotices() for member in cast.NATIONAL}
    agencies = [member.agency_id for member in cast.NATIONAL]
    for number in range(total):
        agency = agencies[int.from_bytes(rank(f"victim {number}")[:2], "big") % len(agencies)]
        country = _MEMBERS[agency].country
        reference = f"LL26-{country}-{number:06d}"
        channel = _CHANNELS[number % len(_CHANNELS)]
        email = channel == victim_notice_pb2.VICTIM_CHANNEL_EMAIL
        part = parts[agency]
        part.notices.add(
            reference=reference,
            country=country,
            channel=channel,
            address=f"{reference.lower()}@mail.example" if email else "",
            exposures=[victim_notice_pb2.EXPOSURE_CREDENTIALS],
            advice=_ADVICE[channel],
        )
        if len(part.notices) == NOTICES_IN_A_PART:
            yield agency, part
            parts[agency] = victim_notice_pb2.VictimNotices()
    yield from ((agency, part) for agency, part in parts.items() if part.notices)


def acknowledgement(
    message: common_pb2.MessageReference, *, agency: str, officer: str, records: int, now: int
) -> acknowledgement_pb2.Acknowledgement:
    """Return an officer's word that a message was received and read."""
    return acknowledgement_pb2.Acknowledgement(
        message=message,
        status=acknowledgement_pb2.ACKNOWLEDGEMENT_STATUS_READ,
        status_time=clock.to_timestamp(now),
        official=common_pb2.Official(name=officer, agency=agency),
        record_count=records,
    )


def takedown_request(firm: str, subjects: Sequence[str]) -> request_form_pb2.AssistanceRequest:
    """Return a request to take hosts down; the hosts travel in a part beside it."""
    return request_form_pb2.AssistanceRequest(
        record_id=record_id("takedown", firm),
        kind=request_pb2.ASSISTANCE_KIND_TAKEDOWN,
        executing_country=_MEMBERS[firm].country,
        measures=[
            measure_pb2.Measure(
                measure_id="M1",
                kind=request_pb2.ASSISTANCE_KIND_TAKEDOWN,
                description="Take the listed hosts off line after securing their data.",
                subjects=[common_pb2.RecordReference(record_id=item) for item in subjects],
                takedown=measure_pb2.TakedownDetails(
                    action=measure_pb2.TAKEDOWN_ACTION_SHUT_DOWN, secure_data_first=True
                ),
            )
        ],
        proceedings=request_form_pb2.PROCEEDINGS_TYPE_CRIMINAL_INTELLIGENCE,
        facts="Hosts on the firm's network send stolen credentials to their operators.",
        offences=[offence_pb2.Offence(iccs_code="09031")],
        issuing_authority=request_form_pb2.Authority(
            name="Coordination desk of the operation", agency=cast.COORDINATOR
        ),
        instruments=[request_form_pb2.Instrument(name=cast.PARTNERSHIPS[firm], article="2.1")],
        purpose="To end the theft of credentials.",
        language="en",
    )


def takedown_answer(
    request: common_pb2.MessageReference, done: Sequence[str], *, partly: bool, now: Timestamp
) -> answer_pb2.Answer:
    """Return the answer to a takedown request: what is down now."""
    return answer_pb2.Answer(
        request=request,
        step=(
            request_pb2.REQUEST_STEP_EXECUTE_PARTLY if partly else request_pb2.REQUEST_STEP_EXECUTE
        ),
        measure_answers=[
            answer_pb2.MeasureAnswer(
                measure_id="M1",
                subject_ids=done,
                outcome=answer_pb2.MEASURE_OUTCOME_EXECUTED,
                execution_time=now,
            )
        ],
        language="en",
    )
