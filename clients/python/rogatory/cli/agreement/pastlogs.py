"""Where past exchanges are read from: agencies' folders, receipts, exports of a log, the gateway.

An export is a file of JSON lines, ``.jsonl``, each a `rogatory.audit.v1.ListedEntry` in protobuf's
JSON mapping, under the names of the protos, in the order of the log::

    {"index": "12", "entry": "<base64>", "outcomes": [{"salt": "<base64>", "outcome": "<base64>"}]}
"""

from __future__ import annotations

import heapq
import json
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from rogatory import clock
from rogatory.agreements.compiled import CompiledAgreement
from rogatory.audit.v1 import audit_service_pb2, entry_pb2
from rogatory.cli.output import plain
from rogatory.cli.store import SUFFIX as DELIVERY_SUFFIX
from rogatory.cli.store import read_delivery
from rogatory.client import Client
from rogatory.errors import ConfigurationError, ReceiptError, RogatoryError
from rogatory.exchange.v1 import exchange_service_pb2
from rogatory.home import Home, sync_folder
from rogatory.pastentries import Checks, PastExchange, PastReader
from rogatory.policy import Policy
from rogatory.receipts import Receipt

GATEWAY = "gateway"
"""The word that stands for the gateway where a file is asked for; a file so named is ./gateway."""
RECEIPT_SUFFIX = ".tlog-proof"
EXPORT_SUFFIX = ".jsonl"

_SOURCES = (
    f"Name an agency's folder, a receipt ({RECEIPT_SUFFIX}), a message of an inbox"
    f" ({DELIVERY_SUFFIX}), an export ({EXPORT_SUFFIX}), a folder of such files, or the word"
    f" {GATEWAY}."
)
_FETCH = "Fetch it again."
_PAGE = 100

