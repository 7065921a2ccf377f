"""Joint operations, their boards and what is passed on, whatever anyone tries in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rogatory.assistance.v1 import operation_pb2
from rogatory.clock import to_timestamp
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import forwards, operations
from rogatory.procedures.board import Board
from rogatory.records.v1 import common_pb2

CASES = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
START = 1_790_000_000 * 10**9
LEAD = "aa.lead"
AGENCIES = (LEAD, "bb.one", "cc.two", "dd.three")
FOUNDING = common_pb2.MessageReference(
    sender=LEAD, message_id="01920000-0000-7000-8000-000000000000", header_digest=bytes(32)
)
INDICATORS = operation_pb2.CONTRIBUTION_KIND_INDICATORS
PERSONS = operation_pb2.CONTRIBUTION_KIND_PERSONS
CARRIES = {
    codes_pb2.PART_CATEGORY_CONTEXT: None,
    codes_pb2.PART_CATEGORY_INDICATOR: INDICATORS,
    codes_pb2.PART_CATEGORY_PERSON: PERSONS,
}
FOUND, INVITE = envelope_pb2.OPERATION_STEP_FOUND, envelope_pb2.OPERATION_STEP_INVITE
JOIN, LEAVE = envelope_pb2.OPERATION_STEP_JOIN, envelope_pb2.OPERATION_STEP_LEAVE
REPORT, CLOSE = envelope_pb2.OPERATION_STEP_REPORT, envelope_pb2.OPERATION_STEP_CLOSE

agencies = st.sampled_from(AGENCIES)
some_agencies = st.lists(agencies, min_size=1, max_size=3, unique=True)
kinds = st.sets(st.sampled_from((INDICATORS, PERSONS)))
some_terms = st.dictionaries(agencies, st.tuples(kinds, kinds), max_size=4)
categories = st.lists(st.sampled_from(list(CARRIES)), max_size=2, unique=True)


@dataclass
class _Model:
    """An operation, in the plainest way there is to say it."""

    until: int
    closed: bool = False
    is_: dict[str, str] = field(default_factory=dict)
    gives: dict[str, set[Any]] = field(default_factory=dict)
    gets: dict[str, set[Any]] = field(default_factory=dict)

    def inside(self, agency: str) -> bool:
        return self.is_.get(agency) in {"LEAD", "MEMBER"}

    def may_send(
        self, sender: str, recipient: str, parts: Iterable[codes_pb2.PartCategory.ValueType]
    ) -> bool:
        carried = {CARRIES[part] for part in parts} - {None}
        may_give = self.is_.get(sender) == "LEAD" or (
            self.is_.get(sender) == "MEMBER" and carried <= self.gives[sender]
        )
        may_get = self.is_.get(recipient) == "LEAD" or (
            self.is_.get(recipient) == "MEMBER" and carried <= self.gets[recipient]
        )
        return not carried or (may_give and may_get)

    def may(self, header: envelope_pb2.Header, recipient: str, now: int) -> bool:
        sender, said = header.sender, header.operation_step
        parts = [part.category for part in header.parts]
        running = now < self.until and not self.closed
        terms = {terms.agency: terms for terms in said.terms}
        hears = self.inside(recipient) or self.is_.get(recipient) == "INVITED"
        allowed = sender in self.is_ and self.may_send(sender, recipient, parts)
        if header.kind != codes_pb2.KIND_OPERATION:
            return allowed and running and self.inside(sender) and self.inside(recipient)
        if said.step == INVITE:
            new = recipient in said.members and not self.inside(recipient)
            told = recipient not in said.members and hears
            whole = set(terms) == set(said.members)
            return allowed and running and sender == LEAD and whole and (new or told)
        if said.step == JOIN:
            taken = terms.get(sender, envelope_pb2.MemberTerms())
            within = set(terms) <= {sender} and (
                set(taken.contributes) <= self.gives.get(sender, set())
                and set(taken.receives) <= self.gets.get(sender, set())
            )
            invited = self.is_.get(sender) == "INVITED"
            return allowed and running and invited and within and hears
        if said.step == LEAVE:
            return allowed and running and self.is_.get(sender) == "MEMBER" and hears
        if said.step == REPORT:
            return allowed and not self.closed and self.inside(sender) and hears
        return allowed and not self.closed and sender == LEAD and hears

    def take(self, header: envelope_pb2.Header, reached: Sequence[str]) -> None:
        sender, said = header.sender, header.operation_step
        terms = {terms.agency: terms for terms in said.terms}
        if header.kind != codes_pb2.KIND_OPERATION:
            return
        if said.step in {FOUND, INVITE}:
            for agency in said.members:
                if agency in reached and not self.inside(agency):
                    self.is_[agency] = "INVITED"
                    self.gives[agency] = set(terms[agency].contributes)
                    self.gets[agency] = set(terms[agency].receives)
        elif said.step == JOIN:
            taken = terms.get(sender, envelope_pb2.MemberTerms())
            self.is_[sender] = "MEMBER"
            self.gives[sender] = set(taken.contributes)
            self.gets[sender] = set(taken.receives)
        elif said.step == LEAVE:
            self.is_[sender] = "LEFT"
            self.gives[sender] = self.gets[sender] = set()
        elif said.step == CLOSE:
            self.closed = True


def _header(
    sender: str,
    recipients: Sequence[str],
    *,
    kind: codes_pb2.Kind.ValueType = codes_pb2.KIND_OPERATION,
    step: envelope_pb2.OperationStep.ValueType = envelope_pb2.OPERATION_STEP_UNSPECIFIED,
    members: Sequence[str] = (),
    terms: dict[str, tuple[set[Any], set[Any]]] | None = None,
    parts: Iterable[codes_pb2.PartCategory.ValueType] = (),
    until: int | None = None,
) -> envelope_pb2.Header:
    is_step = kind == codes_pb2.KIND_OPERATION
    header = envelope_pb2.Header(
        sender=sender,
        recipients=[envelope_pb2.Recipient(agency=agency) for agency in recipients],
        kind=kind,
        operation=None if step == FOUND else FOUNDING,
        parts=[envelope_pb2.PartDescriptor(category=part) for part in parts],
        operation_step=envelope_pb2.OperationParticulars(
            step=step,
            members=members,
            terms=[
                envelope_pb2.MemberTerms(
                    agency=agency, contributes=sorted(gives), receives=sorted(gets)
                )
                for agency, (gives, gets) in (terms or {}).items()
            ],
        )
        if is_step
        else None,
    )
    if until is not None:
        header.operation_step.valid_until_time.CopyFrom(to_timestamp(until))
    return header


class Operations(RuleBasedStateMachine):
    """One operation, and agencies that try anything with it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.model = _Model(until=START)
        self.state = operations.OperationState(lead=LEAD, valid_until=START)
        self.history: list[tuple[envelope_pb2.Header, int, list[str]]] = []

    @initialize(
        offers=st.dictionaries(
            st.sampled_from(AGENCIES[1:]), st.tuples(kinds, kinds), min_size=1, max_size=3
        ),
        runs=st.integers(5, 40),
    )
    def found(self, offers: dict[str, tuple[set[Any], set[Any]]], runs: int) -> None:
        """The lead founds it."""
        until = self.now + runs
        header = _header(LEAD, [*offers], step=FOUND, members=[*offers], terms=offers, until=until)
        for agency in offers:
            assert [] == operations.obstacles(
                None, header, sender=LEAD, recipient=agency, entry_time=self.now
            )
        self.history.append((header, self.now, [*offers]))
        self.state = operations.found(header, self.now)
        self.model = _Model(until=until, is_={LEAD: "LEAD"})
        self.model.take(header, [*offers])

    @rule(by=st.integers(1, 8))
    def wait(self, by: int) -> None:
        """Time passes."""
        self.now += by

    @rule(to=some_agencies, members=some_agencies, terms=some_terms, sloppy=st.booleans())
    def invite(
        self,
        to: list[str],
        members: list[str],
        terms: dict[str, tuple[set[Any], set[Any]]],
        sloppy: bool,  # noqa: FBT001 - drawn
    ) -> None:
        """The lead invites, with terms for each or for whomever."""
        whole = {agency: terms.get(agency, (set(), {INDICATORS})) for agency in members}
        self._try(_header(LEAD, to, step=INVITE, members=members, terms=terms if sloppy else whole))

    @rule(sender=agencies, to=some_agencies, parts=categories)
    def join_as_offered(
        self, sender: str, to: list[str], parts: list[codes_pb2.PartCategory.ValueType]
    ) -> None:
        """Somebody joins on the terms it knows of, perhaps sending records at once."""
        offer = self.state.member(sender)
        terms = {sender: (set(offer.contributes), set(offer.receives))}
        parts = [] if len(to) > 1 else parts
        self._try(_header(sender, [LEAD, *to], step=JOIN, terms=terms, parts=parts))

    @rule(
        step=st.sampled_from((INVITE, JOIN, LEAVE, REPORT, REPORT, CLOSE)),
        sender=agencies,
        to=some_agencies,
        members=some_agencies,
        terms=some_terms,
        parts=categories,
    )
    def anything(
        self,
        *,
        step: envelope_pb2.OperationStep.ValueType,
        sender: str,
        to: list[str],
        members: list[str],
        terms: dict[str, tuple[set[Any], set[Any]]],
        parts: list[codes_pb2.PartCategory.ValueType],
    ) -> None:
        """Somebody takes some step, allowed or not."""
        self._try(_header(sender, to, step=step, members=members, terms=terms, parts=parts))

    @rule(sender=agencies, to=some_agencies, parts=categories)
    def send(
        self, sender: str, to: list[str], parts: list[codes_pb2.PartCategory.ValueType]
    ) -> None:
        """Somebody sends records within it."""
        self._try(_header(sender, to, kind=codes_pb2.KIND_TRANSFER, parts=parts))

    @rule(sender=agencies, to=agencies)
    def take_back(self, sender: str, to: str) -> None:
        """A recall passes whatever its sender is to the operation."""
        header = _header(sender, [to], kind=codes_pb2.KIND_RECALL)
        stands = operations.standing(self.state, sender=sender, recipient=to)
        assert [] == operations.obstacles(
            stands, header, sender=sender, recipient=to, entry_time=self.now
        )

    @invariant()
    def stands_as_the_model_says(self) -> None:
        """Members, terms and state are those of the model."""
        stands = {
            member.agency: (
                procedure_pb2.MemberState.Name(member.state).removeprefix("MEMBER_STATE_"),
                set(member.contributes),
                set(member.receives),
            )
            for member in self.state.members
        }
        none: set[Any] = set()
        expected = {
            agency: (is_, self.model.gives.get(agency, none), self.model.gets.get(agency, none))
            for agency, is_ in self.model.is_.items()
        }
        assert expected == stands
        assert self.model.closed == self.state.closed

    @invariant()
    def follows_from_the_messages(self) -> None:
        """Whoever has the admitted messages gets the same state."""
        again = None
        for header, entry_time, reached in self.history:
            if again is None:
                again = operations.found(header, entry_time, reached=reached)
            else:
                again = operations.step(again, header, entry_time, reached=reached)
        assert again is None or again == self.state

    @invariant()
    def is_addressed_to_who_may_receive(self) -> None:
        """A message of the lead to those whom the library names meets no obstacle."""
        if self.model.closed or self.now >= self.model.until:
            return
        parts = [codes_pb2.PART_CATEGORY_PERSON, codes_pb2.PART_CATEGORY_INDICATOR]
        header = _header(LEAD, AGENCIES, kind=codes_pb2.KIND_TRANSFER, parts=parts)
        reached = [agency for agency in AGENCIES[1:] if not self._against(header, agency)]
        named = operations.recipients_for(self.state.members, parts, sender=LEAD)
        assert sorted(reached) == sorted(named)

    def _against(self, header: envelope_pb2.Header, recipient: str) -> list[procedure_pb2.Obstacle]:
        sender = header.sender
        stands = operations.standing(self.state, sender=sender, recipient=recipient)
        return operations.obstacles(
            stands, header, sender=sender, recipient=recipient, entry_time=self.now
        )

    def _try(self, header: envelope_pb2.Header) -> None:
        """Let the message in for whom it may reach, in library and model."""
        reached = []
        for agency in dict.fromkeys(recipient.agency for recipient in header.recipients):
            against = self._against(header, agency)
            assert self.model.may(header, agency, self.now) == (not against), against
            if not against:
                reached.append(agency)
        after = operations.step(self.state, header, self.now, reached=reached)
        if not reached:
            assert after == self.state
            return
        self.history.append((header, self.now, reached))
        self.state = after
        self.model.take(header, reached)


