"""Requests that do not parse: answered like any other fault, with a reason and a next step.

gRPC itself ends such a call as UNKNOWN with the parser's words, and writes a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError

from rogatory.errors import EnvelopeError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a request that did not parse, so that its handler can say so."""

    error: EnvelopeError


class Registrar:
    """Takes servicers in a server's place and lets them answer requests that do not parse."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Pass handlers on to the server."""
        self._server.add_generic_rpc_handlers([_Handlers(handler) for handler in handlers])

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Do nothing: the generic handlers are the same ones, and these would go round us."""


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, inner: grpc.GenericRpcHandler) -> None:
        self._inner = inner
        self._found: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 - gRPC's
        method = handler_call_details.method
        found = self._found.get(method)
        if found is None:
            found = self._inner.service(handler_call_details)
            if found is not None:
                self._found[method] = found = _readable(found, method)
        return found


def _readable(found: Any, method: str) -> Any:  # noqa: ANN401 - gRPC's
    """Return a method's handler with a deserializer that never raises."""
    parse = found.request_deserializer

    def deserialize(data: bytes) -> object:
        try:
            return parse(data)
        except DecodeError:
            return Unreadable(
                EnvelopeError(
                    f"the request is not one of {method}",
                    hint="Call with stubs generated from the published protos.",
                    reason="MALFORMED",
                )
            )

    # gRPC's handlers are named tuples.
    return found._replace(request_deserializer=deserialize)
