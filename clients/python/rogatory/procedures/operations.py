"""Joint operations: who may take which step, and what a member may send within one to whom.

An operation is the founding message and what followed it: nobody edits it. Whoever has the messages
gets the same state from `found` and `step`; the gateway keeps that state and asks `obstacles`
before it admits anything.

1. Founding, inviting and closing are the lead's; joining is for who was invited, and takes of what
   was offered; a member may leave, and so do later invitations begin anew.
2. Within an operation the lead may send and receive everything, a member what its terms name. An
   empty list names nothing. Context, acknowledgements, consent, corrections and the operation's own
   documents run it and are free. A message passed on may hold anything, so it takes every kind.
3. Terms only narrow: each message also needs its agreement.
4. When an operation has ended, results may still be reported until the lead closes it.
5. Receipts, recalls, corrections and consents are never stopped here: a right to take something
   back must not depend on who is a member.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from rogatory.assistance.v1 import operation_pb2, request_pb2
from rogatory.clock import to_nanoseconds, to_timestamp
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.procedures.contributions import Contribution, contributions
from rogatory.records.v1 import common_pb2

MAX_OBSTACLES = 64
"""As many as a decision holds."""

_STOPPED_NEVER = frozenset(
    {
        codes_pb2.KIND_RECEIPT,
        codes_pb2.KIND_RECALL,
        codes_pb2.KIND_CORRECTION,
        codes_pb2.KIND_CONSENT,
        codes_pb2.KIND_GOVERNANCE,
    }
)
_UNTIL_CLOSED = frozenset({envelope_pb2.OPERATION_STEP_REPORT, envelope_pb2.OPERATION_STEP_CLOSE})
_LEADS = frozenset({envelope_pb2.OPERATION_STEP_INVITE, envelope_pb2.OPERATION_STEP_CLOSE})
_NOTHING = procedure_pb2.MEMBER_STATE_UNSPECIFIED
_INVITED = procedure_pb2.MEMBER_STATE_INVITED
_MEMBER = procedure_pb2.MEMBER_STATE_MEMBER
_LEAD = procedure_pb2.MEMBER_STATE_LEAD
_LEFT = procedure_pb2.MEMBER_STATE_LEFT
_INSIDE = frozenset({_MEMBER, _LEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationState:
    """A joint operation as it stands after some of its messages.

    Attributes:
        lead: Agency id of the founder.
        valid_until: Entry time in nanoseconds from which on it has ended.
        closed: Whether the lead closed it.
        members: The lead, then who was ever invited, in order of first invitation; not to be
            changed.
        founding: The founding message, where the caller said which it is.
    """

    lead: str
    valid_until: int
    closed: bool = False
    members: tuple[procedure_pb2.MemberStanding, ...] = ()
    founding: common_pb2.MessageReference | None = None

    def member(self, agency: str) -> procedure_pb2.MemberStanding:
        """Return how an agency stands; with no state where it is nothing to the operation."""
        for standing_ in self.members:
            if standing_.agency == agency:
                return standing_
        return procedure_pb2.MemberStanding(agency=agency)


def obstacles(
    standing: procedure_pb2.OperationStanding | None,
    header: envelope_pb2.Header,
    *,
    sender: str,
    recipient: str,
    entry_time: int,
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way of a message as part of an operation, the first one foremost.

    Args:
        standing: How the operation stands that the header names; not looked at when founding one.
        header: Of any kind; one that neither names an operation nor is of kind OPERATION meets no
            obstacle here.
        sender: Agency id.
        recipient: Agency id of the recipient that is judged for.
        entry_time: In nanoseconds since the epoch.

    Returns:
        At most `MAX_OBSTACLES`; none: it may pass.
    """
    is_step = header.kind == codes_pb2.KIND_OPERATION
    if header.kind in _STOPPED_NEVER or not (is_step or header.HasField("operation")):
        return []
    if is_step and header.operation_step.step == envelope_pb2.OPERATION_STEP_FOUND:
        against = _founding(header, entry_time=entry_time)
        if recipient not in header.operation_step.members:
            against.append(_obstacle("NOT_MEMBER", agency=recipient))
        against.extend(_receiving(header, procedure_pb2.MemberStanding(agency=recipient)))
        return against[:MAX_OBSTACLES]
    if standing is None or not standing.known or not header.HasField("operation"):
        return [_obstacle("OPERATION_UNKNOWN", message=header.operation)]
    against = _of_sender(standing, header, sender=sender, entry_time=entry_time)
    against.extend(_of_recipient(standing, header, recipient=recipient))
    return against[:MAX_OBSTACLES]


