"""The command `rogatory`: its subcommands, each loaded when it is used."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from rogatory.cli.exits import table

COMMANDS = MappingProxyType(
    {
        "keygen": "rogatory.cli.keygen",
        "agency": "rogatory.cli.agency",
        "draft": "rogatory.cli.draft",
        "review": "rogatory.cli.review",
        "approve": "rogatory.cli.approve",
        "send": "rogatory.cli.send",
        "request": "rogatory.cli.request",
        "inbox": "rogatory.cli.inbox",
        "ack": "rogatory.cli.ack",
        "message": "rogatory.cli.message",
        "receipt": "rogatory.cli.receipt",
        "agreement": "rogatory.cli.agreement",
        "directory": "rogatory.cli.directory",
        "connect": "rogatory.cli.connect",
    }
)
"""Subcommand -> the module whose ``app`` it is. A module stands for one command or for a group."""

EPILOG = f"""\b
Exit codes:
{table()}

\b
An agency's keys, settings and messages are in one folder: --home, else ROGATORY_HOME, else
~/.config/rogatory. Data goes to standard output, everything else to standard error.

\b
With --json a failure is one more object on standard output, in one line:
  {{"error": {{"reason", "message", "hint", "issues": [...], "exit_code"}}}}"""


class LazyGroup(TyperGroup):
    """Loads a subcommand's module when it is asked for: gRPC and protobuf take half a second."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - the base class's signature
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: object,  # noqa: ARG002 - the base class's signature
        cmd_name: str,
    ) -> TyperCommand | TyperGroup | None:
        """Load a subcommand."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = typer.main.get_command(importlib.import_module(module).app)
        command.name = cmd_name
        assert isinstance(command, TyperCommand | TyperGroup)
        return command


app = typer.Typer(
    name="rogatory",
    cls=LazyGroup,
    help="Exchange case data with partner agencies: signed, under agreements, provable.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and rarely wanted

        typer.echo(version("rogatory"))
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
