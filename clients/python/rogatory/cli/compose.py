"""From the options of a command to a message: what `send` and `agreement evaluate` share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer
from google.protobuf.message import Message

from rogatory import clock
from rogatory.cli.options import choice
from rogatory.cli.output import note, plain
from rogatory.client import Draft, handling, recipient
from rogatory.decisions import explain, next_step, summarise
from rogatory.exchange.v1 import codes_pb2, decision_pb2, envelope_pb2
from rogatory.messagefiles import Complete
from rogatory.recordfiles import read_records
from rogatory.records.v1 import common_pb2, context_pb2

_OTHER_COMMANDS = MappingProxyType(
    {
        "receipt": "rogatory ack acknowledges a message.",
        "governance": "rogatory agreement submit sends agreements.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Header fields as they are typed; see `rogatory.cli.options`."""

    to: Sequence[str]
    kind: str
    purpose: str
    offences: Sequence[str]
    urgency: str
    tlp: str
    siena: Sequence[str]
    onward: str
    evidential: str
    retention_days: int | None
    exercise: bool
    speciality: Sequence[str] = ()

    def draft(self, *, later: bool = False) -> Draft:
        """Return the draft that the words describe.

        Args:
            later: Recipients, or some of them, are found later.

        Raises:
            typer.BadParameter: A word is not known, or there is no recipient.
        """
        if not (self.to or later):
            raise typer.BadParameter(
                "name at least one recipient, as de.bka:eu-fraud:'Art. 4'", param_hint="--to"
            )
        days = self.retention_days
        return Draft(
            kind=codes_pb2.Kind.ValueType(
                choice(codes_pb2.Kind, self.kind, "--kind", elsewhere=_OTHER_COMMANDS)
            ),
            purpose=codes_pb2.Purpose.ValueType(
                choice(codes_pb2.Purpose, self.purpose, "--purpose")
            ),
            recipients=[recipient_of(item) for item in self.to],
            offences=list(self.offences),
            urgency=codes_pb2.Urgency.ValueType(
                choice(codes_pb2.Urgency, self.urgency, "--urgency")
            ),
            handling=handling(
                tlp=common_pb2.Tlp.ValueType(choice(common_pb2.Tlp, self.tlp, "--tlp")),
                siena_codes=[
                    codes_pb2.SienaCode.ValueType(choice(codes_pb2.SienaCode, item, "--siena"))
                    for item in self.siena
                ],
                onward_transfer=codes_pb2.OnwardTransfer.ValueType(
                    choice(codes_pb2.OnwardTransfer, self.onward, "--onward")
                ),
                evidential_use=codes_pb2.EvidentialUse.ValueType(
                    choice(codes_pb2.EvidentialUse, self.evidential, "--evidential")
                ),
                speciality_offences=self.speciality,
                retention_end_time=clock.to_timestamp(
                    time.time_ns() + days * clock.NANOSECONDS_PER_DAY
                )
                if days
                else None,
            ),
            exercise=self.exercise,
        )


def recipient_of(text: str) -> envelope_pb2.Recipient:
    """Return the recipient that AGENCY:AGREEMENT:ARTICLE names.

    Raises:
        typer.BadParameter: It is not written so.
    """
    agency, _, rest = text.partition(":")
    agreement, _, article = rest.partition(":")
    if not (agency and agreement and article):
        raise typer.BadParameter(
            f"{text!r} is not AGENCY:AGREEMENT:ARTICLE, as de.bka:eu-fraud:'Art. 4'",
            param_hint="--to",
        )
    return recipient(agency, agreement, article.strip())


def need_files(draft: Draft, files: Sequence[Path] | None) -> Sequence[Path]:
    """Return the files of records; only a TRANSFER is nothing without any.

    Raises:
        typer.BadParameter: There is none, and there has to be.
    """
    if not files and draft.kind == codes_pb2.KIND_TRANSFER:
        raise typer.BadParameter("name at least one file of records", param_hint="FILE...")
    return files or ()


def contents(
    files: Sequence[Path],
    *,
    schema: str,
    complete: Complete,
    agency: str,
    officer: str,
    case_references: Sequence[str],
    justification: str,
) -> list[Message]:
    """Return the parts: the files' records, and a CONTEXT where officer or case are named.

    Raises:
        RecordFileError: A file holds faults.
        typer.BadParameter: A case or justification is given, and no officer.
    """
    found: list[Message] = []
    for file in files:
        records = read_records(file, schema=schema, complete=complete)
        found += records.contents
        if records.new_ids:
            note(f"{file}: records without a record_id that got a new one: {records.new_ids}")
    if (case_references or justification) and not officer:
        raise typer.BadParameter(
            "a case reference or justification needs the officer who answers for it",
            param_hint="--officer",
        )
    if officer:
        found.append(
            context_pb2.Context(
                officer=common_pb2.Official(name=officer, agency=agency),
                case_references=case_references,
                justification=justification,
            )
        )
    return found


def outcome_lines(
    outcomes: Sequence[decision_pb2.Outcome], *, offences: Sequence[str], agreement: str = ""
) -> list[str]:
    """Return outcomes in sentences; what spoke against one is below it, and what to do about it.

    Args:
        outcomes: The outcomes.
        offences: What the message states.
        agreement: Where the agreement is; by default at the gateway, under the id of the outcome.
    """
    lines = []
    for outcome in outcomes:
        if outcome.decision.disposition == decision_pb2.DISPOSITION_PERMITTED:
            lines.append(summarise(outcome.decision, recipient=outcome.recipient))
        else:
            first, *rest = explain(
                outcome.decision,
                recipient=outcome.recipient,
                agreement=agreement or outcome.agreement_id,
                offences=offences,
            )
            lines += [first, *(f"  {line}" for line in rest)]
    return lines


def outcome_data(
    outcomes: Sequence[decision_pb2.Outcome],
    *,
    offences: Sequence[str] | None = None,
    agreement: str = "",
) -> list[dict[str, Any]]:
    """Return outcomes for JSON, each with its summary and what to do; arguments as above."""
    return [
        {
            **plain(item),
            "summary": summarise(item.decision, recipient=item.recipient),
            "next_step": next_step(
                item.decision, agreement=agreement or item.agreement_id, offences=offences
            ),
        }
        for item in outcomes
    ]


def is_permitted(outcomes: Sequence[decision_pb2.Outcome]) -> bool:
    """Say whether any recipient gets anything."""
    return any(item.decision.disposition != decision_pb2.DISPOSITION_REFUSED for item in outcomes)
