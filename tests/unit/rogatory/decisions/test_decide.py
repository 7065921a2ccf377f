"""`decide`: which clause speaks, what becomes of each part, and what is owed."""

from __future__ import annotations

import pytest

from rogatory import facts
from rogatory.agreements import CompiledAgreement
from rogatory.decisions import DecisionMemo, decide, quota_usage, read_header, situate
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from tests.support.records import person, persons
from tests.unit.rogatory.decisions import samples as s

PERMITTED = decision_pb2.DISPOSITION_PERMITTED
WITHHELD = decision_pb2.DISPOSITION_WITHHELD
REFUSED = decision_pb2.DISPOSITION_REFUSED

CLAUSES = """\
clauses:
  - clause_id: suspects
    article: Art. 4(1)
    effect: permit
    scope: {kinds: [transfer], categories: [person], field_groups: [identity], purposes: [investigation], offences: [07]}
    obligations: {retention_days: 30, onward_transfer: with_consent, confirm_in_writing_within_hours: 24}
  - clause_id: indicators
    article: Art. 4(2)
    effect: permit
    scope: {categories: [indicator]}
    obligations: {retention_days: 90, onward_transfer: never, acknowledge_within_hours: 8}
  - clause_id: everything-urgent
    article: Art. 5
    effect: permit
    scope: {urgencies: [urgent]}
"""  # noqa: E501 - a flow mapping on one line reads best
NAMED = s.part(groups=[s.IDENTITY], subjects=[s.SUSPECT])
HOSTS = s.part(s.INDICATOR)


def _decide(
    agreement: CompiledAgreement | None,
    header: envelope_pb2.Header,
    context: decision_pb2.DecisionContext | None = None,
) -> decision_pb2.Decision:
    return decide(
        agreement=agreement, header=header, recipient_index=0, context=context or s.context()
    )


def test_permitted_by_the_first_clause_that_covers_a_part() -> None:
    """Each part cites its own clause; the message cites the first of them."""
    decision = _decide(s.compiled(CLAUSES), s.header(HOSTS, NAMED, article="Art. 4"))

    assert (PERMITTED, "Art. 4(1)", "suspects") == (
        decision.disposition,
        decision.article,
        decision.clause_id,
    )
    assert ["indicators", "suspects"] == [part.clause_id for part in decision.parts]
    assert not decision.HasField("remedy")


def test_obligations_are_the_strictest_of_the_permitting_clauses() -> None:
    """Shortest retention, least onward transfer; what one clause does not allow is not allowed."""
    decision = _decide(s.compiled(CLAUSES), s.header(HOSTS, NAMED, article="Art. 4"))

    owed = decision.obligations
    assert (30, codes_pb2.ONWARD_TRANSFER_NEVER, 8, 0) == (
        owed.retention_days,
        owed.onward_transfer,
        owed.acknowledge_within_hours,
        owed.confirm_in_writing_within_hours,
    )


def test_only_clauses_under_the_cited_article_permit() -> None:
    """A clause of another article stays silent, and says that the article is why."""
    decision = _decide(s.compiled(CLAUSES), s.header(HOSTS, article="Art. 4(1)"))

    assert (REFUSED, decision_pb2.GROUND_NO_PERMITTING_CLAUSE, "Art. 4(1)", "") == (
        decision.disposition,
        decision.ground,
        decision.article,
        decision.clause_id,
    )
    assert [decision_pb2.SCOPE_DIMENSION_ARTICLE] == list(decision.findings[1].outside)
    assert "Art. 4(2)" == decision.remedy.changes[0].cite_article


@pytest.mark.parametrize("article", ["Art. 6", "Art. 41", "Art", "art. 4"])
def test_an_article_that_permits_nothing_does_not_exist(article: str) -> None:
    """The ground says so, and cites what the header cited."""
    decision = _decide(s.compiled(CLAUSES), s.header(HOSTS, article=article))

    assert (REFUSED, decision_pb2.GROUND_NO_SUCH_ARTICLE, article) == (
        decision.disposition,
        decision.ground,
        decision.article,
    )


def test_unknown_recipient_comes_before_everything() -> None:
    """Whoever is not enrolled gets nothing, and no clause is even read."""
    decision = _decide(s.compiled(CLAUSES), s.header(HOSTS), s.context(enrolled=False))

    assert (REFUSED, decision_pb2.GROUND_UNKNOWN_RECIPIENT) == (
        decision.disposition,
        decision.ground,
    )
    assert [] == list(decision.findings)
    assert [decision_pb2.GROUND_UNKNOWN_RECIPIENT] == [part.ground for part in decision.parts]


@pytest.mark.parametrize(
    "header",
    [
        s.header(HOSTS, recipients=["zz.zeta"]),
        s.header(HOSTS, agreement_id="another"),
    ],
)
def test_an_agreement_decides_only_what_is_between_its_parties(
    header: envelope_pb2.Header,
) -> None:
    """A stranger to the agreement, or a header that cites another one, finds none in force."""
    decision = _decide(s.compiled(CLAUSES), header)

    assert decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE == decision.ground
    assert decision == _decide(None, header)


