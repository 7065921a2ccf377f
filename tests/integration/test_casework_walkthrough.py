"""The walkthrough of docs/casework.md works as it stands there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.support import documents, walkthrough

CASEWORK = documents.read("docs/casework.md")
AHEAD = "2027-"
"""How dates begin that lie ahead of whoever reads it."""


def test_walkthrough(tmp_path: Path) -> None:
    """From a request to a board: every file as shown, every command in order, every output."""
    next_year = f"{dt.datetime.now(tz=dt.UTC).year + 1}-"
    for block in documents.fenced(CASEWORK, "yaml"):
        name, _, content = block.partition("\n")
        (tmp_path / name.removeprefix("# ")).write_text(content.replace(AHEAD, next_year))

    result = walkthrough.run(walkthrough.script(CASEWORK), tmp_path, timeout=180)

    assert 0 == result.returncode, result.stdout + result.stderr
    expected = walkthrough.shown(CASEWORK)
    printed = [(tmp_path / f"shown-{number}").read_text() for number in range(len(expected))]
    assert list(map(walkthrough.shape, expected)) == list(map(walkthrough.shape, printed))
    assert "Strafbare feiten" in (tmp_path / "page-nl.html").read_text()
