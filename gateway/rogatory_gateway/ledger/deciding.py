"""Deciding a message under the head lock: an outcome for each recipient, ready to commit to.

The rules are the library's; what is added here is what they depend on at this moment: entry time,
agreements in force, standing of the message referred to, what quotas have counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from rogatory import clock
from rogatory.decisions import DecisionMemo, HeaderView, quota_usage, read_header
from rogatory.exchange.v1 import codes_pb2, decision_pb2
from rogatory.procedures import deadlines
from rogatory.procedures.obstacles import PROCEDURAL_KINDS, is_procedural
from rogatory.wire import varint
from rogatory_gateway.ledger.identity import identity_key

if TYPE_CHECKING:
    from rogatory.agreements import CompiledAgreement
    from rogatory.exchange.v1 import envelope_pb2, procedure_pb2
    from rogatory.keyring import KnownKey
    from rogatory.records.v1 import common_pb2
    from rogatory_gateway.ledger.registry import Registry

REMEMBERED_SIGNERS = 4096
"""Signers, and beginnings of outcomes, remembered: a few hundred bytes each."""

_DECISION_TAG = bytes([decision_pb2.Outcome.DECISION_FIELD_NUMBER << 3 | 2])
_POSITION_TAG = bytes([decision_pb2.Outcome.INBOX_POSITION_FIELD_NUMBER << 3])
_CONTEXT_TAG = bytes([decision_pb2.Outcome.CONTEXT_FIELD_NUMBER << 3 | 2])

NANOSECONDS_PER_DAY = clock.NANOSECONDS_PER_DAY

_ABOUT_ALL_COPIES = frozenset({codes_pb2.KIND_RECALL, codes_pb2.KIND_CORRECTION})
"""They reach whoever holds the record, by whichever way it came there."""
MAY_STAND_ALONE = PROCEDURAL_KINDS | {codes_pb2.KIND_REQUEST}
"""Kinds that can be part of a procedure and name no other message."""
_WITH_DEADLINES = frozenset({codes_pb2.KIND_REQUEST, codes_pb2.KIND_UPDATE})


class State(Protocol):
    """What deciding reads from the ledger inside the transaction."""

    def standing(
        self,
        reference: tuple[str, str, bytes],
        *,
        sender: str,
        recipient: str,
        exercise: bool,
        passed_on: bool = False,
    ) -> tuple[int, bytes]:
        """Return the ReferenceStanding of a message and the digest of the agreement it went by.

        Training traffic refers to training traffic only, and live records to live ones. With
        ``passed_on``, what the recipient holds as a copy passed on counts as sent to it.
        """

    def procedure(
        self, header: envelope_pb2.Header, recipient: str
    ) -> procedure_pb2.ProcedureStanding | None:
        """Return how the procedures stand that a message is part of; None: it is part of none."""

    def quota_count(
        self, *, agreement_id: str, clause_id: str, sender: str, recipient: str, from_day: int
    ) -> int:
        """Return what a quota has counted from a UTC day on."""


@dataclass(slots=True)
class Decided:
    """A decision for one recipient.

    Attributes:
        agreement_version: 0 where no agreement was in force.
        decision: The serialised Decision.
        context: What it rested on, a serialised DecisionContext.
        counts: What it adds to the counters of quotas, by clause.
        dues: What is due because of it: an Outcome that holds nothing else, serialised.
    """

    recipient: str
    agreement_id: str
    agreement_version: int
    agreement_digest: bytes
    disposition: int
    decision: bytes
    context: bytes
    counts: tuple[tuple[str, int], ...]
    dues: bytes = b""


class Decider:
    """Decides messages; remembers decisions, which are pure."""

    def __init__(self) -> None:
        self._memo = DecisionMemo()
        self._signers: dict[tuple[bytes, ...], list[decision_pb2.SignerStanding]] = {}

    def forget(self) -> None:
        """Forget who signers are: a commit that failed has taken back a key statement."""
        self._signers.clear()

    def decide(
        self,
        header: envelope_pb2.Header,
        *,
        signers: tuple[KnownKey, ...],
        registry: Registry,
        state: State,
        entry_time: int,
        refers: bool = True,
    ) -> list[Decided]:
        """Return a decision for each recipient, in the header's order.

        Args:
            refers: False where `referred_to` has said that the header names no other message.
        """
        view = read_header(header)
        # One context serves all recipients in turn: only what differs between them is set anew.
        context = decision_pb2.DecisionContext(
            entry_time=clock.to_timestamp(entry_time), signers=self._standings(signers)
        )
        reference = _reference(header)
        replies_to = header.in_reply_to if header.HasField("in_reply_to") else None
        procedural = (refers or header.kind in MAY_STAND_ALONE) and is_procedural(header)
        decided: list[Decided] = []
        stated: tuple[object, ...] | None = None
        encoded = b""
        for position, recipient in enumerate(header.recipients):
            enrolled = registry.is_enrolled(recipient.agency)
            agreement = registry.in_force(recipient.agreement_id, entry_time=entry_time)
            if registry.is_suspended(recipient.agreement_id, header.sender, recipient.agency):
                agreement = None
            standing = 0
            if reference is not None:
                standing, _ = state.standing(
                    reference,
                    sender=header.sender,
                    recipient=recipient.agency,
                    exercise=header.exercise,
                    passed_on=header.kind in _ABOUT_ALL_COPIES,
                )
            procedure = state.procedure(header, recipient.agency) if procedural else None
            if replies_to is not None:
                agreement = _governing(
                    agreement,
                    state.standing(
                        (replies_to.sender, replies_to.message_id, replies_to.header_digest),
                        sender=header.sender,
                        recipient=recipient.agency,
                        exercise=header.exercise,
                    )[1],
                    registry,
                )
            digest = b"" if agreement is None else agreement.digest
            quotas = (
                [
                    (
                        quota.clause_id,
                        # Training uses up no quota, so that it never stands in the way of a case.
                        0
                        if header.exercise
                        else state.quota_count(
                            agreement_id=agreement.agreement_id,
                            clause_id=quota.clause_id,
                            sender=header.sender,
                            recipient=recipient.agency,
                            from_day=entry_time // NANOSECONDS_PER_DAY - quota.period_days + 1,
                        ),
                    )
                    for quota in agreement.quota_clauses
                ]
                if agreement is not None
                else []
            )
            # Recipients mostly have all of it in common: then it is written once.
            if stated != (enrolled, standing, digest, quotas, procedure):
                stated = (enrolled, standing, digest, quotas, procedure)
                context.recipient_enrolled = enrolled
                context.reference = standing  # type: ignore[assignment]  # a number of it
                context.agreement_digest = digest
                context.ClearField("quotas")
                for clause_id, count in quotas:
                    context.quotas.add(clause_id=clause_id, count=count)
                context.ClearField("procedure")
                if procedure is not None:
                    context.procedure.CopyFrom(procedure)
                encoded = context.SerializeToString(deterministic=True)
            one = self._decide_one(agreement, view, position, context, encoded)
            if header.kind in _WITH_DEADLINES:
                one.dues = _dues(
                    one,
                    header=header,
                    agreement=agreement,
                    context=context,
                    registry=registry,
                    entry_time=entry_time,
                )
            if header.exercise:
                one.counts = ()
            decided.append(one)
        return decided

    def _standings(self, signers: tuple[KnownKey, ...]) -> list[decision_pb2.SignerStanding]:
        """Return the signers as a context states them; an agency's are mostly the same."""
        fingerprints = tuple(key.fingerprint for key in signers)
        found = self._signers.get(fingerprints)
        if found is None:
            if len(self._signers) >= REMEMBERED_SIGNERS:
                self._signers.clear()
            found = self._signers[fingerprints] = [
                decision_pb2.SignerStanding(
                    key=key.fingerprint,
                    role=key.role,  # type: ignore[arg-type]  # a KeyRole number
                    officer=key.officer,
                    rights=key.rights,  # type: ignore[arg-type]  # OfficerRight numbers
                )
                for key in signers
            ]
        return found

    def _decide_one(
        self,
        agreement: CompiledAgreement | None,
        view: HeaderView,
        position: int,
        context: decision_pb2.DecisionContext,
        encoded: bytes,
    ) -> Decided:
        decided = self._memo.decide(
            agreement=agreement, header=view, recipient_index=position, context=context
        )
        recipient = view.recipients[position]
        return Decided(
            recipient=recipient.agency,
            agreement_id=recipient.agreement_id,
            agreement_version=0 if agreement is None else agreement.version,
            agreement_digest=b"" if agreement is None else agreement.digest,
            disposition=decided.decision.disposition,
            decision=decided.encoded,
            context=encoded,
            counts=()
            if agreement is None
            else tuple(
                quota_usage(agreement=agreement, header=view, decision=decided.decision).items()
            ),
        )


