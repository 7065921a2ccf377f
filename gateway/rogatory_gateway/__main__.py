"""`rogatory-gateway`, also as `python -m rogatory_gateway`."""

from __future__ import annotations

import sys

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


def main() -> None:
    """Run the command line. A Ctrl-C while it still loads ends it as any other does."""
    try:
        # Not at the top: loading takes most of a second, in which nobody else would be listening.
        from rogatory_gateway.cli import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
