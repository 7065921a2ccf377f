"""The joint operation, act by act: who is told to do what, and when everybody is done with it.

The play moves no record: it gives orders to the agencies' processes, which exchange through the
gateway, and asks each at the end what it received.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rogatory.enrolment import read_request
from rogatory_gateway.demo import cast, content, persons, scenes, structures
from rogatory_gateway.demo.crew import LANDLOCK, Answer, Crew, PartyFailed
from rogatory_gateway.demo.hosts import Host
from rogatory_gateway.demo.house import House, draw_up, put_together
from rogatory_gateway.demo.refusals import WHO_TRIES

HOSTS = 25_300
TAKEN_DOWN = 20_000
ANALYSED = 1_700
CONFIRMED = 117
NOTICES = 216_000
REPORTED_BY_PARTNERS = {cast.NORTHWALL: 1_200, cast.KITANAMI: 800, cast.PAYLINE: 500}
"""Of the hosts, those that private partners observed; the others are the desk's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is exchanged: a real operation's numbers, or a fraction of them for tests.

    Attributes:
        hosts: Malicious hosts.
        down: How many of them are to be taken down.
        analysed, confirmed: Hosts sent for analysis, and of these confirmed as C2 servers.
        notices: Notices to victims.
        partners: Hosts that private partners report.
    """

    hosts: int
    down: int
    analysed: int
    confirmed: int
    notices: int
    partners: dict[str, int]

    @classmethod
    def of(cls, scale: float, *, hosts: int) -> Sizes:
        """Return the sizes at a scale, for so many hosts at hand."""
        share = hosts / HOSTS
        return cls(
            hosts=hosts,
            down=round(TAKEN_DOWN * share),
            analysed=max(2, round(ANALYSED * share)),
            confirmed=max(1, round(CONFIRMED * share)),
            notices=max(1, round(NOTICES * scale)),
            partners={
                firm: max(1, round(count * share)) for firm, count in REPORTED_BY_PARTNERS.items()
            },
        )


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the agencies found at the end.

    Attributes:
        totals: By agency, what it received.
        verified: What all of them verified.
        log: Origin, size, root and verifier key, which all of them saw alike.
        refusals: A row for each recipient refused.
        to_take_down: Hosts that agencies were told to take down.
        to_acknowledge: Deliveries that an officer of the recipient is to acknowledge.
        denied, attempts: Attempts to read what is another's.
        board: What the lead added up from the reports that it received.
        requests: A row for each request, in the gateway's words, which both sides hold alike.
        grounds: A row for each ground on which a request was refused, as who asked received it.
        contacts: Where agencies asked urgently can be reached, as the reply said.
        handover: Where the persons handed over stand, alike by what both sides received.
        consent: The consent that the holder of a record received.
        recall: Who held the record recalled, who confirmed, and what is left of it.
        alert: The hits that the issuer of an alert received.
    """

    totals: dict[str, Answer] = field(default_factory=dict)
    verified: dict[str, int] = field(default_factory=dict)
    log: dict[str, Any] = field(default_factory=dict)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    to_take_down: int = 0
    to_acknowledge: int = 0
    denied: int = 0
    attempts: int = 0
    board: Answer = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    grounds: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[str, str] = field(default_factory=dict)
    handover: Answer = field(default_factory=dict)
    consent: Answer = field(default_factory=dict)
    recall: Answer = field(default_factory=dict)
    alert: Answer = field(default_factory=dict)