def outcome_bytes(decided: Decided, *, inbox_position: int) -> bytes:
    """Return the serialised Outcome in canonical encoding.

    Protobuf messages concatenate: put together in the order of their numbers, serialised fields are
    the serialised message, and a decision need not be parsed and written anew for every message.
    """
    return b"".join(
        (
            _outcome_head(decided.recipient, decided.agreement_id, decided.agreement_version),
            _DECISION_TAG,
            varint(len(decided.decision)),
            decided.decision,
            _CONTEXT_TAG,
            varint(len(decided.context)),
            decided.context,
            _POSITION_TAG + varint(inbox_position) if inbox_position else b"",
            decided.dues,
        )
    )


@lru_cache(REMEMBERED_SIGNERS)
def _outcome_head(recipient: str, agreement_id: str, agreement_version: int) -> bytes:
    return decision_pb2.Outcome(
        recipient=recipient, agreement_id=agreement_id, agreement_version=agreement_version
    ).SerializeToString()


def referred_to(header: envelope_pb2.Header) -> list[bytes]:
    """Return the identities of the messages that deciding will look up."""
    named = [*header.forwards, *header.consents]
    if header.HasField("in_reply_to"):
        named.append(header.in_reply_to)
    if header.HasField("operation"):
        named.append(header.operation)
    which = header.WhichOneof("particulars")
    if which is not None:
        named += _particular_references(header, which)
    return [identity_key(one.sender, one.message_id) for one in named]


