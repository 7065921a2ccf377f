"""The commands, put together."""

from __future__ import annotations

import typer

from rogatory_gateway.cli import agency, agreement, checking, running

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
