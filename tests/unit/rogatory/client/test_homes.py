"""A client is made from an agency's folder: gateway, certificate and keys are those in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.client import AsyncClient, Client, Draft, recipient
from rogatory.envelopes import open_envelope
from rogatory.errors import ConfigurationError, KeyFileError
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import ENVIRONMENT, AgencySettings, Home
from rogatory.keyfiles import write_key_file
from tests.unit.rogatory.cli.conftest import Enrolled, enrolled
from tests.unit.rogatory.client.loopback import Loopback
from tests.unit.rogatory.client.world import indicators, private_key

__all__ = ["enrolled"]

DRAFT = Draft(
    kind=codes_pb2.KIND_TRANSFER,
    purpose=codes_pb2.PURPOSE_INVESTIGATION,
    recipients=[recipient("de.police", "x", "Art. 2")],
)


def test_folder_is_all_that_sending_needs(
    enrolled: Enrolled, gateway: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named as a path, as text, or by the environment, the folder says who sends and to where."""
    home = enrolled("fr.police")
    monkeypatch.setenv(ENVIRONMENT, str(home.path))

    for path in (home.path, str(home.path), None):
        with Client.from_home(path) as client:
            client.send(DRAFT, contents=[indicators("a.example")])
            client.checkpoint()

    assert ["fr.police"] * 3 == [open_envelope(data).header.sender for data in gateway.received]


async def test_asyncio_client_is_made_the_same_way(enrolled: Enrolled, gateway: Loopback) -> None:
    """Both clients read the same folder."""
    async with AsyncClient.from_home(enrolled("fr.police").path) as client:
        await client.send(DRAFT, contents=[indicators("a.example")])

    assert 1 == len(gateway.received)


def test_officers_sign_beside_the_agency(enrolled: Enrolled) -> None:
    """An officer named by pseudonym signs every message, in the role of an officer."""
    home = enrolled("fr.police")
    write_key_file(home.key("officer-a.meyer"), private_key("a.meyer"))

    with Client.from_home(home.path, officers=["a.meyer"]) as client:
        header = open_envelope(client.build(DRAFT, contents=[indicators("a.example")])).header

    assert [codes_pb2.KEY_ROLE_SIGNING, codes_pb2.KEY_ROLE_OFFICER] == [
        signed.role for signed in header.signed_by
    ]


def test_signers_of_the_caller_leave_the_key_alone(enrolled: Enrolled) -> None:
    """Whoever signs elsewhere, or only reads, needs no signing key in the folder."""
    home = enrolled("de.police")
    home.key("signing").unlink()

    with Client.from_home(home.path, signers=()) as client:
        agencies = [entry.agency.agency_id for entry in client.agencies()]

    assert "fr.police" in agencies


def test_passphrase_is_asked_for_by_file(enrolled: Enrolled) -> None:
    """Each key file may have its own; one that does not open is named."""
    home = enrolled("fr.police")
    home.key("signing").unlink()
    write_key_file(home.key("signing"), private_key("fr.police signing"), passphrase=b"open")
    asked: list[Path] = []

    def passphrase(path: Path) -> bytes | None:
        asked.append(path)
        return b"open" if path == home.key("signing") else None

    Client.from_home(home.path, passphrase=passphrase).close()
    with pytest.raises(KeyFileError, match="signing"):
        Client.from_home(home.path)

    assert {home.key("tls"), home.key("signing")} == set(asked)


def test_agency_that_is_not_enrolled_is_told_how(tmp_path: Path) -> None:
    """Without a gateway in the folder there is nothing to connect to."""
    home = Home(tmp_path)
    home.write_settings(AgencySettings(agency="fr.police"))

    with pytest.raises(ConfigurationError, match="not enrolled yet"):
        Client.from_home(tmp_path)
