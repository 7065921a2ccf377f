"""Options in a dataclass: each is an option of the command, and the command gets the dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from rogatory.cli.flat import flat


@dataclass(frozen=True, kw_only=True)
class Size:
    """Options of the tests."""

    wide: Annotated[int, typer.Option("--wide", help="How wide.")]
    names: Annotated[list[str] | None, typer.Option("--name")] = None
    bold: Annotated[bool, typer.Option("--bold")] = False


@pytest.fixture
def taken() -> list[tuple[str, Size, str]]:
    """What the command was called with."""
    return []


@pytest.fixture
def app(taken: list[tuple[str, Size, str]]) -> typer.Typer:
    """A command with a group of options between others."""
    made = typer.Typer(rich_markup_mode=None)

    @made.command()
    @flat
    def draw(
        what: Annotated[str, typer.Argument()],
        *,
        size: Size,
        colour: Annotated[str, typer.Option("--colour")] = "red",
    ) -> None:
        """Draw something."""
        taken.append((what, size, colour))

    return made


def test_fields_are_options(app: typer.Typer, taken: list[tuple[str, Size, str]]) -> None:
    """Stated or left out, the fields of the dataclass are what was typed."""
    result = CliRunner().invoke(app, ["x", "--wide", "3", "--name", "a", "--name", "b"])

    assert 0 == result.exit_code, result.output
    assert [("x", Size(wide=3, names=["a", "b"], bold=False), "red")] == taken


def test_field_without_default_is_required(app: typer.Typer) -> None:
    """The help lists the fields; one without a default has to be given."""
    runner = CliRunner()

    without = runner.invoke(app, ["x"])
    shown = runner.invoke(app, ["--help"])

    assert 2 == without.exit_code
    assert "--wide" in without.output
    assert "Draw something." in shown.output
    assert "How wide." in shown.output
