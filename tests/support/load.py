"""Load that remembers: what was sent, and what the gateway said it had taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from rogatory.checkpoints import open_checkpoint
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory.notes import VerifierKey
from tests.support.house import House
from tests.support.wire import Wire, check_receipt, header_of

BATCH = 16


@dataclass(kw_only=True)
class Load:
    """Clients that submit until the gateway is gone.

    Attributes:
        attempted: Every message that was sent, by id.
        acknowledged: What the gateway answered, by id.
        roots: Root hash by size of every checkpoint seen. Two for one size: the log was forked.
        codes: Names of the statuses with which calls failed.
    """

    house: House
    key: VerifierKey
    attempted: dict[str, bytes] = field(default_factory=dict)
    acknowledged: dict[str, exchange_service_pb2.Submission] = field(default_factory=dict)
    roots: dict[int, bytes] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)

    def _message(self) -> bytes:
        message = self.house.good()
        self.attempted[header_of(message).message_id] = message
        return message

    def see(self, checkpoint: str) -> None:
        """Remember a checkpoint; it must not contradict one that was seen before."""
        signed = open_checkpoint(checkpoint.encode(), log_keys=[self.key]).checkpoint
        assert signed.root == self.roots.setdefault(signed.size, signed.root)

    def _take(self, submission: exchange_service_pb2.Submission, checkpoint: str) -> None:
        check_receipt(submission.receipt, checkpoint, self.key)
        self.acknowledged[submission.message_id] = submission

    async def _one_by_one(self, wire: Wire) -> None:
        while True:
            response = await wire.submit(self._message())
            self.see(response.checkpoint)
            self._take(response.submission, response.checkpoint)

    async def _in_batches(self, wire: Wire) -> None:
        while True:
            answer = await wire.submit_batch(*(self._message() for _ in range(BATCH)))
            self.see(answer.checkpoint)
            for item in answer.results:
                self._take(item.submission, answer.checkpoint)

    async def run(self, wires: list[Wire], *, until: int, then: Callable[[], None]) -> None:
        """Submit from several clients; after ``until`` more answers do ``then``; wait for the end.

        Every client must end with an error: nothing else stops it.
        """
        target = len(self.acknowledged) + until
        tasks = [
            asyncio.create_task(client(wire))
            for wire in wires
            for client in (self._one_by_one, self._one_by_one, self._in_batches)
        ]
        while len(self.acknowledged) < target:
            done, _ = await asyncio.wait(tasks, timeout=0.001)
            assert not done, [task.exception() for task in done]
        then()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(result, grpc.aio.AioRpcError), result
            self.codes.add(result.code().name)
