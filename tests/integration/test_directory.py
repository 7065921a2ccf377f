"""The directory: who is enrolled, told so that it can be checked and not only believed."""

from __future__ import annotations

import pytest

from rogatory.exchange.v1 import codes_pb2, directory_service_pb2
from rogatory.keyring import KeyRing
from tests.support.house import ALPHA, BETA, GAMMA, GONE, SUPERVISOR, House
from tests.support.wire import fault_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

ds = directory_service_pb2


async def test_statements_make_the_gateways_own_ring(house: House) -> None:
    """From an entry's statements and times alone a partner gets the keys, and their state."""
    async with house.wire(BETA) as beta:
        answer = await beta.directory.GetAgency(ds.GetAgencyRequest(agency_id=ALPHA))

    ring = KeyRing()
    for statement, entry_time in zip(
        answer.agency.statements, answer.agency.entry_times, strict=True
    ):
        ring.add(statement, entry_time=entry_time.ToNanoseconds())
    assert house.agency(ALPHA).root.public_key == ring.root(ALPHA)
    assert house.agency(ALPHA).agency == answer.agency.agency
    revoked = ring.get(house.keys["revoked"].public_key.fingerprint)
    assert revoked is not None
    assert answer.agency.entry_times[1].ToNanoseconds() <= (revoked.revoked_from or 0)
    officers = ring.keys_of(ALPHA, codes_pb2.KEY_ROLE_OFFICER)
    assert house.agency(ALPHA).officers.keys() == {key.officer for key in officers}
    assert not answer.agency.revoked


async def test_listing_in_pages(house: House) -> None:
    """Agencies come in order of enrolment, a page at a time; a token belongs to its call."""
    request = ds.ListAgenciesRequest(page_size=3)

    async with house.wire(GAMMA) as gamma:
        first = await gamma.directory.ListAgencies(request)
        request.page_token = first.next_page_token
        second = await gamma.directory.ListAgencies(request)
        request.page_token = "AAAAAAAAAAAAAAAAAAAAAA=="
        fault = await fault_in(gamma.directory.ListAgencies(request))

    found = [item.agency.agency_id for item in (*first.agencies, *second.agencies)]
    assert [ALPHA, BETA, GAMMA, SUPERVISOR] == found
    assert not second.next_page_token
    assert "TOKEN_INVALID" == fault.reason


async def test_enrolled_and_revoked_while_serving(house: House) -> None:
    """What the operator's command line enters, a running gateway knows soon after."""
    house.world.enrol(GONE)
    async with house.wire(GONE) as gone, house.wire(ALPHA) as alpha:
        while True:
            listed = await alpha.directory.ListAgencies(ds.ListAgenciesRequest())
            if GONE in [item.agency.agency_id for item in listed.agencies]:
                break
        own = await gone.directory.GetAgency(ds.GetAgencyRequest(agency_id=GONE))
        house.world.revoke(GONE)
        while True:
            later = await alpha.directory.GetAgency(ds.GetAgencyRequest(agency_id=GONE))
            if later.agency.revoked:
                break
        fault = await fault_in(gone.directory.GetAgency(ds.GetAgencyRequest(agency_id=GONE)))

    assert not own.agency.revoked
    assert own.agency.entry_times[0].ToNanoseconds() < later.agency.revoke_time.ToNanoseconds()
    assert "AGENCY_REVOKED" == fault.reason
