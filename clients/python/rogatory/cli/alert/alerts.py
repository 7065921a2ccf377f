"""Alerts that an agency holds, and what of its inbox hits them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rogatory import clock
from rogatory.cli.folder import Folder, header_of, name_of
from rogatory.cli.store import SUFFIX, read_delivery
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2
from rogatory.home import write_atomically
from rogatory.procedures import alerts
from rogatory.procedures.matching import AlertIndex, Match
from rogatory.procedures.wording import in_words
from rogatory.records.v1 import alert_pb2, common_pb2
from rogatory.verification import VerifiedDelivery

_BASIS = alert_pb2.MatchBasis.DESCRIPTOR
_ACTION = alert_pb2.AlertAction.DESCRIPTOR
_INDEX = "alerts.json"
"""In the inbox's folder: where the ALERT messages are, so that not all must be read for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An ALERT message that issues alerts.

    Attributes:
        message: Reference to it.
        header: What it says.
        entry_time: When it was entered in the log, nanoseconds since the Unix epoch.
    """

    message: common_pb2.MessageReference
    header: envelope_pb2.Header
    entry_time: int

    def basis(self, agency: str) -> envelope_pb2.Recipient:
        """Return the legal basis on which an agency received it."""
        return next(item for item in self.header.recipients if item.agency == agency)


class Watch:
    """The alerts that were received; messages are shown to it in the order of the inbox."""

    def __init__(self) -> None:
        self._index = AlertIndex()
        self.watched: dict[str, Watched] = {}
        self.withdrawn: dict[str, int] = {}

    def take(self, message: VerifiedDelivery) -> list[Match]:
        """Return what of a message hits an alert; an ALERT message is watched from then on."""
        reference = message.envelope.reference
        found = [
            match
            for content in message.contents
            if content is not None
            for match in self._index.match(
                content, message=reference, entry_time=message.entry_time
            )
        ]
        if message.header.kind == codes_pb2.KIND_ALERT:
            self._alert(message)
        return found

    def state(self, watched: Watched, *, now: int) -> str:
        """Return how an alert stands, in words, at a time in nanoseconds since the Unix epoch."""
        return state(watched.header, withdrawn=name_of(watched.message) in self.withdrawn, now=now)

    def _alert(self, message: VerifiedDelivery) -> None:
        header, entry_time = message.header, message.entry_time
        named = alerts.named(header)
        if alerts.issued(header) is not None:
            self.watched[name_of(message.envelope.reference)] = Watched(
                message=message.envelope.reference, header=header, entry_time=entry_time
            )
            until = header.alert.valid_until_time
            ends = (
                clock.to_nanoseconds(until) if header.alert.HasField("valid_until_time") else None
            )
            for content in message.contents:
                if isinstance(content, alert_pb2.Alerts):
                    self._index.add(
                        content,
                        message=message.envelope.reference,
                        entry_time=entry_time,
                        valid_until=ends,
                    )
        elif header.alert.withdrawal and named is not None and named.sender == header.sender:
            self.withdrawn.setdefault(name_of(named), entry_time)
            self._index.withdraw(named, entry_time=entry_time)


def state(header: envelope_pb2.Header, *, withdrawn: bool, now: int) -> str:
    """Return how an alert stands, in words.

    Args:
        header: Of the ALERT message.
        withdrawn: It was taken back.
        now: Nanoseconds since the Unix epoch.
    """
    if withdrawn:
        return "withdrawn"
    standing = alerts.issued(header)
    assert standing is not None
    return "ended" if alerts.has_ended(standing, now) else "running"


def watch_of(folder: Folder, *, kept: Folder | None = None) -> Watch:
    """Return a watch with the alerts of a folder, without a look at its other messages.

    Args:
        folder: The folder.
        kept: Another one of the same inbox, that holds nothing but ALERT messages.
    """
    where = dict.fromkeys(_positions(folder), folder)
    if kept is not None:
        where |= dict.fromkeys(_all_positions(kept), kept)
    watch = Watch()
    for position in sorted(where):
        for message in where[position].at([position]):
            watch.take(message)
    return watch


def matches(folder: Folder) -> tuple[Watch, list[Match]]:
    """Return the alerts of a folder, and whatever hit one of them, in the order of the inbox."""
    watch = Watch()
    found = [match for message in folder.received(lambda _: True) for match in watch.take(message)]
    return watch, found


def line(match: Match) -> str:
    """Return a match as a sentence."""
    actions = ", ".join(in_words(_ACTION, action) for action in match.actions)
    return (
        f"record {match.matched.record_id} of {name_of(match.matched.message)} hits alert"
        f" {match.alert.record_id} of {name_of(match.alert.message)}:"
        f" {_basis(match)}; asked for: {actions}"
    )


def data(match: Match) -> dict[str, object]:
    """Return a match for JSON."""
    return {
        "alert": name_of(match.alert.message),
        "alert_record": match.alert.record_id,
        "matched": name_of(match.matched.message),
        "matched_record": match.matched.record_id,
        "basis": alert_pb2.MatchBasis.Name(match.basis),
        "hit_time": clock.to_text(match.hit_time),
        "actions": [alert_pb2.AlertAction.Name(action) for action in match.actions],
    }


def _basis(match: Match) -> str:
    if match.basis == alert_pb2.MATCH_BASIS_IDENTIFIER:
        return "the same identifier"
    return in_words(_BASIS, match.basis)


def _positions(folder: Folder) -> list[int]:
    """Return where the ALERT messages of a folder are; what is new is looked through."""
    path = folder.store.folder / _INDEX
    through, found = 0, []
    try:
        kept = json.loads(path.read_text("utf-8"))
        through, found = int(kept["through"]), [int(one) for one in kept["positions"]]
    except (OSError, ValueError, KeyError, TypeError):
        # It is made anew.
        through, found = 0, []
    last = through
    for position in _later(folder, through):
        last = position
        header = header_of(read_delivery(folder.store.file(position)))
        if header is not None and header.kind == codes_pb2.KIND_ALERT:
            found.append(position)
    there = [position for position in found if folder.store.file(position).exists()]
    if last != through or there != found:
        text = json.dumps({"through": last, "positions": there})
        try:
            write_atomically(path, f"{text}\n".encode())
        except ConfigurationError:
            # Only the next look takes longer.
            return there
    return there


def _later(folder: Folder, through: int) -> Iterator[int]:
    yield from (position for position in _all_positions(folder) if position > through)


def _all_positions(folder: Folder) -> Iterator[int]:
    names: Iterable[str] = (path.name.removesuffix(SUFFIX) for path in folder.store.files())
    yield from (int(name) for name in names if name.isdecimal())