def _particular_references(
    header: envelope_pb2.Header, which: str
) -> list[common_pb2.MessageReference]:
    if which == "subject":
        return [header.subject.message]
    if which == "update":
        return [header.update.request]
    if which == "alert" and header.alert.HasField("hit_of"):
        return [header.alert.hit_of]
    if which == "request" and header.request.HasField("related_request"):
        return [header.request.related_request]
    return []


def _dues(
    one: Decided,
    *,
    header: envelope_pb2.Header,
    agreement: CompiledAgreement | None,
    context: decision_pb2.DecisionContext,
    registry: Registry,
    entry_time: int,
) -> bytes:
    """Return what is due because of a request or a step of one, as fields of an Outcome."""
    if agreement is None or one.disposition == decision_pb2.DISPOSITION_REFUSED:
        return b""
    dues = decision_pb2.Outcome()
    if header.kind == codes_pb2.KIND_UPDATE:
        standing = context.procedure.request
        due = deadlines.of_step(standing, header, entry_time=entry_time)
    else:
        due, pending = deadlines.of_request(
            agreement=agreement,
            decision=decision_pb2.Decision.FromString(one.decision),
            header=header,
            entry_time=entry_time,
            asked=_calendar(registry, one.recipient),
            asking=_calendar(registry, header.sender),
            asked_agency=one.recipient,
        )
        dues.pending_terms.extend(pending)
    dues.due_dates.extend(due)
    return dues.SerializeToString(deterministic=True)


def _calendar(registry: Registry, agency_id: str) -> deadlines.Calendar:
    agency = registry.ring.agency(agency_id)
    if agency is None:
        return deadlines.Calendar()
    return deadlines.Calendar(time_zone=agency.time_zone, holidays=frozenset(agency.holidays))


def _reference(header: envelope_pb2.Header) -> tuple[str, str, bytes] | None:
    """Return the message that the particulars are about, where the kind has one."""
    which = header.WhichOneof("particulars")
    if which == "subject":
        message = header.subject.message
    elif which == "update":
        message = header.update.request
    else:
        return None
    return message.sender, message.message_id, message.header_digest


def _governing(
    agreement: CompiledAgreement | None, digest: bytes, registry: Registry
) -> CompiledAgreement | None:
    """Replies follow the version of the message they answer, while the agreement holds at all."""
    answered = registry.by_digest(digest) if digest else None
    if agreement is None or answered is None or answered.agreement_id != agreement.agreement_id:
        return agreement
    return answered
