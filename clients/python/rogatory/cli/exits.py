"""Exit codes: what a script may rely on."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType

from rogatory import errors


class ExitCode(IntEnum):
    """What each number says."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_VERIFIED = 3
    UNAVAILABLE = 4
    DENIED = 5
    FAILED = 6
    CHANGED = 7
    DEFECT = 70
    """EX_SOFTWARE of sysexits.h."""
    OUTPUT_LOST = 74
    """EX_IOERR of sysexits.h."""
    INTERRUPTED = 130
    """128 + SIGINT, as shells have it."""
    READER_GONE = 141
    """128 + SIGPIPE, likewise."""


MEANINGS = MappingProxyType(
    {
        ExitCode.OK: "done",
        ExitCode.REFUSED: "refused by the agreement for every recipient; in the log",
        ExitCode.USAGE: "wrong usage, or a file or setting that cannot be used; nothing was sent",
        ExitCode.NOT_VERIFIED: "a signature, proof, receipt or inbox does not verify",
        ExitCode.UNAVAILABLE: "the gateway cannot be reached or answer now; try again",
        ExitCode.DENIED: "the gateway denies this, or there is no such thing",
        ExitCode.FAILED: "the gateway failed",
        ExitCode.CHANGED: "the draft would change outcomes (agreement simulate --fail-on-change)",
        ExitCode.DEFECT: "a defect of this program; the error says how to report it",
        ExitCode.OUTPUT_LOST: "the output cannot be written; what the command did stands",
        ExitCode.INTERRUPTED: "interrupted; what was done until then stands",
        ExitCode.READER_GONE: "whoever read the output has gone; what the command did stands",
    }
)

_BY_CLASS: tuple[tuple[type[errors.RogatoryError], ExitCode], ...] = (
    (errors.Refused, ExitCode.REFUSED),
    (errors.Unavailable, ExitCode.UNAVAILABLE),
    (errors.DeadlineExceeded, ExitCode.UNAVAILABLE),
    (errors.ResourceExhausted, ExitCode.UNAVAILABLE),
    (errors.Aborted, ExitCode.UNAVAILABLE),
    (errors.PermissionDenied, ExitCode.DENIED),
    (errors.Unauthenticated, ExitCode.DENIED),
    (errors.NotFoundOrDenied, ExitCode.DENIED),
    (errors.InvalidMessage, ExitCode.USAGE),
    (errors.Conflict, ExitCode.USAGE),
    (errors.FailedPrecondition, ExitCode.USAGE),
    (errors.OutOfRange, ExitCode.USAGE),
    (errors.CallError, ExitCode.FAILED),
    (errors.SignatureInvalid, ExitCode.NOT_VERIFIED),
    (errors.NoteError, ExitCode.NOT_VERIFIED),
    (errors.ProofError, ExitCode.NOT_VERIFIED),
    (errors.TileError, ExitCode.NOT_VERIFIED),
    (errors.ReceiptError, ExitCode.NOT_VERIFIED),
    (errors.DeliveryError, ExitCode.NOT_VERIFIED),
    (errors.InboxGap, ExitCode.NOT_VERIFIED),
)


def exit_code(error: errors.RogatoryError) -> ExitCode:
    """Return the exit code for an error; USAGE for what the caller can mend."""
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), ExitCode.USAGE)


def table() -> str:
    """Return the codes as lines for the help text."""
    return "\n".join(f"  {code.value:>3}  {text}" for code, text in MEANINGS.items())