TestOperations = Operations.TestCase
TestOperations.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[*HealthCheck]
)


members = st.sampled_from(AGENCIES[:3])
result_kinds = st.sampled_from(
    (
        operation_pb2.RESULT_KIND_ARREST,
        operation_pb2.RESULT_KIND_DATA_SECURED,
        operation_pb2.RESULT_KIND_ASSET_SEIZED,
    )
)


@st.composite
def results(draw: st.DrawFn) -> operation_pb2.OperationResult:
    """A few items, reported or taken back."""
    items = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4))
    amounts = st.integers(-5, 999).map(str)
    return operation_pb2.OperationResult(
        kind=draw(result_kinds),
        item_ids=items,
        retract=draw(st.integers(0, 2)) == 0,
        item_bytes=[draw(st.integers(0, 9)) for _ in items],
        item_values=[common_pb2.Amount(value=draw(amounts), currency="EUR") for _ in items],
        result_time=draw(st.none() | st.integers(0, 3).map(lambda day: to_timestamp(day * DAY))),
    )


DAY = 86_400 * 10**9
Reported = tuple[str, int, int, operation_pb2.OperationUpdate]


@st.composite
def report_lists(draw: st.DrawFn) -> list[Reported]:
    """Reports in order of entry: member, entry time, index, content."""
    made, entry_time = [], START
    for index in range(draw(st.integers(0, 8))):
        entry_time += draw(st.sampled_from((0, 1, DAY)))
        update = operation_pb2.OperationUpdate(
            results=draw(st.lists(results(), min_size=1, max_size=3))
        )
        made.append((draw(members), entry_time, index, update))
    return made


