"""`rogatory-gateway`: the operator's commands.

Data goes to standard output, progress and questions to standard error. Exit codes: 0 done, 1 not
done (the error says why and what to do next), 2 wrong use of the command line, 3 `fsck` found
damage, 130 interrupted.
"""

from __future__ import annotations

import typer

from rogatory_gateway.cli import agency, agreement, checking, running
from rogatory_gateway.cli.terminal import guarded

app = typer.Typer(
    name="rogatory-gateway",
    help="Run a gateway: set up, admit agencies, enter agreements, serve, check.",
    epilog="Exit codes: 0 done, 1 not done, 2 wrong usage, 3 fsck found damage, 130 interrupted.",
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


def main() -> None:
    """Run the command that the process was started with."""
    guarded(app)


__all__ = ["app", "main"]
