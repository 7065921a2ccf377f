"""Agencies' folders, enrolled at a gateway on loopback, and a way to run commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rogatory.cli import main
from rogatory.cli.trust import write_policy
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.policy import Policy
from tests.unit.rogatory.client.conftest import certificates, gateway, target, world
from tests.unit.rogatory.client.loopback import Certificates
from tests.unit.rogatory.client.world import ORIGIN, World, private_key, signer

__all__ = ["certificates", "gateway", "target", "world"]


@dataclass
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]
Enrolled = Callable[[str], Home]

INDICATOR = {
    "type": "INDICATOR_TYPE_DOMAIN",
    "value": "c2.example",
    "status": "INDICATOR_STATUS_REPORTED",
}
PERSON = {
    "category": "DATA_SUBJECT_CATEGORY_SUSPECT",
    "names": [{"kind": "PERSON_NAME_KIND_FULL", "texts": [{"text": "Jan Novák"}]}],
}


def send_to_de(home: Home, *more: object) -> list[object]:
    """Return the command line that sends to de.police under the agreement of the tests."""
    return ["send", *more, "--to", "de.police:x:Art. 2", "--home", home.path]


@pytest.fixture
def records(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of records."""

    def write(name: str = "records.json", **members: object) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(members, ensure_ascii=False), "utf-8")
        return path

    return write


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def run_command(*arguments: object) -> Result:
        code: Any = 0
        try:
            main([str(item) for item in arguments])
        except SystemExit as stopped:
            code = stopped.code
        captured = capsys.readouterr()
        return Result(int(code or 0), captured.out, captured.err)

    return run_command


@pytest.fixture
def enrolled(
    tmp_path: Path,
    target: str,
    certificates: Certificates,
    world: World,
) -> Callable[[str], Home]:
    """Make the folder of an agency that the gateway on loopback knows."""

    def make(agency: str) -> Home:
        home = Home(tmp_path / agency)
        home.create()
        for name in ("root", "signing"):
            write_key_file(home.key(name), private_key(f"{agency} {name}"))
        write_private_file(home.key("tls"), certificates.tls.key)
        home.client_certificate.write_bytes(certificates.tls.certificate)
        home.ca_certificate.write_bytes(certificates.tls.ca)
        home.write_settings(
            AgencySettings(
                agency=agency, gateway=target, origin=ORIGIN, log=world.log_signer.key.text
            )
        )
        policy = Policy(
            log_keys=[world.log_signer.key],
            roots={agency: signer(f"{agency} root").public_key},
        )
        write_policy(policy, [], home.path)
        return home

    return make
