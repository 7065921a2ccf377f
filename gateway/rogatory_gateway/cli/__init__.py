"""`rogatory-gateway`: the operator's commands.

Data goes to standard output, progress and questions to standard error. Exit codes: 0 done, 1 not
done (the error says why and what to do next), 2 wrong use of the command line, 3 `fsck` found
damage; 70, 74, 130 and 141 as for `rogatory` (see `rogatory.cli.exits`).
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import NoReturn

from rogatory.cli.loading import loading

EXIT_FAILED = 1

MODULES_OF_THE_EXTRA = (
    "alembic",
    "grpc_health",
    "grpc_reflection",
    "prometheus_client",
    "pydantic",
    "pydantic_settings",
    "sqlalchemy",
    "structlog",
)
"""What the extra `gateway` installs. The script comes with the library, and these may not."""


def main() -> NoReturn:
    """Run the command that the process was started with."""
    with loading():
        from rogatory.cli.guard import guarded  # noqa: PLC0415 - Ctrl-C finds us ready by now
    guarded(
        _load,
        program="rogatory-gateway",
        arguments=sys.argv[1:],
        exit_code=lambda _: EXIT_FAILED,
    )


def _load() -> Callable[..., object]:
    # Asked for by name before anything is imported: a module that is missing for another reason is
    # a defect, and shows as one.
    missing = [name for name in MODULES_OF_THE_EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        from rogatory.errors import ConfigurationError  # noqa: PLC0415 - the guard has it by now

        raise ConfigurationError(
            f"packages that the gateway needs are not installed ({', '.join(missing)})",
            hint="Run: pip install 'rogatory[gateway]'",
        )
    from rogatory_gateway.cli.app import command  # noqa: PLC0415 - a second of imports

    return command


__all__ = ["EXIT_FAILED", "MODULES_OF_THE_EXTRA", "main"]
