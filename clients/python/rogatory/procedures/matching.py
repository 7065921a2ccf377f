"""Alerts against what is exchanged later: an index that finds hits and writes the answer to them.

It is a plain computation over what its holder may read; nothing is sent from here.

1. A record hits an alert by the same identifier (`rogatory.procedures.identifiers`): document,
   account, device, plate, indicator or contact, whatever type of record has it on either side.
2. A person hits one by the same whole name where both dates of birth are known and agree. A name
   alone hits nothing, and nothing is matched by likeness.
3. An alert is looked at only on the occasions it states, while it runs and was not taken back, and
   never for what its own issuer sends.
4. A record hits an alert once, by the best there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from rogatory.clock import to_nanoseconds, to_timestamp
from rogatory.exchange.v1 import envelope_pb2
from rogatory.procedures import identifiers
from rogatory.procedures.identifiers import Key
from rogatory.records.v1 import (
    account_pb2,
    alert_pb2,
    common_pb2,
    evidence_pb2,
    indicator_pb2,
    organisation_pb2,
    person_pb2,
)

MAX_HITS = 1000
"""In one AlertHits part."""

_EXCHANGED = alert_pb2.ALERT_OCCASION_EXCHANGED_RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A record that hits an alert.

    Attributes:
        alert: The alert, with its message.
        matched: The record, with its message.
        basis: IDENTIFIER or NAME_AND_BIRTH.
        occasion: On which the record was seen.
        hit_time: When, as entry time in nanoseconds.
        actions: What the alert asks for.
    """

    alert: common_pb2.RecordReference
    matched: common_pb2.RecordReference
    basis: alert_pb2.MatchBasis.ValueType
    occasion: alert_pb2.AlertOccasion.ValueType
    hit_time: int
    actions: tuple[alert_pb2.AlertAction.ValueType, ...]

    @property
    def issuer(self) -> str:
        """Agency id of who issued the alert, to whom the hit goes."""
        return self.alert.message.sender


@dataclass(frozen=True, slots=True, kw_only=True)
class HitReport:
    """A message that reports hits on the alerts of one message.

    Attributes:
        recipient: Agency id of the issuer.
        hits: Content of its ALERT part.
        particulars: What its header says. It answers the message of the alerts.
    """

    recipient: str
    hits: alert_pb2.AlertHits
    particulars: envelope_pb2.AlertParticulars


@dataclass(slots=True, kw_only=True, eq=False)
class _Watched:
    """An alert in the index; one is told from another by where it stands."""

    alert: alert_pb2.Alert
    message: common_pb2.MessageReference
    valid_from: int
    valid_until: int
    keys: frozenset[Key]
    names: frozenset[str]

    def order(self) -> tuple[str, str, str]:
        return self.message.sender, self.message.message_id, self.alert.record_id


class AlertIndex:
    """Alerts that were received or issued, by what they watch for."""

    def __init__(self) -> None:
        self._watched: dict[tuple[str, str, bytes, str], _Watched] = {}
        self._by_key: dict[Key, list[_Watched]] = {}
        self._by_name: dict[str, list[_Watched]] = {}

    def __len__(self) -> int:
        """Return how many alerts are in the index, those that have ended included."""
        return len(self._watched)

    def add(
        self,
        alerts: alert_pb2.Alerts,
        *,
        message: common_pb2.MessageReference,
        entry_time: int,
        valid_until: int | None = None,
    ) -> None:
        """Add the alerts of a message; those that are there already stay as they are.

        Messages are added, and their withdrawals told, in order of entry.

        Args:
            alerts: Content of its ALERT part; not to be changed afterwards.
            message: Reference to it; its sender is the issuer.
            entry_time: Of the message, in nanoseconds: nothing before it hits.
            valid_until: The header's end, in nanoseconds; an alert runs until this or its own end,
                whichever comes first. None: the header states none. One with no end at all, which
                the schema does not let pass, watches for nothing.
        """
        for alert in alerts.alerts:
            place = (message.sender, message.message_id, message.header_digest, alert.record_id)
            if place in self._watched:
                continue
            ends = [] if valid_until is None else [valid_until]
            if alert.HasField("valid_until_time"):
                ends.append(to_nanoseconds(alert.valid_until_time))
            watched = _Watched(
                alert=alert,
                message=message,
                valid_from=max(entry_time, to_nanoseconds(alert.valid_from_time)),
                valid_until=min(ends, default=entry_time),
                keys=frozenset(key for key in _keys_of_subject(alert) if key[-1]),
                names=frozenset(identifiers.whole_names(alert.person)),
            )
            self._watched[place] = watched
            for key in watched.keys:
                self._by_key.setdefault(key, []).append(watched)
            for name in watched.names:
                self._by_name.setdefault(name, []).append(watched)

    def withdraw(self, message: common_pb2.MessageReference, *, entry_time: int) -> None:
        """End the alerts of a message that was taken back.

        Args:
            message: The message that issued them.
            entry_time: Of the withdrawal, in nanoseconds: from then on nothing hits.
        """
        named = (message.sender, message.message_id, message.header_digest)
        for place, watched in self._watched.items():
            if place[:3] == named:
                watched.valid_until = min(watched.valid_until, entry_time)

    def match(
        self,
        content: Message,
        *,
        message: common_pb2.MessageReference,
        entry_time: int,
        occasion: alert_pb2.AlertOccasion.ValueType = _EXCHANGED,
    ) -> list[Match]:
        """Return the hits of a part's content, record by record, and for each alert by alert.

        Args:
            content: Persons, organisations, accounts, indicators, evidence items or alerts; of any
                other nothing hits.
            message: Reference to the message that carries it.
            entry_time: Of that message, in nanoseconds.
            occasion: On which these records were seen.
        """
        found = []
        for record_id, keys, person in _records(content):
            bases = self._bases(keys, person)
            for watched in sorted(bases, key=_Watched.order):
                if (
                    watched.message.sender == message.sender
                    or occasion not in watched.alert.occasions
                    or not watched.valid_from <= entry_time < watched.valid_until
                ):
                    continue
                found.append(
                    Match(
                        alert=common_pb2.RecordReference(
                            message=watched.message, record_id=watched.alert.record_id
                        ),
                        matched=common_pb2.RecordReference(message=message, record_id=record_id),
                        basis=bases[watched],
                        occasion=occasion,
                        hit_time=entry_time,
                        actions=tuple(watched.alert.actions),
                    )
                )
        return found

    def _bases(
        self, keys: Iterable[Key], person: person_pb2.Person | None
    ) -> dict[_Watched, alert_pb2.MatchBasis.ValueType]:
        bases: dict[_Watched, alert_pb2.MatchBasis.ValueType] = {}
        for name in () if person is None else identifiers.whole_names(person):
            for watched in self._by_name.get(name, ()):
                if person is not None and identifiers.same_birth(watched.alert.person, person):
                    bases[watched] = alert_pb2.MATCH_BASIS_NAME_AND_BIRTH
        for key in keys:
            for watched in self._by_key.get(key, ()):
                bases[watched] = alert_pb2.MATCH_BASIS_IDENTIFIER
        return bases


