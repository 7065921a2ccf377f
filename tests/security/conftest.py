"""A house for the tests of bad input: one gateway for all of them, which must outlast them all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.house import House


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway with the usual agencies."""
    made = House(tmp_path_factory.mktemp("gateway") / "gateway")
    made.enrol_usual()
    async with made.serving():
        yield made
