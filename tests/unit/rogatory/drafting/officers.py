"""An agency with officers, and drafts of its, for the tests of drafting."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rogatory import clock, drafting, statements
from rogatory.drafting import DraftEnvelope, KeyInRole
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, key_statement_pb2
from rogatory.keyring import KeyRing
from rogatory.signers import MemorySigner
from tests.unit.rogatory.client.world import NOW, YEAR, World, indicators, signer

AGENCY = "fr.police"
AUTHOR, APPROVER, BOTH, CLERK = "a.meyer", "b.lang", "d.weiss", "c.kraus"
DRAFT = codes_pb2.OFFICER_RIGHT_DRAFT
SIGN, APPROVE = codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE
RIGHTS = {AUTHOR: [SIGN], APPROVER: [APPROVE], BOTH: [SIGN, APPROVE], CLERK: [DRAFT]}
LATER = NOW + YEAR // 2


def key_of(officer: str, number: int = 1) -> MemorySigner:
    """Return an officer's key; the agency's own for an empty name."""
    return signer(f"{AGENCY} officer {officer} {number}" if officer else f"{AGENCY} signing")


def enrolled(
    officer: str, number: int = 1, *, until: int = NOW + YEAR
) -> key_statement_pb2.EnrolledKey:
    """Return an officer's key as a statement enrols it."""
    return statements.enrol(
        algorithm="Ed25519",
        public_key=key_of(officer, number).public_key.raw,
        role=codes_pb2.KEY_ROLE_OFFICER,
        officer=officer,
        rights=RIGHTS[officer],
        valid_from=NOW,
        valid_until=until,
    )


def ring_with(
    *keys: key_statement_pb2.EnrolledKey, revoked: Sequence[MemorySigner] = (), at: int = NOW
) -> KeyRing:
    """Return the officers' keys, with what a further statement adds and revokes."""
    ring = World().ring
    officers = [enrolled(officer) for officer in RIGHTS]
    for time, added, ended in ((NOW, officers, ()), (at, keys, revoked)):
        sequence, digest = ring.next_statement(AGENCY)
        statement = statements.build(
            agency=ring.agency(AGENCY) or key_statement_pb2.Agency(),
            root=signer(f"{AGENCY} root").public_key,
            create_time=time,
            keys=added,
            revocations=[
                key_statement_pb2.Revocation(
                    key=key.public_key.fingerprint,
                    revoke_time=clock.to_timestamp(time),
                    reason=key_statement_pb2.REVOCATION_REASON_AFFILIATION_CHANGED,
                )
                for key in ended
            ],
            sequence=sequence,
            previous_digest=digest,
        )
        ring.add(statements.sign(statement, signer(f"{AGENCY} root")), entry_time=time)
    return ring


def named(*officers: str) -> list[KeyInRole]:
    """Return the keys that a header names; an empty name is the agency's own."""
    return [
        (
            key_of(officer).public_key,
            codes_pb2.KEY_ROLE_OFFICER if officer else codes_pb2.KEY_ROLE_SIGNING,
        )
        for officer in officers
    ]


def a_draft(*officers: str, number: int = 1) -> DraftEnvelope:
    """Return a draft that names these officers, by default an author and an approver."""
    header = envelope_pb2.Header.FromString(
        envelope_pb2.Envelope.FromString(World().envelope(number=number)).header
    )
    return drafting.make(
        header=header,
        contents=[indicators("c2.example")],
        signed_by=named(*(officers or (AUTHOR, APPROVER))),
        salts=lambda size: hashlib.sha256(b"salt").digest()[:size],
    )


def signed(draft: DraftEnvelope, *officers: str) -> DraftEnvelope:
    """Return a draft with these officers' signatures."""
    for officer in officers:
        draft = drafting.sign(draft, key_of(officer), ring=ring_with(), now=LATER, officer=officer)
    return draft
