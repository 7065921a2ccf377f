"""A world for tests and benchmarks: a gateway's folder, agencies with keys, signed agreements.

Everything is made with the product's own code and real keys; nothing is mocked. Deterministic keys
come from names, so that failures repeat.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives import serialization
from google.protobuf.message import Message

from rogatory import clock, envelopes, statements
from rogatory.agreements import read_agreement, render, sign_agreement, with_signature
from rogatory.audit.v1 import entry_pb2
from rogatory.exchange.v1 import (
    agreement_pb2,
    codes_pb2,
    envelope_pb2,
    key_statement_pb2,
)
from rogatory.keyfiles import write_key_file
from rogatory.keys import PrivateKey
from rogatory.notes import NoteSigner
from rogatory.records.v1 import common_pb2
from rogatory.signers import MemorySigner
from rogatory_gateway import pki
from rogatory_gateway.config import Settings, load
from rogatory_gateway.ledger.database import create, open_engine
from rogatory_gateway.ledger.items import OPERATOR, GovernanceItem
from rogatory_gateway.ledger.ledger import Ledger

ORIGIN = "gateway.example/exchange"
HOUR = 3600 * clock.NANOSECONDS_PER_SECOND
DAY = clock.NANOSECONDS_PER_DAY

CONFIG = """\
[gateway]
origin = "{origin}"
data = "data"

[listen]
port = 0

[tls]
client_ca_key = "tls/ca-key.pem"
"""


def private_key(name: str) -> PrivateKey:
    """Return the private key that belongs to a name."""
    return PrivateKey.from_seed(hashlib.sha256(name.encode()).digest())


def signer(name: str) -> MemorySigner:
    """Return the signer with the key that belongs to a name."""
    return MemorySigner(private_key(name))


@dataclass(kw_only=True)
class Agency:
    """An agency with all its keys."""

    agency_id: str
    kind: codes_pb2.AgencyKind.ValueType = codes_pb2.AGENCY_KIND_POLICE
    officers: Mapping[str, Sequence[codes_pb2.OfficerRight.ValueType]] = field(default_factory=dict)
    tls_key: bytes = b""
    tls_certificate: bytes = b""
    ca: bytes = b""

    def __post_init__(self) -> None:
        self.root = signer(f"{self.agency_id} root")
        self.signing = signer(f"{self.agency_id} signing")
        self.officer_signers = {
            name: signer(f"{self.agency_id} officer {name}") for name in self.officers
        }

    @property
    def agency(self) -> key_statement_pb2.Agency:
        """The agency as it presents itself."""
        return key_statement_pb2.Agency(
            agency_id=self.agency_id,
            names=[key_statement_pb2.AgencyName(language="en", name=self.agency_id)],
            kind=self.kind,
            duty_contact=f"{self.agency_id} duty desk",
            time_zone="UTC",
        )

    def statement(
        self, *, spki: bytes, now: int, keys: Sequence[key_statement_pb2.EnrolledKey] = ()
    ) -> key_statement_pb2.SignedKeyStatement:
        """Return the first key statement: signing, TLS and officer keys, valid a year.

        Args:
            spki: The TLS key.
            now: Nanoseconds since the Unix epoch.
            keys: Further keys.
        """
        further = keys
        window: dict[str, Any] = {"valid_from": now - HOUR, "valid_until": now + 365 * DAY}
        keys = [
            statements.enrol(
                algorithm=self.signing.public_key.algorithm,
                public_key=self.signing.public_key.raw,
                role=codes_pb2.KEY_ROLE_SIGNING,
                **window,
            ),
            statements.enrol(
                algorithm=statements.TLS_ALGORITHM,
                public_key=spki,
                role=codes_pb2.KEY_ROLE_TLS,
                **window,
            ),
        ]
        keys += [
            statements.enrol(
                algorithm=key.public_key.algorithm,
                public_key=key.public_key.raw,
                role=codes_pb2.KEY_ROLE_OFFICER,
                officer=name,
                rights=self.officers[name],
                **window,
            )
            for name, key in self.officer_signers.items()
        ]
        statement = statements.build(
            agency=self.agency,
            root=self.root.public_key,
            create_time=now,
            keys=[*keys, *further],
        )
        self.latest = statements.sign(statement, self.root)
        return self.latest

    def next_statement(
        self,
        *,
        now: int,
        keys: Sequence[key_statement_pb2.EnrolledKey] = (),
        revoked: Sequence[bytes] = (),
    ) -> key_statement_pb2.SignedKeyStatement:
        """Return the statement after the latest: it adds keys and revokes others at once."""
        latest = key_statement_pb2.KeyStatement.FromString(self.latest.statement)
        statement = statements.build(
            agency=self.agency,
            root=self.root.public_key,
            create_time=now,
            keys=keys,
            revocations=[
                key_statement_pb2.Revocation(
                    key=key,
                    revoke_time=clock.to_timestamp(now),
                    reason=key_statement_pb2.REVOCATION_REASON_KEY_COMPROMISE,
                )
                for key in revoked
            ],
            sequence=latest.sequence + 1,
            previous_digest=statements.digest(self.latest),
        )
        self.latest = statements.sign(statement, self.root)
        return self.latest

    @property
    def credentials(self) -> grpc.ChannelCredentials:
        """The agency's mTLS credentials."""
        return grpc.ssl_channel_credentials(self.ca, self.tls_key, self.tls_certificate)


