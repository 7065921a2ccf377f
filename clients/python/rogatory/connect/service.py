"""The drop folder at work: what goes out, what comes in and who is told, each in its own thread."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rogatory import clock
from rogatory.connect.disk import Disk, prepare_folder
from rogatory.connect.hooks import Hooks
from rogatory.connect.incoming import Deadline, Delivery, Incoming
from rogatory.connect.outgoing import Outgoing
from rogatory.connect.status import fault, to_json
from rogatory.connect.webhooks import Notice
from rogatory.errors import ConfigurationError, InboxGap, RogatoryError

ADVANCE_EVERY = 100
"""Messages between two advances of the cursor while more are coming."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before the gateway is asked again after a failure; doubled each time."""

Subscribe = Callable[[int, bool], Iterable[Delivery | Deadline]]
"""Takes the first position wanted and whether to wait for more; yields what comes, in order."""

Advance = Callable[[int], int]
"""Tells the gateway up to where the inbox is held."""


@dataclass(kw_only=True)
class Done:
    """What one round did.

    Attributes:
        answered: Jobs by what became of them.
        waiting: Jobs that wait to be tried again.
        received: Messages written.
        errors: What went wrong: a gateway out of reach, a gap in the inbox.
        notices: Notices that wait for their receivers.
    """

    answered: dict[str, int]
    waiting: int
    received: int
    errors: list[RogatoryError]
    notices: int


@contextmanager
def locked(*folders: Path) -> Iterator[None]:
    """Hold folders for this process alone, however it ends.

    Raises:
        ConfigurationError: Another process holds one.
    """
    with ExitStack() as held:
        for folder in folders:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConfigurationError(
                    f"Another process uses {folder}",
                    hint="One rogatory connect at a time serves a folder: end the other one first.",
                ) from error
        yield


