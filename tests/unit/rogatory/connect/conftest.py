"""The fixtures of the commands, for the one that serves a drop folder."""

from __future__ import annotations

from tests.unit.rogatory.cli.conftest import enrolled, run
from tests.unit.rogatory.client.conftest import certificates, gateway, target, world

__all__ = ["certificates", "enrolled", "gateway", "run", "target", "world"]
