"""Setting up: under which names a new gateway is reached, and what its folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from rogatory.errors import ConfigurationError
from rogatory.notes import VerifierKey
from rogatory_gateway.config import load
from rogatory_gateway.ledger.starting import open_log
from rogatory_gateway.operator.setup import create


def names_in(certificate: Path) -> set[str]:
    """Return the names that a certificate is for."""
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


@pytest.mark.parametrize(
    ("host", "names", "address", "certified"),
    [
        ("127.0.0.1", (), "localhost:7443", {"localhost", "127.0.0.1", "::1"}),
        ("127.0.0.2", (), "localhost:7443", {"localhost", "127.0.0.2", "127.0.0.1", "::1"}),
        ("::", (), "localhost:7443", {"localhost", "127.0.0.1", "::1"}),
        ("192.0.2.7", (), "192.0.2.7:7443", {"192.0.2.7"}),
        ("2001:db8::7", (), "[2001:db8::7]:7443", {"2001:db8::7"}),
        ("::", ("gw.example", "192.0.2.7"), "gw.example:7443", {"gw.example", "192.0.2.7"}),
    ],
)
def test_partners_reach_it_by_what_they_are_told(
    tmp_path: Path, host: str, names: tuple[str, ...], address: str, certified: set[str]
) -> None:
    """The address given to them is one that its certificate is for, wherever it listens."""
    created = create(tmp_path / "gateway", host=host, names=names)

    assert (host, address) == (created.settings.listen.host, created.settings.address)
    assert certified == names_in(created.settings.tls.certificate)


def test_the_ledger_is_the_log_of_the_verifier_key(tmp_path: Path) -> None:
    """What is handed to partners is what the ledger records, and what signs."""
    created = create(tmp_path / "gateway", origin="gw.example/log")

    opened = open_log(load(tmp_path / "gateway"))
    opened.engine.dispose()

    key = VerifierKey.parse(created.verifier_key)
    assert ("gw.example/log", key) == (key.name, opened.signer.key)


def test_two_gateways_are_two_logs(tmp_path: Path) -> None:
    """Also under one name: keys are drawn anew each time."""
    first, second = (create(tmp_path / name, origin="gw.example/log") for name in ("a", "b"))

    assert first.verifier_key != second.verifier_key


def test_where_no_folder_can_be_made(tmp_path: Path) -> None:
    """A file in the way is named."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"file/gateway can't be made: Not a directory"):
        create(tmp_path / "file" / "gateway")
