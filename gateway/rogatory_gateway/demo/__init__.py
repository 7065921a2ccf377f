"""The demonstration: a joint operation of thirty agencies, on this machine, with nothing faked.

A gateway's process, and a process for each agency with keys of its own, exchange over mutual TLS
what a real operation exchanged, under agreements that they sign; then each of them verifies it all.
"""

from __future__ import annotations

from pathlib import Path


def run(*, indicators: list[Path], folder: Path | None, as_json: bool, keep: bool) -> int:
    """Run the joint operation and report on standard output; progress goes to standard error.

    Args:
        indicators: Files of malicious hosts; none: hosts are made up in reserved ranges.
        folder: Where gateway and agencies are kept; None: a temporary folder, removed at the end.
        as_json: Print one JSON object instead of the report.
        keep: Leave the gateway running, and its folder.

    Returns:
        The exit code, 0.

    Raises:
        RogatoryError: Something could not be done, or does not verify.
    """
    # Not at the top: an agency's process imports this package before it shuts itself in.
    from rogatory_gateway.demo.stage import perform  # noqa: PLC0415

    perform(indicators=indicators, folder=folder, as_json=as_json, keep=keep)
    return 0
