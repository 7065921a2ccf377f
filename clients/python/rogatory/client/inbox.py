"""Reading an inbox without gaps and without repeats, whatever the connection does."""

from __future__ import annotations

from rogatory.errors import InboxGap
from rogatory.exchange.v1 import exchange_service_pb2


class InboxPosition:
    """Where a subscription stands: which position comes next.

    Inboxes are numbered without gaps, so that a suppressed message shows. Delivery is at least
    once, so what comes twice is dropped here.
    """

    def __init__(self, start_cursor: int, *, exercise: bool) -> None:
        """Start at a position, or with 0 after the cursor that the gateway has recorded."""
        self.next = start_cursor
        self._exercise = exercise

    def request(self) -> exchange_service_pb2.SubscribeRequest:
        """Return the request that goes on from here."""
        return exchange_service_pb2.SubscribeRequest(
            start_cursor=self.next, exercise=self._exercise
        )

    def take(
        self, response: exchange_service_pb2.SubscribeResponse
    ) -> exchange_service_pb2.Delivery | None:
        """Take an item of the stream; return its message if that is the next one.

        Raises:
            InboxGap: The gateway skipped a position, or its inbox is shorter than it was.
        """
        if response.WhichOneof("item") != "delivery":
            self._check(response.cursor)
            return None
        delivery = response.delivery
        position = delivery.inbox_position
        if self.next and position < self.next:
            return None
        self._check(position)
        self.next = position + 1
        return delivery

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
