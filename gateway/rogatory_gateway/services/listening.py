"""Where the gateway listens and with which TLS files, checked before gRPC sees them.

Of a port that is taken and of files that do not fit gRPC says only that it failed, and its core
writes lines of its own to standard error.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import grpc

from rogatory.errors import ConfigurationError
from rogatory.keyfiles import read_private_file
from rogatory_gateway import pki
from rogatory_gateway.config import join_address, naming

if TYPE_CHECKING:
    from rogatory_gateway.config import ListenSection, TlsSection

_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A name may have addresses of a kind that this machine does not have: one that works will do."""


def credentials(tls: TlsSection) -> grpc.ServerCredentials:
    """Return credentials that ask every client for a certificate.

    Raises:
        ConfigurationError: a file can't be read, is no PEM, or key and certificate do not fit.
        KeyFileError: the key file can't be read, or is open to others.
    """
    with naming("[tls] certificate"):
        chain = pki.read_certificates(tls.certificate)
    with naming("[tls] key"):
        key = pki.read_private_key(tls.key)
        secret = read_private_file(tls.key)
    with naming("[tls] client_ca"):
        authorities = pki.read_certificates(tls.client_ca)
    with naming("[tls] key and certificate"):
        pki.check_pair(key, chain, files=(tls.key, tls.certificate))
    return grpc.ssl_server_credentials(
        [(secret, b"".join(map(pki.to_pem, chain)))],
        root_certificates=b"".join(map(pki.to_pem, authorities)),
        require_client_auth=True,
    )


def check_free(listen: ListenSection) -> None:
    """Check that the address can be listened on, by doing so for a moment.

    Raises:
        ConfigurationError: it can't; the text says what the system says.
    """
    try:
        found = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise cannot_listen(listen, error.strerror or str(error)) from error
    missing = []
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                # As gRPC does: connections that have just ended do not hold the port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise cannot_listen(listen, str(error.strerror)) from error
            missing.append(error)
    if len(missing) == len(found):
        raise cannot_listen(listen, str(missing[0].strerror)) from missing[0]


def cannot_listen(listen: ListenSection, why: str) -> ConfigurationError:
    """Return the error of an address that can't be listened on."""
    return ConfigurationError(
        f"[listen] host and port: can't listen on {join_address(listen.host, listen.port)}: {why}",
        hint="Stop what listens there, or set another port or host.",
    )
