"""Who calls: told by the key, never by what the certificate says of itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rogatory.audit.v1 import entry_pb2
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2
from rogatory_gateway.admission.identify import Caller, Identifier, authorise
from rogatory_gateway.ledger.registry import Registry
from tests.support.world import DAY, HOUR, ORIGIN, Agency, World, header

NOW = time.time_ns()
ALPHA, BETA = "de.bka", "fr.pj"


class Call:
    """A call as gRPC describes it."""

    def __init__(self, certificate: bytes | None) -> None:
        self._certificate = certificate

    def auth_context(self) -> dict[str, list[bytes]]:
        """Return what TLS says of the peer."""
        return {} if self._certificate is None else {"x509_pem_cert": [self._certificate]}


class Bench:
    """Two agencies with certificates, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.registry = Registry()
        self.now = NOW
        self.certificates: dict[str, bytes] = {}
        self.agencies: dict[str, Agency] = {}
        for agency_id in (ALPHA, BETA):
            _, self.certificates[agency_id], spki = self.world.client_identity(agency_id)
            agency = self.agencies[agency_id] = Agency(agency_id=agency_id)
            self.enter(key_statement=agency.statement(spki=spki, now=NOW))
        self.identifier = Identifier(lambda: self.registry, lambda: self.now)

    def enter(self, **document: object) -> None:
        """Take a document of governance into force."""
        self.registry.add(entry_pb2.Governance(**document), entry_time=self.now)  # type: ignore[arg-type]

    def identify(self, certificate: bytes | None) -> Caller:
        """Identify a call with this certificate."""
        return self.identifier.identify(Call(certificate))  # type: ignore[arg-type]  # one method

    def fault(self, certificate: bytes | None) -> str:
        """Return why a certificate is not let in."""
        with pytest.raises(EnvelopeError) as failed:
            self.identify(certificate)
        assert failed.value.hint
        return failed.value.reason


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two agencies."""
    return Bench(tmp_path / "gateway")


def test_key_tells_the_agency(bench: Bench) -> None:
    """Each certificate leads to the agency whose root named its key, time and again."""
    callers = [bench.identify(bench.certificates[agency]) for agency in (ALPHA, BETA, ALPHA)]

    assert [ALPHA, BETA, ALPHA] == [caller.agency for caller in callers]
    assert callers[0] == callers[2]
    assert 32 == len(callers[0].certificate) == len(callers[0].key_digest)


def test_subject_decides_nothing(bench: Bench) -> None:
    """A certificate in an agency's name with another key is nobody's."""
    _, forged, _ = bench.world.client_identity(ALPHA)

    assert "CERTIFICATE_UNKNOWN" == bench.fault(forged)
    assert "CERTIFICATE_MISSING" == bench.fault(None)


def test_revocations_bite_at_once(bench: Bench) -> None:
    """An agency, or its TLS key alone, that is revoked is out with the next look."""
    alpha, beta = (bench.identify(bench.certificates[agency]) for agency in (ALPHA, BETA))
    (key,) = bench.registry.ring.keys_of(BETA, codes_pb2.KEY_ROLE_TLS)
    bench.enter(
        key_statement=bench.agencies[BETA].next_statement(now=NOW, revoked=[key.fingerprint])
    )
    bench.enter(agency_revocation=entry_pb2.AgencyRevocation(agency_id=ALPHA))

    assert "AGENCY_REVOKED" == bench.fault(bench.certificates[ALPHA])
    assert "KEY_REVOKED" == bench.fault(bench.certificates[BETA])
    for caller in (alpha, beta):
        with pytest.raises(EnvelopeError):
            bench.identifier.check(caller)


@pytest.mark.parametrize(
    ("at", "reason"), [(-HOUR, "KEY_NOT_YET_VALID"), (366 * DAY, "KEY_EXPIRED")]
)
def test_tls_keys_have_their_time(bench: Bench, at: int, reason: str) -> None:
    """A TLS key is good from its entry until the statement says, whatever the certificate says."""
    bench.now += at

    assert reason == bench.fault(bench.certificates[ALPHA])


def test_supervisors_send_little(bench: Bench) -> None:
    """A supervisory authority sends receipts, corrections and governance; police send all kinds."""
    police = bench.identify(bench.certificates[ALPHA])
    supervisor = Caller(
        agency="se.dpa",
        kind=codes_pb2.AGENCY_KIND_SUPERVISORY_AUTHORITY,
        key_digest=b"",
        certificate=b"",
    )
    allowed = []
    for kind in [*codes_pb2.Kind.values()][1:]:
        authorise(police, header(ALPHA, kind=kind), origin=ORIGIN)
        try:
            authorise(supervisor, header("se.dpa", kind=kind), origin=ORIGIN)
            allowed.append(kind)
        except EnvelopeError as error:
            assert error.reason == "NOT_AUTHORISED"  # noqa: PT017 - both ways are asserted

    assert [
        codes_pb2.KIND_RECEIPT,
        codes_pb2.KIND_CORRECTION,
        codes_pb2.KIND_GOVERNANCE,
    ] == allowed
