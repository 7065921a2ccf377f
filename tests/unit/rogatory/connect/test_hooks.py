"""Notices to receivers over HTTP: each gets all of them, whatever the others do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from rogatory.connect import Notice, hooks, verify_webhook
from rogatory.connect.disk import Disk
from rogatory.connect.hooks import Hooks, check_url
from rogatory.connect.webhooks import WebhookKeys
from rogatory.errors import ConfigurationError

MASTER = bytes(32)
NOW = 1_790_000_000_000_000_000
PATIENCE = 20.0


@dataclass
class Listener:
    """A receiver of notices.

    Attributes:
        answers: Status and headers of the next answers; 200 when there are no more.
        taken: The ids of what it took.
        faults: What did not verify.
    """

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    asked: int = 0
    wanted: int = 0
    url: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    def receive(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """Take a notice, or not."""
        self.asked += 1
        status, more = self.answers.pop(0) if self.answers else (200, {})
        if status == 200:
            key = WebhookKeys.derive(MASTER, self.url)
            try:
                verify_webhook(headers, body, key=key.secret_text, now=time.time_ns())
                found = verify_webhook(headers, body, key=key.public_text, now=time.time_ns())
            except Exception as error:  # noqa: BLE001 - told by the test that waits
                self.faults.append(str(error))
            else:
                self.taken.append(found.id)
        if len(self.taken) + len(self.faults) >= self.wanted:
            self.done.set()
        return status, more


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Start receivers."""
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: tuple[int, dict[str, str]], wanted: int = 1) -> Listener:
        listener = Listener(answers=list(answers), wanted=wanted)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, more = listener.receive(dict(self.headers.items()), body)
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        listener.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return listener

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(hooks, "LONGEST_WAIT", 0.01)


def notice(number: int) -> Notice:
    """Return a notice."""
    return Notice(id=f"n-{number}", type="message.arrived", time=NOW + number, data={"position": 1})


def make(folder: Path, *urls: str, lines: list[str] | None = None) -> Hooks:
    """Open the queues, as a process that starts does."""
    return Hooks(
        folder, urls, master=MASTER, disk=Disk(), tell=(lines if lines is not None else []).append
    )


class Running:
    """The threads of the receivers, while the context is open."""

    def __init__(self, sender: Hooks) -> None:
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=sender.run, args=(item, self.stop)) for item in sender.receivers
        ]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_notices_arrive_signed_and_in_order(
    tmp_path: Path, listen: Callable[..., Listener]
) -> None:
    """Each is taken once, verified with either key, oldest first."""
    listener = listen(wanted=3)
    sender = make(tmp_path, listener.url)
    for number in (2, 1, 3, 1):
        sender.put(notice(number))

    with Running(sender):
        assert listener.done.wait(PATIENCE)

    assert [] == listener.faults
    assert ["n-1", "n-2", "n-3"] == listener.taken


def test_failing_receiver_is_asked_again_and_holds_up_nobody(
    tmp_path: Path, listen: Callable[..., Listener]
) -> None:
    """An error, a redirect and too many requests are no taking; another receiver got it."""
    failing = listen(
        (500, {}), (302, {"location": "http://127.0.0.1:1/"}), (429, {"retry-after": "1"}), wanted=1
    )
    other = listen()
    dead = "http://127.0.0.1:9/hook"
    lines: list[str] = []
    sender = make(tmp_path, dead, failing.url, other.url, lines=lines)
    sender.put(notice(1))

    with Running(sender):
        assert failing.done.wait(PATIENCE)
        assert other.done.wait(PATIENCE)

    assert (["n-1"], ["n-1"]) == (failing.taken, other.taken)
    assert 4 == failing.asked
    assert any("no answer" in line for line in lines)
    assert not any("/hook" in line for line in lines)


def test_notices_survive_a_restart(tmp_path: Path, listen: Callable[..., Listener]) -> None:
    """What was not taken is on disk, and is sent by the next process."""
    listener = listen((503, {}), wanted=2)
    first = make(tmp_path, listener.url)
    first.put(notice(1))
    first.put(notice(2))
    assert 2 == first.send_waiting(first.receivers[0])

    with Running(make(tmp_path, listener.url)):
        assert listener.done.wait(PATIENCE)

    assert ["n-1", "n-2"] == listener.taken


def test_each_is_tried_once_where_one_round_is_wanted(
    tmp_path: Path, listen: Callable[..., Listener]
) -> None:
    """Without a thread: what waits is sent, up to what is not taken."""
    listener = listen((200, {}), (500, {}))
    sender = make(tmp_path, listener.url)
    for number in (1, 2, 3):
        sender.put(notice(number))

    left = sender.send_waiting(sender.receivers[0])
    last = sender.send_waiting(sender.receivers[0])

    assert (2, 0) == (left, last)
    assert ["n-1", "n-2", "n-3"] == listener.taken


def test_old_notice_is_given_up_and_kept(tmp_path: Path, listen: Callable[..., Listener]) -> None:
    """After three days of trying it is put aside, and the next one has its turn."""
    listener = listen((500, {}))
    lines: list[str] = []
    sender = make(tmp_path, listener.url, lines=lines)
    sender.put(notice(1))
    (waiting,) = sender.receivers[0].folder.glob("0*.json")
    old = time.time() - 4 * 86_400
    os.utime(waiting, (old, old))
    sender.put(notice(2))

    with Running(sender):
        assert listener.done.wait(PATIENCE)

    assert ["n-2"] == listener.taken
    assert [waiting.name] == [
        path.name for path in (sender.receivers[0].folder / "given-up").iterdir()
    ]
    assert any("given up" in line for line in lines)


def test_receiver_that_wants_no_more_gets_no_more(
    tmp_path: Path, listen: Callable[..., Listener]
) -> None:
    """410 ends it until the next start."""
    listener = listen((410, {}))
    sender = make(tmp_path, listener.url)
    sender.put(notice(1))

    sender.run(sender.receivers[0], threading.Event())

    assert 1 == listener.asked
    assert 1 == len(list(sender.receivers[0].folder.glob("0*.json")))


def test_queue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that never comes back does not fill the disk."""
    monkeypatch.setattr(hooks, "MAX_WAITING", 2)
    lines: list[str] = []
    sender = make(tmp_path, "http://127.0.0.1:9/", lines=lines)

    for number in range(3):
        sender.put(notice(number))

    assert 2 == len(list(sender.receivers[0].folder.glob("*.json")))
    assert ["webhook 127.0.0.1: too many wait; dropped n-2"] == lines


@pytest.mark.parametrize(
    "url",
    [
        "http://cases.example/hook",
        "http://127.0.0.1.example/",
        "http://10.0.0.1/",
        "ftp://localhost/",
        "https://",
        "cases.example",
        "https://user:secret@cases.example/",
        "https://cases.example/#a",
        "http://[::1",
        "",
    ],
)
def test_address_must_be_one_that_nobody_can_listen_to(url: str) -> None:
    """HTTPS, or this machine."""
    with pytest.raises(ConfigurationError):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://cases.example:8443/a?b=c", "cases.example"),
        ("http://localhost:1/", "localhost"),
        ("http://127.0.0.2/", "127.0.0.2"),
        ("http://[::1]:8000/", "::1"),
    ],
)
def test_good_addresses_are_good(url: str, host: str) -> None:
    """The host is what is shown of an address."""
    assert host == check_url(url)
