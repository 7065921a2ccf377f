"""What to do about a refusal that no change of the message by itself would lift."""

from __future__ import annotations

from collections.abc import Sequence

from rogatory.exchange.v1 import decision_pb2
from rogatory.procedures.wording import advice

_SHOW = "rogatory agreement show {agreement} has its text"


def next_step(
    decision: decision_pb2.Decision,
    *,
    agreement: str = "",
    offences: Sequence[str] | None = None,
) -> str:
    """Return what to do about a refusal, as a sentence; empty where there is none, or a remedy.

    It says where to look and what is not stated, never what would have to be claimed.

    Args:
        decision: The decision.
        agreement: Id of the agreement that was cited, or its file.
        offences: What the message states; None: it is not known here.
    """
    if decision.disposition != decision_pb2.DISPOSITION_REFUSED or decision.HasField("remedy"):
        return ""
    if decision.obstacles:
        return " ".join(dict.fromkeys(filter(None, map(advice, decision.obstacles))))
    show = _SHOW.format(agreement=agreement or "AGREEMENT")
    by = f"{decision.article} ({decision.clause_id})"
    match decision.ground:
        case decision_pb2.GROUND_UNKNOWN_RECIPIENT:
            step = "See who takes part: rogatory directory list."
        case decision_pb2.GROUND_NO_AGREEMENT_IN_FORCE:
            step = "See which agreements are in force: rogatory agreement list."
        case decision_pb2.GROUND_NO_SUCH_ARTICLE:
            step = _articles(decision) or f"It permits nothing: {show}."
        case decision_pb2.GROUND_NO_PERMITTING_CLAUSE:
            step = _offences(decision, offences) or f"See what it permits: {show}."
        case decision_pb2.GROUND_REFUSED_BY_CLAUSE:
            step = f"{by} refuses it whatever another clause permits: {show}."
        case decision_pb2.GROUND_CONDITION_NOT_MET:
            step = _condition(decision, by, show)
        case decision_pb2.GROUND_REFERENCE_NOT_HELD:
            step = (
                "Refer to a message that you sent to the recipient or received from it, as the"
                " article says: rogatory message show SENDER/MESSAGE_ID."
            )
        case _:
            step = ""
    return step


def _articles(decision: decision_pb2.Decision) -> str:
    """Name the articles that permit something: of those alone it is said that another is cited."""
    found = [
        finding.article
        for finding in decision.findings
        if decision_pb2.SCOPE_DIMENSION_ARTICLE in finding.outside
    ]
    return f"Cite one of its articles: {', '.join(dict.fromkeys(found))}." if found else ""


def _offences(decision: decision_pb2.Decision, offences: Sequence[str] | None) -> str:
    """Name the clauses that nothing but the offence keeps out."""
    found = [
        finding.article
        for finding in decision.findings
        if list(finding.outside) == [decision_pb2.SCOPE_DIMENSION_OFFENCE]
    ]
    if not found:
        return ""
    by = ", ".join(dict.fromkeys(found))
    if offences is not None and not offences:
        return (
            f"The message states no offence, and {by} permits for certain offences only: state"
            " those it concerns as ICCS codes (--offence, Draft.offences)."
        )
    return f"{by} permits it for other offences only than those stated."


def _condition(decision: decision_pb2.Decision, by: str, show: str) -> str:
    unmet = {
        condition
        for finding in decision.findings
        if finding.clause_id == decision.clause_id
        for condition in finding.unmet
    }
    if unmet == {decision_pb2.CONDITION_QUOTA}:
        return f"The quota of {by} is used up: send it again when its period is over."
    return f"No other form of this message meets {by}: {show}."