def test_unpermitted_part_refuses_the_message_or_is_withheld() -> None:
    """The agreement says which; the withheld part and the refused message name the same ground."""
    header = s.header(HOSTS, s.part(groups=[s.HEALTH]), s.context_part(), article="Art. 4")

    whole = _decide(s.compiled(CLAUSES), header)
    partly = _decide(s.compiled(CLAUSES, unpermitted_parts="withhold"), header)

    assert (REFUSED, [False] * 3) == (whole.disposition, [p.disclosed for p in whole.parts])
    assert (WITHHELD, [True, False, True]) == (
        partly.disposition,
        [p.disclosed for p in partly.parts],
    )
    assert whole.ground == partly.ground == decision_pb2.GROUND_NO_PERMITTING_CLAUSE


def test_nothing_left_is_a_refusal() -> None:
    """Where every part is withheld the message is refused, with what explains it but context."""
    agreement = s.compiled(CLAUSES, unpermitted_parts="withhold")

    decision = _decide(agreement, s.header(s.context_part(), s.part(groups=[s.HEALTH])))

    assert REFUSED == decision.disposition
    assert [False, False] == [part.disclosed for part in decision.parts]


@pytest.mark.parametrize(
    ("reach", "disposition"), [("part", WITHHELD), ("message", REFUSED), ("", REFUSED)]
)
def test_a_refusal_takes_the_part_or_the_message(reach: str, disposition: int) -> None:
    """By its reach; a clause that says nothing of it refuses the message."""
    refusal = f"""\
  - clause_id: no-suspects
    article: Art. 9
    effect: refuse
    scope: {{data_subjects: [suspect]}}
    {f"reach: {reach}" if reach else ""}
"""

    decision = _decide(s.compiled(CLAUSES + refusal), s.header(HOSTS, NAMED, article="Art. 4"))

    assert (disposition, decision_pb2.GROUND_REFUSED_BY_CLAUSE, "Art. 9", "no-suspects") == (
        decision.disposition,
        decision.ground,
        decision.article,
        decision.clause_id,
    )
    assert (disposition == WITHHELD, False) == tuple(p.disclosed for p in decision.parts)


def test_a_part_that_is_refused_and_not_permitted_still_refuses_the_message() -> None:
    """Adding a clause that withholds a part does not make room for the rest of the message."""
    refusal = "  - {clause_id: no, article: Art. 9, effect: refuse, reach: part, scope: {field_groups: [health]}}\n"  # noqa: E501
    header = s.header(HOSTS, s.part(groups=[s.HEALTH]), article="Art. 4")

    decision = _decide(s.compiled(CLAUSES + refusal), header)

    assert REFUSED == decision.disposition
    assert ["", "no"] == [part.clause_id for part in decision.parts]


def test_requirements_hold_whatever_article_is_cited() -> None:
    """A REQUIRE clause refuses what does not meet it and permits nothing by itself."""
    requirement = """\
  - clause_id: reasons
    article: Art. 9
    effect: require
    conditions: {justification: true}
"""
    agreement = s.compiled(CLAUSES + requirement)

    without = _decide(agreement, s.header(HOSTS, article="Art. 4"))
    within = _decide(agreement, s.header(HOSTS, s.context_part(why=True), article="Art. 4"))
    alone = _decide(agreement, s.header(HOSTS, s.context_part(why=True), article="Art. 9"))

    assert (REFUSED, decision_pb2.GROUND_CONDITION_NOT_MET, "reasons") == (
        without.disposition,
        without.ground,
        without.clause_id,
    )
    assert (PERMITTED, "indicators") == (within.disposition, within.clause_id)
    assert decision_pb2.VERDICT_SATISFIED == within.findings[3].verdict
    assert decision_pb2.GROUND_NO_SUCH_ARTICLE == alone.ground


def test_context_follows_unless_a_clause_names_it() -> None:
    """CONTEXT goes where any part goes; only a refusal that names it keeps it back."""
    refusal = """\
  - clause_id: no-context
    article: Art. 9
    effect: refuse
    scope: {categories: [context]}
    reach: part
"""
    header = s.header(s.context_part(), HOSTS, article="Art. 4")

    follows = _decide(s.compiled(CLAUSES), header)
    kept = _decide(s.compiled(CLAUSES + refusal), header)

    assert [True, True] == [part.disclosed for part in follows.parts]
    assert "indicators" == follows.parts[0].clause_id
    assert (WITHHELD, [False, True]) == (kept.disposition, [p.disclosed for p in kept.parts])
    assert [0] == list(kept.findings[3].parts)


def test_a_message_without_parts_matches_open_lists_only() -> None:
    """Where a clause speaks of categories it does not speak of a message that holds none."""
    urgent = s.header(article="Art. 5", urgency=codes_pb2.URGENCY_URGENT)

    assert PERMITTED == _decide(s.compiled(CLAUSES), urgent).disposition
    assert REFUSED == _decide(s.compiled(CLAUSES), s.header(article="Art. 4")).disposition


