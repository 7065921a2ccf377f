"""A case for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asking import IN_HOURS
from tests.support.case import Case


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """Four agencies under an agreement that permits everything, with deadlines in hours."""
    made = Case(tmp_path / "gateway", agreement=IN_HOURS)
    yield made
    made.close()