class World:
    """A gateway's folder with its agencies and agreements, before it is served."""

    def __init__(self, folder: Path, *, extra_config: str = "") -> None:
        self.folder = folder
        self._together: list[entry_pb2.Governance] | None = None
        self.agencies: dict[str, Agency] = {}
        self.now = time.time_ns()
        moment = datetime.now(UTC)
        (folder / "data").mkdir(parents=True)
        (folder / "tls").mkdir()
        (folder / "gateway.toml").write_text(CONFIG.format(origin=ORIGIN) + extra_config)
        self.authority = pki.make_authority(origin=ORIGIN, now=moment)
        pki.write_key(folder / "tls/ca-key.pem", self.authority.key)
        (folder / "tls/ca.pem").write_bytes(self.authority.pem)
        key = pki.make_key()
        pki.write_key(folder / "tls/gateway-key.pem", key)
        certificate = self.authority.issue_server(
            public_key=key.public_key(), names=["localhost", "127.0.0.1"], now=moment
        )
        (folder / "tls/gateway.pem").write_bytes(pki.to_pem(certificate))
        write_key_file(folder / "log-key.pem", private_key("log"))
        verifier_key = NoteSigner(name=ORIGIN, signer=signer("log")).key
        (folder / "log.vkey").write_text(f"{verifier_key.text}\n")
        create(folder / "data", log=verifier_key)

    @property
    def settings(self) -> Settings:
        """The gateway's settings."""
        return load(self.folder)

    def client_identity(self, name: str) -> tuple[bytes, bytes, bytes]:
        """Return TLS key, certificate and SubjectPublicKeyInfo of a fresh client."""
        key = pki.make_key()
        spki = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        certificate = self.authority.issue_client(
            agency_id=name,
            spki=spki,
            until=datetime.now(UTC) + timedelta(days=30),
            now=datetime.now(UTC),
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return pem, pki.to_pem(certificate), spki

    def enrol(
        self,
        agency_id: str,
        *,
        kind: codes_pb2.AgencyKind.ValueType = codes_pb2.AGENCY_KIND_POLICE,
        officers: Mapping[str, Sequence[codes_pb2.OfficerRight.ValueType]] | None = None,
        keys: Sequence[key_statement_pb2.EnrolledKey] = (),
    ) -> Agency:
        """Make an agency with keys and enter its statement in the log."""
        agency = Agency(agency_id=agency_id, kind=kind, officers=officers or {})
        agency.tls_key, agency.tls_certificate, spki = self.client_identity(agency_id)
        agency.ca = self.authority.pem
        self.agencies[agency_id] = agency
        self.govern(
            entry_pb2.Governance(key_statement=agency.statement(spki=spki, now=self.now, keys=keys))
        )
        return agency

    def agree(self, text: str) -> bytes:
        """Render an agreement's text with the parties' roots, sign it by all, enter it."""
        agreement = read_agreement(text, file="agreement.yaml")
        parties = [self.agencies[party.agency] for party in agreement.parties]
        data = render(
            agreement, roots={party.agency_id: party.root.public_key for party in parties}
        )
        signed = agreement_pb2.SignedAgreement(agreement=data)
        for party in parties:
            signed = with_signature(signed, sign_agreement(data, signer=party.root))
        self.govern(entry_pb2.Governance(agreement=signed))
        return data

    def revoke(self, agency_id: str) -> None:
        """Let an agency in no longer."""
        self.govern(
            entry_pb2.Governance(
                agency_revocation=entry_pb2.AgencyRevocation(agency_id=agency_id, reason="test")
            )
        )

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Enter in one transaction what is governed inside: the ledger is opened once."""
        self._together = []
        yield
        documents, self._together = self._together, None
        self.govern(*documents)

    def govern(self, *documents: entry_pb2.Governance) -> None:
        """Enter documents in the log, as the operator's command line does."""
        if self._together is not None:
            self._together += documents
            return
        engine = open_engine(self.folder / "data")
        ledger = Ledger(engine, now=time.time_ns)
        items = [GovernanceItem(actor=OPERATOR, document=document) for document in documents]
        ledger.append(items)
        ledger.close()
        engine.dispose()
        for item in items:
            if item.error is not None:
                raise item.error


def header(
    sender: str,
    *recipients: tuple[str, str, str],
    kind: codes_pb2.Kind.ValueType = codes_pb2.KIND_TRANSFER,
    purpose: codes_pb2.Purpose.ValueType = codes_pb2.PURPOSE_INVESTIGATION,
    offences: Sequence[str] = ("0701",),
    now: int | None = None,
) -> envelope_pb2.Header:
    """Return a header for recipients given as (agency, agreement id, article)."""
    now = time.time_ns() if now is None else now
    return envelope_pb2.Header(
        schema_version=1,
        message_id=envelopes.new_message_id(now // 1_000_000, os.urandom(10)),
        sender=sender,
        recipients=[
            envelope_pb2.Recipient(agency=agency, agreement_id=agreement_id, article=article)
            for agency, agreement_id, article in recipients
        ],
        audience=ORIGIN,
        create_time=clock.to_timestamp(now),
        expire_time=clock.to_timestamp(now + HOUR),
        kind=kind,
        purpose=purpose,
        offences=offences,
        urgency=codes_pb2.URGENCY_ROUTINE,
        handling=envelope_pb2.Handling(
            tlp=common_pb2.TLP_AMBER,
            onward_transfer=codes_pb2.ONWARD_TRANSFER_NEVER,
            evidential_use=codes_pb2.EVIDENTIAL_USE_NOT_ALLOWED,
        ),
    )


def envelope(
    agency: Agency, head: envelope_pb2.Header, *contents: Message, officers: Sequence[str] = ()
) -> bytes:
    """Sign a message with the agency's signing key, and officers' keys beside it."""
    signers = [(agency.signing, codes_pb2.KEY_ROLE_SIGNING)]
    signers += [(agency.officer_signers[name], codes_pb2.KEY_ROLE_OFFICER) for name in officers]
    return envelopes.build(header=head, contents=contents, signers=signers)
