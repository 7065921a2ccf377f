"""`rogatory review`: everything that an officer must see before signing a draft."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rogatory import clock, drafting
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.cli import compose, options, signers
from rogatory.cli.agreement.evaluation import reference_standing
from rogatory.cli.agreement.signedfile import compiled_file
from rogatory.cli.drafts import queue
from rogatory.cli.earlier import Earlier
from rogatory.cli.headerwords import header_lines
from rogatory.cli.output import emit, note, plain
from rogatory.decisions import decide
from rogatory.drafting import DraftEnvelope, SignerState
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory.home import Home
from rogatory.officers import four_eyes
from rogatory.policy import Policy
from rogatory.procedures.wording import in_words

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(short_help="Show a draft to whoever is to sign it.")
def review(
    drafts: options.DraftsArgument,
    *,
    agreement: Annotated[
        list[Path] | None,
        typer.Option(
            help="An agreement's file, where the folder does not have it (rogatory receipt policy"
            " fetches them). Repeatable."
        ),
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Say that it must not be sent.")] = False,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why it is rejected: the author reads it.")
    ] = "",
    officer: Annotated[
        str, typer.Option(metavar="PSEUDONYM", help="With --reject: who says so.")
    ] = "",
    reopen: Annotated[bool, typer.Option("--reopen", help="Take a rejection back.")] = False,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Verify a draft and show it whole: header, records, signatures, and what would be decided.

    The digest is of the exact bytes that are signed: give it to rogatory approve --digest, so that
    what you sign is what you saw. What is decided here is decided by the agreements in the folder;
    what the gateway would say now, rogatory send --dry-run asks.
    """
    if reject and (reopen or not reason):
        raise typer.BadParameter("say why with --reason", param_hint="--reject")
    place = Home.find(home)
    found = queue.find(place, drafts)
    now = time.time_ns()
    if reject:
        for path in found.paths:
            queue.reject(path, found.draft, reason=reason, officer=officer, now=now)
    elif reopen:
        for path in found.paths:
            queue.note_file(path).unlink(missing_ok=True)
    if reject or reopen:
        found = queue.find(place, drafts)
    draft = found.draft
    states = drafting.signer_states(draft, queue.own_ring(place), now=now)
    outcomes, unknown = _outcomes(place, draft, states, agreement or (), now=now)
    eyes = four_eyes(_standing(states))
    offences = draft.header.offences
    digest = draft.header_digest.hex()
    for agreement_id in unknown:
        note(f"agreement {agreement_id} is not in the folder: rogatory receipt policy, --agreement")
    said = found.rejection
    emit(
        {
            "message_id": draft.message_id,
            "header_digest": digest,
            "header": plain(draft.header),
            "parts": _part_data(draft),
            "signed_by": signers.state_data(states),
            "waiting_for": signers.waiting_for(states),
            "four_eyes": eyes,
            "expired": draft.expires <= now,
            "outcomes": compose.outcome_data(outcomes, offences=offences),
            "agreements_unknown": unknown,
            "rejection": None
            if said is None
            else {"reason": said.reason, "officer": said.officer, "time": said.time},
        },
        [
            *header_lines(draft.header),
            *_part_lines(draft),
            "",
            *compose.outcome_lines(outcomes, offences=offences),
            *(f"Not decided here: agreement {item} is not known." for item in unknown),
            "",
            *signers.state_lines(states),
            f"four eyes: {'yes, once all have signed' if eyes else 'no'}",
            *(["EXPIRED"] if draft.expires <= now else []),
            *([] if said is None else [f"REJECTED {said.time} {said.officer}: {said.reason}"]),
            f"header: sha256:{digest}",
        ],
        as_json=as_json,
    )


def _part_data(draft: DraftEnvelope) -> list[dict[str, Any]]:
    return [
        {
            "category": codes_pb2.PartCategory.Name(descriptor.category),
            "schema": descriptor.schema,
            "facts": plain(descriptor.facts),
            **({"sealed": True} if content is None else {"content": plain(content)}),
        }
        for descriptor, content in zip(draft.header.parts, draft.contents, strict=True)
    ]


def _part_lines(draft: DraftEnvelope) -> Iterator[str]:
    for position, (descriptor, content) in enumerate(
        zip(draft.header.parts, draft.contents, strict=True)
    ):
        category = in_words(codes_pb2.PartCategory.DESCRIPTOR, descriptor.category)
        count = descriptor.facts.record_count
        yield ""
        yield f"part {position}: {category}, {count} record{'' if count == 1 else 's'}"
        if content is None:
            yield "  sealed: its content cannot be shown"
        else:
            text = json.dumps(plain(content), ensure_ascii=False, indent=2)
            yield from (f"  {line}" for line in text.splitlines())


def _standing(states: Sequence[SignerState]) -> list[decision_pb2.SignerStanding]:
    """Return the signers as a decision sees them once all have signed: nothing less is sent."""
    return [
        decision_pb2.SignerStanding(
            key=state.key,
            role=codes_pb2.KeyRole.ValueType(state.role),
            officer=state.officer,
            rights=[codes_pb2.OfficerRight.ValueType(right) for right in state.rights],
        )
        for state in states
        if not state.fault
    ]


def _outcomes(
    place: Home,
    draft: DraftEnvelope,
    states: Sequence[SignerState],
    given: Sequence[Path],
    *,
    now: int,
) -> tuple[list[decision_pb2.Outcome], list[str]]:
    """Return what each recipient's agreement says, and the ids of those that are not known."""
    earlier = Earlier(place, client=None, exercise=draft.header.exercise)
    known = _agreements(place, given, now=now)
    outcomes, unknown = [], []
    for position, recipient in enumerate(draft.header.recipients):
        agreement = known.get(recipient.agreement_id)
        if agreement is None:
            unknown.append(recipient.agreement_id)
            continue
        context = decision_pb2.DecisionContext(
            entry_time=clock.to_timestamp(now),
            agreement_digest=agreement.digest,
            signers=_standing(states),
            recipient_enrolled=True,
            reference=reference_standing(draft.header, recipient.agency, earlier),
        )
        outcomes.append(
            decision_pb2.Outcome(
                recipient=recipient.agency,
                agreement_id=agreement.agreement_id,
                agreement_version=agreement.version,
                decision=decide(
                    agreement=agreement,
                    header=draft.header,
                    recipient_index=position,
                    context=context,
                ),
                context=context,
            )
        )
    return outcomes, list(dict.fromkeys(unknown))


def _agreements(place: Home, given: Sequence[Path], *, now: int) -> dict[str, CompiledAgreement]:
    """Return the agreements that are in force as far as the folder knows, by id."""
    policy = Policy.load(place.policy_file)
    kept = sorted(policy.agreements.values(), key=lambda item: item.version)
    in_force = [
        item
        for item in kept
        if item.valid_from <= now and (item.valid_until is None or now < item.valid_until)
    ]
    return {item.agreement_id: item for item in [*in_force, *map(compiled_file, given)]}
