"""The gateway of the demonstration: its folder, its process, and the operator's part."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from rogatory.agreements import read_agreement, render, with_signature
from rogatory.enrolment import read_request, write_answer
from rogatory.errors import ConfigurationError
from rogatory.exchange.v1 import agreement_pb2, envelope_pb2
from rogatory.keys import PublicKey
from rogatory.notes import VerifierKey
from rogatory_gateway.config import Settings
from rogatory_gateway.demo import cast
from rogatory_gateway.ledger.database import DATABASE_FILE
from rogatory_gateway.operator import agencies, agreements, setup
from rogatory_gateway.operator.opening import open_ledger

ORIGIN = "gateway.example/operation"
_HOST = "127.0.0.1"
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.02


class House:
    """A gateway in a folder of its own, and whoever operates it."""

    def __init__(self, folder: Path) -> None:
        """Make the folder of a gateway that will listen on a free port of this machine.

        Raises:
            ConfigurationError: The folder is not empty or cannot be made.
        """
        self.folder = folder
        self.port = _free_port()
        created = setup.create(
            folder,
            origin=ORIGIN,
            host=_HOST,
            port=self.port,
            names=(_HOST, "localhost"),
        )
        self.settings: Settings = created.settings
        self.verifier_key = created.verifier_key
        self.log_file = folder / "gateway.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def ledger_file(self) -> Path:
        """The database, which no agency may read."""
        return self.settings.gateway.data / DATABASE_FILE

    def admit(self, requests: Iterable[str]) -> dict[str, str]:
        """Admit agencies by their requests, as `agency add` does; return the answers by agency.

        Raises:
            RogatoryError: A request does not hold.
        """
        answers = {}
        log_key = VerifierKey.parse(self.verifier_key)
        with open_ledger(self.settings) as ledger:
            for text in requests:
                candidate = agencies.examine(read_request(text.encode()), ledger.registry)
                pem = agencies.certify(
                    candidate, self.settings, certificate=None, now=time.time_ns()
                )
                answer = agencies.answer(
                    candidate, self.settings, certificate_pem=pem, log_key=log_key
                )
                agencies.admit(ledger, candidate)
                answers[candidate.agency_id] = write_answer(answer).decode()
        return answers

    def enter(self, signed: Iterable[agreement_pb2.SignedAgreement]) -> None:
        """Enter agreements that all their parties signed, as `agreement add` does.

        Raises:
            AgreementError: One of them may not be entered.
        """
        with open_ledger(self.settings) as ledger:
            for item in signed:
                agreements.enter(ledger, item)

    def start(self) -> None:
        """Start the gateway's process."""
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    *(sys.executable, "-P", "-m", "rogatory_gateway"),
                    *("serve", "--dir", str(self.folder)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for this process, which stops the gateway in good order.
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until the gateway takes calls.

        Raises:
            ConfigurationError: It ended, or did not come up in time.
        """
        assert self.process is not None
        deadline = time.monotonic() + _START_SECONDS
        while b"listening " not in self.log_file.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ConfigurationError(
                    "The gateway did not start: "
                    + self.log_file.read_text(encoding="utf-8", errors="replace")[-2000:],
                    hint="Start it by itself to see more: "
                    f"rogatory-gateway serve --dir {self.folder}",
                )
            await asyncio.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Let the gateway drain and end; kill it where it does not."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def draw_up(agreement_id: str, roots: Mapping[str, PublicKey]) -> tuple[list[str], bytes]:
    """Return an agreement's parties and the exact bytes that they sign.

    Args:
        roots: Root keys of all agencies, as their requests name them.
    """
    agreement = read_agreement(cast.agreement_text(agreement_id), file=f"{agreement_id}.yaml")
    parties = [party.agency for party in agreement.parties]
    return parties, render(agreement, roots={agency: roots[agency] for agency in parties})


def put_together(data: bytes, signatures: Iterable[bytes]) -> agreement_pb2.SignedAgreement:
    """Return an agreement with its parties' signatures."""
    signed = agreement_pb2.SignedAgreement(agreement=data)
    for signature in signatures:
        signed = with_signature(signed, envelope_pb2.Signature.FromString(signature))
    return signed


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def private_folder(path: Path, *, owner: int | None = None) -> Path:
    """Make a folder for its owner alone; return it."""
    path.mkdir(mode=0o700)
    if owner is not None:
        os.chown(path, owner, owner)
    return path
