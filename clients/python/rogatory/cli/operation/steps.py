"""`rogatory operation found, invite, join, leave, close`: the steps of a joint operation."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.message import Message

from rogatory import clock
from rogatory.assistance.v1 import operation_pb2
from rogatory.cli import single
from rogatory.cli.bases import Bases
from rogatory.cli.compose import recipient_of
from rogatory.cli.desk import Desk, Label, Reasons, Way, Whom, at_desk
from rogatory.cli.flat import flat
from rogatory.cli.folder import name_of
from rogatory.cli.instants import UNTIL_HELP, until
from rogatory.cli.kinds import settle
from rogatory.cli.operation import operations
from rogatory.client import Draft
from rogatory.errors import ConfigurationError, Violation
from rogatory.exchange.v1 import envelope_pb2, procedure_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Operation
from rogatory.procedures.contributions import EVERY_KIND
from rogatory.procedures.operations import members_now
from rogatory.records.v1 import common_pb2
from rogatory.references import completer

OperationArgument = Annotated[
    str, typer.Argument(metavar="SENDER/MESSAGE_ID", help="The operation, by its first message.")
]
ContributesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contributes",
        metavar="KINDS",
        help="What is contributed: persons, indicators, evidence, requests, takedowns, ...; all or"
        " none. Repeatable, or with commas.",
    ),
]
ReceivesOption = Annotated[
    list[str] | None,
    typer.Option("--receives", metavar="KINDS", help="What is received, likewise."),
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
SettlementOption = Annotated[
    str,
    typer.Option(
        "--settlement", metavar="TEXT", help="What becomes of open requests, items and data."
    ),
]


@flat
def found(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The founding document: JSON, YAML or text-proto with the fields of"
            " OperationFounding.",
        ),
    ],
    *,
    whom: Whom,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Found a joint operation: you lead it, and its members are invited on the terms of the file.

    Each member is invited under an agreement that it is party to; who cannot be reached is listed,
    and is not invited.

    Example: rogatory operation found garden.yaml --under mekong:'Art. 10(1)'
    """
    with at_desk(way, exercise=label.exercise) as desk:
        complete = completer(desk.earlier.reference)

        def fill(message: Message) -> Iterable[Violation]:
            if isinstance(message, operation_pb2.OperationFounding):
                message.lead = message.lead or desk.agency
                if not message.HasField("valid_from_time"):
                    message.valid_from_time.CopyFrom(clock.to_timestamp(time.time_ns()))
            return complete(message)

        content = single.read(file, operation_pb2.OperationFounding, complete=fill)
        codes = list(dict.fromkeys(item.iccs_code for item in content.offences))
        stated = [recipient_of(item) for item in whom.to or ()]
        named = {item.agency for item in stated}
        reach = Bases(desk.client, under=whom.under or ()).reach(
            member.agency for member in content.members if member.agency not in named
        )
        draft = replace(
            label.draft("operation", offences=codes[:16]),
            recipients=reach.need(stated=stated),
            particulars=envelope_pb2.OperationParticulars(),
        )
        contents = [content, *desk.context(reasons)]
        handed = desk.hand_in(settle(draft, contents), contents)
        name = f"{desk.agency}/{handed.message_id}" if handed.message_id else ""
        desk.tell(
            {"operation": name, "unreachable": reach.data()},
            [f"operation {name}" if name else "operation, not founded yet"],
        )


