"""What a drop folder watches for, and its reports of what was hit: each hit is reported once.

1. An ALERT message is kept, durably, before anything of it appears: after a restart, and when the
   case system has taken it away, it is still watched for.
2. Where hits are reported, they are written down before the message that hit appears: references
   alone, no record.
3. A report is noted (`rogatory.cli.alert.reported`), put into the outbox and submitted; then what
   was written down is removed.

After a crash between two of these steps notes, outbox and receipts say how far a report was, and it
goes on from there. A note without a message is one that never left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from rogatory.cli import outbox
from rogatory.cli.alert import alerts
from rogatory.cli.alert import reported as alert_reported
from rogatory.cli.alert import reports as alert_reports
from rogatory.cli.desk import Desk, Label, Reasons
from rogatory.cli.drafts import queue
from rogatory.cli.earlier import Earlier
from rogatory.cli.folder import Folder, name_of
from rogatory.cli.store import InboxStore
from rogatory.cli.trust import Trust
from rogatory.client import Client
from rogatory.connect.disk import Disk, prepare_folder
from rogatory.connect.incoming import Delivery
from rogatory.connect.patience import Patience, concerns_all
from rogatory.errors import (
    CallError,
    Conflict,
    EnvelopeError,
    FailedPrecondition,
    InvalidMessage,
    RogatoryError,
)
from rogatory.exchange.v1 import codes_pb2
from rogatory.home import Home
from rogatory.procedures.matching import Match, matches_of, report_hits
from rogatory.records.v1 import alert_pb2
from rogatory.verification import VerifiedDelivery

_SUFFIX = ".hits"
_ABOUT_THE_REPORT = (EnvelopeError, InvalidMessage, Conflict, FailedPrecondition)
"""Errors that the same report would meet again."""


class Watching:
    """The alerts of one inbox, and what is to be reported.

    `hits` and `report` may be called from two threads: the alerts have a lock, and what is written
    down passes from one to the other by a rename.
    """

    def __init__(
        self,
        place: Home,
        client: Client,
        *,
        exercise: bool,
        state: Path,
        reports: bool,
        tell: Callable[[str], None],
        now: Callable[[], int],
    ) -> None:
        """Be ready; alerts are read when the first message comes.

        Args:
            place: The agency's folder.
            client: Asked for keys that verify an alert; signs and sends reports.
            exercise: Whether the inbox is that of training traffic.
            state: Where it is kept what is to be reported.
            reports: Whether hits are reported.
            tell: Gets lines for the operator.
            now: Nanoseconds since the Unix epoch.

        Raises:
            ConfigurationError: A folder cannot be used.
        """
        self._place = place
        self._client = client
        self._exercise = exercise
        self._reports = reports
        self._tell = tell
        self._now = now
        self._disk = Disk()
        self._kept = InboxStore(
            prepare_folder(place.path / "connect") / "alerts", exercise=exercise
        )
        self._waiting = prepare_folder(state / "hits")
        self._patience = Patience(now)
        self._lock = threading.Lock()
        self._alerts: alerts.Watch | None = None
        self._told: set[str] = set()

    def hits(self, delivery: Delivery, verified: VerifiedDelivery) -> list[dict[str, object]]:
        """Return what a message hits, for JSON; keep it if it is an alert.

        Raises:
            CallError: Keys that verify an alert cannot be fetched now.
            ConfigurationError: A file of the agency's folder cannot be read.
            OSError: What must be kept cannot be written.
        """
        position = verified.inbox_position
        with self._lock:
            watch = self._watch()
            if verified.header.kind == codes_pb2.KIND_ALERT:
                data = delivery.SerializeToString(deterministic=True)
                self._disk.put(self._kept.file(position), data)  # (1)
            found = watch.take(verified)
        for match in found:
            self._tell(f"{position}: HIT: {alerts.line(match)}")
        if self._reports:
            # Ids of the hits are made with the report; here they only have to be there.
            made = report_hits(found, new_record_id=lambda: "")
            for number, one in enumerate(made):
                path = self._waiting / f"{position:010d}-{number}{_SUFFIX}"
                self._disk.put(path, one.hits.SerializeToString(deterministic=True))  # (2)
        return [alerts.data(match) for match in found]

    def report(self) -> RogatoryError | None:
        """Send what is to be reported; one that fails is tried again later, or told of.

        Returns:
            Why the gateway could not be reached; None: it could, or there was nothing to send.
        """
        if not self._reports:
            return None
        for path in sorted(self._waiting.glob(f"[!.]*{_SUFFIX}")):
            if not self._patience.is_due(path.name):
                continue
            try:
                self._report(path)
            except RogatoryError as error:
                # One that lay here until it expired is made anew: nobody has seen it.
                expired = getattr(error, "reason", "") == "EXPIRED"
                if isinstance(error, _ABOUT_THE_REPORT) and not expired:
                    self._tell(f"hit not reported. {error}")
                    self._disk.remove(path)
                    continue
                self._patience.failed(path.name, at_once=False)
                self._once(path.name, f"report of a hit waits. {error}")
                if isinstance(error, CallError) and concerns_all(error):
                    return error
            else:
                self._patience.forget(path.name)
        return None

    def _watch(self) -> alerts.Watch:
        if self._alerts is None:
            trust = Trust(self._place)
            inbox, kept = (
                Folder(
                    self._place,
                    exercise=self._exercise,
                    trust=trust,
                    client=self._client,
                    store=store,
                )
                for store in (None, self._kept)
            )
            self._alerts = alerts.watch_of(inbox, kept=kept)
        return self._alerts

    def _report(self, path: Path) -> None:
        """Bring the report of hits on the alerts of one message to its end (3)."""
        hits = alert_pb2.AlertHits.FromString(path.read_bytes())
        left = {alert_reported.pair_of(match): match for match in matches_of(hits)}
        for message_id, noted in list(alert_reported.notes(self._place)):
            if left.keys().isdisjoint(noted) or not self._has_left(message_id):
                continue
            for pair in noted:
                left.pop(pair, None)
        if left:
            self._send([*left.values()])
        self._disk.remove(path)

    def _has_left(self, message_id: str) -> bool:
        """Say whether a message that was noted was decided, or waits for officers to sign it.

        One that the gateway may have got is submitted again: the same bytes, to the same end.
        """
        waiting = outbox.file_in(self._place, message_id)
        if outbox.receipt_in(self._place, message_id).exists():
            waiting.unlink(missing_ok=True)
            return True
        if waiting.exists():
            sent = outbox.submit(self._place, self._client, waiting)
            self._say(message_id, refused=not sent.submitted.permitted)
            return True
        return queue.file_in(self._place, message_id).exists()

    def _send(self, matches: list[Match]) -> None:
        name = name_of(matches[0].alert.message)
        with self._lock:
            watch = self._watch()
            watched = watch.watched.get(name)
            state = (
                "not known any more" if watched is None else watch.state(watched, now=self._now())
            )
        if watched is None or state != "running":
            self._tell(f"not reported, the alert is {state}: {len(matches)} hits on {name}")
            return
        earlier = Earlier(self._place, client=self._client, exercise=self._exercise)
        desk = Desk.of(self._place, self._client, earlier)
        handed = alert_reports.report(desk, watched, matches, label=Label(), reasons=Reasons())
        self._say(handed.message_id, refused=not handed.reached)

    def _say(self, message_id: str, *, refused: bool) -> None:
        if refused:
            self._tell(
                f"report {message_id} of a hit was refused; see why: rogatory receipt verify"
                f" {outbox.receipt_in(self._place, message_id)}"
            )
        else:
            self._tell(f"hit reported: message {message_id}")

    def _once(self, key: str, line: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self._tell(line)
