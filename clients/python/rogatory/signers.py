"""Where signatures come from: a key in memory, a key file, or whatever else has this shape."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from rogatory.keyfiles import read_key_file
from rogatory.keys import PrivateKey, PublicKey


@runtime_checkable
class Signer(Protocol):
    """Signs with one key, wherever that key lives.

    Implementations are safe to call from several threads, one call at a time each.
    """

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what ``sign`` makes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign a message.

        Raises:
            SignerError: The key cannot be reached or refuses to sign.
        """
        ...


class MemorySigner:
    """Signs with a private key held in memory."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies what ``sign`` makes."""
        return self._key.public_key

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.public_key})"


class FileSigner(MemorySigner):
    """Signs with the key of a file, read once when the signer is made."""

    def __init__(self, path: Path, *, passphrase: bytes | None = None) -> None:
        """Read the key.

        Raises:
            KeyFileError: The file cannot be used; see ``rogatory.keyfiles.read_key_file``.
        """
        super().__init__(read_key_file(path, passphrase=passphrase))
        self.path = path
