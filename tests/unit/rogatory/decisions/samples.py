"""Headers, contexts and agreements for tests of decisions, between three made-up parties."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from rogatory.agreements import CompiledAgreement, compile_agreement, read_agreement, render
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.keys import PrivateKey
from rogatory.records.v1 import common_pb2
from rogatory.signers import MemorySigner

ALPHA, BETA, GAMMA = "aa.alpha", "bb.beta", "cc.gamma"
AGREEMENT_ID = "test"
ENTRY = 1_793_000_000  # Monday 2026-10-26 07:33:20 UTC
DAY = 86_400
SYSTEM_KEY = hashlib.sha256(b"system").digest()
AUTHOR_KEY = hashlib.sha256(b"author").digest()
APPROVER_KEY = hashlib.sha256(b"approver").digest()
TWO_OFFICERS = (AUTHOR_KEY, APPROVER_KEY)
_OFFICERS = {
    AUTHOR_KEY: ("officer-3", [codes_pb2.OFFICER_RIGHT_SIGN]),
    APPROVER_KEY: ("officer-7", [codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE]),
}

HEAD = f"""\
agreement_id: {AGREEMENT_ID}
version: 1
title: Test
parties: [{{agency: {ALPHA}}}, {{agency: {BETA}}}, {{agency: {GAMMA}}}]
valid_from_time: 2026-01-01
"""

CONTEXT = codes_pb2.PART_CATEGORY_CONTEXT
PERSON = codes_pb2.PART_CATEGORY_PERSON
INDICATOR = codes_pb2.PART_CATEGORY_INDICATOR
IDENTITY = common_pb2.FIELD_GROUP_IDENTITY
BIOMETRICS = common_pb2.FIELD_GROUP_BIOMETRICS
HEALTH = common_pb2.FIELD_GROUP_HEALTH
SUSPECT = common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT
NO_REFERENCE = decision_pb2.REFERENCE_STANDING_UNSPECIFIED
VICTIM = common_pb2.DATA_SUBJECT_CATEGORY_VICTIM


def root_signer(agency: str) -> MemorySigner:
    """Return the signer with an agency's root key, the same in every run."""
    return MemorySigner(PrivateKey.from_seed(hashlib.sha256(f"root {agency}".encode()).digest()))


def agreement_bytes(text: str) -> bytes:
    """Return the bytes of an agreement's text, with the parties' test roots."""
    draft = read_agreement(text)
    return render(draft, roots={p.agency: root_signer(p.agency).public_key for p in draft.parties})


def compiled(clauses: str, *, unpermitted_parts: str = "refuse_message") -> CompiledAgreement:
    """Return an agreement of the three test parties with these clauses (YAML, from column 0)."""
    return compile_agreement(agreement_bytes(agreement_text(clauses, unpermitted_parts)))


def agreement_text(clauses: str, unpermitted_parts: str = "refuse_message") -> str:
    """Return the whole text for these clauses."""
    return f"{HEAD}unpermitted_parts: {unpermitted_parts}\n{clauses}"


def at(seconds: int) -> Timestamp:
    """Return an instant, in seconds after the tests' entry time."""
    return Timestamp(seconds=ENTRY + seconds)


def part(
    category: codes_pb2.PartCategory.ValueType = PERSON,
    *,
    records: int = 1,
    groups: Sequence[common_pb2.FieldGroup.ValueType] = (),
    subjects: Sequence[common_pb2.DataSubjectCategory.ValueType] = (),
    sealed: bool = False,
) -> envelope_pb2.PartDescriptor:
    """Return a part's descriptor."""
    return envelope_pb2.PartDescriptor(
        category=category,
        schema="rogatory.records.v1.Persons",
        commitment=bytes(32),
        size=100,
        sealed=sealed,
        facts=envelope_pb2.PartFacts(
            record_count=records, field_groups=sorted(groups), data_subjects=sorted(subjects)
        ),
    )


def context_part(*, case: bool = False, why: bool = False) -> envelope_pb2.PartDescriptor:
    """Return the descriptor of a CONTEXT part."""
    descriptor = part(CONTEXT)
    descriptor.schema = "rogatory.records.v1.Context"
    descriptor.facts.case_reference = case
    descriptor.facts.justification = why
    return descriptor


def header(
    *parts: envelope_pb2.PartDescriptor,
    kind: codes_pb2.Kind.ValueType = codes_pb2.KIND_TRANSFER,
    article: str = "Art. 1",
    recipients: Iterable[str] = (BETA,),
    purpose: codes_pb2.Purpose.ValueType = codes_pb2.PURPOSE_INVESTIGATION,
    offences: Sequence[str] = ("0701",),
    urgency: codes_pb2.Urgency.ValueType = codes_pb2.URGENCY_ROUTINE,
    tlp: common_pb2.Tlp.ValueType = common_pb2.TLP_AMBER,
    siena: Sequence[codes_pb2.SienaCode.ValueType] = (),
    onward: codes_pb2.OnwardTransfer.ValueType = codes_pb2.ONWARD_TRANSFER_WITH_CONSENT,
    evidential: codes_pb2.EvidentialUse.ValueType = codes_pb2.EVIDENTIAL_USE_WITH_CONSENT,
    retention: int | None = None,
    request: envelope_pb2.RequestParticulars | None = None,
    subject: envelope_pb2.SubjectParticulars | None = None,
    signers: Sequence[tuple[bytes, int]] = ((SYSTEM_KEY, codes_pb2.KEY_ROLE_SIGNING),),
    agreement_id: str = AGREEMENT_ID,
) -> envelope_pb2.Header:
    """Return a header from aa.alpha; ``retention`` in seconds after entry."""
    made = envelope_pb2.Header(
        schema_version=1,
        message_id="01920000-0000-7000-8000-000000000000",
        sender=ALPHA,
        recipients=[
            envelope_pb2.Recipient(agency=a, agreement_id=agreement_id, article=article)
            for a in recipients
        ],
        audience="gateway.test",
        create_time=at(-5),
        expire_time=at(3600),
        kind=kind,
        purpose=purpose,
        offences=offences,
        urgency=urgency,
        handling=envelope_pb2.Handling(
            tlp=tlp,
            siena_codes=siena,
            onward_transfer=onward,
            evidential_use=evidential,
            retention_end_time=None if retention is None else at(retention),
        ),
        signed_by=[
            envelope_pb2.SignedBy(key=key, role=role)  # type: ignore[arg-type]  # numbers of the enum
            for key, role in signers
        ],
        parts=parts,
        request=request,
    )
    if subject is not None:
        made.subject.CopyFrom(subject)
    return made


def context(
    *,
    agreement: CompiledAgreement | None = None,
    officers: Sequence[bytes] = (),
    enrolled: bool = True,
    reference: decision_pb2.ReferenceStanding.ValueType = NO_REFERENCE,
    quotas: Sequence[tuple[str, int]] = (),
) -> decision_pb2.DecisionContext:
    """Return a context at entry, signed by the system key and officers, named by their keys."""
    made = decision_pb2.DecisionContext(
        entry_time=at(0),
        agreement_digest=agreement.digest if agreement else b"",
        recipient_enrolled=enrolled,
        reference=reference,
        quotas=[decision_pb2.QuotaCount(clause_id=c, count=n) for c, n in quotas],
        signers=[
            decision_pb2.SignerStanding(key=SYSTEM_KEY, role=codes_pb2.KEY_ROLE_SIGNING),
        ],
    )
    for key in officers:
        officer, rights = _OFFICERS[key]
        made.signers.add(key=key, role=codes_pb2.KEY_ROLE_OFFICER, officer=officer, rights=rights)
    return made
