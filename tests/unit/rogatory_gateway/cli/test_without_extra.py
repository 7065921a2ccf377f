"""The command where only the library is installed, without the extra `gateway`."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rogatory.cli.exits import ExitCode
from rogatory_gateway import cli


def run_without(*modules: str) -> subprocess.CompletedProcess[str]:
    """Run ``rogatory-gateway --help`` in an interpreter that cannot import these."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
        "from rogatory_gateway.cli import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "missing", [cli.MODULES_OF_THE_EXTRA, ("pydantic",), ("structlog",)], ids=", ".join
)
def test_missing_extra_is_named_with_what_installs_it(missing: tuple[str, ...]) -> None:
    """One line on standard error, without a traceback, and the exit code for what was not done."""
    result = run_without(*missing)

    assert (1, "") == (result.returncode, result.stdout)
    assert (
        "error: packages that the gateway needs are not installed"
        f" ({', '.join(missing)}). Run: pip install 'rogatory[gateway]'\n" == result.stderr
    )


def test_other_missing_module_is_not_blamed_on_the_extra() -> None:
    """A module of the gateway itself that is missing is a defect, and is said to be one."""
    result = run_without("rogatory_gateway.cli.checking")

    assert ExitCode.DEFECT == result.returncode
    assert (
        "unexpected ModuleNotFoundError: import of rogatory_gateway.cli.checking" in result.stderr
    )
    assert "rogatory[gateway]" not in result.stderr


def test_modules_are_those_that_the_extra_installs() -> None:
    """Whoever adds a dependency of the gateway adds its module."""
    requirements = map(Requirement, importlib.metadata.requires("rogatory") or ())
    extra = {
        canonicalize_name(item.name)
        for item in requirements
        if item.marker is not None and item.marker.evaluate({"extra": "gateway"})
    }

    modules = {
        name
        for name, distributions in importlib.metadata.packages_distributions().items()
        if extra & set(map(canonicalize_name, distributions))
    }

    assert modules == set(cli.MODULES_OF_THE_EXTRA)
