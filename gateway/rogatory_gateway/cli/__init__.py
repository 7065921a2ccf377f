"""`rogatory-gateway`: the operator's commands.

Data goes to standard output, progress and questions to standard error. Exit codes: 0 done, 1 not
done (the error says why and what to do next), 2 wrong use of the command line, 3 `fsck` found
damage, 130 interrupted.
"""

from __future__ import annotations

import importlib.util
import sys

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


def main() -> None:
    """Run the command that the process was started with."""
    # Asked for by name before anything is imported: a module that is missing for another reason is
    # a defect, and shows as one.
    missing = [name for name in MODULES_OF_THE_EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        # Said here, since what says errors elsewhere needs them as well. Exit code 1: not done.
        sys.exit(
            f"error: packages that the gateway needs are not installed ({', '.join(missing)})."
            " Run: pip install 'rogatory[gateway]'"
        )
    from rogatory_gateway.cli.app import app  # noqa: PLC0415 - it imports what may be missing
    from rogatory_gateway.cli.terminal import guarded  # noqa: PLC0415 - likewise

    guarded(app)


__all__ = ["MODULES_OF_THE_EXTRA", "main"]
