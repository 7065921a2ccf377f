"""The README's walkthrough works as it stands there: its commands are run in order."""

from __future__ import annotations

from pathlib import Path

from tests.support import documents, walkthrough

README = documents.read("README.md")

TIME_LIMIT = 180
"""Seconds: some sixty commands, on a machine that is busy with other things."""
FURTHER = """
{evaluate} >evaluated.txt && exit 1 || test $? -eq 1
python example.py
"""
"""What is shown with its output, a refusal, and the example in Python, which ends well."""


def test_walkthrough(tmp_path: Path) -> None:
    """From an empty folder to an acknowledged message, a receipt and a clean ledger.

    Then what would be refused, word for word, and the same message from Python.
    """
    (tmp_path / "agreement.yaml").write_text(documents.fenced(README, "yaml")[0])
    hosts, suspect = documents.fenced(README, "json")[:2]
    (tmp_path / "hosts.json").write_text(hosts)
    (tmp_path / "suspect.json").write_text(suspect)
    (tmp_path / "example.py").write_text(documents.fenced(README, "python")[0])
    evaluation = next(block for block in documents.fenced(README, "console") if "evaluate" in block)
    command, _, evaluated = evaluation.partition("\n")
    script = "".join(documents.fenced(README, "sh")) + FURTHER.format(
        evaluate=command.removeprefix("$ ")
    )

    result = walkthrough.run(script, tmp_path, timeout=TIME_LIMIT)

    assert 0 == result.returncode, result.stdout + result.stderr
    assert "\nclean: verified" in result.stdout
    assert evaluated == (tmp_path / "evaluated.txt").read_text()
    assert (tmp_path / "hosts.tlog-proof").exists()
    assert walkthrough.shape(_receipt_as_shown()) in walkthrough.shape(result.stdout)


def _receipt_as_shown() -> str:
    return next(block for block in documents.fenced(README, "console") if block[:8] == "verified")
