"""Hypothesis strategies: valid agreements, headers and contexts that meet often enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st

from rogatory.agreements import CompiledAgreement, check_agreement, compile_agreement
from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2, envelope_pb2
from rogatory.records.v1 import common_pb2

T = TypeVar("T")

AGENCIES = ("aa.alpha", "bb.beta", "cc.gamma")
ARTICLES = ("Art. 1", "Art. 1(1)", "Art. 1(2)", "Art. 1(2)(a)", "Art. 2", "Art. 2(1)", "Art. 11")
OFFENCES = ("07", "0701", "070101", "0702", "06", "0601", "0204")
ENTRY = 1_793_000_000
DAY = 86_400

# A few of each code list, so that scopes and messages overlap.
KINDS = (codes_pb2.KIND_TRANSFER, codes_pb2.KIND_REQUEST, codes_pb2.KIND_RECALL)
CATEGORIES = (
    codes_pb2.PART_CATEGORY_CONTEXT,
    codes_pb2.PART_CATEGORY_PERSON,
    codes_pb2.PART_CATEGORY_INDICATOR,
)
GROUPS = (
    common_pb2.FIELD_GROUP_IDENTITY,
    common_pb2.FIELD_GROUP_BIOMETRICS,
    common_pb2.FIELD_GROUP_HEALTH,
)
SUBJECTS = (common_pb2.DATA_SUBJECT_CATEGORY_SUSPECT, common_pb2.DATA_SUBJECT_CATEGORY_VICTIM)
PURPOSES = (codes_pb2.PURPOSE_INVESTIGATION, codes_pb2.PURPOSE_PROSECUTION)
TLP = (common_pb2.TLP_RED, common_pb2.TLP_AMBER, common_pb2.TLP_CLEAR)
SIENA = (codes_pb2.SIENA_CODE_H0, codes_pb2.SIENA_CODE_H1)
RIGHTS = (
    codes_pb2.OFFICER_RIGHT_DRAFT,
    codes_pb2.OFFICER_RIGHT_SIGN,
    codes_pb2.OFFICER_RIGHT_APPROVE,
)
URGENCIES = (codes_pb2.URGENCY_ROUTINE, codes_pb2.URGENCY_URGENT)
ASSISTANCE = (
    request_pb2.ASSISTANCE_KIND_INFORMATION,
    request_pb2.ASSISTANCE_KIND_TAKEDOWN,
)
PERMIT = agreement_pb2.CLAUSE_EFFECT_PERMIT
REQUIRE = agreement_pb2.CLAUSE_EFFECT_REQUIRE
REFUSE = agreement_pb2.CLAUSE_EFFECT_REFUSE
NOT_STATED = deadline_pb2.DEADLINE_KIND_UNSPECIFIED
ANSWER, DECISION = deadline_pb2.DEADLINE_KIND_ANSWER, deadline_pb2.DEADLINE_KIND_DECISION
EFFECTS = (PERMIT, PERMIT, PERMIT, PERMIT, REQUIRE, REFUSE)


def _some(values: Sequence[T], *, at_least: int = 1) -> st.SearchStrategy[list[T]]:
    """Some of the values, in order; a mask is cheaper to draw than a list of distinct values."""
    return st.integers(at_least, (1 << len(values)) - 1).map(
        lambda chosen: [value for index, value in enumerate(values) if chosen >> index & 1]
    )


def _few(names: Sequence[str], *, at_most: int) -> st.SearchStrategy[list[str]]:
    # Few at a time: with many, everything would be refused and nothing else be seen.
    return st.lists(st.sampled_from(names), max_size=at_most, unique=True)


_DIMENSIONS: Mapping[str, Sequence[object]] = {
    "senders": AGENCIES,
    "recipients": AGENCIES,
    "kinds": KINDS,
    "categories": CATEGORIES,
    "field_groups": GROUPS,
    "data_subjects": SUBJECTS,
    "purposes": PURPOSES,
    "offences": OFFENCES,
    "tlp": TLP,
    "siena_codes": SIENA,
    "urgencies": URGENCIES,
    "assistance_kinds": ASSISTANCE,
}


@st.composite
def scopes(draw: st.DrawFn, *, at_most: int) -> agreement_pb2.Scope:
    """A scope that is closed in a few dimensions."""
    made = agreement_pb2.Scope()
    for name in draw(_few(list(_DIMENSIONS), at_most=at_most)):
        getattr(made, name).extend(draw(_some(_DIMENSIONS[name])))
    return made


@st.composite
def _deadlines(draw: st.DrawFn) -> list[agreement_pb2.Deadline]:
    rows = [
        (urgency, available, due)
        for urgency in URGENCIES
        for available in (False, True)
        for due in (ANSWER, DECISION)
    ]
    return [
        agreement_pb2.Deadline(
            urgency=urgency,
            directly_available=available,
            unit=draw(st.sampled_from((1, 2, 3))),  # type: ignore[arg-type]  # numbers of the enum
            amount=draw(st.integers(1, 8)),
            kind=draw(st.sampled_from((NOT_STATED, ANSWER))) if due == ANSWER else due,
        )
        for urgency, available, due in draw(_some(rows))
    ]


_CONDITIONS: Mapping[str, st.SearchStrategy[object]] = {
    "dual_criminality": st.just(value=True),
    "minimum_penalty_months": st.sampled_from((12, 48)),
    "four_eyes": st.just(value=True),
    "case_reference": st.just(value=True),
    "justification": st.just(value=True),
    "sealing": st.integers(1, 2),
    "onward_transfer_at_most": st.integers(1, 3),
    "evidential_use_at_most": st.integers(1, 3),
    "retention_at_most_days": st.sampled_from((30, 365)),
    "reference": st.integers(1, 2),
    "records_at_most": st.integers(1, 10),
    "quota": st.builds(
        agreement_pb2.Quota,
        unit=st.sampled_from((1, 2)),
        limit=st.integers(1, 40),
        period_days=st.just(1),
    ),
    "deadlines": _deadlines(),
}


@st.composite
def conditions(draw: st.DrawFn) -> agreement_pb2.Conditions:
    """None, one or two conditions."""
    made = agreement_pb2.Conditions()
    for name in draw(_few(list(_CONDITIONS), at_most=2)):
        value = draw(_CONDITIONS[name])
        if isinstance(value, list):
            made.deadlines.extend(value)
        elif isinstance(value, agreement_pb2.Quota):
            made.quota.CopyFrom(value)
        else:
            setattr(made, name, value)
    return made


@st.composite
def clauses(
    draw: st.DrawFn,
    *,
    number: int,
    article: str,
    effects: Sequence[agreement_pb2.ClauseEffect.ValueType] = EFFECTS,
) -> agreement_pb2.Clause:
    """A clause that the checks of agreements let pass."""
    effect = draw(st.sampled_from(effects))
    clause = agreement_pb2.Clause(
        clause_id=f"clause-{number}",
        article=article,
        effect=effect,
        scope=draw(scopes(at_most=2 if effect == PERMIT else 4)),
    )
    if effect == PERMIT:
        clause.conditions.CopyFrom(draw(conditions()))
        clause.obligations.retention_days = draw(st.integers(0, 90))
        if list(clause.scope.categories) == [codes_pb2.PART_CATEGORY_CONTEXT]:
            clause.scope.ClearField("categories")
        return _sensible(clause)
    clause.reach = draw(st.sampled_from((0, 1, 2, 2)))  # type: ignore[assignment]  # numbers of the enum
    if not clause.scope.ListFields():
        # One that is about everything leaves nothing to look at.
        clause.scope.field_groups.append(common_pb2.FIELD_GROUP_HEALTH)
    if effect == REQUIRE:
        clause.conditions.CopyFrom(draw(conditions()))
        rows = clause.conditions.deadlines
        if not clause.conditions.ListFields() or (rows and all(r.kind == DECISION for r in rows)):
            clause.conditions.case_reference = True
    return _sensible(clause)


def _sensible(clause: agreement_pb2.Clause) -> agreement_pb2.Clause:
    """Return the clause without deadlines where it is not about requests."""
    kinds = clause.scope.kinds
    if clause.conditions.deadlines and kinds and codes_pb2.KIND_REQUEST not in kinds:
        clause.conditions.ClearField("deadlines")
        clause.conditions.justification = True
    return clause


@st.composite
def _offences(draw: st.DrawFn) -> list[agreement_pb2.PartyOffence]:
    """Rows for each party, with one that makes dual criminality and minimum penalties possible."""
    rows = [(agency, offence) for agency in AGENCIES for offence in OFFENCES if offence != "0701"]
    made = [
        agreement_pb2.PartyOffence(
            agency=agency, iccs=offence, maximum_penalty_months=draw(st.sampled_from((6, 60)))
        )
        for agency, offence in draw(_some(rows, at_least=0))
    ]
    return [
        *made,
        *(
            agreement_pb2.PartyOffence(agency=agency, iccs="0701", maximum_penalty_months=60)
            for agency in AGENCIES
        ),
    ]


@st.composite
def agreements(
    draw: st.DrawFn,
    *,
    effects: Sequence[agreement_pb2.ClauseEffect.ValueType] = EFFECTS,
) -> agreement_pb2.Agreement:
    """An agreement of the three agencies that the checks let pass."""
    articles = draw(st.permutations(ARTICLES))[: draw(st.integers(1, 5))]
    made = agreement_pb2.Agreement(
        schema_version=1,
        agreement_id="test",
        version=1,
        title="Test",
        parties=[
            agreement_pb2.Party(
                agency=agency,
                root=agreement_pb2.PublicKey(algorithm="Ed25519", public_key=bytes([n] * 32)),
            )
            for n, agency in enumerate(AGENCIES, start=1)
        ],
        valid_from_time=Timestamp(seconds=ENTRY - DAY),
        unpermitted_parts=draw(st.sampled_from((1, 2))),  # type: ignore[arg-type]  # numbers of the enum
        offences=draw(_offences()),
        clauses=[
            draw(clauses(number=number, article=article, effects=effects))
            for number, article in enumerate(articles)
        ],
    )
    assert [] == check_agreement(made)
    return made


def compiled(agreement: agreement_pb2.Agreement) -> CompiledAgreement:
    """Return an agreement ready for deciding, with nothing remembered."""
    return compile_agreement(agreement.SerializeToString(deterministic=True))


@st.composite
def parts(draw: st.DrawFn) -> envelope_pb2.PartDescriptor:
    """A part's descriptor."""
    category = draw(st.sampled_from(CATEGORIES))
    is_context = category == codes_pb2.PART_CATEGORY_CONTEXT
    return envelope_pb2.PartDescriptor(
        category=category,
        schema="rogatory.records.v1.Persons",
        commitment=bytes(32),
        sealed=draw(st.booleans()),
        facts=envelope_pb2.PartFacts(
            record_count=draw(st.integers(0, 15)),
            field_groups=[] if is_context else draw(_some(GROUPS, at_least=0)),
            data_subjects=[] if is_context else draw(_some(SUBJECTS, at_least=0)),
            case_reference=is_context and draw(st.booleans()),
            justification=is_context and draw(st.booleans()),
        ),
    )


