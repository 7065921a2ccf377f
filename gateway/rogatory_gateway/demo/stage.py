"""From the curtain's rise to its fall: hosts, gateway, agencies, play, report, tidying up."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rogatory.errors import ConfigurationError
from rogatory_gateway.demo import due, hosts
from rogatory_gateway.demo.crew import Crew
from rogatory_gateway.demo.house import House
from rogatory_gateway.demo.play import HOSTS, Play, Sizes
from rogatory_gateway.demo.report import Summary
from rogatory_gateway.demo.telling import lines

ACTS = 23
"""Times that the play tells what happens next."""
_REPORT_WIDTH = 110


def perform(
    *,
    indicators: Sequence[Path] = (),
    folder: Path | None = None,
    as_json: bool = False,
    keep: bool = False,
    scale: float = 1.0,
    isolation: str = "",
) -> Summary:
    """Run the operation, report, and leave nothing behind that was not asked for.

    Args:
        indicators, folder, as_json, keep: As `rogatory_gateway.demo.run`.
        scale: Fraction of a real operation's numbers.
        isolation: How agencies are kept apart; empty: the best way this machine has.

    Raises:
        RogatoryError: Something could not be done, or does not verify.
    """
    started = time.monotonic()
    listed, notes = gather(indicators, scale)
    place = Path(tempfile.mkdtemp(prefix="rogatory-demo-")) if folder is None else folder
    house = None
    done = False
    try:
        house = House(place)
        summary = asyncio.run(
            _interruptible(house, listed, notes, scale=scale, isolation=isolation, started=started)
        )
        done = True
    finally:
        if house is not None and not (keep and done):
            house.stop()
        if folder is None and not (keep and done):
            shutil.rmtree(place, ignore_errors=True)
    _show(summary, as_json=as_json)
    if keep:
        _leave(house)
    elif folder is not None:
        _say(f"Kept in {place}; check it: rogatory-gateway fsck --dir {place}")
    return summary


def gather(paths: Sequence[Path], scale: float) -> tuple[list[hosts.Host], list[str]]:
    """Return the operation's hosts, and notes on where they come from.

    Raises:
        ConfigurationError: A file cannot be read, or none names a host.
    """
    wanted = max(1, round(HOSTS * scale))
    if not paths:
        note = f"{wanted:,} hosts made up in ranges reserved for examples (RFC 2606, 5737, 3849)"
        return hosts.made_up(wanted), [note]
    reading = hosts.read_lists(paths)
    if not reading.hosts:
        raise ConfigurationError(
            f"There is no host in {', '.join(map(str, paths))}",
            hint="Name files with one host, address, host:port or URL a line.",
        )
    chosen = hosts.choose(reading.hosts, wanted)
    notes = [f"{_counted(chosen)} from {_files(len(paths))}, of {_counted(reading.hosts)} in them"]
    if len(chosen) < wanted:
        notes.append(f"fewer than {wanted:,}: all are used, and none is made up")
    if reading.others:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in hosts.tally(reading.others).items())
        notes.append(f"left out, since they name no host: {kinds}")
    if reading.unreadable:
        notes.append(
            f"{len(reading.unreadable)} lines could not be read, first {reading.unreadable[0]}"
        )
    return chosen, notes


def _counted(found: Sequence[hosts.Host]) -> str:
    """Return how many hosts, and values where some differ only by port or path."""
    names = hosts.distinct(found)
    text = f"{names:,} hosts"
    return text if names == len(found) else f"{text} in {len(found):,} values"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


async def _interruptible(
    house: House,
    listed: Sequence[hosts.Host],
    notes: Sequence[str],
    *,
    scale: float,
    isolation: str,
    started: float,
) -> Summary:
    """Run the play so that a signal to end cleans up as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    ended: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        ended.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        return await _play(house, listed, notes, scale=scale, isolation=isolation, started=started)
    except asyncio.CancelledError:
        if ended:
            raise SystemExit(128 + ended[0]) from None
        raise


async def _play(
    house: House,
    listed: Sequence[hosts.Host],
    notes: Sequence[str],
    *,
    scale: float,
    isolation: str,
    started: float,
) -> Summary:
    sizes = Sizes.of(scale, hosts=len(listed))
    copies = due.copies(listed)
    with Board(sizes, copies=copies) as board:
        async with Crew(
            house.folder / "agencies",
            port=house.port,
            progress=board.received,
            isolation=isolation,
        ) as parties:
            play = Play(
                house, parties, hosts=listed, sizes=sizes, tell=board.act, expect=board.expect
            )
            await play.enrol()
            await play.operate()
            await play.finish()
            kept_apart = parties.isolation
    summary = Summary.of(
        play.outcome,
        hosts=listed,
        isolation=kept_apart,
        notes=notes,
        seconds=time.monotonic() - started,
    )
    summary.check(sizes, copies=copies)
    return summary


class Board:
    """Progress bars on standard error."""

    def __init__(self, sizes: Sizes, *, copies: int) -> None:
        """Draw bars for so much.

        Args:
            sizes: How much is exchanged.
            copies: Hosts that all agencies together may have.
        """
        self._counts: dict[str, Mapping[str, int]] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._act = self._bars.add_task("", total=ACTS)
        self._tasks = {
            "hosts": self._bars.add_task("hosts at agencies", total=copies),
            "receipts": self._bars.add_task("officers' receipts", total=None),
            "reports": self._bars.add_task("hosts reported down", total=sizes.down),
            "notices": self._bars.add_task("notices to victims", total=sizes.notices),
        }

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def act(self, text: str) -> None:
        """Say what happens next."""
        self._bars.update(self._act, description=text, advance=1)

    def expect(self, what: str, count: int) -> None:
        """Draw a bar for what is due, now that it is known."""
        self._bars.update(self._tasks[what], total=count)

    def received(self, agency: str, counts: Mapping[str, int]) -> None:
        """Draw what an agency has received by now."""
        self._counts[agency] = counts
        for what, task in self._tasks.items():
            completed = sum(counted[what] for counted in self._counts.values())
            self._bars.update(task, completed=completed)


def _show(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(summary.as_json(), ensure_ascii=False) + "\n")
        return
    console = Console(width=_REPORT_WIDTH, highlight=False, soft_wrap=True)
    for line in lines(summary):
        console.print(line)


def _leave(house: House) -> None:
    """Say how to talk to the gateway that keeps running."""
    assert house.process is not None
    home = house.folder / "agencies" / "vn.police"
    _say(
        f"The gateway keeps running: {house.settings.address}, process {house.process.pid}.",
        f"  rogatory inbox --home {home}",
        f"  rogatory-gateway status --dir {house.folder}",
        f"  rogatory-gateway fsck --dir {house.folder}",
        f"End it: kill {house.process.pid}",
    )


def _say(*lines: str) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
