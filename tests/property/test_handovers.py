"""Hand-overs driven by random statements of random parties, against a dictionary of persons."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rogatory import wire
from rogatory.assistance.v1 import handover_pb2, request_pb2
from rogatory.exchange.v1 import envelope_pb2, procedure_pb2
from rogatory.procedures import handovers, requests, tags
from tests.support.steps import (
    ASKED,
    ASKING,
    HOUR,
    NOW,
    THIRD,
    request,
    statement,
    tag,
    two_officers,
    update,
)

NAMES = ("ada", "bob", "eve", "kim")
STATES = handover_pb2.HandoverPersonState.values()[1:]
STAGES = handover_pb2.HandoverStage.values()[1:]
WAITING = {"listed", "present", "not_presented", "not_accepted", "held_health", "held_court"}
"""Where a person stands who can be given over."""
WORDS = {
    handover_pb2.HANDOVER_PERSON_STATE_LISTED: "listed",
    handover_pb2.HANDOVER_PERSON_STATE_PRESENT: "present",
    handover_pb2.HANDOVER_PERSON_STATE_DELIVERED: "given",
    handover_pb2.HANDOVER_PERSON_STATE_RECEIVED: "taken",
    handover_pb2.HANDOVER_PERSON_STATE_NOT_PRESENTED: "not_presented",
    handover_pb2.HANDOVER_PERSON_STATE_NOT_ACCEPTED: "not_accepted",
    handover_pb2.HANDOVER_PERSON_STATE_HELD_BACK_HEALTH: "held_health",
    handover_pb2.HANDOVER_PERSON_STATE_HELD_BACK_PROCEEDINGS: "held_court",
    handover_pb2.HANDOVER_PERSON_STATE_REMOVED: "off",
}
NUMBERS = {word: number for number, word in WORDS.items()}


def word(stage: int) -> str:
    """Return a statement as one word."""
    name = handover_pb2.HandoverStage.Name(stage)  # type: ignore[arg-type]  # a number of the enum
    return name.removeprefix("HANDOVER_STAGE_").lower()


def may_become(stage: str, before: str | None, now: str, *, releases: bool) -> bool:
    """Say whether a statement may put a person there, as a person would explain it."""
    if before == now:
        return True
    if now in {"taken", "not_accepted"}:
        return stage == "received" and before == "given"
    if stage == "delivered":
        return before in WAITING and now != "listed"
    prepared = before in {"listed", "held_health", "held_court"}
    if now == "listed":
        return stage == "proposed" and (before in {None, "off"} or prepared)
    if now == "off":
        return stage in {"proposed", "called_off"} and prepared
    return now.startswith("held") and stage == "proposed" and releases and prepared


class Handover(RuleBasedStateMachine):
    """A request that was accepted, and one hand-over of a few persons."""

    @initialize(releasing=st.sampled_from([ASKING, ASKED]))
    def accept(self, releasing: str) -> None:
        """Accept a request; either party may be the one that releases."""
        standing = requests.begin(request({"m1": NAMES}), asked=ASKED)
        self.standing = requests.advance(standing, update(requests.ACCEPT))
        self.releasing = releasing
        self.receiving = ASKING if releasing == ASKED else ASKED
        self.stage, self.proposer, self.when = "", "", 0
        self.places: dict[str, str] = {}
        self.seen: set[str] = set()
        self.ended = False

    @rule(
        data=st.data(),
        stage=st.sampled_from(STAGES),
        sender=st.sampled_from([ASKING, ASKED]),
        swapped=st.sampled_from([False] * 9 + [True]),
        when=st.sampled_from([NOW + HOUR] * 4 + [NOW + 2 * HOUR, NOW]),
        officers=st.sampled_from([2] * 9 + [1]),
        wild=st.booleans(),
    )
    def state(
        self,
        data: st.DataObject,
        stage: int,
        sender: str,
        when: int,
        officers: int,
        *,
        swapped: bool,
        wild: bool,
    ) -> None:
        """State anything on the hand-over."""
        persons = data.draw(self.lists(stage, wild=wild))
        self.say(stage, sender, persons, when, officers=officers, swapped=swapped)

    @rule(data=st.data(), sender=st.sampled_from([ASKING, ASKED]))
    def state_what_may_follow(self, data: st.DataObject, sender: str) -> None:
        """State what is likely to pass: so that every stage is reached often."""
        following = {
            "": ["proposed"],
            "proposed": ["agreed", "agreed", "proposed", "called_off"],
            "agreed": ["delivered"] * 5 + ["proposed", "called_off"],
            "delivered": ["received", "delivered"],
            "received": ["received", "delivered"],
            "called_off": ["proposed"],
        }[self.stage]
        said = data.draw(st.sampled_from(following))
        if said in {"delivered", "received"}:
            sender = self.releasing if said == "delivered" else self.receiving
        stage = handover_pb2.HandoverStage.Value(f"HANDOVER_STAGE_{said.upper()}")
        persons = data.draw(self.lists(stage, wild=False))
        if said == "agreed":
            persons = {name: at for name, at in self.places.items() if at == "listed"}
        self.say(stage, sender, persons, self.when or NOW + HOUR)

    @precondition(lambda self: self.places)
    @rule(data=st.data(), stage=st.sampled_from(STAGES), sender=st.sampled_from([ASKING, ASKED]))
    def try_one_person_anywhere(self, data: st.DataObject, stage: int, sender: str) -> None:
        """Try to put one person anywhere, and then do not: every move is compared often."""
        name = data.draw(st.sampled_from(sorted(self.places)))
        for at in NUMBERS:
            self.say(stage, sender, {name: at}, self.when, taken=False)

    @precondition(lambda self: self.stage)
    @rule(step=st.sampled_from([requests.WITHDRAW, requests.REFUSE]))
    def end(self, step: request_pb2.RequestStep.ValueType) -> None:
        """End the request: nobody may be on the way."""
        refusing = step == requests.REFUSE
        header = update(step, sender=ASKED if refusing else ASKING, grounds=[13] * refusing)

        found = self.judge(header)

        if self.ended:
            assert {procedure_pb2.OBSTACLE_KIND_WRONG_STATE} == found
        elif "given" in self.places.values():
            assert {procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE} == found
        elif set(self.places.values()) & {"taken", "not_accepted"} or self.stage == "called_off":
            # Only then is it ended here, or few hand-overs would come far.
            assert set() == found
            self.standing = requests.advance(self.standing, header)
            self.ended = True

    @invariant()
    def stands_as_the_model_says(self) -> None:
        """Stage, proposer and every person are those of the model."""
        if not self.stage:
            assert [] == list(self.standing.handovers)
            return
        (handover,) = self.standing.handovers
        found = {
            person: WORDS[group.state]
            for group in handover.persons
            for person in tags.unpack(group.persons)
        }

        assert self.stage == word(handover.stage)
        assert self.proposer == handover.proposing_agency
        assert (self.releasing, self.receiving) == (
            handover.releasing_agency,
            handover.receiving_agency,
        )
        assert {tag(name): at for name, at in self.places.items()} == found
        assert [] == wire.violations(self.standing)

    @invariant()
    def nobody_is_lost(self) -> None:
        """Whoever was ever listed stands somewhere, and is counted once."""
        counted = sum(
            count for one in self.standing.handovers for count in handovers.progress(one).values()
        )

        assert len(self.seen) == counted
        for one in self.standing.handovers:
            waited_for = {"listed", "present", "given"} & set(self.places.values())
            assert handovers.is_complete(one) == (
                self.stage in {"delivered", "received"} and not waited_for
            )

    @invariant()
    def nobody_is_left_on_the_way(self) -> None:
        """The steps that end a request are listed as open while nobody is on the way."""
        listed = {
            *requests.steps_open(self.standing, agency=ASKING),
            *requests.steps_open(self.standing, agency=ASKED),
        }
        ending = {requests.REFUSE, requests.WITHDRAW}

        may_end = not self.ended and "given" not in self.places.values()
        assert (ending if may_end else set()) == listed & ending

    @invariant()
    def strangers_state_nothing(self) -> None:
        """Whoever is no party of the request hears of no hand-over."""
        stage = handover_pb2.HANDOVER_STAGE_PROPOSED
        listed = {handover_pb2.HANDOVER_PERSON_STATE_LISTED: NAMES}

        assert {procedure_pb2.OBSTACLE_KIND_REQUEST_UNKNOWN} == self.judge(
            statement(stage, listed, sender=THIRD)
        )

    def lists(self, stage: int, *, wild: bool) -> st.SearchStrategy[dict[str, str]]:
        """Lists of persons: each where it may come to stand, or anywhere."""
        said = word(stage)
        known = [name for name in NAMES if self.places.get(name, "off") != "off"]
        if said == "received":
            known = [name for name in known if self.places[name] == "given"] or known

        def place(name: str) -> st.SearchStrategy[tuple[str, str]]:
            before = self.places.get(name)
            fitting = [at for at in NUMBERS if may_become(said, before, at, releases=True)]
            places = sorted(NUMBERS) if wild or not fitting else fitting
            return st.tuples(st.just(name), st.sampled_from(places))

        names = list(NAMES) if wild or said == "proposed" or not known else known
        chosen = st.lists(st.sampled_from(names), min_size=1, unique=True)
        return chosen.flatmap(lambda some: st.tuples(*map(place, some)).map(dict))

    def say(
        self,
        stage: int,
        sender: str,
        persons: dict[str, str],
        when: int,
        *,
        officers: int = 2,
        swapped: bool = False,
        taken: bool = True,
    ) -> None:
        """Make a statement, and compare what becomes of it with the model."""
        by_state: dict[handover_pb2.HandoverPersonState.ValueType, list[str]] = {}
        for name, at in persons.items():
            by_state.setdefault(NUMBERS[at], []).append(name)
        sides = (self.releasing, self.receiving)
        releasing, receiving = reversed(sides) if swapped else sides
        header = statement(
            stage,  # type: ignore[arg-type]  # a number of the enum
            by_state,
            sender=sender,
            releasing=releasing,
            receiving=receiving,
            when=when,
        )

        expected = self.expected(word(stage), sender, persons, when, swapped=swapped)
        if officers < 2 and not self.ended:
            expected.add(procedure_pb2.OBSTACLE_KIND_FOUR_EYES)
        found = self.judge(header, officers=officers)

        assert expected == found
        if taken and not expected:
            self.take(header, word(stage), persons)

    def judge(self, header: envelope_pb2.Header, *, officers: int = 2) -> set[int]:
        """Return what stands in the way."""
        found = requests.obstacles(
            self.standing,
            header,
            sender=header.sender,
            recipient=ASKED if header.sender == ASKING else ASKING,
            entry_time=NOW,
            signers=two_officers()[:officers],
        )
        return {one.kind for one in found}

    def expected(
        self, stage: str, sender: str, persons: dict[str, str], when: int, *, swapped: bool
    ) -> set[int]:
        """Return what the model finds in the way, signatures apart."""
        if self.ended:
            return {procedure_pb2.OBSTACLE_KIND_WRONG_STATE}
        if swapped and not self.stage and stage == "proposed":
            # The first statement says who releases; here that is settled beforehand.
            self.releasing, self.receiving = self.receiving, self.releasing
            swapped = False
        releases = sender == self.releasing
        in_turn = {
            "proposed": self.stage in {"", "proposed", "agreed"},
            "agreed": self.stage == "proposed" and sender != self.proposer and when == self.when,
            "delivered": self.stage in {"agreed", "delivered", "received"} and releases,
            "received": self.stage in {"delivered", "received"} and not releases,
            "called_off": self.stage in {"proposed", "agreed"},
        }[stage]
        if swapped or not in_turn:
            return {procedure_pb2.OBSTACLE_KIND_HANDOVER_STAGE}
        follows = all(
            may_become(stage, self.places.get(name), at, releases=releases)
            for name, at in persons.items()
        )
        changes = any(self.places.get(name) != at for name, at in persons.items())
        listed = {name for name, at in persons.items() if at == "listed"}
        whole = {
            "proposed": bool(listed),
            "agreed": not changes
            and listed == {name for name, at in self.places.items() if at == "listed"},
            "delivered": changes,
            "received": changes,
            "called_off": True,
        }[stage]
        if not (follows and whole):
            return {procedure_pb2.OBSTACLE_KIND_HANDOVER_PERSONS}
        if stage == "proposed" and when <= NOW:
            return {procedure_pb2.OBSTACLE_KIND_DATE_MISSING}
        return set()

    def take(self, header: envelope_pb2.Header, stage: str, persons: dict[str, str]) -> None:
        """Take a statement that nothing stands in the way of, here and in the model."""
        self.standing = requests.advance(self.standing, header)
        if stage == "proposed":
            self.places = {
                name: "off" if at == "listed" else at for name, at in self.places.items()
            }
        self.places.update(persons)
        self.seen |= persons.keys()
        self.stage = stage
        self.proposer = header.sender if stage == "proposed" else ""
        if stage == "proposed":
            self.when = header.update.handover.handover_time.ToNanoseconds()


TestHandover = Handover.TestCase
TestHandover.settings = settings(max_examples=60, stateful_step_count=20)
