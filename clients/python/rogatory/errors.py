"""Every error the library raises, in one tree.

.. code-block:: text

    RogatoryError                    what is wrong, and what to do next
    ├── ConfigurationError           a setting, a policy file or an option cannot be used
    ├── KeyRejected                  a public key that must not be enrolled, or an unknown algorithm
    ├── KeyFileError                 a private key file cannot be written, read or opened
    ├── SignerError                  a signer (file, token) could not sign
    ├── SignatureInvalid             a signature does not verify
    ├── NoteError                    a signed note is malformed, or nobody known signed it
    │   └── CheckpointError          ... and so is the checkpoint inside it
    ├── ProofError                   an inclusion or consistency proof is malformed or does not hold
    ├── TileError                    a tile, its path or an entry bundle is malformed
    ├── ReceiptError                 a receipt does not prove what it claims
    ├── DeliveryError                a message received is not what was signed, or what the log says
    ├── InboxGap                     an inbox skipped a position: a message is kept back
    ├── EnvelopeError                an envelope is malformed or inconsistent   .reason .violations
    ├── DraftError                   a draft cannot be read, signed or sent     .reason
    ├── AgreementError               an agreement cannot be used                .issues
    ├── RecordFileError              a record file cannot be sent               .issues
    └── CallError                    a call to a gateway failed          .code .reason .violations
        ├── Refused                  the gateway answered, and permitted no recipient
        ├── InvalidMessage           INVALID_ARGUMENT
        ├── DeadlineExceeded         DEADLINE_EXCEEDED
        ├── NotFoundOrDenied         NOT_FOUND (absent, or not for you: one answer for both)
        ├── Conflict                 ALREADY_EXISTS
        ├── PermissionDenied         PERMISSION_DENIED
        ├── ResourceExhausted        RESOURCE_EXHAUSTED
        ├── FailedPrecondition       FAILED_PRECONDITION
        ├── Aborted                  ABORTED
        ├── OutOfRange               OUT_OF_RANGE
        ├── Cancelled                CANCELLED
        ├── Unavailable              UNAVAILABLE
        ├── Unauthenticated          UNAUTHENTICATED
        ├── Unimplemented            UNIMPLEMENTED
        ├── DataLoss                 DATA_LOSS
        └── ServerFault              INTERNAL, UNKNOWN
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


class RogatoryError(Exception):
    """Base of every error raised by this library.

    ``str(error)`` is "what is wrong. what to do next". The two halves are also kept apart, for
    programs that lay them out themselves.

    Attributes:
        message: What is wrong, in one sentence, without the final full stop.
        hint: What to do next, in one sentence or one command.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        self.message = message.rstrip(" .")
        self.hint = hint
        super().__init__(f"{self.message}. {hint}")

    def __reduce__(self) -> tuple[Callable[..., RogatoryError], tuple[Any, ...]]:
        # Keyword-only constructors cannot be replayed from ``args``, which is what pickle does by
        # default; errors cross process boundaries in worker pools and must arrive whole.
        return _restore, (type(self), self.args, dict(self.__dict__))


def _restore(
    kind: type[RogatoryError], args: tuple[Any, ...], state: dict[str, Any]
) -> RogatoryError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(RogatoryError):
    """A setting, a policy file or a command line option cannot be used."""


class KeyRejected(RogatoryError):
    """A public key must not be enrolled, or its algorithm is not known here."""


class KeyFileError(RogatoryError):
    """A private key file cannot be written, read or opened."""


class SignerError(RogatoryError):
    """A signer could not sign: token removed, PIN wrong, key gone."""


class SignatureInvalid(RogatoryError):
    """A signature does not verify over the bytes it is said to cover."""


class NoteError(RogatoryError):
    """A signed note is malformed, or no known key signed it (C2SP signed-note)."""


class CheckpointError(NoteError):
    """The text of a signed note is not a checkpoint (C2SP tlog-checkpoint)."""


class ProofError(RogatoryError):
    """An inclusion or consistency proof is malformed or does not hold (RFC 6962)."""


class TileError(RogatoryError):
    """A tile, its path or an entry bundle is malformed (C2SP tlog-tiles)."""


class ReceiptError(RogatoryError):
    """A receipt does not prove what it claims."""


class DeliveryError(RogatoryError):
    """A message received is not what its sender signed, or not what the log says of it."""


class InboxGap(RogatoryError):
    """An inbox skipped a position or became shorter: a message is kept back or was lost.

    Attributes:
        expected: The position that was due.
        received: The position that the gateway went on with.
    """

    def __init__(self, message: str, *, hint: str, expected: int, received: int) -> None:
        super().__init__(message, hint=hint)
        self.expected = expected
        self.received = received


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule that one field breaks.

    Attributes:
        path: The field, as ``parts[0].content.names[2].script``; empty for the whole message.
        rule: Short name of the rule, as ``string.max_len``.
        message: What the rule wants, in one sentence.
    """

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class EnvelopeError(RogatoryError):
    """An envelope is malformed, or its header and parts contradict each other.

    Attributes:
        reason: Name of the ``ErrorReason`` value a gateway answers with for the same fault.
        violations: Every field at fault, in the order of the message; empty when the fault is not
            of one field.
    """

    def __init__(
        self, message: str, *, hint: str, reason: str, violations: Sequence[Violation] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.violations = tuple(violations)


class DraftError(RogatoryError):
    """A draft cannot be read, signed or sent.

    Attributes:
        reason: A word for programs, as ``DRAFT_INCOMPLETE``.
    """

    def __init__(self, message: str, *, hint: str, reason: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One fault in a text that a person wrote.

    Attributes:
        message: What is wrong there.
        path: The element, as ``clauses[3].conditions.quota``; empty for the whole text.
        line: 1-based line, or 0 when it cannot be told.
        column: 1-based column in characters, or 0 when it cannot be told.
    """

    message: str
    path: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}" if self.line else ""
        return ": ".join(part for part in (where, self.path, self.message) if part)


