"""Server processes of a benchmark: started, awaited, ended, and weighed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

PAGE_KIB = 4


@contextlib.contextmanager
def serving(*command: str) -> Iterator[tuple[str, int]]:
    """Run a server process; yield the address it prints and its process id; end it."""
    process = subprocess.Popen(
        [sys.executable, *command], stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stderr is not None
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if line.startswith("listening "):
                break
        else:
            raise RuntimeError("the server did not start:\n" + "".join(lines[-20:]))
        # Somebody must read on, or a full pipe would stop the server.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield line.split()[1], process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB (Linux: /proc; elsewhere: ps)."""
    statm = Path(f"/proc/{pid}/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * PAGE_KIB / 1024
    output = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True
    ).stdout
    return int(output) / 1024
