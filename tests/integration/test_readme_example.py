"""The README's example does what the README says, against a gateway over mutual TLS."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from rogatory import clock
from rogatory.agreements import compile_agreement
from rogatory.errors import Refused
from rogatory.exchange.v1 import directory_service_pb2
from rogatory.keyfiles import write_key_file, write_private_file
from rogatory.keys import PrivateKey
from rogatory.notes import NoteSigner
from rogatory.policy import Policy
from rogatory.receipts import Receipt
from rogatory_gateway.server import Gateway
from tests.integration.readme_example import send_hosts
from tests.support.world import ORIGIN, Agency, World, signer

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


async def test_example_leaves_a_receipt_that_verifies(tmp_path: Path) -> None:
    """A permitted file of hosts leaves a receipt that an auditor verifies without the gateway."""
    world, agreement = _world(tmp_path / "gateway", article="Art. 4(1)")
    home = _home(tmp_path / "home", world.agencies["fr.police"])

    async with Gateway(world.settings) as gateway:
        await asyncio.to_thread(send_hosts, home, f"localhost:{gateway.port}", ORIGIN)
        registry = gateway.context.registry()
    receipt = Receipt.parse((home / "hosts.tlog-proof").read_bytes())
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


async def test_example_raises_what_the_readme_says(tmp_path: Path) -> None:
    """Under an agreement without the article it cites, the example ends in `Refused`."""
    world, _ = _world(tmp_path / "gateway", article="Art. 5")
    home = _home(tmp_path / "home", world.agencies["fr.police"])

    async with Gateway(world.settings) as gateway:
        with pytest.raises(Refused) as refused:
            await asyncio.to_thread(send_hosts, home, f"localhost:{gateway.port}", ORIGIN)

    assert "NO_SUCH_ARTICLE" == refused.value.reason
    assert refused.value.receipt is not None


def _world(folder: Path, *, article: str) -> tuple[World, bytes]:
    folder.mkdir()
    world = World(folder)
    world.enrol("fr.police")
    world.enrol("de.bka")
    return world, world.agree(AGREEMENT.format(article=article))


def _home(folder: Path, agency: Agency) -> Path:
    """Lay out an agency's folder as the command line does."""
    (folder / "keys").mkdir(parents=True)
    (folder / "tls").mkdir()
    seed = hashlib.sha256(f"{agency.agency_id} signing".encode()).digest()
    write_key_file(folder / "keys/signing.pem", PrivateKey.from_seed(seed))
    write_private_file(folder / "keys/tls.pem", agency.tls_key)
    (folder / "tls/client.pem").write_bytes(agency.tls_certificate)
    (folder / "tls/ca.pem").write_bytes(agency.ca)
    (folder / "hosts.json").write_text(HOSTS)
    return folder


def _directory_entry(
    history: list[tuple[bytes, int]],
) -> directory_service_pb2.DirectoryEntry:
    entry = directory_service_pb2.DirectoryEntry()
    for statement, entry_time in history:
        entry.statements.add().MergeFromString(statement)
        entry.entry_times.append(clock.to_timestamp(entry_time))
    entry.agency.agency_id = "fr.police"
    return entry