def _board(reports: Iterable[Reported]) -> Board:
    board = Board()
    for member, entry_time, index, update in reports:
        message = common_pb2.MessageReference(
            sender=member,
            message_id=f"01920000-0000-7000-8000-{index:012d}",
            header_digest=bytes(32),
        )
        board.add(member, entry_time, message, update, index=index)
    return board


@CASES
@given(report_lists(), st.randoms(use_true_random=False))
def test_a_board_is_the_same_in_any_order(reports: list[Reported], random: Any) -> None:  # noqa: ANN401 - hypothesis names no type
    """Reports added in any order, some of them twice, and added up in between give one board."""
    board = _board(reports)

    shuffled = reports + random.choices(reports, k=3) if reports else []
    random.shuffle(shuffled)
    again = _board(shuffled[:4])
    again.to_dict()
    for report in shuffled[4:]:
        for message in _board([report]).reports():
            again.add(report[0], report[1], message, report[3], index=report[2])

    assert (board.to_dict(), board.table()) == (again.to_dict(), again.table())


@CASES
@given(report_lists())
def test_a_board_counts_what_some_member_still_reports(reports: list[Reported]) -> None:
    """An item counts where the last word of at least one member on it is a report."""
    last: dict[tuple[int, str, str], bool] = {}
    for member, _, _, update in reports:
        for result in update.results:
            for item in result.item_ids:
                last[result.kind, item, member] = not result.retract

    board = _board(reports)

    stands = {(kind, item) for (kind, item, _), reported in last.items() if reported}
    for line in board.results():
        own = dict.fromkeys(AGENCIES, 0)
        for (kind, _, member), reported in last.items():
            own[member] += kind == line.kind and reported
        assert sum(1 for kind, _ in stands if kind == line.kind) == line.total
        assert line.total == board.total(line.kind) == sum(line.days.values())
        assert {member: count for member, count in own.items() if count} == line.members


