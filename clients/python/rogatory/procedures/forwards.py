"""Further use of what somebody else sent: passing it on, using it as evidence, for other offences.

A message that passes others on names each in ``forwards``, and in ``consents`` what it relies on.

1. Only what the sender has may be passed on, and nothing that was recalled.
2. An author passes on its own record as it likes, and a record may always go back to its author.
3. Passing on: never, with the originator's consent, or freely. SIENA H2 asks for consent.
4. Use as evidence: a message whose purpose is prosecution, or that lets its recipient use as
   evidence what the original does not. SIENA H1 asks for consent.
5. Speciality: the offences of the message lie within those named, or are consented to.
6. The label may not become laxer: TLP, onward transfer, SIENA codes, speciality. A consent to
   onward transfer without limit to agencies lets onward transfer and H2 go, one to evidential use
   H1, one to other offences adds these to the speciality.

Which FORWARDED part holds which original the header does not say: a consent limited to parts must,
alone or with others, cover the parts present in every FORWARDED part. Where none states any, no
such limited consent is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TypeVar

from rogatory.assistance.v1 import consent_pb2
from rogatory.clock import to_nanoseconds
from rogatory.exchange.v1 import agreement_pb2, codes_pb2, envelope_pb2, procedure_pb2
from rogatory.records.v1 import common_pb2

Number = TypeVar("Number", bound=int)

MAX_OBSTACLES = 64
"""As many as a decision holds."""

_ONWARD = consent_pb2.CONSENT_SCOPE_ONWARD_TRANSFER
_EVIDENCE = consent_pb2.CONSENT_SCOPE_EVIDENTIAL_USE
_OTHER = consent_pb2.CONSENT_SCOPE_OTHER_OFFENCE
_H1, _H2 = codes_pb2.SIENA_CODE_H1, codes_pb2.SIENA_CODE_H2


def obstacles(
    standings: Sequence[procedure_pb2.ForwardStanding],
    header: envelope_pb2.Header,
    *,
    recipient: str,
    entry_time: int,
) -> list[procedure_pb2.Obstacle]:
    """Return what stands in the way of the messages that a header passes on.

    Args:
        standings: How each of the header's ``forwards`` stands, in order; a missing one counts as
            not held.
        header: Of any kind.
        recipient: Agency id of the recipient that is judged for.
        entry_time: In nanoseconds since the epoch.

    Returns:
        At most `MAX_OBSTACLES`, in order of the forwards; none: it may pass.
    """
    found: list[procedure_pb2.Obstacle] = []
    for reference, standing in zip_longest(header.forwards, standings[: len(header.forwards)]):
        if standing is None or not standing.held or standing.message != reference:
            found.append(_obstacle("FORWARD_NOT_HELD", reference))
        elif standing.recalled:
            found.append(_obstacle("RECALLED", reference))
        elif reference.sender not in {header.sender, recipient}:
            found += _OneForward(standing, header, recipient, entry_time).obstacles()
    carried = sum(1 for part in header.parts if part.category == codes_pb2.PART_CATEGORY_FORWARDED)
    if carried > len(header.forwards):
        # An original that the header does not name would be judged by nobody.
        found.append(_obstacle("FORWARD_NOT_HELD", None))
    return found[:MAX_OBSTACLES]


def effective(
    header: envelope_pb2.Header,
    *obligations: agreement_pb2.Obligations,
    message: common_pb2.MessageReference | None = None,
) -> procedure_pb2.ForwardStanding:
    """Return how an original may be used further; what only the ledger knows is left unset.

    Args:
        header: Of the original.
        obligations: Under which it was received, the original or a copy passed on.
        message: Reference to the original.

    Returns:
        Everything but ``held``, ``recalled`` and ``consents``. What a SIENA code asks for stands in
        ``siena_codes`` alone.
    """
    handling = header.handling
    onward, evidence = handling.onward_transfer, handling.evidential_use
    for owed in obligations:
        onward = strictest(onward, owed.onward_transfer)
        evidence = strictest(evidence, owed.evidential_use)
    return procedure_pb2.ForwardStanding(
        message=message,
        onward_transfer=onward,
        evidential_use=evidence,
        tlp=handling.tlp,
        siena_codes=handling.siena_codes,
        speciality_offences=handling.speciality_offences,
    )


def strictest(first: Number, second: Number) -> Number:
    """Return the stricter of two limits of one enum, whose numbers grow with laxity.

    0, not stated, gives way to any other.
    """
    if not first or not second:
        return first or second
    return min(first, second)


def consent_standing(
    header: envelope_pb2.Header, message: common_pb2.MessageReference | None = None
) -> procedure_pb2.ConsentStanding | None:
    """Return what a CONSENT message gives; None where it asks, withdraws, or is none.

    Whether its sender is the originator, gave it to who relies on it and has not withdrawn it is
    for the ledger to know.

    Args:
        header: Of the message.
        message: Reference to it.
    """
    said = header.subject
    if (
        header.kind != codes_pb2.KIND_CONSENT
        or said.consent_request
        or said.withdrawal
        or not said.consent_scope
    ):
        return None
    made = procedure_pb2.ConsentStanding(
        message=message,
        scope=said.consent_scope,
        agencies=said.agencies,
        offences=said.offences,
        parts=said.parts,
    )
    if said.HasField("valid_until_time"):
        made.valid_until_time.CopyFrom(said.valid_until_time)
    return made


class _OneForward:
    """One original that is passed on, and the consents that count for it here and now."""

    def __init__(
        self,
        standing: procedure_pb2.ForwardStanding,
        header: envelope_pb2.Header,
        recipient: str,
        entry_time: int,
    ) -> None:
        self._standing = standing
        self._header = header
        self._codes = frozenset(standing.siena_codes)
        self._parts: frozenset[int | None] = frozenset(
            position
            for part in header.parts
            if part.category == codes_pb2.PART_CATEGORY_FORWARDED
            for position in part.facts.present_parts
        ) or frozenset({None})
        self._consents = [
            consent
            for consent in standing.consents
            if (not consent.agencies or recipient in consent.agencies)
            and (
                not consent.HasField("valid_until_time")
                or entry_time < to_nanoseconds(consent.valid_until_time)
            )
        ]

    def obstacles(self) -> list[procedure_pb2.Obstacle]:
        """Return what stands in the way, without a look at who sends it to whom."""
        found = []
        for kind, scope in (*self._passing_on(), *self._as_evidence(), *self._other_offences()):
            found.append(_obstacle(kind, self._standing.message, scope))
        if self._laxer():
            found.append(_obstacle("HANDLING_LAXER", self._standing.message))
        return found

    def _passing_on(self) -> Iterable[tuple[str, consent_pb2.ConsentScope.ValueType]]:
        allowed = _onward(self._standing.onward_transfer, self._codes)
        if allowed == codes_pb2.ONWARD_TRANSFER_NEVER:
            yield "FORWARD_NEVER", consent_pb2.CONSENT_SCOPE_UNSPECIFIED
        elif allowed != codes_pb2.ONWARD_TRANSFER_ALLOWED and not self._consented(_ONWARD):
            yield "CONSENT_MISSING", _ONWARD

    def _as_evidence(self) -> Iterable[tuple[str, consent_pb2.ConsentScope.ValueType]]:
        handling = self._header.handling
        allowed = _evidence(self._standing.evidential_use, self._codes)
        laxer = _evidence(handling.evidential_use, handling.siena_codes) > allowed
        if not laxer and self._header.purpose != codes_pb2.PURPOSE_PROSECUTION:
            return
        if allowed == codes_pb2.EVIDENTIAL_USE_NOT_ALLOWED:
            yield "EVIDENCE_NEVER", consent_pb2.CONSENT_SCOPE_UNSPECIFIED
        elif allowed != codes_pb2.EVIDENTIAL_USE_ALLOWED and not self._consented(_EVIDENCE):
            yield "CONSENT_MISSING", _EVIDENCE

    def _other_offences(self) -> Iterable[tuple[str, consent_pb2.ConsentScope.ValueType]]:
        named = tuple(self._standing.speciality_offences)
        if not named:
            return
        outside = [code for code in self._header.offences if not code.startswith(named)]
        # What is not stated lies within nothing, and nobody consented to it.
        if not self._header.offences or (outside and not self._consented(_OTHER, outside)):
            yield "CONSENT_MISSING", _OTHER

    def _laxer(self) -> bool:
        original, label = self._standing, self._header.handling
        onward_freed = any(
            self._covers_all([consent])
            for consent in self._consents
            if consent.scope == _ONWARD and not consent.agencies
        )
        if label.tlp > (original.tlp or common_pb2.TLP_RED):
            return True
        if label.onward_transfer > original.onward_transfer and not onward_freed:
            return True
        gone = self._codes - set(label.siena_codes)
        if onward_freed:
            gone -= {_H2}
        if self._consented(_EVIDENCE):
            gone -= {_H1}
        return bool(gone) or self._speciality_laxer()

    def _speciality_laxer(self) -> bool:
        named = tuple(self._standing.speciality_offences)
        if not named:
            return False
        kept = self._header.handling.speciality_offences
        outside = [code for code in kept if not code.startswith(named)]
        return not kept or bool(outside and not self._consented(_OTHER, outside))

    def _consented(
        self,
        scope: consent_pb2.ConsentScope.ValueType,
        offences: Sequence[str] | None = None,
    ) -> bool:
        """Return whether there is consent for each offence concerned in each part passed on.

        Args:
            scope: What is asked.
            offences: Offences concerned; None: those of the header.
        """
        concerned = self._header.offences if offences is None else offences
        given = [consent for consent in self._consents if consent.scope == scope]
        if not concerned:
            return self._covers_all(consent for consent in given if not consent.offences)
        return all(
            self._covers_all(consent for consent in given if _for_offence(consent, code))
            for code in concerned
        )

    def _covers_all(self, consents: Iterable[procedure_pb2.ConsentStanding]) -> bool:
        """Return whether these consents together cover every part that is passed on."""
        limits = [consent.parts for consent in consents]
        return any(not limit for limit in limits) or (
            bool(limits) and all(any(part in limit for limit in limits) for part in self._parts)
        )


def _for_offence(consent: procedure_pb2.ConsentStanding, code: str) -> bool:
    if consent.scope == _OTHER and not consent.offences:
        # Consent to other offences says which.
        return False
    return not consent.offences or code.startswith(tuple(consent.offences))


def _onward(value: int, codes: Iterable[int]) -> int:
    """Return how far a record may be passed on by its handling; not stated: never."""
    stated = value or codes_pb2.ONWARD_TRANSFER_NEVER
    return min(stated, codes_pb2.ONWARD_TRANSFER_WITH_CONSENT) if _H2 in codes else stated


def _evidence(value: int, codes: Iterable[int]) -> int:
    """Return how far a record may be used as evidence by its handling; not stated: not at all."""
    stated = value or codes_pb2.EVIDENTIAL_USE_NOT_ALLOWED
    return min(stated, codes_pb2.EVIDENTIAL_USE_WITH_CONSENT) if _H1 in codes else stated


def _obstacle(
    kind: str,
    message: common_pb2.MessageReference | None,
    scope: consent_pb2.ConsentScope.ValueType = consent_pb2.CONSENT_SCOPE_UNSPECIFIED,
) -> procedure_pb2.Obstacle:
    return procedure_pb2.Obstacle(
        kind=procedure_pb2.ObstacleKind.Value(f"OBSTACLE_KIND_{kind}"),
        message=message,
        consent_scope=scope,
    )
