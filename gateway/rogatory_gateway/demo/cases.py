"""Requests between agencies: who asks whom for what, and how each goes.

Everything here is synthetic. Each case shows another way in which a request can go.
"""

from __future__ import annotations

from dataclasses import dataclass

from rogatory.assistance.v1 import (
    answer_pb2,
    measure_pb2,
    refusal_pb2,
    request_form_pb2,
    request_pb2,
)
from rogatory.exchange.v1 import codes_pb2
from rogatory.records.v1 import common_pb2, offence_pb2
from rogatory_gateway.demo import cast, content
from rogatory_gateway.demo.acting import OFFENCES

STEPS_BY_ASKING = frozenset({"clarify", "close", "withdraw"})
_SUBJECTS = 3
"""Hosts that a measure is about, where the asking agency has so many."""

_ROUTINE, _URGENT = codes_pb2.URGENCY_ROUTINE, codes_pb2.URGENCY_URGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request and how it goes.

    Attributes:
        asking, asked: Agency ids.
        kind: What is asked for.
        facts: Why.
        script: The steps, in order; see `rogatory_gateway.demo.answers`.
        article: Article of the operation's agreement that it is sent under.
        urgency: How soon it matters.
        within: Seconds in which the asking agency wants an answer; 0: as the agreement says.
        refusal: For a refusal: ground, article, reasons, next step.
    """

    asking: str
    asked: str
    kind: request_pb2.AssistanceKind.ValueType
    facts: str
    script: tuple[str, ...]
    article: str = "Art. 8(1)"
    urgency: codes_pb2.Urgency.ValueType = _ROUTINE
    within: int = 0
    refusal: tuple[refusal_pb2.RefusalGround.ValueType, str, str, str] | None = None

    @property
    def executing_country(self) -> str:
        """Country that is to act."""
        return self.asked[:2].upper()


CASES = {
    "registrant": Case(
        asking="sg.police",
        asked="my.police",
        kind=request_pb2.ASSISTANCE_KIND_INFORMATION,
        facts="Three hosts were registered by one customer of a registrar in Malaysia.",
        script=("acknowledge", "execute", "close"),
    ),
    "account holder": Case(
        asking="jp.police",
        asked="ph.police",
        kind=request_pb2.ASSISTANCE_KIND_IDENTIFICATION,
        facts="Who rented the hosts is to be known before the searches begin.",
        script=("execute late",),
        article="Art. 8(3)",
        within=5,
    ),
    "disk images": Case(
        asking="lk.police",
        asked="sg.police",
        kind=request_pb2.ASSISTANCE_KIND_STORED_DATA,
        facts="The servers hold what was stolen from victims in Sri Lanka.",
        script=("acknowledge", "execute partly", "execute", "close"),
    ),
    "preservation": Case(
        asking="hk.police",
        asked="sg.police",
        kind=request_pb2.ASSISTANCE_KIND_PRESERVATION,
        facts="The provider erases its logs tonight.",
        script=("execute", "close"),
        article="Art. 8(2)",
        urgency=_URGENT,
    ),
    "person in danger": Case(
        asking="mv.police",
        asked="lk.police",
        kind=request_pb2.ASSISTANCE_KIND_INFORMATION,
        facts="Somebody made to work for the ring sent a call for help from this host.",
        script=("acknowledge", "execute"),
        article="Art. 8(2)",
        urgency=codes_pb2.URGENCY_IMMEDIATE_DANGER,
    ),
    "search": Case(
        asking="my.police",
        asked="hk.police",
        kind=request_pb2.ASSISTANCE_KIND_SEARCH_AND_SEIZURE,
        facts="The hosts stand in a data centre in Hong Kong.",
        script=("acknowledge", "ask back", "clarify", "accept", "execute", "close"),
    ),
    "hearing": Case(
        asking="kr.police",
        asked="jp.police",
        kind=request_pb2.ASSISTANCE_KIND_HEARING,
        facts="The person heard in Tokyo also worked for customers in Korea.",
        script=("refuse",),
        refusal=(
            refusal_pb2.REFUSAL_GROUND_NE_BIS_IN_IDEM,
            "Directive 2014/41/EU Art. 11(1)(d), applied by analogy",
            "The person was tried for the same acts last year.",
            "Ask for the judgment, under Art. 8(1).",
        ),
    ),
    "subscriber": Case(
        asking="fj.police",
        asked="ws.police",
        kind=request_pb2.ASSISTANCE_KIND_INFORMATION,
        facts="The line was registered in Samoa.",
        script=("acknowledge", "refuse"),
        refusal=(
            refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE,
            "Directive (EU) 2023/977 Art. 6, applied by analogy",
            "The operator keeps subscriber records for a year; this line ended before.",
            "Ask the operator of the number's present owner, which is in New Zealand.",
        ),
    ),
    "freezing": Case(
        asking="id.police",
        asked="in.police",
        kind=request_pb2.ASSISTANCE_KIND_ACCOUNT_FREEZING,
        facts="The account received what customers paid for stolen credentials.",
        script=("ask back", "clarify", "refuse"),
        refusal=(
            refusal_pb2.REFUSAL_GROUND_JUDICIAL_AUTHORISATION_REFUSED,
            "Directive (EU) 2023/977 Art. 6 and 9, applied by analogy",
            "The court found no link between the account and the offence.",
            "Send the payments seen on your side, and the court decides again.",
        ),
    ),
    "old case": Case(
        asking="pg.police",
        asked="id.police",
        kind=request_pb2.ASSISTANCE_KIND_INFORMATION,
        facts="The hosts may belong to a case of 2023.",
        script=("acknowledge", "withdraw"),
    ),
    "joint search": Case(
        asking="mn.police",
        asked="kz.police",
        kind=request_pb2.ASSISTANCE_KIND_SEARCH_AND_SEIZURE,
        facts="The hosts are run from an office in Almaty.",
        script=("acknowledge", "postpone"),
    ),
}
"""By name."""
ROUNDS = max(len(case.script) for case in CASES.values())
"""Steps of the longest."""


def form_id(name: str) -> str:
    """Return the record id of a case's request."""
    return content.record_id("request", name)


