"""What the operator enters of agreements: also a party's suspension, from its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rogatory.agreements import sign_suspension, suspension_to_armour
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2
from rogatory_gateway.operator import agreements
from tests.support.history import NL, RO, History
from tests.support.world import World


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """A ledger with three agencies and an agreement."""
    made = History(World(tmp_path / "gateway"))
    yield made
    made.close()


def test_a_suspension_is_entered_once(history: History, tmp_path: Path) -> None:
    """From its entry on it acts on that party; the same file again is not the party's next."""
    signed = sign_suspension(
        agreement_pb2.AgreementSuspension(
            schema_version=1,
            agreement_id="pact",
            agency=RO,
            sequence=1,
            suspended=True,
            reason="under review",
        ),
        signer=history.world.agencies[RO].root,
    )
    file = tmp_path / "suspended.txt"
    file.write_text(suspension_to_armour(signed))

    read = agreements.read(file)
    assert isinstance(read, agreement_pb2.SignedAgreementSuspension)
    entered = agreements.enter_suspension(history.ledger, read)
    with pytest.raises(AgreementError) as again:
        agreements.enter_suspension(history.ledger, read)

    assert (RO, True, 4) == (entered["agency"], entered["suspended"], entered["index"])
    assert history.ledger.registry.is_suspended("pact", NL, RO)
    assert not history.ledger.registry.is_suspended("pact", NL)
    assert "number 1, and 2 is due" in again.value.message
