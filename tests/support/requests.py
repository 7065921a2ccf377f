"""Files that agencies hand to an operator: enrolment requests and signed agreements."""

from __future__ import annotations

import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rogatory.agreements import read_agreement, render, sign_agreement, to_armour, with_signature
from rogatory.enrolment import make_csr, write_request
from rogatory.exchange.v1 import agreement_pb2
from rogatory_gateway import pki
from tests.support.world import Agency


def request_file(
    folder: Path, agency: Agency, *, key: ec.EllipticCurvePrivateKey | None = None
) -> Path:
    """Write an agency's enrolment request; return its path."""
    tls_key = key or pki.make_key()
    spki = tls_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    statement = agency.statement(spki=spki, now=time.time_ns())
    path = folder / f"{agency.agency_id}.request"
    path.write_bytes(write_request(csr=make_csr(agency.agency_id, tls_key), statement=statement))
    return path


def agreement_file(
    folder: Path, text: str, *parties: Agency, signed_by: tuple[Agency, ...] | None = None
) -> Path:
    """Write the file of an agreement, signed by all parties or by those named."""
    agreement = read_agreement(text, file="agreement.yaml")
    data = render(agreement, roots={party.agency_id: party.root.public_key for party in parties})
    signed = agreement_pb2.SignedAgreement(agreement=data)
    for party in parties if signed_by is None else signed_by:
        signed = with_signature(signed, sign_agreement(data, signer=party.root))
    path = folder / f"{agreement.agreement_id}-{agreement.version}.agreement"
    path.write_text(to_armour(signed), encoding="ascii")
    return path
