"""The helper process: admits what it is given, with the gateway's own code, and says how it went.

Run by the gateway as ``python -m rogatory_gateway.admission.helper FOLDER ORIGIN MESSAGE_BYTES``.
It reads the ledger's governance entries and nothing else, holds no private key and writes no file.

Frames on its standard input and output are JSON of a line, then for requests the messages' bytes:

- request: ``{"governance": n, "callers": [[agency, kind], ...], "items": [[caller, length], ...]}``
  with the caller's position in the list, and the bytes, one by one;
- answer: ``[[hex, ...] | {"error": {...}, "signed": bool}, ...]``, in order: who signed what may
  enter, or what was wrong.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rogatory.errors import EnvelopeError, Violation
from rogatory_gateway.admission.admission import Admission, Candidate
from rogatory_gateway.admission.identify import Caller
from rogatory_gateway.ledger.database import open_engine
from rogatory_gateway.ledger.items import MessageItem, RejectionItem
from rogatory_gateway.ledger.reading import governance_documents
from rogatory_gateway.ledger.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ANSWER_BYTES = 16 << 20
"""Longest line of an answer: violations of a full group, all fields of all messages at fault."""

REMEMBERED_SIGNERS = 1024
"""Verdicts remembered by who signed: the messages of a batch mostly have one signer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one message went.

    Attributes:
        signers: Fingerprints of the keys that signed, in the order of ``signed_by``.
        error: What was wrong; None for a message that may enter.
        signed: Whether the signatures verified before that.
    """

    signers: tuple[bytes, ...] = ()
    error: EnvelopeError | None = None
    signed: bool = False


class HelperProcess:
    """The gateway's side: a running helper."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        requests: asyncio.WriteTransport,
        answers: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._requests = requests
        self._answers = answers
        self._asked: deque[asyncio.Future[list[Verdict]]] = deque()
        self._reading = asyncio.create_task(self._read(), name="verification-helper")

    @classmethod
    async def start(cls, *, folder: Path, origin: str, message_bytes: int) -> HelperProcess:
        """Start a helper.

        Raises:
            OSError: it can't be started.
        """
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - this interpreter, these arguments
            [sys.executable, "-m", __name__, str(folder), origin, str(message_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A Ctrl-C at the terminal is the gateway's to handle: it drains first.
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        answers = asyncio.StreamReader(limit=MAX_ANSWER_BYTES)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), process.stdout)
        requests, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)
        return cls(process, requests, answers)

    def exchange(self, request: bytes) -> asyncio.Future[list[Verdict]]:
        """Send a request; return what will be its answer. Several may be under way.

        The answer may raise OSError: the helper has ended; ValueError: it answered something else.
        """
        future: asyncio.Future[list[Verdict]] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            future.set_exception(BrokenPipeError())
            return future
        self._asked.append(future)
        self._requests.write(request)
        return future

    async def stop(self) -> None:
        """End the helper; whoever waits for it gets an OSError."""
        self._process.kill()
        self._process.wait()
        await self._reading
        if not self._requests.is_closing():
            self._requests.abort()

    async def _read(self) -> None:
        """Hand answers to those who asked, in order, until there are no more."""
        fault: Exception = BrokenPipeError()
        try:
            while (line := await self._answers.readline()).endswith(b"\n"):
                future = self._asked.popleft()
                if not future.done():
                    future.set_result([_verdict(item) for item in json.loads(line)])
        except (ValueError, LookupError, OSError) as error:
            fault = error
        while self._asked:
            future = self._asked.popleft()
            if not future.done():
                future.set_exception(fault)


def request_of(candidates: Sequence[Candidate], *, governance: int) -> bytes:
    """Return the frame that asks for the verdicts on some candidates."""
    callers: dict[tuple[str, int], int] = {}
    items = [
        (
            callers.setdefault((candidate.caller.agency, candidate.caller.kind), len(callers)),
            len(candidate.data),
        )
        for candidate in candidates
    ]
    head = {"governance": governance, "callers": list(callers), "items": items}
    return b"".join((json.dumps(head).encode(), b"\n", *(item.data for item in candidates)))


def _verdict(item: list[str] | dict[str, Any]) -> Verdict:
    if isinstance(item, list):
        return _passed(tuple(item))
    error = item["error"]
    return Verdict(
        error=EnvelopeError(
            error["message"],
            hint=error["hint"],
            reason=error["reason"],
            violations=[
                Violation(path=path, rule=rule, message=message)
                for path, rule, message in error["violations"]
            ],
        ),
        signed=item["signed"],
    )


@lru_cache(REMEMBERED_SIGNERS)
def _passed(signers: tuple[str, ...]) -> Verdict:
    return Verdict(signers=tuple(bytes.fromhex(key) for key in signers), signed=True)


class _Helper:
    """The helper's side."""

    def __init__(self, folder: Path, origin: str, message_bytes: int) -> None:
        self._engine = open_engine(folder, read_only=True)
        self._registry = Registry()
        self._governance = 0
        self._admission = Admission(
            origin=origin,
            registry=lambda: self._registry,
            now=time.time_ns,
            message_bytes=message_bytes,
        )

    def serve(self, requests: BinaryIO, answers: BinaryIO) -> None:
        """Answer requests until the gateway closes the pipe."""
        for line in requests:
            head = json.loads(line)
            self._refresh(head["governance"])
            # All is read before the work begins: the gateway must not wait for a full pipe.
            callers = [
                Caller(agency=agency, kind=kind, key_digest=b"", certificate=b"")
                for agency, kind in head["callers"]
            ]
            received = [
                Candidate(data=requests.read(length), caller=callers[at])
                for at, length in head["items"]
            ]
            verdicts = [_told(item) for item in self._admission.admit(received)]
            answers.write(json.dumps(verdicts).encode() + b"\n")
            answers.flush()

    def _refresh(self, governance: int) -> None:
        if governance != self._governance:
            with self._engine.connect() as connection:
                documents = governance_documents(connection)[:governance]
            self._registry = Registry.replay(documents)
            self._governance = governance


def _told(item: MessageItem | RejectionItem) -> list[str] | dict[str, Any]:
    """Return the verdict that an item amounts to, as it is sent."""
    if isinstance(item, MessageItem):
        if item.lapsed is None:
            return [key.fingerprint.hex() for key in item.signers]
        item = item.lapsed
    error = item.error
    return {
        "error": {
            "message": error.message,
            "hint": error.hint,
            "reason": error.reason,
            "violations": [
                [violation.path, violation.rule, violation.message]
                for violation in error.violations
            ],
        },
        "signed": bool(item.header),
    }


def main() -> None:
    """Serve on standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder, origin, message_bytes = sys.argv[1:]
    helper = _Helper(Path(folder), origin, int(message_bytes))
    helper.serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
