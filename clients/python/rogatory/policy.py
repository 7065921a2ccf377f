"""Policies: whom a verifier trusts, in one file that lies beside nothing else.

.. code-block:: toml

    [log]
    keys = ["gateway.example.org/rogatory+1a2b3c4d+AbCd...="]   # verifier keys, retired ones too
    operator = "int.example"                 # optional: a witness of its own does not count

    [witnesses]
    threshold = 1                            # so many cosignatures make a receipt witnessed
    [[witnesses.keys]]
    key = "witness.example.net+1a2b3c4d+BAbCd...="
    agency = "ch.example"                    # optional: who runs it

    [roots]                                  # root keys of agencies, as agreements pin them
    "fr.police" = "Ed25519:AbCd...="

    [files]                                  # paths beside the policy file
    agencies = ["agencies/fr.police.binpb"]  # rogatory.exchange.v1.DirectoryEntry
    agreements = ["agreements/x-1.txt"]      # as rogatory agreement sign writes them
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError

from rogatory import clock
from rogatory.agreements.base import base_agreement
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.agreements.document import from_armour, open_agreement
from rogatory.errors import ConfigurationError, RogatoryError
from rogatory.exchange.v1 import agreement_pb2, directory_service_pb2
from rogatory.keyring import KeyRing
from rogatory.keys import PublicKey
from rogatory.notes import SignatureType, VerifiedSignature, VerifierKey
from rogatory.settingsfile import Table

FORM = (
    "Name another with --policy; an agency's own, policy.toml, is made anew from the operator's"
    " answer: move away what is left of it, then rogatory agency accept FILE."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness: its key, and the agency that runs it ("" for nobody who takes part)."""

    key: VerifierKey
    agency: str = ""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Whom a verifier trusts.

    Attributes:
        log_keys: Verifier keys of the log.
        operator: Agency id of the gateway's operator; "" where it is none.
        witnesses: Those whose cosignatures count.
        threshold: How many of them make a receipt witnessed; 0: none does.
        roots: Root key of each agency.
        directory: Key statements of agencies, with entry times.
        agreements: Agreements by digest; their parties' signatures verified.
        ring: The agencies' keys, made from ``directory`` and checked against ``roots``.

    Raises:
        ConfigurationError: A part contradicts another, or a key statement does not verify.
    """

    log_keys: Sequence[VerifierKey]
    operator: str = ""
    witnesses: Sequence[Witness] = ()
    threshold: int = 0
    roots: Mapping[str, PublicKey] = field(default_factory=dict)
    directory: Sequence[directory_service_pb2.DirectoryEntry] = ()
    agreements: Mapping[bytes, CompiledAgreement] = field(default_factory=dict)
    ring: KeyRing = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= len(self.witnesses):
            raise ConfigurationError(
                f"The policy wants {self.threshold} cosignatures, and names"
                f" {len(self.witnesses)} witnesses",
                hint="Set witnesses.threshold to a number from 0 to the number of witnesses.",
            )
        object.__setattr__(self, "ring", build_ring(self.directory, self.roots))

    @property
    def witness_keys(self) -> tuple[VerifierKey, ...]:
        """The witnesses' keys."""
        return tuple(witness.key for witness in self.witnesses)

    def require_agency(self, agency: str) -> None:
        """Do nothing for an agency whose keys are known.

        Raises:
            ConfigurationError: They are not.
        """
        if self.ring.root(agency) is None:
            raise ConfigurationError(
                f"The policy holds no key statements of {agency}",
                hint=f'Pin its root under [roots] "{agency}" and name its directory entry under'
                " [files] agencies; rogatory receipt policy writes both.",
            )

    def is_witnessed(
        self, cosignatures: Iterable[VerifiedSignature], *, parties: Collection[str]
    ) -> bool:
        """Say whether cosignatures suffice for a message between ``parties``.

        So many as the threshold, and at least one by a witness that none of the parties and not
        the operator runs.
        """
        by_key = {witness.key: witness.agency for witness in self.witnesses}
        counted = {item.key: by_key[item.key] for item in cosignatures if item.key in by_key}
        involved = {*parties, self.operator} - {""}
        return 0 < self.threshold <= len(counted) and any(
            agency not in involved for agency in counted.values()
        )

    @classmethod
    def load(cls, path: Path) -> Policy:
        """Read a policy file and the files it names.

        Raises:
            ConfigurationError: The file or one that it names cannot be read or used; the text
                names the setting and what to change.
        """
        table = Table.read(path, form=FORM)
        log, witnesses, files = table.below("log"), table.below("witnesses"), table.below("files")
        table.only("log", "witnesses", "roots", "files")
        log.only("keys", "operator")
        witnesses.only("keys", "threshold")
        files.only("agencies", "agreements")
        log_keys = [
            _verifier_key(log, "keys", text, SignatureType.ED25519) for text in log.texts("keys")
        ]
        if not log_keys:
            raise log.fault("keys", "names no key of the log", "Add the operator's log.vkey line.")
        pinned = pinned_roots(table)
        directory = [
            _directory_entry(path.parent / name, files) for name in files.texts("agencies")
        ]
        signed = [_agreement(path.parent / name, files) for name in files.texts("agreements")]
        return cls(
            log_keys=log_keys,
            operator=log.text("operator"),
            witnesses=_witnesses(witnesses),
            threshold=witnesses.number("threshold"),
            roots=pinned,
            directory=directory,
            agreements=verified_agreements(signed, pinned),
        )


