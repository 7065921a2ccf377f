"""What all servicers share: identifying the caller, ending calls with an error, paging."""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from rogatory import wire
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory_gateway import errors
from rogatory_gateway.services.frames import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from rogatory_gateway.errors import ServicerContext

F = TypeVar("F", bound="Callable[..., Any]")

_KEPT_OUT = frozenset({"CERTIFICATE_MISSING", "CERTIFICATE_UNKNOWN", "AGENCY_REVOKED"})
_FILTER_BYTES = 8
_POSITION_BYTES = 8
_LAST_POSITION = (1 << 63) - 1
"""Largest number that the database takes."""

log = structlog.get_logger()


def handler(method: F) -> F:
    """Wrap a handler, unary or streaming by `write`: check requests, turn errors into statuses."""

    @functools.wraps(method)
    async def handle(self: Any, request: Message, context: ServicerContext) -> Any:  # noqa: ANN401
        try:
            with self._gateway.call():
                check_request(request)
                return await method(self, request, context)
        except EnvelopeError as error:
            if error.reason in _KEPT_OUT:
                # The log holds only what was authenticated; of others the operator should know.
                log.warning("caller kept out", call=method.__name__, reason=error.reason)
            # The frames of its traceback hold messages, and the end may wait for a slow reader.
            await errors.abort(context, error.with_traceback(None))
        except Exception as error:
            if _is_abort(error):
                raise
            if context.cancelled() or type(error).__name__ == "ExecuteBatchError":
                # The caller has hung up: gRPC's own word for it is not public.
                raise asyncio.CancelledError from error
            log.exception("call failed", call=method.__name__)
            await errors.abort(context, errors.internal())

    return handle  # type: ignore[return-value]  # same shape, awaited


def _is_abort(error: Exception) -> bool:
    """grpc.aio ends a call by raising an exception of its own that must reach it."""
    return type(error).__name__ in {"AbortError", "_AbortError"}


def check_request(request: Message | Unreadable) -> None:
    """Check a request against its schema.

    Envelopes are checked one by one further on, where what is too large or too many has reasons of
    its own; here only that Submit carries one.

    Raises:
        EnvelopeError: FIELD_VIOLATIONS, or what made it unreadable.
    """
    if isinstance(request, Unreadable):
        raise request.error
    if isinstance(request, exchange_service_pb2.SubmitBatchRequest) or (
        isinstance(request, exchange_service_pb2.SubmitRequest) and request.envelope
    ):
        return
    wire.validate(request, what="request")


def page_size(wanted: int, most: int) -> int:
    """Return the page size: never refused, only coerced down."""
    return min(wanted, most) if wanted else most


def page_token(request: Message, position: int) -> str:
    """Return the token that continues a listing after ``position``, bound to its filter."""
    return place_token(request, position.to_bytes(_POSITION_BYTES, "big"))


def page_start(request: Any) -> int:  # noqa: ANN401 - any List request
    """Return the position that a request's token continues after; -1 with no token.

    Raises:
        EnvelopeError: TOKEN_INVALID: garbled, or given for another filter.
    """
    place = page_place(request)
    if place is None:
        return -1
    position = int.from_bytes(place, "big")
    if len(place) != _POSITION_BYTES or position > _LAST_POSITION:
        raise errors.token_invalid("page_token")
    return position


def place_token(request: Message, place: bytes) -> str:
    """Return the token that continues a listing after a place, bound to its filter.

    Args:
        place: Where the page ended, in the listing's own encoding.
    """
    return base64.urlsafe_b64encode(_filter_digest(request) + place).decode()


def page_place(request: Any) -> bytes | None:  # noqa: ANN401 - any List request
    """Return the place that a request's token continues after; None with no token.

    Raises:
        EnvelopeError: TOKEN_INVALID: garbled, or given for another filter.
    """
    if not request.page_token:
        return None
    try:
        data = base64.urlsafe_b64decode(request.page_token)
    except (binascii.Error, ValueError) as error:
        raise errors.token_invalid("page_token") from error
    if not data.startswith(_filter_digest(request)):
        raise errors.token_invalid("page_token")
    return data[_FILTER_BYTES:]


def _filter_digest(request: Message) -> bytes:
    plain = type(request)()
    plain.CopyFrom(request)
    for name in ("page_token", "page_size"):
        plain.ClearField(name)
    data = request.DESCRIPTOR.full_name.encode() + plain.SerializeToString(deterministic=True)
    return hashlib.sha256(data).digest()[:_FILTER_BYTES]
