"""A gateway as a process of its own, started with its command line and ended with signals."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_SECONDS = 30
LISTENING = "listening "


class GatewayProcess:
    """`rogatory-gateway serve` on a folder. Use as a context manager: it is killed at the end.

    Attributes:
        port: Where it listens.
        log: What it wrote on standard error, up to and after that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.port = 0
        self.log: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "rogatory_gateway",
            "serve",
            "--dir",
            str(self._folder),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(START_SECONDS):
            while not self.port:
                line = await self._line()
                assert line, "the gateway did not start:\n" + "".join(self.log)
                if line.startswith(LISTENING):
                    self.port = int(line.rpartition(":")[2])
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self.wait()

    async def _line(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        line = (await self._process.stderr.readline()).decode()
        self.log.append(line)
        return line

    async def _read(self) -> None:
        while await self._line():
            pass

    def kill(self) -> None:
        """End it at once, as a power cut would: SIGKILL."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to drain: SIGTERM."""
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def wait(self) -> int:
        """Wait until it has ended; return its exit status, negative for a signal."""
        assert self._process is not None
        status = await self._process.wait()
        if self._reading is not None:
            await self._reading
        return status


async def fsck(folder: Path) -> tuple[int, dict[str, Any]]:
    """Run `rogatory-gateway fsck`; return its exit status and its report."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rogatory_gateway",
        "fsck",
        "--dir",
        str(folder),
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output)
