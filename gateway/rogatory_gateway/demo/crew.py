"""The agencies' processes: started, given orders, and gone at the end, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rogatory.errors import RogatoryError
from rogatory_gateway.demo import cast, confine
from rogatory_gateway.demo.house import private_folder
from rogatory_gateway.demo.party import MAX_LINE

_FIRST_UID = 61_000
"""Unused by distributions (systemd's documentation of user ids): one for each agency."""
_END_SECONDS = 10.0

LANDLOCK, USERS, MODES = "landlock", "users", "modes"

Answer = dict[str, Any]


class PartyFailed(RogatoryError):
    """An agency's process could not do what it was told, or found what does not verify."""


class Party:
    """One agency's process, seen from outside."""

    def __init__(
        self,
        agency: str,
        process: asyncio.subprocess.Process,
        progress: Callable[[str, Mapping[str, int]], None],
    ) -> None:
        self.agency = agency
        self.process = process
        self._progress = progress
        self._turn = asyncio.Lock()

    async def do(self, name: str, **order: Any) -> Answer:  # noqa: ANN401 - JSON values
        """Give an order and wait for the answer.

        Raises:
            PartyFailed: The process says that it failed, or has ended.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            line = json.dumps({"do": name, **order}, ensure_ascii=False)
            try:
                self.process.stdin.write(line.encode() + b"\n")
                await self.process.stdin.drain()
                while True:
                    answer: Answer = json.loads(await _line(self.process.stdout))
                    if "progress" in answer:
                        self._progress(self.agency, answer["progress"])
                        continue
                    if "error" in answer:
                        raise PartyFailed(
                            f"{self.agency} could not {name}: {answer['error']}",
                            hint="Nothing is wrong with your input; please report this.",
                        )
                    found: Answer = answer["ok"]
                    return found
            except (ConnectionResetError, BrokenPipeError) as error:
                raise PartyFailed(
                    f"The process of {self.agency} ended while it was to {name}",
                    hint="What it wrote on standard error says why.",
                ) from error


async def _line(output: asyncio.StreamReader) -> bytes:
    data = await output.readline()
    if not data:
        raise ConnectionResetError
    return data


class Crew:
    """All agencies' processes. Use as an asynchronous context manager: none outlives it."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        progress: Callable[[str, Mapping[str, int]], None],
        isolation: str = "",
    ) -> None:
        """Prepare.

        Args:
            folder: Where each agency gets a folder of its own.
            port: The gateway's, the one port that agencies may connect to.
            progress: Told of what an agency has received.
            isolation: How agencies are kept apart; empty: the best way this machine has.
        """
        self.folder = folder
        self.isolation = isolation
        self.parties: dict[str, Party] = {}
        self._port = port
        self._progress = progress

    def home(self, agency: str) -> Path:
        """Return an agency's folder."""
        return self.folder / agency

    async def __aenter__(self) -> Self:
        """Start one process for each member of the cast."""
        self.folder.mkdir(mode=0o711)
        self.isolation = self.isolation or best_isolation(self.folder)
        if self.isolation == USERS:
            _let_through(self.folder)
        try:
            for number, member in enumerate(cast.MEMBERS):
                await self._start(member.agency_id, number)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def _start(self, agency: str, number: int) -> None:
        owner = _FIRST_UID + number if self.isolation == USERS else None
        home = private_folder(self.home(agency), owner=owner)
        identity: dict[str, Any] = (
            {} if owner is None else {"user": owner, "group": owner, "extra_groups": []}
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "rogatory_gateway.demo.party"),
            *(str(home), str(self._port), self.isolation),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_LINE,
            start_new_session=True,
            cwd=home,
            **identity,
        )
        self.parties[agency] = Party(agency, process, self._progress)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every process: by the end of its input; at once where something went wrong."""
        for party in self.parties.values():
            if kind is not None and party.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    party.process.kill()
            if party.process.stdin is not None:
                party.process.stdin.close()
        waiting = asyncio.gather(*(party.process.wait() for party in self.parties.values()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await waiting
        for party in self.parties.values():
            if party.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    party.process.kill()
                await party.process.wait()

    async def all_do(self, name: str, **order: Any) -> dict[str, Answer]:  # noqa: ANN401
        """Give every agency the same order at once; return their answers.

        Raises:
            PartyFailed: One of them failed.
        """
        return await self.each_do(dict.fromkeys(self.parties, (name, order)))

    async def each_do(self, orders: Mapping[str, tuple[str, Answer]]) -> dict[str, Answer]:
        """Give agencies an order each, at once; return their answers.

        Raises:
            PartyFailed: One of them failed.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    agency: group.create_task(self.parties[agency].do(name, **order))
                    for agency, (name, order) in orders.items()
                }
        except* PartyFailed as failures:
            # The first failure is the one to mend; the others are likely to follow from it.
            raise failures.exceptions[0] from None
        return {agency: task.result() for agency, task in tasks.items()}

    async def trespass(self, forbidden: Iterable[Path]) -> tuple[int, int]:
        """Have every agency try to read its neighbour's keys and what else is none of its business.

        Returns:
            How many attempts were denied, and how many there were.
        """
        agencies = list(self.parties)
        orders: dict[str, tuple[str, Answer]] = {}
        for number, agency in enumerate(agencies):
            keys = self.home(agencies[number - 1]) / "keys"
            paths = [keys / "root.pem", keys / "tls.pem", *forbidden]
            orders[agency] = ("trespass", {"paths": [str(path) for path in paths]})
        answers = await self.each_do(orders)
        attempts = sum(len(order["paths"]) for _, order in orders.values())
        return sum(answer["denied"] for answer in answers.values()), attempts


def best_isolation(folder: Path) -> str:
    """Return how agencies can be kept apart on this machine.

    1. Landlock, where the kernel offers it: each process shuts itself in.
    2. A user id of its own for each, for root, where such a user can run this program at all.
    3. File modes alone: they keep out other users, and the agencies are one user's processes.

    Args:
        folder: Where the agencies' folders are to be.
    """
    if confine.landlock_version():  # (1)
        return LANDLOCK
    if os.name == "posix" and os.geteuid() == 0 and _others_can_run(folder):  # (2)
        return USERS
    return MODES  # (3)


def _others_can_run(folder: Path) -> bool:
    """Try, as the first of the users, to import the program and to reach the folder."""
    _let_through(folder)
    program = "import os, sys, rogatory_gateway.demo.party; os.chdir(sys.argv[1])"
    try:
        probe = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", program, str(folder)],
            user=_FIRST_UID,
            group=_FIRST_UID,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return probe.returncode == 0


def _let_through(folder: Path) -> None:
    """Let users pass through to the folders they own below; nothing else on the way is for them."""
    folder.parent.chmod(0o711)
