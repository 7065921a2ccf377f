"""Signers sign with the key they name; key files are for their owner only."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rogatory import keyfiles
from rogatory.errors import KeyFileError
from rogatory.keyfiles import (
    needs_passphrase,
    read_key_file,
    read_private_file,
    to_pem,
    write_key_file,
    write_private_file,
)
from rogatory.keys import ALGORITHMS, PrivateKey
from rogatory.signers import FileSigner, MemorySigner, Signer

KEY = PrivateKey.from_seed(bytes(range(32)))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key file without a passphrase."""
    path = tmp_path / "officer.pem"
    write_key_file(path, KEY)
    return path


def test_memory_signer_signs_with_its_key() -> None:
    """What the signer makes verifies under the key it names."""
    signer: Signer = MemorySigner(KEY)

    signature = signer.sign(b"message")

    signer.public_key.verify(signature, b"message")
    assert isinstance(signer, Signer)
    assert f"MemorySigner({KEY.public_key})" == repr(signer)


def test_file_signer_signs_with_the_file_s_key(key_file: Path) -> None:
    """A key written to a file signs as before."""
    signer: Signer = FileSigner(key_file)

    assert KEY.public_key == signer.public_key
    assert KEY.sign(b"message") == signer.sign(b"message")


def test_passphrase_opens_the_file(tmp_path: Path) -> None:
    """With a passphrase the secret is not in the file, and the file opens with it alone."""
    path = tmp_path / "root.pem"
    write_key_file(path, KEY, passphrase=b"three words long")

    signer = FileSigner(path, passphrase=b"three words long")

    assert KEY.public_key == signer.public_key
    assert needs_passphrase(path)
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(KeyFileError, match="protected by a passphrase"):
        FileSigner(path)
    with pytest.raises(KeyFileError, match="does not open with this passphrase"):
        FileSigner(path, passphrase=b"three words")


def test_passphrase_for_an_open_file_is_not_needed(key_file: Path) -> None:
    """One passphrase for a folder of files does no harm to those without."""
    assert not needs_passphrase(key_file)
    assert KEY.public_key == read_key_file(key_file, passphrase=b"unused").public_key


def test_encrypted_pem_is_slow_to_guess() -> None:
    """The file's own parameters are those of today, not those of 2000."""
    pem = to_pem(KEY.to_der(), passphrase=b"three words long")

    loaded = serialization.load_pem_private_key(pem, b"three words long")

    # 600,000 as a DER integer.
    assert b"\x02\x03\x09\x27\xc0" in pem_body(pem)
    assert KEY.public_key == PrivateKey(loaded).public_key


def pem_body(pem: bytes) -> bytes:
    """The DER inside a PEM file."""
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_has_a_file_form(tmp_path: Path, algorithm: str) -> None:
    """A key of any algorithm of the table comes back from its file."""
    key = PrivateKey.from_seed(bytes(32), algorithm=algorithm)
    write_key_file(tmp_path / "k.pem", key)

    again = read_key_file(tmp_path / "k.pem")

    assert key.public_key == again.public_key


def test_file_is_for_its_owner_only(key_file: Path) -> None:
    """The file has mode 0600 whatever the umask, and nothing else is left in its folder."""
    old = os.umask(0)
    try:
        write_private_file(key_file.with_name("second.pem"), b"x")
    finally:
        os.umask(old)

    modes = {path.name: path.stat().st_mode & 0o777 for path in key_file.parent.iterdir()}
    assert {"officer.pem": 0o600, "second.pem": 0o600} == modes


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602])
def test_file_open_to_others_is_refused(key_file: Path, mode: int) -> None:
    """A secret that others can reach is not used, and the error tells how to close it."""
    key_file.chmod(mode)

    with pytest.raises(KeyFileError, match=f"mode 0{mode:o}.*chmod 600"):
        read_key_file(key_file)


def test_existing_file_is_never_overwritten(key_file: Path) -> None:
    """A second key under the same name is refused, and the first one stays as it was."""
    before = key_file.read_bytes()

    with pytest.raises(KeyFileError, match="never overwritten"):
        write_key_file(key_file, PrivateKey.from_seed(bytes(32)))

    assert before == key_file.read_bytes()
    assert [key_file] == list(key_file.parent.iterdir())


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk gives up, neither half a key nor a temporary file stays."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(KeyFileError, match="No space left on device"):
        write_key_file(tmp_path / "k.pem", KEY)

    assert [] == list(tmp_path.iterdir())


def test_missing_folder_and_missing_file(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(KeyFileError, match=r"nowhere/k\.pem cannot be written"):
        write_key_file(tmp_path / "nowhere" / "k.pem", KEY)
    with pytest.raises(KeyFileError, match=r"k\.pem cannot be read"):
        read_key_file(tmp_path / "k.pem")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not a PEM private key"),
        (b"-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n", "not a PEM"),
        (KEY.public_key.text.encode(), "not a PEM private key"),
        (
            X25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            "a key of another kind",
        ),
        (bytes(keyfiles.MAX_KEY_FILE_SIZE + 1), "larger than"),
    ],
    ids=["empty", "cut", "public", "x25519", "huge"],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    """What is not a signing key is named as such."""
    path = tmp_path / "k.pem"
    write_private_file(path, content)

    with pytest.raises(KeyFileError, match=fault):
        read_key_file(path)


def test_empty_passphrase_is_refused(tmp_path: Path) -> None:
    """An empty passphrase would look like protection and be none."""
    with pytest.raises(KeyFileError, match="passphrase is empty"):
        write_key_file(tmp_path / "k.pem", KEY, passphrase=b"")


def test_link_to_a_key_file_is_followed(key_file: Path, tmp_path: Path) -> None:
    """Secrets mounted into containers are links."""
    link = tmp_path / "link.pem"
    link.symlink_to(key_file)

    assert key_file.read_bytes() == read_private_file(link)


def test_openssl_opens_the_encrypted_file(tmp_path: Path) -> None:
    """A partner's own tools read the file."""
    path = tmp_path / "k.pem"
    write_key_file(path, KEY, passphrase=b"three words long")
    command = ["openssl", "pkey", "-in", str(path), "-passin", "pass:three words long"]
    try:
        run = subprocess.run([*command, "-outform", "DER"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("the openssl command is not installed")

    assert KEY.to_der() == run.stdout
