"""From a gRPC status to a typed error: what is wrong, which fields, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from rogatory.errors import (
    CALL_ERRORS,
    CallError,
    Cancelled,
    EnvelopeError,
    InvalidMessage,
    Violation,
)

DOMAIN = "rogatory"
"""Domain of the one ErrorInfo that every failed call carries."""

_DETAILS_KEY = "grpc-status-details-bin"
_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}

_NEXT_STEPS = MappingProxyType(
    {
        "CANCELLED": "Make the call again if its answer is still wanted.",
        "DEADLINE_EXCEEDED": "Make the call again.",
        "INTERNAL": "Tell the gateway's operator, with the time of the call.",
        "PERMISSION_DENIED": "Ask the gateway's operator what this certificate may do.",
        "RESOURCE_EXHAUSTED": "Send less at once, or later.",
        "UNAUTHENTICATED": "Check the client certificate: rogatory agency accept installs it.",
        "UNAVAILABLE": "Check the gateway's address and the network, then make the call again.",
        "UNIMPLEMENTED": "Check that the address is that of a Rogatory gateway, and its version.",
    }
)
_UNKNOWN_STEP = (
    "Submit the same bytes again: the error holds them, and if they were admitted, the answer is"
    " the original one."
)
_NEXT_STEPS_OF_SUBMITTING = MappingProxyType(
    {
        "CANCELLED": _UNKNOWN_STEP,
        "DEADLINE_EXCEEDED": _UNKNOWN_STEP,
        "UNAVAILABLE": "Check the gateway's address and the network, then submit the same bytes"
        " again: the error holds them.",
    }
)
"""Where the call may have entered something: whoever calls `send` anew sends another message."""

_OTHER_STEP = "Ask the gateway's operator, with the time of the call."
_HANDSHAKE_STEP = (
    "Check that the address is one the gateway's certificate names, and that the CA and client"
    " certificates are those of the operator's latest answer."
)


def of_rpc(
    error: Any,  # noqa: ANN401 - two classes, sync and aio
    *,
    message_id: str = "",
    envelopes: Sequence[bytes] = (),
) -> CallError:
    """Return the typed error for a ``grpc.RpcError`` of a finished call.

    Args:
        error: The exception, which is also the call: it has code, details and trailing metadata.
        message_id: The message the call was about, where there is one.
        envelopes: What the call submitted.
    """
    code: grpc.StatusCode = error.code()
    details: str = error.details() or ""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            status = _parse(status_pb2.Status, value)
            if status is not None and status.code == code.value[0]:
                return of_status(status, message_id=message_id, envelopes=envelopes)
    return _make(code.name, details, message_id=message_id, envelopes=envelopes)


def of_status(
    status: status_pb2.Status, *, message_id: str = "", envelopes: Sequence[bytes] = ()
) -> CallError:
    """Return the typed error for a ``google.rpc.Status``, as batches carry them."""
    name = _CODE_NAMES.get(status.code, "UNKNOWN")
    return _make(name, status.message, status.details, message_id=message_id, envelopes=envelopes)


def before_sending(error: EnvelopeError, *, message_id: str = "") -> CallError:
    """Return what the gateway would answer to a fault that shows before anything is sent.

    A message too long for the gateway may be too long for gRPC, whose refusal names no reason.
    """
    return InvalidMessage(
        error.message,
        hint=error.hint,
        code="INVALID_ARGUMENT",
        reason=error.reason,
        violations=error.violations,
        message_id=message_id,
    )


def closed(*, message_id: str = "", envelopes: Sequence[bytes] = ()) -> CallError:
    """Return the error for a call that was made after its client was closed, or was under way then.

    One for both: what waited to be tried again may have been admitted before, like what was under
    way.
    """
    return Cancelled(
        "the client or its channel is closed",
        hint="Make a new client and submit the same bytes with it: the error holds them."
        if envelopes
        else "Make a new client, and close it after the last call.",
        code="CANCELLED",
        message_id=message_id,
        envelopes=envelopes,
    )


def stream_ended() -> CallError:
    """Return the error for a subscription that the gateway ended without an error."""
    return _make("UNAVAILABLE", "the gateway ended the subscription")


def results_differ(count: int, envelopes: Sequence[bytes]) -> CallError:
    """Return the error for a batch's answer that is not one result for each message."""
    return _make(
        "INTERNAL",
        f"the gateway gave {count} results for {len(envelopes)} messages",
        envelopes=envelopes,
    )


def is_retryable(error: BaseException) -> bool:
    """Say whether the same call may succeed later: UNAVAILABLE, or a quota that says when."""
    return isinstance(error, CallError) and (
        error.code == "UNAVAILABLE"
        or (error.code == "RESOURCE_EXHAUSTED" and error.retry_after is not None)
    )


def _make(
    code: str,
    text: str,
    details: Iterable[Any] = (),
    *,
    message_id: str = "",
    envelopes: Sequence[bytes] = (),
) -> CallError:
    reason = ""
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    retry_after: float | None = None
    for detail in details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = _parse(error_details_pb2.ErrorInfo, detail.value)
            if info is not None and info.domain == DOMAIN:
                reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = _parse(error_details_pb2.BadRequest, detail.value)
            violations += [
                Violation(path=item.field, rule=item.reason, message=item.description)
                for item in (request.field_violations if request is not None else ())
            ]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = _parse(error_details_pb2.RetryInfo, detail.value)
            if retry is not None:
                retry_after = max(0.0, retry.retry_delay.ToNanoseconds() / 1e9)
    handshake = not reason and ("handshak" in text.lower() or "CERTIFICATE_VERIFY" in text)
    step = _NEXT_STEPS.get(code, _OTHER_STEP)
    if envelopes:
        step = _NEXT_STEPS_OF_SUBMITTING.get(code, step)
    if handshake:
        step = _HANDSHAKE_STEP
    return CALL_ERRORS[code](
        text or f"the gateway answered {code}",
        hint=metadata.get("next_step") or step,
        code=code,
        reason=reason,
        violations=violations,
        metadata=metadata,
        retry_after=retry_after,
        message_id=message_id,
        envelopes=envelopes,
    )


def _parse(message_type: Any, data: bytes) -> Any:  # noqa: ANN401 - any generated class
    try:
        return message_type.FromString(data)
    except DecodeError:
        # The status itself still says what happened; only its details are lost.
        return None
