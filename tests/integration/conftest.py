"""A house for the tests over the wire: one gateway a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.house import House

CONFIG = """
[limits]
keep_alive_seconds = 0.1
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway with the usual agencies, quick to say that it is alive."""
    made = House(tmp_path_factory.mktemp("gateway") / "gateway", extra_config=CONFIG)
    made.enrol_usual()
    async with made.serving():
        yield made