class Service:
    """A drop folder and the gateway it stands for."""

    def __init__(
        self,
        *,
        outgoing: Outgoing,
        incoming: Incoming,
        hooks: Hooks,
        subscribe: Subscribe,
        advance: Advance,
        report: Path,
        first: int,
        every: float,
        tell: Callable[[str], None],
        now: Callable[[], int],
        disk: Disk,
        mode: int,
        further: Callable[[], RogatoryError | None] = lambda: None,
    ) -> None:
        """Put it together.

        Args:
            outgoing, incoming, hooks: Its parts.
            subscribe, advance: The gateway's inbox.
            report: File that says how receiving stands.
            first: Position to begin at where none is held yet.
            every: Seconds between two looks at OUT.
            tell: Gets lines for the operator.
            now: Nanoseconds since the Unix epoch.
            disk: The file system.
            mode: Mode of the report.
            further: What else is to be sent, tried at each look at OUT; returns why the gateway
                could not be reached, and deals with all else by itself.
        """
        self._outgoing = outgoing
        self._incoming = incoming
        self._hooks = hooks
        self._subscribe = subscribe
        self._advance = advance
        self._report = report
        self._first = first
        self._every = every
        self._tell = tell
        self._now = now
        self._disk = disk
        self._mode = mode
        self._further = further
        self._reported = ""

    def once(self) -> Done:
        """Send what is there, fetch what has come, tell whoever waits; then end."""
        errors: list[RogatoryError] = []
        sent = self._outgoing.work()
        if sent.unreachable is not None:
            errors.append(sent.unreachable)
        before = self._incoming.position
        try:
            self._receive(lambda: False, follow=False)
        except RogatoryError as error:
            self._say(error)
            errors.append(error)
        unreachable = self._further()
        if unreachable is not None:
            errors.append(unreachable)
        waiting = sum(self._hooks.send_waiting(item) for item in self._hooks.receivers)
        return Done(
            answered=sent.answered,
            waiting=sent.waiting,
            received=self._incoming.position - before,
            errors=errors,
            notices=waiting,
        )

    def run(self, stop: threading.Event, *, close: Callable[[], None]) -> None:
        """Work until told to stop; what is under way is brought to a point that can be left.

        Args:
            stop: Set by whoever wants it to end.
            close: Closes the client, so that no call is waited for.

        Raises:
            BaseException: What ended a thread: a full disk, a defect. All else is told, and tried
                again.
        """
        failed: list[BaseException] = []

        def thread(work: Callable[[], None], name: str) -> threading.Thread:
            def guarded() -> None:
                try:
                    work()
                except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                    failed.append(error)
                    stop.set()

            return threading.Thread(target=guarded, name=name)

        threads = [
            thread(lambda: self._keep_sending(stop), "out"),
            thread(lambda: self._keep_receiving(stop), "in"),
        ]
        threads += [
            thread(lambda item=item: self._hooks.run(item, stop), f"webhook {item.shown}")  # type: ignore[misc]
            for item in self._hooks.receivers
        ]
        for item in threads:
            item.start()
        # In short waits: a signal is dealt with between them, whatever the platform.
        while not stop.wait(0.5):
            pass
        close()
        for item in threads:
            item.join()
        if failed:
            raise failed[0]

    def _keep_sending(self, stop: threading.Event) -> None:
        wait = FIRST_WAIT
        while not stop.is_set():
            done = self._outgoing.work(stop.is_set)
            if done.unreachable is None and self._further() is None:
                wait = FIRST_WAIT
                stop.wait(self._every)
            else:
                stop.wait(max(wait, self._every))
                wait = min(2 * wait, LONGEST_WAIT)

    def _keep_receiving(self, stop: threading.Event) -> None:
        wait = FIRST_WAIT
        while not stop.is_set():
            before = self._incoming.position
            try:
                self._receive(stop.is_set, follow=True)
            except RogatoryError as error:
                if stop.is_set():
                    return
                self._say(error)
            if self._incoming.position > before:
                wait = FIRST_WAIT
            stop.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _receive(self, stopped: Callable[[], bool], *, follow: bool) -> None:
        """Take what comes; tell the gateway from time to time, and at the end, what is held.

        Raises:
            InboxGap: A position was skipped: nothing behind it is taken.
            CallError: The gateway refused, or stayed away.
            ConfigurationError: What is trusted contradicts itself.
        """
        # What a crash came before: the gateway may not know yet what is held.
        told = self._advance(self._incoming.position) if self._incoming.position else 0
        try:
            for item in self._subscribe(self._start(), follow):
                if isinstance(item, Deadline):
                    self._incoming.remind(item)
                    continue
                self._incoming.take(item)
                self._say(None)
                if follow or self._incoming.position - told >= ADVANCE_EVERY:
                    told = self._advance(self._incoming.position)
                if stopped():
                    return
            self._say(None)
        finally:
            if self._incoming.position > told and not stopped():
                self._advance(self._incoming.position)

    def _start(self) -> int:
        return self._incoming.position + 1 if self._incoming.position else self._first

    def _say(self, error: RogatoryError | None) -> None:
        """Write how receiving stands, where that has changed; a gap is a notice too."""
        state = "receiving"
        if error is not None:
            state = "gap" if isinstance(error, InboxGap) else "interrupted"
            if str(error) != self._reported:
                self._tell(str(error))
        if isinstance(error, InboxGap) and str(error) != self._reported:
            self._hooks.put(
                Notice(
                    id=f"inbox-gap-{error.expected}-{error.received}",
                    type="inbox.gap",
                    time=self._now(),
                    data={"position": error.expected, "received": error.received},
                )
            )
        key = str(error) if error is not None else state
        if key == self._reported:
            return
        self._reported = key
        content = {
            "state": state,
            "position": self._incoming.position,
            "updated": clock.to_text(self._now()),
            **({"error": fault(error)} if error is not None else {}),
        }
        self._disk.put(self._report, to_json(content), mode=self._mode)


def state_folder(home: Path, *, exercise: bool) -> Path:
    """Return the folder of what the drop folder remembers; make it where it is missing.

    Raises:
        ConfigurationError: It cannot be made.
    """
    prepare_folder(home / "connect")
    return prepare_folder(home / "connect" / ("exercise" if exercise else "live"))
