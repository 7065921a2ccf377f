"""The helper process: admits what it is given, with the gateway's own code, and says how it went.

Run by the gateway as ``python -m rogatory_gateway.admission.helper FOLDER ORIGIN MESSAGE_BYTES``.
It reads the ledger's governance entries and nothing else, holds no private key and writes no file.

Frames on its standard input and output are JSON of a line, then for requests the messages' bytes:

- request: ``{"governance": n, "items": [[agency, kind, length], ...]}`` and the bytes, one by one;
- answer: ``[{"signers": [hex, ...]} | {"error": {...}, "signed": bool}, ...]``, in order.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rogatory.errors import EnvelopeError, Violation
from rogatory_gateway.admission.admission import Admission, Candidate
from rogatory_gateway.admission.identify import Caller
from rogatory_gateway.ledger.database import open_engine
from rogatory_gateway.ledger.items import MessageItem
from rogatory_gateway.ledger.reading import governance_documents
from rogatory_gateway.ledger.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ANSWER_BYTES = 16 << 20
"""Longest line of an answer: violations of a full group, all fields of all messages at fault."""


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
    """The gateway's side: a running helper. `exchange` blocks; it is for a thread of its own."""

    def __init__(self, *, folder: Path, origin: str, message_bytes: int) -> None:
        """Start the helper.

        Raises:
            OSError: it can't be started.
        """
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, these arguments
            [sys.executable, "-m", __name__, str(folder), origin, str(message_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A Ctrl-C at the terminal is the gateway's to handle: it drains first.
            start_new_session=True,
        )

    def exchange(self, request: bytes) -> list[Verdict]:
        """Send a request and return the answer.

        Raises:
            OSError: the helper has ended.
            ValueError: it answered something else.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request)
        self._process.stdin.flush()
        line = self._process.stdout.readline(MAX_ANSWER_BYTES)
        if not line.endswith(b"\n"):
            raise BrokenPipeError
        return [_verdict(item) for item in json.loads(line)]

    def kill(self) -> None:
        """End the helper; whoever waits for it gets an OSError."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the pipes of a helper that is at rest or dead."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def request_of(candidates: Sequence[Candidate], *, governance: int) -> bytes:
    """Return the frame that asks for the verdicts on some candidates."""
    head = {
        "governance": governance,
        "items": [
            [candidate.caller.agency, candidate.caller.kind, len(candidate.data)]
            for candidate in candidates
        ],
    }
    return b"".join((json.dumps(head).encode(), b"\n", *(item.data for item in candidates)))


def _verdict(item: dict[str, Any]) -> Verdict:
    error = item.get("error")
    if error is None:
        return Verdict(signers=tuple(bytes.fromhex(key) for key in item["signers"]), signed=True)
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
            received = [
                (requests.read(length), agency, kind) for agency, kind, length in head["items"]
            ]
            verdicts = [self._admit(*item) for item in received]
            answers.write(json.dumps(verdicts).encode() + b"\n")
            answers.flush()

    def _refresh(self, governance: int) -> None:
        if governance != self._governance:
            with self._engine.connect() as connection:
                documents = governance_documents(connection)[:governance]
            self._registry = Registry.replay(documents)
            self._governance = governance

    def _admit(self, data: bytes, agency: str, kind: int) -> dict[str, Any]:
        caller = Caller(agency=agency, kind=kind, key_digest=b"", certificate=b"")
        item = self._admission.admit(Candidate(data=data, caller=caller))
        if isinstance(item, MessageItem) and item.lapsed is not None:
            item = item.lapsed
        if isinstance(item, MessageItem):
            return {"signers": [key.fingerprint.hex() for key in item.signers]}
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