@st.composite
def headers(draw: st.DrawFn) -> envelope_pb2.Header:
    """A header from aa.alpha to one or two others."""
    kind = draw(st.sampled_from(KINDS))
    header = envelope_pb2.Header(
        schema_version=1,
        message_id="01920000-0000-7000-8000-000000000000",
        sender=AGENCIES[0],
        recipients=[
            envelope_pb2.Recipient(
                agency=agency,
                agreement_id="test",
                article=draw(st.sampled_from((*["Art. 1"] * 12, *ARTICLES, "Art. 9"))),
            )
            for agency in draw(st.permutations(AGENCIES[1:]))[: draw(st.integers(1, 2))]
        ],
        audience="gateway.test",
        create_time=Timestamp(seconds=ENTRY - 5),
        expire_time=Timestamp(seconds=ENTRY + 3600),
        kind=kind,
        purpose=draw(st.sampled_from(PURPOSES)),
        offences=draw(_some(OFFENCES[:5], at_least=0)),
        urgency=draw(st.sampled_from(URGENCIES)),
        handling=envelope_pb2.Handling(
            tlp=draw(st.sampled_from(TLP)),
            siena_codes=draw(_some(SIENA, at_least=0)),
            onward_transfer=draw(st.integers(1, 3)),  # type: ignore[arg-type]  # likewise
            evidential_use=draw(st.integers(1, 3)),  # type: ignore[arg-type]  # likewise
        ),
        signed_by=[envelope_pb2.SignedBy(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)],
        parts=[draw(parts()) for _ in range(draw(st.sampled_from((0, 1, 2, 2, 3, 3))))],
    )
    if draw(st.booleans()):
        days = draw(st.sampled_from((10, 30, 31, 300, 400)))
        header.handling.retention_end_time.seconds = ENTRY + days * DAY
    if kind == codes_pb2.KIND_REQUEST:
        header.request.assistance_kind = draw(st.sampled_from(ASSISTANCE))
        header.request.directly_available = draw(st.booleans())
        if draw(st.booleans()):
            hours = draw(st.integers(1, 300))
            header.request.respond_by_time.seconds = ENTRY + hours * 3600
    return header


