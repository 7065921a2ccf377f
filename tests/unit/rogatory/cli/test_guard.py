"""Every way a command can end: its exit code, its words, and its object with --json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import typer

from rogatory.cli.exits import ExitCode, exit_code
from rogatory.cli.guard import OutputLost, guarded
from rogatory.errors import (
    AgreementError,
    ConfigurationError,
    EnvelopeError,
    Issue,
    RecordFileError,
    Unavailable,
    Violation,
)
from tests.unit.rogatory.cli.conftest import Result, Run

VIOLATION = Violation(path="header.sender", rule="string.pattern", message="no")
ISSUE = Issue(message="expected a list", path="clauses", line=3, column=1)

End = Callable[..., Result]


@pytest.fixture
def end(capsys: pytest.CaptureFixture[str]) -> End:
    """Let a command end with an exception; return how the process would have ended."""

    def ended(error: BaseException, *arguments: str) -> Result:
        def command(*, args: Sequence[str], prog_name: str, standalone_mode: bool) -> None:
            raise error

        with pytest.raises(SystemExit) as stopped:
            guarded(lambda: command, program="rogatory", arguments=arguments, exit_code=exit_code)
        captured = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return Result(stopped.value.code, captured.out, captured.err)

    return ended


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigurationError("No gateway", hint="Name it."), ExitCode.USAGE, "No gateway. Name it."),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "interrupted; what was done until then stands"),
        (typer.Abort(), ExitCode.USAGE, "there is nobody to answer the question"),
        (FileNotFoundError(2, "No such file", "/x"), ExitCode.USAGE, "/x: No such file"),
        (OutputLost("No space"), ExitCode.OUTPUT_LOST, "standard output cannot be written: No"),
        (ZeroDivisionError("unforeseen"), ExitCode.DEFECT, "unexpected ZeroDivisionError: unfor"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_each_end_has_its_code_and_its_words(
    end: End, error: BaseException, code: ExitCode, words: str
) -> None:
    """One line on standard error, and no traceback."""
    result = end(error)

    assert (code, "") == (result.code, result.out)
    assert result.err.startswith(f"error: {words}")
    assert 1 == len(result.err.splitlines())


def test_code_of_the_refused_means_nothing_else(end: End) -> None:
    """Exit code 1 is for a refusal that is in the log; no accident ends with it."""
    errors = [KeyboardInterrupt(), BrokenPipeError(), ZeroDivisionError(), OSError(), typer.Abort()]

    codes = {end(error).code for error in errors}

    assert ExitCode.REFUSED not in codes


def test_interrupted_question_is_an_interruption(end: End) -> None:
    """The parser makes an Abort of Ctrl-C at a prompt; it is no wrong usage."""
    error = typer.Abort()
    error.__context__ = KeyboardInterrupt()

    assert ExitCode.INTERRUPTED == end(error).code


def test_lost_reader_is_no_news(end: End) -> None:
    """Whoever ended the pipe knows; nothing is printed to anybody."""
    result = end(BrokenPipeError(), "--json")

    assert (ExitCode.READER_GONE, "", "") == (result.code, result.out, result.err)


def test_defect_shows_its_traceback_when_asked(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that the error names is what makes a report useful."""
    error = ZeroDivisionError("unforeseen")
    assert "ROGATORY_TRACEBACK=1" in end(error).err
    monkeypatch.setenv("ROGATORY_TRACEBACK", "1")

    result = end(error)

    assert ExitCode.DEFECT == result.code
    assert "Traceback (most recent call last)" in result.err


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            EnvelopeError("bad", hint="Mend.", reason="FIELD_VIOLATIONS", violations=[VIOLATION]),
            {"reason": "FIELD_VIOLATIONS", "issues": [{"path": "header.sender"}], "exit_code": 2},
        ),
        (
            AgreementError("bad", hint="Mend.", issues=[ISSUE]),
            {"reason": "AGREEMENT_ERROR", "issues": [{"line": 3, "column": 1}], "exit_code": 2},
        ),
        (
            RecordFileError("bad", hint="Mend.", file="x.json", issues=[ISSUE]),
            {"reason": "RECORD_FILE_ERROR", "issues": [{"file": "x.json"}], "exit_code": 2},
        ),
        (
            Unavailable("down", hint="Mend.", code="UNAVAILABLE"),
            {"reason": "UNAVAILABLE", "issues": [], "exit_code": 4},
        ),
    ],
)
def test_failure_is_one_object_with_json(
    end: End, error: BaseException, expected: dict[str, object]
) -> None:
    """Programs read what people read: reason, message, hint, each place, and the exit code."""
    result = end(error, "inbox", "--json")

    (line,) = result.out.splitlines()
    found = json.loads(line)["error"]
    issues = expected.pop("issues")
    assert {"message", "hint", "issues", "reason", "exit_code"} == found.keys()
    assert ("Mend.", expected) == (found["hint"], {key: found[key] for key in expected})
    assert isinstance(issues, list)
    assert [True] * len(issues) == [
        want.items() <= got.items() for want, got in zip(issues, found["issues"], strict=True)
    ]


def test_wrong_usage_is_one_object_too(run: Run) -> None:
    """What the parser finds is said in the same form."""
    result = run("keygen", "--json")

    error = json.loads(result.out)["error"]
    assert ("USAGE", 2) == (error["reason"], error["exit_code"])
    assert "AGENCY" in error["message"]
    assert "AGENCY" in result.err


def rogatory(shell: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell's line, without a terminal, in which ``rogatory`` is the command."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell],
        cwd=folder,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("shell", "code", "words"),
    [
        ("rogatory keygen fr.police --home fr >/dev/full", 74, "No space left on device"),
        ("rogatory --help >/dev/full", 74, "No space left on device"),
        ("rogatory keygen fr.police --home fr >&-", 74, "Bad file descriptor"),
        ("rogatory keygen fr.police --home fr | (exec <&-; wait)", 141, ""),
        ("rogatory --help | (exec <&-; wait)", 141, ""),
        ("rogatory keygen fr.police --passphrase --home fr", 2, "ROGATORY_PASSPHRASE"),
    ],
)
def test_lost_output_and_lost_terminals(tmp_path: Path, shell: str, code: int, words: str) -> None:
    """A full disk, a closed stream, an ended pipe, nobody to ask: in words, and never a 1."""
    if code == 141:
        # The reader is gone before the command has anything to say.
        shell = shell.replace("rogatory", "sleep 0.2; rogatory", 1)

    result = rogatory(shell, tmp_path)

    assert code == result.returncode, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_interrupted_start_is_quiet(tmp_path: Path) -> None:
    """Ctrl-C while modules are still loading ends like Ctrl-C at any other time."""
    program = (
        "import signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'rogatory.cli.app':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from rogatory.cli import main\n"
        "main(['--help'])\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert 130 == result.returncode
    assert "error: interrupted; what was done until then stands\n" == result.stderr
