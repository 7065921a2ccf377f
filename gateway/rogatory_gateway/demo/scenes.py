"""Scenes in which procedures go on: the operation, requests, a hand-over, a recall, an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rogatory_gateway.demo import cast, operating, sharing, watching
from rogatory_gateway.demo.cases import CASES, ROUNDS, STEPS_BY_ASKING
from rogatory_gateway.demo.handing_over import WHO_STEPS

if TYPE_CHECKING:
    from rogatory_gateway.demo.crew import Answer
    from rogatory_gateway.demo.play import Play

_LEAD = cast.COORDINATOR
_MEMBERS = [member.agency_id for member in cast.MEMBERS if member.agency_id != _LEAD]


async def begin(play: Play) -> None:
    """The desk founds the operation, everybody joins, a latecomer too; an alert is issued."""
    play.tell("the operation is founded, members join")
    await play.act({_LEAD: ("found", {})})
    await play.act({agency: ("join", {}) for agency in _MEMBERS if agency != operating.LATECOMER})
    await play.act({_LEAD: ("invite", {})})
    await play.act({operating.LATECOMER: ("join", {})})
    play.tell("an alert is issued")
    await play.act({watching.ISSUER: ("watch_for", {})})


async def ask(play: Play) -> None:
    """Agencies ask each other for assistance."""
    play.tell("agencies ask each other for assistance")
    by_asking: dict[str, list[str]] = {}
    for name, case in CASES.items():
        by_asking.setdefault(case.asking, []).append(name)
    await play.act({agency: ("ask", {"cases": names}) for agency, names in by_asking.items()})


async def answer(play: Play) -> None:
    """Requests go their ways, step by step, all of them at once."""
    play.tell("requests are answered, refused, clarified, withdrawn")
    for number in range(ROUNDS):
        steps: dict[str, list[tuple[str, str]]] = {}
        for name, case in CASES.items():
            if number < len(case.script):
                taken = case.script[number]
                agency = case.asking if taken in STEPS_BY_ASKING else case.asked
                steps.setdefault(agency, []).append((name, taken))
        await play.act({agency: ("take_steps", {"steps": some}) for agency, some in steps.items()})


async def hit(play: Play) -> None:
    """Whoever was told of somebody sought by an alert tells its issuer."""
    play.tell("an alert hits")
    await play.act({agency: ("tell_hits", {}) for agency in watching.WATCHING})
    told = await play.hear({watching.ISSUER: ("count_hits", {})})
    play.outcome.alert = told[watching.ISSUER]


async def hand_over(play: Play) -> None:
    """Two border guards hand persons over, each statement signed by two officers."""
    play.tell("persons are handed over at a border")
    for step, agency in WHO_STEPS.items():
        await play.act({agency: ("hand_over", {"step": step})})
    told = await play.hear(
        {agency: ("count_handed_over", {}) for agency in (cast.RELEASING, cast.RECEIVING)}
    )
    released, received = told[cast.RELEASING], told[cast.RECEIVING]
    if released["persons"] != received["persons"]:
        raise AssertionError(f"{released} is not {received}")
    play.outcome.handover = received


async def share_and_recall(play: Play) -> None:
    """A record is passed on once its originator consents; then it takes it back from everyone."""
    play.tell("a consent is asked for and given")
    await play.act({sharing.ORIGINATOR: ("share", {})})
    await play.act({sharing.HOLDER: ("pass_on", {"again": True})})
    await play.act({sharing.HOLDER: ("ask_consent", {})})
    await play.act({sharing.ORIGINATOR: ("consent", {})})
    await play.act({sharing.HOLDER: ("pass_on", {"again": False})})
    play.outcome.consent = (await play.hear({sharing.HOLDER: ("tell_consent", {})}))[sharing.HOLDER]
    play.tell("a record is recalled, its erasure confirmed")
    await play.act({sharing.ORIGINATOR: ("recall", {})})
    told = await play.hear({sharing.ORIGINATOR: ("review_recall", {})})
    recall = told[sharing.ORIGINATOR]
    named = await play.hear(
        {agency: ("name_shared", {}) for agency in (sharing.ORIGINATOR, sharing.HOLDER)}
    )
    looks: dict[str, tuple[str, Answer]] = {
        agency: (
            "look_again",
            named[sharing.HOLDER if agency in recall["by_copy"] else sharing.ORIGINATOR],
        )
        for agency in recall["holders"]
    }
    seen = await play.hear(looks)
    recall["left"] = {agency: answer["parts"] for agency, answer in seen.items()}
    recall["kept"] = sum(answer["kept"] for answer in seen.values())
    play.outcome.recall = recall


async def review_requests(play: Play) -> None:
    """Every agency holds its requests against the gateway's word."""
    told = await play.hear({agency: ("review", {}) for agency in [_LEAD, *_MEMBERS]})
    for found in told.values():
        play.outcome.requests += found["requests"]
        play.outcome.grounds += found["refusals"]
        play.outcome.contacts |= found["contacts"]


async def end(play: Play) -> None:
    """Members report what they reached, one leaves, the desk closes the operation; then it adds."""
    play.tell("members report what they reached")
    await play.act({agency: ("report_results", {}) for agency in [*_MEMBERS, _LEAD]})
    play.tell("the operation is closed")
    await play.act({operating.LATECOMER: ("leave", {})})
    await play.act({_LEAD: ("close", {})})
    play.tell("the board is added up")
    told = await play.hear({_LEAD: ("board", {})})
    play.outcome.board = told[_LEAD]
