"""A drop folder without a process around it, in front of a small exchange in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rogatory.client import Submitted
from rogatory.connect.disk import Disk
from rogatory.connect.incoming import Incoming
from rogatory.connect.outgoing import Composed, Outgoing
from rogatory.connect.taking import Taken
from rogatory.connect.webhooks import Notice
from rogatory.errors import CallError, NotFoundOrDenied, RecordFileError, Unavailable
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory.receipts import Receipt
from rogatory.verification import VerifiedDelivery, verify_delivery
from tests.unit.rogatory.client.world import NOW, ORIGIN, World, indicators, message_id, persons

T = TypeVar("T")
SENDER, RECIPIENT = "fr.police", "de.police"
SECOND = 1_000_000_000


@dataclass
class Desk:
    """An agency's two folders, and the exchange behind them.

    Attributes:
        world: The exchange.
        folder: Where everything is.
        composed: Messages made so far: each has an id of its own, so that one sent twice shows.
        faults: What the next submissions are answered with, None for an answer.
        lost: Whether an error comes in place of an answer, after the message was entered.
        notices: What the receivers were told, by id.
        lines: What the operator was told.
        settled: Ids of the messages that were decided, as the queue of drafts is told.
        time: The clock.
    """

    world: World
    folder: Path
    composed: int = 0
    faults: list[CallError | None] = field(default_factory=list)
    lost: bool = False
    notices: Counter[str] = field(default_factory=Counter)
    told: list[Notice] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    time: int = NOW

    def __post_init__(self) -> None:
        for name in ("out", "in", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def out(self) -> Path:
        """The folder that jobs are put into."""
        return self.folder / "out"

    @property
    def into(self) -> Path:
        """The folder that messages appear in."""
        return self.folder / "in"

    def put(self, name: str, **members: object) -> Path:
        """Put a job there."""
        path = self.out / f"{name}.json"
        path.write_text(json.dumps({"to": ["de.police:x:Art. 2"], **members}))
        return path

    def status(self, name: str) -> dict[str, Any]:
        """Return a job's sidecar."""
        found: dict[str, Any] = json.loads((self.out / f"{name}.status.json").read_text())
        return found

    def outgoing(
        self,
        disk: Disk | None = None,
        *,
        around: Callable[[Callable[[], Any]], Any] = lambda do: do(),
    ) -> Outgoing:
        """Open the folder OUT, as a process that starts does.

        Args:
            disk: The disk.
            around: Takes the step of submitting a message, and that of telling.
        """
        return Outgoing(
            out=self.out,
            state=self.folder / "state",
            receipts=self.folder / "receipts",
            agency=SENDER,
            exercise=False,
            compose=self.compose,
            gateway=_Gateway(self, around),
            notify=lambda notice: around(lambda: self.tell(notice)),
            tell=self.lines.append,
            now=lambda: self.time,
            disk=disk or Disk(),
            settled=lambda message_id: around(lambda: self.settled.add(message_id)),
        )

    def incoming(
        self,
        disk: Disk | None = None,
        *,
        around: Callable[[Callable[[], Any]], Any] = lambda do: do(),
        hits: Sequence[Mapping[str, Any]] = (),
    ) -> Incoming:
        """Open the folder IN, as a process that starts does."""
        return Incoming(
            folder=self.into,
            state=self.folder / "state",
            agency=RECIPIENT,
            verify=self.verify,
            receipt=lambda _: b"a receipt",
            notify=lambda notice: around(lambda: self.tell(notice)),
            tell=self.lines.append,
            disk=disk or Disk(),
            watch=lambda _delivery, _verified: hits,
        )

    def compose(self, taken: Taken) -> Composed:
        """Make a job's message; the job says what it is about by its officer's name.

        A draft is made of its envelope's bytes here.
        """
        if taken.job is None:
            return Composed(envelope=taken.signed)
        if taken.job.officer == "faulty":
            raise RecordFileError("No.", hint="Mend it.", file=taken.entry.file)
        self.composed += 1
        content = persons() if taken.job.officer == "persons" else indicators(taken.entry.name)
        envelope = self.world.envelope(number=self.composed, contents=[content])
        return Composed(envelope=envelope)

    def tell(self, notice: Notice) -> None:
        """Take a notice, as a receiver does."""
        notice.body()
        self.notices[notice.id] += 1
        self.told.append(notice)

    def verify(self, delivery: exchange_service_pb2.Delivery) -> VerifiedDelivery:
        """Verify a delivery to the recipient."""
        policy = self.world.policy()
        return verify_delivery(
            delivery,
            recipient=RECIPIENT,
            ring=policy.ring,
            agreements=policy.agreements,
            audience=ORIGIN,
        )

    def arrive(self, count: int) -> list[exchange_service_pb2.Delivery]:
        """Let messages arrive; return the inbox."""
        for _ in range(count):
            self.composed += 1
            self.world.submit(self.world.envelope(number=self.composed))
        return self.world.inboxes[RECIPIENT]

    @property
    def sent(self) -> list[str]:
        """The ids of all messages that the log has, in order."""
        return [identity[1] for identity in self.world.submitted]


@dataclass
class _Gateway:
    desk: Desk
    around: Callable[[Callable[[], Any]], Any]

    def submit(self, envelope: bytes) -> Submitted:
        desk = self.desk
        fault = desk.faults.pop(0) if desk.faults else None
        if fault is not None and not desk.lost:
            raise fault
        submission, checkpoint = self.around(lambda: desk.world.submit(envelope))
        if fault is not None:
            raise fault
        return Submitted.of(submission, checkpoint)

    def get_receipt(self, sender: str, message_id: str) -> Receipt:
        submission = self.desk.world.submitted.get((sender, message_id))
        if submission is None:
            raise error("NOT_FOUND", "DENIED_OR_ABSENT")
        return Receipt.from_parts(
            self.desk.world.receipt(submission.receipt.index),
            submission.outcomes,
            self.desk.world.checkpoint(),
        )


def error(code: str, reason: str = "") -> CallError:
    """Return the error of a call."""
    kinds = {"NOT_FOUND": NotFoundOrDenied, "UNAVAILABLE": Unavailable}
    return kinds.get(code, CallError)("It failed", hint="See.", code=code, reason=reason)


__all__ = ["Desk", "error", "message_id"]
