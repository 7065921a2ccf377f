"""A gateway in this process with agencies, keys and agreements for tests over the wire.

Served over real mTLS on loopback; whoever connects shows a certificate as a partner would.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from google.protobuf.message import Message

from rogatory import statements
from rogatory.audit.v1 import entry_pb2
from rogatory.exchange.v1 import codes_pb2, exchange_service_pb2, key_statement_pb2
from rogatory.notes import NoteSigner, VerifierKey
from rogatory.signers import MemorySigner
from rogatory_gateway.server import Gateway
from tests.support import records
from tests.support.wire import Wire
from tests.support.world import DAY, HOUR, ORIGIN, Agency, World, envelope, header, signer

ALPHA, BETA, GAMMA = "de.bka", "fr.pj", "nl.politie"
SUPERVISOR, GONE = "se.dpa", "it.polizia"
OFFICER, SECOND_OFFICER, CLERK = "officer-1", "officer-2", "clerk-3"
CHIEF, DRAFTER = "chief-4", "drafter-5"

DRAFT = codes_pb2.OFFICER_RIGHT_DRAFT
SIGN, APPROVE = codes_pb2.OFFICER_RIGHT_SIGN, codes_pb2.OFFICER_RIGHT_APPROVE

AGREEMENT = """\
agreement_id: alpha-beta
version: 1
title: Agreement for tests
parties: [{agency: de.bka}, {agency: fr.pj}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: indicators
    article: Art. 4(1)
    effect: permit
    scope: {kinds: [transfer], categories: [indicator]}
  - clause_id: persons
    article: Art. 4(2)
    effect: permit
    scope: {kinds: [transfer], categories: [person]}
  - clause_id: no-health
    article: Art. 5
    effect: refuse
    scope: {field_groups: [health]}
    reach: part
"""

WITH_GAMMA = """\
agreement_id: alpha-gamma
version: 1
title: Agreement for tests
parties: [{agency: de.bka}, {agency: nl.politie}]
valid_from_time: 2026-01-01T00:00:00Z
unpermitted_parts: withhold
clauses:
  - clause_id: all
    article: Art. 1
    effect: permit
    scope: {kinds: [transfer], categories: [indicator, person]}
"""

LOG_KEY = NoteSigner(name=ORIGIN, signer=signer("log")).key


class House:
    """A world with a gateway in it.

    Attributes:
        keys: Further keys of `ALPHA` by the state they are in: future, expired, revoked.
        first_id: Id of a message that the test submitted before all others.
    """

    def __init__(self, folder: Path, *, extra_config: str = "") -> None:
        self.world = World(folder, extra_config=extra_config)
        self.folder = folder
        self.keys: dict[str, MemorySigner] = {}
        self.first_id = ""
        self.gateway: Gateway | None = None

    @property
    def log_key(self) -> VerifierKey:
        """The log's verifier key, as a partner would have been given it."""
        return LOG_KEY

    def agency(self, agency_id: str) -> Agency:
        """Return an agency of the world."""
        return self.world.agencies[agency_id]

    @property
    def port(self) -> int:
        """Where the gateway listens."""
        assert self.gateway is not None
        return self.gateway.port

    def wire(self, agency_id: str, **options: object) -> Wire:
        """Return a connection of an agency's; close it, or use it as a context manager."""
        return Wire(self.agency(agency_id), self.port, **options)  # type: ignore[arg-type]

    def stranger(self) -> grpc.ChannelCredentials:
        """Return credentials that the gateway's authority certified and nobody enrolled."""
        key, certificate, _ = self.world.client_identity("xx.stranger")
        return grpc.ssl_channel_credentials(self.world.authority.pem, key, certificate)

    def enrol_usual(self) -> None:
        """Enrol the usual agencies and enter their agreements."""
        rights = {OFFICER: [SIGN, APPROVE]}
        with self.world.together():
            self._enrol_alpha()
            self.world.enrol(BETA, officers=rights)
            self.world.enrol(GAMMA, officers=rights)
            self.world.enrol(SUPERVISOR, kind=codes_pb2.AGENCY_KIND_SUPERVISORY_AUTHORITY)
            self.world.agree(AGREEMENT)
            self.world.agree(WITH_GAMMA)

    def _enrol_alpha(self) -> None:
        now = time.time_ns()
        self.keys = {name: signer(f"{ALPHA} {name}") for name in ("future", "expired", "revoked")}
        windows = {
            "future": (now + DAY, now + 2 * DAY),
            "expired": (now - 2 * DAY, now - HOUR),
            "revoked": (now - HOUR, now + DAY),
        }
        alpha = self.world.enrol(
            ALPHA,
            officers={
                OFFICER: [SIGN, APPROVE],
                SECOND_OFFICER: [SIGN, APPROVE],
                CLERK: [SIGN],
                CHIEF: [APPROVE],
                DRAFTER: [DRAFT],
            },
            keys=[_enrolled(key, windows[name]) for name, key in self.keys.items()],
        )
        revoked = self.keys["revoked"].public_key.fingerprint
        self.world.govern(
            entry_pb2.Governance(
                key_statement=alpha.next_statement(now=time.time_ns(), revoked=[revoked])
            )
        )

    def good(
        self, *contents: Message, exercise: bool = False, to: str = BETA, count: int = 1
    ) -> bytes:
        """Return a message of `ALPHA`'s that its agreement permits."""
        agreement = {BETA: "alpha-beta", GAMMA: "alpha-gamma"}[to]
        article = {BETA: "Art. 4(1)", GAMMA: "Art. 1"}[to]
        head = header(ALPHA, (to, agreement, article))
        head.exercise = exercise
        return envelope(self.agency(ALPHA), head, *(contents or (records.indicators(count),)))

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[House]:
        """Serve while the context is open."""
        async with Gateway(self.world.settings) as gateway:
            self.gateway = gateway
            try:
                yield self
            finally:
                self.gateway = None


def _enrolled(key: MemorySigner, window: tuple[int, int]) -> key_statement_pb2.EnrolledKey:
    return statements.enrol(
        algorithm=key.public_key.algorithm,
        public_key=key.public_key.raw,
        role=codes_pb2.KEY_ROLE_SIGNING,
        valid_from=window[0],
        valid_until=window[1],
    )


async def still_serves(house: House, wire: Wire) -> exchange_service_pb2.SubmitResponse:
    """Submit a good message, which must be taken as ever."""
    response = await wire.submit(house.good())
    assert not response.submission.repeated_submission
    return response
