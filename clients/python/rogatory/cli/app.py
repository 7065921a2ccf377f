"""The command `rogatory`: its subcommands, each loaded when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rogatory.cli.exits import table

SECTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Join an exchange": {
            "keygen": "rogatory.cli.agency.keygen",
            "agency": "rogatory.cli.agency.group",
            "directory": "rogatory.cli.directory",
            "agreement": "rogatory.cli.agreement.group",
        },
        "Send and receive": {
            "send": "rogatory.cli.send",
            "inbox": "rogatory.cli.inbox",
            "message": "rogatory.cli.message",
            "ack": "rogatory.cli.ack",
            "receipt": "rogatory.cli.receipt",
            "connect": "rogatory.cli.connect",
        },
        "Four eyes": {
            "draft": "rogatory.cli.drafts.draft",
            "review": "rogatory.cli.drafts.review",
            "approve": "rogatory.cli.drafts.approve",
        },
        "Work together": {
            "request": "rogatory.cli.request.group",
            "operation": "rogatory.cli.operation.group",
            "alert": "rogatory.cli.alert.group",
        },
        "Use further, take back": {
            "consent": "rogatory.cli.consent.group",
            "forward": "rogatory.cli.consent.passing",
            "recall": "rogatory.cli.recall.recall",
            "correct": "rogatory.cli.recall.correct",
            "holders": "rogatory.cli.recall.holders",
            "confirm": "rogatory.cli.recall.confirm",
        },
    }
)
"""Heading of the help -> subcommand -> the module whose ``app`` it is.

A module stands for one command or for a group.
"""

COMMANDS = MappingProxyType(
    {name: module for section in SECTIONS.values() for name, module in section.items()}
)

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

    def format_commands(
        self,
        ctx: Any,  # noqa: ANN401 - click's own class, a copy of which typer holds
        formatter: Any,  # noqa: ANN401 - likewise
    ) -> None:
        """Write the subcommands under their headings."""
        width = max(len(name) for name in COMMANDS)
        for heading, section in SECTIONS.items():
            rows = []
            for name in section:
                command = self.get_command(ctx, name)
                assert command is not None
                rows.append((name.ljust(width), command.get_short_help_str(limit=68)))
            with formatter.section(heading):
                formatter.write_dl(rows)

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