def found(
    header: envelope_pb2.Header,
    entry_time: int,
    *,
    reached: Collection[str] | None = None,
    founding: common_pb2.MessageReference | None = None,
) -> OperationState:
    """Return the operation that an admitted FOUND message founds.

    Args:
        header: Of the message.
        entry_time: In nanoseconds since the epoch.
        reached: Recipients towards whom it was admitted: who was not reached is not invited. None:
            all of the header's.
        founding: Reference to the message, to be kept in the state.
    """
    since = to_timestamp(entry_time)
    lead = procedure_pb2.MemberStanding(agency=header.sender, state=_LEAD, state_time=since)
    state = OperationState(
        lead=header.sender,
        valid_until=to_nanoseconds(header.operation_step.valid_until_time),
        members=(lead,),
        founding=founding,
    )
    return _invite(state, header, entry_time, reached)


def step(
    state: OperationState,
    header: envelope_pb2.Header,
    entry_time: int,
    *,
    reached: Collection[str] | None = None,
) -> OperationState:
    """Return the operation after an admitted message; as it was where the message changes nothing.

    What the sender may not do changes nothing either, so that any messages, in order of entry, give
    one state.

    Args:
        state: Before it.
        header: Of the message; it names this operation.
        entry_time: In nanoseconds since the epoch.
        reached: Recipients towards whom it was admitted; None: all of the header's.
    """
    sender = header.sender
    is_step = header.kind == codes_pb2.KIND_OPERATION and header.HasField("operation")
    if not is_step or (reached is not None and not reached):
        return state
    particulars = header.operation_step
    if particulars.step == envelope_pb2.OPERATION_STEP_FOUND:
        return state
    stands = standing(state, sender=sender, recipient=sender)
    if not stands.known or _of_sender(stands, header, sender=sender, entry_time=entry_time):
        return state
    if particulars.step == envelope_pb2.OPERATION_STEP_INVITE:
        return _invite(state, header, entry_time, reached)
    if particulars.step == envelope_pb2.OPERATION_STEP_CLOSE:
        return replace(state, closed=True)
    changed_ = procedure_pb2.MemberStanding(agency=sender, state_time=to_timestamp(entry_time))
    if particulars.step == envelope_pb2.OPERATION_STEP_JOIN:
        changed_.state = _MEMBER
        for taken in particulars.terms:
            changed_.contributes.extend(taken.contributes)
            changed_.receives.extend(taken.receives)
        return _with_member(state, changed_)
    if particulars.step == envelope_pb2.OPERATION_STEP_LEAVE:
        changed_.state = _LEFT
        return _with_member(state, changed_)
    return state


def changed(
    before: OperationState | None, after: OperationState
) -> list[procedure_pb2.MemberStanding]:
    """Return how those stand whose standing a step changed, in order of first invitation."""
    known = {} if before is None else {member.agency: member for member in before.members}
    return [member for member in after.members if known.get(member.agency) != member]


def standing(
    state: OperationState | None, *, sender: str, recipient: str
) -> procedure_pb2.OperationStanding:
    """Return how an operation stands towards sender and recipient.

    Args:
        state: The operation; None: there is none.
        sender: Agency id. Whom it never invited learns nothing of it, not even that there is one.
        recipient: Agency id.
    """
    if state is None or state.member(sender).state == _NOTHING:
        return procedure_pb2.OperationStanding()
    return procedure_pb2.OperationStanding(
        known=True,
        lead=state.lead,
        valid_until_time=to_timestamp(state.valid_until),
        closed=state.closed,
        sender=state.member(sender),
        recipient=state.member(recipient),
    )