def test_sealed_parts_leave_facts_unchecked() -> None:
    """The decision says that it rests on the sender's word."""
    decision = _decide(s.compiled(CLAUSES), s.header(s.part(s.INDICATOR, sealed=True)))

    assert decision.facts_unchecked


def test_each_recipient_is_decided_by_itself() -> None:
    """One header, two recipients, two decisions."""
    agreement = s.compiled(
        "clauses:\n"
        "  - {clause_id: a, article: Art. 1, effect: permit, scope: {recipients: [bb.beta]}}\n"
    )
    header = read_header(s.header(HOSTS, recipients=[s.BETA, s.GAMMA]))

    decisions = [
        decide(agreement=agreement, header=header, recipient_index=index, context=s.context())
        for index in (0, 1)
    ]

    assert [PERMITTED, REFUSED] == [decision.disposition for decision in decisions]
    assert [decision_pb2.SCOPE_DIMENSION_DIRECTION] == list(decisions[1].findings[0].outside)


def test_a_code_of_a_later_version_is_in_no_list() -> None:
    """Values this version does not know are never permitted by a list, and break nothing."""
    header = s.header(HOSTS, article="Art. 4")
    header.parts[0].category = 999  # type: ignore[assignment]  # on purpose
    header.kind = 2_000_000_000  # type: ignore[assignment]  # on purpose
    header.handling.tlp = 2_000_000_000  # type: ignore[assignment]  # on purpose

    assert REFUSED == _decide(s.compiled(CLAUSES), header).disposition


def test_quota_usage_counts_what_goes() -> None:
    """Records of disclosed parts, or one message; nothing where nothing went."""
    agreement = s.compiled(
        """\
clauses:
  - clause_id: hosts
    article: Art. 1(1)
    effect: permit
    scope: {categories: [indicator]}
    conditions: {quota: {unit: records, limit: 100, period_days: 1}}
  - clause_id: persons
    article: Art. 1(2)
    effect: permit
    scope: {categories: [person]}
    conditions: {quota: {unit: messages, limit: 2, period_days: 1}}
""",
        unpermitted_parts="withhold",
    )
    header = s.header(s.part(s.INDICATOR, records=40), s.part(s.INDICATOR, records=2), NAMED)
    spent = s.context(quotas=[("persons", 2)])

    both, one = _decide(agreement, header), _decide(agreement, header, spent)

    view = read_header(header)
    assert {"hosts": 42, "persons": 1} == quota_usage(
        agreement=agreement, header=view, decision=both
    )
    assert {"hosts": 42} == quota_usage(agreement=agreement, header=view, decision=one)


def test_like_messages_share_a_situation_while_clock_and_counters_run() -> None:
    """Only what the agreement asks of time and quotas makes situations differ."""
    agreement = s.compiled(
        """\
clauses:
  - clause_id: hosts
    article: Art. 1
    effect: permit
    conditions: {retention_at_most_days: 30, quota: {unit: messages, limit: 9, period_days: 1}}
"""
    )

    def situation(retention: int, count: int) -> object:
        return situate(
            agreement=agreement,
            header=read_header(s.header(HOSTS, retention=retention)),
            recipient_index=0,
            context=s.context(quotas=[("hosts", count)]),
        )

    assert situation(5 * s.DAY, 0) == situation(29 * s.DAY + 7, 8)
    assert situation(5 * s.DAY, 0) != situation(31 * s.DAY, 0)
    assert situation(5 * s.DAY, 8) != situation(5 * s.DAY, 9)


def test_memo_is_bounded() -> None:
    """Senders who make up message after message do not fill the memory."""
    memo = DecisionMemo(capacity=4)
    agreement = s.compiled(CLAUSES)
    for records in range(40):
        header = read_header(s.header(s.part(s.INDICATOR, records=records)))
        memo.decide(agreement=agreement, header=header, recipient_index=0, context=s.context())

    assert len(memo) <= 4


@pytest.mark.parametrize(
    ("groups", "expected"), [("identity", REFUSED), ("identity, foreign", PERMITTED)]
)
def test_fields_without_a_name_pass_only_where_a_clause_names_them(
    groups: str, expected: int
) -> None:
    """A DNA profile in a foreign field does not go as identity, the one group permitted."""
    suspect = person()
    suspect.foreign_fields.add(system="lims", name="dna_profile", value=b"16,17 21,23")
    part = s.part()
    part.facts.CopyFrom(facts.of_message(persons(suspect)))
    agreement = s.compiled(
        "clauses: [{clause_id: suspects, article: Art. 4, effect: permit,"
        f" scope: {{field_groups: [{groups}]}}}}]"
    )

    decision = _decide(agreement, s.header(part, article="Art. 4"))

    assert expected == decision.disposition