class Play:
    """The operation on a gateway with a crew.

    Attributes:
        outcome: What the agencies found.
        tell: Told what happens next, in a few words.
    """

    def __init__(
        self,
        house: House,
        crew: Crew,
        *,
        hosts: Sequence[Host],
        sizes: Sizes,
        tell: Callable[[str], None],
        expect: Callable[[str, int], None],
    ) -> None:
        """Prepare.

        Args:
            hosts: The malicious hosts.
            sizes: How much is exchanged.
            tell: Told what happens next, in a few words.
            expect: Told how many `reports` or `receipts` are due, once that is known.
        """
        self.outcome = Outcome()
        self._house = house
        self._crew = crew
        self._hosts = hosts
        self._sizes = sizes
        self.tell = tell
        self._expect = expect
        self._positions: dict[str, int] = {}

    async def enrol(self) -> None:
        """Every agency makes its keys and is admitted; every agreement is signed by its parties."""
        crew, house = self._crew, self._house
        self.tell("30 agencies make their keys")
        made = await crew.each_do(
            {agency: ("request", {"agency": agency}) for agency in crew.parties}
        )
        confined = sum(answer["confined"] for answer in made.values())
        if crew.isolation == LANDLOCK and confined < len(made):
            raise PartyFailed(
                f"{len(made) - confined} of {len(made)} processes could not shut themselves in",
                hint="Please report this with the kernel's version.",
            )
        requests = {agency: answer["request"] for agency, answer in made.items()}
        answers = house.admit(requests.values())
        await crew.each_do({a: ("accept", {"answer": text}) for a, text in answers.items()})
        self.tell(f"{len(cast.AGREEMENTS)} agreements are signed")
        roots = {agency: read_request(text.encode()).root for agency, text in requests.items()}
        signed = []
        for agreement_id in cast.AGREEMENTS:
            parties, data = draw_up(agreement_id, roots)
            order = {"agreement": base64.b64encode(data).decode()}
            given = await crew.each_do(dict.fromkeys(parties, ("sign", order)))
            signatures = [base64.b64decode(item["signature"]) for item in given.values()]
            signed.append(put_together(data, signatures))
        house.enter(signed)
        self.outcome.denied, self.outcome.attempts = await crew.trespass(
            [house.ledger_file, house.settings.log.key]
        )
        self.tell("the gateway starts")
        house.start()
        await house.ready()
        await crew.all_do("open")

    async def operate(self) -> None:
        """The operation itself."""
        sizes, desk = self._sizes, cast.COORDINATOR
        await scenes.begin(self)
        at, reports = 0, {}
        for firm, count in sizes.partners.items():
            reports[firm] = ("report", {"hosts": self._hosts[at : at + count]})
            at += count
        rest = {"hosts": self._hosts[at:]}
        self.tell("private partners report hosts")
        await self.act(reports)
        self.tell("hosts are disseminated")
        await self.act({desk: ("disseminate", rest)})
        await scenes.ask(self)
        self.tell("hosts are analysed")
        everything = {"hosts": self._hosts, "count": sizes.analysed}
        await self.act({desk: ("ask_analysis", everything)})
        await self.act({cast.ANALYST: ("analyse", {"count": sizes.confirmed})})
        self.tell("hosts are taken down")
        await self.act({desk: ("ask_takedowns", rest)})
        await self._take_down()
        self.tell("suspects are arrested, evidence is seized")
        await self.act({agency: ("arrests", {}) for agency in persons.ARRESTED})
        await self.act({agency: ("seizures", {}) for agency in (*content.SERVERS, "vn.police")})
        await scenes.hit(self)
        self.tell("a record is corrected")
        await self.act({structures.INVESTIGATOR: ("correct", {})})
        self.tell("victims are notified")
        await self.act({desk: ("notify", {"count": sizes.notices})})
        await scenes.answer(self)
        await scenes.hand_over(self)
        await scenes.share_and_recall(self)
        self.tell("what no agreement permits is tried")
        for name, agency in WHO_TRIES.items():
            await self.act({agency: ("try_it", {"what": name})})
        await scenes.review_requests(self)
        await scenes.end(self)

    async def finish(self) -> None:
        """Every agency checks the log's whole tree and says what it received and verified."""
        self.tell("every agency checks the log")
        crew, outcome = self._crew, self.outcome
        await crew.each_do(
            {
                agency: ("advance", {"position": self._positions.get(agency, 0)})
                for agency in crew.parties
            }
        )
        found = await crew.all_do("finish")
        for agency, answer in found.items():
            outcome.totals[agency] = answer["totals"]
            for what, count in answer["verified"].items():
                outcome.verified[what] = outcome.verified.get(what, 0) + count
            if outcome.log and answer["log"] != outcome.log:
                raise AssertionError(f"{agency} sees another log: {answer['log']}")
            outcome.log = answer["log"]

    async def _take_down(self) -> None:
        """Share out what is taken down among those who received it, in proportion (Hamilton)."""
        able = [member.agency_id for member in cast.MEMBERS if member.agency_id != cast.COORDINATOR]
        answers = await self._crew.each_do({agency: ("count_mine", {}) for agency in able})
        counts = {agency: answer["count"] for agency, answer in answers.items()}
        shares = share_out(self._sizes.down, counts)
        self.outcome.to_take_down = sum(shares.values())
        self._expect("reports", self.outcome.to_take_down)
        await self.act(
            {
                agency: (
                    "answer_takedowns" if agency in cast.PARTNERS else "report_down",
                    {"count": count},
                )
                for agency, count in shares.items()
                if count
            }
        )

    async def hear(self, orders: dict[str, tuple[str, Answer]]) -> dict[str, Answer]:
        """Have agencies say something; nothing is exchanged between them."""
        return await self._crew.each_do(orders)

    async def act(self, orders: dict[str, tuple[str, Answer]]) -> None:
        """Have agencies act, and wait until all that follows from it is received and verified."""
        outcome = self.outcome
        answers = await self._crew.each_do(orders)
        for answer in answers.values():
            outcome.refusals += answer["refusals"]
            outcome.to_acknowledge += answer["deliveries"]
        self._expect("receipts", outcome.to_acknowledge)
        await self._settle(answers)

    async def _settle(self, acted: Iterable[str]) -> None:
        """Wait until nobody has anything left to read: receipts cause deliveries in their turn."""
        for agency, last in (await self._look(acted)).items():
            self._positions[agency] = max(last, self._positions.get(agency, 0))
        while True:
            before = dict(self._positions)
            found = await self._look(before)
            for agency, last in found.items():
                self._positions[agency] = max(last, self._positions.get(agency, 0))
            if self._positions == before:
                return

    async def _look(self, agencies: Iterable[str]) -> dict[str, int]:
        """Wait for agencies' inboxes; return the last position that anybody got a message at."""
        answers = await self._crew.each_do(
            {
                agency: ("settle", {"position": self._positions.get(agency, 0)})
                for agency in agencies
            }
        )
        found: dict[str, int] = {}
        for answer in answers.values():
            for agency, last in answer["positions"].items():
                found[agency] = max(last, found.get(agency, 0))
        return found


def share_out(total: int, able: dict[str, int]) -> dict[str, int]:
    """Return how many each takes of ``total``, in proportion to what it is able to take.

    Largest remainders get what rounding leaves; nobody gets more than it is able to.
    """
    everything = sum(able.values())
    if everything <= total:
        return dict(able)
    shares = {agency: total * count // everything for agency, count in able.items()}
    remainders = sorted(able, key=lambda agency: (-(total * able[agency] % everything), agency))
    for agency in remainders[: total - sum(shares.values())]:
        shares[agency] += 1
    return shares