class AgreementError(RogatoryError):
    """An agreement cannot be read, rendered, signed or brought into force.

    Attributes:
        issues: Every fault found, in the order of the text.
    """

    def __init__(self, message: str, *, hint: str, issues: Sequence[Issue] = ()) -> None:
        super().__init__(message, hint=hint)
        self.issues = tuple(issues)


class RecordFileError(RogatoryError):
    """A file of records (JSON, YAML or text-proto) cannot be sent as it is.

    Attributes:
        file: The file's name as the user gave it; empty for standard input.
        issues: Every fault found, in the order of the file.
    """

    def __init__(
        self, message: str, *, hint: str, file: str = "", issues: Sequence[Issue] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.issues = tuple(issues)


class CallError(RogatoryError):
    """A call to a gateway failed, or was answered with a refusal.

    Attributes:
        code: Name of the gRPC status code, as ``UNAVAILABLE``; ``OK`` for ``Refused``.
        reason: Name of the ``ErrorReason`` value; empty when the gateway gave none.
        violations: Fields at fault, where the gateway named them.
        metadata: The ``ErrorInfo`` metadata, and what else the gateway said in pairs.
        retry_after: Seconds to wait before the same call may succeed; None where it will not, or
            where the gateway did not say.
        message_id: The message the call was about; empty where there was none.
        envelopes: The serialised envelopes that the call submitted, in order: what to submit again,
            unchanged, where it is not known whether they were admitted. Empty for a call that
            submitted none. They hold the records; keep them out of your own logs.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        code: str,
        reason: str = "",
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        message_id: str = "",
        envelopes: Sequence[bytes] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.reason = reason
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after
        self.message_id = message_id
        self.envelopes = tuple(envelopes)

    @property
    def envelope(self) -> bytes:
        """The one envelope that the call submitted; empty where there was none, or several."""
        return self.envelopes[0] if len(self.envelopes) == 1 else b""


class Refused(CallError):
    """The gateway decided, and permitted the message for no recipient.

    Attributes:
        outcomes: The outcome of each recipient as the gateway gave it, with the decision: clause,
            ground, what is missing, and the smallest change that would have been permitted.
        receipt: The receipt of the refusal, which is in the log like any exchange.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        reason: str = "",
        message_id: str = "",
        outcomes: Sequence[Any] = (),
        receipt: Any = None,  # noqa: ANN401 - a generated message; this module imports no stubs
    ) -> None:
        super().__init__(message, hint=hint, code="OK", reason=reason, message_id=message_id)
        self.outcomes = tuple(outcomes)
        self.receipt = receipt


class InvalidMessage(CallError):
    """The message is malformed or breaks its schema; nothing was decided."""


class DeadlineExceeded(CallError):
    """The call's time ran out; its ``envelopes`` may have been admitted: submit them again."""


class NotFoundOrDenied(CallError):
    """Absent, or not for this agency: the gateway answers both with one text."""


class Conflict(CallError):
    """The same message_id was admitted before with another header."""


class PermissionDenied(CallError):
    """This certificate may not make this call."""


class ResourceExhausted(CallError):
    """A quota, a size or the gateway's capacity is used up."""


class FailedPrecondition(CallError):
    """The state of the gateway or of the exchange does not allow the call."""


class Aborted(CallError):
    """The call lost against another one; it may be made again."""


class OutOfRange(CallError):
    """A cursor, an index or a size lies beyond what there is."""


class Cancelled(CallError):
    """The call was cancelled before it was answered, or its client was closed."""


class Unavailable(CallError):
    """The gateway cannot be reached or cannot append now; submit ``envelopes`` again, unchanged."""


class Unauthenticated(CallError):
    """No client certificate, or one the gateway does not know."""


class Unimplemented(CallError):
    """The gateway does not offer this call; it may be older than this library."""


class DataLoss(CallError):
    """What the gateway holds is damaged."""


class ServerFault(CallError):
    """The gateway failed in a way it did not foresee."""


CALL_ERRORS: Mapping[str, type[CallError]] = MappingProxyType(
    {
        "ABORTED": Aborted,
        "ALREADY_EXISTS": Conflict,
        "CANCELLED": Cancelled,
        "DATA_LOSS": DataLoss,
        "DEADLINE_EXCEEDED": DeadlineExceeded,
        "FAILED_PRECONDITION": FailedPrecondition,
        "INTERNAL": ServerFault,
        "INVALID_ARGUMENT": InvalidMessage,
        "NOT_FOUND": NotFoundOrDenied,
        "OUT_OF_RANGE": OutOfRange,
        "PERMISSION_DENIED": PermissionDenied,
        "RESOURCE_EXHAUSTED": ResourceExhausted,
        "UNAUTHENTICATED": Unauthenticated,
        "UNAVAILABLE": Unavailable,
        "UNIMPLEMENTED": Unimplemented,
        "UNKNOWN": ServerFault,
    }
)
"""The error class for each gRPC status code name but OK."""
