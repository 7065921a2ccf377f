"""Private keys in files: PEM PKCS #8, for the owner's eyes only, with a passphrase if wanted."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import stat
import textwrap
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from rogatory.errors import KeyFileError, KeyRejected
from rogatory.keys import PrivateKey

MAX_KEY_FILE_SIZE = 64 * 1024

PBKDF2_ITERATIONS = 600_000
"""OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256. The cryptography package would write
2,048, which a stolen file does not survive."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ENCRYPTED_LABEL = "ENCRYPTED PRIVATE KEY"
_PLAIN_LABEL = "PRIVATE KEY"

# Object identifiers of RFC 8018 appendix C and NIST's AES arc, as DER.
_OID_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_OID_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_OID_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
_OID_AES256_CBC = bytes.fromhex("060960864801650304012a")
_NULL = b"\x05\x00"
_INTEGER, _OCTET_STRING, _SEQUENCE = 0x02, 0x04, 0x30


def write_key_file(path: Path, key: PrivateKey, *, passphrase: bytes | None = None) -> None:
    """Write a private key to a new file with mode 0600.

    Raises:
        KeyFileError: The file exists, cannot be written, or the passphrase is empty.
    """
    write_private_file(path, to_pem(key.to_der(), passphrase=passphrase))


def read_key_file(path: Path, *, passphrase: bytes | None = None) -> PrivateKey:
    """Read a private key.

    Raises:
        KeyFileError: The file is missing, readable by others, not a key of a known algorithm, or
            the passphrase is missing or wrong.
    """
    data = read_private_file(path)
    encrypted = _is_encrypted(data)
    if encrypted and passphrase is None:
        raise KeyFileError(
            f"The key file {path} is protected by a passphrase", hint="Give the passphrase."
        )
    try:
        loaded = serialization.load_pem_private_key(data, passphrase if encrypted else None)
        return PrivateKey(loaded)
    except KeyRejected as error:
        raise KeyFileError(
            f"The key file {path} holds a key of another kind: {error.message}", hint=error.hint
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise KeyFileError(
                f"The key file {path} does not open with this passphrase",
                hint="Try the passphrase again; if it is right, the file is damaged: restore it.",
            ) from error
        raise KeyFileError(
            f"The file {path} is not a PEM private key (PKCS #8)",
            hint="Make one with rogatory keygen, or convert it with openssl pkcs8 -topk8.",
        ) from error


def needs_passphrase(path: Path) -> bool:
    """Tell whether a key file is encrypted, so that a program asks only when it must.

    Raises:
        KeyFileError: The file is missing or readable by others.
    """
    return _is_encrypted(read_private_file(path))


def write_private_file(path: Path, data: bytes) -> None:
    """Write a new file with mode 0600 that appears whole or not at all.

    Raises:
        KeyFileError: Something of that name exists (secrets are never overwritten), or it cannot
            be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, fails where the name is taken.
            os.link(temporary, path)
        finally:
            temporary.unlink()
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise KeyFileError(
            f"The file {path} exists, and secrets are never overwritten",
            hint="Choose another name, or move the old file away first.",
        ) from error
    except OSError as error:
        raise KeyFileError(
            f"The file {path} cannot be written: {error.strerror}",
            hint="Check that its folder exists and that you may write there.",
        ) from error


def read_private_file(path: Path) -> bytes:
    """Read a file that nobody but its owner may read.

    Raises:
        KeyFileError: It is missing, too large, not a file, or group or others have any right to it.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            # Only POSIX keeps these bits; elsewhere they are made up from the read-only flag.
            if os.name == "posix" and stat.S_IMODE(status.st_mode) & _OTHERS:
                raise KeyFileError(
                    f"The file {path} holds a secret and is open to others"
                    f" (mode {stat.S_IMODE(status.st_mode):04o})",
                    hint=f"Close it with: chmod 600 {path}",
                )
            data = file.read(MAX_KEY_FILE_SIZE + 1)
    except OSError as error:
        raise KeyFileError(
            f"The file {path} cannot be read: {error.strerror}",
            hint="Check the path, and that you own the file.",
        ) from error
    if len(data) > MAX_KEY_FILE_SIZE:
        raise KeyFileError(
            f"The file {path} is larger than {MAX_KEY_FILE_SIZE} bytes",
            hint="Check that it is the right file: keys are small.",
        )
    return data


def to_pem(der: bytes, *, passphrase: bytes | None) -> bytes:
    """PEM of a PKCS #8 private key, encrypted with PBES2 (RFC 8018) under a passphrase.

    Raises:
        KeyFileError: The passphrase is empty.
    """
    if passphrase is None:
        return _pem(_PLAIN_LABEL, der)
    if not passphrase:
        raise KeyFileError(
            "The passphrase is empty", hint="Give a passphrase, or ask for a key file without one."
        )
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    derive = PBKDF2HMAC(
        algorithm=hashes.SHA256(), length=32, salt=salt, iterations=PBKDF2_ITERATIONS
    )
    encryptor = Cipher(algorithms.AES256(derive.derive(passphrase)), modes.CBC(iv)).encryptor()
    padder = padding.PKCS7(128).padder()
    padded = padder.update(der) + padder.finalize()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    iterations = PBKDF2_ITERATIONS.to_bytes(PBKDF2_ITERATIONS.bit_length() // 8 + 1, "big")
    function = _der(
        _SEQUENCE,
        _OID_PBKDF2,
        _der(
            _SEQUENCE,
            _der(_OCTET_STRING, salt),
            _der(_INTEGER, iterations),
            _der(_SEQUENCE, _OID_HMAC_SHA256, _NULL),
        ),
    )
    scheme = _der(_SEQUENCE, _OID_AES256_CBC, _der(_OCTET_STRING, iv))
    return _pem(
        _ENCRYPTED_LABEL,
        _der(
            _SEQUENCE,
            _der(_SEQUENCE, _OID_PBES2, _der(_SEQUENCE, function, scheme)),
            _der(_OCTET_STRING, ciphertext),
        ),
    )


def _is_encrypted(data: bytes) -> bool:
    return f"-----BEGIN {_ENCRYPTED_LABEL}-----".encode() in data


def _pem(label: str, der: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    width = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + size.to_bytes(width, "big") + content


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems cannot sync a folder; the file itself is already safe.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
