"""The yardstick: a bare grpc.aio server that echoes bytes over the same mTLS.

Run as ``python -m tests.bench.echo FOLDER``; prints ``listening HOST:PORT`` on standard error.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc

METHOD = "/bench.Echo/Echo"


class Echo(grpc.GenericRpcHandler):
    """Answers every call with its request."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Return the one handler."""
        del handler_call_details

        async def echo(request: bytes, _context: object) -> bytes:
            return request

        return grpc.unary_unary_rpc_method_handler(echo)


async def main(folder: Path) -> None:
    """Serve until killed."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    credentials = grpc.ssl_server_credentials(
        [
            (
                (folder / "tls/gateway-key.pem").read_bytes(),
                (folder / "tls/gateway.pem").read_bytes(),
            )
        ],
        root_certificates=(folder / "tls/ca.pem").read_bytes(),
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    print(f"listening 127.0.0.1:{port}", file=sys.stderr, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
