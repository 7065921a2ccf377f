"""The README's example does what the README says, against a gateway over mutual TLS."""

from __future__ import annotations

import asyncio
import hashlib
import runpy
from pathlib import Path

import pytest

from rogatory import clock
from rogatory.agreements import compile_agreement
from rogatory.errors import Refused
from rogatory.exchange.v1 import directory_service_pb2
from rogatory.home import AgencySettings, Home
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.keys import PrivateKey
from rogatory.notes import NoteSigner
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from rogatory_gateway.server import Gateway
from tests.support.world import ORIGIN, Agency, World, signer

EXAMPLE = Path(__file__).with_name("readme_example.py")
AGREEMENT = """\
agreement_id: fr-de-cyber-2026
version: 1
title: Agreement of the README's example
parties: [{{agency: fr.police}}, {{agency: de.bka}}]
valid_from_time: 2026-01-01
unpermitted_parts: refuse_message
clauses:
  - clause_id: indicators
    article: {article}
    effect: permit
    scope: {{kinds: [transfer], categories: [indicator]}}
"""
HOSTS = """\
{"indicators": [{"type": "INDICATOR_TYPE_DOMAIN", "value": "c2.example",
                 "status": "INDICATOR_STATUS_REPORTED"}]}
"""


async def test_example_leaves_a_receipt_that_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permitted file of hosts leaves a receipt that an auditor verifies without the gateway."""
    world, agreement = _world(tmp_path / "gateway", article="Art. 4(1)")
    folder = _folder(tmp_path, world.agencies["fr.police"], monkeypatch)

    async with Gateway(world.settings) as gateway:
        await run_example(folder, gateway)
        registry = gateway.context.registry()
    receipt = Receipt.parse((folder / "hosts.tlog-proof").read_bytes())
    compiled = compile_agreement(agreement)
    verified = receipt.verify(
        Policy(
            log_keys=[NoteSigner(name=ORIGIN, signer=signer("log")).key],
            roots={"fr.police": world.agencies["fr.police"].root.public_key},
            directory=[_directory_entry(registry.statements["fr.police"])],
            agreements={compiled.digest: compiled},
        )
    )

    assert [("de.bka", "Art. 4(1)", True)] == [
        (item.agency, item.article, item.rechecked) for item in verified.recipients
    ]


async def test_example_raises_what_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an agreement without the article it cites, the example ends in `Refused`."""
    world, _ = _world(tmp_path / "gateway", article="Art. 5")
    folder = _folder(tmp_path, world.agencies["fr.police"], monkeypatch)

    async with Gateway(world.settings) as gateway:
        with pytest.raises(Refused) as refused:
            await run_example(folder, gateway)

    assert "NO_SUCH_ARTICLE" == refused.value.reason
    assert refused.value.receipt is not None


def _world(folder: Path, *, article: str) -> tuple[World, bytes]:
    folder.mkdir()
    world = World(folder)
    world.enrol("fr.police")
    world.enrol("de.bka")
    return world, world.agree(AGREEMENT.format(article=article))


def _folder(folder: Path, agency: Agency, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out what the example finds where it is run: the agency's folder, and the hosts."""
    home = Home(folder / "fr")
    home.create()
    seed = hashlib.sha256(f"{agency.agency_id} signing".encode()).digest()
    write_key_file(home.key("signing"), PrivateKey.from_seed(seed))
    write_private_file(home.key("tls"), agency.tls_key)
    home.client_certificate.write_bytes(agency.tls_certificate)
    home.ca_certificate.write_bytes(agency.ca)
    (folder / "hosts.json").write_text(HOSTS)
    monkeypatch.chdir(folder)
    return folder


async def run_example(folder: Path, gateway: Gateway) -> None:
    """Run the example as a program, once the folder says where the gateway is."""
    log = NoteSigner(name=ORIGIN, signer=signer("log")).key
    Home(folder / "fr").write_settings(
        AgencySettings(
            agency="fr.police", gateway=f"localhost:{gateway.port}", origin=ORIGIN, log=log.text
        )
    )
    await asyncio.to_thread(runpy.run_path, str(EXAMPLE))


def _directory_entry(
    history: list[tuple[bytes, int]],
) -> directory_service_pb2.DirectoryEntry:
    entry = directory_service_pb2.DirectoryEntry()
    for statement, entry_time in history:
        entry.statements.add().MergeFromString(statement)
        entry.entry_times.append(clock.to_timestamp(entry_time))
    entry.agency.agency_id = "fr.police"
    return entry
