"""Starting: a process that is not given the log that was made says so in one line, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rogatory.keyfiles import write_key_file
from rogatory_gateway.ledger.database import DATABASE_FILE
from rogatory_gateway.operator.setup import create
from tests.support.world import private_key

COMMAND = (sys.executable, "-m", "rogatory_gateway", "serve", "--dir")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a new gateway."""
    create(tmp_path / "gateway", port=0)
    return tmp_path / "gateway"


def serve(folder: Path, **environment: str) -> tuple[int, list[str]]:
    """Try to serve a folder; return the exit code and what was said."""
    ended = subprocess.run(
        [*COMMAND, str(folder)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr.splitlines()


def lost(folder: Path) -> None:
    """Remove the ledger."""
    for file in (folder / "data").iterdir():
        file.unlink()


def emptied(folder: Path) -> None:
    """Leave a ledger of no bytes."""
    (folder / "data" / DATABASE_FILE).write_bytes(b"")


def overwritten(folder: Path) -> None:
    """Write rubbish over the ledger's pages, all but the first."""
    with (folder / "data" / DATABASE_FILE).open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(4096)
        file.write(b"\xaa" * (size - 4096))


def other_origin(folder: Path) -> None:
    """Change the log's name."""
    file = folder / "gateway.toml"
    file.write_text(file.read_text().replace("localhost/exchange", "localhost/second"))


def other_key(folder: Path) -> None:
    """Put another key in the place of the log's."""
    (folder / "log-key.pem").unlink()
    write_key_file(folder / "log-key.pem", private_key("another log"))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lost, "there is no ledger"),
        (emptied, "is an empty file"),
        (overwritten, "damaged"),
        (other_origin, "[gateway] origin is 'localhost/second'"),
        (other_key, "[log] key: "),
    ],
)
def test_a_gateway_never_begins_a_second_log(
    folder: Path, change: Callable[[Path], None], text: str
) -> None:
    """One line with the fault and what to do about it, exit code 1, and nothing is made."""
    change(folder)
    before = sorted(path.name for path in (folder / "data").iterdir())

    code, said = serve(folder)

    assert (1, 1) == (code, len(said)), said
    assert said[0].startswith("error: ")
    assert text in said[0]
    assert before == sorted(path.name for path in (folder / "data").iterdir())


def test_a_port_that_is_taken_is_one_line(folder: Path) -> None:
    """What the system says of it, and nothing of gRPC's own."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = serve(folder, ROGATORY_GATEWAY_LISTEN__PORT=str(port))

    assert (1, 1) == (code, len(said)), said
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in said[0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("seconds", [0.3, 0.4, 0.7])
def test_ctrl_c_at_any_time_of_the_start_ends_it(folder: Path, seconds: float) -> None:
    """However far it is: no traceback."""
    starting = subprocess.Popen([*COMMAND, str(folder)], stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)

    starting.send_signal(signal.SIGINT)
    _, said = starting.communicate(timeout=60)

    assert starting.returncode in {0, 130}
    assert "Traceback" not in said