@CASES
@given(report_lists())
def test_a_board_is_empty_after_everybody_took_everything_back(reports: list[Reported]) -> None:
    """Retracting all that was reported leaves no count, volume or value."""
    undone = []
    for member, entry_time, index, update in reports:
        retraction = operation_pb2.OperationUpdate()
        retraction.CopyFrom(update)
        for result in retraction.results:
            result.retract = True
        undone.append((member, entry_time + 100 * DAY, index + 1000, retraction))

    board = _board([*reports, *undone])

    assert 0 == sum(line.total for line in board.results())
    assert (0, {}) == (board.data_bytes(), board.asset_values())


offences = st.lists(st.sampled_from(("07", "0701", "070101", "06")), max_size=2, unique=True)
limits = st.lists(st.integers(0, 2), max_size=2, unique=True)


@st.composite
def handlings(draw: st.DrawFn) -> envelope_pb2.Handling:
    """Any handling."""
    return envelope_pb2.Handling(
        tlp=draw(st.integers(1, 5)),  # type: ignore[arg-type]  # numbers of the enum
        onward_transfer=draw(st.integers(1, 3)),  # type: ignore[arg-type]  # likewise
        evidential_use=draw(st.integers(1, 3)),  # type: ignore[arg-type]  # likewise
        siena_codes=draw(st.lists(st.integers(1, 4), max_size=2, unique=True)),  # type: ignore[arg-type]  # likewise
        speciality_offences=draw(offences),
    )


