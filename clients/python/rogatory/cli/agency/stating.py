"""A further key statement in the making: what it adds, what it revokes, what it follows on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from cryptography.hazmat.primitives.asymmetric import ec

from rogatory import clock, keys, statements
from rogatory.cli import waiting
from rogatory.cli.agency.enrolling import (
    OFFICER_PREFIX,
    enrol,
    enrol_tls,
    officers_of,
    read_rights,
    tls_key,
)
from rogatory.cli.options import choice
from rogatory.cli.session import file_signer
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, key_statement_pb2
from rogatory.home import Home
from rogatory.keyring import KeyRing, KnownKey
from rogatory.signers import Signer

SIGNING = "signing"
MIN_FINGERPRINT = 16
"""Hexadecimal digits by which a key may be named: as many as errors and receipts show."""


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a statement says beyond those before it.

    Attributes:
        added: Keys it adds.
        revoked: Keys it revokes.
        made: Names of keys that were made for it, and wait.
        tls: The TLS key among them; None where there is none.
    """

    added: list[key_statement_pb2.EnrolledKey] = field(default_factory=list)
    revoked: list[tuple[KnownKey, key_statement_pb2.Revocation]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    tls: ec.EllipticCurvePrivateKey | None = None

    def data(self) -> dict[str, Any]:
        """Return them for JSON."""
        return {
            "added": [
                {
                    "role": role_of(key.role),
                    "officer": key.officer,
                    "rights": rights_of(key.rights),
                    "fingerprint": _fingerprint(key).hex(),
                    "valid_until": clock.to_text(clock.to_nanoseconds(key.valid_until_time)),
                }
                for key in self.added
            ],
            "revoked": [
                {
                    "role": role_of(key.role),
                    "officer": key.officer,
                    "fingerprint": key.fingerprint.hex(),
                    "reason": _word(
                        key_statement_pb2.RevocationReason.Name(revocation.reason),
                        "REVOCATION_REASON_",
                    ),
                }
                for key, revocation in self.revoked
            ],
        }

    def lines(self) -> list[str]:
        """Return them for people."""
        found = self.data()
        return [
            f"adds     {_title(item)} {item['fingerprint'][:MIN_FINGERPRINT]}"
            + (f" ({', '.join(item['rights'])})" if item["rights"] else "")
            + f", until {item['valid_until']}"
            for item in found["added"]
        ] + [
            f"revokes  {_title(item)} {item['fingerprint'][:MIN_FINGERPRINT]}: {item['reason']}"
            for item in found["revoked"]
        ]


class Stating:
    """A statement that follows on those that are known.

    Attributes:
        agency: How the agency presents itself; as in the last statement until it is changed.
        sequence: Number of the new statement.
    """

    def __init__(
        self,
        place: Home,
        known: Sequence[key_statement_pb2.SignedKeyStatement],
        *,
        ring: KeyRing,
        passphrase: bytes | None,
    ) -> None:
        """Begin.

        Args:
            place: The agency's folder.
            known: Its statements so far, at least one.
            ring: The keys that they name.
            passphrase: For new key files.
        """
        self._place = place
        self._ring = ring
        self._passphrase = passphrase
        self._id = place.settings().agency
        self.agency = key_statement_pb2.KeyStatement.FromString(known[-1].statement).agency
        self.sequence, self._previous = ring.next_statement(self._id)

    def changes(
        self,
        *,
        officers: Mapping[str, str],
        renew: Iterable[str],
        revoke: Iterable[str],
        now: int,
        until: int,
    ) -> Changes:
        """Return what is asked for; new keys are made, and wait in ``keys/next``.

        Args:
            officers: Rights by pseudonym, as ``sign,approve``.
            renew: ``signing``, ``tls``, or pseudonyms.
            revoke: ``KEY=REASON``.
            now: Validity begins then, nanoseconds since the Unix epoch.
            until: Validity ends then.

        Raises:
            typer.BadParameter: A word is of another form.
            ConfigurationError: There is no such key, or it is stated already.
            KeyFileError: A key file cannot be used.
        """
        changes = Changes()
        renewed = dict.fromkeys(renew)
        revocations = [self._revocations(word, now, renewed=renewed) for word in revoke]
        for name in renewed:
            self._renew(name, changes, officers=officers, now=now, until=until)
        for pseudonym, rights in officers.items():
            if pseudonym not in renewed:
                public = file_signer(self._officer_file(pseudonym)).public_key
                if self._ring.get(public.fingerprint) is not None:
                    raise ConfigurationError(
                        f"The key of the officer {pseudonym} is stated already, with its rights",
                        hint="For other rights state another key: --renew"
                        f" {pseudonym} --officer {pseudonym}:RIGHTS",
                    )
                changes.added.append(
                    enrol(
                        public, now=now, until=until, officer=pseudonym, rights=read_rights(rights)
                    )
                )
        changes.revoked = [item for found in revocations for item in found]
        return changes

    def sign(
        self, changes: Changes, *, root: Signer, now: int
    ) -> key_statement_pb2.SignedKeyStatement:
        """Return the statement, signed, and checked as a gateway will check it.

        Raises:
            EnvelopeError, SignatureInvalid, KeyRejected: It would not be taken.
        """
        signed = statements.sign(
            statements.build(
                agency=self.agency,
                root=root.public_key,
                create_time=now,
                keys=changes.added,
                revocations=[revocation for _, revocation in changes.revoked],
                sequence=self.sequence,
                previous_digest=self._previous,
            ),
            root,
        )
        self._ring.check(signed, entry_time=now)
        return signed

    def _renew(
        self, name: str, changes: Changes, *, officers: Mapping[str, str], now: int, until: int
    ) -> None:
        file = _file(name)
        rights: Sequence[codes_pb2.OfficerRight.ValueType] = ()
        if file != name:
            known = [key for key in self._keys(codes_pb2.KEY_ROLE_OFFICER) if key.officer == name]
            if not known and name not in officers:
                raise ConfigurationError(
                    f"No statement names a key of the officer {name}",
                    hint=f"Add one: rogatory keygen {self._id} --officer {name}, then --officer"
                    f" {name}:RIGHTS",
                )
            rights = (
                read_rights(officers[name])
                if name in officers
                else [codes_pb2.OfficerRight.ValueType(right) for right in known[-1].rights]
            )
        path = waiting.prepare(self._place, file, ring=self._ring, passphrase=self._passphrase)
        changes.made.append(file)
        if name == waiting.TLS:
            changes.tls = tls_key(path)
            changes.added.append(enrol_tls(changes.tls, now=now, until=until))
            return
        public = file_signer(path).public_key
        officer = name if file != name else ""
        changes.added.append(enrol(public, now=now, until=until, officer=officer, rights=rights))

    def _officer_file(self, pseudonym: str) -> Path:
        path = officers_of(self._place).get(pseudonym)
        if path is None:
            raise ConfigurationError(
                f"There is no key of the officer {pseudonym}",
                hint=f"Make it: rogatory keygen {self._id} --officer {pseudonym}",
            )
        return path

    def _revocations(
        self, text: str, now: int, *, renewed: Collection[str]
    ) -> list[tuple[KnownKey, key_statement_pb2.Revocation]]:
        name, _, word = text.partition("=")
        if not (name and word):
            raise typer.BadParameter(
                f"{text!r} is not KEY=REASON, as signing=superseded", param_hint="--revoke"
            )
        reason = choice(key_statement_pb2.RevocationReason, word, "--revoke")
        spared = b""
        at_work = self._place.key(_file(name))
        if (
            reason == key_statement_pb2.REVOCATION_REASON_SUPERSEDED
            and name not in renewed
            and at_work.exists()
        ):
            spared = waiting.fingerprint(at_work)
        found = [
            key
            for key in self._named(name)
            if key.revoked_from is None and key.fingerprint != spared
        ]
        if not found:
            raise ConfigurationError(
                f"No statement names a key {name} that could be revoked so",
                hint="See which there are: rogatory agency keys",
            )
        return [
            (
                key,
                key_statement_pb2.Revocation(
                    key=key.fingerprint,
                    revoke_time=clock.to_timestamp(now),
                    reason=key_statement_pb2.RevocationReason.ValueType(reason),
                ),
            )
            for key in found
        ]

    def _named(self, name: str) -> list[KnownKey]:
        roles = {SIGNING: codes_pb2.KEY_ROLE_SIGNING, waiting.TLS: codes_pb2.KEY_ROLE_TLS}
        if name in roles:
            return self._keys(roles[name])
        if len(name) >= MIN_FINGERPRINT:
            by_print = [key for key in self._keys() if key.fingerprint.hex().startswith(name)]
            if by_print:
                return by_print
        return [key for key in self._keys(codes_pb2.KEY_ROLE_OFFICER) if key.officer == name]

    def _keys(self, role: int = 0) -> list[KnownKey]:
        return self._ring.keys_of(self._id, role)


def _file(name: str) -> str:
    """Return the name of a key's file: officers are named by their pseudonyms."""
    return name if name in (SIGNING, waiting.TLS) else f"{OFFICER_PREFIX}{name}"


def role_of(number: int) -> str:
    """Return a role in a word, as ``signing``."""
    return _word(codes_pb2.KeyRole.Name(codes_pb2.KeyRole.ValueType(number)), "KEY_ROLE_")


def rights_of(numbers: Iterable[int]) -> list[str]:
    """Return officers' rights in words."""
    return [
        _word(
            codes_pb2.OfficerRight.Name(codes_pb2.OfficerRight.ValueType(number)), "OFFICER_RIGHT_"
        )
        for number in numbers
    ]


def _fingerprint(key: key_statement_pb2.EnrolledKey) -> bytes:
    return keys.fingerprint(key.public_key.algorithm, key.public_key.public_key)


def _title(item: Mapping[str, Any]) -> str:
    return f"{item['role']} key" + (f" of {item['officer']}" if item["officer"] else "")


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower().replace("_", "-")
