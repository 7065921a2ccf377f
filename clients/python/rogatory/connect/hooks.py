"""Notices that wait for their receivers: kept on disk until each has taken them.

Each receiver has a queue and a thread of its own, so that one that is away holds up nobody else.
A notice is sent until its receiver answers 2xx, at longer and longer intervals, and given up after
three days. It may come twice, under the same id.

.. code-block:: text

    webhooks/<receiver>/url                 where to
    webhooks/<receiver>/<time>-<id>.json    a notice that waits
    webhooks/<receiver>/given-up/           those that were never taken
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tenacity
import urllib3

from rogatory import clock
from rogatory.connect.disk import Disk, prepare_folder
from rogatory.connect.webhooks import Notice, WebhookKeys
from rogatory.errors import ConfigurationError

MAX_WAITING = 10_000
"""Notices that wait for one receiver; what comes on top is dropped, and told."""

KEPT_SECONDS = 3 * 86_400
"""How long a notice is tried: the specification's own schedule ends in the fourth day."""

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 20.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 3600.0
"""Seconds between tries: the upper end of the first random wait, doubled each time, and the most.
A receiver that names a time itself (Retry-After) is not asked before, up to the most."""

_USER_AGENT = "rogatory-connect"
_OK, _REDIRECT, _GONE = range(200, 300), range(300, 400), 410


