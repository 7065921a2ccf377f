"""Listening: an address and files that will not do are told before gRPC is given them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from rogatory.errors import ConfigurationError, KeyFileError
from rogatory_gateway import pki
from rogatory_gateway.config import ListenSection
from rogatory_gateway.services.listening import check_free, credentials
from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway's folder with its TLS files."""
    return World(tmp_path / "gateway")


def other_key(path: Path) -> None:
    """Put another key in a key's place."""
    path.unlink()
    pki.write_key(path, pki.make_key())


def test_files_that_fit_are_taken(world: World) -> None:
    """Certificate, its key, and the authority of those who may come in."""
    credentials(world.settings.tls)


@pytest.mark.parametrize(
    ("file", "change", "text"),
    [
        ("gateway.pem", Path.unlink, r"\[tls\] certificate: .*gateway\.pem can't be read"),
        ("gateway.pem", lambda path: path.write_text("x"), r"\[tls\] certificate: .*holds no PEM"),
        ("ca.pem", lambda path: path.write_text("x"), r"\[tls\] client_ca: .*holds no PEM"),
        ("gateway-key.pem", Path.unlink, r"\[tls\] key: "),
        ("gateway-key.pem", lambda path: path.write_text("x"), r"\[tls\] key: .*is not a PEM"),
        ("gateway-key.pem", lambda path: path.chmod(0o644), r"\[tls\] key: .*open to others"),
        ("gateway-key.pem", other_key, r"\[tls\] key and certificate: .*is not the key of"),
    ],
)
def test_files_that_do_not_fit_are_named_by_their_setting(
    world: World, file: str, change: Callable[[Path], object], text: str
) -> None:
    """Of each of them gRPC itself would only say that it can't listen."""
    change(world.folder / "tls" / file)

    with pytest.raises((ConfigurationError, KeyFileError), match=text):
        credentials(world.settings.tls)


def test_a_port_that_is_taken_is_told_with_the_systems_words() -> None:
    """And one that is free is left free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}: Address already in use"):
            check_free(ListenSection(host="127.0.0.1", port=port))

    check_free(ListenSection(host="127.0.0.1", port=port))
    check_free(ListenSection(host="127.0.0.1", port=port))


@pytest.mark.parametrize("host", ["192.0.2.7", "no such host"])
def test_an_address_that_this_machine_does_not_have(host: str) -> None:
    """Named with the setting; nothing is listened on."""
    with pytest.raises(ConfigurationError, match=r"\[listen\] host and port: can't listen on"):
        check_free(ListenSection(host=host, port=0))
