"""From a delivery to a folder in IN: verified first, written once, whatever happens in between.

1. The delivery is verified. One that does not verify goes to ``quarantine``, with the reason.
2. Its folder is written under ``.arriving``, to the platter.
3. The state says that this position is about to appear, and where.
4. The folder appears in IN by a rename; from then on it is the case system's, which may move it
   away at any moment.
5. The notice is written; then the state says that the position is held.
6. The gateway is told that all up to the position is held.

After a crash between 3 and 5 the folder is under ``.arriving``, and is moved now; or it is not, and
so it was. Whether it is in IN does not matter: the case system may have taken it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from rogatory import clock
from rogatory.assistance.v1 import deadline_pb2
from rogatory.connect.disk import Disk, free_name, prepare_folder, shared_mode
from rogatory.connect.readable import message_files
from rogatory.connect.status import fault, plain, to_json
from rogatory.connect.webhooks import Notice
from rogatory.errors import ConfigurationError, DeliveryError, ReceiptError
from rogatory.exchange.v1 import codes_pb2, envelope_pb2, exchange_service_pb2
from rogatory.verification import VerifiedDelivery

QUARANTINE, DEADLINES, ARRIVING = "quarantine", "deadlines", ".arriving"
MAX_DEADLINES_KNOWN = 10_000
"""Deadlines of which it is remembered that they were told."""

_YEAR_2100 = 4_102_444_800 * clock.NANOSECONDS_PER_SECOND

Delivery = exchange_service_pb2.Delivery
Deadline = exchange_service_pb2.DeadlineNotice

Verify = Callable[[Delivery], VerifiedDelivery]
"""Verifies a delivery; raises `DeliveryError` where it does not verify."""

FetchReceipt = Callable[[VerifiedDelivery], bytes]
"""Returns the file of a message's receipt, verified; empty: there is none yet."""