@flat
def invite(
    operation: OperationArgument,
    agencies: Annotated[list[str], typer.Argument(metavar="AGENCY...", help="Whom to invite.")],
    *,
    contributes: ContributesOption = None,
    receives: ReceivesOption = None,
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="Its task.")] = "",
    reason: ReasonOption = "",
    answer_by: Annotated[str, typer.Option("--answer-by", metavar="TIME", help=UNTIL_HELP)] = "",
    whom: Whom,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Invite agencies or private partners to an operation that you lead, all on the same terms.

    Without --contributes and --receives they may contribute and receive everything; an agreement
    decides what really passes.

    Example: rogatory operation invite th.rtp/0199... sg.hostco --contributes indicators
    --receives takedowns,indicators --under takedown:'Art. 5'
    """
    given, taken = (
        operations.terms(contributes, "--contributes"),
        operations.terms(receives, "--receives"),
    )
    content = operation_pb2.OperationInvitation(
        members=[
            operation_pb2.OperationMember(
                agency=agency,
                contributes=EVERY_KIND if given is None else given,
                receives=EVERY_KIND if taken is None else taken,
                task=task,
            )
            for agency in agencies
        ],
        reason=reason,
    )
    if answer_by:
        content.answer_by_time.CopyFrom(until(answer_by, "--answer-by"))
    with at_desk(way, exercise=label.exercise) as desk:
        found_ = operations.look_up(desk, operation)
        draft = operations.step(
            desk, label.draft("operation"), found_, step=envelope_pb2.OPERATION_STEP_INVITE
        )
        _take(desk, draft, found_, content, agencies, whom=whom, reasons=reasons)


@flat
def join(
    operation: OperationArgument,
    *,
    contributes: ContributesOption = None,
    receives: ReceivesOption = None,
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="Your task.")] = "",
    reservations: Annotated[
        str, typer.Option("--reservations", metavar="TEXT", help="What you reserve.")
    ] = "",
    whom: Whom,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Join an operation that you were invited to, and tell its members.

    Without --contributes and --receives on the terms that you were offered; you may take less. It
    goes under the article by which you were invited, unless --under or --to says otherwise. The
    officer named with --officer is the contact.

    Example: rogatory operation join th.rtp/0199... --officer 'Insp. Somchai'
    """
    given, taken = (
        operations.terms(contributes, "--contributes"),
        operations.terms(receives, "--receives"),
    )
    with at_desk(way, exercise=label.exercise) as desk:
        found_ = operations.look_up(desk, operation)
        own = operations.own_standing(desk, found_)
        if own.state != procedure_pb2.MEMBER_STATE_INVITED:
            raise ConfigurationError(
                f"{desk.agency} is not invited to {operation} now",
                hint="See how you stand: rogatory operation show; the lead may invite you again.",
            )
        content = operation_pb2.OperationJoining(
            member=operation_pb2.OperationMember(
                agency=desk.agency,
                contributes=own.contributes if given is None else given,
                receives=own.receives if taken is None else taken,
                task=task,
            ),
            reservations=reservations,
        )
        if reasons.officer:
            content.contact.CopyFrom(common_pb2.Official(name=reasons.officer, agency=desk.agency))
        draft = operations.step(
            desk, label.draft("operation"), found_, step=envelope_pb2.OPERATION_STEP_JOIN
        )
        _take(
            desk, draft, found_, content, _others(desk, found_.members), whom=whom, reasons=reasons
        )


@flat
def leave(
    operation: OperationArgument,
    *,
    reason: ReasonOption,
    settlement: SettlementOption = "",
    whom: Whom,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Leave an operation, and tell its members. The lead cannot leave: it closes the operation.

    Example: rogatory operation leave th.rtp/0199... --reason 'Our proceedings have ended.'
    """
    content = operation_pb2.OperationLeaving(reason=reason, settlement=settlement)
    with at_desk(way, exercise=label.exercise) as desk:
        found_ = operations.look_up(desk, operation)
        draft = operations.step(
            desk, label.draft("operation"), found_, step=envelope_pb2.OPERATION_STEP_LEAVE
        )
        _take(
            desk, draft, found_, content, _others(desk, found_.members), whom=whom, reasons=reasons
        )


@flat
def close(
    operation: OperationArgument,
    *,
    reason: ReasonOption = "",
    settlement: SettlementOption = "",
    whom: Whom,
    label: Label,
    reasons: Reasons,
    way: Way,
) -> None:
    """Close an operation that you lead: nothing is reported or sent within it any more.

    Example: rogatory operation close th.rtp/0199... --reason 'Final report adopted.'
    """
    content = operation_pb2.OperationLeaving(reason=reason, settlement=settlement)
    with at_desk(way, exercise=label.exercise) as desk:
        found_ = operations.look_up(desk, operation)
        draft = operations.step(
            desk, label.draft("operation"), found_, step=envelope_pb2.OPERATION_STEP_CLOSE
        )
        everyone = _others(desk, found_.members, invited=True)
        _take(desk, draft, found_, content, everyone, whom=whom, reasons=reasons)


def _others(
    desk: Desk,
    members: Iterable[procedure_pb2.MemberStanding],
    *,
    invited: bool = False,
) -> list[str]:
    """Return the other members, and where wanted those who were invited and have not answered."""
    members = list(members)
    inside = set(members_now(members))
    if invited:
        inside |= {one.agency for one in members if one.state == procedure_pb2.MEMBER_STATE_INVITED}
    return [one.agency for one in members if one.agency in inside - {desk.agency}]


def _take(
    desk: Desk,
    draft: Draft,
    operation: Operation,
    content: Message,
    agencies: Iterable[str],
    *,
    whom: Whom,
    reasons: Reasons,
) -> None:
    founding = operation.founding
    draft, reach = operations.address(desk, draft, agencies, whom=whom, founding=founding)
    parts = [content, *desk.context(reasons)]
    desk.hand_in(settle(draft, parts), parts)
    desk.tell({"operation": name_of(founding), "unreachable": reach.data()})
