"""`rogatory operation list, show`: the operations an agency is part of, and their members."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from rogatory import clock
from rogatory.assistance.v1 import operation_pb2
from rogatory.cli import options
from rogatory.cli.desk import Way, at_desk
from rogatory.cli.folder import name_of
from rogatory.cli.instants import minute
from rogatory.cli.operation import operations
from rogatory.cli.operation.steps import OperationArgument
from rogatory.cli.output import aligned, emit, plain
from rogatory.cli.session import connect
from rogatory.exchange.v1 import procedure_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Operation
from rogatory.home import Home
from rogatory.procedures.contributions import EVERY_KIND
from rogatory.procedures.operations import members_now
from rogatory.procedures.wording import in_words

_STATE = procedure_pb2.MemberState.DESCRIPTOR
_CONTRIBUTION = operation_pb2.ContributionKind.DESCRIPTOR


def list_operations(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List the joint operations that you lead, are invited to, or were a member of.

    Example: rogatory operation list
    """
    place = Home.find(home)
    agency = place.enrolled().agency
    with connect(place) as client:
        found = list(client.operations(ended=everything, exercise=exercise))
    now = time.time_ns()
    rows = [
        [
            name_of(one.founding),
            one.lead,
            next((in_words(_STATE, m.state) for m in one.members if m.agency == agency), "-"),
            str(len(members_now(one.members))),
            minute(one.valid_until_time),
            _life(one, now),
        ]
        for one in found
    ]
    heading = ["OPERATION", "LEAD", "YOU ARE", "MEMBERS", "UNTIL (UTC)", "STATE"]
    emit(
        [_data(one, now) for one in found],
        aligned([heading, *rows]) if rows else ["no operations"],
        as_json=as_json,
    )


def show(
    operation: OperationArgument,
    *,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show an operation: its members, what each may contribute and receive, and since when.

    Example: rogatory operation show th.rtp/0199...
    """
    with at_desk(Way(home=home, as_json=as_json), exercise=exercise, sign=False) as desk:
        found = operations.look_up(desk, operation)
        document = operations.founding_of(desk, found)
    now = time.time_ns()
    data = _data(found, now)
    lines = [f"operation {name_of(found.founding)}"]
    if document is not None:
        data["founding_document"] = plain(document)
        titles = [text.text for text in document.names]
        lines += [f"named {' / '.join(titles)}", f"objective: {document.objective}"]
    lines += [
        f"led by {found.lead}, since {minute(found.entry_time)} UTC",
        f"until {minute(found.valid_until_time)} UTC: {_life(found, now)}",
        f"reports: {len(found.reports)}",
    ]
    table = [["MEMBER", "STATE", "SINCE (UTC)", "CONTRIBUTES", "RECEIVES"]]
    table += [
        [
            one.agency,
            in_words(_STATE, one.state),
            minute(one.state_time),
            _kinds(one, one.contributes),
            _kinds(one, one.receives),
        ]
        for one in found.members
    ]
    emit(data, [*lines, *aligned(table)], as_json=as_json)


def _data(operation: Operation, now: int) -> dict[str, Any]:
    return {
        "name": name_of(operation.founding),
        **plain(operation),
        "state": _life(operation, now),
        "members_now": members_now(operation.members),
    }


def _life(operation: Operation, now: int) -> str:
    if operation.closed:
        return "closed"
    return "ended" if clock.to_nanoseconds(operation.valid_until_time) <= now else "running"


def _kinds(member: procedure_pb2.MemberStanding, kinds: Iterable[int]) -> str:
    if member.state == procedure_pb2.MEMBER_STATE_LEAD:
        return "everything"
    found = sorted(set(kinds))
    if len(found) == len(EVERY_KIND):
        return "everything"
    return ", ".join(in_words(_CONTRIBUTION, kind) for kind in found) or "nothing"
