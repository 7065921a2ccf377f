"""TLS files: loaded, matched, and named where one of them cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rogatory.client import TlsCredentials, transport
from rogatory.errors import RogatoryError
from rogatory.keyfiles import write_private_file
from tests.unit.rogatory.client.loopback import Certificates, make_certificates


@dataclass
class Files:
    """The three files of an agency."""

    certificate: Path
    key: Path
    ca: Path

    def load(self) -> TlsCredentials:
        """Load them."""
        return TlsCredentials.from_files(certificate=self.certificate, key=self.key, ca=self.ca)


@pytest.fixture
def files(tmp_path: Path, certificates: Certificates) -> Files:
    """Files that belong together."""
    made = Files(tmp_path / "client.pem", tmp_path / "tls.pem", tmp_path / "ca.pem")
    made.certificate.write_bytes(certificates.tls.certificate)
    write_private_file(made.key, certificates.tls.key)
    made.ca.write_bytes(certificates.tls.ca)
    return made


def fault(files: Files) -> RogatoryError:
    """Return what is wrong with the files."""
    with pytest.raises(RogatoryError) as raised:
        files.load()
    return raised.value


def test_files_that_belong_together_are_loaded(files: Files, certificates: Certificates) -> None:
    """What gRPC is given is what the files hold."""
    loaded = files.load()

    assert certificates.tls == loaded


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("certificate", "rogatory agency accept"),
        ("key", "Restore it"),
        ("ca", "rogatory agency accept"),
    ],
)
@pytest.mark.parametrize("keep", [0, 100])
def test_damaged_file_is_named_with_its_remedy(
    files: Files, name: str, step: str, keep: int
) -> None:
    """Empty or cut off: no handshake is tried with it."""
    path: Path = getattr(files, name)
    path.write_bytes(path.read_bytes()[:keep])

    error = fault(files)

    assert str(path) in error.message
    assert step in error.hint


def test_certificate_of_another_key_is_named(files: Files) -> None:
    """Both files are sound, and each belongs to something else."""
    files.certificate.write_bytes(make_certificates().tls.certificate)

    error = fault(files)

    assert f"{files.certificate} is for another key than {files.key}" in error.message


def test_ended_certificate_is_named(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway would hang up without a word."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # always aware here
            assert tz is UTC
            return datetime(2100, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(transport, "datetime", Later)

    error = fault(files)

    assert "was valid until" in error.message
    assert "new one" in error.hint
