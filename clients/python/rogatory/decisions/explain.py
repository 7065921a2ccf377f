"""Decisions in sentences, for people: what became of a message, why, and what would have helped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from rogatory.decisions.nextstep import next_step
from rogatory.exchange.v1 import agreement_pb2, decision_pb2
from rogatory.procedures.wording import describe, in_words
from rogatory.records.v1 import common_pb2

_GROUNDS: Mapping[int, str] = MappingProxyType(
    {
        decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE: (
            "no agreement of that id between the two is in force"
        ),
        decision_pb2.GROUND_NO_SUCH_ARTICLE: (
            "the agreement has no article of that name that permits anything"
        ),
        decision_pb2.GROUND_NO_PERMITTING_CLAUSE: "no clause of the cited article permits it",
        decision_pb2.GROUND_REFUSED_BY_CLAUSE: "a clause refuses it",
        decision_pb2.GROUND_CONDITION_NOT_MET: "a condition is not met",
        decision_pb2.GROUND_UNKNOWN_RECIPIENT: "the recipient is not enrolled, or no longer",
        decision_pb2.GROUND_REFERENCE_NOT_HELD: (
            "the message it refers to does not exist or is not the sender's to act on"
        ),
        decision_pb2.GROUND_STEP_NOT_ALLOWED: (
            "the procedure does not allow this step now, or not to this sender"
        ),
        decision_pb2.GROUND_CONSENT_MISSING: "the originator's consent is needed and not there",
        decision_pb2.GROUND_NOT_IN_OPERATION: (
            "sender or recipient takes no such part in the operation"
        ),
        decision_pb2.GROUND_RECALLED: "what it passes on was recalled by its originator",
    }
)
_CONDITIONS: Mapping[int, str] = MappingProxyType(
    {
        decision_pb2.CONDITION_DUAL_CRIMINALITY: "an offence under the law of both sides",
        decision_pb2.CONDITION_MINIMUM_PENALTY: "the minimum penalty",
        decision_pb2.CONDITION_FOUR_EYES: "two officers' signatures (author and approver)",
        decision_pb2.CONDITION_CASE_REFERENCE: "a case reference",
        decision_pb2.CONDITION_SEALING: "the form of its parts (sealed or clear)",
        decision_pb2.CONDITION_ONWARD_TRANSFER: "the limit on onward transfer",
        decision_pb2.CONDITION_EVIDENTIAL_USE: "the limit on evidential use",
        decision_pb2.CONDITION_RETENTION: "the limit on retention",
        decision_pb2.CONDITION_QUOTA: "the quota",
        decision_pb2.CONDITION_DEADLINE: "the deadline for its urgency",
        decision_pb2.CONDITION_REFERENCE: "the standing of the message it refers to",
        decision_pb2.CONDITION_JUSTIFICATION: "a justification",
        decision_pb2.CONDITION_RECORDS: "the number of records in a part",
    }
)
_ONWARD: Mapping[int, str] = MappingProxyType({1: "never allowed", 2: "with consent", 3: "allowed"})
_EVIDENTIAL: Mapping[int, str] = MappingProxyType(
    {1: "not allowed", 2: "with consent", 3: "allowed"}
)
_UNITS: Mapping[int, str] = MappingProxyType(
    {
        agreement_pb2.DEADLINE_UNIT_HOURS: "hour",
        agreement_pb2.DEADLINE_UNIT_DAYS: "day",
        agreement_pb2.DEADLINE_UNIT_WORKING_DAYS: "working day",
    }
)


_FIELD_GROUP = common_pb2.FieldGroup.DESCRIPTOR
_SUBJECT = common_pb2.DataSubjectCategory.DESCRIPTOR
_TLP = common_pb2.Tlp.DESCRIPTOR
_DIMENSION = decision_pb2.ScopeDimension.DESCRIPTOR


def summarise(decision: decision_pb2.Decision, *, recipient: str = "") -> str:
    """Return one sentence: what became of the message, on what ground, and the remedy if any."""
    to = f" for {recipient}" if recipient else ""
    by = f" under {decision.article}" if decision.article else ""
    if decision.disposition == decision_pb2.DISPOSITION_PERMITTED:
        return f"Permitted{to}{by}."
    ground = _GROUNDS.get(decision.ground, "no ground is given")
    if decision.disposition == decision_pb2.DISPOSITION_WITHHELD:
        withheld = [i for i, part in enumerate(decision.parts) if not part.disclosed]
        text = f"{_parts(withheld).capitalize()} withheld{to}{by}: {ground}."
    else:
        text = f"Refused{to}{by}: {ground}."
    remedy = describe_remedy(decision)
    return f"{text} {remedy}" if remedy else text


def explain(
    decision: decision_pb2.Decision,
    *,
    recipient: str = "",
    agreement: str = "",
    offences: Sequence[str] | None = None,
) -> list[str]:
    """Return a decision as sentences: the summary, each clause that spoke, and what follows.

    What stands in the way of a step comes after the summary. Clauses out of scope are counted, not
    listed; a refusal for want of a permission lists which dimension kept each permitting clause
    out. A refusal without a remedy ends with `next_step`.

    Args:
        decision: The decision.
        recipient: For whom it was made.
        agreement: Id of the agreement that was cited, or its file.
        offences: What the message states; None: it is not known here.
    """
    lines = [summarise(decision, recipient=recipient), *map(describe, decision.obstacles)]
    silent = 0
    denied = decision.ground in (
        decision_pb2.GROUND_NO_PERMITTING_CLAUSE,
        decision_pb2.GROUND_NO_SUCH_ARTICLE,
    )
    for finding in decision.findings:
        if finding.verdict != decision_pb2.VERDICT_NOT_APPLICABLE or denied:
            lines.append(_describe_finding(finding))
        else:
            silent += 1
    if silent:
        lines.append(f"{silent} other clause{_s(silent)} did not apply.")
    if decision.facts_unchecked:
        lines.append("Some parts are sealed: what the header says of them is the sender's word.")
    lines.extend(_describe_obligations(decision.obligations))
    step = next_step(decision, agreement=agreement, offences=offences)
    return [*lines, step] if step else lines


def describe_remedy(decision: decision_pb2.Decision) -> str:
    """Return the remedy as a sentence; empty when there is none.

    For example ``Without field group biometrics and with a second approval: permitted by Art. 4.``
    """
    if not decision.HasField("remedy"):
        return ""
    changes = _and(describe_change(change) for change in decision.remedy.changes)
    return f"{changes[:1].upper()}{changes[1:]}: permitted by {decision.remedy.article}."


def describe_change(change: decision_pb2.Change) -> str:
    """Return one change as a phrase, for example ``without field group biometrics``."""
    phrase = _PHRASES.get(change.WhichOneof("change") or "")
    return phrase(change) if phrase else "with a change that this version does not know"


def _deadline(change: decision_pb2.Change) -> str:
    amount = change.deadline.amount
    unit = _UNITS.get(change.deadline.unit, "unit")
    return f"asking for an answer no earlier than {amount} {unit}{_s(amount)} after entry"


def _describe_finding(finding: decision_pb2.ClauseFinding) -> str:
    of = f" of {_parts(finding.parts)}" if finding.parts else ""
    head = f"{finding.article} ({finding.clause_id})"
    match finding.verdict:
        case decision_pb2.VERDICT_PERMITS:
            said = f"permits{_object(finding.parts)}"
        case decision_pb2.VERDICT_REFUSES:
            said = f"refuses{_object(finding.parts)}"
        case decision_pb2.VERDICT_SATISFIED:
            said = f"has its conditions met{of}"
        case decision_pb2.VERDICT_CONDITION_NOT_MET:
            wants = _and(_CONDITIONS.get(c, "a condition") for c in finding.unmet)
            said = f"wants{of} {wants}" if of else f"wants {wants}"
        case _:
            dimensions = [in_words(_DIMENSION, dimension) for dimension in finding.outside]
            said = f"does not apply (other {_and(dimensions)})" if dimensions else "does not apply"
    return f"{head} {said}."


def _describe_obligations(owed: agreement_pb2.Obligations) -> list[str]:
    lines = []
    if owed.retention_days:
        lines.append(f"The recipient erases it {owed.retention_days} days after entry.")
    if owed.onward_transfer:
        lines.append(f"Onward transfer is {_ONWARD.get(owed.onward_transfer, 'restricted')}.")
    if owed.evidential_use:
        lines.append(f"Evidential use is {_EVIDENTIAL.get(owed.evidential_use, 'restricted')}.")
    if owed.acknowledge_within_hours:
        lines.append(f"To be acknowledged within {owed.acknowledge_within_hours} hours.")
    if owed.confirm_facts_within_hours:
        lines.append(
            f"Facts of sealed parts to be confirmed within {owed.confirm_facts_within_hours} hours."
        )
    if owed.confirm_in_writing_within_hours:
        lines.append(
            "An oral request is to be confirmed in writing within"
            f" {owed.confirm_in_writing_within_hours} hours."
        )
    return lines


def _object(parts: Iterable[int]) -> str:
    named = _parts(parts)
    return f" {named}" if named else " it"


def _parts(indices: Iterable[int]) -> str:
    listed = [str(index) for index in indices]
    return f"part{_s(len(listed))} {_and(listed)}" if listed else ""


def _and(phrases: Iterable[str]) -> str:
    listed = list(phrases)
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if listed[1:] else listed)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


_PHRASES: Mapping[str, Callable[[decision_pb2.Change], str]] = MappingProxyType(
    {
        "without_part": lambda c: f"without part {c.without_part}",
        "without_field_group": lambda c: (
            f"without field group {in_words(_FIELD_GROUP, c.without_field_group)}"
        ),
        "without_data_subject": lambda c: (
            f"without data on persons of category {in_words(_SUBJECT, c.without_data_subject)}"
        ),
        "cite_article": lambda c: f"citing {c.cite_article}",
        "tlp": lambda c: f"labelled TLP {in_words(_TLP, c.tlp)}",
        "second_approval": lambda _: "with a second approval",
        "case_reference": lambda _: "with a case reference",
        "justification": lambda _: "with a justification",
        "sealing": lambda c: (
            "with parts sealed"
            if c.sealing == agreement_pb2.SEALING_DEMAND_SEALED
            else "with parts in clear"
        ),
        "onward_transfer": lambda c: (
            f"with onward transfer {_ONWARD.get(c.onward_transfer, 'restricted')}"
        ),
        "evidential_use": lambda c: (
            f"with evidential use {_EVIDENTIAL.get(c.evidential_use, 'restricted')}"
        ),
        "retention_days": lambda c: (
            f"with a retention of at most {c.retention_days} day{_s(c.retention_days)}"
        ),
        "deadline": _deadline,
        "records_at_most": lambda c: (
            f"with at most {c.records_at_most} record{_s(c.records_at_most)} in a part"
        ),
    }
)
