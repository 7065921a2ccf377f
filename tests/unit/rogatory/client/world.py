"""A small exchange in memory for tests: agencies, keys, one agreement, a log with real proofs.

What it signs, commits to and decides is real, so that what reads it is really tested; only the
store is a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message

from rogatory import clock, envelopes, statements
from rogatory.agreements.base import base_agreement
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.agreements.document import open_agreement, render, sign_agreement, with_signature
from rogatory.agreements.text import read_agreement
from rogatory.audit.v1 import entry_pb2
from rogatory.checkpoints import Checkpoint, sign_checkpoint
from rogatory.decisions import decide
from rogatory.exchange.v1 import (
    agreement_pb2,
    codes_pb2,
    decision_pb2,
    directory_service_pb2,
    envelope_pb2,
    exchange_service_pb2,
    key_statement_pb2,
)
from rogatory.keyring import KeyRing
from rogatory.keys import PrivateKey
from rogatory.merkle import Frontier, leaf_hash
from rogatory.notes import Cosigner, NoteSigner, SignatureLine
from rogatory.policy import Policy, Witness
from rogatory.records.v1 import common_pb2, indicator_pb2, person_pb2
from rogatory.signers import MemorySigner

ORIGIN = "gateway.test/exchange"
NOW = 1_790_000_000_000_000_000
YEAR = 365 * clock.NANOSECONDS_PER_DAY
AGENCIES = ("fr.police", "de.police", "th.police")

AGREEMENT_TEXT = """
agreement_id: x
version: 1
title: Agreement of the tests
valid_from_time: 2026-01-01
unpermitted_parts: withhold
parties:
  - agency: fr.police
  - agency: de.police
clauses:
  - clause_id: indicators
    article: Art. 2
    effect: permit
    scope:
      kinds: [transfer]
      categories: [indicator]
