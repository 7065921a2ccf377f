"""A joint operation as its commands see it: how it stands, and how its members are reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import typer
from google.protobuf.message import Message

from rogatory import envelopes
from rogatory.assistance.v1 import operation_pb2
from rogatory.cli import compose, options
from rogatory.cli.bases import Bases, Basis, Reach
from rogatory.cli.desk import Desk, Whom
from rogatory.cli.folder import Folder, name_of, split_name
from rogatory.cli.trust import Trust
from rogatory.client import Draft
from rogatory.errors import ConfigurationError, NotFoundOrDenied
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, procedure_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Operation
from rogatory.procedures.contributions import EVERY_KIND, Contribution
from rogatory.records.v1 import common_pb2

_ALL, _NONE = "all", "none"


def look_up(desk: Desk, word: str) -> Operation:
    """Return the operation that SENDER/MESSAGE_ID names, with its members and reports.

    Raises:
        ConfigurationError: There is none that the agency was ever part of.
        CallError: The gateway did not answer.
    """
    sender, message_id = split_name(word, "the operation")
    try:
        return desk.client.operation(sender, message_id)
    except NotFoundOrDenied as error:
        raise ConfigurationError(
            f"There is no operation {word} that {desk.agency} was ever part of",
            hint="See those there are: rogatory operation list --all.",
        ) from error


def own_standing(desk: Desk, operation: Operation) -> procedure_pb2.MemberStanding:
    """Return how the agency itself stands in an operation."""
    return next(
        (one for one in operation.members if one.agency == desk.agency),
        procedure_pb2.MemberStanding(agency=desk.agency),
    )


def bases(
    desk: Desk, founding: common_pb2.MessageReference, under: Sequence[str], *, exercise: bool
) -> Bases:
    """Return what may serve towards members: as stated, else what served so far.

    Args:
        desk: The agency's.
        founding: The operation's first message.
        under: As typed.
        exercise: Training traffic.
    """
    usual = [] if under else usual_bases(desk, founding, exercise=exercise)
    return Bases(desk.client, under=under, usual=usual)


def usual_bases(
    desk: Desk, founding: common_pb2.MessageReference, *, exercise: bool
) -> Iterator[Basis]:
    """Yield the bases on which messages of the operation were sent and received before."""

    def part_of(header: envelope_pb2.Header) -> bool:
        if header.kind != codes_pb2.KIND_OPERATION:
            return False
        named = (header.sender, header.message_id) == (founding.sender, founding.message_id)
        return named or header.operation == founding

    folder = Folder(desk.place, exercise=exercise, trust=Trust(desk.place), client=desk.client)
    for sent in folder.sent(part_of):
        yield from map(Basis.of, sent.header.recipients)
    for message in folder.received(part_of):
        yield from (
            Basis.of(item) for item in message.header.recipients if item.agency == desk.agency
        )


def step(
    desk: Desk,
    draft: Draft,
    operation: Operation,
    *,
    step: envelope_pb2.OperationStep.ValueType,
) -> Draft:
    """Return the draft of a step of an operation that there is.

    Offences are those of its founding where the draft states none.
    """
    founding = operation.founding
    offences = list(draft.offences)
    if not offences:
        found = desk.earlier.find(founding.sender, founding.message_id)
        offences = [] if found is None else list(found.header.offences)
    return replace(
        draft,
        operation=founding,
        thread=founding.message_id,
        offences=offences,
        particulars=envelope_pb2.OperationParticulars(step=step),
    )


def address(
    desk: Desk,
    draft: Draft,
    agencies: Iterable[str],
    *,
    whom: Whom,
    founding: common_pb2.MessageReference,
) -> tuple[Draft, Reach]:
    """Return a draft with its recipients, and whom it does not reach.

    Args:
        desk: The agency's.
        draft: Without recipients.
        agencies: Who is to get it.
        whom: As typed; who is named with ``--to`` is written to in any case.
        founding: The operation's first message.

    Raises:
        typer.BadParameter: One is not written so.
        ConfigurationError: Nobody can be reached, or too many would be.
        CallError: The gateway did not answer.
    """
    stated = [compose.recipient_of(item) for item in whom.to or ()]
    named = {item.agency for item in stated}
    rest = [agency for agency in agencies if agency not in named]
    if not rest and stated:
        return replace(draft, recipients=stated), Reach(recipients=stated, unreachable=())
    reach = bases(desk, founding, whom.under or (), exercise=draft.exercise).reach(rest)
    return replace(draft, recipients=reach.need(stated=stated)), reach


def terms(words: Sequence[str] | None, option: str) -> list[Contribution] | None:
    """Return what a member may contribute or receive; None where nothing is stated.

    Args:
        words: As typed, each one word or several with commas; ``all`` and ``none`` too.
        option: For the error.

    Raises:
        typer.BadParameter: A word is not known.
    """
    if not words:
        return None
    typed = [word.strip() for item in words for word in item.split(",") if word.strip()]
    if _ALL in typed:
        return list(EVERY_KIND)
    kinds = {
        options.choice(operation_pb2.ContributionKind, word, option)
        for word in typed
        if word != _NONE
    }
    return [operation_pb2.ContributionKind.ValueType(kind) for kind in sorted(kinds)]


def founding_of(desk: Desk, operation: Operation) -> operation_pb2.OperationFounding | None:
    """Return the founding document, where the agency may read it."""
    name = operation.founding
    found = desk.earlier.find(name.sender, name.message_id)
    if found is None:
        return None
    if not found.parts:
        # Of what was sent here a receipt is kept: the document itself is at the gateway.
        delivery = desk.client.get_message(name.sender, name.message_id)
        opened = envelopes.open_envelope(delivery.envelope)
        found = opened if opened.header_digest == found.header_digest else found
    parts: Sequence[Message | None] = (
        envelopes.check_parts(found, allow_absent=True) if found.parts else ()
    )
    return next((part for part in parts if isinstance(part, operation_pb2.OperationFounding)), None)


def need_member(desk: Desk, operation: Operation) -> None:
    """Check that the agency is a member now, so that a report of its would count.

    Raises:
        ConfigurationError: It is not.
    """
    state = own_standing(desk, operation).state
    if state not in (procedure_pb2.MEMBER_STATE_MEMBER, procedure_pb2.MEMBER_STATE_LEAD):
        name = name_of(operation.founding)
        invited = state == procedure_pb2.MEMBER_STATE_INVITED
        raise ConfigurationError(
            f"{desk.agency} is no member of the operation {name} now",
            hint=f"Join it first: rogatory operation join {name}"
            if invited
            else "See who is: rogatory operation show.",
        )


def need_one(values: Sequence[object], option: str, what: str) -> None:
    """Check that something was stated.

    Raises:
        typer.BadParameter: Nothing was.
    """
    if not values:
        raise typer.BadParameter(what, param_hint=option)
