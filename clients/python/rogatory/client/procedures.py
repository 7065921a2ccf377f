"""What the clients tell of procedures: requests with their deadlines, holders, joint operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias, TypeVar

from rogatory.assistance.v1 import deadline_pb2, request_pb2
from rogatory.client.calls import Call, Page, PageCall
from rogatory.client.inbox import Event, InboxPosition
from rogatory.exchange.v1 import procedure_service_pb2

T = TypeVar("T")

_PROCEDURES = "/rogatory.exchange.v1.ProcedureService/"

RequestStatus: TypeAlias = procedure_service_pb2.RequestStatus
Holder: TypeAlias = procedure_service_pb2.Holder
Operation: TypeAlias = procedure_service_pb2.Operation
_Side: TypeAlias = procedure_service_pb2.RequestSide.ValueType
_State: TypeAlias = request_pb2.RequestState.ValueType
_Kind: TypeAlias = request_pb2.AssistanceKind.ValueType
_DueState: TypeAlias = deadline_pb2.DueState.ValueType

_EITHER_SIDE = procedure_service_pb2.REQUEST_SIDE_UNSPECIFIED
_ANY_STATE = request_pb2.REQUEST_STATE_UNSPECIFIED
_ANY_KIND = request_pb2.ASSISTANCE_KIND_UNSPECIFIED
_ANY_DUE = deadline_pb2.DUE_STATE_UNSPECIFIED


def _list_requests(
    *,
    side: _Side,
    state: _State,
    kind: _Kind,
    counterpart: str,
    ended: bool,
    due_state: _DueState,
    exercise: bool,
    page_size: int,
) -> PageCall[RequestStatus]:
    def page(token: str) -> Call[Page[RequestStatus]]:
        return Call(
            method=_PROCEDURES + "ListRequests",
            request=procedure_service_pb2.ListRequestsRequest(
                page_size=page_size,
                page_token=token,
                side=side,
                state=state,
                kind=kind,
                counterpart=counterpart,
                ended=ended,
                due_state=due_state,
                exercise=exercise,
            ),
            response_type=procedure_service_pb2.ListRequestsResponse,
            result=lambda response: Page(
                items=response.requests, next_token=response.next_page_token
            ),
        )

    return page


def _get_request(sender: str, message_id: str) -> Call[tuple[RequestStatus, ...]]:
    return Call(
        method=_PROCEDURES + "GetRequest",
        request=procedure_service_pb2.GetRequestRequest(sender=sender, message_id=message_id),
        response_type=procedure_service_pb2.GetRequestResponse,
        result=lambda response: tuple(response.requests),
        message_id=message_id,
    )


def _list_holders(message_id: str) -> Call[tuple[Holder, ...]]:
    return Call(
        method=_PROCEDURES + "ListHolders",
        request=procedure_service_pb2.ListHoldersRequest(message_id=message_id),
        response_type=procedure_service_pb2.ListHoldersResponse,
        result=lambda response: tuple(response.holders),
        message_id=message_id,
    )


def _list_operations(*, ended: bool, exercise: bool, page_size: int) -> PageCall[Operation]:
    def page(token: str) -> Call[Page[Operation]]:
        return Call(
            method=_PROCEDURES + "ListOperations",
            request=procedure_service_pb2.ListOperationsRequest(
                ended=ended, exercise=exercise, page_size=page_size, page_token=token
            ),
            response_type=procedure_service_pb2.ListOperationsResponse,
            result=lambda response: Page(
                items=response.operations, next_token=response.next_page_token
            ),
        )

    return page


def _get_operation(sender: str, message_id: str) -> Call[Operation]:
    return Call(
        method=_PROCEDURES + "GetOperation",
        request=procedure_service_pb2.GetOperationRequest(sender=sender, message_id=message_id),
        response_type=procedure_service_pb2.GetOperationResponse,
        result=lambda response: response.operation,
        message_id=message_id,
    )


class BlockingProcedures(ABC):
    """The part of the blocking client that is about procedures."""

    @abstractmethod
    def _run(self, call: Call[T]) -> T: ...

    @abstractmethod
    def _pages(self, page_call: PageCall[T]) -> Iterator[T]: ...

    @abstractmethod
    def _events(self, position: InboxPosition, *, follow: bool) -> Iterator[Event]: ...

    def events(
        self, *, start_cursor: int = 0, exercise: bool = False, follow: bool = True
    ) -> Iterator[Event]:
        """Yield the inbox as `subscribe` does, and deadlines that are due soon or overdue.

        A deadline is a ``DeadlineNotice``: those that need attention when the iterator begins, and
        then each once as it becomes due soon, and once as it becomes overdue. It has no place in
        the inbox: the cursor is advanced by messages alone.

        Args:
            start_cursor: First position, from 1; 0: after the cursor recorded at the gateway.
            exercise: Training traffic instead of live records.
            follow: False ends the iterator when everything there is was yielded.

        Raises:
            InboxGap: A position was skipped.
            CallError: The gateway refused, or stayed away for all tries in a row.
        """
        position = InboxPosition(start_cursor, exercise=exercise, deadlines=True)
        return self._events(position, follow=follow)

    def list_requests(
        self,
        *,
        side: _Side = _EITHER_SIDE,
        state: _State = _ANY_STATE,
        kind: _Kind = _ANY_KIND,
        counterpart: str = "",
        ended: bool = False,
        due_state: _DueState = _ANY_DUE,
        exercise: bool = False,
        page_size: int = 100,
    ) -> Iterator[RequestStatus]:
        """Yield requests that the caller made or was asked, what is due first in front.

        Steps are not filled: `request_status` has them. Pages are fetched as needed; a request
        whose deadlines change meanwhile can come twice or be left out.

        Args:
            side: Only where the caller asks, or is asked.
            state: Only in this state.
            kind: Only of this kind.
            counterpart: Only with this agency as the other side.
            ended: Those that were refused, closed or withdrawn too.
            due_state: Only with a deadline that stands so; DUE_SOON includes OVERDUE.
            exercise: Training traffic instead of live requests.
            page_size: Requests fetched at once, at most 100.
        """
        return self._pages(
            _list_requests(
                side=side,
                state=state,
                kind=kind,
                counterpart=counterpart,
                ended=ended,
                due_state=due_state,
                exercise=exercise,
                page_size=page_size,
            )
        )

    def request_status(self, sender: str, message_id: str) -> tuple[RequestStatus, ...]:
        """Return a request with its steps, towards each agency asked that the caller may see.

        Args:
            sender: Agency that asks.
            message_id: Of the REQUEST.

        Raises:
            NotFoundOrDenied: There is no such request between the caller and somebody.
        """
        return self._run(_get_request(sender, message_id))

    def holders(self, message_id: str) -> tuple[Holder, ...]:
        """Return who holds the records of a message of the caller's, and what each confirmed.

        Raises:
            NotFoundOrDenied: The caller sent no such message.
        """
        return self._run(_list_holders(message_id))

    def operations(
        self, *, ended: bool = False, exercise: bool = False, page_size: int = 100
    ) -> Iterator[Operation]:
        """Yield the joint operations that the caller is part of, in order of founding.

        Reports are not filled: `operation` has them. Pages are fetched as needed.

        Args:
            ended: Those that were closed or have run out too.
            exercise: Training traffic instead of live operations.
            page_size: Operations fetched at once, at most 100.
        """
        return self._pages(_list_operations(ended=ended, exercise=exercise, page_size=page_size))

    def operation(self, sender: str, message_id: str) -> Operation:
        """Return a joint operation with its members and its reports.

        Args:
            sender: Agency that founded it.
            message_id: Of the founding message.

        Raises:
            NotFoundOrDenied: There is none that the caller was ever part of.
        """
        return self._run(_get_operation(sender, message_id))


class AsyncProcedures(ABC):
    """The part of the asyncio client that is about procedures."""

    @abstractmethod
    async def _run(self, call: Call[T]) -> T: ...

    @abstractmethod
    def _pages(self, page_call: PageCall[T]) -> AsyncIterator[T]: ...

    @abstractmethod
    def _events(self, position: InboxPosition, *, follow: bool) -> AsyncIterator[Event]: ...

    def events(
        self, *, start_cursor: int = 0, exercise: bool = False, follow: bool = True
    ) -> AsyncIterator[Event]:
        """Yield the inbox and deadlines that need attention; as the blocking client does."""
        position = InboxPosition(start_cursor, exercise=exercise, deadlines=True)
        return self._events(position, follow=follow)

    def list_requests(
        self,
        *,
        side: _Side = _EITHER_SIDE,
        state: _State = _ANY_STATE,
        kind: _Kind = _ANY_KIND,
        counterpart: str = "",
        ended: bool = False,
        due_state: _DueState = _ANY_DUE,
        exercise: bool = False,
        page_size: int = 100,
    ) -> AsyncIterator[RequestStatus]:
        """Yield the caller's requests, what is due first in front; as the blocking client does."""
        return self._pages(
            _list_requests(
                side=side,
                state=state,
                kind=kind,
                counterpart=counterpart,
                ended=ended,
                due_state=due_state,
                exercise=exercise,
                page_size=page_size,
            )
        )

    async def request_status(self, sender: str, message_id: str) -> tuple[RequestStatus, ...]:
        """Return a request with its steps; as the blocking client does."""
        return await self._run(_get_request(sender, message_id))

    async def holders(self, message_id: str) -> tuple[Holder, ...]:
        """Return who holds the records of a message; as the blocking client does."""
        return await self._run(_list_holders(message_id))

    def operations(
        self, *, ended: bool = False, exercise: bool = False, page_size: int = 100
    ) -> AsyncIterator[Operation]:
        """Yield the joint operations that the caller is part of; as the blocking client does."""
        return self._pages(_list_operations(ended=ended, exercise=exercise, page_size=page_size))

    async def operation(self, sender: str, message_id: str) -> Operation:
        """Return a joint operation with members and reports; as the blocking client does."""
        return await self._run(_get_operation(sender, message_id))
