"""The drop folder as a process of its own: killed at chance moments, ended, and as documented."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
import socket
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from rogatory.cli.trust import write_policy
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.keys import PrivateKey
from rogatory.policy import Policy
from tests.support import documents
from tests.support.house import ALPHA, BETA, House
from tests.support.process import GatewayProcess
from tests.support.records import indicators
from tests.support.wire import Wire, rows_of
from tests.support.world import ORIGIN, envelope, header

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 5
JOBS = 4
SEED = 20_261_125
LONGEST = 0.4
"""Seconds that a process lives after it began to serve; the chance moment is within."""

PATIENCE = 40
SERVING = "serving "
JOB = {
    "to": [f"{BETA}:alpha-beta:Art. 4(1)"],
    "offences": ["0903"],
    "records": {
        "indicators": [
            {
                "type": "INDICATOR_TYPE_DOMAIN",
                "value": "c2.example",
                "status": "INDICATOR_STATUS_REPORTED",
            }
        ]
    },
}


class Served:
    """An agency's drop folder."""

    def __init__(self, house: House, agency_id: str, folder: Path) -> None:
        self.folder = folder
        self.out, self.into = folder / "out", folder / "in"
        self.out.mkdir(parents=True)
        self.into.mkdir()
        agency = house.agency(agency_id)
        self.home = Home(folder / "home")
        self.home.create()
        seed = hashlib.sha256(f"{agency_id} signing".encode()).digest()
        write_key_file(self.home.key("signing"), PrivateKey.from_seed(seed))
        write_private_file(self.home.key("tls"), agency.tls_key)
        self.home.client_certificate.write_bytes(agency.tls_certificate)
        self.home.ca_certificate.write_bytes(agency.ca)
        policy = Policy(log_keys=[house.log_key], roots={agency_id: agency.root.public_key})
        write_policy(policy, [], self.home.path)
        self._settings = AgencySettings(
            agency=agency_id, origin=ORIGIN, log=house.log_key.text, gateway=""
        )

    def at(self, port: int) -> Self:
        """Note where the gateway is."""
        settings = AgencySettings(
            agency=self._settings.agency,
            gateway=f"localhost:{port}",
            origin=self._settings.origin,
            log=self._settings.log,
        )
        self.home.write_settings(settings)
        return self

    def put(self, name: str) -> None:
        """Put a job there, as a case system does."""
        part = self.out / f"{name}.json.part"
        part.write_text(json.dumps(JOB))
        part.rename(self.out / f"{name}.json")

    def statuses(self) -> dict[str, dict[str, Any]]:
        """Return all sidecars."""
        return {
            path.name.removesuffix(".status.json"): json.loads(path.read_text())
            for path in self.out.glob("*.status.json")
        }

    def process(self, *more: str) -> Process:
        """Serve it."""
        return Process(
            *("connect", "--home", str(self.home.path), "--every", "0.1"),
            *("--out", str(self.out), "--in", str(self.into), *more),
        )


