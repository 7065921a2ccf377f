"""A gateway on loopback for the tests of the clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.rogatory.client.loopback import Certificates, Loopback, make_certificates, serving
from tests.unit.rogatory.client.world import World


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """Certificates of one authority, made once."""
    return make_certificates()


@pytest.fixture
def world() -> World:
    """A fresh exchange."""
    return World()


@pytest.fixture
def gateway(world: World) -> Loopback:
    """The services over that exchange, for de.police."""
    return Loopback(world)


@pytest.fixture
def target(gateway: Loopback, certificates: Certificates) -> Iterator[str]:
    """The address at which they are served."""
    with serving(gateway, certificates) as address:
        yield address
