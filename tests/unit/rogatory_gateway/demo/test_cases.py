"""Requests of the demonstration: each goes as the library's rules allow, in another way."""

from __future__ import annotations

import pytest

from rogatory import facts, wire
from rogatory.assistance.v1 import refusal_pb2, request_pb2
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.procedures import requests
from rogatory.records.v1 import common_pb2
from rogatory_gateway.demo import answers, cases, cast, content

NOW = 1_790_000_000_000_000_000
REQUEST = common_pb2.MessageReference(
    sender="sg.police",
    message_id="01a20232-142b-76cd-8a39-1a0990e0954a",
    header_digest=bytes(32),
)
HOSTS = [content.record_id("host", number) for number in range(4)]


@pytest.mark.parametrize("known", [0, 1, 4])
@pytest.mark.parametrize("name", cases.CASES)
def test_every_case_goes_as_the_rules_allow(name: str, known: int) -> None:
    """Nothing stands in the way of any step, however few hosts there are to ask about."""
    case = cases.CASES[name]
    form = cases.form(name, subjects=HOSTS[:known])
    asked = envelope_pb2.Header(sender=case.asking, kind=codes_pb2.KIND_REQUEST)
    asked.request.assistance_kind = case.kind
    asked.parts.add(category=codes_pb2.PART_CATEGORY_REQUEST, facts=facts.of_message(form))
    standing = requests.begin(asked, asked=case.asked)
    found: list[object] = []

    for taken in case.script:
        by_asking = taken in cases.STEPS_BY_ASKING
        said, answer = answers.step(name, taken, REQUEST, form)
        sender, recipient = (case.asking, case.asked) if by_asking else (case.asked, case.asking)
        head = envelope_pb2.Header(sender=sender, kind=codes_pb2.KIND_UPDATE)
        head.update.CopyFrom(said)
        head.parts.add(category=codes_pb2.PART_CATEGORY_ANSWER, facts=facts.of_message(answer))
        found += wire.violations(answer)
        found += requests.obstacles(
            standing,
            head,
            sender=sender,
            recipient=recipient,
            entry_time=NOW,
            signers=[],
        )
        standing = requests.advance(standing, head)

    assert [] == found
    assert [] == wire.violations(form)


def test_cases_differ_in_how_they_go() -> None:
    """Every step that one party takes alone occurs, and three grounds for refusal."""
    taken = {step for case in cases.CASES.values() for step in case.script}
    grounds = {case.refusal[0] for case in cases.CASES.values() if case.refusal is not None}

    assert set(answers.STEPS) == taken
    assert {
        refusal_pb2.REFUSAL_GROUND_NE_BIS_IN_IDEM,
        refusal_pb2.REFUSAL_GROUND_NOT_AVAILABLE,
        refusal_pb2.REFUSAL_GROUND_JUDICIAL_AUTHORISATION_REFUSED,
    } == grounds


def test_cases_are_between_members() -> None:
    """Both sides are national agencies, and are two."""
    members = {member.agency_id for member in cast.NATIONAL}

    assert all({case.asking, case.asked} <= members for case in cases.CASES.values())
    assert all(case.asking != case.asked for case in cases.CASES.values())


def test_header_of_a_step_says_what_the_answer_says() -> None:
    """Grounds, article, date and conditions stand in both."""
    form = cases.form("freezing", subjects=HOSTS)

    refused, refusal = answers.step("freezing", "refuse", REQUEST, form)
    postponed, postponement = answers.step("joint search", "postpone", REQUEST, form)
    accepted, _ = answers.step("search", "accept", REQUEST, form)

    assert [refusal_pb2.REFUSAL_GROUND_JUDICIAL_AUTHORISATION_REFUSED] == refused.refusal_grounds
    assert refusal.refusals[0].article == refused.article
    assert postponement.postponement.until_time == postponed.postponed_until_time
    assert accepted.conditional
    assert request_pb2.REQUEST_STEP_ACCEPT == accepted.step
