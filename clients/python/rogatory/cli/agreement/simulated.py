"""A simulation in words and as JSON: what a draft would change, by clause, by partner, and each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, TypeVar

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2
from rogatory.cli.agreement.pastlogs import PastLogs
from rogatory.cli.output import aligned, plain
from rogatory.decisions import next_step, summarise
from rogatory.exchange.v1 import agreement_pb2, decision_pb2
from rogatory.simulation import Change, Citation, DueTerm, Rerun, Simulation, Tally, citation

K = TypeVar("K", tuple[str, str], tuple[Citation, Citation])

_COUNTED = ("refused", "permitted", "parts")
_HEADS = ("WOULD BE REFUSED", "WOULD BE PERMITTED", "OTHER PARTS")
_LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "other_agreement": "under another agreement (see --as)",
        "no_party": "outside the draft: sender or recipient is no party",
        "not_openable": "not openable: another party's outcome",
        "no_agreement": "refused as no agreement was in force (see --without-agreement)",
    }
)


def lines(simulation: Simulation, logs: PastLogs, listed: Sequence[Rerun], draft: str) -> list[str]:
    """Return a simulation in words: a summary, tables, and each outcome listed."""
    total, checks, out = simulation.total, logs.checks, simulation.left_out
    agreement = simulation.draft
    found = [
        f"{agreement.agreement_id} version {agreement.version}: {agreement.title}",
        (
            f"read: {checks.exchanges} exchanges; verified: signatures of {checks.signed},"
            f" {checks.outcomes} outcomes, {checks.decisions} decisions, {checks.proven} receipts"
        ),
        f"decided again: {total.outcomes} outcomes of {simulation.exchanges} exchanges",
        f"  {total.refused} would be refused",
        f"  {total.permitted} would be permitted that were refused",
        f"  {total.parts} would go with other parts",
        f"  {total.unchanged} would not change"
        + (f", {total.restated} of them with another article or ground" if total.restated else ""),
    ]
    if total.duties:
        found.append(f"  {total.duties} would go with other duties or deadlines")
    left = [(getattr(out, name), text) for name, text in _LEFT_OUT.items()]
    left_lines = [f"  {count} {text}" for count, text in left if count]
    if out.other_traffic:
        which = "live exchanges" if simulation.exercise else "training messages"
        left_lines.append(f"  {out.other_traffic} {which}")
    if left_lines:
        found += ["not decided again:", *left_lines]
    if simulation.by_clause:
        rows = [["DECIDED BY", "WOULD BE DECIDED BY", *_HEADS]]
        rows += [
            [_clause(before), _clause(after), *_counts(tally)]
            for (before, after), tally in _most_first(simulation.by_clause)
        ]
        found += ["", *aligned(rows)]
    if simulation.by_partner:
        rows = [["FROM", "TO", "OUTCOMES", *_HEADS]]
        rows += [
            [*pair, str(tally.outcomes), *_counts(tally)]
            for pair, tally in _most_first(simulation.by_partner)
        ]
        found += ["", *aligned(rows)]
    for rerun in listed:
        found += ["", *_rerun_lines(rerun, draft)]
    return found


def _rerun_lines(rerun: Rerun, draft: str) -> list[str]:
    header, recorded, decision = rerun.exchange.header, rerun.recorded, rerun.decision
    found = [
        (
            f"{header.sender}/{header.message_id} to {recorded.recipient}, entry"
            f" {rerun.exchange.index}, {clock.to_text(rerun.exchange.entry_time)}"
        )
    ]
    if rerun.change.counts:
        before, after = rerun.citations
        found += [
            (
                f"  {_disposition(recorded.decision)} by {_clause(before)} ->"
                f" {_disposition(decision)} by {_clause(after)}"
            )
            if rerun.change is not Change.PARTS
            else f"  {_part_words(rerun)}",
            f"  was:   {summarise(recorded.decision)}",
            f"  draft: {summarise(decision)}",
        ]
        step = next_step(decision, agreement=draft, offences=header.offences)
        found += [f"  {step}"] if step else []
    if rerun.duties_differ:
        found += [f"  {name}: {old} -> {new}" for name, (old, new) in _duties(rerun).items()]
    return found


def data(
    simulation: Simulation, logs: PastLogs, listed: Sequence[Rerun], draft: str
) -> dict[str, Any]:
    """Return a simulation for JSON."""
    agreement = simulation.draft
    return {
        "agreement_id": agreement.agreement_id,
        "version": agreement.version,
        "read": asdict(logs.checks),
        "faults": [{"where": item.where, "fault": str(item.error)} for item in logs.faults],
        "exchanges": simulation.exchanges,
        "total": _tally_data(simulation.total),
        "left_out": asdict(simulation.left_out),
        "incomplete_quotas": simulation.incomplete_quotas,
        "by_clause": [
            {"from": asdict(before), "to": asdict(after), **_tally_data(tally)}
            for (before, after), tally in _most_first(simulation.by_clause)
        ],
        "by_partner": [
            {"sender": sender, "recipient": recipient, **_tally_data(tally)}
            for (sender, recipient), tally in _most_first(simulation.by_partner)
        ],
        "outcomes": [_rerun_data(rerun, draft) for rerun in listed],
    }


def _rerun_data(rerun: Rerun, draft: str) -> dict[str, Any]:
    header, recorded, decision = rerun.exchange.header, rerun.recorded, rerun.decision
    before, after = rerun.citations
    lost, gained = _parts(rerun)
    return {
        "sender": header.sender,
        "message_id": header.message_id,
        "recipient": recorded.recipient,
        "index": rerun.exchange.index,
        "entry_time": clock.to_text(rerun.exchange.entry_time),
        "change": rerun.change.value,
        "from": {
            "disposition": _disposition(recorded.decision),
            **asdict(before),
            "agreement_id": recorded.agreement_id,
            "agreement_version": recorded.agreement_version,
            "summary": summarise(recorded.decision, recipient=recorded.recipient),
        },
        "to": {
            "disposition": _disposition(decision),
            **asdict(after),
            "summary": summarise(decision, recipient=recorded.recipient),
            "next_step": next_step(decision, agreement=draft, offences=header.offences),
            "decision": plain(decision),
        },
        "parts_lost": lost,
        "parts_gained": gained,
        "duties": {
            name: {"from": old, "to": new}
            for name, (old, new) in (_duties(rerun) if rerun.duties_differ else {}).items()
        },
    }


def _parts(rerun: Rerun) -> tuple[list[int], list[int]]:
    """Return the positions of the parts that would no longer go, and that would go too."""
    lost: list[int] = []
    gained: list[int] = []
    for position, (old, new) in enumerate(
        zip(rerun.recorded.decision.parts, rerun.decision.parts, strict=True)
    ):
        if old.disclosed != new.disclosed:
            (lost if old.disclosed else gained).append(position)
    return lost, gained


def _part_words(rerun: Rerun) -> str:
    before, after = rerun.recorded.decision.parts, rerun.decision.parts
    lost, gained = _parts(rerun)
    words = [
        f"part {n}, which went by {_clause(citation(before[n]))}, would be withheld" for n in lost
    ]
    words += [
        f"part {n}, which was withheld, would go by {_clause(citation(after[n]))}" for n in gained
    ]
    return "; ".join(words)


def _duties(rerun: Rerun) -> dict[str, tuple[str, str]]:
    """Return the duties that would be others, before and after; "none" where there is none."""
    before, after = rerun.recorded.decision.obligations, rerun.decision.obligations
    differ = {}
    for field in agreement_pb2.Obligations.DESCRIPTOR.fields:
        old, new = (plain(owed).get(field.name) for owed in (before, after))
        if old != new:
            differ[field.name] = (_word(old), _word(new))
    if rerun.terms_before not in (None, rerun.terms_after):
        differ["deadlines"] = (_terms(rerun.terms_before or ()), _terms(rerun.terms_after))
    return differ


def _word(value: object) -> str:
    return "none" if value is None else str(value)


def _terms(terms: Sequence[DueTerm]) -> str:
    return ", ".join(_term(*term) for term in terms) or "none"


def _term(kind: int, unit: int, amount: int) -> str:
    what = deadline_pb2.DeadlineKind.Name(deadline_pb2.DeadlineKind.ValueType(kind))
    units = agreement_pb2.DeadlineUnit.Name(agreement_pb2.DeadlineUnit.ValueType(unit))
    return f"{_short(what, 'DEADLINE_KIND_')} within {amount} {_short(units, 'DEADLINE_UNIT_')}"


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).replace("_", " ").lower()


def _disposition(decision: decision_pb2.Decision) -> str:
    return _short(decision_pb2.Disposition.Name(decision.disposition), "DISPOSITION_")


def _clause(cited: Citation) -> str:
    if cited.clause_id:
        return f"{cited.article} ({cited.clause_id})"
    return f"no clause of {cited.article}" if cited.article else "no clause"


def _counts(tally: Tally) -> list[str]:
    return [str(getattr(tally, name)) for name in _COUNTED]


def _tally_data(tally: Tally) -> dict[str, int]:
    return {**asdict(tally), "changed": tally.changed, "unchanged": tally.unchanged}


def _most_first(table: Mapping[K, Tally]) -> list[tuple[K, Tally]]:
    """Return the rows with the most changes first, the others as they came up."""
    return sorted(table.items(), key=lambda row: -row[1].changed)
