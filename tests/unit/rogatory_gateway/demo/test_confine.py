"""Shutting a process in, tried in a process of its own: what is done cannot be undone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rogatory_gateway.demo import confine

PROGRAM = """
import errno, json, os, sys
from pathlib import Path
from rogatory_gateway.demo import confine

own, other, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
assert confine.shut_in(own, port=port)

def tried(action):
    try:
        action()
    except OSError as error:
        # EXDEV is what Landlock answers to a link across its borders.
        return "denied" if error.errno in (errno.EACCES, errno.EXDEV) else str(error)
    return "done"

print(json.dumps({
    "read own": tried((own / "key").read_bytes),
    "write own": tried(lambda: (own / "new").write_bytes(b"x")),
    "read other": tried((other / "key").read_bytes),
    "list other": tried(lambda: os.listdir(other)),
    "write other": tried(lambda: (other / "new").write_bytes(b"x")),
    "link out": tried(lambda: os.link(other / "key", own / "stolen")),
    "parent's memory": tried(lambda: open(f"/proc/{os.getppid()}/environ", "rb").read()),
    "import": tried(lambda: __import__("rogatory.envelopes")),
}))
"""


@pytest.mark.skipif(confine.landlock_version() == 0, reason="this kernel offers no Landlock")
def test_a_process_reaches_its_own_folder_and_nobody_elses(tmp_path: Path) -> None:
    """Own files stay readable and writable, Python still imports, others' files are denied."""
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
        (folder / "key").write_bytes(b"secret")

    ran = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(own), str(other), "9"],
        capture_output=True,
        check=True,
        text=True,
    )

    assert (
        '{"read own": "done", "write own": "done", "read other": "denied", "list other": "denied",'
        ' "write other": "denied", "link out": "denied", "parent\'s memory": "denied",'
        ' "import": "done"}\n'
    ) == ran.stdout


def test_a_system_without_landlock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is promised where nothing is enforced."""
    monkeypatch.setattr(sys, "platform", "darwin")

    assert 0 == confine.landlock_version()
    assert not confine.shut_in(tmp_path, port=1)
