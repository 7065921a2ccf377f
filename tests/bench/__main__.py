"""``python -m tests.bench [NAME …]``: measure, and print one JSON object on standard output.

Names are the groups ``unary``, ``batch``, ``fanout`` and ``memory``; all by default. Gateway,
yardstick and client are processes of their own and talk mTLS over loopback. Each ratio is the
median of several rounds in which both of its sides run one after the other; a round before them
fills caches and does not count.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import grpc

from rogatory.keys import PrivateKey
from tests.bench import echo, load
from tests.bench.serving import rss_mib, serving
from tests.support.world import World

WARM_UP = 1
ROUNDS = 7
UNARY_CALLS = 3000
IN_FLIGHT = 64
BATCH = 100
BATCHES = 60
BATCHES_IN_FLIGHT = 4
RECIPIENTS = 27
FANOUT_CALLS = 2000
MEMORY_MESSAGES = 200_000
MEMORY_WARM_UP = 20_000
GROUPS = ("unary", "batch", "fanout", "memory")

AGREEMENT = """\
agreement_id: bench
version: 1
title: Agreement for benchmarks
parties: [{parties}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: refuse_message
clauses:
  - clause_id: no-persons
    article: Art. 2
    effect: refuse
    scope: {{categories: [person, victim_notice]}}
    reach: message
  - clause_id: evidence
    article: Art. 4(2)
    effect: permit
    scope:
      kinds: [transfer]
      categories: [evidence]
      purposes: [investigation]
      offences: ["07"]
    conditions: {{onward_transfer_at_most: with_consent, records_at_most: 1000}}
  - clause_id: requests
    article: Art. 5
    effect: permit
    scope: {{kinds: [request, update]}}
"""


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def verifications_per_second() -> float:
    """Return Ed25519 verifications per second of one core, of a 1 KiB message."""
    key = PrivateKey.from_seed(bytes(32))
    message = bytes(load.MESSAGE_BYTES)
    signature, public = key.sign(message), key.public_key
    count = 3000
    begin = time.perf_counter()
    for _ in range(count):
        public.verify(signature, message)
    return count / (time.perf_counter() - begin)


class Bench:
    """One run: the world, its servers and what was measured."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.sender = self.world.enrol("xa.police")
        names = [f"xb.agency-{number}" for number in range(RECIPIENTS)]
        for name in names:
            self.world.enrol(name)
        parties = ", ".join(f"{{agency: {name}}}" for name in ["xa.police", *names])
        self.world.agree(AGREEMENT.format(parties=parties))
        self.all = [(name, "bench", "Art. 4") for name in names]
        self.results: dict[str, float] = {}

    def _channel(self, address: str) -> grpc.aio.Channel:
        return grpc.aio.secure_channel(
            f"localhost:{address.rpartition(':')[2]}",
            self.sender.credentials,
            [("grpc.max_receive_message_length", 16 << 20)],
        )

    async def unary(self, gateway: str, yardstick: str) -> None:
        """Submits per second over echoes per second of the same bytes."""
        ratios, submits, echoes = [], [], []
        async with self._channel(gateway) as to_gateway, self._channel(yardstick) as to_echo:
            for number in range(-WARM_UP, ROUNDS):
                signed = load.messages(self.sender, self.all[:1], UNARY_CALLS)
                requests = load.submit_requests(signed)
                echoes.append(await load.rate(to_echo, echo.METHOD, requests, in_flight=IN_FLIGHT))
                submits.append(
                    await load.rate(to_gateway, load.SUBMIT, requests, in_flight=IN_FLIGHT)
                )
                ratios.append(submits[-1] / echoes[-1])
                say(f"unary {number + 1}/{ROUNDS}: {submits[-1]:.0f}/s of {echoes[-1]:.0f}/s")
                self.results["message_bytes"] = load.size_of(signed[0])
        self.results |= {
            "unary.ratio": statistics.median(ratios[WARM_UP:]),
            "unary.submits_per_second": statistics.median(submits[WARM_UP:]),
            "unary.echoes_per_second": statistics.median(echoes[WARM_UP:]),
        }

    async def batch(self, gateway: str) -> None:
        """Messages per second in batches over single-core verifications per second."""
        ratios, rates, verifications = [], [], []
        async with self._channel(gateway) as channel:
            for number in range(-WARM_UP, ROUNDS):
                signed = load.messages(self.sender, self.all[:1], BATCH * BATCHES)
                requests = load.batch_requests(signed, BATCH)
                verifications.append(verifications_per_second())
                rates.append(
                    BATCH
                    * await load.rate(
                        channel, load.SUBMIT_BATCH, requests, in_flight=BATCHES_IN_FLIGHT
                    )
                )
                ratios.append(rates[-1] / verifications[-1])
                say(f"batch {number + 1}/{ROUNDS}: {rates[-1]:.0f}/s of {verifications[-1]:.0f}/s")
        self.results |= {
            "batch.ratio": statistics.median(ratios[WARM_UP:]),
            "batch.messages_per_second": statistics.median(rates[WARM_UP:]),
            "batch.verifications_per_second": statistics.median(verifications[WARM_UP:]),
        }

    async def fanout(self, gateway: str) -> None:
        """Cost of a message to 27 recipients over one to one: unary and, harder, in batches."""
        unary, batched = [], []
        async with self._channel(gateway) as channel:
            for number in range(ROUNDS):
                one = load.messages(self.sender, self.all[:1], FANOUT_CALLS)
                many = load.messages(self.sender, self.all, FANOUT_CALLS)
                half = FANOUT_CALLS // 2
                rates = [
                    await load.rate(
                        channel,
                        load.SUBMIT,
                        load.submit_requests(signed[:half]),
                        in_flight=IN_FLIGHT,
                    )
                    for signed in (one, many)
                ]
                batch_rates = [
                    await load.rate(
                        channel,
                        load.SUBMIT_BATCH,
                        load.batch_requests(signed[half:], BATCH),
                        in_flight=BATCHES_IN_FLIGHT,
                    )
                    for signed in (one, many)
                ]
                unary.append(rates[0] / rates[1])
                batched.append(batch_rates[0] / batch_rates[1])
                say(f"fanout {number + 1}/{ROUNDS}: {unary[-1]:.2f}, in batches {batched[-1]:.2f}")
        self.results |= {
            "fanout.ratio": statistics.median(unary),
            "fanout.batch_ratio": statistics.median(batched),
        }

    async def memory(self, gateway: str, pid: int) -> None:
        """Growth of the gateway's resident memory over 200,000 messages, after a warm-up."""
        async with self._channel(gateway) as channel:
            before, sent = 0.0, 0
            while sent < MEMORY_WARM_UP + MEMORY_MESSAGES:
                signed = load.messages(self.sender, self.all[:1], 10_000)
                await load.rate(
                    channel,
                    load.SUBMIT_BATCH,
                    load.batch_requests(signed, BATCH),
                    in_flight=BATCHES_IN_FLIGHT,
                )
                sent += len(signed)
                if sent == MEMORY_WARM_UP:
                    before = rss_mib(pid)
                say(f"memory {sent}: {rss_mib(pid):.1f} MiB")
            self.results["rss_mib"] = rss_mib(pid)
            self.results["rss_growth_mib"] = rss_mib(pid) - before

    async def run(self, groups: tuple[str, ...]) -> None:
        """Measure the groups named."""
        folder = str(self.world.folder)
        serve = ("-m", "rogatory_gateway", "serve", "--dir", folder)
        with serving(*serve) as (gateway, pid):
            if "unary" in groups:
                with serving("-m", "tests.bench.echo", folder) as (yardstick, _):
                    await self.unary(gateway, yardstick)
            if "batch" in groups:
                await self.batch(gateway)
            if "fanout" in groups:
                await self.fanout(gateway)
            if "memory" in groups:
                await self.memory(gateway, pid)


def main() -> int:
    """Run and print the results."""
    groups = tuple(sys.argv[1:]) or GROUPS
    unknown = set(groups) - set(GROUPS)
    if unknown:
        say(f"error: no benchmark is called {', '.join(unknown)}. Use {', '.join(GROUPS)}.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "gateway")
        asyncio.run(bench.run(groups))
    rounded = {name: round(value, 3) for name, value in bench.results.items()}
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    print(json.dumps(rounded | machine, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
