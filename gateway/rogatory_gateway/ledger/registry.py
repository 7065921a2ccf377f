"""The registry: who is enrolled and which agreements hold, as it follows from the log.

Nothing here is stored: it is rebuilt from the governance entries, in their order, by every process
that opens the ledger, and checked with the same code that an auditor runs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rogatory.agreements import (
    CompiledAgreement,
    open_agreement,
    open_suspension,
    parse_suspension,
    roots_of,
)
from rogatory.agreements.base import base_agreement
from rogatory.audit.v1 import entry_pb2
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2, agreement_service_pb2, codes_pb2
from rogatory.keyring import KeyRing, KnownKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementVersion:
    """A version of an agreement in the log."""

    compiled: CompiledAgreement
    signed: agreement_pb2.SignedAgreement
    entry_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A party's latest declaration on an agreement."""

    sequence: int
    suspended: bool
    signed: agreement_pb2.SignedAgreementSuspension


class Registry:
    """Keys, agencies and agreements at one length of the log.

    Whoever enters a group changes a copy, which takes this one's place once it is durable: nothing
    is judged by a statement that a failed commit takes back.
    """

    def __init__(self) -> None:
        self.ring = KeyRing()
        self.statements: dict[str, list[tuple[bytes, int]]] = {}
        self.revoked: dict[str, int] = {}
        self._agreements: dict[str, list[AgreementVersion]] = {}
        self._suspensions: dict[str, dict[str, Suspension]] = {}
        self._by_digest: dict[bytes, CompiledAgreement] = {}
        self._tls: dict[bytes, KnownKey] = {}
        self._remembered: dict[bytes, bool] = {}
        self.base = base_agreement()
        self._by_digest[self.base.digest] = self.base

    @classmethod
    def replay(cls, documents: Iterable[tuple[bytes, int]]) -> Registry:
        """Rebuild from serialised ``Governance`` documents and their entry times, in order."""
        registry = cls()
        for document, entry_time in documents:
            registry.add(entry_pb2.Governance.FromString(document), entry_time=entry_time)
        return registry

    def copy(self) -> Registry:
        """Return a registry of the same content that changes by itself."""
        made = Registry()
        made.ring = self.ring.copy()
        made.statements = {agency: list(them) for agency, them in self.statements.items()}
        made.revoked = self.revoked.copy()
        made._agreements = {name: list(them) for name, them in self._agreements.items()}
        made._suspensions = {name: them.copy() for name, them in self._suspensions.items()}
        made._by_digest = self._by_digest.copy()
        made._tls = self._tls.copy()
        return made

    def add(self, document: entry_pb2.Governance, *, entry_time: int) -> str:
        """Check a document and take it into force; return the tag of its log entry.

        Raises:
            RogatoryError: it is not signed as it must be, or does not follow on. Nothing changed.
        """
        self._remembered.clear()
        which = document.WhichOneof("document")
        if which == "key_statement":
            agency_id = self.ring.add(document.key_statement, entry_time=entry_time)
            self.statements.setdefault(agency_id, []).append(
                (document.key_statement.SerializeToString(deterministic=True), entry_time)
            )
            self.revoked.pop(agency_id, None)
            self._tls.update(
                (hashlib.sha256(key.raw).digest(), key)
                for key in self.ring.keys_of(agency_id, codes_pb2.KEY_ROLE_TLS)
            )
            return "governance:key_statement:entered"
        if which == "agreement":
            self._add_agreement(document.agreement, entry_time)
            return "governance:agreement:entered"
        if which == "agreement_suspension":
            return self._add_suspension(document.agreement_suspension)
        agency_id = document.agency_revocation.agency_id
        if self.ring.agency(agency_id) is None:
            raise AgreementError(
                f"there is no agency {agency_id}",
                hint="List the agencies with `rogatory-gateway agency list`.",
            )
        self.revoked[agency_id] = entry_time
        return "governance:agency:revoked"

    def check(self, document: entry_pb2.Governance, *, submitted_by: str, entry_time: int) -> None:
        """Check a document that an agency submits, as `add` would.

        Raises:
            RogatoryError: `add` would refuse it, or it is not the agency's to submit.
        """
        if document.HasField("key_statement"):
            statement, _, _ = self.ring.check(document.key_statement, entry_time=entry_time)
            theirs = statement.agency.agency_id == submitted_by
            known = self.ring.agency(submitted_by)
            # What kind an agency is decides what it may read: the operator admits that, not itself.
            if theirs and known is not None and known.kind != statement.agency.kind:
                raise AgreementError(
                    f"the statement makes {submitted_by} another kind of agency",
                    hint="State the kind it was admitted as, or send the file to the operator.",
                )
        elif document.HasField("agreement_suspension"):
            theirs = self._check_suspension(document.agreement_suspension).agency == submitted_by
        else:
            compiled = self._check_agreement(document.agreement)
            theirs = submitted_by in compiled.parties
            for party in compiled.parties:
                # Else an agency could pin a root of its own making for whoever is admitted next.
                if not self.is_enrolled(party):
                    raise AgreementError(
                        f"party {party} of the agreement is not enrolled",
                        hint="Submit it once the operator has admitted all parties.",
                    )
        if not theirs:
            raise AgreementError(
                f"the document is not {submitted_by}'s to submit",
                hint="Submit the agency's own key statements and suspensions, and agreements it is "
                "a party to.",
            )

    def _add_agreement(self, signed: agreement_pb2.SignedAgreement, entry_time: int) -> None:
        compiled = self._check_agreement(signed)
        self._agreements.setdefault(compiled.agreement_id, []).append(
            AgreementVersion(compiled=compiled, signed=signed, entry_time=entry_time)
        )
        self._by_digest[compiled.digest] = compiled

    def _check_agreement(self, signed: agreement_pb2.SignedAgreement) -> CompiledAgreement:
        compiled = open_agreement(signed)
        if compiled.agreement_id == self.base.agreement_id or not compiled.parties:
            raise AgreementError(
                f"agreement {compiled.agreement_id} has no parties, or the base agreement's id",
                hint="Give it an id of its own and name at least two parties.",
            )
        versions = self._agreements.get(compiled.agreement_id, ())
        expected = versions[-1].compiled.version + 1 if versions else 1
        if compiled.version != expected:
            raise AgreementError(
                f"agreement {compiled.agreement_id} would be version {expected}, "
                f"not {compiled.version}",
                hint="Number versions on from the last one in the log, from 1.",
            )
        dropped = versions[-1].compiled.parties - compiled.parties if versions else frozenset()
        for agency in sorted(dropped):
            # Else others could end an agreement by a version among themselves.
            raise AgreementError(
                f"{agency} is party to version {expected - 1} of agreement "
                f"{compiled.agreement_id}, and not to version {expected}",
                hint="Keep every party, so that all of them sign; without one, take another id.",
            )
        for agency in self._unpinned(compiled):
            raise AgreementError(
                f"the agreement pins another root for {agency} than it is enrolled with",
                hint="Compare the fingerprints with the agency by another channel.",
            )
        return compiled

    def _add_suspension(self, signed: agreement_pb2.SignedAgreementSuspension) -> str:
        suspension = self._check_suspension(signed)
        # Put last, so that they stand in order of entry.
        parties = self._suspensions.setdefault(suspension.agreement_id, {})
        parties.pop(suspension.agency, None)
        parties[suspension.agency] = Suspension(
            sequence=suspension.sequence, suspended=suspension.suspended, signed=signed
        )
        return f"governance:agreement:{'suspended' if suspension.suspended else 'resumed'}"

    def _check_suspension(
        self, signed: agreement_pb2.SignedAgreementSuspension
    ) -> agreement_pb2.AgreementSuspension:
        suspension = parse_suspension(signed)
        versions = self._agreements.get(suspension.agreement_id, ())
        root = (
            roots_of(versions[-1].compiled.message()).get(suspension.agency) if versions else None
        )
        if root is None:
            raise AgreementError(
                f"{suspension.agency} is party to no agreement {suspension.agreement_id}",
                hint="Suspend an agreement that is in the log, in the name of a party to it.",
            )
        last = self._suspensions.get(suspension.agreement_id, {}).get(suspension.agency)
        return open_suspension(signed, root=root, sequence=0 if last is None else last.sequence)

    def suspensions(self, agreement_id: str) -> list[Suspension]:
        """Return the latest declaration of each party that ever suspended an agreement."""
        return list(self._suspensions.get(agreement_id, {}).values())

    def is_suspended(self, agreement_id: str, *agencies: str) -> bool:
        """Say whether one of the agencies has suspended an agreement."""
        declared = self._suspensions.get(agreement_id)
        return declared is not None and any(
            agency in declared and declared[agency].suspended for agency in agencies
        )

    def is_enrolled(self, agency_id: str) -> bool:
        """Say whether an agency is enrolled and not revoked."""
        return agency_id not in self.revoked and self.ring.agency(agency_id) is not None

    def by_tls_key(self, spki_digest: bytes) -> KnownKey | None:
        """Return the TLS key whose SubjectPublicKeyInfo has this SHA-256."""
        known = self._tls.get(spki_digest)
        # The ring holds the newer state of the key: it may have been revoked since.
        return None if known is None else self.ring.get(known.fingerprint)

    def in_force(self, agreement_id: str, *, entry_time: int) -> CompiledAgreement | None:
        """Return the version of an agreement that is in force at ``entry_time``.

        Whether a party has suspended it is not looked at: it acts on what that party exchanges.
        """
        if agreement_id == self.base.agreement_id:
            return self.base
        for version in reversed(self._agreements.get(agreement_id, ())):
            compiled = version.compiled
            if compiled.valid_from <= entry_time:
                ended = compiled.valid_until is not None and entry_time >= compiled.valid_until
                return None if ended or not self._usable(compiled) else compiled
        return None

    def _unpinned(self, compiled: CompiledAgreement) -> list[str]:
        """Return the enrolled parties whose root is not the one that the agreement pins."""
        unpinned = []
        for party in compiled.message().parties:
            root = self.ring.root(party.agency)
            if root is not None and root.raw != party.root.public_key:
                unpinned.append(party.agency)
        return unpinned

    def _usable(self, compiled: CompiledAgreement) -> bool:
        """Whether an agreement pins the right roots; asked for every message, so remembered."""
        usable = self._remembered.get(compiled.digest)
        if usable is None:
            usable = self._remembered[compiled.digest] = not self._unpinned(compiled)
        return usable

    def by_digest(self, digest: bytes) -> CompiledAgreement | None:
        """Return the version with this digest."""
        return self._by_digest.get(digest)

    def versions(self) -> Iterator[AgreementVersion]:
        """Return every version, by id and version."""
        for agreement_id in sorted(self._agreements):
            yield from self._agreements[agreement_id]

    def state_of(self, version: AgreementVersion, *, now: int) -> int:
        """Return the ``AgreementState`` of a version at an instant."""
        compiled = version.compiled
        if compiled.valid_from > now:
            return agreement_service_pb2.AGREEMENT_STATE_PENDING
        if compiled.valid_until is not None and compiled.valid_until <= now:
            return agreement_service_pb2.AGREEMENT_STATE_ENDED
        if self.in_force(compiled.agreement_id, entry_time=now) is not compiled:
            return agreement_service_pb2.AGREEMENT_STATE_REPLACED
        if self.is_suspended(compiled.agreement_id, *compiled.parties):
            return agreement_service_pb2.AGREEMENT_STATE_SUSPENDED
        return agreement_service_pb2.AGREEMENT_STATE_IN_FORCE
