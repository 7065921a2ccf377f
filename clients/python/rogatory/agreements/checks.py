"""What must hold of an agreement beyond its schema, so that every clause says one thing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from google.protobuf.message import Message

from rogatory import wire
from rogatory.agreements.compiled import ANSWERS
from rogatory.errors import Issue
from rogatory.exchange.v1 import agreement_pb2, codes_pb2

BASE_AGREEMENT_ID = "base"
"""Reserved for the published base agreement, whose parties are all enrolled agencies."""
MAX_QUOTA = 1_000_000_000
"""A larger quota limits nothing."""

_BIDI_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_PERMIT = agreement_pb2.CLAUSE_EFFECT_PERMIT
_REQUIRE = agreement_pb2.CLAUSE_EFFECT_REQUIRE
_REFUSE = agreement_pb2.CLAUSE_EFFECT_REFUSE


def check_agreement(agreement: agreement_pb2.Agreement, *, roots: bool = True) -> list[Issue]:
    """Return every fault of an agreement, those of its schema first; paths, no lines.

    Args:
        agreement: The agreement.
        roots: Parties must have their root keys; False for a draft.
    """
    rootless = {
        f"parties[{index}].root"
        for index, party in enumerate(agreement.parties)
        if not roots and not party.HasField("root")
    }
    issues = [
        Issue(message=violation.message, path=violation.path)
        for violation in wire.violations(agreement)
        if violation.path not in rootless
    ]
    for check in _CHECKS:
        issues.extend(check(agreement))
    return issues


def _check_parties(agreement: agreement_pb2.Agreement) -> Iterator[Issue]:
    agencies = [party.agency for party in agreement.parties]
    yield from _unique(agencies, "parties[{}].agency", "party")
    keys = [party.root.public_key for party in agreement.parties]
    for index, key in enumerate(keys):
        if key and key in keys[:index]:
            other = agencies[keys.index(key)]
            yield Issue(
                message=f"is also the root of {other}; a root key belongs to one agency",
                path=f"parties[{index}].root",
            )
    if agreement.agreement_id == BASE_AGREEMENT_ID:
        if agencies:
            yield Issue(
                message=f"the id {BASE_AGREEMENT_ID} is reserved for the base agreement, which"
                " names no parties",
                path="agreement_id",
            )
    elif len(set(agencies)) < 2:
        yield Issue(message="an agreement has two parties or more", path="parties")


def _check_validity(agreement: agreement_pb2.Agreement) -> Iterator[Issue]:
    if agreement.HasField("valid_until_time"):
        start, end = agreement.valid_from_time, agreement.valid_until_time
        if (end.seconds, end.nanos) <= (start.seconds, start.nanos):
            yield Issue(message="must be later than valid_from_time", path="valid_until_time")


def _check_offences(agreement: agreement_pb2.Agreement) -> Iterator[Issue]:
    parties = {party.agency for party in agreement.parties}
    seen: set[tuple[str, str]] = set()
    for index, row in enumerate(agreement.offences):
        path = f"offences[{index}]"
        if row.agency not in parties:
            yield _not_a_party(row.agency, parties, f"{path}.agency")
        if (row.agency, row.iccs) in seen:
            yield Issue(
                message=f"{row.agency} has a row for offence {row.iccs} already",
                path=f"{path}.iccs",
            )
        seen.add((row.agency, row.iccs))


def _check_characters(agreement: agreement_pb2.Agreement) -> Iterator[Issue]:
    for path, text in _texts(agreement, ""):
        bad = next((character for character in text if _misleads(character)), None)
        if bad is not None:
            yield Issue(
                message=f"holds U+{ord(bad):04X}, which cannot be seen or turns the text around",
                path=path,
            )
        elif text != text.strip():
            yield Issue(message="begins or ends with a space", path=path)
        elif "\n" in text and not path.endswith(".text"):
            yield Issue(message="must be one line", path=path)


def _texts(message: Message, path: str) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        name = f"{path}.{field.name}" if path else field.name
        values = enumerate(value) if field.is_repeated else [(-1, value)]
        for index, item in values:
            at = name if index < 0 else f"{name}[{index}]"
            if isinstance(item, str):
                yield at, item
            elif isinstance(item, Message):
                yield from _texts(item, at)


def _misleads(character: str) -> bool:
    return character != "\n" and (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in _BIDI_CONTROLS
    )


def _check_clause_names(agreement: agreement_pb2.Agreement) -> Iterator[Issue]:
    yield from _unique([c.clause_id for c in agreement.clauses], "clauses[{}].clause_id", "clause")
    yield from _unique([c.article for c in agreement.clauses], "clauses[{}].article", "clause")


def _check_clauses(agreement: agreement_pb2.Agreement) -> Iterator[Issue]:
    parties = {party.agency for party in agreement.parties}
    for index, clause in enumerate(agreement.clauses):
        path = f"clauses[{index}]"
        yield from _check_effect(clause, path)
        yield from _check_scope(clause, path, parties)
        yield from _check_conditions(clause, path, agreement)


def _check_effect(clause: agreement_pb2.Clause, path: str) -> Iterator[Issue]:
    conditions = clause.conditions.ListFields()
    if clause.effect == _REFUSE and conditions:
        yield Issue(
            message="a clause that refuses has no conditions; one that requires has them",
            path=f"{path}.conditions",
        )
    if clause.effect == _REQUIRE and _demands_nothing(clause.conditions):
        yield Issue(
            message="a clause that requires must say what: it has no conditions to be met",
            path=f"{path}.conditions",
        )
    if clause.effect in (_REFUSE, _REQUIRE) and clause.obligations.ListFields():
        yield Issue(
            message="only a clause that permits gives obligations", path=f"{path}.obligations"
        )
    if clause.effect == _PERMIT and clause.reach:
        yield Issue(
            message="only a clause that refuses or requires has a reach", path=f"{path}.reach"
        )


def _check_scope(clause: agreement_pb2.Clause, path: str, parties: set[str]) -> Iterator[Issue]:
    for name, agencies in (
        ("senders", clause.scope.senders),
        ("recipients", clause.scope.recipients),
    ):
        for index, agency in enumerate(agencies):
            if parties and agency not in parties:
                yield _not_a_party(agency, parties, f"{path}.scope.{name}[{index}]")
    categories = list(clause.scope.categories)
    if clause.effect == _PERMIT and categories == [codes_pb2.PART_CATEGORY_CONTEXT]:
        yield Issue(
            message="a CONTEXT part follows the others; a permission for it alone does nothing",
            path=f"{path}.scope.categories",
        )


def _check_conditions(
    clause: agreement_pb2.Clause, path: str, agreement: agreement_pb2.Agreement
) -> Iterator[Issue]:
    conditions = clause.conditions
    path = f"{path}.conditions"
    if conditions.quota.limit > MAX_QUOTA:
        yield Issue(message=f"must be at most {MAX_QUOTA}", path=f"{path}.quota.limit")
    kinds = list(clause.scope.kinds)
    if conditions.deadlines and kinds and codes_pb2.KIND_REQUEST not in kinds:
        yield Issue(
            message="deadlines are for requests, and the clause is not about any",
            path=f"{path}.deadlines",
        )
    yield from _check_deadlines(conditions.deadlines, f"{path}.deadlines")
    if conditions.dual_criminality and len({row.agency for row in agreement.offences}) < 2:
        yield Issue(
            message="can never be met: the agreement's offences have no rows for two parties",
            path=f"{path}.dual_criminality",
        )
    wanted = conditions.minimum_penalty_months
    if wanted and not any(row.maximum_penalty_months >= wanted for row in agreement.offences):
        yield Issue(
            message="can never be met: no row of the agreement's offences carries that much",
            path=f"{path}.minimum_penalty_months",
        )


def _check_deadlines(rows: Iterable[agreement_pb2.Deadline], path: str) -> Iterator[Issue]:
    seen = set()
    for index, row in enumerate(rows):
        # Unspecified is the answer; of that there is one, whichever way it is written.
        kind = min(ANSWERS) if row.kind in ANSWERS else row.kind
        key = (row.urgency, row.directly_available, kind)
        if key in seen:
            yield Issue(
                message="there is a deadline for the same urgency, availability and kind already",
                path=f"{path}[{index}]",
            )
        seen.add(key)


def _demands_nothing(conditions: agreement_pb2.Conditions) -> bool:
    """Say whether no rule looks at these conditions: there are none, or only other deadlines."""
    named = {field.name for field, _ in conditions.ListFields()}
    return named <= {"deadlines"} and all(row.kind not in ANSWERS for row in conditions.deadlines)


def _unique(values: Sequence[str], path: str, what: str) -> Iterator[Issue]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield Issue(message=f"another {what} has {value!r} already", path=path.format(index))


def _not_a_party(agency: str, parties: Iterable[str], path: str) -> Issue:
    return Issue(
        message=f"{agency!r} is no party; the parties are {', '.join(sorted(parties)) or 'none'}",
        path=path,
    )


_CHECKS: tuple[Callable[[agreement_pb2.Agreement], Iterator[Issue]], ...] = (
    _check_parties,
    _check_validity,
    _check_characters,
    _check_offences,
    _check_clause_names,
    _check_clauses,
)
