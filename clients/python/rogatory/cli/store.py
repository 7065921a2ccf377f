"""Received messages in a folder: written whole and durably before the gateway is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory.home import write_atomically

SUFFIX = ".delivery"
"""Of a serialised rogatory.exchange.v1.Delivery: envelope, outcome and log entry in one."""

_STATE = "inbox.json"


class InboxStore:
    """A folder of deliveries by position, with a readable twin of each, and how far it goes.

    Live and exercise messages are in folders of their own.
    """

    def __init__(self, folder: Path, *, exercise: bool) -> None:
        """Open a folder; make it where it is missing.

        Raises:
            ConfigurationError: It cannot be made or read.
        """
        self.folder = folder / ("exercise" if exercise else "live")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The folder {self.folder} cannot be made: {error.strerror}",
                hint="Choose another with --out.",
            ) from error

    @property
    def position(self) -> int:
        """The last position that is held durably; 0 for none."""
        path = self.folder / _STATE
        try:
            value = json.loads(path.read_text("utf-8"))["position"]
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{path} cannot be read", hint="Remove it to fetch the inbox from the start."
            ) from error
        if not isinstance(value, int) or value < 0:
            raise ConfigurationError(
                f"{path} holds no position", hint="Remove it to fetch the inbox from the start."
            )
        return value

    def keep(self, delivery: exchange_service_pb2.Delivery, report: dict[str, Any]) -> Path:
        """Write a delivery, its readable twin and the new position, in this order.

        Returns:
            The delivery's file.
        """
        stem = f"{delivery.inbox_position:010d}"
        path = self.folder / f"{stem}{SUFFIX}"
        write_atomically(path, delivery.SerializeToString(deterministic=True))
        text = json.dumps(report, ensure_ascii=False, indent=2)
        write_atomically(self.folder / f"{stem}.json", f"{text}\n".encode())
        state = json.dumps({"position": max(self.position, delivery.inbox_position)})
        write_atomically(self.folder / _STATE, f"{state}\n".encode())
        return path

    def file(self, position: int) -> Path:
        """Return where the delivery of a position is, or would be."""
        return self.folder / f"{position:010d}{SUFFIX}"

    def files(self) -> Iterator[Path]:
        """Yield the deliveries' files in order."""
        yield from sorted(self.folder.glob(f"*{SUFFIX}"))


def read_delivery(path: Path) -> exchange_service_pb2.Delivery:
    """Read a delivery from its file.

    Raises:
        ConfigurationError: It cannot be read, or is something else.
    """
    try:
        return exchange_service_pb2.Delivery.FromString(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"The message {path} cannot be read: {error.strerror}",
            hint="Name a file, a position of the inbox, or SENDER/MESSAGE_ID; rogatory inbox"
            " fetches what arrived.",
        ) from error
    except DecodeError as error:
        raise ConfigurationError(
            f"The file {path} holds no message", hint="Name a .delivery file of the inbox."
        ) from error