def members_now(members: Iterable[procedure_pb2.MemberStanding]) -> list[str]:
    """Return the lead and who has joined and not left, in the order given."""
    return [member.agency for member in members if member.state in _INSIDE]


def recipients_for(
    members: Iterable[procedure_pb2.MemberStanding],
    categories: Collection[codes_pb2.PartCategory.ValueType],
    *,
    sender: str = "",
    assistance_kind: request_pb2.AssistanceKind.ValueType = (
        request_pb2.ASSISTANCE_KIND_UNSPECIFIED
    ),
) -> list[str]:
    """Return whom a message to the operation reaches: those who may receive all of it now.

    Args:
        members: How each stands.
        categories: Of the message's parts.
        sender: Agency id, which is left out.
        assistance_kind: Of a request.

    Returns:
        Agency ids, in the order given.
    """
    wanted = contributions(categories, assistance_kind=assistance_kind)
    return [
        member.agency
        for member in members
        if member.agency != sender
        and (
            member.state == _LEAD
            or (member.state == _MEMBER and set(wanted) <= set(member.receives))
        )
    ]


def _founding(header: envelope_pb2.Header, *, entry_time: int) -> list[procedure_pb2.Obstacle]:
    against = []
    if header.HasField("operation"):
        # An operation is founded once, and by itself.
        against.append(_obstacle("OPERATION_UNKNOWN", message=header.operation))
    until = to_nanoseconds(header.operation_step.valid_until_time)
    if until <= entry_time:
        against.append(_obstacle("DATE_MISSING"))
    return against + _without_terms(header.operation_step)


