"""`rogatory request list`: what was asked, and what is due of it."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.cli import options
from rogatory.cli.options import choice
from rogatory.cli.output import aligned, emit
from rogatory.cli.request import words as requestwords
from rogatory.cli.session import connect
from rogatory.exchange.v1 import procedure_service_pb2
from rogatory.home import Home


def list_requests(
    *,
    asked: Annotated[bool, typer.Option("--asked", help="Only where you are asked.")] = False,
    asking: Annotated[bool, typer.Option("--asking", help="Only where you ask.")] = False,
    counterpart: Annotated[
        str, typer.Option("--with", metavar="AGENCY", help="Only with this agency.")
    ] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only in this state, as accepted.")
    ] = "",
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="Only of this kind, as preservation.")
    ] = "",
    soon: Annotated[
        bool, typer.Option("--soon", help="Only where something is due soon or overdue.")
    ] = False,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only where something is overdue.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were refused, closed or withdrawn too.")
    ] = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """List requests that you made or were asked, what is due first in front."""
    if asked and asking:
        raise typer.BadParameter(
            "leave both out for either side", param_hint="--asked with --asking"
        )
    side = procedure_service_pb2.REQUEST_SIDE_UNSPECIFIED
    if asked:
        side = procedure_service_pb2.REQUEST_SIDE_ASKED
    elif asking:
        side = procedure_service_pb2.REQUEST_SIDE_ASKING
    due_state = deadline_pb2.DUE_STATE_UNSPECIFIED
    if overdue:
        due_state = deadline_pb2.DUE_STATE_OVERDUE
    elif soon:
        due_state = deadline_pb2.DUE_STATE_DUE_SOON
    in_state = choice(request_pb2.RequestState, state, "--state") if state else 0
    of_kind = choice(request_pb2.AssistanceKind, kind, "--kind") if kind else 0
    place = Home.find(home)
    agency = place.settings().agency
    with connect(place) as client:
        found = list(
            client.list_requests(
                side=side,
                state=request_pb2.RequestState.ValueType(in_state),
                kind=request_pb2.AssistanceKind.ValueType(of_kind),
                counterpart=counterpart,
                ended=everything,
                due_state=due_state,
                exercise=exercise,
            )
        )
    now = time.time_ns()
    rows = [requestwords.row(status, agency=agency, now=now) for status in found]
    emit(
        [requestwords.data(status, agency=agency) for status in found],
        aligned([requestwords.COLUMNS, *rows]) if rows else ["no requests"],
        as_json=as_json,
    )
