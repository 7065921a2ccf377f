"""Agencies: what of a request the operator is shown, what is refused, and what is listed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory import keys
from rogatory.audit.v1 import entry_pb2
from rogatory.errors import ConfigurationError, KeyRejected
from rogatory.exchange.v1 import codes_pb2
from rogatory.statements import TLS_ALGORITHM
from rogatory_gateway import pki
from rogatory_gateway.config import load
from rogatory_gateway.ledger.items import OPERATOR, GovernanceItem
from rogatory_gateway.ledger.ledger import Ledger
from rogatory_gateway.ledger.registry import Registry
from rogatory_gateway.operator import agencies
from rogatory_gateway.operator.opening import open_ledger
from tests.support.requests import request_file
from tests.support.world import DAY, Agency, World

NL = "nl.police"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway that nobody is admitted to."""
    return World(tmp_path / "gateway")


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    """Its ledger."""
    with open_ledger(load(world.folder)) as ledger:
        yield ledger


@pytest.fixture
def nl() -> Agency:
    """An agency with an officer who may approve."""
    return Agency(agency_id=NL, officers={"jansen": [codes_pb2.OFFICER_RIGHT_APPROVE]})


def test_what_the_operator_compares_is_what_the_request_holds(tmp_path: Path, nl: Agency) -> None:
    """Root and phrase for the telephone; every key with its role, officer and end."""
    request = agencies.read(request_file(tmp_path, nl))

    shown = agencies.examine(request, Registry()).describe()

    root = nl.root.public_key
    assert (NL, "police", root.text, keys.phrase(root.fingerprint), 1, False) == tuple(
        shown[name]
        for name in ("agency_id", "kind", "root", "phrase", "statement", "entered_before")
    )
    assert [("signing", ""), ("tls", ""), ("officer", "jansen")] == [
        (key["role"], key["officer"]) for key in shown["keys"]
    ]


def test_a_key_that_tls_cannot_use_is_refused_before_anything_is_entered(
    tmp_path: Path, nl: Agency
) -> None:
    """The agency would be admitted, and could never connect."""
    key = ec.generate_private_key(ec.SECP521R1())
    request = agencies.read(request_file(tmp_path, nl, key=key))

    with pytest.raises(KeyRejected, match="not one that the gateway's TLS can use"):
        agencies.examine(request, Registry())


def test_the_answer_is_not_given_again_for_a_key_that_was_revoked(
    ledger: Ledger, tmp_path: Path, nl: Agency
) -> None:
    """An old request must not bring a lost key back."""
    key = pki.make_key()
    request = agencies.read(request_file(tmp_path, nl, key=key))
    agencies.admit(ledger, agencies.examine(request, ledger.registry))
    lost = keys.fingerprint(TLS_ALGORITHM, pki.public_bytes(key.public_key()))
    further = nl.next_statement(now=time.time_ns(), revoked=[lost])
    document = entry_pb2.Governance(key_statement=further)
    ledger.append([GovernanceItem(actor=OPERATOR, document=document)])

    with pytest.raises(KeyRejected, match=r"nl\.police has revoked the TLS key"):
        agencies.examine(request, ledger.registry)


def test_a_certificate_ends_with_the_key_that_is_enrolled(
    world: World, ledger: Ledger, tmp_path: Path, nl: Agency
) -> None:
    """It is for the agency's own key, by the authority that the gateway asks for."""
    key = pki.make_key()
    request = agencies.read(request_file(tmp_path, nl, key=key))
    candidate = agencies.examine(request, ledger.registry)

    pem = agencies.certify(
        candidate, world.settings, certificate=None, now=candidate.tls_until - DAY
    )

    path = tmp_path / "nl.pem"
    path.write_bytes(pem)
    (certificate,) = pki.read_certificates(path)
    assert pki.public_bytes(key.public_key()) == pki.spki_of(certificate)
    assert candidate.tls_until // 10**9 == int(certificate.not_valid_after_utc.timestamp())
    certificate.verify_directly_issued_by(world.authority.certificate)


def test_an_authority_that_cannot_be_read_is_named_by_its_setting(
    world: World, ledger: Ledger, tmp_path: Path, nl: Agency
) -> None:
    """Nothing is entered: the certificate comes first."""
    candidate = agencies.examine(agencies.read(request_file(tmp_path, nl)), ledger.registry)
    (world.folder / "tls/ca.pem").unlink()

    with pytest.raises(ConfigurationError, match=r"\[tls\] client_ca and client_ca_key: .*ca\.pem"):
        agencies.certify(candidate, world.settings, certificate=None, now=time.time_ns())

    assert 0 == ledger.head.size


def test_the_list_tells_what_of_an_agency_is_valid_now(
    ledger: Ledger, tmp_path: Path, nl: Agency
) -> None:
    """Keys that ended are not counted, and an agency without a connection key has no end of it."""
    candidate = agencies.examine(agencies.read(request_file(tmp_path, nl)), ledger.registry)
    agencies.admit(ledger, candidate)

    (now,) = agencies.listing(ledger.registry, now=time.time_ns())
    (later,) = agencies.listing(ledger.registry, now=candidate.tls_until)

    assert ("admitted", 1, 3) == (now["state"], now["statements"], now["valid_keys"])
    assert now["tls_until"] is not None
    assert (0, None) == (later["valid_keys"], later["tls_until"])
