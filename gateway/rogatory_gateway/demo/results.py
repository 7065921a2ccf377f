"""What a member reports to have reached: items by the ids under which they were shared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rogatory.assistance.v1 import handover_pb2, operation_pb2
from rogatory_gateway.demo import cast, content, handing_over, persons
from rogatory_gateway.demo.acting import now, parts
from rogatory_gateway.demo.desk import Desk
from rogatory_gateway.demo.hosts import rank

ITEMS = 10_000
"""In one result, as the schema allows."""
_MISTAKEN = "jp.police"
"""Reports one server too many, and takes it back."""
_REACHED_OF_256 = 200
_GIB = 1 << 30

_ARREST = operation_pb2.RESULT_KIND_ARREST
_HANDED_OVER = operation_pb2.RESULT_KIND_PERSON_HANDED_OVER
_SERVER = operation_pb2.RESULT_KIND_SERVER_SEIZED
_DATA = operation_pb2.RESULT_KIND_DATA_SECURED
_REPORTED = operation_pb2.RESULT_KIND_INDICATOR_REPORTED
_DOWN = operation_pb2.RESULT_KIND_INDICATOR_TAKEN_DOWN
_VICTIMS = (
    operation_pb2.RESULT_KIND_VICTIM_IDENTIFIED,
    operation_pb2.RESULT_KIND_VICTIM_NOTIFIED,
    operation_pb2.RESULT_KIND_VICTIM_REACHED,
)


def updates(desk: Desk) -> Iterator[operation_pb2.OperationUpdate]:
    """Yield the reports of a member, each small enough for a message."""
    found = [
        *_listed(_ARREST, arrested(desk)),
        *_listed(_HANDED_OVER, handed_over(desk)),
        *_servers(desk.agency),
        *_listed(_REPORTED, desk.memory.reported),
        *_listed(_DOWN, desk.memory.took_down),
    ]
    if found:
        yield _update(found)
    for group in parts(sorted(desk.memory.references), ITEMS):
        yield _update(_victims(group))
    if desk.agency == _MISTAKEN:
        wrong = operation_pb2.OperationResult(
            kind=_SERVER, item_ids=[_counted_twice()], retract=True
        )
        yield _update([wrong])


def arrested(desk: Desk) -> list[str]:
    """Return whom an agency arrested, and whom it arrested together with another.

    The two were told of by the other, so both name them by the same id.
    """
    found = [
        persons.suspect_id(desk.agency, number)
        for number in range(len(persons.ARRESTED.get(desk.agency, ())))
    ]
    if desk.agency == persons.TOGETHER[0]:
        found += sorted(
            record_id
            for record_id, suspect in desk.memory.suspects.items()
            if suspect["by"] == persons.TOGETHER[1]
        )
    if desk.agency == cast.RELEASING:
        found += handing_over.asked_for(desk)
    return found


def handed_over(desk: Desk) -> list[str]:
    """Return who was handed over, by the other side's statement."""
    stage, state = {
        cast.RELEASING: (
            handover_pb2.HANDOVER_STAGE_RECEIVED,
            handover_pb2.HANDOVER_PERSON_STATE_RECEIVED,
        ),
        cast.RECEIVING: (
            handover_pb2.HANDOVER_STAGE_DELIVERED,
            handover_pb2.HANDOVER_PERSON_STATE_DELIVERED,
        ),
    }.get(desk.agency, (None, None))
    if stage is None:
        return []
    statement = desk.memory.casework.statements[stage].said
    return [person.person.record_id for person in statement.persons if person.state == state]


def _servers(agency: str) -> list[operation_pb2.OperationResult]:
    """Return servers seized, and the images taken of them with their sizes."""
    count = content.SERVERS.get(agency, 0)
    if not count:
        return []
    numbers = range(1, count + 1)
    seized = [content.record_id("server", agency, number) for number in numbers]
    if agency == _MISTAKEN:
        seized.append(_counted_twice())
    return [
        _result(_SERVER, seized),
        operation_pb2.OperationResult(
            kind=_DATA,
            item_ids=[content.record_id("image", agency, number) for number in numbers],
            item_bytes=[(200 + 37 * number) * _GIB for number in numbers],
            result_time=now(),
        ),
    ]


def _counted_twice() -> str:
    return content.record_id("server", _MISTAKEN, "counted twice")


def _victims(references: Sequence[str]) -> list[operation_pb2.OperationResult]:
    """Return victims by the reference the desk gave them; a notice does not reach everyone."""
    ids = [f"{cast.COORDINATOR}/{reference}" for reference in references]
    reached = [item for item in ids if rank(f"reached {item}")[0] < _REACHED_OF_256]
    return [
        _result(kind, items)
        for kind, items in zip(_VICTIMS, (ids, ids, reached), strict=True)
        if items
    ]


def _listed(
    kind: operation_pb2.ResultKind.ValueType, items: Sequence[str]
) -> Iterator[operation_pb2.OperationResult]:
    for some in parts(items, ITEMS):
        yield _result(kind, some)


def _result(
    kind: operation_pb2.ResultKind.ValueType, items: Sequence[str]
) -> operation_pb2.OperationResult:
    return operation_pb2.OperationResult(kind=kind, item_ids=items, result_time=now())


def _update(found: Sequence[operation_pb2.OperationResult]) -> operation_pb2.OperationUpdate:
    return operation_pb2.OperationUpdate(results=found)
