"""What both clients are made with, and what they make of it without waiting."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from rogatory import envelopes
from rogatory.client.drafts import Draft
from rogatory.client.retry import RetryPolicy
from rogatory.client.transport import TlsCredentials
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2
from rogatory.signers import Signer

SignerInRole = tuple[Signer, codes_pb2.KeyRole.ValueType]
"""A signer and the role in which it signs: SIGNING or OFFICER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a client; see the constructors' arguments."""

    target: str
    agency: str
    audience: str
    signers: tuple[SignerInRole, ...]
    retry: RetryPolicy
    deadline: float
    now: Callable[[], int]

    def need(self, tls: TlsCredentials | None) -> TlsCredentials:
        """Return the credentials.

        Raises:
            ConfigurationError: There are none.
        """
        if tls is None:
            raise ConfigurationError(
                f"There are no TLS credentials for {self.target}",
                hint="Pass tls=TlsCredentials.from_files(...), or a channel of your own.",
            )
        return tls

    def new_message_id(self) -> str:
        """Return a fresh UUIDv7."""
        return envelopes.new_message_id(self.now() // 1_000_000, os.urandom(10))

    def envelope(
        self,
        draft: Draft,
        contents: Sequence[Message],
        message_id: str,
        signers: Sequence[SignerInRole],
    ) -> bytes:
        """Build and sign an envelope.

        Raises:
            EnvelopeError: Header or parts break the schema's rules, or are too large.
            ConfigurationError: There is no signer.
        """
        chosen = signers or self.signers
        if not chosen:
            raise ConfigurationError(
                "There is no key to sign with",
                hint="Make the client with signers=[(FileSigner(path), KEY_ROLE_SIGNING)].",
            )
        header = draft.header(
            sender=self.agency, audience=self.audience, message_id=message_id, now=self.now()
        )
        return envelopes.build(header=header, contents=contents, signers=chosen)
