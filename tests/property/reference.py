"""The rules once more, written from the protos' comments without any thought for speed.

An oracle for `decide`: what becomes of the message, and which parts go.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count, product

from rogatory.assistance.v1 import deadline_pb2
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, decision_pb2, envelope_pb2

CONTEXT = codes_pb2.PART_CATEGORY_CONTEXT
PERMIT = agreement_pb2.CLAUSE_EFFECT_PERMIT
REQUIRE = agreement_pb2.CLAUSE_EFFECT_REQUIRE
REFUSE = agreement_pb2.CLAUSE_EFFECT_REFUSE
ANSWERS = (deadline_pb2.DEADLINE_KIND_UNSPECIFIED, deadline_pb2.DEADLINE_KIND_ANSWER)


class Reference:
    """One message for one recipient under one agreement."""

    def __init__(
        self,
        agreement: agreement_pb2.Agreement,
        header: envelope_pb2.Header,
        index: int,
        context: decision_pb2.DecisionContext,
    ) -> None:
        self.agreement = agreement
        self.header = header
        self.recipient = header.recipients[index]
        self.context = context
        self.entry = datetime.fromtimestamp(context.entry_time.seconds, UTC)
        self.units: list[int | None] = [
            n for n, part in enumerate(header.parts) if part.category != CONTEXT
        ] or [None]

    def disclosed(self) -> list[bool] | None:
        """Whether each part goes; None when the message is refused."""
        permitted, refused = set(), set()
        if not self.context.recipient_enrolled or not self._article_exists():
            return None
        for clause in self.agreement.clauses:
            for unit in self.units:
                if clause.effect == PERMIT and self._permits(clause, unit):
                    permitted.add(unit)
            if clause.effect != PERMIT:
                hit = {unit for unit in self._spoken_of(clause) if self._refuses(clause, unit)}
                if hit and clause.reach != agreement_pb2.REFUSAL_REACH_PART:
                    return None
                refused |= hit
        withhold = self.agreement.unpermitted_parts == agreement_pb2.UNPERMITTED_PARTS_WITHHOLD
        if not withhold and set(self.units) - permitted:
            return None
        goes = [unit for unit in self.units if unit in permitted - refused]
        if not goes:
            return None
        return [
            n not in refused if part.category == CONTEXT else n in goes
            for n, part in enumerate(self.header.parts)
        ]

    def _article_exists(self) -> bool:
        return any(self._cited(c) for c in self.agreement.clauses if c.effect == PERMIT)

    def _cited(self, clause: agreement_pb2.Clause) -> bool:
        cited = self.recipient.article
        return clause.article == cited or clause.article.startswith(f"{cited}(")

    def _spoken_of(self, clause: agreement_pb2.Clause) -> list[int | None]:
        if CONTEXT not in clause.scope.categories:
            return self.units
        context = [n for n, part in enumerate(self.header.parts) if part.category == CONTEXT]
        return [*self.units, *context]

    def _permits(self, clause: agreement_pb2.Clause, unit: int | None) -> bool:
        return self._cited(clause) and self._in_scope(clause, unit) and self._met(clause, unit)

    def _refuses(self, clause: agreement_pb2.Clause, unit: int | None) -> bool:
        if not self._in_scope(clause, unit):
            return False
        return clause.effect == REFUSE or not self._met(clause, unit)

    def _in_scope(self, clause: agreement_pb2.Clause, unit: int | None) -> bool:
        scope, header = clause.scope, self.header
        permit = clause.effect == PERMIT
        single = (
            (scope.senders, header.sender),
            (scope.recipients, self.recipient.agency),
            (scope.kinds, header.kind),
            (scope.purposes, header.purpose),
            (scope.tlp, header.handling.tlp),
            (scope.urgencies, header.urgency),
            (scope.assistance_kinds, header.request.assistance_kind),
        )
        if any(listed and said not in listed for listed, said in single):
            return False
        siena = set(header.handling.siena_codes)
        if scope.siena_codes and not (
            siena <= set(scope.siena_codes) if permit else siena & set(scope.siena_codes)
        ):
            return False
        if scope.offences:
            inside = [any(o.startswith(p) for p in scope.offences) for o in header.offences]
            if not (inside and all(inside) if permit else any(inside)):
                return False
        lists = (scope.categories, scope.field_groups, scope.data_subjects)
        if unit is None:
            return not any(lists)
        part = header.parts[unit]
        if scope.categories and part.category not in scope.categories:
            return False
        pairs = (
            (set(scope.field_groups), set(part.facts.field_groups)),
            (set(scope.data_subjects), set(part.facts.data_subjects)),
        )
        return all(
            not listed or (said <= listed if permit else bool(said & listed))
            for listed, said in pairs
        )

    def _met(self, clause: agreement_pb2.Clause, unit: int | None) -> bool:
        return (
            self._law(clause.conditions)
            and self._form(clause.conditions)
            and self._part(clause.conditions, unit)
            and self._course(clause)
        )

    def _law(self, conditions: agreement_pb2.Conditions) -> bool:
        offences = self.header.offences
        rows = self.agreement.offences
        if conditions.dual_criminality:
            for agency in (self.header.sender, self.recipient.agency):
                known = [row.iccs for row in rows if row.agency == agency]
                if not offences or not all(any(o.startswith(k) for k in known) for o in offences):
                    return False
        if conditions.minimum_penalty_months:
            for offence in offences:
                matching = [
                    row
                    for row in rows
                    if row.agency == self.header.sender and offence.startswith(row.iccs)
                ]
                closest = max(matching, key=lambda row: len(row.iccs), default=None)
                wanted = conditions.minimum_penalty_months
                if closest is None or closest.maximum_penalty_months < wanted:
                    return False
            return bool(offences)
        return True

    def _form(self, conditions: agreement_pb2.Conditions) -> bool:
        handling = self.header.handling
        context = [part.facts for part in self.header.parts if part.category == CONTEXT]
        latest = self.entry + timedelta(days=conditions.retention_at_most_days)
        end = handling.retention_end_time
        kept = handling.HasField("retention_end_time") and end.seconds <= latest.timestamp()
        return (
            (not conditions.four_eyes or self._two_officers())
            and (not conditions.case_reference or any(f.case_reference for f in context))
            and (not conditions.justification or any(f.justification for f in context))
            and handling.onward_transfer <= (conditions.onward_transfer_at_most or 3)
            and handling.evidential_use <= (conditions.evidential_use_at_most or 3)
            and (not conditions.retention_at_most_days or kept)
            and conditions.reference in (0, self.context.reference)
        )

    def _two_officers(self) -> bool:
        officers = [s for s in self.context.signers if s.role == codes_pb2.KEY_ROLE_OFFICER]
        authors = {(s.key, s.officer) for s in officers if codes_pb2.OFFICER_RIGHT_SIGN in s.rights}
        approving = {
            (s.key, s.officer) for s in officers if codes_pb2.OFFICER_RIGHT_APPROVE in s.rights
        }
        return any(
            not set(author) & set(approver) for author, approver in product(authors, approving)
        )

    def _part(self, conditions: agreement_pb2.Conditions, unit: int | None) -> bool:
        if unit is None:
            return True
        part = self.header.parts[unit]
        demanded = conditions.sealing == agreement_pb2.SEALING_DEMAND_SEALED
        return (not conditions.sealing or part.sealed == demanded) and (
            not conditions.records_at_most or part.facts.record_count <= conditions.records_at_most
        )

    def _course(self, clause: agreement_pb2.Clause) -> bool:
        conditions = clause.conditions
        if conditions.HasField("quota"):
            so_far = {q.clause_id: q.count for q in self.context.quotas}[clause.clause_id]
            used = 1
            if conditions.quota.unit == agreement_pb2.QUOTA_UNIT_RECORDS:
                used = sum(
                    self.header.parts[unit].facts.record_count
                    for unit in self._spoken_of(clause)
                    if unit is not None and self._in_scope(clause, unit)
                )
            if used > max(0, conditions.quota.limit - so_far):
                return False
        rows = [row for row in conditions.deadlines if row.kind in ANSWERS]
        if not rows or self.header.kind != codes_pb2.KIND_REQUEST:
            return True
        rows = [row for row in rows if row.urgency == self.header.urgency]
        same = [
            row for row in rows if row.directly_available == self.header.request.directly_available
        ]
        for row in (same or rows)[:1]:
            respond_by = self.header.request.respond_by_time.seconds
            return not respond_by or respond_by >= self._due(row).timestamp()
        return False

    def _due(self, row: agreement_pb2.Deadline) -> datetime:
        if row.unit == agreement_pb2.DEADLINE_UNIT_HOURS:
            return self.entry + timedelta(hours=row.amount)
        if row.unit == agreement_pb2.DEADLINE_UNIT_DAYS:
            return self.entry + timedelta(days=row.amount)
        worked = 0
        for days in count(1):
            due = self.entry + timedelta(days=days)
            worked += due.weekday() < 5
            if worked == row.amount:
                return due
        raise AssertionError
