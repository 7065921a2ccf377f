"""The command `rogatory-gateway`: its subcommands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from rogatory_gateway.cli import agency, agreement, checking, running
from rogatory_gateway.cli.terminal import show

EPILOG = (
    "Exit codes: 0 done, 1 not done, 2 wrong usage, 3 fsck found damage, 70 a defect (the error "
    "says how to report it), 74 the output cannot be written, 130 interrupted, 141 whoever read "
    "the output has gone. With --json a failure is one object on standard output too: "
    '{"error": {"reason", "message", "hint", "issues", "exit_code"}}.'
)

app = typer.Typer(
    name="rogatory-gateway",
    help="Run a gateway: set up, admit agencies, enter agreements, serve, check.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("init")(running.init)
app.command("serve")(running.serve)
app.add_typer(agency.app, name="agency")
app.add_typer(agreement.app, name="agreement")
app.command("status")(checking.status)
app.command("fsck")(checking.fsck)
app.command("demo")(running.demo)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and rarely wanted

        show(version("rogatory"))
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that belong to no subcommand."""


command = typer.main.get_command(app)
