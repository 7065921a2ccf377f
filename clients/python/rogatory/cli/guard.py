"""Runs a command line so that each way it can end has an exit code and words of its own.

Both commands run so. Nothing heavy is imported here: what may take a second is imported inside the
guard, where Ctrl-C has words too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, runtime_checkable

from rogatory.cli.exits import ExitCode
from rogatory.cli.loading import loading
from rogatory.errors import CallError, Issue, RecordFileError, RogatoryError, Violation

TRACEBACK_VARIABLE = "ROGATORY_TRACEBACK"
"""Set to anything: a defect shows where it happened."""

JSON_OPTION = "--json"

_GRPC_LOG = "GRPC_VERBOSITY"
"""gRPC's own log, on standard error. Its lines name source files of gRPC, and what they mean is
said by the error that follows; set to anything else it stays as set."""

_LOST = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""How the parser's own output, such as --help, fails: it goes another way than ours."""


class OutputLost(RogatoryError):
    """Standard output cannot be written: a full disk, a closed stream."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"standard output cannot be written: {fault}",
            hint="What the command did stands; make room, or send its output elsewhere.",
        )


@runtime_checkable
class _UsageFault(Protocol):
    """What the command line parser raises; its own class is in no public module of typer."""

    exit_code: int

    def show(self) -> None: ...

    def format_message(self) -> str: ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a command ended before it was done.

    Attributes:
        exit_code: What the process ends with.
        word: For programs: an ``ErrorReason``, a gRPC status or the kind of error.
        message: What is wrong.
        hint: What to do next.
        issues: Each place at fault.
        file: The file that the issues are in, where it is one of several.
    """

    exit_code: int
    word: str
    message: str
    hint: str = ""
    issues: Sequence[Issue | Violation] = ()
    file: str = ""

    def lines(self, *, always_places: bool) -> list[str]:
        """Return it for people; a single place stands in the message already."""
        found = [f"error: {self.message}" + (f". {self.hint}" if self.hint else "")]
        if self.file:
            found += [f"  {self.file}: {place}" for place in self.issues]
        elif len(self.issues) > 1 or always_places:
            found += [f"  {place}" for place in self.issues]
        return found

    def data(self) -> dict[str, Any]:
        """Return it for programs, as ``--json`` prints it."""
        where = {"file": self.file} if self.file else {}
        return {
            "error": {
                "reason": self.word,
                "message": self.message,
                "hint": self.hint,
                "issues": [where | dataclasses.asdict(place) for place in self.issues],
                "exit_code": int(self.exit_code),
            }
        }


def guarded(
    load: Callable[[], Callable[..., object]],
    *,
    program: str,
    arguments: Sequence[str],
    exit_code: Callable[[RogatoryError], int],
) -> NoReturn:
    """Run a command line and end the process with its exit code, whatever happens.

    A failure is said on standard error and, where ``--json`` is among the arguments, as one object
    in one line on standard output.

    Args:
        load: Imports the command and returns it.
        program: Its name.
        arguments: What follows the name.
        exit_code: The code for an error of the library's tree.
    """
    try:
        os.environ.setdefault(_GRPC_LOG, "NONE")
        with loading():
            command = load()
        code = command(args=list(arguments), prog_name=program, standalone_mode=False)
        if code == ExitCode.INTERRUPTED:
            raise KeyboardInterrupt  # noqa: TRY301 - the parser has made a code of it
    except KeyboardInterrupt:
        _fail(_interrupted(), arguments)
    except SystemExit as stopped:
        if isinstance(stopped.__context__, BrokenPipeError):
            _silence()
            sys.exit(ExitCode.READER_GONE)
        raise
    except BrokenPipeError:
        _silence()
        sys.exit(ExitCode.READER_GONE)
    except Exception as error:  # noqa: BLE001 - nothing else would be left but a traceback
        _fail(_failure_of(error, program=program, exit_code=exit_code), arguments, error=error)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def write(text: str) -> None:
    """Write data to standard output, at once.

    Raises:
        OutputLost: It cannot be written.
        BrokenPipeError: Whoever read it has gone.
    """
    if sys.stdout is None:
        raise OutputLost(os.strerror(errno.EBADF))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _silence()
        raise OutputLost(error.strerror or str(error)) from error


def _failure_of(
    error: Exception, *, program: str, exit_code: Callable[[RogatoryError], int]
) -> Failure:
    if isinstance(error, OutputLost):
        return _of(error, ExitCode.OUTPUT_LOST)
    if isinstance(error, RogatoryError):
        return _of(error, exit_code(error))
    if isinstance(error, _UsageFault):
        return Failure(
            exit_code=error.exit_code,
            word="USAGE",
            message=error.format_message(),
            hint="See --help.",
        )
    if type(error).__name__ == "Abort":  # as for `_UsageFault`
        if isinstance(error.__context__, KeyboardInterrupt):
            return _interrupted()
        return Failure(
            exit_code=ExitCode.USAGE,
            word="ABORTED",
            message="there is nobody to answer the question",
            hint="Run it on a terminal, or give what it asks for by an option; nothing was done.",
        )
    if isinstance(error, OSError) and error.filename:
        return Failure(
            exit_code=ExitCode.USAGE,
            word="FILE_ERROR",
            message=f"{error.filename}: {error.strerror}",
            hint="Check the path, that you may use it so, and that there is room.",
        )
    if isinstance(error, OSError) and error.errno in _LOST:
        return _of(OutputLost(os.strerror(error.errno)), ExitCode.OUTPUT_LOST)
    return Failure(
        exit_code=ExitCode.DEFECT,
        word="DEFECT",
        message=f"unexpected {type(error).__name__}: {error}",
        hint=f"This is a defect of {program}: run it again with {TRACEBACK_VARIABLE}=1 and report"
        " what it prints, without personal data, to the project or to your gateway's operator.",
    )


def _of(error: RogatoryError, code: int) -> Failure:
    return Failure(
        exit_code=code,
        word=getattr(error, "reason", "") or getattr(error, "code", "") or _word(type(error)),
        message=error.message,
        hint=error.hint,
        issues=getattr(error, "issues", ()) or getattr(error, "violations", ()),
        file=error.file if isinstance(error, RecordFileError) else "",
    )


def _interrupted() -> Failure:
    return Failure(
        exit_code=ExitCode.INTERRUPTED,
        word="INTERRUPTED",
        message="interrupted; what was done until then stands",
    )


def _word(kind: type[RogatoryError]) -> str:
    """KeyFileError -> KEY_FILE_ERROR."""
    return "".join(f"_{c}" if c.isupper() else c for c in kind.__name__).strip("_").upper()


def _fail(
    failure: Failure, arguments: Sequence[str], *, error: Exception | None = None
) -> NoReturn:
    # Standard error may be lost too; the exit code is what is left then.
    with contextlib.suppress(OSError, AttributeError):
        if failure.exit_code == ExitCode.DEFECT and os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exception(error)
        if isinstance(error, _UsageFault):
            error.show()
        else:
            lines = failure.lines(always_places=isinstance(error, CallError))
            sys.stderr.write("".join(f"{line}\n" for line in lines))
            sys.stderr.flush()
    if _wants_json(arguments):
        with contextlib.suppress(OSError, OutputLost):
            write(json.dumps(failure.data(), ensure_ascii=False) + "\n")
    sys.exit(failure.exit_code)


def _wants_json(arguments: Sequence[str]) -> bool:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return JSON_OPTION in options


def _silence() -> None:
    """Let nothing be flushed to a lost standard output when the interpreter ends."""
    with contextlib.suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
