"""The catalogue of errors: reason to status code, and how a status is put on the wire.

Public text says what is wrong and what to do next; what only the operator may know goes to the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import errors_pb2

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from google.protobuf.message import Message

    ServicerContext: TypeAlias = grpc.aio.ServicerContext[Any, Any]
    """A call as a servicer sees it; the wrappers check types, not gRPC."""

DOMAIN = "rogatory"
"""ErrorInfo.domain of every error."""

STATUS_DETAILS_KEY = "grpc-status-details-bin"

STATUS_BYTES = 4096
"""Longest serialised status. It travels as a trailer, in base64 and with the text once more; gRPC's
clients take 8 KiB of trailers and drop the whole answer when there is more."""

_CODES: dict[str, grpc.StatusCode] = {
    "CERTIFICATE_MISSING": grpc.StatusCode.UNAUTHENTICATED,
    "CERTIFICATE_UNKNOWN": grpc.StatusCode.UNAUTHENTICATED,
    "AGENCY_REVOKED": grpc.StatusCode.PERMISSION_DENIED,
    "SENDER_MISMATCH": grpc.StatusCode.PERMISSION_DENIED,
    "NOT_AUTHORISED": grpc.StatusCode.PERMISSION_DENIED,
    "KEY_UNKNOWN": grpc.StatusCode.PERMISSION_DENIED,
    "KEY_NOT_YET_VALID": grpc.StatusCode.PERMISSION_DENIED,
    "KEY_EXPIRED": grpc.StatusCode.PERMISSION_DENIED,
    "KEY_REVOKED": grpc.StatusCode.PERMISSION_DENIED,
    "OFFICER_RIGHT_MISSING": grpc.StatusCode.PERMISSION_DENIED,
    "EXPIRED": grpc.StatusCode.FAILED_PRECONDITION,
    "CONFLICT": grpc.StatusCode.ALREADY_EXISTS,
    "DENIED_OR_ABSENT": grpc.StatusCode.NOT_FOUND,
    "TOO_MANY_IN_FLIGHT": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "SUBSCRIBER_TOO_SLOW": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "LEDGER_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
    "SHUTTING_DOWN": grpc.StatusCode.UNAVAILABLE,
    "INTERNAL": grpc.StatusCode.INTERNAL,
}

_RETRY_AFTER_SECONDS = {
    "TOO_MANY_IN_FLIGHT": 0.2,
    "LEDGER_UNAVAILABLE": 1.0,
    "SHUTTING_DOWN": 1.0,
}


def code_of(reason: str) -> grpc.StatusCode:
    """Return the status code of an ErrorReason name; most faults are the message's own."""
    return _CODES.get(reason, grpc.StatusCode.INVALID_ARGUMENT)


def to_status(error: EnvelopeError) -> status_pb2.Status:
    """Return an error as google.rpc.Status: one ErrorInfo, and what else helps."""
    number = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{error.reason}")
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=error.reason,
            domain=DOMAIN,
            metadata={"reason_number": str(number), "next_step": error.hint},
        )
    ]
    if error.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.path,
                        description=violation.message,
                        reason=violation.rule,
                    )
                    for violation in error.violations
                ]
            )
        )
    wait = _RETRY_AFTER_SECONDS.get(error.reason)
    if wait is not None:
        delay = Duration()
        delay.FromNanoseconds(int(wait * 1_000_000_000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=code_of(error.reason).value[0], message=error.message)
    for detail in details:
        status.details.add().Pack(detail)
    if status.ByteSize() > STATUS_BYTES and error.violations:
        return _shortened(status, details)
    return status


def _shortened(status: status_pb2.Status, details: list[Message]) -> status_pb2.Status:
    """Leave out the last violations, as many as it takes; the text says how many there are."""
    bad = next(item for item in details if isinstance(item, error_details_pb2.BadRequest))
    size = status.ByteSize()
    while size > STATUS_BYTES and bad.field_violations:
        # Its own length and two bytes of frame.
        size -= bad.field_violations.pop().ByteSize() + 2
    del status.details[:]
    for detail in details:
        status.details.add().Pack(detail)
    return status


async def abort(context: ServicerContext, error: EnvelopeError) -> NoReturn:
    """End a call with an error."""
    await context.abort(
        code_of(error.reason),
        error.message,
        trailing_metadata=((STATUS_DETAILS_KEY, to_status(error).SerializeToString()),),
    )
    raise AssertionError  # abort() raises; this line tells the type checker


def denied_or_absent() -> EnvelopeError:
    """Return the one answer for what is not there and what is not the caller's."""
    return EnvelopeError(
        "there is no such thing here that you may see",
        hint="Check the sender and id; only its parties can fetch a message.",
        reason="DENIED_OR_ABSENT",
    )


def ledger_unavailable() -> EnvelopeError:
    """Return the answer for a ledger that can't be written."""
    return EnvelopeError(
        "the ledger can't be written now; what was decided, if anything, a retry will show",
        hint="Send the same bytes again in a moment; a repeated message is never entered twice.",
        reason="LEDGER_UNAVAILABLE",
    )


def too_many_in_flight() -> EnvelopeError:
    """Return the answer for more than the gateway takes at once."""
    return EnvelopeError(
        "the gateway has too many messages in hand; nothing was decided",
        hint="Send the same bytes again after the delay that RetryInfo names.",
        reason="TOO_MANY_IN_FLIGHT",
    )


def too_many_streams(most: int) -> EnvelopeError:
    """Return the answer for more subscriptions than one agency may have open."""
    return EnvelopeError(
        f"the agency has {most} subscriptions open, as many as it may",
        hint="Close one, or share it: every subscriber of an inbox is sent the same messages.",
        reason="TOO_MANY_IN_FLIGHT",
    )


def token_invalid(what: str) -> EnvelopeError:
    """Return the answer for a page token or cursor that this gateway did not give."""
    return EnvelopeError(
        f"the {what} is not one that this gateway gave for this request",
        hint="Begin again without it.",
        reason="TOKEN_INVALID",
    )


def internal() -> EnvelopeError:
    """Return the answer for a defect of the gateway."""
    return EnvelopeError(
        "the gateway failed; nothing was decided",
        hint="Send the same bytes again; tell the operator if it stays.",
        reason="INTERNAL",
    )
