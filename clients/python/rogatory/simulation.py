"""What would have happened: past exchanges decided again under a draft agreement.

Each is decided with what was recorded of it (entry time, signers, standing of what it refers to and
of its procedures), as if the draft had been in force all along. Quotas are counted afresh, since
what a draft refuses uses up nothing. Nothing else follows on: an answer is judged as it was sent,
also where the draft would have refused the request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from rogatory.agreements.compiled import ANSWERS, CompiledAgreement, QuotaClause
from rogatory.assistance.v1 import deadline_pb2
from rogatory.clock import NANOSECONDS_PER_DAY
from rogatory.decisions import DecisionMemo, HeaderView, quota_usage, read_header
from rogatory.exchange.v1 import agreement_pb2, decision_pb2, envelope_pb2
from rogatory.pastentries import PastExchange

_REFUSED = decision_pb2.DISPOSITION_REFUSED

DueTerm = tuple[int, int, int]
"""A term of an agreement: (DeadlineKind, DeadlineUnit, amount)."""


class Change(Enum):
    """What a draft would change of one outcome."""

    NONE = "none"
    RESTATED = "restated"
    """The same goes, and the decision names another article or ground."""
    REFUSED = "refused"
    """Something went, and nothing would."""
    PERMITTED = "permitted"
    """Nothing went, and something would."""
    PARTS = "parts"
    """Something went, and other parts would."""

    @property
    def counts(self) -> bool:
        """Whether the outcome would be another: its disposition, or what is disclosed."""
        return self not in (Change.NONE, Change.RESTATED)


@dataclass(frozen=True, slots=True)
class Citation:
    """The clause that decided; empty where none did."""

    article: str
    clause_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """One outcome as it was, and as it would have been. Shared: do not change what is in it.

    Attributes:
        exchange: The exchange.
        position: Position of the recipient in the header.
        recorded: The outcome in the log.
        context: What the draft's decision rests on.
        decision: What the draft decides.
        change: What became another.
        terms_before, terms_after: What was and would be due, and within which terms; the first is
            None where the agreement of that time is not at hand.
    """

    exchange: PastExchange
    position: int
    recorded: decision_pb2.Outcome
    context: decision_pb2.DecisionContext
    decision: decision_pb2.Decision
    change: Change
    terms_before: tuple[DueTerm, ...] | None
    terms_after: tuple[DueTerm, ...]

    @property
    def goes(self) -> bool:
        """Whether the recipient got something, and would get something."""
        return _REFUSED not in (self.recorded.decision.disposition, self.decision.disposition)

    @property
    def duties_differ(self) -> bool:
        """Whether the recipient would owe something else for what it got and would still get."""
        return self.goes and (
            self.recorded.decision.obligations != self.decision.obligations
            or self.terms_before not in (None, self.terms_after)
        )

    @property
    def citations(self) -> tuple[Citation, Citation]:
        """Which clause decided and would decide; of the first part that differs if parts do."""
        before, after = self.recorded.decision, self.decision
        if self.change is Change.PARTS:
            for old, new in zip(before.parts, after.parts, strict=True):
                if old.disclosed != new.disclosed:
                    return citation(old), citation(new)
        return citation(before), citation(after)


@dataclass(slots=True)
class Tally:
    """Outcomes by what becomes of them.

    Attributes:
        outcomes: All that were decided again.
        refused, permitted, parts, restated: Those of each `Change`.
        duties: Those after which the recipient would owe something else.
    """

    outcomes: int = 0
    refused: int = 0
    permitted: int = 0
    parts: int = 0
    restated: int = 0
    duties: int = 0

    @property
    def changed(self) -> int:
        """Outcomes that would be others."""
        return self.refused + self.permitted + self.parts

    @property
    def unchanged(self) -> int:
        """Outcomes that would be the same."""
        return self.outcomes - self.changed

    def add(self, rerun: Rerun) -> None:
        """Count one outcome."""
        self.outcomes += 1
        self.duties += rerun.duties_differ
        if rerun.change is not Change.NONE:
            name = rerun.change.value
            setattr(self, name, getattr(self, name) + 1)


@dataclass(slots=True)
class LeftOut:
    """What was not decided again, and why; in outcomes, but for ``other_traffic``.

    Attributes:
        other_agreement: Sent under other agreements.
        no_party: Between agencies that are not both parties of the draft.
        not_openable: The log's holder may not open the outcome.
        no_agreement: None was in force between the two then.
        other_traffic: Exchanges of training where live ones are decided again, or the reverse.
    """

    other_agreement: int = 0
    no_party: int = 0
    not_openable: int = 0
    no_agreement: int = 0
    other_traffic: int = 0


class Simulation:
    """Takes exchanges in the order of the log and decides them again under a draft.

    Attributes:
        draft: The draft. Its validity does not matter: it stands for every past exchange.
        exercise: Training traffic is decided again, not live exchanges.
        exchanges: How many exchanges had an outcome that was decided again.
        total: All outcomes decided again.
        by_partner: The same by (sender, recipient).
        by_clause: Those that would be others, by what decided and what would decide.
        left_out: What was not decided again.
        incomplete_quotas: Outcomes before which more had been counted against a quota than the
            exchanges at hand show; what they do not show was taken as recorded.
    """

    def __init__(
        self,
        draft: CompiledAgreement,
        *,
        instead_of: Collection[str] = (),
        agreements: Mapping[bytes, CompiledAgreement] | None = None,
        exercise: bool = False,
        without_agreement: bool = False,
    ) -> None:
        """Start with nothing decided.

        Args:
            draft: Decides all that cites its id.
            instead_of: Further agreement ids: what was sent under these is decided as if it cited
                the draft, by the same article.
            agreements: Agreements of that time by digest, as far as they are at hand. May grow
                meanwhile, as `PastReader.agreements` does.
            exercise: Decide training traffic again, not live exchanges.
            without_agreement: Also decide again what was refused as no agreement was in force.
        """
        self.draft = draft
        self.exchanges = 0
        self.total = Tally()
        self.by_partner: dict[tuple[str, str], Tally] = {}
        self.by_clause: dict[tuple[Citation, Citation], Tally] = {}
        self.left_out = LeftOut()
        self.incomplete_quotas = 0
        self._ids = frozenset({draft.agreement_id, *instead_of})
        self._agreements = {} if agreements is None else agreements
        self.exercise = exercise
        self._without_agreement = without_agreement
        self._memo = DecisionMemo()
        self._terms: dict[bytes, dict[str, list[agreement_pb2.Deadline]]] = {}
        self._used = _Usage()
        self._recorded_use = _Usage()

    def take(self, exchange: PastExchange) -> list[Rerun]:
        """Decide an exchange again for each recipient it was decided for under such an agreement.

        Returns:
            One for each outcome that was decided again, in the header's order.
        """
        header = exchange.header
        if header.exercise != self.exercise:
            self.left_out.other_traffic += 1
            return []
        positions = [
            position
            for position in range(len(header.recipients))
            if self._concerns(exchange, position)
        ]
        if not positions:
            return []
        self.exchanges += 1
        view = read_header(header)
        cited = self._citing_draft(header, view)
        return [self._rerun(exchange, position, view, cited) for position in positions]

    def _concerns(self, exchange: PastExchange, position: int) -> bool:
        recipient = exchange.header.recipients[position]
        parties = self.draft.parties
        outcome = exchange.outcomes.get(position)
        if recipient.agreement_id not in self._ids:
            self.left_out.other_agreement += 1
        elif parties and not parties >= {exchange.header.sender, recipient.agency}:
            self.left_out.no_party += 1
        elif outcome is None:
            self.left_out.not_openable += 1
        elif not outcome.context.agreement_digest and not self._without_agreement:
            self.left_out.no_agreement += 1
        else:
            return True
        return False

    def _citing_draft(self, header: envelope_pb2.Header, view: HeaderView) -> HeaderView:
        """Return the header as if it cited the draft; the one as it is where it does."""
        if all(
            item.agreement_id not in self._ids or item.agreement_id == self.draft.agreement_id
            for item in header.recipients
        ):
            return view
        made = envelope_pb2.Header()
        made.CopyFrom(header)
        for item in made.recipients:
            if item.agreement_id in self._ids:
                item.agreement_id = self.draft.agreement_id
        return read_header(made)

    def _rerun(
        self, exchange: PastExchange, position: int, view: HeaderView, cited: HeaderView
    ) -> Rerun:
        recorded = exchange.outcomes[position]
        digest = recorded.context.agreement_digest
        then = self.draft if digest == self.draft.digest else self._agreements.get(digest)
        past = _Past(
            recorded,
            then,
            (exchange.header.sender, recorded.recipient),
            exchange.entry_time // NANOSECONDS_PER_DAY,
        )
        context = decision_pb2.DecisionContext()
        context.CopyFrom(recorded.context)
        context.agreement_digest = self.draft.digest
        del context.quotas[:]
        for clause_id, count in self._counts(past):
            context.quotas.add(clause_id=clause_id, count=count)
        decided = self._memo.decide(
            agreement=self.draft, header=cited, recipient_index=position, context=context
        )
        if not self.exercise:
            self._use(past, view, decided.decision, cited)
        rerun = Rerun(
            exchange=exchange,
            position=position,
            recorded=recorded,
            context=context,
            decision=decided.decision,
            change=change_between(recorded.decision, decided.decision),
            terms_before=None
            if then is None
            else self._due(then, recorded.decision, exchange.header),
            terms_after=self._due(self.draft, decided.decision, exchange.header),
        )
        self.total.add(rerun)
        self.by_partner.setdefault(past.pair, Tally()).add(rerun)
        if rerun.change.counts:
            self.by_clause.setdefault(rerun.citations, Tally()).add(rerun)
        return rerun

    def _counts(self, past: _Past) -> Iterator[tuple[str, int]]:
        """Yield what each quota of the draft has counted, by clause, as a gateway would say it."""
        incomplete = False
        for quota in self.draft.quota_clauses:
            # Training uses up no quota.
            count = 0
            if not self.exercise:
                first = past.day - quota.period_days + 1
                unseen = self._unseen(quota, past, first)
                incomplete |= unseen > 0
                count = self._used.since((quota.clause_id, *past.pair), first) + unseen
            yield quota.clause_id, count
        self.incomplete_quotas += incomplete

    def _unseen(self, quota: QuotaClause, past: _Past, first: int) -> int:
        """Return what the same quota had counted then, beyond what the exchanges taken show.

        Whoever has a part of the log only would else find quotas that were never used up.
        """
        same = past.agreement is not None and any(
            (one.clause_id, one.unit, one.period_days)
            == (quota.clause_id, quota.unit, quota.period_days)
            for one in past.agreement.quota_clauses
        )
        if not same:
            return 0
        outcome = past.outcome
        stated = sum(
            one.count for one in outcome.context.quotas if one.clause_id == quota.clause_id
        )
        key = (outcome.agreement_id, quota.clause_id, *past.pair)
        return max(0, stated - self._recorded_use.since(key, first))

    def _use(
        self, past: _Past, view: HeaderView, decision: decision_pb2.Decision, cited: HeaderView
    ) -> None:
        """Count what an exchange used up, and what it would have used up."""
        used = quota_usage(agreement=self.draft, header=cited, decision=decision)
        for clause_id, units in used.items():
            self._used.add((clause_id, *past.pair), past.day, units)
        if past.agreement is not None:
            outcome = past.outcome
            used = quota_usage(agreement=past.agreement, header=view, decision=outcome.decision)
            for clause_id, units in used.items():
                key = (outcome.agreement_id, clause_id, *past.pair)
                self._recorded_use.add(key, past.day, units)

    def _due(
        self,
        agreement: CompiledAgreement,
        decision: decision_pb2.Decision,
        header: envelope_pb2.Header,
    ) -> tuple[DueTerm, ...]:
        """Return the terms that the permitting clauses set for a message, as they stand there."""
        rows = self._terms.get(agreement.digest)
        if rows is None:
            rows = self._terms[agreement.digest] = {
                clause.clause_id: list(clause.conditions.deadlines)
                for clause in agreement.message().clauses
                if clause.conditions.deadlines
            }
        found: set[DueTerm] = set()
        if not rows or decision.disposition == _REFUSED:
            return ()
        available = header.request.directly_available
        for finding in decision.findings:
            if finding.verdict != decision_pb2.VERDICT_PERMITS:
                continue
            # The row with the same flag counts before the other.
            by_kind: dict[int, agreement_pb2.Deadline] = {}
            for row in rows.get(finding.clause_id, ()):
                if row.urgency != header.urgency:
                    continue
                kind = deadline_pb2.DEADLINE_KIND_ANSWER if row.kind in ANSWERS else row.kind
                known = by_kind.get(kind)
                if known is None or (
                    row.directly_available == available != known.directly_available
                ):
                    by_kind[kind] = row
            found.update((kind, row.unit, row.amount) for kind, row in by_kind.items())
        return tuple(sorted(found))


class _Past(NamedTuple):
    """An outcome with the agreement it rests on (None: not at hand), its pair and UTC day."""

    outcome: decision_pb2.Outcome
    agreement: CompiledAgreement | None
    pair: tuple[str, str]
    day: int


class _Usage:
    """Units counted, by key and UTC day of entry."""

    def __init__(self) -> None:
        self._days: defaultdict[tuple[str, ...], dict[int, int]] = defaultdict(dict)

    def add(self, key: tuple[str, ...], day: int, units: int) -> None:
        days = self._days[key]
        days[day] = days.get(day, 0) + units

    def since(self, key: tuple[str, ...], first: int) -> int:
        """Return what was counted from a day on."""
        days = self._days.get(key, {})
        return sum(units for day, units in days.items() if day >= first)


def change_between(before: decision_pb2.Decision, after: decision_pb2.Decision) -> Change:
    """Return what became another from one decision on a message to another on the same."""
    went, goes = before.disposition != _REFUSED, after.disposition != _REFUSED
    if went and not goes:
        return Change.REFUSED
    if goes and not went:
        return Change.PERMITTED
    if [part.disclosed for part in before.parts] != [part.disclosed for part in after.parts]:
        return Change.PARTS
    return Change.NONE if _grounds(before) == _grounds(after) else Change.RESTATED


def _grounds(decision: decision_pb2.Decision) -> list[tuple[int, str]]:
    parts = [(part.ground, part.article) for part in decision.parts]
    return [(decision.ground, decision.article), *parts]


def citation(decided: decision_pb2.Decision | decision_pb2.PartDecision) -> Citation:
    """Return the clause that decided on a message, or on a part of it."""
    return Citation(decided.article, decided.clause_id)
