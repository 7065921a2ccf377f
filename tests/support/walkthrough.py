"""Walking through a document: its commands run in order, and what it shows is what they print."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

_COMMANDS = re.compile(r"^```(sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRELUDE = """\
set -eu
trap 'kill $! && wait $!' EXIT
"""


def script(text: str) -> str:
    """Return what a document has its reader type, as one script.

    A ``console`` block is a command behind ``$`` and what it prints. What it prints goes to
    ``shown-N``, N being its place among those blocks, and however it ends the script goes on.
    """
    lines = []
    shown = 0
    for language, block in _COMMANDS.findall(text):
        if language == "sh":
            lines.append(block)
        elif block.startswith("$ "):
            command = block.partition("\n")[0].removeprefix("$ ")
            lines.append(f"{command} >shown-{shown} 2>&1 || true\n")
            shown += 1
    return "".join(lines)


def shown(text: str) -> list[str]:
    """Return what the ``console`` blocks of a document show that their commands print."""
    return [
        block.partition("\n")[2]
        for language, block in _COMMANDS.findall(text)
        if language == "console" and block.startswith("$ ")
    ]


def run(commands: str, folder: Path, *, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a script of a document in an empty folder, its gateway at a port that is free.

    Args:
        commands: Of a POSIX shell. The first command ends the whole when it fails.
        folder: Where it is run.
        timeout: Seconds until it has failed.
    """
    own_port = commands.replace("--name localhost", f"--name localhost --port {_free_port()}")
    assert own_port != commands
    return subprocess.run(
        ["sh", "-c", _PRELUDE + own_port],
        cwd=folder,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            # A client that reads its inbox to the end learns from a keep-alive that it is there.
            "ROGATORY_GATEWAY_LIMITS__KEEP_ALIVE_SECONDS": "0.2",
        },
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def shape(text: str) -> str:
    """Replace what differs from run to run: ids, instants, keys, and the width of columns."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME", text)
    text = re.sub(r"\bin \d+ (min|h|days?)\b", "in TERM", text)
    text = re.sub(r"\blog entry \d+", "log entry N", text)
    text = re.sub(r"\bkey [0-9a-f]{8,16}\b", "key KEY", text)
    return re.sub(r"  +", "  ", text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