def report_hits(
    matches: Iterable[Match],
    *,
    new_record_id: Callable[[], str],
    contact: common_pb2.Official | None = None,
) -> list[HitReport]:
    """Return the messages that tell issuers of their hits: one for each message of alerts.

    Args:
        matches: In order; a message holds at most `MAX_HITS`, and more become several.
        new_record_id: Returns a new UUID, lower case, for each hit.
        contact: Who can tell more.
    """
    by_message: dict[tuple[str, str, bytes], list[Match]] = {}
    for match in matches:
        alerts = match.alert.message
        place = (alerts.sender, alerts.message_id, alerts.header_digest)
        by_message.setdefault(place, []).append(match)
    return [
        HitReport(
            recipient=some[0].issuer,
            hits=alert_pb2.AlertHits(
                hits=[_hit(match, record_id=new_record_id(), contact=contact) for match in some]
            ),
            particulars=envelope_pb2.AlertParticulars(hit_of=some[0].alert.message),
        )
        for matched in by_message.values()
        for some in (
            matched[start : start + MAX_HITS] for start in range(0, len(matched), MAX_HITS)
        )
    ]


def matches_of(hits: alert_pb2.AlertHits) -> list[Match]:
    """Return the matches that a report tells of; what the alerts ask for is not in it."""
    return [
        Match(
            alert=hit.alert,
            matched=hit.matched,
            basis=hit.basis,
            occasion=hit.occasion,
            hit_time=to_nanoseconds(hit.hit_time),
            actions=(),
        )
        for hit in hits.hits
    ]


def _hit(
    match: Match, *, record_id: str, contact: common_pb2.Official | None
) -> alert_pb2.AlertHit:
    return alert_pb2.AlertHit(
        record_id=record_id,
        alert=match.alert,
        matched=match.matched,
        basis=match.basis,
        occasion=match.occasion,
        hit_time=to_timestamp(match.hit_time),
        contact=contact,
    )


def _keys_of_subject(alert: alert_pb2.Alert) -> Iterator[Key]:
    subject = alert.WhichOneof("subject")
    if subject == "person":
        yield from identifiers.of_person(alert.person)
    elif subject == "document":
        yield identifiers.of_document(alert.document)
    elif subject == "vehicle":
        yield from identifiers.of_vehicle(alert.vehicle)
    elif subject == "indicator":
        yield from identifiers.of_indicator(alert.indicator)
    elif subject == "account":
        yield from identifiers.of_account(alert.account)


def _keys_of_person(person: person_pb2.Person) -> Iterator[Key]:
    """Yield all keys of a person's record, also addresses, which an alert may be about."""
    yield from map(identifiers.of_document, person.documents)
    yield from _keys_of_contacts(person)


def _keys_of_contacts(
    record: person_pb2.Person | organisation_pb2.Organisation,
) -> Iterator[Key]:
    for contact in record.contacts:
        yield from identifiers.of_contact(contact)


_CONTENTS: tuple[tuple[type[Message], str, Callable[[Any], Iterator[Key]]], ...] = (
    (person_pb2.Persons, "persons", _keys_of_person),
    (organisation_pb2.Organisations, "organisations", _keys_of_contacts),
    (account_pb2.Accounts, "accounts", identifiers.of_account),
    (indicator_pb2.Indicators, "indicators", identifiers.of_indicator),
    (evidence_pb2.EvidenceItems, "items", identifiers.of_evidence),
    (alert_pb2.Alerts, "alerts", _keys_of_subject),
)
"""What is matched: a container, its records, and the keys of one."""


def _records(content: Message) -> Iterator[tuple[str, list[Key], person_pb2.Person | None]]:
    """Yield each record's id, its keys, and the person where it is about one."""
    for container, name, keys_of in _CONTENTS:
        if isinstance(content, container):
            for record in getattr(content, name):
                yield record.record_id, [*keys_of(record)], _person(record)


def _person(record: Message) -> person_pb2.Person | None:
    if isinstance(record, alert_pb2.Alert) and record.HasField("person"):
        return record.person
    return record if isinstance(record, person_pb2.Person) else None