Listed = audit_service_pb2.ListedEntry


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry that was left out: it cannot be read, or does not verify."""

    where: str
    error: RogatoryError


@dataclass(slots=True)
class PastLogs:
    """All sources that were named, read as one log.

    Attributes:
        agreements: Those of that time, by digest, as far as the sources and policies have them.
        faults: What was left out.
    """

    agreements: dict[bytes, CompiledAgreement] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _readers: list[PastReader] = field(default_factory=list)
    _sources: list[Iterator[PastExchange]] = field(default_factory=list)

    def add(self, source: Path, *, policy: Policy | None, exercise: bool) -> None:
        """Read a file or folder too.

        Args:
            source: An agency's folder, a receipt, a delivery, an export, or a folder of those.
            policy: Whom to trust; None: an agency's folder has its own, else nobody.
            exercise: Of an agency's folder, the inbox of training messages.

        Raises:
            ConfigurationError: It is not there or is something else, or its policy cannot be used.
        """
        files = [source]
        if source.is_dir():
            folders = [source]
            home = Home(source)
            if home.settings_file.exists():
                folders = [home.receipts, home.inbox / ("exercise" if exercise else "live")]
                if policy is None and home.policy_file.exists():
                    policy = Policy.load(home.policy_file)
            files = sorted(path for folder in folders for path in folder.rglob("*"))
        elif not source.exists():
            raise ConfigurationError(f"{source} does not exist", hint=_SOURCES)
        exports = [path for path in files if path.suffix == EXPORT_SUFFIX]
        others = [path for path in files if path.suffix in (RECEIPT_SUFFIX, DELIVERY_SUFFIX)]
        if not exports and not others:
            raise ConfigurationError(f"{source} holds no log entries", hint=_SOURCES)
        for export in exports:
            self._sources.append(self._of_export(export, self._reader(policy)))
        if others:
            self._sources.append(self._of_files(others, self._reader(policy)))

    def add_gateway(
        self,
        client: Client,
        *,
        policy: Policy,
        agreement_ids: Collection[str],
        exercise: bool,
        save: Callable[[Listed], None],
    ) -> None:
        """Read what the gateway shows the caller, page by page.

        Args:
            client: Stays open while exchanges are read.
            policy: Brought up to date with it.
            agreement_ids: Only exchanges under these.
            exercise: Training traffic instead of live exchanges.
            save: Called with each entry.
        """
        requests = [
            # First of all what a supervisory authority sees, who has no keys of the parties else.
            audit_service_pb2.ListEntriesRequest(tag_prefix="governance:", page_size=_PAGE),
            *(
                audit_service_pb2.ListEntriesRequest(
                    agreement_id=agreement_id, exercise=exercise, page_size=_PAGE
                )
                for agreement_id in sorted(agreement_ids)
            ),
        ]
        pages = (client.entries(request) for request in requests)
        listed = _once(heapq.merge(*pages, key=_index), key=_index)
        self._sources.append(self._of_gateway(listed, self._reader(policy), save))

    @property
    def checks(self) -> Checks:
        """What was checked in all sources together."""
        total = Checks()
        for reader in self._readers:
            for name in Checks.__slots__:
                setattr(total, name, getattr(total, name) + getattr(reader.checks, name))
        return total

    def exchanges(self) -> Iterator[PastExchange]:
        """Yield the exchanges of all sources, each once, in the order of the log."""
        waiting: PastExchange | None = None
        for exchange in heapq.merge(*self._sources, key=lambda item: item.order):
            if waiting is not None and exchange.order == waiting.order:
                waiting = waiting.joined(exchange)
                continue
            if waiting is not None:
                yield waiting
            waiting = exchange
        if waiting is not None:
            yield waiting

    def _reader(self, policy: Policy | None) -> PastReader:
        reader = PastReader(policy, agreements=self.agreements)
        self._readers.append(reader)
        return reader

    def _of_files(self, files: Iterable[Path], reader: PastReader) -> Iterator[PastExchange]:
        # Their names do not say in which order they were entered; only the order is kept in memory.
        order = []
        for path in files:
            with self._leaving_out(path):
                found = _read(path)
                order.append((_entry_time(found), found.index, path))
        for _, _, path in sorted(order):
            taken = None
            with self._leaving_out(path):
                found = _read(path)
                if isinstance(found, Receipt):
                    taken = reader.take_receipt(found)
                else:
                    taken = reader.take(
                        index=found.index, entry=found.entry, outcomes=[found.outcome]
                    )
            if taken is not None:
                yield taken

    def _of_export(self, path: Path, reader: PastReader) -> Iterator[PastExchange]:
        last = -1
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    taken = None
                    with self._leaving_out(f"{path}, line {number}"):
                        item = _parse(line)
                        if item.index <= last:
                            raise ReceiptError(
                                f"Log entry {item.index} comes after entry {last}",
                                hint="Put the lines into the order of the log, each once.",
                            )
                        last = item.index
                        taken = _taken(reader, item)
                    if taken is not None:
                        yield taken
        except OSError as error:
            raise ConfigurationError(
                f"{path} cannot be read: {error.strerror}", hint=_SOURCES
            ) from error

    def _of_gateway(
        self, listed: Iterable[Listed], reader: PastReader, save: Callable[[Listed], None]
    ) -> Iterator[PastExchange]:
        for item in listed:
            save(item)
            taken = None
            with self._leaving_out(GATEWAY):
                taken = _taken(reader, item)
            if taken is not None:
                yield taken

    @contextmanager
    def _leaving_out(self, where: object) -> Iterator[None]:
        try:
            yield
        except RogatoryError as error:
            self.faults.append(Fault(str(where), error))


@contextmanager
def exporting(path: Path | None) -> Iterator[Callable[[Listed], None]]:
    """Give what writes an entry into an export; the file is there when all went well.

    Raises:
        ConfigurationError: It cannot be written.
    """
    if path is None:
        yield lambda _: None
        return
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:

            def write(item: Listed) -> None:
                try:
                    file.write(json.dumps(plain(item), ensure_ascii=False).encode() + b"\n")
                except OSError as error:
                    raise _unwritable(path, error) from error

            yield write
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be written: {error.strerror}",
        hint="Check that the folder exists, that you may write there, and that there is room.",
    )


def _read(path: Path) -> Receipt | exchange_service_pb2.Delivery:
    if path.suffix == DELIVERY_SUFFIX:
        return read_delivery(path)
    try:
        return Receipt.parse(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"The receipt {path} cannot be read: {error.strerror}", hint="Check its name."
        ) from error


def _entry_time(found: Receipt | exchange_service_pb2.Delivery) -> int:
    try:
        entry = entry_pb2.AuditEntry.FromString(found.entry)
    except DecodeError as error:
        raise ReceiptError("It holds no log entry", hint=_FETCH) from error
    return clock.to_nanoseconds(entry.entry_time)


def _parse(line: bytes) -> Listed:
    try:
        return json_format.Parse(line, Listed())
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise ReceiptError(
            "The line holds no log entry as rogatory agreement simulate --save writes it",
            hint=_FETCH,
        ) from error


def _taken(reader: PastReader, item: Listed) -> PastExchange | None:
    return reader.take(index=item.index, entry=item.entry, outcomes=item.outcomes)


def _index(item: Listed) -> int:
    return item.index


def _once(items: Iterable[Listed], *, key: Callable[[Listed], int]) -> Iterator[Listed]:
    """Leave out what comes a second time right after the first."""
    last: int | None = None
    for item in items:
        if key(item) != last:
            yield item
        last = key(item)
