"""The README's walkthrough works as it stands there: its commands are run in order."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.support import documents

README = documents.read("README.md")

PRELUDE = """\
set -eu
trap 'kill $! && wait $!' EXIT
"""
FURTHER = """
{evaluate} >evaluated.txt && exit 1 || test $? -eq 1
python example.py
"""
"""What is shown with its output, a refusal, and the example in Python, which ends well."""


def test_walkthrough(tmp_path: Path) -> None:
    """From an empty folder to an acknowledged message, a receipt and a clean ledger.

    Then what would be refused, word for word, and the same message from Python.
    """
    (tmp_path / "agreement.yaml").write_text(documents.fenced(README, "yaml")[0])
    hosts, suspect = documents.fenced(README, "json")[:2]
    (tmp_path / "hosts.json").write_text(hosts)
    (tmp_path / "suspect.json").write_text(suspect)
    (tmp_path / "example.py").write_text(documents.fenced(README, "python")[0])
    evaluation = next(block for block in documents.fenced(README, "console") if "evaluate" in block)
    command, _, evaluated = evaluation.partition("\n")
    script = "".join(documents.fenced(README, "sh")) + FURTHER.format(
        evaluate=command.removeprefix("$ ")
    )
    own_port = script.replace("--name localhost", f"--name localhost --port {_free_port()}")

    result = subprocess.run(
        ["sh", "-c", PRELUDE + own_port],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            # A client that reads its inbox to the end learns from a keep-alive that it is there.
            "ROGATORY_GATEWAY_LIMITS__KEEP_ALIVE_SECONDS": "0.2",
        },
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert 0 == result.returncode, result.stdout + result.stderr
    assert own_port != script
    assert "\nclean: verified" in result.stdout
    assert evaluated == (tmp_path / "evaluated.txt").read_text()
    assert (tmp_path / "hosts.tlog-proof").exists()
    assert _shape(_receipt_as_shown()) in _shape(result.stdout)


def _receipt_as_shown() -> str:
    return next(block for block in documents.fenced(README, "console") if block[:8] == "verified")


def _shape(text: str) -> str:
    """Replace what differs from run to run: ids, instants and keys."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"\bkey [0-9a-f]{8,16}\b", "key KEY", text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
