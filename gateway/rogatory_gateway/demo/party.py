"""One agency's process: `python -m rogatory_gateway.demo.party FOLDER PORT ISOLATION`.

It shuts itself in, then does what it is told by JSON objects on standard input, one a line, and
answers likewise on standard output. Keys are made here and never leave; what is to be signed comes
in, and the signature goes out. It ends with its input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rogatory_gateway.demo import confine

if TYPE_CHECKING:
    from rogatory_gateway.demo.orders import Orders

MAX_LINE = 64 << 20
"""Longest line: all hosts of the operation, or all digests of what was received, with room."""


def main(arguments: list[str]) -> None:
    """Shut the process in, then import what needs threads, then serve."""
    folder, port, isolation = Path(arguments[0]), int(arguments[1]), arguments[2]
    os.umask(0o077)
    confined = isolation == "landlock" and confine.shut_in(folder, port=port)
    from rogatory_gateway.demo.orders import Orders  # noqa: PLC0415 - after the walls are up

    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_serve(Orders(folder, confined=confined, say=say)))


async def _serve(orders: Orders) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        say(await orders.answer(order))
    await orders.close()


def say(answer: dict[str, Any]) -> None:
    """Write one object as a line."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