@st.composite
def consents(draw: st.DrawFn) -> procedure_pb2.ConsentStanding:
    """A consent, limited or not, over or not."""
    ends = draw(st.sampled_from((None, START, START + 1)))
    return procedure_pb2.ConsentStanding(
        scope=draw(st.integers(1, 3)),  # type: ignore[arg-type]  # numbers of the enum
        valid_until_time=None if ends is None else to_timestamp(ends),
        agencies=draw(st.lists(agencies, max_size=1)),
        offences=draw(offences),
        parts=draw(limits),
    )


@st.composite
def passed_on(draw: st.DrawFn) -> tuple[procedure_pb2.ForwardStanding, envelope_pb2.Header]:
    """An original, and a message that passes it on."""
    original = forwards.effective(envelope_pb2.Header(handling=draw(handlings())), message=FOUNDING)
    original.held = True
    header = envelope_pb2.Header(
        sender=AGENCIES[1],
        kind=codes_pb2.KIND_TRANSFER,
        purpose=draw(st.sampled_from((2, 3))),  # type: ignore[arg-type]  # numbers of the enum
        offences=draw(offences),
        handling=draw(handlings()),
        forwards=[FOUNDING],
        parts=[
            envelope_pb2.PartDescriptor(
                category=codes_pb2.PART_CATEGORY_FORWARDED,
                facts=envelope_pb2.PartFacts(present_parts=draw(limits)),
            )
        ],
    )
    return original, header


def _in_the_way(
    standing: procedure_pb2.ForwardStanding,
    header: envelope_pb2.Header,
    given_: Iterable[procedure_pb2.ConsentStanding],
) -> set[tuple[int, int]]:
    judged = procedure_pb2.ForwardStanding()
    judged.CopyFrom(standing)
    judged.consents.extend(given_)
    found = forwards.obstacles([judged], header, recipient=AGENCIES[2], entry_time=START)
    return {(obstacle.kind, obstacle.consent_scope) for obstacle in found}


@CASES
@given(passed_on(), st.lists(consents(), max_size=3), consents())
def test_more_consent_never_adds_an_obstacle(
    message: tuple[procedure_pb2.ForwardStanding, envelope_pb2.Header],
    some: list[procedure_pb2.ConsentStanding],
    more: procedure_pb2.ConsentStanding,
) -> None:
    """What one consent opens no other closes."""
    assert _in_the_way(*message, [*some, more]) <= _in_the_way(*message, some)


@CASES
@given(passed_on(), st.lists(consents(), max_size=4))
def test_a_consent_counts_for_nothing_after_its_end(
    message: tuple[procedure_pb2.ForwardStanding, envelope_pb2.Header],
    some: list[procedure_pb2.ConsentStanding],
) -> None:
    """From its end on a consent is as good as none."""
    running = [
        consent
        for consent in some
        if not consent.HasField("valid_until_time") or consent.valid_until_time.nanos > 0
    ]

    assert _in_the_way(*message, running) == _in_the_way(*message, some)


@CASES
@given(passed_on())
def test_what_may_be_passed_on_is_passed_on_under_its_own_label(
    message: tuple[procedure_pb2.ForwardStanding, envelope_pb2.Header],
) -> None:
    """Under the original's own handling nothing is ever too lax."""
    original, header = message
    header.handling.CopyFrom(
        envelope_pb2.Handling(
            tlp=original.tlp,
            onward_transfer=original.onward_transfer,
            evidential_use=original.evidential_use,
            siena_codes=original.siena_codes,
            speciality_offences=original.speciality_offences,
        )
    )

    found = _in_the_way(original, header, [])

    assert (procedure_pb2.OBSTACLE_KIND_HANDLING_LAXER, 0) not in found