@st.composite
def contexts(draw: st.DrawFn) -> decision_pb2.DecisionContext:
    """A context on some weekday, signed by the agency's system and some officers."""
    made = decision_pb2.DecisionContext(
        entry_time=Timestamp(seconds=ENTRY + draw(st.integers(0, 6)) * DAY),
        recipient_enrolled=draw(st.integers(0, 19)) > 0,
        reference=draw(st.integers(0, 2)),  # type: ignore[arg-type]  # numbers of the enum
        signers=[decision_pb2.SignerStanding(key=bytes(32), role=codes_pb2.KEY_ROLE_SIGNING)],
        quotas=[
            decision_pb2.QuotaCount(clause_id=f"clause-{n}", count=draw(st.integers(0, 22)))
            for n in range(6)
        ],
    )
    made.signers.extend(draw(st.lists(_officers(), max_size=3)))
    return made


@st.composite
def _officers(draw: st.DrawFn) -> decision_pb2.SignerStanding:
    # Few keys and pseudonyms: one officer with two keys should come up, and one key said twice.
    return officer(
        key=draw(st.integers(1, 3)), name=draw(st.integers(1, 3)), rights=draw(_some(RIGHTS))
    )


def officer(
    *, key: int, name: int, rights: Sequence[codes_pb2.OfficerRight.ValueType]
) -> decision_pb2.SignerStanding:
    """An officer who signed."""
    return decision_pb2.SignerStanding(
        key=bytes([key] * 32),
        role=codes_pb2.KEY_ROLE_OFFICER,
        officer=f"officer-{name}",
        rights=rights,
    )


def lacking(
    signers: Sequence[decision_pb2.SignerStanding],
) -> list[decision_pb2.SignerStanding]:
    """The fewest signatures of officers that have not signed yet that four eyes lacks."""
    author = officer(key=8, name=8, rights=[codes_pb2.OFFICER_RIGHT_SIGN])
    approver = officer(key=9, name=9, rights=[codes_pb2.OFFICER_RIGHT_APPROVE])
    has = {right for signer in signers for right in signer.rights}
    if codes_pb2.OFFICER_RIGHT_SIGN in has:
        return [approver]
    return [author] if codes_pb2.OFFICER_RIGHT_APPROVE in has else [author, approver]
