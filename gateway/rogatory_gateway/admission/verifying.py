"""Verifying a group, on more than one core where that pays.

Opening and verifying a message costs more than all else, and Python runs one thread at a time. But
a signature check leaves the interpreter to other threads while it runs, so that for groups of
single messages the event loop and one thread draw from the same queue. Batches are shared with a
helper process, which costs more to reach and does all of the work elsewhere: it is fed from one end
of a queue, a few messages at a time, and the event loop draws from the other end whenever it has
nothing to decide or commit, until they meet. The helper is this very code, fed through pipes:
when the gateway ends, however it ends, the pipe closes and the helper ends with it. Without a
helper, or when it fails, all is done here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import structlog

from rogatory import envelopes
from rogatory_gateway.admission.admission import LAPSES, Candidate, rejection
from rogatory_gateway.admission.helper import HelperProcess, request_of
from rogatory_gateway.ledger.items import MessageItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rogatory.keyring import KnownKey
    from rogatory_gateway.admission.admission import Admission, Signers
    from rogatory_gateway.admission.helper import Verdict
    from rogatory_gateway.ledger.items import Item
    from rogatory_gateway.ledger.registry import Registry

WORTH_A_HOP = 4
"""Candidates from which on the thread helps: calling it costs about one signature check."""

WORTH_THE_WAY = 96
"""Candidates from which on the helper process is asked: batches, not single messages."""

HELPER_MESSAGES = 16
"""Most messages in one request to the helper: a few milliseconds of work."""

OWN_MESSAGES = 4
"""Messages verified here at a time: as long as the event loop may do nothing else."""

AHEAD = 4
"""Requests at the helper at a time: it has work while the event loop is busy with other things."""

RESERVE = 12
"""Candidates left to the helper: while it verifies them, this process has others' to commit."""

HELPER_PATIENCE_SECONDS = 10.0
"""Longest wait for the helper's answer: a hundred times what a full group takes."""

log = structlog.get_logger()


class GroupVerifier:
    """Turns candidates into messages or rejections."""

    def __init__(
        self,
        admission: Admission,
        *,
        registry: Callable[[], Registry],
        folder: Path,
        origin: str,
        message_bytes: int,
        enabled: bool,
    ) -> None:
        """Prepare; `start` brings the helper up.

        Args:
            admission: Verifies candidates here.
            folder: The ledger, from which the helper reads who is enrolled.
            enabled: Whether to have a helper at all.
        """
        self._admission = admission
        self._registry = registry
        self._start = partial(
            HelperProcess.start, folder=folder, origin=origin, message_bytes=message_bytes
        )
        self._enabled = enabled
        self._helper: HelperProcess | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="verify")

    async def start(self) -> None:
        """Start the helper process."""
        if self._enabled:
            try:
                self._helper = await self._start()
            except OSError as error:
                log.warning("no verification helper", error=type(error).__name__)

    async def stop(self) -> None:
        """End the helper process."""
        helper, self._helper = self._helper, None
        if helper is not None:
            await helper.stop()
        self._thread.shutdown()

    async def verify(self, items: Sequence[Item | Candidate], *, governance: int) -> list[Item]:
        """Return the items in order, candidates verified.

        Args:
            governance: Number of governance entries that the registry here was made from.
        """
        candidates = [item for item in items if isinstance(item, Candidate)]
        verified = await self._verify_all(candidates, governance)
        following = iter(verified)
        return [next(following) if isinstance(item, Candidate) else item for item in items]

    async def _verify_all(self, candidates: list[Candidate], governance: int) -> list[Item]:
        if len(candidates) < WORTH_A_HOP:
            return list(self._admission.admit(candidates))
        helper = self._helper
        if helper is None or len(candidates) < WORTH_THE_WAY:
            return await self._with_thread(candidates)
        return await self._with_helper(helper, candidates, governance)

    async def _with_helper(
        self, helper: HelperProcess, candidates: list[Candidate], governance: int
    ) -> list[Item]:
        """Share the work: the helper takes from the front, this process from the back."""
        todo = deque(range(len(candidates)))
        verdicts: dict[int, Verdict] = {}
        items: dict[int, Item] = {}

        async def feed() -> None:
            while todo:
                taken = [todo.popleft() for _ in range(min(len(todo), HELPER_MESSAGES))]
                shared = [candidates[position] for position in taken]
                answer = await helper.exchange(request_of(shared, governance=governance))
                verdicts.update(zip(taken, answer, strict=True))

        feeding = asyncio.gather(*(feed() for _ in range(AHEAD)))
        try:
            await asyncio.sleep(0)
            while len(todo) > RESERVE:
                taken = [todo.pop() for _ in range(OWN_MESSAGES)]
                own = self._admission.admit([candidates[position] for position in taken])
                items.update(zip(taken, own, strict=True))
                # What was verified before can be decided and committed in the meantime.
                await asyncio.sleep(0)
            await asyncio.wait_for(feeding, HELPER_PATIENCE_SECONDS)
        except (OSError, ValueError, LookupError) as error:
            await self._replace(helper, error)
        finally:
            feeding.cancel()
        for position, verdict in verdicts.items():
            items[position] = self._item(candidates[position], verdict)
        missing = [position for position in range(len(candidates)) if position not in items]
        if missing:
            done = await self._with_thread([candidates[position] for position in missing])
            items.update(zip(missing, done, strict=True))
        return [items[position] for position in range(len(candidates))]

    async def _replace(self, helper: HelperProcess, error: Exception) -> None:
        """Start another helper in place of one that failed."""
        if self._helper is helper:
            self._helper = None
            log.error("verification helper failed", error=type(error).__name__)
            await helper.stop()
            await self.start()

    async def _with_thread(self, candidates: list[Candidate]) -> list[Item]:
        """Open all, then draw signatures to verify from one queue, here and in the thread."""
        admission = self._admission
        opened = admission.open(candidates)
        signers: dict[int, Signers] = {}
        todo = deque(enumerate(opened))

        def draw() -> None:
            while True:
                try:
                    position, item = todo.popleft()
                except IndexError:
                    return
                signers[position] = admission.verify(item)

        helping = asyncio.get_running_loop().run_in_executor(self._thread, draw)
        try:
            draw()
        finally:
            await helping
        in_order = [signers[position] for position in range(len(opened))]
        return list(admission.conclude(candidates, opened, in_order))

    def _item(self, candidate: Candidate, verdict: Verdict) -> Item:
        """Make the item of a verdict; the bytes were checked, so that parsing them is enough."""
        if verdict.error is not None:
            if verdict.error.reason in LAPSES:
                return self._admission.admit([candidate])[0]
            signed = envelopes.parse_checked(candidate.data) if verdict.signed else None
            return rejection(verdict.error, candidate, signed)
        signers: list[KnownKey] = []
        for fingerprint in verdict.signers:
            known = self._registry().ring.get(fingerprint)
            if known is None:
                return self._admission.admit([candidate])[0]
            signers.append(known)
        return MessageItem(
            actor=candidate.caller.agency,
            certificate=candidate.caller.certificate,
            opened=envelopes.parse_checked(candidate.data),
            signers=tuple(signers),
        )
