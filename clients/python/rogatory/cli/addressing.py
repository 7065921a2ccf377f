"""Options of `send` and `draft` beyond one message to named agencies: operations, and requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import typer
from google.protobuf.message import Message

from rogatory import schemas
from rogatory.assistance.v1 import operation_pb2, request_pb2
from rogatory.cli import options
from rogatory.cli.bases import Bases, Reach
from rogatory.cli.desk import Desk
from rogatory.cli.earlier import Earlier
from rogatory.cli.instants import instant, until
from rogatory.cli.operation import operations
from rogatory.client import Draft
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.exchange.v1.procedure_service_pb2 import Operation
from rogatory.procedures.contributions import contributions
from rogatory.procedures.operations import members_now, recipients_for
from rogatory.procedures.wording import in_words

_CONTRIBUTION = operation_pb2.ContributionKind.DESCRIPTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """The options; see `rogatory.cli.flat`."""

    operation: options.OperationOption = ""
    to_operation: options.ToOperationOption = ""
    under: options.UnderOption = None
    respond_by: options.RespondByOption = ""
    directly_available: options.DirectlyAvailableOption = False
    oral: options.OralOption = ""

    def check(self) -> None:
        """Check that the options go together.

        Raises:
            typer.BadParameter: They do not.
        """
        if self.operation and self.to_operation:
            raise typer.BadParameter(
                "--to-operation names the operation already", param_hint="--operation"
            )
        if self.under and not self.to_operation:
            raise typer.BadParameter(
                "it goes with --to-operation; with --to each recipient has its own",
                param_hint="--under",
            )

    @property
    def needs_gateway(self) -> bool:
        """Whether members must be asked for."""
        return bool(self.to_operation)


def begin(earlier: Earlier, draft: Draft, beyond: Beyond) -> Draft:
    """Return a draft with what the options say of a request, and of the operation it is part of.

    Args:
        earlier: Earlier messages.
        draft: With its particulars.
        beyond: The options.

    Raises:
        typer.BadParameter: They do not go with its kind.
        ConfigurationError: There is no such operation.
        RogatoryError: It does not verify, or the gateway did not answer.
    """
    if beyond.respond_by or beyond.directly_available or beyond.oral:
        draft = replace(draft, particulars=_request(draft, beyond))
    founding = earlier.named(beyond.operation, "--operation")
    if founding is not None:
        draft = replace(draft, operation=founding.reference)
    return draft


def expand(
    desk: Desk, draft: Draft, contents: Sequence[Message], beyond: Beyond
) -> tuple[Draft, Reach | None]:
    """Return a draft addressed to the members of an operation, and whom it does not reach.

    Args:
        desk: The agency's.
        draft: Complete but for recipients; those that it names stay.
        contents: Of its parts: a member that may not receive one of them is left out.
        beyond: The options; None is returned where they name no operation to send to.

    Raises:
        ConfigurationError: Nobody can be reached, or there is no such operation.
        CallError: The gateway did not answer.
    """
    if not beyond.to_operation:
        return draft, None
    found = operations.look_up(desk, beyond.to_operation)
    asked = (
        draft.particulars.assistance_kind
        if isinstance(draft.particulars, envelope_pb2.RequestParticulars)
        else request_pb2.ASSISTANCE_KIND_UNSPECIFIED
    )
    categories = [schemas.of_message(content).category for content in contents]
    named = {item.agency for item in draft.recipients}
    may = recipients_for(found.members, categories, sender=desk.agency, assistance_kind=asked)
    reach = Bases(desk.client, under=beyond.under or ()).reach(
        agency for agency in may if agency not in named
    )
    wanted = contributions(categories, assistance_kind=asked)
    left_out = [
        (agency, _may_not(found, agency, wanted))
        for agency in members_now(found.members)
        if agency not in {*may, *named, desk.agency}
    ]
    reach = replace(reach, unreachable=[*reach.unreachable, *left_out])
    recipients = reach.need(stated=draft.recipients)
    return replace(draft, recipients=recipients, operation=found.founding), reach


def _may_not(operation: Operation, agency: str, wanted: Sequence[int]) -> str:
    member = next(one for one in operation.members if one.agency == agency)
    lacking = [kind for kind in wanted if kind not in member.receives]
    kinds = ", ".join(in_words(_CONTRIBUTION, kind) for kind in lacking)
    return f"within the operation it may not receive {kinds}"


def _request(draft: Draft, beyond: Beyond) -> envelope_pb2.RequestParticulars:
    said = draft.particulars
    if draft.kind != codes_pb2.KIND_REQUEST or not isinstance(
        said, envelope_pb2.RequestParticulars
    ):
        option = "--respond-by" if beyond.respond_by else "--oral"
        if beyond.directly_available:
            option = "--directly-available"
        raise typer.BadParameter("it is for --kind request", param_hint=option)
    found = envelope_pb2.RequestParticulars()
    found.CopyFrom(said)
    if beyond.respond_by:
        found.respond_by_time.CopyFrom(until(beyond.respond_by, "--respond-by"))
    if beyond.oral:
        found.oral_request_time.CopyFrom(instant(beyond.oral, "--oral"))
    found.directly_available = found.directly_available or beyond.directly_available
    return found
