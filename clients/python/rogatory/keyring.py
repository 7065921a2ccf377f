"""The key ring: which keys belong to whom, in which role, valid when.

Built from key statements alone, in the order in which they were entered in the log, so that the
gateway, a partner and an auditor who hold the same statements hold the same ring.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rogatory import clock, keys, statements
from rogatory.errors import SignatureInvalid
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERIFYING_ROLES = frozenset(
    {codes_pb2.KEY_ROLE_SIGNING, codes_pb2.KEY_ROLE_OFFICER, codes_pb2.KEY_ROLE_WITNESS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A working key as its agency's statements describe it.

    Attributes:
        agency: Agency id.
        fingerprint: 32 bytes.
        public_key: The key itself for signature algorithms; None for TLS and sealing keys.
        raw: The public key as enrolled, with ``algorithm``.
        role: A ``KeyRole`` number.
        valid_from, valid_until: Entry times in nanoseconds, from the first up to the second.
        revoked_from: Entry time from which it is revoked; None while it is not.
        officer: Pseudonym, for officer keys.
        rights: ``OfficerRight`` numbers.
    """

    agency: str
    fingerprint: bytes
    algorithm: str
    raw: bytes
    public_key: keys.PublicKey | None
    role: int
    valid_from: int
    valid_until: int
    revoked_from: int | None
    officer: str
    rights: tuple[int, ...]

    def fault_at(self, entry_time: int) -> str:
        """Return the ErrorReason name that speaks against the key then; empty when it is valid."""
        if self.revoked_from is not None and entry_time >= self.revoked_from:
            return "KEY_REVOKED"
        if entry_time < self.valid_from:
            return "KEY_NOT_YET_VALID"
        if entry_time >= self.valid_until:
            return "KEY_EXPIRED"
        return ""


@dataclass(frozen=True, slots=True)
class _AgencyState:
    agency: key_statement_pb2.Agency
    root: keys.PublicKey
    sequence: int
    digest: bytes


class KeyRing:
    """The keys of all agencies.

    Not safe for concurrent change: the gateway changes a copy and puts that in its place.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, KnownKey] = {}
        self._agencies: dict[str, _AgencyState] = {}

    def copy(self) -> KeyRing:
        """Return a ring of the same keys that changes by itself."""
        made = KeyRing()
        made._keys = self._keys.copy()
        made._agencies = self._agencies.copy()
        return made

    def add(self, signed: key_statement_pb2.SignedKeyStatement, *, entry_time: int) -> str:
        """Take a statement that was entered in the log at ``entry_time``; return its agency id.

        A key counts from its statement's entry at the earliest, and a revocation never reaches
        behind its statement: otherwise a statement could change what was already decided.

        Raises:
            SignatureInvalid, KeyRejected, EnvelopeError: as `check`. Nothing changed.
        """
        statement, root, added = self.check(signed, entry_time=entry_time)
        agency_id = statement.agency.agency_id
        for key in added:
            self._keys[key.fingerprint] = key
        for revocation in statement.revocations:
            known = self._keys[revocation.key]
            at = max(clock.to_nanoseconds(revocation.revoke_time), entry_time)
            if known.revoked_from is None or at < known.revoked_from:
                self._keys[revocation.key] = replace(known, revoked_from=at)
        self._agencies[agency_id] = _AgencyState(
            agency=statement.agency,
            root=root,
            sequence=statement.sequence,
            digest=hashlib.sha256(signed.statement).digest(),
        )
        return agency_id

    def check(
        self, signed: key_statement_pb2.SignedKeyStatement, *, entry_time: int
    ) -> tuple[key_statement_pb2.KeyStatement, keys.PublicKey, list[KnownKey]]:
        """Check a statement as `add` would; return it with its root and the keys it adds.

        Raises:
            EnvelopeError: malformed, or a field breaks the schema's rules.
            SignatureInvalid: not signed by the agency's root, not the next in sequence, or with a
                key that another agency or role already has.
            KeyRejected: the root or a key is not one that may be enrolled.
        """
        statement = statements.verify(signed)
        agency_id = statement.agency.agency_id
        state = self._agencies.get(agency_id)
        root = keys.PublicKey(statement.root.algorithm, statement.root.public_key)
        root.check_enrolment()
        statements.check_follows(
            statement,
            root=None if state is None else state.root,
            sequence=0 if state is None else state.sequence,
            digest=b"" if state is None else state.digest,
        )
        added = [self._known(agency_id, key, entry_time) for key in statement.keys]
        taken = {root.fingerprint}
        for key in added:
            if key.fingerprint in self._keys or key.fingerprint in taken:
                raise SignatureInvalid(
                    f"key {key.fingerprint.hex()} is enrolled already",
                    hint="Make a fresh key for each role and state it once.",
                )
            taken.add(key.fingerprint)
        for revocation in statement.revocations:
            known = self._keys.get(revocation.key)
            if known is None or known.agency != agency_id:
                raise SignatureInvalid(
                    f"the statement revokes {revocation.key.hex()}, which is not a key of "
                    f"{agency_id}",
                    hint="Revoke only the agency's own keys, by the fingerprint they have.",
                )
        return statement, root, added

    def get(self, fingerprint: bytes) -> KnownKey | None:
        """Return the key with this fingerprint, valid or not."""
        return self._keys.get(fingerprint)

    def keys_of(self, agency_id: str, role: int = 0) -> list[KnownKey]:
        """Return an agency's keys, of one role or of all."""
        return [
            key for key in self._keys.values() if key.agency == agency_id and role in (0, key.role)
        ]

    def agency(self, agency_id: str) -> key_statement_pb2.Agency | None:
        """Return an agency as its latest statement presents it."""
        state = self._agencies.get(agency_id)
        return None if state is None else state.agency

    def root(self, agency_id: str) -> keys.PublicKey | None:
        """Return the root key an agency was enrolled with."""
        state = self._agencies.get(agency_id)
        return None if state is None else state.root

    def next_statement(self, agency_id: str) -> tuple[int, bytes]:
        """Return sequence number and previous digest of the agency's next statement."""
        state = self._agencies.get(agency_id)
        return (1, b"") if state is None else (state.sequence + 1, state.digest)

    def agencies(self) -> Iterable[str]:
        """Return the ids of all agencies, in order of enrolment."""
        return self._agencies.keys()

    @staticmethod
    def _known(agency_id: str, key: key_statement_pb2.EnrolledKey, entry_time: int) -> KnownKey:
        public = key.public_key
        public_key = None
        if key.role in _VERIFYING_ROLES:
            public_key = keys.PublicKey(public.algorithm, public.public_key)
            public_key.check_enrolment()
        return KnownKey(
            agency=agency_id,
            fingerprint=keys.fingerprint(public.algorithm, public.public_key),
            algorithm=public.algorithm,
            raw=public.public_key,
            public_key=public_key,
            role=key.role,
            valid_from=max(clock.to_nanoseconds(key.valid_from_time), entry_time),
            valid_until=clock.to_nanoseconds(key.valid_until_time),
            revoked_from=None,
            officer=key.officer,
            rights=tuple(key.rights),
        )
