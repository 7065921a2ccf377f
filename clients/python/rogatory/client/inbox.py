"""Reading an inbox without gaps and without repeats, whatever the connection does."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from rogatory.errors import InboxGap
from rogatory.exchange.v1 import exchange_service_pb2

Event: TypeAlias = exchange_service_pb2.Delivery | exchange_service_pb2.DeadlineNotice
"""What a subscription yields: a message, or a deadline that needs attention."""


class InboxPosition:
    """Where a subscription stands: which position comes next.

    Inboxes are numbered without gaps, so that a suppressed message shows. Delivery is at least
    once, and deadlines come again with each connection, so what comes twice is dropped here.
    """

    def __init__(self, start_cursor: int, *, exercise: bool, deadlines: bool = False) -> None:
        """Start at a position, or with 0 after the cursor that the gateway has recorded.

        Args:
            exercise: Training traffic instead of live records.
            deadlines: Deadlines that need attention are wanted too.
        """
        self.next = start_cursor
        self._exercise = exercise
        self._deadlines = deadlines
        self._noticed: set[bytes] = set()

    def request(self) -> exchange_service_pb2.SubscribeRequest:
        """Return the request that goes on from here."""
        return exchange_service_pb2.SubscribeRequest(
            start_cursor=self.next, exercise=self._exercise, deadlines=self._deadlines
        )

    def take(self, response: exchange_service_pb2.SubscribeResponse) -> Event | None:
        """Take an item of the stream; return its message if that is the next one, or its deadline.

        Raises:
            InboxGap: The gateway skipped a position, or its inbox is shorter than it was.
        """
        item = response.WhichOneof("item")
        if item != "delivery":
            self._check(response.cursor)
            return self._fresh(response.deadline) if item == "deadline" else None
        delivery = response.delivery
        position = delivery.inbox_position
        if self.next and position < self.next:
            return None
        self._check(position)
        self.next = position + 1
        return delivery

    def _fresh(
        self, notice: exchange_service_pb2.DeadlineNotice
    ) -> exchange_service_pb2.DeadlineNotice | None:
        """Return a deadline's notice if it was not told in this state before."""
        data = notice.SerializeToString(deterministic=True)
        digest = hashlib.sha256(data).digest()
        if digest in self._noticed:
            return None
        self._noticed.add(digest)
        return notice

    def _check(self, position: int) -> None:
        if self.next and position != self.next:
            raise InboxGap(
                f"The inbox goes on at position {position}, and position {self.next} is due",
                hint="Do not advance the cursor. Ask the gateway's operator for the message; the"
                " log shows whether there is one.",
                expected=self.next,
                received=position,
            )
        self.next = position
