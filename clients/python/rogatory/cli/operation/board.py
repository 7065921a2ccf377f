"""`rogatory operation board`: the sum of all members' signed reports, which nobody can edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from rogatory import envelopes
from rogatory.assistance.v1 import operation_pb2
from rogatory.cli import options
from rogatory.cli.desk import Desk, Way, at_desk
from rogatory.cli.exits import ExitCode
from rogatory.cli.folder import header_of, name_of, split_name
from rogatory.cli.operation import operations
from rogatory.cli.operation.steps import OperationArgument
from rogatory.cli.output import aligned, emit, note, plain
from rogatory.cli.store import SUFFIX, InboxStore, read_delivery
from rogatory.cli.trust import Trust
from rogatory.entries import open_entry
from rogatory.errors import DeliveryError, NotFoundOrDenied, RogatoryError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, exchange_service_pb2
from rogatory.home import Home, make_folder, write_atomically
from rogatory.keyring import KeyRing
from rogatory.policy import Policy
from rogatory.procedures.board import Board
from rogatory.records.v1 import common_pb2


def board(
    operation: OperationArgument,
    *,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Add up the messages in this folder alone, without a network.",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="With --from: whose keys to trust; by default the agency's own policy.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Also write the reports there, for others to add up."
        ),
    ] = None,
    days: Annotated[bool, typer.Option("--days", help="Show each day too.")] = False,
    exercise: options.ExerciseOption = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Add up all members' signed reports: totals, by member and by day.

    Each report's signatures are verified, its records against what was signed. An item counts once,
    however often it was reported. Reports that you do not hold are fetched; the board says how many
    of those that the gateway names are in it. Where one does not verify, the exit code says so.

    Example: rogatory operation board th.rtp/0199... --out reports/
    """
    sender, message_id = split_name(operation, "the operation")
    if source is not None:
        place = Home.find(home)
        trusted = Policy.load(policy if policy is not None else place.policy_file)
        reports = _Reports(ring=trusted.ring, sender=sender, message_id=message_id)
        for path in sorted(source.rglob(f"*{SUFFIX}")):
            reports.take(read_delivery(path), str(path))
        named = None
    else:
        if policy is not None:
            raise typer.BadParameter("it goes with --from", param_hint="--policy")
        with at_desk(Way(home=home, as_json=as_json), exercise=exercise, sign=False) as desk:
            found = operations.look_up(desk, operation)
            named = list(found.reports)
            trust = Trust(desk.place)
            reports = _Reports(
                ring=trust.refresh(desk.client).ring, sender=sender, message_id=message_id
            )
            for delivery, where in _held_and_fetched(desk, named, exercise=exercise):
                reports.take(delivery, where)
    if out is not None:
        reports.write(out)
    _tell(operation, reports, named, days=days, as_json=as_json)
    if reports.faults:
        raise typer.Exit(ExitCode.NOT_VERIFIED)


@dataclass(slots=True, kw_only=True)
class _Reports:
    """The reports of an operation that were found.

    Attributes:
        ring: Keys of the members.
        sender: Who founded the operation.
        message_id: Of its first message.
        board: Their sum.
        taken: The messages, by name.
        faults: Those that do not verify: where, and why.
        gone: Reports whose content is not here any more.
    """

    ring: KeyRing
    sender: str
    message_id: str
    board: Board = field(default_factory=Board)
    taken: dict[str, exchange_service_pb2.Delivery] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def is_report(self, header: envelope_pb2.Header) -> bool:
        """Say whether a message is a report of this operation."""
        named = (header.operation.sender, header.operation.message_id)
        return (
            header.kind == codes_pb2.KIND_OPERATION
            and header.operation_step.step == envelope_pb2.OPERATION_STEP_REPORT
            and named == (self.sender, self.message_id)
        )

    def take(self, delivery: exchange_service_pb2.Delivery, where: str) -> None:
        """Add a message where it is a report of this operation and verifies."""
        header = header_of(delivery)
        if header is None or not self.is_report(header):
            return
        try:
            self._add(delivery)
        except RogatoryError as error:
            self.faults.append((where, error.message))
            note(f"not verified, not counted: {where}: {error.message}")

    def _add(self, delivery: exchange_service_pb2.Delivery) -> None:
        opened = envelopes.open_envelope(delivery.envelope)
        entry = open_entry(delivery.entry)
        if entry.message is None or entry.message.header_bytes != opened.header_bytes:
            raise DeliveryError(
                "The log entry is not about this message",
                hint="Keep it as it came, and tell the gateway's operator.",
            )
        envelopes.verify_signatures(opened, self.ring, entry_time=entry.entry_time)
        contents = envelopes.check_parts(opened, allow_absent=True)
        updates = [one for one in contents if isinstance(one, operation_pb2.OperationUpdate)]
        name = name_of(opened.reference)
        if not updates:
            self.gone.append(name)
        for update in updates:
            self.board.add(
                opened.header.sender,
                entry.entry_time,
                opened.reference,
                update,
                index=delivery.index,
            )
            self.taken[name] = delivery

    def write(self, folder: Path) -> None:
        """Write the reports that count into a folder.

        Raises:
            ConfigurationError: It cannot be written.
        """
        make_folder(folder)
        for delivery in self.taken.values():
            data = delivery.SerializeToString(deterministic=True)
            write_atomically(folder / f"{delivery.index:010d}{SUFFIX}", data)


def _held_and_fetched(
    desk: Desk,
    named: list[common_pb2.MessageReference],
    *,
    exercise: bool,
) -> Iterator[tuple[exchange_service_pb2.Delivery, str]]:
    """Yield the reports of the inbox, then those that the gateway names and has for the agency."""
    wanted = {name_of(one) for one in named}
    for path in InboxStore(desk.place.inbox, exercise=exercise).files():
        delivery = read_delivery(path)
        header = header_of(delivery)
        if header is not None and f"{header.sender}/{header.message_id}" in wanted:
            wanted.discard(f"{header.sender}/{header.message_id}")
            yield delivery, str(path)
    for one in named:
        if name_of(one) not in wanted:
            continue
        try:
            yield desk.client.get_message(one.sender, one.message_id), name_of(one)
        except NotFoundOrDenied:
            # Not sent to this agency: the board says that it is not whole.
            continue


def _tell(
    operation: str,
    reports: _Reports,
    named: list[common_pb2.MessageReference] | None,
    *,
    days: bool,
    as_json: bool,
) -> None:
    sums = reports.board
    count = len(sums.reports())
    missing = [] if named is None else sums.missing(named)
    data: dict[str, Any] = {
        "operation": operation,
        **sums.to_dict(),
        "reports_named": None if named is None else len(named),
        "missing": [plain(one) for one in missing],
        "not_verified": [{"message": where, "fault": fault} for where, fault in reports.faults],
    }
    lines = [f"operation {operation}", *aligned(sums.table())]
    if days:
        by_day = [["day", "result", "count"]]
        by_day += sorted(
            [day, line.label, str(number)]
            for line in sums.results()
            for day, number in line.days.items()
        )
        lines += ["", *aligned(by_day)]
    of = "" if named is None else f" of {len(named)}"
    lines.append(
        f"{count}{of} reports, each signed by its member and verified; an item counts once"
    )
    lines += [f"not in it: {name_of(one)}" for one in missing]
    lines += [f"its content is gone: {name}" for name in reports.gone]
    emit(data, lines, as_json=as_json)
