"""Joint operations: who may take which step, and what a member may send within one to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from rogatory.assistance.v1 import operation_pb2, request_pb2
from rogatory.clock import to_timestamp
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures import contributions, operations
from rogatory.records.v1 import common_pb2

NOW = 1_790_000_000 * 10**9
UNTIL = NOW + 1000
LEAD, MEMBER, INVITED, LEFT, NOBODY = "aa.lead", "bb.member", "cc.asked", "dd.gone", "ee.nobody"
FOUNDING = common_pb2.MessageReference(
    sender=LEAD, message_id="01920000-0000-7000-8000-000000000000", header_digest=bytes(32)
)
INDICATORS = operation_pb2.CONTRIBUTION_KIND_INDICATORS
PERSONS = operation_pb2.CONTRIBUTION_KIND_PERSONS
REQUESTS = operation_pb2.CONTRIBUTION_KIND_REQUESTS
TAKEDOWNS = operation_pb2.CONTRIBUTION_KIND_TAKEDOWNS
FOUND, INVITE = envelope_pb2.OPERATION_STEP_FOUND, envelope_pb2.OPERATION_STEP_INVITE
JOIN, LEAVE = envelope_pb2.OPERATION_STEP_JOIN, envelope_pb2.OPERATION_STEP_LEAVE
REPORT, CLOSE = envelope_pb2.OPERATION_STEP_REPORT, envelope_pb2.OPERATION_STEP_CLOSE
Terms = Mapping[str, tuple[Sequence[int], Sequence[int]]]


def _terms(terms: Terms) -> list[envelope_pb2.MemberTerms]:
    return [
        envelope_pb2.MemberTerms(agency=agency, contributes=gives, receives=gets)  # type: ignore[arg-type]  # numbers of the enum
        for agency, (gives, gets) in terms.items()
    ]


def _step(
    step: envelope_pb2.OperationStep.ValueType,
    sender: str,
    *to: str,
    members: Sequence[str] = (),
    terms: Terms | None = None,
    parts: Sequence[codes_pb2.PartCategory.ValueType] = (),
    until: int | None = None,
) -> envelope_pb2.Header:
    header = envelope_pb2.Header(
        sender=sender,
        recipients=[envelope_pb2.Recipient(agency=agency) for agency in to],
        kind=codes_pb2.KIND_OPERATION,
        operation=None if step == FOUND else FOUNDING,
        operation_step=envelope_pb2.OperationParticulars(
            step=step, members=members, terms=_terms(terms or {})
        ),
        parts=[envelope_pb2.PartDescriptor(category=part) for part in parts],
    )
    if until is not None:
        header.operation_step.valid_until_time.CopyFrom(to_timestamp(until))
    return header


def _founding(*members: str, until: int = UNTIL) -> envelope_pb2.Header:
    terms: Terms = {member: ([INDICATORS], [INDICATORS, REQUESTS]) for member in members}
    return _step(FOUND, LEAD, *members, members=members, terms=terms, until=until)


def _within(header: envelope_pb2.Header) -> envelope_pb2.Header:
    """Return the header, as one that names the operation."""
    header.operation.CopyFrom(FOUNDING)
    return header


def _state() -> operations.OperationState:
    """Return an operation with a lead, a member, one invited and one that left."""
    state = operations.found(_founding(MEMBER, INVITED, LEFT), NOW)
    for agency in (MEMBER, LEFT):
        taken: Terms = {agency: ([INDICATORS], [INDICATORS, REQUESTS])}
        state = operations.step(state, _step(JOIN, agency, LEAD, terms=taken), NOW + 1)
    return operations.step(state, _step(LEAVE, LEFT, LEAD), NOW + 2)


def _message(
    sender: str,
    *parts: codes_pb2.PartCategory.ValueType,
    kind: codes_pb2.Kind.ValueType = codes_pb2.KIND_TRANSFER,
) -> envelope_pb2.Header:
    return envelope_pb2.Header(
        sender=sender,
        kind=kind,
        operation=FOUNDING,
        parts=[envelope_pb2.PartDescriptor(category=part) for part in parts],
    )


def _judge(
    header: envelope_pb2.Header,
    recipient: str,
    *,
    state: operations.OperationState | None = None,
    at: int = NOW + 10,
) -> list[tuple[str, str, int]]:
    """Return what stands in the way: kind, agency, contribution."""
    stands = operations.standing(state or _state(), sender=header.sender, recipient=recipient)
    return [
        (
            procedure_pb2.ObstacleKind.Name(found.kind).removeprefix("OBSTACLE_KIND_"),
            found.agency,
            found.contribution,
        )
        for found in operations.obstacles(
            stands, header, sender=header.sender, recipient=recipient, entry_time=at
        )
    ]


def _states(state: operations.OperationState) -> dict[str, str]:
    return {
        member.agency: procedure_pb2.MemberState.Name(member.state).removeprefix("MEMBER_STATE_")
        for member in state.members
    }


def test_an_operation_is_what_its_messages_say() -> None:
    """Founding, joining and leaving give each agency its state, in order of invitation."""
    state = _state()

    assert {LEAD: "LEAD", MEMBER: "MEMBER", INVITED: "INVITED", LEFT: "LEFT"} == _states(state)
    assert (LEAD, UNTIL, False) == (state.lead, state.valid_until, state.closed)


def test_a_founding_meets_no_obstacle() -> None:
    """A founding with terms for each member and an end ahead passes to each of them."""
    header = _founding(MEMBER, INVITED)

    against = operations.obstacles(
        None, header, sender=LEAD, recipient=MEMBER, entry_time=UNTIL - 1
    )

    assert [] == against


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"until": NOW}, [("DATE_MISSING", "", 0)]),
        ({"until": None}, [("DATE_MISSING", "", 0)]),
        ({"terms": {}}, [("NOT_MEMBER", MEMBER, 0)]),
        (
            {"terms": {MEMBER: ([], []), NOBODY: ([], [])}},
            [("NOT_MEMBER", NOBODY, 0)],
        ),
        (
            {"members": [MEMBER, LEAD], "terms": {MEMBER: ([], []), LEAD: ([], [])}},
            [],
        ),
        (
            {"members": [INVITED], "terms": {INVITED: ([], [])}},
            [("NOT_MEMBER", MEMBER, 0)],
        ),
        (
            {"parts": [codes_pb2.PART_CATEGORY_PERSON, codes_pb2.PART_CATEGORY_OPERATION]},
            [("MAY_NOT_RECEIVE", MEMBER, PERSONS)],
        ),
    ],
)
def test_a_founding_is_whole(change: dict[str, object], expected: list[object]) -> None:
    """It states an end ahead and terms for each member, goes to those, and shares no records."""
    said: dict[str, object] = {"members": [MEMBER], "terms": {MEMBER: ([], [])}, "until": UNTIL}
    header = _step(FOUND, LEAD, MEMBER, **{**said, **change})  # type: ignore[arg-type]  # cases above

    assert expected == _judge(header, MEMBER, at=NOW)


def test_a_founding_names_no_operation() -> None:
    """Nothing is founded within another operation."""
    header = _within(_founding(MEMBER))

    assert [("OPERATION_UNKNOWN", "", 0)] == _judge(header, MEMBER, at=NOW)


def test_only_who_was_reached_is_invited() -> None:
    """A member to whom the founding was refused is not invited."""
    state = operations.found(_founding(MEMBER, INVITED), NOW, reached=[INVITED])

    assert {LEAD: "LEAD", INVITED: "INVITED"} == _states(state)


@pytest.mark.parametrize(
    ("header", "recipient", "expected"),
    [
        # What each step is, to those it may go to.
        (_step(INVITE, LEAD, members=[NOBODY], terms={NOBODY: ([], [])}), NOBODY, []),
        (_step(INVITE, LEAD, members=[LEFT], terms={LEFT: ([], [])}), LEFT, []),
        (_step(INVITE, LEAD, members=[INVITED], terms={INVITED: ([], [])}), INVITED, []),
        (_step(INVITE, LEAD, members=[NOBODY], terms={NOBODY: ([], [])}), MEMBER, []),
        (_step(JOIN, INVITED), LEAD, []),
        (_step(JOIN, INVITED, terms={INVITED: ([], [REQUESTS])}), MEMBER, []),
        (_step(LEAVE, MEMBER), LEAD, []),
        (_step(REPORT, MEMBER), INVITED, []),
        (_step(REPORT, LEAD), MEMBER, []),
        (_step(CLOSE, LEAD), MEMBER, []),
        # By whom it may not be taken.
        (_step(INVITE, MEMBER), LEAD, [("NOT_LEAD", MEMBER, 0)]),
        (_step(CLOSE, MEMBER), LEAD, [("NOT_LEAD", MEMBER, 0)]),
        (_step(JOIN, MEMBER), LEAD, [("NOT_INVITED", MEMBER, 0)]),
        (_step(JOIN, LEFT), LEAD, [("NOT_INVITED", LEFT, 0)]),
        (_step(LEAVE, LEAD), MEMBER, [("NOT_MEMBER", LEAD, 0)]),
        (_step(LEAVE, INVITED), LEAD, [("NOT_MEMBER", INVITED, 0)]),
        (_step(REPORT, INVITED), LEAD, [("NOT_MEMBER", INVITED, 0)]),
        (_step(REPORT, LEFT), LEAD, [("NOT_MEMBER", LEFT, 0)]),
        (_step(REPORT, NOBODY), LEAD, [("OPERATION_UNKNOWN", "", 0)]),
        # To whom it may not go.
        (
            _step(INVITE, LEAD, members=[MEMBER], terms={MEMBER: ([], [])}),
            MEMBER,
            [("NOT_INVITED", MEMBER, 0)],
        ),
        (_step(REPORT, MEMBER), LEFT, [("NOT_MEMBER", LEFT, 0)]),
        (_step(REPORT, MEMBER), NOBODY, [("NOT_MEMBER", NOBODY, 0)]),
        # What it may not say.
        (_step(INVITE, LEAD, members=[NOBODY]), NOBODY, [("NOT_MEMBER", NOBODY, 0)]),
        (
            _step(JOIN, INVITED, terms={INVITED: ([PERSONS, INDICATORS], [PERSONS])}),
            LEAD,
            [("MAY_NOT_CONTRIBUTE", INVITED, PERSONS), ("MAY_NOT_RECEIVE", INVITED, PERSONS)],
        ),
        (
            _step(JOIN, INVITED, terms={MEMBER: ([], [])}),
            LEAD,
            [("NOT_MEMBER", MEMBER, 0)],
        ),
        (
            _step(REPORT, MEMBER, parts=[codes_pb2.PART_CATEGORY_PERSON]),
            INVITED,
            [("MAY_NOT_CONTRIBUTE", MEMBER, PERSONS), ("MAY_NOT_RECEIVE", INVITED, PERSONS)],
        ),
    ],
)
def test_steps(header: envelope_pb2.Header, recipient: str, expected: list[object]) -> None:
    """Each step is open to who may take it, towards those it concerns."""
    assert expected == _judge(header, recipient)


@pytest.mark.parametrize("closed", [False, True])
def test_reports_come_in_until_the_lead_closes(closed: bool) -> None:  # noqa: FBT001 - a case
    """After its end, an operation can still be reported to and closed, and after that neither."""
    state = _state()
    if closed:
        state = operations.step(state, _step(CLOSE, LEAD, MEMBER), UNTIL + 5)

    open_for = [
        name
        for name, header in (
            ("report", _step(REPORT, MEMBER)),
            ("close", _step(CLOSE, LEAD)),
            ("leave", _step(LEAVE, MEMBER)),
            ("join", _step(JOIN, INVITED)),
            ("send", _message(MEMBER, codes_pb2.PART_CATEGORY_INDICATOR)),
        )
        if [] == _judge(header, MEMBER if header.sender == LEAD else LEAD, state=state, at=UNTIL)
    ]

    assert ([] if closed else ["report", "close"]) == open_for


@pytest.mark.parametrize(
    ("header", "recipient", "expected"),
    [
        (_message(MEMBER, codes_pb2.PART_CATEGORY_INDICATOR), LEAD, []),
        (_message(LEAD, codes_pb2.PART_CATEGORY_INDICATOR), MEMBER, []),
        (_message(MEMBER, codes_pb2.PART_CATEGORY_CONTEXT), LEAD, []),
        (
            _message(MEMBER, codes_pb2.PART_CATEGORY_PERSON),
            LEAD,
            [("MAY_NOT_CONTRIBUTE", MEMBER, PERSONS)],
        ),
        (
            _message(LEAD, codes_pb2.PART_CATEGORY_PERSON),
            MEMBER,
            [("MAY_NOT_RECEIVE", MEMBER, PERSONS)],
        ),
        (
            _message(MEMBER, codes_pb2.PART_CATEGORY_INDICATOR),
            INVITED,
            [("NOT_MEMBER", INVITED, 0)],
        ),
        (_message(LEFT, codes_pb2.PART_CATEGORY_INDICATOR), LEAD, [("NOT_MEMBER", LEFT, 0)]),
        (_message(INVITED), LEAD, [("NOT_MEMBER", INVITED, 0)]),
        (_message(NOBODY), LEAD, [("OPERATION_UNKNOWN", "", 0)]),
    ],
)
def test_messages_within(
    header: envelope_pb2.Header, recipient: str, expected: list[object]
) -> None:
    """Members send and receive what their terms name, the lead everything, others nothing."""
    assert expected == _judge(header, recipient)


def test_a_takedown_is_a_request_and_a_takedown_order() -> None:
    """Who may receive requests gets no takedown orders with them."""
    header = _message(LEAD, codes_pb2.PART_CATEGORY_REQUEST, kind=codes_pb2.KIND_REQUEST)
    header.request.assistance_kind = request_pb2.ASSISTANCE_KIND_TAKEDOWN

    assert [("MAY_NOT_RECEIVE", MEMBER, TAKEDOWNS)] == _judge(header, MEMBER)


def test_a_message_passed_on_may_hold_anything() -> None:
    """Its header does not say what the original holds, so it takes every kind."""
    header = _message(MEMBER, codes_pb2.PART_CATEGORY_FORWARDED)

    missing = [kind for _, _, kind in _judge(header, LEAD)]

    assert [kind for kind in contributions.EVERY_KIND if kind != INDICATORS] == missing


@pytest.mark.parametrize(
    "kind",
    [
        codes_pb2.KIND_RECEIPT,
        codes_pb2.KIND_RECALL,
        codes_pb2.KIND_CORRECTION,
        codes_pb2.KIND_CONSENT,
    ],
)
def test_rights_do_not_depend_on_membership(kind: codes_pb2.Kind.ValueType) -> None:
    """Who left an operation that has ended can still recall, correct, consent and acknowledge."""
    assert [] == _judge(_message(LEFT, kind=kind), NOBODY, at=UNTIL)


def test_other_messages_are_not_judged() -> None:
    """A message that names no operation meets nothing here."""
    header = envelope_pb2.Header(sender=NOBODY, kind=codes_pb2.KIND_TRANSFER)

    assert [] == _judge(header, LEAD)


def test_every_category_is_mapped() -> None:
    """A new category has to be given what it contributes; until then it takes every kind."""
    listed = set(codes_pb2.PartCategory.values()) - {codes_pb2.PART_CATEGORY_UNSPECIFIED}

    assert listed == set(contributions.CONTRIBUTIONS)
    assert [*contributions.EVERY_KIND] == contributions.contributions([999])  # type: ignore[list-item]  # from a later schema


def test_who_was_never_invited_learns_nothing() -> None:
    """The standing towards a stranger is that of an operation that does not exist."""
    stands = operations.standing(_state(), sender=NOBODY, recipient=LEAD)

    assert operations.standing(None, sender=LEAD, recipient=MEMBER) == stands


def test_joining_takes_of_what_was_offered() -> None:
    """A member has what it took when it joined, since that entry time."""
    header = _step(JOIN, INVITED, LEAD, terms={INVITED: ([], [INDICATORS])})

    after = operations.step(_state(), header, NOW + 7)

    expected = procedure_pb2.MemberStanding(
        agency=INVITED,
        state=procedure_pb2.MEMBER_STATE_MEMBER,
        receives=[INDICATORS],
        state_time=to_timestamp(NOW + 7),
    )
    assert [expected] == operations.changed(_state(), after)


def test_who_left_can_be_invited_again_in_its_place() -> None:
    """A later invitation has its own terms, and the order of first invitation stays."""
    header = _step(INVITE, LEAD, LEFT, members=[LEFT], terms={LEFT: ([PERSONS], [])})

    after = operations.step(_state(), header, NOW + 7)

    assert [LEAD, MEMBER, INVITED, LEFT] == [*_states(after)]
    assert ("INVITED", [PERSONS]) == (
        _states(after)[LEFT],
        list(after.member(LEFT).contributes),
    )


@pytest.mark.parametrize(
    "header",
    [
        _step(INVITE, MEMBER, NOBODY, members=[NOBODY], terms={NOBODY: ([], [])}),
        _step(INVITE, LEAD, MEMBER, members=[MEMBER], terms={MEMBER: ([], [])}),
        _step(JOIN, NOBODY, LEAD),
        _step(LEAVE, LEAD, MEMBER),
        _step(CLOSE, MEMBER, LEAD),
        _step(REPORT, MEMBER, LEAD),
        _founding(NOBODY),
        _within(_founding(NOBODY)),
        _message(MEMBER),
    ],
)
def test_what_may_not_be_done_changes_nothing(header: envelope_pb2.Header) -> None:
    """An inadmissible step, and any other message, leaves the operation as it was."""
    assert _state() == operations.step(_state(), header, NOW + 10)


def test_members_now_are_those_inside() -> None:
    """The lead and the members, not who is only invited or has left."""
    assert [LEAD, MEMBER] == operations.members_now(_state().members)


def test_an_operation_is_addressed_by_what_each_may_receive() -> None:
    """The lead receives everything, a member what its terms name, the sender nothing."""
    members = _state().members

    indicators = [codes_pb2.PART_CATEGORY_INDICATOR, codes_pb2.PART_CATEGORY_CONTEXT]
    assert [LEAD, MEMBER] == operations.recipients_for(members, indicators)
    assert [MEMBER] == operations.recipients_for(members, indicators, sender=LEAD)
    assert [LEAD] == operations.recipients_for(
        members,
        [codes_pb2.PART_CATEGORY_REQUEST],
        assistance_kind=request_pb2.ASSISTANCE_KIND_TAKEDOWN,
    )


def test_a_decision_holds_all_obstacles() -> None:
    """However much is wrong, there are no more obstacles than a decision can hold."""
    members = [f"zz.m{number}" for number in range(64)]
    header = _step(FOUND, LEAD, members=members)

    assert operations.MAX_OBSTACLES == len(_judge(header, MEMBER))
