"""A disk that fails before a step of the test's choice, as a kill or a loss of power leaves it.

After one step is before the next, so these are all the crashes there are. A loss of power may take
with it what was not made durable: either everything that was not, or nothing, which is a kill.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rogatory.connect.disk import PRIVATE, Disk

T = TypeVar("T")


class Crash(BaseException):
    """The process is gone: nothing catches it, and nothing is cleaned up."""


@dataclass(kw_only=True)
class Steps:
    """Counts steps, and ends the process before one.

    Attributes:
        fatal: The step to end before, counted from 0; -1: none.
        taken: Steps so far.
    """

    fatal: int = -1
    taken: int = 0

    def take(self, action: Callable[[], T]) -> T:
        """Take a step, unless it is the fatal one."""
        number = self.taken
        self.taken += 1
        if number == self.fatal:
            raise Crash
        return action()


class FragileDisk(Disk):
    """Takes each step through `Steps`, and remembers how to take back what is not durable yet."""

    def __init__(self, steps: Steps, stash: Path) -> None:
        self._steps = steps
        self._stash = stash
        self._undo: list[tuple[Path, Callable[[], None]]] = []

    def create(self, path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
        """Its name is durable after a sync of its folder."""
        self._undo.append((path.parent, lambda: path.unlink(missing_ok=True)))
        self._steps.take(lambda: Disk.create(self, path, data, mode=mode))

    def mkdir(self, path: Path, *, mode: int = 0o700) -> None:
        """Likewise."""
        self._undo.append((path.parent, lambda: shutil.rmtree(path, ignore_errors=True)))
        self._steps.take(lambda: Disk.mkdir(self, path, mode=mode))

    def rename(self, source: Path, target: Path) -> None:
        """It is durable after a sync of the target's folder."""
        before = self._copy(target)

        def undo() -> None:
            if target.exists() and not source.exists():
                target.rename(source)
            if before is not None:
                before.rename(target)

        self._undo.append((target.parent, undo))
        self._steps.take(lambda: Disk.rename(self, source, target))

    def sync(self, folder: Path) -> None:
        """What was done in the folder stays."""
        self._steps.take(lambda: Disk.sync(self, folder))
        self._undo = [(place, undo) for place, undo in self._undo if place != folder]

    def remove(self, path: Path) -> None:
        """It is durable after a sync of its folder."""
        before = self._copy(path)
        if before is not None:
            self._undo.append((path.parent, lambda: _restore(before, path)))
        self._steps.take(lambda: Disk.remove(self, path))

    def lose_power(self) -> None:
        """Take back everything that is not durable, last things first."""
        for _, undo in reversed(self._undo):
            # What a folder held is gone with it.
            with contextlib.suppress(FileNotFoundError):
                undo()
        self._undo.clear()

    def _copy(self, path: Path) -> Path | None:
        if not path.exists():
            return None
        self._stash.mkdir(exist_ok=True)
        copy = self._stash / str(len(list(self._stash.iterdir())))
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            shutil.copy2(path, copy)
        return copy


def _restore(copy: Path, path: Path) -> None:
    if not path.exists():
        copy.rename(path)
