"""`rogatory agreement simulate`: what past exchanges a draft agreement would change."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from rogatory.cli import options
from rogatory.cli.agreement import simulated
from rogatory.cli.agreement.pastlogs import GATEWAY, PastLogs, exporting
from rogatory.cli.agreement.signedfile import compiled_file
from rogatory.cli.exits import ExitCode
from rogatory.cli.output import emit, note
from rogatory.cli.session import connect
from rogatory.cli.trust import Trust
from rogatory.home import Home
from rogatory.policy import Policy
from rogatory.simulation import Rerun, Simulation

_FAULTS_SHOWN = 10


def simulate(
    draft: Annotated[
        Path, typer.Argument(metavar="DRAFT", help="Text form, or file of a signed agreement.")
    ],
    *,
    log: Annotated[
        list[str],
        typer.Option(
            "--log",
            metavar="SOURCE",
            help="Past exchanges: an agency's folder (receipts and inbox), a receipt, an export, a"
            f" folder of those, or {GATEWAY}: all that the gateway shows you. Repeatable.",
        ),
    ],
    instead_of: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="AGREEMENT_ID",
            help="Also what was sent under this agreement, as if it cited the same article of the"
            " draft. Repeatable.",
        ),
    ] = None,
    without_agreement: Annotated[
        bool,
        typer.Option(
            "--without-agreement",
            help="Also what was refused because no agreement was in force, or one was suspended.",
        ),
    ] = False,
    obligations: Annotated[
        bool,
        typer.Option(
            "--obligations", help="Also list where only duties and deadlines would be others."
        ),
    ] = False,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="Training traffic instead of live exchanges.")
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Policy file to verify files with; by default each agency's folder has its own.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help=f"Keep what {GATEWAY} gave as an export, to use again."
        ),
    ] = None,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit with 7 where an outcome would change.")
    ] = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Decide past exchanges again under a draft, and list every outcome that would change.

    Each is decided as it was logged, as if the draft had been in force: at its entry time, with its
    signatures, its standing and that of its procedure. Quotas are counted afresh, in the order of
    the log. What answers a message that the draft would have refused is decided as it was sent.

    What is read is verified as far as the keys and agreements at hand reach; what does not verify
    is left out, and the exit code says it. Nothing is sent.
    """
    if save is not None and GATEWAY not in log:
        raise typer.BadParameter(f"it keeps what --log {GATEWAY} gives", param_hint="--save")
    compiled = compiled_file(draft)
    ids = {compiled.agreement_id, *(instead_of or ())}
    logs = PastLogs()
    simulation = Simulation(
        compiled,
        instead_of=ids,
        agreements=logs.agreements,
        exercise=exercise,
        without_agreement=without_agreement,
    )
    listed: list[Rerun] = []
    trusted = Policy.load(policy) if policy is not None else None
    with ExitStack() as stack:
        for source in dict.fromkeys(log):
            if source == GATEWAY:
                place = Home.find(home)
                trust = Trust(place)
                client = stack.enter_context(connect(place))
                logs.add_gateway(
                    client,
                    policy=trust.refresh(client),
                    agreement_ids=ids,
                    exercise=exercise,
                    save=stack.enter_context(exporting(save)),
                )
            else:
                logs.add(Path(source), policy=trusted, exercise=exercise)
        for exchange in logs.exchanges():
            listed += [
                rerun
                for rerun in simulation.take(exchange)
                if rerun.change.counts or (obligations and rerun.duties_differ)
            ]
    emit(
        simulated.data(simulation, logs, listed, str(draft)),
        simulated.lines(simulation, logs, listed, str(draft)),
        as_json=as_json,
    )
    _warn(simulation, logs)
    if logs.faults:
        raise typer.Exit(ExitCode.NOT_VERIFIED)
    if fail_on_change and simulation.total.changed:
        raise typer.Exit(ExitCode.CHANGED)


def _warn(simulation: Simulation, logs: PastLogs) -> None:
    if logs.checks.unsigned:
        note(
            f"signatures of {logs.checks.unsigned} exchanges were not verified, since the senders'"
            " keys are not at hand: rogatory receipt policy fetches them, --policy"
            " names the file"
        )
    if simulation.incomplete_quotas:
        note(
            f"before {simulation.incomplete_quotas} exchanges more had been counted against a quota"
            " than these logs show; the rest was taken as recorded"
        )
    for fault in logs.faults[:_FAULTS_SHOWN]:
        note(f"left out: {fault.where}: {fault.error}")
    if len(logs.faults) > _FAULTS_SHOWN:
        note(f"left out: {len(logs.faults) - _FAULTS_SHOWN} more")