Watch = Callable[[Delivery, VerifiedDelivery], Sequence[Mapping[str, Any]]]
"""Returns what a message hits of that which is watched for, as JSON; see `Incoming`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """A folder that is about to appear."""

    position: int
    folder: Path
    notices: Sequence[Notice]


class Incoming:
    """The folder IN of one inbox. One instance at a time; its methods are not concurrent."""

    def __init__(
        self,
        *,
        folder: Path,
        state: Path,
        agency: str,
        verify: Verify,
        receipt: FetchReceipt,
        notify: Callable[[Notice], None],
        tell: Callable[[str], None],
        disk: Disk,
        watch: Watch = lambda _delivery, _verified: (),
    ) -> None:
        """Open the folder, and bring to an end what a crash interrupted.

        Args:
            folder: Where messages appear.
            state: Where it is written how far.
            agency: Whose inbox it is.
            verify: Verifies a delivery.
            receipt: Fetches the receipt of a message that verified.
            notify: Gets a notice of each message, once it is there.
            tell: Gets lines for the operator.
            disk: The file system.
            watch: Says what a message hits, such as alerts that the agency holds: it is written
                as ``hits.json`` into the message's folder, with a notice of its own. Asked once at
                least, before anything of the message is written.

        Raises:
            ConfigurationError: A folder cannot be used, or the state cannot be read.
        """
        self._folder = folder
        self._arriving = prepare_folder(folder / ARRIVING)
        self._quarantine = prepare_folder(folder / QUARANTINE, like=folder)
        self._deadlines = prepare_folder(folder / DEADLINES, like=folder)
        self._mode = shared_mode(folder)
        self._state = state / "inbox.json"
        self._told_file = state / "deadlines.json"
        self._agency = agency
        self._verify = verify
        self._receipt = receipt
        self._notify = notify
        self._tell = tell
        self._disk = disk
        self._watch = watch
        self._recover()

    @property
    def position(self) -> int:
        """The last position that is held; 0 for none."""
        return self._position

    def take(self, delivery: Delivery) -> None:
        """Write a delivery; nothing where its position is held already.

        Raises:
            CallError: What is needed to verify it cannot be fetched now; nothing was written.
            OSError: It cannot be written.
        """
        position = delivery.inbox_position
        if position <= self._position:
            return
        try:
            verified = self._verify(delivery)  # (1)
            receipt = self._receipt(verified)
        except (DeliveryError, ReceiptError) as error:
            arrival, files = self._suspect(delivery, error)
        else:
            arrival, files = self._message(delivery, verified, receipt)
        self._disk.fill(self._arriving / arrival.folder.name, files, mode=self._mode)  # (2)
        self._disk.sync(self._arriving)
        self._write(self._position, arrival)  # (3)
        self._appear(arrival)
        self._tell(f"{position}: {arrival.folder.relative_to(self._folder)}")

    def remind(self, deadline: Deadline) -> None:
        """Write a deadline that is due soon or overdue, once for each of the two."""
        due = deadline.due_date
        kind = deadline_pb2.DeadlineKind.Name(due.kind).removeprefix("DEADLINE_KIND_").lower()
        state = deadline_pb2.DueState.Name(deadline.state).removeprefix("DUE_STATE_").lower()
        request = deadline.request
        due_time = clock.to_nanoseconds(due.due_time)
        seconds = due_time // clock.NANOSECONDS_PER_SECOND
        name = safe_name(f"{request.message_id}-{deadline.asked_agency}-{kind}-{seconds}-{state}")
        told = self._read_told()
        if name in told:
            return
        path = self._deadlines / f"{name}.json"
        self._disk.put(path, to_json(plain(deadline)), mode=self._mode)
        self._notify(
            Notice(
                id=f"deadline-{hashlib.sha256(name.encode()).hexdigest()[:32]}-{state}",
                type=f"deadline.{state}",
                time=due_time,
                data={
                    "agency": self._agency,
                    "sender": request.sender,
                    "message_id": request.message_id,
                    "asked": deadline.asked_agency,
                    "kind": kind,
                    "state": state,
                    "path": f"{DEADLINES}/{path.name}",
                },
            )
        )
        self._disk.put(self._told_file, json.dumps([*told, name][-MAX_DEADLINES_KNOWN:]).encode())
        self._tell(f"deadline {state}: {path.name}")

    # What is written

    def _message(
        self, delivery: Delivery, verified: VerifiedDelivery, receipt: bytes
    ) -> tuple[_Arrival, dict[str, bytes]]:
        header = verified.header
        name = safe_name(f"{verified.inbox_position:010d}-{header.sender}-{header.message_id}")
        folder = free_name(self._folder, name)
        hits = self._watch(delivery, verified)
        data: dict[str, str | int] = {
            "agency": self._agency,
            "sender": header.sender,
            "message_id": header.message_id,
            "kind": codes_pb2.Kind.Name(header.kind).removeprefix("KIND_").lower(),
            "position": verified.inbox_position,
            "index": verified.index,
            "path": folder.name,
        }
        types = ["message.arrived", *(["alert.hit"] if hits else [])]
        arrival = _Arrival(
            position=verified.inbox_position,
            folder=folder,
            notices=[self._notice(kind, verified.entry_time, data) for kind in types],
        )
        return arrival, message_files(delivery, verified, receipt=receipt, hits=hits)

    def _suspect(
        self, delivery: Delivery, error: DeliveryError | ReceiptError
    ) -> tuple[_Arrival, dict[str, bytes]]:
        """Return a delivery that does not verify: nothing in it is to be believed."""
        position = delivery.inbox_position
        folder = free_name(self._quarantine, f"{position:010d}")
        path = f"{QUARANTINE}/{folder.name}"
        arrival = _Arrival(
            position=position,
            folder=folder,
            notices=[
                self._notice(
                    "message.quarantined",
                    _claimed_time(delivery),
                    {"agency": self._agency, "position": position, "path": path},
                )
            ],
        )
        self._tell(f"{position}: NOT VERIFIED, see {path}. {error}")
        return arrival, {
            "message.delivery": delivery.SerializeToString(deterministic=True),
            "reason.json": to_json(
                {"inbox_position": position, "index": delivery.index, "error": fault(error)}
            ),
        }

    def _notice(self, kind: str, moment: int, data: Mapping[str, str | int]) -> Notice:
        word = kind.replace(".", "-")
        digest = safe_name(str(data.get("message_id", moment)))
        return Notice(
            id=f"{word}-{data['position']}-{digest}"[:128], type=kind, time=moment, data=data
        )

    # How far it is

    def _recover(self) -> None:
        self._position, arrival = self._read()
        if arrival is not None and arrival.folder.parent in (self._folder, self._quarantine):
            self._appear(arrival)
        elif arrival is not None:
            self._tell(
                f"message {arrival.position} was about to be written to {arrival.folder.parent};"
                " it is fetched again"
            )
        for left in self._arriving.iterdir():
            self._disk.remove(left)

    def _appear(self, arrival: _Arrival) -> None:
        source = self._arriving / arrival.folder.name
        if source.exists():
            self._disk.move(source, arrival.folder)  # (4)
        for notice in arrival.notices:
            self._notify(notice)  # (5)
        self._write(arrival.position, None)
        self._position = arrival.position

    def _write(self, position: int, arrival: _Arrival | None) -> None:
        value: dict[str, Any] = {"position": position}
        if arrival is not None:
            value["appearing"] = {
                "position": arrival.position,
                "folder": str(arrival.folder),
                "notices": [
                    {"id": item.id, "type": item.type, "time": item.time, "data": dict(item.data)}
                    for item in arrival.notices
                ],
            }
        self._disk.put(self._state, json.dumps(value, ensure_ascii=False).encode())

    def _read(self) -> tuple[int, _Arrival | None]:
        try:
            value = json.loads(self._state.read_bytes())
            position, appearing = int(value["position"]), value.get("appearing")
            if appearing is None:
                return position, None
            return position, _Arrival(
                position=int(appearing["position"]),
                folder=Path(appearing["folder"]),
                notices=[Notice(**item) for item in appearing["notices"]],
            )
        except FileNotFoundError:
            return 0, None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self._state} cannot be read",
                hint="Remove it to fetch the inbox from the start, and into an empty folder.",
            ) from error

    def _read_told(self) -> list[str]:
        try:
            return [str(item) for item in json.loads(self._told_file.read_bytes())]
        except (OSError, ValueError, TypeError):
            # Then they are told once more, which harms nobody.
            return []


def safe_name(text: str) -> str:
    """Return a text as a file name: what is not a letter, digit, dot or dash becomes ``_``."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", text).lstrip(".")[:200] or "_"


def _claimed_time(delivery: Delivery) -> int:
    """Return the time that a header nobody vouches for claims: the same at every try."""
    try:
        envelope = envelope_pb2.Envelope.FromString(delivery.envelope)
        header = envelope_pb2.Header.FromString(envelope.header)
        return min(max(0, clock.to_nanoseconds(header.create_time)), _YEAR_2100)
    except DecodeError:
        return 0