def form(name: str, *, subjects: list[str]) -> request_form_pb2.AssistanceRequest:
    """Return a case's request: what is asked about the hosts one by one, then of all together.

    Args:
        subjects: Record ids of hosts that the asking agency received.
    """
    case = CASES[name]
    made = request_form_pb2.AssistanceRequest(
        record_id=form_id(name),
        kind=case.kind,
        issuing_country=case.asking[:2].upper(),
        executing_country=case.executing_country,
        measures=[
            measure_pb2.Measure(
                measure_id="M1",
                kind=case.kind,
                description="For each of the hosts named.",
                subjects=[
                    common_pb2.RecordReference(record_id=item) for item in subjects[:_SUBJECTS]
                ],
            ),
            measure_pb2.Measure(
                measure_id="M2", kind=case.kind, description="And what they have in common."
            ),
        ],
        proceedings=request_form_pb2.PROCEEDINGS_TYPE_CRIMINAL,
        facts=case.facts,
        offences=[offence_pb2.Offence(iccs_code=code) for code in OFFENCES],
        issuing_authority=request_form_pb2.Authority(
            name=f"Head of unit, {case.asking}", agency=case.asking
        ),
        instruments=[request_form_pb2.Instrument(name=cast.JOINT, article=case.article)],
        purpose="Evidence and leads for the investigation named.",
        language="en",
    )
    if case.urgency != _ROUTINE:
        made.urgency.reasons.append(
            request_form_pb2.URGENCY_REASON_EVIDENCE_AT_RISK
            if case.urgency == _URGENT
            else request_form_pb2.URGENCY_REASON_DANGER_TO_PERSON
        )
        made.urgency.text = case.facts
    return made


def refusal(name: str) -> answer_pb2.RefusalDetail:
    """Return on which ground a case's request is refused."""
    case = CASES[name]
    assert case.refusal is not None
    ground, article, reasons, next_step = case.refusal
    return answer_pb2.RefusalDetail(
        ground=ground, article=article, reasons=reasons, next_step=next_step
    )