class NotTaken(Exception):
    """A receiver did not take a notice; `wait` is what it asked for, in seconds."""

    def __init__(self, why: str, *, wait: float = 0.0, for_good: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.for_good = for_good


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Whoever gets notices.

    Attributes:
        url: Where.
        shown: The host, for messages: the rest of an address may be a secret.
        folder: Its queue.
        keys: What its notices are signed with.
    """

    url: str
    shown: str
    folder: Path
    keys: WebhookKeys


def check_url(url: str) -> str:
    """Return the host of a receiver's address.

    Raises:
        ConfigurationError: It is not one, or what is sent there could be read on the way.
    """
    try:
        parsed = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError as error:
        raise ConfigurationError(
            f"{url!r} is no address", hint="Write it as https://cases.example/rogatory."
        ) from error
    host = (parsed.host or "").strip("[]")
    if parsed.scheme not in ("https", "http") or not host or parsed.auth or parsed.fragment:
        raise ConfigurationError(
            f"{url!r} is no address for notices",
            hint="Write it as https://cases.example/rogatory, without user name and fragment.",
        )
    if parsed.scheme == "http" and not _is_loopback(host):
        raise ConfigurationError(
            f"Notices to {host} could be read on the way",
            hint="Use https; http is for receivers on this machine (localhost, 127.0.0.1).",
        )
    return host


class Hooks:
    """The receivers and their queues. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        urls: Sequence[str],
        *,
        master: bytes,
        disk: Disk,
        tell: Callable[[str], None],
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the queues; make them where they are missing.

        Args:
            folder: Where they are.
            urls: The receivers' addresses.
            master: The key that theirs are derived from, 32 bytes.
            disk: The file system.
            tell: Gets lines for the operator.
            now: Nanoseconds since the Unix epoch.

        Raises:
            ConfigurationError: An address or a folder cannot be used.
        """
        self._disk = disk
        self._tell = tell
        self._now = now
        self._changed = threading.Condition()
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS), retries=False
        )
        self.receivers: list[Receiver] = []
        for url in dict.fromkeys(urls):
            shown = check_url(url)
            name = hashlib.sha256(url.encode()).hexdigest()[:16]
            receiver = Receiver(
                url=url,
                shown=shown,
                folder=prepare_folder(folder / name),
                keys=WebhookKeys.derive(master, url),
            )
            prepare_folder(receiver.folder / "given-up")
            disk.put(receiver.folder / "url", f"{url}\n".encode())
            self.receivers.append(receiver)

    def put(self, notice: Notice) -> None:
        """Write a notice into every queue, durably. The same notice again changes nothing."""
        with self._changed:
            for receiver in self.receivers:
                path = receiver.folder / f"{notice.time:020d}-{notice.id}.json"
                if path.exists():
                    continue
                if sum(1 for _ in _waiting(receiver)) >= MAX_WAITING:
                    self._tell(f"webhook {receiver.shown}: too many wait; dropped {notice.id}")
                    continue
                value = {"id": notice.id, "body": notice.body().decode()}
                self._disk.put(path, json.dumps(value, ensure_ascii=False).encode())
            self._changed.notify_all()

    def run(self, receiver: Receiver, stop: threading.Event) -> None:
        """Send a receiver its notices, oldest first, until told to stop."""
        while not stop.is_set():
            path = next(iter(sorted(_waiting(receiver))), None)
            if path is None:
                with self._changed:
                    # A notice that came in between is seen a second later at most.
                    self._changed.wait(timeout=1.0)
                continue
            if not self._persist(receiver, path, stop):
                return

    def send_waiting(self, receiver: Receiver) -> int:
        """Send a receiver what waits, each once, up to the first that it does not take.

        Returns:
            How many still wait.
        """
        waiting = sorted(_waiting(receiver))
        for position, path in enumerate(waiting):
            try:
                self._send(receiver, path)
            except NotTaken as error:
                self._tell(f"webhook {receiver.shown}: {error}")
                return len(waiting) - position
            self._disk.remove(path)
        return 0

    def _persist(self, receiver: Receiver, path: Path, stop: threading.Event) -> bool:
        """Send one notice until it is taken or too old; return False: send no more.

        One that stays keeps its file, and is sent at the next start.
        """

        def too_old() -> bool:
            try:
                age = self._now() - path.stat().st_mtime_ns
            except FileNotFoundError:
                return True
            return age > KEPT_SECONDS * clock.NANOSECONDS_PER_SECOND

        def tell(state: tenacity.RetryCallState) -> None:
            if state.attempt_number == 1 and state.outcome is not None:
                self._tell(f"webhook {receiver.shown}: {state.outcome.exception()}; tried again")

        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, NotTaken) and not error.for_good
            ),
            stop=lambda _: stop.is_set() or too_old(),
            wait=_wait,
            sleep=tenacity.sleep_using_event(stop),
            before_sleep=tell,
            reraise=True,
        )
        try:
            trying(self._send, receiver, path)
        except NotTaken as error:
            if stop.is_set():
                return False
            if error.for_good:
                self._tell(f"webhook {receiver.shown}: {error}; it gets no more until a restart")
                return False
            self._tell(f"webhook {receiver.shown}: {path.name} given up. {error}")
            if path.exists():
                self._disk.move(path, receiver.folder / "given-up" / path.name)
            return True
        self._disk.remove(path)
        return True

    def _send(self, receiver: Receiver, path: Path) -> None:
        value = json.loads(path.read_bytes())
        body = str(value["body"]).encode()
        headers = receiver.keys.headers(str(value["id"]), body, now=self._now())
        try:
            # A redirect is not followed: it would take the notice where nobody meant it to go.
            response = self._pool.request(
                "POST",
                receiver.url,
                body=body,
                headers={
                    **headers,
                    "content-type": "application/json",
                    "user-agent": _USER_AGENT,
                },
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise NotTaken(f"no answer ({type(error).__name__})") from error
        try:
            status = response.status
            wait = response.headers.get("retry-after", "")
        finally:
            # Whatever it says beyond the status is not read: it could be without end.
            response.close()
        if status in _OK:
            return
        if status == _GONE:
            raise NotTaken("it wants no more notices (410)", for_good=True)
        what = "it answered with a redirect" if status in _REDIRECT else "it did not take a notice"
        raise NotTaken(f"{what} ({status})", wait=float(wait) if wait.isdecimal() else 0.0)


def _waiting(receiver: Receiver) -> Iterator[Path]:
    return receiver.folder.glob("[0-9]*.json")


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.wait if isinstance(error, NotTaken) else 0.0
    random = tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)(state)
    return min(max(asked, random), LONGEST_WAIT)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