class Process:
    """`rogatory` as a process. Use as a context manager: it is killed at the end."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.process: asyncio.subprocess.Process
        self.log = ""

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from rogatory.cli import main; main()",
            *self._arguments,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.kill()

    async def read_until(self, word: str) -> None:
        """Read what it says up to a line that begins so."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self.process.stderr.readline()).decode()
                self.log += line
                assert line, self.log
                if line.startswith(word):
                    return

    async def lives(self, seconds: float) -> None:
        """Let it work for so long at most."""
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            return
        raise AssertionError(self.log + await self.rest())

    async def rest(self) -> str:
        """Return the rest of what it says, to its end."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            return (await self.process.stderr.read()).decode()

    async def kill(self) -> None:
        """End it at once."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def test_killed_at_chance_moments(tmp_path: Path) -> None:
    """Every job is in the log once and every message in IN once, whenever either end is killed."""
    house = House(tmp_path / "gateway", extra_config="[limits]\nkeep_alive_seconds = 0.1\n")
    house.enrol_usual()
    before = rows_of(house.folder)
    chance = random.Random(SEED)
    sender, recipient = (Served(house, item, tmp_path / item) for item in (ALPHA, BETA))

    async with GatewayProcess(house.folder) as gateway:
        for served in (sender, recipient):
            served.at(gateway.port)
        for number in range(ROUNDS):
            for job in range(JOBS):
                sender.put(f"{number}-{job}")
            await asyncio.gather(
                *(_killed(item, chance.uniform(0, LONGEST)) for item in (sender, recipient))
            )
        for served in (sender, recipient):
            async with served.process("--once") as process:
                said = await process.rest()
                assert 0 == await process.process.wait(), said
    after = rows_of(house.folder)

    statuses = sender.statuses()
    sent = [said["message"]["message_id"] for said in statuses.values()]
    arrived = sorted(path.name for path in recipient.into.glob("0*"))
    assert {f"{number}-{job}" for number in range(ROUNDS) for job in range(JOBS)} == {*statuses}
    assert {"sent": ROUNDS * JOBS} == Counter(said["state"] for said in statuses.values())
    assert ROUNDS * JOBS == len({*sent}) == after.outcomes - before.outcomes
    assert [*range(1, ROUNDS * JOBS + 1)] == [int(name[:10]) for name in arrived]
    assert sorted(sent) == sorted(name[-36:] for name in arrived)
    assert [] == [*(recipient.into / "quarantine").iterdir()]
    assert {f"{name}.json" for name in statuses} == {
        path.name for path in (sender.out / "done").glob("*.json")
    }


async def _killed(served: Served, seconds: float) -> None:
    async with served.process() as process:
        await process.read_until(SERVING)
        await process.lives(seconds)


async def test_ends_cleanly_and_alone(tmp_path: Path) -> None:
    """A second process is turned away; SIGTERM and Ctrl-C end the first one, with exit code 0."""
    house = House(tmp_path / "gateway")
    house.enrol_usual()
    async with house.serving():
        served = Served(house, ALPHA, tmp_path / "alpha").at(house.port)
        for number in (signal.SIGTERM, signal.SIGINT):
            async with served.process() as first:
                await first.read_until(SERVING)
                async with served.process() as second:
                    said = await second.rest()
                    assert 2 == await second.process.wait()
                assert "Another process uses" in said

                first.process.send_signal(number)
                said = await first.rest()

                assert (0, "stopped\n") == (await first.process.wait(), said)


async def test_documented_example(tmp_path: Path) -> None:
    """The case system in miniature sends a job, is told of both events, and files what arrives."""
    text = documents.read("docs/connect.md")
    (program,) = documents.fenced(text, "python")
    house = House(tmp_path / "gateway")
    house.enrol_usual()
    async with house.serving():
        served = Served(house, ALPHA, tmp_path / "alpha").at(house.port)
        (served.folder / "job.json").write_text(json.dumps(JOB))
        (served.folder / "case_system.py").write_text(program)
        port = _free_port()
        url = f"http://127.0.0.1:{port}/"
        async with house.wire(BETA) as beta:
            await _submit(house, beta)
        async with served.process("--webhook", url) as process:
            await process.read_until(SERVING)
            example = await asyncio.create_subprocess_exec(
                sys.executable,
                "case_system.py",
                cwd=served.folder,
                env=os.environ
                | {"WEBHOOK_PORT": str(port), "WEBHOOK_KEY": await _public_key(served, url)},
                stdout=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(PATIENCE):
                output, _ = await example.communicate()

    assert 0 == example.returncode
    assert [
        "case-2026-0417: Permitted for fr.pj under Art. 4(1).",
        "fr.pj sent 1 records: part-0-indicators.json",
    ] == sorted(output.decode().splitlines())
    assert 1 == len([*(served.folder / "filed").iterdir()])


async def _submit(house: House, beta: Wire) -> None:
    head = header(BETA, (ALPHA, "alpha-beta", "Art. 4(1)"))
    await beta.submit(envelope(house.agency(BETA), head, indicators(1)))


async def _public_key(served: Served, url: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from rogatory.cli import main; main()",
        *("connect", "secret", url, "--home", str(served.home.path), "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    key: str = json.loads(output)["public_key"]
    return key


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
