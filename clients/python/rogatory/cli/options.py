"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Protocol

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="The agency's folder.", show_default="ROGATORY_HOME or ~/.config/rogatory"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

ToOption = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="AGENCY:AGREEMENT:ARTICLE",
        help="Who receives it on which legal basis, as de.bka:eu-fraud:'Art. 4'. Repeatable.",
    ),
]
KindOption = Annotated[
    str,
    typer.Option(
        metavar="KIND",
        help="What the message does: transfer, request, update, custody, recall, correction,"
        " consent, operation or alert.",
    ),
]
AboutOption = Annotated[
    str,
    typer.Option(
        "--about",
        metavar="SENDER/MESSAGE_ID",
        help="The earlier message that it is about: recalled, corrected, consented to; the request"
        " of an update, the event before a custody event, the operation, the alert that was hit.",
    ),
]
ReplyOption = Annotated[
    str,
    typer.Option(
        "--reply-to",
        metavar="SENDER/MESSAGE_ID",
        help="The earlier message that it answers; it goes into the same thread.",
    ),
]
ParticularsOption = Annotated[
    Path | None,
    typer.Option(
        "--particulars",
        metavar="FILE",
        help="What the kind adds to the header, JSON, YAML or text-proto: the fields of"
        " RequestParticulars, UpdateParticulars, SubjectParticulars and so on.",
    ),
]
PurposeOption = Annotated[
    str, typer.Option(metavar="PURPOSE", help="Why: investigation, prosecution, ...")
]
OffenceOption = Annotated[
    list[str] | None,
    typer.Option("--offence", metavar="CODE", help="ICCS code, as 0701 for fraud. Repeatable."),
]
UrgencyOption = Annotated[
    str, typer.Option(metavar="URGENCY", help="routine, urgent or immediate-danger.")
]
TlpOption = Annotated[
    str, typer.Option(metavar="LABEL", help="TLP 2.0: red, amber-strict, amber, green or clear.")
]
SienaOption = Annotated[
    list[str] | None,
    typer.Option("--siena", metavar="CODE", help="SIENA code, h0 to h3. Repeatable."),
]
OnwardOption = Annotated[
    str, typer.Option(metavar="WORD", help="Onward transfer: never, with-consent, allowed.")
]
EvidentialOption = Annotated[
    str, typer.Option(metavar="WORD", help="Use as evidence: not-allowed, with-consent, allowed.")
]
SpecialityOption = Annotated[
    list[str] | None,
    typer.Option(
        "--speciality",
        metavar="CODE",
        help="Usable for this offence only, ICCS code. Repeatable.",
    ),
]
RetentionOption = Annotated[
    int | None,
    typer.Option(
        metavar="DAYS",
        min=1,
        max=36_500,
        help="Days until recipients must erase it; by default as the agreement says.",
    ),
]
CaseOption = Annotated[
    list[str] | None,
    typer.Option("--case-reference", metavar="REFERENCE", help="The sender's case. Repeatable."),
]
OfficerOption = Annotated[
    str, typer.Option(metavar="NAME", help="Name or pseudonym of the officer who is responsible.")
]
JustificationOption = Annotated[
    str, typer.Option(metavar="TEXT", help="Why this exchange is needed.")
]
OfficerKeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--officer-key",
        metavar="PSEUDONYM",
        help="Sign with this officer's key too, by pseudonym. Repeatable: four eyes wants an author"
        " and an officer who approves.",
    ),
]
UnderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--under",
        metavar="AGREEMENT:ARTICLE",
        help="Legal basis towards every agency that is party to the agreement, as"
        " mekong:'Art. 10(1)'. Repeatable: the first that fits.",
    ),
]
OperationOption = Annotated[
    str,
    typer.Option(
        "--operation",
        metavar="SENDER/MESSAGE_ID",
        help="The joint operation it belongs to; see rogatory operation list.",
    ),
]
ToOperationOption = Annotated[
    str,
    typer.Option(
        "--to-operation",
        metavar="SENDER/MESSAGE_ID",
        help="To every member of this joint operation that may receive it, each --under its"
        " agreement.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would become of it.")]
DraftOption = Annotated[
    bool,
    typer.Option(
        "--draft",
        help="Do not send it: put it into the officers' queue (rogatory review, approve, send).",
    ),
]
DraftsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="DRAFT...", help="Its id in the queue, or its file; copies of one are merged."
    ),
]
AuthorOption = Annotated[
    str,
    typer.Option("--author", metavar="PSEUDONYM", help="With --draft: officer who signs it."),
]
ApproverOption = Annotated[
    list[str] | None,
    typer.Option(
        "--approver",
        metavar="PSEUDONYM",
        help="With --draft: officer who approves it. Repeatable.",
    ),
]
RespondByOption = Annotated[
    str,
    typer.Option(
        "--respond-by", metavar="TIME", help="A request: when you ask to be answered, as 12h."
    ),
]
DirectlyAvailableOption = Annotated[
    bool,
    typer.Option(
        "--directly-available",
        help="A request: the agency asked has the information at hand (EU 2023/977 Art. 5(1)).",
    ),
]
OralOption = Annotated[
    str,
    typer.Option(
        "--oral",
        metavar="TIME",
        help="A request: confirms what was asked orally then, as 2026-03-01T09:30+01:00.",
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Ask no gateway: use what the folder has.")
]
ExerciseOption = Annotated[
    bool, typer.Option("--exercise", help="Training traffic, kept apart from live records.")
]
SchemaOption = Annotated[
    str,
    typer.Option(
        metavar="TYPE", help="Type of the records, as Persons, where the file does not say it."
    ),
]


class Enum(Protocol):
    """What protobuf makes of an enum."""

    def keys(self) -> Iterable[str]:
        """Return the names of its values."""
        ...

    def Value(self, name: str) -> int:
        """Return the number of a name."""
        ...


def choice(
    enum: Enum, text: str, option: str, *, elsewhere: Mapping[str, str] = MappingProxyType({})
) -> int:
    """Return the number that a word stands for, as ``amber-strict`` for TLP_AMBER_STRICT.

    Args:
        enum: The enum.
        text: The word.
        option: The option, for the error.
        elsewhere: Words that are not for this option, and what to do instead.

    Raises:
        typer.BadParameter: The word is not one of the enum's.
    """
    names = list(enum.keys())
    prefix = names[0].removesuffix("UNSPECIFIED")
    words = {name.removeprefix(prefix).lower().replace("_", "-"): name for name in names[1:]}
    word = text.lower().replace("_", "-").replace("+", "-")
    if word in elsewhere:
        raise typer.BadParameter(f"{text!r} is not for here; {elsewhere[word]}", param_hint=option)
    words = {known: name for known, name in words.items() if known not in elsewhere}
    if word in words:
        return enum.Value(words[word])
    near = difflib.get_close_matches(word, words, n=1)
    meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(words)}."
    raise typer.BadParameter(f"{text!r} is not known; {meant}", param_hint=option)