def pinned_roots(table: Table) -> dict[str, PublicKey]:
    """Return the root keys that a policy file pins.

    Raises:
        ConfigurationError: [roots] is no table, or holds something else than keys.
    """
    roots = table.below("roots")
    return {agency: _public_key(roots, agency) for agency in roots.values}


def build_ring(
    directory: Iterable[directory_service_pb2.DirectoryEntry], roots: Mapping[str, PublicKey]
) -> KeyRing:
    """Return the key ring of directory entries, each checked against its agency's pinned root.

    Raises:
        ConfigurationError: A root is not pinned or another one, or a statement does not verify.
    """
    ring = KeyRing()
    for entry in directory:
        agency = entry.agency.agency_id
        pinned = roots.get(agency)
        if pinned is None:
            raise ConfigurationError(
                f"The root key of {agency} is not pinned",
                hint=f'Pin it under [roots] as "{agency}" = "Ed25519:...", from an agreement that'
                " it signed.",
            )
        if len(entry.statements) != len(entry.entry_times):
            raise ConfigurationError(
                f"The directory entry of {agency} has {len(entry.statements)} key statements and"
                f" {len(entry.entry_times)} entry times",
                hint="Fetch it again from the directory.",
            )
        for signed, entry_time in zip(entry.statements, entry.entry_times, strict=True):
            try:
                added = ring.add(signed, entry_time=clock.to_nanoseconds(entry_time))
            except RogatoryError as error:
                raise ConfigurationError(
                    f"A key statement of {agency} does not verify: {error.message}",
                    hint=error.hint,
                ) from error
            if added != agency or ring.root(agency) != pinned:
                raise ConfigurationError(
                    f"The key statements of {agency} are not signed by the root that is pinned",
                    hint="Somebody else made them, or the pin is wrong: compare it with the"
                    " agreement the agency signed.",
                )
    return ring


def verified_agreements(
    signed: Iterable[agreement_pb2.SignedAgreement], roots: Mapping[str, PublicKey]
) -> dict[bytes, CompiledAgreement]:
    """Return agreements by digest, with the signatures of all their parties verified.

    The published base agreement is always among them.

    Raises:
        ConfigurationError: A party's signature is missing or false, or a party's root is another
            than the one pinned.
    """
    base = base_agreement()
    found: dict[bytes, CompiledAgreement] = {base.digest: base}
    for item in signed:
        try:
            compiled = open_agreement(item)
        except RogatoryError as error:
            raise ConfigurationError(
                f"An agreement cannot be relied on: {error.message}", hint=error.hint
            ) from error
        for party in compiled.message().parties:
            pinned = roots.get(party.agency)
            root = PublicKey(party.root.algorithm, party.root.public_key)
            if pinned is not None and pinned != root:
                raise ConfigurationError(
                    f"Agreement {compiled.agreement_id} names another root for {party.agency} than"
                    " the one pinned",
                    hint="Find out from the agency which of the two is its root.",
                )
        found[compiled.digest] = compiled
    return found


def _witnesses(table: Table) -> list[Witness]:
    rows = table.values.get("keys", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise table.fault("keys", "is not a list of tables", "Write each as [[witnesses.keys]].")
    found = []
    for position, row in enumerate(rows):
        entry = Table(table.path, f"witnesses.keys[{position}]", row)
        entry.only("key", "agency")
        key = _verifier_key(entry, "key", entry.text("key"), SignatureType.COSIGNATURE)
        found.append(Witness(key=key, agency=entry.text("agency")))
    return found


def _verifier_key(table: Table, key: str, text: str, wanted: SignatureType) -> VerifierKey:
    try:
        found = VerifierKey.parse(text)
    except RogatoryError as error:
        raise table.fault(key, f"holds no verifier key: {error.message}", error.hint) from error
    if found.type is not wanted:
        raise table.fault(
            key,
            f"holds a key of type {found.type:#04x}, and {wanted:#04x} belongs there",
            "Logs have keys of type 0x01, witnesses of type 0x04: see which line is which.",
        )
    return found


def _public_key(table: Table, agency: str) -> PublicKey:
    try:
        return PublicKey.from_text(table.text(agency))
    except RogatoryError as error:
        raise table.fault(f'"{agency}"', f"is not a key: {error.message}", error.hint) from error


def _directory_entry(path: Path, table: Table) -> directory_service_pb2.DirectoryEntry:
    try:
        return directory_service_pb2.DirectoryEntry.FromString(_bytes(path, table, "agencies"))
    except DecodeError as error:
        raise table.fault(
            "agencies",
            f"names {path}, which is no directory entry",
            "Fetch it again: rogatory receipt policy writes such files.",
        ) from error


def _agreement(path: Path, table: Table) -> agreement_pb2.SignedAgreement:
    data = _bytes(path, table, "agreements")
    try:
        return from_armour(data.decode("ascii"))
    except (UnicodeDecodeError, RogatoryError) as error:
        raise table.fault(
            "agreements",
            f"names {path}, which is no signed agreement",
            "Fetch it again: rogatory agreement show writes such files.",
        ) from error


def _bytes(path: Path, table: Table, key: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise table.fault(
            key, f"names {path}, which cannot be read: {error.strerror}", "Correct the path."
        ) from error
