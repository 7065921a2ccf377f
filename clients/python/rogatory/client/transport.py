"""Channels to a gateway: mutual TLS, message sizes, signs of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from grpc import aio

from rogatory.errors import ConfigurationError, KeyFileError
from rogatory.keyfiles import read_private_file

UNLIMITED = -1
"""What gRPC calls no limit to a message's length."""

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    # An answer that does not fit is lost although the gateway has decided, and every retry gets the
    # same again. How long it may be follows from the question: a batch has a decision for each
    # recipient of each message, as long as the agreement has clauses, and 256 messages to 63
    # recipients came to 12.6 MB. Whoever wants less memory held submits smaller batches. The
    # sender of the answer is known by its certificate before a byte of it is read.
    ("grpc.max_receive_message_length", UNLIMITED),
    # A connection that died without a word (a firewall that forgot it) is noticed in 40 seconds.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A gateway that comes back is found again soon; gRPC's own default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
"""Options of every channel; see grpc/impl/channel_arg_names.h of gRPC.

What is sent needs no limit here: `envelopes` has those of submissions, and the gateway its own."""

_INSTALL = "Install the gateway operator's answer: rogatory agency accept FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsCredentials:
    """What the client shows the gateway, and by what it knows the gateway.

    Attributes:
        certificate: The client certificate with its chain, PEM.
        key: Its private key, PEM PKCS #8, not encrypted.
        ca: Certificates of the authorities that the gateway's certificate may come from, PEM.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    ca: bytes

    @classmethod
    def from_files(
        cls, *, certificate: Path, key: Path, ca: Path, passphrase: bytes | None = None
    ) -> TlsCredentials:
        """Read the three from files, and check that they can be used and belong together.

        Raises:
            ConfigurationError: A certificate file cannot be read or holds none, or the certificate
                is for another key or no longer valid.
            KeyFileError: The key file is missing, open to others, damaged, or does not open.
        """
        chain = _certificates(certificate, what="client certificate")
        pem, public = _open_key(key, passphrase)
        if _public_bytes(chain[0].public_key()) != public:
            raise ConfigurationError(
                f"The client certificate {certificate} is for another key than {key}",
                hint="Install the operator's answer to the request made with this key: rogatory"
                " agency accept FILE; or restore the key that belongs to the certificate.",
            )
        end = chain[0].not_valid_after_utc
        if end <= datetime.now(UTC):
            raise ConfigurationError(
                f"The client certificate {certificate} was valid until {end:%Y-%m-%d}",
                hint="Ask the gateway's operator for a new one (agency add of the same request"
                " issues it), and install the answer: rogatory agency accept FILE.",
            )
        authorities = _certificates(ca, what="gateway's CA certificate")
        return cls(
            certificate=b"".join(map(_pem, chain)), key=pem, ca=b"".join(map(_pem, authorities))
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Return what gRPC wants."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca, private_key=self.key, certificate_chain=self.certificate
        )


def open_channel(
    target: str, tls: TlsCredentials, options: Sequence[tuple[str, str | int]] = ()
) -> grpc.Channel:
    """Return a blocking channel; it connects when first used."""
    return grpc.secure_channel(
        target, tls.channel_credentials(), options=[*CHANNEL_OPTIONS, *options]
    )


def open_aio_channel(
    target: str, tls: TlsCredentials, options: Sequence[tuple[str, str | int]] = ()
) -> aio.Channel:
    """Return a channel of the running event loop; it connects when first used."""
    return aio.secure_channel(
        target, tls.channel_credentials(), options=[*CHANNEL_OPTIONS, *options]
    )


def _certificates(path: Path, *, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"The {what} {path} cannot be read: {error.strerror}", hint=_INSTALL
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"The {what} {path} is no PEM certificate, or is damaged", hint=_INSTALL
        ) from error


def _open_key(path: Path, passphrase: bytes | None) -> tuple[bytes, bytes]:
    """Return the key in clear, PEM, and its public half."""
    data = read_private_file(path)
    encrypted = b"ENCRYPTED" in data
    try:
        key = serialization.load_pem_private_key(data, passphrase if encrypted else None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise KeyFileError(
                f"The key file {path} does not open with this passphrase",
                hint="Give the passphrase it was made with.",
            ) from error
        raise KeyFileError(
            f"The file {path} is not a PEM private key (PKCS #8), or is damaged",
            hint="Restore it from your copy; if there is none, make a new one: rogatory agency"
            " statement --renew tls",
        ) from error
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, _public_bytes(key.public_key())


def _public_bytes(key: Any) -> bytes:  # noqa: ANN401 - of any algorithm
    found: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