"""


def private_key(label: str) -> PrivateKey:
    """Return the key that belongs to a label."""
    return PrivateKey.from_seed(hashlib.sha256(label.encode()).digest())


def signer(label: str) -> MemorySigner:
    """Return the signer whose key belongs to a label."""
    return MemorySigner(private_key(label))


def indicators(*values: str) -> indicator_pb2.Indicators:
    """Return indicators of these domains."""
    return indicator_pb2.Indicators(
        indicators=[
            indicator_pb2.Indicator(
                record_id=f"00000000-0000-4000-8000-{position:012d}",
                type=indicator_pb2.INDICATOR_TYPE_DOMAIN,
                value=value,
                status=indicator_pb2.INDICATOR_STATUS_REPORTED,
            )
            for position, value in enumerate(values)
        ]
    )


def persons() -> person_pb2.Persons:
    """Return one person, which the agreement of the tests does not permit."""
    return person_pb2.Persons(
        persons=[
            person_pb2.Person(
                record_id="00000000-0000-4000-8000-000000000001",
                category=common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT,
                names=[
                    person_pb2.PersonName(
                        kind=person_pb2.PERSON_NAME_KIND_FULL,
                        texts=[common_pb2.NameText(text="Jan Novák", script="Latn")],
                    )
                ],
            )
        ]
    )


@dataclass
class Entry:
    """An entry of the log with the openings of its outcomes."""

    data: bytes
    outcomes: list[decision_pb2.OutcomeOpening]


@dataclass
class World:
    """Agencies, their directory, one agreement, inboxes and a log.

    Attributes:
        agreement_text: The agreement.
        parties: Who has signed it.
    """

    agreement_text: str = AGREEMENT_TEXT
    parties: tuple[str, ...] = ("fr.police", "de.police")
    entries: list[Entry] = field(default_factory=list)
    inboxes: dict[str, list[exchange_service_pb2.Delivery]] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    submitted: dict[tuple[str, str], exchange_service_pb2.Submission] = field(default_factory=dict)
    cosigners: list[Cosigner] = field(default_factory=list)
    time: int = NOW

    def __post_init__(self) -> None:
        self.ring = KeyRing()
        self.directory: dict[str, directory_service_pb2.DirectoryEntry] = {}
        self.log_signer = NoteSigner(name=ORIGIN, signer=signer("log"))
        self.inboxes = {agency: [] for agency in AGENCIES}
        for agency in AGENCIES:
            self._enrol(agency)
        data = render(
            read_agreement(self.agreement_text),
            roots={name: signer(f"{name} root").public_key for name in self.parties},
        )
        self.signed_agreement = agreement_pb2.SignedAgreement(agreement=data)
        for agency in self.parties:
            signature = sign_agreement(data, signer=signer(f"{agency} root"))
            self.signed_agreement = with_signature(self.signed_agreement, signature)
        self.agreement = open_agreement(self.signed_agreement)
        self._append(
            entry_pb2.AuditEntry(
                tag="exchange:agreement:entered",
                actor="operator",
                governance=entry_pb2.Governance(agreement=self.signed_agreement),
            ),
            [],
        )

    def _enrol(self, agency: str) -> None:
        root = signer(f"{agency} root")
        statement = statements.build(
            agency=key_statement_pb2.Agency(
                agency_id=agency,
                names=[key_statement_pb2.AgencyName(language="en", name=f"Police {agency}")],
                kind=codes_pb2.AGENCY_KIND_POLICE,
            ),
            root=root.public_key,
            create_time=self.time,
            keys=[
                statements.enrol(
                    algorithm="Ed25519",
                    public_key=signer(f"{agency} signing").public_key.raw,
                    role=codes_pb2.KEY_ROLE_SIGNING,
                    valid_from=self.time,
                    valid_until=self.time + YEAR,
                )
            ],
        )
        signed = statements.sign(statement, root)
        self.ring.add(signed, entry_time=self.time)
        self.directory[agency] = directory_service_pb2.DirectoryEntry(
            agency=statement.agency,
            statements=[signed],
            entry_times=[clock.to_timestamp(self.time)],
        )
        self._append(
            entry_pb2.AuditEntry(
                tag="directory:agency:enrolled",
                actor="operator",
                governance=entry_pb2.Governance(key_statement=signed),
            ),
            [],
        )

    def signers(self, agency: str) -> list[tuple[MemorySigner, codes_pb2.KeyRole.ValueType]]:
        """Return what an agency signs messages with."""
        return [(signer(f"{agency} signing"), codes_pb2.KEY_ROLE_SIGNING)]

    def envelope(
        self,
        *,
        number: int = 1,
        sender: str = "fr.police",
        recipient: str = "de.police",
        contents: Sequence[Message] = (),
        fill: Callable[[envelope_pb2.Header], None] = lambda _: None,
    ) -> bytes:
        """Return a signed transfer from one agency to another; ``fill`` makes it another kind."""
        header = envelope_pb2.Header(
            schema_version=1,
            message_id=message_id(number),
            sender=sender,
            recipients=[
                envelope_pb2.Recipient(agency=recipient, agreement_id="x", article="Art. 2")
            ],
            audience=ORIGIN,
            create_time=clock.to_timestamp(self.time),
            expire_time=clock.to_timestamp(self.time + YEAR),
            kind=codes_pb2.KIND_TRANSFER,
            purpose=codes_pb2.PURPOSE_INVESTIGATION,
            urgency=codes_pb2.URGENCY_ROUTINE,
            handling=envelope_pb2.Handling(
                tlp=common_pb2.TLP_AMBER,
                onward_transfer=codes_pb2.ONWARD_TRANSFER_NEVER,
                evidential_use=codes_pb2.EVIDENTIAL_USE_NOT_ALLOWED,
            ),
        )
        fill(header)
        return envelopes.build(
            header=header,
            contents=contents or (indicators("a.example"),),
            signers=self.signers(sender),
        )

    def submit(self, data: bytes) -> tuple[exchange_service_pb2.Submission, str]:
        """Admit a message: decide, log, deliver; the original outcome for one seen before."""
        opened = envelopes.open_envelope(data)
        header = opened.header
        identity = (header.sender, header.message_id)
        if identity in self.submitted:
            repeated = exchange_service_pb2.Submission()
            repeated.CopyFrom(self.submitted[identity])
            repeated.repeated_submission = True
            return repeated, self.checkpoint()
        self.time += clock.NANOSECONDS_PER_SECOND
        known = envelopes.verify_signatures(opened, self.ring, entry_time=self.time)
        envelopes.check_parts(opened, allow_absent=False)
        openings = []
        for position in range(len(header.recipients)):
            outcome = self._decide(header, position, known[0].fingerprint)
            openings.append(
                decision_pb2.OutcomeOpening(
                    recipient_index=position,
                    salt=hashlib.sha256(f"{identity}{position}".encode()).digest(),
                    outcome=outcome.SerializeToString(deterministic=True),
                )
            )
        entry = entry_pb2.AuditEntry(
            tag="exchange:transfer:decided",
            actor=header.sender,
            message=entry_pb2.LoggedMessage(
                header=opened.header_bytes, signatures=opened.signatures
            ),
            outcome_commitments=[
                envelopes.outcome_commitment(item.salt, item.outcome) for item in openings
            ],
        )
        index = self._append(entry, openings)
        for opening in openings:
            self._deliver(data, opening, index)
        self.submitted[identity] = exchange_service_pb2.Submission(
            message_id=header.message_id,
            outcomes=openings,
            receipt=self.receipt(index),
        )
        return self.submitted[identity], self.checkpoint()

    def _decide(
        self, header: envelope_pb2.Header, position: int, key: bytes
    ) -> decision_pb2.Outcome:
        recipient = header.recipients[position]
        agreement: CompiledAgreement | None = {"x": self.agreement, "base": base_agreement()}.get(
            recipient.agreement_id
        )
        if agreement is self.agreement and recipient.agency not in self.agreement.parties:
            agreement = None
        subject = header.subject.message
        stands = (subject.sender, subject.message_id) in self.submitted
        context = decision_pb2.DecisionContext(
            entry_time=clock.to_timestamp(self.time),
            agreement_digest=agreement.digest if agreement else b"",
            signers=[decision_pb2.SignerStanding(key=key, role=codes_pb2.KEY_ROLE_SIGNING)],
            recipient_enrolled=recipient.agency in AGENCIES,
            reference={
                recipient.agency: decision_pb2.REFERENCE_STANDING_RECEIVED_FROM_RECIPIENT,
                header.sender: decision_pb2.REFERENCE_STANDING_SENT_TO_RECIPIENT,
            }.get(subject.sender if stands else "", decision_pb2.REFERENCE_STANDING_UNSPECIFIED),
        )
        decision = decide(
            agreement=agreement, header=header, recipient_index=position, context=context
        )
        refused = decision.disposition == decision_pb2.DISPOSITION_REFUSED
        return decision_pb2.Outcome(
            recipient=recipient.agency,
            agreement_id=recipient.agreement_id,
            agreement_version=agreement.version if agreement else 0,
            decision=decision,
            context=context,
            inbox_position=0 if refused else len(self.inboxes[recipient.agency]) + 1,
        )

    def _deliver(self, data: bytes, opening: decision_pb2.OutcomeOpening, index: int) -> None:
        outcome = decision_pb2.Outcome.FromString(opening.outcome)
        if not outcome.inbox_position:
            return
        envelope = envelope_pb2.Envelope.FromString(data)
        for part, decided in zip(envelope.parts, outcome.decision.parts, strict=True):
            if not decided.disclosed:
                part.absent.reason = envelope_pb2.ABSENCE_REASON_WITHHELD
                part.absent.article = decided.article
        self.inboxes[outcome.recipient].append(
            exchange_service_pb2.Delivery(
                inbox_position=outcome.inbox_position,
                envelope=envelope.SerializeToString(deterministic=True),
                outcome=opening,
                index=index,
                entry=self.entries[index].data,
            )
        )

    def _append(
        self, entry: entry_pb2.AuditEntry, openings: list[decision_pb2.OutcomeOpening]
    ) -> int:
        entry.entry_time.CopyFrom(clock.to_timestamp(self.time))
        self.entries.append(Entry(entry.SerializeToString(deterministic=True), openings))
        return len(self.entries) - 1

    def receipt(self, index: int) -> exchange_service_pb2.Receipt:
        """Return the proof of an entry against the log as it stands."""
        growth = Frontier().extend([leaf_hash(entry.data) for entry in self.entries])
        return exchange_service_pb2.Receipt(
            entry=self.entries[index].data,
            index=index,
            proof=growth.inclusion_proof(index),
        )

    def checkpoint(self, size: int | None = None) -> str:
        """Return the signed checkpoint of a size, by default the whole log's, with cosignatures."""
        leaves = [leaf_hash(entry.data) for entry in self.entries[:size]]
        checkpoint = Checkpoint(
            origin=ORIGIN, size=len(leaves), root=Frontier().extend(leaves).root
        )
        others: list[SignatureLine] = [
            cosigner.cosign(checkpoint.text, time=self.time // clock.NANOSECONDS_PER_SECOND)
            for cosigner in self.cosigners
        ]
        return sign_checkpoint(checkpoint, self.log_signer, others=others).decode()

    def consistency(self, old_size: int) -> list[bytes]:
        """Return the proof from an older size to the log as it stands."""
        growth = Frontier().extend([leaf_hash(entry.data) for entry in self.entries])
        return growth.consistency_proof(old_size) if old_size else []

    def policy(self, *, witnesses: Sequence[Witness] = (), threshold: int = 0) -> Policy:
        """Return the policy of somebody who knows all keys of this world."""
        return Policy(
            log_keys=[self.log_signer.key],
            witnesses=witnesses,
            threshold=threshold,
            roots={agency: signer(f"{agency} root").public_key for agency in AGENCIES},
            directory=list(self.directory.values()),
            agreements={
                self.agreement.digest: self.agreement,
                base_agreement().digest: base_agreement(),
            },
        )


def message_id(number: int) -> str:
    """Return the UUIDv7 of a number."""
    return envelopes.new_message_id(NOW // 1_000_000, number.to_bytes(10, "big"))