def _of_sender(
    standing_: procedure_pb2.OperationStanding,
    header: envelope_pb2.Header,
    *,
    sender: str,
    entry_time: int,
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way whoever the recipient is."""
    is_step = header.kind == codes_pb2.KIND_OPERATION
    taken = header.operation_step.step if is_step else envelope_pb2.OPERATION_STEP_UNSPECIFIED
    against = []
    ended = to_nanoseconds(standing_.valid_until_time) <= entry_time and taken not in _UNTIL_CLOSED
    if standing_.closed or ended:
        against.append(_obstacle("OPERATION_ENDED", message=header.operation))
    state = standing_.sender.state
    if taken in _LEADS:
        if state != _LEAD:
            against.append(_obstacle("NOT_LEAD", agency=sender))
    elif taken == envelope_pb2.OPERATION_STEP_JOIN:
        if state != _INVITED:
            against.append(_obstacle("NOT_INVITED", agency=sender))
    elif state not in _INSIDE or (taken == envelope_pb2.OPERATION_STEP_LEAVE and state == _LEAD):
        # The lead can't leave: it closes the operation.
        against.append(_obstacle("NOT_MEMBER", agency=sender))
    if against:
        return against
    if taken == envelope_pb2.OPERATION_STEP_INVITE:
        return _without_terms(header.operation_step)
    if taken == envelope_pb2.OPERATION_STEP_JOIN:
        against += _beyond_offer(standing_.sender, header.operation_step, sender=sender)
    if state == _LEAD:
        return against
    allowed = standing_.sender.contributes if state == _MEMBER else ()
    return against + [
        _obstacle("MAY_NOT_CONTRIBUTE", contribution=kind, agency=sender)
        for kind in _contributed(header)
        if kind not in allowed
    ]


def _of_recipient(
    standing_: procedure_pb2.OperationStanding, header: envelope_pb2.Header, *, recipient: str
) -> list[procedure_pb2.Obstacle]:
    """Return what the recipient adds to what stands in the way."""
    against = []
    state = standing_.recipient.state
    if header.kind != codes_pb2.KIND_OPERATION:
        if state not in _INSIDE:
            return [_obstacle("NOT_MEMBER", agency=recipient)]
    elif (
        header.operation_step.step == envelope_pb2.OPERATION_STEP_INVITE
        and recipient in header.operation_step.members
    ):
        if state in _INSIDE:
            against.append(_obstacle("NOT_INVITED", agency=recipient))
    elif state not in _INSIDE and state != _INVITED:
        against.append(_obstacle("NOT_MEMBER", agency=recipient))
    return against + _receiving(header, standing_.recipient)


def _receiving(
    header: envelope_pb2.Header, recipient: procedure_pb2.MemberStanding
) -> list[procedure_pb2.Obstacle]:
    if recipient.state == _LEAD:
        return []
    allowed = recipient.receives if recipient.state == _MEMBER else ()
    return [
        _obstacle("MAY_NOT_RECEIVE", contribution=kind, agency=recipient.agency)
        for kind in _contributed(header)
        if kind not in allowed
    ]


def _without_terms(
    particulars: envelope_pb2.OperationParticulars,
) -> list[procedure_pb2.Obstacle]:
    """Return an obstacle for each agency whose invitation and terms are not one of each."""
    stated = [terms.agency for terms in particulars.terms]
    listed = list(particulars.members)
    wrong = [agency for agency in listed if stated.count(agency) != 1]
    wrong += sorted(set(stated) - set(listed))
    return [_obstacle("NOT_MEMBER", agency=agency) for agency in wrong]


def _beyond_offer(
    offered: procedure_pb2.MemberStanding,
    particulars: envelope_pb2.OperationParticulars,
    *,
    sender: str,
) -> list[procedure_pb2.Obstacle]:
    """Return what a joining agency takes beyond what it was offered, and in whose name."""
    against = []
    for taken in particulars.terms:
        if taken.agency != sender or len(particulars.terms) > 1:
            against.append(_obstacle("NOT_MEMBER", agency=taken.agency))
            continue
        against += [
            _obstacle("MAY_NOT_CONTRIBUTE", contribution=kind, agency=sender)
            for kind in sorted(set(taken.contributes) - set(offered.contributes))
        ]
        against += [
            _obstacle("MAY_NOT_RECEIVE", contribution=kind, agency=sender)
            for kind in sorted(set(taken.receives) - set(offered.receives))
        ]
    return against


def _contributed(header: envelope_pb2.Header) -> list[Contribution]:
    is_request = header.kind == codes_pb2.KIND_REQUEST
    return contributions(
        (part.category for part in header.parts),
        assistance_kind=header.request.assistance_kind
        if is_request
        else request_pb2.ASSISTANCE_KIND_UNSPECIFIED,
    )


def _invite(
    state: OperationState,
    header: envelope_pb2.Header,
    entry_time: int,
    reached: Collection[str] | None,
) -> OperationState:
    to = {recipient.agency for recipient in header.recipients} if reached is None else set(reached)
    offers = {terms.agency: terms for terms in header.operation_step.terms}
    for agency in header.operation_step.members:
        if agency not in to or state.member(agency).state in _INSIDE:
            continue
        offer = offers.get(agency, envelope_pb2.MemberTerms())
        invited = procedure_pb2.MemberStanding(
            agency=agency,
            state=_INVITED,
            contributes=offer.contributes,
            receives=offer.receives,
            state_time=to_timestamp(entry_time),
        )
        state = _with_member(state, invited)
    return state


def _with_member(state: OperationState, member: procedure_pb2.MemberStanding) -> OperationState:
    """Return the state with an agency standing so, in its old place or at the end."""
    members = list(state.members)
    for position, known in enumerate(members):
        if known.agency == member.agency:
            members[position] = member
            break
    else:
        members.append(member)
    return replace(state, members=tuple(members))


def _obstacle(
    kind: str,
    *,
    agency: str = "",
    contribution: Contribution = operation_pb2.CONTRIBUTION_KIND_UNSPECIFIED,
    message: common_pb2.MessageReference | None = None,
) -> procedure_pb2.Obstacle:
    made = procedure_pb2.Obstacle(
        kind=procedure_pb2.ObstacleKind.Value(f"OBSTACLE_KIND_{kind}"),
        agency=agency,
        contribution=contribution,
    )
    if message is not None and message.message_id:
        made.message.CopyFrom(message)
    return made
